//! `mic bill` as a shell user sees it: what it prints and how it ends.

#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const EVENTS: &str = concat!(
    r#"{"institution":"H44030500001","encounter":"E1","person":"000102030405060708090a0b0c0d0e0f","kind":"performed","exam":"F1","modality":"ct","occurred":"2025-12-01T09:20:00+08:00","known":"2025-12-01T09:20:00+08:00","source":"hospital"}"#,
    "\n",
    r#"{"institution":"H44030500001","encounter":"E1","person":"000102030405060708090a0b0c0d0e0f","kind":"index_accepted","exam":"F1","receipt":"R-1","occurred":"2025-12-01T11:00:00+08:00","known":"2025-12-01T11:00:00+08:00","source":"platform"}"#,
    "\n",
    r#"{"institution":"H44030500001","encounter":"E1","person":"000102030405060708090a0b0c0d0e0f","kind":"performed","exam":"F2","modality":"xray","occurred":"2025-12-01T09:40:00+08:00","known":"2025-12-01T09:40:00+08:00","source":"hospital"}"#,
    "\n",
);
const CSV: &str = "\
institution,encounter,person,kind,exam,modality,receipt,occurred,known,source
H44030500001,E1,000102030405060708090a0b0c0d0e0f,performed,F1,ct,,2025-12-01T09:20:00+08:00,2025-12-01T09:20:00+08:00,hospital
H44030500001,E1,000102030405060708090a0b0c0d0e0f,index_accepted,F1,,R-1,2025-12-01T11:00:00+08:00,2025-12-01T11:00:00+08:00,platform
H44030500001,E1,000102030405060708090a0b0c0d0e0f,performed,F2,xray,,2025-12-01T09:40:00+08:00,2025-12-01T09:40:00+08:00,hospital
";
const LATER: &str = "2025-12-10T00:00:00+08:00";

fn mic(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mic"))
        .arg("bill")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn ends(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn file(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn ok_run_prints_lines_and_months() {
    let folder = tempfile::tempdir().unwrap();
    let events = file(folder.path(), "events.ndjson", EVENTS);
    let out = ends(&mic(&["run", &events, "--at", LATER]), 0);
    for part in [
        "1 visits: 1 assessed",
        "H44030500001/exam/E1/F2",
        "deduction",
        "-5.00",
        "H44030500001 2025-12: 2 lines, -5.00 yuan",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let out = ends(&mic(&["run", &events, "--at", LATER, "--json"]), 0);
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["amount_fen"], -500);
    let out = ends(
        &mic(&[
            "run",
            &events,
            "--at",
            LATER,
            "--book",
            "fictional-separate-item",
        ]),
        0,
    );
    assert!(out.contains("1 lines, 5.00 yuan"), "{out}");
}

/// The same events as NDJSON, CSV and JSON, by the ending of the file's name, by the option and from
/// the standard input, are the same lines.
#[test]
fn ok_every_format_gives_the_same_lines() {
    let folder = tempfile::tempdir().unwrap();
    let array = format!("[{}]", EVENTS.trim_end().replace('\n', ",\n"));
    let expected = {
        let events = file(folder.path(), "events.ndjson", EVENTS);
        ends(&mic(&["run", &events, "--at", LATER, "--json"]), 0)
    };
    assert_eq!(expected.lines().count(), 2);
    for (format, content) in [("ndjson", EVENTS), ("csv", CSV), ("json", &array)] {
        let by_name = file(folder.path(), &format!("same.{format}"), content);
        let out = ends(&mic(&["run", &by_name, "--at", LATER, "--json"]), 0);
        assert_eq!(out, expected, "{format} by its name");
        let unnamed = file(folder.path(), &format!("same-{format}"), content);
        let told = ["run", &unnamed, "--at", LATER, "--json", "--format", format];
        assert_eq!(ends(&mic(&told), 0), expected, "{format} by the option");
        let stdin = std::fs::File::open(&by_name).unwrap();
        let piped = Command::new(env!("CARGO_BIN_EXE_mic"))
            .args(["bill", "run", "-", "--at", LATER, "--json"])
            .args(["--format", format])
            .stdin(stdin)
            .output()
            .unwrap();
        assert_eq!(
            ends(&piped, 0),
            expected,
            "{format} from the standard input"
        );
    }
}

#[test]
fn ok_explain_tells_a_line_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let events = file(folder.path(), "events.ndjson", EVENTS);
    let unit = "H44030500001/exam/E1/F2";
    let out = ends(
        &mic(&["explain", &events, "--at", LATER, "--unit", unit]),
        0,
    );
    assert!(
        out.contains("减收 5.00 元") && out.contains("Deducted 5.00 yuan"),
        "{out}"
    );
    assert!(out.contains("深医保〔2025〕19号"), "{out}");
    let out = ends(
        &mic(&[
            "explain", &events, "--at", LATER, "--unit", unit, "--lang", "en",
        ]),
        0,
    );
    assert!(!out.contains("减收 5.00 元"), "{out}");
    ends(
        &mic(&[
            "explain",
            &events,
            "--at",
            LATER,
            "--unit",
            "H44030500001/exam/E1/F9",
        ]),
        1,
    );
}

#[test]
fn ok_compare_makes_the_visit_itself() {
    let out = ends(
        &mic(&["compare", "shenzhen", "guangdong", "--lang", "en"]),
        0,
    );
    assert!(out.starts_with("the books differ on "), "{out}");
    assert!(
        out.contains("\nshenzhen:\n") && out.contains("\nguangdong:\n"),
        "{out}"
    );
    ends(
        &mic(&["compare", "shenzhen", "guangdong", "--expect-same"]),
        1,
    );
    let out = ends(
        &mic(&["compare", "shenzhen", "shenzhen", "--expect-same", "--json"]),
        0,
    );
    assert_eq!(
        serde_json::from_str::<Value>(&out).unwrap()["found"],
        "same"
    );
}

#[test]
fn err_check_tells_every_fault_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let book = file(
        folder.path(),
        "city.toml",
        "format = \"mic-billing-book/1\"\nid = \"c\"\nname = \"made up\"\nlevel = \"city\"\nregion = \"990100\"\nfictional = true\n\n[[version]]\nid = \"1\"\nfrom = \"2024-01-01\"\nknown_from = \"2024-01-01T00:00:00+08:00\"\nverified = false\n",
    );
    let out = ends(&mic(&["check", &book]), 1);
    // All that is missing at once.
    assert!(out.contains("line 8: expected a charge model"), "{out}");
    assert!(out.contains("line 8: expected the fact price"), "{out}");
    let out = ends(&mic(&["check", "guangdong+shenzhen"]), 0);
    assert!(out.ends_with("the book holds together\n"), "{out}");
    // The nation is no book alone.
    ends(&mic(&["check", "nation"]), 1);
    ends(&mic(&["check", "no-such-book"]), 2);
}

#[test]
fn ok_retention_rolls_from_the_last_visit() {
    let folder = tempfile::tempdir().unwrap();
    let events = file(folder.path(), "events.ndjson", EVENTS);
    let out = ends(&mic(&["retention", &events, "--json"]), 0);
    let row: Value = serde_json::from_str(out.trim()).unwrap();
    // Nobody told the setting: kept as a stay.
    assert_eq!(row["years"], 30);
    assert_eq!(row["first_disposable"], "2055-12-02");
}

#[test]
fn err_faults_of_events_are_told_by_line_and_repeat_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let broken = EVENTS.replace("\"ct\"", "\"a name\"");
    let events = file(folder.path(), "events.ndjson", &broken);
    let output = mic(&["run", &events]);
    ends(&output, 1);
    let told = text(&output.stderr);
    assert!(
        told.contains("line 1") && told.contains("modality"),
        "{told}"
    );
    assert!(!told.contains("a name"), "{told}");
    ends(&mic(&["run", "no-such-file.ndjson"]), 2);
    ends(&mic(&["run"]), 2);
}
