//! With packages of PyPI, in both directions: SM2 with `gmssl`, COSE with `cwt` (-19 and -9) and `pycose` (-8 and
//! -7, through the import of old numbers).
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

#[path = "common/ask.rs"]
mod ask;
mod common;

use ask::ask;
use common::{raw, *};
use mic_consent::*;
use serde_json::{Value as Json, json};

fn bytes(text: &Json) -> Vec<u8> {
    hex::decode(text.as_str().unwrap()).unwrap()
}

#[test]
fn ok_gmssl_hashes_signs_and_accepts_as_we_do() {
    let keys = keys(Suite::Sm2Sm3);
    for token in [request(&keys, ct_scope()), grant(&keys, ct_scope())] {
        let (protected, payload, signature) = raw::parts(token.as_bytes());
        let (key, secret) = match token.token_type() {
            TokenType::Grant => (&keys.authority_key, [0x22; 32]),
            _ => (&keys.hospital_key, [0x21; 32]),
        };
        let external = token.token_type().external();
        let message = raw::to_be_signed(&protected, external, &payload);
        let question = json!({
            "secret": hex::encode(secret),
            "public": hex::encode(key.as_bytes()),
            "message": hex::encode(&message),
            "signature": hex::encode(signature),
        });
        let Some(answer) = ask("gmssl", "sm2_gmssl.py", &question) else {
            return;
        };
        assert_eq!(answer["accepted"], true, "gmssl refuses our signature");
        assert_eq!(bytes(&answer["digest"]), key.prehash(&message).unwrap());
        let theirs = Signature::from_bytes(bytes(&answer["signature"]).try_into().unwrap());
        key.verify(&message, &theirs).unwrap();
        PreparedKey::new(key.clone(), &mut BaseTables::new())
            .verify(&message, &theirs)
            .unwrap();
    }
}

/// A grant under an alg number, and the question about it.
fn question(keys: &Keys, secret: [u8; 32], alg: i64) -> Json {
    let signer = keys.authority.as_ref();
    let header = raw::with(&raw::header(signer, "mic-g"), &[1], Some(alg.into()));
    let payload = raw::bytes_of(&raw::claims_of(&grant(keys, ct_scope())));
    let token = raw::sign_with(&header, &payload, "mic-consent/1/mic-g", signer);
    json!({
        "suite": signer.suite().name(),
        "secret": hex::encode(secret),
        "public": hex::encode(keys.authority_key.as_bytes()),
        "kid": signer.key_id().to_string(),
        "alg": alg,
        "typ": "mic-g",
        "external": hex::encode("mic-consent/1/mic-g"),
        "token": hex::encode(token),
    })
}

const SUITES: [(Suite, [u8; 32], i64); 2] = [
    (Suite::Ed25519, [0x32; 32], -8),
    (Suite::Esp256, [0x42; 32], -7),
];

#[track_caller]
fn passes(token: Encoded, keys: &Keys) {
    let live = live_grant(keys, token);
    assert_eq!(live.claims().id().as_bytes(), &[0x77; 16]);
}

#[test]
fn ok_cwt_and_we_accept_each_others_tokens() {
    for (suite, secret, _) in SUITES {
        let keys = keys(suite);
        let question = question(&keys, secret, suite.cose_algorithm());
        let Some(answer) = ask("cwt", "sign1_cwt.py", &question) else {
            return;
        };
        assert_eq!(answer["accepted"], true, "cwt refuses our token");
        assert_eq!(answer["under_another_type"], false);
        passes(
            Encoded::from_bytes(&bytes(&answer["token"])).unwrap(),
            &keys,
        );
    }
}

#[test]
fn ok_pycose_and_we_accept_each_others_tokens_through_the_import() {
    for (suite, secret, old) in SUITES {
        let keys = keys(suite);
        let question = question(&keys, secret, old);
        let Some(answer) = ask("pycose", "sign1_pycose.py", &question) else {
            return;
        };
        assert_eq!(answer["accepted"], true, "pycose refuses our token");
        assert_eq!(answer["under_another_type"], false);
        let theirs = bytes(&answer["token"]);
        let denial = Encoded::from_bytes(&theirs).unwrap_err();
        assert_eq!(denial.reason(), Reason::UnknownAlgorithm);
        passes(Encoded::import_with_old_numbers(&theirs).unwrap(), &keys);
    }
}
