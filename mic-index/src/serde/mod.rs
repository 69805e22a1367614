//! Exchange forms (feature `serde`).
//!
//! | type | formats for people (JSON, TOML) | binary formats (CBOR, bincode) |
//! |---|---|---|
//! | [`IndexCode`] | printed text, 82 characters; reads the compact form as well | the 40 packed bytes |
//! | the parts, UIDs, institution codes | their text | their text |
//! | [`ExamType`](crate::ExamType) | the number, 1 to 5 | the number |
//! | [`RecordKey`](crate::RecordKey), [`ExamRecord`](crate::ExamRecord) | a map of their fields | the same |
//!
//! Everything is checked on the way in, and no error repeats what was read. Formats would: given a
//! number where text is expected, they print it, and a person code without its quotation marks is
//! such a number.

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
use crate::institution::{InstitutionCode, InstitutionField};
use crate::ledger::ReasonCode;
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
            from_text(deserializer, "an index code as text")
        } else {
            deserializer.deserialize_bytes(FromPacked)
        }
    }
}

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
        format_args!("expected {expecting}, found a number"),
    )
}

/// The result, with another message in place of one that may repeat a code.
pub(crate) fn discreet<T, E: de::Error>(
    result: Result<T, E>,
    instead: fmt::Arguments<'_>,
) -> Result<T, E> {
    result.map_err(|error| {
        if repeats_a_number(&error) {
            E::custom(instead)
        } else {
            error
        }
    })
}

fn refuse<E: de::Error>(expecting: &str) -> E {
    E::custom(format_args!("expected {expecting}, found a number"))
}

/// Whether a message holds a run of digits that may be the beginning of a code.
fn repeats_a_number(message: &impl fmt::Display) -> bool {
    struct Longest {
        run: usize,
        longest: usize,
    }

    impl fmt::Write for Longest {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for byte in text.bytes() {
                self.run = if byte.is_ascii_digit() {
                    self.run + 1
                } else {
                    0
                };
                self.longest = self.longest.max(self.run);
            }
            Ok(())
        }
    }

    let mut seen = Longest { run: 0, longest: 0 };
    // Writing into a counter does not fail; a message that fails to print is not kept.
    fmt::write(&mut seen, format_args!("{message}")).is_err() || seen.longest >= DIGITS_REPEATED
}

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
