//! Times as whole seconds since 1970 in the token, as chrono's types outside (CST-30).

use core::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::denial::Reason;

/// 9999-12-31T23:59:59Z: no clock of this platform goes further.
const SECONDS_MAX: u64 = 253_402_300_799;

/// A whole second from 1970 to 9999, as tokens have it. Of the claims that are read and compared at each check: a
/// calendar date takes longer to make than to read the claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(i64);

impl Moment {
    /// A second read from a token.
    pub(crate) fn new(seconds: u64) -> Result<Self, Reason> {
        i64::try_from(seconds)
            .ok()
            .filter(|_| seconds <= SECONDS_MAX)
            .map(Self)
            .ok_or(Reason::BadDate)
    }

    /// The second of a clock, without its fraction.
    pub(crate) fn of(time: DateTime<Utc>) -> Result<Self, Reason> {
        seconds(time)?;
        Ok(Self(time.timestamp()))
    }

    /// `seconds` later.
    pub(crate) fn later(self, seconds: u32) -> Result<Self, Reason> {
        Self::new(self.seconds() + u64::from(seconds)).map_err(|_| Reason::ClockInvalid)
    }

    pub(crate) const fn seconds(self) -> u64 {
        self.0.unsigned_abs()
    }

    /// Seconds from here to `to`; negative when `to` is earlier.
    pub(crate) const fn until(self, to: Self) -> i64 {
        to.0 - self.0
    }

    pub(crate) const fn get(self) -> i64 {
        self.0
    }

    /// Whether it is at `time` or after it.
    pub(crate) fn is_from(self, time: DateTime<Utc>) -> bool {
        // A fraction of a second later than a whole one is after it.
        let whole = time.timestamp();
        self.0 > whole || (self.0 == whole && time.timestamp_subsec_nanos() == 0)
    }

    /// As chrono has it.
    pub(crate) const fn date_time(self) -> DateTime<Utc> {
        match DateTime::from_timestamp(self.0, 0) {
            Some(time) => time,
            None => DateTime::UNIX_EPOCH,
        }
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.date_time(), f)
    }
}

/// The whole second of `time`, when it is after 1970.
pub(crate) fn seconds(time: DateTime<Utc>) -> Result<u64, Reason> {
    u64::try_from(time.timestamp())
        .ok()
        .filter(|seconds| *seconds <= SECONDS_MAX)
        .ok_or(Reason::ClockInvalid)
}

/// A time read from a token.
pub(crate) fn moment(seconds: u64) -> Result<DateTime<Utc>, Reason> {
    i64::try_from(seconds)
        .ok()
        .filter(|_| seconds <= SECONDS_MAX)
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or(Reason::BadDate)
}

/// `time` without its fraction of a second.
pub(crate) fn whole_second(time: DateTime<Utc>) -> Result<DateTime<Utc>, Reason> {
    moment(seconds(time)?)
}

/// `seconds` after `time`.
pub(crate) fn later(time: DateTime<Utc>, seconds: u32) -> Result<DateTime<Utc>, Reason> {
    time.checked_add_signed(TimeDelta::seconds(seconds.into()))
        .ok_or(Reason::ClockInvalid)
}

/// Seconds from `from` to `to`; negative when `to` is earlier.
pub(crate) fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    to.timestamp().saturating_sub(from.timestamp())
}

/// A day of the calendar of China, from 1970-01-01 to 2149-06-06, by its number as tokens have it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(u16);

impl Day {
    /// A number read from a token.
    pub(crate) fn new(number: u64) -> Result<Self, Reason> {
        u16::try_from(number).map(Self).map_err(|_| Reason::BadDate)
    }

    /// The day of a date.
    pub(crate) fn of(date: NaiveDate) -> Result<Self, Reason> {
        day_number(date).map(Self)
    }

    pub(crate) const fn number(self) -> u16 {
        self.0
    }

    /// As chrono has it.
    pub(crate) const fn date(self) -> NaiveDate {
        match NaiveDate::from_num_days_from_ce_opt(EPOCH_FROM_CE + self.0 as i32) {
            Some(date) => date,
            None => NaiveDate::MAX,
        }
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.date(), f)
    }
}

/// The day number of a date in China, from 1970-01-01 to 2149-06-06.
pub(crate) fn day_number(day: NaiveDate) -> Result<u16, Reason> {
    u16::try_from(day.signed_duration_since(NaiveDate::default()).num_days())
        .map_err(|_| Reason::BadDate)
}

/// 1970-01-01, counted from 1 January of the year 1 as day 1.
const EPOCH_FROM_CE: i32 = 719_163;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_day_numbers_go_both_ways() {
        assert_eq!(
            NaiveDate::from_ymd_opt(1970, 1, 1),
            Some(NaiveDate::default())
        );
        for number in [0, 1, 20_000, 65_535] {
            let day = Day::new(number).unwrap();
            assert_eq!(day_number(day.date()).map(u64::from), Ok(number));
        }
        assert_eq!(Day::new(65_536), Err(Reason::BadDate));
    }
}
