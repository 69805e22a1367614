//! A line that was read.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use std::hash::DefaultHasher;

use crate::code::IndexCode;
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::record::{ExamRecord, RecordBuilder, RecordError, RecordKey};
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;

/// What a line holds: a code at least, a whole record at most.
///
/// Its key is the code with the StudyInstanceUID or with the absence of one (`IDX-56`).
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) code: IndexCode,
    pub(super) study_instance_uid: Option<StudyInstanceUid>,
    pub(super) institution: Option<InstitutionCode>,
    pub(super) exam_type: Option<ExamType>,
    pub(super) parts: Vec<SiteCode>,
    pub(super) series_count: Option<u32>,
    pub(super) image_count: Option<u32>,
    pub(super) accession_number: Option<String>,
    pub(super) supersedes: Option<Box<RecordKey>>,
}

impl Row {
    pub(super) const fn new(line: u64, offset: u64, code: IndexCode) -> Self {
        Self {
            line,
            offset,
            code,
            study_instance_uid: None,
            institution: None,
            exam_type: None,
            parts: Vec::new(),
            series_count: None,
            image_count: None,
            accession_number: None,
            supersedes: None,
        }
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
        self.institution
    }

    /// The accession number, where the line has one.
    #[must_use]
    pub fn accession_number(&self) -> Option<&str> {
        self.accession_number.as_deref()
    }

    /// The exam type, where the line has one.
    #[must_use]
    pub const fn exam_type(&self) -> Option<ExamType> {
        self.exam_type
    }

    /// The parts examined that the line states beside the code.
    #[must_use]
    pub fn parts(&self) -> &[SiteCode] {
        &self.parts
    }

    /// The number of series, where the line has one.
    #[must_use]
    pub const fn series_count(&self) -> Option<u32> {
        self.series_count
    }

    /// The number of images, where the line has one.
    #[must_use]
    pub const fn image_count(&self) -> Option<u32> {
        self.image_count
    }

    /// The record this one takes the place of, where the line has one.
    #[must_use]
    pub fn supersedes(&self) -> Option<RecordKey> {
        self.supersedes.as_deref().copied()
    }

    /// A record's builder with what the line holds.
    #[must_use]
    pub fn to_builder(&self) -> RecordBuilder {
        let mut builder = ExamRecord::builder().code(self.code).counts(
            self.series_count.unwrap_or_default(),
            self.image_count.unwrap_or_default(),
        );
        if let Some(uid) = self.study_instance_uid {
            builder = builder.study_instance_uid(uid);
        }
        if let Some(institution) = self.institution {
            builder = builder.institution(institution);
        }
        if let Some(exam_type) = self.exam_type {
            builder = builder.exam_type(exam_type);
        }
        for part in &self.parts {
            builder = builder.part(*part);
        }
        if let Some(number) = &self.accession_number {
            builder = builder.accession_number(number.as_str());
        }
        if let Some(earlier) = self.supersedes() {
            builder = builder.supersedes(earlier);
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

    /// Stands for the fields that are not part of the key. Two rows of one key with equal fields have
    /// equal digests; the reverse holds but for one pair in 2^64.
    pub(super) fn digest(&self) -> u64 {
        if self.institution.is_none()
            && self.exam_type.is_none()
            && self.parts.is_empty()
            && self.series_count.is_none()
            && self.image_count.is_none()
            && self.accession_number.is_none()
            && self.supersedes.is_none()
        {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        self.institution.hash(&mut hasher);
        self.exam_type.hash(&mut hasher);
        self.parts.hash(&mut hasher);
        self.series_count.hash(&mut hasher);
        self.image_count.hash(&mut hasher);
        self.accession_number.hash(&mut hasher);
        self.supersedes.hash(&mut hasher);
        hasher.finish()
    }
}

impl fmt::Debug for Row {
    /// Masks the person code and leaves out the accession number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("line", &self.line)
            .field("code", &self.code)
            .field("study_instance_uid", &self.study_instance_uid)
            .field("institution", &self.institution)
            .field("exam_type", &self.exam_type)
            .finish_non_exhaustive()
    }
}
