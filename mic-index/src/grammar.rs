//! The reference parser: `spec/index-code.abnf` in nom, one function per rule. Bytes outside the two ASCII forms
//! are part of none (`IDX-2`).
//!
//! Read this to know what a code is. [`IndexCode::parse`] gives the same answer for every input;
//! mutation tests, properties and a fuzz target hold the two together.

use nom::bytes::complete::{tag, take_while_m_n};
use nom::combinator::all_consuming;
use nom::error::ErrorKind;
use nom::sequence::preceded;
use nom::{IResult, Parser};

use crate::alphabet::{ALNUM_VALUE, CREDIT_VALUE, Cell, CharClass, FoundClass, cells};
use crate::code::IndexCode;
use crate::device::DeviceCode;
use crate::error::{ParseError, ParseErrorKind, saturate_u16};
use crate::layout::{self, HYPHEN};
use crate::part::{COMPACT_LEN, EXAM_TIME_LEN, HYPHENS, Part};
use crate::person::PersonCode;
use crate::site::SiteCode;
use crate::time::{ExamTime, Fields, TimeField};
use crate::unit::StorageUnitCode;

/// Reads the printed or the compact form with the grammar itself.
///
/// ```
/// use mic_index::{IndexCode, grammar};
///
/// let text = "10000000000000000708463177202411221430000000000000000000000012350200426600791";
/// assert_eq!(grammar::parse(text.as_bytes()), IndexCode::parse(text)); // one character is missing
/// ```
///
/// # Errors
///
/// The first fault in the order of the text.
pub fn parse(text: &[u8]) -> Result<IndexCode, ParseError> {
    finish(text, index_code)
}

pub(crate) fn parse_person(text: &[u8]) -> Result<PersonCode, ParseError> {
    finish(text, preceded(length_of(Part::Person, whole), person))
}

pub(crate) fn parse_exam_time(text: &[u8]) -> Result<ExamTime, ParseError> {
    finish(text, preceded(length_of(Part::ExamTime, whole), exam_time))
}

pub(crate) fn parse_site(text: &[u8]) -> Result<SiteCode, ParseError> {
    finish(text, preceded(length_of(Part::Site, whole), site))
}

pub(crate) fn parse_device(text: &[u8]) -> Result<DeviceCode, ParseError> {
    finish(text, preceded(length_of(Part::Device, whole), device))
}

pub(crate) fn parse_unit(text: &[u8]) -> Result<StorageUnitCode, ParseError> {
    finish(text, preceded(length_of(Part::Unit, whole), unit))
}

/// `index-code = printed / compact`; a hyphen anywhere makes it the printed form (`IDX-20`).
fn index_code(i: &[u8]) -> Parsed<'_, IndexCode> {
    if i.contains(&HYPHEN) {
        printed(i)
    } else {
        compact(i)
    }
}

/// `printed = person "-" exam-time "-" site "-" device "-" unit`
fn printed(i: &[u8]) -> Parsed<'_, IndexCode> {
    let (i, ()) = four_hyphens(i)?;
    let (i, (person, _, time, _, site, _, device, _, unit)) = (
        preceded(length_of(Part::Person, to_hyphen), person),
        tag(&[HYPHEN][..]),
        preceded(length_of(Part::ExamTime, to_hyphen), exam_time),
        tag(&[HYPHEN][..]),
        preceded(length_of(Part::Site, to_hyphen), site),
        tag(&[HYPHEN][..]),
        preceded(length_of(Part::Device, to_hyphen), device),
        tag(&[HYPHEN][..]),
        preceded(length_of(Part::Unit, to_hyphen), unit),
    )
        .parse(i)?;
    Ok((i, IndexCode::new(person, time, site, device, unit)))
}

/// `compact = person exam-time site device unit`
fn compact(i: &[u8]) -> Parsed<'_, IndexCode> {
    let (i, ()) = seventy_eight(i)?;
    let (i, (person, time, site, device, unit)) =
        (person, exam_time, site, device, unit).parse(i)?;
    Ok((i, IndexCode::new(person, time, site, device, unit)))
}

/// `person = 26DIGIT`, not all zero.
fn person(i: &[u8]) -> Parsed<'_, PersonCode> {
    let digits = |n| symbols(Part::Person, CharClass::Digit, n);
    let (rest, (hi, lo)) = (digits(10), digits(16)).parse(i)?;
    match (decimal(hi), decimal(lo)) {
        (0, 0) => refuse(
            i,
            i.len() - rest.len(),
            Part::Person,
            ParseErrorKind::AllZero,
        ),
        (hi, lo) => Ok((rest, PersonCode::from_halves(hi, lo))),
    }
}

/// `exam-time = year month day hour minute`, a minute of the calendar.
fn exam_time(i: &[u8]) -> Parsed<'_, ExamTime> {
    let (rest, stamp) = symbols(Part::ExamTime, CharClass::Digit, EXAM_TIME_LEN).parse(i)?;
    let fields = Fields::from_digits(stamp);
    for field in TimeField::ALL {
        if let Some(fault) = fields.fault(field) {
            let range = field.range();
            let at = i.get(range.start..).unwrap_or_default();
            return refuse(at, range.len(), Part::ExamTime, ParseErrorKind::Time(fault));
        }
    }
    Ok((rest, fields.minute_of_range()))
}

/// `site = 9ALNUM`
fn site(i: &[u8]) -> Parsed<'_, SiteCode> {
    symbols(Part::Site, CharClass::Alphanumeric, 9)
        .map(|site| SiteCode::from_value(radix_36(site)))
        .parse(i)
}

/// `device = 13ALNUM`
fn device(i: &[u8]) -> Parsed<'_, DeviceCode> {
    let places = |n| symbols(Part::Device, CharClass::Alphanumeric, n);
    (places(5), places(8))
        .map(|(hi, lo)| DeviceCode::from_halves(radix_36(hi), radix_36(lo)))
        .parse(i)
}

/// `unit = 18CREDIT`, not all zero.
fn unit(i: &[u8]) -> Parsed<'_, StorageUnitCode> {
    let places = |n| symbols(Part::Unit, CharClass::CreditCode, n);
    let (rest, (hi, lo)) = (places(6), places(12)).parse(i)?;
    match (five_bits_each(hi), five_bits_each(lo)) {
        (0, 0) => refuse(i, i.len() - rest.len(), Part::Unit, ParseErrorKind::AllZero),
        (hi, lo) => Ok((rest, StorageUnitCode::from_halves(hi, lo))),
    }
}

/// `n` symbols of a class; a refusal points at the first character that is none.
fn symbols<'a>(
    part: Part,
    class: CharClass,
    n: usize,
) -> impl Parser<&'a [u8], Output = &'a [u8], Error = Refusal> {
    move |i: &'a [u8]| {
        let (rest, run) = take_while_m_n(0, n, |byte| class.contains(byte)).parse(i)?;
        if run.len() == n {
            return Ok((rest, run));
        }
        let cell = cells(rest).next().unwrap_or(Cell {
            start: 0,
            end: 0,
            found: None,
        });
        let found = cell.class();
        let kind = ParseErrorKind::Character {
            expected: class,
            found,
        };
        refuse(rest, cell.end, part, kind)
    }
}

/// Look-ahead: a text without hyphens has 78 characters (`IDX-22`).
fn seventy_eight(i: &[u8]) -> Parsed<'_, ()> {
    match cells(i).count() {
        COMPACT_LEN => Ok((i, ())),
        n => {
            let kind = ParseErrorKind::Length {
                found: saturate_u16(n),
            };
            refuse(i, i.len(), Part::Length, kind)
        }
    }
}

/// Look-ahead: a text with hyphens has four (`IDX-23`).
fn four_hyphens(i: &[u8]) -> Parsed<'_, ()> {
    match layout::hyphens(i) {
        HYPHENS => Ok((i, ())),
        n => {
            let kind = ParseErrorKind::Hyphens {
                found: saturate_u16(n),
            };
            let at = layout::departure(i);
            let rest = i.get(at.start..).unwrap_or_default();
            refuse(rest, at.len(), Part::Length, kind)
        }
    }
}

/// Look-ahead: the part has its number of characters (`IDX-24`).
fn length_of<'a>(
    part: Part,
    extent: fn(&[u8]) -> &[u8],
) -> impl Parser<&'a [u8], Output = (), Error = Refusal> {
    move |i: &'a [u8]| {
        let segment = extent(i);
        match cells(segment).count() {
            n if n == part.len() => Ok((i, ())),
            n => refuse(i, segment.len(), part, layout::part_length(part, n)),
        }
    }
}

/// A part that stands alone ends with the text.
fn whole(i: &[u8]) -> &[u8] {
    i
}

/// A part of the printed form ends at the next hyphen or with the text.
fn to_hyphen(i: &[u8]) -> &[u8] {
    i.split(|byte| *byte == HYPHEN).next().unwrap_or_default()
}

fn decimal(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |n, digit| n * 10 + u64::from(digit & 0x0f))
}

fn radix_36(symbols: &[u8]) -> u64 {
    symbols.iter().fold(0, |n, symbol| {
        n * 36 + u64::from(ALNUM_VALUE[usize::from(*symbol)])
    })
}

fn five_bits_each(symbols: &[u8]) -> u64 {
    symbols.iter().fold(0, |n, symbol| {
        n << 5 | u64::from(CREDIT_VALUE[usize::from(*symbol)])
    })
}

type Parsed<'a, T> = IResult<&'a [u8], T, Refusal>;

/// A fault with its place counted from the end of the text, as nom sees places.
#[derive(Debug)]
struct Refusal {
    from_end: usize,
    len: usize,
    part: Part,
    kind: ParseErrorKind,
}

impl nom::error::ParseError<&[u8]> for Refusal {
    /// What nom's own combinators report: something is missing or left over at this place. The
    /// look-aheads speak first for every input, so that none of these reaches a caller.
    fn from_error_kind(i: &[u8], _: ErrorKind) -> Self {
        let expected = CharClass::Alphanumeric;
        let found = cells(i).next().map_or(FoundClass::Invisible, Cell::class);
        Self {
            from_end: i.len(),
            len: i.len().min(1),
            part: Part::Length,
            kind: ParseErrorKind::Character { expected, found },
        }
    }

    fn append(_: &[u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

fn refuse<T>(at: &[u8], len: usize, part: Part, kind: ParseErrorKind) -> Parsed<'_, T> {
    let from_end = at.len();
    Err(nom::Err::Error(Refusal {
        from_end,
        len,
        part,
        kind,
    }))
}

/// Runs a rule over the whole text and turns a refusal's place into an offset.
fn finish<'a, T>(
    text: &'a [u8],
    rule: impl Parser<&'a [u8], Output = T, Error = Refusal>,
) -> Result<T, ParseError> {
    match all_consuming(rule).parse_complete(text) {
        Ok((_, value)) => Ok(value),
        Err(nom::Err::Error(refusal) | nom::Err::Failure(refusal)) => {
            let start = text.len().saturating_sub(refusal.from_end);
            Err(ParseError::new(
                refusal.part,
                refusal.kind,
                start..start + refusal.len,
            ))
        }
        Err(nom::Err::Incomplete(_)) => {
            let found = saturate_u16(text.len());
            Err(ParseError::new(
                Part::Length,
                ParseErrorKind::Length { found },
                0..text.len(),
            ))
        }
    }
}
