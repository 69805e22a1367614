//! Building a record: everything that is missing is named at once.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{ExamRecord, RecordKey, Times};
use crate::code::IndexCode;
use crate::device::DeviceCode;
use crate::dicom::ExamDraft;
use crate::exam_item::ExamItem;
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::moment::Moment;
use crate::person::PersonCode;
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;
use crate::time::ExamTime;
use crate::unit::StorageUnitCode;

/// Collects the fields of an [`ExamRecord`].
///
/// The last setting of a field counts. Site and device are filler unless set.
///
/// ```
/// use mic_index::{ExamRecord, RecordError, RecordField};
///
/// let error = ExamRecord::builder().counts(1, 28).build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "missing person code, exam time, storage unit, study instance uid, institution"
/// );
/// let RecordError::Missing(fields) = error else { unreachable!() };
/// assert!(fields.contains(RecordField::Institution));
/// ```
#[derive(Clone, Default)]
pub struct RecordBuilder {
    person: Option<Result<PersonCode, NoPerson>>,
    time: Option<ExamTime>,
    site: SiteCode,
    device: DeviceCode,
    unit: Option<StorageUnitCode>,
    study_instance_uid: Option<StudyInstanceUid>,
    institution: Option<InstitutionCode>,
    accession_number: Option<String>,
    exam_type: Option<ExamType>,
    item: Option<ExamItem>,
    times: Times,
    /// That of a header: left out where the record is of another minute.
    header_start: Option<Moment>,
    parts: Vec<SiteCode>,
    series_count: u32,
    image_count: u32,
    supersedes: Option<RecordKey>,
}

impl RecordBuilder {
    /// Sets all five parts of the code.
    #[must_use]
    pub fn code(mut self, code: IndexCode) -> Self {
        self.person = Some(Ok(code.person()));
        self.time = Some(code.exam_time());
        self.site = code.site();
        self.device = code.device();
        self.unit = Some(code.unit());
        self
    }

    /// Takes from a draft what it has: exam time, StudyInstanceUID, accession number, exam type, exam item,
    /// and the second of the exam time, which is left out again where the record is of another minute.
    #[must_use]
    pub fn draft(mut self, draft: &ExamDraft) -> Self {
        self.time = draft.exam_time().or(self.time);
        self.study_instance_uid = draft.study_instance_uid().or(self.study_instance_uid);
        self.exam_type = draft.exam_type().or(self.exam_type);
        self.accession_number = draft
            .accession_number()
            .map(String::from)
            .or(self.accession_number);
        self.item = draft.item().cloned().or(self.item);
        self.header_start = draft.started_at().or(self.header_start);
        self
    }

    /// Sets the person.
    #[must_use]
    pub fn person(mut self, person: PersonCode) -> Self {
        self.person = Some(Ok(person));
        self
    }

    /// States that the person has no code, and why. The exam is not indexable then.
    #[must_use]
    pub fn no_person(mut self, reason: NoPerson) -> Self {
        self.person = Some(Err(reason));
        self
    }

    /// Sets the minute of the exam.
    #[must_use]
    pub fn exam_time(mut self, time: ExamTime) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets the exam site.
    #[must_use]
    pub fn site(mut self, site: SiteCode) -> Self {
        self.site = site;
        self
    }

    /// Sets the device.
    #[must_use]
    pub fn device(mut self, device: DeviceCode) -> Self {
        self.device = device;
        self
    }

    /// Sets the unit that stores the images.
    #[must_use]
    pub fn unit(mut self, unit: StorageUnitCode) -> Self {
        self.unit = Some(unit);
        self
    }

    /// Sets the StudyInstanceUID.
    #[must_use]
    pub fn study_instance_uid(mut self, uid: StudyInstanceUid) -> Self {
        self.study_instance_uid = Some(uid);
        self
    }

    /// Sets the institution that made the exam.
    #[must_use]
    pub fn institution(mut self, institution: InstitutionCode) -> Self {
        self.institution = Some(institution);
        self
    }

    /// Sets the accession number; optional, and an empty one is none.
    #[must_use]
    pub fn accession_number(mut self, number: impl Into<String>) -> Self {
        self.accession_number = Some(number.into()).filter(|number| !number.is_empty());
        self
    }

    /// Sets the exam type; optional, because not every study is one of the five.
    #[must_use]
    pub fn exam_type(mut self, exam_type: ExamType) -> Self {
        self.exam_type = Some(exam_type);
        self
    }

    /// Sets the exam item (检查项目); optional.
    #[must_use]
    pub fn item(mut self, item: ExamItem) -> Self {
        self.item = Some(item);
        self
    }

    /// Sets when the exam was ordered; optional.
    #[must_use]
    pub fn ordered_at(mut self, moment: Moment) -> Self {
        self.times.ordered = Some(moment);
        self
    }

    /// Sets the exam time with its second; optional. Without an exam time its minute is that.
    #[must_use]
    pub fn started_at(mut self, moment: Moment) -> Self {
        self.times.started = Some(moment);
        self
    }

    /// Sets when the exam ended; optional.
    #[must_use]
    pub fn ended_at(mut self, moment: Moment) -> Self {
        self.times.ended = Some(moment);
        self
    }

    /// Sets when the report was signed; optional.
    #[must_use]
    pub fn reported_at(mut self, moment: Moment) -> Self {
        self.times.reported = Some(moment);
        self
    }

    /// Adds a part examined; optional, and called once for each. The filler adds nothing.
    ///
    /// For what the code does not say: its site is mostly the filler, and has room for one part.
    #[must_use]
    pub fn part(mut self, part: SiteCode) -> Self {
        if part.is_assigned() {
            self.parts.push(part);
        }
        self
    }

    /// Sets the numbers of series and images. A study has at least one of each; zero counts as
    /// missing.
    #[must_use]
    pub fn counts(mut self, series: u32, images: u32) -> Self {
        self.series_count = series;
        self.image_count = images;
        self
    }

    /// Sets the record this one takes the place of; optional.
    #[must_use]
    pub fn supersedes(mut self, earlier: RecordKey) -> Self {
        self.supersedes = Some(earlier);
        self
    }

    /// The record, or that the exam cannot have one.
    ///
    /// # Errors
    ///
    /// [`RecordError::Missing`] with all missing fields, a person stated to have no code not
    /// counting as missing; [`RecordError::SupersedesItself`]; [`RecordError::StartOfAnotherMinute`].
    pub fn build(self) -> Result<RecordOutcome, RecordError> {
        let time = self.time.or(self.times.started.map(Moment::minute));
        let mut missing = MissingFields::NONE;
        for (field, there) in [
            (RecordField::Person, self.person.is_some()),
            (RecordField::ExamTime, time.is_some()),
            (RecordField::Unit, self.unit.is_some()),
            (
                RecordField::StudyInstanceUid,
                self.study_instance_uid.is_some(),
            ),
            (RecordField::Institution, self.institution.is_some()),
            (RecordField::SeriesCount, self.series_count > 0),
            (RecordField::ImageCount, self.image_count > 0),
        ] {
            if !there {
                missing = missing.with(field);
            }
        }
        let (Some(person), Some(time), Some(unit), Some(uid), Some(institution), true) = (
            self.person,
            time,
            self.unit,
            self.study_instance_uid,
            self.institution,
            missing.is_empty(),
        ) else {
            return Err(RecordError::Missing(missing));
        };
        let person = match person {
            Ok(person) => person,
            Err(reason) => {
                let not = NotIndexable {
                    reason,
                    study_instance_uid: uid,
                };
                return Ok(RecordOutcome::NotIndexable(not));
            }
        };
        let key = RecordKey::new(
            IndexCode::new(person, time, self.site, self.device, unit),
            uid,
        );
        if self.supersedes == Some(key) {
            return Err(RecordError::SupersedesItself);
        }
        if self
            .times
            .started
            .is_some_and(|start| start.minute() != time)
        {
            return Err(RecordError::StartOfAnotherMinute);
        }
        let mut times = self.times;
        let of_header = self.header_start.filter(|start| start.minute() == time);
        times.started = times.started.or(of_header);
        let mut parts = self.parts;
        parts.retain(|part| *part != self.site);
        parts.sort_unstable();
        parts.dedup();
        Ok(RecordOutcome::Record(ExamRecord {
            key,
            institution,
            accession_number: self.accession_number,
            exam_type: self.exam_type,
            item: self.item,
            times,
            parts,
            series_count: self.series_count,
            image_count: self.image_count,
            supersedes: self.supersedes,
        }))
    }
}

impl fmt::Debug for RecordBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordBuilder(..)")
    }
}

/// What becomes of an exam whose fields are complete.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an exam can have a code or cannot")]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every outcome is a record"
)]
pub enum RecordOutcome {
    /// The record.
    Record(ExamRecord),
    /// The person has no code, so the exam has none: a normal outcome and no error.
    NotIndexable(NotIndexable),
}

impl RecordOutcome {
    /// The record, where there is one.
    #[must_use]
    pub fn record(self) -> Option<ExamRecord> {
        match self {
            Self::Record(record) => Some(record),
            Self::NotIndexable(_) => None,
        }
    }
}

/// An exam that cannot have an index code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NotIndexable {
    reason: NoPerson,
    study_instance_uid: StudyInstanceUid,
}

impl NotIndexable {
    /// Why the person has no code.
    #[must_use]
    pub const fn reason(&self) -> NoPerson {
        self.reason
    }

    /// The study.
    #[must_use]
    pub const fn study_instance_uid(&self) -> StudyInstanceUid {
        self.study_instance_uid
    }
}

impl fmt::Display for NotIndexable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not indexable: {}", self.reason)
    }
}

/// Why a person has no person management code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NoPerson {
    /// The platform's answer (transaction 1101) has the field, which is optional, empty.
    #[error("the platform gives the person no code")]
    NotGiven,
    /// Not insured, or not presenting the insurance.
    #[error("the patient is not treated as an insured person")]
    NotInsured,
    /// Not identified, as in an emergency.
    #[error("the patient is not identified")]
    NotIdentified,
}

/// Why no record could be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Fields are missing; all of them are listed.
    #[error("missing {0}")]
    Missing(MissingFields),
    /// A record cannot take its own place.
    #[error("expected another record to supersede, found the record itself")]
    SupersedesItself,
    /// The start with its second is of another minute than the exam time (`IDX-83`).
    #[error("expected a start within the minute of the exam time, found one of another minute")]
    StartOfAnotherMinute,
}

/// A field a record cannot be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordField {
    /// The person management code, or the statement that there is none.
    Person,
    /// The minute of the exam.
    ExamTime,
    /// The unit that stores the images.
    Unit,
    /// The StudyInstanceUID.
    StudyInstanceUid,
    /// The institution that made the exam.
    Institution,
    /// The number of series.
    SeriesCount,
    /// The number of images.
    ImageCount,
}

impl RecordField {
    const ALL: [Self; 7] = [
        Self::Person,
        Self::ExamTime,
        Self::Unit,
        Self::StudyInstanceUid,
        Self::Institution,
        Self::SeriesCount,
        Self::ImageCount,
    ];
}

impl RecordField {
    /// The stable name for programs, that of the exchange form where it has one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::ExamTime => "exam_time",
            Self::Unit => "unit",
            Self::StudyInstanceUid => "study_instance_uid",
            Self::Institution => "institution",
            Self::SeriesCount => "series_count",
            Self::ImageCount => "image_count",
        }
    }
}

impl fmt::Display for RecordField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person => "person code",
            Self::ExamTime => "exam time",
            Self::Unit => "storage unit",
            Self::StudyInstanceUid => "study instance uid",
            Self::Institution => "institution",
            Self::SeriesCount => "series count",
            Self::ImageCount => "image count",
        })
    }
}

/// The fields a record lacks, in a fixed order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MissingFields {
    /// One bit per field.
    bits: u8,
}

impl MissingFields {
    const NONE: Self = Self { bits: 0 };

    const fn with(self, field: RecordField) -> Self {
        Self {
            bits: self.bits | 1 << field as u8,
        }
    }

    const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Whether the field is missing.
    #[must_use]
    pub const fn contains(self, field: RecordField) -> bool {
        self.bits & 1 << field as u8 != 0
    }

    /// The missing fields.
    pub fn iter(self) -> impl Iterator<Item = RecordField> {
        RecordField::ALL
            .into_iter()
            .filter(move |field| self.contains(*field))
    }
}

impl fmt::Display for MissingFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, field) in self.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{field}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for MissingFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
