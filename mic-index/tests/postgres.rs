//! A `BYTEA` column of a real PostgreSQL sorts like the codes, and finds a person as one range.
//!
//! Needs `psql` and a server that `MIC_PG_URL` names; says so where one is missing. A feature for
//! postgres-types would add 32 crates for what `packed()` and `try_from_slice` do already.
#![cfg(feature = "proptest")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use core::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use mic_index::{IndexCode, strategy};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn hex(code: &IndexCode) -> String {
    code.packed()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn unhex(line: &str) -> IndexCode {
    let pair = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..line.len()).step_by(2).map(pair).collect();
    IndexCode::try_from_slice(&bytes).unwrap()
}

/// The lines a script selects.
fn psql(url: &str, script: &str) -> Vec<String> {
    let mut psql = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
        .args(["--set", "ON_ERROR_STOP=1", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    psql.stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = psql.wait_with_output().unwrap();
    assert!(output.status.success(), "psql did not succeed");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// `IDX-35`, with PostgreSQL as the one who sorts.
#[test]
fn order_by_is_the_order_of_codes() {
    let Ok(url) = std::env::var("MIC_PG_URL") else {
        assert!(
            std::env::var_os("MIC_PEERS").is_none(),
            "MIC_PEERS asks for every peer, and this one is missing"
        );
        println!("MIC_PG_URL is not set: no PostgreSQL was asked");
        return;
    };
    let mut runner = TestRunner::deterministic();
    let many = prop::collection::vec(strategy::code(), 2000);
    let mut expected = many.new_tree(&mut runner).unwrap().current();
    let shared = strategy::person().new_tree(&mut runner).unwrap().current();
    for code in expected.iter_mut().step_by(2) {
        *code = IndexCode::new(
            shared,
            code.exam_time(),
            code.site(),
            code.device(),
            code.unit(),
        );
    }
    let mut script = String::from("CREATE TEMPORARY TABLE exam (code bytea);\n");
    for code in &expected {
        writeln!(script, "INSERT INTO exam VALUES ('\\x{}');", hex(code)).unwrap();
    }
    expected.sort();
    let select = |condition: &str| {
        format!("{script} SELECT encode(code, 'hex') FROM exam {condition} ORDER BY code;\n")
    };
    let sorted: Vec<IndexCode> = psql(&url, &select(""))
        .iter()
        .map(|line| unhex(line))
        .collect();
    assert_eq!(sorted, expected);

    let range = shared.codes();
    let between = format!(
        "WHERE code BETWEEN '\\x{}' AND '\\x{}'",
        hex(range.start()),
        hex(range.end())
    );
    expected.retain(|code| code.person() == shared);
    assert!(expected.len() >= 1000);
    let found: Vec<IndexCode> = psql(&url, &select(&between))
        .iter()
        .map(|line| unhex(line))
        .collect();
    assert_eq!(found, expected);
}
