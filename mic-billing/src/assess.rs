//! From the facts of a visit to what each exam comes to: steps 1 to 5 of the decision order in
//! `spec/pricing.md` section 3, each outcome with its reason.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    book::{Book, ChargePolicy, Policy},
    civil::Moment,
    event::{CareSetting, EventKind, Fact, Modality, Payer},
    key::{ExamKey, PersonRef, StudyUid, VisitKey},
    policy::{DateBasis, Trigger},
    state::VisitState,
};

/// What a visit comes to, as known at a moment. Made by [`assess`].
///
/// ```
/// # use mic_billing::*;
/// # let book = Book::load([books::national()?, books::shenzhen()?])?;
/// # let event: Event = serde_json::from_str(r#"{"institution":"H44030500001","encounter":"E1",
/// #   "person":"000102030405060708090a0b0c0d0e0f","kind":"exam_ordered","exam":"F1","modality":"ct",
/// #   "occurred":"2025-12-01T11:00:00+08:00","known":"2025-12-01T11:00:00+08:00","source":"hospital"}"#)?;
/// let assessment = assess(&VisitState::of([&event])?, &book, event.known());
/// assert_eq!(assessment.reason(), Reason::NotPerformed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    pub(crate) visit: VisitKey,
    pub(crate) person: Option<PersonRef>,
    pub(crate) setting: Option<CareSetting>,
    pub(crate) payer: Payer,
    pub(crate) date: Option<NaiveDate>,
    pub(crate) known_at: Moment,
    pub(crate) reason: Reason,
    pub(crate) exams: Vec<ExamAssessment>,
    pub(crate) policy: Arc<Policy>,
}

impl Assessment {
    /// The key the 人次 is charged under.
    #[must_use]
    pub const fn visit(&self) -> VisitKey {
        self.visit
    }

    /// Whose visit; none while that is unknown or contradicted.
    #[must_use]
    pub const fn person(&self) -> Option<PersonRef> {
        self.person
    }

    /// The kind of care; a stay outweighs the others.
    #[must_use]
    pub const fn setting(&self) -> Option<CareSetting> {
        self.setting
    }

    /// The visit date (V-06): the earliest date of a live exam.
    #[must_use]
    pub const fn date(&self) -> Option<NaiveDate> {
        self.date
    }

    /// The moment of knowledge.
    #[must_use]
    pub const fn known_at(&self) -> Moment {
        self.known_at
    }

    /// How far the visit came in the decision order.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Each exam and what it comes to.
    #[must_use]
    pub fn exams(&self) -> &[ExamAssessment] {
        &self.exams
    }

    /// The policy of the visit date.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

/// How far a visit came: the first step that fails, or all passed.
///
/// ```
/// assert_eq!(mic_billing::Reason::NoTariff.code(), "no_tariff");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Step 1: nothing was known of the visit at that moment.
    NothingKnown,
    /// Step 1: the visit's events name more than one person.
    IdentityConflict,
    /// Step 2: exams were ordered at most.
    NotPerformed,
    /// Step 2: every exam was cancelled or refunded.
    AllUndone,
    /// Step 5: no region's policy holds on the visit date, or none was known; the images are kept
    /// and nothing is charged (C-10).
    NoTariff,
    /// Step 2: no live exam is of a kind the price covers.
    NotCovered,
    /// Each exam is judged; units and money follow.
    Assessed,
}

impl Reason {
    /// The code for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NothingKnown => "nothing_known",
            Self::IdentityConflict => "identity_conflict",
            Self::NotPerformed => "not_performed",
            Self::AllUndone => "all_undone",
            Self::NoTariff => "no_tariff",
            Self::NotCovered => "not_covered",
            Self::Assessed => "assessed",
        }
    }
}

/// One exam of an assessment.
///
/// ```
/// # let json = r#"{"exam":{"encounter":"E1","line":"F1"},"modality":"ct",
/// #   "since":"2025-12-01T10:00:00+08:00","index":"2025-12-01T11:00:00+08:00",
/// #   "standing":{"state":"provided","at":"2025-12-01T11:00:00+08:00","deadline":"2025-12-04T10:00:00+08:00"}}"#;
/// let exam: mic_billing::ExamAssessment = serde_json::from_str(json)?;
/// assert!(exam.standing.is_served());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExamAssessment {
    /// Which exam.
    pub exam: ExamKey,
    /// Which of its studies, under the counting unit `study`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<StudyUid>,
    /// Its kind, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<Modality>,
    /// The moment its deadline counts from: when it was performed, or else its date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// When its index was first accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Moment>,
    /// When its pixels were first stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<Moment>,
    /// What it comes to.
    pub standing: Standing,
}

impl ExamAssessment {
    /// Whether a proof is dated before the exam. It counts as in time (the deadline is the only
    /// bound of C-01), but no image can be stored before it was taken: one of the two times is wrong.
    #[must_use]
    pub fn is_proof_before_exam(&self) -> bool {
        let early = |proof: Option<Moment>| proof.is_some_and(|at| self.since > Some(at));
        early(self.index) || early(self.stored)
    }
}

/// What one exam comes to.
///
/// ```
/// let late: mic_billing::Standing = serde_json::from_str(
///     r#"{"state":"missing","deadline":"2025-12-04T10:00:00+08:00"}"#)?;
/// assert!(late.is_failed());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// Ordered and not performed: nothing to charge yet.
    Ordered,
    /// Cancelled before it was performed (C-08).
    Cancelled,
    /// Refunded (C-09).
    Refunded,
    /// Of a kind the price doesn't cover (V-05).
    NotCovered,
    /// Of a kind nobody told: whether it is covered can't be said yet.
    ModalityUnknown,
    /// Not judged, because no policy holds.
    Unjudged,
    /// The proof may still come in time (C-03).
    Pending {
        /// The last moment.
        deadline: Moment,
    },
    /// Provided in time (C-01).
    Provided {
        /// When the proof was complete.
        at: Moment,
        /// The last moment.
        deadline: Moment,
    },
    /// Provided late, but within the late cure of the region (C-05).
    Cured {
        /// When the proof was complete.
        at: Moment,
        /// The last moment it would have been in time.
        deadline: Moment,
    },
    /// Provided too late (C-05).
    Late {
        /// When the proof was complete.
        at: Moment,
        /// The last moment.
        deadline: Moment,
    },
    /// Not provided, and the deadline is over (C-04).
    Missing {
        /// The last moment it would have been in time.
        deadline: Moment,
    },
}

impl Standing {
    /// Whether the service was given: in time, or late and cured.
    #[must_use]
    pub const fn is_served(self) -> bool {
        matches!(self, Self::Provided { .. } | Self::Cured { .. })
    }

    /// Whether the service was not given: missing or too late.
    #[must_use]
    pub const fn is_failed(self) -> bool {
        matches!(self, Self::Late { .. } | Self::Missing { .. })
    }

    /// Whether it can't be said yet.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending { .. } | Self::ModalityUnknown)
    }

    /// The code for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
            Self::NotCovered => "not_covered",
            Self::ModalityUnknown => "modality_unknown",
            Self::Unjudged => "unjudged",
            Self::Pending { .. } => "pending",
            Self::Provided { .. } => "provided",
            Self::Cured { .. } => "cured",
            Self::Late { .. } => "late",
            Self::Missing { .. } => "missing",
        }
    }
}

/// Judges a visit by the policy of its date, from the facts known at a moment and no others (I-15).
///
/// See [`Assessment`] for an example.
#[must_use]
pub fn assess(state: &VisitState, book: &Book, known_at: Moment) -> Assessment {
    let view = View::of(state, known_at);
    let date = view.date(None);
    // The basis of the date is itself policy of the date: the policy of the default date tells the
    // basis, the basis the date, and the date the policy. One round; the basis of the second
    // policy is not asked again, so the answer is always reached.
    let first = date.map(|day| book.policy(day, known_at));
    let basis = first
        .and_then(|policy| policy.charge())
        .map(|charge| charge.date_basis);
    let date = view.date(basis);
    let policy = date.map_or_else(Arc::default, |day| Arc::clone(book.policy(day, known_at)));
    let studies = policy.charge().is_some_and(ChargePolicy::counts_studies);
    let exams: Vec<ExamAssessment> = view
        .exams
        .iter()
        .flat_map(|(key, exam)| {
            exam.parts(studies)
                .into_iter()
                .map(move |study| (*key, exam, study))
        })
        .map(|(key, exam, study)| exam.assess(key, study, policy.charge(), known_at))
        .collect();
    let reason = view.reason(&policy, &exams);
    Assessment {
        visit: state.root(known_at),
        person: view.person(),
        setting: view.setting,
        payer: view.payer(),
        date,
        known_at,
        reason,
        exams,
        policy,
    }
}

/// What is known of a visit at a moment, sorted by exam.
#[derive(Default)]
struct View {
    persons: BTreeSet<PersonRef>,
    setting: Option<CareSetting>,
    /// By the moment it was known: the last word counts.
    payer: Option<(Moment, Payer)>,
    exams: BTreeMap<ExamKey, ExamView>,
}

/// What is known of an exam. Where sources contradict, the word known last counts; of words known
/// at one moment, the earliest time.
#[derive(Default)]
struct ExamView {
    /// Performed before ordered, then known last, then by name.
    modality: Option<(bool, Moment, Modality)>,
    performed: Option<Word>,
    fee: Option<Word>,
    reported: Option<Word>,
    cancelled: Option<Moment>,
    refunded: bool,
    index: BTreeMap<Option<StudyUid>, Moment>,
    stored: BTreeMap<Option<StudyUid>, Moment>,
}

/// A time somebody told, and when it was known.
#[derive(Clone, Copy)]
struct Word {
    known: Moment,
    at: Moment,
}

impl Word {
    fn hear(slot: &mut Option<Self>, known: Moment, at: Moment) {
        let better = slot.is_none_or(|held| (known, held.at) > (held.known, at));
        if better {
            *slot = Some(Self { known, at });
        }
    }
}

fn earliest(slot: &mut Moment, at: Moment) {
    *slot = at.min(*slot);
}

impl View {
    fn of(state: &VisitState, known_at: Moment) -> Self {
        let mut view = Self::default();
        for (fact, known) in state.known(known_at) {
            view.persons.insert(fact.person);
            view.hear(fact, known);
        }
        view
    }

    fn hear(&mut self, fact: &Fact, known: Moment) {
        let at = fact.occurred;
        match &fact.kind {
            EventKind::Registered { setting } => self.setting = self.setting.max(Some(*setting)),
            EventKind::Settled { payer } => self.payer = self.payer.max(Some((known, *payer))),
            _ => {}
        }
        let Some(line) = fact.kind.exam() else { return };
        let exam = self
            .exams
            .entry(ExamKey::new(fact.encounter, line))
            .or_default();
        match &fact.kind {
            EventKind::ExamOrdered { modality, .. } => {
                exam.modality = exam.modality.max(Some((false, known, *modality)));
            }
            EventKind::Performed { modality, .. } => {
                exam.modality = exam.modality.max(Some((true, known, *modality)));
                Word::hear(&mut exam.performed, known, at);
            }
            EventKind::FeeLine { .. } => Word::hear(&mut exam.fee, known, at),
            EventKind::Reported { .. } => Word::hear(&mut exam.reported, known, at),
            EventKind::Cancelled { .. } => earliest(exam.cancelled.get_or_insert(at), at),
            EventKind::Refunded { .. } => exam.refunded = true,
            EventKind::PixelsStored { study, .. } => {
                earliest(exam.stored.entry(*study).or_insert(at), at);
            }
            EventKind::IndexAccepted { study, .. } => {
                earliest(exam.index.entry(*study).or_insert(at), at);
            }
            _ => {}
        }
    }

    fn person(&self) -> Option<PersonRef> {
        self.persons
            .first()
            .copied()
            .filter(|_| self.persons.len() == 1)
    }

    fn payer(&self) -> Payer {
        self.payer.map_or(Payer::Insured, |(_, payer)| payer)
    }

    /// V-06: the earliest date of a live exam; by default the fee's.
    fn date(&self, basis: Option<DateBasis>) -> Option<NaiveDate> {
        let basis = basis.unwrap_or(DateBasis::FeeOccurred);
        self.exams
            .values()
            .filter(|exam| exam.is_live())
            .filter_map(|exam| exam.dated(basis))
            .min()
            .map(Moment::date)
    }

    fn reason(&self, policy: &Policy, exams: &[ExamAssessment]) -> Reason {
        if self.persons.is_empty() {
            return Reason::NothingKnown;
        }
        if self.persons.len() > 1 {
            return Reason::IdentityConflict;
        }
        if !self.exams.values().any(ExamView::is_live) {
            let undone = self.exams.values().any(ExamView::is_undone);
            return if undone {
                Reason::AllUndone
            } else {
                Reason::NotPerformed
            };
        }
        if policy.charge().is_none() {
            return Reason::NoTariff;
        }
        let judged = |exam: &ExamAssessment| {
            exam.standing.is_served() || exam.standing.is_failed() || exam.standing.is_open()
        };
        if exams.iter().any(judged) {
            Reason::Assessed
        } else {
            Reason::NotCovered
        }
    }
}

impl ExamView {
    fn is_performed(&self) -> bool {
        self.performed.is_some() || self.fee.is_some()
    }

    /// C-08: a cancellation undoes an exam only if it came before it was performed.
    fn is_cancelled(&self) -> bool {
        self.cancelled
            .is_some_and(|at| self.performed.is_none_or(|performed| at < performed.at))
    }

    fn is_undone(&self) -> bool {
        self.refunded || self.is_cancelled()
    }

    fn is_live(&self) -> bool {
        self.is_performed() && !self.is_undone()
    }

    fn dated(&self, basis: DateBasis) -> Option<Moment> {
        let wanted = match basis {
            DateBasis::FeeOccurred => self.fee,
            DateBasis::Performed => self.performed,
            DateBasis::Reported => self.reported,
        };
        let others = [self.fee, self.performed, self.reported];
        wanted
            .map(|word| word.at)
            .or_else(|| others.into_iter().flatten().map(|word| word.at).min())
    }

    /// The studies to judge apart: only where studies are counted, else the exam as a whole.
    fn parts(&self, studies: bool) -> Vec<Option<StudyUid>> {
        let named: BTreeSet<StudyUid> = self
            .index
            .keys()
            .chain(self.stored.keys())
            .flatten()
            .copied()
            .collect();
        if studies && !named.is_empty() {
            named.into_iter().map(Some).collect()
        } else {
            alloc::vec![None]
        }
    }

    /// The earliest proof: of the exam as a whole, so that a re-scan is no new charge (C-07), or of
    /// one study (a proof that names no study is for all of them).
    fn proof(
        times: &BTreeMap<Option<StudyUid>, Moment>,
        study: Option<StudyUid>,
    ) -> Option<Moment> {
        let counts = |of: &Option<StudyUid>| study.is_none() || of.is_none() || *of == study;
        times
            .iter()
            .filter(|(of, _)| counts(of))
            .map(|(_, at)| *at)
            .min()
    }

    fn assess(
        &self,
        exam: ExamKey,
        study: Option<StudyUid>,
        charge: Option<&ChargePolicy>,
        known_at: Moment,
    ) -> ExamAssessment {
        let modality = self.modality.map(|(_, _, modality)| modality);
        let since = self
            .performed
            .map(|word| word.at)
            .or_else(|| self.dated(DateBasis::FeeOccurred));
        let index = Self::proof(&self.index, study);
        let stored = Self::proof(&self.stored, study);
        let standing = match (charge, since) {
            _ if self.refunded => Standing::Refunded,
            _ if self.is_cancelled() => Standing::Cancelled,
            (_, since) if !self.is_performed() || since.is_none() => Standing::Ordered,
            (Some(charge), Some(since)) => charge.judge(modality, since, index, stored, known_at),
            _ => Standing::Unjudged,
        };
        ExamAssessment {
            exam,
            study,
            modality,
            since,
            index,
            stored,
            standing,
        }
    }
}

impl ChargePolicy {
    /// Whether an exam's studies are judged apart.
    fn counts_studies(&self) -> bool {
        self.unit() == crate::policy::CountingUnit::Study
    }

    /// What a live exam comes to (V-05, C-01, C-03, C-04, C-05).
    pub(crate) fn judge(
        &self,
        modality: Option<Modality>,
        since: Moment,
        index: Option<Moment>,
        stored: Option<Moment>,
        known_at: Moment,
    ) -> Standing {
        match modality {
            None => return Standing::ModalityUnknown,
            Some(modality) if !self.modalities.contains(&modality) => return Standing::NotCovered,
            Some(_) => {}
        }
        let proof = match self.trigger {
            Trigger::IndexAccepted => index,
            Trigger::PixelsStored => stored,
            Trigger::Both => index.zip(stored).map(|(index, stored)| index.max(stored)),
        };
        let deadline = since.plus_hours(self.grace_hours);
        match proof {
            Some(at) if at <= deadline => Standing::Provided { at, deadline },
            Some(at) if at <= deadline.plus_days(self.late_cure_days) => {
                Standing::Cured { at, deadline }
            }
            Some(at) => Standing::Late { at, deadline },
            None if known_at <= deadline => Standing::Pending { deadline },
            None => Standing::Missing { deadline },
        }
    }
}
