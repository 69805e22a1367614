//! The values of fields: how they are read, when they are empty, how they are written.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use nom::Parser;
use nom::bytes::complete::tag;
use nom::character::complete::digit1;
use nom::combinator::{all_consuming, opt};
use nom::error::Error;
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::error::FieldFaultKind;
use super::fields::{Faults, text_or_number};
use super::time::{WireDate, WireTime};
use super::url::PageUrl;
use crate::division::Division;
use crate::exam_types::ExamTypes;
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;

/// A value on the wire.
pub(crate) trait WireValue: Sized {
    /// The value of a field that is not there; `None` if it has to be.
    fn absent() -> Option<Self>;

    /// Whether this is the same as nothing.
    fn is_empty(&self) -> bool;

    /// Reads JSON; `None` if it is wrong, which is told.
    fn read(json: &str, name: &str, faults: &mut Faults) -> Option<Self>;

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// Serialises a value the way of the wire.
pub(super) struct Wire<'a, T>(pub(super) &'a T);

impl<T: WireValue> Serialize for Wire<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

fn expected<T>(what: &'static str, name: &str, faults: &mut Faults) -> Option<T> {
    faults.add(name, FieldFaultKind::Expected(what));
    None
}

impl WireValue for String {
    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn is_empty(&self) -> bool {
        self.trim().is_empty()
    }

    fn read(json: &str, name: &str, faults: &mut Faults) -> Option<Self> {
        text_or_number(json).or_else(|| expected("text", name, faults))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// Values that are empty or text of one form: (type, name of the form, the empty value).
macro_rules! text_values {
    ($($kind:ty: $what:literal, $absent:expr, $is_empty:expr, $parse:expr, $text:expr;)*) => {$(
        impl WireValue for $kind {
            fn absent() -> Option<Self> {
                $absent
            }

            fn is_empty(&self) -> bool {
                $is_empty(self)
            }

            fn read(json: &str, name: &str, faults: &mut Faults) -> Option<Self> {
                let Some(text) = text_or_number(json) else {
                    return expected($what, name, faults);
                };
                let parsed = if text.is_empty() { Self::absent() } else { $parse(&text) };
                match parsed {
                    None if text.is_empty() => {
                        faults.add(name, FieldFaultKind::Missing);
                        None
                    }
                    None => expected($what, name, faults),
                    parsed => parsed,
                }
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$text(self))
            }
        }
    )*};
}

fn some<T: FromStr>(text: &str) -> Option<Option<T>> {
    text.parse().ok().map(Some)
}

fn or_nothing<T: fmt::Display>(value: &Option<T>) -> String {
    value.as_ref().map(T::to_string).unwrap_or_default()
}

/// What joins several values in one field.
const BAR: char = '|';

/// Digits alone, no sign.
fn count(text: &str) -> Option<u32> {
    let mut digits = all_consuming(digit1::<&str, Error<&str>>);
    let (_, digits) = digits.parse(text).ok()?;
    digits.parse().ok()
}

fn parts(text: &str) -> Option<Vec<SiteCode>> {
    text.split(BAR).map(|part| part.parse().ok()).collect()
}

fn joined(parts: &Vec<SiteCode>) -> String {
    let mut text = String::new();
    for part in parts {
        if !text.is_empty() {
            text.push(BAR);
        }
        text.push_str(part.text().as_str());
    }
    text
}

text_values! {
    u32: "a whole number", Some(0), |_| false, count, Self::to_string;
    Number: "a number", Some(Number::zero()), |_| false, |text: &str| text.parse().ok(), Number::to_string;
    StudyInstanceUid: "a study instance uid", None, |_| false, |text: &str| text.parse().ok(), Self::to_string;
    Option<WireTime>: "a time as yyyy-MM-dd HH:mm:ss", Some(None), Option::is_none, some, or_nothing;
    Option<WireDate>: "a date as yyyy-MM-dd", Some(None), Option::is_none, some, or_nothing;
    Option<Division>: "six digits of a division", Some(None), Option::is_none, some, or_nothing;
    Option<PageUrl>: "an address beginning with http:// or https://", Some(None), Option::is_none, some, or_nothing;
    ExamTypes: "exam types from 1 to 5 joined by bars", Some(Self::NONE), |types: &Self| (*types).is_empty(),
        |text: &str| text.parse().ok(), Self::to_string;
    Vec<SiteCode>: "exam-site codes joined by bars", Some(Self::new()), Self::is_empty, parts, joined;
}

/// Lists of nodes. `null` and a missing list are the empty one.
pub(super) fn read_list<T: WireValue>(
    json: &str,
    name: &str,
    faults: &mut Faults,
) -> Option<Vec<T>> {
    let Ok(nodes) = serde_json::from_str::<Vec<&RawValue>>(json) else {
        return expected("a list of nodes", name, faults);
    };
    let mut read = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.into_iter().enumerate() {
        // All of them, so that every fault is told.
        read.push(T::read(node.get(), &alloc::format!("{name}[{at}]"), faults));
    }
    read.into_iter().collect()
}

/// A decimal number as text, as it was written; `0` for nothing.
///
/// No arithmetic is done here and no digit is lost: `12.50` stays `12.50`.
///
/// ```
/// use mic_index::messages::Number;
///
/// let charge: Number = "12.50".parse()?;
/// assert_eq!(charge.as_str(), "12.50");
/// assert!("12,5".parse::<Number>().is_err());
/// # Ok::<(), mic_index::messages::NumberError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number {
    text: String,
}

impl Number {
    fn zero() -> Self {
        Self {
            text: String::from("0"),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let fraction = opt((tag("."), digit1));
        let mut grammar = all_consuming((opt(tag("-")), digit1::<&str, Error<&str>>, fraction));
        match grammar.parse(text) {
            Ok(_) => Ok(Self {
                text: String::from(text),
            }),
            Err(_) => Err(NumberError),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Number(..)")
    }
}

/// A text that is no decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("expected digits, with a point and more digits at most")]
#[non_exhaustive]
pub struct NumberError;
