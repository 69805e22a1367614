//! Records of CSV by the grammar of RFC 4180, one line each: a field of an event never has a line
//! end inside, so a quote that is not closed shows at its own line.

use alloc::{borrow::Cow, string::String, vec::Vec};

use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{tag, take_till, take_while1},
    character::complete::char,
    combinator::{map, value},
    multi::fold_many0,
    sequence::delimited,
};

use super::{
    ReadError, ReadErrorKind,
    fields::{Field, Fields, Value},
};

/// `header = name *( "," name )`
pub(super) fn header(record: &[u8]) -> Result<Vec<Field>, ReadError> {
    let mut header = Vec::new();
    each(record, |at, name| {
        let field = Field::named(&name)
            .ok_or_else(|| ReadError::of(ReadErrorKind::UnknownColumn).at(at))?;
        if header.contains(&field) {
            let twice = ReadError::of(ReadErrorKind::FieldTwice).at(at);
            return Err(twice.in_field(field.name()));
        }
        header.push(field);
        Ok(())
    })?;
    match Field::missing(&header) {
        Some(name) => Err(ReadError::of(ReadErrorKind::MissingColumn { name })),
        None => Ok(header),
    }
}

/// `record = field *( "," field )`
pub(super) fn fields<'a>(record: &'a [u8], header: &[Field]) -> Result<Fields<'a>, ReadError> {
    let mut fields = Fields::default();
    let mut found = 0_usize;
    each(record, |at, text| {
        let field = header.get(found).copied();
        found = found.saturating_add(1);
        match field {
            Some(field) if !text.is_empty() => fields.put(field, Value::Text(text), Some(at)),
            _ => Ok(()),
        }
    })?;
    let expected = header.len();
    if found == expected {
        Ok(fields)
    } else {
        Err(ReadError::of(ReadErrorKind::FieldCount { expected, found }))
    }
}

/// Each field of a record with the byte it begins at.
fn each<'a>(
    record: &'a [u8],
    mut hear: impl FnMut(usize, Cow<'a, str>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let text = core::str::from_utf8(record)
        .map_err(|error| ReadError::of(ReadErrorKind::Utf8).at(error.valid_up_to()))?;
    let mut rest = text;
    loop {
        let at = text.len().saturating_sub(rest.len());
        let quotes = || ReadError::of(ReadErrorKind::Quotes).at(at);
        let (after, found) = field(rest).map_err(|_| quotes())?;
        hear(at, found)?;
        rest = match after.strip_prefix(',') {
            Some(next) => next,
            None if after.is_empty() => return Ok(()),
            None => return Err(quotes()),
        };
    }
}

/// `field = quoted / bare`
fn field(input: &str) -> IResult<&str, Cow<'_, str>> {
    alt((map(quoted, Cow::Owned), map(bare, Cow::Borrowed))).parse(input)
}

/// `quoted = DQUOTE *( text / DQUOTE DQUOTE ) DQUOTE`
fn quoted(input: &str) -> IResult<&str, String> {
    let piece = alt((take_while1(|c| c != '"'), value("\"", tag("\"\""))));
    let pieces = fold_many0(piece, String::new, |mut text, piece| {
        text.push_str(piece);
        text
    });
    delimited(char('"'), pieces, char('"')).parse(input)
}

/// `bare = *( any but "," and DQUOTE )`
fn bare(input: &str) -> IResult<&str, &str> {
    take_till(|c| c == ',' || c == '"').parse(input)
}
