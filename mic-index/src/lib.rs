//! Reads, packs and explains the 78-character index code of China's medical-insurance imaging cloud
//! (医保影像云索引).
//!
//! It does not look anything up: who a person code belongs to, which hospital made an exam (the code
//! names the unit that *stores* the images), or which StudyInstanceUID a code stands for.
//!
//! ```
//! use mic_index::{ExamRecord, ExamType, IndexCode, RecordOutcome, UnitCheck, diagnose};
//!
//! let text = "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";
//! let code: IndexCode = text.parse()?;
//! assert_eq!(code.exam_time().to_chrono().to_rfc3339(), "2024-11-22T14:30:00+08:00");
//! assert_eq!(code.unit().check(), UnitCheck::Match);
//! assert_eq!(IndexCode::from_packed(*code.packed())?, code);
//!
//! // Two faults, both told, and what the first may have been meant to be.
//! let diagnosis = diagnose(text.replacen("1000", "1OOO", 1).replace("1122", "1131"));
//! assert_eq!(diagnosis.faults().len(), 4); // three letters O and a day too late
//! assert_eq!(diagnosis.faults()[0].proposals()[0].to(), Some('0'));
//!
//! // The code alone is not unique. A record's key has the StudyInstanceUID beside it.
//! let record = ExamRecord::builder()
//!     .code(code)
//!     .study_instance_uid("1.2.840.1.2.3".parse()?)
//!     .institution("H35020300001".parse()?)
//!     .exam_type(ExamType::Ct)
//!     .counts(1, 28)
//!     .build()?;
//! assert!(matches!(record, RecordOutcome::Record(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The types to know
//!
//! - [`IndexCode`]: forty bytes, always well formed; its parts are [`PersonCode`], [`ExamTime`],
//!   [`SiteCode`], [`DeviceCode`] and [`StorageUnitCode`].
//! - [`ParseError`]: the first fault of a text; [`diagnose`] lists all of them, [`normalise`] undoes what
//!   input methods do and says so.
//! - [`ExamRecord`] and [`RecordKey`]: the code with what it cannot say.
//! - [`ledger`]: what became of each record that has to be uploaded.
//! - [`gaps`]: exams, index and images side by side.
//! - `messages` (feature): transactions 4501 and 4801 to 4804.
//! - [`repeat`]: earlier exams a new one may repeat.
//! - [`dicom::ExamDraft`]: what a DICOM header contributes to a record, and what it lacks.
//!
//! # The contract
//!
//! - Strict readers accept the printed (82) and the compact (78) form and nothing else. [`grammar`] is the
//!   reference, [`IndexCode::parse`] its equal and faster, [`IndexCode::try_parse`] the same in `const`.
//! - Byte order of [`IndexCode::packed`] = order of the text = order of (person, time, site, device, unit).
//! - Years 1900 to 2154; times are Beijing time, truncated to the minute.
//! - A check character that does not fit is a finding ([`StorageUnitCode::check`]), and an error only
//!   under [`CheckPolicy::Require`].
//! - No error and no `Debug` carries a person code, a whole index code, or anything else of the input but
//!   single characters in repair proposals. `Display` of codes does: keep it out of logs and URLs.
//! - No clock, no randomness, no input or output, no unsafe code, no panic on any input.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `std` | yes | `std` in the dependencies; without it `no_std` with `alloc` (reading and packing allocate nothing) |
//! | `dicom` | yes | over the types of dicom-core, `ExamDraft::from_elements` and the way back, `CodeBlock`; implies `std` |
//! | `serde` | | text for formats for people, forty bytes for binary ones |
//! | `technique` | | `technique`: the table of exam techniques, by code and by name |
//! | `messages` | | `messages`: transactions 4501 and 4801–4804; implies `serde` |
//! | `fhir` | | `fhir`: records as FHIR `ImagingStudy` (R4, R5) and back; implies `serde` |
//! | `schemars` | | JSON Schema of the code, its parts and records; implies `serde` |
//! | `arbitrary` | | legal codes, parts and records from a fuzzer's bytes; implies `std` |
//! | `rusqlite` | | columns of SQLite: codes as BLOB of forty bytes, the rest as TEXT; implies `std`, MSRV 1.89 |
//! | `proptest` | | `strategy`: legal codes, and texts with one known fault; implies `std` |
//! | `bulk` | | [`bulk`]: lines, CSV and NDJSON of any size; duplicates and collisions; implies `std`, `serde` |
//! | `gzip`, `zstd` | | bulk files that are compressed |
//!
//! MSRV 1.85. The specification is `spec/index-code.md` with its ABNF, the test cases for all languages are
//! in `vectors/`, the reasons for what is odd in `DESIGN.md`.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod alphabet;
#[cfg(feature = "arbitrary")]
mod arbitrary;
#[cfg(feature = "bulk")]
pub mod bulk;
mod calendar;
mod code;
mod conversions;
mod department;
mod device;
mod diagnose;
pub mod dicom;
mod division;
mod error;
mod exam_item;
mod exam_type;
mod exam_types;
mod fast;
#[cfg(feature = "fhir")]
pub mod fhir;
pub mod gaps;
pub mod grammar;
mod institution;
mod layout;
pub mod ledger;
mod literal;
#[cfg(feature = "messages")]
pub mod messages;
mod moment;
mod normalise;
mod packed;
mod parser;
mod part;
mod person;
mod picture;
mod record;
mod repair;
pub mod repeat;
#[cfg(feature = "schemars")]
mod schema;
#[cfg(feature = "serde")]
mod serde;
mod site;
#[cfg(feature = "rusqlite")]
mod sqlite;
#[cfg(feature = "proptest")]
pub mod strategy;
mod study_uid;
#[cfg(feature = "technique")]
pub mod technique;
mod text;
mod time;
mod unit;
mod unit_findings;

pub use alphabet::{CharClass, FoundClass};
pub use calendar::{MINUTES, YEAR_FIRST, YEAR_LAST};
pub use code::IndexCode;
pub use department::{Department, UnitCategory};
pub use device::DeviceCode;
pub use diagnose::{Diagnosis, FAULTS_MAX, Fault, diagnose};
pub use division::{DIVISION_LEN, Division, DivisionError, Province};
pub use error::{PackedError, PackedErrorKind, ParseError, ParseErrorKind};
pub use exam_item::{
    ExamItem, ITEM_CODE_LEN_MAX, ITEM_NAME_LEN_MAX, ItemCode, ItemName, ItemTextError,
};
pub use exam_type::{ExamType, ExamTypeError};
pub use exam_types::{ExamTypes, ExamTypesError};
pub use institution::{
    INSTITUTION_FIELD_LEN, INSTITUTION_LEN, InstitutionCode, InstitutionCodeError,
    InstitutionField, InstitutionFieldError, InstitutionKind,
};
pub use moment::{MOMENT_LEN, Moment, MomentError};
pub use normalise::{Change, ChangeKind, normalise};
pub use packed::PACKED_LEN;
pub use parser::Parser;
pub use part::{
    COMPACT_LEN, DEVICE_LEN, EXAM_TIME_LEN, HYPHENS, PERSON_LEN, PRINTED_LEN, Part, SITE_LEN,
    UNIT_LEN,
};
pub use person::{PERSON_PREFIX_LEN, PersonCode};
pub use picture::Picture;
pub use record::{
    COLLIDED_STUDIES_MAX, CollidedStudy, Collision, ExamRecord, KeyRelation, MissingFields,
    NoPerson, NotIndexable, RecordBuilder, RecordError, RecordField, RecordKey, RecordOutcome,
};
pub use repair::{Confidence, Proposal};
pub use site::SiteCode;
pub use study_uid::{STUDY_UID_LEN_MAX, StudyInstanceUid, StudyUidError};
pub use text::Text;
pub use time::{BEIJING_OFFSET_S, ExamTime, TimeFault, TimeField};
pub use unit::{CheckPolicy, StorageUnitCode, UnitCheck};
pub use unit_findings::UnitFinding;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
