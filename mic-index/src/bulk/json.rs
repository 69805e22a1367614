//! A line of NDJSON into a row (`IDX-55`).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;
use core::str;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::header::Field;
use super::reader::{Refusal, fill_text, read_part};
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
    parser: Parser,
    row: &mut Row,
) -> Result<(), Box<Refusal<'a>>> {
    if quick(line, parser, row).is_some() {
        return Ok(());
    }
    row.begin(row.line, row.offset);
    explained(line, parser, row)
}

/// A line read into the row as it goes by. Whatever is unusual gives `None`, and the line is read again by
/// [`explained`], which gives the same row or says what is wrong.
fn quick(line: &[u8], parser: Parser, row: &mut Row) -> Option<()> {
    // Once for all texts of the line.
    let line = str::from_utf8(line).ok()?;
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let into = Into { parser, row };
    deserializer.deserialize_map(into).ok()?;
    deserializer.end().ok()
}

/// Fills a row with the fields of an object.
struct Into<'r> {
    parser: Parser,
    row: &'r mut Row,
}

impl<'de> Visitor<'de> for Into<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = 0_u32;
        while let Some(field) = map.next_key_seed(Name)? {
            let bit = 1 << field as u32;
            // The minute of the exam is known from the code.
            let early = field == Field::StartedAt && seen & 1 << Field::Code as u32 == 0;
            if seen & bit != 0 || early {
                return Err(unusual());
            }
            let row = &mut *self.row;
            let parser = self.parser;
            let is_there = map.next_value_seed(Value { field, parser, row })?;
            if !is_there && field == Field::Code {
                return Err(unusual());
            }
            seen |= bit;
        }
        if seen & 1 << Field::Code as u32 == 0 {
            return Err(unusual());
        }
        Ok(())
    }
}

/// Not to be told: the line is read again.
#[cold]
fn unusual<E: de::Error>() -> E {
    E::custom("")
}

/// The field of a name.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Field;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field")
    }

    #[inline]
    fn visit_str<E: de::Error>(self, name: &str) -> Result<Field, E> {
        Field::of_name(name).ok_or_else(unusual)
    }
}

/// Reads the value of a field into the row; false for `null`.
struct Value<'r> {
    field: Field,
    parser: Parser,
    row: &'r mut Row,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the field holds")
    }

    fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<bool, E> {
        let number = u32::try_from(number).map_err(|_| unusual())?;
        let more = self.row.more_mut();
        match self.field {
            Field::SeriesCount => more.series_count = Some(number),
            Field::ImageCount => more.image_count = Some(number),
            Field::ExamType => {
                let known = u8::try_from(number).ok().and_then(ExamType::from_code);
                more.exam_type = Some(known.ok_or_else(unusual)?);
            }
            _ => return Err(unusual()),
        }
        Ok(true)
    }

    #[inline]
    fn visit_str<E: de::Error>(self, text: &str) -> Result<bool, E> {
        match self.field {
            Field::Code => self.row.code = self.parser.parse(text).map_err(|_| unusual())?,
            // An empty number is none.
            Field::AccessionNumber if text.is_empty() => {}
            Field::StudyInstanceUid
            | Field::Institution
            | Field::AccessionNumber
            | Field::ItemCode
            | Field::ItemName
            | Field::OrderedAt
            | Field::StartedAt
            | Field::EndedAt
            | Field::ReportedAt => {
                fill_text(self.row, self.field, text).map_err(|_| unusual())?;
            }
            Field::ExamType
            | Field::Parts
            | Field::SeriesCount
            | Field::ImageCount
            | Field::Supersedes => return Err(unusual()),
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        if self.field != Field::Parts {
            return Err(unusual());
        }
        let mut parts = Vec::new();
        while let Some(text) = list.next_element::<Text<'_>>()? {
            parts.push(read_part(&text.0).map_err(|_| unusual())?);
        }
        if !parts.is_empty() {
            self.row.set_parts(parts);
        }
        Ok(true)
    }
}

fn explained<'a>(line: &'a [u8], parser: Parser, row: &mut Row) -> Result<(), Box<Refusal<'a>>> {
    let Object(fields): Object<Fields<'a>> =
        serde_json::from_slice(line).map_err(|error| refuse(line, &error))?;
    let Some(code) = &fields.code else {
        let reason = Reason::NoField { field: Field::Code };
        return Err(Refusal::new(reason, 0..line.len()));
    };
    row.code = match parser.parse(&code.0) {
        Ok(found) => found,
        Err(error) => return Err(refuse_code(line, code, error)),
    };
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
            fill_text(row, field, &text.0)
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
    Ok(())
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

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;
    use std::format;

    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const CODE: &str =
        "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";

    /// Both ways agree: the quick one reads nothing that the other refuses or reads otherwise.
    fn assert_alike(line: &[u8]) -> bool {
        let parser = Parser::new();
        let (mut quickly, mut slowly) = (Row::NONE, Row::NONE);
        let is_quick = quick(line, parser, &mut quickly).is_some();
        let is_row = explained(line, parser, &mut slowly).is_ok();
        assert!(is_row || !is_quick);
        if is_quick {
            assert!(quickly == slowly && quickly.digest() == slowly.digest());
            let again = row(line, parser, &mut quickly);
            assert!(
                again.is_ok() && quickly == slowly,
                "a row that is filled again"
            );
        }
        is_quick
    }

    fn value() -> impl Strategy<Value = String> {
        let texts = select(alloc::vec![
            CODE,
            "1.2.3",
            "1..2",
            "",
            "H35020300001",
            "A1",
            "202411221430",
            "000000001",
            "2024-11-22T14:30:59+08:00",
            "2024-11-22T14:31:00+08:00",
            "\\u0041",
            "é",
            "\\ud800",
        ]);
        prop_oneof![
            texts.clone().prop_map(|text| format!("\"{text}\"")),
            prop::collection::vec(texts, 0..3)
                .prop_map(|texts| format!("[\"{}\"]", texts.join("\",\""))),
            select(alloc::vec![
                "null",
                "0",
                "1",
                "5",
                "6",
                "28",
                "-1",
                "1.5",
                "1e2",
                "4294967296",
                "{}",
                "true"
            ])
            .prop_map(String::from),
        ]
    }

    fn name() -> impl Strategy<Value = &'static str> {
        let mut names: Vec<_> = Field::COLUMNS.iter().map(|field| field.name()).collect();
        names.extend(["supersedes", "code ", "x"]);
        select(names)
    }

    proptest! {
        #[test]
        fn ok_any_object_is_read_alike(
            begins in prop::bool::weighted(0.9),
            fields in prop::collection::vec((name(), value()), 0..6),
            end in select(alloc::vec!["}", "} ", "}x", "", "},"]),
        ) {
            let mut all = Vec::new();
            if begins {
                all.push(format!("\"code\":\"{CODE}\""));
            }
            all.extend(fields.iter().map(|(name, value)| format!("\"{name}\": {value}")));
            assert_alike(format!("{{{}{end}", all.join(",")).as_bytes());
        }

        #[test]
        fn ok_damaged_objects_are_read_alike(at in 0_usize..400, byte: u8) {
            let mut line = usual().into_bytes();
            let at = at % line.len();
            line[at] = byte;
            assert_alike(&line);
        }
    }

    fn usual() -> String {
        format!(
            "{{\"code\":\"{CODE}\",\"study_instance_uid\":\"1.2.3\",\"institution\":\"H35020300001\",\
             \"accession_number\":\"A1\",\"exam_type\":1,\"parts\":[\"000000002\",\"000000001\"],\
             \"series_count\":1,\"image_count\":28,\"supersedes\":null,\"item_name\":\"胸部平扫\",\
             \"started_at\":\"2024-11-22T14:30:59+08:00\",\"reported_at\":null}}"
        )
    }

    #[test]
    fn ok_what_records_are_written_as_is_read_quickly() {
        assert!(assert_alike(usual().as_bytes()));
        for line in [
            "null",
            "[]",
            "{}",
            "\"code\"",
            "{\"code\":null,\"code\":\"1\"}",
        ] {
            assert!(!assert_alike(line.as_bytes()), "{line}");
        }
        let twice = format!("{{\"code\":null,\"code\":\"{CODE}\"}}");
        assert!(!assert_alike(twice.as_bytes()));
        let early = format!("{{\"started_at\":\"2024-11-22T14:30:59+08:00\",\"code\":\"{CODE}\"}}");
        assert!(!assert_alike(early.as_bytes()));
    }
}
