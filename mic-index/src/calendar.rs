//! The proleptic Gregorian calendar in integers, for the years of the packed form.
//!
//! Checked against chrono for every day of the range in the tests; chrono itself is no validator
//! of the stamp (it accepts eleven digits and blanks).

/// First year of the packed form (`IDX-31`).
pub const YEAR_FIRST: u16 = 1900;
/// Last year of the packed form: 27 bits of minutes end in January 2155, so whole years end here.
pub const YEAR_LAST: u16 = 2154;
/// Minutes from the start of 1900 to the end of 2154.
pub const MINUTES: u32 = days_before_year(YEAR_LAST + 1) * MINUTES_PER_DAY;

pub(crate) const MINUTES_PER_DAY: u32 = 24 * 60;

const _: () = assert!(
    MINUTES == 134_117_280 && MINUTES < 1 << 27,
    "the minute takes 27 bits"
);

/// Days of the months before each month of a common year.
const DAYS_BEFORE_MONTH: [u16; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

pub(crate) const fn is_leap(year: u16) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month; 31 where there is no such month, so that a wrong month is one fault.
pub(crate) const fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1900-01-01 to the first day of `year`, which is at least 1900.
const fn days_before_year(year: u16) -> u32 {
    let years = (year - YEAR_FIRST) as u32;
    if years == 0 {
        return 0;
    }
    // Leap years from 1900 to the year before: every fourth from 1904, without 2100 (1900 is none,
    // 2000 is one).
    let mut leaps = (years - 1) / 4;
    if year > 2100 {
        leaps -= 1;
    }
    years * 365 + leaps
}

/// Days from 1900-01-01; all arguments are checked by the caller.
pub(crate) const fn days_from_date(year: u16, month: u8, day: u8) -> u32 {
    let mut days = days_before_year(year) + DAYS_BEFORE_MONTH[(month - 1) as usize % 12] as u32;
    if month > 2 && is_leap(year) {
        days += 1;
    }
    days + day as u32 - 1
}

/// Year, month and day of a day number; the inverse of [`days_from_date`].
pub(crate) const fn date_from_days(days: u32) -> (u16, u8, u8) {
    // Never too late by more than a year: a year has at most 366 days.
    let mut year = YEAR_FIRST + (days / 366) as u16;
    while days_before_year(year + 1) <= days {
        year += 1;
    }
    let mut rest = days - days_before_year(year);
    let mut month = 1;
    while month < 12 && rest >= days_in_month(year, month) as u32 {
        rest -= days_in_month(year, month) as u32;
        month += 1;
    }
    (year, month, rest as u8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn every_day_agrees_with_chrono_both_ways() {
        let mut date = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
        for days in 0..MINUTES / MINUTES_PER_DAY {
            let year = u16::try_from(date.year()).unwrap();
            let (month, day) = (date.month() as u8, date.day() as u8);
            assert_eq!(days_from_date(year, month, day), days);
            assert_eq!(date_from_days(days), (year, month, day));
            date = date.succ_opt().unwrap();
        }
        assert_eq!((date.year(), date.month(), date.day()), (2155, 1, 1));
    }

    #[test]
    fn every_slot_of_a_day_is_a_day_exactly_where_chrono_has_one() {
        for year in 1899..=2156_u16 {
            for month in 1..=12_u8 {
                for day in 0..=32_u8 {
                    let ours = day >= 1 && day <= days_in_month(year, month);
                    let theirs =
                        NaiveDate::from_ymd_opt(year.into(), month.into(), day.into()).is_some();
                    assert_eq!(ours, theirs, "{year}-{month}-{day}");
                }
            }
        }
    }
}
