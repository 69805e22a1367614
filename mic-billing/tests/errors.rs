//! What the vectors can't say: journals, folds and explanations that don't hold together, limits,
//! and two books set side by side.

#![cfg(feature = "toml")]
#![expect(clippy::unwrap_used, reason = "a test")]

extern crate alloc;

mod common;

use common::{book, cases, events, shipped, visits};
use mic_billing::{
    Book, BookErrorKind, Entry, Event, FoldError, Layer, LedgerError, Line, LineError, LineKind,
    Moment, RecomputeError, VisitState, Visits, assess, compare, delta, desired,
};
use serde_json::json;

/// The visit of the front page: two exams, one proven.
fn front_page() -> (Visits, Vec<Event>, Book, Moment) {
    let case = cases("models")
        .into_iter()
        .find(|case| case["id"] == "deduction")
        .unwrap();
    let events = events(&case["input"]["events"]);
    let at = case["input"]["known_at"].as_str().unwrap().parse().unwrap();
    (visits(&events), events, book(&case["input"]["book"]), at)
}

fn posted() -> (Vec<Line>, Vec<Entry>) {
    let (visits, _, book, at) = front_page();
    let lines = visits.desired(&book, at).unwrap();
    let entries = delta(&lines, &[]).unwrap();
    (lines, entries)
}

/// An entry with its revision changed, which keeps it well-formed.
fn with_revision(entry: &Entry, revision: u32) -> Entry {
    let mut value = serde_json::to_value(entry).unwrap();
    value["id"]["revision"] = revision.into();
    serde_json::from_value(value).unwrap()
}

#[test]
fn err_two_live_lines_of_a_unit() {
    let (lines, entries) = posted();
    let journal = [entries[1].clone(), with_revision(&entries[1], 2)];
    assert_eq!(delta(&lines, &journal), Err(LedgerError::TwoLive));
}

#[test]
fn err_two_desired_lines_of_a_unit() {
    let (lines, _) = posted();
    assert_eq!(
        delta(&[lines[0].clone(), lines[0].clone()], &[]),
        Err(LedgerError::TwoDesired)
    );
}

#[test]
fn err_a_reversal_of_nothing() {
    let (lines, entries) = posted();
    let reversal = delta(&[], &entries).unwrap();
    assert_eq!(
        delta(&lines, &reversal[..1]),
        Err(LedgerError::StrayReversal)
    );
}

#[test]
fn err_one_key_with_two_meanings() {
    let (visits, _, book, at) = front_page();
    let (lines, entries) = posted();
    let other = "2026-02-01T00:00:00+08:00".parse().unwrap();
    assert!(at < other);
    let later = delta(&visits.desired(&book, other).unwrap(), &[]).unwrap();
    assert_eq!(
        delta(&lines, &[entries[1].clone(), later[1].clone()]),
        Err(LedgerError::Conflict)
    );
}

#[test]
fn err_revisions_run_out() {
    let (_, entries) = posted();
    let last = with_revision(&entries[1], u32::MAX);
    let gone = delta(&[], core::slice::from_ref(&last)).unwrap();
    let journal = [last, gone[0].clone()];
    assert_eq!(
        delta(&[entries[1].line().clone()], &journal),
        Err(LedgerError::TooManyRevisions)
    );
}

#[test]
fn ok_what_is_no_longer_desired_is_taken_back() {
    let (_, entries) = posted();
    let back = delta(&[], &entries).unwrap();
    assert!(back.iter().all(|entry| entry.reverses().is_some()));
    let journal: Vec<Entry> = entries.into_iter().chain(back).collect();
    assert_eq!(delta(&[], &journal), Ok(vec![]));
}

#[test]
fn err_lines_of_two_moments() {
    let (_, events, book, at) = front_page();
    let state = VisitState::of(&events).unwrap();
    let other = "2026-02-01T00:00:00+08:00".parse().unwrap();
    let both = [assess(&state, &book, at), assess(&state, &book, other)];
    assert_eq!(desired(&both), Err(LineError::MixedKnowledge));
}

#[test]
fn err_folding_anothers_event() {
    let (_, events, ..) = front_page();
    let state = VisitState::of(&events).unwrap();
    for (field, value, error) in [
        ("institution", "H44030500009", FoldError::OtherInstitution),
        ("encounter", "E2", FoldError::OtherEncounter),
    ] {
        let mut other = serde_json::to_value(&events[0]).unwrap();
        other[field] = value.into();
        let other: Event = serde_json::from_value(other).unwrap();
        assert_eq!(state.clone().fold(&other), Err(error));
    }
}

#[test]
fn err_an_explanation_under_another_book_or_with_other_times() {
    let (lines, _) = posted();
    let (_, _, book, _) = front_page();
    let why = lines[1].why();
    let separate = Book::load([shipped("nation"), shipped("fictional-separate-item")]).unwrap();
    assert_eq!(why.recompute(&separate), Err(RecomputeError::OtherVersions));
    let mut early = why.clone();
    early.visit_date = "2019-01-01".parse().unwrap();
    assert_eq!(early.recompute(&book), Err(RecomputeError::NoPolicy));
    let mut proven = why.clone();
    proven.exams[0].index = proven.exams[0].since;
    assert_eq!(
        proven.recompute(&book),
        Err(RecomputeError::OtherStanding { at: 0 })
    );
}

#[test]
fn err_too_many_versions() {
    let mut layer = serde_json::to_value(shipped("shenzhen")).unwrap();
    let version = layer["version"][0].clone();
    layer["version"] = (0..65).map(|_| version.clone()).collect();
    let layer: Layer = serde_json::from_value(layer).unwrap();
    let error = Book::load([shipped("nation"), layer]).unwrap_err();
    assert_eq!(
        error.first().kind(),
        &BookErrorKind::TooManyVersions { max: 64, found: 65 }
    );
}

#[test]
fn ok_compare_finds_the_visit_that_tells_two_regions_apart() {
    let (visits, _, shenzhen, at) = front_page();
    let separate = Book::load([shipped("nation"), shipped("fictional-separate-item")]).unwrap();
    let found = compare(&shenzhen, &separate, visits.resolved(at), at)
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.first[1].kind(), found.second[0].kind()),
        (LineKind::Deduction, LineKind::Service)
    );
    assert_eq!(
        compare(&shenzhen, &shenzhen, visits.resolved(at), at),
        Ok(None)
    );
}

/// I-20's likeness here: nothing about the order of a visit's JSON can charge it twice.
#[test]
fn ok_a_state_written_and_read_is_itself_and_doubled_input_is_refused_by_its_fields() {
    let (visits, ..) = front_page();
    let state = visits
        .resolved("2026-01-01T00:00:00+08:00".parse().unwrap())
        .remove(0);
    let mut value = serde_json::to_value(&state).unwrap();
    let doubled: Vec<_> = [&value["events"], &value["events"]]
        .iter()
        .flat_map(|e| e.as_array().unwrap().clone())
        .collect();
    value["events"] = doubled.into();
    assert_eq!(
        serde_json::from_value::<VisitState>(value.clone()).unwrap(),
        state
    );
    value["encounters"] = json!([]);
    assert!(
        serde_json::from_value::<VisitState>(value)
            .unwrap_err()
            .to_string()
            .starts_with("expected at least one event")
    );
}

/// BIL-23, T-05: a fact changed under the same version id, its document or its mark, is named.
#[test]
fn err_a_book_edited_under_its_version_is_noticed() {
    let case = cases("models")
        .into_iter()
        .find(|case| case["id"] == "deduction")
        .unwrap();
    let book = book(&case["input"]["book"]);
    let at: Moment = case["input"]["known_at"].as_str().unwrap().parse().unwrap();
    let lines = visits(&events(&case["input"]["events"]))
        .desired(&book, at)
        .unwrap();
    let nation = serde_json::to_value(shipped("nation")).unwrap();
    let mut edited = 0;
    for (fact, field, value) in [
        ("grace_hours", "value", serde_json::json!(71)),
        ("completeness", "value", serde_json::json!("any")),
        ("counting_unit", "value", serde_json::json!("exam")),
        (
            "counting_unit",
            "clause",
            serde_json::json!("another clause"),
        ),
        ("modalities", "value", serde_json::json!(["ct", "xray"])),
    ] {
        let mut layer = nation.clone();
        let versions = layer["version"].as_array_mut().unwrap();
        versions.last_mut().unwrap()[fact][field] = value;
        let layers = [serde_json::from_value(layer).unwrap(), shipped("shenzhen")];
        let other = Book::load(layers).unwrap();
        for line in &lines {
            assert_eq!(line.recompute(&book).as_ref(), Ok(line));
            let error = RecomputeError::OtherFact { fact };
            assert_eq!(line.recompute(&other), Err(error));
            assert_eq!(line.why().recompute(&other), Err(error));
            edited += 1;
        }
    }
    assert!(edited >= 10);
}

/// A line altered in its own JSON doesn't come out of its reasons again.
#[test]
fn err_an_altered_line_does_not_recompute() {
    let case = cases("models")
        .into_iter()
        .find(|case| case["id"] == "deduction")
        .unwrap();
    let book = book(&case["input"]["book"]);
    let at: Moment = case["input"]["known_at"].as_str().unwrap().parse().unwrap();
    let lines = visits(&events(&case["input"]["events"]))
        .desired(&book, at)
        .unwrap();
    for (place, value) in [
        ("/kind", serde_json::json!("included")),
        ("/amount_fen", serde_json::json!(-400)),
        ("/payers/0/party", serde_json::json!("fund")),
        ("/payees/0/party", serde_json::json!("platform")),
        ("/unit/scope/exam/line", serde_json::json!("F9")),
        ("/why/kind", serde_json::json!("service")),
        ("/why/payer", serde_json::json!("self_paid")),
        ("/why/price_fen", serde_json::json!(400)),
        ("/why/trigger", serde_json::json!("both")),
        ("/why/rules/0", serde_json::json!("B-06")),
        ("/why/visit_date", serde_json::json!("2025-10-02")),
        (
            "/why/exams/0/since",
            serde_json::json!("2025-12-02T09:20:00+08:00"),
        ),
    ] {
        let line = lines
            .iter()
            .find(|line| line.kind() == LineKind::Deduction)
            .unwrap();
        let mut altered = serde_json::to_value(line).unwrap();
        *altered.pointer_mut(place).unwrap() = value;
        let altered: Line = serde_json::from_value(altered).unwrap();
        assert_ne!(altered.recompute(&book).as_ref(), Ok(&altered), "{place}");
    }
}

/// C-01: a proof dated before its exam is in time, and is told.
#[test]
fn ok_a_proof_before_its_exam_is_told() {
    let case = cases("models")
        .into_iter()
        .find(|case| case["id"] == "deduction")
        .unwrap();
    let book = book(&case["input"]["book"]);
    let at: Moment = case["input"]["known_at"].as_str().unwrap().parse().unwrap();
    let mut told = case["input"]["events"].clone();
    let before = |told: &serde_json::Value| -> usize {
        let lines = visits(&events(told)).desired(&book, at).unwrap();
        let zh = lines
            .iter()
            .filter(|line| {
                line.explain(mic_billing::Lang::Zh)
                    .contains("证明时间早于检查时间")
            })
            .count();
        let en = lines
            .iter()
            .filter(|line| {
                line.explain(mic_billing::Lang::En)
                    .contains("before the exam")
            })
            .count();
        let found: usize = lines
            .iter()
            .map(|line| line.why().proofs_before_exams().count())
            .sum();
        assert_eq!([zh, en], [found, found]);
        found
    };
    assert_eq!(before(&told), 0);
    for event in told.as_array_mut().unwrap() {
        if event["kind"] == "index_accepted" {
            event["occurred"] = "2025-12-01T09:19:59+08:00".into();
        }
    }
    assert_eq!(before(&told), 1);
}
