//! The guard that outlives a restart: every new entry is kept before it counts as admitted (CST-68, CST-69).

use core::fmt;

use chrono::{DateTime, Utc};

use super::{
    Admission, MemoryGuard, ReplayGuard,
    memory::{Entry, Print, first, proof_entry, study_entry},
};
use crate::{
    claims::{
        binding::{GrantId, HiddenRecord, ProofId},
        time::between,
    },
    key::KeyId,
    limits::SKEW_S,
};

/// Bytes of a record in a [`GuardStore`].
pub const GUARD_RECORD_BYTES: usize = 48;

const PROOF: u8 = 1;
const STUDY: u8 = 2;
const CLOCK: u8 = 3;

/// Why a store did not do its work.
///
/// ```
/// let error = mic_consent::GuardStoreError::Damaged { at: 96 };
/// assert_eq!(error.to_string(), "expected records as they were kept, found others from byte 96 on");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardStoreError {
    /// It cannot be reached or written.
    #[error("the store of the replay guard cannot be reached")]
    Unavailable,
    /// What it holds was not written by a guard. Proofs may have been used that are not in it, so nothing is
    /// served: put it aside, wait until all proofs of before are over, and start with an empty one.
    #[error("expected records as they were kept, found others from byte {at} on")]
    Damaged {
        /// Offset of the first wrong record.
        at: usize,
    },
    /// It holds more than the guard has room for.
    #[error("expected at most {most} entries that are not over yet")]
    TooMany {
        /// The capacity.
        most: usize,
    },
    /// The clock is more than the skew before a moment at which the guard forgot what was over then. Set the
    /// clock; if it was wrong *then*, do as for [`Damaged`](Self::Damaged).
    #[error("expected a clock not {by_s} seconds before the one of the store")]
    ClockBack {
        /// Seconds.
        by_s: i64,
    },
}

/// Where a [`KeptGuard`] keeps its entries: a file that is only appended to, a table, a log.
///
/// ```
/// use mic_consent::{GUARD_RECORD_BYTES, GuardStore, GuardStoreError};
///
/// /// A file of a node, synced before a proof counts as used.
/// struct File(std::fs::File);
///
/// impl GuardStore for File {
///     fn append(&mut self, record: &[u8; GUARD_RECORD_BYTES]) -> Result<(), GuardStoreError> {
///         use std::io::Write as _;
///         let written = self.0.write_all(record).and_then(|()| self.0.sync_data());
///         written.map_err(|_| GuardStoreError::Unavailable)
///     }
///
///     fn replace(
///         &mut self, records: &mut dyn Iterator<Item = [u8; GUARD_RECORD_BYTES]>,
///     ) -> Result<(), GuardStoreError> {
///         // in earnest: write another file, sync it, rename it
///         for record in records {
///             self.append(&record)?;
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait GuardStore {
    /// Keeps one record for good before it returns.
    ///
    /// # Errors
    /// It is not kept; the access is then refused.
    fn append(&mut self, record: &[u8; GUARD_RECORD_BYTES]) -> Result<(), GuardStoreError>;

    /// Keeps these records in place of all others, at once or not at all.
    ///
    /// # Errors
    /// The old records stand.
    fn replace(
        &mut self,
        records: &mut dyn Iterator<Item = [u8; GUARD_RECORD_BYTES]>,
    ) -> Result<(), GuardStoreError>;
}

/// A [`MemoryGuard`] over a store. It fails closed: what could not be kept is not admitted. A proof counts as
/// used all the same; a study is not counted, and is kept before it is opened at the next try.
///
/// ```
/// use mic_consent::*;
///
/// #[derive(Default)]
/// struct Kept(Vec<u8>);
/// impl GuardStore for Kept {
///     fn append(&mut self, record: &[u8; GUARD_RECORD_BYTES]) -> Result<(), GuardStoreError> {
///         self.0.extend_from_slice(record);
///         Ok(())
///     }
///     fn replace(&mut self, records: &mut dyn Iterator<Item = [u8; GUARD_RECORD_BYTES]>) -> Result<(), GuardStoreError> {
///         self.0 = records.flatten().collect();
///         Ok(())
///     }
/// }
///
/// let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let until = now + chrono::TimeDelta::seconds(120);
/// let (signer, proof) = (KeyId::from_bytes([1; 8]), ProofId::from_bytes([2; 16]));
/// let mut guard = KeptGuard::open(1000, &[], Kept::default(), now)?;
/// assert_eq!(guard.admit_proof(&signer, &proof, until, now), Admission::Fresh);
/// let kept = guard.into_store().0;
///
/// // After a restart the proof is still used.
/// let mut guard = KeptGuard::open(1000, &kept, Kept::default(), now)?;
/// assert_eq!(guard.admit_proof(&signer, &proof, until, now), Admission::Seen);
/// # Ok::<(), GuardStoreError>(())
/// ```
pub struct KeptGuard<S> {
    memory: MemoryGuard,
    store: S,
}

impl<S: GuardStore> KeptGuard<S> {
    /// Takes up what a store held, and has it keep what is not over yet. An incomplete record at the end was
    /// never acknowledged and is dropped.
    ///
    /// # Errors
    /// A record that no guard has written; more entries than `capacity`; a clock before the store's; a store
    /// that fails.
    pub fn open(
        capacity: usize,
        kept: &[u8],
        store: S,
        now: DateTime<Utc>,
    ) -> Result<Self, GuardStoreError> {
        let mut guard = Self {
            memory: MemoryGuard::with_capacity(capacity),
            store,
        };
        for (at, record) in kept.chunks_exact(GUARD_RECORD_BYTES).enumerate() {
            let damaged = GuardStoreError::Damaged {
                at: at * GUARD_RECORD_BYTES,
            };
            let entry = match read(record).ok_or(damaged)? {
                Record::Entry(entry) => entry,
                Record::Clock(latest) => {
                    let by_s = between(now, latest);
                    if by_s > i64::from(SKEW_S) {
                        return Err(GuardStoreError::ClockBack { by_s });
                    }
                    // Before `now` or within the skew of it.
                    let _ = guard.memory.forget(latest);
                    continue;
                }
            };
            if entry.is_over(now) {
                continue;
            }
            if guard.memory.remember(entry, u16::MAX).0 == Admission::Full {
                return Err(GuardStoreError::TooMany { most: capacity });
            }
        }
        guard.compact(now)?;
        Ok(guard)
    }

    /// Forgets what is over and has the store keep the rest alone, and the moment. Call it now and then.
    ///
    /// # Errors
    /// The store failed, or the clock is before one seen; the old records stand.
    pub fn compact(&mut self, now: DateTime<Utc>) -> Result<(), GuardStoreError> {
        if self.memory.forget(now).is_err() {
            let by_s = self
                .memory
                .latest()
                .map_or(0, |latest| between(now, latest));
            return Err(GuardStoreError::ClockBack { by_s });
        }
        let clock = self.memory.latest().map(write_clock);
        let entries = self.memory.entries().map(|entry| write(&entry));
        let mut records = clock.into_iter().chain(entries);
        self.store.replace(&mut records)
    }

    /// How many entries it remembers.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether it remembers nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.memory.is_empty()
    }

    /// The store, to see to it. Records are appended and replaced by the guard alone.
    pub const fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// The store.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }

    fn admit(&mut self, entry: Entry, most: u16, now: DateTime<Utc>) -> Admission {
        if let Err(refused) = self.memory.forget(now) {
            return refused;
        }
        match self.memory.remember(entry, most) {
            // Remembered before it is kept: should keeping fail, a proof counts as used all the same. A study
            // is taken back, for a known one is admitted without being kept again.
            (Admission::Fresh, true) => match self.store.append(&write(&entry)) {
                Ok(()) => Admission::Fresh,
                Err(_) => {
                    self.memory.uncount(&entry);
                    Admission::Full
                }
            },
            (admission, _) => admission,
        }
    }
}

impl<S: GuardStore> ReplayGuard for KeptGuard<S> {
    fn admit_proof(
        &mut self,
        signer: &KeyId,
        proof: &ProofId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Admission {
        self.admit(proof_entry(signer, proof, until), 0, now)
    }

    fn admit_study(
        &mut self,
        issuer: &KeyId,
        grant: &GrantId,
        study: &HiddenRecord,
        most: u16,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Admission {
        self.admit(study_entry(issuer, grant, study, until), most, now)
    }
}

impl<S> fmt::Debug for KeptGuard<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeptGuard").field(&self.memory).finish()
    }
}

impl Entry {
    const fn is_over(&self, now: DateTime<Utc>) -> bool {
        let (Self::Proof { minute, .. } | Self::Study { minute, .. }) = self;
        *minute <= now.timestamp().div_euclid(60)
    }
}

/// Kind, minute, two prints, and seven bytes of the SHA-256 of these.
fn write(entry: &Entry) -> [u8; GUARD_RECORD_BYTES] {
    let none: Print = [0; 16];
    let (kind, minute, one, two) = match entry {
        Entry::Proof { minute, proof } => (PROOF, minute, proof, &none),
        Entry::Study {
            minute,
            grant,
            study,
        } => (STUDY, minute, grant, study),
    };
    record(kind, *minute, one, two)
}

/// The moment of the last compaction, in seconds where entries have minutes.
fn write_clock(latest: DateTime<Utc>) -> [u8; GUARD_RECORD_BYTES] {
    record(CLOCK, latest.timestamp(), &[0; 16], &[0; 16])
}

fn record(kind: u8, number: i64, one: &Print, two: &Print) -> [u8; GUARD_RECORD_BYTES] {
    let mut record = [0; GUARD_RECORD_BYTES];
    let number = number.to_be_bytes();
    let body = [kind].into_iter().chain(number).chain(*one).chain(*two);
    for (to, from) in record.iter_mut().zip(body) {
        *to = from;
    }
    let check = check(record.get(..BODY_BYTES).unwrap_or_default());
    for (to, from) in record.iter_mut().skip(BODY_BYTES).zip(check) {
        *to = from;
    }
    record
}

const BODY_BYTES: usize = 41;

fn check(body: &[u8]) -> [u8; 7] {
    use sha2::{Digest as _, Sha256};
    let hash: [u8; 32] = Sha256::digest(body).into();
    let mut check = [0; 7];
    for (to, from) in check.iter_mut().zip(first(&hash)) {
        *to = from;
    }
    check
}

enum Record {
    Entry(Entry),
    Clock(DateTime<Utc>),
}

fn read(record: &[u8]) -> Option<Record> {
    let (body, sum) = record.split_at_checked(BODY_BYTES)?;
    if check(body) != *sum {
        return None;
    }
    let (kind, rest) = body.split_first()?;
    let (minute, rest) = rest.split_first_chunk::<8>()?;
    let (one, rest) = rest.split_first_chunk::<16>()?;
    let two: &Print = rest.try_into().ok()?;
    let minute = i64::from_be_bytes(*minute);
    let entry = match *kind {
        CLOCK => return DateTime::from_timestamp(minute, 0).map(Record::Clock),
        PROOF if *two == [0; 16] => Some(Entry::Proof {
            minute,
            proof: *one,
        }),
        STUDY => Some(Entry::Study {
            minute,
            grant: *one,
            study: *two,
        }),
        _ => None,
    };
    entry.map(Record::Entry)
}
