//! The guard in memory: entries of 16 bytes in sets, one for each minute of ends.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::{Admission, ReplayGuard};
use crate::{
    claims::{
        binding::{GrantId, HiddenRecord, ProofId},
        time::between,
    },
    key::KeyId,
    limits::SKEW_S,
};

/// The first 16 bytes of a SHA-256: two entries with the same would be refused, never admitted.
pub(super) type Print = [u8; 16];

/// What is remembered together ends together, at the end of a minute.
const BUCKET_S: i64 = 60;

/// A guard in memory, with room for a stated number of entries. It forgets what is out of date, a minute late
/// at most, and refuses when it is full. A million entries take some 27 MiB, and at most 40.
///
/// The latest moment it was given is kept: a clock that is more than 60 seconds before it is refused
/// ([`Admission::ClockBack`]), since what was over then is forgotten (CST-66). After a jump of the clock wait
/// until it is right again, or start anew as after a restart.
///
/// It starts empty. After a restart within the life of a proof (60 seconds and the skew) a proof could come
/// again: wait that long, or keep the guard with a [`KeptGuard`](crate::KeptGuard).
///
/// ```
/// use mic_consent::{Admission, KeyId, MemoryGuard, ProofId, ReplayGuard};
///
/// let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let until = now + chrono::TimeDelta::seconds(120);
/// let (signer, proof) = (KeyId::from_bytes([1; 8]), ProofId::from_bytes([2; 16]));
/// let mut guard = MemoryGuard::with_capacity(1);
/// assert_eq!(guard.admit_proof(&signer, &proof, until, now), Admission::Fresh);
/// assert_eq!(guard.admit_proof(&signer, &proof, until, now), Admission::Seen);
/// let other = ProofId::from_bytes([3; 16]);
/// assert_eq!(guard.admit_proof(&signer, &other, until, now), Admission::Full);
/// let later = until + chrono::TimeDelta::minutes(1);
/// assert_eq!(guard.admit_proof(&signer, &other, until, later), Admission::Fresh); // the first is forgotten
/// ```
#[derive(Clone)]
pub struct MemoryGuard {
    capacity: usize,
    entries: usize,
    /// The latest moment given.
    latest: Option<DateTime<Utc>>,
    /// By the minute at whose end they are forgotten.
    proofs: BTreeMap<i64, BTreeSet<Print>>,
    studies: BTreeMap<Print, Counted>,
    grants: BTreeMap<i64, Vec<Print>>,
}

#[derive(Clone)]
struct Counted {
    minute: i64,
    studies: BTreeSet<Print>,
}

/// One entry as it is kept in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Proof {
        minute: i64,
        proof: Print,
    },
    Study {
        minute: i64,
        grant: Print,
        study: Print,
    },
}

pub(super) fn print(parts: [&[u8]; 2]) -> Print {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    first(&hasher.finalize().into())
}

pub(super) fn first(bytes: &[u8; 32]) -> Print {
    let mut print = [0; 16];
    for (to, from) in print.iter_mut().zip(bytes) {
        *to = *from;
    }
    print
}

pub(super) const fn minute_of(until: DateTime<Utc>) -> i64 {
    // Rounded up: never forgotten too early.
    until
        .timestamp()
        .saturating_add(BUCKET_S - 1)
        .div_euclid(BUCKET_S)
}

impl MemoryGuard {
    /// Room for `capacity` proofs and studies together.
    #[must_use]
    pub const fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity,
            entries: 0,
            latest: None,
            proofs: BTreeMap::new(),
            studies: BTreeMap::new(),
            grants: BTreeMap::new(),
        }
    }

    /// How many proofs and studies it remembers.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries
    }

    /// Whether it remembers nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Forgets what is over. A clock behind what was seen already, by more than the skew, is refused; what is
    /// forgotten is over by more than that.
    ///
    /// # Errors
    /// That clock.
    pub(super) fn forget(&mut self, now: DateTime<Utc>) -> Result<(), Admission> {
        let latest = self.latest.map_or(now, |latest| latest.max(now));
        if between(now, latest) > i64::from(SKEW_S) {
            return Err(Admission::ClockBack);
        }
        self.latest = Some(latest);
        let minute = now.timestamp().div_euclid(BUCKET_S);
        while let Some(bucket) = self
            .proofs
            .first_entry()
            .filter(|first| *first.key() <= minute)
        {
            self.entries = self.entries.saturating_sub(bucket.remove().len());
        }
        while let Some(bucket) = self
            .grants
            .first_entry()
            .filter(|first| *first.key() <= minute)
        {
            for grant in bucket.remove() {
                let gone = self
                    .studies
                    .remove(&grant)
                    .map_or(0, |counted| counted.studies.len());
                self.entries = self.entries.saturating_sub(gone);
            }
        }
        Ok(())
    }

    /// The latest moment it was given.
    pub(super) const fn latest(&self) -> Option<DateTime<Utc>> {
        self.latest
    }

    /// Takes back a study that was counted and could not be kept.
    pub(super) fn uncount(&mut self, entry: &Entry) {
        let Entry::Study { grant, study, .. } = entry else {
            return;
        };
        let Some(counted) = self.studies.get_mut(grant) else {
            return;
        };
        if counted.studies.remove(study) {
            self.entries = self.entries.saturating_sub(1);
        }
        if counted.studies.is_empty() {
            if let Some(bucket) = self.grants.get_mut(&counted.minute) {
                bucket.retain(|other| other != grant);
            }
            self.studies.remove(grant);
        }
    }

    /// Remembers an entry, and says whether it is new.
    pub(super) fn remember(&mut self, entry: Entry, most: u16) -> (Admission, bool) {
        let full = self.entries >= self.capacity;
        match entry {
            Entry::Proof { minute, proof } => {
                if self.proofs.values().any(|bucket| bucket.contains(&proof)) {
                    return (Admission::Seen, false);
                }
                if full {
                    return (Admission::Full, false);
                }
                self.proofs.entry(minute).or_default().insert(proof);
            }
            Entry::Study {
                minute,
                grant,
                study,
            } => {
                let counted = self.studies.get(&grant);
                if counted.is_some_and(|counted| counted.studies.contains(&study)) {
                    return (Admission::Fresh, false);
                }
                let count = counted.map_or(0, |counted| counted.studies.len());
                if count >= usize::from(most) {
                    return (Admission::UsedUp, false);
                }
                if full {
                    return (Admission::Full, false);
                }
                if counted.is_none() {
                    self.grants.entry(minute).or_default().push(grant);
                }
                let counted = self.studies.entry(grant).or_insert_with(|| Counted {
                    minute,
                    studies: BTreeSet::new(),
                });
                counted.studies.insert(study);
            }
        }
        self.entries += 1;
        (Admission::Fresh, true)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        let proofs = self.proofs.iter().flat_map(|(minute, bucket)| {
            bucket.iter().map(|proof| Entry::Proof {
                minute: *minute,
                proof: *proof,
            })
        });
        let studies = self.studies.iter().flat_map(|(grant, counted)| {
            counted.studies.iter().map(|study| Entry::Study {
                minute: counted.minute,
                grant: *grant,
                study: *study,
            })
        });
        proofs.chain(studies)
    }
}

impl ReplayGuard for MemoryGuard {
    fn admit_proof(
        &mut self,
        signer: &KeyId,
        proof: &ProofId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Admission {
        if let Err(refused) = self.forget(now) {
            return refused;
        }
        self.remember(proof_entry(signer, proof, until), 0).0
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
        if let Err(refused) = self.forget(now) {
            return refused;
        }
        self.remember(study_entry(issuer, grant, study, until), most)
            .0
    }
}

pub(super) fn proof_entry(signer: &KeyId, proof: &ProofId, until: DateTime<Utc>) -> Entry {
    Entry::Proof {
        minute: minute_of(until),
        proof: print([signer.as_bytes(), proof.as_bytes()]),
    }
}

pub(super) fn study_entry(
    issuer: &KeyId,
    grant: &GrantId,
    study: &HiddenRecord,
    until: DateTime<Utc>,
) -> Entry {
    Entry::Study {
        minute: minute_of(until),
        grant: print([issuer.as_bytes(), grant.as_bytes()]),
        study: first(study.as_bytes()),
    }
}

impl fmt::Debug for MemoryGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryGuard")
            .field("capacity", &self.capacity)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}
