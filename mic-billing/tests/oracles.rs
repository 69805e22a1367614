//! Four engines on the same random streams: the readable one, the pass over sorted visits, the
//! slow one of the tests, and the rules in SQL.
//!
//! `MIC_BILLING_STREAMS` is how many streams, `MIC_BILLING_SEED` with which seed; the seed is
//! printed where they differ.

#![cfg(feature = "toml")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

extern crate alloc;

mod common;

use alloc::collections::BTreeMap;
use std::{env, time::Instant};

use common::{
    money,
    plans::{Asked, Plan, asked, plan},
    reference::{self, ExamPrice, Lines, Money},
    sql::{self, Stream},
    strategies::{events, late_moment, second},
    visits, words,
};
use mic_billing::{
    Book, ChargeModel, CountingUnit, Event, ExamAssessment, ExamRules, Fen, Line, Links, Moment,
    RuleId, Standing, Sweep,
};
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

fn readable(lines: &[Line]) -> Lines {
    let answer: Lines = lines
        .iter()
        .map(|line| (line.unit().to_string(), money(line)))
        .collect();
    assert_eq!(answer.len(), lines.len(), "I-07: one line of a unit");
    answer
}

/// A pass tells no day and no counting units.
fn of_pass(money: Money) -> Money {
    Money {
        day: String::new(),
        counted: String::new(),
        ..money
    }
}

fn swept(events: &[Event], book: &Book, at: Moment) -> Lines {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(Event::visit);
    let mut sweep = Sweep::new(book, at, Links::of(events, at)).unwrap();
    let mut answer = Lines::new();
    for visit in sorted.chunk_by(|a, b| a.visit() == b.visit()) {
        for line in sweep.visit(visit).unwrap().lines() {
            let money = Money {
                kind: line.terms.kind.name().to_owned(),
                fen: line.terms.amount.get(),
                payers: words(&line.terms.payers),
                payees: words(&line.terms.payees),
                day: String::new(),
                counted: String::new(),
            };
            answer.insert(line.unit.to_string(), money);
        }
    }
    for line in sweep.linked().unwrap() {
        answer.insert(line.unit().to_string(), of_pass(money(&line)));
    }
    answer
}

fn exam_price(asked: &Asked, book: &Book, at: Moment) -> ExamPrice {
    let policy = book.policy(asked.day, at);
    let nothing = ExamRules::default();
    let rules = policy.exams().unwrap_or(&nothing);
    let positions = asked.positions.try_into().unwrap();
    let price = rules.price(Fen::new(asked.one), asked.modality, positions);
    let film = [false, true].map(|agreed| rules.film_may_be_charged(true, agreed));
    (price.unwrap().amount.get(), film)
}

/// What the streams reached: a comparison of nothing proves nothing.
#[derive(Debug, Default)]
struct Reached {
    events: u64,
    lines: u64,
    swept: u64,
    versions: u64,
    models: BTreeMap<ChargeModel, u64>,
    units: BTreeMap<CountingUnit, u64>,
    /// Lines of a contract's price, of a divided payer, of divided payees, of a late cure.
    contract: u64,
    divided: u64,
    shared: u64,
    cured: u64,
    /// Streams where another moment of knowledge gives other lines, by the policy alone.
    retroactive: u64,
    capped: u64,
}

impl Reached {
    fn count(&mut self, (events, plan, asked, at): &Stream, book: &Book, lines: &[Line]) {
        let versions = plan
            .layers
            .iter()
            .map(|(_, versions)| versions.len() as u64);
        self.versions += versions.sum::<u64>();
        // The same events by what the books said before the last version became known.
        let told = plan.layers.iter().flat_map(|(_, versions)| versions);
        let last = told
            .map(|version| version.known)
            .filter(|known| known <= at)
            .max();
        let retroactive = |line: &&Line| {
            let day = line.why().visit_date;
            let of = |at| book.policy(day, at).charge().map(|charge| charge.price);
            last.is_some_and(|last| {
                last.date() > day && of(last) != of(second(last.unix_seconds() - 1))
            })
        };
        self.retroactive += u64::from(lines.iter().any(|line| retroactive(&line)));
        let capped = |asked: &&Asked| {
            exam_price(asked, book, *at).0 < asked.one * i64::from(asked.positions)
        };
        self.capped += asked.iter().filter(capped).count() as u64;
        self.events += events.len() as u64;
        self.lines += lines.len() as u64;
        for line in lines {
            let why = line.why();
            let rules = |wanted: RuleId| u64::from(why.rules.contains(&wanted));
            *self.models.entry(why.model).or_default() += 1;
            *self.units.entry(line.unit().scope.counting()).or_default() += 1;
            self.contract += rules(RuleId::S03);
            self.divided += rules(RuleId::S01);
            self.shared += rules(RuleId::S02);
            let cured = |exam: &ExamAssessment| matches!(exam.standing, Standing::Cured { .. });
            self.cured += u64::from(why.exams.iter().any(cured));
        }
    }
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
    let strategy = (events(), plan(), asked(), late_moment());
    let mut reached = Reached::default();
    let mut left = usize::try_from(count).unwrap();
    let begun = Instant::now();
    while left > 0 {
        let streams: Vec<Stream> = (0..left.min(BATCH))
            .map(|_| strategy.new_tree(&mut runner).unwrap().current())
            .collect();
        left -= streams.len();
        for (stream, in_sql) in streams.iter().zip(sql::answers(&streams)) {
            let (events, plan, asked, at) = stream;
            let book = plan.book();
            let lines = visits(events).desired(&book, *at).unwrap();
            let ours = readable(&lines);
            let context = || format!("seed {seed}: {events:?} {plan:?} {at}");
            let slow = reference::lines_under(events, plan, *at);
            assert_eq!(ours, slow, "the slow engine, {}", context());
            assert_eq!(ours, in_sql.0, "SQL, {}", context());
            let prices = |price: fn(&Asked, &Book, &Plan, Moment) -> ExamPrice| {
                let each = asked.iter().map(|asked| price(asked, &book, plan, *at));
                each.collect::<Vec<_>>()
            };
            let asked_of_ours = prices(|asked, book, _, at| exam_price(asked, book, at));
            let slow = prices(|asked, _, plan, at| reference::exam_price(asked, plan, at));
            assert_eq!(asked_of_ours, slow, "prices, {asked:?} {}", context());
            assert_eq!(
                asked_of_ours,
                in_sql.1,
                "prices in SQL, {asked:?} {}",
                context()
            );
            if !plan.counts_person_days() {
                let plain: Lines = ours.into_iter().map(|(u, m)| (u, of_pass(m))).collect();
                assert_eq!(plain, swept(events, &book, *at), "the pass, {}", context());
                reached.swept += 1;
            }
            reached.count(stream, &book, &lines);
        }
    }
    println!(
        "seed {seed}: {count} streams agree in {:?}: {reached:?}",
        begun.elapsed()
    );
    let few = count / 100;
    let all = |counts: &[u64]| counts.iter().all(|count| *count > few);
    assert!(
        reached.lines * 2 > count && reached.swept * 2 > count,
        "streams that charge nothing prove nothing: {reached:?}"
    );
    assert!(
        reached.models.len() == 3
            && reached.units.len() == 5
            && all(&[
                reached.contract,
                reached.divided,
                reached.shared,
                reached.cured
            ])
            && all(&[reached.retroactive, reached.capped]),
        "a policy nobody met proves nothing: {reached:?}"
    );
}
