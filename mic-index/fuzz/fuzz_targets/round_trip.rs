//! What parses prints back: printed, compact, packed and part by part.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_index::IndexCode;

fuzz_target!(|text: &[u8]| {
    let Ok(code) = IndexCode::parse_bytes(text) else {
        return;
    };
    let (printed, compact) = (code.printed(), code.compact());
    let same: &[u8] = if text.len() == 82 {
        printed.as_bytes()
    } else {
        compact.as_bytes()
    };
    assert_eq!(same, text);
    assert_eq!(IndexCode::parse(printed.as_str()), Ok(code));
    assert_eq!(IndexCode::parse(compact.as_str()), Ok(code));
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
