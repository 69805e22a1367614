//! Any bytes: no panic; what is accepted has one form, and no proper prefix of it is accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_consent::Encoded;

fuzz_target!(|bytes: &[u8]| {
    let Ok(token) = Encoded::from_bytes(bytes) else {
        return;
    };
    assert_eq!(token.as_bytes(), bytes);
    assert_eq!(Encoded::from_text(&token.to_text()), Ok(token));
    assert!(Encoded::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(Encoded::from_bytes(&[bytes, &[0]].concat()).is_err());
});
