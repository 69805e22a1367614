//! What a node knows of withdrawals: the newest list of each number, and what it heard since (CST-91 to
//! CST-99).

use alloc::collections::BTreeMap;
use core::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::{Status, StatusList, StatusListClaims, StatusRef, StatusSource};
use crate::{
    claims::time::between,
    code::IssuerCode,
    denial::{Denial, Reason},
    key::{KeyId, KeyRecord, KeyRing, KeyState, Role},
    limits::{
        STATUS_LISTS_MAX, STATUS_LISTS_OF_ISSUER_MAX, WITHDRAWALS_MAX, WITHDRAWALS_OF_ISSUER_MAX,
    },
    token::Live,
    withdrawal::{Effect, Withdrawal},
};

/// The status lists and withdrawals that a node holds. A list older than one it has seen is refused, and so is
/// one that takes a withdrawal back.
///
/// Grants of an authority are found by the owner of their key, so lists go on when keys change, and the
/// list of one authority never speaks for another. With a [`KeyRing`] it is a [`StatusSource`]:
///
/// ```
/// use mic_consent::*;
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// # let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// # let (realm, authority) = (Realm::new("mic.cn")?, IssuerCode::new("CONSENT01")?);
/// # let key = Sm2SigningKey::from_secret_bytes(&[9; 32])?; // a test key
/// # let year = KeyValidity::new(now, now + chrono::TimeDelta::days(365))?;
/// # let roles = Roles::from(Role::Grant) | Role::Status.into();
/// let keys = KeyRing::from_records([
///     KeyRecord::new(key.public_key().clone(), authority, roles, year)?,
/// ])?;
/// let policy = Policy::new(realm, AcceptedSuites::GmOnly);
/// let checker = Checker::new(&keys, &policy);
/// let list = StatusListDraft::new(realm, authority, 3, 100_000).with_withdrawn([7]).sign(&key, now)?;
///
/// let mut book = StatusBook::new(&policy);
/// let list = Encoded::document_from_bytes(list.as_bytes())?;
/// book.accept(list.untrusted::<StatusList>()?.verify(&checker)?.live(&checker, now)?)?;
///
/// let statuses = book.with_keys(&keys);
/// assert_eq!(statuses.status(&key.key_id(), StatusRef::new(3, 7), now), Status::Withdrawn);
/// assert_eq!(statuses.status(&key.key_id(), StatusRef::new(3, 8), now), Status::Valid);
/// assert_eq!(statuses.status(&key.key_id(), StatusRef::new(4, 8), now), Status::Unknown);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct StatusBook {
    age_s: i64,
    skew_s: i64,
    lists: BTreeMap<(IssuerCode, u32), Held>,
    /// Lists seen before the last restart, until they are there again.
    seen: BTreeMap<(IssuerCode, u32), StatusMark>,
    heard: BTreeMap<IssuerCode, BTreeMap<StatusRef, Heard>>,
    /// Authorities whose withdrawals found no room, and since when: all their grants are unknown until lists
    /// from after that moment come.
    deaf: BTreeMap<IssuerCode, DateTime<Utc>>,
    /// The latest issue of a list that was dropped, for each authority: nothing from before it comes back.
    floors: BTreeMap<IssuerCode, DateTime<Utc>>,
    lists_of_issuer: usize,
    heard_of_issuer: usize,
    /// The latest moment that any accepted list states.
    newest: Option<DateTime<Utc>>,
}

#[derive(Clone)]
struct Held {
    key: KeyId,
    claims: StatusListClaims,
    content: Content,
}

/// What was heard about one grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) effect: Effect,
    pub(super) issued_at: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

/// The first 16 bytes of the SHA-256 of a list's claims.
pub(super) type Content = [u8; 16];

fn content(list: &Live<StatusList>) -> Content {
    let hash: [u8; 32] = Sha256::digest(list.encoded().payload()).into();
    let mut content = [0; 16];
    for (to, from) in content.iter_mut().zip(hash) {
        *to = from;
    }
    content
}

/// One thing that a book knows and a restart must not take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    Heard(IssuerCode, StatusRef, Heard),
    Seen(StatusMark),
    Deaf(IssuerCode, DateTime<Utc>),
    Floor(IssuerCode, DateTime<Utc>),
    Newest(DateTime<Utc>),
}

impl Held {
    fn is_of(&self, record: &KeyRecord, owner: &IssuerCode) -> bool {
        record.key_id() == self.key
            && record.roles().contains(Role::Status)
            && record.organisation() == owner
    }
}

impl Heard {
    /// Whether a list is from after it. What was said in one second may not be in the list of that second.
    fn is_before(&self, list: &StatusListClaims) -> bool {
        self.issued_at < list.issued_at()
    }

    /// Hears more about the same grant: withdrawn is for good, and of two alike the newer stands, in any order.
    fn join(&mut self, new: Self) {
        let until = self.until.max(new.until);
        let stronger = new.effect == Effect::Withdrawn && self.effect == Effect::Suspended;
        let newer = new.effect == self.effect && new.issued_at > self.issued_at;
        if stronger || newer {
            *self = new;
        }
        self.until = until;
    }
}

/// The high-water mark of one list, for the node to keep over a restart.
///
/// ```
/// use mic_consent::{IssuerCode, StatusMark};
/// let mark = StatusMark::new(IssuerCode::new("CONSENT01")?, 3, 17);
/// assert_eq!((mark.list(), mark.version()), (3, 17));
/// # Ok::<(), mic_consent::CodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusMark {
    issuer: IssuerCode,
    list: u32,
    version: u32,
    content: Option<(DateTime<Utc>, Content)>,
}

impl StatusMark {
    /// Version `version` of this list was seen.
    #[must_use]
    pub const fn new(issuer: IssuerCode, list: u32, version: u32) -> Self {
        Self {
            issuer,
            list,
            version,
            content: None,
        }
    }

    /// With the moment of issue and the content seen, so that another content of the version is refused as well.
    pub(super) const fn with_content(mut self, issued_at: DateTime<Utc>, content: Content) -> Self {
        self.content = Some((issued_at, content));
        self
    }

    pub(super) const fn content(&self) -> Option<&(DateTime<Utc>, Content)> {
        self.content.as_ref()
    }

    /// Whether a list may follow what was seen.
    fn admits(&self, claims: &StatusListClaims, content: &Content) -> Result<(), Reason> {
        let older = self
            .content
            .is_some_and(|(issued_at, _)| claims.issued_at() < issued_at);
        if claims.version() < self.version || older {
            return Err(Reason::OlderThanSeen);
        }
        let forked = claims.version() == self.version
            && self.content.is_some_and(|(_, seen)| seen != *content);
        if forked {
            return Err(Reason::ForkedVersion);
        }
        Ok(())
    }

    /// Whose list.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerCode {
        &self.issuer
    }

    /// Its number.
    #[must_use]
    pub const fn list(&self) -> u32 {
        self.list
    }

    /// The version seen.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }
}

impl StatusBook {
    /// An empty book: every grant is unknown, and so refused.
    #[must_use]
    pub fn new(policy: &crate::checker::Policy) -> Self {
        Self {
            age_s: policy.status_list_age_s().into(),
            skew_s: policy.skew_s().into(),
            lists: BTreeMap::new(),
            seen: BTreeMap::new(),
            heard: BTreeMap::new(),
            deaf: BTreeMap::new(),
            floors: BTreeMap::new(),
            lists_of_issuer: STATUS_LISTS_OF_ISSUER_MAX,
            heard_of_issuer: WITHDRAWALS_OF_ISSUER_MAX,
            newest: None,
        }
    }

    /// Less room for one authority: so many lists and so many withdrawals heard, at most those of
    /// [`limits`](crate::limits).
    #[must_use]
    pub fn with_room_for_issuer(mut self, lists: usize, withdrawals: usize) -> Self {
        self.lists_of_issuer = lists.min(STATUS_LISTS_OF_ISSUER_MAX);
        self.heard_of_issuer = withdrawals.min(WITHDRAWALS_OF_ISSUER_MAX);
        self
    }

    /// Takes a list. The same list again changes nothing.
    ///
    /// # Errors
    /// An older version than the one held ([`Reason::OlderThanSeen`]), another content for the same version,
    /// a withdrawal taken back, or too many lists, in all or of this authority.
    pub fn accept(&mut self, list: Live<StatusList>) -> Result<(), Denial> {
        let key = list.key_id();
        let content = content(&list);
        let claims = list.into_signed().into_claims();
        let place = (*claims.issuer(), claims.list());
        if self
            .floors
            .get(&place.0)
            .is_some_and(|floor| claims.issued_at() < *floor)
        {
            return Err(Reason::OlderThanSeen.into());
        }
        if let Some(mark) = self.seen.get(&place) {
            mark.admits(&claims, &content)?;
        }
        match self.lists.get(&place) {
            Some(held) => {
                let seen = &held.claims;
                if claims.version() < seen.version() || claims.issued_at() < seen.issued_at() {
                    return Err(Reason::OlderThanSeen.into());
                }
                if claims.version() == seen.version() {
                    return match claims == *seen {
                        true => Ok(()),
                        false => Err(Reason::ForkedVersion.into()),
                    };
                }
                if !claims.keeps(seen) {
                    return Err(Reason::WithdrawalUndone.into());
                }
            }
            None if self.lists.len() >= STATUS_LISTS_MAX
                || self.lists_of(&place.0) >= self.lists_of_issuer =>
            {
                return Err(Reason::TooManyLists.into());
            }
            None => {}
        }
        self.newest = self.newest.max(Some(claims.issued_at()));
        // What was heard and is in the list is remembered there; a suspension ends with a newer list.
        if let Some(heard) = self.heard.get_mut(&place.0) {
            heard.retain(|status, heard| {
                let covered = status.list() == place.1
                    && match heard.effect {
                        Effect::Suspended => heard.is_before(&claims),
                        Effect::Withdrawn => {
                            heard.issued_at <= claims.issued_at()
                                && claims.status(status.index()) == Status::Withdrawn
                        }
                    };
                !covered
            });
        }
        self.seen.remove(&place);
        let held = Held {
            key,
            claims,
            content,
        };
        self.lists.insert(place, held);
        Ok(())
    }

    fn lists_of(&self, issuer: &IssuerCode) -> usize {
        let own = (*issuer, 0)..=(*issuer, u32::MAX);
        self.lists.range(own).count()
    }

    /// Drops the lists whose key `keys` does not know any more, has as revoked or compromised, or gives to
    /// another owner or role, and says how many: what a stolen key filled is free again, and its owner may
    /// begin anew with another key, at any version. The grants of a dropped list are unknown, and so refused,
    /// until a list comes that is not older than any that was dropped.
    ///
    /// The withdrawals that only the dropped lists had are gone with them: the owner's next list must have them.
    pub fn drop_untrusted(&mut self, keys: &KeyRing) -> usize {
        let before = self.lists.len();
        let floors = &mut self.floors;
        self.lists.retain(|(issuer, _), held| {
            let kept = keys.get(&held.key).is_some_and(|record| {
                held.is_of(record, issuer)
                    && !matches!(
                        record.state(),
                        KeyState::Revoked | KeyState::Compromised { .. }
                    )
            });
            if !kept {
                let floor = floors.entry(*issuer).or_insert(held.claims.issued_at());
                *floor = held.claims.issued_at().max(*floor);
            }
            kept
        });
        before - self.lists.len()
    }

    /// Takes a withdrawal that was heard before the next list: the grant ends at once. A suspension from before
    /// the list that is held, or before another one heard, is an old one and changes nothing.
    ///
    /// # Errors
    /// No room, in all or for this authority: from then on all grants of that authority are unknown here, until newer lists come.
    pub fn hear(&mut self, withdrawal: &Live<Withdrawal>) -> Result<(), Denial> {
        let claims = withdrawal.claims();
        let (issuer, place) = (*claims.issuer(), claims.status());
        let now = withdrawal.checked_at();
        let until = crate::claims::time::later(
            claims.expires_at(),
            u32::try_from(self.skew_s.saturating_mul(2)).unwrap_or(u32::MAX),
        )?;
        let new = Heard {
            effect: claims.effect(),
            issued_at: claims.issued_at(),
            until,
        };
        let list = self.lists.get(&(issuer, place.list()));
        if new.effect == Effect::Suspended && list.is_some_and(|held| new.is_before(&held.claims)) {
            return Ok(());
        }
        if let Some(old) = self
            .heard
            .get_mut(&issuer)
            .and_then(|heard| heard.get_mut(&place))
        {
            old.join(new);
            return Ok(());
        }
        if !self.has_room(&issuer) {
            for heard in self.heard.values_mut() {
                heard.retain(|_, heard| between(now, heard.until) > 0);
            }
        }
        if !self.has_room(&issuer) {
            self.deaf.insert(issuer, new.issued_at.max(now));
            return Err(Reason::MemoryFull.into());
        }
        self.heard.entry(issuer).or_default().insert(place, new);
        Ok(())
    }

    fn has_room(&self, issuer: &IssuerCode) -> bool {
        let all: usize = self.heard.values().map(BTreeMap::len).sum();
        let own = self.heard.get(issuer).map_or(0, BTreeMap::len);
        all < WITHDRAWALS_MAX && own < self.heard_of_issuer
    }

    /// The versions seen, for the node to keep over a restart. [`KeptBook`](crate::KeptBook) keeps them, and what
    /// was heard, by itself.
    pub fn marks(&self) -> impl Iterator<Item = StatusMark> {
        let held = self.lists.iter().map(|((issuer, list), held)| {
            let claims = &held.claims;
            StatusMark::new(*issuer, *list, claims.version())
                .with_content(claims.issued_at(), held.content)
        });
        held.chain(self.seen.values().copied())
    }

    /// The mark of one list.
    pub(super) fn mark_of(&self, issuer: &IssuerCode, list: u32) -> Option<StatusMark> {
        let held = self.lists.get(&(*issuer, list))?;
        let claims = &held.claims;
        let mark = StatusMark::new(*issuer, list, claims.version());
        Some(mark.with_content(claims.issued_at(), held.content))
    }

    /// What is remembered about one grant.
    pub(super) fn heard_of(&self, issuer: &IssuerCode, place: StatusRef) -> Option<Heard> {
        self.heard.get(issuer)?.get(&place).copied()
    }

    /// Since when withdrawals of this authority found no room.
    pub(super) fn deaf_of(&self, issuer: &IssuerCode) -> Option<DateTime<Utc>> {
        self.deaf.get(issuer).copied()
    }

    /// All that a restart must not take away; of what was heard, what is not over at `now`.
    pub(super) fn facts(&self, now: DateTime<Utc>) -> impl Iterator<Item = Fact> {
        let heard = self.heard.iter().flat_map(move |(issuer, heard)| {
            let current = heard
                .iter()
                .filter(move |(_, heard)| between(now, heard.until) > 0);
            current.map(|(place, heard)| Fact::Heard(*issuer, *place, *heard))
        });
        let deaf = self.deaf.iter();
        let floors = self.floors.iter();
        self.newest
            .map(Fact::Newest)
            .into_iter()
            .chain(self.marks().map(Fact::Seen))
            .chain(deaf.map(|(issuer, since)| Fact::Deaf(*issuer, *since)))
            .chain(floors.map(|(issuer, since)| Fact::Floor(*issuer, *since)))
            .chain(heard)
    }

    /// Takes up what was known before a restart. What finds no room makes its authority unknown.
    pub(super) fn recall(&mut self, fact: Fact) {
        let later =
            |old: Option<&DateTime<Utc>>, new: DateTime<Utc>| old.map_or(new, |old| new.max(*old));
        match fact {
            Fact::Heard(issuer, place, new) => {
                if !self.has_room(&issuer) {
                    self.recall(Fact::Deaf(issuer, new.issued_at));
                    return;
                }
                let heard = self.heard.entry(issuer).or_default();
                heard.entry(place).or_insert(new).join(new);
            }
            Fact::Seen(mark) => {
                let seen = self.seen.entry((mark.issuer, mark.list)).or_insert(mark);
                if mark.version >= seen.version {
                    *seen = mark;
                }
            }
            Fact::Deaf(issuer, since) => {
                let since = later(self.deaf.get(&issuer), since);
                self.deaf.insert(issuer, since);
            }
            Fact::Floor(issuer, since) => {
                let since = later(self.floors.get(&issuer), since);
                self.floors.insert(issuer, since);
            }
            Fact::Newest(moment) => self.newest = self.newest.max(Some(moment)),
        }
    }

    /// Whether a list is older than one that was seen before the last restart. Ask before
    /// [`accept`](Self::accept) when the book starts empty.
    ///
    /// # Errors
    /// It is ([`Reason::OlderThanSeen`]).
    pub fn not_before<'m>(
        list: &Live<StatusList>,
        marks: impl IntoIterator<Item = &'m StatusMark>,
    ) -> Result<(), Denial> {
        let claims = list.claims();
        let older = marks.into_iter().any(|mark| {
            mark.issuer == *claims.issuer()
                && mark.list == claims.list()
                && mark.version > claims.version()
        });
        if older {
            return Err(Reason::OlderThanSeen.into());
        }
        Ok(())
    }

    /// The book as a source of status, with the keys by which grants and lists find their owners.
    #[must_use]
    pub const fn with_keys<'a>(&'a self, keys: &'a KeyRing) -> KnownStatus<'a> {
        KnownStatus { book: self, keys }
    }

    fn look(&self, keys: &KeyRing, issuer: &KeyId, place: StatusRef, now: DateTime<Utc>) -> Status {
        let Some(owner) = keys.get(issuer).map(|record| *record.organisation()) else {
            return Status::Unknown;
        };
        if keys.is_suspended(&owner) {
            return Status::Unknown;
        }
        let heard = self.heard.get(&owner).and_then(|heard| heard.get(&place));
        let heard = heard.map(|heard| heard.effect);
        if heard == Some(Effect::Withdrawn) {
            return Status::Withdrawn;
        }
        let Some(held) = self.lists.get(&(owner, place.list())) else {
            return Status::Unknown;
        };
        let listed = held.claims.status(place.index());
        if listed == Status::Withdrawn {
            return Status::Withdrawn;
        }
        let still_trusted = keys.get(&held.key).is_some_and(|record| {
            held.is_of(record, &owner)
                && matches!(
                    record.state(),
                    KeyState::Active | KeyState::VerifyOnly { .. }
                )
        });
        let issued_at = held.claims.issued_at();
        let fresh = between(issued_at, now) <= self.age_s + self.skew_s
            && between(held.claims.expires_at(), now) < self.skew_s;
        // A clock before what was seen already is wrong.
        let clock = self
            .newest
            .is_none_or(|newest| between(now, newest) <= self.skew_s);
        let heard_all = self.deaf.get(&owner).is_none_or(|since| issued_at > *since);
        if !(still_trusted && fresh && clock && heard_all) {
            return Status::Unknown;
        }
        match heard {
            Some(_) => Status::Suspended,
            None => listed,
        }
    }
}

impl fmt::Debug for StatusBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusBook")
            .field("lists", &self.lists.len())
            .field(
                "heard",
                &self.heard.values().map(BTreeMap::len).sum::<usize>(),
            )
            .finish_non_exhaustive()
    }
}

/// A [`StatusBook`] together with the trusted keys.
///
/// ```
/// fn source<'a>(book: &'a mic_consent::StatusBook, keys: &'a mic_consent::KeyRing) -> mic_consent::KnownStatus<'a> {
///     book.with_keys(keys)
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct KnownStatus<'a> {
    book: &'a StatusBook,
    keys: &'a KeyRing,
}

impl StatusSource for KnownStatus<'_> {
    fn status(&self, issuer: &KeyId, place: StatusRef, now: DateTime<Utc>) -> Status {
        self.book.look(self.keys, issuer, place, now)
    }
}
