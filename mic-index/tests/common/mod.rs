//! Codes for properties: legal ones from every corner of the ranges, and nearly legal texts.
#![allow(dead_code, reason = "each test file uses its own share")]

use mic_index::{IndexCode, MINUTES, PACKED_LEN};
use proptest::prelude::*;

pub(crate) const EXAMPLE: &str =
    "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";

/// Any legal code.
pub(crate) fn code() -> impl Strategy<Value = IndexCode> {
    let number = |radix: u128, places: u32| {
        prop_oneof![
            1 => Just(0),
            1 => Just(radix.pow(places) - 1),
            6 => 0..radix.pow(places),
        ]
    };
    (
        prop_oneof![1 => Just(1), 1 => Just(10_u128.pow(26) - 1), 6 => 1..10_u128.pow(26)],
        prop_oneof![1 => Just(0), 1 => Just(MINUTES - 1), 6 => 0..MINUTES],
        number(36, 9),
        number(36, 13),
        prop::collection::vec(0..31_u8, 18),
    )
        .prop_filter_map(
            "a unit of zeros is none",
            |(person, minutes, site, device, unit)| pack(person, minutes, site, device, &unit),
        )
}

/// The layout of spec section 4 (`IDX-30`, `IDX-31`), written down a second time in the plainest way.
pub(crate) fn pack(
    person: u128,
    minutes: u32,
    site: u128,
    device: u128,
    unit: &[u8],
) -> Option<IndexCode> {
    let mut bits = Vec::new();
    let mut push = |value: u128, width: u32| {
        bits.extend((0..width).rev().map(|bit| value >> bit & 1 == 1));
    };
    push(person / 10_u128.pow(16), 34);
    push(person % 10_u128.pow(16), 54);
    push(minutes.into(), 27);
    push(site, 47);
    push(device / 36_u128.pow(8), 26);
    push(device % 36_u128.pow(8), 42);
    unit.iter().for_each(|place| push((*place).into(), 5));
    let mut bytes = [0; PACKED_LEN];
    for (at, _) in bits.iter().enumerate().filter(|(_, bit)| **bit) {
        bytes[at / 8] |= 0x80 >> (at % 8);
    }
    IndexCode::from_packed(bytes).ok()
}

/// Characters that codes are made of, and those they are confused with.
pub(crate) fn symbol() -> impl Strategy<Value = char> {
    prop_oneof![
        8 => prop::char::range('0', '9'),
        4 => prop::char::range('A', 'Z'),
        2 => Just('-'),
        1 => prop::char::range('a', 'z'),
        1 => prop::char::range('０', 'ｚ'),
        1 => any::<char>(),
    ]
}

/// A legal text with a few characters replaced, left out or put in.
pub(crate) fn nearly() -> impl Strategy<Value = String> {
    let edits = prop::collection::vec((0..3_u8, any::<prop::sample::Index>(), symbol()), 0..4);
    (code(), any::<bool>(), edits).prop_map(|(code, printed, edits)| {
        let text = if printed {
            code.to_string()
        } else {
            code.compact().to_string()
        };
        let mut chars: Vec<char> = text.chars().collect();
        for (edit, at, symbol) in edits {
            let at = at.index(chars.len());
            match edit {
                0 => chars[at] = symbol,
                1 => drop(chars.remove(at)),
                _ => chars.insert(at, symbol),
            }
        }
        chars.into_iter().collect()
    })
}
