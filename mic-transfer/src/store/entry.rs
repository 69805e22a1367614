//! One study of a store.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::national::Sm3Check;
use super::pieces::{Local, runs};
use super::{COMPLETE, Outcome, PARTIAL};
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::storage::FileId;
use crate::tree::Leaves;
use crate::{Instant, RangeSet, Run, SignedManifest};

#[derive(Debug, Clone, Copy)]
pub(super) struct Files {
    pub(super) journal: FileId,
    pub(super) pack: FileId,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) signed: SignedManifest,
    pub(super) complete: bool,
    /// Renamed to its place, and a crash may still take the rename back.
    pub(super) unsettled: bool,
    /// Verified and written.
    pub(super) have: RangeSet,
    /// Those of them that were copied from other studies here.
    pub(super) held: RangeSet,
    /// Bytes that were here of those that were filled from pieces of other studies, and are not in `held`.
    pub(super) filled: BTreeMap<u32, u32>,
    /// Pieces that other studies hold of instances that are not whole, by number.
    pub(super) locals: BTreeMap<u32, Vec<Local>>,
    /// Those of `have` that no mark stands behind yet.
    pub(super) unmarked: RangeSet,
    /// Noted in the journal, and found wrong when the store was opened or a sync failed.
    pub(super) lost: RangeSet,
    pub(super) leaves: BTreeMap<u32, Leaves>,
    pub(super) sm3: Sm3Check,
    pub(super) receipt: Option<(Receipt, Option<Signature>)>,
    pub(super) countersigned: Option<Option<Signature>>,
    pub(super) journal_bytes: u64,
    pub(super) next_sequence: u32,
    pub(super) files: Option<Files>,
    pub(super) unsynced_bytes: u64,
    pub(super) unsynced_since: Option<Instant>,
    pub(super) syncing: Option<Syncing>,
}

/// A group that is being synced while the next one is received.
#[derive(Debug)]
pub(super) struct Syncing {
    /// The number of the first record that the group does not hold.
    pub(super) before: u32,
    /// Its chunks, that no mark stands behind yet.
    pub(super) chunks: RangeSet,
    /// When to look again whether it is done.
    pub(super) look: Instant,
}

impl Entry {
    pub(super) fn new(signed: SignedManifest) -> Self {
        Self {
            signed,
            complete: false,
            unsettled: false,
            have: RangeSet::new(),
            held: RangeSet::new(),
            filled: BTreeMap::new(),
            locals: BTreeMap::new(),
            unmarked: RangeSet::new(),
            lost: RangeSet::new(),
            leaves: BTreeMap::new(),
            sm3: Sm3Check::default(),
            receipt: None,
            countersigned: None,
            journal_bytes: 0,
            next_sequence: 0,
            files: None,
            unsynced_bytes: 0,
            unsynced_since: None,
            syncing: None,
        }
    }

    /// The group that is being synced is not known to be: its chunks wait for the next one.
    pub(super) fn forget_sync(&mut self) {
        let chunks = self.syncing.take().map(|syncing| syncing.chunks);
        for run in chunks.iter().flat_map(RangeSet::runs) {
            self.unmarked.insert(run);
        }
    }

    /// Whether it may be listed.
    pub(super) const fn is_listed(&self) -> bool {
        self.complete && !self.unsettled
    }

    pub(super) const fn home(&self) -> &'static str {
        if self.complete { COMPLETE } else { PARTIAL }
    }

    pub(super) fn folder(&self) -> String {
        format!("{}/{}", self.home(), self.signed.manifest().root())
    }

    pub(super) fn has_all(&self, run: Run) -> bool {
        self.have.first_within(run, u32::MAX) == Some(run)
    }

    pub(super) fn missing(&self, run: Run) -> RangeSet {
        let mut missing = RangeSet::new();
        missing.insert(run);
        self.have.runs().for_each(|run| missing.remove(run));
        missing
    }

    pub(super) fn bytes_of(&self, set: &RangeSet) -> u64 {
        let manifest = self.signed.manifest();
        let chunks = set.runs().flat_map(|run| run.first()..run.end());
        chunks
            .filter_map(|chunk| manifest.place(chunk))
            .map(|at| u64::from(at.length()))
            .sum()
    }

    /// Whether every instance has an SM3 digest that was checked here.
    pub(super) fn has_right_sm3(&self) -> bool {
        let manifest = self.signed.manifest();
        let count = u32::try_from(manifest.instances().len()).unwrap_or(u32::MAX);
        manifest.has_sm3() && (0..count).all(|number| self.sm3.is_right(number))
    }

    pub(super) fn fetched_bytes(&self) -> u64 {
        let filled: u64 = self.filled.values().map(|bytes| u64::from(*bytes)).sum();
        self.bytes_of(&self.have)
            .saturating_sub(self.bytes_of(&self.held))
            .saturating_sub(filled)
    }

    pub(super) fn opened(&self) -> Outcome {
        let manifest = self.signed.manifest();
        let open = |number: &u32| {
            manifest
                .chunks_of(*number)
                .is_some_and(|run| !self.has_all(run))
        };
        let leaves = self.leaves.iter().filter(|(number, _)| open(number));
        Outcome::Opened {
            have: self.have.clone(),
            leaves: leaves
                .map(|(number, leaves)| (*number, leaves.clone()))
                .collect(),
            pieces: self
                .locals
                .iter()
                .map(|(number, locals)| (*number, runs(locals)))
                .collect(),
            complete: self.complete,
            fetched: self.fetched_bytes(),
            receipt: self.receipt.clone().map(Box::new),
            sm3: self.has_right_sm3(),
        }
    }
}
