//! Base45 (RFC 9285), strictly: one text for one byte string (CST-12).
//!
//! Two bytes are one number below 65,536 written as three digits of base 45, least significant first; a
//! last single byte takes two. A group whose number is too big for its bytes is refused, so decoding and
//! encoding are each other's inverse.

use alloc::{string::String, vec::Vec};

use nom::{
    IResult, Parser as _,
    bytes::complete::take,
    combinator::{map_opt, map_res},
    error::{ErrorKind, FromExternalError, ParseError},
};

use crate::denial::Reason;

const ALPHABET: [u8; 45] = *b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// The text of `bytes`.
pub(crate) fn encode_into(text: &mut String, bytes: &[u8]) {
    for pair in bytes.chunks(2) {
        let (number, digits) = match *pair {
            [high, low] => (u32::from(high) * 256 + u32::from(low), 3),
            [last] => (u32::from(last), 2),
            _ => continue,
        };
        let mut number = number;
        for _ in 0..digits {
            let digit = ALPHABET
                .get((number % 45) as usize)
                .copied()
                .unwrap_or(b'0');
            text.push(char::from(digit));
            number /= 45;
        }
    }
}

/// The bytes of `text`, or the reason and the offset of the character it is about.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, (Reason, usize)> {
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let offset = text.len() - rest.len();
        let parsed = match rest.len() {
            1 => return Err((digit_reason(rest), offset)),
            2 => single(rest).map(|(rest, byte)| (rest, [byte, 0], 1)),
            _ => double(rest).map(|(rest, pair)| (rest, pair, 2)),
        };
        match parsed {
            Ok((after, pair, length)) => {
                bytes.extend(pair.into_iter().take(length));
                rest = after;
            }
            Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => {
                return Err((fault.reason, text.len() - fault.rest.len()));
            }
            Err(nom::Err::Incomplete(_)) => return Err((Reason::Base45Length, offset)),
        }
    }
    Ok(bytes)
}

/// A lone character is first of all a wrong length, unless it is no base45 at all.
fn digit_reason(rest: &[u8]) -> Reason {
    match digit(rest) {
        Ok(_) => Reason::Base45Length,
        Err(_) => Reason::NotBase45,
    }
}

/// Three characters: two bytes.
fn double(input: &[u8]) -> IResult<&[u8], [u8; 2], Fault<'_>> {
    map_res((digit, digit, digit), |(low, middle, high)| {
        let number = low + 45 * middle + 2025 * high;
        u16::try_from(number)
            .map(u16::to_be_bytes)
            .map_err(|_| Reason::Base45Overflow)
    })
    .parse(input)
}

/// Two characters at the end: one byte.
fn single(input: &[u8]) -> IResult<&[u8], u8, Fault<'_>> {
    map_res((digit, digit), |(low, high)| {
        u8::try_from(low + 45 * high).map_err(|_| Reason::Base45Overflow)
    })
    .parse(input)
}

/// One character of the alphabet.
fn digit(input: &[u8]) -> IResult<&[u8], u32, Fault<'_>> {
    map_opt(take(1_usize), |character: &[u8]| match *character {
        [character] => value(character),
        _ => None,
    })
    .parse(input)
}

const fn value(character: u8) -> Option<u32> {
    let digit = match character {
        b'0'..=b'9' => character - b'0',
        b'A'..=b'Z' => character - b'A' + 10,
        b' ' => 36,
        b'$' => 37,
        b'%' => 38,
        b'*' => 39,
        b'+' => 40,
        b'-' => 41,
        b'.' => 42,
        b'/' => 43,
        b':' => 44,
        _ => return None,
    };
    Some(digit as u32)
}

#[derive(Debug)]
struct Fault<'a> {
    rest: &'a [u8],
    reason: Reason,
}

impl<'a> ParseError<&'a [u8]> for Fault<'a> {
    fn from_error_kind(rest: &'a [u8], kind: ErrorKind) -> Self {
        let reason = match kind {
            ErrorKind::Eof => Reason::Base45Length,
            _ => Reason::NotBase45,
        };
        Self { rest, reason }
    }

    fn append(_: &'a [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

impl<'a> FromExternalError<&'a [u8], Reason> for Fault<'a> {
    fn from_external_error(rest: &'a [u8], _: ErrorKind, reason: Reason) -> Self {
        Self { rest, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn encoded(bytes: &[u8]) -> String {
        let mut text = String::new();
        encode_into(&mut text, bytes);
        text
    }

    #[test]
    fn ok_examples_of_rfc_9285() {
        for (bytes, text) in [
            (&b"AB"[..], "BB8"),
            (b"Hello!!", "%69 VD92EX0"),
            (b"base-45", "UJCLQE7W581"),
            (b"ietf!", "QED8WEX0"),
        ] {
            assert_eq!(encoded(bytes), text);
            assert_eq!(decode(text).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn ok_every_single_byte_has_one_text() {
        for byte in 0..=255_u8 {
            assert_eq!(decode(&encoded(&[byte])), Ok(alloc::vec![byte]));
        }
    }

    #[test]
    fn err_group_above_its_bytes() {
        assert_eq!(decode("::"), Err((Reason::Base45Overflow, 0)));
        assert_eq!(decode("GGW"), Err((Reason::Base45Overflow, 0)));
        assert_eq!(decode("FGW").map(|bytes| bytes.len()), Ok(2));
        assert_eq!(decode("000:::"), Err((Reason::Base45Overflow, 3)));
    }

    #[test]
    fn err_wrong_length_and_alphabet() {
        assert_eq!(decode("0000"), Err((Reason::Base45Length, 3)));
        assert_eq!(decode("00a"), Err((Reason::NotBase45, 2)));
        assert_eq!(decode("0"), Err((Reason::Base45Length, 0)));
        assert_eq!(decode("000é"), Err((Reason::NotBase45, 3)));
    }
}
