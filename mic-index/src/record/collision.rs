//! Codes that stand for more than one study: reported, never merged.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::RecordKey;
use crate::code::IndexCode;
use crate::study_uid::StudyInstanceUid;

/// Studies a collision lists at most. One person has no more exams in one minute; what is beyond
/// comes from a broken export and is counted in [`Collision::omitted`].
pub const COLLIDED_STUDIES_MAX: usize = 4096;

/// A code and the studies that share it (`IDX-13`, `IDX-90`).
///
/// ```
/// use mic_index::{Collision, RecordKey, index_code};
///
/// let code = index_code!(
///     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
/// );
/// let keys = [
///     RecordKey::new(code, "1.2.4".parse()?),
///     RecordKey::new(code, "1.2.3".parse()?),
///     RecordKey::new(code, "1.2.4".parse()?),
/// ];
/// let report = Collision::among((1..).zip(keys));
/// assert_eq!(report.len(), 1);
/// let studies: Vec<_> = report[0].studies().iter().map(|study| (study.line(), study.lines())).collect();
/// assert_eq!(studies, [(2, 1), (1, 2)]); // by StudyInstanceUID
/// assert_eq!(report[0].first_line(), 1);
/// # Ok::<(), mic_index::StudyUidError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Collision {
    code: IndexCode,
    first_line: u64,
    studies: Vec<CollidedStudy>,
    omitted: u64,
}

impl Collision {
    #[cfg(feature = "bulk")]
    pub(crate) const fn new(
        code: IndexCode,
        first_line: u64,
        studies: Vec<CollidedStudy>,
        omitted: u64,
    ) -> Self {
        Self {
            code,
            first_line,
            studies,
            omitted,
        }
    }

    /// The collisions among numbered keys, by code: those of a file, or of what is about to be sent.
    /// In memory; for files see the feature `bulk`.
    #[must_use]
    pub fn among(keys: impl IntoIterator<Item = (u64, RecordKey)>) -> Vec<Self> {
        let mut lines: BTreeMap<RecordKey, (u64, u64)> = BTreeMap::new();
        for (line, key) in keys {
            let (first, count) = lines.entry(key).or_insert((line, 0));
            *first = line.min(*first);
            *count += 1;
        }
        let mut report: Vec<Self> = Vec::new();
        for (key, (line, lines)) in lines {
            let uid = Some(key.study_instance_uid());
            let study = CollidedStudy::new(uid, line, lines);
            match report.last_mut() {
                Some(last) if last.code == key.code() => {
                    last.first_line = last.first_line.min(line);
                    if last.studies.len() < COLLIDED_STUDIES_MAX {
                        last.studies.push(study);
                    } else {
                        last.omitted += 1;
                    }
                }
                last => {
                    // A code with one study is no collision.
                    if last.is_some_and(|last| last.studies.len() < 2) {
                        report.pop();
                    }
                    report.push(Self {
                        code: key.code(),
                        first_line: line,
                        studies: Vec::from([study]),
                        omitted: 0,
                    });
                }
            }
        }
        if report.last().is_some_and(|last| last.studies.len() < 2) {
            report.pop();
        }
        report
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> IndexCode {
        self.code
    }

    /// The first line with the code: the one that is accepted. The first lines of the other studies
    /// are the ones that collide with it.
    #[must_use]
    pub const fn first_line(&self) -> u64 {
        self.first_line
    }

    /// The studies, by StudyInstanceUID; rows without one come first and count as one study.
    #[must_use]
    pub fn studies(&self) -> &[CollidedStudy] {
        &self.studies
    }

    /// Studies beyond [`COLLIDED_STUDIES_MAX`], counted and not listed.
    #[must_use]
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }
}

impl fmt::Debug for Collision {
    /// Shows lines and numbers, nothing of the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collision")
            .field("first_line", &self.first_line)
            .field("studies", &self.studies)
            .field("omitted", &self.omitted)
            .finish_non_exhaustive()
    }
}

/// A study that shares its code with another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CollidedStudy {
    study_instance_uid: Option<StudyInstanceUid>,
    line: u64,
    lines: u64,
}

impl CollidedStudy {
    pub(crate) const fn new(
        study_instance_uid: Option<StudyInstanceUid>,
        line: u64,
        lines: u64,
    ) -> Self {
        Self {
            study_instance_uid,
            line,
            lines,
        }
    }

    /// The StudyInstanceUID; `None` for rows without one.
    #[must_use]
    pub const fn study_instance_uid(&self) -> Option<StudyInstanceUid> {
        self.study_instance_uid
    }

    /// Its first line.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Lines with its key, the first included.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }
}

impl fmt::Debug for CollidedStudy {
    /// Shows the lines alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollidedStudy")
            .field("line", &self.line)
            .field("lines", &self.lines)
            .finish_non_exhaustive()
    }
}
