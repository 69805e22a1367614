//! Readers: what is written is read, what is wrong is told with its place, nothing is dropped.

#![cfg(all(feature = "read", feature = "toml"))]
#![expect(clippy::unwrap_used, reason = "a test")]

extern crate alloc;

mod common;

use std::io::{BufReader, Read};

use common::strategies::{book, event, events, moment, terms};
use mic_billing::{
    Event, EventReader, Links, RECORD_BYTES_MAX, ReadError, ReadErrorKind, Runs, Sweep,
};
use proptest::prelude::*;
use serde_json::Value;

const NAMES: [&str; 16] = [
    "institution",
    "encounter",
    "person",
    "kind",
    "occurred",
    "known",
    "source",
    "exam",
    "modality",
    "amount_fen",
    "study",
    "receipt",
    "setting",
    "to",
    "payer",
    "hold",
];

fn ndjson(events: &[Event]) -> String {
    let line = |event| serde_json::to_string(event).unwrap() + "\n";
    events.iter().map(line).collect()
}

/// Columns in any order, every field quoted or not.
fn csv(events: &[Event], turn: usize, quoted: bool) -> String {
    let mut names = NAMES;
    names.rotate_left(turn % NAMES.len());
    let quote = |text: &str| {
        let needed = quoted || text.contains([',', '"']);
        if needed {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let mut text = names.join(",") + "\r\n";
    for event in events {
        let fields = serde_json::to_value(event).unwrap();
        let row: Vec<String> = names
            .iter()
            .map(|name| match &fields[*name] {
                Value::Null => String::new(),
                Value::String(text) => quote(text),
                other => quote(&other.to_string()),
            })
            .collect();
        text += &row.join(",");
        text += "\r\n";
    }
    text
}

fn read(format: &str, bytes: &[u8]) -> Vec<Result<Event, ReadError>> {
    // A buffer of seven bytes: no record may depend on where the system cuts.
    let source = BufReader::with_capacity(7, bytes);
    match format {
        "csv" => EventReader::csv(source).collect(),
        "ndjson" => EventReader::ndjson(source).collect(),
        _ => EventReader::json(source).collect(),
    }
}

fn whole(found: Vec<Result<Event, ReadError>>) -> Vec<Event> {
    found.into_iter().map(Result::unwrap).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every format gives back what was written.
    #[test]
    fn ok_what_is_written_is_read(events in events(), turn in 0_usize..16, quoted in any::<bool>()) {
        prop_assert_eq!(&whole(read("ndjson", ndjson(&events).as_bytes())), &events);
        prop_assert_eq!(&whole(read("csv", csv(&events, turn, quoted).as_bytes())), &events);
        prop_assert_eq!(&whole(read("json", &serde_json::to_vec(&events).unwrap())), &events);
        prop_assert_eq!(&whole(read("json", &serde_json::to_vec_pretty(&events).unwrap())), &events);
    }

    /// Each line that is not empty is an event or an error, however it is broken, and an error has
    /// the line it is on.
    #[test]
    fn ok_nothing_is_dropped(events in prop::collection::vec(event(), 1..6), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), as_csv in any::<bool>()) {
        let text = if as_csv { csv(&events, 3, false) } else { ndjson(&events) };
        let mut bytes = text.into_bytes();
        let header = if as_csv { bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1 } else { 0 };
        for (at, byte) in edits {
            let at = header + at.index(bytes.len() - header);
            bytes[at] = byte;
        }
        let found = read(if as_csv { "csv" } else { "ndjson" }, &bytes);
        let lines = bytes[header..].split(|byte| *byte == b'\n').filter(|line| !matches!(*line, b"" | b"\r"));
        prop_assert_eq!(found.len(), lines.count());
        let numbers: Vec<u64> = found.iter().filter_map(|event| event.as_ref().err()).map(ReadError::line).collect();
        prop_assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    }

    /// A record is read exactly where serde reads it, and as the same event.
    #[test]
    fn ok_agrees_with_serde(event in event(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = serde_json::to_vec(&event).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assume!(!bytes.contains(&b'\n'));
        let theirs = serde_json::from_slice::<Event>(&bytes).ok();
        let ours = read("ndjson", &bytes).pop().and_then(Result::ok);
        prop_assert_eq!(&ours, &theirs);
        let array = [b"[".as_slice(), &bytes, b"]"].concat();
        prop_assert_eq!(read("json", &array).into_iter().next().and_then(Result::ok), theirs);
    }

    /// A file swept visit by visit comes to what all visits come to.
    #[test]
    fn ok_a_file_is_swept_visit_by_visit(mut events in events(), terms in terms(), at in moment()) {
        let terms = common::reference::Terms { counting_unit: mic_billing::CountingUnit::Encounter, deduction_unit: mic_billing::CountingUnit::Exam, ..terms };
        let book = book(&terms);
        let expected = common::visits(&events).desired(&book, at).unwrap().len();
        events.sort_by_key(Event::visit);
        let text = csv(&events, 0, false);
        let mut links = Links::default();
        EventReader::csv(text.as_bytes()).for_each(|event| links.learn(&event.unwrap(), at));
        let mut sweep = Sweep::new(&book, at, links).unwrap();
        let mut runs = Runs::new(EventReader::csv(text.as_bytes()));
        let mut found = 0;
        while let Some(run) = runs.next_run().unwrap() {
            found += sweep.visit(run).unwrap().lines().count();
        }
        prop_assert_eq!(found + sweep.linked().unwrap().len(), expected);
    }
}

/// Every vector: the events that are read, and each error with its place.
#[test]
fn readers() {
    let mut wrong = Vec::new();
    for case in common::cases("readers") {
        let format = case["input"]["format"].as_str().unwrap();
        let text = case["input"]["text"].as_str().unwrap();
        let found = read(format, text.as_bytes());
        let errors: Vec<String> = found
            .iter()
            .filter_map(|event| event.as_ref().err())
            .map(ToString::to_string)
            .collect();
        let mut shown = serde_json::json!({ "events": found.len() - errors.len() });
        if !errors.is_empty() {
            shown["errors"] = errors.into();
        }
        if shown != case["expect"] {
            wrong.push(format!(
                "{}: expected\n  {}\nfound\n  {shown}",
                case["id"], case["expect"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A record past the bound is an error with its line, in memory that doesn't grow with it, and the
/// next one is read.
#[test]
fn err_a_record_past_the_bound() {
    let event =
        serde_json::to_string(&common::events(&common::cases("models")[0]["input"]["events"])[0])
            .unwrap();
    let kind = ReadErrorKind::TooLong {
        max: RECORD_BYTES_MAX,
    };
    let long = format!("{{\"exam\":\"{}\"}}", "x".repeat(3 * RECORD_BYTES_MAX));
    for (format, text) in [
        ("ndjson", format!("{long}\n{event}")),
        ("json", format!("[{long},\n{event}]")),
    ] {
        let found = read(format, text.as_bytes());
        assert_eq!(found.len(), 2, "{format}");
        assert_eq!(found[0].as_ref().unwrap_err().kind(), &kind);
        assert_eq!(found[0].as_ref().unwrap_err().line(), 1);
        assert!(found[1].is_ok(), "{format}");
    }
}

/// No error repeats what stood there: a name in the wrong column stays out of logs.
#[test]
fn err_no_error_repeats_its_record() {
    let event = &common::events(&common::cases("models")[0]["input"]["events"])[0];
    let whole = serde_json::to_value(event).unwrap();
    for name in NAMES {
        for value in [
            Value::from("张三丰"),
            Value::from(4403),
            Value::from(vec!["张三丰"]),
        ] {
            let mut record = whole.clone();
            record[name] = value;
            let text = format!("{:?}", read("ndjson", record.to_string().as_bytes()));
            assert!(
                !text.contains('张') && !text.contains("4403\""),
                "{name}: {text}"
            );
        }
        let mut record = whole.clone();
        record[format!("张{name}")] = 1.into();
        let error = read("ndjson", record.to_string().as_bytes())[0]
            .clone()
            .unwrap_err();
        assert_eq!(error.kind(), &ReadErrorKind::UnknownField);
        assert!(!error.to_string().contains('张'));
    }
}

/// A source that fails in the middle is told once, with the line, and nothing after it is made up.
#[test]
fn err_a_source_that_fails() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    let event =
        serde_json::to_string(&common::events(&common::cases("models")[0]["input"]["events"])[0])
            .unwrap()
            + "\n";
    let source = BufReader::new(event.as_bytes().chain(Failing));
    let found: Vec<_> = EventReader::ndjson(source).collect();
    assert!(found.len() == 2 && found[0].is_ok());
    let error = found[1].as_ref().unwrap_err();
    assert_eq!(
        (error.line(), error.kind()),
        (
            2,
            &ReadErrorKind::Io {
                kind: std::io::ErrorKind::ConnectionReset
            }
        )
    );
}

/// An element that is no object is one error; the records around it are read (BIL-26).
#[test]
fn err_an_odd_element_of_an_array_costs_no_record() {
    let record = r#"{"institution":"H44030500001","encounter":"E1","person":"000102030405060708090a0b0c0d0e0f","kind":"discharged","occurred":"2025-12-01T11:00:00+08:00","known":"2025-12-01T11:00:00+08:00","source":"hospital"}"#;
    for odd in [
        "null",
        "17",
        "\"a, ] \\\" b\"",
        "[1, [2], \"]\"]",
        "true",
        "}",
    ] {
        let text = format!("[{record},\n {odd} ,\n{record}, {record}]");
        let found: Vec<_> = EventReader::json(text.as_bytes()).collect();
        assert_eq!(found.len(), 4, "{odd}");
        let error = found[1].as_ref().unwrap_err();
        assert_eq!((error.line(), error.column()), (2, Some(2)), "{odd}");
        assert_eq!(error.kind(), &ReadErrorKind::Json, "{odd}");
        assert_eq!(found.iter().filter(|read| read.is_ok()).count(), 3, "{odd}");
    }
}
