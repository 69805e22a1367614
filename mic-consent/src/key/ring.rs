//! The trusted set: the only keys a checker believes.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{BaseTables, KeyError, KeyId, KeyRecord, PreparedKey, PublicKey, Role};
use crate::{
    code::IssuerCode,
    limits::{KEYS_MAX, SUSPENDED_MAX, TABLE_BYTES_MAX},
    signer::{BadSignature, Signature},
    suite::Suite,
};

/// An in-memory set of trusted key records, each id once (CST-24).
///
/// ```
/// use mic_consent::{Ed25519SigningKey, IssuerCode, KeyError, KeyRecord, KeyRing, KeyValidity, Role};
///
/// let key = Ed25519SigningKey::from_secret_bytes(&[1; 32])?; // a test key
/// let day = |text: &str| chrono::DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
/// let validity = KeyValidity::new(day("2026-01-01T00:00:00Z")?, day("2027-01-01T00:00:00Z")?)?;
/// let record =
///     KeyRecord::new(key.public_key().clone(), IssuerCode::new("CONSENT01")?, Role::Grant, validity)?;
/// let mut keys = KeyRing::new();
/// keys.insert(record.clone())?;
/// assert!(matches!(keys.insert(record), Err(KeyError::Collision { .. })));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// The few keys that sign most of what a node sees can be [prepared](Self::prepare): their signatures are then
/// checked several times as fast, with the same verdict. What that may cost in memory is bounded.
#[derive(Debug, Clone)]
pub struct KeyRing {
    records: BTreeMap<KeyId, KeyRecord>,
    suspended: BTreeSet<IssuerCode>,
    bases: BaseTables,
    prepared: BTreeMap<KeyId, PreparedKey>,
    table_bytes_max: usize,
}

/// By the records: tables are no part of what is trusted.
impl PartialEq for KeyRing {
    fn eq(&self, other: &Self) -> bool {
        self.records == other.records && self.suspended == other.suspended
    }
}

impl Eq for KeyRing {}

impl KeyRing {
    /// A set without keys: it believes nobody.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a trusted set is put together on purpose, never by default"
    )]
    pub const fn new() -> Self {
        Self {
            records: BTreeMap::new(),
            suspended: BTreeSet::new(),
            bases: BaseTables::new(),
            prepared: BTreeMap::new(),
            table_bytes_max: TABLE_BYTES_MAX,
        }
    }

    /// Another bound on the memory of all tables, in bytes, those of the base points included. Tables that
    /// exist already stay.
    ///
    /// ```
    /// use mic_consent::{KeyRing, limits::TABLE_BYTES_MAX};
    /// assert_eq!(KeyRing::new().with_table_bytes_max(1_000_000).table_bytes_max(), 1_000_000);
    /// assert_eq!(KeyRing::new().table_bytes_max(), TABLE_BYTES_MAX);
    /// ```
    #[must_use]
    pub const fn with_table_bytes_max(mut self, bytes: usize) -> Self {
        self.table_bytes_max = bytes;
        self
    }

    pub(super) const fn set_table_bytes_max(&mut self, bytes: usize) {
        self.table_bytes_max = bytes;
    }

    /// The set of these records.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn from_records(records: impl IntoIterator<Item = KeyRecord>) -> Result<Self, KeyError> {
        let mut ring = Self::new();
        for record in records {
            ring.insert(record)?;
        }
        Ok(ring)
    }

    /// Adds a record.
    ///
    /// # Errors
    /// A record with this id is there already, or the set is full.
    pub fn insert(&mut self, record: KeyRecord) -> Result<(), KeyError> {
        let key_id = record.key_id();
        if self.records.contains_key(&key_id) {
            return Err(KeyError::Collision { key_id });
        }
        if self.records.len() >= KEYS_MAX {
            return Err(KeyError::TooManyKeys { most: KEYS_MAX });
        }
        self.records.insert(key_id, record);
        Ok(())
    }

    /// Suspends an organisation as a whole: nothing that any of its keys signs is believed, now or in a cached
    /// verdict, until this is lifted, whatever the state of each key (CST-118).
    ///
    /// ```
    /// use mic_consent::{IssuerCode, KeyRing};
    /// let mut keys = KeyRing::new();
    /// let hospital = IssuerCode::new("H11010500001")?; // made up
    /// keys.suspend(hospital)?;
    /// assert!(keys.is_suspended(&hospital));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Ten thousand organisations are suspended already.
    pub fn suspend(&mut self, organisation: IssuerCode) -> Result<(), KeyError> {
        if self.suspended.len() >= SUSPENDED_MAX && !self.suspended.contains(&organisation) {
            return Err(KeyError::TooManySuspended {
                most: SUSPENDED_MAX,
            });
        }
        self.suspended.insert(organisation);
        Ok(())
    }

    /// Lifts the suspension of an organisation. Whether it was suspended.
    pub fn lift(&mut self, organisation: &IssuerCode) -> bool {
        self.suspended.remove(organisation)
    }

    /// Whether an organisation is suspended.
    #[must_use]
    pub fn is_suspended(&self, organisation: &IssuerCode) -> bool {
        self.suspended.contains(organisation)
    }

    /// The suspended organisations, in order.
    pub fn suspended(&self) -> impl Iterator<Item = &IssuerCode> {
        self.suspended.iter()
    }

    /// Makes the table of a key, in a millisecond or two: 88,064 bytes for SM2 and P-256, and 262,144 bytes more
    /// for the first key of either; 112,640 and 655,360 for Ed25519. A key that has its table already is left as
    /// it is.
    ///
    /// ```
    /// use mic_consent::{IssuerCode, KeyRecord, KeyRing, KeyValidity, Role, Sm2SigningKey};
    ///
    /// let key = Sm2SigningKey::from_secret_bytes(&[1; 32])?; // a test key
    /// let day = |text: &str| chrono::DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    /// let year = KeyValidity::new(day("2026-01-01T00:00:00Z")?, day("2027-01-01T00:00:00Z")?)?;
    /// let owner = IssuerCode::new("CONSENT01")?;
    /// let mut keys = KeyRing::from_records([
    ///     KeyRecord::new(key.public_key().clone(), owner, Role::Grant, year)?,
    /// ])?;
    /// keys.prepare(&key.public_key().key_id())?;
    /// assert_eq!(keys.table_bytes(), 88_064 + 262_144);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// No key of this id in the set, or no room left for its table. Either way its signatures are checked as
    /// before.
    pub fn prepare(&mut self, key_id: &KeyId) -> Result<(), KeyError> {
        let Some(record) = self.records.get(key_id) else {
            return Err(KeyError::NotInSet { key_id: *key_id });
        };
        if self.prepared.contains_key(key_id) {
            return Ok(());
        }
        let key = record.public_key();
        let wanted = self.table_bytes().saturating_add(self.bases.bytes_for(key));
        if wanted > self.table_bytes_max {
            return Err(KeyError::TablesFull {
                most: self.table_bytes_max,
            });
        }
        let prepared = PreparedKey::new(key.clone(), &mut self.bases);
        self.prepared.insert(*key_id, prepared);
        Ok(())
    }

    /// Prepares the keys of a role as long as there is room: those of SM2 and P-256 first, which gain the most, and
    /// those of one suite in the order of their ids. Returns how many of them are prepared now. [`Role::Grant`] is
    /// the one that pays: few authorities sign all grants.
    pub fn prepare_role(&mut self, role: Role) -> usize {
        let mut wanted: Vec<(bool, KeyId)> = self
            .iter()
            .filter(|record| record.roles().contains(role))
            .map(|record| {
                (
                    record.public_key().suite() == Suite::Ed25519,
                    record.key_id(),
                )
            })
            .collect();
        wanted.sort_unstable();
        wanted
            .iter()
            .filter(|(_, key_id)| self.prepare(key_id).is_ok())
            .count()
    }

    /// Gives the memory of a key's table back, for a key that is asked for less than another one. Whether
    /// there was one.
    pub fn forget_table(&mut self, key_id: &KeyId) -> bool {
        self.prepared.remove(key_id).is_some()
    }

    /// Whether the key is prepared.
    #[must_use]
    pub fn is_prepared(&self, key_id: &KeyId) -> bool {
        self.prepared.contains_key(key_id)
    }

    /// Bytes of all tables.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        let own: usize = self.prepared.values().map(PreparedKey::table_bytes).sum();
        own + self.bases.bytes()
    }

    /// The bound on the bytes of all tables.
    #[must_use]
    pub const fn table_bytes_max(&self) -> usize {
        self.table_bytes_max
    }

    /// Checks a signature, with the table of the key if there is one.
    pub(crate) fn check(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        match self.prepared.get(&key.key_id()) {
            // A key id proves nothing: the table must be that of this very key.
            Some(prepared) if prepared.public_key() == key => prepared.verify(message, signature),
            _ => key.verify(message, signature),
        }
    }

    /// The record of this id.
    #[must_use]
    pub fn get(&self, key_id: &KeyId) -> Option<&KeyRecord> {
        self.records.get(key_id)
    }

    /// All records, by id.
    pub fn iter(&self) -> impl Iterator<Item = &KeyRecord> {
        self.records.values()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}
