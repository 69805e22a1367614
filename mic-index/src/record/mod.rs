//! The record of an exam: the code, and beside it what the code cannot say.

mod builder;
mod collision;
mod key;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use builder::{
    MissingFields, NoPerson, NotIndexable, RecordBuilder, RecordError, RecordField, RecordOutcome,
};
pub use collision::{COLLIDED_STUDIES_MAX, CollidedStudy, Collision};
pub use key::{KeyRelation, RecordKey};

use crate::code::IndexCode;
use crate::exam_item::ExamItem;
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::moment::Moment;
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;

/// What the index holds of one exam: the code and what it leaves out.
///
/// The code does not say which hospital made the exam, of what type it is, or which of two studies
/// of the same minute is meant; the record does. Built with [`ExamRecord::builder`], which names all
/// missing fields at once.
///
/// ```
/// use mic_index::{ExamRecord, ExamType, RecordOutcome, index_code};
///
/// let code = index_code!(
///     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
/// );
/// let outcome = ExamRecord::builder()
///     .code(code)
///     .study_instance_uid("1.2.840.1.2.3".parse()?)
///     .institution("H35020300001".parse()?)
///     .exam_type(ExamType::Ct)
///     .counts(1, 28)
///     .build()?;
/// let RecordOutcome::Record(record) = outcome else { unreachable!() };
/// assert_eq!(record.key().code(), code);
/// assert_eq!(record.image_count(), 28);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ExamRecord {
    key: RecordKey,
    institution: InstitutionCode,
    accession_number: Option<String>,
    exam_type: Option<ExamType>,
    item: Option<ExamItem>,
    times: Times,
    /// Ascending, without repetition, without the filler and the site of the code.
    parts: Vec<SiteCode>,
    /// At least one.
    series_count: u32,
    /// At least one.
    image_count: u32,
    /// Another key than this record's own.
    supersedes: Option<RecordKey>,
}

/// What is known of an exam's course beyond the minute of its code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Times {
    ordered: Option<Moment>,
    /// In the minute of the code (`IDX-83`).
    started: Option<Moment>,
    ended: Option<Moment>,
    reported: Option<Moment>,
}

impl ExamRecord {
    /// A builder with nothing set.
    #[must_use]
    pub fn builder() -> RecordBuilder {
        RecordBuilder::default()
    }

    /// The key: code and StudyInstanceUID (`IDX-13`).
    #[must_use]
    pub const fn key(&self) -> RecordKey {
        self.key
    }

    /// The index code. Not unique; see [`key`](Self::key).
    #[must_use]
    pub const fn code(&self) -> IndexCode {
        self.key.code()
    }

    /// The StudyInstanceUID.
    #[must_use]
    pub const fn study_instance_uid(&self) -> StudyInstanceUid {
        self.key.study_instance_uid()
    }

    /// The institution that made the exam.
    #[must_use]
    pub const fn institution(&self) -> InstitutionCode {
        self.institution
    }

    /// The accession number, where the exam has one.
    #[must_use]
    pub fn accession_number(&self) -> Option<&str> {
        self.accession_number.as_deref()
    }

    /// The exam type; `None` for what is none of the five, such as slide microscopy.
    #[must_use]
    pub const fn exam_type(&self) -> Option<ExamType> {
        self.exam_type
    }

    /// The exam item (检查项目), where it is known.
    #[must_use]
    pub const fn item(&self) -> Option<&ExamItem> {
        self.item.as_ref()
    }

    /// When the exam was ordered, where it is known.
    #[must_use]
    pub const fn ordered_at(&self) -> Option<Moment> {
        self.times.ordered
    }

    /// The exam time with its second, where it is known: always in the minute of the code (`IDX-83`).
    #[must_use]
    pub const fn started_at(&self) -> Option<Moment> {
        self.times.started
    }

    /// When the exam ended, where it is known.
    #[must_use]
    pub const fn ended_at(&self) -> Option<Moment> {
        self.times.ended
    }

    /// When the report was signed, where it is known and there is one yet.
    #[must_use]
    pub const fn reported_at(&self) -> Option<Moment> {
        self.times.reported
    }

    /// The parts examined (检查部位), as far as they are known: the site of the code where it is not the
    /// filler, then those stated beside it.
    ///
    /// The code has one place for them and carries zeros there today, and a study may have several.
    pub fn parts(&self) -> impl Iterator<Item = SiteCode> + '_ {
        let of_code = Some(self.code().site()).filter(|site| site.is_assigned());
        of_code.into_iter().chain(self.parts.iter().copied())
    }

    /// The parts stated beside the code.
    #[cfg_attr(
        not(feature = "serde"),
        expect(dead_code, reason = "the exchange form alone asks")
    )]
    pub(crate) fn stated_parts(&self) -> &[SiteCode] {
        &self.parts
    }

    /// Series of the study, at least one.
    #[must_use]
    pub const fn series_count(&self) -> u32 {
        self.series_count
    }

    /// Images of the study, at least one.
    #[must_use]
    pub const fn image_count(&self) -> u32 {
        self.image_count
    }

    /// The record this one takes the place of; that one stays resolvable.
    #[must_use]
    pub const fn supersedes(&self) -> Option<RecordKey> {
        self.supersedes
    }
}

impl fmt::Debug for ExamRecord {
    /// Masks the person code and leaves out the accession number and the text of the item.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExamRecord")
            .field("key", &self.key)
            .field("institution", &self.institution)
            .field("exam_type", &self.exam_type)
            .field("item", &self.item)
            .field("ordered_at", &self.times.ordered)
            .field("started_at", &self.times.started)
            .field("ended_at", &self.times.ended)
            .field("reported_at", &self.times.reported)
            .field("parts", &self.parts)
            .field("series_count", &self.series_count)
            .field("image_count", &self.image_count)
            .field("supersedes", &self.supersedes)
            .finish_non_exhaustive()
    }
}
