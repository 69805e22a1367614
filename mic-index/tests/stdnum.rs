//! The organisation check against python-stdnum's `cn.uscc`, on units of our own making.
//!
//! Runs where python3 has the package and says so where not. That peer wants digits in the first two
//! places, which refuses the military (A), agriculture (N) and others (Y); it is asserted to, so that
//! a better version of it is noticed.
#![cfg(feature = "proptest")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Write;
use std::process::{Command, Stdio};

use mic_index::{StorageUnitCode, UnitCheck, strategy};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const ASK: &str = r"
import sys
from stdnum.cn import uscc
for line in sys.stdin:
    number = line.strip()
    try:
        print('valid' if uscc.validate(number) == number else 'changed')
    except Exception as error:
        print(type(error).__name__)
";

const UNITS: usize = 20_000;

/// Units as they are given out: a department and category, a region of digits, an organisation.
fn unit() -> impl Strategy<Value = StorageUnitCode> {
    const PREFIXES: &[&str] = &[
        "11", "12", "13", "19", "51", "52", "53", "91", "92", "93", "A1", "N1", "N2", "N3", "Y1",
    ];
    let prefix = prop::sample::select(PREFIXES);
    (prefix, "[1-8][0-9]{5}", strategy::unit(), 0..4_u8).prop_map(
        |(prefix, region, unit, check)| {
            let tail = unit.to_string().split_off(8);
            let unit: StorageUnitCode = format!("{prefix}{region}{tail}").parse().unwrap();
            match unit.check() {
                // Three in four fit; the rest mostly do not.
                UnitCheck::Mismatch { expected, .. } if check > 0 => {
                    let kept = unit.to_string();
                    format!("{}{expected}", &kept[..17]).parse().unwrap()
                }
                _ => unit,
            }
        },
    )
}

#[test]
fn python_stdnum_agrees_where_it_is_right() {
    let there = Command::new("python3")
        .args(["-c", "import stdnum.cn.uscc"])
        .stderr(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var_os("MIC_PEERS").is_none(),
            "MIC_PEERS asks for every peer, and this one is missing"
        );
        println!("python3 with stdnum is not there: it was not asked");
        return;
    }
    let mut runner = TestRunner::deterministic();
    let strategy = unit();
    let units: Vec<StorageUnitCode> = (0..UNITS)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect();
    let asked: String = units.iter().map(|unit| format!("{unit}\n")).collect();
    let mut python = Command::new("python3")
        .args(["-c", ASK])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It answers while it is asked: both pipes have to move.
    let mut stdin = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), UNITS);

    let (mut fit, mut unfit, mut refused) = (0, 0, 0);
    for (unit, answer) in units.iter().zip(answers) {
        let text = unit.to_string();
        let expected = if !text.starts_with(|first: char| first.is_ascii_digit()) {
            refused += 1;
            "InvalidFormat"
        } else if unit.check().is_match() {
            fit += 1;
            "valid"
        } else {
            unfit += 1;
            "InvalidChecksum"
        };
        assert_eq!(answer, expected, "{text}");
    }
    println!(
        "{fit} fit, {unfit} do not, {refused} legal ones refused by the peer for their letter"
    );
    assert!(fit > 1000 && unfit > 1000 && refused > 1000);
}

/// The three kinds of legal unit the peer refuses are units to us, with a check character that fits.
#[test]
fn ok_letters_at_the_front() {
    for text in ["A1", "N2", "Y1"] {
        let body = format!("{text}350200MB000003C");
        let fitting = "0123456789ABCDEFGHJKLMNPQRTUWXY"
            .chars()
            .filter_map(|last| format!("{body}{last}").parse::<StorageUnitCode>().ok())
            .filter(|unit| unit.check().is_match());
        assert_eq!(fitting.count(), 1, "{text}");
    }
}
