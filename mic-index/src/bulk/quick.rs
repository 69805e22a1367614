//! The usual line at a glance: a legal code in front, fields without quotation marks behind it, each byte
//! looked at once. Whatever is unusual gives `None`, and the line goes the long way, which gives the same
//! row or says what is wrong.

use memchr::memchr3;

use super::begin::strip;
use super::header::{Columns, Field};
use super::options::Options;
use super::reader::fill;
use super::row::Row;
use crate::code::IndexCode;
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::parser::Parser;
use crate::part::{COMPACT_LEN, PRINTED_LEN};
use crate::study_uid::StudyInstanceUid;
use crate::unit::CheckPolicy;

/// A line with a code and nothing else, and how many bytes it has.
#[inline]
pub(super) fn code_line(portion: &[u8], parser: Parser, row: &mut Row) -> Option<usize> {
    [PRINTED_LEN, COMPACT_LEN].into_iter().find_map(|len| {
        let (text, rest) = portion.split_at_checked(len)?;
        let behind = end_of_line(rest)?;
        row.code = code(text, parser)?;
        Some(portion.len() - behind.len())
    })
}

/// A row with a printed code in its first column and no quotation marks, and how many bytes it has.
#[inline]
pub(super) fn csv_line(
    portion: &[u8],
    columns: &Columns,
    options: &Options,
    row: &mut Row,
) -> Option<usize> {
    let delimiter = options.delimiter;
    // Others may be part of a field as this way reads it.
    if !matches!(delimiter, b',' | b';' | b'\t' | b'|') {
        return None;
    }
    let [Some(Field::Code), reads @ ..] = columns.at.as_slice() else {
        return None;
    };
    let (text, mut rest) = portion.split_at_checked(PRINTED_LEN)?;
    row.code = code(text, options.parser)?;
    for place in 0..columns.count - 1 {
        let (first, text) = rest.split_first()?;
        if *first != delimiter {
            return None;
        }
        rest = field(reads.get(place).copied().flatten(), text, delimiter, row)?;
    }
    let behind = end_of_line(rest)?;
    Some(portion.len() - behind.len())
}

/// What follows a line end that is due.
#[inline]
const fn end_of_line(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [b'\n', behind @ ..] | [b'\r', b'\n', behind @ ..] => Some(behind),
        _ => None,
    }
}

#[inline]
fn code(text: &[u8], parser: Parser) -> Option<IndexCode> {
    let code = IndexCode::try_parse(text)?;
    (parser.policy() == CheckPolicy::Report || code.unit().check().is_match()).then_some(code)
}

/// Reads the field at the front of `text`, and gives what follows: the next byte is that of a delimiter or
/// line end, or the field goes on with what it may not have.
#[inline]
fn field<'a>(
    field: Option<Field>,
    text: &'a [u8],
    delimiter: u8,
    row: &mut Row,
) -> Option<&'a [u8]> {
    if text.first() == Some(&delimiter) {
        return Some(text);
    }
    match field {
        Some(Field::StudyInstanceUid) => {
            if let Some((uid, rest)) = StudyInstanceUid::split_from(text) {
                row.study_instance_uid = Some(uid);
                return Some(rest);
            }
        }
        Some(Field::Institution) => {
            if let Some((institution, rest)) = InstitutionCode::split_from(text) {
                row.more_mut().institution = Some(institution);
                return Some(rest);
            }
        }
        Some(Field::ExamType) => {
            if let Some((number, rest)) = number(text) {
                let number = u8::try_from(number).ok()?;
                row.more_mut().exam_type = Some(ExamType::from_code(number)?);
                return Some(rest);
            }
        }
        Some(Field::SeriesCount) => {
            if let Some((number, rest)) = number(text) {
                row.more_mut().series_count = Some(number);
                return Some(rest);
            }
        }
        Some(Field::ImageCount) => {
            if let Some((number, rest)) = number(text) {
                row.more_mut().image_count = Some(number);
                return Some(rest);
            }
        }
        _ => {}
    }
    // Text of any kind, and fields that are empty at the end of a line or wrong.
    let end = memchr3(delimiter, b'\n', b'"', text)?;
    let (mut found, rest) = text.split_at_checked(end)?;
    if rest.first() == Some(&b'\n') {
        found = strip(found);
    }
    if let Some(field) = field.filter(|_| !found.is_empty()) {
        fill(row, field, found).ok()?;
    }
    text.get(found.len()..)
}

/// The digits at the front, of which there is one at least.
#[inline]
fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let (mut number, mut rest) = (None, text);
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        let before = number.unwrap_or(0_u32);
        number = Some(
            before
                .checked_mul(10)?
                .checked_add(u32::from(digit & 0x0f))?,
        );
        rest = behind;
    }
    Some((number?, rest))
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::{Format, Line, Reader};
    use super::*;

    const CODE: &str =
        "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";

    /// The rows, and where each rejected line is at fault.
    fn lines(file: &[u8], options: &Options, portion: usize) -> Vec<Result<Row, String>> {
        let mut reader = Reader::new(options.clone());
        let mut lines = Vec::new();
        let mut see = |line: Line<'_>| {
            lines.push(match line {
                Line::Row(row) => Ok(row.clone()),
                Line::Rejected(no) => Err(format!("{} {:?} {}", no.line(), no.span(), no.reason())),
            });
        };
        for mut portion in file.chunks(portion) {
            while let Some(line) = reader.read(&mut portion).unwrap() {
                see(line);
            }
        }
        while let Some(line) = reader.end().unwrap() {
            see(line);
        }
        lines
    }

    fn text() -> impl Strategy<Value = &'static str> {
        select(alloc::vec![
            CODE,
            "1000",
            "",
            "1.2.840.113619.2.1.2411.1031152382.365",
            "1.2",
            "1..2",
            "1.2.",
            "1.2x",
            "H35020300001",
            "H350203000011",
            "h35020300001",
            "A1",
            "é",
            "\u{feff}",
            "1",
            "5",
            "6",
            "05",
            "28",
            "4294967295",
            "4294967296",
            "+1",
            " 1",
            "1 ",
            "0",
            "\"1\"",
            "\"",
            "1\"",
            "\r",
            "1\r",
            "000000001",
            "2024-11-22T14:30:59+08:00",
            "2024-11-22T14:31:00+08:00",
            "胸部平扫",
            "00A000000|000000001",
        ])
    }

    proptest! {
        /// Byte by byte every line goes the long way.
        #[test]
        fn ok_the_quick_way_gives_what_the_long_way_gives(
            delimiter in select(b",;\t|.1H".to_vec()),
            fields in prop::collection::vec(select(Field::COLUMNS.to_vec()), 1..6),
            rows in prop::collection::vec(
                (prop::collection::vec(text(), 5), 0..12_usize, select(alloc::vec!["\n", "\r\n", "\r\r\n"])), 1..6),
            complete: bool,
            line_len_max in select(alloc::vec![60_usize, 82, 83, 84, 120, 64 * 1024]),
        ) {
            let between = char::from(delimiter);
            let mut columns: Vec<Field> = Vec::new();
            for field in fields {
                if field != Field::Code && !columns.contains(&field) {
                    columns.push(field);
                }
            }
            let names: Vec<_> = columns.iter().map(|field| field.name()).collect();
            let names = names.join(&String::from(between));
            let mut file = format!("code{between}{names}\n");
            for (texts, count, end) in rows {
                let count = if count > 5 { columns.len() } else { count };
                file += CODE;
                for text in texts.iter().take(count) {
                    file.push(between);
                    file += text;
                }
                file += end;
            }
            let options = Options::new().format(Format::Csv).delimiter(delimiter);
            let options = options.header(super::super::Header::Absent).require_complete(complete);
            let mut options = options.with_line_len_max(line_len_max);
            for (place, field) in [Field::Code].into_iter().chain(columns).enumerate() {
                options = options.column(field, super::super::Column::At(place));
            }
            let whole = lines(file.as_bytes(), &options, file.len());
            prop_assert_eq!(whole, lines(file.as_bytes(), &options, 1));
        }
    }
}
