//! The grammars of the specification beside the vectors: the CDDL with PyPI `pycddl`, the ABNF with `abnf`.
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

#[path = "common/ask.rs"]
mod ask;

extern crate alloc;

use alloc::collections::BTreeSet;
use std::fs;

use ask::ask;
use mic_consent::Encoded;
use serde_json::{Map, Value as Json, json};

fn text_of(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The cases of a file of vectors.
fn cases(name: &str) -> Vec<Json> {
    let file: Json = serde_json::from_str(&text_of(&format!("vectors/{name}.json"))).unwrap();
    file["cases"].as_array().unwrap().clone()
}

/// One field of the input of all cases that have it, by the id of the case.
fn inputs(cases: &[Json], field: &str) -> Map<String, Json> {
    cases
        .iter()
        .filter_map(|case| {
            let id = case["id"].as_str().unwrap().to_owned();
            case["input"].get(field).map(|value| (id, value.clone()))
        })
        .collect()
}

#[test]
fn ok_the_cddl_has_every_accepted_object_and_none_that_was_changed() {
    let accepted = [cases("accept"), cases("objects-accept")].concat();
    let (tokens, proofs) = (inputs(&accepted, "token"), inputs(&accepted, "proof"));
    // All fourteen types in all suites, and both kinds of proof.
    assert!(tokens.len() >= 3 * 24 && proofs.len() >= 3 * 13);
    let expected = 3 * tokens.len() + proofs.len();
    let cddl = text_of("spec/token.cddl") + &text_of("spec/objects.cddl");
    let question = json!({ "cddl": cddl, "tokens": tokens, "proofs": proofs });
    let Some(answer) = ask("pycddl, cbor2", "cddl.py", &question) else {
        return;
    };
    assert_eq!(answer["refused"], json!([]), "accepted here");
    assert_eq!(answer["passed"], json!([]), "no object");
    assert!(answer["checked"].as_u64().unwrap() > expected as u64);
    assert!(answer["changed"].as_u64().unwrap() > 3_000);
}

/// Texts one change away from a right one; what only its arithmetic makes wrong is not the grammar's to say.
fn wrong(text: &str) -> Vec<String> {
    let (prefix, body) = text.split_at(6);
    let mut wrong = vec![
        text.to_lowercase(),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{prefix}{body}#"),
        prefix.to_owned() + &body.to_lowercase(),
        prefix.replace("MIC", "MIX") + body,
        prefix.replace(':', ";") + body,
        prefix.replace('1', "2") + body,
        prefix.replace(&prefix[3..4], "A") + body,
        prefix.replace(&prefix[3..4], &prefix[3..4].to_lowercase()) + body,
        text[1..].to_owned(),
        body.to_owned(),
        prefix.to_owned(),
    ];
    // One character is no byte.
    let whole = body.len() - body.len() % 3;
    wrong.push(format!("{prefix}{}0", &body[..whole]));
    let at = text.len() / 2;
    for other in ["a", "#", "授", "\0", "\u{7f}", ",", "&"] {
        wrong.push(text[..at].to_owned() + other + &text[at + 1..]);
    }
    wrong
}

#[test]
fn ok_the_abnf_has_every_accepted_text_and_none_that_was_changed() {
    let accepted = [cases("accept"), cases("objects-accept")].concat();
    let tokens = inputs(&accepted, "token");
    let short = tokens.values().filter_map(|token| {
        let bytes = hex::decode(token.as_str().unwrap()).unwrap();
        Encoded::from_bytes(&bytes).ok()
    });
    let mut right: Vec<String> = short.map(|token| token.to_text()).collect();
    let prefixes: BTreeSet<String> = right.iter().map(|text| text[..6].to_owned()).collect();
    assert_eq!(prefixes.len(), 14, "every type");
    let mut wrong: Vec<String> = right
        .iter()
        .step_by(15)
        .flat_map(|text| wrong(text))
        .collect();
    assert!(wrong.iter().all(|text| Encoded::from_text(text).is_err()));
    right.extend(
        inputs(&accepted, "text")
            .values()
            .map(|text| text.as_str().unwrap().to_owned()),
    );
    wrong.push(String::new());
    let question = json!({ "abnf": text_of("spec/qr.abnf"), "right": right, "wrong": wrong });
    let Some(answer) = ask("abnf", "qr_abnf.py", &question) else {
        return;
    };
    assert_eq!(answer["refused"], json!([]), "accepted here");
    assert_eq!(answer["passed"], json!([]), "no text of a token");
}
