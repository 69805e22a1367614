//! The laws of months: shards merge, closed months stay, corrections go to the first open one.

#![cfg(feature = "toml")]
#![expect(clippy::unreachable, clippy::unwrap_used, reason = "a test")]

extern crate alloc;

mod common;

use alloc::collections::BTreeMap;

use common::{
    plans::plan,
    reference::Terms,
    strategies::{book, events, hour, moment, terms},
    visits,
};
use mic_billing::{
    Accounts, Book, Closed, CountingUnit, Entry, Event, Fen, InstitutionCode, Line, Period,
    Statement, StatementError, VisitState, Visits, assess, books, desired,
};
use proptest::{option, prelude::*};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn institution() -> InstitutionCode {
    InstitutionCode::new("H44030500001").unwrap()
}

/// Accounts that begin in the month of the random fortnight.
fn accounts() -> Accounts {
    Accounts::new(institution(), "2025-12".parse().unwrap())
}

fn of_one_institution(events: Vec<Event>) -> Vec<Event> {
    events
        .into_iter()
        .filter(|event| event.visit().institution == institution())
        .collect()
}

fn sum<'a>(amounts: impl Iterator<Item = &'a Line>) -> Fen {
    Fen::sum(amounts.map(Line::amount)).unwrap()
}

fn months(accounts: &Accounts) -> BTreeMap<Period, Statement> {
    let closed = accounts.closed().iter().map(Closed::statement);
    closed
        .chain(accounts.open())
        .map(|month| (month.period(), month.clone()))
        .collect()
}

/// A book whose price was 5 yuan, and 4 as was known later, for the same days.
fn repriced() -> Book {
    let text = |id: &str, known: &str, price: i64| {
        format!(
            "
[[version]]
id = \"{id}\"
from = \"2025-01-01\"
known_from = \"{known}\"
verified = false
charge_model = {{ value = \"embedded_deduction\", verified = false }}
price = {{ value = {price}, verified = false }}
"
        )
    };
    let layer = "format = \"mic-billing-book/1\"\nid = \"x\"\nname = \"made up\"\nlevel = \"province\"\nregion = \"990000\"\nfictional = true\n".to_owned()
        + &text("1", "2025-01-01T00:00:00+08:00", 500)
        + &text("2", "2025-12-07T00:00:00+08:00", 400);
    Book::load([
        books::national().unwrap(),
        mic_billing::Layer::from_toml(&layer).unwrap(),
    ])
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// I-06, M-04: the visits of an institution in any shards give statements that merge, in any
    /// order and more than once, to the bytes of the whole.
    #[test]
    fn i06_shards_merge_to_the_same_bytes(events in events(), terms in terms(), at in moment(), shards in 1_usize..5, turn in 0_usize..5) {
        let other = |unit| if unit == CountingUnit::PersonDay { CountingUnit::Encounter } else { unit };
        let terms = Terms { counting_unit: other(terms.counting_unit), deduction_unit: other(terms.deduction_unit), ..terms };
        let book = book(&terms);
        let visits = visits(&of_one_institution(events));
        let mut whole = accounts();
        whole.post(&visits.desired(&book, at).unwrap()).unwrap();
        // Links are resolved first; each 人次 goes to one shard.
        let mut parts: Vec<Vec<VisitState>> = vec![Vec::new(); shards];
        for (number, state) in visits.resolved(at).into_iter().enumerate() {
            parts[number * 7 % shards].push(state);
        }
        parts.rotate_left(turn % shards);
        let mut merged: BTreeMap<Period, Statement> = BTreeMap::new();
        for part in parts.iter().chain(&parts) {
            let assessments: Vec<_> = part.iter().map(|state| assess(state, &book, at)).collect();
            let mut shard = accounts();
            shard.post(&desired(&assessments).unwrap()).unwrap();
            for (period, month) in months(&shard) {
                merged.entry(period).or_insert_with(|| Statement::new(institution(), period)).merge(&month).unwrap();
            }
        }
        prop_assert_eq!(&merged, &months(&whole));
        for (period, month) in &merged {
            prop_assert_eq!(month.canonical(), months(&whole)[period].canonical());
        }
    }

    /// I-01 of statements: what payers pay is what payees receive is the amount.
    #[test]
    fn i01_statements_add_up(events in events(), terms in terms(), moments in prop::collection::btree_set(moment(), 1..4)) {
        let (book, visits) = (book(&terms), visits(&of_one_institution(events)));
        let mut accounts = accounts();
        for at in moments {
            accounts.post(&visits.desired(&book, at).unwrap()).unwrap();
        }
        for month in months(&accounts).values() {
            let totals = month.totals().unwrap();
            prop_assert_eq!(Fen::sum(totals.payers.values().copied()).unwrap(), totals.amount);
            prop_assert_eq!(Fen::sum(totals.payees.values().copied()).unwrap(), totals.amount);
            prop_assert_eq!(Fen::sum(month.entries().map(Entry::amount)).unwrap(), totals.amount);
            let counted: u64 = totals.posted.values().chain(totals.taken_back.values()).map(|sum| sum.count).sum();
            prop_assert_eq!(counted, month.entries().count() as u64);
        }
    }

    /// I-14, T-03, BIL-24: whatever comes later, late news or a policy for days gone by, closed months
    /// keep every byte, and the difference stands in the first open month with the equal sum.
    #[test]
    fn i14_closed_months_never_change(events in events(), plan in option::weighted(0.8, plan()), steps in prop::collection::btree_map(moment(), 0_usize..3, 1..6)) {
        let book = plan.map_or_else(repriced, |plan| plan.book());
        let visits: Visits = visits(&of_one_institution(events));
        let mut accounts = accounts();
        for (at, closings) in steps {
            let lines = visits.desired(&book, at).unwrap();
            let before: Vec<String> = accounts.closed().iter().map(Closed::sealed_text).collect();
            let (was, first_open) = (Fen::sum(accounts.entries().map(Entry::amount)).unwrap(), accounts.first_open());
            let placed = accounts.post(&lines).unwrap();
            prop_assert_eq!(accounts.post(&lines).unwrap(), vec![], "I-05");
            let after: Vec<String> = accounts.closed().iter().map(Closed::sealed_text).collect();
            prop_assert_eq!(before, after);
            let now = Fen::sum(accounts.entries().map(Entry::amount)).unwrap();
            prop_assert_eq!(now, sum(lines.iter()));
            let posted = Fen::sum(placed.iter().map(|placed| months(&accounts)[&placed.period].entry(placed.id).unwrap().amount())).unwrap();
            prop_assert_eq!(was.plus(posted).unwrap(), now, "the difference");
            for entry in &placed {
                prop_assert!(entry.period >= first_open);
                prop_assert_eq!(entry.corrects.is_some(), entry.id.reversal);
                if let Some((original, month)) = entry.corrects {
                    prop_assert!(months(&accounts)[&month].entry(original).is_some());
                }
            }
            (0..closings).for_each(|_| { accounts.close(sha256); });
        }
        // What is written is read again, and nothing else is.
        let closed: Vec<Closed> = serde_json::from_str(&serde_json::to_string(accounts.closed()).unwrap()).unwrap();
        let open: Vec<Statement> = accounts.open().cloned().collect();
        let again = Accounts::resume(institution(), "2025-12".parse().unwrap(), closed.clone(), open.clone(), sha256);
        prop_assert_eq!(again.as_ref(), Ok(&accounts));
        if closed.len() > 1 {
            let turned: Vec<Closed> = closed.into_iter().rev().collect();
            let broken = Accounts::resume(institution(), "2025-12".parse().unwrap(), turned, open, sha256);
            prop_assert_eq!(broken, Err(StatementError::BrokenChain));
        }
    }

    /// M-05: no digit of a closed month can be turned unseen.
    #[test]
    fn m05_a_turned_digit_breaks_the_seal(events in events(), at in any::<prop::sample::Index>()) {
        let visits = visits(&of_one_institution(events));
        let mut accounts = accounts();
        accounts.post(&visits.desired(&repriced(), hour(10_000)).unwrap()).unwrap();
        accounts.close(sha256);
        let text = serde_json::to_string(accounts.closed()).unwrap();
        let digits: Vec<usize> = text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, _)| at).collect();
        let mut bytes = text.into_bytes();
        let at = digits[at.index(digits.len())];
        bytes[at] = if bytes[at] == b'9' { b'1' } else { bytes[at] + 1 };
        let months = serde_json::from_slice::<Vec<Closed>>(&bytes);
        if let Ok(months) = months {
            let sealed = Accounts::resume(institution(), "2025-12".parse().unwrap(), months.clone(), vec![], sha256).is_ok();
            prop_assert_eq!(sealed, months == accounts.closed());
        }
    }
}

/// Policies for days gone by meet months that are closed: with the same events, the second posting
/// takes back what stands in a closed month, by the policy alone.
#[test]
fn ok_late_policies_correct_closed_months() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut corrected, mut closed) = (0, 0);
    for _ in 0..1_000 {
        let sample = (events(), plan(), 60_i64..200).new_tree(&mut runner);
        let (events, plan, first) = sample.unwrap().current();
        let first = hour(first);
        let known: Vec<Event> = of_one_institution(events)
            .into_iter()
            .filter(|event| event.known() <= first)
            .collect();
        let (visits, book) = (visits(&known), plan.book());
        let mut accounts = accounts();
        accounts
            .post(&visits.desired(&book, first).unwrap())
            .unwrap();
        accounts.close(sha256);
        closed += usize::from(accounts.closed()[0].statement().entries().count() > 0);
        let sealed: Vec<String> = accounts.closed().iter().map(Closed::sealed_text).collect();
        let lines = visits.desired(&book, hour(10_000)).unwrap();
        let placed = accounts.post(&lines).unwrap();
        let after: Vec<String> = accounts.closed().iter().map(Closed::sealed_text).collect();
        assert_eq!(sealed, after);
        let of_closed = |placed: &mic_billing::Placed| {
            placed
                .corrects
                .is_some_and(|(_, month)| month < accounts.first_open())
        };
        corrected += usize::from(placed.iter().any(of_closed));
    }
    assert!(closed > 200 && corrected > 12, "{closed} {corrected}");
}

/// Every leaf of a JSON document, by its pointer.
fn leaves(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, inner)| leaves(inner, &format!("{at}/{name}"), into)),
        Value::Array(items) => (0..).zip(items).for_each(|(place, inner): (usize, _)| {
            leaves(inner, &format!("{at}/{place}"), into);
        }),
        _ => into.push(at.to_owned()),
    }
}

/// Other values a leaf could have: of its own form, so that many of them are read.
fn others(leaf: &Value) -> Vec<Value> {
    match leaf {
        Value::Bool(is) => vec![json!(!is)],
        Value::Number(number) => {
            let number = number.as_i64().unwrap();
            vec![json!(number + 1), json!(-number), json!(0)]
        }
        // Sentences of the book can be anything; of the rest, words that some field knows.
        Value::String(text) if text.contains(' ') || !text.is_ascii() => {
            vec![json!("another text"), json!("-"), json!(format!("{text} "))]
        }
        Value::String(text) => {
            let words = [
                "deduction",
                "included",
                "service",
                "hospital",
                "fund",
                "patient",
                "exam_payer",
                "insured",
                "self_paid",
                "ct",
                "mr",
                "both",
                "pixels_stored",
                "separate_item",
                "embedded_deduction",
                "missing",
                "late",
                "C-05",
                "B-06",
                "F9",
                "E9",
                "H44030500009",
                "2025-11-30",
                "2025-11",
                "2025-12-02T10:00:00+08:00",
                "another text",
            ];
            let mut others: Vec<Value> = words.into_iter().map(Value::from).collect();
            // One digit turned, as a hand would.
            if let Some(at) = text.find(|mark: char| mark.is_ascii_digit()) {
                let digit = if text.as_bytes()[at] == b'9' {
                    "1"
                } else {
                    "9"
                };
                others.push(json!(format!("{}{digit}{}", &text[..at], &text[at + 1..])));
            }
            others
        }
        _ => vec![json!(1), json!("x")],
    }
}

/// M-05: whatever field of a closed month is changed, taken away or added, and still reads, the
/// seal doesn't hold.
#[test]
fn m05_every_field_is_under_the_seal() {
    let mut read = 0;
    for id in ["deduction", "separate-item"] {
        let case = common::cases("models")
            .into_iter()
            .find(|case| case["id"] == id)
            .unwrap();
        let lines = visits(&common::events(&case["input"]["events"]))
            .desired(&common::book(&case["input"]["book"]), hour(10_000))
            .unwrap();
        assert!(!lines.is_empty());
        let mut accounts = accounts();
        accounts.post(&lines).unwrap();
        accounts.close(sha256);
        let sealed = &accounts.closed()[0];
        let whole = serde_json::to_value(sealed).unwrap();
        let mut places = Vec::new();
        leaves(&whole, "", &mut places);
        let mut forms: Vec<Value> = Vec::new();
        for place in &places {
            let leaf = whole.pointer(place).unwrap();
            // Any text can stand in the grounds; few need be tried.
            let tried = if place.contains("/grounds/") {
                3
            } else {
                usize::MAX
            };
            for other in others(leaf).into_iter().rev().take(tried) {
                let mut changed = whole.clone();
                *changed.pointer_mut(place).unwrap() = other;
                forms.push(changed);
            }
            // And taken away: an item of a list, a field that may be absent.
            let (parent, name) = place.rsplit_once('/').unwrap();
            let mut changed = whole.clone();
            match changed.pointer_mut(parent).unwrap() {
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                Value::Object(fields) => drop(fields.remove(name)),
                _ => unreachable!(),
            }
            forms.push(changed);
        }
        for form in forms {
            if let Ok(month) = serde_json::from_value::<Closed>(form.clone()) {
                if month != *sealed {
                    read += 1;
                    assert!(!month.is_sealed_by(sha256), "{id}: {form}");
                }
            }
        }
    }
    assert!(read > 300, "only {read} changed months were read");
}

#[test]
fn err_what_belongs_elsewhere_changes_nothing() {
    let case = common::cases("models")
        .into_iter()
        .find(|case| case["id"] == "deduction")
        .unwrap();
    let lines = visits(&common::events(&case["input"]["events"]))
        .desired(&common::book(&case["input"]["book"]), hour(10_000))
        .unwrap();
    let mut elsewhere = Accounts::new(
        InstitutionCode::new("H44030500009").unwrap(),
        "2025-12".parse().unwrap(),
    );
    assert_eq!(
        elsewhere.post(&lines),
        Err(StatementError::OtherInstitution)
    );
    assert_eq!(elsewhere.entries().count(), 0);
    let twice = [lines.clone(), lines].concat();
    let mut accounts = accounts();
    assert!(matches!(
        accounts.post(&twice),
        Err(StatementError::Ledger(_))
    ));
    assert_eq!(accounts.entries().count(), 0);
}

/// A crash between writing the closed month and the open ones leaves entries in both.
#[test]
fn err_one_entry_in_two_months() {
    let case = common::cases("models")
        .into_iter()
        .find(|case| case["id"] == "deduction")
        .unwrap();
    let lines = visits(&common::events(&case["input"]["events"]))
        .desired(&common::book(&case["input"]["book"]), hour(10_000))
        .unwrap();
    let first: Period = "2025-12".parse().unwrap();
    let mut accounts = accounts();
    accounts.post(&lines).unwrap();
    accounts.close(sha256);
    let mut january = Statement::new(institution(), first.next());
    for entry in accounts.entries() {
        january.add(entry.clone()).unwrap();
    }
    let closed = accounts.closed().to_vec();
    let again = Accounts::resume(institution(), first, closed, vec![january], sha256);
    assert_eq!(again, Err(StatementError::TwoMonths));
    // A mirror may not stand before its line either.
    let mut accounts = self::accounts();
    accounts.post(&lines).unwrap();
    let (mut early, mut late) = (
        Statement::new(institution(), first),
        Statement::new(institution(), first.next()),
    );
    for entry in accounts.entries() {
        late.add(entry.clone()).unwrap();
    }
    accounts.post(&[]).unwrap();
    for entry in accounts.entries().filter(|entry| entry.id().reversal) {
        early.add(entry.clone()).unwrap();
    }
    let turned = Accounts::resume(institution(), first, vec![], vec![early, late], sha256);
    assert_eq!(turned, Err(StatementError::BeforeOriginal));
}

/// A fee told late moves the visit over the end of the year: the line moves to its month, as if
/// all had been known at once, and what was posted in December is taken back there.
#[test]
fn ok_a_visit_date_that_moves_takes_its_line_along() {
    let event = |kind: Value, at: &str| -> Event {
        let mut event = serde_json::json!({ "institution": institution(), "encounter": "E1",
            "person": "000102030405060708090a0b0c0d0e0f", "source": "hospital",
            "occurred": at, "known": at });
        for (name, value) in kind.as_object().unwrap() {
            event[name] = value.clone();
        }
        serde_json::from_value(event).unwrap()
    };
    let events = [
        event(
            serde_json::json!({ "kind": "performed", "exam": "F1", "modality": "ct" }),
            "2025-12-31T23:50:00+08:00",
        ),
        event(
            serde_json::json!({ "kind": "index_accepted", "exam": "F1", "receipt": "R-1" }),
            "2025-12-31T23:55:00+08:00",
        ),
        event(
            serde_json::json!({ "kind": "fee_line", "exam": "F1", "amount_fen": 20_000 }),
            "2026-01-01T00:10:00+08:00",
        ),
    ];
    let book = Book::load([
        books::national().unwrap(),
        books::fictional_separate_item().unwrap(),
    ])
    .unwrap();
    let (first, then) = (
        "2025-12-31T23:58:00+08:00".parse().unwrap(),
        "2026-01-02T00:00:00+08:00".parse().unwrap(),
    );
    let visits = visits(&events);
    let mut accounts = accounts();
    let posted = |accounts: &mut Accounts, at| -> Vec<(String, bool)> {
        let placed = accounts.post(&visits.desired(&book, at).unwrap()).unwrap();
        placed
            .iter()
            .map(|placed| (placed.period.to_string(), placed.id.reversal))
            .collect()
    };
    assert_eq!(
        posted(&mut accounts, first),
        [("2025-12".to_owned(), false)]
    );
    assert_eq!(
        posted(&mut accounts, then),
        [("2025-12".to_owned(), true), ("2026-01".to_owned(), false)]
    );
    assert_eq!(posted(&mut accounts, then), []);
}

/// The kind and the amount of a line are also in its reasons; a journal in which they differ is
/// not read.
#[test]
fn err_a_kind_that_is_not_the_reasons() {
    let case = common::cases("models")
        .into_iter()
        .find(|case| case["id"] == "deduction")
        .unwrap();
    let lines = visits(&common::events(&case["input"]["events"]))
        .desired(&common::book(&case["input"]["book"]), hour(10_000))
        .unwrap();
    let mut accounts = accounts();
    accounts.post(&lines).unwrap();
    for entry in accounts.entries() {
        let mut json = serde_json::to_value(entry).unwrap();
        assert!(serde_json::from_value::<Entry>(json.clone()).is_ok());
        json["line"]["kind"] = "service".into();
        assert!(serde_json::from_value::<Entry>(json.clone()).is_err());
    }
}

#[test]
fn err_months_are_written_one_way() {
    for text in [
        "2025-13",
        "2025-00",
        "2025-1",
        "1899-12",
        "2025-12-01",
        "25-12",
        "",
    ] {
        assert!(text.parse::<Period>().is_err(), "{text}");
    }
    let december: Period = "9999-12".parse().unwrap();
    assert_eq!(december.to_string(), "9999-12");
}

/// C-12: a person-day of an insured and a self-paid visit is insured, whichever comes first.
#[test]
fn ok_the_payer_of_a_person_day_is_no_matter_of_order() {
    let event = |encounter: &str, kind: Value| -> Event {
        let at = "2025-12-01T09:20:00+08:00";
        let mut event = serde_json::json!({ "institution": institution(), "encounter": encounter,
            "person": "000102030405060708090a0b0c0d0e0f", "source": "hospital",
            "occurred": at, "known": at });
        for (name, value) in kind.as_object().unwrap() {
            event[name] = value.clone();
        }
        serde_json::from_value(event).unwrap()
    };
    let mut events = Vec::new();
    for encounter in ["E1", "E2"] {
        events.push(event(
            encounter,
            serde_json::json!({ "kind": "performed", "exam": "F1", "modality": "ct" }),
        ));
        events.push(event(
            encounter,
            serde_json::json!({ "kind": "index_accepted", "exam": "F1", "receipt": "R" }),
        ));
    }
    events.push(event(
        "E2",
        serde_json::json!({ "kind": "settled", "payer": "self_paid" }),
    ));
    let layer = mic_billing::Layer::from_toml(
        r#"
format = "mic-billing-book/1"
id = "x"
name = "made up"
level = "province"
region = "990000"
fictional = true
[[version]]
id = "1"
from = "2025-01-01"
known_from = "2025-01-01T00:00:00+08:00"
verified = false
charge_model = { value = "separate_item", verified = false }
price = { value = 500, verified = false }
counting_unit = { value = "person_day", verified = false }
fund_share = { value = 700_000, verified = false }
trigger = { value = "index_accepted", verified = false }
"#,
    )
    .unwrap();
    let book = Book::load([books::national().unwrap(), layer]).unwrap();
    let mut assessments = visits(&events).assess(&book, hour(10_000));
    let lines = desired(&assessments).unwrap();
    assessments.reverse();
    assert_eq!(desired(&assessments).unwrap(), lines);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].why().payer, mic_billing::Payer::Insured);
}
