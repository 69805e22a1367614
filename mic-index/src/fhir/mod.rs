//! Records as FHIR `ImagingStudy`, in Release 4 (and 4B) and Release 5 (feature `fhir`).
//!
//! | of the record | R4 | R5 |
//! |---|---|---|
//! | index code | `identifier` under [`Systems::code`] | the same |
//! | StudyInstanceUID | `identifier`, `urn:dicom:uid` and `urn:oid:` | the same |
//! | accession number | `identifier` of type `ACSN` | `basedOn.identifier` of type `ACSN` |
//! | exam time, and its second where known and not 00 | `started`, with `+08:00` | the same |
//! | exam type | `modality`, a `Coding` | `modality`, a `CodeableConcept` |
//! | parts | `procedureCode` under [`Systems::technique`] | `procedure.concept` |
//! | exam item | `procedureCode` under [`Systems::item`], a name alone as its `text` | `procedure.concept` |
//! | institution | `location.identifier` under [`Systems::institution`] | the same |
//! | counts | `numberOfSeries`, `numberOfInstances` | the same |
//! | times of order, end and report; a start at second 00 | none: a [`Finding`] | none: a [`Finding`] |
//! | superseded record | none: a [`Finding`] | none: a [`Finding`] |
//!
//! [`Mapper`] goes both ways and lists as [`Finding`]s what could not be carried, what is wrong and
//! what was not read. Sources: <https://hl7.org/fhir/R4/imagingstudy.html>,
//! <https://hl7.org/fhir/R5/imagingstudy.html>.
//!
//! The index code holds the person code, so every study with one is personal data, whoever its
//! subject refers to. The person code by itself is written only for [`Subject::PersonCode`].
//!
//! ```
//! use mic_index::fhir::{ImagingStudy, Mapper, Release, Subject};
//! use mic_index::{ExamRecord, ExamType, index_code};
//!
//! let record = ExamRecord::builder()
//!     .code(index_code!(
//!         "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
//!     ))
//!     .study_instance_uid("1.2.840.1.2.3".parse()?)
//!     .institution("H35020300001".parse()?)
//!     .exam_type(ExamType::Ct)
//!     .counts(1, 28)
//!     .build()?
//!     .record()
//!     .unwrap();
//!
//! let mapper = Mapper::new(Release::R5);
//! let (study, findings) = mapper.write(&record, Subject::Reference("Patient/17"));
//! assert!(findings.is_empty());
//! let json = serde_json::to_string(&study)?;
//! assert!(json.contains(r#""started":"2024-11-22T14:30:00+08:00""#));
//!
//! let received: ImagingStudy = serde_json::from_str(&json)?;
//! let (builder, findings) = mapper.read(&received);
//! assert!(findings.is_empty());
//! assert_eq!(builder.build()?.record(), Some(record));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod finding;
mod mapper;
mod reader;
mod resource;

pub use finding::{Finding, FindingKind};
pub use mapper::{Mapper, Release, Subject, Systems};
pub use resource::{
    CodeableConcept, CodeableReference, Coding, Identifier, ImagingStudy, Modality, Reference,
};
