//! Days and moments as China counts them: UTC+8 everywhere, no summer time.
//!
//! Years are added by the calendar, never by days: 15 times 365.25 days is wrong on two start days
//! of three (rule K-06).

use core::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{grammar, text::TextError};

/// Seconds east of Greenwich of every date in this crate.
const BEIJING_SECONDS_EAST: i32 = 8 * 3600;

const BEIJING: FixedOffset = match FixedOffset::east_opt(BEIJING_SECONDS_EAST) {
    Some(offset) => offset,
    None => panic!("eight hours are a valid offset"),
};

/// A moment to the second, shown in Beijing time; parts of a second are cut off.
///
/// It comes from and goes to a chrono `DateTime`, and reads and writes RFC 3339 text.
///
/// ```
/// use mic_billing::Moment;
///
/// let moment: Moment = "2025-11-20T18:30:00Z".parse()?;
/// assert_eq!(moment.to_string(), "2025-11-21T02:30:00+08:00");
/// assert_eq!(moment.date().to_string(), "2025-11-21");
/// assert_eq!(Moment::try_from(moment.to_chrono())?, moment);
/// # Ok::<(), mic_billing::TextError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// The first moment there is.
    pub(crate) const EARLIEST: Self = Self(Self::first());

    /// The moment as a chrono value with the offset +08:00.
    #[must_use]
    pub fn to_chrono(self) -> DateTime<FixedOffset> {
        // Every constructor checks the range, so the default never shows.
        DateTime::from_timestamp(self.0, 0)
            .unwrap_or_default()
            .with_timezone(&BEIJING)
    }

    /// The civil day in Beijing.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        self.to_chrono().date_naive()
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }

    /// The moment so many hours later; the last representable one if that is beyond the year 9999.
    #[must_use]
    pub(crate) fn plus_hours(self, hours: u32) -> Self {
        let seconds = i64::from(hours).saturating_mul(3600);
        Self(self.0.saturating_add(seconds).min(Self::last()))
    }

    /// The moment so many seconds later or, below zero, earlier, within the range.
    #[must_use]
    pub(crate) fn plus_seconds(self, seconds: i64) -> Self {
        Self(
            self.0
                .saturating_add(seconds)
                .clamp(Self::first(), Self::last()),
        )
    }

    /// The moment so many days of 24 hours later.
    #[must_use]
    pub(crate) fn plus_days(self, days: u32) -> Self {
        let seconds = i64::from(days).saturating_mul(86_400);
        Self(self.0.saturating_add(seconds).min(Self::last()))
    }

    /// 9999-12-31T23:59:59 in Beijing.
    const fn last() -> i64 {
        253_402_300_799 - 8 * 3600
    }

    /// 1900-01-01T00:00:00 in Beijing.
    const fn first() -> i64 {
        -2_208_988_800 - 8 * 3600
    }

    fn checked(seconds: i64) -> Result<Self, TextError> {
        if (Self::first()..=Self::last()).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(TextError::new(
                "moment",
                0,
                "a year from 1900 to 9999 in Beijing time",
            ))
        }
    }
}

impl<Z: TimeZone> TryFrom<DateTime<Z>> for Moment {
    type Error = TextError;

    fn try_from(moment: DateTime<Z>) -> Result<Self, TextError> {
        Self::checked(moment.timestamp())
    }
}

impl From<Moment> for DateTime<FixedOffset> {
    fn from(moment: Moment) -> Self {
        moment.to_chrono()
    }
}

impl FromStr for Moment {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::checked(grammar::moment(text)?)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_chrono().format("%Y-%m-%dT%H:%M:%S%:z"))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::serial::from_text(deserializer)
    }
}

/// The corresponding day so many years later: 29 February becomes 1 March where there is none
/// (rule K-05). None past the calendar of chrono.
///
/// ```
/// use mic_billing::years_later;
/// use chrono::NaiveDate;
///
/// let leap = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
/// assert_eq!(years_later(leap, 15), NaiveDate::from_ymd_opt(2039, 3, 1));
/// assert_eq!(years_later(leap, 16), NaiveDate::from_ymd_opt(2040, 2, 29));
/// ```
#[must_use]
pub fn years_later(day: NaiveDate, years: u32) -> Option<NaiveDate> {
    let year = day.year().checked_add(i32::try_from(years).ok()?)?;
    NaiveDate::from_ymd_opt(year, day.month(), day.day())
        .or_else(|| NaiveDate::from_ymd_opt(year, 3, 1))
}

/// The day after.
pub(crate) fn next_day(day: NaiveDate) -> Option<NaiveDate> {
    day.checked_add_days(Days::new(1))
}

/// The first moment of a day in Beijing, or the nearest one there is.
pub(crate) fn first_moment(day: NaiveDate) -> Moment {
    let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    let east = i64::from(BEIJING_SECONDS_EAST);
    let seconds = midnight.saturating_sub(east);
    Moment(seconds.clamp(Moment::first(), Moment::last()))
}
