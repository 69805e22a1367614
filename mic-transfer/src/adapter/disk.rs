//! A store on the disk, shared between the connections that fill it and the viewers that read it.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::source::{Source, Unreadable};
use crate::storage::{FileId, Storage, StorageError, StorageErrorKind};
use crate::store::{
    PartialStudy, Recovery, Store, StoreConfig, StoreOp, StoreResult, StoredStudy, Verified,
};
use crate::{Digest, Instant, Manifest, SignedManifest, Uid};

/// A [`Store`] in a folder; clones share it.
///
/// One process at a time may have a folder open.
///
/// ```
/// use mic_transfer::adapter::disk::DiskStore;
/// # let folder = tempfile::tempdir()?;
/// let store = DiskStore::open(folder.path())?;
/// assert!(store.complete().is_empty() && store.partial().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DiskStore {
    store: Arc<Mutex<Store<FileStorage>>>,
    recovery: Recovery,
}

impl DiskStore {
    /// Opens or creates a store, synced in groups.
    ///
    /// # Errors
    /// [`StorageError`] if the folder can't be read or repaired.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::open_with(folder, StoreConfig::default())
    }

    /// Opens or creates a store.
    ///
    /// # Errors
    /// [`StorageError`] if the folder can't be read or repaired.
    pub fn open_with(folder: impl AsRef<Path>, config: StoreConfig) -> Result<Self, StorageError> {
        let storage = FileStorage::new(folder.as_ref())?;
        let (store, recovery) = Store::open(storage, config)?;
        Ok(Self {
            store: Arc::new(Mutex::new(store)),
            recovery,
        })
    }

    /// What was put right when the store was opened.
    #[must_use]
    pub const fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Studies in the folder that could not be opened, with what the disk said: not listed, and tried
    /// again when they are pulled.
    #[must_use]
    pub fn unopened(&self) -> Vec<(Digest, StorageError)> {
        let store = self.lock();
        let unopened = store.unopened();
        unopened
            .map(|(root, error)| (*root, error.clone()))
            .collect()
    }

    /// The complete studies.
    #[must_use]
    pub fn complete(&self) -> Vec<StoredStudy> {
        self.lock().complete()
    }

    /// The studies on their way.
    #[must_use]
    pub fn partial(&self) -> Vec<PartialStudy> {
        self.lock().partial()
    }

    /// The manifest of a study, complete or not.
    #[must_use]
    pub fn signed_manifest(&self, root: &Digest) -> Option<SignedManifest> {
        self.lock().manifest(root).cloned()
    }

    /// Opens a whole verified instance, of a complete study or of one on its way.
    ///
    /// # Errors
    /// [`StorageError`]: `NotFound` if no such instance is here.
    pub fn open_instance(&self, digest: &Digest) -> Result<InstanceReader, StorageError> {
        let mut store = self.lock();
        let place = store.locate(digest).ok_or_else(|| {
            StorageError::new(
                StorageErrorKind::NotFound,
                "find the instance",
                String::new(),
            )
        })?;
        // Under the lock: a commit would rename the folder between look-up and opening.
        let path = store.storage_mut().path(place.path());
        let file = File::open(path).map_err(|error| io_error("open a pack", &error))?;
        Ok(InstanceReader {
            file,
            start: place.offset(),
            length: place.length(),
            at: 0,
        })
    }

    /// All bytes of an instance.
    ///
    /// # Errors
    /// [`StorageError`] if it is not here or can't be read.
    pub fn read_instance(&self, digest: &Digest) -> Result<Vec<u8>, StorageError> {
        let mut reader = self.open_instance(digest)?;
        let mut bytes = Vec::with_capacity(usize::try_from(reader.len()).unwrap_or(0));
        reader
            .read_to_end(&mut bytes)
            .map_err(|error| io_error("read an instance", &error))?;
        if bytes.len() as u64 != reader.len() {
            let error = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Err(io_error("read an instance", &error));
        }
        Ok(bytes)
    }

    /// Hashes every instance of a complete study again.
    ///
    /// # Errors
    /// [`StorageError`] if the study is not complete here or can't be opened.
    pub fn verify(&self, root: &Digest) -> Result<Verified, StorageError> {
        self.lock().verify(root)
    }

    /// Forgets a study, complete or not, that is not being received.
    ///
    /// # Errors
    /// [`StorageError`]: `NotFound`, `Busy`, or as the disk says.
    pub fn remove(&self, root: &Digest) -> Result<(), StorageError> {
        self.lock().remove(root)
    }

    /// Does what a receiver asks.
    #[must_use]
    pub fn execute(&self, operation: StoreOp, now: Instant) -> StoreResult {
        self.lock().execute(operation, now)
    }

    /// The manifest to offer as known when a study is pulled: the latest complete one, or else the
    /// one that is on its way.
    #[must_use]
    pub fn known(&self, study: &Uid) -> Option<SignedManifest> {
        self.lock()
            .known(study)
            .last()
            .map(|signed| (*signed).clone())
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.lock().deadline()
    }

    pub(super) fn handle_time(&self, now: Instant) -> Result<(), StorageError> {
        self.lock().handle_time(now)
    }

    fn lock(&self) -> MutexGuard<'_, Store<FileStorage>> {
        // The store is consistent between operations, so a panic elsewhere is no reason to stop.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Complete studies can be given out again.
impl Source for DiskStore {
    fn manifest(&self, study: &Uid) -> Option<SignedManifest> {
        let complete = self.complete();
        let own = complete
            .iter()
            .filter(|known| known.signed().manifest().study() == study);
        // The study as received last, where it was received more than once with changes.
        let latest = own.max_by_key(|known| known.receipt().map(|(receipt, _)| receipt.at()))?;
        Some(latest.signed().clone())
    }

    fn manifest_of(&self, root: &Digest) -> Option<SignedManifest> {
        let complete = self.complete();
        let known = complete.iter().find(|known| known.root() == root);
        known.map(|known| known.signed().clone())
    }

    fn read(
        &self,
        manifest: &Manifest,
        instance: u32,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), Unreadable> {
        let listed = manifest
            .instances()
            .get(instance as usize)
            .ok_or(Unreadable)?;
        self.lock()
            .read_instance(listed.digest(), offset, into)
            .map_err(|_| Unreadable)
    }
}

/// Reads one instance; independent of the store's lock. A pack that ends early is an error of kind
/// `UnexpectedEof`, never a short instance.
#[derive(Debug)]
pub struct InstanceReader {
    file: File,
    start: u64,
    length: u64,
    at: u64,
}

impl InstanceReader {
    /// Bytes of the instance.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Never: an instance has at least one byte.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl Read for InstanceReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        let Some(into) = into.get_mut(..most) else {
            return Ok(0);
        };
        self.file
            .seek(SeekFrom::Start(self.start.saturating_add(self.at)))?;
        let read = self.file.read(into)?;
        if read == 0 && !into.is_empty() {
            // The pack was cut from outside: a short image must not look like a whole one.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

impl Seek for InstanceReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// A [`Storage`] in a folder of the operating system.
#[derive(Debug)]
pub struct FileStorage {
    folder: PathBuf,
    files: HashMap<FileId, File>,
    next: FileId,
    /// Syncs that run beside, by the first of their files.
    syncs: HashMap<FileId, JoinHandle<io::Result<()>>>,
}

impl FileStorage {
    /// Opens or creates the folder.
    ///
    /// # Errors
    /// [`StorageError`] as the operating system says.
    pub fn new(folder: &Path) -> Result<Self, StorageError> {
        create_synced(folder, |above| {
            if cfg!(windows) {
                return Ok(());
            }
            File::open(above).and_then(|above| above.sync_all())
        })
        .map_err(|error| io_error("create the folder", &error))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            files: HashMap::new(),
            next: 1,
            syncs: HashMap::new(),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        let parts = name.split('/').filter(|part| !part.is_empty());
        parts.fold(self.folder.clone(), |path, part| path.join(part))
    }

    fn file(&self, file: FileId) -> Result<&File, StorageError> {
        self.files.get(&file).ok_or_else(|| {
            StorageError::new(StorageErrorKind::NotFound, "use a file", String::new())
        })
    }
}

impl Storage for FileStorage {
    fn create_dir(&mut self, path: &str) -> Result<(), StorageError> {
        fs::create_dir_all(self.path(path)).map_err(|error| io_error("create a folder", &error))
    }

    fn list(&mut self, path: &str) -> Result<Vec<String>, StorageError> {
        let fail = |error: io::Error| io_error("list a folder", &error);
        let mut names = Vec::new();
        match fs::read_dir(self.path(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
            Err(error) => return Err(fail(error)),
            Ok(entries) => {
                for entry in entries {
                    names.push(
                        entry
                            .map_err(fail)?
                            .file_name()
                            .to_string_lossy()
                            .into_owned(),
                    );
                }
            }
        }
        names.sort();
        Ok(names)
    }

    fn open(&mut self, path: &str, create: bool) -> Result<FileId, StorageError> {
        let path = self.path(path);
        let mut options = OpenOptions::new();
        let opened = options
            .read(true)
            .write(true)
            .create(create)
            .truncate(false)
            .open(path);
        let file = opened.map_err(|error| io_error("open a file", &error))?;
        let id = self.next;
        self.next = self.next.wrapping_add(1).max(1);
        self.files.insert(id, file);
        Ok(id)
    }

    fn close(&mut self, file: FileId) {
        self.files.remove(&file);
        // A sync that runs has handles of its own, and nobody waits for it any more.
        self.syncs.remove(&file);
    }

    fn len(&mut self, file: FileId) -> Result<u64, StorageError> {
        let known = self.file(file)?.metadata();
        known
            .map(|known| known.len())
            .map_err(|error| io_error("ask for a length", &error))
    }

    fn read_at(&mut self, file: FileId, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        read_at(self.file(file)?, offset, into).map_err(|error| io_error("read a file", &error))
    }

    fn write_at(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        write_at(self.file(file)?, offset, bytes).map_err(|error| io_error("write a file", &error))
    }

    fn set_len(&mut self, file: FileId, length: u64) -> Result<(), StorageError> {
        self.file(file)?
            .set_len(length)
            .map_err(|error| io_error("set a length", &error))
    }

    fn sync(&mut self, file: FileId) -> Result<(), StorageError> {
        self.file(file)?
            .sync_data()
            .map_err(|error| io_error("sync a file", &error))
    }

    fn sync_begin(&mut self, files: &[FileId]) -> Result<(), StorageError> {
        let Some(first) = files.first() else {
            return Ok(());
        };
        self.sync_done(*first, true)?;
        let mut handles = Vec::with_capacity(files.len());
        for file in files {
            let handle = self.file(*file)?.try_clone();
            handles.push(handle.map_err(|error| io_error("sync a file", &error))?);
        }
        let sync = move || handles.iter().try_for_each(File::sync_data);
        let running = thread::Builder::new()
            .name(String::from("mic-transfer-sync"))
            .spawn(sync)
            .map_err(|error| io_error("sync a file", &error))?;
        self.syncs.insert(*first, running);
        Ok(())
    }

    fn sync_done(&mut self, file: FileId, wait: bool) -> Result<bool, StorageError> {
        let running = self.syncs.get(&file).map(|running| !running.is_finished());
        if running == Some(true) && !wait {
            return Ok(false);
        }
        match self.syncs.remove(&file).map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(true),
            Some(Ok(Err(error))) => Err(io_error("sync a file", &error)),
            Some(Err(_)) => Err(StorageError::new(
                StorageErrorKind::Failed,
                "sync a file",
                String::new(),
            )),
        }
    }

    fn sync_dir(&mut self, path: &str) -> Result<(), StorageError> {
        if cfg!(windows) {
            // A folder can't be synced there; the journal of its file system keeps the order.
            return Ok(());
        }
        let synced = File::open(self.path(path)).and_then(|folder| folder.sync_all());
        synced.map_err(|error| io_error("sync a folder", &error))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StorageError> {
        fs::rename(self.path(from), self.path(to))
            .map_err(|error| io_error("rename a folder", &error))
    }

    fn remove_dir(&mut self, path: &str) -> Result<(), StorageError> {
        match fs::remove_dir_all(self.path(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_error("remove a folder", &error))
            }
            _ => Ok(()),
        }
    }
}

/// Creates a folder and those above it, and makes each new name durable by a sync of the folder that
/// holds it (XFR-59): a store whose own name is lost has lost every study in it.
fn create_synced(folder: &Path, mut sync: impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
        .collect();
    fs::create_dir_all(folder)?;
    for path in missing.into_iter().rev() {
        let above = path.parent().filter(|above| !above.as_os_str().is_empty());
        sync(above.unwrap_or_else(|| Path::new(".")))?;
    }
    Ok(())
}

#[cfg(unix)]
pub(super) fn read_at(file: &File, offset: u64, into: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, offset)
}

#[cfg(not(unix))]
pub(super) fn read_at(mut file: &File, offset: u64, into: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(into)
}

#[cfg(unix)]
fn write_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    io::Write::write_all(&mut file, bytes)
}

fn io_error(operation: &'static str, error: &io::Error) -> StorageError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => StorageErrorKind::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StorageErrorKind::Denied
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageErrorKind::Full,
        io::ErrorKind::UnexpectedEof => StorageErrorKind::Damaged,
        _ => StorageErrorKind::Failed,
    };
    StorageError::new(kind, operation, error.kind().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_every_new_name_above_a_store_is_synced_and_no_other() {
        let temporary = tempfile::tempdir().unwrap();
        let (base, mut synced) = (temporary.path(), Vec::new());
        let mut note = |above: &Path| {
            synced.push(above.to_path_buf());
            Ok(())
        };
        create_synced(&base.join("a/b/c"), &mut note).unwrap();
        create_synced(&base.join("a/b/c"), &mut note).unwrap();
        create_synced(&base.join("a/d"), &mut note).unwrap();
        let expected = [
            base.to_path_buf(),
            base.join("a"),
            base.join("a/b"),
            base.join("a"),
        ];
        assert_eq!(synced, expected);
    }

    #[test]
    fn err_a_name_that_cannot_be_synced_is_said() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("store");
        let refused = create_synced(&folder, |_| Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
