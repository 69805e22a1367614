//! Two endpoints over a seeded line in virtual time: whatever the line does, a study arrives whole
//! and right or is not listed, and no verified chunk is fetched twice.
//!
//! `MIC_SEEDS=20000 cargo test -p mic-transfer --test simulation` runs more seeds;
//! `MIC_SEED=17` runs one.

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

use common::{Dice, LineConfig, MadeStudy, World};
use mic_transfer::storage::{CrashStyle, MemoryStorage, StorageErrorKind};
use mic_transfer::store::PartialStudy;

fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    match (number("MIC_SEED"), number("MIC_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(default),
    }
}

/// Names the seed if the test fails in it.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with MIC_SEED={}", self.0);
        }
    }
}

fn studies(dice: &mut Dice) -> Vec<MadeStudy> {
    let count = 1 + dice.below(3);
    (0..count)
        .map(|at| {
            let files = 1 + dice.below(6);
            let lengths: Vec<usize> = (0..files)
                .map(|_| match dice.below(40) {
                    0 => 262_145 + dice.below(140_000),
                    1 => 262_144,
                    2..10 => 1 + dice.below(30_000),
                    _ => 1 + dice.below(3000),
                } as usize)
                .collect();
            MadeStudy::new(&format!("1.2.{at}"), dice.next(), &lengths)
        })
        .collect()
}

/// Studies whose pixels a receiver holds under other headers, and those that it holds.
fn edited(dice: &mut Dice) -> (Vec<MadeStudy>, Vec<MadeStudy>) {
    let (mut studies, mut held) = (Vec::new(), Vec::new());
    for at in 0..1 + dice.below(2) {
        let rows: Vec<usize> = (0..1 + dice.below(4))
            .map(|_| match dice.below(20) {
                0 => 512 + dice.below(200),
                _ => 4 + dice.below(60),
            } as usize)
            .collect();
        // Frames, or the value as a whole.
        let frame = [1 << 30, 4608, 20_480][dice.below(3) as usize];
        let study = MadeStudy::pictures(&format!("1.2.{at}"), dice.next(), &rows);
        let other = study.edited(&format!("1.3.{at}"), dice.next());
        studies.push(study.in_pieces(frame));
        held.push(other.in_pieces(frame));
    }
    (studies, held)
}

/// A study that was held is gone, or its disk wears out.
fn spoil(world: &mut World, dice: &mut Dice, held: &mut Vec<MadeStudy>) {
    let Some(study) = held.pop() else {
        return;
    };
    if dice.below(2) == 0 {
        world.store().remove(&study.root()).unwrap();
    } else {
        world.damage(&study.root(), dice.below(study.bytes()));
    }
}

/// A line by the seed: good, slow, or one that cuts, corrupts, reorders and repeats.
fn line(dice: &mut Dice) -> LineConfig {
    let bad = |dice: &mut Dice, often: u64| [0, 0, often, 4 * often][dice.below(4) as usize];
    LineConfig {
        latency: Duration::from_micros(dice.below(40_000)),
        rate: [0, 1_000_000, 12_500_000][dice.below(3) as usize],
        corrupt: bad(dice, 12),
        cut: bad(dice, 10),
        reorder: bad(dice, 15),
        duplicate: bad(dice, 15),
        queue: [0, 131_072][dice.below(2) as usize],
        unreadable: bad(dice, 8),
        portion: 1 + dice.below(90_000),
    }
}

/// Connects to a source; some sources lack a study.
fn connect(world: &mut World, dice: &mut Dice, studies: &[MadeStudy]) {
    let id = world.connect();
    if dice.below(6) == 0 {
        let lacking = &studies[dice.below(studies.len() as u64) as usize];
        world.lacks(id, lacking.uid());
    }
}

fn crash(world: &mut World, dice: &mut Dice) {
    let style = match dice.below(3) {
        0 => CrashStyle::Kill,
        1 => CrashStyle::Forget,
        _ => CrashStyle::Tear(dice.next()),
    };
    world.crash(style);
}

/// What one seed came to.
#[derive(Default)]
struct Tally {
    cuts: u64,
    crashes: u64,
    faults: u64,
    errors: u64,
    /// Bytes of pixels that receivers took from studies that they held.
    filled: u64,
    spoilt: u64,
}

fn play(seed: u64, tally: &mut Tally) {
    let mut dice = Dice::new(seed);
    let (studies, mut held) = if dice.below(4) == 0 {
        edited(&mut dice)
    } else {
        (studies(&mut dice), Vec::new())
    };
    let holds = !held.is_empty();
    let storage = common::storage_with(&held);
    let mut world = World::new(seed, &studies, storage);
    world.config = line(&mut dice);
    let early = [0, 5000, 1 << 20][dice.below(3) as usize];
    world.early(early);
    for _ in 0..1 + dice.below(3) {
        connect(&mut world, &mut dice, &studies);
    }
    world.pull_all();
    let mut rounds = 0;
    while !world.is_complete() {
        rounds += 1;
        assert!(rounds < 400, "no end: {:?}", world.errors);
        if rounds > 40 {
            // Even a hopeless line is good at some time.
            world.config = LineConfig::default();
        }
        if rounds < 20 && dice.below(5) == 0 {
            tally.faults += 1;
            let kinds = [
                StorageErrorKind::Full,
                StorageErrorKind::Denied,
                StorageErrorKind::Failed,
            ];
            let kind = kinds[dice.below(3) as usize];
            let after = dice.below(40);
            world.store().storage_mut().fail_once(after, kind);
        }
        let rested = world.run();
        assert!(
            rested || world.receiver.connections() == 0,
            "studies wait for nothing: {:?}",
            world.states()
        );
        // A failure that did not come is not to hit the opening after a crash.
        let never = StorageErrorKind::Failed;
        world.store().storage_mut().fail_once(u64::MAX, never);
        if world.is_complete() {
            break;
        }
        if dice.below(3) == 0 {
            tally.spoilt += u64::from(!held.is_empty());
            spoil(&mut world, &mut dice, &mut held);
        }
        if dice.below(6) == 0 {
            tally.crashes += 1;
            crash(&mut world, &mut dice);
            connect(&mut world, &mut dice, &studies);
            world.pull_all();
        } else {
            tally.cuts += 1;
            connect(&mut world, &mut dice, &studies);
            world.pull_failed();
        }
        // What is verified and durable is not fetched again.
        let kept: u64 = world
            .store()
            .partial()
            .iter()
            .map(PartialStudy::bytes_done)
            .sum();
        let listed: u64 = world
            .store()
            .complete()
            .iter()
            .map(|study| study.signed().manifest().bytes_total())
            .sum();
        let total: u64 = studies.iter().map(MadeStudy::bytes).sum();
        assert!(holds || kept + listed <= total);
    }
    tally.errors += world.errors.len() as u64;
    tally.filled += filled(&world, &studies);
    world.check_visible();
    // The receipts say what is there, and a pull of what is complete moves no chunk.
    world.config = LineConfig::default();
    world.crash(CrashStyle::Forget);
    assert!(world.is_complete(), "complete is durable");
    let before = world.data_sent;
    world.connect();
    world.pull_all();
    assert!(world.run(), "{:?}", world.errors);
    assert_eq!(world.data_sent, before);
    let receipted = |study: &MadeStudy| {
        let mut receipts = world.receipts.iter();
        receipts.any(|receipt| *receipt.root() == study.root())
    };
    assert!(studies.iter().all(receipted));
    if dice.below(8) == 0 {
        relay(seed, world, &studies);
    }
}

/// What was received is given out again, from the bytes of the store, to a third endpoint.
fn relay(seed: u64, mut world: World, studies: &[MadeStudy]) {
    let mut kept = Vec::new();
    for study in studies {
        let mut copy = study.clone();
        for (instance, file) in study
            .signed
            .manifest()
            .instances()
            .iter()
            .zip(&mut copy.files)
        {
            file.fill(0);
            let read = world.store().read_instance(instance.digest(), 0, file);
            read.unwrap();
        }
        kept.push(copy);
    }
    let mut next = World::new(seed, &kept, MemoryStorage::new());
    next.connect();
    next.connect();
    next.pull_all();
    assert!(next.run_to_the_end(4), "{:?}", next.errors);
    assert!(next.is_complete());
    next.archive = world.archive.clone();
    next.check_visible();
}

/// Bytes that did not come, by the receipts.
fn filled(world: &World, studies: &[MadeStudy]) -> u64 {
    let last = |study: &MadeStudy| {
        let mut receipts = world.receipts.iter().rev();
        let receipt = receipts.find(|receipt| *receipt.root() == study.root())?;
        Some(receipt.bytes() - receipt.fetched())
    };
    studies.iter().filter_map(last).sum()
}

#[test]
fn ok_every_seed_ends_whole_and_right() {
    let mut tally = Tally::default();
    let range = seeds(10_000);
    let count = range.end - range.start;
    for seed in range {
        let _named = Named(seed);
        play(seed, &mut tally);
    }
    let Tally {
        cuts,
        crashes,
        faults,
        errors,
        filled,
        spoilt,
    } = tally;
    eprintln!(
        "{count} seeds: {cuts} new lines, {crashes} crashes, {faults} faults armed, {errors} errors, \
         {filled} bytes filled from held pieces, {spoilt} studies that held them spoilt"
    );
    let all = [cuts, crashes, faults, errors, filled, spoilt];
    assert!(count < 100 || all.into_iter().all(|number| number > 0));
}

#[test]
fn ok_the_first_image_of_each_series_comes_first() {
    // Three series of four images each, one chunk an image; the window lets one chunk fly.
    let study = MadeStudy::new("1.2.3", 5, &[200_000; 12]);
    let mut world = World::new(1, std::slice::from_ref(&study), MemoryStorage::new());
    world.connect();
    world.pull_all();
    assert!(world.run());
    let order: Vec<u32> = world
        .events
        .iter()
        .filter_map(|event| match event {
            mic_transfer::receiver::ReceiverEvent::Instance { instance, .. } => Some(*instance),
            _ => None,
        })
        .collect();
    let mut first: Vec<u32> = order.iter().take(3).map(|instance| instance % 3).collect();
    first.sort_unstable();
    assert_eq!(first, [0, 1, 2], "{order:?}");
    assert_eq!(order.len(), 12);
}

#[test]
fn ok_a_cut_costs_no_verified_chunk() {
    let study = MadeStudy::new("1.2.3", 5, &[300_000; 20]);
    for at in [1000_u64, 700_000, 3_000_000, 5_900_000] {
        let mut world = World::new(at, std::slice::from_ref(&study), MemoryStorage::new());
        world.config.rate = 12_500_000;
        let line = world.connect();
        world.cut_after(line, None, Some(at));
        world.pull_all();
        assert!(!world.run());
        let kept: u64 = world
            .store()
            .partial()
            .iter()
            .map(PartialStudy::bytes_done)
            .sum();
        world.connect();
        assert!(world.run());
        let fetched = world.carried_down;
        // Lost is at most the chunk that was cut, the greeting and an offer.
        assert!(
            fetched < study.bytes() + 262_144 + 4096,
            "{fetched} of {}",
            study.bytes()
        );
        assert!(kept + 262_144 + 4096 > at.min(study.bytes()), "{kept} {at}");
    }
}
