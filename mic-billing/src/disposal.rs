//! The end of a duty: lists of what may be destroyed (K-08), and rows of what goes to the next
//! vendor (K-09).

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};
use core::fmt::Write as _;

use chrono::NaiveDate;

use crate::{
    civil::Moment,
    contract::Contract,
    event::EventKind,
    key::{HoldId, StudyUid, VisitKey},
    money::{Fen, MoneyError},
    policy::Unearned,
    retention::{Retention, RetentionError},
    state::VisitState,
};

/// The first line of a disposal list's text.
const FORMAT: &str = "mic-billing-disposal/1";

/// Visits whose images may be destroyed on a day, to be signed by whoever answers for it.
///
/// It posts no money.
///
/// ```
/// use mic_billing::DisposalList;
///
/// let list = DisposalList::of("2041-01-01".parse().unwrap(), []);
/// assert_eq!(list.text(), "mic-billing-disposal/1\n2041-01-01\ntotal 0\n");
/// assert!(list.signed(|_text| false).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisposalList {
    day: NaiveDate,
    /// By visit, the day from which it may go.
    visits: BTreeMap<VisitKey, NaiveDate>,
}

impl DisposalList {
    /// Those of the visits whose every clock is over on the day, and that no hold is on (I-12).
    #[must_use]
    pub fn of<'a>(day: NaiveDate, kept: impl IntoIterator<Item = &'a Retention>) -> Self {
        let due = kept.into_iter().filter(|kept| kept.is_disposable(day));
        let visits = due
            .map(|kept| (kept.visit, kept.first_disposable))
            .collect();
        Self { day, visits }
    }

    /// The day.
    #[must_use]
    pub const fn day(&self) -> NaiveDate {
        self.day
    }

    /// The visits.
    pub fn visits(&self) -> impl Iterator<Item = VisitKey> {
        self.visits.keys().copied()
    }

    /// The one text of the list, which is what is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = writeln!(text, "{FORMAT}\n{}", self.day);
        for (visit, since) in &self.visits {
            let _ = writeln!(text, "{visit} {since}");
        }
        let _ = writeln!(text, "total {}", self.visits.len());
        text
    }

    /// The list with a signature that the caller has checked over its text.
    ///
    /// # Errors
    /// [`DisposalError::NotSigned`] if the check says no.
    pub fn signed(
        self,
        check: impl FnOnce(&[u8]) -> bool,
    ) -> Result<SignedDisposal, DisposalError> {
        if check(self.text().as_bytes()) {
            Ok(SignedDisposal(self))
        } else {
            Err(DisposalError::NotSigned)
        }
    }
}

/// A disposal list whose signature was checked. Made by [`DisposalList::signed`] alone.
///
/// ```
/// # use mic_billing::*;
/// # fn destroy(signed: &SignedDisposal, kept: &Retention, today: chrono::NaiveDate) {
/// match signed.permits(kept, today) {
///     Ok(()) => println!("{} may be destroyed", kept.visit),
///     Err(reason) => println!("{} is kept: {reason}", kept.visit),
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDisposal(DisposalList);

impl SignedDisposal {
    /// The list.
    #[must_use]
    pub const fn list(&self) -> &DisposalList {
        &self.0
    }

    /// Whether a visit's images may be destroyed now, by what is known of it *now*: since the list
    /// was written the patient may have come again, or a court may have asked.
    ///
    /// # Errors
    /// Why not.
    pub fn permits(&self, kept: &Retention, today: NaiveDate) -> Result<(), DisposalError> {
        if !self.0.visits.contains_key(&kept.visit) {
            return Err(DisposalError::NotListed);
        }
        if !kept.holds.is_empty() {
            return Err(DisposalError::Held {
                holds: kept.holds.len(),
            });
        }
        if !kept.is_disposable(today) {
            return Err(DisposalError::NotYet {
                first: kept.first_disposable,
            });
        }
        Ok(())
    }
}

/// Images that may not be destroyed.
///
/// ```
/// assert_eq!(mic_billing::DisposalError::NotListed.to_string(), "expected a visit of the signed list");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisposalError {
    /// The list has no valid signature.
    #[error("expected a valid signature of the list")]
    NotSigned,
    /// The visit is not on the list.
    #[error("expected a visit of the signed list")]
    NotListed,
    /// Legal holds are on it.
    #[error("expected no hold, found {holds}")]
    Held {
        /// How many.
        holds: usize,
    },
    /// A clock is not over.
    #[error("expected a day from {first} on")]
    NotYet {
        /// The first day.
        first: NaiveDate,
    },
}

/// What goes to the next vendor for one visit: a row of the manifest.
///
/// ```
/// # fn show(row: &mic_billing::Handover) {
/// match &row.duty {
///     Ok(duty) => println!("{}: {} studies, kept to {}", row.visit, row.studies.len(), duty.last_kept),
///     Err(reason) => println!("{}: {} studies, kept: {reason}", row.visit, row.studies.len()),
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handover {
    /// The visit.
    pub visit: VisitKey,
    /// Its studies, as far as stores or the platform named them.
    pub studies: Vec<StudyUid>,
    /// What is left of the duty, or why nobody can tell yet: the images go over all the same.
    pub duty: Result<DutyLeft, RetentionError>,
}

/// The part of a duty that goes to the next vendor. Read from [`Handover::duty`], see there.
///
/// ```
/// # fn show(duty: &mic_billing::DutyLeft) {
/// println!("{} of {} days left, {} yuan unearned", duty.days_left, duty.days, duty.unearned);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DutyLeft {
    /// The visit's own first day: from then on its images were kept.
    pub from: NaiveDate,
    /// The last day the images must be there.
    pub last_kept: NaiveDate,
    /// Days of the duty after the contract's last day.
    pub days_left: u32,
    /// Days of the whole duty.
    pub days: u32,
    /// Legal holds, which the next vendor must know (K-07).
    pub holds: Vec<HoldId>,
    /// What of the price is for the days left and goes back, by the contract.
    pub unearned: Fen,
}

/// The row of one visit when a contract ends: the duty goes on with the next vendor (K-09). None
/// only if the duty is over and no hold is on the visit.
///
/// `kept` is what [`retention`](crate::retention) says of the visit, its error included. `units` is how many units of the visit
/// the contract's price is owed for: none for history, for what was deducted, refunded or never
/// charged.
///
/// ```
/// # use mic_billing::*;
/// # fn show(state: &VisitState, kept: Result<&Retention, &RetentionError>, contract: &Contract, now: Moment) {
/// let end = "2028-12-31".parse().unwrap();
/// if let Ok(Some(row)) = handover(state, kept, contract, 1, end, now) {
///     println!("{} goes over with {} studies", row.visit, row.studies.len());
/// }
/// # }
/// ```
///
/// # Errors
/// [`MoneyError::Overflow`] if the duty or the price is more than can be counted.
pub fn handover(
    state: &VisitState,
    kept: Result<&Retention, &RetentionError>,
    contract: &Contract,
    units: u32,
    last_day: NaiveDate,
    known_at: Moment,
) -> Result<Option<Handover>, MoneyError> {
    let duty = match kept {
        Ok(kept) => {
            let duty = left(state, kept, contract, units, last_day, known_at)?;
            if duty.days_left == 0 && duty.holds.is_empty() {
                return Ok(None);
            }
            Ok(duty)
        }
        Err(error) => Err(error.clone()),
    };
    let studies: BTreeSet<StudyUid> = state
        .known(known_at)
        .filter_map(|(fact, _)| match &fact.kind {
            EventKind::PixelsStored { study, .. } | EventKind::IndexAccepted { study, .. } => {
                *study
            }
            _ => None,
        })
        .collect();
    Ok(Some(Handover {
        visit: state.root(known_at),
        studies: studies.into_iter().collect(),
        duty,
    }))
}

/// The days left of a duty that began with the visit itself, and their part of the price.
fn left(
    state: &VisitState,
    kept: &Retention,
    contract: &Contract,
    units: u32,
    last_day: NaiveDate,
    known_at: Moment,
) -> Result<DutyLeft, MoneyError> {
    let between = |from: NaiveDate, to: NaiveDate| {
        u32::try_from(to.signed_duration_since(from).num_days().max(0))
            .map_err(|_| MoneyError::Overflow)
    };
    // The patient's later visits move the end of the duty, never its beginning.
    let from = own_first_day(state, known_at).unwrap_or(kept.base);
    let days = between(from, kept.last_kept)?;
    let days_left = between(last_day, kept.last_kept)?.min(days);
    let unearned = match contract.unearned {
        Some(Unearned::ByTime) if units > 0 && days > 0 => {
            contract.price.fraction(units, days_left, days)?
        }
        Some(Unearned::Kept | Unearned::ByTime) | None => Fen::ZERO,
    };
    Ok(DutyLeft {
        from,
        last_kept: kept.last_kept,
        days_left,
        days,
        holds: kept.holds.clone(),
        unearned,
    })
}

/// The first day of an exam of the visit, else of any contact.
fn own_first_day(state: &VisitState, known_at: Moment) -> Option<NaiveDate> {
    let first = |wanted: fn(&EventKind) -> bool| {
        let facts = state.known(known_at).map(|(fact, _)| fact);
        facts
            .filter(|fact| wanted(&fact.kind))
            .map(|fact| fact.occurred.date())
            .min()
    };
    first(|kind| matches!(kind, EventKind::Performed { .. })).or_else(|| {
        first(|kind| {
            matches!(
                kind,
                EventKind::Registered { .. }
                    | EventKind::ExamOrdered { .. }
                    | EventKind::FeeLine { .. }
                    | EventKind::Discharged
            )
        })
    })
}
