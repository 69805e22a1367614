//! From judged exams to the lines a visit should have: steps 6 to 8 of the decision order.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};
use core::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    allocate::{AllocateError, allocate},
    assess::{Assessment, ExamAssessment, Reason},
    book::{Book, ChargePolicy},
    civil::Moment,
    event::{Modality, Payer},
    explain::{Explanation, RecomputeError},
    key::{EncounterId, ExamKey, InstitutionCode, Part, PersonRef, StudyUid},
    money::{Fen, MoneyError, Ppm},
    policy::{ChargeModel, Completeness, CountingUnit, Party},
    rule::RuleId,
};

/// What is charged or deducted once (V-01, V-03, V-04), and part of the key of every line.
///
/// ```
/// # let json = r#"{"institution":"H44030500001","scope":{"unit":"exam","exam":{"encounter":"E1","line":"F2"}}}"#;
/// let unit: mic_billing::Unit = serde_json::from_str(json)?;
/// assert_eq!(unit.to_string(), "H44030500001/exam/E1/F2");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Unit {
    /// Where.
    pub institution: InstitutionCode,
    /// What there.
    pub scope: Scope,
}

/// What a unit covers.
///
/// ```
/// # let json = r#"{"unit":"encounter","encounter":"E1"}"#;
/// let scope: mic_billing::Scope = serde_json::from_str(json)?;
/// assert!(matches!(scope, mic_billing::Scope::Encounter { .. }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Scope {
    /// A 人次, by its root encounter; a stay is one, also over the end of a month (V-08).
    Encounter {
        /// The root.
        encounter: EncounterId,
    },
    /// A person's day at the institution.
    PersonDay {
        /// The person's pseudonym.
        person: PersonRef,
        /// The visit date.
        #[serde(with = "crate::serial::date")]
        day: NaiveDate,
    },
    /// One exam.
    Exam {
        /// The exam.
        exam: ExamKey,
    },
    /// One study of an exam.
    Study {
        /// The exam.
        exam: ExamKey,
        /// The study; none while nobody named one.
        study: Option<StudyUid>,
    },
    /// One kind of exam of a 人次.
    Modality {
        /// The root.
        encounter: EncounterId,
        /// The kind; none while nobody told.
        modality: Option<Modality>,
    },
}

impl Scope {
    /// The kind of unit.
    #[must_use]
    pub const fn counting(&self) -> CountingUnit {
        match self {
            Self::Encounter { .. } => CountingUnit::Encounter,
            Self::PersonDay { .. } => CountingUnit::PersonDay,
            Self::Exam { .. } => CountingUnit::Exam,
            Self::Study { .. } => CountingUnit::Study,
            Self::Modality { .. } => CountingUnit::Modality,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.institution;
        match self.scope {
            Scope::Encounter { encounter } => {
                write!(f, "{at}/encounter/{}", Part(encounter.as_str()))
            }
            Scope::PersonDay { person, day } => write!(f, "{at}/person-day/{person}/{day}"),
            Scope::Exam { exam } => write!(f, "{at}/exam/{exam}"),
            Scope::Study {
                exam,
                study: Some(study),
            } => write!(f, "{at}/study/{exam}/{study}"),
            Scope::Study { exam, study: None } => write!(f, "{at}/study/{exam}/-"),
            Scope::Modality {
                encounter,
                modality: Some(kind),
            } => write!(f, "{at}/modality/{}/{kind}", Part(encounter.as_str())),
            Scope::Modality {
                encounter,
                modality: None,
            } => write!(f, "{at}/modality/{}/-", Part(encounter.as_str())),
        }
    }
}

/// What a line is.
///
/// ```
/// assert_eq!(mic_billing::LineKind::Deduction.name(), "deduction");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LineKind {
    /// The service was given and is inside the exam price: nothing changes hands (B-05).
    Included,
    /// The service was not given: the price is taken off the exam (B-05, C-04).
    Deduction,
    /// The service is charged or paid (B-06, B-07).
    Service,
}

impl LineKind {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Included => "included",
            Self::Deduction => "deduction",
            Self::Service => "service",
        }
    }
}

/// A party and its part of an amount.
///
/// ```
/// # let json = r#"{"party":"hospital","amount_fen":-500}"#;
/// let share: mic_billing::Share = serde_json::from_str(json)?;
/// assert_eq!(share.amount.to_string(), "-5.00");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Share {
    /// Who.
    pub party: Party,
    /// How much.
    #[serde(rename = "amount_fen")]
    pub amount: Fen,
}

/// One line a visit should have, with all that is needed to explain it.
///
/// Made by [`desired`]; see the crate's front page for one from beginning to end.
///
/// ```
/// # fn show(line: &mic_billing::Line) {
/// use mic_billing::Lang;
///
/// println!("{}  {}", line.amount(), line.explain(Lang::Zh));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub(crate) unit: Unit,
    pub(crate) kind: LineKind,
    #[serde(rename = "amount_fen")]
    pub(crate) amount: Fen,
    pub(crate) payers: Vec<Share>,
    pub(crate) payees: Vec<Share>,
    /// Sorted; only where the units of counting and of deduction differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) counted: Vec<Unit>,
    pub(crate) why: Explanation,
}

impl Line {
    /// What it is for; one line at most for each.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> LineKind {
        self.kind
    }

    /// The amount: above zero is paid, below zero goes back to who paid the exam.
    #[must_use]
    pub const fn amount(&self) -> Fen {
        self.amount
    }

    /// Who pays which part; they add up to the amount (I-01).
    #[must_use]
    pub fn payers(&self) -> &[Share] {
        &self.payers
    }

    /// Who receives which part; they add up to the amount (I-01).
    #[must_use]
    pub fn payees(&self) -> &[Share] {
        &self.payees
    }

    /// The counting units (人次, by default) in which this line's exams were served; none where
    /// nothing was. Where the price is embedded a line is of a deduction unit, and several lines
    /// may be of one counting unit: what a contract pays for counts once (B-02).
    #[must_use]
    pub fn counted(&self) -> &[Unit] {
        match self.kind {
            LineKind::Included => &self.counted,
            LineKind::Service => core::slice::from_ref(&self.unit),
            LineKind::Deduction => &[],
        }
    }

    /// The reasons, for programs.
    #[must_use]
    pub const fn why(&self) -> &Explanation {
        &self.why
    }

    /// The line again, from its reasons and the book: kind, amount, payers, payees, rules and
    /// documents. A line that nobody altered comes out equal to itself (I-19, BIL-23).
    ///
    /// The times of its exams are the line's own word; the events prove them.
    ///
    /// # Errors
    /// Tells which part of the line doesn't hold under this book.
    pub fn recompute(&self, book: &Book) -> Result<Self, RecomputeError> {
        let why = &self.why;
        let charge = why.charge(book)?;
        why.judge_again(charge)?;
        if !self.is_unit_of(charge) {
            return Err(RecomputeError::OtherUnit);
        }
        let gathered = Gathered {
            charge,
            payer: why.payer,
            date: why.visit_date,
            known_at: why.known_at,
            counted: self.counted.iter().copied().collect(),
            exams: why.exams.clone(),
        };
        let line = gathered.line(self.unit).map_err(|error| match error {
            LineError::Money(error) => RecomputeError::Money(error),
            LineError::Allocate(error) => RecomputeError::Allocate(error),
            LineError::MixedKnowledge => RecomputeError::NoLine,
        })?;
        line.ok_or(RecomputeError::NoLine)
    }

    /// Whether the unit is of the policy's kind and of the line's own exams, as far as they tell:
    /// the root of linked encounters is not among them.
    fn is_unit_of(&self, charge: &ChargePolicy) -> bool {
        let exams = &self.why.exams;
        let of_exams = match self.unit.scope {
            Scope::Encounter { .. } => true,
            Scope::PersonDay { day, .. } => day == self.why.visit_date,
            Scope::Exam { exam } => exams.iter().all(|one| one.exam == exam),
            Scope::Study { exam, study } => exams
                .iter()
                .all(|one| one.exam == exam && one.study == study),
            Scope::Modality { modality, .. } => exams.iter().all(|one| one.modality == modality),
        };
        let counts = self.kind == LineKind::Included;
        of_exams
            && self.unit.scope.counting() == charge.unit()
            && self.counted.is_empty() != counts
            && self.counted.iter().all(|unit| {
                unit.institution == self.unit.institution
                    && unit.scope.counting() == charge.counting_unit
            })
    }

    /// Whether both move the same money for the same unit on the same day: a visit date that moves
    /// is a difference too, or the posted line would tell a day that is not the visit's (T-03).
    pub(crate) fn is_same_money(&self, other: &Self) -> bool {
        self.unit == other.unit
            && self.kind == other.kind
            && self.amount == other.amount
            && self.payers == other.payers
            && self.payees == other.payees
            && self.counted == other.counted
            && self.why.visit_date == other.why.visit_date
    }
}

/// Lines that can't be made.
///
/// ```
/// use mic_billing::{LineError, MoneyError};
///
/// assert_eq!(LineError::from(MoneyError::Overflow).to_string(), "the amount is outside the range of 64-bit fen");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Two assessments of one call are of different moments of knowledge.
    #[error("expected assessments of one moment of knowledge")]
    MixedKnowledge,
    /// An amount doesn't fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// An amount can't be split.
    #[error(transparent)]
    Allocate(#[from] AllocateError),
}

/// The lines that judged visits should have, sorted by unit: one at most for each, however many
/// exams it has (V-02).
///
/// Give all visits of a person at an institution together where the book counts person-days;
/// otherwise each visit can come alone.
///
/// ```
/// assert_eq!(mic_billing::desired(&[])?, []);
/// # Ok::<(), mic_billing::LineError>(())
/// ```
///
/// # Errors
/// [`LineError::MixedKnowledge`] for assessments of different moments, the others if an amount
/// doesn't fit.
pub fn desired(assessments: &[Assessment]) -> Result<Vec<Line>, LineError> {
    let mut units: BTreeMap<Unit, Gathered<'_>> = BTreeMap::new();
    for assessment in assessments {
        if assessments
            .first()
            .is_some_and(|first| first.known_at != assessment.known_at)
        {
            return Err(LineError::MixedKnowledge);
        }
        gather(assessment, &mut units);
    }
    units
        .into_iter()
        .filter_map(|(unit, gathered)| gathered.line(unit).transpose())
        .collect()
}

/// The exams of one unit.
struct Gathered<'a> {
    charge: &'a ChargePolicy,
    payer: Payer,
    date: NaiveDate,
    known_at: Moment,
    /// The counting units of the served exams.
    counted: BTreeSet<Unit>,
    exams: Vec<ExamAssessment>,
}

fn gather<'a>(assessment: &'a Assessment, units: &mut BTreeMap<Unit, Gathered<'a>>) {
    let (Reason::Assessed, Some(charge)) = (assessment.reason, assessment.policy.charge()) else {
        return;
    };
    let (Some(person), Some(date)) = (assessment.person, assessment.date) else {
        return;
    };
    let institution = assessment.visit.institution;
    let encounter = assessment.visit.encounter;
    for exam in &assessment.exams {
        let standing = exam.standing;
        if !(standing.is_served() || standing.is_failed() || standing.is_open()) {
            continue;
        }
        let unit_of = |unit: CountingUnit| Unit {
            institution,
            scope: match unit {
                CountingUnit::Encounter => Scope::Encounter { encounter },
                CountingUnit::PersonDay => Scope::PersonDay { person, day: date },
                CountingUnit::Exam => Scope::Exam { exam: exam.exam },
                CountingUnit::Study => Scope::Study {
                    exam: exam.exam,
                    study: exam.study,
                },
                CountingUnit::Modality => Scope::Modality {
                    encounter,
                    modality: exam.modality,
                },
            },
        };
        let gathered = units
            .entry(unit_of(charge.unit()))
            .or_insert_with(|| Gathered {
                charge,
                payer: assessment.payer,
                date,
                known_at: assessment.known_at,
                counted: BTreeSet::new(),
                exams: Vec::new(),
            });
        // C-12: insured if one of its visits is, whichever comes first.
        gathered.payer = gathered.payer.min(assessment.payer);
        if charge.model == ChargeModel::EmbeddedDeduction && standing.is_served() {
            gathered.counted.insert(unit_of(charge.counting_unit));
        }
        gathered.exams.push(exam.clone());
    }
}

/// Whether a unit's service was given (C-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Served,
    Failed,
    Open,
}

impl ChargePolicy {
    /// The unit that decides the lines: what is deducted for, or what is charged for.
    pub(crate) const fn unit(&self) -> CountingUnit {
        match self.model {
            ChargeModel::EmbeddedDeduction => self.deduction_unit,
            ChargeModel::SeparateItem | ChargeModel::FundDirect => self.counting_unit,
        }
    }

    /// C-02 over the exams of one unit.
    pub(crate) fn verdict(&self, exams: &[ExamAssessment]) -> Verdict {
        let any = |test: fn(&ExamAssessment) -> bool| exams.iter().any(test);
        self.verdict_of(
            any(|exam| exam.standing.is_failed()),
            any(|exam| exam.standing.is_open()),
            any(|exam| exam.standing.is_served()),
        )
    }

    /// C-02, from whether one of the exams failed, is open, was served.
    pub(crate) const fn verdict_of(&self, failed: bool, open: bool, served: bool) -> Verdict {
        match self.completeness {
            Completeness::All if failed => Verdict::Failed,
            Completeness::All if open => Verdict::Open,
            Completeness::Any if served => Verdict::Served,
            Completeness::Any if open => Verdict::Open,
            Completeness::All if served => Verdict::Served,
            Completeness::All | Completeness::Any => Verdict::Failed,
        }
    }

    /// The kind and the amount of a unit's line; none where nothing is owed (C-03, C-04).
    pub(crate) fn outcome(&self, verdict: Verdict) -> Result<Option<(LineKind, Fen)>, MoneyError> {
        Ok(match (self.model, verdict) {
            (_, Verdict::Open) => None,
            (ChargeModel::EmbeddedDeduction, Verdict::Served) => {
                Some((LineKind::Included, Fen::ZERO))
            }
            (ChargeModel::EmbeddedDeduction, Verdict::Failed) => {
                Some((LineKind::Deduction, self.price.negate()?))
            }
            (_, Verdict::Served) => Some((LineKind::Service, self.charged()?)),
            (_, Verdict::Failed) => None,
        })
    }
}

impl Gathered<'_> {
    fn line(mut self, unit: Unit) -> Result<Option<Line>, LineError> {
        self.exams.sort_by_key(|exam| (exam.exam, exam.study));
        let verdict = self.charge.verdict(&self.exams);
        let Some((kind, amount)) = self.charge.outcome(verdict)? else {
            return Ok(None);
        };
        let rules = rules(self.charge, &self.exams, unit, self.payer);
        let payers = shares(amount, &self.charge.payers(self.payer))?;
        let payees = self.charge.payee_shares_of(kind, amount, &payers)?;
        let price = if kind == LineKind::Service {
            self.charge.charged()?
        } else {
            self.charge.price
        };
        let why = Explanation {
            model: self.charge.model,
            kind,
            price,
            amount,
            visit_date: self.date,
            known_at: self.known_at,
            trigger: self.charge.trigger,
            payer: self.payer,
            rules,
            exams: self.exams,
            grounds: Arc::clone(&self.charge.grounds),
        };
        let counted = if kind == LineKind::Included {
            self.counted.into_iter().collect()
        } else {
            Vec::new()
        };
        Ok(Some(Line {
            unit,
            kind,
            amount,
            payers,
            payees,
            counted,
            why,
        }))
    }
}

impl ChargePolicy {
    /// B-08, S-01, C-12: who pays.
    pub(crate) fn payers(&self, payer: Payer) -> Vec<(Party, Ppm)> {
        match (self.model, payer, self.fund_share) {
            (_, Payer::SelfPaid, _) => alloc::vec![(Party::Patient, Ppm::WHOLE)],
            (ChargeModel::FundDirect, ..) => alloc::vec![(Party::Fund, Ppm::WHOLE)],
            (_, Payer::Insured, Some(fund)) => {
                alloc::vec![(Party::Fund, fund), (Party::Patient, fund.rest())]
            }
            (_, Payer::Insured, None) => alloc::vec![(Party::ExamPayer, Ppm::WHOLE)],
        }
    }

    /// B-08, S-02: who receives. What is deducted is taken from the hospital alone.
    pub(crate) fn payees(&self, kind: LineKind) -> Vec<(Party, Ppm)> {
        match (kind, self.model) {
            (LineKind::Service, _) if !self.payee_shares.is_empty() => self.payee_shares.clone(),
            (LineKind::Service, ChargeModel::FundDirect) => {
                alloc::vec![(Party::StorageVendor, Ppm::WHOLE)]
            }
            _ => alloc::vec![(Party::Hospital, Ppm::WHOLE)],
        }
    }
}

/// S-06: the parts of an amount, parties without a part left out.
pub(crate) fn shares(amount: Fen, parties: &[(Party, Ppm)]) -> Result<Vec<Share>, AllocateError> {
    let weights: Vec<(Party, u64)> = parties
        .iter()
        .map(|(party, share)| (*party, u64::from(share.get())))
        .filter(|(_, weight)| *weight > 0)
        .collect();
    Ok(allocate(amount, &weights)?
        .into_iter()
        .map(|(party, amount)| Share { party, amount })
        .collect())
}

/// The rules a line rests on, in the order of the decision.
fn rules(charge: &ChargePolicy, exams: &[ExamAssessment], unit: Unit, payer: Payer) -> Vec<RuleId> {
    let mut rules = Vec::with_capacity(10);
    rules.push(match charge.model {
        ChargeModel::EmbeddedDeduction => RuleId::B05,
        ChargeModel::SeparateItem => RuleId::B06,
        ChargeModel::FundDirect => RuleId::B07,
    });
    rules.push(RuleId::B01);
    rules.push(match (unit.scope, charge.model) {
        (_, ChargeModel::EmbeddedDeduction) => RuleId::V04,
        (Scope::Encounter { .. }, _) => RuleId::V01,
        _ => RuleId::V03,
    });
    rules.push(RuleId::C01);
    if exams.len() > 1 {
        rules.push(RuleId::C02);
    }
    if exams
        .iter()
        .any(|exam| matches!(exam.standing, crate::assess::Standing::Missing { .. }))
    {
        rules.push(RuleId::C04);
    }
    if exams.iter().any(|exam| {
        matches!(
            exam.standing,
            crate::assess::Standing::Late { .. } | crate::assess::Standing::Cured { .. }
        )
    }) {
        rules.push(RuleId::C05);
    }
    match payer {
        Payer::SelfPaid => rules.push(RuleId::C12),
        _ if charge.model == ChargeModel::FundDirect => {}
        Payer::Insured if charge.fund_share.is_some() => rules.push(RuleId::S01),
        Payer::Insured => {}
    }
    if charge.model != ChargeModel::EmbeddedDeduction && !charge.payee_shares.is_empty() {
        rules.push(RuleId::S02);
    }
    if charge.model != ChargeModel::EmbeddedDeduction && charge.contract.is_some() {
        rules.extend([RuleId::B02, RuleId::S03]);
    }
    rules.push(RuleId::T02);
    rules
}
