//! Times beside the code, to the second.

use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, TimeZone, Timelike};
use nom::branch::alt;
use nom::bytes::complete::take_while_m_n;
use nom::character::complete::{char, one_of};
use nom::combinator::{all_consuming, opt, value};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use crate::time::{BEIJING_OFFSET_S, ExamTime, TimeFault};

/// Bytes of a written [`Moment`].
pub const MOMENT_LEN: usize = 25;

/// A second of the years 1900 to 2154, in Beijing time: what a record says of the order, the exam and the
/// report beyond the minute of the code (`IDX-82`).
///
/// Written as `2024-11-22T14:30:59+08:00`, and read as that with any offset from UTC, or with none or as
/// `2024-11-22 14:30:59`, the form of the platform's messages: Beijing time then. Fractions of a second are
/// cut off, never rounded (`IDX-7`).
///
/// ```
/// use mic_index::{Moment, MomentError};
///
/// let start: Moment = "2024-11-22 14:30:59".parse()?;
/// assert_eq!(start.to_string(), "2024-11-22T14:30:59+08:00");
/// assert_eq!(start.minute().to_string(), "202411221430");
/// assert_eq!("2024-11-22T06:30:59.9Z".parse(), Ok(start));
/// assert_eq!("2024-11-22".parse::<Moment>(), Err(MomentError::Form));
/// # Ok::<(), MomentError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    minute: ExamTime,
    /// 0 to 59.
    second: u8,
}

impl Moment {
    /// A second of a minute, 0 to 59.
    ///
    /// # Errors
    ///
    /// [`MomentError::Second`] above 59.
    pub const fn new(minute: ExamTime, second: u8) -> Result<Self, MomentError> {
        if second > 59 {
            return Err(MomentError::Second);
        }
        Ok(Self { minute, second })
    }

    /// A second that was checked.
    #[cfg(feature = "messages")]
    pub(crate) const fn of(minute: ExamTime, second: u8) -> Self {
        Self { minute, second }
    }

    /// The second that holds an instant, seen on a clock in Beijing.
    ///
    /// # Errors
    ///
    /// [`MomentError::Calendar`] outside 1900 to 2154.
    pub fn from_chrono<Tz: TimeZone>(instant: &DateTime<Tz>) -> Result<Self, MomentError> {
        let beijing = TimeDelta::seconds(i64::from(BEIJING_OFFSET_S));
        let beijing = instant.naive_utc().checked_add_signed(beijing);
        Self::from_naive(beijing.ok_or(TimeFault::Year)?)
    }

    /// The second that holds a date and time already given in Beijing time.
    ///
    /// # Errors
    ///
    /// [`MomentError::Calendar`] outside 1900 to 2154.
    pub fn from_naive(beijing: NaiveDateTime) -> Result<Self, MomentError> {
        let minute = ExamTime::from_naive(beijing)?;
        let second = u8::try_from(beijing.second()).unwrap_or(u8::MAX);
        Self::new(minute, second)
    }

    /// The minute, as an index code has it.
    #[must_use]
    pub const fn minute(self) -> ExamTime {
        self.minute
    }

    /// The second of the minute, 0 to 59.
    #[must_use]
    pub const fn second(self) -> u8 {
        self.second
    }

    /// The start of the second, with its offset of +08:00.
    #[must_use]
    pub fn to_chrono(self) -> DateTime<FixedOffset> {
        self.minute.to_chrono() + TimeDelta::seconds(i64::from(self.second))
    }

    /// The start of the second on a clock in Beijing.
    #[must_use]
    pub fn to_naive(self) -> NaiveDateTime {
        self.minute.to_naive() + TimeDelta::seconds(i64::from(self.second))
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let (_, (ymd, (hour, minute, second), zone)) = all_consuming(moment)
            .parse(text)
            .map_err(|_| MomentError::Form)?;
        let (year, month, day) = ymd;
        let small = |number: u16| u8::try_from(number).unwrap_or(u8::MAX);
        let written = Self::new(
            ExamTime::new(year, small(month), small(day), small(hour), small(minute))?,
            small(second),
        )?;
        let Some((west, hours, minutes)) = zone else {
            return Ok(written);
        };
        if hours > 23 || minutes > 59 {
            return Err(MomentError::Offset);
        }
        let ahead = i64::from(hours * 60 + minutes) * 60;
        let ahead = if west { -ahead } else { ahead };
        let shift = TimeDelta::seconds(i64::from(BEIJING_OFFSET_S) - ahead);
        let beijing = written.to_naive().checked_add_signed(shift);
        Self::from_naive(beijing.ok_or(TimeFault::Year)?)
    }
}

type Parsed<'a, T> = IResult<&'a str, T>;
type Three = (u16, u16, u16);
/// Whether it is behind UTC, hours, minutes.
type Zone = (bool, u16, u16);

/// `moment = date ("T" / " ") clock ["." 1*9DIGIT] ["Z" / offset]`
fn moment(i: &str) -> Parsed<'_, (Three, Three, Option<Zone>)> {
    let date = |i| three('-', 4, i);
    let clock = |i| three(':', 2, i);
    let fraction = opt(preceded(char('.'), take_while_m_n(1, 9, is_digit)));
    (
        date,
        preceded(one_of("T "), clock),
        preceded(fraction, opt(zone)),
    )
        .parse(i)
}

/// `zone = "Z" / ("+" / "-") 2DIGIT ":" 2DIGIT`
fn zone(i: &str) -> Parsed<'_, Zone> {
    let sign = alt((value(false, char('+')), value(true, char('-'))));
    let offset = (sign, number(2), preceded(char(':'), number(2)));
    alt((value((false, 0, 0), char('Z')), offset)).parse(i)
}

/// Three numbers, the first of `digits` digits and the others of two.
fn three(between: char, digits: usize, i: &str) -> Parsed<'_, Three> {
    (
        number(digits),
        preceded(char(between), number(2)),
        preceded(char(between), number(2)),
    )
        .parse(i)
}

/// At most four digits, which fit.
fn number<'a>(
    digits: usize,
) -> impl Parser<&'a str, Output = u16, Error = nom::error::Error<&'a str>> {
    take_while_m_n(digits, digits, is_digit).map(|run: &str| {
        run.bytes().fold(0_u16, |number, digit| {
            number
                .wrapping_mul(10)
                .wrapping_add(u16::from(digit & 0x0f))
        })
    })
}

const fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minute, second) = (self.minute, self.second);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{second:02}+08:00",
            minute.year(),
            minute.month(),
            minute.day(),
            minute.hour(),
            minute.minute()
        )
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Moment({self})")
    }
}

impl From<Moment> for DateTime<FixedOffset> {
    fn from(moment: Moment) -> Self {
        moment.to_chrono()
    }
}

impl<Tz: TimeZone> TryFrom<DateTime<Tz>> for Moment {
    type Error = MomentError;

    fn try_from(instant: DateTime<Tz>) -> Result<Self, MomentError> {
        Self::from_chrono(&instant)
    }
}

/// A text that is no [`Moment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MomentError {
    /// Not of the form of a moment.
    #[error("moment: expected a time as yyyy-MM-ddTHH:mm:ss+08:00 or yyyy-MM-dd HH:mm:ss")]
    Form,
    /// A field outside the calendar or the years 1900 to 2154.
    #[error("moment: expected {0}")]
    Calendar(#[from] TimeFault),
    /// The second is above 59.
    #[error("moment: expected a second from 00 to 59")]
    Second,
    /// The offset from UTC has hours above 23 or minutes above 59.
    #[error("moment: expected an offset from utc of at most 23:59")]
    Offset,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    /// IDX-82: one instant, however it is written.
    #[test]
    fn ok_all_forms_of_one_second() {
        let moment = Moment::new(ExamTime::new(2024, 11, 22, 14, 30).unwrap(), 59).unwrap();
        for text in [
            "2024-11-22T14:30:59+08:00",
            "2024-11-22 14:30:59",
            "2024-11-22T14:30:59",
            "2024-11-22T06:30:59Z",
            "2024-11-21T23:00:59-07:30",
            "2024-11-22T14:30:59.999999999+08:00",
        ] {
            assert_eq!(text.parse(), Ok(moment), "{text}");
        }
        assert_eq!(moment.to_string().len(), MOMENT_LEN);
    }

    #[test]
    fn err_what_is_no_moment() {
        for (text, error) in [
            ("", MomentError::Form),
            ("2024-11-22", MomentError::Form),
            ("20241122143059", MomentError::Form),
            ("2024-11-22T14:30", MomentError::Form),
            ("2024-11-22t14:30:59", MomentError::Form),
            ("2024-11-22  14:30:59", MomentError::Form),
            ("2024-11-22 14:30:59 ", MomentError::Form),
            ("2024-11-22T14:30:59+0800", MomentError::Form),
            ("2024-11-22T14:30:59.", MomentError::Form),
            ("２024-11-22T14:30:59", MomentError::Form),
            (
                "2024-13-22T14:30:59",
                MomentError::Calendar(TimeFault::Month),
            ),
            (
                "2025-02-29 00:00:00",
                MomentError::Calendar(TimeFault::Day { last: 28 }),
            ),
            (
                "2024-11-22 24:00:00",
                MomentError::Calendar(TimeFault::Hour),
            ),
            ("2024-11-22 23:59:60", MomentError::Second),
            ("2024-11-22T14:30:59+24:00", MomentError::Offset),
            ("2024-11-22T14:30:59+00:60", MomentError::Offset),
            (
                "2154-12-31T23:59:59-01:00",
                MomentError::Calendar(TimeFault::Year),
            ),
            (
                "1900-01-01T00:00:00+09:00",
                MomentError::Calendar(TimeFault::Year),
            ),
        ] {
            assert_eq!(text.parse::<Moment>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ok_written_and_read_is_the_same(minutes in 0..crate::MINUTES, second in 0..60_u8) {
            let moment = Moment::new(ExamTime::from_minutes(minutes).unwrap(), second).unwrap();
            let text = moment.to_string();
            prop_assert_eq!(text.parse(), Ok(moment));
            prop_assert_eq!(Moment::from_chrono(&moment.to_chrono()), Ok(moment));
            prop_assert_eq!(text, moment.to_chrono().to_rfc3339());
        }
    }
}
