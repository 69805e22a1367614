//! The exam time (检查日期时间代码): a minute of Beijing time.

use core::fmt;
use core::ops::Range;
use core::str::FromStr;

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone,
    Timelike, Utc,
};

use crate::calendar::{self, MINUTES, MINUTES_PER_DAY, YEAR_FIRST, YEAR_LAST};
use crate::error::ParseError;
use crate::part::EXAM_TIME_LEN;
use crate::text::{Text, write_2_digits, write_8_digits};

/// Seconds that Beijing time is ahead of UTC. China has no daylight saving time (`IDX-7`).
pub const BEIJING_OFFSET_S: i32 = 8 * 60 * 60;

/// The minute of an exam (检查日期时间代码), in Beijing time (UTC+8), 1900 to 2154.
///
/// The text form is `YYYYMMDDhhmm`. Conversions from finer clocks truncate to the minute and never
/// round, so that the same instant always gives the same code.
///
/// ```
/// use mic_index::ExamTime;
///
/// let time = ExamTime::new(2024, 11, 22, 14, 30)?;
/// assert_eq!(time.to_string(), "202411221430");
/// assert_eq!(time.to_chrono().to_rfc3339(), "2024-11-22T14:30:00+08:00");
/// assert_eq!("202411221430".parse(), Ok(time));
/// # Ok::<(), mic_index::TimeFault>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExamTime {
    /// Below [`MINUTES`].
    minutes: u32,
}

impl ExamTime {
    /// The earliest minute a code can carry, 1900-01-01 00:00.
    pub const MIN: Self = Self { minutes: 0 };
    /// The latest minute a code can carry, 2154-12-31 23:59.
    pub const MAX: Self = Self {
        minutes: MINUTES - 1,
    };

    /// A minute from calendar fields in Beijing time.
    ///
    /// # Errors
    ///
    /// [`TimeFault`] names the first field that is outside the calendar or the years 1900 to 2154.
    pub const fn new(
        year: u16,
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
    ) -> Result<Self, TimeFault> {
        let fields = Fields {
            year,
            month,
            day,
            hour,
            minute,
        };
        let mut at = 0;
        while at < TimeField::ALL.len() {
            if let Some(fault) = fields.fault(TimeField::ALL[at]) {
                return Err(fault);
            }
            at += 1;
        }
        Ok(fields.minute_of_range())
    }

    /// A minute from its number since 1900-01-01 00:00, as the packed form keeps it.
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Option<Self> {
        if minutes < MINUTES {
            Some(Self { minutes })
        } else {
            None
        }
    }

    /// The minute that holds an instant, seen on a clock in Beijing.
    ///
    /// # Errors
    ///
    /// [`TimeFault::Year`] outside 1900 to 2154.
    pub fn from_chrono<Tz: TimeZone>(instant: &DateTime<Tz>) -> Result<Self, TimeFault> {
        let beijing = instant
            .naive_utc()
            .checked_add_signed(TimeDelta::seconds(i64::from(BEIJING_OFFSET_S)))
            .ok_or(TimeFault::Year)?;
        Self::from_naive(beijing)
    }

    /// The minute that holds a date and time already given in Beijing time.
    ///
    /// # Errors
    ///
    /// [`TimeFault::Year`] outside 1900 to 2154.
    pub fn from_naive(beijing: NaiveDateTime) -> Result<Self, TimeFault> {
        // Fields, not a duration: seconds are cut off, never rounded, and a second 60 belongs to the
        // minute it ends (IDX-7).
        let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        Self::new(
            u16::try_from(beijing.year()).map_err(|_| TimeFault::Year)?,
            small(beijing.month()),
            small(beijing.day()),
            small(beijing.hour()),
            small(beijing.minute()),
        )
    }

    /// Minutes since 1900-01-01 00:00 Beijing time.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.minutes
    }

    /// Year, 1900 to 2154.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.fields().year
    }

    /// Month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.fields().month
    }

    /// Day of the month, 1 to 31.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.fields().day
    }

    /// Hour, 0 to 23.
    #[must_use]
    pub const fn hour(self) -> u8 {
        self.fields().hour
    }

    /// Minute of the hour, 0 to 59.
    #[must_use]
    pub const fn minute(self) -> u8 {
        self.fields().minute
    }

    /// The start of the minute, with its offset of +08:00.
    #[must_use]
    pub fn to_chrono(self) -> DateTime<FixedOffset> {
        let utc = self.to_naive() - TimeDelta::seconds(i64::from(BEIJING_OFFSET_S));
        DateTime::from_naive_utc_and_offset(utc, beijing())
    }

    /// The start of the minute on a clock in Beijing.
    #[must_use]
    pub fn to_naive(self) -> NaiveDateTime {
        EPOCH + TimeDelta::minutes(i64::from(self.minutes))
    }

    /// The text form, on the stack.
    #[must_use]
    pub const fn text(self) -> Text<EXAM_TIME_LEN> {
        let mut text = [0; EXAM_TIME_LEN];
        self.write(&mut text, 0);
        Text::new(text)
    }

    #[inline]
    pub(crate) const fn write<const N: usize>(self, out: &mut [u8; N], start: usize) {
        let Fields {
            year,
            month,
            day,
            hour,
            minute,
        } = self.fields();
        let date = year as u64 * 10_000 + month as u64 * 100 + day as u64;
        write_8_digits(out, start, date);
        write_2_digits(out, start + 8, hour as u64);
        write_2_digits(out, start + 10, minute as u64);
    }

    const fn fields(self) -> Fields {
        let (year, month, day) = calendar::date_from_days(self.minutes / MINUTES_PER_DAY);
        let rest = self.minutes % MINUTES_PER_DAY;
        Fields {
            year,
            month,
            day,
            hour: (rest / 60) as u8,
            minute: (rest % 60) as u8,
        }
    }
}

impl FromStr for ExamTime {
    type Err = ParseError;

    /// Reads twelve digits. A stamp is never read with chrono, which accepts eleven digits and blanks.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        crate::grammar::parse_exam_time(text.as_bytes())
    }
}

impl fmt::Display for ExamTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl fmt::Debug for ExamTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExamTime({})", self.text().as_str())
    }
}

impl From<ExamTime> for DateTime<FixedOffset> {
    fn from(time: ExamTime) -> Self {
        time.to_chrono()
    }
}

impl From<ExamTime> for NaiveDateTime {
    fn from(time: ExamTime) -> Self {
        time.to_naive()
    }
}

impl<Tz: TimeZone> TryFrom<DateTime<Tz>> for ExamTime {
    type Error = TimeFault;

    fn try_from(instant: DateTime<Tz>) -> Result<Self, TimeFault> {
        Self::from_chrono(&instant)
    }
}

/// What is wrong with the fields of a time.
///
/// ```
/// use mic_index::{ExamTime, TimeFault};
///
/// assert_eq!(ExamTime::new(2025, 2, 29, 12, 0), Err(TimeFault::Day { last: 28 }));
/// assert_eq!(TimeFault::Hour.to_string(), "an hour from 00 to 23");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TimeFault {
    /// The year is before 1900 or after 2154.
    #[error("a year from {YEAR_FIRST} to {YEAR_LAST}")]
    Year,
    /// The month is 00 or above 12.
    #[error("a month from 01 to 12")]
    Month,
    /// The day is 00 or after the last of the month.
    #[error("a day from 01 to {last} of this month")]
    Day {
        /// Last day of the month of the stamp; 31 where the month is at fault, too.
        last: u8,
    },
    /// The hour is above 23; `24` is not accepted.
    #[error("an hour from 00 to 23")]
    Hour,
    /// The minute is above 59.
    #[error("a minute from 00 to 59")]
    Minute,
}

impl TimeFault {
    /// The field at fault.
    #[must_use]
    pub const fn field(self) -> TimeField {
        match self {
            Self::Year => TimeField::Year,
            Self::Month => TimeField::Month,
            Self::Day { .. } => TimeField::Day,
            Self::Hour => TimeField::Hour,
            Self::Minute => TimeField::Minute,
        }
    }
}

/// A field of the stamp, in the order of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the stamp has these five fields by its definition"
)]
pub enum TimeField {
    /// `YYYY`
    Year,
    /// `MM`
    Month,
    /// `DD`
    Day,
    /// `hh`
    Hour,
    /// `mm`
    Minute,
}

impl TimeField {
    /// The five fields in the order of the text.
    pub const ALL: [Self; 5] = [Self::Year, Self::Month, Self::Day, Self::Hour, Self::Minute];

    /// Where the field lies in the twelve digits.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        match self {
            Self::Year => 0..4,
            Self::Month => 4..6,
            Self::Day => 6..8,
            Self::Hour => 8..10,
            Self::Minute => 10..12,
        }
    }
}

/// The five numbers of a stamp, checked or not.
#[derive(Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
}

impl Fields {
    /// The fields of twelve digits, whatever their values.
    pub(crate) fn from_digits(stamp: &[u8]) -> Self {
        let number = |field: TimeField| {
            let digits = stamp.get(field.range()).unwrap_or_default();
            digits
                .iter()
                .fold(0_u16, |n, digit| n * 10 + u16::from(digit & 0x0f))
        };
        let pair = |field| u8::try_from(number(field)).unwrap_or(u8::MAX);
        Self {
            year: number(TimeField::Year),
            month: pair(TimeField::Month),
            day: pair(TimeField::Day),
            hour: pair(TimeField::Hour),
            minute: pair(TimeField::Minute),
        }
    }

    /// What is wrong with one field, the others being what they are.
    pub(crate) const fn fault(self, field: TimeField) -> Option<TimeFault> {
        let last = calendar::days_in_month(self.year, self.month);
        match field {
            TimeField::Year if self.year < YEAR_FIRST || self.year > YEAR_LAST => {
                Some(TimeFault::Year)
            }
            TimeField::Month if self.month < 1 || self.month > 12 => Some(TimeFault::Month),
            TimeField::Day if self.day < 1 || self.day > last => Some(TimeFault::Day { last }),
            TimeField::Hour if self.hour > 23 => Some(TimeFault::Hour),
            TimeField::Minute if self.minute > 59 => Some(TimeFault::Minute),
            _ => None,
        }
    }

    /// The minute of fields that have no fault.
    #[inline]
    pub(crate) const fn minute_of_range(self) -> ExamTime {
        let days = calendar::days_from_date(self.year, self.month, self.day);
        ExamTime {
            minutes: days * MINUTES_PER_DAY + self.hour as u32 * 60 + self.minute as u32,
        }
    }
}

fn beijing() -> FixedOffset {
    FixedOffset::east_opt(BEIJING_OFFSET_S).unwrap_or_else(|| Utc.fix())
}

const EPOCH: NaiveDateTime = match NaiveDate::from_ymd_opt(1900, 1, 1) {
    Some(date) => match date.and_hms_opt(0, 0, 0) {
        Some(epoch) => epoch,
        None => NaiveDateTime::MIN,
    },
    None => NaiveDateTime::MIN,
};
