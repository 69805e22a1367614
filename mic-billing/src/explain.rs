//! Why a line is what it is: for programs as fields, for people as a sentence in Chinese or
//! English.
//!
//! An [`Explanation`] alone, with the book it names, recomputes the amount, and a line recomputes
//! itself (I-19).

mod words;

use alloc::{sync::Arc, vec::Vec};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    allocate::AllocateError,
    assess::ExamAssessment,
    book::{Book, ChargePolicy, Citation, Grounds, VersionRef, fact_named},
    civil::Moment,
    event::Payer,
    line::LineKind,
    money::{Fen, MoneyError},
    policy::{ChargeModel, Trigger},
    rule::RuleId,
};

/// The language of an explanation.
///
/// ```
/// assert_ne!(mic_billing::Lang::Zh, mic_billing::Lang::En);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// The reasons of one line.
///
/// ```
/// # fn check(line: &mic_billing::Line, book: &mic_billing::Book) {
/// assert_eq!(line.why().recompute(book), Ok(line.amount()));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Explanation {
    /// What the price is in law.
    pub model: ChargeModel,
    /// What the line is.
    pub kind: LineKind,
    /// The price of one unit.
    #[serde(rename = "price_fen")]
    pub price: Fen,
    /// The amount of the line.
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
    /// The day whose policy holds (valid time).
    #[serde(with = "crate::serial::date")]
    pub visit_date: NaiveDate,
    /// The moment of knowledge (known time).
    pub known_at: Moment,
    /// What proves the service.
    pub trigger: Trigger,
    /// Who paid the bill.
    pub payer: Payer,
    /// The rules, in the order of the decision.
    pub rules: Vec<RuleId>,
    /// The exams of the unit with the times they were judged by.
    pub exams: Vec<ExamAssessment>,
    /// The versions in force and the documents behind the facts.
    #[serde(with = "crate::serial::shared")]
    pub grounds: Arc<Grounds>,
}

/// An explanation that doesn't hold under a book.
///
/// ```
/// use mic_billing::RecomputeError;
///
/// assert_eq!(RecomputeError::OtherVersions.to_string(),
///     "expected the policy versions the explanation names");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecomputeError {
    /// The book has no charge on the visit date, as known then.
    #[error("expected a policy of the visit date in the book")]
    NoPolicy,
    /// The book's policy of that day is another one.
    #[error("expected the policy versions the explanation names")]
    OtherVersions,
    /// The book states a fact otherwise, or on another document, under the same version.
    #[error("expected the fact {fact} as the explanation has it")]
    OtherFact {
        /// The fact's name.
        fact: &'static str,
    },
    /// The line's unit, or what it counted, doesn't follow from its exams and the book.
    #[error("expected a unit that follows from the exams")]
    OtherUnit,
    /// An exam's times lead to another standing than the explanation says.
    #[error("expected the standing of exam {at} to follow from its times")]
    OtherStanding {
        /// Its place among the exams.
        at: usize,
    },
    /// The exams lead to no line at all.
    #[error("expected the exams to lead to a line")]
    NoLine,
    /// An amount doesn't fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// An amount can't be split.
    #[error(transparent)]
    Allocate(#[from] AllocateError),
}

impl Explanation {
    /// Judges the exams again by the book and gives the amount that follows.
    /// [`Line::recompute`](crate::Line::recompute) gives the whole line.
    ///
    /// # Errors
    /// Tells which part of the explanation doesn't hold under this book.
    pub fn recompute(&self, book: &Book) -> Result<Fen, RecomputeError> {
        let charge = self.charge(book)?;
        self.judge_again(charge)?;
        let outcome = charge.outcome(charge.verdict(&self.exams))?;
        outcome
            .map(|(_, amount)| amount)
            .ok_or(RecomputeError::NoLine)
    }

    /// The book's policy, if it is the one the explanation stands on: the same versions, and each
    /// fact with the value and the document it had (T-05).
    pub(crate) fn charge<'b>(&self, book: &'b Book) -> Result<&'b ChargePolicy, RecomputeError> {
        let policy = book.policy(self.visit_date, self.known_at);
        let charge = policy.charge().ok_or(RecomputeError::NoPolicy)?;
        if charge.grounds.versions != self.grounds.versions {
            return Err(RecomputeError::OtherVersions);
        }
        let (ours, theirs) = (&self.grounds.citations, &charge.grounds.citations);
        let differs = (0..ours.len().max(theirs.len())).find(|at| ours.get(*at) != theirs.get(*at));
        if let Some(at) = differs {
            let stated = theirs.get(at).or_else(|| ours.get(at));
            let fact = stated.and_then(|citation| fact_named(&citation.fact));
            return Err(RecomputeError::OtherFact {
                fact: fact.unwrap_or("unknown"),
            });
        }
        Ok(charge)
    }

    pub(crate) fn judge_again(&self, charge: &ChargePolicy) -> Result<(), RecomputeError> {
        for (at, exam) in self.exams.iter().enumerate() {
            let since = exam.since.ok_or(RecomputeError::OtherStanding { at })?;
            let standing =
                charge.judge(exam.modality, since, exam.index, exam.stored, self.known_at);
            if standing != exam.standing {
                return Err(RecomputeError::OtherStanding { at });
            }
        }
        Ok(())
    }

    /// Exams whose proof is dated before the exam itself: it counts as in time, and somebody's
    /// clock, or somebody's word, is wrong (C-01).
    pub fn proofs_before_exams(&self) -> impl Iterator<Item = &ExamAssessment> {
        self.exams.iter().filter(|exam| exam.is_proof_before_exam())
    }

    /// Versions whose days no document was verified to state: that the policy held on the visit
    /// date is itself assumed (T-05).
    pub fn assumed_versions(&self) -> impl Iterator<Item = &VersionRef> {
        self.grounds
            .versions
            .iter()
            .filter(|version| version.assumed)
    }

    /// Facts the line rests on that no document states; the days of versions are in
    /// [`Explanation::assumed_versions`].
    pub fn assumptions(&self) -> impl Iterator<Item = &Citation> {
        self.grounds
            .citations
            .iter()
            .filter(|citation| !citation.verified)
    }
}
