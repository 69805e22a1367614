//! The main job: the scene runs, everything adds up, and a second run moves no bytes.

#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn demo(state: &Path, more: &[&str]) -> (Output, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_mic"))
        .args(["demo", "--json", "--state"])
        .arg(state)
        .args(more)
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, report)
}

#[track_caller]
fn check(output: &Output, report: &Value) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(report["ok"], true, "{said}");
    let intake = &report["intake"];
    let count = |name: &str| intake[name].as_u64().unwrap();
    let passed_over = intake["passed_over"].as_array().unwrap().len() as u64;
    assert_eq!(
        count("files"),
        count("stored") + count("held") + count("repeated") + passed_over
    );
    assert_eq!(report["proven"]["missing"], 0);
    assert_eq!(
        report["proven"]["identical"].as_u64().unwrap(),
        count("stored") + count("held")
    );
}

fn bytes(report: &Value, step: &str) -> u64 {
    let steps = report["steps"].as_array().unwrap();
    let step = steps.iter().find(|row| row["step"] == step).unwrap();
    step["bytes"].as_u64().unwrap()
}

#[test]
fn ok_the_made_ct_goes_through_and_a_second_run_moves_no_bytes() {
    let state = tempfile::tempdir().unwrap();
    let more = ["--slices", "9"];
    let (output, report) = demo(state.path(), &more);
    check(&output, &report);
    assert_eq!(report["intake"]["stored"], 9);
    assert!(bytes(&report, "take_in") > 4_000_000);
    assert_eq!(bytes(&report, "take_in"), bytes(&report, "pull"));
    let posted = report["bill"]["posted"]["appended"].as_array().unwrap();
    assert_eq!(posted.len(), 2);
    for picture in [
        "consent-qr.png",
        "study-001-preview.png",
        "study-001-sheet.png",
    ] {
        let png = std::fs::read(state.path().join("pictures").join(picture)).unwrap();
        assert!(png.starts_with(b"\x89PNG"), "{picture}");
    }

    let (output, again) = demo(state.path(), &more);
    check(&output, &again);
    assert_eq!(again["intake"]["held"], 9);
    assert_eq!((bytes(&again, "take_in"), bytes(&again, "pull")), (0, 0));
    assert_eq!(again["job"]["instances_held"], 9);
    assert_eq!(
        again["bill"]["posted"]["appended"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    assert_eq!(again["studies"][0]["indexed"], "duplicate");
    assert_eq!(
        again["studies"][0]["exam_time"],
        report["studies"][0]["exam_time"]
    );
}

#[test]
fn ok_real_studies_of_every_kind_go_through() {
    let Some(data) = std::env::var_os("MIC_TEST_DATA") else {
        eprintln!("MIC_TEST_DATA is not set: only made studies were played");
        return;
    };
    for folder in [
        "zh-charsets",
        "ge-ct-hispeed-transcoded",
        "sr-seg-rwvm",
        "siemens-mr-skyra",
    ] {
        let state = tempfile::tempdir().unwrap();
        let studies = Path::new(&data).join(folder);
        let (output, report) = demo(state.path(), &["--studies", studies.to_str().unwrap()]);
        check(&output, &report);
        eprintln!(
            "{folder}: {} files, {} studies",
            report["intake"]["files"],
            report["studies"].as_array().unwrap().len()
        );
    }
}

#[test]
fn ok_a_folder_that_is_no_dicom_at_all_is_the_datas_fault() {
    let (state, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("minutes.txt"), "minutes of a meeting").unwrap();
    let (output, _) = demo(
        state.path(),
        &["--studies", folder.path().to_str().unwrap()],
    );
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("none of 1 files is a DICOM instance"),
        "{said}"
    );
}

#[test]
fn err_a_folder_that_is_not_there_is_wrong_use() {
    let state = tempfile::tempdir().unwrap();
    let (output, _) = demo(state.path(), &["--studies", "no-such-folder"]);
    assert_eq!(output.status.code(), Some(2));
}
