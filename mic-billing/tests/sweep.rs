//! The pass over sorted visits says what the readable engine says, of any events.

#![cfg(feature = "toml")]
extern crate alloc;

mod common;

use alloc::collections::BTreeMap;

use common::{
    reference::Terms,
    strategies::{book, events, hour, moment, terms},
    visits,
};
use mic_billing::{
    Book, CountingUnit, Event, Judged, Line, LineKind, Links, Moment, Share, Sweep, SweepError,
    Unit, VisitKey, VisitState, assess, desired, explain,
};
use proptest::prelude::*;

/// The events sorted by visit, those of one visit in the order they came.
fn sorted(events: &[Event]) -> Vec<Event> {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(Event::visit);
    sorted
}

type Money = (Unit, LineKind, i64, Vec<Share>, Vec<Share>);

fn of_line(line: &Line) -> Money {
    (
        line.unit(),
        line.kind(),
        line.amount().get(),
        line.payers().to_vec(),
        line.payees().to_vec(),
    )
}

fn of_judged(judged: &Judged<'_>) -> Vec<Money> {
    judged
        .lines()
        .map(|line| {
            let terms = line.terms;
            (
                line.unit,
                terms.kind,
                terms.amount.get(),
                terms.payers.clone(),
                terms.payees.clone(),
            )
        })
        .collect()
}

/// Every line of a pass, sorted, and how many visits were not plain.
fn sweep(events: &[Event], book: &Book, at: Moment) -> Result<(Vec<(Unit, i64)>, u64), SweepError> {
    let mut sweep = Sweep::new(book, at, Links::of(events, at))?;
    let mut found = Vec::new();
    for visit in sorted(events).chunk_by(|a, b| a.visit() == b.visit()) {
        let judged = sweep.visit(visit)?;
        found.extend(
            judged
                .lines()
                .map(|line| (line.unit, line.terms.amount.get())),
        );
    }
    found.extend(
        sweep
            .linked()?
            .iter()
            .map(|line| (line.unit(), line.amount().get())),
    );
    found.sort_unstable();
    Ok((found, sweep.careful_visits()))
}

fn within_visits(terms: Terms) -> Terms {
    let other = |unit| {
        if unit == CountingUnit::PersonDay {
            CountingUnit::Exam
        } else {
            unit
        }
    };
    Terms {
        counting_unit: other(terms.counting_unit),
        deduction_unit: other(terms.deduction_unit),
        ..terms
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The whole: every line of all visits, linked ones joined.
    #[test]
    fn agrees_with_the_readable_engine(events in events(), terms in terms(), at in moment()) {
        let book = book(&within_visits(terms));
        let lines = visits(&events).desired(&book, at).unwrap();
        let mut expected: Vec<(Unit, i64)> = lines.iter().map(|line| (line.unit(), line.amount().get())).collect();
        expected.sort_unstable();
        prop_assert_eq!(sweep(&events, &book, at).unwrap().0, expected);
    }

    /// Each visit alone: reason, order of lines, kinds and both sides' shares.
    #[test]
    fn agrees_on_each_visit(events in events(), terms in terms(), at in moment()) {
        let book = book(&within_visits(terms));
        let events: Vec<Event> = events.into_iter().filter(|event| event.kind().name() != "linked").collect();
        let mut sweep = Sweep::new(&book, at, Links::default()).unwrap();
        for visit in sorted(&events).chunk_by(|a, b| a.visit() == b.visit()) {
            let assessment = assess(&VisitState::of(visit).unwrap(), &book, at);
            let lines = desired(core::slice::from_ref(&assessment)).unwrap();
            let judged = sweep.visit(visit).unwrap();
            prop_assert_eq!(judged.reason(), Some(assessment.reason()));
            prop_assert_eq!(of_judged(&judged), lines.iter().map(of_line).collect::<Vec<_>>());
            prop_assert_eq!(explain(visit, &book, at).unwrap(), lines);
        }
    }

    /// I-20: a visit that comes again, or too late, is an error.
    #[test]
    fn i20_unsorted_is_an_error(events in events(), terms in terms(), at in moment()) {
        let book = book(&within_visits(terms));
        let sorted = sorted(&events);
        let runs: Vec<&[Event]> = sorted.chunk_by(|a, b| a.visit() == b.visit()).collect();
        let mut sweep = Sweep::new(&book, at, Links::of(&events, at)).unwrap();
        for run in &runs {
            sweep.visit(run).unwrap();
        }
        for run in &runs {
            prop_assert_eq!(sweep.visit(run).map(|judged| judged.visit()), Err(SweepError::Unsorted));
        }
    }
}

/// The quick way is really taken: of random streams, made to contradict themselves, most visits
/// are plain.
#[test]
fn ok_most_visits_are_plain() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut all, mut careful) = (0_u64, 0_u64);
    for _ in 0..300 {
        let sample = (events(), terms(), moment())
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let mut terms = within_visits(sample.1);
        terms.counting_unit = CountingUnit::Exam;
        terms.deduction_unit = CountingUnit::Modality;
        let keys: BTreeMap<VisitKey, ()> =
            sample.0.iter().map(|event| (event.visit(), ())).collect();
        all += u64::try_from(keys.len()).unwrap();
        careful += sweep(&sample.0, &book(&terms), sample.2).unwrap().1;
    }
    assert!(careful > 20 && careful * 2 < all, "{careful} of {all}");
}

#[test]
fn err_links_and_strangers_and_person_days() {
    let events = common::events(
        &common::cases("counting")
            .iter()
            .find(|case| case["id"] == "linked")
            .unwrap()["input"]["events"],
    );
    let book = Book::load([common::shipped("nation"), common::shipped("shenzhen")]).unwrap();
    let at = hour(10_000);
    let mut pass = Sweep::new(&book, at, Links::default()).unwrap();
    let sorted = sorted(&events);
    let told = sorted
        .chunk_by(|a, b| a.visit() == b.visit())
        .map(|run| pass.visit(run).map(|judged| judged.visit()));
    assert!(
        told.into_iter()
            .any(|visit| visit == Err(SweepError::UnknownLink))
    );
    let mut pass = Sweep::new(&book, at, Links::of(&events, at)).unwrap();
    assert!(
        matches!(pass.visit(&sorted), Err(SweepError::Fold(_))),
        "events of two visits"
    );
    assert!(matches!(pass.visit(&[]), Err(SweepError::Fold(_))));
    let case = common::cases("counting")
        .into_iter()
        .find(|case| case["id"] == "unit-person-day")
        .unwrap();
    let days = common::book(&case["input"]["book"]);
    assert_eq!(
        Sweep::new(&days, at, Links::default()).map(|_| ()),
        Err(SweepError::PersonDays)
    );
}

/// Half a linked visit would be charged, or deducted for, on its own.
#[test]
fn err_a_linked_visit_is_set_aside_whole_or_not_at_all() {
    let told = |encounter: &str, kind: serde_json::Value| -> Event {
        let mut event = serde_json::json!({ "institution": "H44030500001", "encounter": encounter,
            "person": "000102030405060708090a0b0c0d0e0f", "source": "hospital",
            "occurred": "2025-12-01T09:20:00+08:00", "known": "2025-12-01T09:20:00+08:00" });
        for (name, value) in kind.as_object().unwrap() {
            event[name] = value.clone();
        }
        serde_json::from_value(event).unwrap()
    };
    let performed = |encounter| {
        told(
            encounter,
            serde_json::json!({ "kind": "performed", "exam": "F1", "modality": "ct" }),
        )
    };
    let link = told("E1", serde_json::json!({ "kind": "linked", "to": "E2" }));
    let book = Book::load([
        mic_billing::books::national().unwrap(),
        mic_billing::books::shenzhen().unwrap(),
    ])
    .unwrap();
    let at = "2026-01-01T00:00:00+08:00".parse().unwrap();
    let links = Links::of([&link], at);
    let mut sweep = Sweep::new(&book, at, links).unwrap();
    let mixed = [performed("E1"), link, performed("E3")];
    assert!(sweep.visit(&mixed).is_err());
    assert_eq!(sweep.linked().unwrap(), vec![], "nothing of it stays");
}

/// A run without end is cut, and folding takes any order: the largest visit, told backwards twice.
#[test]
fn ok_a_run_without_end_does_not_take_the_memory() {
    use mic_billing::VISIT_FACTS_MAX;
    let first: Event = serde_json::from_str(r#"{"institution":"H44030500001","encounter":"E1","person":"000102030405060708090a0b0c0d0e0f","kind":"discharged","occurred":"2025-12-01T11:00:00+08:00","known":"2025-12-01T11:00:00+08:00","source":"hospital"}"#).unwrap();
    let at = |second: usize| {
        let moment = chrono::DateTime::from_timestamp(1_764_547_200 + second as i64, 0).unwrap();
        let moment = Moment::try_from(moment).unwrap();
        Event::new(
            first.visit(),
            first.person(),
            first.source(),
            first.kind().clone(),
            moment,
            moment,
        )
    };
    let told = (0..VISIT_FACTS_MAX)
        .rev()
        .chain(0..VISIT_FACTS_MAX)
        .map(at)
        .chain([first.clone()]);
    let mut runs = mic_billing::Runs::new(told.map(Ok::<_, core::convert::Infallible>));
    let run = runs.next_run().unwrap().unwrap();
    assert_eq!(run.len(), 2 * VISIT_FACTS_MAX);
    let state = VisitState::of(run).unwrap();
    assert_eq!(state.events().count(), VISIT_FACTS_MAX);
    assert_eq!(runs.next_run().unwrap().map(<[_]>::len), Some(1));
    assert!(runs.next_run().unwrap().is_none());
}
