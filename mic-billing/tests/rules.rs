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
    let later: BTreeSet<String> = ids(spec().split("## 11.").nth(1).unwrap());
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

/// Every section that says "Assumed" is in the table of part 5, with the facts that change it or
/// with the word that nothing does; each fact is one that the schema knows.
#[test]
fn every_assumption_tells_what_changes_it() {
    const FIXED: &str = "fixed in version 1";
    let text = spec();
    let rules = text.split("## 5.").nth(1).unwrap();
    let rules = rules.split("## 6.").next().unwrap();
    let assumed: BTreeSet<String> = rules
        .split("\n### ")
        .skip(1)
        .filter(|section| section.contains("Assumed"))
        .map(|section| section.split(' ').next().unwrap().to_owned())
        .collect();
    let schema = fs::read_to_string(root().join("spec/book.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let facts = &schema["properties"]["version"]["items"]["properties"];
    let mut told = BTreeSet::new();
    let mut fixed = 0;
    let table = rules.split("\n### ").next().unwrap();
    for row in table.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert!(told.insert(cells[2].to_owned()), "{row}");
        let named: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty() || cells[3].contains(FIXED), "{row}");
        for name in &named {
            assert!(facts[name]["properties"]["value"].is_object(), "{row}");
        }
        fixed += usize::from(named.is_empty());
    }
    assert_eq!(told, assumed);
    assert!(fixed >= 6, "only {fixed} rows are fixed");
}

/// Whoever reads a shipped book sees for each fact a document, or why there is none.
#[test]
fn every_fact_of_a_shipped_book_has_a_document_or_a_note() {
    let mut seen = 0;
    for id in ["nation", "guangdong", "shenzhen", "fictional-separate-item"] {
        let layer = serde_json::to_value(common::shipped(id)).unwrap();
        for version in layer["version"].as_array().unwrap() {
            let facts = version.as_object().unwrap().iter();
            for (name, fact) in facts.filter(|(_, fact)| fact.get("value").is_some()) {
                let told = |field: &str| fact[field].as_str().is_some_and(|text| !text.is_empty());
                assert!(
                    told("document") || told("note"),
                    "{id}/{}: {name} has neither document nor note",
                    version["id"]
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "only {seen} facts");
}

/// Each law of the specification is a test by the name given there, and none is missing.
#[test]
fn every_law_is_a_test() {
    let mut laws = BTreeSet::new();
    for row in spec().lines().filter(|line| line.starts_with("| I-")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        laws.insert(cells[1].to_owned());
        let tests: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{row}");
        for test in tests {
            let (file, name) = test.split_once("::").unwrap();
            let text = fs::read_to_string(root().join(format!("tests/{file}.rs"))).unwrap();
            assert!(text.contains(&format!("fn {name}(")), "no test {test}");
        }
    }
    let all: BTreeSet<String> = (1..=21).map(|law| format!("I-{law:02}")).collect();
    assert_eq!(laws, all);
}

/// No binary fractions: money, shares and dates are whole numbers everywhere.
#[test]
fn no_source_has_a_float() {
    let mut texts = Vec::new();
    sources(&root().join("src"), &mut texts);
    for text in &texts {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            assert!(!matches!(word, "f32" | "f64"), "a float");
        }
    }
    assert!(texts.len() > 30);
}

/// Each numbered requirement and the tests that hold it.
const HELD_BY: [(&str, &str); 31] = [
    ("BIL-1", "laws::i21_no_wrap"),
    ("BIL-2", "vectors::events_one_by_one"),
    ("BIL-3", "vectors::money"),
    ("BIL-4", "laws::ok_a_part_is_rounded_once"),
    ("BIL-5", "vectors::events_one_by_one"),
    ("BIL-6", "vectors::events_one_by_one"),
    ("BIL-7", "laws::merge_is_commutative_associative_idempotent"),
    (
        "BIL-8",
        "visits::err_a_union_past_the_bound_changes_nothing",
    ),
    ("BIL-9", "laws::i15_only_what_is_known"),
    ("BIL-10", "laws::agrees_with_the_reference_engine"),
    ("BIL-11", "vectors::policy_books"),
    ("BIL-12", "vectors::policy_books"),
    ("BIL-13", "vectors::policy_books"),
    ("BIL-14", "vectors::policy_books"),
    ("BIL-15", "vectors::policy_books"),
    ("BIL-16", "vectors::policy_books"),
    (
        "BIL-17",
        "books::ok_toml_and_json_have_the_same_faults_each_on_its_line",
    ),
    ("BIL-18", "laws::i01_shares_add_up"),
    ("BIL-19", "laws::i02_i05_i09_journals"),
    ("BIL-20", "laws::i02_i05_i09_journals"),
    ("BIL-21", "vectors::ledger"),
    ("BIL-22", "laws::i02_i05_i09_journals"),
    ("BIL-23", "laws::i18_i19_explanations"),
    ("BIL-24", "statements::i14_closed_months_never_change"),
    ("BIL-25", "sweep::agrees_with_the_readable_engine"),
    ("BIL-26", "read::ok_nothing_is_dropped"),
    ("BIL-27", "vectors::events_one_by_one"),
    ("BIL-28", "vectors::events_one_by_one"),
    ("BIL-29", "statements::err_one_entry_in_two_months"),
    (
        "BIL-30",
        "compare::ok_a_planted_difference_of_every_fact_is_found",
    ),
    ("BIL-31", "books::err_a_book_that_cites_too_much"),
];

#[test]
fn every_requirement_is_held_by_a_test() {
    let text = spec();
    let numbered: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("- **"))
        .filter_map(|rest| rest.split("**").next())
        .collect();
    assert_eq!(numbered, HELD_BY.iter().map(|(id, _)| *id).collect());
    for (id, test) in HELD_BY {
        let (file, name) = test.split_once("::").unwrap();
        let text = fs::read_to_string(root().join(format!("tests/{file}.rs"))).unwrap();
        assert!(
            text.contains(&format!("fn {name}(")),
            "{id}: no test {test}"
        );
    }
}
