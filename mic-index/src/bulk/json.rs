//! A line of NDJSON into a row (`IDX-55`).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;

use super::header::Field;
use super::reader::{Refusal, fill, read_part};
use super::rejection::{JsonFault, Reason};
use super::row::Row;
use crate::exam_type::ExamType;
use crate::parser::Parser;
use crate::record::{RecordError, RecordKey};

/// The fields of [`ExamRecord`](crate::ExamRecord)'s serde form, their texts not yet read, so that
/// each fault has its field and its place.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    #[serde(borrow, default)]
    code: Option<Text<'a>>,
    #[serde(borrow, default)]
    study_instance_uid: Option<Text<'a>>,
    #[serde(borrow, default)]
    institution: Option<Text<'a>>,
    #[serde(borrow, default)]
    accession_number: Option<Text<'a>>,
    #[serde(default)]
    exam_type: Option<u64>,
    #[serde(borrow, default)]
    parts: Option<Vec<Text<'a>>>,
    #[serde(default)]
    series_count: Option<u64>,
    #[serde(default)]
    image_count: Option<u64>,
    #[serde(borrow, default)]
    supersedes: Option<Object<Key<'a>>>,
    #[serde(borrow, default)]
    item_code: Option<Text<'a>>,
    #[serde(borrow, default)]
    item_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    ordered_at: Option<Text<'a>>,
    #[serde(borrow, default)]
    started_at: Option<Text<'a>>,
    #[serde(borrow, default)]
    ended_at: Option<Text<'a>>,
    #[serde(borrow, default)]
    reported_at: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Key<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    study_instance_uid: Text<'a>,
}

/// An object and nothing else: what is derived would take an array for its fields in their order.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsObject<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for AsObject<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(AsObject(PhantomData))
    }
}

/// Text as it stands in the line, or without its escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsText;

        impl<'de> Visitor<'de> for AsText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.into())))
            }
        }

        deserializer.deserialize_str(AsText)
    }
}

pub(super) fn row<'a>(
    line: &'a [u8],
    mut row: impl FnMut(crate::IndexCode) -> Row,
    parser: Parser,
) -> Result<Row, Box<Refusal<'a>>> {
    let Object(fields): Object<Fields<'a>> =
        serde_json::from_slice(line).map_err(|error| refuse(line, &error))?;
    let Some(code) = &fields.code else {
        let reason = Reason::NoField { field: Field::Code };
        return Err(Refusal::new(reason, 0..line.len()));
    };
    let code = match parser.parse(&code.0) {
        Ok(found) => found,
        Err(error) => return Err(refuse_code(line, code, error)),
    };
    let mut row = row(code);
    for (field, text) in [
        (Field::StudyInstanceUid, fields.study_instance_uid),
        (Field::Institution, fields.institution),
        (Field::AccessionNumber, fields.accession_number),
        (Field::ItemCode, fields.item_code),
        (Field::ItemName, fields.item_name),
        (Field::OrderedAt, fields.ordered_at),
        (Field::StartedAt, fields.started_at),
        (Field::EndedAt, fields.ended_at),
        (Field::ReportedAt, fields.reported_at),
    ] {
        // An empty text is a fault where a code or UID is expected; an empty number is none.
        let none = |text: &Text<'_>| field == Field::AccessionNumber && text.0.is_empty();
        if let Some(text) = text.filter(|text| !none(text)) {
            fill(&mut row, field, text.0.as_bytes())
                .map_err(|fault| Refusal::new(fault.reason, place(line, &text, fault.span)))?;
        }
    }
    if let Some(code) = fields.exam_type {
        let known = u8::try_from(code).ok().and_then(ExamType::from_code);
        let refusal = || Refusal::new(Reason::ExamType, 0..line.len());
        row.more_mut().exam_type = Some(known.ok_or_else(refusal)?);
    }
    let parts = fields.parts.unwrap_or_default().into_iter().map(|text| {
        read_part(&text.0)
            .map_err(|fault| Refusal::new(fault.reason, place(line, &text, fault.span)))
    });
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    if !parts.is_empty() {
        row.set_parts(parts);
    }
    if let Some(found) = count(line, Field::SeriesCount, fields.series_count)? {
        row.more_mut().series_count = Some(found);
    }
    if let Some(found) = count(line, Field::ImageCount, fields.image_count)? {
        row.more_mut().image_count = Some(found);
    }
    if let Some(Object(key)) = fields.supersedes {
        let code = parser
            .parse(&key.code.0)
            .map_err(|error| refuse_code(line, &key.code, error))?;
        let text = &key.study_instance_uid;
        let uid = text.0.parse().map_err(|error| {
            let span = place(line, text, 0..text.0.len());
            Refusal::new(Reason::StudyUid(error), span)
        })?;
        let earlier = RecordKey::new(code, uid);
        if row.study_instance_uid == Some(uid) && row.code == code {
            let reason = Reason::Record(RecordError::SupersedesItself);
            return Err(Refusal::new(reason, 0..line.len()));
        }
        row.more_mut().supersedes = Some(earlier);
    }
    Ok(row)
}

fn count(
    line: &[u8],
    field: Field,
    count: Option<u64>,
) -> Result<Option<u32>, Box<Refusal<'static>>> {
    count
        .map(|count| {
            u32::try_from(count).map_err(|_| Refusal::new(Reason::Count { field }, 0..line.len()))
        })
        .transpose()
}

#[cold]
fn refuse_code<'a>(line: &'a [u8], text: &Text<'a>, error: crate::ParseError) -> Box<Refusal<'a>> {
    let span = place(line, text, error.span());
    let mut refusal = Refusal::new(Reason::Code(error), span);
    refusal.code = match &text.0 {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.clone().into_bytes()),
    };
    refusal
}

/// The bytes of the line that a span of one of its texts has; the whole line where escapes are between.
fn place(line: &[u8], text: &Text<'_>, span: Range<usize>) -> Range<usize> {
    match text.0 {
        Cow::Borrowed(text) => {
            // Both point into the same bytes.
            let start = (text.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
            start + span.start..start + span.end
        }
        Cow::Owned(_) => 0..line.len(),
    }
}

/// The place alone: serde's own words repeat what was found, which may be a person code.
#[cold]
fn refuse(line: &[u8], error: &serde_json::Error) -> Box<Refusal<'static>> {
    let fault = match error.classify() {
        Category::Data => JsonFault::Shape,
        _ => JsonFault::Syntax,
    };
    let end = error.column().min(line.len());
    Refusal::new(Reason::Json(fault), end.saturating_sub(1)..end)
}
