//! Packed bytes, text and parts sort alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_index::IndexCode;

fuzz_target!(|pair: ([u8; 32], [u8; 8], [u8; 32], [u8; 8])| {
    let code = |head: [u8; 32], tail: [u8; 8]| {
        let mut packed = [0; 40];
        packed[..32].copy_from_slice(&head);
        packed[32..].copy_from_slice(&tail);
        IndexCode::from_packed(packed).ok()
    };
    let (Some(a), Some(b)) = (code(pair.0, pair.1), code(pair.2, pair.3)) else {
        return;
    };
    let parts = |c: IndexCode| (c.person(), c.exam_time(), c.site(), c.device(), c.unit());
    let order = a.packed().cmp(b.packed());
    assert_eq!(a.cmp(&b), order);
    assert_eq!(a.to_string().cmp(&b.to_string()), order);
    assert_eq!(parts(a).cmp(&parts(b)), order);
});
