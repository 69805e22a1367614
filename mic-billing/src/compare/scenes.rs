//! Made visits around the thresholds of two policies: the fewest events first.

use alloc::{collections::BTreeSet, vec::Vec};

use chrono::{Datelike, Days, NaiveDate};

use crate::{
    book::ChargePolicy,
    civil::{Moment, first_moment, next_day},
    event::{CareSetting, Event, EventKind, Modality, Payer, Source},
    key::{EncounterId, ExamLineId, InstitutionCode, PersonRef, ReceiptId, StudyUid, VisitKey},
    money::Fen,
    text::TextError,
};

/// The hour of a made exam: not midnight, so that a day and its neighbours are told apart.
const HOUR: u32 = 8;
const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;

/// Made visits and the moment they are judged at.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) events: Vec<Event>,
    pub(super) known_at: Moment,
}

/// Where and when visits are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage {
    /// The first day on which both policies hold.
    pub(super) day: NaiveDate,
    /// The moments of one knowledge.
    pub(super) from: Moment,
    pub(super) until: Moment,
}

/// One exam: seconds after the stage's hour at which each thing happens.
#[derive(Clone, Copy, Debug, Default)]
struct Exam {
    modality: Option<Modality>,
    fee: Option<i64>,
    performed: Option<i64>,
    reported: Option<i64>,
    index: Option<i64>,
    stored: Option<i64>,
}

impl Exam {
    /// Performed at the stage's hour; its fee alone where the kind is not told.
    fn of(modality: Option<Modality>) -> Self {
        let at = Some(0);
        match modality {
            Some(_) => Self {
                modality,
                performed: at,
                ..Self::default()
            },
            None => Self {
                fee: at,
                ..Self::default()
            },
        }
    }

    const fn proven(self, index: Option<i64>, stored: Option<i64>) -> Self {
        Self {
            index,
            stored,
            ..self
        }
    }

    /// Served at once, or never.
    const fn served(self, is: bool) -> Self {
        let at = if is { Some(0) } else { None };
        self.proven(at, at)
    }
}

/// Makes the events of one scene.
struct Maker<'s> {
    stage: &'s Stage,
    events: Vec<Event>,
}

impl<'s> Maker<'s> {
    const fn new(stage: &'s Stage) -> Self {
        Self {
            stage,
            events: Vec::new(),
        }
    }

    fn tell(&mut self, visit: &str, kind: EventKind, seconds: i64) -> Result<(), TextError> {
        let visit = VisitKey::new(
            InstitutionCode::new("H00000000001")?,
            EncounterId::new(visit)?,
        );
        let at = first_moment(self.stage.day)
            .plus_hours(HOUR)
            .plus_seconds(seconds);
        let person = PersonRef::new([1; 16]);
        self.events
            .push(Event::new(visit, person, Source::Hospital, kind, at, at));
        Ok(())
    }

    fn exam(&mut self, visit: &str, line: &str, plan: Exam) -> Result<(), TextError> {
        let exam = ExamLineId::new(line)?;
        if let Some(at) = plan.fee {
            self.tell(
                visit,
                EventKind::FeeLine {
                    exam,
                    amount: Fen::new(20_000),
                },
                at,
            )?;
        }
        if let (Some(at), Some(modality)) = (plan.performed, plan.modality) {
            self.tell(visit, EventKind::Performed { exam, modality }, at)?;
        }
        if let Some(at) = plan.reported {
            self.tell(visit, EventKind::Reported { exam }, at)?;
        }
        self.proof(visit, exam, None, plan.index, plan.stored)
    }

    fn proof(
        &mut self,
        visit: &str,
        exam: ExamLineId,
        study: Option<StudyUid>,
        index: Option<i64>,
        stored: Option<i64>,
    ) -> Result<(), TextError> {
        if let Some(at) = index {
            let receipt = ReceiptId::new("R1")?;
            self.tell(
                visit,
                EventKind::IndexAccepted {
                    exam,
                    study,
                    receipt,
                },
                at,
            )?;
        }
        if let Some(at) = stored {
            self.tell(visit, EventKind::PixelsStored { exam, study }, at)?;
        }
        Ok(())
    }

    fn payer(&mut self, visit: &str, payer: Payer) -> Result<(), TextError> {
        match payer {
            // Nobody told is insured: the smaller visit says the same.
            Payer::Insured => Ok(()),
            Payer::SelfPaid => self.tell(visit, EventKind::Settled { payer }, 0),
        }
    }

    /// The scene, if all of it can be known by then.
    fn at(self, known_at: Moment, into: &mut Vec<Scene>) {
        if self.events.iter().all(|event| event.known() <= known_at) {
            into.push(Scene {
                events: self.events,
                known_at,
            });
        }
    }
}

/// What the two policies tell apart.
struct Thresholds {
    /// Kinds in one list alone, then one in both, and none told.
    kinds: Vec<Option<Modality>>,
    /// Two kinds that both cover.
    both: Vec<Modality>,
    /// Ends of the grace, and a second after.
    deadlines: BTreeSet<i64>,
    /// When a proof may come.
    proofs: Vec<Option<i64>>,
}

impl Thresholds {
    fn of(charges: &[&ChargePolicy]) -> Self {
        let covers = |kind: Modality| {
            charges
                .iter()
                .filter(move |one| one.modalities.contains(&kind))
                .count()
        };
        let all = || Modality::none_and_all().flatten();
        let both: Vec<Modality> = all()
            .filter(|kind| covers(*kind) == charges.len())
            .take(2)
            .collect();
        let alone = all().filter(|kind| (1..charges.len()).contains(&covers(*kind)));
        let kinds = both
            .iter()
            .copied()
            .take(1)
            .chain(alone)
            .map(Some)
            .chain([None])
            .collect();
        let mut deadlines = BTreeSet::new();
        let mut proofs = BTreeSet::from([0]);
        for charge in charges {
            let grace = i64::from(charge.grace_hours).saturating_mul(HOUR_SECONDS);
            let cure = i64::from(charge.late_cure_days).saturating_mul(DAY_SECONDS);
            for end in [grace, grace.saturating_add(cure)] {
                proofs.extend([end, end.saturating_add(1)]);
            }
            deadlines.extend([grace, grace.saturating_add(1)]);
        }
        let proofs = core::iter::once(None)
            .chain(proofs.into_iter().map(Some))
            .collect();
        Self {
            kinds,
            both,
            deadlines,
            proofs,
        }
    }
}

/// Visits that may be charged differently, the fewest events first.
pub(super) fn charged(stage: &Stage, charges: &[&ChargePolicy]) -> Result<Vec<Scene>, TextError> {
    let thresholds = Thresholds::of(charges);
    let mut scenes = Vec::new();
    one_exam(stage, &thresholds, &mut scenes)?;
    two_exams(stage, &thresholds, &mut scenes)?;
    two_visits(stage, &thresholds, &mut scenes)?;
    two_studies(stage, &thresholds, &mut scenes)?;
    dates(stage, &thresholds, &mut scenes)?;
    scenes.sort_by_key(|scene| scene.events.len());
    Ok(scenes)
}

/// Each kind, payer and time of each proof; and a missing proof about the end of the grace.
fn one_exam(
    stage: &Stage,
    thresholds: &Thresholds,
    into: &mut Vec<Scene>,
) -> Result<(), TextError> {
    for kind in &thresholds.kinds {
        for payer in [Payer::Insured, Payer::SelfPaid] {
            for index in &thresholds.proofs {
                for stored in &thresholds.proofs {
                    let mut maker = Maker::new(stage);
                    maker.exam("E1", "F1", Exam::of(*kind).proven(*index, *stored))?;
                    maker.payer("E1", payer)?;
                    maker.at(stage.until, into);
                }
            }
        }
        for deadline in &thresholds.deadlines {
            let mut maker = Maker::new(stage);
            maker.exam("E1", "F1", Exam::of(*kind))?;
            let known_at = first_moment(stage.day)
                .plus_hours(HOUR)
                .plus_seconds(*deadline);
            if (stage.from..=stage.until).contains(&known_at) {
                maker.at(known_at, into);
            }
        }
    }
    Ok(())
}

/// Two exams of one visit, of one kind and of two, served, failed and open.
fn two_exams(
    stage: &Stage,
    thresholds: &Thresholds,
    into: &mut Vec<Scene>,
) -> Result<(), TextError> {
    let first = thresholds.both.first().copied();
    for other in thresholds.both.iter().copied().map(Some).chain([None]) {
        for served in [(true, true), (true, false), (false, true), (false, false)] {
            let mut maker = Maker::new(stage);
            maker.exam("E1", "F1", Exam::of(first).served(served.0))?;
            maker.exam("E1", "F2", Exam::of(other).served(served.1))?;
            maker.at(stage.until, into);
        }
    }
    Ok(())
}

/// Two visits of one person, on one day and on two, insured and not: a person-day spans them.
fn two_visits(
    stage: &Stage,
    thresholds: &Thresholds,
    into: &mut Vec<Scene>,
) -> Result<(), TextError> {
    let kind = thresholds.both.first().copied();
    for days in [0, DAY_SECONDS] {
        for served in [(true, true), (true, false), (false, true), (false, false)] {
            for payers in [
                (Payer::Insured, Payer::Insured),
                (Payer::Insured, Payer::SelfPaid),
            ] {
                let mut maker = Maker::new(stage);
                maker.exam("E1", "F1", Exam::of(kind).served(served.0))?;
                maker.payer("E1", payers.0)?;
                let mut second = Exam::of(kind).served(served.1);
                for at in [
                    &mut second.fee,
                    &mut second.performed,
                    &mut second.index,
                    &mut second.stored,
                ] {
                    *at = at.map(|at| at.saturating_add(days));
                }
                maker.exam("E2", "F1", second)?;
                maker.payer("E2", payers.1)?;
                maker.at(stage.until, into);
            }
        }
    }
    Ok(())
}

/// One exam with two studies, the second proven at once, late or never.
fn two_studies(
    stage: &Stage,
    thresholds: &Thresholds,
    into: &mut Vec<Scene>,
) -> Result<(), TextError> {
    let kind = thresholds.both.first().copied();
    let exam = ExamLineId::new("F1")?;
    let studies = [StudyUid::new("1.2.1")?, StudyUid::new("1.2.2")?];
    for second in &thresholds.proofs {
        for stored in [Some(0), None] {
            let mut maker = Maker::new(stage);
            maker.exam("E1", "F1", Exam::of(kind))?;
            maker.proof("E1", exam, Some(studies[0]), Some(0), Some(0))?;
            maker.proof("E1", exam, Some(studies[1]), *second, stored.and(*second))?;
            maker.at(stage.until, into);
        }
    }
    Ok(())
}

/// Fee, exam and report on three days, in every order, about the end of a month.
fn dates(stage: &Stage, thresholds: &Thresholds, into: &mut Vec<Scene>) -> Result<(), TextError> {
    let modality = thresholds.both.first().copied();
    let days_to_end = days_to_end_of_month(stage.day);
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for begin in [0, days_to_end, days_to_end.saturating_sub(1).max(0)] {
        for order in orders {
            let [fee, performed, reported] =
                order.map(|day: i64| Some(begin.saturating_add(day).saturating_mul(DAY_SECONDS)));
            for proof in [performed, None] {
                let mut maker = Maker::new(stage);
                let plan = Exam {
                    modality,
                    fee,
                    performed,
                    reported,
                    index: proof,
                    stored: proof,
                };
                maker.exam("E1", "F1", plan)?;
                maker.at(stage.until, into);
            }
        }
    }
    Ok(())
}

fn days_to_end_of_month(day: NaiveDate) -> i64 {
    let mut days = 0_i64;
    let mut at = day;
    while let Some(next) = next_day(at).filter(|next| next.month() == day.month()) {
        at = next;
        days = days.saturating_add(1);
    }
    days
}

/// Visits that may be kept for another time: a clinic visit, a stay, and one of unknown setting.
pub(super) fn kept(stage: &Stage) -> Result<Vec<Scene>, TextError> {
    let mut scenes = Vec::new();
    for setting in [
        Some(CareSetting::Outpatient),
        None,
        Some(CareSetting::Inpatient),
    ] {
        let mut maker = Maker::new(stage);
        match setting {
            Some(setting) => maker.tell("E1", EventKind::Registered { setting }, 0)?,
            None => maker.exam("E1", "F1", Exam::of(Some(Modality::Ct)))?,
        }
        if setting == Some(CareSetting::Inpatient) {
            maker.tell("E1", EventKind::Discharged, 0)?;
        }
        maker.at(stage.until, &mut scenes);
    }
    Ok(scenes)
}

/// A day before another, if there is one.
pub(super) fn day_before(day: NaiveDate) -> Option<NaiveDate> {
    day.checked_sub_days(Days::new(1))
}
