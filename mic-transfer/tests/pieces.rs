//! The same pixels under another header are sent once (XFR-70 to XFR-78).

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

use common::{MadeStudy, World, storage_with};
use mic_transfer::receiver::{Progress, ReceiverEvent};
use mic_transfer::storage::{CrashStyle, MemoryStorage};
use mic_transfer::store::{Action, Outcome, StoreOp};
use mic_transfer::{Digest, Instance, InstanceError, Pieces, PixelRange, SessionError};

/// 150 rows of 512 bytes, 700 and 2: under a chunk, several chunks, too short for a piece.
const ROWS: [usize; 3] = [150, 1400, 2];

fn original() -> MadeStudy {
    MadeStudy::pictures("1.2.1", 7, &ROWS).in_pieces(1 << 30)
}

fn edited() -> MadeStudy {
    original().edited("1.2.2", 8).in_pieces(1 << 30)
}

fn world(study: &MadeStudy, held: &[MadeStudy]) -> World {
    let mut world = World::new(3, std::slice::from_ref(study), storage_with(held));
    world.connect();
    world.pull_all();
    world
}

fn progress(world: &World) -> Progress {
    let complete = world.events.iter().find_map(|event| match event {
        ReceiverEvent::Complete { progress, .. } => Some(*progress),
        _ => None,
    });
    complete.unwrap()
}

/// Bytes that the pull brought, frames included; nothing wrong is readable, nobody was blamed.
fn brought(world: &mut World) -> u64 {
    assert!(world.run() && world.is_complete(), "{:?}", world.errors);
    assert!(world.errors.is_empty(), "{:?}", world.errors);
    world.check_visible();
    let (receipt, progress) = (world.receipts.last().unwrap(), progress(world));
    assert_eq!(receipt.fetched(), progress.bytes_fetched);
    assert_eq!(progress.bytes_done, progress.bytes_total);
    assert_eq!(
        progress.bytes_fetched + progress.bytes_held,
        progress.bytes_total
    );
    world.carried_down
}

/// Bytes outside of the pieces.
fn outside(study: &MadeStudy) -> u64 {
    let instances = study.signed.manifest().instances().iter();
    let pieces = instances
        .filter_map(Instance::pieces)
        .flat_map(Pieces::iter);
    study.bytes() - pieces.map(|(range, _)| range.length()).sum::<u64>()
}

#[test]
fn ok_an_edited_header_is_all_that_comes() {
    for (study, held) in [(edited(), original()), (original(), edited())] {
        let mut world = world(&study, &[held]);
        let carried = brought(&mut world);
        assert_eq!(progress(&world).bytes_fetched, outside(&study));
        assert_eq!(world.data_sent, outside(&study));
        // Greeting, offer, manifest, leaves and the headers of frames beside it.
        let manifest = study.signed.manifest().encoded().len() as u64;
        assert!(carried < outside(&study) + manifest + 1500, "{carried}");
    }
}

#[test]
fn ok_frames_are_known_one_by_one() {
    // 64 rows a frame; the second study has the frames of the first one and others.
    let long = MadeStudy::pictures("1.2.1", 7, &[640]).in_pieces(32_768);
    let pixels = long.signed.manifest().instances()[0].pixels().unwrap();
    // Four frames of it as files of their own.
    let mut single = MadeStudy::pictures("1.2.2", 9, &[64; 4]);
    for (at, file) in single.files.iter_mut().enumerate() {
        let frame = pixels.offset() as usize + [1, 2, 5, 9][at] * 32_768;
        let header = single.signed.manifest().instances()[at].pixels().unwrap();
        let place = header.offset() as usize..header.end() as usize;
        file[place].copy_from_slice(&long.files[0][frame..frame + 32_768]);
    }
    let single = single.edited("1.2.3", 4).in_pieces(32_768);
    for (study, held, saved) in [(&long, &single, 4), (&single, &long, 4)] {
        let mut world = world(study, std::slice::from_ref(held));
        brought(&mut world);
        assert_eq!(progress(&world).bytes_held, saved * 32_768);
        assert_eq!(world.data_sent, study.bytes() - saved * 32_768);
    }
}

#[test]
fn ok_a_source_that_lists_nothing_or_leaves_nothing_out_sends_all() {
    let plain = original().edited("1.2.2", 8);
    let mut first = world(&plain, &[original()]);
    brought(&mut first);
    assert_eq!(first.data_sent, plain.bytes());
    let study = edited();
    let mut second = World::new(3, std::slice::from_ref(&study), storage_with(&[original()]));
    second.sender_config.held_runs = 0;
    second.connect();
    second.pull_all();
    brought(&mut second);
    assert_eq!(second.data_sent, study.bytes());
    // And a receiver whose copy has no pieces knows of none.
    let bare = MadeStudy::pictures("1.2.1", 7, &ROWS);
    let mut third = world(&study, &[bare]);
    brought(&mut third);
    assert_eq!(third.data_sent, study.bytes());
}

#[test]
fn ok_a_damaged_copy_is_not_held() {
    let (study, held) = (edited(), original());
    let mut world = World::new(
        3,
        std::slice::from_ref(&study),
        storage_with(std::slice::from_ref(&held)),
    );
    // In the pixels of the second instance.
    let at = held.signed.manifest().offset_of(1).unwrap() + 300_000;
    world.damage(&held.root(), at);
    world.connect();
    world.archive.remove(held.uid());
    world.pull_all();
    assert!(world.run() && world.is_complete(), "{:?}", world.errors);
    assert!(world.errors.is_empty(), "{:?}", world.errors);
    let second = study.signed.manifest().instances()[1].length();
    assert!(world.data_sent > second && world.data_sent < second + 4000);
}

/// Damaged or removed after the receiver has said that it holds it.
#[test]
fn ok_a_copy_that_vanishes_is_fetched_whole_and_nobody_is_blamed() {
    for removed in [false, true] {
        let (study, held) = (edited(), original());
        let mut world = world(&study, std::slice::from_ref(&held));
        world.config.latency = Duration::from_millis(20);
        while !world
            .events
            .iter()
            .any(|event| matches!(event, ReceiverEvent::Planned(_)))
        {
            world.step();
        }
        let manifest = held.signed.manifest();
        if removed {
            world.store().remove(&held.root()).unwrap();
        } else {
            let at = manifest.offset_of(1).unwrap() + 300_000;
            world.damage(&held.root(), at);
        }
        assert!(world.run(), "{:?}", world.errors);
        assert!(world.errors.is_empty(), "{:?}", world.errors);
        let complete = world.store().complete();
        assert!(complete.iter().any(|known| *known.root() == study.root()));
        let long = study.signed.manifest().instances()[1].length();
        // The chunks that were filled before the damage is met are not fetched.
        let least = if removed { study.bytes() } else { long / 2 };
        assert!(world.data_sent >= least, "{} {least}", world.data_sent);
        assert_eq!(
            world.receipts.last().unwrap().fetched(),
            progress(&world).bytes_fetched
        );
        for (instance, file) in study.signed.manifest().instances().iter().zip(&study.files) {
            let mut bytes = vec![0; file.len()];
            let read = world
                .store()
                .read_instance(instance.digest(), 0, &mut bytes);
            read.unwrap();
            assert!(bytes == *file);
        }
    }
}

/// A manifest whose pieces are not those of its instance: what is made of them does not fit, the whole does.
#[test]
fn ok_lying_pieces_cost_bytes_only() {
    let held = original();
    let study = edited().map(|at, instance, _| {
        let known = held.signed.manifest().instances()[(at + 1) % 2].pieces();
        let pieces = instance.pieces().zip(known).map(|(mine, other)| {
            // The digest of the other instance's pixels, whose length is cut or kept.
            let range = mine.range(0).unwrap();
            let length = other.range(0).unwrap().length().min(range.length());
            let range = PixelRange::new(range.offset(), length).unwrap();
            Pieces::new([(range, *other.digest(0).unwrap())]).unwrap()
        });
        match pieces {
            Some(pieces) => instance.with_pieces(pieces).unwrap(),
            None => instance,
        }
    });
    let mut world = world(&study, &[held]);
    brought(&mut world);
    assert!(world.data_sent >= study.bytes(), "{}", world.data_sent);
    assert_eq!(progress(&world).bytes_held, 0);
}

/// What was filled is not fetched again, and is not counted as fetched (XFR-77).
#[test]
fn ok_cuts_and_crashes_keep_what_was_filled_and_the_receipt_is_right() {
    let (study, held) = (edited(), original());
    let mut longest = 0;
    for at in (200..4000).step_by(140) {
        for style in [CrashStyle::Kill, CrashStyle::Forget, CrashStyle::Tear(at)] {
            let archive = [study.clone(), held.clone()];
            let mut world = World::new(at, &archive, storage_with(std::slice::from_ref(&held)));
            let line = world.connect();
            world.cut_after(line, None, Some(at));
            world.pull_all();
            let whole = world.run();
            world.crash(style);
            world.connect();
            world.pull_all();
            assert!(world.run() && world.is_complete(), "{:?}", world.errors);
            world.check_visible();
            let receipts = world.receipts.iter();
            let receipt = receipts
                .rev()
                .find(|receipt| *receipt.root() == study.root());
            let fetched = receipt.unwrap().fetched();
            assert_eq!(fetched, outside(&study), "{at} {style:?}");
            assert!(whole || world.data_sent < 2 * outside(&study) + 1000);
            longest = longest.max(world.carried_down);
        }
    }
    assert!(longest < 20_000, "{longest}");
}

#[test]
fn ok_killed_at_every_storage_operation_what_was_filled_stays() {
    let study = MadeStudy::pictures("1.2.1", 7, &[9, 12, 600]).in_pieces(1 << 30);
    let held = study.edited("1.2.2", 8).in_pieces(1 << 30);
    let storage = storage_with(std::slice::from_ref(&held));
    for stop in 0..70 {
        for style in [
            CrashStyle::Kill,
            CrashStyle::Forget,
            CrashStyle::Tear(stop + 1),
        ] {
            let mut world = World::new(stop, std::slice::from_ref(&study), storage.clone());
            world.store().storage_mut().stop_after(stop);
            world.connect();
            world.pull_all();
            world.run();
            world.crash(style);
            let kept: u64 = world
                .store()
                .partial()
                .iter()
                .map(mic_transfer::store::PartialStudy::bytes_done)
                .sum();
            let before = world.data_sent;
            world.connect();
            world.pull_all();
            assert!(world.run() && world.is_complete(), "{:?}", world.errors);
            world.check_visible();
            let receipt = world.receipts.last().unwrap();
            // A receipt that was kept and is sent again after the crash says the same.
            assert_eq!(receipt.fetched(), outside(&study), "{stop} {style:?}");
            let again = world.data_sent - before;
            assert!(again <= outside(&study), "{stop} {style:?}: {again}");
            assert!(
                kept < study.bytes() || again == 0,
                "{stop} {style:?}: {again}"
            );
        }
    }
}

#[test]
fn ok_several_sources_are_each_told() {
    let study = MadeStudy::pictures("1.2.1", 7, &[900; 6]).in_pieces(1 << 30);
    let held = study.edited("1.2.2", 3).in_pieces(1 << 30);
    let mut world = World::new(3, std::slice::from_ref(&study), storage_with(&[held]));
    world.config.latency = Duration::from_millis(5);
    world.receiver_config.window_bytes = 300_000;
    world.receiver = mic_transfer::receiver::Receiver::new(world.receiver_config);
    for _ in 0..3 {
        world.connect();
    }
    world.pull_all();
    brought(&mut world);
    assert_eq!(world.data_sent, outside(&study));
}

/// A source that names one held piece over and over makes it read once.
#[test]
fn ok_a_piece_named_over_and_over_is_read_once() {
    let held = MadeStudy::pictures("1.2.1", 7, &[12]).in_pieces(1 << 30);
    let pixels = held.signed.manifest().instances()[0].pixels().unwrap();
    let many = MadeStudy::pictures("1.2.2", 8, &[12; 300]);
    let same = &held.files[0][pixels.offset() as usize..pixels.end() as usize];
    let mut many = many.edited("1.2.3", 5);
    let instances = many.signed.manifest().instances().to_vec();
    for (file, instance) in many.files.iter_mut().zip(&instances) {
        let own = instance.pixels().unwrap();
        file[own.offset() as usize..own.end() as usize].copy_from_slice(same);
    }
    let many = many.edited("1.2.4", 6).in_pieces(1 << 30);
    let mut world = World::new(3, std::slice::from_ref(&many), storage_with(&[held]));
    let before = world.store().storage_mut().operations();
    let open = StoreOp::new(0, many.root(), Action::Open(many.signed.clone()));
    let opened = world.store().execute(open, Duration::ZERO);
    let Ok(Outcome::Opened { pieces, .. }) = opened.outcome else {
        panic!("{opened:?}")
    };
    assert_eq!(pieces.len(), 300);
    let operations = world.store().storage_mut().operations() - before;
    assert!(operations < 40, "{operations}");
}

/// More instances on a connection than a source keeps runs for.
#[test]
fn ok_more_than_a_source_keeps_is_taken_back_and_told() {
    let rows = vec![9; 200];
    let study = MadeStudy::pictures("1.2.1", 7, &rows).in_pieces(4608);
    let held = study.edited("1.2.2", 3).in_pieces(4608);
    let mut world = World::new(3, std::slice::from_ref(&study), storage_with(&[held]));
    world.config.latency = Duration::from_millis(5);
    world.sender_config.held_runs = 20;
    world.connect();
    world.pull_all();
    brought(&mut world);
    assert_eq!(world.data_sent, outside(&study));
}

#[test]
fn ok_what_is_relayed_keeps_its_pieces() {
    let (study, held) = (edited(), original());
    let mut first = world(&study, &[]);
    brought(&mut first);
    let complete = first.store().complete();
    assert_eq!(complete[0].signed().manifest(), study.signed.manifest());
    let mut second = World::new(3, std::slice::from_ref(&study), MemoryStorage::new());
    second.store = Some(common::open(storage_with(&[held])));
    second.connect();
    second.pull_all();
    brought(&mut second);
    assert_eq!(second.data_sent, outside(&study));
}

/// The line is damaged in what comes: that is told of the line, and nothing is taken back for it.
#[test]
fn err_damage_on_the_line_is_the_lines() {
    let (study, held) = (edited(), original());
    let mut world = world(&study, &[held]);
    world.config.corrupt = 3;
    for _ in 0..40 {
        world.run();
        if world.receiver.connections() == 0 {
            world.connect();
        }
        world.pull_failed();
    }
    world.config.corrupt = 0;
    assert!(
        world.run_to_the_end(3) && world.is_complete(),
        "{:?}",
        world.errors
    );
    world.check_visible();
    let wrong = |error: &SessionError| matches!(error, SessionError::WrongChunk { .. });
    assert!(!world.errors.is_empty() && !world.errors.iter().any(wrong));
}

/// XFR-71: what the form cannot say is refused and not said otherwise.
#[test]
fn err_listed_pieces_far_behind_the_beginning_of_the_pixels() {
    const LENGTH: u64 = 12 << 30;
    let with = |start: u64, lengths: [u64; 2]| {
        let ranges = [(start, lengths[0]), (start + lengths[0], lengths[1])];
        let pieces = ranges.map(|(at, length)| {
            let range = PixelRange::new(at, length).unwrap();
            (range, Digest::of(&at.to_le_bytes()))
        });
        let digest = Digest::of(b"large");
        let [class, own, series, syntax] = ["1.3", "1.2.3", "1.4", "1.5"].map(common::uid);
        let made = Instance::new(class, own, series, syntax, LENGTH, digest).unwrap();
        let made = made.with_pixels(PixelRange::new(100, LENGTH - 100).unwrap());
        made.unwrap().with_pieces(Pieces::new(pieces).unwrap())
    };
    let far = 100 + u64::from(u32::MAX);
    assert!(with(far, [5000, 6000]).is_ok());
    assert_eq!(with(far + 1, [5000, 6000]), Err(InstanceError::Pieces));
    assert!(
        with(far + 1, [5000, 5000]).is_ok(),
        "pieces of one length have room"
    );
}
