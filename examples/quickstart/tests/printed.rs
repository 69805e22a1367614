//! Every quickstart prints what its header says it prints, and ends by itself.
//!
//! In a header, `…` stands for any text within a line, and a line of `…` alone for any lines.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read a source should fail"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The programs and the files they are built from.
macro_rules! programs {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            check(stringify!($name), env!(concat!("CARGO_BIN_EXE_", stringify!($name))));
        })*
    };
}

programs! {
    ask_for_consent
    charge_or_deduction
    grant_and_check
    how_long_to_keep
    index_from_dicom_header
    parse_index_code
    repeat_exam_before_ordering
    resume_after_cut
    sort_by_packed_code
    transfer_loopback
}

#[test]
fn ok_no_program_is_left_out() {
    let mut files: Vec<String> = fs::read_dir(sources())
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort();
    assert_eq!(files, NAMES);
}

#[test]
fn ok_the_marks_stand_for_what_they_say() {
    assert!(lines_fit(&["a", "…", "d"], &["a", "b", "c", "d"]));
    assert!(lines_fit(&["a", "…"], &["a"]));
    assert!(!lines_fit(&["a", "…", "d"], &["a", "b", "c"]));
    assert!(line_fits("took … ms, … MB", "took 12 ms, 3 MB"));
    assert!(!line_fits("took … ms", "took 12 s"));
    assert!(!line_fits("end", "end."));
}

fn sources() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin")
}

#[track_caller]
fn check(name: &str, program: &str) {
    let source = fs::read_to_string(sources().join(format!("{name}.rs"))).unwrap();
    let count = source.lines().count();
    assert!((30..=200).contains(&count), "{name}: {count} lines");
    let command = format!("cargo run -p mic-quickstart --bin {name}");
    assert!(
        source.contains(&command),
        "{name}: the header does not say `{command}`"
    );

    let promised = promised(&source);
    assert!(!promised.is_empty(), "{name}: the header promises nothing");
    let run = Command::new(program)
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(
        run.status.success() && errors.is_empty(),
        "{name}: {}: {errors}",
        run.status
    );
    let printed = String::from_utf8(run.stdout).unwrap();
    let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    assert!(
        lines_fit(&promised, &printed),
        "{name} promises\n{}\n\nand prints\n{}",
        promised.join("\n"),
        printed.join("\n"),
    );
}

/// The lines of the header's `text` block.
fn promised(source: &str) -> Vec<&str> {
    source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .skip_while(|line| *line != "```text")
        .skip(1)
        .take_while(|line| *line != "```")
        .collect()
}

fn lines_fit(promised: &[&str], printed: &[&str]) -> bool {
    match promised.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => (0..=printed.len()).any(|skip| lines_fit(rest, &printed[skip..])),
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, left)| line_fits(line, first) && lines_fit(rest, left)),
    }
}

fn line_fits(promised: &str, printed: &str) -> bool {
    match promised.split_once('…') {
        None => promised == printed,
        Some((head, rest)) => printed.strip_prefix(head).is_some_and(|left| {
            (0..=left.len())
                .filter(|at| left.is_char_boundary(*at))
                .any(|at| line_fits(rest, &left[at..]))
        }),
    }
}
