//! Sections 2 to 4 of the specification, a test for each number, in the plainest way.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use common::EXAMPLE;
use mic_index::{
    CheckPolicy, IndexCode, ParseErrorKind, Parser, Part, RecordKey, SiteCode, diagnose,
};
use proptest::prelude::*;

fn fault(text: &str) -> (&'static str, &'static str, core::ops::Range<usize>) {
    let error = IndexCode::parse(text).unwrap_err();
    assert_eq!(diagnose(text).faults()[0].error(), error);
    (error.part().name(), error.kind().name(), error.span())
}

/// The example with one part replaced.
fn with(part: Part, other: &str) -> String {
    let range = part.printed_range();
    format!(
        "{}{other}{}",
        &EXAMPLE[..range.start],
        &EXAMPLE[range.end..]
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// `IDX-1`, `IDX-4`: two forms, each always the same, of ASCII characters alone (`IDX-2`).
    #[test]
    fn a_code_is_written_in_two_forms(code in common::code()) {
        let again = IndexCode::from_packed(*code.packed()).unwrap();
        let (printed, compact) = (code.to_string(), code.compact().to_string());
        prop_assert_eq!((again.to_string(), again.compact().to_string()), (printed.clone(), compact.clone()));
        prop_assert_eq!(printed.replace('-', ""), compact.clone());
        prop_assert_eq!((printed.len(), compact.len()), (82, 78));
        let legal = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase() || byte == b'-';
        prop_assert!(printed.bytes().all(legal));
    }

    /// `IDX-3`: whatever is read is one of the two forms, to the byte.
    #[test]
    fn nothing_else_is_read(text in common::nearly()) {
        if let Ok(code) = IndexCode::parse(&text) {
            prop_assert!(text == code.to_string() || text == code.compact().to_string());
        }
    }

    /// `IDX-33`: 10^10 - 1 begins with 95; whatever follows a higher byte is reserved.
    #[test]
    fn err_a_first_byte_of_96_or_above_is_no_code(code in common::code(), first in 0x96..=0xff_u8) {
        let mut packed = *code.packed();
        packed[0] = first;
        let error = IndexCode::from_packed(packed).unwrap_err();
        prop_assert_eq!(error.part(), Part::Person);
    }

    /// `IDX-30`, `IDX-31`: the layout, written down a second time in `common`.
    #[test]
    fn ok_the_layout_is_that_of_the_specification(
        person in 1..10_u128.pow(26), minutes in 0..mic_index::MINUTES, site in 0..36_u128.pow(9),
        device in 0..36_u128.pow(13), unit in prop::collection::vec(1..31_u8, 18),
    ) {
        let code = common::pack(person, minutes, site, device, &unit).unwrap();
        prop_assert_eq!(code.person().to_u128(), person);
        prop_assert_eq!(code.exam_time().minutes(), minutes);
        // Rust's own digits of radix 36 are those of IDX-31, in small letters below.
        let number = |text: String| u128::from_str_radix(&text, 36).unwrap();
        prop_assert_eq!(number(code.site().to_string()), site);
        prop_assert_eq!(number(code.device().to_string()), device);
    }

    /// `IDX-32`: eleven bytes are the person's, and nobody else's.
    #[test]
    fn ok_the_person_is_a_key_prefix(a in common::code(), b in common::code()) {
        prop_assert_eq!(a.packed()[..11] == b.packed()[..11], a.person() == b.person());
    }
}

/// `IDX-2`: no blank, no small letter, no other script.
#[test]
fn err_what_is_not_ascii_capitals_and_digits() {
    for wrong in ["b", " ", "\u{ff22}", "\u{0412}", "\n", "_"] {
        let text = with(Part::Site, &format!("{wrong}020ZYZZZ"));
        assert_eq!(fault(&text).1, "character", "{wrong:?}");
    }
    assert!(IndexCode::parse(&format!("{EXAMPLE}\n")).is_err());
}

/// `IDX-5`: leading zeros count, and nothing inside is looked at.
#[test]
fn ok_any_26_digits_but_zeros_are_a_person() {
    for person in ["00000000000000000000000001", "99999999999999999999999999"] {
        let code = IndexCode::parse(&with(Part::Person, person)).unwrap();
        assert_eq!(code.person().to_string(), person);
    }
    let short = with(Part::Person, "1");
    assert_eq!(fault(&short), ("person", "part_length", 0..1));
}

/// `IDX-8`, `IDX-9`, `IDX-10`: any shape, filler by itself; zeros are a fault in person and unit.
#[test]
fn ok_site_and_device_by_shape_and_filler() {
    for (site, device) in [
        ("ZZZZZZZZZ", "0000000000000"),
        ("000000000", "ZZZZZZZZZZZZZ"),
        ("B020ZYZZZ", "C350200000123"),
    ] {
        let (head, tail) = (&EXAMPLE[..39], &EXAMPLE[64..]);
        let code = IndexCode::parse(&format!("{head}-{site}-{device}-{tail}")).unwrap();
        assert_eq!(code.site().is_assigned(), site != "000000000");
        assert_eq!(code.device().is_assigned(), device != "0000000000000");
    }
    assert!(!SiteCode::FILLER.is_assigned());
    assert_eq!(
        fault(&with(Part::Person, &"0".repeat(26))),
        ("person", "all_zero", 0..26)
    );
    assert_eq!(
        fault(&with(Part::Unit, &"0".repeat(18))),
        ("unit", "all_zero", 64..82)
    );
}

/// `IDX-11`, `IDX-12`: five letters are missing, and a check that does not fit is a finding unless required.
#[test]
fn ok_the_units_alphabet_and_check() {
    for letter in 'A'..='Z' {
        let text = with(Part::Unit, &format!("{letter}23502004266007916"));
        assert_eq!(
            IndexCode::parse(&text).is_err(),
            "IOSVZ".contains(letter),
            "{letter}"
        );
    }
    let wrong = with(Part::Unit, "123502004266007917");
    assert!(!IndexCode::parse(&wrong).unwrap().unit().check().is_match());
    let required = Parser::new().check(CheckPolicy::Require).parse(&wrong);
    assert_eq!(
        required.unwrap_err().kind(),
        ParseErrorKind::CheckCharacter { expected: '6' }
    );
}

/// `IDX-13`: two studies under one code have two keys.
#[test]
fn ok_a_shared_code_makes_two_keys() {
    let code = EXAMPLE.parse().unwrap();
    let key = |uid: &str| RecordKey::new(code, uid.parse().unwrap());
    assert_ne!(key("1.2.3"), key("1.2.4"));
    assert_eq!(key("1.2.3"), key("1.2.3"));
}

/// `IDX-20`, `IDX-22`, `IDX-23`, `IDX-24`: which form a text is measured against, and by which fault.
#[test]
fn err_lengths_hyphens_and_lengths_of_parts() {
    let compact = EXAMPLE.replace('-', "");
    assert_eq!(fault(&compact[1..]), ("length", "length", 0..77));
    // One hyphen makes it a printed form that lacks three.
    let one = format!("{}-{}", &compact[..26], &compact[26..]);
    let (part, kind, _) = fault(&one);
    assert_eq!((part, kind), ("length", "hyphens"));
    assert_eq!(
        fault(&with(Part::Device, "0")),
        ("device", "part_length", 50..51)
    );
}

/// `IDX-21`: a character is one, whatever its bytes; a byte that is no UTF-8 is one, too.
#[test]
fn err_wide_characters_are_wrong_characters_and_no_wrong_length() {
    let wide = with(Part::Site, "\u{ff10}00000000");
    assert_eq!(fault(&wide), ("site", "character", 40..43));
    let mut bytes = EXAMPLE.as_bytes().to_vec();
    bytes[40] = 0xff;
    let error = IndexCode::parse_bytes(&bytes).unwrap_err();
    assert_eq!((error.kind().name(), error.span()), ("character", 40..41));
}
