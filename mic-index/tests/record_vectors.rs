//! Every record vector, read by serde.
#![cfg(feature = "serde")]

use mic_index::ExamRecord;
use serde_json::{Value, json};

#[test]
fn every_record_is_read_or_refused_with_its_message() {
    let root: Value = serde_json::from_str(include_str!("../vectors/record.json")).unwrap();
    for case in root["cases"].as_array().unwrap() {
        let (id, expect) = (&case["id"], &case["expect"]);
        match serde_json::from_value::<ExamRecord>(case["input"].clone()) {
            Ok(record) => {
                assert_eq!(json!(record.code().to_string()), expect["printed"], "{id}");
                let written = serde_json::to_value(&record).unwrap();
                assert_eq!(
                    serde_json::from_value::<ExamRecord>(written).unwrap(),
                    record
                );
            }
            Err(error) => assert_eq!(json!(error.to_string()), expect["error"], "{id}"),
        }
    }
}
