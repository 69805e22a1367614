//! The question: person, day, types, parts, window.

use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDate;

use super::candidate::{Candidate, Candidates, Nomination, PartMatch};
use crate::exam_type::ExamType;
use crate::exam_types::ExamTypes;
use crate::person::PersonCode;
use crate::record::{ExamRecord, NoPerson, RecordKey};
use crate::site::SiteCode;

/// Days back that are asked for unless stated: half a year, no rule of the platform being published.
pub const WINDOW_DAYS_DEFAULT: u16 = 180;

/// What is done with earlier exams whose parts nobody stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum UnknownParts {
    /// They are nominated, behind all others: the index carries zeros for most parts today.
    #[default]
    Nominate,
    /// They are left out.
    Skip,
}

/// A question that can be asked: has this person had this exam in the days before?
///
/// Made with [`Question::builder`], which says why a question is not askable.
#[derive(Clone, PartialEq, Eq)]
pub struct Question {
    person: PersonCode,
    day: NaiveDate,
    window_days: u16,
    /// Not empty.
    types: ExamTypes,
    /// Not empty; `None` for any.
    parts: Option<Vec<SiteCode>>,
    unknown_parts: UnknownParts,
    except: Option<RecordKey>,
}

impl Question {
    /// A builder for the day of the new exam, in Beijing time.
    #[must_use]
    pub fn builder(day: NaiveDate) -> QuestionBuilder {
        QuestionBuilder {
            person: None,
            day,
            window_days: WINDOW_DAYS_DEFAULT,
            types: ExamTypes::NONE,
            parts: Vec::new(),
            any_part: false,
            unknown_parts: UnknownParts::default(),
            except: None,
        }
    }

    /// The earlier exams among the records, in any order. Records of other persons are passed over.
    ///
    /// Each record is looked at once; memory grows with what is found, not with what is looked at.
    /// A record that another one of them supersedes is left out, whoever's the later one is
    /// (`IDX-64`).
    pub fn nominate<'a>(&self, records: impl IntoIterator<Item = &'a ExamRecord>) -> Nomination {
        let mut found = Vec::new();
        let mut superseded = Vec::new();
        for record in records {
            let earlier = record.supersedes();
            superseded.extend(earlier.filter(|key| key.code().person() == self.person));
            found.extend(self.candidate(record));
        }
        superseded.sort_unstable();
        found.retain(|candidate: &Candidate| superseded.binary_search(&candidate.key()).is_err());
        match Candidates::new(found) {
            Some(candidates) => Nomination::Found(candidates),
            None => Nomination::Nothing,
        }
    }

    /// The day of the new exam, in Beijing.
    #[must_use]
    pub const fn day(&self) -> NaiveDate {
        self.day
    }

    /// The types asked for, at least one.
    #[must_use]
    pub const fn types(&self) -> ExamTypes {
        self.types
    }

    /// The parts asked for; none if any part is.
    #[must_use]
    pub fn parts(&self) -> &[SiteCode] {
        self.parts.as_deref().unwrap_or_default()
    }

    /// One record as an answer, were it the only one.
    fn candidate(&self, record: &ExamRecord) -> Option<Candidate> {
        let of_person = record.code().person() == self.person && self.except != Some(record.key());
        let exam_type = record
            .exam_type()
            .filter(|kind| self.types.contains(*kind))?;
        let days_before = self.days_before(record)?;
        let part = self.part_match(record)?;
        of_person.then(|| Candidate::new(record, exam_type, days_before, part))
    }

    /// Whole days of Beijing time between the record and the question, within the window
    /// (`IDX-62`).
    fn days_before(&self, record: &ExamRecord) -> Option<u16> {
        let day = record.code().exam_time().to_naive().date();
        let days = self.day.signed_duration_since(day).num_days();
        u16::try_from(days)
            .ok()
            .filter(|days| *days <= self.window_days)
    }

    /// How close the parts of the record come to those asked for (`IDX-63`).
    fn part_match(&self, record: &ExamRecord) -> Option<PartMatch> {
        let Some(asked) = &self.parts else {
            return Some(PartMatch::NotAsked);
        };
        let mut closest = None;
        let mut stated = false;
        for part in record.parts() {
            stated = true;
            if asked.contains(&part) {
                return Some(PartMatch::Same);
            }
            if asked.iter().any(|one| one.shares_region(part)) {
                closest = Some(PartMatch::Region);
            }
        }
        let nominate = self.unknown_parts == UnknownParts::Nominate;
        closest.or((!stated && nominate).then_some(PartMatch::Unknown))
    }
}

impl fmt::Debug for Question {
    /// Masks the person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("types", &self.types)
            .field("window_days", &self.window_days)
            .finish_non_exhaustive()
    }
}

/// Collects a [`Question`]; see [`repeat`](crate::repeat) for an example.
#[derive(Clone)]
pub struct QuestionBuilder {
    person: Option<Result<PersonCode, NoPerson>>,
    day: NaiveDate,
    window_days: u16,
    types: ExamTypes,
    parts: Vec<SiteCode>,
    any_part: bool,
    unknown_parts: UnknownParts,
    except: Option<RecordKey>,
}

impl QuestionBuilder {
    /// Sets the person.
    #[must_use]
    pub fn person(mut self, person: PersonCode) -> Self {
        self.person = Some(Ok(person));
        self
    }

    /// States that the person has no code, and why. Nobody can ask then.
    #[must_use]
    pub fn no_person(mut self, reason: NoPerson) -> Self {
        self.person = Some(Err(reason));
        self
    }

    /// Adds a type the new exam counts as; several are any of them.
    #[must_use]
    pub fn exam_type(mut self, kind: ExamType) -> Self {
        self.types = self.types.with(kind);
        self
    }

    /// Adds a part of the new exam (WS/T 364.8—2023); several are any of them. The filler adds
    /// nothing.
    #[must_use]
    pub fn part(mut self, part: SiteCode) -> Self {
        if part.is_assigned() {
            self.parts.push(part);
        }
        self
    }

    /// Asks for exams of any part, which has to be said: ultrasound and nuclear medicine have no
    /// codes, and a missing mapping must not look like a wide question.
    #[must_use]
    pub fn any_part(mut self) -> Self {
        self.any_part = true;
        self
    }

    /// Sets the days back, both ends included: 0 asks for the same day, 1 for the day before as
    /// well.
    #[must_use]
    pub fn window_days(mut self, days: u16) -> Self {
        self.window_days = days;
        self
    }

    /// Sets what is done with exams whose parts nobody stated.
    #[must_use]
    pub fn unknown_parts(mut self, policy: UnknownParts) -> Self {
        self.unknown_parts = policy;
        self
    }

    /// Leaves one record out: the exam itself, where it is recorded already.
    #[must_use]
    pub fn except(mut self, own: RecordKey) -> Self {
        self.except = Some(own);
        self
    }

    /// The question.
    ///
    /// # Errors
    ///
    /// [`NotAskable`] with every reason (`IDX-61`).
    pub fn build(self) -> Result<Question, NotAskable> {
        let not = NotAskable {
            person: match self.person {
                None => Some(NotAskableReason::Person),
                Some(Err(why)) => Some(NotAskableReason::NoPerson(why)),
                Some(Ok(_)) => None,
            },
            no_type: self.types.is_empty(),
            no_part: self.parts.is_empty() && !self.any_part,
        };
        match self.person {
            Some(Ok(person)) if !not.no_type && !not.no_part => Ok(Question {
                person,
                day: self.day,
                window_days: self.window_days,
                types: self.types,
                parts: (!self.any_part).then_some(self.parts),
                unknown_parts: self.unknown_parts,
                except: self.except,
            }),
            _ => Err(not),
        }
    }

    /// Builds the question and asks it: all three outcomes at once.
    pub fn nominate<'a>(self, records: impl IntoIterator<Item = &'a ExamRecord>) -> Nomination {
        match self.build() {
            Ok(question) => question.nominate(records),
            Err(not) => Nomination::NotAskable(not),
        }
    }
}

impl fmt::Debug for QuestionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QuestionBuilder(..)")
    }
}

/// Why a question cannot be asked: every reason, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NotAskable {
    person: Option<NotAskableReason>,
    no_type: bool,
    no_part: bool,
}

impl NotAskable {
    /// The reasons in a fixed order.
    pub fn reasons(self) -> impl Iterator<Item = NotAskableReason> {
        let kind = self.no_type.then_some(NotAskableReason::ExamType);
        let part = self.no_part.then_some(NotAskableReason::Part);
        [self.person, kind, part].into_iter().flatten()
    }
}

impl fmt::Display for NotAskable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not askable: ")?;
        for (at, reason) in self.reasons().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{reason}")?;
        }
        Ok(())
    }
}

impl core::error::Error for NotAskable {}

/// One reason why a question cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NotAskableReason {
    /// No person was set.
    #[error("no person code")]
    Person,
    /// The person is known to have no code.
    #[error("no person code, as {0}")]
    NoPerson(NoPerson),
    /// The exam is mapped to none of the five types.
    #[error("no exam type")]
    ExamType,
    /// The exam is mapped to no part.
    #[error("no part")]
    Part,
}

impl NotAskableReason {
    /// The stable name for programs: `person`, `no_person`, `exam_type`, `part`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::NoPerson(_) => "no_person",
            Self::ExamType => "exam_type",
            Self::Part => "part",
        }
    }
}
