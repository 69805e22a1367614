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

/// Runs as files of a folder, readable by their owner alone and gone as soon as they are merged, the search
/// is dropped or the process ends, however it ends.
///
/// On Unix a file loses its name as soon as it is open, so the folder looks empty while its disk fills; on
/// Windows the system removes it when it is closed. Elsewhere, and where a file system does not let go
/// of an open file's name, it is removed when the run is dropped: a process that is killed leaves it then, as
/// `mic-index-<process>-<number>.run`, and it is not used again.
///
/// The disk of the folder should be as well protected as that of the bulk file, and be a disk: the folder
/// of temporary files is memory on many systems.
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
            let (process, number) = (std::process::id(), self.number);
            let path = self
                .path
                .join(alloc::format!("mic-index-{process}-{number}.run"));
            self.number += 1;
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true);
            private(&mut options);
            match options.open(&path) {
                // Left by a process that was killed and had the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    // Without a name nothing is left of it, even if the process is killed.
                    let named = !cfg!(unix) || remove_file(&path).is_err();
                    return Ok(RunFile {
                        file: Some(file),
                        path: named.then_some(path),
                    });
                }
            }
        }
    }
}

/// For the owner alone.
#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

/// For this process alone, and removed when closed.
#[cfg(windows)]
fn private(options: &mut OpenOptions) {
    /// `FILE_FLAG_DELETE_ON_CLOSE` of `CreateFileW`.
    const DELETE_ON_CLOSE: u32 = 0x0400_0000;
    use std::os::windows::fs::OpenOptionsExt;
    options.share_mode(0).custom_flags(DELETE_ON_CLOSE);
}

#[cfg(not(any(unix, windows)))]
fn private(_: &mut OpenOptions) {}

/// A run of a [`Folder`]; gone when dropped.
pub struct RunFile {
    /// `None` only while it is dropped: some systems remove no open file.
    file: Option<File>,
    /// `None` once it has no name.
    path: Option<PathBuf>,
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
        if let Some(path) = &self.path {
            // Nobody is left to be told; the name says what it is.
            let _ = remove_file(path);
        }
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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use alloc::string::String;

    use super::*;

    #[test]
    fn ok_a_run_is_its_owners_alone_and_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Folder::new(folder.path()).create().unwrap();
        run.write_all(b"written").unwrap();
        let about = run.file().unwrap().metadata().unwrap();
        assert_eq!(about.mode() & 0o777, 0o600, "IDX-91");
        assert_eq!(
            about.nlink(),
            0,
            "IDX-91: a process that is killed leaves it"
        );
        run.seek(SeekFrom::Start(0)).unwrap();
        let mut text = String::new();
        run.read_to_string(&mut text).unwrap();
        assert_eq!(text, "written");
    }
}
