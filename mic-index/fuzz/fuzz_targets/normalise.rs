//! The normaliser tells every change, leaves legal codes alone, and finds nothing the second time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_index::{IndexCode, normalise};

fuzz_target!(|text: &str| {
    let (out, changes) = normalise(text);
    let mut rest = changes.iter().peekable();
    let mut rebuilt = String::new();
    for (offset, c) in text.char_indices() {
        match rest.next_if(|change| change.offset() == offset) {
            Some(change) => rebuilt.extend(change.to()),
            None => rebuilt.push(c),
        }
    }
    assert_eq!(rebuilt, out);
    assert!(rest.next().is_none());
    assert!(IndexCode::parse(text).is_err() || changes.is_empty());
    assert_eq!(normalise(&out), (out, Vec::new()));
});
