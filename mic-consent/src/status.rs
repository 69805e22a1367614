//! Withdrawal and suspension: every grant has a place in a status list, and without a fresh answer it is
//! refused (CST-62, CST-63).

use chrono::{DateTime, Utc};

use crate::key::KeyId;

/// The place of a grant in its issuer's status lists.
///
/// ```
/// let place = mic_consent::StatusRef::new(3, 70_001);
/// assert_eq!((place.list(), place.index()), (3, 70_001));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusRef {
    list: u32,
    index: u32,
}

impl StatusRef {
    /// Entry `index` of list `list`. Indexes are given out at random, so that neighbours mean nothing.
    #[must_use]
    pub const fn new(list: u32, index: u32) -> Self {
        Self { list, index }
    }

    /// The number of the list.
    #[must_use]
    pub const fn list(self) -> u32 {
        self.list
    }

    /// The place in the list.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }
}

/// What is known about a grant. There is no default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// It stands.
    Valid,
    /// The patient withdrew it.
    Withdrawn,
    /// It is suspended for the time being.
    Suspended,
    /// No list, a list too old, or no such entry: refused.
    Unknown,
}

/// Where a node looks up the status of a grant: a list it holds, or its authority.
///
/// `issuer` is the key that signed the grant, so that the list of one authority cannot speak for the grants
/// of another. Answer [`Status::Unknown`] when the list is older than its time to live.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use mic_consent::{KeyId, Status, StatusRef, StatusSource};
///
/// struct Withdrawn(std::collections::HashSet<StatusRef>);
///
/// impl StatusSource for Withdrawn {
///     fn status(&self, _issuer: &KeyId, place: StatusRef, _now: DateTime<Utc>) -> Status {
///         if self.0.contains(&place) { Status::Withdrawn } else { Status::Valid }
///     }
/// }
/// ```
pub trait StatusSource {
    /// What is known about the grant at `place`, at the time `now`.
    fn status(&self, issuer: &KeyId, place: StatusRef, now: DateTime<Utc>) -> Status;
}
