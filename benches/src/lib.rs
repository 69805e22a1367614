//! What the benches share: a seeded source of numbers, groups of contestants on the same input, and two
//! ways to measure them.
//!
//! A [`Group`] holds contestants that do one job. Each is run once when it is added, and its answer is
//! compared with the expected one: nothing wrong is timed. [`run`] then measures
//!
//! - with criterion: `cargo bench -p mic-benches --bench index`,
//! - against each other: `cargo bench -p mic-benches --bench index -- --ratios` takes turns, one run of each
//!   contestant a round, and prints the median CPU time and the median of the ratios within each round,
//! - not at all: `cargo test -p mic-benches` runs each contestant once, on small inputs.

pub mod billing;
pub mod bulk;
pub mod coding;
pub mod consent;
mod group;
pub mod index;
mod race;
mod seed;
pub mod transfer;

pub use group::{Contestant, Group};
pub use race::ROUNDS;
pub use seed::Seed;

/// Whether this run measures; a test run takes small inputs instead.
///
/// Cargo calls a bench with `--bench` and a test without.
#[must_use]
pub fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench" || argument == "--ratios")
}

/// `measured` when this run measures, `tested` otherwise.
#[must_use]
pub fn size(measured: usize, tested: usize) -> usize {
    if is_measured() { measured } else { tested }
}

/// Measures the groups as the command line says; see the crate's page.
#[cfg(feature = "criterion")]
pub fn run(groups: Vec<Group>) {
    if std::env::args().any(|argument| argument == "--ratios") {
        race(groups, ROUNDS);
        return;
    }
    let mut criterion = criterion::Criterion::default().configure_from_args();
    for group in groups {
        let mut measured = criterion.benchmark_group(group.title());
        for contestant in group.into_contestants() {
            measured.throughput(match contestant.bytes() {
                0 => criterion::Throughput::Elements(contestant.units()),
                bytes => criterion::Throughput::Bytes(bytes),
            });
            let (name, mut work) = contestant.into_parts();
            measured.bench_function(name, |bencher| bencher.iter(&mut work));
        }
        measured.finish();
    }
    criterion.final_summary();
}

/// Lets the contestants of each group take turns for so many rounds and prints one table a group.
pub fn race(groups: Vec<Group>, rounds: usize) {
    for group in groups {
        print!("{}", race::race(group, rounds));
    }
}
