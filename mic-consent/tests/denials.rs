//! The specification's tables: every reason as the code has it, every threat with a test that exists.
//!
//! `MIC_CONSENT_WRITE_VECTORS=1 cargo test -p mic-consent --test denials` writes the table of reasons anew.
#![expect(
    clippy::unwrap_used,
    reason = "a specification that cannot be read should fail"
)]

use core::fmt::Write as _;
use std::{fs, path::PathBuf};

use mic_consent::{Fault, PublicClass, Reason};

fn file(parts: &[&str]) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR")].iter().chain(parts).collect()
}

fn class(class: PublicClass) -> &'static str {
    match class {
        PublicClass::Malformed => "malformed",
        PublicClass::NotTrusted => "not trusted",
        PublicClass::NotValidNow => "not valid now",
        PublicClass::Withdrawn => "withdrawn",
        PublicClass::NotAllowed => "not allowed",
        _ => "try later",
    }
}

fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Data => "data",
        Fault::Presenter => "presenter",
        Fault::Issuer => "issuer",
        _ => "node",
    }
}

fn table() -> String {
    let mut text = String::from(
        "# Denials\n\nEvery refusal (CST-70 to CST-74). The number is the step times 100 plus a running number; the public is told \
         the class alone. A test compares this table with the code.\n\n\
         | number | name | class | fault | expected | 中文 |\n|---|---|---|---|---|---|\n",
    );
    for reason in Reason::ALL {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            reason.number(),
            reason.name(),
            class(reason.class()),
            fault(reason.fault()),
            reason.english(),
            reason.chinese(),
        )
        .unwrap();
    }
    text
}

#[test]
fn ok_the_table_of_the_specification_is_that_of_the_code() {
    let path = file(&["spec", "denials.md"]);
    if std::env::var_os("MIC_CONSENT_WRITE_VECTORS").is_some() {
        fs::write(&path, table()).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), table());
}

/// The text of all tests, this one left out, and of all vectors.
fn tests() -> String {
    let mut text = String::new();
    let mut folders = vec![file(&["tests"]), file(&["vectors"])];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests/denials.rs") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

/// CST-71: no number without a test that expects it, by name in a test or a vector.
#[test]
fn ok_every_reason_is_tested() {
    let tests = tests();
    let untested: Vec<_> = Reason::ALL
        .iter()
        .map(|reason| reason.name())
        .filter(|name| {
            !tests.contains(&format!("Reason::{name}"))
                && !tests.contains(&format!("\"name\": \"{name}\""))
        })
        .collect();
    assert!(untested.is_empty(), "no test expects {untested:?}");
}

/// Each row names at least one test; each test that is named exists, with its vectors.
#[test]
fn ok_every_threat_names_tests_that_exist() {
    let read = |name: String| fs::read_to_string(file(&["vectors", &name])).unwrap();
    let decisions = read("decide.json".into());
    // The suite, what its files end with, and what its decisions begin with.
    let suites = [
        ("sm2-sm3", ""),
        ("ed25519", "-ed25519"),
        ("esp256", "-esp256"),
    ]
    .map(|(suite, end)| {
        let tokens = read(format!("reject{end}.json"));
        (suite, tokens + &read(format!("objects-reject{end}.json")))
    });
    let there = |suite: &str, refused: &str, word: &str| {
        refused.contains(&format!("\"id\": \"{word}"))
            || decisions.contains(&format!("\"id\": \"{suite}-{word}"))
    };
    let text = fs::read_to_string(file(&["spec", "threats.md"])).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| #"))
        .collect();
    assert_eq!(rows.len(), 42);
    for row in rows {
        let proof = row.split('|').nth(4).unwrap();
        let names: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        let mut words = names.iter().peekable();
        let mut found = 0;
        while let Some(word) = words.next() {
            if let Some(test) =
                words.next_if(|next| next.starts_with("ok_") || next.starts_with("err_"))
            {
                let paths = [
                    file(&["tests", &format!("{word}.rs")]),
                    file(&["tests", word, "main.rs"]),
                ];
                let mut source = paths
                    .iter()
                    .filter_map(|path| fs::read_to_string(path).ok())
                    .collect::<String>();
                if *word == "vectors" {
                    source.push_str(
                        &fs::read_to_string(file(&["tests", "vectors", "objects.rs"])).unwrap(),
                    );
                }
                assert!(
                    source.contains(&format!("fn {test}(")),
                    "{word}: {test} does not exist"
                );
                found += 1;
            } else {
                for (suite, refused) in &suites {
                    assert!(
                        there(suite, refused, word)
                            || (*word == "signature-empty-distid" && *suite != "sm2-sm3"),
                        "no vector {word} in {suite}"
                    );
                }
            }
        }
        // Threat 34 is met by types alone.
        assert!(found > 0 || row.starts_with("| 34 "), "{row}");
    }
}
