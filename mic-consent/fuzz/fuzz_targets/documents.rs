//! Any bytes as a document or a token of any type: no panic; one form; accepted only if a key of the vectors
//! signed it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mic_consent::{Checker, Encoded, KeyRing, Policy};
use mic_consent_fuzz::{cast_ring, policy, verify};

static WORLD: LazyLock<(KeyRing, Policy)> = LazyLock::new(|| (cast_ring(), policy()));
const SIGNED: &str = include_str!("../../vectors/objects-accept.json");

fuzz_target!(|bytes: &[u8]| {
    let read = Encoded::document_from_bytes(bytes).or_else(|_| Encoded::from_bytes(bytes));
    let Ok(token) = read else {
        return;
    };
    assert_eq!(token.as_bytes(), bytes);
    assert!(bytes.len() <= token.token_type().bytes_max());
    assert!(Encoded::document_from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(Encoded::document_from_bytes(&[bytes, &[0]].concat()).is_err());
    if verify(token, &Checker::new(&WORLD.0, &WORLD.1)).is_ok() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(
            SIGNED.contains(&format!("\"{hex}\"")),
            "accepted, though nobody signed it: {hex}"
        );
    }
});
