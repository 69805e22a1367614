//! The 78-character national index code of China's medical-insurance imaging cloud (医保影像云索引).

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "std")]
extern crate std;

mod alphabet;
mod calendar;
mod code;
mod device;
mod error;
pub mod grammar;
mod layout;
mod packed;
mod parser;
mod part;
mod person;
#[cfg(feature = "serde")]
mod serde;
mod site;
mod text;
mod time;
mod unit;

pub use alphabet::{CharClass, FoundClass};
pub use calendar::{MINUTES, YEAR_FIRST, YEAR_LAST};
pub use code::IndexCode;
pub use device::DeviceCode;
pub use error::{PackedError, PackedErrorKind, ParseError, ParseErrorKind};
pub use packed::PACKED_LEN;
pub use parser::Parser;
pub use part::{
    COMPACT_LEN, DEVICE_LEN, EXAM_TIME_LEN, HYPHENS, PERSON_LEN, PRINTED_LEN, Part, SITE_LEN,
    UNIT_LEN,
};
pub use person::PersonCode;
pub use site::SiteCode;
pub use text::Text;
pub use time::{BEIJING_OFFSET_S, ExamTime, TimeFault, TimeField};
pub use unit::{CheckPolicy, StorageUnitCode, UnitCheck};
