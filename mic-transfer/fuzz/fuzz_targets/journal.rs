//! Replay never panics, its valid beginning says the same, and nothing is both marked and not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_transfer::journal::replay;

fuzz_target!(|bytes: &[u8]| {
    let found = replay(bytes);
    let valid = usize::try_from(found.valid_bytes()).expect("within the input");
    assert_eq!(replay(&bytes[..valid]), found);
    let chunks = found
        .signed()
        .map_or(0, |signed| signed.manifest().chunks_total());
    assert!(found.marked().len() <= u64::from(chunks));
    assert!(!found.is_committed() || found.marked().len() == u64::from(chunks));
});
