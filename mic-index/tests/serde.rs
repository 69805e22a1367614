//! Exchange forms: text for people, forty bytes for machines, and no value in any error.
#![cfg(feature = "serde")]

mod common;

use common::EXAMPLE;
use mic_index::{DeviceCode, ExamTime, IndexCode, PersonCode, SiteCode, StorageUnitCode};

#[test]
fn json_is_the_printed_text() {
    let code: IndexCode = EXAMPLE.parse().unwrap();
    let json = serde_json::to_string(&code).unwrap();
    assert_eq!(json, format!("\"{EXAMPLE}\""));
    assert_eq!(serde_json::from_str::<IndexCode>(&json).unwrap(), code);
    let compact = format!("\"{}\"", code.compact());
    assert_eq!(serde_json::from_str::<IndexCode>(&compact).unwrap(), code);
}

#[test]
fn cbor_is_forty_bytes() {
    let code: IndexCode = EXAMPLE.parse().unwrap();
    let mut cbor = Vec::new();
    ciborium::into_writer(&code, &mut cbor).unwrap();
    // A byte string of 40 (0x58 0x28), then the packed form.
    assert_eq!(cbor[..2], [0x58, 0x28]);
    assert_eq!(cbor[2..], *code.packed());
    assert_eq!(
        ciborium::from_reader::<IndexCode, _>(&cbor[..]).unwrap(),
        code
    );

    // An array of forty numbers is read as well, as formats without byte strings write it.
    let mut array = Vec::new();
    ciborium::into_writer(&code.packed().to_vec(), &mut array).unwrap();
    assert_eq!(
        ciborium::from_reader::<IndexCode, _>(&array[..]).unwrap(),
        code
    );

    for wrong in [&code.packed()[..39], &[0xff; 40], &[0; 41]] {
        let mut cbor = Vec::new();
        ciborium::into_writer(&ciborium::Value::Bytes(wrong.to_vec()), &mut cbor).unwrap();
        assert!(ciborium::from_reader::<IndexCode, _>(&cbor[..]).is_err());
        let mut cbor = Vec::new();
        ciborium::into_writer(&wrong.to_vec(), &mut cbor).unwrap();
        assert!(ciborium::from_reader::<IndexCode, _>(&cbor[..]).is_err());
    }
}

#[test]
fn parts_are_text() {
    let code: IndexCode = EXAMPLE.parse().unwrap();
    let parts = (
        code.person(),
        code.exam_time(),
        code.site(),
        code.device(),
        code.unit(),
    );
    let json = serde_json::to_string(&parts).unwrap();
    assert_eq!(
        json,
        r#"["10000000000000000708463177","202411221430","000000000","0000000000000","123502004266007916"]"#
    );
    type Parts = (PersonCode, ExamTime, SiteCode, DeviceCode, StorageUnitCode);
    assert_eq!(serde_json::from_str::<Parts>(&json).unwrap(), parts);
}

#[test]
fn errors_never_repeat_what_was_read() {
    let digits = "48291750386617295004837261";
    let mut shown = String::new();
    for json in [
        format!("\"{digits}\""),
        digits.to_string(),
        format!("-{digits}"),
        digits[..18].to_string(),
        format!("-{}", &digits[..18]),
        format!("{digits}.5"),
        format!("[\"{digits}\"]"),
        format!("{{\"{digits}\": 1}}"),
    ] {
        shown += &serde_json::from_str::<IndexCode>(&json)
            .unwrap_err()
            .to_string();
        if json.len() != 28 {
            shown += &serde_json::from_str::<PersonCode>(&json)
                .unwrap_err()
                .to_string();
        }
    }
    assert!(!shown.contains("48291"), "{shown}");
    assert!(
        shown.contains("expected an index code as text, found another value"),
        "{shown}"
    );
}

/// `IDX-28`: names and numbers in any dress, wherever a field may stand.
#[test]
fn errors_repeat_no_name_and_no_spaced_number() {
    use mic_index::ledger::{FailureClass, Ledger, Upload};
    use mic_index::{ExamRecord, ExamType, RecordKey};

    let mut shown = String::new();
    for value in [
        r#""张三""#,
        r#""Zhang San""#,
        r#""1000 0000 0000 0000 0708 4631 77""#,
        r#"{"张三": 1}"#,
        r#"{"Zhang San": 1}"#,
        r#"["Zhang San"]"#,
        "70846",
        "-70846",
        "70846.5",
    ] {
        let fields = [
            "code",
            "study_instance_uid",
            "institution",
            "accession_number",
            "exam_type",
            "parts",
            "series_count",
            "image_count",
            "supersedes",
        ];
        let records = fields.map(|field| format!("{{\"{field}\": {value}}}"));
        for json in records.iter().map(String::as_str).chain([value]) {
            let errors = [
                serde_json::from_str::<ExamRecord>(json).unwrap_err(),
                serde_json::from_str::<RecordKey>(json).unwrap_err(),
                serde_json::from_str::<ExamType>(json).unwrap_err(),
                serde_json::from_str::<Upload>(json).unwrap_err(),
                serde_json::from_str::<FailureClass>(json).unwrap_err(),
                serde_json::from_str::<Ledger>(&format!("[{json}]")).unwrap_err(),
                serde_json::from_str::<PersonCode>(json).unwrap_err(),
            ];
            for error in errors {
                shown += &format!("{error} {error:?}\n");
            }
        }
    }
    for told in ["张", "Zhang", "1000", "0708", "4631", "7084"] {
        assert!(!shown.contains(told), "{told}");
    }
    // What is no value is told.
    let syntax = serde_json::from_str::<ExamRecord>("{\"code\"").unwrap_err();
    assert!(syntax.is_eof());
    let field = serde_json::from_str::<ExamRecord>("{\"surprise\": 1}").unwrap_err();
    assert!(field.to_string().starts_with("unknown field `surprise`"));
    let cbor = ciborium::from_reader::<PersonCode, _>(&b"\x64\x31\x32\x33\x34"[..]).unwrap_err();
    assert!(
        cbor.to_string()
            .contains("person: expected 26 characters, found 4"),
        "{cbor}"
    );
}

/// serde holds values back for flattened, untagged and tagged types, and says then that they are for people.
#[test]
fn bytes_come_back_through_types_that_hold_values_back() {
    use mic_index::RecordKey;
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        #[serde(flatten)]
        key: RecordKey,
        n: u8,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Count(u8),
        Code(IndexCode),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Made { code: IndexCode },
    }

    fn comes_back<T: Serialize + DeserializeOwned + PartialEq + core::fmt::Debug>(value: &T) {
        let mut cbor = Vec::new();
        ciborium::into_writer(value, &mut cbor).unwrap();
        assert_eq!(&ciborium::from_reader::<T, _>(&cbor[..]).unwrap(), value);
        let json = serde_json::to_string(value).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
    }

    let code: IndexCode = EXAMPLE.parse().unwrap();
    let key = RecordKey::new(code, "1.2.840.1".parse().unwrap());
    comes_back(&Row { key, n: 7 });
    comes_back(&Either::Code(code));
    comes_back(&Either::Count(1));
    comes_back(&Tagged::Made { code });

    // Bytes that are no code stay none.
    let held_back = |bytes: &[u8]| {
        let value = ciborium::Value::Map(vec![
            ("kind".into(), "Made".into()),
            ("code".into(), ciborium::Value::Bytes(bytes.to_vec())),
        ]);
        let mut cbor = Vec::new();
        ciborium::into_writer(&value, &mut cbor).unwrap();
        ciborium::from_reader::<Tagged, _>(&cbor[..])
    };
    assert_eq!(held_back(code.packed()).unwrap(), Tagged::Made { code });
    for wrong in [
        &code.packed()[..39],
        &[0xff; 40],
        &[0; 41],
        EXAMPLE.as_bytes(),
    ] {
        assert!(held_back(wrong).is_err());
    }
}
