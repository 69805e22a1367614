//! Any text: no panic; a text that is read is the only text of its token.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_consent::Encoded;

fuzz_target!(|text: &str| {
    if let Ok(token) = Encoded::from_text(text) {
        assert_eq!(token.to_text(), text);
        assert!(mic_consent::QrPicture::from_text(text).is_ok() || text.len() > 3391);
    }
});
