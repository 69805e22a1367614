//! The first image: one round trip and its own wire time after a pull on a standing connection, ahead
//! of the rest of the manifest; and what it must not cost.

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

use common::{MadeStudy, World, frames_of};
use mic_transfer::limits::MANIFEST_AHEAD_BYTES;
use mic_transfer::receiver::{ReceiverEvent, StudyState};
use mic_transfer::storage::{CrashStyle, MemoryStorage};
use mic_transfer::wire::Frame;

const GIGABIT: u64 = 117_700_000;
const ONE_WAY: Duration = Duration::from_millis(15);

/// A world with a connection that has carried a study before.
fn warm(study: &MadeStudy) -> World {
    let before = MadeStudy::new("1.9", 77, &[40]);
    let mut world = World::new(0, &[before], MemoryStorage::new());
    world.config.latency = ONE_WAY;
    world.config.rate = GIGABIT;
    world.config.portion = 1460;
    world.early(1 << 20);
    world.connect();
    let slots = world.pull_all();
    assert!(world.run());
    assert!(world.receiver.forget(slots[0]));
    world.archive = [(study.uid().clone(), study.clone().into())].into();
    world.events.clear();
    world
}

fn is_first(event: &ReceiverEvent) -> bool {
    matches!(event, ReceiverEvent::First { .. })
}

#[test]
fn ok_the_first_image_of_any_study_takes_a_round_trip_and_at_most_1_3_wire_times() {
    // One slice of CT and more and more neighbours: the manifest grows to 590 KB.
    for others in [10, 800, 5000] {
        let mut lengths = vec![300; others];
        lengths.insert(others / 2, 526_336);
        let study = MadeStudy::of_one_series("1.2.3", 5, &lengths);
        let mut world = warm(&study);
        let asked = world.now;
        world.pull_all();
        while !world.events.iter().any(is_first) {
            world.step();
        }
        let wire = Duration::from_nanos(526_336 * 1_000_000_000 / GIGABIT);
        let allowed = ONE_WAY * 2 + wire * 13 / 10;
        let took = world.now - asked;
        assert!(took <= allowed, "{others}: {took:?} of {allowed:?}");
        assert!(world.run());
        assert!(world.is_complete());
        assert_eq!(world.data_sent - 40, study.bytes(), "nothing came twice");
    }
}

/// XFR-24: a connection that was just made costs no further round trip, whatever others are being made beside it.
#[test]
fn ok_the_first_image_of_a_cold_connection_takes_a_round_trip_and_at_most_1_3_wire_times() {
    let mut lengths = vec![300; 800];
    lengths.insert(400, 526_336);
    let study = MadeStudy::of_one_series("1.2.3", 5, &lengths);
    for (connections, pulled_first) in [(1, false), (4, false), (1, true), (4, true)] {
        let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
        (world.config.rate, world.config.latency) = (GIGABIT, ONE_WAY);
        world.early(1 << 20);
        let asked = world.now;
        if pulled_first {
            world.pull_all();
        }
        (0..connections).for_each(|_| {
            world.connect();
        });
        if !pulled_first {
            world.pull_all();
        }
        while !world.events.iter().any(is_first) {
            world.step();
        }
        let wire = Duration::from_nanos(526_336 * 1_000_000_000 / GIGABIT);
        let (took, allowed) = (world.now - asked, ONE_WAY * 2 + wire * 13 / 10);
        assert!(took <= allowed, "{connections}: {took:?} of {allowed:?}");
        assert!(world.run() && world.is_complete());
        assert_eq!(world.data_sent, study.bytes(), "nothing came twice");
    }
}

/// XFR-64: other connections wait for the manifest, but no first image for a long one.
#[test]
fn ok_a_short_manifest_follows_the_first_image_and_a_long_one_all_of_them() {
    for (images, ahead) in [(900, 1), (5000, 3)] {
        let study = MadeStudy::new("1.2.3", 5, &vec![300; images]);
        let length = study.signed.manifest().encoded().len();
        assert_eq!(length <= MANIFEST_AHEAD_BYTES, ahead == 1, "{length}");
        let mut world = World::new(0, &[study], MemoryStorage::new());
        world.early(1 << 20);
        world.connect();
        world.pull_all();
        assert!(world.run() && world.is_complete());
        let frames = frames_of(&world.record_down);
        let mut names = frames.iter().map(Frame::name);
        assert!(names.any(|name| name == "MANIFEST"), "its head");
        let before = names.take_while(|name| *name != "MANIFEST");
        assert_eq!(before.filter(|name| *name == "DATA").count(), ahead);
    }
}

#[test]
fn ok_what_comes_early_is_written_once_and_not_asked_for_again() {
    let study = MadeStudy::new("1.2.3", 5, &[300_000, 40, 700_000, 50, 60]);
    for credit in [0, 40, 50, 300_000, 1 << 20, u32::MAX] {
        let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
        world.early(credit);
        for _ in 0..3 {
            world.connect();
        }
        world.pull_all();
        assert!(world.run(), "{credit} {:?}", world.errors);
        assert!(world.is_complete() && world.errors.is_empty());
        assert_eq!(world.data_sent, study.bytes(), "{credit}");
        let shown = world.events.iter().filter(|event| is_first(event)).count();
        // The middle images of the three series are of 50, 60 and 700,000 bytes.
        assert_eq!(shown > 0, credit >= 50, "{credit}");
        world.check_visible();
    }
}

#[test]
fn ok_cut_anywhere_in_the_opening_it_loses_a_chunk_at_most() {
    let study = MadeStudy::new("1.2.3", 5, &[30_000, 40, 70_000, 50, 60]);
    let mut whole = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
    whole.early(1 << 20);
    whole.connect();
    whole.pull_all();
    assert!(whole.run());
    for at in (0..whole.carried_down).step_by(61) {
        let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
        world.early(1 << 20);
        world.config.portion = 500;
        let line = world.connect();
        world.cut_after(line, None, Some(at));
        world.pull_all();
        world.run();
        world.connect();
        assert!(world.run(), "{at} {:?}", world.errors);
        assert!(world.is_complete(), "{at}");
        // Only the chunk that was cut, the greeting and the manifest come again: what was whole in
        // memory is kept over the cut.
        let again = 70_000 + 2000;
        assert!(world.carried_down <= whole.carried_down + again, "{at}");
        world.check_visible();
    }
}

#[test]
fn ok_early_chunks_of_a_study_that_is_given_up_are_dropped() {
    let study = MadeStudy::new("1.2.3", 5, &[300_000, 40, 700_000]);
    let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
    world.config.rate = 10_000_000;
    world.early(1 << 20);
    world.connect();
    let slot = world.pull_all()[0];
    while !world.events.iter().any(is_first) {
        world.step();
    }
    world.receiver.cancel(slot);
    assert_eq!(world.receiver.state(slot), Some(StudyState::Cancelled));
    world.run();
    world.crash(CrashStyle::Kill);
    world.connect();
    world.pull_all();
    assert!(world.run());
    assert!(world.is_complete());
}

#[test]
fn ok_a_head_that_is_not_accepted_shows_nothing_and_loses_nothing() {
    let study = MadeStudy::new("1.2.3", 5, &[300_000, 40]);
    let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
    world.early(1 << 20);
    world.accepts_first = false;
    world.connect();
    world.pull_all();
    assert!(world.run());
    assert!(!world.events.iter().any(is_first));
    assert!(world.is_complete());
    assert_eq!(world.data_sent, study.bytes());
}
