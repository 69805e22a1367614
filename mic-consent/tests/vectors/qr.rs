//! Texts and pictures.

use mic_consent::*;
use serde_json::{Value as Json, json};

use crate::{
    common::*,
    file::{read, settle},
};

#[test]
fn ok_qr_vectors_give_this_text_version_and_size() {
    let mut cases = Vec::new();
    for &suite in Suite::ALL {
        let keys = keys(suite);
        for (id, token) in [
            ("request-all", request(&keys, Scope::all())),
            ("request-filtered", request(&keys, ct_scope())),
            ("grant-all", grant(&keys, Scope::all())),
            ("grant-filtered", grant(&keys, ct_scope())),
        ] {
            let text = token.to_text();
            let picture = QrPicture::from_text(&text).unwrap();
            cases.push(json!({
                "id": format!("{}-{id}", suite.name().to_lowercase()),
                "note": "level M, alphanumeric mode",
                "input": { "token": hex::encode(token.as_bytes()) },
                "expect": { "ok": { "text": text, "version": picture.version(), "modules": picture.modules() } },
            }));
        }
    }
    for (id, text, expect) in [
        ("no-text", "", json!({ "kind": "Length", "found": 0 })),
        (
            "small-letters",
            "MICQ1:abc",
            json!({ "kind": "Character", "at": 6 }),
        ),
        (
            "chinese",
            "MICQ1:0授",
            json!({ "kind": "Character", "at": 7 }),
        ),
        ("hash", "MICQ1:0#", json!({ "kind": "Character", "at": 7 })),
    ] {
        cases.push(json!({ "id": id, "note": "no picture is drawn", "input": { "text": text }, "expect": { "err": expect } }));
    }
    settle(
        "qr.json",
        &json!({ "spec": "mic-consent qr", "version": 1, "what": "texts and pictures", "cases": cases }),
    );
    for case in read("qr.json")["cases"].as_array().unwrap() {
        let found = match (&case["input"]["token"], &case["input"]["text"]) {
            (Json::String(token), _) => {
                let text = Encoded::from_bytes(&hex::decode(token).unwrap())
                    .unwrap()
                    .to_text();
                let picture = QrPicture::from_text(&text).unwrap();
                json!({ "ok": { "text": text, "version": picture.version(), "modules": picture.modules() } })
            }
            (_, Json::String(text)) => match QrPicture::from_text(text).unwrap_err() {
                QrError::Length { found } => json!({ "err": { "kind": "Length", "found": found } }),
                QrError::Character { at } => json!({ "err": { "kind": "Character", "at": at } }),
                other => panic!("{other}"),
            },
            _ => panic!("no input"),
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}
