//! The schemas in `spec/` are those the types give, and say of every record vector what it expects.
#![cfg(feature = "schemars")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mic_index::{
    DeviceCode, ExamRecord, ExamTime, ExamType, IndexCode, InstitutionCode, PersonCode, RecordKey,
    SiteCode, StorageUnitCode, StudyInstanceUid,
};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

/// A schema as it is checked in: of what is read, the wider of the two contracts.
fn schema<T: JsonSchema>(title: &str) -> Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["title"] = json!(title);
    schema
}

/// All parts side by side, so that a validator can point at each.
fn parts() -> Value {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    _ = generator.subschema_for::<IndexCode>();
    _ = generator.subschema_for::<PersonCode>();
    _ = generator.subschema_for::<ExamTime>();
    _ = generator.subschema_for::<SiteCode>();
    _ = generator.subschema_for::<DeviceCode>();
    _ = generator.subschema_for::<StorageUnitCode>();
    _ = generator.subschema_for::<StudyInstanceUid>();
    _ = generator.subschema_for::<InstitutionCode>();
    _ = generator.subschema_for::<ExamType>();
    _ = generator.subschema_for::<RecordKey>();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Index code, its parts and what stands beside it",
        "$ref": "#/$defs/IndexCode",
        "$defs": generator.take_definitions(true),
    })
}

/// `MIC_SCHEMA_WRITE=1` writes the files instead of comparing them.
#[track_caller]
fn is_checked_in(name: &str, schema: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("spec")
        .join(name);
    let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if std::env::var_os("MIC_SCHEMA_WRITE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap();
    let checked_in: Value = serde_json::from_str(&checked_in).unwrap();
    assert_eq!(&checked_in, schema, "spec/{name}: see MIC_SCHEMA_WRITE");
}

#[test]
fn schemas_are_those_checked_in() {
    is_checked_in("index-code.schema.json", &parts());
    let record = schema::<ExamRecord>("Record of an exam");
    is_checked_in("exam-record.schema.json", &record);
}

/// A written record has every field, and its code is in the printed form.
#[test]
fn what_is_written_is_described_more_narrowly() {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let written = SchemaGenerator::new(settings).into_root_schema_for::<ExamRecord>();
    let written = written.to_value();
    assert_eq!(written["required"].as_array().unwrap().len(), 9);
    assert_eq!(written["$defs"]["IndexCode"]["minLength"], 82);
    let read = schema::<ExamRecord>("");
    assert_eq!(read["required"].as_array().unwrap().len(), 5);
    assert_eq!(read["$defs"]["IndexCode"]["minLength"], 78);
}

const VALIDATE: &str = r"
import json, sys
from jsonschema import Draft202012Validator
record, code, vectors, valid, invalid = (json.loads(line) for line in sys.stdin)
Draft202012Validator.check_schema(record)
Draft202012Validator.check_schema(code)
of_record = Draft202012Validator(record)
for case in vectors['cases']:
    print('record', case['id'], 'accepts' if of_record.is_valid(case['input']) else 'refuses')
of_code = Draft202012Validator(code)
for case in valid['cases'] + invalid['cases']:
    if 'input' in case:
        print('code', case['id'], 'accepts' if of_code.is_valid(case['input']) else 'refuses')
";

/// Python's jsonschema is the judge: the validators written in Rust would add some seventy crates to
/// every test build.
#[test]
fn vectors_and_schemas_agree() {
    let there = Command::new("python3")
        .args(["-c", "import jsonschema"])
        .stderr(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var_os("MIC_PEERS").is_none(),
            "MIC_PEERS asks for every peer, and this one is missing"
        );
        println!("python3 with jsonschema is not there: the schemas were not run");
        return;
    }
    let mut python = Command::new("python3")
        .args(["-c", VALIDATE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let file = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let vectors = file(include_str!("../vectors/record.json"));
    let valid = file(include_str!("../vectors/valid.json"));
    let invalid = file(include_str!("../vectors/invalid.json"));
    let mut stdin = python.stdin.take().unwrap();
    for value in [
        &schema::<ExamRecord>(""),
        &parts(),
        &vectors,
        &valid,
        &invalid,
    ] {
        writeln!(stdin, "{value}").unwrap();
    }
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    let answer = |kind: &str, id: &Value| {
        let of_it = format!("{kind} {} ", id.as_str().unwrap());
        let line = answers.lines().find_map(|line| line.strip_prefix(&of_it));
        line.unwrap().to_owned()
    };

    for case in vectors["cases"].as_array().unwrap() {
        let expected = case["expect"]["schema"].as_str().unwrap_or("accepts");
        assert_eq!(answer("record", &case["id"]), expected, "{}", case["id"]);
    }
    for case in valid["cases"].as_array().unwrap() {
        assert_eq!(answer("code", &case["id"]), "accepts", "{}", case["id"]);
    }
    let mut leap_days = 0;
    for case in invalid["cases"].as_array().unwrap() {
        // Beyond a pattern: leap years, and check characters where they are required.
        let day = case["expect"]["faults"]
            .as_array()
            .unwrap()
            .iter()
            .all(|fault| fault["kind"] == "day" && fault["expected"] == "01 to 28");
        if case["input"].is_null() || !case["check_policy"].is_null() {
            continue;
        }
        leap_days += u32::from(day);
        let expected = if day { "accepts" } else { "refuses" };
        assert_eq!(answer("code", &case["id"]), expected, "{}", case["id"]);
    }
    assert!(leap_days > 0, "the exception has a case");
}
