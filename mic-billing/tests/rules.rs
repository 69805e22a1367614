//! Each rule has a section in the specification, a vector and code; none of the three knows a
//! rule that the others don't.

#![cfg(feature = "toml")]
#![expect(clippy::unwrap_used, reason = "a test")]

extern crate alloc;

mod common;

use alloc::collections::BTreeSet;
use std::{fs, path::Path};

use common::{cases, root, vector_files};
use mic_billing::RuleId;

fn carried() -> BTreeSet<String> {
    RuleId::ALL.iter().map(ToString::to_string).collect()
}

/// Everything in a text that looks like a rule id: `C-04`.
fn ids(text: &str) -> BTreeSet<String> {
    let bytes = text.as_bytes();
    let is_id = |at: usize| {
        let piece = bytes.get(at..at + 4)?;
        let free = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_none_or(|byte| !byte.is_ascii_alphanumeric())
        };
        let shape = b"BVCSTKM".contains(&piece[0])
            && piece[1] == b'-'
            && piece[2..].iter().all(u8::is_ascii_digit);
        (shape && free(at.checked_sub(1)) && free(Some(at + 4)))
            .then(|| text[at..at + 4].to_owned())
    };
    (0..bytes.len())
        .filter(|at| text.is_char_boundary(*at))
        .filter_map(is_id)
        .collect()
}

fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else if !path.ends_with("rule.rs") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
}

fn spec() -> String {
    fs::read_to_string(root().join("spec/pricing.md")).unwrap()
}

#[test]
fn every_rule_has_a_section_and_every_section_a_rule() {
    let headings: BTreeSet<String> = spec()
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .flat_map(ids)
        .collect();
    assert_eq!(headings, carried());
}

#[test]
fn every_rule_has_a_vector_and_every_vector_a_rule() {
    let named: BTreeSet<String> = vector_files()
        .iter()
        .flat_map(|file| cases(file))
        .flat_map(|case| case["rules"].as_array().cloned().unwrap())
        .map(|rule| rule.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(named, carried());
}

#[test]
fn every_rule_is_cited_by_code_and_code_cites_only_known_ones() {
    let mut texts = Vec::new();
    sources(&root().join("src"), &mut texts);
    let cited: BTreeSet<String> = texts.iter().flat_map(|text| ids(text)).collect();
    let missing: Vec<String> = carried().difference(&cited).cloned().collect();
    assert!(missing.is_empty(), "no code cites {missing:?}");
    let later: BTreeSet<String> = ids(spec().split("## 10.").nth(1).unwrap());
    let stray: BTreeSet<&String> = cited
        .iter()
        .filter(|id| !carried().contains(*id) && !later.contains(*id))
        .collect();
    assert!(stray.is_empty(), "code cites rules nobody knows: {stray:?}");
}

/// The numbered requirements run without a gap, and code or tests never cite one that is not there.
#[test]
fn requirements_are_numbered_without_gaps() {
    let numbers: Vec<u32> = spec()
        .lines()
        .filter_map(|line| line.strip_prefix("- **BIL-"))
        .map(|rest| rest.split("**").next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(
        numbers,
        (1..=u32::try_from(numbers.len()).unwrap()).collect::<Vec<_>>()
    );
}

/// The schema knows the facts and the values that the code knows: every shipped fact is in it, and
/// a layer of the schema's words is read.
#[test]
fn the_schema_names_every_fact_and_every_value() {
    let text = fs::read_to_string(root().join("spec/book.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let facts = schema["properties"]["version"]["items"]["properties"]
        .as_object()
        .unwrap();
    for id in ["nation", "guangdong", "shenzhen", "fictional-separate-item"] {
        let layer = serde_json::to_value(common::shipped(id)).unwrap();
        for version in layer["version"].as_array().unwrap() {
            for name in version.as_object().unwrap().keys() {
                assert!(facts.contains_key(name), "the schema lacks {name}");
            }
        }
    }
    let mut tried = 0;
    for (name, fact) in facts
        .iter()
        .filter(|(_, fact)| fact["properties"]["value"].is_object())
    {
        let value = &fact["properties"]["value"];
        let words = value["enum"]
            .as_array()
            .or_else(|| value["items"]["enum"].as_array())
            .cloned()
            .unwrap_or_default();
        for word in words {
            let value = if value["items"].is_object() {
                serde_json::json!([word])
            } else {
                word
            };
            let layer = serde_json::json!({
                "format": "mic-billing-book/1", "id": "x", "name": "x", "level": "city", "region": "990100",
                "version": [{ "id": "1", "from": "2025-01-01", "known_from": "2025-01-01T00:00:00+08:00",
                    "verified": false, name: { "value": value, "verified": false } }],
            });
            let layer: mic_billing::Layer = serde_json::from_value(layer).unwrap();
            let again = serde_json::to_value(&layer).unwrap();
            assert_eq!(again["version"][0][name]["value"], value, "{name}");
            tried += 1;
        }
    }
    assert!(tried > 25, "only {tried} words");
}
