//! The nom grammar of every short text, one function per rule of `spec/pricing.md` section 9.

use chrono::NaiveDate;
use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{take_while_m_n, take_while1},
    character::complete::{char, one_of},
    combinator::{all_consuming, map, map_opt, opt, value},
    sequence::preceded,
};

use crate::text::TextError;

/// First and last year of a date: four digits, and old enough for back-filled films (C-10).
pub(crate) const YEAR_MIN: i32 = 1900;
/// See [`YEAR_MIN`].
pub(crate) const YEAR_MAX: i32 = 9999;

/// `date = 4DIGIT "-" 2DIGIT "-" 2DIGIT`, a day of the calendar.
pub(crate) fn date(text: &str) -> Result<NaiveDate, TextError> {
    whole(text, "date", "a day written YYYY-MM-DD", day)
}

/// `moment = date "T" time ( "Z" / offset )`, to the second; the offset may be any.
pub(crate) fn moment(text: &str) -> Result<i64, TextError> {
    const FORM: &str = "YYYY-MM-DDThh:mm:ss and an offset such as +08:00";
    whole(text, "moment", FORM, |input| {
        let (input, day) = day(input)?;
        let (input, second) = preceded(char('T'), clock).parse(input)?;
        map_opt(offset, move |offset| {
            let midnight = day.and_hms_opt(0, 0, 0)?.and_utc().timestamp();
            midnight.checked_add(second)?.checked_sub(offset)
        })
        .parse(input)
    })
}

/// `month = 4DIGIT "-" 2DIGIT`, of the years of a date.
pub(crate) fn month(text: &str) -> Result<(i32, u32), TextError> {
    whole(text, "month", "a month written YYYY-MM", |input| {
        let (input, year) = map_opt(number(4), |year| {
            let year = i32::try_from(year).ok()?;
            (YEAR_MIN..=YEAR_MAX).contains(&year).then_some(year)
        })
        .parse(input)?;
        let month = map_opt(number(2), |n| (1..=12).contains(&n).then_some(n));
        let (input, month) = preceded(char('-'), month).parse(input)?;
        Ok((input, (year, month)))
    })
}

/// `2N HEXDIG`, lower case.
pub(crate) fn hex<const N: usize>(
    text: &str,
    field: &'static str,
    form: &'static str,
) -> Result<[u8; N], TextError> {
    let nibble = || {
        map_opt(one_of("0123456789abcdef"), |c: char| {
            c.to_digit(16).and_then(|n| u8::try_from(n).ok())
        })
    };
    whole(text, field, form, |mut input| {
        let mut bytes = [0_u8; N];
        for byte in &mut bytes {
            let (rest, (high, low)) = (nibble(), nibble()).parse(input)?;
            *byte = (high << 4) | low;
            input = rest;
        }
        Ok((input, bytes))
    })
}

/// `yuan = [ "-" ] 1*DIGIT [ "." 1*places DIGIT ]` in micro-yuan.
pub(crate) fn yuan(text: &str, places: usize) -> Result<i128, TextError> {
    let form = if places == 2 {
        "yuan with at most 2 decimals"
    } else {
        "yuan with at most 6 decimals"
    };
    whole(text, "amount", form, |input| {
        let (input, minus) = opt(char('-')).parse(input)?;
        let (input, whole) =
            map_opt(take_while1(digit), |d: &str| d.parse::<i128>().ok()).parse(input)?;
        let (input, fraction) =
            opt(preceded(char('.'), take_while_m_n(1, places, digit))).parse(input)?;
        let micro = fraction
            .unwrap_or("")
            .bytes()
            .chain(core::iter::repeat(b'0'))
            .take(6);
        let micro = micro.fold(0_i128, |sum, d| {
            sum.saturating_mul(10).saturating_add(i128::from(d & 0x0f))
        });
        let total = whole
            .checked_mul(1_000_000)
            .and_then(|w| w.checked_add(micro));
        match total {
            Some(total) if minus.is_some() => Ok((input, total.saturating_neg())),
            Some(total) => Ok((input, total)),
            None => Err(nom::Err::Error(nom::error::Error::new(
                text,
                nom::error::ErrorKind::TooLarge,
            ))),
        }
    })
}

fn day(input: &str) -> IResult<&str, NaiveDate> {
    let at = input;
    let (input, year) = number(4).parse(input)?;
    let (input, month) = preceded(char('-'), number(2)).parse(input)?;
    let (input, day) = preceded(char('-'), number(2)).parse(input)?;
    let date = i32::try_from(year)
        .ok()
        .filter(|year| (YEAR_MIN..=YEAR_MAX).contains(year))
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    match date {
        Some(date) => Ok((input, date)),
        None => Err(nom::Err::Error(nom::error::Error::new(
            at,
            nom::error::ErrorKind::Verify,
        ))),
    }
}

/// Seconds since midnight; a leap second is refused.
fn clock(input: &str) -> IResult<&str, i64> {
    let (input, hour) = map_opt(number(2), |n| (n < 24).then_some(n)).parse(input)?;
    let (input, minute) = preceded(char(':'), sixtieth).parse(input)?;
    let (input, second) = preceded(char(':'), sixtieth).parse(input)?;
    Ok((input, seconds(hour, minute, second)))
}

/// Seconds east of Greenwich.
fn offset(input: &str) -> IResult<&str, i64> {
    alt((value(0, char('Z')), signed_offset)).parse(input)
}

fn signed_offset(input: &str) -> IResult<&str, i64> {
    let (input, sign) = one_of("+-").parse(input)?;
    let (input, hour) = map_opt(number(2), |n| (n < 24).then_some(n)).parse(input)?;
    let (input, minute) = preceded(char(':'), sixtieth).parse(input)?;
    let east = seconds(hour, minute, 0);
    Ok((
        input,
        if sign == '-' {
            east.saturating_neg()
        } else {
            east
        },
    ))
}

fn sixtieth(input: &str) -> IResult<&str, u32> {
    map_opt(number(2), |n| (n < 60).then_some(n)).parse(input)
}

fn number<'a>(
    digits: usize,
) -> impl Parser<&'a str, Output = u32, Error = nom::error::Error<&'a str>> {
    map(take_while_m_n(digits, digits, digit), |text: &str| {
        text.bytes().fold(0_u32, |n, d| {
            n.saturating_mul(10).saturating_add(u32::from(d & 0x0f))
        })
    })
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn seconds(hour: u32, minute: u32, second: u32) -> i64 {
    let minutes = i64::from(hour)
        .saturating_mul(60)
        .saturating_add(i64::from(minute));
    minutes.saturating_mul(60).saturating_add(i64::from(second))
}

/// Runs a rule over the whole text; a failure is told by its byte.
fn whole<'a, T>(
    text: &'a str,
    field: &'static str,
    expected: &'static str,
    rule: impl Parser<&'a str, Output = T, Error = nom::error::Error<&'a str>>,
) -> Result<T, TextError> {
    match all_consuming(rule).parse(text) {
        Ok((_, value)) => Ok(value),
        Err(nom::Err::Error(error) | nom::Err::Failure(error)) => Err(TextError::new(
            field,
            text.len().saturating_sub(error.input.len()),
            expected,
        )),
        Err(nom::Err::Incomplete(_)) => Err(TextError::new(field, text.len(), expected)),
    }
}
