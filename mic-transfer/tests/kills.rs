//! Either side killed at every frame boundary and at a thousand random bytes, with a disk that keeps,
//! forgets or tears what was not synced.

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

use common::{Dice, MadeStudy, World};
use mic_transfer::storage::{CrashStyle, MemoryStorage};
use mic_transfer::store::PartialStudy;
use mic_transfer::wire::{FrameReader, PREFACE, encode};

fn study() -> MadeStudy {
    MadeStudy::new("1.2.3", 11, &[1000, 300_000, 7, 40_000, 270_000])
}

/// Bytes of a direction before each frame and at its end.
fn borders(bytes: &[u8]) -> Vec<u64> {
    let (mut reader, mut rest, mut at) = (FrameReader::new(), bytes, PREFACE.len() as u64);
    let mut borders = vec![0, at];
    while let Some(frame) = reader.next(&mut rest).unwrap() {
        at += encode(&frame).len() as u64;
        borders.push(at);
    }
    borders
}

fn kill(study: &MadeStudy, up: Option<u64>, down: Option<u64>, source: bool, style: CrashStyle) {
    let mut world = World::new(1, std::slice::from_ref(study), MemoryStorage::new());
    world.config.portion = 30_000;
    let line = world.connect();
    world.cut_after(line, up, down);
    world.pull_all();
    world.run();
    // A source keeps nothing: its death is the line's.
    if !source {
        world.crash(style);
    }
    let kept: u64 = world
        .store()
        .partial()
        .iter()
        .map(PartialStudy::bytes_done)
        .sum();
    let complete = world.is_complete();
    let sent = world.data_sent;
    world.connect();
    if !source {
        world.pull_all();
    }
    assert!(world.run(), "{up:?} {down:?} {style:?} {:?}", world.errors);
    assert!(world.is_complete(), "{up:?} {down:?} {style:?}");
    let again = world.data_sent - sent;
    let lacking = if complete { 0 } else { study.bytes() - kept };
    assert_eq!(again, lacking, "{up:?} {down:?} {style:?}");
    world.check_visible();
}

/// XFR-4 for either side, and XFR-6: the source that goes on is a new one and knows nothing.
#[test]
fn ok_killed_at_every_frame_and_a_thousand_bytes_nothing_verified_comes_twice() {
    let study = study();
    let mut whole = World::new(0, std::slice::from_ref(&study), MemoryStorage::new());
    whole.connect();
    whole.pull_all();
    assert!(whole.run());
    let (up, down) = (borders(&whole.record_up), borders(&whole.record_down));
    let (last_up, last_down) = (*up.last().unwrap(), *down.last().unwrap());
    let mut dice = Dice::new(7);
    let style = |dice: &mut Dice| match dice.below(3) {
        0 => CrashStyle::Kill,
        1 => CrashStyle::Forget,
        _ => CrashStyle::Tear(dice.next()),
    };
    let mut points = 0;
    for source in [true, false] {
        let random_up: Vec<u64> = (0..500).map(|_| dice.below(last_up)).collect();
        let random_down: Vec<u64> = (0..500).map(|_| dice.below(last_down)).collect();
        for at in up.iter().chain(&random_up) {
            kill(&study, Some(*at), None, source, style(&mut dice));
            points += 1;
        }
        for at in down.iter().chain(&random_down) {
            kill(&study, None, Some(*at), source, style(&mut dice));
            points += 1;
        }
    }
    eprintln!("{points} kill points");
    assert!(points > 2000);
}
