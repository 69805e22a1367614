//! Decimal and integer strings (PS3.5 6.2) without floating point: every machine gets the same order.

use nom::character::complete::{char, digit0, digit1, one_of};
use nom::combinator::{all_consuming, opt, recognize};
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// Decimals kept: positions in millimetres become nanometres, cosines become millionths.
const DECIMALS: i32 = 6;

/// A decimal string in millionths, rounded towards zero; `None` if it is no number or too large.
pub(super) fn millionths(text: &str) -> Option<i64> {
    let text = trim(text);
    let (_, (sign, whole, fraction, exponent)) = decimal(text).ok()?;
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent: i32 = exponent.map_or(Some(0), |text| text.parse().ok())?;
    // Digits up to this place behind the point are kept.
    let keep = exponent.checked_add(DECIMALS)?;
    let digits = whole.bytes().chain(fraction.bytes());
    let places = i32::try_from(whole.len()).ok()?.checked_add(keep)?;
    let mut value = 0_i64;
    let mut written = 0_i32;
    for digit in digits {
        if written >= places {
            break;
        }
        value = value
            .checked_mul(10)?
            .checked_add(i64::from(digit.wrapping_sub(b'0')))?;
        written += 1;
    }
    while value != 0 && written < places {
        value = value.checked_mul(10)?;
        written += 1;
    }
    if sign == Some('-') {
        value = value.checked_neg()?;
    }
    Some(value)
}

/// An integer string.
pub(super) fn integer(text: &str) -> Option<i64> {
    let text = trim(text);
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\0'])
}

type Parts<'a> = (Option<char>, &'a str, &'a str, Option<&'a str>);

fn decimal(input: &str) -> IResult<&str, Parts<'_>> {
    let exponent = preceded(one_of("eE"), recognize((opt(one_of("+-")), digit1)));
    all_consuming((
        opt(one_of("+-")),
        digit0,
        opt(preceded(char('.'), digit0)).map(Option::unwrap_or_default),
        opt(exponent),
    ))
    .parse(input)
}

#[cfg(test)]
mod tests {
    use super::{integer, millionths};

    #[test]
    fn ok_decimals_of_scanners() {
        for (text, value) in [
            ("-123.4567891 ", -123_456_789),
            ("1", 1_000_000),
            (".5", 500_000),
            ("5.", 5_000_000),
            ("1e3", 1_000_000_000),
            ("-2.5E-3", -2_500),
            ("1e-9", 0),
            ("+0.000001\0", 1),
            ("0e99", 0),
        ] {
            assert_eq!(millionths(text), Some(value), "{text}");
        }
    }

    #[test]
    fn err_what_is_no_number_or_too_large() {
        for text in [
            "",
            " ",
            ".",
            "-",
            "e5",
            "1e",
            "1,5",
            "***",
            "1e99",
            "9999999999999999",
            "nan",
        ] {
            assert_eq!(millionths(text), None, "{text}");
        }
        assert_eq!(integer(" +12 "), Some(12));
        assert_eq!(integer("1.0"), None);
    }
}
