//! What a store does when it is opened: believe the marked, hash the rest, finish commits.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::entry::Entry;
use super::pieces::PieceIndex;
use super::{COMPLETE, DAMAGED, PARTIAL, Store, StoreConfig, TRASH, all_chunks, note_instance};
use crate::journal::{Record, Replay, encode, replay};
use crate::storage::{FileId, Storage, StorageError, StorageErrorKind};
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
    /// Folders whose journal does not open with their study, or in `complete` whose pack is not the
    /// study's: moved to `damaged` as they are, and not listed.
    pub damaged: u32,
    /// Journals with damage in the middle, written anew after their chunks were hashed again.
    pub journals_rewritten: u32,
    /// Rests of removed studies that were deleted.
    pub trash_emptied: u32,
    /// Studies that the storage could not read or repair: see [`Store::unopened`].
    pub unopened: u32,
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
    if config.synced {
        // A killed process may have renamed a study and not synced the name: what is listed now is to
        // outlive a power cut (XFR-59).
        storage.sync_dir(COMPLETE)?;
        storage.sync_dir(PARTIAL)?;
    }
    let mut recovery = Recovery::default();
    let mut store = Store {
        storage,
        config,
        entries: BTreeMap::new(),
        instances: BTreeMap::new(),
        index: PieceIndex::default(),
        unopened: BTreeMap::new(),
    };
    for name in store.storage.list(TRASH)? {
        // What can't be deleted now is tried again; it is in nobody's way.
        let deleted = store.storage.remove_dir(&format!("{TRASH}/{name}"));
        recovery.trash_emptied += u32::from(deleted.is_ok());
    }
    for (home, complete) in [(COMPLETE, true), (PARTIAL, false)] {
        for name in store.storage.list(home)? {
            let Ok(root) = name.parse::<Digest>() else {
                continue;
            };
            if store.entries.contains_key(&root) || store.unopened.contains_key(&root) {
                continue;
            }
            if let Err(error) = store.recover_one(root, complete, &mut recovery) {
                store.forget(&root);
                store.unopened.insert(root, error);
                recovery.unopened += 1;
            }
        }
    }
    Ok((store, recovery))
}

impl<S: Storage> Store<S> {
    /// Tries a study again that could not be opened.
    pub(super) fn recover_again(&mut self, root: &Digest) -> Result<(), StorageError> {
        for home in self.homes(root)? {
            if self.entries.contains_key(root) {
                break;
            }
            let recovered = self.recover_one(*root, home == COMPLETE, &mut Recovery::default());
            if let Err(error) = recovered {
                self.forget(root);
                self.unopened.insert(*root, error.clone());
                return Err(error);
            }
        }
        self.unopened.remove(root);
        Ok(())
    }

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
        let damaged_journal = replay.holes > 0;
        let whole = match &signed {
            Some(signed) if complete => {
                (replay.committed || damaged_journal)
                    && self.pack_bytes(&folder)? == Some(signed.manifest().bytes_total())
            }
            _ => true,
        };
        let Some(signed) = signed.filter(|_| whole) else {
            // Chunks are written only behind a synced opening record: with some, it was damaged.
            if complete || self.pack_bytes(&folder)?.is_some_and(|bytes| bytes > 0) {
                recovery.damaged += 1;
                self.move_away(home, &root, DAMAGED)?;
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
        if complete && damaged_journal {
            if !self.hashes_right(&entry, &folder)? {
                recovery.damaged += 1;
                self.move_away(home, &root, DAMAGED)?;
                return Ok(());
            }
            entry.have = all_chunks(&entry.signed);
        } else if !complete {
            entry.leaves.clone_from(&replay.leaves);
            self.check_unmarked(&mut entry, &replay, &folder, recovery)?;
        }
        for run in replay.held.runs() {
            keep_common(&mut entry.held, run, &entry.have);
        }
        entry.filled.clone_from(&replay.filled);
        let Entry { filled, have, .. } = &mut entry;
        filled.retain(|chunk, _| have.contains(*chunk));
        if damaged_journal {
            self.rewrite_journal(&mut entry, &folder)?;
            recovery.journals_rewritten += 1;
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
        if complete {
            self.index.add(&manifest);
        }
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
        self.storage.sync_dir(folder)
    }

    /// Bytes of the pack, where there is one.
    fn pack_bytes(&mut self, folder: &str) -> Result<Option<u64>, StorageError> {
        let pack = match self.storage.open(&format!("{folder}/pack"), false) {
            Ok(pack) => pack,
            Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = self.storage.len(pack);
        self.storage.close(pack);
        length.map(Some)
    }

    /// Whether every instance in the pack is the manifest's.
    fn hashes_right(&mut self, entry: &Entry, folder: &str) -> Result<bool, StorageError> {
        let pack = self.storage.open(&format!("{folder}/pack"), false)?;
        let found = self.hash_pack(entry.signed.manifest(), pack);
        self.storage.close(pack);
        Ok(found.wrong.is_empty())
    }

    /// Writes a journal that says what is known to be right, and puts it in the place of the damaged
    /// one by one rename (XFR-57).
    fn rewrite_journal(&mut self, entry: &mut Entry, folder: &str) -> Result<(), StorageError> {
        let mut records = vec![Record::Open(entry.signed.clone())];
        let leaves = entry.leaves.iter();
        records.extend(leaves.map(|(number, leaves)| Record::Leaves(*number, leaves.clone())));
        records.extend(entry.have.runs().map(Record::Have));
        records.extend(entry.held.runs().map(Record::Held));
        let filled = entry.filled.iter();
        records.extend(filled.map(|(chunk, local)| Record::Filled {
            chunk: *chunk,
            local: *local,
        }));
        records.push(Record::Mark);
        if entry.complete {
            records.push(Record::Commit);
            if let Some((receipt, signature)) = &entry.receipt {
                records.push(Record::Receipt(receipt.clone(), signature.clone()));
                records.extend(entry.countersigned.clone().map(Record::Countersign));
            }
        }
        let mut bytes = Vec::new();
        for (sequence, record) in (0_u32..).zip(&records) {
            bytes.extend_from_slice(&encode(sequence, record));
        }
        // Its mark speaks of the whole pack.
        let pack = self.storage.open(&format!("{folder}/pack"), true)?;
        let synced = self.storage.sync(pack);
        self.storage.close(pack);
        synced?;
        let new = format!("{folder}/journal.new");
        let journal = self.storage.open(&new, true)?;
        let written = self
            .storage
            .set_len(journal, 0)
            .and_then(|()| self.storage.write_at(journal, 0, &bytes))
            .and_then(|()| self.storage.sync(journal));
        self.storage.close(journal);
        written?;
        self.storage.rename(&new, &format!("{folder}/journal"))?;
        self.storage.sync_dir(folder)?;
        entry.journal_bytes = bytes.len() as u64;
        entry.next_sequence = u32::try_from(records.len()).unwrap_or(u32::MAX);
        entry.unmarked = RangeSet::new();
        entry.lost = RangeSet::new();
        Ok(())
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
        let read = self.read_and_cut(journal, complete, recovery);
        self.storage.close(journal);
        read
    }

    fn read_and_cut(
        &mut self,
        journal: FileId,
        complete: bool,
        recovery: &mut Recovery,
    ) -> Result<Replay, StorageError> {
        let length = self.storage.len(journal)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.storage.read_at(journal, 0, &mut bytes)?;
        let replay = replay(&bytes);
        // A journal that is to be set aside or written anew stays as it is.
        let usable = replay.signed.is_some() && (replay.committed || !complete);
        if replay.valid_bytes < length && usable && replay.holes == 0 {
            // Synced at once: an old tail must not come back behind new records.
            self.storage.set_len(journal, replay.valid_bytes)?;
            self.storage.sync(journal)?;
            recovery.tails_cut += 1;
        }
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
