//! Dates and times of the wire: `yyyy-MM-dd` and `yyyy-MM-dd HH:mm:ss`, no zone.

use core::fmt;
use core::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use nom::bytes::complete::{tag, take_while_m_n};
use nom::combinator::{all_consuming, map_res};
use nom::error::Error;
use nom::sequence::terminated;
use nom::{IResult, Parser};

use crate::moment::Moment;
use crate::time::{ExamTime, TimeFault};

/// A date of the wire, `yyyy-MM-dd`, in Beijing; 1900 to 2154 (`IDX-113`).
///
/// ```
/// use mic_index::messages::WireDate;
///
/// let date: WireDate = "2024-02-29".parse()?;
/// assert_eq!(date.to_string(), "2024-02-29");
/// assert_eq!(date.to_chrono().to_string(), "2024-02-29");
/// assert!("2025-02-29".parse::<WireDate>().is_err());
/// assert!("2024-2-29".parse::<WireDate>().is_err());
/// # Ok::<(), mic_index::messages::WireTimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireDate {
    midnight: ExamTime,
}

impl WireDate {
    /// The day of an exam.
    #[must_use]
    pub const fn of(time: ExamTime) -> Self {
        let midnight = time.minutes() - time.minutes() % (24 * 60);
        match ExamTime::from_minutes(midnight) {
            Some(midnight) => Self { midnight },
            // Not reached: earlier on the same day.
            None => Self { midnight: time },
        }
    }

    /// The date.
    #[must_use]
    pub fn to_chrono(self) -> NaiveDate {
        self.midnight.to_naive().date()
    }
}

impl TryFrom<NaiveDate> for WireDate {
    type Error = TimeFault;

    fn try_from(date: NaiveDate) -> Result<Self, TimeFault> {
        ExamTime::from_naive(date.and_time(chrono::NaiveTime::MIN)).map(Self::of)
    }
}

impl FromStr for WireDate {
    type Err = WireTimeError;

    fn from_str(text: &str) -> Result<Self, WireTimeError> {
        let fields = all_consuming(date).parse(text);
        let (_, (year, month, day)) = fields.map_err(|_| WireTimeError::Date)?;
        let midnight = ExamTime::new(year, month, day, 0, 0)?;
        Ok(Self { midnight })
    }
}

impl fmt::Display for WireDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.midnight;
        write!(f, "{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
    }
}

impl fmt::Debug for WireDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireDate({self})")
    }
}

/// A time of the wire, `yyyy-MM-dd HH:mm:ss`, in Beijing; 1900 to 2154 (`IDX-113`).
///
/// ```
/// use mic_index::messages::WireTime;
///
/// let time: WireTime = "2024-11-22 14:30:59".parse()?;
/// assert_eq!(time.to_exam_time().to_string(), "202411221430"); // cut off, not rounded
/// assert_eq!(WireTime::from(time.to_exam_time()).to_string(), "2024-11-22 14:30:00");
/// # Ok::<(), mic_index::messages::WireTimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireTime {
    minute: ExamTime,
    /// 0 to 59.
    second: u8,
}

impl WireTime {
    /// The minute, as an index code has it.
    #[must_use]
    pub const fn to_exam_time(self) -> ExamTime {
        self.minute
    }

    /// The time on a clock in Beijing.
    #[must_use]
    pub fn to_chrono(self) -> NaiveDateTime {
        self.minute.to_naive() + TimeDelta::seconds(i64::from(self.second))
    }
}

impl From<ExamTime> for WireTime {
    fn from(minute: ExamTime) -> Self {
        Self { minute, second: 0 }
    }
}

impl From<WireTime> for Moment {
    fn from(time: WireTime) -> Self {
        Self::of(time.minute, time.second)
    }
}

impl From<Moment> for WireTime {
    fn from(moment: Moment) -> Self {
        Self {
            minute: moment.minute(),
            second: moment.second(),
        }
    }
}

impl FromStr for WireTime {
    type Err = WireTimeError;

    fn from_str(text: &str) -> Result<Self, WireTimeError> {
        let two = |text| number::<u8>(2, text);
        let clock = (terminated(two, tag(":")), terminated(two, tag(":")), two);
        let fields = all_consuming((terminated(date, tag(" ")), clock)).parse(text);
        let (_, ((year, month, day), (hour, minute, second))) =
            fields.map_err(|_| WireTimeError::Time)?;
        let minute = ExamTime::new(year, month, day, hour, minute)?;
        if second > 59 {
            return Err(WireTimeError::Second);
        }
        Ok(Self { minute, second })
    }
}

impl fmt::Display for WireTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (WireDate::of(self.minute), self.minute);
        let second = self.second;
        write!(
            f,
            "{date} {:02}:{:02}:{second:02}",
            time.hour(),
            time.minute()
        )
    }
}

impl fmt::Debug for WireTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireTime({self})")
    }
}

/// `yyyy-MM-dd`, whatever the values.
fn date(text: &str) -> IResult<&str, (u16, u8, u8)> {
    let two = |text| number::<u8>(2, text);
    let year = |text| number::<u16>(4, text);
    (terminated(year, tag("-")), terminated(two, tag("-")), two).parse(text)
}

/// A fixed number of digits.
fn number<T: FromStr>(digits: usize, text: &str) -> IResult<&str, T, Error<&str>> {
    let digits = take_while_m_n(digits, digits, |found: char| found.is_ascii_digit());
    map_res(digits, str::parse).parse(text)
}

/// A text that is no date or time of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum WireTimeError {
    /// Not of the form of a date.
    #[error("expected a date as yyyy-MM-dd")]
    Date,
    /// Not of the form of a time.
    #[error("expected a time as yyyy-MM-dd HH:mm:ss")]
    Time,
    /// A field outside the calendar or the years 1900 to 2154.
    #[error("expected {0}")]
    Calendar(#[from] TimeFault),
    /// The second is above 59.
    #[error("expected a second from 00 to 59")]
    Second,
}
