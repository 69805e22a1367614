//! What makes a record one of its kind.

use crate::code::IndexCode;
use crate::study_uid::StudyInstanceUid;

/// The key of a record: index code and StudyInstanceUID (`IDX-13`).
///
/// ```
/// use mic_index::{KeyRelation, RecordKey, index_code};
///
/// let code = index_code!(
///     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
/// );
/// let chest = RecordKey::new(code, "1.2.3".parse()?);
/// let abdomen = RecordKey::new(code, "1.2.4".parse()?);
/// assert_eq!(chest.relation(&abdomen), KeyRelation::Collision);
/// # Ok::<(), mic_index::StudyUidError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    code: IndexCode,
    study_instance_uid: StudyInstanceUid,
}

impl RecordKey {
    /// The key of a study under its code.
    #[must_use]
    pub const fn new(code: IndexCode, study_instance_uid: StudyInstanceUid) -> Self {
        Self {
            code,
            study_instance_uid,
        }
    }

    /// The index code.
    #[must_use]
    pub const fn code(&self) -> IndexCode {
        self.code
    }

    /// The StudyInstanceUID.
    #[must_use]
    pub const fn study_instance_uid(&self) -> StudyInstanceUid {
        self.study_instance_uid
    }

    /// How two keys stand to each other.
    #[must_use]
    pub fn relation(&self, other: &Self) -> KeyRelation {
        match (
            self.code == other.code,
            self.study_instance_uid == other.study_instance_uid,
        ) {
            (true, true) => KeyRelation::Same,
            (true, false) => KeyRelation::Collision,
            (false, true) => KeyRelation::Recoded,
            (false, false) => KeyRelation::Distinct,
        }
    }
}

/// How two record keys stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "two halves are equal or not: four cases"
)]
pub enum KeyRelation {
    /// The same record, delivered again.
    Same,
    /// One code for two studies: both are kept and reported, never merged.
    Collision,
    /// One study under two codes: one of them is wrong or supersedes the other.
    Recoded,
    /// Nothing in common.
    Distinct,
}
