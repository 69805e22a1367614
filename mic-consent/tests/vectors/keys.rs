//! The keys of the vectors. Test keys of made-up owners; their secrets are published on purpose.

use std::sync::LazyLock;

use mic_consent::*;
use serde_json::{Value as Json, json};

use crate::{common::validity, file::rfc3339};

// The keys of the vectors: name, suite, seed byte, owner, role, province.
pub(crate) type TestKey = (
    &'static str,
    &'static str,
    u8,
    &'static str,
    &'static str,
    Option<u8>,
);

pub(crate) const KEYS: [TestKey; 15] = [
    (
        "hospital-sm2",
        "SM2-SM3",
        0x21,
        "H11010500001",
        "request",
        None,
    ),
    ("authority-sm2", "SM2-SM3", 0x22, "CONSENT01", "grant", None),
    (
        "hospital-ed25519",
        "Ed25519",
        0x31,
        "H11010500001",
        "request",
        None,
    ),
    (
        "authority-ed25519",
        "Ed25519",
        0x32,
        "CONSENT01",
        "grant",
        None,
    ),
    (
        "hospital-esp256",
        "ESP256",
        0x41,
        "H11010500001",
        "request",
        None,
    ),
    (
        "authority-esp256",
        "ESP256",
        0x42,
        "CONSENT01",
        "grant",
        None,
    ),
    (
        "provincial-authority-sm2",
        "SM2-SM3",
        0x23,
        "CONSENT61",
        "grant",
        Some(61),
    ),
    (
        "other-hospital-sm2",
        "SM2-SM3",
        0x24,
        "H61010200001",
        "request",
        Some(61),
    ),
    ("stranger-sm2", "SM2-SM3", 0x2f, "CONSENT99", "", None),
    (
        "provincial-authority-ed25519",
        "Ed25519",
        0x33,
        "CONSENT61",
        "grant",
        Some(61),
    ),
    (
        "other-hospital-ed25519",
        "Ed25519",
        0x34,
        "H61010200001",
        "request",
        Some(61),
    ),
    ("stranger-ed25519", "Ed25519", 0x3f, "CONSENT99", "", None),
    (
        "provincial-authority-esp256",
        "ESP256",
        0x43,
        "CONSENT61",
        "grant",
        Some(61),
    ),
    (
        "other-hospital-esp256",
        "ESP256",
        0x44,
        "H61010200001",
        "request",
        Some(61),
    ),
    ("stranger-esp256", "ESP256", 0x4f, "CONSENT99", "", None),
];

pub(crate) fn signer(name: &str) -> Box<dyn Signer> {
    let (_, suite, seed, ..) = *KEYS.iter().find(|(found, ..)| *found == name).unwrap();
    match suite {
        "SM2-SM3" => Box::new(Sm2SigningKey::from_secret_bytes(&[seed; 32]).unwrap()),
        "ESP256" => Box::new(Es256SigningKey::from_secret_bytes(&[seed; 32]).unwrap()),
        _ => Box::new(Ed25519SigningKey::from_secret_bytes(&[seed; 32]).unwrap()),
    }
}

/// Made once: every case asks for it.
pub(crate) fn keys_json() -> Json {
    static MADE: LazyLock<Json> = LazyLock::new(make_keys_json);
    MADE.clone()
}

fn make_keys_json() -> Json {
    KEYS.iter()
        .map(|(name, suite, seed, owner, role, province)| {
            let signer = signer(name);
            let public = match *suite {
                "SM2-SM3" => Sm2SigningKey::from_secret_bytes(&[*seed; 32])
                    .unwrap()
                    .public_key()
                    .clone(),
                "ESP256" => Es256SigningKey::from_secret_bytes(&[*seed; 32])
                    .unwrap()
                    .public_key()
                    .clone(),
                _ => Ed25519SigningKey::from_secret_bytes(&[*seed; 32])
                    .unwrap()
                    .public_key()
                    .clone(),
            };
            json!({
                "name": name,
                "suite": suite,
                "test_secret": hex::encode([*seed; 32]),
                "public_key": hex::encode(public.as_bytes()),
                "distid": public.distid(),
                "key_id": signer.key_id().to_string(),
                "organisation": owner,
                "roles": if role.is_empty() { json!([]) } else { json!([role]) },
                "province": province,
                "trusted": !role.is_empty(),
                "valid_from": rfc3339(validity().from()),
                "valid_until": rfc3339(validity().until()),
            })
        })
        .collect()
}
