//! The durable side of a receiver: one pack and one journal for each study.
//!
//! `partial/<root>/` holds a study on its way, `complete/<root>/` one that arrived; the step between
//! is a commit record and a rename. Verified chunks are written where they belong in the pack,
//! noted in the journal, and synced in groups: pack first, then the mark in the journal.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

mod entry;
mod national;
mod operation;
mod pieces;
mod query;
mod recover;
mod sync;

pub use operation::{Action, Outcome, Slot, StoreOp, StoreResult};
pub use query::{InstancePlace, PartialStudy, StoredStudy, Verified};
pub use recover::Recovery;

use crate::journal::Record;
use crate::limits::CHUNK_BYTES;
use crate::storage::{Storage, StorageError, StorageErrorKind};
use crate::tree::TreeBuilder;
use crate::{Digest, Instant, RangeSet, Run, SignedManifest};
use entry::{Entry, Files};
use pieces::PieceIndex;

pub(crate) const PARTIAL: &str = "partial";
pub(crate) const COMPLETE: &str = "complete";
/// Where folders of complete studies go that can no longer be listed.
pub(crate) const DAMAGED: &str = "damaged";
/// Where folders of removed studies go at once; what is left there is deleted at the next opening.
pub(crate) const TRASH: &str = "trash";

/// When a store syncs.
///
/// ```
/// use mic_transfer::store::StoreConfig;
/// assert!(StoreConfig::default().synced);
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreConfig {
    /// Whether to sync at all; without, a power cut may lose studies said to be complete.
    pub synced: bool,
    /// Bytes written that make a group: it is synced while the next is received, and no third is begun
    /// before.
    pub group_bytes: u64,
    /// The longest that written bytes wait for their group.
    pub group_time: Duration,
}

impl Default for StoreConfig {
    /// 32 MiB or 250 ms: under 15 % of the rate on an ordinary disk, and the most that a power cut
    /// makes to be hashed again.
    fn default() -> Self {
        Self {
            synced: true,
            group_bytes: 32 * 1024 * 1024,
            group_time: Duration::from_millis(250),
        }
    }
}

/// Studies on a [`Storage`]: executes a receiver's [`StoreOp`]s and answers what is there.
///
/// ```
/// use mic_transfer::{storage::MemoryStorage, store::Store};
/// let (store, recovery) = Store::open(MemoryStorage::new(), Default::default())?;
/// assert!(store.complete().is_empty() && recovery.is_clean());
/// # Ok::<(), mic_transfer::storage::StorageError>(())
/// ```
#[derive(Debug)]
pub struct Store<S> {
    storage: S,
    config: StoreConfig,
    entries: BTreeMap<Digest, Entry>,
    /// Where whole verified instances lie.
    instances: BTreeMap<Digest, Vec<Digest>>,
    /// Where the pixels of complete studies lie.
    index: PieceIndex,
    /// Studies that are here and could not be opened, with what the storage said.
    unopened: BTreeMap<Digest, StorageError>,
}

impl<S: Storage> Store<S> {
    /// Opens what is there: cuts torn journals, hashes what was written after the last mark,
    /// finishes commits that were cut between record and rename. A study that the storage can't read
    /// or repair is told by [`Store::unopened`] and does not keep the others from being opened.
    ///
    /// # Errors
    /// [`StorageError`] if the folders themselves can't be listed.
    pub fn open(storage: S, config: StoreConfig) -> Result<(Self, Recovery), StorageError> {
        recover::recover(storage, config)
    }

    /// Does what a receiver asks and says what came of it. A failed operation closes the study; what
    /// is verified and noted stays.
    pub fn execute(&mut self, operation: StoreOp, now: Instant) -> StoreResult {
        let StoreOp { slot, root, action } = operation;
        let opening = matches!(action, Action::Open(_));
        let outcome = self.act(root, action, now);
        if outcome.is_err() && !opening {
            self.close(&root);
        }
        StoreResult {
            slot,
            root,
            outcome,
        }
    }

    /// Forgets a study, complete or not, that is not being received: it leaves its place by one rename,
    /// and what a crash leaves of it afterwards is deleted at the next opening (XFR-58).
    ///
    /// # Errors
    /// [`StorageError`]: `NotFound`, `Busy` while it is received, or as the storage says.
    pub fn remove(&mut self, root: &Digest) -> Result<(), StorageError> {
        let homes = match self.entries.get(root) {
            Some(entry) if entry.files.is_some() => return Err(busy()),
            Some(entry) => vec![entry.home()],
            None if self.unopened.contains_key(root) => self.homes(root)?,
            None => return Err(unknown()),
        };
        for home in homes {
            let name = self.move_away(home, root, TRASH)?;
            self.forget(root);
            // It is gone; its bytes may wait for the next opening.
            let _ = self.storage.remove_dir(&format!("{TRASH}/{name}"));
        }
        self.unopened.remove(root);
        Ok(())
    }

    /// The folders that hold this study.
    fn homes(&mut self, root: &Digest) -> Result<Vec<&'static str>, StorageError> {
        let name = format!("{root}");
        let mut homes = Vec::new();
        for home in [COMPLETE, PARTIAL] {
            if self.storage.list(home)?.contains(&name) {
                homes.push(home);
            }
        }
        Ok(homes)
    }

    /// Moves a study's folder to `to` under a free name, durably.
    fn move_away(&mut self, home: &str, root: &Digest, to: &str) -> Result<String, StorageError> {
        self.storage.create_dir(to)?;
        let taken = self.storage.list(to)?;
        let mut name = format!("{root}");
        let mut number = 1_u32;
        while taken.contains(&name) {
            name = format!("{root}.{number}");
            number = number.saturating_add(1);
        }
        self.storage
            .rename(&format!("{home}/{root}"), &format!("{to}/{name}"))?;
        // The new name first: a crash between may leave two names, never none.
        self.storage.sync_dir("")?;
        self.storage.sync_dir(to)?;
        self.storage.sync_dir(home)?;
        Ok(name)
    }

    fn forget(&mut self, root: &Digest) {
        self.entries.remove(root);
        self.index.remove(root);
        self.instances.retain(|_, roots| {
            roots.retain(|known| known != root);
            !roots.is_empty()
        });
    }

    /// Studies that are here and could not be opened, with what the storage said: not listed, and
    /// tried again when they are pulled.
    pub fn unopened(&self) -> impl Iterator<Item = (&Digest, &StorageError)> {
        self.unopened.iter()
    }

    /// Gives the storage back.
    #[must_use]
    pub fn into_storage(self) -> S {
        self.storage
    }

    /// The storage, to open a reader beside the store's own handles.
    pub const fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    fn act(&mut self, root: Digest, action: Action, now: Instant) -> Result<Outcome, StorageError> {
        match action {
            Action::Open(signed) => self.begin(signed, now),
            Action::Leaves(instance, leaves) => {
                self.note(&root, &Record::Leaves(instance, leaves.clone()))?;
                self.entry_mut(&root)?.leaves.insert(instance, leaves);
                Ok(Outcome::Noted)
            }
            Action::Write { chunk, bytes } => {
                self.write_chunk(&root, chunk, &bytes, now)?;
                let run = one(chunk)?;
                self.note(&root, &Record::Have(run))?;
                self.entry_mut(&root)?.filled.remove(&chunk);
                self.keep(&root, run)?;
                self.check_chunk(&root, chunk, &bytes)?;
                self.group(&root, now)?;
                Ok(Outcome::Written {
                    chunk,
                    buffer: bytes,
                })
            }
            Action::Fill {
                chunk,
                rest,
                ticket,
            } => {
                let local = self.fill(&root, chunk, &rest, now)?;
                Ok(Outcome::Filled {
                    chunk,
                    ticket,
                    local,
                })
            }
            Action::Commit => self.commit(&root),
            Action::Receipt(receipt, signature) => {
                self.append_closed(&root, &Record::Receipt(receipt.clone(), signature.clone()))?;
                self.entry_mut(&root)?.receipt = Some((receipt, signature));
                Ok(Outcome::Noted)
            }
            Action::Countersign(signature) => {
                self.append_closed(&root, &Record::Countersign(signature.clone()))?;
                self.entry_mut(&root)?.countersigned = Some(signature);
                Ok(Outcome::Noted)
            }
            Action::Release => {
                let synced = self.sync_group(&root);
                self.close(&root);
                synced.map(|()| Outcome::Noted)
            }
        }
    }

    /// Opens a study to be received: new, partial or already complete.
    fn begin(&mut self, signed: SignedManifest, now: Instant) -> Result<Outcome, StorageError> {
        let root = *signed.manifest().root();
        if self.unopened.contains_key(&root) {
            // What lies there must not be written over unread.
            self.recover_again(&root)?;
        }
        if self.entries.get(&root).is_some_and(|entry| entry.unsettled) {
            self.settle_rename(&root)?;
        }
        match self.entries.get(&root) {
            Some(entry) if entry.complete && entry.receipt.is_some() => return Ok(entry.opened()),
            Some(entry) if entry.complete => {
                // Its receipt is to be issued, and may speak of SM3.
                self.check_rest(&root)?;
                return Ok(self.entry(&root)?.opened());
            }
            Some(entry) if entry.files.is_some() => return Err(busy()),
            Some(_) => self.reopen(&root)?,
            None => self.create(signed)?,
        }
        let copied = self.copy_held(&root, now);
        let copied = copied.and_then(|()| self.find_pieces(&root));
        if let Err(error) = copied {
            self.close(&root);
            return Err(error);
        }
        Ok(self.entry(&root)?.opened())
    }

    fn create(&mut self, signed: SignedManifest) -> Result<(), StorageError> {
        let root = *signed.manifest().root();
        let folder = format!("{PARTIAL}/{root}");
        self.storage.create_dir(&folder)?;
        let files = self.open_files(&folder, true)?;
        let record = crate::journal::encode(0, &Record::Open(signed.clone()));
        if let Err(error) = self.write_opening(&folder, files, &record) {
            self.close_files(files);
            return Err(error);
        }
        let mut entry = Entry::new(signed);
        entry.journal_bytes = record.len() as u64;
        entry.next_sequence = 1;
        entry.files = Some(files);
        self.entries.insert(root, entry);
        Ok(())
    }

    fn write_opening(
        &mut self,
        folder: &str,
        files: Files,
        record: &[u8],
    ) -> Result<(), StorageError> {
        self.storage.set_len(files.journal, 0)?;
        self.storage.set_len(files.pack, 0)?;
        self.storage.write_at(files.journal, 0, record)?;
        if self.config.synced {
            self.storage.sync(files.journal)?;
            self.storage.sync_dir(folder)?;
            self.storage.sync_dir(PARTIAL)?;
        }
        Ok(())
    }

    fn open_files(&mut self, folder: &str, create: bool) -> Result<Files, StorageError> {
        let journal = self.storage.open(&format!("{folder}/journal"), create)?;
        match self.storage.open(&format!("{folder}/pack"), create) {
            Ok(pack) => Ok(Files { journal, pack }),
            Err(error) => {
                self.storage.close(journal);
                Err(error)
            }
        }
    }

    fn close_files(&mut self, files: Files) {
        self.storage.close(files.journal);
        self.storage.close(files.pack);
    }

    fn reopen(&mut self, root: &Digest) -> Result<(), StorageError> {
        let folder = self.entry(root)?.folder();
        if self.config.synced {
            // The process that created the files may have been killed before it synced their names.
            self.storage.sync_dir(&folder)?;
            self.storage.sync_dir(PARTIAL)?;
        }
        let files = self.open_files(&folder, false)?;
        self.entry_mut(root)?.files = Some(files);
        // Before any mark, which would make chunks believed that a crash took.
        let lost = core::mem::take(&mut self.entry_mut(root)?.lost);
        lost.runs()
            .try_for_each(|run| self.note(root, &Record::Lost(run)))
    }

    /// Copies the instances that other studies here already hold, hashing them on the way.
    fn copy_held(&mut self, root: &Digest, now: Instant) -> Result<(), StorageError> {
        let manifest = self.entry(root)?.signed.manifest().clone();
        for (number, instance) in (0_u32..).zip(manifest.instances()) {
            let Some(run) = manifest.chunks_of(number) else {
                continue;
            };
            if self.entry(root)?.has_all(run) {
                continue;
            }
            let Some(place) = self.locate(instance.digest()) else {
                continue;
            };
            let Ok(from) = self.storage.open(place.path(), false) else {
                continue;
            };
            let copied = self.copy_one(root, from, &place, run, now);
            self.storage.close(from);
            let copied = copied?;
            if copied.is_none() {
                self.distrust(place.digest(), place.root());
            }
            if let Some(leaves) = copied {
                if !leaves.values().is_empty() {
                    self.note(root, &Record::Leaves(number, leaves.clone()))?;
                    self.entry_mut(root)?.leaves.insert(number, leaves);
                }
                let missing = self.entry(root)?.missing(run);
                for run in missing.runs() {
                    self.note(root, &Record::Held(run))?;
                    self.entry_mut(root)?.held.insert(run);
                    self.keep(root, run)?;
                }
            }
        }
        Ok(())
    }

    /// A damaged copy is no longer where an instance lies.
    fn distrust(&mut self, digest: &Digest, root: &Digest) {
        if let Some(roots) = self.instances.get_mut(digest) {
            roots.retain(|known| known != root);
        }
    }

    /// The leaves if the bytes were right; `None` where the copy here is damaged. Only missing chunks
    /// are written: the copy is judged when it has been read whole, and verified chunks stay as they
    /// are (XFR-54).
    fn copy_one(
        &mut self,
        root: &Digest,
        from: u32,
        place: &InstancePlace,
        run: Run,
        now: Instant,
    ) -> Result<Option<crate::tree::Leaves>, StorageError> {
        let manifest = self.entry(root)?.signed.manifest().clone();
        let mut tree = TreeBuilder::new();
        let mut buffer = vec![0; CHUNK_BYTES];
        for chunk in run.first()..run.end() {
            let Some(at) = manifest.place(chunk) else {
                return Ok(None);
            };
            let Some(bytes) = buffer.get_mut(..at.length() as usize) else {
                return Ok(None);
            };
            if self
                .storage
                .read_at(from, place.offset() + at.offset(), bytes)
                .is_err()
            {
                return Ok(None);
            }
            tree.update(bytes);
            if !self.entry(root)?.have.contains(chunk) {
                self.write_chunk(root, chunk, bytes, now)?;
            }
        }
        let (digest, leaves) = tree.finish();
        Ok((digest == *place.digest()).then_some(leaves))
    }

    fn write_chunk(
        &mut self,
        root: &Digest,
        chunk: u32,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), StorageError> {
        let entry = self.entry_mut(root)?;
        let manifest = entry.signed.manifest();
        let place = manifest.place(chunk).ok_or_else(damaged)?;
        let start = manifest.offset_of(place.instance()).ok_or_else(damaged)?;
        let files = entry.files.ok_or_else(not_open)?;
        entry.unsynced_bytes = entry.unsynced_bytes.saturating_add(bytes.len() as u64);
        entry.unsynced_since.get_or_insert(now);
        self.storage
            .write_at(files.pack, start + place.offset(), bytes)
    }

    /// Appends a record without syncing it.
    fn note(&mut self, root: &Digest, record: &Record) -> Result<(), StorageError> {
        let entry = self.entry(root)?;
        let files = entry.files.ok_or_else(not_open)?;
        let bytes = crate::journal::encode(entry.next_sequence, record);
        self.storage
            .write_at(files.journal, entry.journal_bytes, &bytes)?;
        let entry = self.entry_mut(root)?;
        entry.journal_bytes = entry.journal_bytes.saturating_add(bytes.len() as u64);
        entry.next_sequence = entry.next_sequence.saturating_add(1);
        Ok(())
    }

    /// Chunks are verified, written and noted: instances that are whole now can be read.
    fn keep(&mut self, root: &Digest, run: Run) -> Result<(), StorageError> {
        let entry = self.entry_mut(root)?;
        entry.have.insert(run);
        entry.unmarked.insert(run);
        entry.lost.remove(run);
        let manifest = entry.signed.manifest().clone();
        let mut whole = Vec::new();
        let mut chunk = run.first();
        while chunk < run.end() {
            let Some(place) = manifest.place(chunk) else {
                break;
            };
            let Some(all) = manifest.chunks_of(place.instance()) else {
                break;
            };
            if entry.has_all(all) {
                entry.leaves.remove(&place.instance());
                entry.locals.remove(&place.instance());
                whole.extend(manifest.instances().get(place.instance() as usize));
            }
            chunk = all.end();
        }
        for instance in whole {
            note_instance(&mut self.instances, *instance.digest(), *root);
        }
        Ok(())
    }

    fn commit(&mut self, root: &Digest) -> Result<Outcome, StorageError> {
        let entry = self.entry(root)?;
        let files = entry.files.ok_or_else(not_open)?;
        if entry.have.len() != u64::from(entry.signed.manifest().chunks_total()) {
            return Err(error(
                StorageErrorKind::Damaged,
                "commit a study with chunks missing",
            ));
        }
        self.check_rest(root)?;
        self.end_sync(root, true)?;
        let entry = self.entry(root)?;
        let (journal_bytes, next_sequence) = (entry.journal_bytes, entry.next_sequence);
        let sealed = self.note_commit(root, files);
        if sealed.is_err() {
            // Whatever is noted next takes the place of the Commit.
            let entry = self.entry_mut(root)?;
            entry.journal_bytes = journal_bytes;
            entry.next_sequence = next_sequence;
        }
        self.settle_sync(root, sealed)?;
        self.finish_commit(root)?;
        let entry = self.entry(root)?;
        Ok(Outcome::Committed {
            fetched: entry.fetched_bytes(),
            sm3: entry.has_right_sm3(),
        })
    }

    fn note_commit(&mut self, root: &Digest, files: Files) -> Result<(), StorageError> {
        if self.config.synced {
            // Chunks found after a kill were written by a process that is gone: sync whatever is there.
            self.storage.sync(files.pack)?;
        }
        self.note(root, &Record::Mark)?;
        self.note(root, &Record::Commit)?;
        if self.config.synced {
            self.storage.sync(files.journal)?;
        }
        Ok(())
    }

    /// Hashes a chunk into the SM3 of its instance, where there is one to check (XFR-65).
    fn check_chunk(&mut self, root: &Digest, chunk: u32, bytes: &[u8]) -> Result<(), StorageError> {
        let entry = self.entry_mut(root)?;
        let manifest = entry.signed.manifest().clone();
        let place = manifest.place(chunk).ok_or_else(damaged)?;
        let instance = manifest.instances().get(place.instance() as usize);
        let instance = instance.ok_or_else(damaged)?;
        entry
            .sm3
            .take(place.instance(), instance, place.index(), bytes)
            .map_err(|_| contradiction())
    }

    /// Reads and hashes what [`Store::check_chunk`] has not seen in order.
    #[cfg(feature = "sm3")]
    fn check_rest(&mut self, root: &Digest) -> Result<(), StorageError> {
        let entry = self.entry(root)?;
        let manifest = entry.signed.manifest().clone();
        let path = format!("{}/pack", entry.folder());
        let rest: Vec<(u32, u32)> = (0_u32..)
            .zip(manifest.instances())
            .filter(|(number, listed)| listed.sm3().is_some() && !entry.sm3.is_right(*number))
            .map(|(number, _)| (number, entry.sm3.next(number)))
            .collect();
        if rest.is_empty() {
            return Ok(());
        }
        let pack = self.storage.open(&path, false)?;
        let checked = rest.into_iter().try_for_each(|(number, next)| {
            let run = manifest.chunks_of(number).ok_or_else(damaged)?;
            let start = manifest.offset_of(number).ok_or_else(damaged)?;
            let mut buffer = Vec::new();
            for chunk in run.first().saturating_add(next)..run.end() {
                let place = manifest.place(chunk).ok_or_else(damaged)?;
                buffer.resize(place.length() as usize, 0);
                let at = start.saturating_add(place.offset());
                self.storage.read_at(pack, at, &mut buffer)?;
                self.check_chunk(root, chunk, &buffer)?;
            }
            Ok(())
        });
        self.storage.close(pack);
        checked
    }

    #[cfg(not(feature = "sm3"))]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::needless_pass_by_ref_mut,
        clippy::unused_self,
        reason = "without the feature nothing is computed"
    )]
    fn check_rest(&mut self, _: &Digest) -> Result<(), StorageError> {
        Ok(())
    }

    /// The step that makes a study appear.
    fn finish_commit(&mut self, root: &Digest) -> Result<(), StorageError> {
        self.close(root);
        self.storage
            .rename(&format!("{PARTIAL}/{root}"), &format!("{COMPLETE}/{root}"))?;
        let entry = self.entry_mut(root)?;
        entry.complete = true;
        entry.unsettled = true;
        entry.leaves.clear();
        self.settle_rename(root)
    }

    /// Makes the rename durable: only then is the study listed.
    fn settle_rename(&mut self, root: &Digest) -> Result<(), StorageError> {
        if self.config.synced {
            self.storage.sync_dir(COMPLETE)?;
            self.storage.sync_dir(PARTIAL)?;
        }
        let entry = self.entry_mut(root)?;
        entry.unsettled = false;
        let manifest = entry.signed.manifest().clone();
        self.index.add(&manifest);
        Ok(())
    }

    /// Appends a synced record to the journal of a complete study.
    fn append_closed(&mut self, root: &Digest, record: &Record) -> Result<(), StorageError> {
        let entry = self.entry(root)?;
        if !entry.complete {
            return Err(not_open());
        }
        let path = format!("{}/journal", entry.folder());
        let (bytes, at) = (
            crate::journal::encode(entry.next_sequence, record),
            entry.journal_bytes,
        );
        let journal = self.storage.open(&path, false)?;
        let mut written = self.storage.write_at(journal, at, &bytes);
        if written.is_ok() && self.config.synced {
            written = self.storage.sync(journal);
        }
        self.storage.close(journal);
        written?;
        let entry = self.entry_mut(root)?;
        entry.journal_bytes = at.saturating_add(bytes.len() as u64);
        entry.next_sequence = entry.next_sequence.saturating_add(1);
        Ok(())
    }

    fn close(&mut self, root: &Digest) {
        // A sync that fails unheard would let the next one succeed without what it dropped (XFR-56).
        let _ = self.end_sync(root, true);
        let files = self.entries.get_mut(root).and_then(|entry| {
            entry.unsynced_since = None;
            entry.unsynced_bytes = 0;
            entry.locals.clear();
            entry.files.take()
        });
        if let Some(files) = files {
            self.close_files(files);
        }
    }

    fn entry(&self, root: &Digest) -> Result<&Entry, StorageError> {
        self.entries.get(root).ok_or_else(unknown)
    }

    fn entry_mut(&mut self, root: &Digest) -> Result<&mut Entry, StorageError> {
        self.entries.get_mut(root).ok_or_else(unknown)
    }
}

fn note_instance(index: &mut BTreeMap<Digest, Vec<Digest>>, digest: Digest, root: Digest) {
    let roots = index.entry(digest).or_default();
    if !roots.contains(&root) {
        roots.push(root);
    }
}

fn one(chunk: u32) -> Result<Run, StorageError> {
    Run::new(chunk, 1).ok_or_else(damaged)
}

const fn error(kind: StorageErrorKind, operation: &'static str) -> StorageError {
    StorageError::new(kind, operation, String::new())
}

fn unknown() -> StorageError {
    error(StorageErrorKind::NotFound, "find the study")
}

fn busy() -> StorageError {
    error(StorageErrorKind::Busy, "open the study")
}

fn not_open() -> StorageError {
    error(
        StorageErrorKind::NotFound,
        "write to a study that is not open",
    )
}

fn damaged() -> StorageError {
    error(StorageErrorKind::Damaged, "place a chunk")
}

fn contradiction() -> StorageError {
    error(StorageErrorKind::Contradiction, "check an sm3 digest")
}

/// All chunks of a study.
pub(crate) fn all_chunks(signed: &SignedManifest) -> RangeSet {
    let mut set = RangeSet::new();
    if let Some(run) = Run::new(0, signed.manifest().chunks_total()) {
        set.insert(run);
    }
    set
}
