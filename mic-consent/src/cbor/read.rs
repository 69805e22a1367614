//! Reading CBOR in its one permitted form. Leaves are nom parsers; [`Reader`] and [`MapReader`] string them
//! together. No function allocates, none trusts a length, none recurses.

use core::cmp::Ordering;

use nom::{IResult, bytes::complete::take, error::ErrorKind};

use super::write::{ARRAY, BYTES, MAP, NEGATIVE, TAG, TEXT, UNSIGNED};
use crate::denial::{Denial, Reason, Step};

/// What is wrong, and the input from there on; the offset is worked out from its length.
#[derive(Debug)]
pub(crate) struct Fault<'a> {
    rest: &'a [u8],
    reason: Reason,
}

impl<'a> nom::error::ParseError<&'a [u8]> for Fault<'a> {
    fn from_error_kind(rest: &'a [u8], _: ErrorKind) -> Self {
        // The only primitive parsers in use fail for want of bytes.
        Self {
            rest,
            reason: Reason::Truncated,
        }
    }

    fn append(_: &'a [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T, Fault<'a>>;

/// A head in the shortest form: major type and argument (CST-10).
#[inline(always)]
pub(crate) fn head(input: &[u8]) -> Parsed<'_, (u8, u64)> {
    let Some((initial, rest)) = input.split_first() else {
        return fail(input, Reason::Truncated);
    };
    let (major, info) = (initial & 0xe0, initial & 0x1f);
    if info < 24 {
        return Ok((rest, (major, u64::from(info))));
    }
    long_head(input, rest, major, info)
}

/// A head whose argument follows it.
fn long_head<'a>(input: &'a [u8], rest: &'a [u8], major: u8, info: u8) -> Parsed<'a, (u8, u64)> {
    let argument = match info {
        24 => first(rest, |[byte]: [u8; 1]| u64::from(byte)),
        25 => first(rest, |bytes| u64::from(u16::from_be_bytes(bytes))),
        26 => first(rest, |bytes| u64::from(u32::from_be_bytes(bytes))),
        27 => first(rest, u64::from_be_bytes),
        31 => return fail(input, Reason::Indefinite),
        _ => return fail(input, Reason::ReservedForm),
    };
    let Some((rest, argument)) = argument else {
        return fail(rest, Reason::Truncated);
    };
    let least = match info {
        24 => 24,
        25 => 0x100,
        26 => 0x1_0000,
        _ => 0x1_0000_0000,
    };
    // Floats and simple values share the heads; they are refused by type, not by form.
    if argument < least && major != SIMPLE {
        return fail(input, Reason::NotShortest);
    }
    Ok((rest, (major, argument)))
}

const SIMPLE: u8 = 0xe0;

/// A number from the first `N` bytes, and what follows them.
#[inline(always)]
fn first<const N: usize>(input: &[u8], number: impl Fn([u8; N]) -> u64) -> Option<(&[u8], u64)> {
    let (bytes, rest) = input.split_first_chunk()?;
    Some((rest, number(*bytes)))
}

fn fail<T>(rest: &[u8], reason: Reason) -> Parsed<'_, T> {
    Err(nom::Err::Error(Fault { rest, reason }))
}

#[inline(always)]
fn argument_of(expected: u8) -> impl Fn(&[u8]) -> Parsed<'_, u64> {
    #[inline(always)]
    move |input| match head(input)? {
        (rest, (major, argument)) if major == expected => Ok((rest, argument)),
        _ => fail(input, Reason::WrongItem),
    }
}

/// An unsigned integer.
#[inline(always)]
pub(crate) fn uint(input: &[u8]) -> Parsed<'_, u64> {
    argument_of(UNSIGNED)(input)
}

/// An integer that fits 64 bits with sign.
#[inline(always)]
pub(crate) fn int(input: &[u8]) -> Parsed<'_, i64> {
    let (rest, (major, argument)) = head(input)?;
    match (major, i64::try_from(argument)) {
        (UNSIGNED, Ok(number)) => Ok((rest, number)),
        (NEGATIVE, Ok(number)) => Ok((rest, !number)),
        (_, Err(_)) => fail(input, Reason::TooMany),
        _ => fail(input, Reason::WrongItem),
    }
}

#[inline(always)]
fn string(major: u8, least: usize, most: usize) -> impl Fn(&[u8]) -> Parsed<'_, &[u8]> {
    #[inline(always)]
    move |input| {
        let (rest, length) = argument_of(major)(input)?;
        match usize::try_from(length) {
            Ok(length) if length > most => fail(input, Reason::TooMany),
            Ok(length) if length < least => fail(input, Reason::BadLength),
            Ok(length) => take(length)(rest),
            Err(_) => fail(input, Reason::TooMany),
        }
    }
}

/// A byte string of `least` to `most` bytes.
#[inline(always)]
pub(crate) fn bytes(least: usize, most: usize) -> impl Fn(&[u8]) -> Parsed<'_, &[u8]> {
    string(BYTES, least, most)
}

/// A byte string of exactly `N` bytes.
#[inline(always)]
pub(crate) fn array_of<const N: usize>(input: &[u8]) -> Parsed<'_, [u8; N]> {
    // The one head that it can have, compared as it stands; what differs is read to say why.
    match behind_head(input, BYTES, N as u64).and_then(<[u8]>::split_first_chunk) {
        Some((bytes, rest)) => Ok((rest, *bytes)),
        None => other_array_of(input),
    }
}

#[cold]
fn other_array_of<const N: usize>(input: &[u8]) -> Parsed<'_, [u8; N]> {
    let (rest, length) = argument_of(BYTES)(input)?;
    if length != N as u64 {
        return fail(input, Reason::BadLength);
    }
    let (rest, bytes) = take(N)(rest)?;
    match bytes.try_into() {
        Ok(bytes) => Ok((rest, bytes)),
        Err(_) => fail(input, Reason::BadLength),
    }
}

/// A text of at most `most` bytes; whoever makes a value of it knows an alphabet of ASCII (CST-33).
#[inline(always)]
pub(crate) fn text(most: usize) -> impl Fn(&[u8]) -> Parsed<'_, &[u8]> {
    string(TEXT, 0, most)
}

/// The head of an array of `least` to `most` items.
#[inline(always)]
pub(crate) fn array(least: usize, most: usize) -> impl Fn(&[u8]) -> Parsed<'_, usize> {
    count(ARRAY, least, most)
}

#[inline(always)]
fn count(major: u8, least: usize, most: usize) -> impl Fn(&[u8]) -> Parsed<'_, usize> {
    #[inline(always)]
    move |input| {
        let (rest, found) = argument_of(major)(input)?;
        match usize::try_from(found) {
            Ok(found) if (least..=most).contains(&found) => Ok((rest, found)),
            Ok(found) if found < least => fail(input, Reason::BadLength),
            _ => fail(input, Reason::TooMany),
        }
    }
}

/// The tag with this number.
#[inline(always)]
pub(crate) fn tag(number: u64) -> impl Fn(&[u8]) -> Parsed<'_, ()> {
    #[inline(always)]
    move |input| match argument_of(TAG)(input)? {
        (rest, found) if found == number => Ok((rest, ())),
        _ => fail(input, Reason::WrongItem),
    }
}

/// A place in a token: what is left, and where it ends, so that faults can say where they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// Offset of the end of `rest` in the whole token.
    end: usize,
    step: Step,
}

impl<'a> Reader<'a> {
    /// Reads `part`, which begins at `start` of the token, during `step`.
    pub(crate) const fn new(part: &'a [u8], start: usize, step: Step) -> Self {
        Self {
            rest: part,
            end: start + part.len(),
            step,
        }
    }

    /// Offset of the next byte in the token.
    pub(crate) const fn offset(&self) -> usize {
        self.end - self.rest.len()
    }

    /// Takes what `parser` reads.
    #[inline(always)]
    pub(crate) fn take<T>(
        &mut self,
        parser: impl Fn(&'a [u8]) -> Parsed<'a, T>,
    ) -> Result<T, Denial> {
        match parser(self.rest) {
            Ok((rest, value)) => {
                self.rest = rest;
                Ok(value)
            }
            Err(error) => Err(self.refuse(&error)),
        }
    }

    /// Out of the way of what goes well.
    #[cold]
    fn refuse(&self, error: &nom::Err<Fault<'_>>) -> Denial {
        match error {
            nom::Err::Error(fault) | nom::Err::Failure(fault) => {
                self.denial_at(fault.reason, self.end - fault.rest.len())
            }
            nom::Err::Incomplete(_) => self.denial(Reason::Truncated),
        }
    }

    /// Takes what `parser` reads and makes a value of it, or refuses at the place where it began.
    #[inline(always)]
    pub(crate) fn take_as<T, U>(
        &mut self,
        parser: impl Fn(&'a [u8]) -> Parsed<'a, T>,
        make: impl FnOnce(T) -> Result<U, Reason>,
    ) -> Result<U, Denial> {
        let offset = self.offset();
        let value = self.take(parser)?;
        make(value).map_err(|reason| self.denial_at(reason, offset))
    }

    /// Begins a map.
    #[inline(always)]
    pub(crate) fn map(self) -> Result<MapReader<'a>, Denial> {
        let mut reader = self;
        let left = reader.take(count(MAP, 0, MAP_ENTRIES_MAX))?;
        Ok(MapReader {
            reader,
            left,
            last: None,
        })
    }

    /// Nothing may be left.
    #[inline(always)]
    pub(crate) fn end(self) -> Result<(), Denial> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.denial(Reason::TrailingBytes))
        }
    }

    pub(crate) fn denial(&self, reason: Reason) -> Denial {
        self.denial_at(reason, self.offset())
    }

    pub(crate) fn denial_at(&self, reason: Reason, offset: usize) -> Denial {
        Denial::at_offset(reason, offset).in_step(self.step)
    }
}

/// What follows `key` when the input begins with it in its one form.
#[inline(always)]
fn behind_key(input: &[u8], key: i64) -> Option<&[u8]> {
    let (major, argument) = match key {
        0.. => (UNSIGNED, key.unsigned_abs()),
        _ => (NEGATIVE, (!key).unsigned_abs()),
    };
    behind_head(input, major, argument)
}

/// What follows this head when the input begins with it in its shortest form.
#[inline(always)]
fn behind_head(input: &[u8], major: u8, argument: u64) -> Option<&[u8]> {
    let [.., last] = argument.to_be_bytes();
    match argument {
        0..=23 => {
            let (found, rest) = input.split_first()?;
            (*found == major | last).then_some(rest)
        }
        24..=0xff => {
            let (found, rest) = input.split_first_chunk()?;
            (*found == [major | 24, last]).then_some(rest)
        }
        _ => {
            let (rest, found) = head(input).ok()?;
            (found == (major, argument)).then_some(rest)
        }
    }
}

/// Entries a map may claim to have; the widest, a grant's private map, has 14.
const MAP_ENTRIES_MAX: usize = 24;

/// A map read entry by entry in the order of its keys (CST-11).
#[derive(Debug)]
pub(crate) struct MapReader<'a> {
    reader: Reader<'a>,
    left: usize,
    last: Option<i64>,
}

impl<'a> MapReader<'a> {
    /// Goes to the value of `key` when that is the next key. A next key that is malformed is none; whoever needs one
    /// or ends the map says so.
    #[inline(always)]
    pub(crate) fn find(&mut self, key: i64) -> Option<&mut Reader<'a>> {
        if self.left == 0 {
            return None;
        }
        self.reader.rest = behind_key(self.reader.rest, key)?;
        self.left -= 1;
        self.last = Some(key);
        Some(&mut self.reader)
    }

    /// Goes to the value of `key`, which must be the next key; otherwise says `absent` or what is odd.
    #[inline(always)]
    pub(crate) fn need(&mut self, key: i64, absent: Reason) -> Result<&mut Reader<'a>, Denial> {
        if self.find(key).is_none() {
            return Err(self.other_key(absent));
        }
        Ok(&mut self.reader)
    }

    /// Takes a nested map that was read on a copy of the place.
    pub(crate) fn continue_from(&mut self, reader: Reader<'a>) {
        self.reader = reader;
    }

    /// No entry may be left; returns the place behind the map.
    #[inline(always)]
    pub(crate) fn finish(self, unexpected: Reason) -> Result<Reader<'a>, Denial> {
        if self.left == 0 {
            return Ok(self.reader);
        }
        Err(self.other_key(unexpected))
    }

    /// What is wrong with the next key: that it is none, that it repeats or precedes the last one, or `otherwise`.
    #[cold]
    fn other_key(&self, otherwise: Reason) -> Denial {
        let denial = |reason| self.reader.denial(reason);
        if self.left == 0 {
            return denial(otherwise);
        }
        let mut ahead = self.reader;
        let next = match ahead.take(int) {
            Ok(next) => next,
            Err(malformed) => return malformed,
        };
        let Some(last) = self.last else {
            return denial(otherwise);
        };
        // Bytewise order of the encoded keys: unsigned before negative, each by magnitude.
        let rank = |key: i64| (key < 0, key.unsigned_abs());
        match rank(next).cmp(&rank(last)) {
            Ordering::Equal => denial(Reason::DuplicateKey),
            Ordering::Less => denial(Reason::KeyOrder),
            Ordering::Greater => denial(otherwise),
        }
    }
}
