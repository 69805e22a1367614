//! A row of CSV into its fields: the grammar of RFC 4180 in nom, and a shorter way for rows without
//! quotation marks.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::ops::Range;

use memchr::memchr_iter;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while};
use nom::character::complete::char;
use nom::combinator::{opt, recognize, value};
use nom::multi::many0_count;
use nom::sequence::delimited;
use nom::{IResult, Parser};

use super::rejection::QuoteFault;

/// The fields of a row, quotation marks removed.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    fields: Vec<Quoted<'a>>,
}

/// A field and the bytes of the row its text has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quoted<'a> {
    pub(super) text: Cow<'a, [u8]>,
    pub(super) span: Range<usize>,
}

impl<'a> Fields<'a> {
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().map(|field| field.text.as_ref())
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &Quoted<'a>> {
        self.fields.iter()
    }
}

/// The places of the fields of a row that has no quotation mark.
#[inline]
pub(super) fn plain(row: &[u8], delimiter: u8) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    memchr_iter(delimiter, row)
        .chain(core::iter::once(row.len()))
        .map(move |end| {
            let field = start..end;
            start = end + 1;
            field
        })
}

/// The fields of any row.
pub(super) fn fields(row: &[u8], delimiter: u8) -> Result<Fields<'_>, (QuoteFault, usize)> {
    let mut fields = Vec::new();
    let mut rest = row;
    loop {
        let begin = row.len() - rest.len();
        // A field can be empty, so this does not fail.
        let Ok((after, found)) = field(delimiter).parse(rest) else {
            return Err((QuoteFault::Open, begin));
        };
        let end = row.len() - after.len();
        let quoted = match found {
            Found::Plain(text) => match text.iter().position(|byte| *byte == b'"') {
                Some(at) => return Err((QuoteFault::Inside, begin + at)),
                None => Quoted {
                    text: Cow::Borrowed(text),
                    span: begin..end,
                },
            },
            Found::Open => return Err((QuoteFault::Open, begin)),
            Found::Quoted(text) => Quoted {
                text: undouble(text),
                span: begin + 1..end - 1,
            },
        };
        fields.push(quoted);
        match after.split_first() {
            None => return Ok(Fields { fields }),
            Some((byte, next)) if *byte == delimiter => rest = next,
            Some(_) => return Err((QuoteFault::Behind, end)),
        }
    }
}

#[derive(Debug, Clone)]
enum Found<'a> {
    /// `*TEXTDATA`, or what is wrong where quotation marks stand in it.
    Plain(&'a [u8]),
    /// What stands between the outer quotation marks.
    Quoted(&'a [u8]),
    /// A quotation mark that nothing closes.
    Open,
}

/// `field = quoted / *TEXTDATA`
fn field<'a>(
    delimiter: u8,
) -> impl Parser<&'a [u8], Output = Found<'a>, Error = nom::error::Error<&'a [u8]>> {
    alt((
        quoted.map(Found::Quoted),
        value(Found::Open, char('"')),
        take_while(move |byte| byte != delimiter).map(Found::Plain),
    ))
}

/// `quoted = DQUOTE *(TEXTDATA / COMMA / CR / LF / 2DQUOTE) DQUOTE`
fn quoted(i: &[u8]) -> IResult<&[u8], &[u8]> {
    let inner = recognize((
        opt(is_not("\"")),
        many0_count((tag("\"\""), opt(is_not("\"")))),
    ));
    delimited(char('"'), inner, char('"')).parse(i)
}

fn undouble(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'"') {
        return Cow::Borrowed(text);
    }
    let mut single = Vec::with_capacity(text.len());
    let mut after_quote = false;
    for &byte in text {
        if byte == b'"' && after_quote {
            after_quote = false;
            continue;
        }
        after_quote = byte == b'"';
        single.push(byte);
    }
    Cow::Owned(single)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::*;

    fn texts(row: &str) -> Result<Vec<Vec<u8>>, (QuoteFault, usize)> {
        fields(row.as_bytes(), b',').map(|fields| fields.iter().map(<[u8]>::to_vec).collect())
    }

    #[test]
    fn ok_fields_of_rfc_4180() {
        let found = texts("a,\"b,c\",\"d\"\"e\",,\"\"").unwrap();
        assert_eq!(found, [&b"a"[..], b"b,c", b"d\"e", b"", b""]);
        let spans = fields(b"a,\"b,c\",x", b',').unwrap();
        let spans: Vec<_> = spans.places().map(|field| field.span.clone()).collect();
        assert_eq!(spans, [0..1, 3..6, 8..9]);
    }

    #[test]
    fn err_quotation_marks_out_of_place() {
        assert_eq!(texts("a,b\"c").unwrap_err(), (QuoteFault::Inside, 3));
        assert_eq!(texts("a,\"b\"c").unwrap_err(), (QuoteFault::Behind, 5));
        assert_eq!(texts("a,\"b").unwrap_err(), (QuoteFault::Open, 2));
        assert_eq!(texts("\"\"\"").unwrap_err(), (QuoteFault::Open, 0));
    }

    proptest! {
        /// IDX-53: the short way gives what the grammar gives.
        #[test]
        fn ok_rows_without_quotation_marks_split_alike(row in "[a-c,;é\r]{0,40}") {
            let row = row.as_bytes();
            let grammar = fields(row, b',').unwrap();
            let spans: Vec<_> = grammar.places().map(|field| field.span.clone()).collect();
            prop_assert_eq!(plain(row, b',').collect::<Vec<_>>(), spans);
        }

        /// What is quoted by the book is read back.
        #[test]
        fn ok_quoted_fields_come_back(texts in prop::collection::vec("[a\",\n\r中]{0,6}", 1..6)) {
            let quoted: Vec<_> = texts
                .iter()
                .map(|text| std::format!("\"{}\"", text.replace('"', "\"\"")))
                .collect();
            let row = quoted.join(",");
            let found = fields(row.as_bytes(), b',').unwrap();
            prop_assert!(found.iter().eq(texts.iter().map(String::as_bytes)));
        }
    }
}
