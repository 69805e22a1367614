//! The trusted set: the only keys a checker believes.

use alloc::collections::BTreeMap;

use super::{KeyError, KeyId, KeyRecord};
use crate::limits::KEYS_MAX;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRing {
    records: BTreeMap<KeyId, KeyRecord>,
}

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
        }
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
