//! Fast path, grammar and diagnosis give one answer, and no fault lies outside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_index::{IndexCode, diagnose, grammar};

fuzz_target!(|text: &[u8]| {
    let by_grammar = grammar::parse(text);
    assert_eq!(IndexCode::try_parse(text), by_grammar.ok());
    assert_eq!(IndexCode::parse_bytes(text), by_grammar);

    let diagnosis = diagnose(text);
    let first = diagnosis.faults().first().map(|fault| fault.error());
    assert_eq!(first, by_grammar.err());
    for fault in diagnosis.faults() {
        assert!(text.get(fault.span()).is_some());
    }
    let _ = diagnosis.picture(text).to_string();
});
