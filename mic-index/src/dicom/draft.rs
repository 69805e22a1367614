//! The draft of an exam: what a header says, and what it leaves open.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use chrono::{NaiveDateTime, TimeDelta};

use super::attribute::{Attribute, CodeText, HeaderText, Held};
use super::finding::{Finding, FindingKind};
use super::stamp::{self, Read};
use crate::code::IndexCode;
use crate::device::DeviceCode;
use crate::exam_item::{ExamItem, ITEM_CODE_LEN_MAX, ITEM_NAME_LEN_MAX};
use crate::exam_type::ExamType;
use crate::moment::Moment;
use crate::person::PersonCode;
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;
use crate::time::{BEIJING_OFFSET_S, ExamTime};
use crate::unit::StorageUnitCode;

/// What a DICOM header contributes to an exam's record.
///
/// Every value may be missing; [`findings`](Self::findings) says why. The person management code
/// and the storage unit are in no header: they come from the insurance platform and from
/// configuration.
///
/// ```
/// use mic_index::ExamType;
/// use mic_index::dicom::{Attribute, ExamDraft, HeaderText};
///
/// let header = HeaderText::new()
///     .with(Attribute::StudyInstanceUid, "1.2.840.1.2.3")
///     .with(Attribute::Modality, "MR")
///     .with(Attribute::StudyDate, "20241122")
///     .with(Attribute::StudyTime, "013000")
///     .with(Attribute::TimezoneOffsetFromUtc, "-0500");
/// let draft = ExamDraft::from_text(&header);
/// assert_eq!(draft.exam_type(), Some(ExamType::Mri));
///
/// let person = "10000000000000000708463177".parse()?;
/// let unit = "123502004266007916".parse()?;
/// let code = draft.index_code(person, unit).unwrap();
/// assert_eq!(code.exam_time().to_string(), "202411221430"); // Beijing time
/// # Ok::<(), mic_index::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ExamDraft {
    study_instance_uid: Option<StudyInstanceUid>,
    accession_number: Option<String>,
    patient_id: Option<String>,
    modality: Option<String>,
    exam_type: Option<ExamType>,
    institution_name: Option<String>,
    item: Option<(ExamItem, Attribute)>,
    exam_time: Option<Timed>,
    carried_code: Option<IndexCode>,
    findings: Vec<Finding>,
}

impl ExamDraft {
    /// A draft from the texts of a header.
    #[must_use]
    pub fn from_text(header: &HeaderText) -> Self {
        let mut reader = Reader {
            header,
            findings: Vec::new(),
        };
        let study_instance_uid = reader.study_uid();
        let accession_number = reader.text(Attribute::AccessionNumber);
        let patient_id = reader.text(Attribute::PatientId);
        let (modality, exam_type) = reader.exam_type();
        let institution_name = reader.text(Attribute::InstitutionName);
        let item = reader.item();
        let exam_time = reader.exam_time();
        let carried_code = reader.carried_code(exam_time.map(|timed| timed.minute));
        Self {
            study_instance_uid,
            accession_number,
            patient_id,
            modality,
            exam_type,
            institution_name,
            item,
            exam_time,
            carried_code,
            findings: reader.findings,
        }
    }

    /// The code of the exam with filler for site and device, as the platform uses it today;
    /// `None` without an exam time.
    #[must_use]
    pub fn index_code(&self, person: PersonCode, unit: StorageUnitCode) -> Option<IndexCode> {
        self.exam_time()
            .map(|time| IndexCode::new(person, time, SiteCode::FILLER, DeviceCode::FILLER, unit))
    }

    /// StudyInstanceUID (0020,000D).
    #[must_use]
    pub const fn study_instance_uid(&self) -> Option<StudyInstanceUid> {
        self.study_instance_uid
    }

    /// AccessionNumber (0008,0050), without padding.
    #[must_use]
    pub fn accession_number(&self) -> Option<&str> {
        self.accession_number.as_deref()
    }

    /// PatientID (0010,0020), without padding. The hospital's number, not the person code.
    #[must_use]
    pub fn patient_id(&self) -> Option<&str> {
        self.patient_id.as_deref()
    }

    /// Modality (0008,0060).
    #[must_use]
    pub fn modality(&self) -> Option<&str> {
        self.modality.as_deref()
    }

    /// The exam type of the modality, or of ModalitiesInStudy (0008,0061) where that is one.
    #[must_use]
    pub const fn exam_type(&self) -> Option<ExamType> {
        self.exam_type
    }

    /// InstitutionName (0008,0080), without padding.
    #[must_use]
    pub fn institution_name(&self) -> Option<&str> {
        self.institution_name.as_deref()
    }

    /// The minute of the exam in Beijing time, truncated.
    #[must_use]
    pub fn exam_time(&self) -> Option<ExamTime> {
        self.exam_time.map(|timed| timed.minute)
    }

    /// The exam time with its second, where the header has one: truncated, and none for a time of the hour
    /// or minute alone and for a leap second.
    #[must_use]
    pub fn started_at(&self) -> Option<Moment> {
        let timed = self.exam_time?;
        Moment::new(timed.minute, timed.second?).ok()
    }

    /// The exam item (检查项目) of the first of these that has one: RequestedProcedureCodeSequence
    /// (0032,1064), ProcedureCodeSequence (0008,1032), RequestedProcedureDescription (0032,1060),
    /// StudyDescription (0008,1030) (`IDX-84`).
    ///
    /// The hospital's words; the insurance's item code is rarely in a header. The code of one and the name of
    /// another attribute are never joined.
    #[must_use]
    pub const fn item(&self) -> Option<&ExamItem> {
        match &self.item {
            Some((item, _)) => Some(item),
            None => None,
        }
    }

    /// Where the exam item comes from.
    #[must_use]
    pub fn item_source(&self) -> Option<Attribute> {
        self.item.as_ref().map(|(_, source)| *source)
    }

    /// Where the exam time comes from.
    #[must_use]
    pub fn time_source(&self) -> Option<TimeSource> {
        self.exam_time.map(|timed| timed.source)
    }

    /// The index code the header carries (`IDX-70`), where it carries exactly one.
    ///
    /// It may be that of another minute than [`exam_time`](Self::exam_time), which has a finding
    /// then: whoever copied the header or corrected its time did not touch the code. So a record
    /// takes it over only by [`RecordBuilder::code`](crate::RecordBuilder::code).
    #[must_use]
    pub const fn carried_code(&self) -> Option<IndexCode> {
        self.carried_code
    }

    /// What was missing, wrong or replaced.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl fmt::Debug for ExamDraft {
    /// Shows no patient id, accession number, institution or text of the item.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExamDraft")
            .field("study_instance_uid", &self.study_instance_uid)
            .field("exam_type", &self.exam_type)
            .field("exam_time", &self.exam_time)
            .field("findings", &self.findings)
            .finish_non_exhaustive()
    }
}

/// Where an exam time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeSource {
    attribute: Attribute,
    zone_stated: bool,
}

impl TimeSource {
    /// The date of the pair, or AcquisitionDateTime.
    #[must_use]
    pub const fn attribute(self) -> Attribute {
        self.attribute
    }

    /// Whether the header stated its offset from UTC. Otherwise Beijing time was assumed.
    #[must_use]
    pub const fn zone_stated(self) -> bool {
        self.zone_stated
    }
}

/// An exam time, its second where it has one, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Timed {
    minute: ExamTime,
    second: Option<u8>,
    source: TimeSource,
}

/// Dates and the times that belong to them, in the order they are tried. Pairs are never mixed:
/// the date of one and the time of another may lie on two sides of midnight.
const PAIRS_BEFORE: [(Attribute, Attribute); 2] = [
    (Attribute::StudyDate, Attribute::StudyTime),
    (Attribute::SeriesDate, Attribute::SeriesTime),
];
const PAIRS_AFTER: [(Attribute, Attribute); 2] = [
    (Attribute::AcquisitionDate, Attribute::AcquisitionTime),
    (Attribute::ContentDate, Attribute::ContentTime),
];

struct Reader<'a> {
    header: &'a HeaderText,
    findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    fn study_uid(&mut self) -> Option<StudyInstanceUid> {
        let attribute = Attribute::StudyInstanceUid;
        let text = self.first_value(attribute)?;
        let uid = text.parse().ok();
        if uid.is_none() {
            self.note(attribute, FindingKind::NotUid, None);
        }
        uid
    }

    fn text(&mut self, attribute: Attribute) -> Option<String> {
        let text = self.first_value(attribute)?;
        let max = attribute.len_max();
        if text.chars().count() > max {
            self.note(attribute, FindingKind::TooLong { max }, Some(attribute));
        }
        self.characters(attribute, text);
        Some(text.to_string())
    }

    /// A finding for characters nobody declared.
    fn characters(&mut self, attribute: Attribute, text: &str) {
        if self.header.undeclared() && !text.is_ascii() {
            self.note(
                attribute,
                FindingKind::UndeclaredCharacters,
                Some(attribute),
            );
        }
    }

    /// The exam item; that a header has none is no finding.
    fn item(&mut self) -> Option<(ExamItem, Attribute)> {
        let start = self.findings.len();
        for attribute in [
            Attribute::RequestedProcedureCodeSequence,
            Attribute::ProcedureCodeSequence,
        ] {
            if let Some(item) = self.coded_item(attribute) {
                self.used(start, attribute);
                return Some((item, attribute));
            }
        }
        for attribute in [
            Attribute::RequestedProcedureDescription,
            Attribute::StudyDescription,
        ] {
            if matches!(self.header.get(attribute), Held::Absent) {
                continue;
            }
            let text = self.first_value(attribute);
            let name = text.and_then(|text| self.item_text(attribute, text, ITEM_NAME_LEN_MAX));
            if let Some(name) = name {
                self.used(start, attribute);
                return Some((ExamItem::named(name), attribute));
            }
        }
        None
    }

    fn coded_item(&mut self, attribute: Attribute) -> Option<ExamItem> {
        let codes = match self.header.get(attribute) {
            Held::Absent => return None,
            Held::NoText | Held::Text(_) => {
                self.note(attribute, FindingKind::NoCodes, None);
                return None;
            }
            Held::Codes(codes) => codes,
        };
        let Some((CodeText { value, meaning }, others)) = codes.split_first() else {
            self.note(attribute, FindingKind::Empty, None);
            return None;
        };
        let start = self.findings.len();
        if !others.is_empty() {
            self.note(attribute, FindingKind::SeveralValues, None);
        }
        let stated = |text: &'a Option<String>| {
            let text = trimmed(text.as_deref().unwrap_or_default());
            (!text.is_empty() && !is_placeholder(text)).then_some(text)
        };
        let (value, meaning) = (stated(value), stated(meaning));
        if value.is_none() && meaning.is_none() {
            self.note(attribute, FindingKind::Empty, None);
        }
        let code = value.and_then(|text| self.item_text(attribute, text, ITEM_CODE_LEN_MAX));
        let name = meaning.and_then(|text| self.item_text(attribute, text, ITEM_NAME_LEN_MAX));
        let item = ExamItem::new(code, name)?;
        self.used(start, attribute);
        Some(item)
    }

    /// A text of an exam item; a finding where it is too long or has control characters.
    fn item_text<T: FromStr>(&mut self, attribute: Attribute, text: &str, max: usize) -> Option<T> {
        let read = text.parse().ok();
        if read.is_some() {
            self.characters(attribute, text);
        } else {
            let kind = if text.chars().count() > max {
                FindingKind::TooLong { max }
            } else {
                FindingKind::ControlCharacter
            };
            self.note(attribute, kind, None);
        }
        read
    }

    fn exam_type(&mut self) -> (Option<String>, Option<ExamType>) {
        let start = self.findings.len();
        let modality = self.first_value(Attribute::Modality);
        if let Some(modality) = modality {
            let kind = ExamType::from_modality(modality);
            if kind.is_none() {
                self.note(Attribute::Modality, FindingKind::NoExamType, None);
            }
            return (Some(modality.to_string()), kind);
        }
        let kind = self.type_of_study();
        if kind.is_some() {
            self.used(start, Attribute::ModalitiesInStudy);
        }
        (None, kind)
    }

    /// The one exam type among ModalitiesInStudy; reports and the like beside it do not count.
    fn type_of_study(&mut self) -> Option<ExamType> {
        let attribute = Attribute::ModalitiesInStudy;
        let text = match self.header.get(attribute) {
            Held::Text(text) => text,
            Held::Absent | Held::NoText | Held::Codes(_) => return None,
        };
        let mut types = text
            .split('\\')
            .map(trimmed)
            .filter_map(ExamType::from_modality);
        let first = types.next();
        let others = types.any(|kind| Some(kind) != first);
        match (first, others) {
            (Some(first), false) => return Some(first),
            (Some(_), true) => self.note(attribute, FindingKind::SeveralExamTypes, None),
            (None, _) => self.note(attribute, FindingKind::NoExamType, None),
        }
        None
    }

    fn exam_time(&mut self) -> Option<Timed> {
        let zone = self.zone();
        let start = self.findings.len();
        for (date, time) in PAIRS_BEFORE {
            if let Some(found) = self.pair(date, time, zone) {
                self.used(start, date);
                return Some(found);
            }
        }
        if let Some(found) = self.acquisition(zone) {
            self.used(start, Attribute::AcquisitionDateTime);
            return Some(found);
        }
        for (date, time) in PAIRS_AFTER {
            if let Some(found) = self.pair(date, time, zone) {
                self.used(start, date);
                return Some(found);
            }
        }
        None
    }

    /// The one code the header carries; most carry none, which is no finding.
    fn carried_code(&mut self, exam_time: Option<ExamTime>) -> Option<IndexCode> {
        let attribute = Attribute::IndexCode;
        let text = match self.header.get(attribute) {
            Held::Absent => return None,
            Held::NoText | Held::Codes(_) => {
                self.note(attribute, FindingKind::NoText, None);
                return None;
            }
            Held::Text(text) => text,
        };
        let mut values = text.split('\\').map(trimmed);
        let first = values.next().unwrap_or_default();
        if values.any(|value| value != first) {
            self.note(attribute, FindingKind::SeveralCodes, None);
            return None;
        }
        let code = IndexCode::parse(first).ok();
        match code {
            None if first.is_empty() => self.note(attribute, FindingKind::Empty, None),
            None => self.note(attribute, FindingKind::NotCode, None),
            Some(code) if exam_time.is_some_and(|time| time != code.exam_time()) => {
                self.note(attribute, FindingKind::CodeOfAnotherTime, Some(attribute));
            }
            Some(_) => {}
        }
        code
    }

    fn zone(&mut self) -> Option<TimeDelta> {
        let attribute = Attribute::TimezoneOffsetFromUtc;
        // Most headers state none; Beijing time is the rule then and no finding.
        if matches!(self.header.get(attribute), Held::Absent) {
            return None;
        }
        let zone = stamp::zone(self.first_value(attribute)?);
        if zone.is_none() {
            self.note(attribute, FindingKind::NotOffset, None);
        }
        zone
    }

    fn pair(&mut self, date: Attribute, time: Attribute, zone: Option<TimeDelta>) -> Option<Timed> {
        // Both are read before giving up, so that both sets of findings are told.
        let day = self.value(date, stamp::date);
        let clock = self.value(time, stamp::time);
        let (day, clock) = (day?, clock?);
        self.minute(date, day.and_time(clock.time), clock.second, zone)
    }

    fn acquisition(&mut self, zone: Option<TimeDelta>) -> Option<Timed> {
        let attribute = Attribute::AcquisitionDateTime;
        let (day, clock, own_zone) = self.value(attribute, stamp::date_time)?;
        let local = day.and_time(clock.time);
        self.minute(attribute, local, clock.second, own_zone.or(zone))
    }

    /// The minute in Beijing of a local time.
    fn minute(
        &mut self,
        attribute: Attribute,
        local: NaiveDateTime,
        second: Option<u8>,
        zone: Option<TimeDelta>,
    ) -> Option<Timed> {
        let beijing = match zone {
            None => Some(local),
            Some(zone) => local.checked_sub_signed(zone).and_then(|utc| {
                utc.checked_add_signed(TimeDelta::seconds(BEIJING_OFFSET_S.into()))
            }),
        };
        let time = beijing.and_then(|beijing| ExamTime::from_naive(beijing).ok());
        if time.is_none() {
            self.note(attribute, FindingKind::YearOutOfRange, None);
        }
        Some(Timed {
            minute: time?,
            // Offsets are whole minutes.
            second,
            source: TimeSource {
                attribute,
                zone_stated: zone.is_some(),
            },
        })
    }

    fn value<T>(&mut self, attribute: Attribute, read: fn(&str) -> Read<T>) -> Option<T> {
        match read(self.first_value(attribute)?) {
            Ok((value, odd)) => {
                if let Some(kind) = odd {
                    self.note(attribute, kind, Some(attribute));
                }
                Some(value)
            }
            Err(kind) => {
                self.note(attribute, kind, None);
                None
            }
        }
    }

    /// The first value without padding; a finding where there is none.
    fn first_value(&mut self, attribute: Attribute) -> Option<&'a str> {
        let kind = match self.header.get(attribute) {
            Held::Absent => FindingKind::Absent,
            Held::NoText | Held::Codes(_) => FindingKind::NoText,
            Held::Text(text) => {
                let mut values = text.split('\\');
                let first = values.next().map(trimmed).unwrap_or_default();
                if values.next().is_some() {
                    self.note(attribute, FindingKind::SeveralValues, Some(attribute));
                }
                match first {
                    "" => FindingKind::Empty,
                    _ if is_placeholder(first) => FindingKind::Placeholder,
                    _ => return Some(first),
                }
            }
        };
        self.note(attribute, kind, None);
        None
    }

    fn note(&mut self, attribute: Attribute, kind: FindingKind, used: Option<Attribute>) {
        self.findings
            .push(Finding::new(attribute, kind).with_used(used));
    }

    /// Names the substitute in the findings since `start` that have none.
    fn used(&mut self, start: usize, substitute: Attribute) {
        for finding in self.findings.iter_mut().skip(start) {
            if finding.used().is_none() {
                *finding = finding.with_used(Some(substitute));
            }
        }
    }
}

/// Without the padding of DICOM values: blanks on both sides, NUL bytes after UIDs.
fn trimmed(value: &str) -> &str {
    value.trim_matches(|c: char| c == '\0' || c.is_whitespace())
}

/// Nothing but punctuation: `***`, `--`, `????`.
fn is_placeholder(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_punctuation())
}
