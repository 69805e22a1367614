//! One form for one value: what is accepted is what would be written, and chunks cover the files, and pieces lie in
//! the pixels.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_transfer::Manifest;
use mic_transfer::limits::PIECE_BYTES_MIN;

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
        for instance in manifest.instances() {
            let (Some(pieces), Some(pixels)) = (instance.pieces(), instance.pixels()) else {
                assert!(instance.pieces().is_none(), "pieces without pixels");
                continue;
            };
            let mut at = pixels.offset();
            for (range, _) in pieces.iter() {
                assert!(range.offset() >= at && range.length() >= PIECE_BYTES_MIN);
                at = range.end();
            }
            assert!(at <= pixels.end());
            assert_eq!(pieces.iter().count(), pieces.count() as usize);
        }
    }
});
