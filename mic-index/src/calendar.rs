//! The proleptic Gregorian calendar in integers, for the years of the packed form.
//!
//! Checked against chrono for every day of the range in the tests; chrono itself is no validator
//! of the stamp (it accepts eleven digits and blanks).

/// First year of the packed form (`IDX-6`).
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

/// Days of the year before each month of a common year, by its number.
const DAYS_BEFORE_MONTH: [u16; 16] = [
    0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 0, 0, 0,
];

/// Days of each month of a common year, by its number; 31 where there is no such month.
const DAYS_IN_MONTH: [u8; 16] = [
    31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 31, 31,
];

// Written without short circuits: months and leap years of real codes cannot be predicted, and the
// branches cost more than the arithmetic.
pub(crate) const fn is_leap(year: u16) -> bool {
    (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
}

/// Days of a month; 31 where there is no such month, so that a wrong month is one fault.
#[inline]
pub(crate) const fn days_in_month(year: u16, month: u8) -> u8 {
    let known = if month < 16 { month } else { 0 };
    DAYS_IN_MONTH[known as usize] + ((month == 2) & is_leap(year)) as u8
}

/// Days from 1900-01-01 to the first day of `year`, which is at least 1900.
const fn days_before_year(year: u16) -> u32 {
    let years = (year - YEAR_FIRST) as u32;
    // Leap years from 1901 to the year before: every fourth, without 2100 (2000 is one).
    years * 365 + years.saturating_sub(1) / 4 - (year > 2100) as u32
}

/// Days from 1900-01-01; all arguments are checked by the caller.
#[inline]
pub(crate) const fn days_from_date(year: u16, month: u8, day: u8) -> u32 {
    let before_month = DAYS_BEFORE_MONTH[month as usize % DAYS_BEFORE_MONTH.len()];
    let leap_day = (month > 2) & is_leap(year);
    days_before_year(year) + before_month as u32 + leap_day as u32 + day as u32 - 1
}

/// Days of each month of a common year in the upper half, 0 where there is no such month, and those before
/// it in the lower half.
const MONTHS: [u32; 16] = {
    let mut months = [0; 16];
    let mut at = 1;
    while at <= 12 {
        months[at] = (DAYS_IN_MONTH[at] as u32) << 16 | DAYS_BEFORE_MONTH[at] as u32;
        at += 1;
    }
    months
};

/// Days from 1900-01-01 of what may be a date, in few steps; `None` where it is none. Months are below 100.
#[inline]
pub(crate) const fn days_of(year: u32, month: u32, day: u32) -> Option<u32> {
    let years = year.wrapping_sub(YEAR_FIRST as u32);
    // Of the whole centuries in range 2000 alone is one.
    let is_leap = (years % 4 == 0) & (years != 0) & (years != 200);
    let known = MONTHS[(month % 16) as usize];
    let days_in_month = (known >> 16) + ((month == 2) & is_leap) as u32;
    let day = day.wrapping_sub(1);
    if (years > (YEAR_LAST - YEAR_FIRST) as u32) | (month >= 16) | (day >= days_in_month) {
        return None;
    }
    let before_year = years * 365 + years.saturating_sub(1) / 4 - (years > 200) as u32;
    Some(before_year + (known & 0xffff) + ((month > 2) & is_leap) as u32 + day)
}

/// Days from 1600-03-01, the start of a cycle of 400 years whose leap days come last, to 1900-01-01.
const DAYS_FROM_MARCH_1600: u32 = 109_513;
const DAYS_PER_CYCLE: u32 = 146_097;

/// Year, month and day of a day number; the inverse of [`days_from_date`].
///
/// Counts years from March, so that the leap day is the last of a year and months have one formula.
#[inline]
pub(crate) const fn date_from_days(days: u32) -> (u16, u8, u8) {
    let days = days + DAYS_FROM_MARCH_1600;
    let (cycle, day) = (days / DAYS_PER_CYCLE, days % DAYS_PER_CYCLE);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // March is 0; five months from it have 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let after_december = month >= 10;
    let month = if after_december { month - 9 } else { month + 3 };
    let year = 1600 + cycle * 400 + year + after_december as u32;
    (year as u16, month as u8, day as u8)
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

    #[test]
    fn the_quick_way_gives_days_of_exactly_the_dates_there_are() {
        for year in (0..=9999_u16).step_by(97).chain(1899..=2156) {
            for month in 0..=99_u8 {
                for day in 0..=99_u8 {
                    let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())
                        .is_some()
                        && (YEAR_FIRST..=YEAR_LAST).contains(&year);
                    let expected = date.then(|| days_from_date(year, month, day));
                    let found = days_of(year.into(), month.into(), day.into());
                    assert_eq!(found, expected, "{year}-{month}-{day}");
                }
            }
        }
    }
}
