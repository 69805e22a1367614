//! How long the images of a visit must be kept (rules K-01 to K-07).
//!
//! The clock doesn't start at the scan. It starts at the patient's last visit to the institution,
//! or last discharge from it, so each return moves the end later and nothing moves it earlier.

use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};

use chrono::NaiveDate;
use serde::Serialize;

use crate::{
    book::{Book, Grounds},
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
    /// The patient is in hospital: no discharge of a stay is known.
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
    let open = history.stays.difference(&history.discharged).count();
    if open > 0 {
        return Err(RetentionError::OpenStay { open });
    }
    let (clock, base) = match setting {
        Some(CareSetting::Inpatient) => (
            Clock::LastDischarge,
            history.last_discharge.or(history.last_contact),
        ),
        _ => (Clock::LastVisit, history.last_contact),
    };
    let base = base.ok_or(RetentionError::NoContact)?;
    let policy = book.policy(base, known_at);
    let duty = policy
        .retention()
        .ok_or(RetentionError::NoPolicy { base })?;
    // K-04: unknown counts as the longest.
    let years = match setting {
        Some(CareSetting::Inpatient) => duty.inpatient_years,
        Some(_) => duty.outpatient_years,
        None => duty.inpatient_years.max(duty.outpatient_years),
    };
    let last_kept = years_later(base, years).ok_or(RetentionError::PastCalendar)?;
    let first_disposable = next_day(last_kept).ok_or(RetentionError::PastCalendar)?;
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
        clock,
        base,
        years,
        last_kept,
        first_disposable,
        holds,
        rules,
        grounds: Arc::clone(&duty.grounds),
    })
}

/// What is known of a person's visits to an institution.
#[derive(Default)]
struct History {
    institution: Option<InstitutionCode>,
    person: Option<PersonRef>,
    setting: Option<CareSetting>,
    last_contact: Option<NaiveDate>,
    last_discharge: Option<NaiveDate>,
    stays: BTreeSet<EncounterId>,
    discharged: BTreeSet<EncounterId>,
    placed: BTreeSet<HoldId>,
    released: BTreeSet<HoldId>,
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
                    self.last_contact = self.last_contact.max(Some(day));
                    if *setting == CareSetting::Inpatient {
                        self.stays.insert(fact.encounter);
                    }
                }
                EventKind::ExamOrdered { .. }
                | EventKind::Performed { .. }
                | EventKind::FeeLine { .. } => {
                    self.last_contact = self.last_contact.max(Some(day));
                }
                EventKind::Discharged => {
                    self.discharged.insert(fact.encounter);
                    self.last_contact = self.last_contact.max(Some(day));
                    self.last_discharge = self.last_discharge.max(Some(day));
                }
                EventKind::HoldPlaced { hold } => {
                    self.placed.insert(*hold);
                }
                EventKind::HoldReleased { hold } => {
                    self.released.insert(*hold);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn holds(&self) -> Vec<HoldId> {
        self.placed.difference(&self.released).copied().collect()
    }
}
