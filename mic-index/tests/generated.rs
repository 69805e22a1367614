//! What is exported for the tests of others keeps its promises.
#![cfg(all(feature = "arbitrary", feature = "proptest"))]
#![expect(clippy::std_instead_of_alloc, reason = "tests have std")]

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Unstructured};
use mic_index::{ExamRecord, ExamTime, Fault, IndexCode, ParseError, diagnose, grammar, strategy};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn strategies_give_codes(code in strategy::code()) {
        prop_assert_eq!(grammar::parse(code.printed().as_bytes()), Ok(code));
        prop_assert_eq!(IndexCode::from_packed(*code.packed()), Ok(code));
    }

    #[test]
    fn fitting_units_fit(unit in strategy::fitting_unit()) {
        prop_assert!(unit.check().is_match());
    }

    /// The fault known by construction is the one every reader gives, and the only one.
    #[test]
    fn wrong_texts_have_the_fault_they_say(wrong in strategy::wrong_text()) {
        let text = wrong.text();
        prop_assert_eq!(IndexCode::parse(text), Err(wrong.error()));
        prop_assert_eq!(grammar::parse(text.as_bytes()), Err(wrong.error()));
        let diagnosis = diagnose(text);
        let faults: Vec<ParseError> = diagnosis.faults().iter().map(Fault::error).collect();
        prop_assert_eq!(faults, [wrong.error()]);
    }

    #[test]
    fn any_bytes_give_legal_values(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut source = Unstructured::new(&bytes);
        while !source.is_empty() {
            let Ok(record) = ExamRecord::arbitrary(&mut source) else { break };
            let code = record.code();
            prop_assert_eq!(IndexCode::parse(&code.to_string()), Ok(code));
            prop_assert!(record.series_count() > 0 && record.image_count() > 0);
            prop_assert_ne!(record.supersedes(), Some(record.key()));
        }
    }
}

/// What is rare in random bytes and matters comes up.
#[test]
fn edges_come_up() {
    let mut seen = BTreeSet::new();
    let mut note = |code: IndexCode| {
        seen.insert(if code.site().is_assigned() {
            "site"
        } else {
            "site filler"
        });
        seen.insert(if code.device().is_assigned() {
            "device"
        } else {
            "device filler"
        });
        seen.insert(if code.unit().check().is_match() {
            "fits"
        } else {
            "does not fit"
        });
        match code.exam_time() {
            ExamTime::MIN => seen.insert("first minute"),
            ExamTime::MAX => seen.insert("last minute"),
            time if time.month() == 2 && time.day() == 29 => seen.insert("leap day"),
            _ => false,
        };
    };
    let mut runner = TestRunner::deterministic();
    let bytes = prop::collection::vec(any::<u8>(), 200);
    for _ in 0..4000 {
        note(strategy::code().new_tree(&mut runner).unwrap().current());
        let bytes = bytes.new_tree(&mut runner).unwrap().current();
        note(IndexCode::arbitrary(&mut Unstructured::new(&bytes)).unwrap());
    }
    let all = [
        "device",
        "device filler",
        "does not fit",
        "first minute",
        "fits",
        "last minute",
        "leap day",
        "site",
        "site filler",
    ];
    assert_eq!(seen, BTreeSet::from(all));
}

/// Every kind of fault a text can have without a policy.
#[test]
fn every_kind_of_fault_comes_up() {
    let mut runner = TestRunner::deterministic();
    let names: BTreeSet<&str> = (0..2000)
        .map(|_| {
            let wrong = strategy::wrong_text()
                .new_tree(&mut runner)
                .unwrap()
                .current();
            wrong.error().kind().name()
        })
        .collect();
    let all = [
        "all_zero",
        "character",
        "day",
        "hour",
        "hyphens",
        "length",
        "minute",
        "month",
        "part_length",
        "year",
    ];
    assert_eq!(names, BTreeSet::from(all));
}
