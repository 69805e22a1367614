//! Exchange forms (feature `serde`).
//!
//! | type | formats for people (JSON, TOML) | binary formats (CBOR, bincode) |
//! |---|---|---|
//! | [`IndexCode`] | printed text, 82 characters; reads the compact form and 40 packed bytes as well | the 40 packed bytes |
//! | the parts, UIDs, institution codes, moments, texts of exam items | their text | their text |
//! | [`ExamType`](crate::ExamType) | the number, 1 to 5 | the number |
//! | [`RecordKey`](crate::RecordKey), [`ExamRecord`](crate::ExamRecord) | a map of their fields; the exam item and the times beside the code only where there are any | a map of all fields |
//!
//! Binary formats may be read through `#[serde(flatten)]`, untagged and internally tagged types: serde holds values
//! back there and says that they are for people, which is why bytes are read in both columns.
//!
//! Everything is checked on the way in, and no error repeats what was read (`IDX-28`). Formats would: given
//! something else than they expect, they print it, and that may be a name or a person code. An error of a
//! format that repeats a value is replaced; what tells kinds and names of fields stays.

mod ledger;
mod record;

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::code::IndexCode;
use crate::device::DeviceCode;
use crate::division::Division;
use crate::exam_item::{ItemCode, ItemName};
use crate::institution::{InstitutionCode, InstitutionField};
use crate::ledger::ReasonCode;
use crate::moment::Moment;
use crate::packed::PACKED_LEN;
use crate::person::PersonCode;
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;
use crate::time::ExamTime;
use crate::unit::StorageUnitCode;

impl Serialize for IndexCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.printed().as_str())
        } else {
            serializer.serialize_bytes(self.packed())
        }
    }
}

impl<'de> Deserialize<'de> for IndexCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            discreet(
                deserializer.deserialize_str(FromTextOrPacked),
                format_args!("expected {CODE_AS_TEXT}, found another value"),
            )
        } else {
            deserializer.deserialize_bytes(FromPacked)
        }
    }
}

const CODE_AS_TEXT: &str = "an index code as text";

macro_rules! part_as_text {
    ($($part:ty => $expecting:literal,)*) => {$(
        impl Serialize for $part {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $part {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                from_text(deserializer, $expecting)
            }
        }
    )*};
}

part_as_text! {
    PersonCode => "a person management code as text",
    ExamTime => "an exam time as twelve digits of text",
    SiteCode => "an exam-site code as text",
    DeviceCode => "a device code as text",
    StorageUnitCode => "a storage unit code as text",
    StudyInstanceUid => "a study instance uid as text",
    InstitutionCode => "an institution code as text",
    InstitutionField => "an institution field as text",
    ReasonCode => "a reason as text",
    Moment => "a time as text",
    ItemCode => "an item code as text",
    ItemName => "an item name as text",
    Division => "a division as six digits of text",
}

fn from_text<'de, D, T>(deserializer: D, expecting: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let visitor = FromText {
        expecting,
        value: PhantomData,
    };
    discreet(
        deserializer.deserialize_str(visitor),
        format_args!("expected {expecting}, found another value"),
    )
}

/// The result, with another message in place of one that may repeat a value.
pub(crate) fn discreet<T, E: de::Error>(
    result: Result<T, E>,
    instead: fmt::Arguments<'_>,
) -> Result<T, E> {
    result.map_err(|error| {
        if repeats_a_value(&alloc::format!("{error}")) {
            E::custom(instead)
        } else {
            error
        }
    })
}

fn refuse<E: de::Error>(expecting: &str) -> E {
    E::custom(format_args!("expected {expecting}, found a number"))
}

/// Whether a message of a format may hold what was read.
///
/// serde puts what it found between quotation marks or backticks. Own messages have neither; of names
/// between backticks only plain ones pass, which are those of fields.
fn repeats_a_value(message: &str) -> bool {
    // The way of ciborium: its errors show as they debug.
    let inner = message
        .strip_prefix("Semantic(None, \"")
        .and_then(|rest| rest.strip_suffix("\")"))
        .unwrap_or(message);
    let mut pieces = inner.split('`');
    // The first piece and every second one after it stand outside.
    let mut inside = false;
    let quoted = pieces.all(|piece| {
        let fine = !inside || is_plain_name(piece);
        inside = !inside;
        fine
    });
    let longest = inner.split(|c: char| !c.is_ascii_digit()).map(str::len);
    !quoted
        // An even number of backticks leaves the last piece outside.
        || !inside
        || !inner.is_ascii()
        || inner.contains('"')
        || inner.starts_with("unknown variant")
        || longest.max() >= Some(DIGITS_REPEATED)
}

/// The name of a field, or a mark of a format's syntax.
fn is_plain_name(piece: &str) -> bool {
    let name = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let mark = piece.len() == 1 && piece.bytes().all(|byte| byte.is_ascii_punctuation());
    mark || (piece.len() <= FIELD_NAME_MAX && piece.bytes().all(name))
}

/// Letters of a field's name at most; the longest of this crate has 18.
const FIELD_NAME_MAX: usize = 40;

/// Digits in a row that only a value has; lines and columns of any file are shorter.
const DIGITS_REPEATED: usize = 10;

/// Reads text and nothing else; a number is refused without being repeated.
struct FromText<T> {
    expecting: &'static str,
    value: PhantomData<T>,
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for FromText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<T, E> {
        Err(refuse(self.expecting))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<T, E> {
        Err(refuse(self.expecting))
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<T, E> {
        Err(refuse(self.expecting))
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<T, E> {
        Err(refuse(self.expecting))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<T, E> {
        Err(refuse(self.expecting))
    }

    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<T, E> {
        Err(E::custom(format_args!(
            "expected {}, found bytes",
            self.expecting
        )))
    }
}

/// Reads a code from text, or from the packed bytes that a binary format wrote and serde held back.
struct FromTextOrPacked;

impl<'de> Visitor<'de> for FromTextOrPacked {
    type Value = IndexCode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CODE_AS_TEXT)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<IndexCode, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<IndexCode, E> {
        FromPacked.visit_bytes(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<IndexCode, A::Error> {
        FromPacked.visit_seq(seq)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<IndexCode, E> {
        Err(refuse(CODE_AS_TEXT))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<IndexCode, E> {
        Err(refuse(CODE_AS_TEXT))
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<IndexCode, E> {
        Err(refuse(CODE_AS_TEXT))
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<IndexCode, E> {
        Err(refuse(CODE_AS_TEXT))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<IndexCode, E> {
        Err(refuse(CODE_AS_TEXT))
    }
}

/// Reads the packed form from bytes or a sequence of bytes.
struct FromPacked;

impl<'de> Visitor<'de> for FromPacked {
    type Value = IndexCode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a packed index code of 40 bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<IndexCode, E> {
        IndexCode::try_from_slice(bytes).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<IndexCode, E> {
        Err(E::custom(
            "expected a packed index code of 40 bytes, found text",
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<IndexCode, A::Error> {
        let mut bytes = [0; PACKED_LEN];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = seq
                .next_element()?
                .ok_or_else(|| de::Error::invalid_length(at, &self))?;
        }
        match seq.next_element::<u8>()? {
            None => IndexCode::from_packed(bytes).map_err(de::Error::custom),
            Some(_) => Err(de::Error::invalid_length(PACKED_LEN + 1, &self)),
        }
    }
}
