//! Every case of `vectors/technique.json`.
#![cfg(feature = "technique")]

use mic_index::SiteCode;
use mic_index::technique::{self, Lookup};
use serde_json::{Value, json};

#[test]
fn techniques() {
    let root: Value = serde_json::from_str(include_str!("../vectors/technique.json")).unwrap();
    for case in root["cases"].as_array().unwrap() {
        let input = &case["input"];
        let answer = if let Some(code) = input["code"].as_str() {
            Some(technique::by_code(code))
        } else if let Some(name) = input["name"].as_str() {
            Some(technique::by_name(name))
        } else {
            let site: SiteCode = input["site"].as_str().unwrap().parse().unwrap();
            site.technique()
        };
        let found = match answer {
            None => json!({ "error": "not_given" }),
            Some(Lookup::Unknown) => json!({ "error": "unknown" }),
            Some(Lookup::Known(row)) => json!({ "technique": {
                "code": row.code(),
                "name": row.name(),
                "exam_type": row.exam_type().map(u8::from),
                "site": row.site().map(|site| site.to_string()),
            }}),
            Some(Lookup::Ambiguous(rows)) => {
                let mut names: Vec<&str> = rows.map(technique::Technique::name).collect();
                names.sort_unstable();
                json!({ "error": "ambiguous", "names": names })
            }
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}
