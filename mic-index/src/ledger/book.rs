//! Many uploads by their record key.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;

use chrono::{DateTime, TimeDelta, Utc};

use super::event::{Applied, TransitionError, UploadEvent};
use super::policy::RetryPolicy;
use super::summary::Summary;
use super::upload::{Upload, UploadState};
use crate::record::RecordKey;

/// Uploads in memory, in the order of their keys.
///
/// For a day's work of a hospital. Whoever keeps millions in a database stores one
/// [`Upload`] per row and uses its methods; [`Summary`] counts rows as they stream by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    uploads: BTreeMap<RecordKey, Upload>,
}

impl Ledger {
    /// A ledger without uploads.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            uploads: BTreeMap::new(),
        }
    }

    /// Adds a record that has to be uploaded; `false` if it is there already, as it was.
    pub fn add(&mut self, key: RecordKey, at: DateTime<Utc>) -> bool {
        match self.uploads.entry(key) {
            Entry::Vacant(place) => {
                place.insert(Upload::new(at));
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Applies an event to one upload.
    ///
    /// # Errors
    ///
    /// [`LedgerError`]; nothing has changed then.
    pub fn apply(
        &mut self,
        key: &RecordKey,
        event: &UploadEvent,
        at: DateTime<Utc>,
        policy: &impl RetryPolicy,
    ) -> Result<Applied, LedgerError> {
        let upload = self.uploads.get_mut(key).ok_or(LedgerError::Unknown)?;
        Ok(upload.apply(event, at, policy)?)
    }

    /// One upload.
    #[must_use]
    pub fn get(&self, key: &RecordKey) -> Option<&Upload> {
        self.uploads.get(key)
    }

    /// Takes an upload out, to put it into an archive.
    pub fn remove(&mut self, key: &RecordKey) -> Option<Upload> {
        self.uploads.remove(key)
    }

    /// Number of uploads.
    #[must_use]
    pub fn len(&self) -> usize {
        self.uploads.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.uploads.is_empty()
    }

    /// All uploads in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&RecordKey, &Upload)> {
        self.uploads.iter()
    }

    /// What may be sent now, in the order of the keys.
    pub fn due(&self, now: DateTime<Utc>) -> impl Iterator<Item = RecordKey> + '_ {
        self.uploads
            .iter()
            .filter(move |(_, upload)| upload.due().is_some_and(|due| due <= now))
            .map(|(key, _)| *key)
    }

    /// What was sent and has no answer for at least as long as one is willing to wait. The caller
    /// finds out, or reports it as failed.
    pub fn unanswered(
        &self,
        now: DateTime<Utc>,
        patience: TimeDelta,
    ) -> impl Iterator<Item = RecordKey> + '_ {
        self.uploads
            .iter()
            .filter(move |(_, upload)| {
                upload.state() == UploadState::Sent
                    && now.signed_duration_since(upload.changed()) >= patience
            })
            .map(|(key, _)| *key)
    }

    /// Counts by state and age.
    #[must_use]
    pub fn summary(&self, now: DateTime<Utc>, bounds: &[TimeDelta]) -> Summary {
        let mut summary = Summary::new(now, bounds);
        self.uploads.values().for_each(|upload| summary.add(upload));
        summary
    }
}

impl FromIterator<(RecordKey, Upload)> for Ledger {
    /// Of two uploads with one key the last counts.
    fn from_iter<I: IntoIterator<Item = (RecordKey, Upload)>>(uploads: I) -> Self {
        Self {
            uploads: uploads.into_iter().collect(),
        }
    }
}

/// Why a ledger does not take an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// No upload has this key.
    #[error("expected the key of an upload, found another")]
    Unknown,
    /// The event cannot have happened.
    #[error(transparent)]
    Transition(#[from] TransitionError),
}
