//! What a store does when it is opened: believe the marked, hash the rest, finish commits.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::entry::Entry;
use super::{COMPLETE, DAMAGED, PARTIAL, Store, StoreConfig, note_instance};
use crate::journal::{Replay, replay};
use crate::storage::{Storage, StorageError, StorageErrorKind};
use crate::{Digest, RangeSet, Run};

/// What was found and put right when a store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Recovery {
    /// Journals whose torn tail was cut.
    pub tails_cut: u32,
    /// Chunks written after the last mark whose bytes are right.
    pub chunks_kept: u64,
    /// Chunks written after the last mark whose bytes are not: they will be fetched again.
    pub chunks_lost: u64,
    /// Commits finished.
    pub commits_finished: u32,
    /// Folders removed that never came to hold a study's manifest.
    pub stubs_removed: u32,
    /// Folders in `complete` whose journal is damaged or whose pack has another length: moved to
    /// `damaged` as they are, and not listed.
    pub damaged: u32,
}

impl Recovery {
    /// Whether nothing had to be put right.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self
            == Self {
                chunks_kept: self.chunks_kept,
                ..Self::default()
            }
    }
}

pub(super) fn recover<S: Storage>(
    mut storage: S,
    config: StoreConfig,
) -> Result<(Store<S>, Recovery), StorageError> {
    storage.create_dir(PARTIAL)?;
    storage.create_dir(COMPLETE)?;
    storage.sync_dir("")?;
    let mut recovery = Recovery::default();
    let mut store = Store {
        storage,
        config,
        entries: BTreeMap::new(),
        instances: BTreeMap::new(),
    };
    for (home, complete) in [(COMPLETE, true), (PARTIAL, false)] {
        for name in store.storage.list(home)? {
            let Ok(root) = name.parse::<Digest>() else {
                continue;
            };
            if !store.entries.contains_key(&root) {
                store.recover_one(root, complete, &mut recovery)?;
            }
        }
    }
    Ok((store, recovery))
}

impl<S: Storage> Store<S> {
    fn recover_one(
        &mut self,
        root: Digest,
        complete: bool,
        recovery: &mut Recovery,
    ) -> Result<(), StorageError> {
        let home = if complete { COMPLETE } else { PARTIAL };
        let folder = format!("{home}/{root}");
        let replay = self.read_journal(&folder, complete, recovery)?;
        let signed = replay
            .signed
            .clone()
            .filter(|signed| *signed.manifest().root() == root);
        let whole = match &signed {
            Some(signed) if complete => {
                replay.committed && self.pack_is_whole(&folder, signed.manifest().bytes_total())?
            }
            _ => true,
        };
        let Some(signed) = signed.filter(|_| whole) else {
            if complete {
                recovery.damaged += 1;
                self.set_aside(&root)?;
            } else {
                recovery.stubs_removed += 1;
                self.storage.remove_dir(&folder)?;
            }
            return Ok(());
        };
        let mut entry = Entry::new(signed);
        entry.complete = complete;
        entry.journal_bytes = replay.valid_bytes;
        entry.next_sequence = replay.next_sequence;
        entry.receipt.clone_from(&replay.receipt);
        entry.countersigned.clone_from(&replay.countersigned);
        entry.have = replay.marked.clone();
        if !complete {
            entry.leaves.clone_from(&replay.leaves);
            self.check_unmarked(&mut entry, &replay, &folder, recovery)?;
        }
        for run in replay.held.runs() {
            keep_common(&mut entry.held, run, &entry.have);
        }
        let manifest = entry.signed.manifest().clone();
        for (number, instance) in (0_u32..).zip(manifest.instances()) {
            if manifest
                .chunks_of(number)
                .is_some_and(|run| entry.has_all(run))
            {
                note_instance(&mut self.instances, *instance.digest(), root);
            }
        }
        self.entries.insert(root, entry);
        if replay.committed && !complete {
            self.sync_both(&folder)?;
            self.finish_commit(&root)?;
            recovery.commits_finished += 1;
        }
        Ok(())
    }

    /// The Commit may have been read from memory only: after a kill nothing says that pack and journal
    /// are on the disk, and the study is about to appear (XFR-53).
    fn sync_both(&mut self, folder: &str) -> Result<(), StorageError> {
        if !self.config.synced {
            return Ok(());
        }
        for name in ["pack", "journal"] {
            let file = self.storage.open(&format!("{folder}/{name}"), false)?;
            let synced = self.storage.sync(file);
            self.storage.close(file);
            synced?;
        }
        Ok(())
    }

    /// Whether the pack has the length of the study.
    fn pack_is_whole(&mut self, folder: &str, bytes: u64) -> Result<bool, StorageError> {
        let pack = match self.storage.open(&format!("{folder}/pack"), false) {
            Ok(pack) => pack,
            Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let length = self.storage.len(pack);
        self.storage.close(pack);
        Ok(length? == bytes)
    }

    /// Moves a folder of `complete` that can't be listed out of the way of a new pull (XFR-55).
    fn set_aside(&mut self, root: &Digest) -> Result<(), StorageError> {
        self.storage.create_dir(DAMAGED)?;
        let taken = self.storage.list(DAMAGED)?;
        let mut name = format!("{root}");
        let mut number = 1_u32;
        while taken.contains(&name) {
            name = format!("{root}.{number}");
            number = number.saturating_add(1);
        }
        self.storage
            .rename(&format!("{COMPLETE}/{root}"), &format!("{DAMAGED}/{name}"))?;
        // The new name first: a crash between may leave two names, never none.
        self.storage.sync_dir("")?;
        self.storage.sync_dir(DAMAGED)?;
        self.storage.sync_dir(COMPLETE)
    }

    fn read_journal(
        &mut self,
        folder: &str,
        complete: bool,
        recovery: &mut Recovery,
    ) -> Result<Replay, StorageError> {
        let journal = match self.storage.open(&format!("{folder}/journal"), false) {
            Ok(journal) => journal,
            Err(error) if error.kind() == StorageErrorKind::NotFound => {
                return Ok(Replay::default());
            }
            Err(error) => return Err(error),
        };
        let length = self.storage.len(journal)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.storage.read_at(journal, 0, &mut bytes)?;
        let replay = replay(&bytes);
        // A journal that is to be set aside stays as it is.
        let usable = replay.signed.is_some() && (replay.committed || !complete);
        if replay.valid_bytes < length && usable {
            // Synced at once: an old tail must not come back behind new records.
            self.storage.set_len(journal, replay.valid_bytes)?;
            self.storage.sync(journal)?;
            recovery.tails_cut += 1;
        }
        self.storage.close(journal);
        Ok(replay)
    }

    /// Chunks after the last mark are believed only if they fit their leaves.
    fn check_unmarked(
        &mut self,
        entry: &mut Entry,
        replay: &Replay,
        folder: &str,
        recovery: &mut Recovery,
    ) -> Result<(), StorageError> {
        if replay.unmarked.is_empty() {
            return Ok(());
        }
        let manifest = entry.signed.manifest().clone();
        let pack = self.storage.open(&format!("{folder}/pack"), true)?;
        let mut buffer = Vec::new();
        for chunk in replay
            .unmarked
            .runs()
            .flat_map(|run| run.first()..run.end())
        {
            let Some(place) = manifest.place(chunk) else {
                continue;
            };
            let Some(start) = manifest.offset_of(place.instance()) else {
                continue;
            };
            let Some(instance) = manifest.instances().get(place.instance() as usize) else {
                continue;
            };
            buffer.resize(place.length() as usize, 0);
            let read =
                self.storage
                    .read_at(pack, start.saturating_add(place.offset()), &mut buffer);
            let right = read.is_ok()
                && if instance.chunks() == 1 {
                    Digest::of(&buffer) == *instance.digest()
                } else {
                    let leaves = replay.leaves.get(&place.instance());
                    leaves.is_some_and(|leaves| leaves.verifies(place.index(), &buffer))
                };
            match Run::new(chunk, 1).filter(|_| right) {
                Some(run) => {
                    entry.have.insert(run);
                    entry.unmarked.insert(run);
                    recovery.chunks_kept += 1;
                }
                None => {
                    // A chunk marked once and written again since is not there twice.
                    if let Some(run) = Run::new(chunk, 1) {
                        entry.lost.insert(run);
                        entry.have.remove(run);
                    }
                    recovery.chunks_lost += 1;
                }
            }
        }
        self.storage.close(pack);
        Ok(())
    }
}

/// Adds those chunks of `run` that are in `of`.
fn keep_common(into: &mut RangeSet, run: Run, of: &RangeSet) {
    let mut rest = Some(run);
    while let Some(bounds) = rest {
        let Some(found) = of.first_within(bounds, u32::MAX) else {
            break;
        };
        into.insert(found);
        rest = Run::new(found.end(), bounds.end().saturating_sub(found.end()));
    }
}
