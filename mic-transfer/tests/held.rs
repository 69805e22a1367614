//! Peers that lie about pieces: nothing wrong is kept, memory stays bounded, and the fault is told of whose it
//! is (XFR-72 to XFR-76).

#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test's ways to fail and to speak"
)]

mod common;

use core::time::Duration;

use common::{MadeStudy, World, frames_of, storage_with};
use mic_transfer::ErrorCode::{
    BadFrame, LimitExceeded, NotRequested, OutOfOrder, SourceUnreadable, WrongChunk,
};
use mic_transfer::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use mic_transfer::storage::MemoryStorage;
use mic_transfer::wire::{Frame, PREFACE, Request, Session, encode};
use mic_transfer::{Auth, ErrorCode, Run, SessionError, limits};

fn run(first: u32, count: u32) -> Run {
    Run::new(first, count).unwrap()
}

/// Three images, the last one of two chunks; the pixels of each are one piece.
fn study() -> MadeStudy {
    MadeStudy::pictures("1.2.1", 7, &[9, 12, 600]).in_pieces(1 << 30)
}

fn held() -> MadeStudy {
    study().edited("1.2.2", 8).in_pieces(1 << 30)
}

/// What source and receiver said, one frame each, where the receiver holds the pixels.
fn session(storage: MemoryStorage) -> (Vec<Frame>, Vec<Frame>) {
    let mut world = World::new(0, &[study()], storage);
    world.connect();
    world.pull_all();
    assert!(world.run() && world.is_complete());
    (frames_of(&world.record_down), frames_of(&world.record_up))
}

/// Feeds frames to a receiver on this storage, one by one; `spoil` is called before the first DATA.
fn replay(storage: MemoryStorage, down: &[Frame], spoil: impl Fn(&mut World)) -> World {
    let mut world = World::new(0, &[study()], storage);
    let now = world.now;
    world.receiver.connect(7, Auth::none(), now);
    world.pull_all();
    world.drain();
    world.receiver.handle_bytes(7, &PREFACE, now);
    let mut data = false;
    for frame in down {
        if frame.name() == "DATA" && !data {
            data = true;
            spoil(&mut world);
        }
        world.receiver.handle_bytes(7, &encode(frame).to_vec(), now);
        world.drain();
    }
    world.check_visible();
    world
}

fn codes(world: &World) -> Vec<ErrorCode> {
    world.errors.iter().map(SessionError::code).collect()
}

fn first_rest(down: &[Frame]) -> usize {
    let rest = |frame: &Frame| matches!(frame, Frame::Rest { .. });
    down.iter().position(rest).unwrap()
}

#[test]
fn ok_the_recorded_session_itself_completes() {
    let storage = storage_with(&[held()]);
    let (down, up) = session(storage.clone());
    let count =
        |list: &[Frame], name: &str| list.iter().filter(|frame| frame.name() == name).count();
    assert_eq!((count(&up, "HELD"), count(&down, "DATA")), (3, 4));
    let rests = down
        .iter()
        .filter(|frame| matches!(frame, Frame::Rest { .. }));
    assert_eq!(rests.count(), 4);
    assert!(replay(storage, &down, |_| {}).is_complete());
}

#[test]
fn err_frames_dropped_doubled_or_swapped_do_no_harm() {
    let storage = storage_with(&[held()]);
    let (down, _) = session(storage.clone());
    for at in 0..down.len() {
        let mut dropped = down.clone();
        dropped.remove(at);
        let mut doubled = down.clone();
        doubled.insert(at, down[at].clone());
        let mut swapped = down.clone();
        swapped.swap(at, (at + 1) % down.len());
        for changed in [dropped, doubled, swapped] {
            replay(storage.clone(), &changed, |_| {});
        }
    }
}

#[test]
fn err_a_changed_rest_is_never_a_wrong_byte() {
    let storage = storage_with(&[held()]);
    let (down, _) = session(storage.clone());
    let at = first_rest(&down);
    let Frame::Rest { slot, chunk, bytes } = down[at].clone() else {
        panic!()
    };
    let with = |bytes: Vec<u8>| {
        // Without the answer to a receipt that is not sent.
        let mut changed = down[..down.len() - 1].to_vec();
        changed[at] = Frame::Rest { slot, chunk, bytes };
        replay(storage.clone(), &changed, |_| {})
    };
    // Another length is the source's fault; other bytes may be either side's, and the whole chunk will tell.
    for length in [0, bytes.len() - 1, bytes.len() + 1, limits::CHUNK_BYTES] {
        assert_eq!(codes(&with(vec![7; length])), [WrongChunk], "{length}");
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let mut world = with(changed);
        assert!(codes(&world).is_empty() && !world.is_complete());
    }
}

#[test]
fn err_a_rest_of_what_was_not_told_or_not_asked_for_ends_the_connection() {
    let storage = storage_with(&[held()]);
    let (down, _) = session(storage.clone());
    let world = replay(MemoryStorage::new(), &down, |_| {});
    assert_eq!(codes(&world), [BadFrame]);
    let at = first_rest(&down);
    let mut doubled = down.clone();
    doubled.insert(at, down[at].clone());
    let world = replay(storage.clone(), &doubled, |_| {});
    assert_eq!(codes(&world), [NotRequested]);
    let mut beyond = down.clone();
    beyond[at] = Frame::Rest {
        slot: 0,
        chunk: 99,
        bytes: Vec::new(),
    };
    assert_eq!(codes(&replay(storage, &beyond, |_| {})), [NotRequested]);
}

/// After pieces are taken back each chunk on its way may come once as it was asked for, and no more.
#[test]
fn err_a_source_that_goes_on_leaving_out_what_was_taken_back_is_cut_off() {
    let (held, storage) = (held(), storage_with(&[held()]));
    let (down, _) = session(storage.clone());
    let down = &down[..down.len() - 1];
    let last = |frame: &&Frame| matches!(frame, Frame::Rest { chunk: 2.., .. });
    assert_eq!(down.iter().filter(last).count(), 2);
    let first = down.iter().find(last).unwrap();
    let damage = |world: &mut World| {
        let manifest = held.signed.manifest();
        let pixels = manifest.instances()[2].pixels().unwrap();
        let at = manifest.offset_of(2).unwrap() + pixels.offset();
        world.damage(&held.root(), at);
        world.damage(&held.root(), at + pixels.length() - 1);
    };
    let world = replay(storage.clone(), down, damage);
    assert!(codes(&world).is_empty(), "{:?}", world.errors);
    let again = [down, std::slice::from_ref(first)].concat();
    let world = replay(storage.clone(), &again, damage);
    assert_eq!(codes(&world), [BadFrame]);
    // As wholes they are taken, and the study is complete.
    let file = &study().files[2];
    let wholes = file
        .chunks(limits::CHUNK_BYTES)
        .zip(2..)
        .map(|(bytes, chunk)| Frame::Data {
            slot: 0,
            chunk,
            bytes: bytes.to_vec(),
        });
    let right: Vec<Frame> = down.iter().cloned().chain(wholes).collect();
    let mut world = replay(storage, &right, damage);
    assert!(
        codes(&world).is_empty() && world.is_complete(),
        "{:?}",
        world.errors
    );
}

/// A source that has offered the study and hears this; what it sent and how it ended.
fn source(config: SenderConfig, said: &[Frame], reads: bool) -> (Vec<Frame>, Option<ErrorCode>) {
    let study = study();
    let mut sender = Sender::new(config, Duration::ZERO);
    let request = Request::new(study.uid().clone(), Auth::none());
    let opening = [
        Frame::Hello(Session::new(Auth::none())),
        Frame::Request { slot: 0, request },
    ];
    sender.handle_bytes(&PREFACE, Duration::ZERO);
    let (mut sent, mut code) = (Vec::new(), None);
    for frame in opening.iter().chain(said) {
        sender.handle_bytes(&encode(frame).to_vec(), Duration::ZERO);
        loop {
            match sender.poll_output() {
                SenderOutput::Wait(_) => break,
                SenderOutput::Send(packet) => sent.extend(packet.to_vec()),
                SenderOutput::Read {
                    instance,
                    offset,
                    length,
                    ..
                } => {
                    let file = &study.files[instance as usize][offset as usize..];
                    let bytes = file[..length as usize].to_vec();
                    // A reading that is too short is as bad as none.
                    sender.handle_read(Some(if reads { bytes } else { Vec::new() }));
                }
                SenderOutput::Leaves { instance, .. } => {
                    let mut tree = mic_transfer::tree::TreeBuilder::new();
                    tree.update(&study.files[instance as usize]);
                    sender.handle_leaves(Some(tree.finish().1));
                }
                SenderOutput::Event(SenderEvent::AuthorizeSession { .. }) => {
                    sender.accept_session();
                }
                SenderOutput::Event(SenderEvent::AuthorizeStudy { slot, .. }) => {
                    sender.offer(slot, study.signed.clone());
                }
                SenderOutput::Close(error) => code = error.map(|error| error.code()),
                _ => {}
            }
        }
    }
    (frames_of(&sent), code)
}

fn tell(instance: u32, runs: &[Run]) -> Frame {
    Frame::Held {
        slot: 0,
        instance,
        runs: runs.to_vec(),
    }
}

#[test]
fn err_what_a_receiver_may_not_name_ends_the_connection() {
    let kept = SenderConfig::default();
    let mut none = kept;
    none.held_runs = 0;
    let mut one = kept;
    one.held_runs = 1;
    let all = run(0, 1);
    for (config, said, expected) in [
        (kept, vec![tell(0, &[all])], None),
        (
            kept,
            vec![tell(0, &[all]), tell(0, &[]), tell(0, &[])],
            None,
        ),
        (kept, vec![tell(0, &[run(0, 2)])], Some(LimitExceeded)),
        (kept, vec![tell(3, &[])], Some(LimitExceeded)),
        (none, vec![tell(0, &[all])], Some(OutOfOrder)),
        (one, vec![tell(0, &[all]), tell(0, &[all])], None),
        (
            one,
            vec![tell(0, &[all]), tell(1, &[all])],
            Some(LimitExceeded),
        ),
        (
            one,
            vec![tell(0, &[all]), tell(0, &[]), tell(1, &[all])],
            None,
        ),
    ] {
        let (sent, code) = source(config, &said, true);
        assert_eq!(code, expected, "{said:?}");
        let Frame::Hello(session) = &sent[0] else {
            panic!()
        };
        assert_eq!(session.held_runs, config.held_runs);
    }
}

#[test]
fn ok_a_source_sends_what_lies_outside_and_all_when_it_is_taken_back() {
    let want = |chunk: u32| Frame::Want {
        slot: 0,
        class: 3,
        runs: vec![run(chunk, 1)],
    };
    let said = [
        tell(0, &[run(0, 1)]),
        tell(2, &[run(0, 1)]),
        want(0),
        want(1),
        want(2),
        want(3),
        tell(0, &[]),
        want(0),
    ];
    let (sent, code) = source(SenderConfig::default(), &said, true);
    assert_eq!(code, None);
    let study = study();
    let sizes: Vec<(u32, bool, usize)> = sent
        .iter()
        .filter_map(|frame| match frame {
            Frame::Rest { chunk, bytes, .. } => Some((*chunk, true, bytes.len())),
            Frame::Data { chunk, bytes, .. } => Some((*chunk, false, bytes.len())),
            _ => None,
        })
        .collect();
    let outside = |at: usize| {
        let instance = &study.signed.manifest().instances()[at];
        (instance.length() - instance.pixels().unwrap().length()) as usize
    };
    let header = study.signed.manifest().instances()[2]
        .pixels()
        .unwrap()
        .offset() as usize;
    assert_eq!(
        sizes,
        [
            (0, true, outside(0)),
            (1, false, study.files[1].len()),
            (2, true, header),
            (3, true, outside(2) - header),
            (0, false, study.files[0].len()),
        ]
    );
}

#[test]
fn err_a_part_that_cannot_be_read_ends_the_study_as_unreadable() {
    let want = Frame::Want {
        slot: 0,
        class: 3,
        runs: vec![run(0, 1)],
    };
    let (sent, code) = source(
        SenderConfig::default(),
        &[tell(0, &[run(0, 1)]), want],
        false,
    );
    assert_eq!(code, None);
    let Some(Frame::Error { slot: 0, report }) = sent.last() else {
        panic!("{sent:?}")
    };
    assert_eq!(report.code, SourceUnreadable);
}
