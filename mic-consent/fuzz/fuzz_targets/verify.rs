//! Any bytes offered as a token: accepted only if they are, byte for byte, what a vector's key signed, but for
//! the s of ESP256, of which n - s is as good. The corpus holds those tokens, so the fuzzer starts one bit
//! away from success.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mic_consent::{Checker, Encoded, KeyRing, Policy, Suite};
use mic_consent_fuzz::{cast_ring, policy, ring, verify};

static WORLD: LazyLock<(KeyRing, Policy)> = LazyLock::new(|| {
    let records = ring()
        .iter()
        .chain(cast_ring().iter())
        .cloned()
        .collect::<Vec<_>>();
    (KeyRing::from_records(records).expect("all keys"), policy())
});
const SIGNED: &str = concat!(
    include_str!("../../vectors/accept.json"),
    include_str!("../../vectors/objects-accept.json"),
);

fuzz_target!(|bytes: &[u8]| {
    let Ok(token) = Encoded::from_bytes(bytes) else {
        return;
    };
    let two_forms = token.suite() == Suite::Esp256;
    if verify(token, &Checker::new(&WORLD.0, &WORLD.1)).is_ok() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let known = if two_forms {
            format!("\"{}", &hex[..hex.len() - 64])
        } else {
            format!("\"{hex}\"")
        };
        assert!(
            SIGNED.contains(&known),
            "accepted, though nobody signed it: {hex}"
        );
    }
});
