//! The technique table: generated from its data file, searched right, its defects pinned.
#![cfg(feature = "technique")]
#![expect(
    clippy::unwrap_used,
    reason = "the tree's own files and rows are there or the test has failed"
)]

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use mic_index::technique::{self, Lookup, Technique};
use mic_index::{ExamType, SiteCode};
use nom::IResult;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till};
use nom::character::complete::{line_ending, not_line_ending};
use nom::combinator::{all_consuming, opt, verify};
use nom::multi::{many0, many1};
use nom::sequence::{delimited, preceded, separated_pair, terminated};
use nom::{Parser, error::Error};
use proptest::prelude::*;

const DATA: &str = "data/techniques.csv";
const TABLE: &str = "src/technique/table.rs";
/// Set to write the table instead of comparing it.
const WRITE: &str = "MIC_WRITE_TECHNIQUES";

/// The data file: notes, a line of column names, rows of a code and a name.
fn rows(text: &str) -> Vec<(&str, &str)> {
    fn field(text: &str) -> IResult<&str, &str> {
        alt((
            delimited(tag("\""), take_till(|c| c == '"'), tag("\"")),
            take_till(|c| matches!(c, ',' | '"' | '\r' | '\n')),
        ))
        .parse(text)
    }
    let note = (tag("#"), not_line_ending, line_ending);
    let head = (many0(note), tag("code,name"), line_ending);
    let row = terminated(separated_pair(field, tag(","), field), opt(line_ending));
    let filled = verify(row, |row: &(&str, &str)| {
        !row.0.is_empty() && !row.1.is_empty()
    });
    let mut file = all_consuming(preceded(head, many1(filled)));
    let parsed: Result<(&str, Vec<_>), nom::Err<Error<&str>>> = file.parse(text);
    parsed.unwrap().1
}

/// The source text of the table.
fn source(rows: &[(&str, &str)]) -> String {
    let mut sorted = rows.to_vec();
    sorted.sort_unstable();
    let mut by_name: Vec<usize> = (0..sorted.len()).collect();
    by_name.sort_by_key(|row| (sorted[*row].1, *row));
    let count = sorted.len();
    let mut out = format!(
        "//! Made from `{DATA}` by the test `technique`; do not edit. See the head of that file.\n\n\
         /// Code and name, in the order of the codes.\n\
         #[rustfmt::skip]\n\
         pub(super) static TABLE: [(&str, &str); {count}] = [\n"
    );
    for (code, name) in &sorted {
        writeln!(out, "    ({code:?}, {name:?}),").unwrap();
    }
    write!(
        out,
        "];\n\n/// Rows of [`TABLE`] in the order of the names.\n\
         #[rustfmt::skip]\n\
         pub(super) static BY_NAME: [u16; {count}] = ["
    )
    .unwrap();
    for line in by_name.chunks(20) {
        let line: Vec<String> = line.iter().map(ToString::to_string).collect();
        write!(out, "\n    {},", line.join(", ")).unwrap();
    }
    out + "\n];\n"
}

#[test]
fn the_table_is_made_from_the_data_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = fs::read_to_string(root.join(DATA)).unwrap();
    let made = source(&rows(&data));
    if env::var_os(WRITE).is_some() {
        fs::write(root.join(TABLE), &made).unwrap();
    }
    let found = fs::read_to_string(root.join(TABLE)).unwrap();
    assert!(
        found == made,
        "{TABLE} is not what {DATA} gives; set {WRITE}=1 to write it"
    );
}

#[test]
fn every_row_is_found_by_its_code_and_by_its_name() {
    for row in technique::all() {
        assert!(by(row.code()).contains(&row), "{row:?}");
        let named: Vec<Technique> = technique::by_name(row.name()).techniques().collect();
        assert!(named.contains(&row), "{row:?}");
        // IDX-41: the same in full-width characters.
        let wide: String = row.name().chars().map(full_width).collect();
        assert_eq!(
            technique::by_name(&wide),
            technique::by_name(row.name()),
            "{row:?}"
        );
    }
    assert_eq!(technique::all().len(), 481);
}

#[test]
fn names_are_stored_in_half_width() {
    let wide = |c: char| ('\u{ff01}'..='\u{ff5e}').contains(&c) || c == '\u{3000}';
    assert!(technique::all().all(|row| !row.name().contains(wide)));
}

/// `IDX-43`.
#[test]
fn names_and_third_characters_name_one_type() {
    for row in technique::all() {
        let named = if row.name().contains("CT") {
            ExamType::Ct
        } else if row.name().contains("MR") {
            ExamType::Mri
        } else {
            ExamType::XRay
        };
        let of_letter_o = row.code() == "BTO0ZZZZ";
        assert_eq!(row.exam_type(), (!of_letter_o).then_some(named), "{row:?}");
    }
}

fn by(code: &str) -> Vec<Technique> {
    technique::by_code(code).techniques().collect()
}

fn names(code: &str) -> Vec<&'static str> {
    by(code).into_iter().map(Technique::name).collect()
}

fn full_width(c: char) -> char {
    match c {
        '!'..='~' => char::from_u32(c as u32 + 0xfee0).unwrap(),
        ' ' => '\u{3000}',
        _ => c,
    }
}

// The defects, one by one (IDX-42). A test that fails after the rows were replaced is good news to look at.

#[test]
fn defect_thirteen_rows_are_too_short_for_a_site_code() {
    let short: Vec<&str> = technique::all()
        .filter(|row| row.site().is_none())
        .map(Technique::code)
        .collect();
    let known = [
        "B50B0ZZZ", "B50C0ZZZ", "B50D0ZZZ", "B531Z", "BD0", "BF2", "BF34", "BG350ZZZ", "BG3ZYZZZ",
        "BQ08ZZZA", "BT00ZZZZ", "BT05ZZZZ", "BTO0ZZZZ",
    ];
    assert_eq!(short, known);
    // Found all the same, under the code the table prints.
    assert_eq!(names("BF34"), ["胆囊、胆管和胰管MRI水成像(MRCP)"]);
}

#[test]
fn defect_one_row_has_a_letter_o_and_its_repair_would_collide() {
    let letters = |letter: char| {
        technique::all()
            .filter(move |row| row.code().contains(letter))
            .map(Technique::code)
    };
    assert_eq!(letters('O').collect::<Vec<_>>(), ["BTO0ZZZZ"]);
    assert_eq!(letters('I').count(), 0);
    assert_eq!(names("BTO0ZZZZ"), ["膀胱造影"]);
    assert_eq!(names(&"BTO0ZZZZ".replace('O', "0")), ["静脉肾盂造影(IVP)"]);
}

#[test]
fn defect_two_codes_have_two_meanings_each() {
    let mut meanings: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in technique::all() {
        meanings.entry(row.code()).or_default().insert(row.name());
    }
    meanings.retain(|_, names| names.len() > 1);
    let doubled: Vec<&str> = meanings.keys().copied().collect();
    assert_eq!(doubled, ["BP0KZZZZA", "BQ2FZUZZZ"]);
    assert_eq!(
        names("BP0KZZZZA"),
        ["X线左侧尺桡骨侧位", "X线左侧腕关节侧位"]
    );
    assert_eq!(
        names("BQ2FZUZZZ"),
        ["左侧小腿CT平扫加增强扫描", "左侧小腿CT薄层扫描(3D VR)"]
    );
    for code in doubled {
        let site: SiteCode = code.parse().unwrap();
        assert!(matches!(site.technique(), Some(Lookup::Ambiguous(_))));
        assert_eq!(site.technique().unwrap().known(), None);
    }
}

#[test]
fn defect_the_left_wrist_shares_the_letters_of_the_left_forearm() {
    let of = |name: &str| -> BTreeSet<&'static str> {
        technique::all()
            .filter(|row| row.name().contains(name) && row.code().starts_with("BP0"))
            .filter_map(|row| row.code().get(..4))
            .collect()
    };
    assert_eq!(of("右侧尺桡骨"), BTreeSet::from(["BP0J"]));
    assert_eq!(of("右侧腕关节"), BTreeSet::from(["BP0L"]));
    assert_eq!(of("左侧尺桡骨"), BTreeSet::from(["BP0K"]));
    // Every other left side follows its right one; BP0M is left free.
    assert_eq!(of("左侧腕关节"), BTreeSet::from(["BP0K"]));
    assert!(technique::all().all(|row| !row.code().starts_with("BP0M")));
    assert_eq!(names("BP2MZUZZZ"), ["左侧腕关节CT薄层扫描(3D VR)"]);
}

#[test]
fn defect_plain_plus_enhanced_is_written_in_two_ways() {
    let both: Vec<&str> = technique::all()
        .filter(|row| row.exam_type() == Some(ExamType::Ct) && row.name().contains("平扫加"))
        .filter_map(|row| row.code().get(4..))
        .collect();
    let count = |tail: &str| both.iter().filter(|found| **found == tail).count();
    assert_eq!((count("10ZZZ"), count("1YZZZ")), (41, 7));
    // The rest is the second meaning of BQ2FZUZZZ.
    assert_eq!(both.len(), 49);
}

#[test]
fn defect_ultrasound_and_nuclear_medicine_have_no_rows() {
    let types: BTreeSet<_> = technique::all().filter_map(Technique::exam_type).collect();
    let three = [ExamType::XRay, ExamType::Ct, ExamType::Mri];
    assert_eq!(types, BTreeSet::from(three));
    assert!(technique::all().all(|row| !row.name().contains("超声")));
}

proptest! {
    #[test]
    fn a_look_up_finds_exactly_the_rows_a_walk_finds(
        code in "B[0-9A-Z]{0,3}[0-9A-Z]{5}|.{0,12}",
        at in 0..481_usize,
        cut in 0..9_usize,
    ) {
        let near = technique::all().nth(at).unwrap();
        for text in [&code, &near.code()[..cut.min(near.code().len())], near.name()] {
            let walk = |of: fn(Technique) -> &'static str| -> Vec<Technique> {
                technique::all().filter(|row| of(*row) == text).collect()
            };
            prop_assert_eq!(by(text), walk(Technique::code));
            let named: Vec<_> = technique::by_name(text).techniques().collect();
            prop_assert_eq!(named, walk(Technique::name));
        }
    }

    /// `IDX-40`, and `IDX-8`: no answer makes a code illegal.
    #[test]
    fn a_site_code_is_known_unknown_or_ambiguous_and_stays_a_site_code(code in "[0-9A-Z]{9}") {
        let site: SiteCode = code.parse().unwrap();
        let answer = site.technique();
        prop_assert_eq!(answer.is_some(), site.is_assigned());
        if let Some(answer) = answer {
            prop_assert_eq!(&answer, &technique::by_code(&code));
            prop_assert_eq!(answer.known().is_some(), answer.techniques().count() == 1);
        }
    }
}
