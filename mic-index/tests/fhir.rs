//! Records become studies and come back; what does not is told.
#![cfg(all(feature = "fhir", feature = "arbitrary"))]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Write;
use std::process::{Command, Stdio};

use arbitrary::{Arbitrary, Unstructured};
use mic_index::fhir::{
    Finding, FindingKind, Identifier, ImagingStudy, Mapper, Modality, Reference, Release, Subject,
    Systems,
};
use mic_index::{ExamRecord, IndexCode, RecordBuilder, index_code};
use proptest::prelude::*;
use serde_json::{Value, json};

const EXAMPLE: IndexCode = index_code!(
    "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
);
const PERSON: &str = "10000000000000000708463177";

fn cases() -> Vec<Value> {
    let root: Value = serde_json::from_str(include_str!("../vectors/fhir.json")).unwrap();
    root["cases"].as_array().unwrap().clone()
}

fn mapper(case: &Value) -> Mapper {
    Mapper::new(match case["release"].as_str().unwrap() {
        "R4" => Release::R4,
        _ => Release::R5,
    })
}

fn named(findings: &[Finding]) -> Vec<String> {
    let name = |finding: &Finding| format!("{} {}", finding.element(), finding.kind().name());
    findings.iter().map(name).collect()
}

#[test]
fn every_vector() {
    for case in cases() {
        let (id, input, expect) = (&case["id"], &case["input"], &case["expect"]);
        let refused = if expect["refused"].is_null() {
            json!([])
        } else {
            expect["refused"].clone()
        };
        if case["direction"] == "write" {
            let record: ExamRecord = serde_json::from_value(input["record"].clone()).unwrap();
            let subject = input["subject"]
                .as_str()
                .map_or(Subject::PersonCode, Subject::Reference);
            let modalities = input["modalities"].as_array().unwrap().iter();
            let mapper = mapper(&case).modalities(modalities.map(|code| code.as_str().unwrap()));
            let (study, findings) = mapper.write(&record, subject);
            assert_eq!(
                serde_json::to_value(&study).unwrap(),
                expect["study"],
                "{id}"
            );
            assert_eq!(json!(named(&findings)), refused, "{id}");
        } else {
            let study: ImagingStudy = serde_json::from_value(input.clone()).unwrap();
            let (builder, findings) = mapper(&case).read(&study);
            assert_eq!(json!(named(&findings)), refused, "{id}");
            match builder.build() {
                Ok(outcome) => {
                    let record = serde_json::to_value(outcome.record().unwrap()).unwrap();
                    assert_eq!(record, expect["record"], "{id}");
                }
                Err(error) => assert_eq!(json!(error.to_string()), expect["error"], "{id}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// What comes back is the record, less what the findings name.
    #[test]
    fn records_come_back(bytes in prop::collection::vec(any::<u8>(), 600), r5: bool, named: bool) {
        let Ok(record) = ExamRecord::arbitrary(&mut Unstructured::new(&bytes)) else {
            return Ok(());
        };
        let mapper = Mapper::new(if r5 { Release::R5 } else { Release::R4 });
        let subject = if named { Subject::PersonCode } else { Subject::Reference("Patient/17") };
        let (study, findings) = mapper.write(&record, subject);
        let lost = |element: &str| findings.iter().any(|finding| finding.element() == element);

        let json = serde_json::to_string(&study).unwrap();
        let study: ImagingStudy = serde_json::from_str(&json).unwrap();
        let (builder, read) = mapper.read(&study);
        prop_assert_eq!(read, []);
        let mut expected = ExamRecord::builder()
            .code(record.code())
            .study_instance_uid(record.study_instance_uid())
            .institution(record.institution());
        expected = record.parts().fold(expected, RecordBuilder::part);
        if let Some(number) = record.accession_number() {
            expected = expected.accession_number(number);
        }
        if let Some(exam_type) = record.exam_type().filter(|_| !lost("modality")) {
            expected = expected.exam_type(exam_type);
        }
        if let Some(item) = record.item() {
            expected = expected.item(item.clone());
        }
        if let Some(start) = record.started_at().filter(|_| !lost("started_at")) {
            expected = expected.started_at(start);
        }
        prop_assert_eq!(record.supersedes().is_some(), lost("supersedes"));
        prop_assert_eq!(record.ordered_at().is_some(), lost("ordered_at"));
        prop_assert_eq!(record.ended_at().is_some(), lost("ended_at"));
        prop_assert_eq!(record.reported_at().is_some(), lost("reported_at"));
        let filled = record.started_at().is_some_and(|start| start.second() == 0);
        prop_assert_eq!(filled, lost("started_at"));
        let kept = |element, count| if lost(element) { 0 } else { count };
        let series = kept("numberOfSeries", record.series_count());
        let images = kept("numberOfInstances", record.image_count());
        prop_assert_eq!(builder.build(), expected.counts(series, images).build());
    }
}

/// The person code by itself goes out only where the caller says so.
#[test]
fn a_subject_by_reference_names_nobody() {
    let record: ExamRecord = serde_json::from_value(cases()[0]["input"]["record"].clone()).unwrap();
    for release in [Release::R4, Release::R5] {
        let mapper = Mapper::new(release);
        let json = |subject| serde_json::to_value(mapper.write(&record, subject).0).unwrap();
        let by_reference = json(Subject::Reference("Patient/17"));
        assert_eq!(
            by_reference["subject"],
            json!({ "reference": "Patient/17" })
        );
        // The code holds the person; nothing else does.
        assert_eq!(by_reference.to_string().matches(PERSON).count(), 1);
        assert_eq!(
            json(Subject::PersonCode)
                .to_string()
                .matches(PERSON)
                .count(),
            2
        );
    }
}

#[test]
fn systems_are_the_callers() {
    let systems = Systems {
        code: "https://example.org/code".into(),
        institution: "https://example.org/institution".into(),
        ..Systems::default()
    };
    let record: ExamRecord = serde_json::from_value(cases()[0]["input"]["record"].clone()).unwrap();
    let own = Mapper::new(Release::R4).systems(systems.clone());
    let (study, _) = own.write(&record, Subject::Reference("Patient/17"));
    assert_eq!(
        study.identifier[0].system.as_deref(),
        Some("https://example.org/code")
    );
    assert_eq!(own.read(&study).0.build().unwrap().record(), Some(record));
    // Under other URIs the code is not seen.
    let (_, findings) = Mapper::new(Release::R4).read(&study);
    assert_eq!(findings[0].kind(), FindingKind::NoCode);
    let identifier = Identifier::of_code(EXAMPLE, &systems);
    assert_eq!(identifier.index_code(&systems), Some(Ok(EXAMPLE)));
    assert_eq!(identifier.index_code(&Systems::default()), None);
}

#[test]
fn nothing_personal_in_debug_or_errors() {
    let record: ExamRecord = serde_json::from_value(cases()[0]["input"]["record"].clone()).unwrap();
    let (study, findings) = Mapper::new(Release::R5).write(&record, Subject::PersonCode);
    let mut shown = format!("{study:?} {findings:?}");
    let searched: ImagingStudy = serde_json::from_value(json!({
        "resourceType": PERSON, "id": PERSON, "status": PERSON, "started": PERSON, PERSON: 1,
        "subject": { "reference": format!("Patient?identifier=urn:oid:1.2|{PERSON}"), "type": PERSON },
        "basedOn": [{ "reference": PERSON }],
        "modality": [{ "code": PERSON }],
        "location": { "reference": PERSON },
    }))
    .unwrap();
    shown += &format!("{searched:?} {searched:#?} {:?}", searched.subject);
    shown += &format!("{:?}", Mapper::new(Release::R5).read(&searched).1);
    for error in [
        serde_json::from_str::<Reference>("\"Zhang San\"").unwrap_err(),
        serde_json::from_str::<Modality>("\"Zhang San\"").unwrap_err(),
        serde_json::from_str::<Modality>(r#"{"code": ["Zhang San"]}"#).unwrap_err(),
        serde_json::from_str::<ImagingStudy>(r#"{"numberOfSeries": "Zhang San"}"#).unwrap_err(),
        serde_json::from_str::<ImagingStudy>(r#"{"subject": "Zhang San"}"#).unwrap_err(),
        serde_json::from_str::<Identifier>(r#"{"value": {"Zhang San": 1}}"#).unwrap_err(),
        serde_json::from_str::<Identifier>("7084631").unwrap_err(),
    ] {
        shown += &format!("{error} {error:?}");
    }
    assert!(
        !shown.contains("Zhang") && !shown.contains("7084631"),
        "{shown}"
    );
    for json in [
        json!({ "resourceType": "ImagingStudy", "identifier": [{ "value": 1_000_000_000_000_000_000_u64 }] }),
        json!({ "resourceType": "ImagingStudy", "identifier": PERSON }),
        json!({ "resourceType": "ImagingStudy", "numberOfSeries": PERSON }),
        json!({ "resourceType": [PERSON] }),
    ] {
        let error = serde_json::from_value::<ImagingStudy>(json).unwrap_err();
        shown += &format!("{error} {error:?}");
    }
    assert!(
        !shown.contains("708463177") && !shown.contains("000000000000"),
        "{shown}"
    );
}

/// The models of another project, which refuse names and types that are not FHIR's.
#[test]
fn models_of_others_take_the_studies() {
    const VALIDATE: &str = r"
import json, sys
from fhir.resources.R4B.imagingstudy import ImagingStudy as R4
from fhir.resources.imagingstudy import ImagingStudy as R5
for line in sys.stdin:
    case = json.loads(line)
    model = R4 if case['release'] == 'R4' else R5
    study = case['expect']['study']
    again = json.loads(model.model_validate(study).model_dump_json())
    assert set(again) == set(study), (case['id'], set(again) ^ set(study))
    print(case['id'])
";
    let there = Command::new("python3")
        .args(["-c", "import fhir.resources"])
        .stderr(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var_os("MIC_PEERS").is_none(),
            "MIC_PEERS asks for every peer, and this one is missing"
        );
        println!("python3 with fhir.resources is not there: its models were not asked");
        return;
    }
    let mut python = Command::new("python3")
        .args(["-c", VALIDATE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let mut written = 0;
    for case in cases() {
        // A uid that is no oid is told as a finding, and those models check it.
        if case["direction"] == "write" && !case["id"].as_str().unwrap().starts_with("uid-") {
            writeln!(stdin, "{case}").unwrap();
            written += 1;
        }
    }
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), written);
}
