//! Rate limits by class and time of the week, as data.

use alloc::vec::Vec;
use core::time::Duration;

use chrono::{DateTime, Utc};

use crate::wire::CLASSES;

/// Beijing time, the legal time of all provinces: eight hours ahead of UTC, no summer time.
const OFFSET_SECONDS: i64 = 8 * 3600;
const MINUTES_A_DAY: u16 = 24 * 60;
const MINUTES_A_WEEK: i64 = 7 * MINUTES_A_DAY as i64;

/// What one class may take in one stretch of the day.
///
/// ```
/// use mic_transfer::shape::{Limit, Shape};
/// // Preload gets 20 MB/s from Monday to Friday, 8:00 to 18:00 Beijing time, and all else at night.
/// let office = Limit::new(5, 0b001_1111, 8 * 60, 18 * 60, 20_000_000)?;
/// let shape = Shape::new(vec![office]);
/// let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
/// // 2026-11-20 is a Friday; 09:00 in Beijing is 01:00 UTC.
/// assert_eq!(shape.rate(5, at("2026-11-20T01:00:00Z")), Some(20_000_000));
/// assert_eq!(shape.rate(5, at("2026-11-20T12:00:00Z")), None);
/// assert_eq!(shape.rate(0, at("2026-11-20T01:00:00Z")), None);
/// # Ok::<(), mic_transfer::shape::LimitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Record", into = "Record"))]
pub struct Limit {
    class: u8,
    days: u8,
    from: u16,
    to: u16,
    bytes_per_second: u64,
}

impl Limit {
    /// A limit of `class` (0 a click to 5 preload) on `days` (bit 0 Monday to bit 6 Sunday), from
    /// minute `from` of the day to before minute `to`, in Beijing time. 0 bytes stops the class.
    ///
    /// # Errors
    /// [`LimitError`] for another class, no day or other days, or minutes that do not rise within
    /// the day: a night is two limits.
    pub const fn new(
        class: u8,
        days: u8,
        from: u16,
        to: u16,
        bytes_per_second: u64,
    ) -> Result<Self, LimitError> {
        if class as usize >= CLASSES {
            return Err(LimitError::Class { found: class });
        }
        if days == 0 || days > 0x7F {
            return Err(LimitError::Days { found: days });
        }
        if from >= to || to > MINUTES_A_DAY {
            return Err(LimitError::Minutes { from, to });
        }
        Ok(Self {
            class,
            days,
            from,
            to,
            bytes_per_second,
        })
    }

    fn holds(&self, class: u8, minute_of_week: i64) -> bool {
        let day = minute_of_week / i64::from(MINUTES_A_DAY);
        let minute = minute_of_week % i64::from(MINUTES_A_DAY);
        self.class == class
            && (self.days >> day) & 1 == 1
            && (i64::from(self.from)..i64::from(self.to)).contains(&minute)
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    class: u8,
    days: u8,
    from_minute: u16,
    to_minute: u16,
    bytes_per_second: u64,
}

#[cfg(feature = "serde")]
impl TryFrom<Record> for Limit {
    type Error = LimitError;

    fn try_from(record: Record) -> Result<Self, LimitError> {
        let (from, to) = (record.from_minute, record.to_minute);
        Self::new(record.class, record.days, from, to, record.bytes_per_second)
    }
}

#[cfg(feature = "serde")]
impl From<Limit> for Record {
    fn from(limit: Limit) -> Self {
        Self {
            class: limit.class,
            days: limit.days,
            from_minute: limit.from,
            to_minute: limit.to,
            bytes_per_second: limit.bytes_per_second,
        }
    }
}

/// Why numbers make no [`Limit`].
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Not a class.
    #[error("expected a class from 0 to 5, found {found}")]
    Class {
        /// The class found.
        found: u8,
    },
    /// No day, or bits beyond Sunday.
    #[error("expected bits 0 to 6 for the days, found {found}")]
    Days {
        /// The bits found.
        found: u8,
    },
    /// Minutes that do not rise within a day.
    #[error("expected minutes that rise from 0 to 1440, found {from} to {to}")]
    Minutes {
        /// The first minute found.
        from: u16,
        /// The minute after the last found.
        to: u16,
    },
}

/// The limits of a line: for each class the first one that holds at a time; without one the class is
/// free.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Shape {
    limits: Vec<Limit>,
}

impl Shape {
    /// These limits, the earlier ones first.
    #[must_use]
    pub const fn new(limits: Vec<Limit>) -> Self {
        Self { limits }
    }

    /// Bytes a second that a class may take at a time; `None` where it is free.
    #[must_use]
    pub fn rate(&self, class: u8, at: DateTime<Utc>) -> Option<u64> {
        let minute = minute_of_week(at);
        let mut limits = self.limits.iter();
        let limit = limits.find(|limit| limit.holds(class, minute))?;
        Some(limit.bytes_per_second)
    }

    /// How long from `at` until some limit may begin or end.
    pub(crate) fn changes_in(&self, at: DateTime<Utc>) -> Option<Duration> {
        let now = minute_of_week(at) % i64::from(MINUTES_A_DAY);
        let edges = self.limits.iter().flat_map(|limit| [limit.from, limit.to]);
        // The same minute of the next day at the latest; days that do not count are asked again.
        let minutes = edges
            .map(|edge| (i64::from(edge) - now - 1).rem_euclid(i64::from(MINUTES_A_DAY)) + 1)
            .min()?;
        let into = at.timestamp_millis().rem_euclid(60_000);
        u64::try_from(minutes * 60_000 - into)
            .ok()
            .map(Duration::from_millis)
    }
}

/// Minutes since Monday 0:00 in Beijing.
fn minute_of_week(at: DateTime<Utc>) -> i64 {
    // 1970-01-01 was a Thursday.
    let minutes = at.timestamp().saturating_add(OFFSET_SECONDS).div_euclid(60);
    (minutes + 3 * i64::from(MINUTES_A_DAY)).rem_euclid(MINUTES_A_WEEK)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn ok_edges_of_days_and_weeks_are_those_of_beijing() {
        let monday = Limit::new(5, 1, 0, 1440, 7).unwrap();
        let sunday = Limit::new(5, 64, 1439, 1440, 9).unwrap();
        let shape = Shape::new(vec![monday, sunday]);
        // 2026-11-22 is a Sunday.
        for (text, rate) in [
            ("2026-11-22T15:58:59Z", None),
            ("2026-11-22T15:59:00Z", Some(9)),
            ("2026-11-22T16:00:00Z", Some(7)),
            ("2026-11-23T15:59:59Z", Some(7)),
            ("2026-11-23T16:00:00Z", None),
        ] {
            assert_eq!(shape.rate(5, at(text)), rate, "{text}");
        }
        let wait = shape.changes_in(at("2026-11-22T15:58:30Z"));
        assert_eq!(wait, Some(Duration::from_secs(30)));
        let wait = shape.changes_in(at("2026-11-22T15:59:00Z"));
        assert_eq!(wait, Some(Duration::from_secs(60)));
    }

    #[test]
    fn err_what_is_no_stretch_of_a_day_is_refused() {
        assert_eq!(
            Limit::new(6, 1, 0, 1, 1),
            Err(LimitError::Class { found: 6 })
        );
        assert_eq!(
            Limit::new(5, 0, 0, 1, 1),
            Err(LimitError::Days { found: 0 })
        );
        assert_eq!(
            Limit::new(5, 128, 0, 1, 1),
            Err(LimitError::Days { found: 128 })
        );
        for (from, to) in [(5, 5), (9, 8), (0, 1441)] {
            assert_eq!(
                Limit::new(5, 1, from, to, 1),
                Err(LimitError::Minutes { from, to })
            );
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn ok_limits_come_back_from_json_and_wrong_ones_do_not() {
        let shape = Shape::new(vec![Limit::new(5, 31, 480, 1080, 20_000_000).unwrap()]);
        let json = serde_json::to_string(&shape).unwrap();
        assert_eq!(serde_json::from_str::<Shape>(&json).unwrap(), shape);
        let wrong = json.replace("1080", "480");
        assert!(serde_json::from_str::<Shape>(&wrong).is_err());
    }
}
