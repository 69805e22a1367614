//! Any bytes offered as a token: accepted only if they are, byte for byte, what a vector's key signed. The
//! corpus holds those tokens, so the fuzzer starts one bit away from success.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mic_consent::{Checker, Encoded, KeyRing, Policy};
use mic_consent_fuzz::{policy, ring, verify};

static WORLD: LazyLock<(KeyRing, Policy)> = LazyLock::new(|| (ring(), policy()));
const SIGNED: &str = include_str!("../../vectors/accept.json");

fuzz_target!(|bytes: &[u8]| {
    let Ok(token) = Encoded::from_bytes(bytes) else {
        return;
    };
    if verify(token, &Checker::new(&WORLD.0, &WORLD.1)).is_ok() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(
            SIGNED.contains(&format!("\"{hex}\"")),
            "accepted, though nobody signed it: {hex}"
        );
    }
});
