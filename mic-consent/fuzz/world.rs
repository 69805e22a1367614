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
        TokenType::Offer => token.untrusted::<Offer>()?.verify(checker).map(drop),
        TokenType::Grant => token.untrusted::<Grant>()?.verify(checker).map(drop),
        TokenType::Narrowed => token.untrusted::<Narrowed>()?.verify(checker).map(drop),
        TokenType::Refusal => token.untrusted::<Refusal>()?.verify(checker).map(drop),
        TokenType::Withdrawal => token.untrusted::<Withdrawal>()?.verify(checker).map(drop),
        TokenType::Emergency => token.untrusted::<Emergency>()?.verify(checker).map(drop),
        TokenType::Order => token.untrusted::<Order>()?.verify(checker).map(drop),
        TokenType::StatusList => token.untrusted::<StatusList>()?.verify(checker).map(drop),
        TokenType::KeySet => token.untrusted::<KeySet>()?.verify(checker).map(drop),
        TokenType::Receipt => token.untrusted::<Receipt>()?.verify(checker).map(drop),
        TokenType::Review => token.untrusted::<Review>()?.verify(checker).map(drop),
        TokenType::Checkpoint => token.untrusted::<Checkpoint>()?.verify(checker).map(drop),
        _ => token.untrusted::<Proof>()?.verify(checker).map(drop),
    }
}

/// The Ed25519 keys of the vectors of the other objects: seed, owner, role.
const CAST: [(u8, &str, Role); 9] = [
    (0x8d, "COURT01", Role::Order),
    (0x81, "H11010500001", Role::Request),
    (0x84, "CONSENT01", Role::Grant),
    (0x85, "CONSENT01", Role::Status),
    (0x86, "H11010500001", Role::Emergency),
    (0x87, "H11010500001", Role::Review),
    (0x88, "ARCHIVE61", Role::Log),
    (0x89, "INSURER61", Role::Log),
    (0x8a, "ROOT00", Role::Root),
];

/// The key that signs tokens of this type, and the owner that its record states.
pub fn signer_of(kind: TokenType) -> Ed25519SigningKey {
    let found = CAST.iter().find(|(_, _, role)| *role == kind.role());
    let (seed, ..) = found.expect("a key for each role");
    Ed25519SigningKey::from_secret_bytes(&[*seed; 32]).expect("a key")
}

/// The records of those keys.
pub fn cast_ring() -> KeyRing {
    let validity =
        KeyValidity::new(now() - TimeDelta::days(1), now() + TimeDelta::days(365)).expect("a year");
    KeyRing::from_records(CAST.iter().map(|(seed, owner, role)| {
        let key = Ed25519SigningKey::from_secret_bytes(&[*seed; 32]).expect("a key");
        let owner = IssuerCode::new(owner).expect("a code");
        KeyRecord::new(key.public_key().clone(), owner, *role, validity).expect("a record")
    }))
    .expect("eight keys")
}

/// A token of this type over any claims, signed properly, put together by hand.
pub fn sealed(kind: TokenType, payload: &[u8]) -> Vec<u8> {
    let key = signer_of(kind);
    let protected = [
        &[0xa3, 1, 0x32, 4, 0x48],
        &key.key_id().as_bytes()[..],
        b"\x10\x65",
        kind.name().as_bytes(),
    ]
    .concat();
    let string = |bytes: &[u8]| match bytes.len() {
        short @ 0..=23 => [&[0x40 | short as u8], bytes].concat(),
        byte @ 24..=255 => [&[0x58, byte as u8], bytes].concat(),
        long => [&[0x59, (long >> 8) as u8, long as u8], bytes].concat(),
    };
    let signed = [
        b"\x84\x6aSignature1",
        &string(&protected)[..],
        &string(kind.external().as_bytes()),
        &string(payload),
    ]
    .concat();
    let signature = key.sign(&signed).expect("a signature");
    [
        &[0xd2, 0x84],
        &string(&protected)[..],
        &[0xa0],
        &string(payload),
        &string(signature.as_bytes()),
    ]
    .concat()
}
