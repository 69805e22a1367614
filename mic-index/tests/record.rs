//! A record is complete or says what it lacks; its key tells collisions from repetitions.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use common::EXAMPLE;
use mic_index::dicom::{Attribute, ExamDraft, HeaderText};
use mic_index::{
    ExamItem, ExamRecord, ExamType, IndexCode, InstitutionCode, InstitutionCodeError, KeyRelation,
    Moment, NoPerson, RecordBuilder, RecordError, RecordField, RecordKey, RecordOutcome, SiteCode,
    StudyInstanceUid, StudyUidError,
};

fn code() -> IndexCode {
    EXAMPLE.parse().unwrap()
}

fn complete() -> RecordBuilder {
    ExamRecord::builder()
        .code(code())
        .study_instance_uid("1.2.840.1".parse().unwrap())
        .institution("H35020300001".parse().unwrap())
        .counts(2, 28)
}

#[test]
fn err_everything_missing_is_named_at_once() {
    let error = ExamRecord::builder().build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "missing person code, exam time, storage unit, study instance uid, institution, \
         series count, image count"
    );
    let RecordError::Missing(fields) = error else {
        panic!("{error}")
    };
    assert_eq!(fields.iter().count(), 7);
}

#[test]
fn err_zero_counts_are_missing() {
    let error = complete().counts(0, 0).build().unwrap_err();
    let RecordError::Missing(fields) = error else {
        panic!("{error}")
    };
    let fields: Vec<RecordField> = fields.iter().collect();
    assert_eq!(fields, [RecordField::SeriesCount, RecordField::ImageCount]);
}

#[test]
fn ok_a_person_without_a_code_is_an_outcome() {
    let outcome = complete().no_person(NoPerson::NotInsured).build().unwrap();
    let RecordOutcome::NotIndexable(not) = outcome else {
        panic!("a record without a person")
    };
    assert_eq!(not.reason(), NoPerson::NotInsured);
    assert_eq!(not.study_instance_uid().as_str(), "1.2.840.1");
    assert_eq!(
        not.to_string(),
        "not indexable: the patient is not treated as an insured person"
    );
    // The rest still has to be there.
    assert!(
        ExamRecord::builder()
            .no_person(NoPerson::NotGiven)
            .build()
            .is_err()
    );
}

#[test]
fn err_a_record_does_not_supersede_itself() {
    let own = RecordKey::new(code(), "1.2.840.1".parse().unwrap());
    assert_eq!(
        complete().supersedes(own).build(),
        Err(RecordError::SupersedesItself)
    );
    let other = RecordKey::new(code(), "1.2.840.2".parse().unwrap());
    let record = complete()
        .supersedes(other)
        .build()
        .unwrap()
        .record()
        .unwrap();
    assert_eq!(record.supersedes(), Some(other));
}

#[test]
fn ok_a_draft_fills_what_it_has() {
    let header = HeaderText::new()
        .with(Attribute::StudyInstanceUid, "1.2.3")
        .with(Attribute::AccessionNumber, "A17")
        .with(Attribute::Modality, "MR")
        .with(Attribute::StudyDate, "20250131")
        .with(Attribute::StudyTime, "0815");
    let draft = ExamDraft::from_text(&header);
    let record = complete().draft(&draft).build().unwrap().record().unwrap();
    assert_eq!(record.code().exam_time().to_string(), "202501310815");
    assert_eq!(record.study_instance_uid().as_str(), "1.2.3");
    assert_eq!(record.accession_number(), Some("A17"));
    assert_eq!(record.exam_type(), Some(ExamType::Mri));
    // A draft without values takes nothing away.
    let empty = ExamDraft::from_text(&HeaderText::new());
    let same = complete()
        .draft(&draft)
        .draft(&empty)
        .build()
        .unwrap()
        .record()
        .unwrap();
    assert_eq!(same, record);
}

fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

/// IDX-80, IDX-81: what the code cannot say of the exam stands beside it, in any order of the clocks.
#[test]
fn ok_item_and_times_are_those_set() {
    let item = ExamItem::named("颅脑CT平扫".parse().unwrap()).with_code("0023".parse().unwrap());
    let builder = complete()
        .item(item.clone())
        .ordered_at(moment("2024-11-22 15:00:00"))
        .started_at(moment("2024-11-22 14:30:59"))
        .ended_at(moment("2024-11-22 14:41:07"))
        .reported_at(moment("2024-11-23 08:00:00"));
    let record = builder.build().unwrap().record().unwrap();
    assert_eq!(record.item(), Some(&item));
    let times = [
        (record.ordered_at(), "2024-11-22T15:00:00+08:00"),
        (record.started_at(), "2024-11-22T14:30:59+08:00"),
        (record.ended_at(), "2024-11-22T14:41:07+08:00"),
        (record.reported_at(), "2024-11-23T08:00:00+08:00"),
    ];
    for (time, text) in times {
        assert_eq!(time.unwrap().to_string(), text);
    }
    assert!(!format!("{record:?}").contains("颅脑"));
}

/// IDX-83: a start is of the minute of the code, or gives the minute where there is none.
#[test]
fn err_a_start_of_another_minute() {
    let next = moment("2024-11-22 14:31:00");
    let error = complete().started_at(next).build();
    assert_eq!(error, Err(RecordError::StartOfAnotherMinute));
    let by_start = ExamRecord::builder()
        .person(code().person())
        .unit(code().unit())
        .study_instance_uid("1.2.840.1".parse().unwrap())
        .institution("H35020300001".parse().unwrap())
        .counts(2, 28)
        .started_at(next);
    let record = by_start.build().unwrap().record().unwrap();
    assert_eq!(record.code().exam_time().to_string(), "202411221431");
}

/// IDX-84: what a header says of item and start comes along, a start of another minute than the record's not.
#[test]
fn ok_a_draft_brings_item_and_second() {
    let header = HeaderText::new()
        .with(Attribute::StudyDate, "20241122")
        .with(Attribute::StudyTime, "143059.9")
        .with(Attribute::StudyDescription, "HEAD");
    let draft = ExamDraft::from_text(&header);
    let record = |builder: RecordBuilder| builder.build().unwrap().record().unwrap();
    let taken = record(complete().draft(&draft));
    assert_eq!(taken.started_at(), Some(moment("2024-11-22 14:30:59")));
    assert_eq!(taken.item().unwrap().name().unwrap().as_str(), "HEAD");
    let other = EXAMPLE.replace("202411221430", "202411221431");
    let corrected = record(complete().draft(&draft).code(other.parse().unwrap()));
    assert_eq!(corrected.started_at(), None);
}

#[test]
fn keys_tell_collisions_from_repetitions() {
    let other: IndexCode = EXAMPLE
        .replace("202411221430", "202411221431")
        .parse()
        .unwrap();
    let key = |code, uid: &str| RecordKey::new(code, uid.parse().unwrap());
    let first = key(code(), "1.2.3");
    assert_eq!(first.relation(&key(code(), "1.2.3")), KeyRelation::Same);
    assert_eq!(
        first.relation(&key(code(), "1.2.4")),
        KeyRelation::Collision
    );
    assert_eq!(first.relation(&key(other, "1.2.3")), KeyRelation::Recoded);
    assert_eq!(first.relation(&key(other, "1.2.4")), KeyRelation::Distinct);
    assert!(first < key(code(), "1.2.4") && key(code(), "9") < key(other, "1"));
}

#[test]
fn institution_codes_are_twelve() {
    let institution: InstitutionCode = "H35020300001".parse().unwrap();
    assert!(institution.is_hospital());
    assert!(
        !"P35020300001"
            .parse::<InstitutionCode>()
            .unwrap()
            .is_hospital()
    );
    for (text, error) in [
        ("", InstitutionCodeError::Length { found: 0 }),
        ("H3502030000", InstitutionCodeError::Length { found: 11 }),
        ("H350203000012", InstitutionCodeError::Length { found: 13 }),
        ("H3502030000123", InstitutionCodeError::HeaderField),
        ("h35020300001", InstitutionCodeError::Character { at: 0 }),
        ("H3502030000O", InstitutionCodeError::Character { at: 11 }),
        ("H35020300００1", InstitutionCodeError::Character { at: 9 }),
    ] {
        assert_eq!(text.parse::<InstitutionCode>(), Err(error), "{text}");
    }
}

#[test]
fn study_uids_are_kept_as_they_are() {
    let longest = "1".repeat(64);
    for text in ["1", "1.2.840.10008.1", "1.02.3", &longest] {
        assert_eq!(text.parse::<StudyInstanceUid>().unwrap().as_str(), text);
    }
    for (text, error) in [
        ("", StudyUidError::Empty),
        (".1", StudyUidError::Dot { at: 0 }),
        ("1..2", StudyUidError::Dot { at: 2 }),
        ("1.", StudyUidError::Dot { at: 1 }),
        ("1.2a", StudyUidError::Character { at: 3 }),
        ("1.2\0", StudyUidError::Character { at: 3 }),
        ("***", StudyUidError::Character { at: 0 }),
    ] {
        assert_eq!(text.parse::<StudyInstanceUid>(), Err(error), "{text}");
    }
    let error = "1".repeat(65).parse::<StudyInstanceUid>();
    assert_eq!(error, Err(StudyUidError::Length { found: 65 }));
    let (a, b): (StudyInstanceUid, StudyInstanceUid) =
        ("1.2".parse().unwrap(), "1.2.0".parse().unwrap());
    assert!(a < b);
}

#[test]
fn debug_shows_neither_person_nor_accession_number() {
    let record = complete().accession_number("A4711").build().unwrap();
    let shown = format!("{record:?} {:?}", complete());
    assert!(
        !shown.contains("0708463177") && !shown.contains("4711"),
        "{shown}"
    );
}

#[cfg(feature = "serde")]
mod exchange {
    use super::*;

    #[test]
    fn json_has_these_names_and_comes_back() {
        let earlier = RecordKey::new(code(), "1.2.3".parse().unwrap());
        let record = complete()
            .exam_type(ExamType::Ct)
            .supersedes(earlier)
            .build();
        let record = record.unwrap().record().unwrap();
        let json = serde_json::to_value(&record).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "code": EXAMPLE,
                "study_instance_uid": "1.2.840.1",
                "institution": "H35020300001",
                "accession_number": null,
                "exam_type": 2,
                "parts": [],
                "series_count": 2,
                "image_count": 28,
                "supersedes": { "code": EXAMPLE, "study_instance_uid": "1.2.3" },
            })
        );
        assert_eq!(serde_json::from_value::<ExamRecord>(json).unwrap(), record);
        let mut cbor = Vec::new();
        ciborium::into_writer(&record, &mut cbor).unwrap();
        assert_eq!(
            ciborium::from_reader::<ExamRecord, _>(&cbor[..]).unwrap(),
            record
        );
    }

    /// IDX-85: fields of item and times are there where they say something, and all of them in CBOR.
    #[test]
    fn ok_item_and_times_come_back_and_are_left_out() {
        let bare = complete().build().unwrap().record().unwrap();
        let full = complete()
            .item(ExamItem::coded("0023".parse().unwrap()))
            .reported_at(moment("2024-11-23 08:00:00"));
        let full = full.build().unwrap().record().unwrap();
        for (record, fields) in [(bare, 9), (full, 11)] {
            let json = serde_json::to_value(&record).unwrap();
            assert_eq!(json.as_object().unwrap().len(), fields);
            assert_eq!(serde_json::from_value::<ExamRecord>(json).unwrap(), record);
            let mut cbor = Vec::new();
            ciborium::into_writer(&record, &mut cbor).unwrap();
            let map: ciborium::Value = ciborium::from_reader(&cbor[..]).unwrap();
            assert_eq!(map.as_map().unwrap().len(), 15);
            assert_eq!(
                ciborium::from_reader::<ExamRecord, _>(&cbor[..]).unwrap(),
                record
            );
        }
    }

    #[test]
    fn err_records_are_checked_on_the_way_in() {
        let good = serde_json::to_value(complete().build().unwrap().record().unwrap()).unwrap();
        for (field, value) in [
            ("code", serde_json::json!("1000")),
            ("study_instance_uid", serde_json::json!("***")),
            ("institution", serde_json::json!("H1")),
            ("exam_type", serde_json::json!(6)),
            ("image_count", serde_json::json!(0)),
            ("image_count", serde_json::json!(-1)),
            ("surprise", serde_json::json!(1)),
        ] {
            let mut json = good.clone();
            json[field] = value;
            assert!(
                serde_json::from_value::<ExamRecord>(json).is_err(),
                "{field}"
            );
        }
        assert!(serde_json::from_value::<ExamRecord>(good).is_ok());
    }
}

#[test]
fn parts_are_those_of_the_code_and_those_stated() {
    let site = |text: &str| -> SiteCode { text.parse().unwrap() };
    let parts = |builder: RecordBuilder| -> Vec<String> {
        let record = builder.build().unwrap().record().unwrap();
        record.parts().map(|part| part.to_string()).collect()
    };
    // Filler states nothing, a part twice is a part, order is that of the codes.
    let stated = complete()
        .part(site("BW23ZYZZZ"))
        .part(SiteCode::FILLER)
        .part(site("B020ZYZZZ"))
        .part(site("BW23ZYZZZ"));
    assert_eq!(parts(complete()), [""; 0]);
    assert_eq!(parts(stated.clone()), ["B020ZYZZZ", "BW23ZYZZZ"]);
    // The code's own comes first and is not repeated.
    let with_site = stated.site(site("BW23ZYZZZ"));
    assert_eq!(parts(with_site), ["BW23ZYZZZ", "B020ZYZZZ"]);
}
