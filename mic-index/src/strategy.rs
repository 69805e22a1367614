//! Strategies for the properties of programs that handle index codes (feature `proptest`).
//!
//! [`code`] and the strategies of the parts give legal values, with the edges of every range made
//! likely. [`wrong_text`] gives a text with exactly one fault, and the fault, known by construction and
//! not by asking a parser.
//!
//! ```
//! use mic_index::{IndexCode, strategy};
//! use proptest::prelude::*;
//!
//! proptest!(|(code in strategy::code(), wrong in strategy::wrong_text())| {
//!     prop_assert_eq!(IndexCode::parse(&code.to_string()), Ok(code));
//!     prop_assert_eq!(IndexCode::parse(wrong.text()), Err(wrong.error()));
//! });
//! ```

use alloc::string::{String, ToString};

use proptest::prelude::*;

use crate::alphabet::{CREDIT_ALPHABET, FoundClass};
use crate::calendar::{MINUTES, days_in_month};
use crate::code::IndexCode;
use crate::device::DeviceCode;
use crate::error::{ParseError, ParseErrorKind};
use crate::moment::Moment;
use crate::part::{COMPACT_LEN, HYPHENS, Part, UNIT_LEN};
use crate::person::PersonCode;
use crate::site::SiteCode;
use crate::time::{ExamTime, TimeFault, TimeField};
use crate::unit::{StorageUnitCode, UnitCheck};

/// Legal codes from every corner: filler or not, a check character that fits or not, the least and
/// the greatest of each part.
pub fn code() -> impl Strategy<Value = IndexCode> + Clone {
    (person(), exam_time(), site(), device(), unit()).prop_map(
        |(person, time, site, device, unit)| IndexCode::new(person, time, site, device, unit),
    )
}

/// Legal person codes.
pub fn person() -> impl Strategy<Value = PersonCode> + Clone {
    let last = 10_u128.pow(26) - 1;
    prop_oneof![1 => Just(1), 1 => Just(last), 6 => 1..=last]
        .prop_filter_map("zeros are no person", PersonCode::from_u128)
}

/// Minutes of the years 1900 to 2154.
pub fn exam_time() -> impl Strategy<Value = ExamTime> + Clone {
    prop_oneof![1 => Just(0), 1 => Just(MINUTES - 1), 6 => 0..MINUTES]
        .prop_filter_map("all are minutes", ExamTime::from_minutes)
}

/// Seconds of the years 1900 to 2154.
pub fn moment() -> impl Strategy<Value = Moment> + Clone {
    (exam_time(), 0..60_u8).prop_filter_map("all are seconds", |(minute, second)| {
        Moment::new(minute, second).ok()
    })
}

/// Sites, one in four of them filler.
pub fn site() -> impl Strategy<Value = SiteCode> + Clone {
    let last = 36_u64.pow(9) - 1;
    prop_oneof![2 => Just(0), 1 => Just(last), 5 => 0..=last].prop_map(SiteCode::from_value)
}

/// Devices, one in four of them filler.
pub fn device() -> impl Strategy<Value = DeviceCode> + Clone {
    let (hi, lo) = (36_u64.pow(5) - 1, 36_u64.pow(8) - 1);
    prop_oneof![2 => Just((0, 0)), 1 => Just((hi, lo)), 5 => (0..=hi, 0..=lo)]
        .prop_map(|(hi, lo)| DeviceCode::from_halves(hi, lo))
}

/// Storage units, whether their check character fits or not.
pub fn unit() -> impl Strategy<Value = StorageUnitCode> + Clone {
    prop_oneof![any_unit(), fitting_unit()]
}

/// Storage units whose check character fits.
pub fn fitting_unit() -> impl Strategy<Value = StorageUnitCode> + Clone {
    any_unit().prop_filter_map("seventeen zeros call for a zero", |unit| {
        match unit.check() {
            UnitCheck::Match => Some(unit),
            UnitCheck::Mismatch { expected, .. } => {
                let mut text: String = unit.text().as_str().chars().take(UNIT_LEN - 1).collect();
                text.push(expected);
                text.parse().ok()
            }
        }
    })
}

fn any_unit() -> impl Strategy<Value = StorageUnitCode> + Clone {
    prop::collection::vec(prop::sample::select(CREDIT_ALPHABET.as_slice()), UNIT_LEN)
        .prop_filter_map("zeros are no unit", |text| {
            crate::grammar::parse_unit(&text).ok()
        })
}

/// A text that is one fault away from a code. Made up, so `Debug` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongText {
    text: String,
    error: ParseError,
}

impl WrongText {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its one fault, as every strict reader has to give it.
    #[must_use]
    pub const fn error(&self) -> ParseError {
        self.error
    }
}

/// Texts with exactly one fault, of every kind but a required check character.
pub fn wrong_text() -> impl Strategy<Value = WrongText> + Clone {
    prop_oneof![
        (code(), 0..COMPACT_LEN).prop_map(|(code, at)| length(code, at)),
        (code(), 0..HYPHENS).prop_map(|(code, at)| hyphens(code, at)),
        (code(), part(), any::<prop::sample::Index>()).prop_map(|(code, part, at)| part_length(
            code,
            part,
            at.index(part.len())
        )),
        (
            code(),
            part(),
            any::<prop::sample::Index>(),
            symbol(),
            any::<bool>()
        )
            .prop_map(|(code, part, at, symbol, printed)| {
                character(code, part, at.index(part.len()), symbol, printed)
            }),
        (code(), time_fault(), any::<bool>())
            .prop_map(|(code, (field, value), printed)| time(code, field, value, printed)),
        (code(), any::<bool>(), any::<bool>())
            .prop_map(|(code, person, printed)| all_zero(code, person, printed)),
    ]
}

fn part() -> impl Strategy<Value = Part> + Clone {
    prop::sample::select(Part::ALL.as_slice())
}

/// Characters of every class that belong to no part.
fn symbol() -> impl Strategy<Value = char> + Clone {
    prop_oneof![
        prop::char::range('a', 'z'),
        prop::char::range('！', '～'),
        prop::char::range('一', '龥'),
        prop::sample::select([' ', '\t', '\u{3000}', '/', '+', '\u{200b}', '\u{feff}'].as_slice()),
    ]
}

/// Values just outside a field, and far outside.
fn time_fault() -> impl Strategy<Value = (TimeField, u16)> + Clone {
    let field = |field: TimeField, values: &'static [u16]| {
        prop::sample::select(values).prop_map(move |value| (field, value))
    };
    prop_oneof![
        field(TimeField::Year, &[0, 1899, 2155, 9999]),
        field(TimeField::Month, &[0, 13, 99]),
        field(TimeField::Day, &[0, 32, 99]),
        field(TimeField::Hour, &[24, 99]),
        field(TimeField::Minute, &[60, 99]),
    ]
}

fn written(code: IndexCode, printed: bool) -> String {
    if printed {
        code.to_string()
    } else {
        code.compact().as_str().to_string()
    }
}

fn place(part: Part, printed: bool) -> core::ops::Range<usize> {
    if printed {
        part.printed_range()
    } else {
        part.compact_range()
    }
}

fn wrong(
    text: String,
    part: Part,
    kind: ParseErrorKind,
    span: core::ops::Range<usize>,
) -> WrongText {
    let error = ParseError::new(part, kind, span);
    WrongText { text, error }
}

fn length(code: IndexCode, at: usize) -> WrongText {
    let mut text = written(code, false);
    text.remove(at);
    let found = crate::error::saturate_u16(text.len());
    let span = 0..text.len();
    wrong(text, Part::Length, ParseErrorKind::Length { found }, span)
}

fn hyphens(code: IndexCode, at: usize) -> WrongText {
    let mut text = written(code, true);
    // The hyphen behind each of the first four parts.
    let behind = Part::ALL.get(at).map_or(0, |part| part.printed_range().end);
    text.remove(behind);
    let kind = ParseErrorKind::Hyphens { found: 3 };
    wrong(text, Part::Length, kind, behind..behind + 1)
}

fn part_length(code: IndexCode, part: Part, at: usize) -> WrongText {
    let mut text = written(code, true);
    let range = part.printed_range();
    text.remove(range.start + at);
    let expected = u8::try_from(part.len()).unwrap_or(u8::MAX);
    let kind = ParseErrorKind::PartLength {
        expected,
        found: u16::from(expected) - 1,
    };
    wrong(text, part, kind, range.start..range.end - 1)
}

fn character(code: IndexCode, part: Part, at: usize, symbol: char, printed: bool) -> WrongText {
    let mut text = written(code, printed);
    let at = place(part, printed).start + at;
    text.replace_range(at..=at, symbol.encode_utf8(&mut [0; 4]));
    let kind = ParseErrorKind::Character {
        expected: part.class(),
        found: FoundClass::of(symbol),
    };
    wrong(text, part, kind, at..at + symbol.len_utf8())
}

fn time(code: IndexCode, field: TimeField, value: u16, printed: bool) -> WrongText {
    let mut text = written(code, printed);
    let stamp = place(Part::ExamTime, printed).start;
    let range = stamp + field.range().start..stamp + field.range().end;
    let width = range.len();
    text.replace_range(range.clone(), &alloc::format!("{value:0width$}"));
    let fault = match field {
        TimeField::Year => {
            // 29 February would be a second fault where the wrong year has none.
            let day = stamp + TimeField::Day.range().start;
            text.replace_range(day..day + 2, "01");
            TimeFault::Year
        }
        TimeField::Month => {
            let day = stamp + TimeField::Day.range().start;
            text.replace_range(day..day + 2, "01");
            TimeFault::Month
        }
        TimeField::Day => {
            let time = code.exam_time();
            let last = days_in_month(time.year(), time.month());
            TimeFault::Day { last }
        }
        TimeField::Hour => TimeFault::Hour,
        TimeField::Minute => TimeFault::Minute,
    };
    wrong(text, Part::ExamTime, ParseErrorKind::Time(fault), range)
}

fn all_zero(code: IndexCode, person: bool, printed: bool) -> WrongText {
    let part = if person { Part::Person } else { Part::Unit };
    let mut text = written(code, printed);
    let range = place(part, printed);
    text.replace_range(range.clone(), &"0".repeat(part.len()));
    wrong(text, part, ParseErrorKind::AllZero, range)
}
