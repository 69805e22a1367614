//! Replay and counting: what a node must remember, in bounded memory that fails closed (CST-66 to CST-68).

use alloc::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::{
    claims::{
        binding::{GrantId, HiddenRecord, ProofId},
        time::between,
    },
    key::KeyId,
};

/// What the guard says.
///
/// ```
/// assert_ne!(mic_consent::Admission::Fresh, mic_consent::Admission::Full);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Admission {
    /// Not seen before, remembered now.
    Fresh,
    /// Seen before: refused.
    Seen,
    /// More studies than the grant allows: refused.
    UsedUp,
    /// No room to remember it: refused.
    Full,
}

/// The memory of a node. Offline nodes cannot share one: a proof is single at each node, and the insurer's
/// reconciliation of receipts finds the rest.
///
/// Put it behind a lock when several threads serve; `admit_*` must look and remember in one step.
pub trait ReplayGuard {
    /// Remembers a proof of the key `signer` until `until`.
    fn admit_proof(
        &mut self,
        signer: &KeyId,
        proof: &ProofId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Admission;

    /// Counts a study opened under a grant of the key `issuer`, at most `most` different ones until `until`.
    /// A study opened again is [`Admission::Fresh`] and not counted again.
    fn admit_study(
        &mut self,
        issuer: &KeyId,
        grant: &GrantId,
        study: &HiddenRecord,
        most: u16,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Admission;
}

/// A guard in memory, with room for a stated number of entries. It forgets what is out of date, and refuses
/// when it is full.
///
/// It starts empty. After a restart within the life of a proof (60 seconds and the skew) a proof could come
/// again: wait that long, or keep the guard in a store of your own.
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
/// assert_eq!(guard.admit_proof(&signer, &other, until, until), Admission::Fresh); // the first is forgotten
/// ```
#[derive(Debug, Clone)]
pub struct MemoryGuard {
    capacity: usize,
    entries: usize,
    proofs: BTreeMap<(KeyId, ProofId), DateTime<Utc>>,
    studies: BTreeMap<(KeyId, GrantId), Counted>,
    /// What to forget, by time. Never more entries than in the two maps.
    ends: BTreeSet<(DateTime<Utc>, End)>,
}

#[derive(Debug, Clone)]
struct Counted {
    until: DateTime<Utc>,
    studies: BTreeSet<HiddenRecord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Proof(KeyId, ProofId),
    Grant(KeyId, GrantId),
}

impl MemoryGuard {
    /// Room for `capacity` proofs and studies together; each takes some 100 bytes.
    #[must_use]
    pub const fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity,
            entries: 0,
            proofs: BTreeMap::new(),
            studies: BTreeMap::new(),
            ends: BTreeSet::new(),
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

    fn forget(&mut self, now: DateTime<Utc>) {
        while let Some((until, _)) = self.ends.first() {
            if between(now, *until) > 0 {
                break;
            }
            let Some((_, end)) = self.ends.pop_first() else {
                break;
            };
            let gone = match end {
                End::Proof(signer, proof) => {
                    usize::from(self.proofs.remove(&(signer, proof)).is_some())
                }
                End::Grant(issuer, grant) => self
                    .studies
                    .remove(&(issuer, grant))
                    .map_or(0, |counted| counted.studies.len()),
            };
            self.entries = self.entries.saturating_sub(gone);
        }
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
        self.forget(now);
        let id = (*signer, *proof);
        if self.proofs.contains_key(&id) {
            return Admission::Seen;
        }
        if self.entries >= self.capacity {
            return Admission::Full;
        }
        self.proofs.insert(id, until);
        self.ends.insert((until, End::Proof(*signer, *proof)));
        self.entries += 1;
        Admission::Fresh
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
        self.forget(now);
        let id = (*issuer, *grant);
        if let Some(counted) = self.studies.get(&id) {
            if counted.studies.contains(study) {
                return Admission::Fresh;
            }
            if counted.studies.len() >= usize::from(most) {
                return Admission::UsedUp;
            }
        } else if most == 0 {
            return Admission::UsedUp;
        }
        if self.entries >= self.capacity {
            return Admission::Full;
        }
        let counted = self.studies.entry(id).or_insert_with(|| Counted {
            until,
            studies: BTreeSet::new(),
        });
        counted.studies.insert(*study);
        self.ends
            .insert((counted.until, End::Grant(*issuer, *grant)));
        self.entries += 1;
        Admission::Fresh
    }
}
