//! The examples of the standards for each suite, and wrong relatives of them: keys and signatures alone.

use mic_consent::*;
use serde_json::{Value as Json, json};

use crate::file::read;

fn key(suite: Suite, input: &Json) -> Result<PublicKey, KeyError> {
    let bytes = hex::decode(input["public_key"].as_str().unwrap()).unwrap();
    match suite {
        Suite::Sm2Sm3 => PublicKey::sm2(
            &bytes.try_into().unwrap(),
            input["distid"].as_str().unwrap(),
        ),
        Suite::Ed25519 => PublicKey::ed25519(&bytes.try_into().unwrap()),
        _ => PublicKey::es256(&bytes.try_into().unwrap()),
    }
}

/// Every case with and without the key's table.
#[track_caller]
fn run(name: &str, suite: Suite) {
    let mut bases = BaseTables::new();
    for case in read(name)["cases"].as_array().unwrap() {
        let input = &case["input"];
        let bytes = |name: &str| hex::decode(input[name].as_str().unwrap()).unwrap();
        let verdict = |good: Result<(), BadSignature>| match good {
            Ok(()) => json!({ "ok": true }),
            Err(error) => json!({ "err": error.to_string() }),
        };
        let found = match key(suite, input) {
            Err(error) => json!({ "err": error.to_string() }),
            Ok(key) => {
                let signature = Signature::from_bytes(bytes("signature").try_into().unwrap());
                let plain = verdict(key.verify(&bytes("message"), &signature));
                let prepared = PreparedKey::new(key, &mut bases);
                let tables = verdict(prepared.verify(&bytes("message"), &signature));
                assert_eq!(plain, tables, "{}", case["id"]);
                plain
            }
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

#[test]
fn ok_sm2_vectors_of_the_national_standard() {
    run("sm2.json", Suite::Sm2Sm3);
}

#[test]
fn ok_ed25519_vectors_of_rfc_8032() {
    run("ed25519.json", Suite::Ed25519);
}

#[test]
fn ok_es256_vectors_of_rfc_6979() {
    run("es256.json", Suite::Esp256);
}
