//! Groups: what was written is made durable while more is received (XFR-50).

use alloc::vec::Vec;

use super::Store;
use super::entry::{Entry, Files, Syncing};
use crate::journal::Record;
use crate::storage::{Storage, StorageError};
use crate::{Digest, Instant};

impl<S: Storage> Store<S> {
    /// When [`Store::handle_time`] wants to be called.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let due = self.entries.values().flat_map(|entry| {
            let begins = entry.unsynced_since;
            let begins = begins.map(|since| since.saturating_add(self.config.group_time));
            [begins, entry.syncing.as_ref().map(|syncing| syncing.look)]
        });
        due.flatten().min()
    }

    /// Begins to sync the groups whose time has come, and marks those that are done.
    ///
    /// # Errors
    /// [`StorageError`]; the study concerned is closed.
    pub fn handle_time(&mut self, now: Instant) -> Result<(), StorageError> {
        let open = self.entries.iter();
        let open = open.filter(|(_, entry)| entry.files.is_some());
        let open: Vec<Digest> = open.map(|(root, _)| *root).collect();
        for root in open {
            if let Err(error) = self.look_after(&root, now) {
                self.close(&root);
                return Err(error);
            }
        }
        Ok(())
    }

    fn look_after(&mut self, root: &Digest, now: Instant) -> Result<(), StorageError> {
        let group_time = self.config.group_time;
        let looked = |entry: &Entry| entry.syncing.as_ref().map(|syncing| syncing.look);
        if looked(self.entry(root)?).is_some_and(|look| look <= now) {
            self.end_sync(root, false)?;
            if let Some(syncing) = &mut self.entry_mut(root)?.syncing {
                syncing.look = now.saturating_add(group_time);
            }
        }
        let entry = self.entry_mut(root)?;
        let since = entry.unsynced_since;
        if since.is_some_and(|since| since.saturating_add(group_time) <= now) {
            if entry.syncing.is_some() {
                // The disk is slow: the group grows until the one before it is done.
                entry.unsynced_since = Some(now);
            } else {
                self.begin_sync(root, now)?;
            }
        }
        Ok(())
    }

    /// After a write: marks the group that is done, begins the one that is full, and waits where a second
    /// is full before the first is done.
    pub(super) fn group(&mut self, root: &Digest, now: Instant) -> Result<(), StorageError> {
        let most = self.config.group_bytes;
        let written = self.entry(root)?.unsynced_bytes;
        self.end_sync(root, written >= most.saturating_mul(2))?;
        if written >= most && self.entry(root)?.syncing.is_none() {
            self.begin_sync(root, now)?;
        }
        Ok(())
    }

    fn begin_sync(&mut self, root: &Digest, now: Instant) -> Result<(), StorageError> {
        let look = now.saturating_add(self.config.group_time);
        let synced = self.config.synced;
        let entry = self.entry_mut(root)?;
        let Some(files) = entry.files.filter(|_| entry.unsynced_since.is_some()) else {
            return Ok(());
        };
        entry.unsynced_since = None;
        entry.unsynced_bytes = 0;
        if !synced {
            return Ok(());
        }
        entry.syncing = Some(Syncing {
            before: entry.next_sequence,
            chunks: core::mem::take(&mut entry.unmarked),
            look,
        });
        // The journal second: what it says of the group is then as durable as the group.
        let begun = self.storage.sync_begin(&[files.pack, files.journal]);
        if begun.is_err() {
            self.entry_mut(root)?.forget_sync();
            return self.settle_sync(root, begun);
        }
        Ok(())
    }

    /// Marks the group that is being synced, if it is done; with `wait` it is.
    pub(super) fn end_sync(&mut self, root: &Digest, wait: bool) -> Result<(), StorageError> {
        let entry = self.entry(root)?;
        let (Some(files), Some(syncing)) = (entry.files, &entry.syncing) else {
            return Ok(());
        };
        let before = syncing.before;
        let marked = match self.storage.sync_done(files.pack, wait) {
            Ok(false) => return Ok(()),
            Ok(true) => self.note(root, &Record::Synced(before)),
            Err(error) => {
                self.entry_mut(root)?.forget_sync();
                return self.settle_sync(root, Err(error));
            }
        };
        let entry = self.entry_mut(root)?;
        if marked.is_err() {
            entry.forget_sync();
        }
        entry.syncing = None;
        marked
    }

    /// Syncs all that was written.
    pub(super) fn sync_group(&mut self, root: &Digest) -> Result<(), StorageError> {
        self.end_sync(root, true)?;
        let entry = self.entry_mut(root)?;
        let Some(files) = entry.files else {
            return Ok(());
        };
        if entry.unsynced_since.take().is_none() {
            return Ok(());
        }
        entry.unsynced_bytes = 0;
        if !self.config.synced {
            return Ok(());
        }
        let synced = self.mark(root, files);
        self.settle_sync(root, synced)
    }

    fn mark(&mut self, root: &Digest, files: Files) -> Result<(), StorageError> {
        self.storage.sync(files.pack)?;
        self.note(root, &Record::Mark)?;
        self.storage.sync(files.journal)
    }

    /// A sync that fails may have dropped what it was to keep, and the next one would succeed without
    /// it: chunks without a mark are then fetched again (XFR-56).
    pub(super) fn settle_sync(
        &mut self,
        root: &Digest,
        synced: Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let entry = self.entry_mut(root)?;
        let unmarked = core::mem::take(&mut entry.unmarked);
        if synced.is_ok() {
            return synced;
        }
        for run in unmarked.runs() {
            entry.have.remove(run);
            entry.held.remove(run);
            entry.filled.retain(|chunk, _| !run.has(*chunk));
            entry.lost.insert(run);
        }
        let signed = entry.signed.clone();
        for (number, instance) in (0_u32..).zip(signed.manifest().instances()) {
            let run = signed.manifest().chunks_of(number);
            if run.is_some_and(|run| unmarked.first_within(run, 1).is_some()) {
                self.distrust(instance.digest(), root);
            }
        }
        synced
    }
}
