//! What parses prints back: printed, compact, packed and part by part.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_index::IndexCode;

fuzz_target!(|text: &[u8]| {
    let Ok(code) = IndexCode::parse_bytes(text) else {
        return;
    };
    let same = if text.len() == 82 {
        &code.printed().as_bytes()[..]
    } else {
        code.compact().as_bytes()
    };
    assert_eq!(same, text);
    assert_eq!(IndexCode::parse(code.printed().as_str()), Ok(code));
    assert_eq!(IndexCode::parse(code.compact().as_str()), Ok(code));
    assert_eq!(IndexCode::from_packed(*code.packed()), Ok(code));
    let parts = (
        code.person(),
        code.exam_time(),
        code.site(),
        code.device(),
        code.unit(),
    );
    assert_eq!(
        IndexCode::new(parts.0, parts.1, parts.2, parts.3, parts.4),
        code
    );
});
