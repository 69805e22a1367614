//! Where sorted runs go when memory is used up.

use alloc::vec::Vec;
use core::fmt;
use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// Gives places to write a run to and read it back from.
///
/// A run is written once from its beginning, read once from its beginning, and dropped, which removes
/// it. Runs hold index codes: personal data.
pub trait Spill {
    /// A run.
    type Run: Read + Write + Seek;

    /// An empty run.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn create(&mut self) -> io::Result<Self::Run>;
}

/// Runs as files of a folder, readable by their owner alone (on Unix) and removed as soon as they are
/// merged or the search is dropped.
///
/// A process that is killed leaves its files, named `mic-index-<process>-<number>.run`; they are not
/// used again. The folder should be as well protected as the bulk file itself.
///
/// ```no_run
/// use mic_index::bulk::{Folder, Search};
///
/// let search = Search::new(64 << 20, Folder::new("/var/lib/mic/spill"));
/// ```
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    number: u64,
}

impl Folder {
    /// A folder that exists.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { path, number: 0 }
    }
}

impl Spill for Folder {
    type Run = RunFile;

    fn create(&mut self) -> io::Result<RunFile> {
        loop {
            let name = format_args!("mic-index-{}-{}.run", std::process::id(), self.number);
            let path = self.path.join(alloc::format!("{name}"));
            self.number += 1;
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(&path) {
                // Left by a process that was killed and had the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    let file = Some(file);
                    return Ok(RunFile { file, path });
                }
            }
        }
    }
}

/// A run of a [`Folder`]; removed when dropped.
pub struct RunFile {
    /// `None` only while it is dropped: some systems remove no open file.
    file: Option<File>,
    path: PathBuf,
}

impl RunFile {
    fn file(&mut self) -> io::Result<&mut File> {
        self.file
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Read for RunFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file()?.read(into)
    }
}

impl Write for RunFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file()?.flush()
    }
}

impl Seek for RunFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file()?.seek(to)
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        drop(self.file.take());
        // Nobody is left to be told; the name says what it is.
        let _ = remove_file(&self.path);
    }
}

impl fmt::Debug for RunFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Runs in memory: for tests, and where there is no disk. The search's bound does not hold then.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to choose")]
pub struct Heap;

impl Spill for Heap {
    type Run = Cursor<Vec<u8>>;

    fn create(&mut self) -> io::Result<Self::Run> {
        Ok(Cursor::default())
    }
}
