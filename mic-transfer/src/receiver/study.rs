//! One study of a receiver.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use super::event::{ConnectionId, Progress};
use super::plan::{Plan, Priority};
use super::state::{StudyInput, StudyState};
use crate::error::{Context, ErrorCode, SessionError};
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::store::all_chunks;
use crate::tree::{Leaves, chunk_count};
use crate::wire::Offer;
use crate::{Auth, Digest, Instant, Manifest, RangeSet, Run, SignedManifest, Uid};

#[derive(Debug)]
pub(super) struct Study {
    pub(super) state: StudyState,
    pub(super) uid: Uid,
    pub(super) auth: Auth,
    priority: Priority,
    pub(super) signed: Option<SignedManifest>,
    pub(super) offer: Option<Offer>,
    pub(super) manifest_from: Option<ConnectionId>,
    pub(super) manifest_bytes: Vec<u8>,
    pub(super) plan: Plan,
    /// Verified and written.
    have: RangeSet,
    leaves: BTreeMap<u32, Leaves>,
    /// Chunks that each instance still lacks.
    lacking: Vec<u32>,
    held_bytes: u64,
    fetched_bytes: u64,
    instances_done: u32,
    instances_held: u32,
    started_at: Instant,
    pub(super) fetched_ever: u64,
    pub(super) committed_on: Option<ConnectionId>,
    pub(super) receipt: Option<(Receipt, Option<Signature>)>,
    /// Durable, and the receipt is left to a later pull.
    pub(super) withheld: bool,
    /// Where it stood when it became durable.
    pub(super) durable: Option<Progress>,
}

impl Study {
    pub(super) fn new(
        uid: Uid,
        auth: Auth,
        priority: Priority,
        known: Option<SignedManifest>,
    ) -> Self {
        Self {
            state: StudyState::Requested,
            signed: known.filter(|signed| *signed.manifest().study() == uid),
            uid,
            auth,
            priority,
            offer: None,
            manifest_from: None,
            manifest_bytes: Vec::new(),
            plan: Plan::default(),
            have: RangeSet::new(),
            leaves: BTreeMap::new(),
            lacking: Vec::new(),
            held_bytes: 0,
            fetched_bytes: 0,
            instances_done: 0,
            instances_held: 0,
            started_at: Duration::ZERO,
            fetched_ever: 0,
            committed_on: None,
            receipt: None,
            withheld: false,
            durable: None,
        }
    }

    /// Whether nothing more will happen to it in this receiver.
    pub(super) const fn is_over(&self) -> bool {
        self.state.is_over() || self.withheld
    }

    /// Takes a step of the table; says whether it is one.
    pub(super) fn step(&mut self, input: StudyInput) -> bool {
        match self.state.next(input) {
            Some(next) => {
                self.state = next;
                true
            }
            None => false,
        }
    }

    pub(super) fn manifest(&self) -> Option<&Manifest> {
        self.signed.as_ref().map(SignedManifest::manifest)
    }

    pub(super) fn root(&self) -> Option<Digest> {
        self.manifest().map(|manifest| *manifest.root())
    }

    /// All bytes of the manifest are here: it must be the one offered, of the study asked for.
    pub(super) fn finish_manifest(&mut self) -> Result<(), SessionError> {
        let bytes = core::mem::take(&mut self.manifest_bytes);
        let manifest = Manifest::decode(&bytes)?;
        let Some(offer) = self.offer.take() else {
            return Ok(());
        };
        if *manifest.root() != offer.root || *manifest.study() != self.uid {
            return Err(SessionError::protocol(
                ErrorCode::WrongManifest,
                Context::Frame("MANIFEST"),
            ));
        }
        self.signed = Some(SignedManifest::new(manifest, offer.signature));
        self.step(StudyInput::ManifestWhole);
        Ok(())
    }

    /// The store has opened the study with these chunks.
    pub(super) fn opened(&mut self, have: RangeSet, leaves: Vec<(u32, Leaves)>, now: Instant) {
        let Some(signed) = self.signed.clone() else {
            return;
        };
        let manifest = signed.manifest();
        let mut missing = all_chunks(&signed);
        have.runs().for_each(|run| missing.remove(run));
        self.lacking = manifest
            .instances()
            .iter()
            .map(crate::Instance::chunks)
            .collect();
        for chunk in have.runs().flat_map(|run| run.first()..run.end()) {
            let Some(place) = manifest.place(chunk) else {
                continue;
            };
            self.held_bytes = self.held_bytes.saturating_add(u64::from(place.length()));
            if let Some(lacking) = self.lacking.get_mut(place.instance() as usize) {
                *lacking = lacking.saturating_sub(1);
            }
        }
        let whole = self.lacking.iter().filter(|lacking| **lacking == 0).count();
        self.instances_held = u32::try_from(whole).unwrap_or(u32::MAX);
        self.instances_done = self.instances_held;
        self.leaves = leaves.into_iter().collect();
        self.plan = Plan::new(manifest, missing, self.priority);
        self.have = have;
        self.started_at = now;
    }

    pub(super) fn is_whole(&self) -> bool {
        self.lacking.iter().all(|lacking| *lacking == 0)
    }

    pub(super) fn whole_instances(&self) -> Vec<(u32, Digest)> {
        let Some(manifest) = self.manifest() else {
            return Vec::new();
        };
        let numbered = (0_u32..).zip(manifest.instances()).zip(&self.lacking);
        let whole = numbered.filter(|(_, lacking)| **lacking == 0);
        whole
            .map(|((number, instance), _)| (number, *instance.digest()))
            .collect()
    }

    /// Leaves from a source: checked, and noted if they are new.
    pub(super) fn take_leaves(
        &mut self,
        number: u32,
        values: Vec<[u8; 32]>,
    ) -> Result<Option<Leaves>, SessionError> {
        let refused = SessionError::protocol(ErrorCode::OutOfOrder, Context::Frame("LEAVES"));
        if self.state != StudyState::Receiving {
            return Err(refused);
        }
        let instance = self
            .manifest()
            .and_then(|known| known.instances().get(number as usize));
        let Some(instance) = instance else {
            return Err(refused);
        };
        if chunk_count(instance.length()) < 2 {
            return Err(refused);
        }
        let leaves =
            Leaves::check(*instance.digest(), instance.length(), values).map_err(|error| {
                SessionError::Leaves {
                    instance: number,
                    error,
                }
            })?;
        if self.leaves.contains_key(&number) {
            return Ok(None);
        }
        self.leaves.insert(number, leaves.clone());
        Ok(Some(leaves))
    }

    /// Whether these are the bytes of the chunk (XFR-13).
    pub(super) fn verify(&self, chunk: u32, bytes: &[u8]) -> Result<(), SessionError> {
        let place = self.manifest().and_then(|manifest| manifest.place(chunk));
        let unknown = SessionError::protocol(ErrorCode::NotRequested, Context::Chunk(chunk));
        let place = place.ok_or(unknown)?;
        let wrong = SessionError::WrongChunk {
            instance: place.instance(),
            chunk: place.index(),
        };
        let instance = self
            .manifest()
            .and_then(|m| m.instances().get(place.instance() as usize));
        let Some(instance) = instance else {
            return Err(wrong);
        };
        if bytes.len() != place.length() as usize {
            return Err(wrong);
        }
        let right = if chunk_count(instance.length()) == 1 {
            Digest::of(bytes) == *instance.digest()
        } else {
            match self.leaves.get(&place.instance()) {
                Some(leaves) => leaves.verifies(place.index(), bytes),
                None => {
                    let context = Context::Frame("DATA before LEAVES");
                    return Err(SessionError::protocol(ErrorCode::OutOfOrder, context));
                }
            }
        };
        if right { Ok(()) } else { Err(wrong) }
    }

    /// A chunk is written; the instance it made whole.
    pub(super) fn written(&mut self, chunk: u32) -> Option<(u32, Digest)> {
        let manifest = self.manifest()?.clone();
        let place = manifest.place(chunk)?;
        if self.have.contains(chunk) {
            return None;
        }
        self.have.insert(Run::new(chunk, 1)?);
        self.fetched_bytes = self.fetched_bytes.saturating_add(u64::from(place.length()));
        let lacking = self.lacking.get_mut(place.instance() as usize)?;
        *lacking = lacking.saturating_sub(1);
        if *lacking > 0 {
            return None;
        }
        self.instances_done = self.instances_done.saturating_add(1);
        self.leaves.remove(&place.instance());
        let instance = manifest.instances().get(place.instance() as usize)?;
        Some((place.instance(), *instance.digest()))
    }

    pub(super) fn give_back(&mut self, chunk: u32) {
        if let Some(signed) = self.signed.clone() {
            self.plan.give_back(signed.manifest(), chunk);
        }
    }

    pub(super) fn progress(&self, slot: u16, now: Instant) -> Progress {
        let bytes_total = self.manifest().map_or(0, Manifest::bytes_total);
        let instances = self
            .manifest()
            .map_or(0, |manifest| manifest.instances().len());
        Progress {
            slot,
            bytes_total,
            bytes_done: self.held_bytes.saturating_add(self.fetched_bytes),
            bytes_fetched: self.fetched_bytes,
            bytes_held: self.held_bytes,
            instances_total: u32::try_from(instances).unwrap_or(u32::MAX),
            instances_done: self.instances_done,
            instances_held: self.instances_held,
            elapsed: now.saturating_sub(self.started_at),
        }
    }
}
