//! Untrusted bytes are refused, or are exactly the packed form of the code they give.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_index::IndexCode;

fuzz_target!(|bytes: &[u8]| {
    let Ok(code) = IndexCode::try_from_slice(bytes) else {
        return;
    };
    assert_eq!(&code.packed()[..], bytes);
    assert_eq!(code.to_string().parse(), Ok(code));
});
