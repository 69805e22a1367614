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
        shown.contains("expected an index code as text, found a number"),
        "{shown}"
    );
}
