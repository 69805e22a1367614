//! Repeat exams: every vector, and the outcome a plain walk over the records gives.
#![cfg(feature = "serde")]
#![expect(
    clippy::unwrap_used,
    reason = "a vector that lacks a field is a broken vector"
)]

mod common;

use chrono::{Days, NaiveDate};
use common::EXAMPLE;
use mic_index::repeat::{
    Candidate, Nomination, NotAskableReason, PartMatch, Question, QuestionBuilder, UnknownParts,
};
use mic_index::{
    ExamRecord, ExamTime, ExamType, ExamTypes, ExamTypesError, IndexCode, NoPerson, RecordKey,
    SiteCode,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

fn question(input: &Value) -> QuestionBuilder {
    let day: NaiveDate = input["day"].as_str().unwrap().parse().unwrap();
    let days = u16::try_from(input["window_days"].as_u64().unwrap()).unwrap();
    let mut builder = Question::builder(day).window_days(days);
    if let Some(person) = input["person"].as_str() {
        builder = builder.person(person.parse().unwrap());
    }
    if input["no_person"] == "not_given" {
        builder = builder.no_person(NoPerson::NotGiven);
    }
    let types = input["types"].as_str().unwrap();
    for kind in types.parse::<ExamTypes>().unwrap_or_default().iter() {
        builder = builder.exam_type(kind);
    }
    for part in input["parts"].as_array().unwrap() {
        builder = builder.part(part.as_str().unwrap().parse().unwrap());
    }
    if input["any_part"] == true {
        builder = builder.any_part();
    }
    if input["unknown_parts"] == "skip" {
        builder = builder.unknown_parts(UnknownParts::Skip);
    }
    if let Ok(own) = serde_json::from_value::<RecordKey>(input["except"].clone()) {
        builder = builder.except(own);
    }
    builder
}

/// `IDX-60` to `IDX-65`: askable (`IDX-61`), the window (`IDX-62`), closeness (`IDX-63`), what is left out
/// (`IDX-64`).
#[test]
fn every_vector() {
    let root: Value = serde_json::from_str(include_str!("../vectors/repeat.json")).unwrap();
    for case in root["cases"].as_array().unwrap() {
        let input = &case["input"];
        let records: Vec<ExamRecord> = serde_json::from_value(input["records"].clone()).unwrap();
        let outcome = question(&input["question"]).nominate(&records);
        // The order in which records come does not matter.
        let turned = question(&input["question"]).nominate(records.iter().rev());
        assert_eq!(turned, outcome, "{}", case["id"]);
        let found = match outcome {
            Nomination::NotAskable(not) => {
                let reasons: Vec<_> = not.reasons().map(NotAskableReason::name).collect();
                json!({ "error": "not_askable", "reasons": reasons })
            }
            Nomination::Nothing => json!({ "outcome": "nothing" }),
            Nomination::Found(candidates) => {
                assert_eq!(candidates.iter().next(), Some(candidates.best()));
                let candidates: Vec<Value> = candidates
                    .into_iter()
                    .map(|one| {
                        json!({
                            "study_instance_uid": one.key().study_instance_uid().as_str(),
                            "days_before": one.days_before(),
                            "part": one.part().name(),
                        })
                    })
                    .collect();
                json!({ "outcome": "found", "candidates": candidates })
            }
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

#[test]
fn reasons_are_told_to_people_and_nobody_is_named() {
    let day = NaiveDate::from_ymd_opt(2024, 11, 29).unwrap();
    let not = Question::builder(day)
        .no_person(NoPerson::NotIdentified)
        .build()
        .unwrap_err();
    assert_eq!(
        not.to_string(),
        "not askable: no person code, as the patient is not identified, no exam type, no part"
    );
    let code: IndexCode = EXAMPLE.parse().unwrap();
    let asked = Question::builder(day)
        .person(code.person())
        .exam_type(ExamType::Ct)
        .any_part();
    let shown = format!("{asked:?} {:?}", asked.clone().build());
    assert!(!shown.contains("708463177"), "{shown}");
}

#[test]
fn err_what_is_no_set_of_types() {
    for (text, error) in [
        ("", ExamTypesError::Number { at: 0 }),
        ("0", ExamTypesError::Number { at: 0 }),
        ("6", ExamTypesError::Number { at: 0 }),
        ("2|", ExamTypesError::Number { at: 2 }),
        ("|2", ExamTypesError::Number { at: 0 }),
        ("2||3", ExamTypesError::Number { at: 2 }),
        ("2,3", ExamTypesError::Number { at: 1 }),
        ("23", ExamTypesError::Number { at: 1 }),
        ("2|3|2", ExamTypesError::Twice { at: 4 }),
        ("２", ExamTypesError::Number { at: 0 }),
    ] {
        assert_eq!(text.parse::<ExamTypes>(), Err(error), "{text}");
    }
}

/// Few persons, days, parts and types, so that they meet often.
fn records() -> impl Strategy<Value = Vec<ExamRecord>> {
    let sites = ["000000000", "B020ZYZZZ", "B02010ZZZ", "BW23ZYZZZ"];
    let site = move |at: usize| -> SiteCode { sites[at].parse().unwrap() };
    let one = (
        1..3_u128,
        0..6_u32,
        0..1440_u32,
        0..4_usize,
        vec(0..4_usize, 0..3),
        0..4_u8,
        1..4_u8,
    )
        .prop_map(move |(person, day, minute, own, parts, kind, uid)| {
            let example: IndexCode = EXAMPLE.parse().unwrap();
            let code = IndexCode::new(
                mic_index::PersonCode::from_u128(person).unwrap(),
                ExamTime::from_minutes(1440 * (1000 + day) + minute).unwrap(),
                site(own),
                example.device(),
                example.unit(),
            );
            let mut builder = ExamRecord::builder()
                .code(code)
                .study_instance_uid(format!("1.{uid}").parse().unwrap())
                .institution("H35020300001".parse().unwrap())
                .counts(1, 1);
            for part in parts {
                builder = builder.part(site(part));
            }
            if let Some(kind) = ExamType::from_code(kind) {
                builder = builder.exam_type(kind);
            }
            builder.build().unwrap().record().unwrap()
        });
    vec(one, 0..12)
}

proptest! {
    #[test]
    fn nominated_is_what_a_walk_over_the_records_gives(
        records in records(), day in 0..7_u64, window in 0..6_u16, part in any::<bool>(),
    ) {
        let epoch = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
        let day = epoch + Days::new(1000 + day);
        let person = mic_index::PersonCode::from_u128(1).unwrap();
        let asked_part: SiteCode = "B020ZYZZZ".parse().unwrap();
        let mut builder = Question::builder(day).person(person).exam_type(ExamType::Ct).window_days(window);
        builder = if part { builder.part(asked_part) } else { builder.any_part() };
        let nomination = builder.nominate(&records);
        let found: Vec<Candidate> = nomination.clone().found().into_iter().flatten().collect();
        prop_assert_eq!(found.is_empty(), nomination == Nomination::Nothing);

        let mut walked: Vec<RecordKey> = records.iter().filter(|record| {
            let back = day - record.code().exam_time().to_naive().date();
            let close = record.parts().next().is_none()
                || record.parts().any(|one| one.to_string().starts_with("B020"));
            record.code().person() == person
                && record.exam_type() == Some(ExamType::Ct)
                && (0..=i64::from(window)).contains(&back.num_days())
                && (!part || close)
        }).map(ExamRecord::key).collect();
        walked.sort_unstable();
        walked.dedup();
        let mut keys: Vec<RecordKey> = found.iter().map(Candidate::key).collect();
        keys.sort_unstable();
        prop_assert_eq!(keys, walked);

        // IDX-65: the closest part, then the latest.
        for pair in found.windows(2) {
            let rank = |one: &Candidate| (one.part(), core::cmp::Reverse(one.exam_time()), one.key());
            prop_assert!(rank(&pair[0]) < rank(&pair[1]));
        }
        for one in &found {
            prop_assert_eq!(part, one.part() != PartMatch::NotAsked);
        }
    }

    #[test]
    fn sets_of_types_print_as_they_are_read(types in vec(1..6_u8, 1..6)) {
        let types: ExamTypes = types.into_iter().filter_map(ExamType::from_code).collect();
        prop_assert_eq!(types.to_string().parse(), Ok(types));
    }
}
