//! A line that was read.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use std::hash::DefaultHasher;

use crate::code::IndexCode;
use crate::exam_item::{ExamItem, ItemCode, ItemName};
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::moment::Moment;
use crate::record::{ExamRecord, RecordBuilder, RecordError, RecordKey};
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;

/// What a line holds: a code at least, a whole record at most.
///
/// Its key is the code with the StudyInstanceUID or with the absence of one (`IDX-56`). A reader has
/// one row and fills it again with every line, so that a line costs no allocation; `clone` keeps it.
#[derive(Clone)]
pub struct Row {
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) code: IndexCode,
    pub(super) study_instance_uid: Option<StudyInstanceUid>,
    /// Whether a field of `more` was set.
    stated: bool,
    more: More,
}

/// The fields that are not part of the key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct More {
    pub(super) institution: Option<InstitutionCode>,
    pub(super) exam_type: Option<ExamType>,
    pub(super) parts: Vec<SiteCode>,
    pub(super) series_count: Option<u32>,
    pub(super) image_count: Option<u32>,
    /// Empty where there is none.
    pub(super) accession_number: String,
    pub(super) supersedes: Option<RecordKey>,
    pub(super) item_code: Option<ItemCode>,
    pub(super) item_name: Option<ItemName>,
    pub(super) ordered_at: Option<Moment>,
    /// In the minute of the code.
    pub(super) started_at: Option<Moment>,
    pub(super) ended_at: Option<Moment>,
    pub(super) reported_at: Option<Moment>,
}

impl More {
    const NONE: Self = Self {
        institution: None,
        exam_type: None,
        parts: Vec::new(),
        series_count: None,
        image_count: None,
        accession_number: String::new(),
        supersedes: None,
        item_code: None,
        item_name: None,
        ordered_at: None,
        started_at: None,
        ended_at: None,
        reported_at: None,
    };

    /// Nothing set. The memory of the text that most records have is kept.
    fn clear(&mut self) {
        let mut accession_number = core::mem::take(&mut self.accession_number);
        accession_number.clear();
        *self = Self {
            accession_number,
            ..Self::NONE
        };
    }
}

impl Row {
    /// Of no line yet.
    pub(super) const NONE: Self = Self {
        line: 0,
        offset: 0,
        code: IndexCode::MIN,
        study_instance_uid: None,
        stated: false,
        more: More::NONE,
    };

    /// Begins with another line.
    #[inline]
    pub(super) fn begin(&mut self, line: u64, offset: u64) {
        self.line = line;
        self.offset = offset;
        self.study_instance_uid = None;
        if self.stated {
            self.stated = false;
            self.more.clear();
        }
    }

    /// The fields that are not part of the key, to set one.
    #[inline]
    pub(super) const fn more_mut(&mut self) -> &mut More {
        self.stated = true;
        &mut self.more
    }

    /// Sets the parts examined: in order and each once.
    pub(super) fn set_parts(&mut self, mut parts: Vec<SiteCode>) {
        parts.sort_unstable();
        parts.dedup();
        self.more_mut().parts = parts;
    }

    /// The number of the line, counted from one; that of the first where a CSV row has several.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The byte of the (decompressed) file the line begins at.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The index code.
    #[must_use]
    pub const fn code(&self) -> IndexCode {
        self.code
    }

    /// The StudyInstanceUID, where the line has one.
    #[must_use]
    pub const fn study_instance_uid(&self) -> Option<StudyInstanceUid> {
        self.study_instance_uid
    }

    /// The institution that made the exam, where the line says so.
    #[must_use]
    pub const fn institution(&self) -> Option<InstitutionCode> {
        self.more.institution
    }

    /// The accession number, where the line has one.
    #[must_use]
    pub fn accession_number(&self) -> Option<&str> {
        Some(self.more.accession_number.as_str()).filter(|number| !number.is_empty())
    }

    /// The exam type, where the line has one.
    #[must_use]
    pub const fn exam_type(&self) -> Option<ExamType> {
        self.more.exam_type
    }

    /// The parts examined that the line states beside the code.
    #[must_use]
    pub fn parts(&self) -> &[SiteCode] {
        &self.more.parts
    }

    /// The number of series, where the line has one.
    #[must_use]
    pub const fn series_count(&self) -> Option<u32> {
        self.more.series_count
    }

    /// The number of images, where the line has one.
    #[must_use]
    pub const fn image_count(&self) -> Option<u32> {
        self.more.image_count
    }

    /// The record this one takes the place of, where the line has one.
    #[must_use]
    pub const fn supersedes(&self) -> Option<RecordKey> {
        self.more.supersedes
    }

    /// The code of the exam item, where the line has one.
    #[must_use]
    pub const fn item_code(&self) -> Option<&ItemCode> {
        self.more.item_code.as_ref()
    }

    /// The name of the exam item, where the line has one.
    #[must_use]
    pub const fn item_name(&self) -> Option<&ItemName> {
        self.more.item_name.as_ref()
    }

    /// When the exam was ordered, where the line says so.
    #[must_use]
    pub const fn ordered_at(&self) -> Option<Moment> {
        self.more.ordered_at
    }

    /// The exam time with its second, where the line has one; in the minute of the code.
    #[must_use]
    pub const fn started_at(&self) -> Option<Moment> {
        self.more.started_at
    }

    /// When the exam ended, where the line says so.
    #[must_use]
    pub const fn ended_at(&self) -> Option<Moment> {
        self.more.ended_at
    }

    /// When the report was signed, where the line says so.
    #[must_use]
    pub const fn reported_at(&self) -> Option<Moment> {
        self.more.reported_at
    }

    /// A record's builder with what the line holds.
    #[must_use]
    pub fn to_builder(&self) -> RecordBuilder {
        let mut builder = ExamRecord::builder().code(self.code);
        if let Some(uid) = self.study_instance_uid {
            builder = builder.study_instance_uid(uid);
        }
        let more = &self.more;
        if !self.stated {
            return builder;
        }
        builder = builder.counts(
            more.series_count.unwrap_or_default(),
            more.image_count.unwrap_or_default(),
        );
        if let Some(institution) = more.institution {
            builder = builder.institution(institution);
        }
        if let Some(exam_type) = more.exam_type {
            builder = builder.exam_type(exam_type);
        }
        for part in &more.parts {
            builder = builder.part(*part);
        }
        if let Some(number) = self.accession_number() {
            builder = builder.accession_number(number);
        }
        if let Some(earlier) = more.supersedes {
            builder = builder.supersedes(earlier);
        }
        if let Some(item) = ExamItem::new(more.item_code.clone(), more.item_name.clone()) {
            builder = builder.item(item);
        }
        if let Some(moment) = more.ordered_at {
            builder = builder.ordered_at(moment);
        }
        if let Some(moment) = more.started_at {
            builder = builder.started_at(moment);
        }
        if let Some(moment) = more.ended_at {
            builder = builder.ended_at(moment);
        }
        if let Some(moment) = more.reported_at {
            builder = builder.reported_at(moment);
        }
        builder
    }

    /// The record.
    ///
    /// # Errors
    ///
    /// [`RecordError::Missing`] with every field the line lacks; [`RecordError::SupersedesItself`].
    pub fn to_record(&self) -> Result<ExamRecord, RecordError> {
        let outcome = self.to_builder().build()?;
        // The person is part of the code, so "not indexable" does not occur.
        outcome.record().ok_or(RecordError::SupersedesItself)
    }

    /// Whether a record can be made of it.
    #[inline]
    pub(super) fn check(&self) -> Result<(), RecordError> {
        let more = &self.more;
        let usual = self.study_instance_uid.is_some()
            && more.institution.is_some()
            && more.series_count.is_some_and(|count| count > 0)
            && more.image_count.is_some_and(|count| count > 0)
            && more.supersedes.is_none();
        if usual {
            return Ok(());
        }
        self.to_record().map(drop)
    }

    /// Stands for the fields that are not part of the key. Two rows of one key with equal fields have
    /// equal digests; the reverse holds but for one pair in 2^64.
    pub(super) fn digest(&self) -> u64 {
        if !self.stated {
            return 0;
        }
        let more = &self.more;
        // Filler and the code's own site state nothing beside the code; a record leaves them out too.
        let stated = |part: &&SiteCode| part.is_assigned() && **part != self.code.site();
        let parts: Vec<&SiteCode> = more.parts.iter().filter(stated).collect();
        let others = (
            (more.institution, more.exam_type),
            (more.series_count, more.image_count),
            (&more.accession_number, more.supersedes),
            (&more.item_code, &more.item_name),
            (more.ordered_at, more.started_at),
            (more.ended_at, more.reported_at),
        );
        let nothing = (
            (None, None),
            (None, None),
            (&String::new(), None),
            (&None, &None),
            (None, None),
            (None, None),
        );
        if parts.is_empty() && others == nothing {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        (parts, others).hash(&mut hasher);
        hasher.finish()
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        (self.line, self.offset, self.code) == (other.line, other.offset, other.code)
            && self.study_instance_uid == other.study_instance_uid
            && self.more == other.more
    }
}

impl Eq for Row {}

impl fmt::Debug for Row {
    /// Masks the person code and leaves out the accession number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("line", &self.line)
            .field("code", &self.code)
            .field("study_instance_uid", &self.study_instance_uid)
            .field("institution", &self.institution())
            .field("exam_type", &self.exam_type())
            .finish_non_exhaustive()
    }
}
