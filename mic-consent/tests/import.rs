//! The older algorithm numbers: refused everywhere, read by the import of that name alone (CST-20).
#![cfg(all(feature = "gm", feature = "ed25519", feature = "es256", feature = "qr"))]
mod common;

use ciborium::Value;
use common::{raw, *};
use mic_consent::*;

/// The grant of a suite, properly signed, with another number as alg.
fn renumbered(keys: &Keys, number: i64) -> Vec<u8> {
    let header = raw::with(
        &raw::header(keys.authority.as_ref(), "mic-g"),
        &[1],
        Some(number.into()),
    );
    let payload = raw::bytes_of(&raw::claims_of(&grant(keys, ct_scope())));
    raw::sign_with(
        &header,
        &payload,
        "mic-consent/1/mic-g",
        keys.authority.as_ref(),
    )
}

fn verified(token: Encoded, keys: &Keys) -> Result<Signed<Grant>, Denial> {
    let (ring, policy) = (keys.ring(), policy());
    token
        .untrusted::<Grant>()?
        .verify(&Checker::new(&ring, &policy))
}

#[test]
fn ok_old_numbers_are_imported_when_asked_for() {
    for (suite, old) in [(Suite::Ed25519, -8), (Suite::Esp256, -7)] {
        let keys = keys(suite);
        let token = renumbered(&keys, old);
        let imported = Encoded::import_with_old_numbers(&token).unwrap();
        assert_eq!(imported.suite(), suite);
        assert_eq!(imported.as_bytes(), token);
        let grant = verified(imported, &keys).unwrap();
        assert_eq!(grant.claims().id().as_bytes(), &[0x77; 16]);
    }
}

#[test]
fn err_old_numbers_have_no_other_door() {
    for (suite, old) in [(Suite::Ed25519, -8), (Suite::Esp256, -7)] {
        let token = renumbered(&keys(suite), old);
        let denial = Encoded::from_bytes(&token).unwrap_err();
        assert_eq!(denial.reason(), Reason::UnknownAlgorithm);
        let text = Encoded::import_with_old_numbers(&token).unwrap().to_text();
        let denial = Encoded::from_text(&text).unwrap_err();
        assert_eq!(denial.reason(), Reason::UnknownAlgorithm);
    }
}

#[test]
fn err_the_import_knows_no_other_number_and_does_not_choose_for_the_key() {
    let keys = keys(Suite::Ed25519);
    for number in [-6, 0, 5, -257, -35, -36] {
        let denial = Encoded::import_with_old_numbers(&renumbered(&keys, number)).unwrap_err();
        assert_eq!(denial.reason(), Reason::UnknownAlgorithm);
    }
    // -7 over an Ed25519 key.
    let token = Encoded::import_with_old_numbers(&renumbered(&keys, -7)).unwrap();
    let denial = verified(token, &keys).unwrap_err();
    assert_eq!(denial.reason(), Reason::AlgorithmNotOfKey);
}

#[test]
fn err_the_import_is_as_strict_as_ever() {
    let keys = keys(Suite::Esp256);
    let token = renumbered(&keys, -7);
    for end in 0..token.len() {
        assert!(Encoded::import_with_old_numbers(&token[..end]).is_err());
    }
    let unsorted = Value::Map(vec![
        (
            4.into(),
            Value::Bytes(keys.authority.key_id().as_bytes().to_vec()),
        ),
        (1.into(), (-7).into()),
        (16.into(), "mic-g".into()),
    ]);
    let token = raw::sign_with(
        &unsorted,
        &[0xa0],
        "mic-consent/1/mic-g",
        keys.authority.as_ref(),
    );
    let denial = Encoded::import_with_old_numbers(&token).unwrap_err();
    assert_eq!(denial.reason(), Reason::HeaderKeys);
    let long = Encoded::import_with_old_numbers(&[0xd2; 2049]).unwrap_err();
    assert_eq!(long.reason(), Reason::TokenTooLong);
}
