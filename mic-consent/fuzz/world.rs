//! The keys and the policy of the vectors, for all targets. Test keys, made-up owners.

use chrono::{DateTime, TimeDelta, Utc};
use mic_consent::*;

/// The moment of the vectors.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_794_992_800, 0).expect("a time")
}

pub fn hospital() -> Ed25519SigningKey {
    Ed25519SigningKey::from_secret_bytes(&[0x31; 32]).expect("a key")
}

/// The trusted keys of the vectors' hospital and authority in all suites.
pub fn ring() -> KeyRing {
    let validity =
        KeyValidity::new(now() - TimeDelta::days(1), now() + TimeDelta::days(365)).expect("a year");
    let owner = |code: &str| IssuerCode::new(code).expect("a code");
    let sm2 = |byte: u8| {
        Sm2SigningKey::from_secret_bytes(&[byte; 32])
            .expect("a key")
            .public_key()
            .clone()
    };
    let ed25519 = |byte: u8| {
        Ed25519SigningKey::from_secret_bytes(&[byte; 32])
            .expect("a key")
            .public_key()
            .clone()
    };
    let es256 = |byte: u8| {
        Es256SigningKey::from_secret_bytes(&[byte; 32])
            .expect("a key")
            .public_key()
            .clone()
    };
    let record = |key, code, role| {
        KeyRecord::new(key, owner(code), Roles::from(role), validity).expect("a record")
    };
    KeyRing::from_records([
        record(sm2(0x21), "H11010500001", Role::Request),
        record(sm2(0x22), "CONSENT01", Role::Grant),
        record(ed25519(0x31), "H11010500001", Role::Request),
        record(ed25519(0x32), "CONSENT01", Role::Grant),
        record(es256(0x41), "H11010500001", Role::Request),
        record(es256(0x42), "CONSENT01", Role::Grant),
    ])
    .expect("six keys")
}

pub fn policy() -> Policy {
    Policy::new(Realm::new("mic.cn").expect("a realm"), AcceptedSuites::Both)
}

/// Steps 5 to 8 for whatever type the header states.
pub fn verify(token: Encoded, checker: &Checker<'_>) -> Result<(), Denial> {
    match token.token_type() {
        TokenType::Request => token.untrusted::<Request>()?.verify(checker).map(drop),
        TokenType::Grant => token.untrusted::<Grant>()?.verify(checker).map(drop),
        _ => token.untrusted::<Proof>()?.verify(checker).map(drop),
    }
}
