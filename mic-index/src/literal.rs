//! Parts from literals: each is set into a code whose other parts are legal, and read with it.
//!
//! So the parts have no third reader of their own that could disagree (`IDX-27`).

use crate::device::DeviceCode;
use crate::fast;
use crate::packed::Fields;
use crate::part::{COMPACT_LEN, Part};
use crate::person::PersonCode;
use crate::site::SiteCode;
use crate::time::ExamTime;
use crate::unit::StorageUnitCode;

const LEGAL: &[u8; COMPACT_LEN] =
    b"000000000000000000000000011900010100000000000000000000000000000000000000000001";

/// The fields of a code with this text as one of its parts.
#[inline(never)]
const fn read(part: Part, text: &[u8]) -> Option<Fields> {
    if text.len() != part.len() {
        return None;
    }
    let mut code = *LEGAL;
    let start = part.compact_range().start;
    let mut at = 0;
    while at < text.len() {
        code[start + at] = text[at];
        at += 1;
    }
    fast::read(&code)
}

macro_rules! from_literals {
    ($($type:ty, $part:ident, $literal:literal, |$fields:ident| $value:expr;)*) => {$(
        impl $type {
            /// Reads the part without finding out what is wrong with it, at compile time as well.
            ///
            /// ```
            #[doc = concat!("use mic_index::", stringify!($type), ";")]
            ///
            #[doc = concat!("const PART: ", stringify!($type), " = match ", stringify!($type),
                "::try_parse(b", stringify!($literal), ") {")]
            ///     Some(part) => part,
            ///     None => panic!("checked when the program is compiled"),
            /// };
            #[doc = concat!("assert_eq!(PART.to_string(), ", stringify!($literal), ");")]
            /// ```
            #[must_use]
            pub const fn try_parse(text: &[u8]) -> Option<Self> {
                match read(Part::$part, text) {
                    Some($fields) => $value,
                    None => None,
                }
            }
        }
    )*};
}

from_literals! {
    PersonCode, Person, "10000000000000000708463177",
        |fields| Some(Self::from_halves(fields.person_hi, fields.person_lo));
    ExamTime, ExamTime, "202411221430", |fields| Self::from_minutes(fields.minutes as u32);
    SiteCode, Site, "B020ZYZZZ", |fields| Some(Self::from_value(fields.site));
    DeviceCode, Device, "C350200000123",
        |fields| Some(Self::from_halves(fields.device_hi, fields.device_lo));
    StorageUnitCode, Unit, "123502004266007916",
        |fields| Some(Self::from_halves(fields.unit_hi, fields.unit_lo));
}
