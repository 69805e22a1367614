//! Key records as nodes exchange them: one flat object, nothing trusted that does not fit together.
#![cfg(all(
    feature = "gm",
    feature = "ed25519",
    feature = "es256",
    feature = "serde"
))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

use chrono::{DateTime, Utc};
use mic_consent::*;
use serde_json::{Value, json};

fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn records() -> Vec<KeyRecord> {
    let validity =
        KeyValidity::new(time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z")).unwrap();
    let sm2 = Sm2SigningKey::with_distid(&[1; 32], "ALICE123@YAHOO.COM").unwrap();
    let ed25519 = Ed25519SigningKey::from_secret_bytes(&[2; 32]).unwrap();
    let es256 = Es256SigningKey::from_secret_bytes(&[3; 32]).unwrap();
    let authority = IssuerCode::new("CONSENT01").unwrap();
    let roles = Roles::from(Role::Grant) | Role::Status.into();
    let since = time("2026-06-01T12:00:00.5Z");
    vec![
        KeyRecord::new(
            sm2.public_key().clone(),
            IssuerCode::new("H61010200001").unwrap(),
            Role::Request,
            validity,
        )
        .unwrap()
        .with_province(Province::new(61).unwrap())
        .unwrap(),
        KeyRecord::new(ed25519.public_key().clone(), authority, roles, validity)
            .unwrap()
            .with_state(KeyState::Compromised { since }),
        KeyRecord::new(es256.public_key().clone(), authority, Role::Log, validity).unwrap(),
    ]
}

#[test]
fn ok_records_go_both_ways() {
    let text = serde_json::to_string_pretty(&records()).unwrap();
    let again: Vec<KeyRecord> = serde_json::from_str(&text).unwrap();
    assert_eq!(again, records());
    for state in [
        KeyState::Active,
        KeyState::Suspended,
        KeyState::Revoked,
        KeyState::VerifyOnly {
            since: time("2026-06-01T00:00:00Z"),
        },
    ] {
        let record = records().remove(0).with_state(state);
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<KeyRecord>(&text).unwrap(), record);
    }
}

#[test]
fn ok_the_form_is_flat_and_readable() {
    let form = serde_json::to_value(&records()[0]).unwrap();
    assert_eq!(form["suite"], "SM2-SM3");
    assert_eq!(form["distid"], "ALICE123@YAHOO.COM");
    assert_eq!(form["roles"], json!(["request"]));
    assert_eq!(form["province"], 61);
    assert_eq!(form["valid_until"], "2027-01-01T00:00:00Z");
    assert_eq!(form["key_id"].as_str().unwrap().len(), 16);
}

#[test]
fn err_forms_that_do_not_fit_together() {
    let change = |name: &str, value: Value| {
        let mut form = serde_json::to_value(&records()[0]).unwrap();
        form[name] = value;
        serde_json::from_value::<KeyRecord>(form)
            .unwrap_err()
            .to_string()
    };
    let contains = |text: String, part: &str| assert!(text.contains(part), "{text}");
    contains(
        change("key_id", json!("0000000000000000")),
        "found 0000000000000000 in the record",
    );
    contains(
        change("key_id", json!("00")),
        "expected a key id of 16 hexadecimal digits",
    );
    contains(
        change("suite", json!("none")),
        "expected the suite SM2-SM3, Ed25519 or ESP256",
    );
    contains(
        change("suite", json!("Ed25519")),
        "expected no distinguishing id",
    );
    contains(
        change("suite", json!("ESP256")),
        "expected no distinguishing id",
    );
    contains(
        change("distid", json!("x".repeat(129))),
        "at most 128 bytes",
    );
    contains(
        change("public_key", json!("zz")),
        "expected a public key in hexadecimal",
    );
    contains(
        change("public_key", json!("00".repeat(64))),
        "expected a point on the curve",
    );
    contains(
        change("public_key", json!("00".repeat(63))),
        "expected a public key of 64 bytes, found 63",
    );
    contains(
        change("roles", json!(["request", "grant"])),
        "does not both request and grant",
    );
    contains(change("roles", json!([])), "expected at least one role");
    contains(change("roles", json!(["boss"])), "expected a known role");
    contains(
        change("organisation", json!("ARCHIVE61")),
        "expected an institution code of 12 characters as the owner",
    );
    contains(
        change("organisation", json!("H11010500001")),
        "expected an owner of province 61, found one of 11",
    );
    contains(
        change("province", json!(99)),
        "expected the two digits of a province",
    );
    contains(
        change("valid_until", json!("2026-01-01T00:00:00Z")),
        "ends after it begins",
    );
    contains(
        change("valid_from", json!("2026-01-01")),
        "expected a time as in RFC 3339",
    );
    contains(change("state", json!("verify-only")), "with since");
    contains(change("since", json!("2026-01-01T00:00:00Z")), "with since");
    contains(change("secret", json!("01")), "unknown field `secret`");
}

/// The id belongs to the key and not to its distinguishing id, so that two ids of one key collide.
#[test]
fn err_one_key_under_two_distinguishing_ids() {
    let default = Sm2SigningKey::from_secret_bytes(&[1; 32]).unwrap();
    let record = records().remove(0);
    let twin = KeyRecord::new(
        default.public_key().clone(),
        *record.organisation(),
        Role::Request,
        *record.validity(),
    );
    let error = KeyRing::from_records([record.clone(), twin.unwrap()]).unwrap_err();
    assert_eq!(
        error,
        KeyError::Collision {
            key_id: record.key_id()
        }
    );
}
