//! The 78-character national index code of China's medical-insurance imaging cloud (医保影像云索引).

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod alphabet;
mod calendar;
mod code;
mod device;
mod diagnose;
pub mod dicom;
mod error;
mod exam_type;
mod fast;
pub mod grammar;
mod layout;
mod normalise;
mod packed;
mod parser;
mod part;
mod person;
mod picture;
mod repair;
#[cfg(feature = "serde")]
mod serde;
mod site;
mod study_uid;
mod text;
mod time;
mod unit;

pub use alphabet::{CharClass, FoundClass};
pub use calendar::{MINUTES, YEAR_FIRST, YEAR_LAST};
pub use code::IndexCode;
pub use device::DeviceCode;
pub use diagnose::{Diagnosis, FAULTS_MAX, Fault, diagnose};
pub use error::{PackedError, PackedErrorKind, ParseError, ParseErrorKind};
pub use exam_type::{ExamType, ExamTypeError};
pub use normalise::{Change, ChangeKind, normalise};
pub use packed::PACKED_LEN;
pub use parser::Parser;
pub use part::{
    COMPACT_LEN, DEVICE_LEN, EXAM_TIME_LEN, HYPHENS, PERSON_LEN, PRINTED_LEN, Part, SITE_LEN,
    UNIT_LEN,
};
pub use person::PersonCode;
pub use picture::Picture;
pub use repair::{Confidence, Proposal};
pub use site::SiteCode;
pub use study_uid::{STUDY_UID_LEN_MAX, StudyInstanceUid, StudyUidError};
pub use text::Text;
pub use time::{BEIJING_OFFSET_S, ExamTime, TimeFault, TimeField};
pub use unit::{CheckPolicy, StorageUnitCode, UnitCheck};
