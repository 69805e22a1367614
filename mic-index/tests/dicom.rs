//! A header becomes a draft whatever it holds, and what it cannot give is named.
#![cfg(feature = "dicom")]
#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]
#![expect(clippy::std_instead_of_alloc, reason = "tests have std")]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use dicom_core::value::{DataSetSequence, DicomDate, DicomTime};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use mic_index::dicom::{Attribute, ExamDraft, Finding, FindingKind, HeaderText};
use mic_index::{ExamTime, ExamType, ItemName};

fn study_time(date: &str, time: &str) -> ExamDraft {
    ExamDraft::from_text(
        &HeaderText::new()
            .with(Attribute::StudyDate, date)
            .with(Attribute::StudyTime, time),
    )
}

fn of(draft: &ExamDraft, attribute: Attribute) -> Vec<(FindingKind, Option<Attribute>)> {
    let of_it = draft
        .findings()
        .iter()
        .filter(|f| f.attribute() == attribute);
    of_it.map(|f| (f.kind(), f.used())).collect()
}

fn stamp(draft: &ExamDraft) -> Option<String> {
    draft.exam_time().as_ref().map(ExamTime::to_string)
}

#[track_caller]
fn reads(date: &str, time: &str, expected: &str, findings: &[(Attribute, FindingKind)]) {
    let draft = study_time(date, time);
    assert_eq!(stamp(&draft).as_deref(), Some(expected));
    let about_time = [Attribute::StudyDate, Attribute::StudyTime];
    let found: Vec<_> = draft
        .findings()
        .iter()
        .filter(|f| about_time.contains(&f.attribute()))
        .map(|f| (f.attribute(), f.kind()))
        .collect();
    assert_eq!(found, findings);
}

#[track_caller]
fn refuses(date: &str, time: &str, attribute: Attribute, kind: FindingKind) {
    let draft = study_time(date, time);
    assert_eq!(stamp(&draft), None);
    assert!(
        of(&draft, attribute).contains(&(kind, None)),
        "{:?}",
        draft.findings()
    );
}

#[test]
fn ok_whole_and_partial_times() {
    reads("20241122", "143059.123456", "202411221430", &[]);
    reads("20241122", "1430", "202411221430", &[]);
    reads(" 20241122 ", "143000 ", "202411221430", &[]);
    reads(
        "20241122",
        "08",
        "202411220800",
        &[(Attribute::StudyTime, FindingKind::HourOnly)],
    );
    reads(
        "20241122",
        "235960",
        "202411222359",
        &[(Attribute::StudyTime, FindingKind::LeapSecond)],
    );
}

#[test]
fn ok_old_forms_are_read_and_told() {
    reads(
        "2024.11.22",
        "14:30:59",
        "202411221430",
        &[
            (Attribute::StudyDate, FindingKind::OldDate),
            (Attribute::StudyTime, FindingKind::OldTime),
        ],
    );
}

#[test]
fn ok_the_first_of_several_values_is_read_and_told() {
    reads(
        "20241122\\20241123",
        "1430",
        "202411221430",
        &[(Attribute::StudyDate, FindingKind::SeveralValues)],
    );
}

#[test]
fn err_what_is_no_date_or_time() {
    refuses(
        "***",
        "1430",
        Attribute::StudyDate,
        FindingKind::Placeholder,
    );
    refuses("", "1430", Attribute::StudyDate, FindingKind::Empty);
    refuses(
        "20260230",
        "1430",
        Attribute::StudyDate,
        FindingKind::NoSuchDay,
    );
    refuses(
        "20260101-20260201",
        "1430",
        Attribute::StudyDate,
        FindingKind::Range,
    );
    refuses(
        "20260101-",
        "1430",
        Attribute::StudyDate,
        FindingKind::Range,
    );
    refuses("2026", "1430", Attribute::StudyDate, FindingKind::NotDate);
    refuses(
        "2026 101",
        "1430",
        Attribute::StudyDate,
        FindingKind::NotDate,
    );
    refuses(
        "２０２４１１２２",
        "1430",
        Attribute::StudyDate,
        FindingKind::NotDate,
    );
    refuses(
        "20241122",
        "2400",
        Attribute::StudyTime,
        FindingKind::NotTime,
    );
    refuses(
        "20241122",
        "1460",
        Attribute::StudyTime,
        FindingKind::NotTime,
    );
    refuses(
        "20241122",
        "143061",
        Attribute::StudyTime,
        FindingKind::NotTime,
    );
    refuses(
        "20241122",
        "143",
        Attribute::StudyTime,
        FindingKind::NotTime,
    );
    refuses(
        "20241122",
        "0800-0900",
        Attribute::StudyTime,
        FindingKind::Range,
    );
    refuses(
        "18991231",
        "1430",
        Attribute::StudyDate,
        FindingKind::YearOutOfRange,
    );
    refuses(
        "21550101",
        "0000",
        Attribute::StudyDate,
        FindingKind::YearOutOfRange,
    );
}

#[test]
fn both_halves_of_a_pair_are_told_at_once() {
    let draft = study_time("***", "nonsense");
    assert_eq!(
        of(&draft, Attribute::StudyDate),
        [(FindingKind::Placeholder, None)]
    );
    assert_eq!(
        of(&draft, Attribute::StudyTime),
        [(FindingKind::NotTime, None)]
    );
}

#[test]
fn the_next_pair_stands_in_and_is_named() {
    let header = HeaderText::new()
        .with(Attribute::StudyDate, "***")
        .with(Attribute::StudyTime, "101010")
        .with(Attribute::AcquisitionDateTime, "20241122063059.5+0000")
        .with(Attribute::ContentDate, "20200101")
        .with(Attribute::ContentTime, "0000");
    let draft = ExamDraft::from_text(&header);
    assert_eq!(stamp(&draft).as_deref(), Some("202411221430"));
    let used = Some(Attribute::AcquisitionDateTime);
    assert_eq!(
        of(&draft, Attribute::StudyDate),
        [(FindingKind::Placeholder, used)]
    );
    assert_eq!(
        of(&draft, Attribute::SeriesDate),
        [(FindingKind::Absent, used)]
    );
    assert_eq!(of(&draft, Attribute::ContentDate), []);
    let source = draft.time_source().unwrap();
    assert_eq!(
        (Some(source.attribute()), source.zone_stated()),
        (used, true)
    );
}

#[test]
fn a_date_is_never_joined_with_the_time_of_another_pair() {
    let header = HeaderText::new()
        .with(Attribute::StudyDate, "20241122")
        .with(Attribute::SeriesTime, "0001");
    assert_eq!(stamp(&ExamDraft::from_text(&header)), None);
}

#[test]
fn zones_lead_to_beijing_time_across_midnight() {
    let in_zone = |zone: &str| {
        let header = HeaderText::new()
            .with(Attribute::StudyDate, "20241231")
            .with(Attribute::StudyTime, "233059")
            .with(Attribute::TimezoneOffsetFromUtc, zone);
        ExamDraft::from_text(&header)
    };
    assert_eq!(stamp(&in_zone("+0800")).as_deref(), Some("202412312330"));
    assert_eq!(stamp(&in_zone("+0000")).as_deref(), Some("202501010730"));
    assert_eq!(stamp(&in_zone("-0930")).as_deref(), Some("202501011700"));
    assert_eq!(stamp(&in_zone("+1400")).as_deref(), Some("202412311730"));
    for wrong in ["0800", "+08", "+08:00", "+1500", "-1300", "-0000", "+0860"] {
        let draft = in_zone(wrong);
        assert_eq!(stamp(&draft).as_deref(), Some("202412312330"), "{wrong}");
        let findings = of(&draft, Attribute::TimezoneOffsetFromUtc);
        assert_eq!(findings, [(FindingKind::NotOffset, None)], "{wrong}");
        assert!(!draft.time_source().unwrap().zone_stated());
    }
}

#[test]
fn a_date_time_without_a_time_is_told() {
    for (text, kind) in [
        ("20241122", FindingKind::NoTime),
        ("2024", FindingKind::NoTime),
        ("yesterday", FindingKind::NotDate),
        ("2024023010", FindingKind::NoSuchDay),
    ] {
        let header = HeaderText::new().with(Attribute::AcquisitionDateTime, text);
        let draft = ExamDraft::from_text(&header);
        assert_eq!(
            of(&draft, Attribute::AcquisitionDateTime),
            [(kind, None)],
            "{text}"
        );
    }
}

#[test]
fn modality_gives_at_most_one_type() {
    let of_study = |text: &str| {
        ExamDraft::from_text(&HeaderText::new().with(Attribute::ModalitiesInStudy, text))
    };
    assert_eq!(of_study("SR\\CT\\CT").exam_type(), Some(ExamType::Ct));
    assert_eq!(of_study("CT\\PT").exam_type(), None);
    assert!(
        of(&of_study("CT\\PT"), Attribute::ModalitiesInStudy)
            .contains(&(FindingKind::SeveralExamTypes, None))
    );
    let report = ExamDraft::from_text(&HeaderText::new().with(Attribute::Modality, "SR"));
    assert_eq!((report.modality(), report.exam_type()), (Some("SR"), None));
    assert_eq!(
        of(&report, Attribute::Modality),
        [(FindingKind::NoExamType, None)]
    );
}

#[test]
fn texts_keep_their_value_and_lose_their_padding() {
    let header = HeaderText::new()
        .with(Attribute::PatientId, " 住院0001 ")
        .with(Attribute::AccessionNumber, "A-2024-11-22-000017")
        .with(Attribute::InstitutionName, "***")
        .with(Attribute::StudyInstanceUid, "1.2.3.\0");
    let draft = ExamDraft::from_text(&header);
    assert_eq!(draft.patient_id(), Some("住院0001"));
    assert_eq!(draft.accession_number(), Some("A-2024-11-22-000017"));
    assert_eq!(draft.institution_name(), None);
    let used = Some(Attribute::AccessionNumber);
    assert_eq!(
        of(&draft, Attribute::AccessionNumber),
        [(FindingKind::TooLong { max: 16 }, used)]
    );
    assert_eq!(
        of(&draft, Attribute::StudyInstanceUid),
        [(FindingKind::NotUid, None)]
    );
}

#[test]
fn nothing_personal_in_debug_or_findings() {
    let header = HeaderText::new()
        .with(Attribute::PatientId, "PAT4711")
        .with(Attribute::AccessionNumber, "ACC4711-which-is-far-too-long")
        .with(Attribute::InstitutionName, "Clinic4711")
        .with(Attribute::StudyDate, "4711");
    let draft = ExamDraft::from_text(&header);
    let mut shown = format!("{header:?} {draft:?}");
    for finding in draft.findings() {
        shown.push_str(&finding.to_string());
    }
    assert!(!shown.contains("4711"), "{shown}");
}

#[test]
fn what_is_no_text_is_told() {
    let draft = ExamDraft::from_text(&HeaderText::new().with_no_text(Attribute::StudyDate));
    assert_eq!(
        of(&draft, Attribute::StudyDate),
        [(FindingKind::NoText, None)]
    );
}

#[test]
fn elements_of_every_kind_are_read() {
    type Element = DataElement<dicom_object::InMemDicomObject, Vec<u8>>;
    let date = DicomDate::from_ymd(2024, 11, 22).unwrap();
    let time = DicomTime::from_hms(14, 30, 59).unwrap();
    let elements: [Element; 6] = [
        DataElement::new(Tag(8, 0x20), VR::DA, PrimitiveValue::from(date)),
        DataElement::new(Tag(8, 0x30), VR::TM, PrimitiveValue::from(time)),
        DataElement::new(
            Tag(8, 0x60),
            VR::UN,
            PrimitiveValue::U8(b"CT".as_slice().into()),
        ),
        DataElement::new(
            Tag(8, 0x50),
            VR::SQ,
            DataSetSequence::<dicom_object::InMemDicomObject>::empty(),
        ),
        DataElement::new(Tag(0x10, 0x20), VR::LO, PrimitiveValue::Empty),
        DataElement::new(Tag(0x20, 0x0d), VR::UI, PrimitiveValue::from("1.2.3\0")),
    ];
    let draft = ExamDraft::from_elements(&elements);
    assert_eq!(stamp(&draft).as_deref(), Some("202411221430"));
    assert_eq!(draft.exam_type(), Some(ExamType::Ct));
    assert_eq!(draft.study_instance_uid().unwrap().as_str(), "1.2.3");
    assert_eq!(
        of(&draft, Attribute::AccessionNumber),
        [(FindingKind::NoText, None)]
    );
    assert_eq!(
        of(&draft, Attribute::PatientId),
        [(FindingKind::Empty, None)]
    );
}

const GBK_HEAD_CT: &[u8] = b"\xcd\xb7\xb2\xbfCT";

/// A file in explicit little endian of a study with a name in bytes of GB 18030.
fn file_with_chinese(character_set: Option<&str>, chinese: VR) -> Vec<u8> {
    let mut object = dicom_object::InMemDicomObject::new_empty();
    if let Some(set) = character_set {
        object.put(DataElement::new(
            Tag(8, 5),
            VR::CS,
            PrimitiveValue::from(set),
        ));
    }
    for (tag, vr, value) in [
        (Tag(8, 0x16), VR::UI, "1.2.840.10008.5.1.4.1.1.7"),
        (Tag(8, 0x18), VR::UI, "1.2.3.4"),
        (Tag(8, 0x20), VR::DA, "20241122"),
        (Tag(8, 0x30), VR::TM, "1430"),
        (Tag(8, 0x60), VR::CS, "CT"),
        (Tag(0x20, 0xd), VR::UI, "1.2.3"),
    ] {
        object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
    }
    for tag in [Tag(8, 0x80), Tag(8, 0x1030)] {
        // Bytes are written as they are.
        let value = PrimitiveValue::U8(GBK_HEAD_CT.into());
        object.put(DataElement::new(tag, chinese, value));
    }
    let meta = dicom_object::FileMetaTableBuilder::new().transfer_syntax("1.2.840.10008.1.2.1");
    let mut bytes = Vec::new();
    let file = object.with_meta(meta).expect("the object has its UIDs");
    file.write_all(&mut bytes).expect("memory takes all");
    let there = |part: &&[u8]| *part == GBK_HEAD_CT;
    assert_eq!(bytes.windows(GBK_HEAD_CT.len()).filter(there).count(), 2);
    bytes
}

/// Chinese in whatever way it comes costs no draft: it is decoded, or there is a finding, and everything else is read.
#[test]
fn chinese_texts_in_gb18030_and_undeclared() {
    type Told = fn(Attribute) -> Option<(FindingKind, Option<Attribute>)>;
    let nothing: Told = |_| None;
    let no_text: Told = |_| Some((FindingKind::NoText, None));
    let undeclared: Told = |attribute| Some((FindingKind::UndeclaredCharacters, Some(attribute)));
    let (read, guessed) = (Some("头部CT"), Some("Í·²¿CT"));
    for (character_set, vr, expected, told) in [
        (Some("GB18030"), VR::LO, read, nothing),
        (Some("GBK"), VR::LO, read, nothing),
        (None, VR::LO, guessed, undeclared),
        (Some("ISO_IR 6"), VR::LO, guessed, undeclared),
        // What is declared counts, though it be wrong.
        (Some("ISO_IR 100"), VR::LO, guessed, nothing),
        (None, VR::UN, None, no_text),
        (Some("GB18030"), VR::UN, None, no_text),
    ] {
        let bytes = file_with_chinese(character_set, vr);
        let object = dicom_object::from_reader(&bytes[..]).expect("the file is whole");
        let draft =
            ExamDraft::from_elements_with(object.iter(), dicom_object::InMemDicomObject::iter);
        let case = format!("{character_set:?} {vr:?}");
        assert_eq!(draft.institution_name(), expected, "{case}");
        let item = draft.item().and_then(|item| item.name());
        assert_eq!(item.map(ItemName::as_str), expected, "{case}");
        for attribute in [Attribute::InstitutionName, Attribute::StudyDescription] {
            let expected: Vec<_> = told(attribute).into_iter().collect();
            assert_eq!(of(&draft, attribute), expected, "{case}");
        }
        assert_eq!(stamp(&draft).as_deref(), Some("202411221430"), "{case}");
        assert_eq!(draft.exam_type(), Some(ExamType::Ct), "{case}");
        assert!(draft.study_instance_uid().is_some(), "{case}");
    }
}

/// Files that say they are DICOM and that dicom-object does not open, at most.
const REFUSED_MAX: usize = 4;

/// Reads every file below `MIC_TEST_DATA`, if that is set; a set but unreadable folder fails.
#[test]
fn every_real_header_gives_a_draft() {
    let Some(root) = std::env::var_os("MIC_TEST_DATA") else {
        println!("MIC_TEST_DATA is not set: no real headers read");
        return;
    };
    let mut files = Vec::new();
    collect(Path::new(&root), &mut files);
    let (mut read, mut no_dicom, mut with_time, mut with_type) = (0, 0, 0, 0);
    let mut refused: BTreeMap<String, Vec<&Path>> = BTreeMap::new();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    let mut items: BTreeMap<&str, u32> = BTreeMap::new();
    for path in &files {
        let opened = dicom_object::OpenFileOptions::new()
            // The last attribute the draft reads is RequestedProcedureCodeSequence (0032,1064).
            .read_until(Tag(0x0032, 0x1065))
            .open_file(path);
        let object = match opened {
            Ok(object) => object,
            Err(error) if says_dicom(path) => {
                refused.entry(error.to_string()).or_default().push(path);
                continue;
            }
            Err(_) => {
                no_dicom += 1;
                continue;
            }
        };
        read += 1;
        let draft =
            ExamDraft::from_elements_with(object.iter(), dicom_object::InMemDicomObject::iter);
        let source = draft.item_source().map_or("none", Attribute::keyword);
        *items.entry(source).or_default() += 1;
        with_time += u32::from(draft.exam_time().is_some());
        with_type += u32::from(draft.exam_type().is_some());
        for finding in draft.findings() {
            *counts.entry(class(finding)).or_default() += 1;
            *kinds.entry(finding.kind().name()).or_default() += 1;
        }
        // A missing value always has a finding that says why.
        let told = |attributes: &[Attribute]| {
            draft
                .findings()
                .iter()
                .any(|f| attributes.contains(&f.attribute()) && f.used().is_none())
        };
        assert!(draft.study_instance_uid().is_some() || told(&[Attribute::StudyInstanceUid]));
        assert!(draft.exam_time().is_some() || told(&[Attribute::StudyDate, Attribute::StudyTime]));
        assert!(
            draft.exam_type().is_some()
                || told(&[Attribute::Modality, Attribute::ModalitiesInStudy])
        );
    }
    println!(
        "{} files: {read} headers ({with_time} with time, {with_type} with type), {no_dicom} no DICOM files",
        files.len()
    );
    println!("exam items by source: {items:?}");
    let refusals: usize = refused.values().map(Vec::len).sum();
    println!("{refusals} refused by dicom-object: {refused:#?}");
    for (class, count) in &counts {
        println!("{count:5}  {class}");
    }
    println!("all of a kind: {kinds:?}");
    assert!(read > 0, "no DICOM file below MIC_TEST_DATA");
    assert!(
        refusals <= REFUSED_MAX,
        "{refusals} refused by dicom-object"
    );
    assert_eq!(read + no_dicom + refusals, files.len());
}

/// Whether a file has the four letters behind the preamble.
fn says_dicom(path: &Path) -> bool {
    let mut start = [0; 132];
    let file = std::fs::File::open(path);
    file.and_then(|mut file| file.read_exact(&mut start))
        .is_ok_and(|()| start.ends_with(b"DICM"))
}

fn class(finding: &Finding) -> String {
    let used = finding
        .used()
        .map_or("nothing".into(), |used| used.keyword().to_string());
    format!(
        "{} {:?}, used {used}",
        finding.attribute().keyword(),
        finding.kind()
    )
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("MIC_TEST_DATA can be read");
    for entry in entries {
        let path = entry.expect("MIC_TEST_DATA can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
