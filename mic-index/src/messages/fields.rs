//! A JSON object as its fields, every value as the text it came in.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, mem};

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::Serialize;
use serde_json::value::RawValue;

use super::error::{FieldFault, FieldFaultKind, MESSAGE_LEN_MAX, MessageError};
use super::value::WireValue;

/// The faults of one message, and the node they are found in.
pub(crate) struct Faults {
    found: Vec<FieldFault>,
    /// Empty, or a path with a dot behind it.
    node: String,
}

impl Faults {
    pub(super) const fn new() -> Self {
        Self {
            found: Vec::new(),
            node: String::new(),
        }
    }

    pub(super) fn add(&mut self, field: &str, kind: FieldFaultKind) {
        let path = format!("{}{field}", self.node);
        self.found.push(FieldFault::new(path, kind));
    }

    /// What happens inside of a node.
    pub(super) fn within<T>(&mut self, node: &str, inside: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.node.len();
        self.node.push_str(node);
        self.node.push('.');
        let result = inside(self);
        self.node.truncate(outer);
        result
    }

    /// The value, unless there is a fault.
    pub(super) fn or<T>(&mut self, value: Option<T>) -> Result<T, MessageError> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(MessageError::Fields(mem::take(&mut self.found))),
        }
    }
}

/// Whether a field has to have a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
    /// There and text, which may be empty: nothing has to be said, not left out.
    Told,
}

/// What is expected of a field that is [`Need::Told`].
const TOLD: &str = "text, empty if there is nothing";

/// The fields of an object in the order they came.
pub(crate) struct RawFields {
    fields: Vec<(String, Box<RawValue>)>,
}

impl RawFields {
    /// The value of a field; `None` if it is wrong, which is told.
    pub(super) fn take<T: WireValue>(
        &mut self,
        name: &'static str,
        need: Need,
        faults: &mut Faults,
    ) -> Option<T> {
        let mut raw = None;
        let mut twice = false;
        self.fields.retain_mut(|(found, value)| {
            let this = found == name;
            if this {
                twice |= raw.is_some();
                raw.get_or_insert_with(|| value.clone());
            }
            !this
        });
        if twice {
            faults.add(name, FieldFaultKind::Twice);
            return None;
        }
        let json = raw.as_deref().map(RawValue::get);
        if need == Need::Told && !json.is_some_and(|json| json.starts_with('"')) {
            faults.add(name, FieldFaultKind::Expected(TOLD));
            return None;
        }
        let value = match json {
            None | Some("null") => T::absent(),
            Some(json) => Some(T::read(json, name, faults)?),
        };
        given(value, name, need, faults)
    }

    /// The JSON of the only field, if it has this name.
    pub(super) fn only(&self, name: &str) -> Option<&str> {
        match self.fields.as_slice() {
            [(found, value)] if found == name => Some(value.get()),
            _ => None,
        }
    }

    /// What nobody asked for. Names of such fields are not repeated in faults: they are anybody's.
    pub(super) fn rest(&mut self, faults: &mut Faults) -> UnknownFields {
        let fields = mem::take(&mut self.fields);
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            faults.add("an unknown field", FieldFaultKind::Twice);
        }
        UnknownFields { fields }
    }
}

/// The value of a field that nobody set.
pub(super) fn unset<T: WireValue>(need: Need) -> Option<T> {
    match need {
        Need::Told => None,
        Need::Required | Need::Optional => T::absent(),
    }
}

/// The value, unless it is needed and there is none.
pub(super) fn given<T: WireValue>(
    value: Option<T>,
    name: &'static str,
    need: Need,
    faults: &mut Faults,
) -> Option<T> {
    let missing = match &value {
        None => true,
        Some(value) => need == Need::Required && value.is_empty(),
    };
    if missing {
        faults.add(name, FieldFaultKind::Missing);
        return None;
    }
    value
}

impl<'de> Deserialize<'de> for RawFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What stands there instead of an object is not to be repeated.
        let fields = deserializer.deserialize_map(Object);
        fields.map_err(|_| de::Error::custom("expected a json object"))
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = RawFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a json object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawFields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(RawFields { fields })
    }
}

/// Whether the platform takes a text with so many characters around it (`IDX-116`).
pub(super) fn fits(json: &str, around: usize) -> Result<(), MessageError> {
    let found = json.chars().count() + around;
    if found > MESSAGE_LEN_MAX {
        return Err(MessageError::TooLong { found });
    }
    Ok(())
}

/// The same of what is going to be written.
pub(super) fn fits_written<T: Serialize>(message: &T, around: usize) -> Result<(), MessageError> {
    // What cannot be written is told where it is written.
    serde_json::to_string(message).map_or(Ok(()), |json| fits(&json, around))
}

/// The fields of a text.
pub(super) fn parse(json: &str) -> Result<RawFields, MessageError> {
    fits(json, 0)?;
    let mut reader = serde_json::Deserializer::from_str(json);
    let fields = reader.deserialize_map(Object);
    // The error's own words may repeat a value; its place does not.
    fields
        .and_then(|fields| reader.end().map(|()| fields))
        .map_err(|error| MessageError::Syntax {
            line: error.line(),
            column: error.column(),
        })
}

/// Fields of a message that this crate does not know, word for word, in the order they came.
///
/// ```
/// use mic_index::messages::CancelBooking;
///
/// let json = r#"{"ordrRgstSn":"A1","exp":{"reason":1.50}}"#;
/// let cancel = CancelBooking::from_json(json)?;
/// let unknown: Vec<(&str, &str)> = cancel.unknown().iter().collect();
/// assert_eq!(unknown, [("exp", r#"{"reason":1.50}"#)]);
/// assert_eq!(serde_json::to_string(&cancel)?, json);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct UnknownFields {
    fields: Vec<(String, Box<RawValue>)>,
}

impl UnknownFields {
    /// Name and JSON text of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.get()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(super) fn raw(&self) -> &[(String, Box<RawValue>)] {
        &self.fields
    }
}

impl PartialEq for UnknownFields {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for UnknownFields {}

impl fmt::Debug for UnknownFields {
    /// Only how many there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnknownFields({})", self.fields.len())
    }
}

/// JSON text or a JSON number as text: provinces send both for one field.
pub(super) fn text_or_number(json: &str) -> Option<String> {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).ok(),
        Some(b'-' | b'0'..=b'9') => Some(json.to_owned()),
        _ => None,
    }
}
