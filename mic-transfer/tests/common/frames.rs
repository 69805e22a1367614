//! Frames of a direction of a line, and back.

use mic_transfer::wire::{Frame, FrameReader, PREFACE, encode};

/// All frames of a direction, which must be right.
pub fn frames_of(bytes: &[u8]) -> Vec<Frame> {
    let (mut reader, mut rest, mut list) = (FrameReader::new(), bytes, Vec::new());
    while let Some(frame) = reader.next(&mut rest).unwrap() {
        list.push(frame);
    }
    list
}

/// The preface and these frames.
pub fn bytes_of(frames: &[Frame]) -> Vec<u8> {
    let list = frames.iter().flat_map(|frame| encode(frame).to_vec());
    PREFACE.iter().copied().chain(list).collect()
}
