//! Index codes: text to packed and back, beside what a province would write without this crate.

use std::rc::Rc;

use chrono::{NaiveDate, NaiveDateTime};
use iban::IbanLike as _;
use mic_benches::{Group, index, run, size};
use mic_index::{IndexCode, grammar};
use nom::bytes::complete::take_while_m_n;
use nom::character::complete::char;
use nom::combinator::{all_consuming, map_opt, verify};
use nom::{IResult, Parser};
use regex::Regex;
use uuid::Uuid;

fn main() -> anyhow::Result<()> {
    let codes: Rc<[IndexCode]> = index::codes(size(100_000, 100))?.into();
    let texts: Rc<[String]> = codes.iter().map(ToString::to_string).collect();
    run(vec![
        parse(&codes, &texts)?,
        stamp(&codes, &texts)?,
        print(&codes)?,
        read_beside_uuid(&codes, &texts),
        read_beside_iban(&codes, &texts),
    ]);
    Ok(())
}

/// Printed form to forty bytes: alphabets, calendar and range, check character computed.
fn parse(codes: &Rc<[IndexCode]>, texts: &Rc<[String]>) -> anyhow::Result<Group> {
    let (count, bytes) = (codes.len() as u64, codes.len() * 82);
    let packed = fold(codes.iter().map(|code| Some(*code.packed())));
    let minutes: Option<i64> = codes
        .iter()
        .map(|code| Some(minutes_of(code.exam_time().to_naive())))
        .sum();
    let sum: u64 = texts
        .iter()
        .flat_map(|text| text.bytes())
        .map(u64::from)
        .sum();
    let shape =
        Regex::new("^[0-9]{26}-[0-9]{12}-[0-9A-Z]{9}-[0-9A-Z]{13}-[0-9A-HJ-NPQRTUWXY]{18}$")?;

    let ours = over(texts, |texts| {
        fold(
            texts
                .iter()
                .map(|text| checked(IndexCode::parse(text).ok())),
        )
    });
    let const_path = over(texts, |texts| {
        fold(
            texts
                .iter()
                .map(|text| checked(IndexCode::try_parse(text.as_bytes()))),
        )
    });
    let reference = over(texts, |texts| {
        fold(
            texts
                .iter()
                .map(|text| checked(grammar::parse(text.as_bytes()).ok())),
        )
    });
    let parts = over(texts, |texts| {
        texts
            .iter()
            .map(|text| {
                idiomatic(text)
                    .ok()
                    .map(|(_, parts)| minutes_of(parts.time))
            })
            .sum::<Option<i64>>()
    });
    let to_packed = over(texts, |texts| {
        fold(
            texts
                .iter()
                .map(|text| idiomatic(text).ok().and_then(|(_, parts)| parts.pack())),
        )
    });
    let matches = over(texts, move |texts| {
        texts.iter().filter(|text| shape.is_match(text)).count()
    });
    let add = over(texts, |texts| {
        texts
            .iter()
            .flat_map(|text| text.bytes())
            .map(u64::from)
            .sum::<u64>()
    });

    Ok(Group::new("index: parse to packed", "code")
        .with(
            "mic-index, strict, check character computed",
            count,
            &packed,
            ours,
        )
        .bytes(bytes)
        .with(
            "mic-index, `try_parse` (no diagnosis)",
            count,
            &packed,
            const_path,
        )
        .bytes(bytes)
        .with("mic-index, its nom grammar", count, &packed, reference)
        .bytes(bytes)
        .with("idiomatic nom + chrono, parts only", count, &minutes, parts)
        .bytes(bytes)
        .goal(6.0)
        .with(
            "idiomatic nom + chrono, to the same forty bytes",
            count,
            &packed,
            to_packed,
        )
        .bytes(bytes)
        .goal(6.0)
        .with("regex, shape only", count, &codes.len(), matches)
        .bytes(bytes)
        .goal(2.5)
        .with("sum of the bytes", count, &sum, add)
        .bytes(bytes)
        .goal(1.0 / 4.5))
}

/// The whole code against chrono's reading of its twelve-digit stamp alone.
fn stamp(codes: &Rc<[IndexCode]>, texts: &Rc<[String]>) -> anyhow::Result<Group> {
    let count = codes.len() as u64;
    let expected: Option<i64> = codes
        .iter()
        .map(|code| Some(minutes_of(code.exam_time().to_naive())))
        .sum();
    let minutes: Option<u64> = codes
        .iter()
        .map(|code| Some(u64::from(code.exam_time().minutes())))
        .sum();
    let ours = over(texts, |texts| {
        texts
            .iter()
            .map(|text| {
                // The whole packed form is wanted, not the minutes alone.
                let code = std::hint::black_box(IndexCode::parse(text).ok()?);
                Some(u64::from(code.exam_time().minutes()))
            })
            .sum()
    });
    let chrono = over(texts, |texts| {
        texts
            .iter()
            .map(|text| {
                NaiveDateTime::parse_from_str(text.get(27..39)?, "%Y%m%d%H%M")
                    .ok()
                    .map(minutes_of)
            })
            .sum::<Option<i64>>()
    });
    Ok(
        Group::new("index: whole code against chrono on its stamp", "code")
            .with("mic-index, all 82 characters", count, &minutes, ours)
            .with("chrono, 12 characters", count, &expected, chrono)
            .goal(1.0 / 0.6),
    )
}

/// Packed to text, by character, beside uuid.
fn print(codes: &Rc<[IndexCode]>) -> anyhow::Result<Group> {
    let ids: Rc<[Uuid]> = codes.iter().map(uuid_of).collect();
    let expected = codes
        .iter()
        .flat_map(|code| code.to_string().into_bytes())
        .fold(0, mix);
    let id_text = ids
        .iter()
        .flat_map(|id| id.to_string().into_bytes())
        .fold(0, mix);
    let printed: u64 = expected;

    // The answer is checked on the whole text, the time taken on making it.
    let check = codes
        .iter()
        .flat_map(|code| *code.printed().as_bytes())
        .fold(0, mix);
    anyhow::ensure!(
        check == printed,
        "the stack form differs from the printed one"
    );
    let mut buffer = Uuid::encode_buffer();
    let check = ids.iter().fold(0, |sum, id| {
        id.hyphenated()
            .encode_lower(&mut buffer)
            .bytes()
            .fold(sum, mix)
    });
    anyhow::ensure!(check == id_text, "the two forms of uuid differ");

    let last: u64 = codes
        .iter()
        .map(|code| u64::from(code.printed().as_bytes()[81]))
        .sum();
    let ours = over(codes, |codes| {
        codes
            .iter()
            .map(|code| u64::from(std::hint::black_box(code.printed()).as_bytes()[81]))
            .sum()
    });
    let id_last: u64 = ids
        .iter()
        .map(|id| id.to_string().bytes().last().map_or(0, u64::from))
        .sum();
    let uuid = over(&ids, move |ids| {
        ids.iter()
            .map(|id| {
                let text = id.hyphenated().encode_lower(&mut buffer).as_bytes();
                u64::from(std::hint::black_box(text)[35])
            })
            .sum()
    });
    let (count, chars, id_chars) = (codes.len(), codes.len() * 82, codes.len() * 36);
    debug_assert_eq!(count, ids.len());
    Ok(Group::new("index: packed to text", "character")
        .with(
            "mic-index, 82 characters on the stack",
            chars as u64,
            &last,
            ours,
        )
        .bytes(chars)
        .with(
            "uuid, 36 characters on the stack",
            id_chars as u64,
            &id_last,
            uuid,
        )
        .bytes(id_chars)
        .goal(1.0 / 2.5))
}

/// By byte, beside uuid, which has one alphabet, no calendar and no check.
fn read_beside_uuid(codes: &Rc<[IndexCode]>, texts: &Rc<[String]>) -> Group {
    let ids: Rc<[String]> = codes.iter().map(|code| uuid_of(code).to_string()).collect();
    let packed = fold(codes.iter().map(|code| Some(*code.packed())));
    let numbers: Option<u128> = codes
        .iter()
        .map(|code| Some(uuid_of(code).as_u128()))
        .try_fold(0, |sum: u128, id| Some(sum ^ id?));
    let ours = over(texts, |texts| {
        fold(
            texts
                .iter()
                .map(|text| checked(IndexCode::parse(text).ok())),
        )
    });
    let ascii = over(&ids, |ids| {
        ids.iter().try_fold(0, |sum, id| {
            Some(sum ^ Uuid::try_parse_ascii(id.as_bytes()).ok()?.as_u128())
        })
    });
    let plain = over(&ids, |ids| {
        ids.iter()
            .try_fold(0, |sum, id| Some(sum ^ Uuid::parse_str(id).ok()?.as_u128()))
    });
    let (bytes, id_bytes) = (codes.len() * 82, codes.len() * 36);
    Group::new("index: reading, by byte, beside uuid", "byte")
        .with("mic-index, strict", bytes as u64, &packed, ours)
        .bytes(bytes)
        .with("uuid `parse_str`", id_bytes as u64, &numbers, plain)
        .bytes(id_bytes)
        .goal(1.0 / 1.7)
        .with("uuid `try_parse_ascii`", id_bytes as u64, &numbers, ascii)
        .bytes(id_bytes)
}

/// By byte, beside an account number: two alphabets, a length for each country, a check number over all of it; no
/// calendar.
fn read_beside_iban(codes: &Rc<[IndexCode]>, texts: &Rc<[String]>) -> Group {
    let accounts: Rc<[String]> = codes.iter().map(account_of).collect();
    let packed = fold(codes.iter().map(|code| Some(*code.packed())));
    let ours = over(texts, |texts| {
        fold(
            texts
                .iter()
                .map(|text| checked(IndexCode::parse(text).ok())),
        )
    });
    // The check numbers, which follow from the rest.
    let check = |text: &str| text.get(2..4)?.parse::<u64>().ok();
    let checks: Option<u64> = accounts.iter().map(|text| check(text)).sum();
    let theirs = over(&accounts, move |accounts| {
        let read = |text: &String| text.parse::<iban::Iban>().ok();
        accounts
            .iter()
            .map(|text| check(read(text)?.electronic_str()))
            .sum::<Option<u64>>()
    });
    let (bytes, account_bytes) = (codes.len() * 82, accounts.len() * ACCOUNT_CHARS);
    Group::new("index: reading, by byte, beside iban_validate", "byte")
        .with("mic-index, strict", bytes as u64, &packed, ours)
        .bytes(bytes)
        .with(
            "iban_validate `parse`",
            account_bytes as u64,
            &checks,
            theirs,
        )
        .bytes(account_bytes)
}

/// Of a German account number.
const ACCOUNT_CHARS: usize = 22;

/// A made-up account number (ISO 13616) of Germany, whose check is 98 less the remainder by 97.
fn account_of(code: &IndexCode) -> String {
    let number = uuid_of(code).as_u128() % 1_000_000_000_000_000_000;
    // D is 13 and E is 14; two zeros stand for the check.
    let check = 98 - (number * 1_000_000 + 131_400) % 97;
    format!("DE{check:02}{number:018}")
}

/// The work over a shared input.
fn over<I, T, W>(input: &Rc<I>, mut work: W) -> impl FnMut() -> T + use<I, T, W>
where
    I: ?Sized,
    W: FnMut(&I) -> T,
{
    let input = Rc::clone(input);
    move || work(std::hint::black_box(&input))
}

/// All packed forms in one number, `None` if one is missing.
fn fold(packed: impl Iterator<Item = Option<[u8; 40]>>) -> Option<u64> {
    packed.into_iter().try_fold(0_u64, |sum, bytes| {
        let words = bytes?;
        let word = |at: usize| {
            words[at..at + 8]
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte))
        };
        Some(
            [0, 8, 16, 24, 32]
                .into_iter()
                .fold(sum, |sum, at| sum.rotate_left(7) ^ word(at)),
        )
    })
}

/// A code whose check character fits; all of ours do, and all rows compute it.
fn checked(code: Option<IndexCode>) -> Option<[u8; 40]> {
    code.filter(|code| code.unit().check().is_match())
        .map(|code| *code.packed())
}

fn mix(sum: u64, byte: u8) -> u64 {
    sum.rotate_left(5) ^ u64::from(byte)
}

fn minutes_of(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp() / 60
}

fn uuid_of(code: &IndexCode) -> Uuid {
    let words = code
        .packed()
        .iter()
        .enumerate()
        .fold([0_u8; 16], |mut id, (at, byte)| {
            id[at % 16] = id[at % 16].rotate_left(3) ^ byte;
            id
        });
    Uuid::from_bytes(words)
}

/// What a careful programmer writes in an afternoon: text parsers, chrono for the date, parts as slices.
struct Parts<'a> {
    person: &'a str,
    time: NaiveDateTime,
    site: &'a str,
    device: &'a str,
    unit: &'a str,
}

/// The value of a symbol of the unit's alphabet, which leaves out I, O, S, V and Z.
fn credit(symbol: char) -> Option<u32> {
    Some(match symbol {
        '0'..='9' => symbol as u32 - '0' as u32,
        'A'..='H' => symbol as u32 - 'A' as u32 + 10,
        'J'..='N' => symbol as u32 - 'J' as u32 + 18,
        'P'..='R' => symbol as u32 - 'P' as u32 + 23,
        'T' | 'U' => symbol as u32 - 'T' as u32 + 26,
        'W'..='Y' => symbol as u32 - 'W' as u32 + 28,
        _ => return None,
    })
}

fn digits(count: usize) -> impl FnMut(&str) -> IResult<&str, &str> {
    move |i| take_while_m_n(count, count, |c: char| c.is_ascii_digit()).parse(i)
}

fn symbols(count: usize) -> impl FnMut(&str) -> IResult<&str, &str> {
    move |i| {
        take_while_m_n(count, count, |c: char| {
            c.is_ascii_digit() || c.is_ascii_uppercase()
        })
        .parse(i)
    }
}

fn minute(i: &str) -> IResult<&str, NaiveDateTime> {
    let parts = (digits(4), digits(2), digits(2), digits(2), digits(2));
    map_opt(parts, |(year, month, day, hour, minute)| {
        let date =
            NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
        date.and_hms_opt(hour.parse().ok()?, minute.parse().ok()?, 0)
    })
    .parse(i)
}

fn check_fits(unit: &str) -> bool {
    let mut weight = 1;
    let mut sum = 0;
    let mut last = None;
    for (place, value) in unit.chars().map(credit).enumerate() {
        match value {
            Some(value) if place < 17 => sum += value * weight,
            other => last = other,
        }
        weight = weight * 3 % 31;
    }
    last == Some((31 - sum % 31) % 31)
}

fn idiomatic(text: &str) -> IResult<&str, Parts<'_>> {
    let unit = verify(take_while_m_n(18, 18, |c| credit(c).is_some()), check_fits);
    let parts = (
        digits(26),
        char('-'),
        minute,
        char('-'),
        symbols(9),
        char('-'),
        symbols(13),
        char('-'),
        unit,
    );
    let (rest, (person, _, time, _, site, _, device, _, unit)) =
        all_consuming(parts).parse(text)?;
    Ok((
        rest,
        Parts {
            person,
            time,
            site,
            device,
            unit,
        },
    ))
}

impl Parts<'_> {
    /// The crate's layout: 34 and 54 bits of person, 27 of time, 47 of site, 26 and 42 of device, 90 of unit.
    fn pack(&self) -> Option<[u8; 40]> {
        let epoch = NaiveDate::from_ymd_opt(1900, 1, 1)?.and_hms_opt(0, 0, 0)?;
        let minutes = u128::try_from((self.time - epoch).num_minutes()).ok()?;
        let decimal = |text: &str| text.parse::<u64>().ok().map(u128::from);
        let radix_36 = |text: &str| u64::from_str_radix(text, 36).ok().map(u128::from);
        let (first, last) = self.person.split_at(10);
        let person = decimal(first)? << 54 | decimal(last)?;
        let site = radix_36(self.site)?;
        let (first, last) = self.device.split_at(5);
        let device = radix_36(first)? << 42 | radix_36(last)?;
        let unit = self
            .unit
            .chars()
            .try_fold(0, |sum, c| Some(sum << 5 | u128::from(credit(c)?)))?;

        let mut packed = [0; 40];
        let (front, back) = packed.split_at_mut(16);
        front.copy_from_slice(&(person << 40 | minutes << 13 | site >> 34).to_be_bytes());
        let (middle, end) = back.split_at_mut(16);
        middle.copy_from_slice(&(site << 94 | device << 26 | unit >> 64).to_be_bytes());
        end.copy_from_slice(&(unit as u64).to_be_bytes());
        Some(packed)
    }
}
