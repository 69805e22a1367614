//! Any three lists: the report ends with an error where one descends, and is what sets say where none does.
#![no_main]

use std::collections::BTreeSet;

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use mic_index::gaps::{Exam, GapRow, Gaps, Side, by_study};
use mic_index::{ExamTime, IndexCode, RecordKey, StudyInstanceUid};

/// One of 16 studies under one of 4 codes: small numbers, so that lists meet.
fn key(choice: u8) -> RecordKey {
    let base: IndexCode =
        "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
            .parse()
            .unwrap();
    let minute = ExamTime::from_minutes(u32::from(choice % 4)).unwrap();
    let code = IndexCode::new(
        base.person(),
        minute,
        base.site(),
        base.device(),
        base.unit(),
    );
    RecordKey::new(code, uid(choice / 4))
}

fn uid(choice: u8) -> StudyInstanceUid {
    format!("1.{}", choice % 16).parse().unwrap()
}

fuzz_target!(|bytes: &[u8]| {
    let mut u = Unstructured::new(bytes);
    let Ok((sort, exams, index, images)) =
        u.arbitrary::<(bool, Vec<(u8, bool)>, Vec<u8>, Vec<u8>)>()
    else {
        return;
    };
    let made: BTreeSet<_> = exams
        .iter()
        .map(|(choice, coded)| uid(if *coded { choice / 4 } else { *choice }))
        .collect();
    let exam = |(choice, coded): (u8, bool)| {
        if coded {
            key(choice).into()
        } else {
            Exam::new(uid(choice), None)
        }
    };
    let mut exams: Vec<Exam> = exams.into_iter().map(exam).collect();
    let mut index: Vec<RecordKey> = index.into_iter().map(key).collect();
    let mut images: Vec<StudyInstanceUid> = images.into_iter().map(uid).collect();
    if sort {
        exams.sort();
        index.sort_by_key(by_study);
        images.sort();
    }
    let ascend = exams.is_sorted() && index.is_sorted_by_key(by_study) && images.is_sorted();

    let mut gaps = Gaps::new(
        exams.iter().copied(),
        index.iter().copied(),
        images.iter().copied(),
    );
    let mut rows = Vec::new();
    let mut descends = false;
    for row in gaps.by_ref() {
        match row {
            Ok(row) => rows.push(row),
            Err(_) => descends = true,
        }
    }
    assert!(gaps.next().is_none());
    assert_eq!(descends, !ascend);
    if descends {
        return;
    }
    // IDX-107, IDX-108: by study, then code, none twice, each on the sides that have it.
    let order = |row: &GapRow| (row.study_instance_uid(), row.code());
    assert!(rows.windows(2).all(|two| order(&two[0]) < order(&two[1])));
    let indexed: BTreeSet<_> = index.iter().map(by_study).collect();
    let stored: BTreeSet<_> = images.iter().copied().collect();
    for row in &rows {
        let in_index = row
            .key()
            .is_some_and(|key| indexed.contains(&by_study(&key)));
        assert_eq!(row.sides().contains(Side::Index), in_index);
        assert_eq!(
            row.sides().contains(Side::Images),
            stored.contains(&row.study_instance_uid())
        );
    }
    let seen: BTreeSet<_> = rows.iter().map(GapRow::study_instance_uid).collect();
    let indexed = indexed.into_iter().map(|(study, _)| study);
    let all: BTreeSet<_> = made.into_iter().chain(indexed).chain(stored).collect();
    assert_eq!(seen, all);
});
