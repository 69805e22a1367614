//! Portions do not matter, and a frame that is read is written again as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_transfer::wire::{Frame, FrameReader, encode};

fn read(bytes: &[u8], portion: usize) -> (Vec<Frame>, bool) {
    let (mut reader, mut frames) = (FrameReader::new(), Vec::new());
    for mut part in bytes.chunks(portion) {
        loop {
            match reader.next(&mut part) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
    }
    (frames, false)
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(bytes, bytes.len().max(1));
    assert_eq!(whole, read(bytes, 7));
    for frame in &whole.0 {
        if let Frame::Skipped { .. } = frame {
            continue;
        }
        let again = [&mic_transfer::wire::PREFACE[..], &encode(frame).to_vec()].concat();
        assert_eq!(read(&again, 1000).0, [frame.clone()]);
    }
});
