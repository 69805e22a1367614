//! The merge of three ascending streams.

use core::fmt;
use core::iter::FusedIterator;

use super::ascending::{Ascending, Descends};
use super::counts::GapCounts;
use super::sides::{Side, Sides};
use crate::code::IndexCode;
use crate::record::{ExamRecord, NotIndexable, RecordKey};
use crate::study_uid::StudyInstanceUid;

/// The order in which records have to come: by StudyInstanceUID, then by code (`IDX-108`).
///
/// The archive knows the study alone, so the study leads; the order of [`RecordKey`] itself begins
/// with the code.
#[must_use]
pub fn by_study(key: &RecordKey) -> (StudyInstanceUid, IndexCode) {
    (key.study_instance_uid(), key.code())
}

/// An exam in the hospital's list. Its order is that of [`by_study`], not indexable ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exam {
    study_instance_uid: StudyInstanceUid,
    code: Option<IndexCode>,
}

impl Exam {
    /// An exam and its code; `None` if it can have none (`IDX-109`).
    #[must_use]
    pub const fn new(study_instance_uid: StudyInstanceUid, code: Option<IndexCode>) -> Self {
        Self {
            study_instance_uid,
            code,
        }
    }
}

impl From<RecordKey> for Exam {
    fn from(key: RecordKey) -> Self {
        Self::new(key.study_instance_uid(), Some(key.code()))
    }
}

impl From<&ExamRecord> for Exam {
    fn from(record: &ExamRecord) -> Self {
        record.key().into()
    }
}

impl From<NotIndexable> for Exam {
    fn from(not: NotIndexable) -> Self {
        Self::new(not.study_instance_uid(), None)
    }
}

/// One study under one code, and where it is.
///
/// A study that the hospital and the index know under different codes makes two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GapRow {
    exam: Exam,
    sides: Sides,
}

impl GapRow {
    /// The study.
    #[must_use]
    pub const fn study_instance_uid(&self) -> StudyInstanceUid {
        self.exam.study_instance_uid
    }

    /// The code; `None` for images alone and for exams that can have none.
    #[must_use]
    pub const fn code(&self) -> Option<IndexCode> {
        self.exam.code
    }

    /// The key of the record, where there is a code.
    #[must_use]
    pub fn key(&self) -> Option<RecordKey> {
        let uid = self.exam.study_instance_uid;
        self.exam.code.map(|code| RecordKey::new(code, uid))
    }

    /// Where it is.
    #[must_use]
    pub const fn sides(&self) -> Sides {
        self.sides
    }

    /// Whether the hospital says that the exam can have no code.
    #[must_use]
    pub const fn is_not_indexable(&self) -> bool {
        self.exam.code.is_none() && self.sides.contains(Side::Exams)
    }
}

/// Accepted records as what the exams are compared with.
type AsExams<I> = core::iter::Map<I, fn(RecordKey) -> Exam>;

/// The report: an iterator over rows, in the order of [`by_study`], see [`gaps`](crate::gaps).
///
/// Each stream has to ascend: exams and images in their own order, records in that of [`by_study`].
/// Repetitions are counted once. The first entry out of order ends the report with an error, because
/// every row after it could be wrong. Three entries are held at a time.
pub struct Gaps<E, I, M>
where
    E: Iterator<Item = Exam>,
    I: Iterator<Item = RecordKey>,
    M: Iterator<Item = StudyInstanceUid>,
{
    exams: Ascending<E>,
    index: Ascending<AsExams<I>>,
    images: Ascending<M>,
    /// The last study the archive was found to hold.
    imaged: Option<StudyInstanceUid>,
    counts: GapCounts,
    ended: bool,
}

impl<E, I, M> Gaps<E, I, M>
where
    E: Iterator<Item = Exam>,
    I: Iterator<Item = RecordKey>,
    M: Iterator<Item = StudyInstanceUid>,
{
    /// A report over three streams.
    pub fn new(
        exams: impl IntoIterator<IntoIter = E>,
        index: impl IntoIterator<IntoIter = I>,
        images: impl IntoIterator<IntoIter = M>,
    ) -> Self {
        let exam: fn(RecordKey) -> Exam = Exam::from;
        Self {
            exams: Ascending::new(exams.into_iter()),
            index: Ascending::new(index.into_iter().map(exam)),
            images: Ascending::new(images.into_iter()),
            imaged: None,
            counts: GapCounts::default(),
            ended: false,
        }
    }

    /// What the rows so far add up to.
    #[must_use]
    pub fn counts(&self) -> GapCounts {
        let mut counts = self.counts;
        counts.set_repeated(Side::Exams, self.exams.repeated());
        counts.set_repeated(Side::Index, self.index.repeated());
        counts.set_repeated(Side::Images, self.images.repeated());
        counts
    }

    /// Reads all three streams to their end and gives the counts alone.
    ///
    /// # Errors
    ///
    /// [`OrderError`] at the first entry out of order.
    pub fn into_counts(mut self) -> Result<GapCounts, OrderError> {
        for row in &mut self {
            row?;
        }
        Ok(self.counts())
    }

    fn row(&mut self) -> Result<Option<GapRow>, OrderError> {
        let study = |exam: Exam| exam.study_instance_uid;
        let (exam, record) = (self.exams.peek(), self.index.peek());
        // The least of those that are there.
        let least = exam.into_iter().chain(record).min();
        if let Some(image) = self.images.peek() {
            if least.is_none_or(|least| image <= study(least)) {
                self.imaged = Some(image);
                self.images.advance().map_err(|at| at.on(Side::Images))?;
                if least.is_none_or(|least| image < study(least)) {
                    let exam = Exam::new(image, None);
                    let sides = Sides::IMAGES;
                    return Ok(Some(GapRow { exam, sides }));
                }
            }
        }
        let Some(least) = least else {
            return Ok(None);
        };
        let mut bits = 0;
        if exam == Some(least) {
            bits |= Side::Exams.bit();
            self.exams.advance().map_err(|at| at.on(Side::Exams))?;
        }
        if record == Some(least) {
            bits |= Side::Index.bit();
            self.index.advance().map_err(|at| at.on(Side::Index))?;
        }
        if self.imaged == Some(study(least)) {
            bits |= Side::Images.bit();
        }
        Ok(Some(GapRow {
            exam: least,
            sides: Sides::from_bits(bits),
        }))
    }
}

impl<E, I, M> Iterator for Gaps<E, I, M>
where
    E: Iterator<Item = Exam>,
    I: Iterator<Item = RecordKey>,
    M: Iterator<Item = StudyInstanceUid>,
{
    type Item = Result<GapRow, OrderError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.row();
        match &row {
            Ok(Some(row)) => self.counts.add(row),
            Ok(None) | Err(_) => self.ended = true,
        }
        row.transpose()
    }
}

impl<E, I, M> FusedIterator for Gaps<E, I, M>
where
    E: Iterator<Item = Exam>,
    I: Iterator<Item = RecordKey>,
    M: Iterator<Item = StudyInstanceUid>,
{
}

impl<E, I, M> fmt::Debug for Gaps<E, I, M>
where
    E: Iterator<Item = Exam>,
    I: Iterator<Item = RecordKey>,
    M: Iterator<Item = StudyInstanceUid>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gaps")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// A stream does not ascend; whoever sorts it has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{side}: expected entries in ascending order, found a lesser one at entry {at}")]
pub struct OrderError {
    side: Side,
    at: u64,
}

impl OrderError {
    /// The stream.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// The entry that is less than the one before it, counted from zero.
    #[must_use]
    pub const fn at(&self) -> u64 {
        self.at
    }
}

impl Descends {
    const fn on(self, side: Side) -> OrderError {
        OrderError { side, at: self.at }
    }
}
