//! The status list (`mic-s`): a status role says which grants of one list are withdrawn or suspended (CST-91
//! to CST-96).

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::{Status, places::Places};
use crate::{
    cbor::{
        read::{self, MapReader},
        write::MapWriter,
    },
    checker::Checker,
    claims::{
        fields, label, mic,
        outer::{Outer, outer_claims},
        time,
    },
    code::{IssuerCode, Realm},
    denial::{Denial, Reason},
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyRecord,
    limits::{STATUS_LIST_AGE_S, STATUS_LIST_BYTES_MAX, STATUS_LIST_LIFE_S_MAX, STATUS_PLACES_MAX},
    signer::{AsyncSigner, Signer},
    token::{Live, Signed, TokenType, sealed},
};

/// The type of a status list's token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusList {}

/// What a status list says; read from [`Signed`] on, and used through a [`StatusBook`](crate::StatusBook).
///
/// ```
/// fn line(list: &mic_consent::StatusListClaims) -> String {
///     format!("list {} version {}: {} withdrawn", list.list(), list.version(), list.withdrawn())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusListClaims {
    outer: Outer,
    list: u32,
    version: u32,
    withdrawn: Places,
    suspended: Places,
}

impl StatusListClaims {
    /// Whose grants it speaks for.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerCode {
        &self.outer.origin.issuer
    }

    /// The number of the list.
    #[must_use]
    pub const fn list(&self) -> u32 {
        self.list
    }

    /// Its version, which only goes up.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// How many places it has.
    #[must_use]
    pub const fn places(&self) -> u32 {
        self.withdrawn.places()
    }

    /// How many grants are withdrawn.
    #[must_use]
    pub const fn withdrawn(&self) -> u32 {
        self.withdrawn.count()
    }

    /// How many grants are suspended.
    #[must_use]
    pub const fn suspended(&self) -> u32 {
        self.suspended.count()
    }

    /// What it says about a place; [`Status::Unknown`] beyond its end.
    #[must_use]
    pub fn status(&self, index: u32) -> Status {
        if index >= self.places() {
            Status::Unknown
        } else if self.withdrawn.contains(index) {
            Status::Withdrawn
        } else if self.suspended.contains(index) {
            Status::Suspended
        } else {
            Status::Valid
        }
    }

    /// Whether all that `older` has withdrawn is withdrawn here.
    pub(super) fn keeps(&self, older: &Self) -> bool {
        self.withdrawn.covers(&older.withdrawn)
    }

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        private.key(mic::SERIAL).uint(self.version.into());
        private.key(mic::PLACES).uint(self.places().into());
        write_places(&mut private, mic::WITHDRAWN, &self.withdrawn);
        write_places(&mut private, mic::SUSPENDED, &self.suspended);
        private.key(mic::LIST).uint(self.list.into());
        let mut claims = self.outer.write(None)?;
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

fn write_places(private: &mut MapWriter, key: i64, set: &Places) {
    private
        .key(key)
        .array(2)
        .uint(set.count().into())
        .bytes(&set.encode());
}

fn places(private: &mut MapReader<'_>, key: i64, places: u32) -> Result<Places, Denial> {
    let value = private.need(key, Reason::MissingClaim)?;
    let start = *value;
    value.take(read::array(2, 2))?;
    let count = value.take_as(read::uint, |count| {
        u32::try_from(count).map_err(|_| Reason::TooMany)
    })?;
    let code = value.take(read::bytes(0, STATUS_LIST_BYTES_MAX))?;
    Places::decode(places, count, code).ok_or_else(|| start.denial(Reason::BadStatusCode))
}

outer_claims!(StatusListClaims);

impl sealed::Rules for StatusListClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let outer = Outer::read(&mut claims)?;
        let mut private = fields::private_map(&mut claims)?;
        let version = fields::number(&mut private, mic::SERIAL)?;
        let size =
            private
                .need(mic::PLACES, Reason::MissingClaim)?
                .take_as(read::uint, |places| {
                    u32::try_from(places)
                        .ok()
                        .filter(|places| (1..=STATUS_PLACES_MAX).contains(places))
                        .ok_or(Reason::TooMany)
                })?;
        let withdrawn = places(&mut private, mic::WITHDRAWN, size)?;
        let suspended = places(&mut private, mic::SUSPENDED, size)?;
        let list = fields::number(&mut private, mic::LIST)?;
        fields::end(claims, private)?;
        outer
            .check(STATUS_LIST_LIFE_S_MAX)
            .map_err(fields::broken)?;
        if !withdrawn.is_disjoint(&suspended) {
            return Err(fields::broken(Reason::BadStatusCode));
        }
        Ok(Self {
            outer,
            list,
            version,
            withdrawn,
            suspended,
        })
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        // It speaks for the grants of its own issuer and of nobody else: see the book.
        Ok(())
    }
}

/// A status list being made by an authority's status role.
///
/// ```
/// use mic_consent::*;
///
/// let key = Sm2SigningKey::from_secret_bytes(&[9; 32])?; // a test key
/// let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let list = StatusListDraft::new(Realm::new("mic.cn")?, IssuerCode::new("CONSENT01")?, 3, 100_000)
///     .with_version(17)
///     .with_withdrawn([7, 70_001])
///     .with_suspended([8])
///     .sign(&key, now)?;
/// assert!(list.as_bytes().len() < 250);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct StatusListDraft {
    realm: Realm,
    issuer: IssuerCode,
    list: u32,
    version: u32,
    withdrawn: Places,
    suspended: Places,
    beyond: bool,
    life_s: u32,
}

impl StatusListDraft {
    /// Version 1 of list `list` with this many places (1 to 4,194,304), none of them withdrawn. It lives an
    /// hour. Take enough places that a withdrawal tells nobody anything: 100,000 or more.
    #[must_use]
    pub fn new(realm: Realm, issuer: IssuerCode, list: u32, places: u32) -> Self {
        let none = Places::new(places.min(STATUS_PLACES_MAX));
        Self {
            realm,
            issuer,
            list,
            version: 1,
            withdrawn: none.clone(),
            suspended: none,
            beyond: !(1..=STATUS_PLACES_MAX).contains(&places),
            life_s: STATUS_LIST_AGE_S,
        }
    }

    /// The next version of a list, an hour long again: what was withdrawn stays so, what was suspended is
    /// named anew.
    #[must_use]
    pub fn after(older: &StatusListClaims) -> Self {
        Self {
            version: older.version.saturating_add(1),
            withdrawn: older.withdrawn.clone(),
            ..Self::new(*older.realm(), *older.issuer(), older.list, older.places())
        }
    }

    /// The version.
    #[must_use]
    pub const fn with_version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// These grants are withdrawn.
    #[must_use]
    pub fn with_withdrawn(mut self, indexes: impl IntoIterator<Item = u32>) -> Self {
        for index in indexes {
            self.beyond |= !self.withdrawn.insert(index);
        }
        self
    }

    /// These grants are suspended. One that is withdrawn as well stays withdrawn.
    #[must_use]
    pub fn with_suspended(mut self, indexes: impl IntoIterator<Item = u32>) -> Self {
        for index in indexes {
            self.beyond |= !self.suspended.insert(index);
        }
        self
    }

    /// It lives this many seconds: at most a week.
    #[must_use]
    pub const fn with_life_s(mut self, life_s: u32) -> Self {
        self.life_s = life_s;
        self
    }

    /// Signs it.
    ///
    /// # Errors
    /// A number of places or a life out of range; an index beyond the end; a failing signer.
    pub fn sign(&self, signer: &dyn Signer, now: DateTime<Utc>) -> Result<Encoded, IssueError> {
        let payload = self.payload(now)?;
        seal(TokenType::StatusList, &payload, signer)
    }

    /// The same with a signer that is waited for. The claims are settled before the wait.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_async(
        &self,
        signer: &impl AsyncSigner,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(now)?;
        seal_async(TokenType::StatusList, &payload, signer).await
    }

    fn payload(&self, now: DateTime<Utc>) -> Result<Vec<u8>, IssueError> {
        if self.beyond {
            return Err(Reason::TooMany.into());
        }
        let mut suspended = Places::new(self.suspended.places());
        for index in self.suspended.iter() {
            if !self.withdrawn.contains(index) {
                suspended.insert(index);
            }
        }
        let issued_at = time::whole_second(now)?;
        let outer = Outer::new(self.issuer, self.realm, issued_at, self.life_s)?;
        outer.check(STATUS_LIST_LIFE_S_MAX)?;
        let claims = StatusListClaims {
            outer,
            list: self.list,
            version: self.version,
            withdrawn: self.withdrawn.clone(),
            suspended,
        };
        Ok(claims.encode()?)
    }
}

impl Signed<StatusList> {
    /// Checks realm and time: steps 9 and 10, after steps 5 and 8 once more.
    ///
    /// # Errors
    /// A key that is no longer trusted; another realm; not yet or no longer valid.
    pub fn live(
        self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
    ) -> Result<Live<StatusList>, Denial> {
        self.still_trusted(checker)?;
        checker.audience_and_time(self.claims(), STATUS_LIST_LIFE_S_MAX, now)?;
        Ok(self.into_live(now, checker.policy().skew_s()))
    }
}
