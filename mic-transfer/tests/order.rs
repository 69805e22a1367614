//! What comes first and what waits: clicks, classes, fairness, rate limits, pauses.

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

use common::{MadeStudy, World};
use mic_transfer::limits::CHUNK_BYTES;
use mic_transfer::receiver::{Priority, ReceiverEvent};
use mic_transfer::shape::{Limit, Shape};
use mic_transfer::storage::MemoryStorage;

fn done(world: &World, slot: u16) -> u64 {
    world.receiver.progress(slot, world.now).unwrap().bytes_done
}

/// Pulls `study` at a priority beside what is there.
fn add(world: &mut World, study: &MadeStudy, priority: Priority) -> u16 {
    world.archive = [(study.uid().clone(), study.clone().into())].into();
    world.priority = priority;
    world.pull_all()[0]
}

/// XFR-62, with an image of a chunk for each connection: one that carries none of it would go on with preload.
#[test]
fn ok_a_click_overtakes_preload_within_one_chunk_a_connection() {
    const IMAGE: usize = 4 * CHUNK_BYTES;
    for connections in [1_u64, 4] {
        let preload = MadeStudy::of_one_series("1.2.1", 1, &[2_000_000; 12]);
        let image = MadeStudy::of_one_series("1.2.2", 2, &[900; 30]);
        let clicked = MadeStudy::of_one_series("1.2.3", 3, &[800_000, IMAGE, 700_000]);
        let mut world = World::new(0, std::slice::from_ref(&preload), MemoryStorage::new());
        world.config.rate = 20_000_000;
        world.config.latency = Duration::from_millis(5);
        world.config.queue = CHUNK_BYTES as u64 / 2;
        world.config.portion = 16_384;
        world.priority = Priority::Preload;
        (0..connections).for_each(|_| {
            world.connect();
        });
        let first = world.pull_all()[0];
        let other = [image, clicked.clone()];
        let all = |study: &MadeStudy| (study.uid().clone(), study.clone().into());
        let second = add(&mut world, &clicked, Priority::Preload);
        world.receiver.pause(second);
        world.archive = other.iter().chain([&preload]).map(all).collect();
        while done(&world, first) < 6_000_000 {
            world.step();
        }
        let now = world.now;
        world.receiver.click(second, 1, now);
        world.events.clear();
        // The click is on its way for one latency; what left before it for one more.
        while world.now < now + Duration::from_millis(10) {
            world.step();
        }
        let before = done(&world, first) + done(&world, second);
        let whole = |event: &ReceiverEvent| matches!(event, ReceiverEvent::Instance { slot, instance: 1, .. } if *slot == second);
        while !world.events.iter().any(whole) {
            world.step();
        }
        let others = done(&world, first) + done(&world, second) - before - IMAGE as u64;
        // Counted in whole chunks: the one that was being sent, and one in the socket's queue, on each
        // connection.
        let allowed = connections * 2 * CHUNK_BYTES as u64;
        assert!(others <= allowed, "{connections}: {others} of {allowed}");
    }
}

/// XFR-61: each connection takes what it can; with fixed shares the slowest would decide.
#[test]
fn ok_a_slow_connection_takes_less_and_holds_nobody_up() {
    let study = MadeStudy::of_one_series("1.2.1", 1, &[1_000_000; 30]);
    for rates in [[20_000_000, 2_000_000], [2_000_000, 20_000_000]] {
        let mut world = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
        world.config.queue = CHUNK_BYTES as u64;
        for rate in rates {
            let line = world.connect();
            world.rate_of(line, rate);
        }
        let begun = world.now;
        world.pull_all();
        assert!(world.run() && world.is_complete());
        let took = (world.now - begun).as_secs_f64();
        let both = study.bytes() as f64 / 22e6;
        let shared = study.bytes() as f64 / 2.0 / 2e6;
        // The window of the slow line at the end is what is left to lose.
        assert!(
            took < 1.35 * both && took < shared / 4.0,
            "{took} s; {both} s at best"
        );
    }
}

/// XFR-69.
#[test]
fn ok_studies_of_one_class_share_the_line_in_turn() {
    let studies: Vec<MadeStudy> = (0..3)
        .map(|at| {
            // Of images of very different sizes.
            let length = [3_000_000, 262_144, 40_000][at as usize];
            let count = 6_000_000 / length;
            MadeStudy::of_one_series(&format!("1.2.{at}"), at, &vec![length; count])
        })
        .collect();
    for connections in [1_u64, 3] {
        let mut world = World::new(0, &studies, MemoryStorage::new());
        world.receiver_config.window_bytes = 1_500_000;
        world.early(0);
        world.config.rate = 10_000_000;
        world.config.queue = CHUNK_BYTES as u64;
        world.priority = Priority::Prior;
        (0..connections).for_each(|_| {
            world.connect();
        });
        let slots = world.pull_all();
        let mut widest = 0;
        while slots.iter().all(|slot| done(&world, *slot) < 4_500_000) {
            world.step();
            let list: Vec<u64> = slots.iter().map(|slot| done(&world, *slot)).collect();
            widest = widest.max(list.iter().max().unwrap() - list.iter().min().unwrap());
        }
        // Never further apart than what is asked for at once: a window and a turn a connection.
        let allowed = connections * (1_500_000 + 4 * CHUNK_BYTES as u64);
        assert!(widest <= allowed, "{connections}: {widest} of {allowed}");
        assert!(world.run() && world.is_complete());
    }
}

/// 2026-11-20, a Friday, at this time in Beijing.
fn friday(clock: &str) -> chrono::DateTime<chrono::Utc> {
    format!("2026-11-20T{clock}+08:00").parse().unwrap()
}

#[test]
fn ok_preload_keeps_to_its_rate_and_a_click_does_not_wait_for_it() {
    let preload = MadeStudy::of_one_series("1.2.1", 1, &[600_000; 20]);
    let mut world = World::new(0, std::slice::from_ref(&preload), MemoryStorage::new());
    world.config.rate = 100_000_000;
    world.config.queue = CHUNK_BYTES as u64;
    world.connect();
    world.priority = Priority::Preload;
    let office = Limit::new(5, 0b001_1111, 8 * 60, 18 * 60, 2_000_000).unwrap();
    let (wall, now) = (friday("10:00:00"), world.now);
    world
        .receiver
        .set_shape(Shape::new(vec![office]), wall, now);
    let slot = world.pull_all()[0];
    while world.now < now + Duration::from_secs(2) {
        world.step();
        let passed = (world.now - now).as_secs_f64();
        let allowed = 2_000_000.0 * (passed + 0.25) + 2.0 * CHUNK_BYTES as f64;
        assert!(done(&world, slot) as f64 <= allowed, "{passed}");
    }
    let fetched = done(&world, slot);
    assert!(fetched > 3_000_000, "{fetched}: the rate is used");
    let clicked = world.now;
    world.receiver.click(slot, 19, clicked);
    let whole =
        |event: &ReceiverEvent| matches!(event, ReceiverEvent::Instance { instance: 19, .. });
    while !world.events.iter().any(whole) {
        world.step();
    }
    let took = world.now - clicked;
    assert!(took < Duration::from_millis(40), "{took:?}");
    assert!(world.run() && world.is_complete());
}

#[test]
fn ok_the_calendar_stops_and_frees_a_class() {
    let preload = MadeStudy::of_one_series("1.2.1", 1, &[600_000; 8]);
    let mut world = World::new(0, std::slice::from_ref(&preload), MemoryStorage::new());
    world.config.rate = 100_000_000;
    world.connect();
    world.priority = Priority::Preload;
    let office = Limit::new(5, 0b001_1111, 8 * 60, 18 * 60, 0).unwrap();
    let (wall, now) = (friday("17:59:00"), world.now);
    world
        .receiver
        .set_shape(Shape::new(vec![office]), wall, now);
    let slot = world.pull_all()[0];
    while world.now < now + Duration::from_secs(59) {
        world.step();
        assert_eq!(done(&world, slot), 0, "stopped until 18:00");
    }
    assert!(world.run() && world.is_complete());
    assert!(world.now < now + Duration::from_secs(62));
    assert!(world.errors.is_empty(), "{:?}", world.errors);
}

#[test]
fn ok_a_paused_study_rests_others_and_clicks_go_on() {
    let studies: Vec<MadeStudy> = (0..2)
        .map(|at| MadeStudy::of_one_series(&format!("1.2.{at}"), at, &[300_000; 30]))
        .collect();
    let mut world = World::new(0, &studies, MemoryStorage::new());
    world.receiver_config.window_bytes = 1_000_000;
    world.early(0);
    world.config.rate = 10_000_000;
    world.connect();
    let slots = world.pull_all();
    while done(&world, slots[0]) < 1_000_000 {
        world.step();
    }
    world.receiver.pause(slots[0]);
    assert!(world.receiver.is_paused(slots[0]) && !world.receiver.is_paused(slots[1]));
    let at_pause = done(&world, slots[0]);
    while done(&world, slots[1]) < studies[1].bytes() {
        world.step();
    }
    // What was asked for came, and no more.
    assert!(done(&world, slots[0]) <= at_pause + 1_000_000 + 4 * CHUNK_BYTES as u64);
    world.events.clear();
    let now = world.now;
    world.receiver.click(slots[0], 29, now);
    let whole =
        |event: &ReceiverEvent| matches!(event, ReceiverEvent::Instance { instance: 29, .. });
    while !world.events.iter().any(whole) {
        world.step();
    }
    let now = world.now;
    world.receiver.pause_all();
    world.receiver.resume(slots[0], now);
    assert!(world.receiver.is_paused(slots[0]));
    world.receiver.resume_all(now);
    assert!(world.run() && world.is_complete());
    assert_eq!(
        world.data_sent,
        studies.iter().map(MadeStudy::bytes).sum::<u64>()
    );
}
