//! The small file system a [`Store`](crate::store::Store) stands on.

use alloc::string::String;
use alloc::vec::Vec;

mod memory;

pub use memory::{CrashStyle, MemoryStorage};

/// A handle of an open file.
pub type FileId = u32;

/// Files by relative names (`complete/<root>/pack`), as little of a file system as will do.
///
/// Implementations: the disk (`adapter::disk`, feature `std`) and [`MemoryStorage`], which forgets
/// what was not synced. A call answers only when the operating system has taken the bytes; only the
/// `sync` calls promise that they outlive a power cut.
pub trait Storage {
    /// Creates a directory and those above it; one that is there is no error.
    ///
    /// # Errors
    /// [`StorageError`].
    fn create_dir(&mut self, path: &str) -> Result<(), StorageError>;

    /// Names in a directory; none if it is not there.
    ///
    /// # Errors
    /// [`StorageError`].
    fn list(&mut self, path: &str) -> Result<Vec<String>, StorageError>;

    /// Opens for reading and writing; creates if asked.
    ///
    /// # Errors
    /// [`StorageError`]; of kind `NotFound` if it is not there and `create` is false.
    fn open(&mut self, path: &str, create: bool) -> Result<FileId, StorageError>;

    /// Gives the handle back.
    fn close(&mut self, file: FileId);

    /// Bytes of the file.
    ///
    /// # Errors
    /// [`StorageError`].
    fn len(&mut self, file: FileId) -> Result<u64, StorageError>;

    /// Fills `into` from `offset` on; fails if the file ends before.
    ///
    /// # Errors
    /// [`StorageError`].
    fn read_at(&mut self, file: FileId, offset: u64, into: &mut [u8]) -> Result<(), StorageError>;

    /// Writes all of `bytes`; a gap before them reads as zeros.
    ///
    /// # Errors
    /// [`StorageError`]; part of the bytes may have been written.
    fn write_at(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), StorageError>;

    /// Cuts or extends the file.
    ///
    /// # Errors
    /// [`StorageError`].
    fn set_len(&mut self, file: FileId, length: u64) -> Result<(), StorageError>;

    /// Makes the file's bytes and length durable.
    ///
    /// # Errors
    /// [`StorageError`]; nothing may then be taken as durable.
    fn sync(&mut self, file: FileId) -> Result<(), StorageError>;

    /// Begins to make durable what was written to these files before, the first file first, while more is
    /// written; [`Storage::sync_done`] of the first tells the end. One at a time for a file.
    ///
    /// A storage that can't do it beside does it at once: this method's own form.
    ///
    /// # Errors
    /// [`StorageError`]; nothing may then be taken as durable.
    fn sync_begin(&mut self, files: &[FileId]) -> Result<(), StorageError> {
        files.iter().try_for_each(|file| self.sync(*file))
    }

    /// Whether what [`Storage::sync_begin`] began is done; with `wait` it is when this returns.
    ///
    /// # Errors
    /// [`StorageError`] of the sync; nothing that was to be synced may then be taken as durable.
    fn sync_done(&mut self, file: FileId, wait: bool) -> Result<bool, StorageError> {
        let _ = (file, wait);
        Ok(true)
    }

    /// Makes the directory's entries durable.
    ///
    /// # Errors
    /// [`StorageError`].
    fn sync_dir(&mut self, path: &str) -> Result<(), StorageError>;

    /// Renames a directory; atomic, and durable after `sync_dir` of both parents.
    ///
    /// # Errors
    /// [`StorageError`].
    fn rename(&mut self, from: &str, to: &str) -> Result<(), StorageError>;

    /// Removes a directory and all in it.
    ///
    /// # Errors
    /// [`StorageError`].
    fn remove_dir(&mut self, path: &str) -> Result<(), StorageError>;
}

/// What a program can do about a storage error.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StorageErrorKind {
    /// It is not there.
    #[error("not found")]
    NotFound,
    /// No room left: make some and resume.
    #[error("no room left")]
    Full,
    /// Not allowed.
    #[error("permission denied")]
    Denied,
    /// The bytes are not what was written: a file was cut or changed from outside.
    #[error("damaged")]
    Damaged,
    /// The study is being received already.
    #[error("already in use")]
    Busy,
    /// The bytes fit one digest of their manifest and not the other: the source is wrong.
    #[error("the digests of the manifest contradict each other")]
    Contradiction,
    /// The device or the operating system failed.
    #[error("failed")]
    Failed,
}

/// A storage operation that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not {operation}: {kind}{}{detail}", if detail.is_empty() { "" } else { ", " })]
pub struct StorageError {
    kind: StorageErrorKind,
    operation: &'static str,
    detail: String,
}

impl StorageError {
    /// An error of `operation`, said as in "could not …".
    #[must_use]
    pub const fn new(kind: StorageErrorKind, operation: &'static str, detail: String) -> Self {
        Self {
            kind,
            operation,
            detail,
        }
    }

    /// What a program can do about it.
    #[must_use]
    pub const fn kind(&self) -> StorageErrorKind {
        self.kind
    }
}
