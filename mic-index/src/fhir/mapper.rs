//! From a record to a study.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::finding::{Finding, FindingKind};
use super::resource::{
    CodeableConcept, CodeableReference, Coding, Identifier, ImagingStudy, Modality, Reference,
};
use crate::code::IndexCode;
use crate::error::ParseError;
use crate::exam_item::ExamItem;
use crate::exam_type::ExamType;
use crate::moment::Moment;
use crate::record::ExamRecord;

pub(super) const DICOM_UID: &str = "urn:dicom:uid";
pub(super) const OID: &str = "urn:oid:";
/// Modalities and other terms of DICOM (PS3.16, context group 29).
pub(super) const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// Types of identifiers (HL7 v2 table 0203).
const IDENTIFIER_TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
const ACCESSION: &str = "ACSN";
/// `unsignedInt` ends here in every release.
const UNSIGNED_INT_MAX: u32 = 2_147_483_647;

/// A release of FHIR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Release {
    /// 4.0.1, and 4.3.0 (R4B), which has the same `ImagingStudy`.
    R4,
    /// 5.0.0.
    R5,
}

/// The URIs of the systems that identifiers belong to.
///
/// Nobody has assigned official ones. The defaults are UUIDs, which claim nothing and collide with
/// nothing; put in what the receiver names, and the official URI once there is one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "set by update syntax, one URI for each national code of a record"
)]
pub struct Systems {
    /// Index codes. Default `urn:uuid:c51bc71c-b3e6-4cd6-bc1f-6a7e5321d90c`.
    pub code: String,
    /// Person management codes. Default `urn:uuid:035ff787-11b5-444d-9385-d97f748fbfb2`.
    pub person: String,
    /// Institution codes (定点医药机构编码). Default `urn:uuid:4661fbce-84c5-41ad-9dd2-8cf3cd65fdc3`.
    pub institution: String,
    /// Exam techniques (WS/T 364.8). Default `urn:uuid:4263aa10-f9ed-4d6e-9d10-4bf90265e4f3`.
    pub technique: String,
    /// Exam items (检查项目). Default `urn:uuid:9b0bd0c4-0a4c-4b53-9f0c-6a3d5e6f1c27`.
    pub item: String,
}

impl Default for Systems {
    fn default() -> Self {
        Self {
            code: "urn:uuid:c51bc71c-b3e6-4cd6-bc1f-6a7e5321d90c".to_owned(),
            person: "urn:uuid:035ff787-11b5-444d-9385-d97f748fbfb2".to_owned(),
            institution: "urn:uuid:4661fbce-84c5-41ad-9dd2-8cf3cd65fdc3".to_owned(),
            technique: "urn:uuid:4263aa10-f9ed-4d6e-9d10-4bf90265e4f3".to_owned(),
            item: "urn:uuid:9b0bd0c4-0a4c-4b53-9f0c-6a3d5e6f1c27".to_owned(),
        }
    }
}

/// Whom a study is of. FHIR asks for a subject, and which one is the caller's decision.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject<'a> {
    /// A resource the receiver has, such as `Patient/17`.
    Reference(&'a str),
    /// The person code of the record as an identifier, for a receiver entitled to it.
    PersonCode,
}

impl fmt::Debug for Subject<'_> {
    /// Shows which, not who.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference(_) => "Reference(..)",
            Self::PersonCode => "PersonCode",
        })
    }
}

/// Maps records to studies and back; see the [module](super).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapper {
    pub(super) release: Release,
    pub(super) systems: Systems,
    modalities: Vec<String>,
}

impl Mapper {
    /// A mapper with the default [`Systems`].
    #[must_use]
    pub fn new(release: Release) -> Self {
        Self {
            release,
            systems: Systems::default(),
            modalities: Vec::new(),
        }
    }

    /// Sets the URIs of the systems.
    #[must_use]
    pub fn systems(mut self, systems: Systems) -> Self {
        self.systems = systems;
        self
    }

    /// States the DICOM modalities of the study. Without them an exam type that has just one in daily
    /// use (CT, MR, US) gives it, and X-ray and nuclear medicine give a finding.
    #[must_use]
    pub fn modalities<'a>(mut self, modalities: impl IntoIterator<Item = &'a str>) -> Self {
        self.modalities = modalities.into_iter().map(str::to_owned).collect();
        self
    }

    /// The study of a record, and what it could not take along.
    #[must_use]
    pub fn write(&self, record: &ExamRecord, subject: Subject<'_>) -> (ImagingStudy, Vec<Finding>) {
        let mut findings = Vec::new();
        let mut study = ImagingStudy::empty();
        study.status = "available".to_owned();
        study.identifier = Vec::from([
            Identifier::of_code(record.code(), &self.systems),
            official(
                DICOM_UID,
                format!("{OID}{}", record.study_instance_uid().as_str()),
            ),
        ]);
        if !is_oid(record.study_instance_uid().as_str()) {
            findings.push(Finding::new("identifier", FindingKind::NotOid));
        }
        if let Some(number) = record.accession_number() {
            let number = accession(number);
            match self.release {
                Release::R4 => study.identifier.push(number),
                Release::R5 => study.based_on.push(by_identifier("ServiceRequest", number)),
            }
        }
        study.modality = self.write_modality(record.exam_type(), &mut findings);
        study.subject = Some(match subject {
            Subject::Reference(patient) => Reference {
                reference: Some(patient.to_owned()),
                ..Reference::default()
            },
            Subject::PersonCode => {
                let person = record.code().person().to_string();
                by_identifier("Patient", official(&self.systems.person, person))
            }
        });
        // FHIR has no minutes: a second of 00 may be filled in (`dateTime`), and is read as that.
        let minute = record.code().exam_time().to_chrono();
        study.started = Some(
            record
                .started_at()
                .map_or(minute, Moment::to_chrono)
                .to_rfc3339(),
        );
        let times = [
            ("ordered_at", record.ordered_at()),
            (
                "started_at",
                record.started_at().filter(|at| at.second() == 0),
            ),
            ("ended_at", record.ended_at()),
            ("reported_at", record.reported_at()),
        ];
        for (field, _) in times.iter().filter(|(_, at)| at.is_some()) {
            findings.push(Finding::new(field, FindingKind::NotCarried));
        }
        study.number_of_series = count("numberOfSeries", record.series_count(), &mut findings);
        study.number_of_instances = count("numberOfInstances", record.image_count(), &mut findings);
        let techniques = record
            .parts()
            .map(|part| of_coding(coding(&self.systems.technique, part.text().as_str())));
        let procedures = techniques.chain(record.item().map(|item| self.write_item(item)));
        match self.release {
            Release::R4 => study.procedure_code = procedures.collect(),
            Release::R5 => {
                study.procedure = procedures
                    .map(|concept| CodeableReference {
                        concept: Some(concept),
                    })
                    .collect();
            }
        }
        let institution = record.institution().to_string();
        let institution = official(&self.systems.institution, institution);
        study.location = Some(by_identifier("Location", institution));
        if record.supersedes().is_some() {
            findings.push(Finding::new("supersedes", FindingKind::NotCarried));
        }
        (study, findings)
    }

    /// A code with its name, or a name alone as the text of the concept.
    fn write_item(&self, item: &ExamItem) -> CodeableConcept {
        let name = item.name().map(|name| name.as_str().to_owned());
        match item.code() {
            Some(code) => of_coding(Coding {
                display: name,
                ..coding(&self.systems.item, code.as_str())
            }),
            None => CodeableConcept {
                text: name,
                ..CodeableConcept::default()
            },
        }
    }

    fn write_modality(
        &self,
        exam_type: Option<ExamType>,
        findings: &mut Vec<Finding>,
    ) -> Vec<Modality> {
        let in_daily_use = match exam_type {
            Some(ExamType::Ct) => Some("CT"),
            Some(ExamType::Mri) => Some("MR"),
            Some(ExamType::Ultrasound) => Some("US"),
            _ => None,
        };
        let codes: Vec<&str> = if self.modalities.is_empty() {
            in_daily_use.into_iter().collect()
        } else {
            self.modalities.iter().map(String::as_str).collect()
        };
        let types = |code: &&str| ExamType::from_modality(code);
        if codes.is_empty() && exam_type.is_some() {
            findings.push(Finding::new("modality", FindingKind::ModalityNotStated));
        } else if !codes.is_empty() && one(codes.iter().filter_map(types)) != exam_type {
            findings.push(Finding::new("modality", FindingKind::ModalityOfAnotherType));
        }
        codes
            .into_iter()
            .map(|code| match self.release {
                Release::R4 => Modality::Coding(coding(DCM, code)),
                Release::R5 => Modality::Concept(of_coding(coding(DCM, code))),
            })
            .collect()
    }
}

impl Identifier {
    /// The identifier of an index code. Personal data.
    #[must_use]
    pub fn of_code(code: IndexCode, systems: &Systems) -> Self {
        official(&systems.code, code.to_string())
    }

    /// The index code, where this is an identifier under the system of index codes.
    #[must_use]
    pub fn index_code(&self, systems: &Systems) -> Option<Result<IndexCode, ParseError>> {
        let own = self.system.as_deref() == Some(&systems.code);
        own.then(|| IndexCode::parse(self.value.as_deref().unwrap_or_default()))
    }

    /// The value of an accession number.
    pub(super) fn accession_number(&self) -> Option<&str> {
        let codings = &self.kind.as_ref()?.coding;
        let accession = codings.iter().any(|coding| {
            coding.code.as_deref() == Some(ACCESSION)
                && coding.system.as_deref() == Some(IDENTIFIER_TYPES)
        });
        self.value.as_deref().filter(|_| accession)
    }
}

/// The one value of several equal ones.
pub(super) fn one<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values = values.into_iter();
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

fn official(system: &str, value: String) -> Identifier {
    Identifier {
        usage: Some("official".to_owned()),
        kind: None,
        system: Some(system.to_owned()),
        value: Some(value),
    }
}

fn accession(number: &str) -> Identifier {
    Identifier {
        kind: Some(of_coding(coding(IDENTIFIER_TYPES, ACCESSION))),
        value: Some(number.to_owned()),
        ..Identifier::default()
    }
}

fn by_identifier(kind: &str, identifier: Identifier) -> Reference {
    Reference {
        reference: None,
        kind: Some(kind.to_owned()),
        identifier: Some(identifier),
    }
}

fn coding(system: &str, code: &str) -> Coding {
    Coding {
        system: Some(system.to_owned()),
        code: Some(code.to_owned()),
        display: None,
    }
}

fn of_coding(coding: Coding) -> CodeableConcept {
    CodeableConcept {
        coding: Vec::from([coding]),
        text: None,
    }
}

fn count(element: &'static str, count: u32, findings: &mut Vec<Finding>) -> Option<u32> {
    if count > UNSIGNED_INT_MAX {
        findings.push(Finding::new(element, FindingKind::CountTooLarge));
        return None;
    }
    Some(count)
}

/// FHIR's `oid`: 0, 1 or 2, then components without leading zeros.
fn is_oid(uid: &str) -> bool {
    let mut components = uid.split('.');
    matches!(components.next(), Some("0" | "1" | "2"))
        && uid.contains('.')
        && components.all(|component| component == "0" || !component.starts_with('0'))
}
