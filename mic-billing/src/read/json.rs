//! Records of JSON: an object's fields, and the objects of an array that may be longer than the
//! memory.

use alloc::{borrow::Cow, vec::Vec};
use core::fmt;
use std::io::{self, BufRead};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::{
    RECORD_BYTES_MAX, ReadError, ReadErrorKind,
    fields::{Field, Fields, Value},
};

/// The fields of one object, each once, each an event's.
pub(super) fn object(record: &[u8]) -> Result<Fields<'_>, ReadError> {
    let text = core::str::from_utf8(record).map_err(|error| {
        let before = record.get(..error.valid_up_to()).unwrap_or_default();
        located(before, before.len(), ReadErrorKind::Utf8)
    })?;
    let mut fault = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let fields = Object { fault: &mut fault }
        .deserialize(&mut reader)
        .and_then(|fields| reader.end().map(|()| fields));
    fields.map_err(|error| {
        let byte = error.column().saturating_sub(1);
        let line = u64::try_from(error.line()).unwrap_or(u64::MAX);
        fault
            .unwrap_or_else(|| ReadError::of(ReadErrorKind::Json))
            .at(byte)
            .on(line)
    })
}

/// A fault at a byte of a record of several lines.
fn located(record: &[u8], at: usize, kind: ReadErrorKind) -> ReadError {
    let before = record.get(..at).unwrap_or(record);
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let begun = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end.saturating_add(1));
    let line = u64::try_from(lines).unwrap_or(u64::MAX).saturating_add(1);
    ReadError::of(kind).at(at.saturating_sub(begun)).on(line)
}

/// Reads an object; what is wrong with a field is kept beside serde's error, which has the place.
struct Object<'f> {
    fault: &'f mut Option<ReadError>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Fields<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key::<Name>()? {
            let Some(field) = name.0 else {
                *self.fault = Some(ReadError::of(ReadErrorKind::UnknownField));
                return Err(A::Error::custom("field"));
            };
            if let Some(value) = map.next_value::<Plain<'de>>()?.0 {
                if let Err(error) = fields.put(field, value, None) {
                    *self.fault = Some(error);
                    return Err(A::Error::custom("field"));
                }
            }
        }
        Ok(fields)
    }
}

/// The name of a field.
struct Name(Option<Field>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(reader)?;
        Ok(Self(Field::named(&name)))
    }
}

/// A value; none for null, which says as much as an absent field.
struct Plain<'a>(Option<Value<'a>>);

impl<'de> Deserialize<'de> for Plain<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a whole number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Plain(Some(Value::Text(Cow::Borrowed(text)))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Plain(Some(Value::Text(Cow::Owned(text.into())))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Plain(Some(Value::Number(number))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        let number = i64::try_from(number).map_or(Value::Other, Value::Number);
        Ok(Plain(Some(number)))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Plain(Some(Value::Other)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Plain(None))
    }
}

/// Where a record begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// Cuts an array into the texts of its elements, without reading what they say.
#[derive(Debug)]
pub(super) struct Splitter {
    here: Place,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Before `[`.
    Before,
    /// After `[`: an element or `]`.
    First,
    /// After a comma: an element.
    Next,
    /// After an element: a comma or `]`.
    After,
    /// After `]`: nothing.
    Closed,
}

impl Splitter {
    pub(super) const fn new() -> Self {
        Self {
            here: Place { line: 1, column: 1 },
            stage: Stage::Before,
        }
    }

    fn fault(&self, kind: ReadErrorKind) -> ReadError {
        ReadError::of(kind).on(1).within(self.here)
    }

    /// The next element; none at the end of the file.
    pub(super) fn next(
        &mut self,
        source: &mut impl BufRead,
        record: &mut Vec<u8>,
    ) -> Result<Option<Place>, ReadError> {
        record.clear();
        loop {
            let Some(byte) = self.peek(source)? else {
                return if self.stage == Stage::Closed {
                    Ok(None)
                } else {
                    Err(self.fault(ReadErrorKind::NotAnArray))
                };
            };
            self.stage = match (self.stage, byte) {
                (stage, b' ' | b'\t' | b'\r' | b'\n') => stage,
                (Stage::Before, b'[') => Stage::First,
                // A byte order mark, which is not part of the text.
                (Stage::Before, 0xef | 0xbb | 0xbf) if self.here.line == 1 => Stage::Before,
                (Stage::First | Stage::After, b']') => Stage::Closed,
                (Stage::After, b',') => Stage::Next,
                (Stage::First | Stage::Next, b'{') => {
                    let place = self.here;
                    self.stage = Stage::After;
                    return self.element(source, record).map(|()| Some(place));
                }
                // Something else than an object: passed over, so that the records after it are read.
                (Stage::First | Stage::Next, other) if other != b']' && other != b',' => {
                    let fault = self.fault(ReadErrorKind::Json);
                    self.stage = Stage::After;
                    self.pass_over(source, record)?;
                    return Err(fault);
                }
                _ => return Err(self.fault(ReadErrorKind::NotAnArray)),
            };
            self.step(source, byte);
        }
    }

    /// Passes over an element that is no object: an array, a text, or a word to its comma.
    fn pass_over(
        &mut self,
        source: &mut impl BufRead,
        record: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        if self.peek(source)? == Some(b'[') {
            let taken = self.element(source, record);
            return taken.or_else(|error| if error.is_last() { Err(error) } else { Ok(()) });
        }
        let (mut quoted, mut escaped) = (false, false);
        while let Some(byte) = self.peek(source)? {
            if !quoted && matches!(byte, b',' | b']') {
                break;
            }
            if byte == b'"' && !escaped {
                quoted = !quoted;
            }
            escaped = quoted && !escaped && byte == b'\\';
            self.step(source, byte);
        }
        Ok(())
    }

    /// Takes an object to its closing brace.
    fn element(
        &mut self,
        source: &mut impl BufRead,
        record: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let (mut depth, mut quoted, mut escaped) = (0_u64, false, false);
        let begun = self.here;
        loop {
            let Some(byte) = self.peek(source)? else {
                return Err(self.fault(ReadErrorKind::NotAnArray));
            };
            // What is too long is passed over to its end, so that reading can go on.
            let too_long = record.len() >= RECORD_BYTES_MAX;
            if !too_long {
                record.push(byte);
            }
            self.step(source, byte);
            if quoted {
                quoted = escaped || byte != b'"';
                escaped = !escaped && byte == b'\\';
                continue;
            }
            match byte {
                b'"' => quoted = true,
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                let max = RECORD_BYTES_MAX;
                let kind = ReadErrorKind::TooLong { max };
                return if too_long {
                    Err(ReadError::of(kind).on(1).within(begun))
                } else {
                    Ok(())
                };
            }
        }
    }

    fn peek(&self, source: &mut impl BufRead) -> Result<Option<u8>, ReadError> {
        loop {
            match source.fill_buf() {
                Ok(chunk) => return Ok(chunk.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::io(self.here.line, &error)),
            }
        }
    }

    fn step(&mut self, source: &mut impl BufRead, byte: u8) {
        source.consume(1);
        if byte == b'\n' {
            self.here.line = self.here.line.saturating_add(1);
            self.here.column = 1;
        } else {
            self.here.column = self.here.column.saturating_add(1);
        }
    }
}
