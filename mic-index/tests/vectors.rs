//! Every case of every vector file, exactly.
#![expect(
    clippy::unwrap_used,
    reason = "a vector that lacks a field is a broken vector"
)]

use mic_index::dicom::{Attribute, ExamDraft, HeaderText, TimeSource};
use mic_index::{
    CheckPolicy, Fault, IndexCode, ItemCode, ItemName, ParseErrorKind, Parser, UnitCheck, grammar,
    normalise,
};
use serde_json::{Value, json};

fn cases(file: &str) -> Vec<Value> {
    let root: Value = serde_json::from_str(file).unwrap();
    assert_eq!(root["header"]["spec"], "mic-index index code");
    assert_eq!(root["header"]["version"], "0.1");
    root["cases"].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(pair).collect()
}

#[test]
fn valid() {
    for case in cases(include_str!("../vectors/valid.json")) {
        let (id, input, expect) = (&case["id"], text(&case["input"]), &case["expect"]);
        let code = IndexCode::parse(input).unwrap();
        assert_eq!(grammar::parse(input.as_bytes()), Ok(code), "{id}");
        assert_eq!(IndexCode::try_parse(input.as_bytes()), Some(code), "{id}");
        assert!(mic_index::diagnose(input).is_clean(), "{id}");
        let (check, expected) = match code.unit().check() {
            UnitCheck::Match => ("match", code.unit().to_string().pop()),
            UnitCheck::Mismatch { expected, .. } => ("mismatch", Some(expected)),
        };
        let found = json!({
            "printed": code.to_string(),
            "compact": code.compact().as_str(),
            "packed": hex(code.packed()),
            "person": code.person().text().as_str(),
            "exam_time": code.exam_time().to_chrono().to_rfc3339(),
            "site": code.site().is_assigned().then(|| code.site().to_string()),
            "device": code.device().is_assigned().then(|| code.device().to_string()),
            "unit": code.unit().to_string(),
            "unit_check": check,
            "unit_check_expected": expected,
        });
        assert_eq!(&found, expect, "{id}");
        let again = IndexCode::new(
            code.person(),
            code.exam_time(),
            code.site(),
            code.device(),
            code.unit(),
        );
        assert_eq!(again, code, "{id}");
    }
}

#[test]
fn invalid() {
    for case in cases(include_str!("../vectors/invalid.json")) {
        let id = &case["id"];
        let input = match &case["input"] {
            Value::String(text) => text.as_bytes().to_vec(),
            _ => unhex(text(&case["input_hex"])),
        };
        let policy = match &case["check_policy"] {
            Value::Null => CheckPolicy::Report,
            policy => {
                assert_eq!(policy, "require", "{id}");
                CheckPolicy::Require
            }
        };
        let parser = Parser::new().check(policy);
        let diagnosis = parser.diagnose(&input);
        let found: Vec<Value> = diagnosis.faults().iter().map(fault).collect();
        assert_eq!(Value::from(found), case["expect"]["faults"], "{id}");

        // IDX-25: the first fault is the error of the strict parser, and of the grammar itself.
        let first = diagnosis.faults()[0].error();
        assert_eq!(parser.parse_bytes(&input), Err(first), "{id}");
        if policy == CheckPolicy::Report {
            assert_eq!(grammar::parse(&input), Err(first), "{id}");
            assert_eq!(IndexCode::try_parse(&input), None, "{id}");
        }
    }
}

/// Every kind the specification has a row for is refused by name somewhere, and in every part that
/// it can lie in.
#[test]
fn every_kind_of_fault_has_vectors() {
    let mut seen: Vec<String> = Vec::new();
    for case in cases(include_str!("../vectors/invalid.json")) {
        for fault in case["expect"]["faults"].as_array().unwrap() {
            seen.push(format!("{} {}", text(&fault["part"]), text(&fault["kind"])));
        }
    }
    let parts = ["person", "exam_time", "site", "device", "unit"];
    let mut all: Vec<String> = ["length length", "length hyphens", "length character"]
        .map(String::from)
        .to_vec();
    all.extend(parts.map(|part| format!("{part} part_length")));
    all.extend(parts.map(|part| format!("{part} character")));
    let fields = ["year", "month", "day", "hour", "minute"];
    all.extend(fields.map(|field| format!("exam_time {field}")));
    all.extend(["person all_zero", "unit all_zero", "unit check_character"].map(String::from));
    let lacking: Vec<&String> = all.iter().filter(|kind| !seen.contains(kind)).collect();
    assert!(lacking.is_empty(), "no vector for {lacking:?}");
    let unknown: Vec<&String> = seen.iter().filter(|kind| !all.contains(kind)).collect();
    assert!(unknown.is_empty(), "not in the specification: {unknown:?}");
}

fn fault(fault: &Fault) -> Value {
    let span = fault.span();
    let expected = match fault.kind() {
        ParseErrorKind::Length { .. } => "78 characters".to_string(),
        ParseErrorKind::Hyphens { .. } => "4 hyphens".to_string(),
        ParseErrorKind::PartLength { expected, .. } => format!("{expected} characters"),
        ParseErrorKind::Character { expected, .. } => expected.name().to_string(),
        ParseErrorKind::Time(mic_index::TimeFault::Day { last }) => format!("01 to {last}"),
        ParseErrorKind::Time(fault) => match fault.field() {
            mic_index::TimeField::Year => "1900 to 2154".to_string(),
            mic_index::TimeField::Month => "01 to 12".to_string(),
            mic_index::TimeField::Day => String::new(),
            mic_index::TimeField::Hour => "00 to 23".to_string(),
            mic_index::TimeField::Minute => "00 to 59".to_string(),
        },
        ParseErrorKind::AllZero => "not only zeros".to_string(),
        ParseErrorKind::CheckCharacter { expected } => expected.to_string(),
        _ => String::new(),
    };
    let proposals: Vec<Value> = fault
        .proposals()
        .iter()
        .map(|proposal| {
            json!({
                "offset": proposal.offset(),
                "from": proposal.from(),
                "to": proposal.to(),
                "confidence": proposal.confidence().name(),
            })
        })
        .collect();
    json!({
        "part": fault.part().name(),
        "start": span.start,
        "end": span.end,
        "kind": fault.kind().name(),
        "expected": expected,
        "message": fault.error().to_string(),
        "proposals": proposals,
    })
}

#[test]
fn order() {
    let codes: Vec<(String, IndexCode)> = cases(include_str!("../vectors/order.json"))
        .iter()
        .map(|case| {
            let input = text(&case["input"]);
            let code = IndexCode::parse(input).unwrap();
            assert_eq!(hex(code.packed()), text(&case["packed"]));
            (input.to_string(), code)
        })
        .collect();
    for pair in codes.windows(2) {
        let ((text_a, a), (text_b, b)) = (&pair[0], &pair[1]);
        assert!(text_a < text_b && a < b && a.packed() < b.packed());
        assert!(a.compact() < b.compact());
        let parts = |c: &IndexCode| (c.person(), c.exam_time(), c.site(), c.device(), c.unit());
        assert!(parts(a) < parts(b));
    }
}

#[test]
fn packed() {
    for case in cases(include_str!("../vectors/packed.json")) {
        let (id, expect) = (&case["id"], &case["expect"]);
        match IndexCode::try_from_slice(&unhex(text(&case["input"]))) {
            Ok(code) => assert_eq!(code.to_string(), text(&expect["printed"]), "{id}"),
            Err(error) => {
                let found = json!({ "part": error.part().name(), "kind": error.kind().name() });
                assert_eq!(found, expect["error"], "{id}");
            }
        }
    }
}

#[test]
fn normalised() {
    for case in cases(include_str!("../vectors/normalise.json")) {
        let (id, expect) = (&case["id"], &case["expect"]);
        let (output, changes) = normalise(text(&case["input"]));
        assert_eq!(output, text(&expect["output"]), "{id}");
        assert_eq!(
            Value::from(IndexCode::parse(&output).is_ok()),
            expect["accepted"],
            "{id}"
        );
        let changes: Vec<Value> = changes
            .iter()
            .map(|change| {
                json!({
                    "offset": change.offset(),
                    "from": change.from(),
                    "to": change.to(),
                    "kind": change.kind().name(),
                })
            })
            .collect();
        assert_eq!(Value::from(changes), expect["changes"], "{id}");
    }
}

#[test]
fn dicom_headers() {
    let of_time = |attribute: Attribute| {
        let keyword = attribute.keyword();
        let of_item = keyword.contains("Procedure") || keyword == "StudyDescription";
        keyword.contains("Date") || keyword.contains("Time") || of_item
    };
    for case in cases(include_str!("../vectors/dicom.json")) {
        let mut header = HeaderText::new();
        for (keyword, value) in case["input"].as_object().unwrap() {
            let known = |attribute: &Attribute| attribute.keyword() == keyword;
            let attribute = Attribute::ALL.into_iter().find(known).unwrap();
            header = match value.as_array() {
                None => header.with(attribute, text(value)),
                Some(codes) => {
                    let empty = header.with_no_codes(attribute);
                    codes.iter().fold(empty, |header, code| {
                        let (value, meaning) = (code["value"].as_str(), code["meaning"].as_str());
                        header.with_code(attribute, value, meaning)
                    })
                }
            };
        }
        let draft = ExamDraft::from_text(&header);
        let findings: Vec<Value> = draft
            .findings()
            .iter()
            .filter(|finding| of_time(finding.attribute()))
            .map(|finding| {
                json!({
                    "attribute": finding.attribute().keyword(),
                    "kind": finding.kind().name(),
                    "used": finding.used().map(Attribute::keyword),
                })
            })
            .collect();
        let source = draft.time_source();
        let mut found = json!({
            "exam_time": draft.exam_time().map(|time| time.to_string()),
            "source": source.map(|source| source.attribute().keyword()),
            "zone_stated": source.is_some_and(TimeSource::zone_stated),
            "findings": findings,
        });
        if case["expect"].get("item").is_some() {
            found["started_at"] = json!(draft.started_at().map(|start| start.to_string()));
            found["item"] = json!(draft.item().map(|item| json!({
                "code": item.code().map(ItemCode::as_str),
                "name": item.name().map(ItemName::as_str),
                "source": draft.item_source().map(Attribute::keyword),
            })));
        }
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}
