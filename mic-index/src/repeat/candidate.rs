//! The answer: nothing, or candidates in the order of their weight.

use alloc::vec::{self, Vec};
use core::slice;

use super::question::NotAskable;
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::record::{ExamRecord, RecordKey};
use crate::time::ExamTime;

/// The outcome of a question (`IDX-60`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a question can't be asked, finds nothing, or finds something"
)]
pub enum Nomination {
    /// Nobody could ask, and why.
    NotAskable(NotAskable),
    /// Asked, and no earlier exam was found.
    Nothing,
    /// Earlier exams, the closest first.
    Found(Candidates),
}

impl Nomination {
    /// The stable name for programs: `not_askable`, `nothing`, `found`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotAskable(_) => "not_askable",
            Self::Nothing => "nothing",
            Self::Found(_) => "found",
        }
    }

    /// The candidates, where there are any.
    #[must_use]
    pub fn found(self) -> Option<Candidates> {
        match self {
            Self::Found(candidates) => Some(candidates),
            Self::NotAskable(_) | Self::Nothing => None,
        }
    }
}

/// How close the part of an earlier exam comes to that of the new one; the closest first (`IDX-63`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PartMatch {
    /// One technique in common, code for code.
    Same,
    /// One body part in common: the first four characters of two codes agree, the technique or the
    /// projection differs. The meaning of single characters is not published, so this is a hint.
    Region,
    /// The question was for any part.
    NotAsked,
    /// The earlier exam states no part.
    Unknown,
}

impl PartMatch {
    /// The stable name for programs: `same`, `region`, `not_asked`, `unknown`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Region => "region",
            Self::NotAsked => "not_asked",
            Self::Unknown => "unknown",
        }
    }
}

/// An earlier exam that the new one may repeat, and why it was nominated.
///
/// Its `Debug` masks the person, like that of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    key: RecordKey,
    exam_type: ExamType,
    institution: InstitutionCode,
    days_before: u16,
    part: PartMatch,
}

impl Candidate {
    pub(super) fn new(
        record: &ExamRecord,
        exam_type: ExamType,
        days_before: u16,
        part: PartMatch,
    ) -> Self {
        Self {
            key: record.key(),
            exam_type,
            institution: record.institution(),
            days_before,
            part,
        }
    }

    /// The key of the earlier record.
    #[must_use]
    pub const fn key(&self) -> RecordKey {
        self.key
    }

    /// When the earlier exam was made.
    #[must_use]
    pub const fn exam_time(&self) -> ExamTime {
        self.key.code().exam_time()
    }

    /// Its type, one of those asked for.
    #[must_use]
    pub const fn exam_type(&self) -> ExamType {
        self.exam_type
    }

    /// The institution that made it.
    #[must_use]
    pub const fn institution(&self) -> InstitutionCode {
        self.institution
    }

    /// Days of Beijing time before the new exam; zero on the same day.
    #[must_use]
    pub const fn days_before(&self) -> u16 {
        self.days_before
    }

    /// How close its part is.
    #[must_use]
    pub const fn part(&self) -> PartMatch {
        self.part
    }
}

/// Candidates, at least one: the closest part first, then the latest, then by key (`IDX-65`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    first: Candidate,
    rest: Vec<Candidate>,
}

impl Candidates {
    /// Sorts; one candidate per record key. `None` if there is none.
    pub(super) fn new(mut found: Vec<Candidate>) -> Option<Self> {
        let closest_first = |a: &Candidate, b: &Candidate| {
            let latest_first = b.exam_time().cmp(&a.exam_time());
            a.part
                .cmp(&b.part)
                .then(latest_first)
                .then(a.key.cmp(&b.key))
        };
        // One record may come twice, and with other parts the second time: the closest counts.
        found.sort_by(|a, b| a.key.cmp(&b.key).then(closest_first(a, b)));
        found.dedup_by_key(|candidate| candidate.key);
        found.sort_by(closest_first);
        let mut found = found.into_iter();
        let first = found.next()?;
        let rest = found.collect();
        Some(Self { first, rest })
    }

    /// The closest one.
    #[must_use]
    pub const fn best(&self) -> &Candidate {
        &self.first
    }

    /// All of them, the closest first.
    pub fn iter(&self) -> impl Iterator<Item = &Candidate> {
        slice::from_ref(&self.first).iter().chain(&self.rest)
    }
}

impl IntoIterator for Candidates {
    type Item = Candidate;
    type IntoIter = core::iter::Chain<core::iter::Once<Candidate>, vec::IntoIter<Candidate>>;

    fn into_iter(self) -> Self::IntoIter {
        core::iter::once(self.first).chain(self.rest)
    }
}
