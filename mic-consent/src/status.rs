//! Withdrawal and suspension: every grant has a place in a status list, and without a fresh answer it is
//! refused (CST-62, CST-63).

use chrono::{DateTime, Utc};

use crate::key::KeyId;

mod book;
mod kept;
mod list;
mod places;

pub use self::{
    book::{KnownStatus, StatusBook, StatusMark},
    kept::{BOOK_RECORD_BYTES, BookStore, BookStoreError, KeptBook},
    list::{StatusList, StatusListClaims, StatusListDraft},
};

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
/// `issuer` is the key that signed the grant: a list belongs to a key and a number, so that the list of one
/// authority cannot speak for the grants of another. Answer [`Status::Unknown`] for a list that is not there or
/// older than its time to live, and for a place beyond its end. Every answer but [`Status::Valid`] refuses.
///
/// ```
/// use std::collections::{BTreeMap, BTreeSet};
///
/// use chrono::{DateTime, TimeDelta, Utc};
/// use mic_consent::{KeyId, Status, StatusRef, StatusSource};
///
/// /// One list as its authority signed it.
/// struct List {
///     good_until: DateTime<Utc>,
///     places: u32,
///     withdrawn: BTreeSet<u32>,
/// }
///
/// struct Lists(BTreeMap<(KeyId, u32), List>);
///
/// impl StatusSource for Lists {
///     fn status(&self, issuer: &KeyId, place: StatusRef, now: DateTime<Utc>) -> Status {
///         match self.0.get(&(*issuer, place.list())) {
///             Some(list) if now < list.good_until && place.index() < list.places => {
///                 if list.withdrawn.contains(&place.index()) { Status::Withdrawn } else { Status::Valid }
///             }
///             _ => Status::Unknown,
///         }
///     }
/// }
///
/// let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let (one, other) = (KeyId::from_bytes([1; 8]), KeyId::from_bytes([2; 8]));
/// let list = List { good_until: now + TimeDelta::minutes(5), places: 100, withdrawn: [7].into() };
/// let lists = Lists([((one, 3), list)].into());
/// assert_eq!(lists.status(&one, StatusRef::new(3, 7), now), Status::Withdrawn);
/// assert_eq!(lists.status(&one, StatusRef::new(3, 8), now), Status::Valid);
/// assert_eq!(lists.status(&one, StatusRef::new(3, 100), now), Status::Unknown);
/// assert_eq!(lists.status(&one, StatusRef::new(4, 8), now), Status::Unknown);
/// assert_eq!(lists.status(&other, StatusRef::new(3, 8), now), Status::Unknown);
/// assert_eq!(lists.status(&one, StatusRef::new(3, 8), now + TimeDelta::minutes(5)), Status::Unknown);
/// ```
pub trait StatusSource {
    /// What is known about the grant at `place`, at the time `now`.
    fn status(&self, issuer: &KeyId, place: StatusRef, now: DateTime<Utc>) -> Status;
}
