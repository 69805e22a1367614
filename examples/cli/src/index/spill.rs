//! Where the search of a bulk file spills to when nobody said.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mic_index::bulk::{Folder, Spill};

/// The first of some folders that takes a file, chosen when memory is first used up.
///
/// The folder of the input comes first: it has room for such files and is as well protected as the
/// input itself. Folders in memory come last, and with a warning: there the spill takes the very memory
/// that it is to spare.
pub(super) struct Place {
    candidates: Vec<PathBuf>,
    /// Asked for by name: taken as it is.
    given: bool,
    folder: Option<Folder>,
    chosen: Rc<RefCell<Option<PathBuf>>>,
}

impl Place {
    pub(super) fn new(given: Option<&Path>, input: &Path) -> Self {
        let candidates = given.map_or_else(|| defaults(input), |folder| vec![folder.to_owned()]);
        Self {
            candidates,
            given: given.is_some(),
            folder: None,
            chosen: Rc::default(),
        }
    }

    /// The folder that was chosen, once there is one.
    pub(super) fn chosen(&self) -> Rc<RefCell<Option<PathBuf>>> {
        Rc::clone(&self.chosen)
    }
}

impl Spill for Place {
    type Run = <Folder as Spill>::Run;

    fn create(&mut self) -> io::Result<Self::Run> {
        if let Some(folder) = &mut self.folder {
            return folder.create();
        }
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        for path in &self.candidates {
            let mut folder = Folder::new(path);
            match folder.create() {
                Ok(run) => {
                    if !self.given && in_memory(path) {
                        eprintln!(
                            "mic: {}: the spill goes to a folder in memory (tmpfs); --spill DIR \
                             for one on a disk",
                            path.display()
                        );
                    }
                    self.folder = Some(folder);
                    *self.chosen.borrow_mut() = Some(path.clone());
                    return Ok(run);
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

/// The folder of the input, the system's folders for temporary files; those in memory last.
fn defaults(input: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if input != Path::new("-") {
        folders.extend(
            input
                .parent()
                .map(|parent| match parent.as_os_str().is_empty() {
                    true => PathBuf::from("."),
                    false => parent.to_owned(),
                })
                // A device or a pipe such as /dev/stdin is no place to put files beside.
                .filter(|_| input.is_file()),
        );
    }
    folders.push(std::env::temp_dir());
    if cfg!(unix) {
        folders.push(PathBuf::from("/var/tmp"));
    }
    // Stable: the order stays within both kinds.
    folders.sort_by_key(|folder| in_memory(folder));
    folders
}

/// Whether a folder lies on a file system in memory, as far as the system says: Linux does.
fn in_memory(folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else {
        return false;
    };
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            let place = fields.nth(1)?;
            Some((unescaped(place), fields.next()?))
        })
        .filter(|(place, _)| folder.starts_with(place))
        // Of mounts over each other at one place the last counts.
        .max_by_key(|(place, _)| place.len())
        .is_some_and(|(_, kind)| matches!(kind, "tmpfs" | "ramfs"))
}

/// A path of the list of mounts, in which white space and backslashes are written in octal.
fn unescaped(place: &str) -> String {
    place
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}
