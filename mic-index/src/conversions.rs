//! Conversions that every type of text has, written once.

use alloc::string::{String, ToString};

use crate::code::IndexCode;
use crate::device::DeviceCode;
use crate::error::{PackedError, ParseError};
use crate::institution::{InstitutionCode, InstitutionCodeError};
use crate::moment::{Moment, MomentError};
use crate::packed::PACKED_LEN;
use crate::person::PersonCode;
use crate::site::SiteCode;
use crate::study_uid::{StudyInstanceUid, StudyUidError};
use crate::time::ExamTime;
use crate::unit::StorageUnitCode;

macro_rules! texts {
    ($($type:ty => $error:ty,)*) => {$(
        impl TryFrom<&str> for $type {
            type Error = $error;

            fn try_from(text: &str) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            /// The text, which may be personal data: see the type.
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    )*};
}

texts! {
    IndexCode => ParseError,
    PersonCode => ParseError,
    ExamTime => ParseError,
    SiteCode => ParseError,
    DeviceCode => ParseError,
    StorageUnitCode => ParseError,
    StudyInstanceUid => StudyUidError,
    InstitutionCode => InstitutionCodeError,
    Moment => MomentError,
}

/// The five parts in the order of the text.
type Parts = (PersonCode, ExamTime, SiteCode, DeviceCode, StorageUnitCode);

impl From<Parts> for IndexCode {
    fn from((person, time, site, device, unit): Parts) -> Self {
        Self::new(person, time, site, device, unit)
    }
}

impl From<IndexCode> for Parts {
    fn from(code: IndexCode) -> Self {
        (
            code.person(),
            code.exam_time(),
            code.site(),
            code.device(),
            code.unit(),
        )
    }
}

impl TryFrom<[u8; PACKED_LEN]> for IndexCode {
    type Error = PackedError;

    fn try_from(bytes: [u8; PACKED_LEN]) -> Result<Self, PackedError> {
        Self::from_packed(bytes)
    }
}

impl From<IndexCode> for [u8; PACKED_LEN] {
    fn from(code: IndexCode) -> Self {
        *code.packed()
    }
}

// Not `AsRef<[u8]>` as well: readers of text take that, and would look at packed bytes as text.
impl AsRef<[u8; PACKED_LEN]> for IndexCode {
    /// The packed form.
    fn as_ref(&self) -> &[u8; PACKED_LEN] {
        self.packed()
    }
}

impl AsRef<str> for InstitutionCode {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
