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
use mic_transfer::storage::{CrashStyle, MemoryStorage};

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
                .map(|_| match dice.below(4) {
                    0 => 1 + dice.below(400_000),
                    1 => 262_144,
                    _ => 1 + dice.below(40_000),
                } as usize)
                .collect();
            MadeStudy::new(&format!("1.2.{at}"), dice.next(), &lengths)
        })
        .collect()
}

#[test]
fn ok_every_seed_ends_whole_and_right() {
    let mut cuts = 0;
    for seed in seeds(200) {
        let _named = Named(seed);
        let mut dice = Dice::new(seed);
        let studies = studies(&mut dice);
        let mut world = World::new(seed, &studies, MemoryStorage::new());
        world.config = LineConfig {
            latency: Duration::from_micros(dice.below(40_000)),
            rate: [0, 1_000_000, 12_500_000][dice.below(3) as usize],
            corrupt: [0, 12, 40][dice.below(3) as usize],
            cut: [0, 10, 30][dice.below(3) as usize],
            portion: 1 + dice.below(90_000),
        };
        for _ in 0..1 + dice.below(3) {
            world.connect();
        }
        world.pull_all();
        let mut rounds = 0;
        while !world.is_complete() {
            rounds += 1;
            assert!(rounds < 400, "no end");
            if rounds > 60 {
                // Even a hopeless line is good at some time.
                world.config.corrupt = 0;
                world.config.cut = 0;
            }
            world.run();
            if world.is_complete() {
                break;
            }
            match dice.below(6) {
                0 => {
                    let style = match dice.below(3) {
                        0 => CrashStyle::Kill,
                        1 => CrashStyle::Forget,
                        _ => CrashStyle::Tear(dice.next()),
                    };
                    world.crash(style);
                    world.connect();
                    world.pull_all();
                }
                _ => {
                    cuts += 1;
                    world.connect();
                }
            }
        }
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
        assert!(
            world
                .receipts
                .iter()
                .any(|receipt| *receipt.root() == studies[0].root())
        );
    }
    assert!(cuts > 0 || seeds(200).end - seeds(200).start == 1);
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
            .map(mic_transfer::store::PartialStudy::bytes_done)
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
