//! DICOM dates and times as nom grammars (PS3.5, VRs DA, TM, DT), with what breaks them told apart.
//!
//! A general date parser is not used: it would take a range for its first day and the old form for
//! a year alone.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::{char, one_of};
use nom::combinator::{all_consuming, opt, recognize, verify};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::finding::FindingKind;

/// A value read, and what is odd about how it was written.
pub(super) type Read<T> = Result<(T, Option<FindingKind>), FindingKind>;

/// A time of day, with the second it states, if it does.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) time: NaiveTime,
    pub(super) second: Option<u8>,
}

/// `YYYYMMDD`, or `YYYY.MM.DD` with a finding.
pub(super) fn date(text: &str) -> Read<NaiveDate> {
    if is_range(text) {
        return Err(FindingKind::Range);
    }
    let day = |(year, month, day): (u32, u32, u32)| {
        let year = i32::try_from(year).map_err(|_| FindingKind::NotDate)?;
        NaiveDate::from_ymd_opt(year, month, day).ok_or(FindingKind::NoSuchDay)
    };
    if let Ok((_, ymd)) = all_consuming(da).parse(text) {
        return Ok((day(ymd)?, None));
    }
    match all_consuming(da_old).parse(text) {
        Ok((_, ymd)) => Ok((day(ymd)?, Some(FindingKind::OldDate))),
        Err(_) => Err(FindingKind::NotDate),
    }
}

/// `HH[MM[SS[.F]]]`, or with colons and a finding.
pub(super) fn time(text: &str) -> Read<Clock> {
    if is_range(text) {
        return Err(FindingKind::Range);
    }
    if let Ok((_, hms)) = all_consuming(tm).parse(text) {
        return clock(hms);
    }
    match all_consuming(tm_old).parse(text) {
        Ok((_, hms)) => clock(hms).map(|(time, odd)| (time, odd.or(Some(FindingKind::OldTime)))),
        Err(_) => Err(FindingKind::NotTime),
    }
}

/// `YYYYMMDDHH[MM[SS[.F]]][±HHMM]`; shorter forms have no time of day.
pub(super) fn date_time(text: &str) -> Read<(NaiveDate, Clock, Option<TimeDelta>)> {
    let Ok((_, (ymd, hms, zone))) = all_consuming(dt).parse(text) else {
        let digits = recognize((take_while_m_n(4, 8, is_digit), opt(offset)));
        let date_alone = all_consuming(digits).parse(text).is_ok();
        return Err(if date_alone {
            FindingKind::NoTime
        } else if is_range_of_moments(text) {
            FindingKind::Range
        } else {
            FindingKind::NotDate
        });
    };
    let (year, month, day) = ymd;
    let day = i32::try_from(year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
        .ok_or(FindingKind::NoSuchDay)?;
    let (time, odd) = clock(hms)?;
    let (zone, zone_odd) = match zone {
        None => (None, None),
        Some(zone) => match delta(zone) {
            Some(delta) => (Some(delta), None),
            None => (None, Some(FindingKind::NotOffset)),
        },
    };
    Ok(((day, time, zone), odd.or(zone_odd)))
}

/// `+HHMM` or `-HHMM`, from -1200 to +1400.
pub(super) fn zone(text: &str) -> Option<TimeDelta> {
    let (_, zone) = all_consuming(offset).parse(text).ok()?;
    delta(zone)
}

type Ymd = (u32, u32, u32);
type Hms = (u32, Option<(u32, Option<u32>)>);
type Offset = (char, u32, u32);
type Parsed<'a, T> = IResult<&'a str, T>;

/// `da = 4DIGIT 2DIGIT 2DIGIT`
fn da(i: &str) -> Parsed<'_, Ymd> {
    (digits(4), digits(2), digits(2)).parse(i)
}

/// `da-old = 4DIGIT "." 2DIGIT "." 2DIGIT`
fn da_old(i: &str) -> Parsed<'_, Ymd> {
    (
        digits(4),
        preceded(char('.'), digits(2)),
        preceded(char('.'), digits(2)),
    )
        .parse(i)
}

/// `tm = 2DIGIT [2DIGIT [2DIGIT ["." 1*6DIGIT]]]`
fn tm(i: &str) -> Parsed<'_, Hms> {
    (digits(2), opt((digits(2), opt(seconds)))).parse(i)
}

/// `tm-old = 2DIGIT ":" 2DIGIT [":" 2DIGIT ["." 1*6DIGIT]]`
fn tm_old(i: &str) -> Parsed<'_, Hms> {
    let minute = preceded(char(':'), digits(2));
    (
        digits(2),
        (minute, opt(preceded(char(':'), seconds))).map(Some),
    )
        .parse(i)
}

/// `dt = da tm [offset]`
fn dt(i: &str) -> Parsed<'_, (Ymd, Hms, Option<Offset>)> {
    (da, tm, opt(offset)).parse(i)
}

/// `offset = ("+" / "-") 2DIGIT 2DIGIT`
fn offset(i: &str) -> Parsed<'_, Offset> {
    (one_of("+-"), digits(2), digits(2)).parse(i)
}

/// Whole seconds; a fraction is read and left.
fn seconds(i: &str) -> Parsed<'_, u32> {
    let fraction = preceded(alt((tag("."), tag(","))), take_while_m_n(1, 6, is_digit));
    let (i, (seconds, _)) = (digits(2), opt(fraction)).parse(i)?;
    Ok((i, seconds))
}

fn digits<'a>(n: usize) -> impl Parser<&'a str, Output = u32, Error = nom::error::Error<&'a str>> {
    verify(take_while_m_n(n, n, is_digit), move |run: &str| {
        run.len() == n
    })
    .map(|run: &str| {
        run.bytes()
            .fold(0, |n, digit| n * 10 + u32::from(digit & 0x0f))
    })
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// A time of day to the minute and second; second 60 is told.
fn clock((hour, rest): Hms) -> Read<Clock> {
    let (minute, second, odd) = match rest {
        None => (0, None, Some(FindingKind::HourOnly)),
        Some((minute, None)) => (minute, None, None),
        // No second of its own: 59 would be another one.
        Some((minute, Some(60))) => (minute, None, Some(FindingKind::LeapSecond)),
        Some((minute, Some(second))) => (minute, Some(second), None),
    };
    match NaiveTime::from_hms_opt(hour, minute, second.unwrap_or_default()) {
        Some(time) => {
            let second = second.and_then(|second| u8::try_from(second).ok());
            Ok((Clock { time, second }, odd))
        }
        None => Err(FindingKind::NotTime),
    }
}

fn delta((sign, hours, minutes): Offset) -> Option<TimeDelta> {
    let total = i64::from(hours * 60 + minutes);
    let total = if sign == '-' { -total } else { total };
    let legal = minutes < 60 && (-12 * 60..=14 * 60).contains(&total);
    (legal && !(sign == '-' && total == 0)).then(|| TimeDelta::minutes(total))
}

/// A range of a query, of values that may hold an offset: a hyphen at an end, or before a date.
fn is_range_of_moments(text: &str) -> bool {
    let digits = |part: &str| part.bytes().take_while(u8::is_ascii_digit).count();
    text.len() > 1
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte))
        && text.char_indices().any(|(at, c)| {
            let after = text.get(at + 1..).unwrap_or_default();
            c == '-' && (at == 0 || after.is_empty() || digits(after) >= DATE_LEN)
        })
}

/// Digits of a date; an offset has four.
const DATE_LEN: usize = 8;

/// A range of a query: `a-b`, `a-` or `-b` of digits.
fn is_range(text: &str) -> bool {
    let dated = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    text.len() > 1
        && text
            .split_once('-')
            .is_some_and(|(from, to)| dated(from) && dated(to))
}
