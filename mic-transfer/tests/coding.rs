//! Coded chunks: every byte comes back, whatever the hint; whatever the bytes, the decoder keeps its bound;
//! and sessions that carry them are as whole as others (XFR-80 to XFR-85).

#![cfg(feature = "coding")]
#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test's ways to fail and to speak"
)]

mod common;

use core::time::Duration;

use common::{Dice, MadeStudy, World, picture_hint};
use mic_transfer::coding::{CodingError, Decoder, Encoder, PixelHint};
use mic_transfer::limits::CHUNK_BYTES;
use mic_transfer::receiver::ReceiverOutput;
use mic_transfer::storage::{CrashStyle, MemoryStorage};
use mic_transfer::wire::{Codec, Codecs, Frame, FrameReader, encode};
use mic_transfer::{Auth, ErrorCode};
use proptest::prelude::*;

fn there_and_back(file: &[u8], hint: Option<&PixelHint>) -> Vec<(Codec, usize)> {
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
    let (mut coded, mut back) = (Vec::new(), Vec::new());
    let mut found = Vec::new();
    for (chunk, at) in file.chunks(CHUNK_BYTES).zip(0_u64..) {
        let offset = at * CHUNK_BYTES as u64;
        let codec = encoder.encode(chunk, offset, hint, Codecs::built(), &mut coded);
        if codec == Codec::Raw {
            assert!(coded.is_empty());
        } else {
            decoder
                .decode(codec, &coded, chunk.len(), &mut back)
                .unwrap();
            assert!(back == chunk, "a byte has changed");
            assert!(coded.len() < chunk.len());
        }
        found.push((codec, coded.len()));
    }
    found
}

/// A picture whose samples have neighbours that tell about them, of any layout.
fn picture(
    dice: &mut Dice,
    columns: usize,
    rows: usize,
    components: usize,
    wide: bool,
    big: bool,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for place in 0..columns * rows * components {
        let pixel = place / components;
        let (x, y) = (pixel % columns, pixel / columns);
        let value = (2 * x + 3 * y + 20 * (place % components) + dice.below(4) as usize) as u16;
        match (wide, big) {
            (false, _) => bytes.push((value / 8) as u8),
            (true, false) => bytes.extend_from_slice(&value.to_le_bytes()),
            (true, true) => bytes.extend_from_slice(&value.to_be_bytes()),
        }
    }
    bytes
}

#[test]
fn ok_all_layouts_are_predicted_and_come_back() {
    let mut dice = Dice::new(5);
    for (components, wide, big) in [
        (1, false, false),
        (3, false, false),
        (4, false, false),
        (1, true, false),
        (1, true, true),
        (3, true, false),
        (3, true, true),
    ] {
        let header = dice.bytes(333);
        let pixels = picture(&mut dice, 301, 700, components, wide, big);
        let tail = dice.bytes(77);
        let file = [&header[..], &pixels, &tail].concat();
        let width = 1 + u8::from(wide);
        let row = 301 * components as u32 * u32::from(width);
        let hint = PixelHint::new(333, pixels.len() as u64, row, width).unwrap();
        let hint = hint
            .interleaved(components as u8)
            .unwrap()
            .big_endian(big)
            .signed(false);
        let found = there_and_back(&file, Some(&hint));
        assert!(
            found.iter().all(|(codec, _)| *codec == Codec::Samples),
            "{found:?}"
        );
        let coded: usize = found.iter().map(|(_, length)| length).sum();
        assert!(
            coded * 2 < file.len(),
            "{components} {wide} {big}: {coded} of {}",
            file.len()
        );
    }
}

#[test]
fn ok_what_no_codec_shortens_goes_raw() {
    let noise = Dice::new(1).bytes(300_000);
    let hint = PixelHint::new(0, 300_000, 512, 2);
    for hint in [None, hint] {
        let found = there_and_back(&noise, hint.as_ref());
        assert!(found.iter().all(|(codec, _)| *codec == Codec::Raw));
    }
    let text = b"the same words again and again, ".repeat(5000);
    let found = there_and_back(&text, None);
    assert!(found.iter().all(|(codec, _)| *codec == Codec::Zstd));
    // Nothing but raw is taken: nothing else is made.
    let mut out = Vec::new();
    let codec = Encoder::new().encode(&text[..1000], 0, None, Codecs::raw(), &mut out);
    assert_eq!((codec, out.len()), (Codec::Raw, 0));
}

#[test]
fn ok_wrong_hints_cost_size_and_no_byte() {
    let study = MadeStudy::pictures("1.2", 3, &[700]);
    let file = &study.files[0];
    for (offset, row) in [
        (0, 512),
        (300, 512),
        (301, 510),
        (302, 2),
        (301, 1 << 30),
        (1 << 40, 512),
    ] {
        let hint = PixelHint::new(offset, 358_400, row, 2).unwrap();
        there_and_back(file, Some(&hint));
    }
}

#[test]
fn err_a_bomb_is_stopped_at_the_length_of_the_chunk() {
    // 64 MiB of zeros in a frame that says so, and in one that does not.
    let zeros = vec![0_u8; 64 << 20];
    let mut made = zstd::bulk::Compressor::new(1).unwrap();
    let said = made.compress(&zeros).unwrap();
    made.include_contentsize(false).unwrap();
    let silent = made.compress(&zeros).unwrap();
    let mut out = Vec::new();
    for bomb in [said, silent] {
        let length = 1000;
        let found = Decoder::new().decode(Codec::Zstd, &bomb, length, &mut out);
        assert_eq!(found, Err(CodingError::Stream));
        assert!(out.capacity() < 2 * CHUNK_BYTES);
    }
    let found = Decoder::new().decode(Codec::Raw, &[], CHUNK_BYTES + 1, &mut out);
    assert!(matches!(found, Err(CodingError::Length { .. })));
}

proptest! {
    // A chunk is coded in each case, which takes its time without optimisation.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ok_any_bytes_come_back_under_any_hint(
        bytes in proptest::collection::vec(any::<u8>(), 1..5000),
        smooth in any::<bool>(),
        offset in 0_u64..600,
        length in 1_u64..6000,
        row in 1_u32..400,
        wide in any::<bool>(),
        components in 1_u8..5,
        big in any::<bool>(),
        signed in any::<bool>(),
        chunk_offset in 0_u64..700,
    ) {
        let bytes: Vec<u8> = if smooth { bytes.iter().map(|byte| byte & 3).collect() } else { bytes };
        let width = 1 + u8::from(wide);
        let row = row * u32::from(width) * u32::from(components);
        let hint = PixelHint::new(offset, length, row, width).unwrap();
        let hint = hint.interleaved(components).unwrap().big_endian(big).signed(signed);
        let (mut coded, mut back) = (Vec::new(), Vec::new());
        let codec = Encoder::new().encode(&bytes, chunk_offset, Some(&hint), Codecs::built(), &mut coded);
        if codec != Codec::Raw {
            Decoder::new().decode(codec, &coded, bytes.len(), &mut back).unwrap();
            prop_assert_eq!(back, bytes);
        }
    }

    #[test]
    fn err_changed_chunks_keep_the_bound(
        at in any::<proptest::sample::Index>(),
        with in any::<u8>(),
        cut in any::<proptest::sample::Index>(),
        length in 1_usize..400_000,
    ) {
        let study = MadeStudy::pictures("1.2", 3, &[80]);
        let file = &study.files[0];
        let hint = study.signed.manifest().instances()[0].pixels().and_then(picture_hint);
        let (mut coded, mut back) = (Vec::new(), Vec::new());
        let codec = Encoder::new().encode(file, 0, hint.as_ref(), Codecs::built(), &mut coded);
        prop_assert_eq!(codec, Codec::Samples);
        let mut decoder = Decoder::new();
        let mut changed = coded.clone();
        // The head and the small numbers more often than the streams.
        let place = at.index(coded.len());
        changed[if place % 2 == 0 { place } else { place % 16 }] ^= with;
        for bytes in [&changed[..], &coded[..cut.index(coded.len())]] {
            if decoder.decode(codec, bytes, file.len(), &mut back).is_ok() {
                prop_assert_eq!(back.len(), file.len());
            }
            let _ = decoder.decode(codec, bytes, length, &mut back);
            prop_assert!(back.capacity() <= 2 * CHUNK_BYTES);
        }
        prop_assert!(decoder.decode(codec, &coded[..coded.len() - 1], file.len(), &mut back).is_err());
    }
}

fn coded_world(seed: u64, studies: &[MadeStudy]) -> World {
    let mut world = World::new(seed, studies, MemoryStorage::new());
    world.codes = true;
    world.receiver_config.codecs = Codecs::built();
    world.receiver = mic_transfer::receiver::Receiver::new(world.receiver_config);
    world
}

#[test]
fn ok_a_coded_session_is_complete_and_small() {
    let study = MadeStudy::pictures("1.2", 7, &[700, 64, 1500, 3]);
    let mut world = coded_world(1, std::slice::from_ref(&study));
    world.early(1 << 20);
    world.connect();
    world.connect();
    world.pull_all();
    assert!(world.run() && world.is_complete());
    assert!(world.coded >= 7, "{}", world.coded);
    assert!(
        world.carried_down * 2 < study.bytes(),
        "{}",
        world.carried_down
    );
    world.check_visible();
}

#[test]
fn ok_a_receiver_that_takes_raw_alone_gets_raw() {
    let study = MadeStudy::pictures("1.2", 7, &[700]);
    let mut world = coded_world(1, std::slice::from_ref(&study));
    world.receiver_config.codecs = Codecs::raw();
    world.receiver = mic_transfer::receiver::Receiver::new(world.receiver_config);
    world.connect();
    world.pull_all();
    assert!(world.run() && world.is_complete());
    assert_eq!(world.coded, 0);
}

#[test]
fn ok_coded_sessions_survive_lines_that_damage_cut_and_crash() {
    let seeds = 12;
    for seed in 0..seeds {
        let studies = [
            MadeStudy::pictures("1.2", seed, &[700, 64, 900]),
            MadeStudy::new("1.3", seed, &[1, 300_000, 50_000]),
        ];
        let mut world = coded_world(seed, &studies);
        world.config.corrupt = 60;
        world.config.cut = 40;
        world.config.rate = 50_000_000;
        world.connect();
        world.connect();
        world.pull_all();
        for round in 0..60 {
            world.run_to_the_end(4);
            if world.is_complete() {
                break;
            }
            if round % 5 == 4 {
                world.crash(CrashStyle::Tear(seed * 100 + round));
                world.connect();
                world.pull_all();
            }
            world.pull_failed();
            if world.receiver.connections() == 0 {
                world.connect();
            }
        }
        // Time heals all lines.
        world.config = common::LineConfig::default();
        world.connect();
        world.pull_failed();
        world.run_to_the_end(4);
        world.check_visible();
        assert!(world.is_complete(), "seed {seed}: {:?}", world.errors);
    }
}

/// A session up to its first coded chunk: the world, and the frames the source sent.
fn until_coded(study: &MadeStudy) -> Vec<Frame> {
    let mut world = coded_world(0, std::slice::from_ref(study));
    world.connect();
    world.pull_all();
    assert!(world.run());
    let mut reader = FrameReader::new();
    let mut rest = &world.record_down[..];
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = reader.next(&mut rest) {
        frames.push(frame);
    }
    frames
}

/// What a receiver says of these frames, its decoding done as they come.
fn replayed(study: &MadeStudy, frames: &[Frame], codecs: Codecs) -> Vec<ErrorCode> {
    let mut world = World::new(0, std::slice::from_ref(study), MemoryStorage::new());
    world.receiver_config.codecs = codecs;
    world.receiver = mic_transfer::receiver::Receiver::new(world.receiver_config);
    let now = world.now;
    world.receiver.connect(7, Auth::none(), now);
    world.pull_all();
    world.drain();
    world
        .receiver
        .handle_bytes(7, &mic_transfer::wire::PREFACE, now);
    for frame in frames {
        world.receiver.handle_bytes(7, &encode(frame).to_vec(), now);
        world.drain();
    }
    world.check_visible();
    world
        .errors
        .iter()
        .map(mic_transfer::SessionError::code)
        .collect()
}

#[test]
fn err_wrong_coded_chunks_end_the_connection_of_their_sender() {
    let study = MadeStudy::pictures("1.2", 7, &[700]);
    let frames = until_coded(&study);
    let at = frames
        .iter()
        .position(|frame| matches!(frame, Frame::Coded { .. }))
        .unwrap();
    let Frame::Coded {
        slot,
        chunk,
        codec,
        bytes,
    } = frames[at].clone()
    else {
        unreachable!();
    };
    assert_eq!(replayed(&study, &frames, Codecs::built()), []);
    // Not taken.
    let only = Codecs::raw().with(Codec::Zstd);
    assert_eq!(replayed(&study, &frames, only), [ErrorCode::BadFrame]);
    // Twice.
    let mut twice = frames.clone();
    twice.insert(at, frames[at].clone());
    assert_eq!(
        replayed(&study, &twice, Codecs::built()),
        [ErrorCode::NotRequested]
    );
    // Not asked for.
    let mut other = frames.clone();
    other[at] = Frame::Coded {
        slot,
        chunk: 77,
        codec,
        bytes: bytes.clone(),
    };
    assert_eq!(
        replayed(&study, &other, Codecs::built()),
        [ErrorCode::NotRequested]
    );
    // Cut, under another codec, of other samples, longer than the chunk.
    let mut flipped = bytes.clone();
    // The row is at byte 9: all decodes, and to wrong samples.
    flipped[9] ^= 3;
    for (codec, bytes) in [
        (codec, bytes[..bytes.len() / 2].to_vec()),
        (Codec::Zstd, bytes.clone()),
        (codec, flipped),
        (codec, vec![7; CHUNK_BYTES]),
    ] {
        let mut wrong = frames.clone();
        wrong[at] = Frame::Coded {
            slot,
            chunk,
            codec,
            bytes,
        };
        assert_eq!(
            replayed(&study, &wrong, Codecs::built()),
            [ErrorCode::WrongChunk]
        );
    }
}

/// XFR-83.
#[test]
fn ok_a_chunk_decoded_after_its_connection_is_asked_for_again_and_not_taken() {
    let study = MadeStudy::pictures("1.2", 7, &[700]);
    let frames = until_coded(&study);
    let at = frames
        .iter()
        .position(|frame| matches!(frame, Frame::Coded { .. }))
        .unwrap();
    let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
    world.receiver_config.codecs = Codecs::built();
    world.receiver = mic_transfer::receiver::Receiver::new(world.receiver_config);
    let now = Duration::from_secs(1);
    world.receiver.connect(7, Auth::none(), now);
    world.pull_all();
    world.drain();
    world
        .receiver
        .handle_bytes(7, &mic_transfer::wire::PREFACE, now);
    for frame in &frames[..at] {
        world.receiver.handle_bytes(7, &encode(frame).to_vec(), now);
        world.drain();
    }
    world
        .receiver
        .handle_bytes(7, &encode(&frames[at]).to_vec(), now);
    let mut job = None;
    loop {
        match world.receiver.poll_output() {
            ReceiverOutput::Decode(found) => job = Some(found),
            ReceiverOutput::Wait(_) => break,
            _ => {}
        }
    }
    let job = job.unwrap();
    assert_eq!((job.connection(), job.length() as usize), (7, CHUNK_BYTES));
    let owed = world.receiver.owed_bytes(7);
    assert!(owed >= CHUNK_BYTES as u64, "owed until it is decoded");
    world.receiver.handle_disconnect(7, now);
    world
        .receiver
        .handle_decoded(job.run(&mut Decoder::new(), Vec::new()), now);
    assert!(!matches!(
        world.receiver.poll_output(),
        ReceiverOutput::Store(_)
    ));
    world.drain();
    world.connect();
    assert!(world.run() && world.is_complete());
}
