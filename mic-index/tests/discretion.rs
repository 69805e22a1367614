//! What is shown without being asked for never spells a person (`IDX-28`, `IDX-92`).
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use mic_index::{FoundClass, IndexCode, diagnose, normalise};
use proptest::prelude::*;

/// The text in full-width forms, as an input method leaves it.
fn wide(c: char) -> char {
    match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap(),
        c => c,
    }
}

/// Every digit shown as a character, in ASCII, one after the other.
fn quoted(shown: &str) -> String {
    let mut pieces = shown.split(['\'', '"']);
    let mut all = String::new();
    pieces.next();
    while let Some(inside) = pieces.next() {
        all.extend(inside.chars().filter_map(|c| match c {
            '0'..='9' => Some(c),
            '０'..='９' => char::from_u32(u32::from(c) - 0xfee0),
            _ => None,
        }));
        pieces.next();
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// `IDX-28`: characters stand between quotation marks in any `Debug`; none of them are there.
    #[test]
    fn no_debug_spells_a_person(code in common::code(), all: bool, compact: bool) {
        let text = if compact { code.compact().to_string() } else { code.to_string() };
        let until = if all { text.len() } else { 26 };
        let typed: String = text[..until].chars().map(|c| if c == '-' { c } else { wide(c) }).collect();
        let typed = typed + &text[until..];

        let diagnosis = diagnose(&typed);
        prop_assert!(diagnosis.faults().len() >= 26);
        // What is asked for is there: the proposals spell it, which is why nothing else may show them.
        let spelled: String = diagnosis.faults().iter().filter_map(|fault| fault.proposals()[0].to()).take(26).collect();
        prop_assert_eq!(spelled, code.person().to_string());

        let (_, changes) = normalise(&typed);
        let shown = format!("{diagnosis:?} {diagnosis:#?} {changes:?} {changes:#?}");
        // The check character of the unit, expected and found, in two forms.
        prop_assert!(quoted(&shown).len() <= 4, "{}", shown);
        prop_assert!(!shown.chars().any(|c| FoundClass::of(c) == FoundClass::FullWidth), "{}", shown);
    }

    /// `IDX-92`: all characters proposed in a reject file, joined, tell nothing of person or time.
    #[cfg(all(feature = "bulk", feature = "std"))]
    #[test]
    fn no_reject_file_spells_a_person(code in common::code(), all: bool, short: bool) {
        use mic_index::bulk::{Ingest, Line, Options, RejectFormat, RejectWriter};

        let text = code.to_string();
        let until = if all { text.len() } else { 26 };
        let mut typed: String = text[..until].chars().map(|c| if c == '-' { c } else { wide(c) }).collect();
        typed.push_str(&text[until..]);
        if short {
            // Where the parts cannot be told apart.
            typed.insert(0, '-');
        }
        for format in [RejectFormat::Csv, RejectFormat::Ndjson] {
            let mut ingest = Ingest::new(typed.as_bytes(), Options::new());
            let mut rejects = RejectWriter::new(Vec::new(), format).unwrap();
            let mut rejected = 0;
            while let Some(line) = ingest.next_line().unwrap() {
                if let Line::Rejected(rejection) = line {
                    rejects.write(&rejection).unwrap();
                    rejected += 1;
                }
            }
            prop_assert_eq!(rejected, 1);
            let file = String::from_utf8(rejects.into_inner()).unwrap();
            prop_assert!(file.is_ascii());
            if format == RejectFormat::Ndjson {
                let row: serde_json::Value = serde_json::from_str(&file).unwrap();
                let faults = row["code_faults"].as_array().unwrap();
                let proposals = || faults.iter().flat_map(|fault| fault["proposals"].as_array().unwrap());
                prop_assert!(proposals().count() >= 26);
                prop_assert!(proposals().all(|proposal| proposal.get("to").is_none() && proposal.get("from").is_none()));
            }
        }
    }
}

/// A picture is drawn from left to right, whatever was pasted.
#[test]
fn a_picture_shows_no_mark_that_turns_the_line() {
    for mark in [
        '\u{2066}',
        '\u{2067}',
        '\u{2068}',
        '\u{2069}',
        '\u{61c}',
        '\u{180e}',
        '\u{202e}',
        '\u{e0001}',
        '\u{200f}',
        '\u{115f}',
        '\u{fe0f}',
    ] {
        let text = format!("{mark}{}", common::EXAMPLE);
        let picture = diagnose(&text).picture(&text).to_string();
        assert!(!picture.contains(mark), "{mark:?}");
        let mut lines = picture.lines();
        assert_eq!(lines.next(), Some(format!("·{}", common::EXAMPLE).as_str()));
        assert_eq!(lines.next().map(|line| line.starts_with('^')), Some(true));
        let (out, changes) = normalise(&text);
        assert_eq!(
            (IndexCode::parse(&out).is_ok(), changes.len()),
            (true, 1),
            "{mark:?}"
        );
    }
}
