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
    key::{StudyUid, VisitKey},
    money::{Fen, MoneyError},
    policy::Unearned,
    retention::Retention,
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
/// println!("{}: {} studies, kept to {}", row.visit, row.studies.len(), row.last_kept);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handover {
    /// The visit.
    pub visit: VisitKey,
    /// Its studies, as far as stores or the platform named them.
    pub studies: Vec<StudyUid>,
    /// The last day the images must be there.
    pub last_kept: NaiveDate,
    /// Days of the duty after the contract's last day.
    pub days_left: u32,
    /// Days of the whole duty.
    pub days: u32,
    /// What of the price is for the days left and goes back, by the contract.
    pub unearned: Fen,
}

/// The row of one visit when a contract ends: the duty goes on with the next vendor (K-09). None
/// if no day of the duty is left.
///
/// ```
/// # use mic_billing::*;
/// # fn show(state: &VisitState, kept: &Retention, contract: &Contract, now: Moment) {
/// let end = "2028-12-31".parse().unwrap();
/// if let Ok(Some(row)) = handover(state, kept, contract, end, now) {
///     println!("{} of {} days left, {} yuan unearned", row.days_left, row.days, row.unearned);
/// }
/// # }
/// ```
///
/// # Errors
/// [`MoneyError::Overflow`] if the duty is longer than can be counted.
pub fn handover(
    state: &VisitState,
    kept: &Retention,
    contract: &Contract,
    last_day: NaiveDate,
    known_at: Moment,
) -> Result<Option<Handover>, MoneyError> {
    let between = |from: NaiveDate, to: NaiveDate| {
        u32::try_from(to.signed_duration_since(from).num_days().max(0))
            .map_err(|_| MoneyError::Overflow)
    };
    let days = between(kept.base, kept.last_kept)?;
    let days_left = between(last_day, kept.last_kept)?.min(days);
    if days_left == 0 {
        return Ok(None);
    }
    let unearned = match contract.unearned {
        Some(Unearned::ByTime) => contract.price.fraction(days_left, days)?,
        Some(Unearned::Kept) | None => Fen::ZERO,
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
        visit: kept.visit,
        studies: studies.into_iter().collect(),
        last_kept: kept.last_kept,
        days_left,
        days,
        unearned,
    }))
}
