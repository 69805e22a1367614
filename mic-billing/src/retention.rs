//! How long the images of a visit must be kept (rules K-01 to K-07).
//!
//! The clock doesn't start at the scan. It starts at the patient's last visit to the institution,
//! or last discharge from it. Each day of contact is a duty of its own, by the policy of that day;
//! the end is the latest of all, so a return can move it later and nothing moves it earlier.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

use chrono::NaiveDate;
use serde::Serialize;

use crate::{
    book::{Book, Grounds, RetentionPolicy},
    civil::{Moment, next_day, years_later},
    event::{CareSetting, EventKind},
    key::{EncounterId, HoldId, InstitutionCode, PersonRef, VisitKey},
    policy::Clock,
    rule::RuleId,
    state::VisitState,
};

/// How long the images of one visit must be kept, as known at a moment.
///
/// ```
/// # use mic_billing::*;
/// # fn show(state: &VisitState, book: &Book, now: Moment) -> Result<(), RetentionError> {
/// let kept = retention(state, [], book, now)?;
/// println!("{} years from {}: disposable on {}", kept.years, kept.base, kept.first_disposable);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Retention {
    /// The visit.
    pub visit: VisitKey,
    /// The kind of care; none where nobody told, which counts as a stay until somebody does.
    pub setting: Option<CareSetting>,
    /// What the years are counted from.
    pub clock: Clock,
    /// The day they are counted from.
    #[serde(with = "crate::serial::date")]
    pub base: NaiveDate,
    /// The years.
    pub years: u32,
    /// The corresponding day: the last one the images must be there.
    #[serde(with = "crate::serial::date")]
    pub last_kept: NaiveDate,
    /// The day after, if no hold stands in the way (K-05).
    #[serde(with = "crate::serial::date")]
    pub first_disposable: NaiveDate,
    /// Legal holds that block disposal, however late it is (K-07).
    pub holds: Vec<HoldId>,
    /// The rules that led here.
    pub rules: Vec<RuleId>,
    /// What the years stand on.
    #[serde(with = "crate::serial::shared")]
    pub grounds: Arc<Grounds>,
}

impl Retention {
    /// Whether the images may be destroyed on a day: every clock is over and no hold is open
    /// (I-12).
    #[must_use]
    pub fn is_disposable(&self, day: NaiveDate) -> bool {
        self.holds.is_empty() && day >= self.first_disposable
    }
}

/// A retention that can't be told yet, or not at all. The images are kept meanwhile.
///
/// ```
/// assert_eq!(mic_billing::RetentionError::NoContact.to_string(),
///     "expected a registration, an exam, a fee or a discharge known at that moment");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetentionError {
    /// The patient is in hospital: no discharge of a stay is known, or an exam after the last one.
    #[error("expected a discharge of every stay, found {open} open")]
    OpenStay {
        /// How many stays are open.
        open: usize,
    },
    /// Nothing that is a visit is known.
    #[error("expected a registration, an exam, a fee or a discharge known at that moment")]
    NoContact,
    /// The other visits are not all of one institution.
    #[error("expected visits of one institution")]
    OtherInstitution,
    /// The visits are of more than one person.
    #[error("expected visits of one person")]
    OtherPerson,
    /// No policy says how long.
    #[error("expected a retention policy in force on {base}")]
    NoPolicy {
        /// The day the clock starts.
        base: NaiveDate,
    },
    /// The end is past the calendar.
    #[error("expected an end within the calendar")]
    PastCalendar,
}

/// How long the images of a visit must be kept.
///
/// `others` are the person's other visits to the institution: the law counts from the last one
/// (K-02), so leaving one out gives too early a day. The visit itself may be among them.
///
/// See [`Retention`] for an example.
///
/// # Errors
/// Why it can't be told; the images are kept meanwhile.
pub fn retention<'a>(
    visit: &VisitState,
    others: impl IntoIterator<Item = &'a VisitState>,
    book: &Book,
    known_at: Moment,
) -> Result<Retention, RetentionError> {
    let mut history = History::default();
    history.learn(visit, known_at)?;
    let setting = history.setting;
    let holds = history.holds();
    for other in others {
        history.learn(other, known_at)?;
    }
    let open = history.open_stays();
    if open > 0 {
        return Err(RetentionError::OpenStay { open });
    }
    let duty = history
        .duties(setting, book, known_at)?
        .into_iter()
        .max_by_key(|duty| {
            (
                duty.last_kept,
                duty.base,
                duty.clock == Clock::LastDischarge,
            )
        })
        .ok_or(RetentionError::NoContact)?;
    let first_disposable = next_day(duty.last_kept).ok_or(RetentionError::PastCalendar)?;
    let mut rules = alloc::vec![RuleId::K01, RuleId::K02, RuleId::K05, RuleId::K06];
    if setting.is_none_or(|setting| setting == CareSetting::Inpatient) {
        rules.push(RuleId::K04);
    }
    if !holds.is_empty() {
        rules.push(RuleId::K07);
    }
    rules.sort_unstable();
    Ok(Retention {
        visit: visit.root(known_at),
        setting,
        clock: duty.clock,
        base: duty.base,
        years: duty.years,
        last_kept: duty.last_kept,
        first_disposable,
        holds,
        rules,
        grounds: duty.grounds,
    })
}

/// What the policy of one day of contact asks for.
struct Duty {
    clock: Clock,
    base: NaiveDate,
    years: u32,
    last_kept: NaiveDate,
    grounds: Arc<Grounds>,
}

/// What is known of a person's visits to an institution.
#[derive(Default)]
struct History {
    institution: Option<InstitutionCode>,
    person: Option<PersonRef>,
    setting: Option<CareSetting>,
    /// Days of contact of any kind.
    contacts: BTreeSet<NaiveDate>,
    discharges: BTreeSet<NaiveDate>,
    stays: BTreeSet<EncounterId>,
    /// By encounter, what a stay is told by.
    encounters: BTreeMap<EncounterId, Course>,
    /// By hold, the last time it was placed and released.
    holds: BTreeMap<HoldId, (Option<Moment>, Option<Moment>)>,
}

/// The course of one encounter.
#[derive(Default)]
struct Course {
    contacts: BTreeSet<NaiveDate>,
    /// The last day the patient was there for care: an exam or the registration, not a late fee.
    present: Option<NaiveDate>,
    discharged: Option<NaiveDate>,
}

impl History {
    fn learn(&mut self, visit: &VisitState, known_at: Moment) -> Result<(), RetentionError> {
        if *self.institution.get_or_insert(visit.institution()) != visit.institution() {
            return Err(RetentionError::OtherInstitution);
        }
        for (fact, _) in visit.known(known_at) {
            if *self.person.get_or_insert(fact.person) != fact.person {
                return Err(RetentionError::OtherPerson);
            }
            let day = fact.occurred.date();
            match &fact.kind {
                EventKind::Registered { setting } => {
                    self.setting = self.setting.max(Some(*setting));
                    if *setting == CareSetting::Inpatient {
                        self.stays.insert(fact.encounter);
                    }
                    let course = self.contact(fact.encounter, day);
                    course.present = course.present.max(Some(day));
                }
                EventKind::Performed { .. } => {
                    let course = self.contact(fact.encounter, day);
                    course.present = course.present.max(Some(day));
                }
                EventKind::ExamOrdered { .. } | EventKind::FeeLine { .. } => {
                    self.contact(fact.encounter, day);
                }
                EventKind::Discharged => {
                    self.discharges.insert(day);
                    let course = self.contact(fact.encounter, day);
                    course.discharged = course.discharged.max(Some(day));
                }
                EventKind::HoldPlaced { hold } => {
                    let (placed, _) = self.holds.entry(*hold).or_default();
                    *placed = (*placed).max(Some(fact.occurred));
                }
                EventKind::HoldReleased { hold } => {
                    let (_, released) = self.holds.entry(*hold).or_default();
                    *released = (*released).max(Some(fact.occurred));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn contact(&mut self, encounter: EncounterId, day: NaiveDate) -> &mut Course {
        self.contacts.insert(day);
        let course = self.encounters.entry(encounter).or_default();
        course.contacts.insert(day);
        course
    }

    /// Stays without a discharge, and stays whose patient was there again after the last one: it
    /// was recalled, or another one is still to be told.
    fn open_stays(&self) -> usize {
        let courses = self
            .stays
            .iter()
            .filter_map(|stay| self.encounters.get(stay));
        courses
            .filter(|course| {
                course
                    .discharged
                    .is_none_or(|day| course.present > Some(day))
            })
            .count()
    }

    /// The duty of each day of contact. A day before the first policy adds none; the last day of a
    /// clock needs one, or nobody knows how long.
    fn duties(
        &self,
        setting: Option<CareSetting>,
        book: &Book,
        known_at: Moment,
    ) -> Result<Vec<Duty>, RetentionError> {
        let mut duties = Vec::new();
        // K-01: every visit starts the years of a clinic visit. K-04: unknown counts as the longest.
        let visits = |policy: &RetentionPolicy| match setting {
            None => policy.inpatient_years.max(policy.outpatient_years),
            Some(_) => policy.outpatient_years,
        };
        let clock = Clock::LastVisit;
        add(&mut duties, clock, &self.contacts, visits, book, known_at)?;
        if setting == Some(CareSetting::Inpatient) {
            // A fee after the discharge is still of the stay.
            let of_stays = self
                .stays
                .iter()
                .filter_map(|stay| self.encounters.get(stay));
            let days = of_stays
                .flat_map(|course| &course.contacts)
                .chain(&self.discharges)
                .copied()
                .collect();
            let stays = |policy: &RetentionPolicy| policy.inpatient_years;
            add(
                &mut duties,
                Clock::LastDischarge,
                &days,
                stays,
                book,
                known_at,
            )?;
        }
        Ok(duties)
    }

    /// K-07: a hold placed again after its release, or at the same second, is a hold.
    fn holds(&self) -> Vec<HoldId> {
        let open = self
            .holds
            .iter()
            .filter(|(_, (placed, released))| placed.is_some() && placed >= released);
        open.map(|(hold, _)| *hold).collect()
    }
}

/// The duties of one clock.
fn add(
    duties: &mut Vec<Duty>,
    clock: Clock,
    days: &BTreeSet<NaiveDate>,
    years: impl Fn(&RetentionPolicy) -> u32,
    book: &Book,
    known_at: Moment,
) -> Result<(), RetentionError> {
    for base in days.iter().copied() {
        let policy = book.policy(base, known_at);
        let Some(policy) = policy.retention() else {
            if days.last() == Some(&base) {
                return Err(RetentionError::NoPolicy { base });
            }
            continue;
        };
        let years = years(policy);
        duties.push(Duty {
            clock,
            base,
            years,
            last_kept: years_later(base, years).ok_or(RetentionError::PastCalendar)?,
            grounds: Arc::clone(&policy.grounds),
        });
    }
    Ok(())
}
