//! One form for one value: what is accepted is what would be written, and chunks cover the files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_transfer::Manifest;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::decode(bytes) {
        assert_eq!(manifest.encoded(), bytes);
        let last = manifest.chunks_total() - 1;
        let place = manifest.place(last).expect("the last chunk has a place");
        let start = manifest
            .offset_of(place.instance())
            .expect("so has its instance");
        let end = start + place.offset() + u64::from(place.length());
        assert_eq!(end, manifest.bytes_total());
        assert!(manifest.place(last + 1).is_none());
    }
});
