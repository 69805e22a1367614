//! Fast path, grammar and diagnosis give one answer (`IDX-25`, `IDX-27`).

mod common;

use common::EXAMPLE;
use mic_index::{Fault, IndexCode, ParseError, diagnose, grammar};
use proptest::prelude::*;

/// The one answer to a text, once three have been compared.
#[track_caller]
fn answer(text: &[u8]) -> Result<IndexCode, ParseError> {
    let by_grammar = grammar::parse(text);
    assert_eq!(
        IndexCode::try_parse(text),
        by_grammar.ok(),
        "{}",
        text.escape_ascii()
    );
    by_grammar
}

#[track_caller]
fn answer_and_diagnosis(text: &[u8]) -> Result<IndexCode, ParseError> {
    let answer = answer(text);
    let first = diagnose(text).faults().first().map(Fault::error);
    assert_eq!(first, answer.err(), "{}", text.escape_ascii());
    assert_eq!(IndexCode::parse_bytes(text), answer);
    answer
}

/// Both forms of codes that have digits, letters, filler and extremes in every part.
fn texts() -> Vec<Vec<u8>> {
    let codes = [
        EXAMPLE,
        "00000000000000000000000042-202402291200-B020ZYZZZ-C350200000123-12330000470051734A",
        "99999999999999999999999999-215412312359-ZZZZZZZZZ-ZZZZZZZZZZZZZ-YYYYYYYYYYYYYYYYYY",
        "00000000000000000000000001-190001010000-000000000-0000000000000-000000000000000001",
        "48291750386617295004837261-203010311959-BQ2FZUZZZ-AIOSVZ09HJNPR-N2ABCDEFGHJKLMNPQR",
    ];
    let compact = |text: &&str| text.replace('-', "").into_bytes();
    codes
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .chain(codes.iter().map(compact))
        .collect()
}

/// `IDX-2`, `IDX-3`.
#[test]
fn every_byte_of_both_forms_replaced_by_all_256_values() {
    let mut legal = 0;
    for text in texts() {
        for at in 0..text.len() {
            for byte in 0..=u8::MAX {
                let mut text = text.clone();
                text[at] = byte;
                // The diagnosis is slow; half of the bytes show it every kind of place.
                let answer = if byte % 2 == 0 {
                    answer_and_diagnosis
                } else {
                    answer
                };
                legal += u32::from(answer(&text).is_ok());
            }
        }
    }
    // Far from none and far from all of the 204,800: the comparison saw both sides.
    assert!((10_000..40_000).contains(&legal), "{legal}");
}

#[test]
fn neighbouring_bytes_replaced_by_pairs_that_matter() {
    let bytes = b"012369/:@AIOZ[-\x80\xff";
    for text in texts() {
        for at in 0..text.len() - 1 {
            for a in bytes {
                for b in bytes {
                    let mut text = text.clone();
                    (text[at], text[at + 1]) = (*a, *b);
                    _ = answer(&text);
                }
            }
        }
    }
}

/// Two bytes far apart, three hundred thousand times; the property below shrinks what this finds.
#[test]
fn two_bytes_anywhere_many_times() {
    let texts = texts();
    // SplitMix64: the same numbers on every machine.
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % below as u64).unwrap_or_default()
    };
    let bytes = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-abz /:@[\x00\x80\xe5\xff";
    let mut legal = 0;
    for _ in 0..300_000 {
        let mut text = texts[next(texts.len())].clone();
        for _ in 0..2 {
            let at = next(text.len());
            text[at] = bytes[next(bytes.len())];
        }
        legal += u32::from(answer(&text).is_ok());
    }
    assert!((50_000..150_000).contains(&legal), "{legal}");
}

#[test]
fn every_length_up_to_two_hundred() {
    for text in texts() {
        let endless: Vec<u8> = text.iter().copied().cycle().take(200).collect();
        for len in 0..endless.len() {
            _ = answer_and_diagnosis(&endless[..len]);
        }
    }
}

#[test]
fn every_four_digits_of_month_and_day_and_of_hour_and_minute() {
    for year in [
        "1899", "1900", "2000", "2023", "2024", "2100", "2154", "2155",
    ] {
        for tail in 0..10_000 {
            let text = EXAMPLE.replace("20241122", &format!("{year}{tail:04}"));
            _ = answer(text.as_bytes());
        }
    }
    for tail in 0..10_000 {
        let text = EXAMPLE.replace("202411221430", &format!("20241122{tail:04}"));
        _ = answer(text.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn two_bytes_anywhere(
        code in common::code(),
        printed: bool,
        a: (prop::sample::Index, u8),
        b: (prop::sample::Index, u8),
    ) {
        let mut text = if printed {
            code.printed().as_bytes().to_vec()
        } else {
            code.compact().as_bytes().to_vec()
        };
        for (at, byte) in [a, b] {
            let at = at.index(text.len());
            text[at] = byte;
        }
        _ = answer_and_diagnosis(&text);
    }

    #[test]
    fn nearly_legal_texts(text in common::nearly()) {
        _ = answer_and_diagnosis(text.as_bytes());
    }

    #[test]
    fn any_bytes(text in prop::collection::vec(any::<u8>(), 0..120)) {
        _ = answer_and_diagnosis(&text);
    }
}
