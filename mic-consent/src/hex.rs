//! Lower-case hexadecimal, for ids on screens and keys in records.

#[cfg(feature = "serde")]
use alloc::{string::String, vec::Vec};
use core::fmt;

pub(crate) fn write(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

#[cfg(feature = "serde")]
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| alloc::format!("{byte:02x}"))
        .collect()
}

#[cfg(feature = "serde")]
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let lower = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    if text.len() % 2 != 0 || !text.as_bytes().iter().all(lower) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}
