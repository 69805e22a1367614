//! One study of a receiver.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use super::early::Early;
use super::event::{ConnectionId, Progress};
use super::plan::{Plan, Priority};
use super::state::{StudyInput, StudyState};
use crate::error::{Context, ErrorCode, SessionError};
use crate::manifest::{ManifestHead, SignedHead};
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::store::{Action, all_chunks};
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
    pub(super) early: Early,
    pub(super) paused: bool,
    /// The SM3 digest of every instance was checked.
    pub(super) sm3: bool,
    /// Verified and written.
    have: RangeSet,
    leaves: BTreeMap<u32, Leaves>,
    /// Pieces of its instances that other studies here hold.
    pub(super) pieces: BTreeMap<u32, Vec<Run>>,
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
            early: Early::default(),
            paused: false,
            sm3: false,
            have: RangeSet::new(),
            leaves: BTreeMap::new(),
            pieces: BTreeMap::new(),
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

    /// Whether no chunk is of use any more.
    pub(super) const fn is_settled(&self) -> bool {
        matches!(
            self.state,
            StudyState::Sealing | StudyState::Committed | StudyState::Receipted
        )
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

    /// Whether somebody waits for it.
    pub(super) fn is_waited_for(&self) -> bool {
        self.priority == Priority::Waiting
    }

    /// Bytes of its manifest, announced or here, and its chunks.
    pub(super) fn weight(&self) -> (usize, u64) {
        let announced = self
            .offer
            .as_ref()
            .map_or(0, |offer| offer.manifest_bytes as usize);
        let known = self.manifest().map_or(0, |known| known.encoded().len());
        let chunks = self.manifest().map_or(0, Manifest::chunks_total);
        (announced.saturating_add(known), u64::from(chunks))
    }

    /// Ends what is held in memory only.
    pub(super) fn drop_unkept(&mut self) {
        self.early = Early::default();
        self.manifest_bytes = Vec::new();
        self.offer = None;
        self.leaves.clear();
        self.pieces.clear();
        self.plan = Plan::default();
    }

    /// The head is here: it must be that of the manifest offered, of the study asked for.
    pub(super) fn take_head(&mut self, bytes: &[u8]) -> Result<SignedHead, SessionError> {
        let head = ManifestHead::decode(bytes)?;
        let offer = self.offer.as_ref();
        let whole = bytes.len().saturating_add(head.body_bytes() as usize);
        let same = offer.is_some_and(|offer| {
            *head.root() == offer.root && whole == offer.manifest_bytes as usize
        });
        if !same || *head.study() != self.uid {
            let context = Context::Frame("MANIFEST");
            return Err(SessionError::protocol(ErrorCode::WrongManifest, context));
        }
        let signature = offer.and_then(|offer| offer.signature.clone());
        let signed = SignedHead::new(head, signature);
        self.early.head = Some(signed.clone());
        Ok(signed)
    }

    /// Digest and length of an instance, from the manifest or, before it is whole, from its head.
    fn listed(&self, number: u32) -> Option<(Digest, u64)> {
        if let Some(manifest) = self.manifest() {
            let instance = manifest.instances().get(number as usize)?;
            return Some((*instance.digest(), instance.length()));
        }
        let mut first = self.early.head()?.first().iter();
        let image = first.find(|image| image.instance() == number)?;
        Some((*image.digest(), image.length()))
    }

    /// Instance, number within it and bytes of a chunk, as [`Study::listed`].
    pub(super) fn place(&self, chunk: u32) -> Option<(u32, u32, u32)> {
        if let Some(manifest) = self.manifest() {
            let place = manifest.place(chunk)?;
            return Some((place.instance(), place.index(), place.length()));
        }
        let image = self.early.head()?.image_of(chunk)?;
        let index = chunk.checked_sub(image.chunk())?;
        Some((image.instance(), index, image.length_of(chunk)))
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

    /// The store has opened the study with these chunks; `coming` are on their way. What came before
    /// is to be noted and written.
    pub(super) fn opened(
        &mut self,
        have: RangeSet,
        leaves: Vec<(u32, Leaves)>,
        coming: &RangeSet,
        now: Instant,
    ) -> Vec<Action> {
        let mut early = self.early.take_chunks();
        let Some(signed) = self.signed.clone() else {
            return Vec::new();
        };
        let manifest = signed.manifest();
        let mut missing = all_chunks(&signed);
        have.runs().for_each(|run| missing.remove(run));
        coming.runs().for_each(|run| missing.remove(run));
        early.retain(|chunk, _| missing.contains(*chunk));
        let here = early.keys().filter_map(|chunk| Run::new(*chunk, 1));
        here.for_each(|run| missing.remove(run));
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
        // Leaves that came early are not in the store yet.
        let mut known: BTreeMap<u32, Leaves> = leaves.into_iter().collect();
        let mut actions = Vec::new();
        for (number, leaves) in core::mem::take(&mut self.leaves) {
            let lacks = self
                .lacking
                .get(number as usize)
                .is_some_and(|lacking| *lacking > 0);
            if lacks && !known.contains_key(&number) {
                actions.push(Action::Leaves(number, leaves.clone()));
                known.insert(number, leaves);
            }
        }
        self.leaves = known;
        self.plan = Plan::new(manifest, missing, self.priority);
        self.have = have;
        self.started_at = now;
        actions.extend(
            early
                .into_iter()
                .map(|(chunk, bytes)| Action::Write { chunk, bytes }),
        );
        actions
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
        if self.state.next(StudyInput::Data).is_none() {
            return Err(refused);
        }
        let Some((digest, length)) = self.listed(number) else {
            return Err(refused);
        };
        if chunk_count(length) < 2 {
            return Err(refused);
        }
        let leaves =
            Leaves::check(digest, length, values).map_err(|error| SessionError::Leaves {
                instance: number,
                error,
            })?;
        if self.leaves.contains_key(&number) {
            return Ok(None);
        }
        self.leaves.insert(number, leaves.clone());
        Ok(Some(leaves))
    }

    /// Whether these are the bytes of the chunk (XFR-13).
    pub(super) fn verify(&self, chunk: u32, bytes: &[u8]) -> Result<(), SessionError> {
        let unknown = SessionError::protocol(ErrorCode::NotRequested, Context::Chunk(chunk));
        let (number, index, length) = self.place(chunk).ok_or(unknown)?;
        let wrong = SessionError::WrongChunk {
            instance: number,
            chunk: index,
        };
        let Some((digest, of)) = self.listed(number) else {
            return Err(wrong);
        };
        if bytes.len() != length as usize {
            return Err(wrong);
        }
        let right = if chunk_count(of) == 1 {
            Digest::of(bytes) == digest
        } else {
            match self.leaves.get(&number) {
                Some(leaves) => leaves.verifies(index, bytes),
                None => {
                    let context = Context::Frame("DATA before LEAVES");
                    return Err(SessionError::protocol(ErrorCode::OutOfOrder, context));
                }
            }
        };
        if right { Ok(()) } else { Err(wrong) }
    }

    /// Whether a chunk is verified and written.
    pub(super) fn has(&self, chunk: u32) -> bool {
        self.have.contains(chunk)
    }

    /// Bytes of a chunk outside the pieces that are here.
    pub(super) fn rest_of(&self, chunk: u32) -> Option<u32> {
        let manifest = self.manifest()?;
        let place = manifest.place(chunk)?;
        let held = self.pieces.get(&place.instance())?;
        let pieces = manifest
            .instances()
            .get(place.instance() as usize)?
            .pieces()?;
        let parts = pieces.outside(held, place.bytes());
        let bytes: u64 = parts.iter().map(|part| part.end - part.start).sum();
        u32::try_from(bytes).ok()
    }

    /// A chunk is written, `local` bytes of it from what was here; the instance it made whole.
    pub(super) fn written(&mut self, chunk: u32, local: u32) -> Option<(u32, Digest)> {
        let manifest = self.manifest()?.clone();
        let place = manifest.place(chunk)?;
        if self.have.contains(chunk) {
            return None;
        }
        self.have.insert(Run::new(chunk, 1)?);
        let fetched = u64::from(place.length().saturating_sub(local));
        self.fetched_bytes = self.fetched_bytes.saturating_add(fetched);
        self.held_bytes = self.held_bytes.saturating_add(u64::from(local));
        let lacking = self.lacking.get_mut(place.instance() as usize)?;
        *lacking = lacking.saturating_sub(1);
        if *lacking > 0 {
            return None;
        }
        self.instances_done = self.instances_done.saturating_add(1);
        self.leaves.remove(&place.instance());
        self.pieces.remove(&place.instance());
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
