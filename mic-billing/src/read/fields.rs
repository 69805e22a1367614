//! The fields of a record, from whatever format, to an event.

use alloc::borrow::Cow;
use core::str::FromStr;

use serde::{
    Deserialize,
    de::{
        IntoDeserializer,
        value::{Error as PlainError, StringDeserializer},
    },
};

use super::{ReadError, ReadErrorKind};
use crate::{
    event::{Event, RawEvent},
    money::Fen,
    text::TextError,
};

/// A field of an event by its place in [`NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field(usize);

/// The fields of an event; the first seven are in all.
const NAMES: [&str; 16] = [
    "institution",
    "encounter",
    "person",
    "kind",
    "occurred",
    "known",
    "source",
    "exam",
    "modality",
    "amount_fen",
    "study",
    "receipt",
    "setting",
    "to",
    "payer",
    "hold",
];
/// The fields that all events have.
const ALWAYS: usize = 7;

impl Field {
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().position(|known| *known == name).map(Self)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.get(self.0).copied().unwrap_or_default()
    }

    /// A field that all events have and a header has not.
    pub(super) fn missing(header: &[Self]) -> Option<&'static str> {
        let lacks = |place: &usize| !header.contains(&Self(*place));
        (0..ALWAYS).find(lacks).map(|place| Self(place).name())
    }
}

/// A value as the format has it.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(i64),
    Other,
}

/// The fields of one record with their columns, where the format has columns.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    values: [Option<(Value<'a>, Option<usize>)>; NAMES.len()],
}

impl<'a> Fields<'a> {
    /// Keeps a value.
    pub(super) fn put(
        &mut self,
        field: Field,
        value: Value<'a>,
        at: Option<usize>,
    ) -> Result<(), ReadError> {
        match self.values.get_mut(field.0) {
            Some(slot) if slot.is_none() => {
                *slot = Some((value, at));
                Ok(())
            }
            _ => Err(ReadError::of(ReadErrorKind::FieldTwice).in_field(field.name())),
        }
    }

    /// The event they are.
    pub(super) fn event(self) -> Result<Event, ReadError> {
        let [
            institution,
            encounter,
            person,
            kind,
            occurred,
            known,
            source,
            exam,
            modality,
            amount,
            study,
            receipt,
            setting,
            to,
            payer,
            hold,
        ] = self.values;
        let raw = RawEvent {
            institution: need("institution", parsed("institution", institution)?)?,
            encounter: need("encounter", parsed("encounter", encounter)?)?,
            person: need("person", parsed("person", person)?)?,
            kind: need("kind", word("kind", "a kind of event", kind)?)?,
            occurred: need("occurred", parsed("occurred", occurred)?)?,
            known: need("known", parsed("known", known)?)?,
            source: need("source", word("source", SOURCES, source)?)?,
            exam: parsed("exam", exam)?,
            modality: word("modality", "a kind of exam", modality)?,
            amount_fen: fen(amount)?,
            study: parsed("study", study)?,
            receipt: parsed("receipt", receipt)?,
            setting: word("setting", "a kind of care", setting)?,
            to: parsed("to", to)?,
            payer: word("payer", "insured or self_paid", payer)?,
            hold: parsed("hold", hold)?,
        };
        Ok(Event::try_from(raw)?)
    }
}

const SOURCES: &str = "hospital, platform, insurer or vendor";

type Slot<'a> = Option<(Value<'a>, Option<usize>)>;

fn need<T>(field: &'static str, value: Option<T>) -> Result<T, ReadError> {
    value.ok_or_else(|| ReadError::of(ReadErrorKind::MissingField).in_field(field))
}

/// An error of a field, at its column.
fn wrong(field: &'static str, kind: ReadErrorKind, at: Option<usize>) -> ReadError {
    let error = ReadError::of(kind).in_field(field);
    match at {
        Some(at) => error.at(at),
        None => error,
    }
}

fn parsed<T>(field: &'static str, slot: Slot<'_>) -> Result<Option<T>, ReadError>
where
    T: FromStr<Err = TextError>,
{
    match slot {
        None => Ok(None),
        Some((Value::Text(text), at)) => text
            .parse()
            .map(Some)
            .map_err(|error: TextError| wrong(field, ReadErrorKind::Text(error), at)),
        Some((_, at)) => Err(wrong(field, ReadErrorKind::Value { expected: "text" }, at)),
    }
}

fn word<'de, T: Deserialize<'de>>(
    field: &'static str,
    expected: &'static str,
    slot: Slot<'_>,
) -> Result<Option<T>, ReadError> {
    let Some((value, at)) = slot else {
        return Ok(None);
    };
    let found = match value {
        Value::Text(text) => {
            let owned: StringDeserializer<PlainError> = text.into_owned().into_deserializer();
            T::deserialize(owned).ok()
        }
        _ => None,
    };
    found
        .map(Some)
        .ok_or_else(|| wrong(field, ReadErrorKind::Value { expected }, at))
}

fn fen(slot: Slot<'_>) -> Result<Option<Fen>, ReadError> {
    const EXPECTED: &str = "a whole number of fen";
    let Some((value, at)) = slot else {
        return Ok(None);
    };
    let fen = match value {
        Value::Number(fen) => Some(fen),
        Value::Text(text) if at.is_some() => whole(&text),
        _ => None,
    };
    let wrong = || {
        wrong(
            "amount_fen",
            ReadErrorKind::Value { expected: EXPECTED },
            at,
        )
    };
    fen.map(Fen::new).map(Some).ok_or_else(wrong)
}

/// Digits with or without a minus: what a JSON integer may be, and nothing looser.
fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}
