//! A simulator of the way messages take: some are lost, told twice, told late and out of order,
//! while the accounts are posted every few hours and months are closed on the way.
//!
//! Its world is hours; all chance comes from one seed, printed where a run fails.
//! `MIC_BILLING_WORLDS` is how many worlds each test lets happen.

#![cfg(feature = "toml")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

extern crate alloc;

mod common;

use alloc::collections::{BTreeMap, BTreeSet};
use std::env;

use common::{
    money,
    plans::Plan,
    reference::{self, Lines, Terms},
    strategies::hour,
};
use mic_billing::{
    Accounts, ChargeModel, Completeness, CountingUnit, DateBasis, EncounterId, Entry, Event,
    EventKind, ExamLineId, Fen, InstitutionCode, LineKind, Modality, Moment, Payer, PersonRef,
    ReceiptId, Source, Trigger, VisitKey, Visits,
};
use sha2::{Digest, Sha256};

/// Worlds of an ordinary run.
const WORLDS: u64 = 60;

fn worlds() -> u64 {
    env::var("MIC_BILLING_WORLDS").map_or(WORLDS, |text| text.parse().expect("a number"))
}

/// The last thing happens before this hour.
const HAPPENING: u64 = 14 * 24;
/// Hours between postings.
const POSTING: u64 = 37;
/// Nothing that arrives at all arrives later than this after it happened.
const DELAY_MAX: u64 = 60 * 24;

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }
}

fn institution() -> InstitutionCode {
    InstitutionCode::new("H44030500001").unwrap()
}

/// What happens: visits of several exams, each exam told once and without contradiction, some
/// cancelled before or after they were performed, refunded or never proven, with a fee hours later or
/// none told; some visits linked, some paid by the patient.
fn world(chance: &mut Chance) -> Vec<Event> {
    let mut events = Vec::new();
    let visits = 2 + chance.below(6);
    let mut payer = None;
    for number in 0..visits {
        let encounter = EncounterId::new(&format!("E{number}")).unwrap();
        let visit = VisitKey::new(institution(), encounter);
        // Linked visits are one person's.
        let person = PersonRef::new([u8::try_from(number / 2).unwrap(); 16]);
        let mut tell = |at: u64, kind: EventKind| {
            let at = hour(i64::try_from(at).unwrap());
            events.push(Event::new(visit, person, Source::Hospital, kind, at, at));
        };
        let start = chance.below(HAPPENING - 100);
        // A pair that may be linked is paid by one, or the word told last would decide.
        if number % 2 == 0 {
            payer = [None, Some(Payer::Insured), Some(Payer::SelfPaid)]
                [usize::try_from(chance.below(3)).unwrap()];
        }
        if let Some(payer) = payer {
            tell(start + chance.below(60), EventKind::Settled { payer });
        }
        if number % 2 == 1 && chance.one_in(4) {
            let to = EncounterId::new(&format!("E{}", number - 1)).unwrap();
            tell(start, EventKind::Linked { to });
        }
        for line in 0..=chance.below(3) {
            let exam = ExamLineId::new(&format!("F{line}")).unwrap();
            let modality = if chance.one_in(2) {
                Modality::Ct
            } else {
                Modality::XRay
            };
            tell(start + line, EventKind::Performed { exam, modality });
            if chance.one_in(2) {
                let amount = Fen::new(20_000);
                let at = start + line + chance.below(40);
                tell(at, EventKind::FeeLine { exam, amount });
            }
            if chance.one_in(8) {
                let at = (start + chance.below(12)).saturating_sub(6);
                tell(at, EventKind::Cancelled { exam });
            }
            if !chance.one_in(4) {
                let receipt = ReceiptId::new("R1").unwrap();
                let kind = EventKind::IndexAccepted {
                    exam,
                    study: None,
                    receipt,
                };
                tell(start + line + chance.below(90), kind);
            }
            if !chance.one_in(5) {
                tell(
                    start + line + chance.below(90),
                    EventKind::PixelsStored { exam, study: None },
                );
            }
            if chance.one_in(12) {
                tell(start + line + 20, EventKind::Refunded { exam });
            }
        }
    }
    events
}

fn terms(chance: &mut Chance) -> Terms {
    let pick = |chance: &mut Chance, units: &[CountingUnit]| {
        units[usize::try_from(chance.below(units.len() as u64)).unwrap()]
    };
    let units = [
        CountingUnit::Encounter,
        CountingUnit::PersonDay,
        CountingUnit::Exam,
        CountingUnit::Modality,
    ];
    Terms {
        model: [
            ChargeModel::EmbeddedDeduction,
            ChargeModel::SeparateItem,
            ChargeModel::FundDirect,
        ][usize::try_from(chance.below(3)).unwrap()],
        price: 500,
        counting_unit: pick(chance, &units),
        deduction_unit: pick(chance, &units),
        trigger: [Trigger::IndexAccepted, Trigger::PixelsStored, Trigger::Both]
            [usize::try_from(chance.below(3)).unwrap()],
        completeness: if chance.one_in(2) {
            Completeness::All
        } else {
            Completeness::Any
        },
        grace_hours: 72,
        late_cure_days: 0,
        date_basis: DateBasis::FeeOccurred,
        modalities: vec![Modality::XRay, Modality::Ct],
    }
}

/// The policy of a world; in every third one another of the same days becomes known on the way.
fn plan(chance: &mut Chance) -> Plan {
    let first = terms(chance);
    let second = Terms {
        price: 400,
        ..terms(chance)
    };
    let mut plan = Plan::of(&first);
    if chance.one_in(3) {
        let mut later = Plan::of(&second).layers[0].1[0].clone();
        let day = chance.below(14);
        later.from = hour(i64::try_from(day * 24).unwrap()).date();
        let known = (3 + chance.below(25)) * 24;
        later.known = hour(i64::try_from(known).unwrap());
        plan.layers[0].1.push(later);
    }
    plan
}

/// When each message arrives: late, twice, and in another order; none for one that is lost.
fn channel(
    events: &[Event],
    chance: &mut Chance,
    losing: bool,
) -> (BTreeMap<u64, Vec<Event>>, Vec<Event>) {
    let (mut arrivals, mut lost) = (BTreeMap::<u64, Vec<Event>>::new(), Vec::new());
    for event in events {
        if losing && chance.one_in(6) {
            lost.push(event.clone());
            continue;
        }
        let happened =
            u64::try_from((event.occurred().unix_seconds() - hour(0).unix_seconds()) / 3600)
                .unwrap();
        let copies = 1 + u64::from(chance.one_in(4)) + u64::from(chance.one_in(9));
        for _ in 0..copies {
            // Mostly soon, now and then weeks later, which turns the order around.
            let delay = if chance.one_in(5) {
                chance.below(DELAY_MAX)
            } else {
                chance.below(6)
            };
            let at = happened + delay;
            let known = hour(i64::try_from(at).unwrap());
            let told = Event::new(
                event.visit(),
                event.person(),
                event.source(),
                event.kind().clone(),
                event.occurred(),
                known,
            );
            arrivals.entry(at).or_default().push(told);
        }
    }
    for batch in arrivals.values_mut() {
        let turn = usize::try_from(chance.below(batch.len() as u64)).unwrap();
        batch.rotate_left(turn);
    }
    (arrivals, lost)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn total(accounts: &Accounts) -> i64 {
    Fen::sum(accounts.entries().map(Entry::amount))
        .unwrap()
        .get()
}

/// What stands in the accounts now: each unit with its kind, money, payers and payees, day, and what
/// it counts.
fn standing(accounts: &Accounts) -> Lines {
    let back: BTreeSet<_> = accounts.entries().filter_map(Entry::reverses).collect();
    let live = accounts
        .entries()
        .filter(|entry| !entry.id().reversal && !back.contains(&entry.id()));
    live.map(|entry| (entry.id().unit.to_string(), money(entry.line())))
        .collect()
}

/// Lets a world happen; gives the accounts at the end and what was heard.
fn run(
    events: &[Event],
    plan: &Plan,
    seed: u64,
    losing: bool,
) -> (Accounts, Vec<Event>, Vec<Event>) {
    let mut chance = Chance(seed);
    let (mut arrivals, lost) = channel(events, &mut chance, losing);
    let book = plan.book();
    let mut accounts = Accounts::new(institution(), "2025-12".parse().unwrap());
    let (mut visits, mut heard) = (Visits::new(), Vec::new());
    let end = HAPPENING + DELAY_MAX + 200;
    for now in 0..=end {
        for event in arrivals.remove(&now).unwrap_or_default() {
            visits.fold(&event).unwrap();
            heard.push(event);
        }
        if now % POSTING != 0 && now != end {
            continue;
        }
        let at = hour(i64::try_from(now).unwrap());
        accounts.post(&visits.desired(&book, at).unwrap()).unwrap();
        // At every moment the accounts are what is known is owed, by the other engine's word.
        assert_eq!(
            standing(&accounts),
            reference::lines_under(&heard, plan, at),
            "seed {seed} at {at}"
        );
        assert_eq!(
            total(&accounts),
            standing(&accounts)
                .values()
                .map(|money| money.fen)
                .sum::<i64>(),
            "seed {seed} at {at}"
        );
        let closed: Vec<[u8; 32]> = accounts
            .closed()
            .iter()
            .map(|month| month.seal().to_bytes())
            .collect();
        while accounts.first_open() < mic_billing::Period::of(at.date()) && chance.one_in(3) {
            accounts.close(sha256);
        }
        assert!(closed.iter().zip(accounts.closed()).all(|(seal, month)| *seal == month.seal().to_bytes() && month.is_sealed_by(sha256)));
    }
    assert!(arrivals.is_empty());
    (accounts, heard, lost)
}

fn last() -> Moment {
    hour(i64::try_from(HAPPENING + DELAY_MAX + 200).unwrap())
}

/// However late, doubled and turned around: when all has arrived, the accounts are those of a
/// world without faults.
#[test]
fn ok_doubled_delayed_reordered_messages_converge() {
    let (mut moved, mut corrected, mut repriced) = (0, 0, 0);
    for seed in 0..worlds() {
        let mut chance = Chance(seed);
        let (events, plan) = (world(&mut chance), plan(&mut chance));
        let (accounts, ..) = run(&events, &plan, seed, false);
        assert_eq!(
            standing(&accounts),
            reference::lines_under(&events, &plan, last()),
            "seed {seed}"
        );
        moved += u64::from(total(&accounts) != 0);
        corrected += u64::from(accounts.entries().any(|entry| entry.id().reversal));
        // The second policy became known after something was posted, and moved it.
        let mut first = plan.clone();
        first.layers[0].1.truncate(1);
        let before = reference::lines_under(&events, &first, last());
        repriced += u64::from(before != reference::lines_under(&events, &plan, last()));
    }
    let worlds = worlds();
    assert!(
        moved * 2 > worlds && corrected * 4 > worlds && repriced * 8 > worlds,
        "of {worlds}: {moved} with money, {corrected} with corrections, {repriced} repriced"
    );
}

/// What is lost for good is owed as if it had not happened, to the fen; a lost proof costs the
/// hospital and never gains it anything; and when it is found, the accounts are whole again.
#[test]
fn ok_what_is_lost_is_owed_as_if_it_had_not_happened() {
    let (mut short, mut losses) = (0, 0);
    for seed in 0..worlds() {
        let mut chance = Chance(seed ^ 0xfau64);
        let events = world(&mut chance);
        let plan = plan(&mut chance);
        let (mut accounts, heard, lost) = run(&events, &plan, seed, true);
        losses += lost.len() as u64;
        assert_eq!(
            standing(&accounts),
            reference::lines_under(&heard, &plan, last()),
            "seed {seed}"
        );
        let kept: Vec<Event> = events
            .iter()
            .filter(|event| !lost.contains(event))
            .cloned()
            .collect();
        assert_eq!(
            standing(&accounts),
            reference::lines_under(&kept, &plan, last()),
            "seed {seed}"
        );
        let is_proof = |event: &Event| {
            matches!(
                event.kind(),
                EventKind::IndexAccepted { .. } | EventKind::PixelsStored { .. }
            )
        };
        let full: i64 = reference::lines_under(&events, &plan, last())
            .values()
            .map(|money| money.fen)
            .sum();
        if lost.iter().all(is_proof) {
            assert!(
                total(&accounts) <= full,
                "seed {seed}: a lost proof gains nothing"
            );
        }
        short += u64::from(total(&accounts) != full);
        // Found after all, weeks later.
        let mut visits = common::visits(&heard);
        let found = last();
        for event in &lost {
            visits
                .fold(&Event::new(
                    event.visit(),
                    event.person(),
                    event.source(),
                    event.kind().clone(),
                    event.occurred(),
                    found,
                ))
                .unwrap();
        }
        accounts
            .post(&visits.desired(&plan.book(), found).unwrap())
            .unwrap();
        assert_eq!(total(&accounts), full, "seed {seed}");
        assert_eq!(
            standing(&accounts),
            reference::lines_under(&events, &plan, found),
            "seed {seed}"
        );
    }
    assert!(
        short * 3 > worlds() && losses > worlds(),
        "{short} worlds short of something, {losses} messages lost"
    );
}

/// The simulator reaches all three models and all kinds of line.
#[test]
fn ok_worlds_have_every_kind_of_line() {
    let mut kinds = BTreeSet::new();
    for seed in 0..worlds() {
        let mut chance = Chance(seed);
        let (events, plan) = (world(&mut chance), plan(&mut chance));
        kinds.extend(
            reference::lines_under(&events, &plan, last())
                .values()
                .map(|money| money.kind.clone()),
        );
    }
    let all = [LineKind::Included, LineKind::Deduction, LineKind::Service];
    let names = all.map(|kind| kind.name().to_owned());
    assert_eq!(kinds, names.into());
}
