//! Exams, index and images: every vector, sets as the judge, long lists in passing.
#![expect(
    clippy::unwrap_used,
    reason = "a vector that lacks a field is a broken vector"
)]

extern crate alloc;

mod common;

use alloc::collections::BTreeSet;

use common::EXAMPLE;
use mic_index::gaps::{Exam, GapRow, Gaps, OrderError, Side, Sides, by_study};
use mic_index::{ExamTime, IndexCode, RecordKey, StudyInstanceUid};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

fn uid(of: &Value) -> StudyInstanceUid {
    of.as_str().unwrap().parse().unwrap()
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Exams => "exams",
        Side::Index => "index",
        Side::Images => "images",
    }
}

/// `IDX-107` to `IDX-109`: the seven combinations, the order of rows (`IDX-108`), exams without a code.
#[test]
fn every_vector() {
    let root: Value = serde_json::from_str(include_str!("../vectors/gaps.json")).unwrap();
    for case in root["cases"].as_array().unwrap() {
        let list = |name: &str| case["input"][name].as_array().unwrap().clone();
        let code =
            |of: &Value| -> Option<IndexCode> { of["code"].as_str().map(|c| c.parse().unwrap()) };
        let exams = list("exams")
            .into_iter()
            .map(|of| Exam::new(uid(&of["study_instance_uid"]), code(&of)));
        let index = list("index")
            .into_iter()
            .map(|of| RecordKey::new(code(&of).unwrap(), uid(&of["study_instance_uid"])));
        let images = list("images").into_iter().map(|of| uid(&of));
        let mut gaps = Gaps::new(exams, index, images);
        let mut found = json!({ "rows": [] });
        for row in &mut gaps {
            match row {
                Ok(row) => found["rows"].as_array_mut().unwrap().push(json!({
                    "study_instance_uid": row.study_instance_uid().as_str(),
                    "code": row.code().map(|code| code.to_string()),
                    "sides": row.sides().name(),
                })),
                Err(error) => {
                    found["error"] = json!({ "side": side_name(error.side()), "at": error.at() });
                }
            }
        }
        assert!(gaps.next().is_none(), "{}", case["id"]);
        if found.get("error").is_none() {
            found["repeated"] = json!(Side::ALL.map(|side| gaps.counts().repeated(side)));
        }
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

#[test]
fn sides_are_named_for_people_and_programs() {
    let names: BTreeSet<&str> = Sides::COMBINATIONS.into_iter().map(Sides::name).collect();
    assert_eq!(names.len(), 7);
    for sides in Sides::COMBINATIONS {
        let told = Side::ALL.into_iter().filter(|side| sides.contains(*side));
        let told: Vec<String> = told.map(|side| side.to_string()).collect();
        assert_eq!(sides.to_string(), told.join(", "));
    }
}

fn key(study: u32, minute: u32) -> RecordKey {
    let example: IndexCode = EXAMPLE.parse().unwrap();
    let code = IndexCode::new(
        example.person(),
        ExamTime::from_minutes(minute).unwrap(),
        example.site(),
        example.device(),
        example.unit(),
    );
    RecordKey::new(code, format!("1.{study:07}").parse().unwrap())
}

/// 100 000 entries per list, made as they are read: nothing is kept but three of them.
#[test]
fn long_streams_pass_by() {
    const STUDIES: u32 = 100_000;
    let studies = |of: u32| (0..STUDIES).filter(move |study| study % of != 0);
    let gaps = Gaps::new(
        studies(3).map(|study| Exam::from(key(study, 1))),
        studies(5).map(|study| key(study, 1)),
        studies(7).map(|study| key(study, 1).study_instance_uid()),
    );
    let counts = gaps.into_counts().unwrap();
    let count = |exam: bool, index: bool, images: bool| {
        let is =
            |study: &u32| (study % 3 != 0, study % 5 != 0, study % 7 != 0) == (exam, index, images);
        (0..STUDIES).filter(is).count() as u64
    };
    for sides in Sides::COMBINATIONS {
        let [exam, index, images] = Side::ALL.map(|side| sides.contains(side));
        assert_eq!(counts.of(sides), count(exam, index, images), "{sides}");
    }
    assert_eq!(
        counts.total(),
        u64::from(STUDIES) - count(false, false, false)
    );
}

type Lists = (Vec<Exam>, Vec<RecordKey>, Vec<StudyInstanceUid>);

/// Few studies and codes, so that they meet often; repetitions stay.
fn lists() -> impl Strategy<Value = Lists> {
    let one = || (0..6_u32, 0..3_u32);
    (
        vec((one(), any::<bool>()), 0..12),
        vec(one(), 0..12),
        vec(0..6_u32, 0..8),
    )
        .prop_map(|(exams, index, images)| {
            let exams = exams.into_iter().map(|((study, code), coded)| {
                let key = key(study, code);
                Exam::new(key.study_instance_uid(), coded.then(|| key.code()))
            });
            let index = index.into_iter().map(|(study, code)| key(study, code));
            let images = images
                .into_iter()
                .map(|study| key(study, 0).study_instance_uid());
            (exams.collect(), index.collect(), images.collect())
        })
}

fn report(
    (exams, index, images): Lists,
) -> (Vec<Result<GapRow, OrderError>>, mic_index::gaps::GapCounts) {
    let mut gaps = Gaps::new(exams, index, images);
    let rows = gaps.by_ref().collect();
    (rows, gaps.counts())
}

proptest! {
    #[test]
    fn the_merge_is_what_sets_say(mut lists in lists()) {
        lists.0.sort();
        lists.1.sort_by_key(by_study);
        lists.2.sort();
        let exams: BTreeSet<Exam> = lists.0.iter().copied().collect();
        let index: BTreeSet<Exam> = lists.1.iter().copied().map(Exam::from).collect();
        let images: BTreeSet<_> = lists.2.iter().copied().collect();
        let (rows, counts) = report(lists.clone());
        let rows: Vec<GapRow> = rows.into_iter().collect::<Result<_, _>>().unwrap();

        let as_exam = |row: &GapRow| Exam::new(row.study_instance_uid(), row.code());
        for pair in rows.windows(2) {
            prop_assert!(as_exam(&pair[0]) < as_exam(&pair[1]));
        }
        for row in &rows {
            let sides = row.sides();
            let alone = sides == Sides::IMAGES;
            prop_assert_eq!(sides.contains(Side::Exams), !alone && exams.contains(&as_exam(row)));
            prop_assert_eq!(sides.contains(Side::Index), index.contains(&as_exam(row)));
            prop_assert_eq!(sides.contains(Side::Images), images.contains(&row.study_instance_uid()));
        }
        // Nothing is left out.
        let coded: BTreeSet<Exam> = exams.union(&index).copied().collect();
        let told: BTreeSet<Exam> = rows.iter().filter(|row| row.sides() != Sides::IMAGES).map(as_exam).collect();
        prop_assert_eq!(told, coded);
        for image in &images {
            prop_assert!(rows.iter().any(|row| row.study_instance_uid() == *image));
        }
        for sides in Sides::COMBINATIONS {
            prop_assert_eq!(counts.of(sides), rows.iter().filter(|row| row.sides() == sides).count() as u64);
        }
        prop_assert_eq!(counts.not_indexable(), rows.iter().filter(|row| row.is_not_indexable()).count() as u64);
        prop_assert_eq!(counts.repeated(Side::Exams), (lists.0.len() - exams.len()) as u64);
        prop_assert_eq!(counts.repeated(Side::Index), (lists.1.len() - index.len()) as u64);
        prop_assert_eq!(counts.repeated(Side::Images), (lists.2.len() - images.len()) as u64);
    }

    /// `IDX-106`.
    #[test]
    fn a_list_out_of_order_is_told_or_does_not_matter(lists in lists()) {
        let sorted = lists.0.is_sorted() && lists.1.is_sorted_by_key(by_study) && lists.2.is_sorted();
        let (rows, _) = report(lists.clone());
        let errors: Vec<OrderError> = rows.iter().filter_map(|row| row.err()).collect();
        prop_assert_eq!(errors.is_empty(), sorted);
        if let Some(error) = errors.first() {
            prop_assert_eq!(errors.len(), 1);
            prop_assert!(rows.last().unwrap().is_err());
            let at = usize::try_from(error.at()).unwrap();
            let descends = match error.side() {
                Side::Exams => lists.0[at] < lists.0[at - 1],
                Side::Index => by_study(&lists.1[at]) < by_study(&lists.1[at - 1]),
                Side::Images => lists.2[at] < lists.2[at - 1],
            };
            prop_assert!(descends);
        }
    }
}
