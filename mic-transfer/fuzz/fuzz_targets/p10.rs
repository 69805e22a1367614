//! Any bytes are labels or a reason, the same however they are read; every range lies within the file.
#![no_main]

use std::io::{Cursor, Read, Result, Seek, SeekFrom};

use libfuzzer_sys::fuzz_target;
use mic_transfer::p10::{self, Pixels};

/// Gives a few bytes at a time.
struct Slow<'a>(Cursor<&'a [u8]>);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let most = into.len().min(7);
        self.0.read(&mut into[..most])
    }
}

impl Seek for Slow<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.0.seek(to)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let read = p10::read_bytes(bytes);
    assert_eq!(read, p10::read(&mut Slow(Cursor::new(bytes))));
    let Ok(header) = read else { return };
    let length = bytes.len() as u64;
    let _ = header.slice_nm();
    let Some(pixels) = header.pixels() else {
        return;
    };
    let range = pixels.range();
    assert!(range.start <= range.end && range.end <= length);
    if let Some(layout) = header.layout() {
        assert_eq!(layout.range(), range);
        assert!(
            layout
                .pixel_bytes()
                .is_some_and(|bytes| bytes <= range.end - range.start)
        );
        if let Some(last) = layout.frame(layout.frames() - 1) {
            assert!(last.end <= range.end);
        }
    }
    if let Pixels::Encapsulated(found) = pixels {
        let mut at = range.start;
        for fragment in found.fragments() {
            assert!(at <= fragment.start && fragment.start <= fragment.end);
            at = fragment.end;
        }
        assert!(at <= range.end);
        let frames = (0..found.frames()).map(|frame| found.frame(frame).len());
        assert!(found.frames() == 0 || frames.sum::<usize>() == found.fragments().len());
    }
});
