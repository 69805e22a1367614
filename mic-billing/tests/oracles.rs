//! Four engines on the same random streams: the readable one, the pass over sorted visits, the
//! slow one of the tests, and the rules in SQL.
//!
//! `MIC_BILLING_STREAMS` is how many streams, `MIC_BILLING_SEED` with which seed; the seed is
//! printed where they differ.

#![cfg(feature = "toml")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

extern crate alloc;

mod common;

use std::env;

use common::{
    reference::{self, Answer, Terms},
    sql::{self, Stream},
    strategies::{book, events, moment, terms},
    visits,
};
use mic_billing::{Book, CountingUnit, Event, Links, Moment, Sweep};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// Streams of an ordinary run.
const STREAMS: u64 = 3_000;
/// The seed of an ordinary run.
const SEED: u64 = 5;
/// Streams judged by one query.
const BATCH: usize = 500;

fn number(name: &str, ordinary: u64) -> u64 {
    env::var(name).map_or(ordinary, |text| text.parse().expect("a number"))
}

fn readable(events: &[Event], book: &Book, at: Moment) -> Answer {
    let lines = visits(events).desired(book, at).unwrap();
    lines
        .iter()
        .map(|line| {
            (
                line.unit().to_string(),
                (line.kind().name(), line.amount().get()),
            )
        })
        .collect()
}

fn swept(events: &[Event], book: &Book, at: Moment) -> Answer {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(Event::visit);
    let mut sweep = Sweep::new(book, at, Links::of(events, at)).unwrap();
    let mut answer = Answer::new();
    for visit in sorted.chunk_by(|a, b| a.visit() == b.visit()) {
        for line in sweep.visit(visit).unwrap().lines() {
            answer.insert(
                line.unit.to_string(),
                (line.terms.kind.name(), line.terms.amount.get()),
            );
        }
    }
    for line in sweep.linked().unwrap() {
        answer.insert(
            line.unit().to_string(),
            (line.kind().name(), line.amount().get()),
        );
    }
    answer
}

fn spans_visits(terms: &Terms) -> bool {
    [terms.counting_unit, terms.deduction_unit].contains(&CountingUnit::PersonDay)
}

#[test]
fn ok_four_engines_agree() {
    let (count, seed) = (
        number("MIC_BILLING_STREAMS", STREAMS),
        number("MIC_BILLING_SEED", SEED),
    );
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
    );
    let strategy = (events(), terms(), moment());
    let (mut lines, mut told, mut passes) = (0_usize, 0_usize, 0_u64);
    let mut left = usize::try_from(count).unwrap();
    while left > 0 {
        let streams: Vec<Stream> = (0..left.min(BATCH))
            .map(|_| strategy.new_tree(&mut runner).unwrap().current())
            .collect();
        left -= streams.len();
        for ((events, terms, at), in_sql) in streams.iter().zip(sql::lines(&streams)) {
            let book = book(terms);
            let ours = readable(events, &book, *at);
            assert_eq!(
                ours,
                reference::lines(events, terms, *at),
                "seed {seed}: {events:?} {terms:?} {at}"
            );
            assert_eq!(ours, in_sql, "seed {seed}, SQL: {events:?} {terms:?} {at}");
            if !spans_visits(terms) {
                assert_eq!(
                    ours,
                    swept(events, &book, *at),
                    "seed {seed}, sweep: {events:?} {terms:?} {at}"
                );
                passes += 1;
            }
            lines += ours.len();
            told += events.len();
        }
    }
    println!(
        "seed {seed}: {count} streams, {told} events, {lines} lines; {passes} streams also swept"
    );
    assert!(
        lines as u64 * 2 > count && passes * 2 > count,
        "streams that charge nothing prove nothing"
    );
}
