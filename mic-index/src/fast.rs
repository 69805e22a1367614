//! The fast path: both text forms to fields, eight characters at a time, in safe portable code.
//!
//! Accepts exactly what [`grammar`](crate::grammar) accepts and says nothing about the rest; whoever
//! wants to know why asks the grammar. Everything is `const`, so that the same code reads literals
//! at compile time. Bytes are loaded little-endian: the first character is the lowest byte.

use crate::alphabet::{ALNUM_VALUE, CREDIT_VALUE_OR_HIGH, NO_CREDIT};
use crate::calendar::{self, MINUTES_PER_DAY};
use crate::packed::Fields;
use crate::part::{COMPACT_LEN, DEVICE_LEN, PERSON_LEN, PRINTED_LEN, SITE_LEN};

/// The fields of a well-formed text of either form.
#[inline(always)]
pub(crate) const fn read(text: &[u8]) -> Option<Fields> {
    match text.len() {
        PRINTED_LEN => match text.first_chunk::<PRINTED_LEN>() {
            Some(text) if hyphens_in_place(text) => read_spaced::<PRINTED_LEN, 1>(text),
            _ => None,
        },
        COMPACT_LEN => match text.first_chunk::<COMPACT_LEN>() {
            Some(text) => read_spaced::<COMPACT_LEN, 0>(text),
            None => None,
        },
        _ => None,
    }
}

const fn hyphens_in_place(text: &[u8; PRINTED_LEN]) -> bool {
    (text[26] ^ b'-') | (text[39] ^ b'-') | (text[49] ^ b'-') | (text[63] ^ b'-') == 0
}

/// Parts that lie `GAP` bytes apart.
#[inline(always)]
const fn read_spaced<const LEN: usize, const GAP: usize>(text: &[u8; LEN]) -> Option<Fields> {
    let time = PERSON_LEN + GAP;
    let site = time + 12 + GAP;
    let device = site + SITE_LEN + GAP;
    let unit = device + DEVICE_LEN + GAP;

    // 26 + 12 digits: four whole words, and the six digits left over in one.
    let words = [
        load(text, 2),
        load(text, 10),
        load(text, 18),
        load(text, time),
    ];
    let [hour_minute_a, hour_minute_b] = [load_2(text, time + 8), load_2(text, time + 10)];
    let rest = load_2(text, 0) | hour_minute_a << 16 | hour_minute_b << 32 | 0x3030 << 48;
    let digits = not_digits(words[0])
        | not_digits(words[1])
        | not_digits(words[2])
        | not_digits(words[3])
        | not_digits(rest);

    // 9 + 13 characters of radix 36; the two words of the device overlap by three.
    let site_word = load(text, site);
    let site_last = ALNUM_VALUE[text_at(text, site + 8) as usize];
    let device_words = [load(text, device), load(text, device + 5)];
    let alnum = not_alnum(site_word) | not_alnum(device_words[0]) | not_alnum(device_words[1]);

    // 18 characters of the credit alphabet by table: the loads run beside the arithmetic above.
    let unit_hi = credit(text, unit);
    let (unit_b, unit_c) = (credit(text, unit + 6), credit(text, unit + 12));
    let no_credit = (unit_hi | unit_b | unit_c) >> NO_CREDIT.trailing_zeros();

    if digits | alnum | no_credit | (site_last & 0x80) as u64 != 0 {
        return None;
    }

    let rest = pairs(rest);
    let person_hi = lane(rest, 0) * 100_000_000 + eight_digits(words[0]);
    let person_lo = eight_digits(words[1]) * 100_000_000 + eight_digits(words[2]);
    let date = pairs(words[3]);
    let (hour, minute) = (lane(rest, 1), lane(rest, 2));
    let year = lane(date, 0) * 100 + lane(date, 1);
    let days = calendar::days_of(year as u32, lane(date, 2) as u32, lane(date, 3) as u32);
    let unit_lo = unit_b << 30 | unit_c;

    let Some(days) = days else { return None };
    if (person_hi | person_lo == 0) | (unit_hi | unit_lo == 0) | (hour > 23) | (minute > 59) {
        return None;
    }
    Some(Fields {
        person_hi,
        person_lo,
        minutes: (days * MINUTES_PER_DAY) as u64 + hour * 60 + minute,
        site: radix_36(alnum_values(site_word)) * 36 + site_last as u64,
        device_hi: radix_36(alnum_values(device_words[0]) << 24),
        device_lo: radix_36(alnum_values(device_words[1])),
        unit_hi,
        unit_lo,
    })
}

/// Eight bytes from `at`; zeros, which no class accepts, outside the text.
#[inline]
const fn load<const LEN: usize>(text: &[u8; LEN], at: usize) -> u64 {
    if let Some((_, tail)) = text.split_at_checked(at) {
        if let Some(word) = tail.first_chunk::<8>() {
            return u64::from_le_bytes(*word);
        }
    }
    0
}

/// Two bytes from `at`.
#[inline]
const fn load_2<const LEN: usize>(text: &[u8; LEN], at: usize) -> u64 {
    if let Some((_, tail)) = text.split_at_checked(at) {
        if let Some(word) = tail.first_chunk::<2>() {
            return u16::from_le_bytes(*word) as u64;
        }
    }
    0
}

#[inline]
const fn text_at<const LEN: usize>(text: &[u8; LEN], at: usize) -> u8 {
    if at < LEN { text[at] } else { 0 }
}

/// `byte` in all eight places.
const fn each(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

const HIGH: u64 = each(0x80);

/// High bit of each place set where the byte is at least `limit`; for bytes below 0x80.
#[inline]
const fn at_least(word: u64, limit: u8) -> u64 {
    (word + each(0x80 - limit)) & HIGH
}

/// Nonzero unless all eight are `0-9`.
#[inline]
const fn not_digits(word: u64) -> u64 {
    // High halves must be 3, and stay 3 after adding 6. The addition carries out of a byte only
    // from 0xfa on, which the first test has refused already.
    ((word & each(0xf0)) ^ each(0x30)) | ((word.wrapping_add(each(0x06)) & each(0xf0)) ^ each(0x30))
}

/// Nonzero unless all eight are `0-9A-Z`.
#[inline]
const fn not_alnum(word: u64) -> u64 {
    let low = word & !HIGH;
    let digit = at_least(low, b'0') & !at_least(low, b'9' + 1);
    let letter = at_least(low, b'A') & !at_least(low, b'Z' + 1);
    ((digit | letter) ^ HIGH) | (word & HIGH)
}

/// Values 0–35 of eight characters of `0-9A-Z`.
#[inline]
const fn alnum_values(word: u64) -> u64 {
    // Digits are 0x30 + d, letters 0x40 + n with A = 1: (c & 0x1f) is 16 + d or n.
    let letter = word >> 6 & each(1);
    ((word & each(0x1f)) + letter * 25).wrapping_sub(each(16))
}

/// Six characters of the credit alphabet, five bits each; at least [`NO_CREDIT`] if one is none.
#[inline]
const fn credit<const LEN: usize>(text: &[u8; LEN], start: usize) -> u64 {
    let (mut value, mut at) = (0, 0);
    while at < 6 {
        value = value << 5 | CREDIT_VALUE_OR_HIGH[text_at(text, start + at) as usize] as u64;
        at += 1;
    }
    value
}

/// Numbers of two digits in the four 16-bit lanes, first pair lowest.
#[inline]
const fn pairs(digits: u64) -> u64 {
    let digits = digits & each(0x0f);
    (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff
}

#[inline]
const fn lane(pairs: u64, at: u32) -> u64 {
    pairs >> (16 * at) & 0xff
}

/// Eight digits as one number: a product for the pairs 1 and 3, one for 2 and 4, each with its sum in the
/// upper half.
#[inline]
const fn eight_digits(digits: u64) -> u64 {
    const PAIRS: u64 = 0x0000_00ff_0000_00ff;
    let digits = digits & each(0x0f);
    let pairs = digits * 10 + (digits >> 8);
    let odd = (pairs & PAIRS).wrapping_mul(100 | 1_000_000 << 32);
    let even = (pairs >> 16 & PAIRS).wrapping_mul(1 | 10_000 << 32);
    odd.wrapping_add(even) >> 32
}

/// Eight values of radix 36 as one number.
#[inline]
const fn radix_36(values: u64) -> u64 {
    let twos = (values & LANES_16) * 36 + (values >> 8 & LANES_16);
    let fours = (twos & LANES_32) * (36 * 36) + (twos >> 16 & LANES_32);
    (fours & 0xffff_ffff) * (36 * 36 * 36 * 36) + (fours >> 32)
}

const LANES_16: u64 = 0x00ff_00ff_00ff_00ff;
const LANES_32: u64 = 0x0000_ffff_0000_ffff;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alphabet::{CREDIT_VALUE, CharClass};

    /// Every byte in every place of a word, the other places filled with each of a few characters.
    fn words() -> impl Iterator<Item = [u8; 8]> {
        b"09AHJRYZ".iter().flat_map(|fill| {
            (0..8).flat_map(move |place| {
                (0..=u8::MAX).map(move |byte| {
                    let mut word = [*fill; 8];
                    word[place] = byte;
                    word
                })
            })
        })
    }

    #[test]
    fn classes_of_words_are_the_classes_of_their_bytes() {
        for bytes in words() {
            let word = u64::from_le_bytes(bytes);
            let all = |class: CharClass| bytes.iter().all(|byte| class.contains(*byte));
            assert_eq!(not_digits(word) == 0, all(CharClass::Digit), "{bytes:?}");
            assert_eq!(
                not_alnum(word) == 0,
                all(CharClass::Alphanumeric),
                "{bytes:?}"
            );
            for start in 0..=2 {
                let six = &bytes[start..start + 6];
                let legal = six.iter().all(|byte| CharClass::CreditCode.contains(*byte));
                let is_credit = credit(&bytes, start) < u64::from(NO_CREDIT);
                assert_eq!(is_credit, legal, "{bytes:?}");
            }
        }
    }

    #[test]
    fn values_of_words_are_the_values_of_their_bytes() {
        for bytes in words() {
            let word = u64::from_le_bytes(bytes);
            let value = |table: &[u8; 256], byte: u8| u64::from(table[usize::from(byte)]);
            if not_alnum(word) == 0 {
                let slow = bytes
                    .iter()
                    .fold(0, |n, b| n * 36 + value(&ALNUM_VALUE, *b));
                assert_eq!(radix_36(alnum_values(word)), slow);
            }
            if credit(&bytes, 1) < u64::from(NO_CREDIT) {
                let slow = bytes[1..7]
                    .iter()
                    .fold(0, |n, b| n << 5 | value(&CREDIT_VALUE, *b));
                assert_eq!(credit(&bytes, 1), slow);
            }
            if not_digits(word) == 0 {
                let slow = bytes.iter().fold(0, |n, b| n * 10 + u64::from(b - b'0'));
                assert_eq!(eight_digits(word), slow);
            }
        }
    }
}
