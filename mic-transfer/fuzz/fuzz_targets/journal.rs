//! Replay never panics, its valid beginning says the same, and nothing is both marked and not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_transfer::journal::replay;

fuzz_target!(|bytes: &[u8]| {
    let found = replay(bytes);
    let valid = usize::try_from(found.valid_bytes()).expect("within the input");
    let again = replay(&bytes[..valid]);
    assert_eq!(again.holes(), 0);
    if found.holes() == 0 {
        assert_eq!(again, found);
    } else {
        // Damaged: all is to be hashed again, and nothing that was read is forgotten.
        assert!(found.marked().is_empty() && !found.is_committed());
        assert_eq!(again.signed(), found.signed());
    }
    let chunks = found
        .signed()
        .map_or(0, |signed| signed.manifest().chunks_total());
    assert!(found.marked().len() <= u64::from(chunks));
    assert!(!found.is_committed() || found.marked().len() == u64::from(chunks));
});
