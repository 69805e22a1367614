//! Tokens made the long way round, with `ciborium` alone: any header, any claims, signed properly. It shares
//! no code with the crate, so it also is a second opinion on the bytes that are signed.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail"
)]

use ciborium::Value;
use mic_consent::{Encoded, Signer};

pub(crate) fn bytes_of(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

pub(crate) fn value_of(bytes: &[u8]) -> Value {
    ciborium::from_reader(bytes).unwrap()
}

/// The four parts of a token.
pub(crate) fn parts(token: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let Value::Tag(18, whole) = value_of(token) else {
        panic!("tag 18")
    };
    let part = |n: usize| whole.as_array().unwrap()[n].as_bytes().unwrap().clone();
    (part(0), part(2), part(3))
}

pub(crate) fn claims_of(token: &Encoded) -> Value {
    value_of(&parts(token.as_bytes()).1)
}

pub(crate) fn header(signer: &dyn Signer, typ: &str) -> Value {
    Value::Map(vec![
        (1.into(), signer.suite().cose_algorithm().into()),
        (4.into(), Value::Bytes(signer.key_id().as_bytes().to_vec())),
        (16.into(), typ.into()),
    ])
}

pub(crate) fn to_be_signed(protected: &[u8], external: &str, payload: &[u8]) -> Vec<u8> {
    bytes_of(&Value::Array(vec![
        "Signature1".into(),
        Value::Bytes(protected.to_vec()),
        Value::Bytes(external.as_bytes().to_vec()),
        Value::Bytes(payload.to_vec()),
    ]))
}

pub(crate) fn assemble(protected: &[u8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    bytes_of(&Value::Tag(
        18,
        Box::new(Value::Array(vec![
            Value::Bytes(protected.to_vec()),
            Value::Map(vec![]),
            Value::Bytes(payload.to_vec()),
            Value::Bytes(signature.to_vec()),
        ])),
    ))
}

/// Signs these very bytes as payload under this header.
pub(crate) fn sign_with(
    header: &Value,
    payload: &[u8],
    external: &str,
    signer: &dyn Signer,
) -> Vec<u8> {
    let protected = bytes_of(header);
    let signature = signer
        .sign(&to_be_signed(&protected, external, payload))
        .unwrap();
    assemble(&protected, payload, signature.as_bytes())
}

/// Signs these claims as a token of type `typ`.
pub(crate) fn sign(typ: &str, claims: &Value, signer: &dyn Signer) -> Vec<u8> {
    sign_with(
        &header(signer, typ),
        &bytes_of(claims),
        &format!("mic-consent/1/{typ}"),
        signer,
    )
}

/// Changes an entry of a map along a path of keys; `None` removes it. A new entry goes to its place in order.
pub(crate) fn with(claims: &Value, path: &[i64], new: Option<Value>) -> Value {
    let Value::Map(entries) = claims else {
        panic!("a map")
    };
    let mut entries = entries.clone();
    let key = Value::from(path[0]);
    let at = entries.iter().position(|(found, _)| *found == key);
    if path.len() > 1 {
        let at = at.unwrap();
        entries[at].1 = with(&entries[at].1, &path[1..], new);
        return Value::Map(entries);
    }
    match (at, new) {
        (Some(at), Some(new)) => entries[at].1 = new,
        (Some(at), None) => {
            entries.remove(at);
        }
        (None, Some(new)) => {
            let rank = |key: &Value| {
                let key = i128::from(key.as_integer().unwrap());
                (key < 0, key.unsigned_abs())
            };
            let at = entries
                .iter()
                .position(|(found, _)| rank(found) > rank(&key))
                .unwrap_or(entries.len());
            entries.insert(at, (key, new));
        }
        (None, None) => panic!("nothing to remove"),
    }
    Value::Map(entries)
}

pub(crate) fn find(claims: &Value, path: &[i64]) -> Value {
    path.iter().fold(claims.clone(), |value, key| {
        value
            .as_map()
            .unwrap()
            .iter()
            .find(|(found, _)| *found == Value::from(*key))
            .unwrap()
            .1
            .clone()
    })
}
