//! Peers that lie: whatever arrives, no wrong byte is visible, nothing is listed that is not whole,
//! and memory stays bounded.

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

use common::{MadeStudy, World, bytes_of, frames_of};
use mic_transfer::receiver::{Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput};
use mic_transfer::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use mic_transfer::storage::MemoryStorage;
use mic_transfer::wire::{Frame, FrameReader, PREFACE, encode};
use mic_transfer::{Auth, Run, limits};

/// A session as the first line carried it: down from the source, up from the receiver.
fn session(study: &MadeStudy) -> (Vec<u8>, Vec<u8>) {
    let mut world = World::new(0, std::slice::from_ref(study), MemoryStorage::new());
    world.connect();
    world.pull_all();
    assert!(world.run());
    (world.record_down, world.record_up)
}

/// The preface and each frame by itself, as a line without haste delivers them.
fn portions(bytes: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    let mut rest = bytes;
    let mut list = Vec::new();
    for length in lengths {
        let (now, after) = rest.split_at((*length).min(rest.len()));
        list.push(now.to_vec());
        rest = after;
    }
    list
}

fn lengths(frames: &[Frame]) -> Vec<usize> {
    let frames = frames.iter().map(|frame| encode(frame).len());
    std::iter::once(PREFACE.len()).chain(frames).collect()
}

/// Feeds portions to a fresh receiver; what is visible is checked against the archive.
fn replay(study: &MadeStudy, down: &[Vec<u8>]) -> World {
    let mut world = World::new(0, std::slice::from_ref(study), MemoryStorage::new());
    let now = world.now;
    world.receiver.connect(7, Auth::none(), now);
    world.pull_all();
    world.drain();
    for portion in down {
        world.receiver.handle_bytes(7, portion, now);
        world.drain();
    }
    world.check_visible();
    world
}

#[test]
fn ok_the_recorded_session_itself_completes() {
    let study = MadeStudy::new("1.2", 3, &[40, 90, 300_000]);
    let (down, _) = session(&study);
    let lengths = lengths(&frames_of(&down));
    assert!(replay(&study, &portions(&down, &lengths)).is_complete());
}

/// XFR-23, and XFR-1 whatever else a bit may change.
#[test]
fn err_a_flipped_bit_anywhere_is_never_a_wrong_byte() {
    let study = MadeStudy::new("1.2", 3, &[40, 90, 1]);
    let (down, up) = session(&study);
    let lengths = lengths(&frames_of(&down));
    let mut complete = 0;
    for at in 0..down.len() {
        for bit in 0..8 {
            let mut bad = down.clone();
            bad[at] ^= 1 << bit;
            let mut world = replay(&study, &portions(&bad, &lengths));
            // The minor version and the answer to the receipt do not touch the study.
            complete += u32::from(world.is_complete());
        }
    }
    let countersign = encode(frames_of(&down).last().unwrap()).len();
    assert!(complete as usize <= 8 * (countersign + 1), "{complete}");
    for at in 0..up.len() {
        for bit in 0..8 {
            let mut bad = up.clone();
            bad[at] ^= 1 << bit;
            feed_sender(&study, &bad);
        }
    }
}

/// Feeds bytes to a source and counts the chunk bytes it sends.
fn feed_sender(study: &MadeStudy, up: &[u8]) -> u64 {
    let now = core::time::Duration::ZERO;
    let mut sender = Sender::new(SenderConfig::default(), now);
    for portion in up.chunks(500) {
        sender.handle_bytes(portion, now);
        loop {
            match sender.poll_output() {
                SenderOutput::Wait(_) => break,
                SenderOutput::Read {
                    instance,
                    offset,
                    length,
                    ..
                } => {
                    let file = &study.files[instance as usize];
                    let range = offset as usize..offset as usize + length as usize;
                    sender.handle_read(Some(file[range].to_vec()));
                }
                SenderOutput::Leaves { .. } => sender.handle_leaves(None),
                SenderOutput::Event(SenderEvent::AuthorizeSession { .. }) => {
                    sender.accept_session();
                }
                SenderOutput::Event(SenderEvent::AuthorizeStudy {
                    slot, study: asked, ..
                }) => {
                    if asked == *study.uid() {
                        sender.offer(slot, study.signed.clone());
                    } else {
                        sender.refuse(slot, mic_transfer::ErrorCode::StudyUnknown, None);
                    }
                }
                SenderOutput::Event(SenderEvent::Receipt { slot, receipt, .. }) => {
                    sender.countersign(slot, &receipt, None);
                }
                _ => {}
            }
        }
    }
    sender.data_bytes()
}

#[test]
fn err_frames_dropped_doubled_or_swapped_do_no_harm() {
    let study = MadeStudy::new("1.2", 3, &[40, 300_000, 90]);
    let (down, up) = session(&study);
    for (list, is_down) in [(frames_of(&down), true), (frames_of(&up), false)] {
        for at in 0..list.len() {
            let mut dropped = list.clone();
            dropped.remove(at);
            let mut doubled = list.clone();
            doubled.insert(at, list[at].clone());
            let mut swapped = list.clone();
            swapped.swap(at, (at + 1) % list.len());
            for changed in [dropped, doubled, swapped] {
                let bytes = bytes_of(&changed);
                if is_down {
                    replay(&study, &portions(&bytes, &lengths(&changed)));
                } else {
                    feed_sender(&study, &bytes);
                }
            }
        }
    }
}

/// XFR-27.
#[test]
fn err_data_that_was_not_asked_for_ends_the_connection() {
    let study = MadeStudy::new("1.2", 3, &[40, 90]);
    let (down, _) = session(&study);
    let list = frames_of(&down);
    let data = list
        .iter()
        .position(|frame| frame.name() == "DATA")
        .unwrap();
    let mut doubled = list.clone();
    doubled.insert(data, list[data].clone());
    let world = replay(&study, &portions(&bytes_of(&doubled), &lengths(&doubled)));
    let codes: Vec<_> = world
        .errors
        .iter()
        .map(mic_transfer::SessionError::code)
        .collect();
    assert!(
        codes.contains(&mic_transfer::ErrorCode::NotRequested),
        "{codes:?}"
    );
}

/// XFR-21.
#[test]
fn err_oversize_is_refused_before_it_is_allocated() {
    // A DATA header that announces 16 MiB.
    let mut reader = FrameReader::new();
    let mut head = encode(&Frame::Data {
        slot: 0,
        chunk: 0,
        bytes: vec![1],
    })
    .to_vec();
    head.truncate(16);
    head[..3].copy_from_slice(&[0xFF; 3]);
    let bytes = [&PREFACE[..], &head].concat();
    let fault = reader.next(&mut &bytes[..]).unwrap_err();
    // The CRC tells first; with a right CRC the limit does, as the vectors show.
    assert_eq!(fault.at(), 8);
}

#[test]
fn err_a_source_that_asks_for_too_much_memory_is_cut_off() {
    let study = MadeStudy::new("1.2", 3, &[40; 1]);
    let mut up = bytes_of(&[Frame::Hello(mic_transfer::wire::Session::new(Auth::none()))]);
    let request = mic_transfer::wire::Request::new(study.uid().clone(), Auth::none());
    for slot in 0..=limits::SLOTS_MAX as u16 {
        let frame = Frame::Request {
            slot,
            request: request.clone(),
        };
        up.extend_from_slice(&encode(&frame).to_vec());
    }
    let now = core::time::Duration::ZERO;
    let mut sender = Sender::new(SenderConfig::default(), now);
    sender.handle_bytes(&up, now);
    let mut closed = None;
    loop {
        match sender.poll_output() {
            SenderOutput::Wait(_) => break,
            SenderOutput::Event(SenderEvent::AuthorizeSession { .. }) => {
                sender.accept_session();
                sender.handle_bytes(&up[..0], now);
            }
            SenderOutput::Close(error) => closed = error,
            _ => {}
        }
    }
    // Requests before the source has let the receiver in are out of order.
    assert_eq!(closed.unwrap().code(), mic_transfer::ErrorCode::OutOfOrder);
}

#[test]
fn ok_the_window_bounds_what_is_owed() {
    let study = MadeStudy::new("1.2", 3, &[3_000_000; 8]);
    let mut config = ReceiverConfig::default();
    config.window_bytes = 1_000_000;
    let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
    world.receiver_config = config;
    world.receiver = Receiver::new(config);
    world.config.rate = 1_000_000;
    let line = world.connect();
    let slot = world.pull_all()[0];
    let mut most = 0;
    let mut clicked = false;
    while !world.receiver.is_idle() {
        world.step();
        most = most.max(world.receiver.owed_bytes(line));
        if !clicked
            && world
                .store()
                .partial()
                .iter()
                .any(|study| study.bytes_done() > 2_000_000)
        {
            clicked = true;
            let now = world.now;
            world.receiver.click(slot, 7, now);
            world.events.clear();
        }
    }
    assert!(most <= 2 * 1_000_000 + limits::CHUNK_BYTES as u64, "{most}");
    // After the click the next instance that is whole is the one clicked, or was almost whole.
    let whole: Vec<u32> = world
        .events
        .iter()
        .filter_map(|event| match event {
            ReceiverEvent::Instance { instance, .. } => Some(*instance),
            _ => None,
        })
        .collect();
    assert!(
        whole.iter().take(2).any(|instance| *instance == 7),
        "{whole:?}"
    );
}

#[test]
fn err_a_want_beyond_the_study_ends_the_connection() {
    let study = MadeStudy::new("1.2", 3, &[40]);
    let request = mic_transfer::wire::Request::new(study.uid().clone(), Auth::none());
    let runs = vec![Run::new(0, 9).unwrap()];
    let up = [
        bytes_of(&[Frame::Hello(mic_transfer::wire::Session::new(Auth::none()))]),
        encode(&Frame::Request { slot: 0, request }).to_vec(),
        encode(&Frame::Want {
            slot: 0,
            class: 3,
            runs,
        })
        .to_vec(),
    ];
    let now = core::time::Duration::ZERO;
    let mut sender = Sender::new(SenderConfig::default(), now);
    let mut codes = Vec::new();
    for part in &up {
        sender.handle_bytes(part, now);
        loop {
            match sender.poll_output() {
                SenderOutput::Wait(_) => break,
                SenderOutput::Event(SenderEvent::AuthorizeSession { .. }) => {
                    sender.accept_session();
                }
                SenderOutput::Event(SenderEvent::AuthorizeStudy { slot, .. }) => {
                    sender.offer(slot, study.signed.clone());
                }
                SenderOutput::Close(error) => codes.extend(error.map(|error| error.code())),
                _ => {}
            }
        }
    }
    assert_eq!(codes, [mic_transfer::ErrorCode::LimitExceeded]);
}

#[test]
fn ok_a_silent_source_is_given_up_in_time() {
    let mut receiver = Receiver::new(ReceiverConfig::default());
    let start = core::time::Duration::from_secs(5);
    receiver.connect(0, Auth::none(), start);
    let deadline = loop {
        if let ReceiverOutput::Wait(deadline) = receiver.poll_output() {
            break deadline.unwrap();
        }
    };
    assert_eq!(deadline, start + ReceiverConfig::default().greeting_timeout);
    receiver.handle_time(deadline);
    assert_eq!(receiver.connections(), 0);
}

#[test]
fn err_silence_after_an_offer_is_timed() {
    let study = MadeStudy::new("1.2", 3, &[40]);
    let (down, _) = session(&study);
    let mut frames = frames_of(&down);
    let offer = frames
        .iter()
        .position(|frame| matches!(frame, Frame::Offer { .. }));
    frames.truncate(offer.unwrap() + 1);
    let mut world = replay(&study, &[bytes_of(&frames)]);
    let ReceiverOutput::Wait(Some(deadline)) = world.receiver.poll_output() else {
        panic!("a source that owes the manifest is not timed")
    };
    world.receiver.handle_time(deadline);
    world.drain();
    let late = |error: &mic_transfer::SessionError| {
        matches!(error, mic_transfer::SessionError::TimedOut { .. })
    };
    assert!(world.errors.iter().any(late), "{:?}", world.errors);
    assert_eq!(world.receiver.connections(), 0);
}
