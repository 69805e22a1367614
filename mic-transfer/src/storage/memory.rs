//! A file system in memory that forgets what was not synced, tears writes and fills up.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{FileId, Storage, StorageError, StorageErrorKind};

/// What a power cut leaves of the writes that were not synced.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashStyle {
    /// The process is killed: the operating system keeps all that was written.
    Kill,
    /// The power fails and none of it is left.
    Forget,
    /// The power fails; by this seed some of it is left, and the last part torn.
    Tear(u64),
}

/// A [`Storage`] for tests of stores and of what embeds them.
///
/// ```
/// use mic_transfer::storage::{CrashStyle, MemoryStorage, Storage};
/// let mut disk = MemoryStorage::new();
/// let file = disk.open("a", true)?;
/// disk.sync_dir("")?;
/// disk.write_at(file, 0, b"kept")?;
/// disk.sync(file)?;
/// disk.write_at(file, 4, b" lost")?;
/// disk.crash(CrashStyle::Forget);
/// let file = disk.open("a", false)?;
/// assert_eq!(disk.len(file)?, 4);
/// # Ok::<(), mic_transfer::storage::StorageError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MemoryStorage {
    nodes: BTreeMap<u32, Node>,
    next_node: u32,
    open: BTreeMap<FileId, u32>,
    next_file: FileId,
    capacity: u64,
    operations: u64,
    stop_after: Option<u64>,
    sync_fails: bool,
    fails: Option<(u64, StorageErrorKind)>,
    refused: Option<(String, StorageErrorKind)>,
    syncs: BTreeMap<FileId, Running>,
}

/// A sync that goes on beside.
#[derive(Debug, Clone)]
struct Running {
    /// The files, and how many of their unsynced changes it began with.
    files: Vec<(u32, usize)>,
    /// Questions whether it is done that are answered no.
    left: u32,
}

/// Of a sync: it is done when it has been asked for so often, so that more is written beside.
const SYNC_QUESTIONS: u32 = 3;

#[derive(Debug, Clone)]
enum Node {
    Folder {
        live: BTreeMap<String, u32>,
        durable: BTreeMap<String, u32>,
    },
    File {
        live: Vec<u8>,
        durable: Vec<u8>,
        unsynced: Vec<Change>,
    },
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

const ROOT: u32 = 0;

impl Default for MemoryStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStorage {
    /// An empty disk without bounds.
    #[must_use]
    pub fn new() -> Self {
        let root = Node::Folder {
            live: BTreeMap::new(),
            durable: BTreeMap::new(),
        };
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            next_node: 1,
            open: BTreeMap::new(),
            next_file: 1,
            capacity: u64::MAX,
            operations: 0,
            stop_after: None,
            sync_fails: false,
            fails: None,
            refused: None,
            syncs: BTreeMap::new(),
        }
    }

    /// Bounds the bytes of all files.
    pub const fn set_capacity(&mut self, bytes: u64) {
        self.capacity = bytes;
    }

    /// Lets every operation after the next `operations` fail, as in a machine that stops there.
    pub const fn stop_after(&mut self, operations: u64) {
        self.stop_after = Some(self.operations.saturating_add(operations));
    }

    /// Lets the next sync of a file fail and drop what it was to keep, as operating systems do: the
    /// sync after it succeeds.
    pub const fn fail_next_sync(&mut self) {
        self.sync_fails = true;
    }

    /// Lets one operation fail, the one after the next `operations`: a read error, no permission, no
    /// room. Half of the bytes of a write that fails are written.
    pub const fn fail_once(&mut self, operations: u64, kind: StorageErrorKind) {
        self.fails = Some((self.operations.saturating_add(operations), kind));
    }

    /// Lets no file whose name begins with `path` be opened, until [`MemoryStorage::allow`].
    pub fn refuse(&mut self, path: &str, kind: StorageErrorKind) {
        self.refused = Some((path.to_string(), kind));
    }

    /// Lets all files be opened again.
    pub fn allow(&mut self) {
        self.refused = None;
    }

    /// Operations asked for so far.
    #[must_use]
    pub const fn operations(&self) -> u64 {
        self.operations
    }

    /// Ends the process or the power: handles are gone, and what `style` says.
    pub fn crash(&mut self, style: CrashStyle) {
        self.open.clear();
        self.syncs.clear();
        self.stop_after = None;
        let places = self.places();
        let mut dice = match style {
            CrashStyle::Kill => return,
            CrashStyle::Forget => None,
            CrashStyle::Tear(seed) => Some(Dice(seed | 1)),
        };
        for node in self.nodes.values_mut() {
            match node {
                Node::Folder { live, durable } => {
                    let lucky = dice.as_mut().is_some_and(|dice| dice.below(2) == 1);
                    if lucky {
                        durable.clone_from(live);
                    } else {
                        live.clone_from(durable);
                    }
                }
                Node::File {
                    live,
                    durable,
                    unsynced,
                } => {
                    let mut left = durable.clone();
                    if let Some(dice) = &mut dice {
                        let survivors = dice.below(unsynced.len() as u64 + 1);
                        for (at, change) in unsynced.iter().enumerate() {
                            let whole = (at as u64) < survivors && dice.below(8) != 0;
                            change.apply(&mut left, if whole { u64::MAX } else { dice.below(64) });
                            if at as u64 >= survivors {
                                break;
                            }
                        }
                    }
                    unsynced.clear();
                    live.clone_from(&left);
                    *durable = left;
                }
            }
        }
        self.one_name_each(&places);
    }

    /// The folder of each node.
    fn places(&self) -> BTreeMap<u32, u32> {
        let mut places = BTreeMap::new();
        for (folder, node) in &self.nodes {
            if let Node::Folder { live, .. } = node {
                places.extend(live.values().map(|id| (*id, *folder)));
            }
        }
        places
    }

    /// A rename is atomic: what a crash left under both names has the new one alone.
    fn one_name_each(&mut self, places: &BTreeMap<u32, u32>) {
        let mut names: BTreeMap<u32, u32> = BTreeMap::new();
        for node in self.nodes.values() {
            if let Node::Folder { live, .. } = node {
                for id in live.values() {
                    let count = names.entry(*id).or_default();
                    *count = count.saturating_add(1);
                }
            }
        }
        for (folder, node) in &mut self.nodes {
            if let Node::Folder { live, durable } = node {
                let keep = |_: &String, id: &mut u32| {
                    names.get(id).is_none_or(|count| *count < 2) || places.get(id) == Some(folder)
                };
                live.retain(keep);
                durable.retain(keep);
            }
        }
    }

    /// Flips a bit of a file, synced: damage from outside.
    ///
    /// # Errors
    /// [`StorageError`] if the file is not there or shorter.
    pub fn flip_bit(&mut self, path: &str, offset: u64) -> Result<(), StorageError> {
        let id = self
            .find(path)
            .ok_or_else(|| error(StorageErrorKind::NotFound, "find a file"))?;
        let Some(Node::File { live, durable, .. }) = self.nodes.get_mut(&id) else {
            return Err(error(StorageErrorKind::NotFound, "find a file"));
        };
        for bytes in [live, durable] {
            if let Some(byte) = bytes.get_mut(usize::try_from(offset).unwrap_or(usize::MAX)) {
                *byte ^= 1;
            }
        }
        Ok(())
    }

    fn count(&mut self, operation: &'static str) -> Result<(), StorageError> {
        self.operations = self.operations.saturating_add(1);
        if let Some((_, kind)) = self.fails.filter(|(last, _)| self.operations > *last) {
            self.fails = None;
            return Err(error(kind, operation));
        }
        match self.stop_after {
            Some(last) if self.operations > last => Err(error(StorageErrorKind::Failed, operation)),
            _ => Ok(()),
        }
    }

    /// Makes the first `changes` of a file's unsynced changes durable.
    fn sync_node(&mut self, id: u32, changes: usize) -> Result<(), StorageError> {
        self.count("sync a file")?;
        let fails = core::mem::take(&mut self.sync_fails);
        let mut done = 0;
        if let Some(Node::File {
            live,
            durable,
            unsynced,
        }) = self.nodes.get_mut(&id)
        {
            if fails {
                live.clone_from(durable);
                done = unsynced.len();
                unsynced.clear();
            } else {
                done = changes.min(unsynced.len());
                for change in unsynced.drain(..done) {
                    change.apply(durable, u64::MAX);
                }
            }
        }
        // What goes on beside for the same file has so much less to do.
        let running = self.syncs.values_mut().flat_map(|sync| &mut sync.files);
        for (_, left) in running.filter(|(file, _)| *file == id) {
            *left = left.saturating_sub(done);
        }
        if fails {
            return Err(error(StorageErrorKind::Failed, "sync a file"));
        }
        Ok(())
    }

    fn find(&self, path: &str) -> Option<u32> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .try_fold(ROOT, |at, part| match self.nodes.get(&at)? {
                Node::Folder { live, .. } => live.get(part).copied(),
                Node::File { .. } => None,
            })
    }

    fn add(&mut self, folder: u32, name: &str, node: Node) -> u32 {
        let id = self.next_node;
        self.next_node = self.next_node.saturating_add(1);
        self.nodes.insert(id, node);
        if let Some(Node::Folder { live, .. }) = self.nodes.get_mut(&folder) {
            live.insert(name.to_string(), id);
        }
        id
    }

    fn file(&mut self, file: FileId, operation: &'static str) -> Result<&mut Node, StorageError> {
        let node = self
            .open
            .get(&file)
            .copied()
            .and_then(|id| self.nodes.get_mut(&id));
        node.ok_or_else(|| error(StorageErrorKind::NotFound, operation))
    }

    fn used(&self) -> u64 {
        let length = |node: &Node| match node {
            Node::File { live, .. } => live.len() as u64,
            Node::Folder { .. } => 0,
        };
        self.nodes.values().map(length).sum()
    }

    fn change(
        &mut self,
        file: FileId,
        change: Change,
        operation: &'static str,
    ) -> Result<(), StorageError> {
        let counted = self.count(operation);
        let (used, capacity) = (self.used(), self.capacity);
        let stopped = self.stop_after.is_some_and(|last| self.operations > last);
        let Node::File { live, unsynced, .. } = self.file(file, operation)? else {
            return Err(error(StorageErrorKind::Failed, operation));
        };
        if used
            .saturating_add(change.end())
            .saturating_sub(live.len() as u64)
            > capacity
        {
            return Err(error(StorageErrorKind::Full, operation));
        }
        let change = match counted {
            Ok(()) => change,
            Err(failed) => {
                if let (Change::Write(offset, mut bytes), false) = (change, stopped) {
                    bytes.truncate(bytes.len() / 2);
                    let torn = Change::Write(offset, bytes);
                    torn.apply(live, u64::MAX);
                    unsynced.push(torn);
                }
                return Err(failed);
            }
        };
        change.apply(live, u64::MAX);
        unsynced.push(change);
        Ok(())
    }
}

impl Change {
    fn end(&self) -> u64 {
        match self {
            Self::Write(offset, bytes) => offset.saturating_add(bytes.len() as u64),
            Self::Length(length) => *length,
        }
    }

    /// Does it, a write only up to `most` bytes.
    fn apply(&self, file: &mut Vec<u8>, most: u64) {
        match self {
            Self::Length(length) => {
                file.resize(usize::try_from(*length).unwrap_or(usize::MAX), 0);
            }
            Self::Write(offset, bytes) => {
                let most = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
                let start = usize::try_from(*offset).unwrap_or(usize::MAX);
                let bytes = bytes.get(..most).unwrap_or(&[]);
                if file.len() < start.saturating_add(most) {
                    file.resize(start.saturating_add(most), 0);
                }
                if let Some(place) = file.get_mut(start..start.saturating_add(most)) {
                    place.copy_from_slice(bytes);
                }
            }
        }
    }
}

impl Storage for MemoryStorage {
    fn create_dir(&mut self, path: &str) -> Result<(), StorageError> {
        self.count("create a directory")?;
        let mut at = ROOT;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let known = match self.nodes.get(&at) {
                Some(Node::Folder { live, .. }) => live.get(part).copied(),
                _ => return Err(error(StorageErrorKind::Failed, "create a directory")),
            };
            at = match known {
                Some(id) => id,
                None => self.add(
                    at,
                    part,
                    Node::Folder {
                        live: BTreeMap::new(),
                        durable: BTreeMap::new(),
                    },
                ),
            };
        }
        Ok(())
    }

    fn list(&mut self, path: &str) -> Result<Vec<String>, StorageError> {
        self.count("list a directory")?;
        Ok(match self.find(path).and_then(|id| self.nodes.get(&id)) {
            Some(Node::Folder { live, .. }) => live.keys().cloned().collect(),
            _ => Vec::new(),
        })
    }

    fn open(&mut self, path: &str, create: bool) -> Result<FileId, StorageError> {
        self.count("open a file")?;
        if let Some((refused, kind)) = &self.refused {
            if path.starts_with(refused.as_str()) {
                return Err(error(*kind, "open a file"));
            }
        }
        let missing = || error(StorageErrorKind::NotFound, "open a file");
        let id = match self.find(path) {
            Some(id) => id,
            None if create => {
                let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
                let folder = self.find(folder).ok_or_else(missing)?;
                let node = Node::File {
                    live: Vec::new(),
                    durable: Vec::new(),
                    unsynced: Vec::new(),
                };
                self.add(folder, name, node)
            }
            None => return Err(missing()),
        };
        let file = self.next_file;
        self.next_file = self.next_file.saturating_add(1);
        self.open.insert(file, id);
        Ok(file)
    }

    fn close(&mut self, file: FileId) {
        self.open.remove(&file);
        self.syncs.remove(&file);
    }

    fn len(&mut self, file: FileId) -> Result<u64, StorageError> {
        self.count("ask for a length")?;
        match self.file(file, "ask for a length")? {
            Node::File { live, .. } => Ok(live.len() as u64),
            Node::Folder { .. } => Err(error(StorageErrorKind::Failed, "ask for a length")),
        }
    }

    fn read_at(&mut self, file: FileId, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        self.count("read a file")?;
        let Node::File { live, .. } = self.file(file, "read a file")? else {
            return Err(error(StorageErrorKind::Failed, "read a file"));
        };
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = live
            .get(start..start.saturating_add(into.len()))
            .ok_or_else(|| error(StorageErrorKind::Damaged, "read a file"))?;
        into.copy_from_slice(bytes);
        Ok(())
    }

    fn write_at(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.change(file, Change::Write(offset, bytes.to_vec()), "write a file")
    }

    fn set_len(&mut self, file: FileId, length: u64) -> Result<(), StorageError> {
        self.change(file, Change::Length(length), "set a length")
    }

    fn sync(&mut self, file: FileId) -> Result<(), StorageError> {
        let id = self.open.get(&file).copied();
        let id = id.ok_or_else(|| error(StorageErrorKind::NotFound, "sync a file"))?;
        self.sync_node(id, usize::MAX)
    }

    fn sync_begin(&mut self, files: &[FileId]) -> Result<(), StorageError> {
        let Some(first) = files.first().copied() else {
            return Ok(());
        };
        self.sync_done(first, true)?;
        self.count("sync a file")?;
        let mut begun = Vec::with_capacity(files.len());
        for file in files {
            let id = self.open.get(file).copied();
            let id = id.ok_or_else(|| error(StorageErrorKind::NotFound, "sync a file"))?;
            if let Some(Node::File { unsynced, .. }) = self.nodes.get(&id) {
                begun.push((id, unsynced.len()));
            }
        }
        let running = Running {
            files: begun,
            left: SYNC_QUESTIONS,
        };
        self.syncs.insert(first, running);
        Ok(())
    }

    fn sync_done(&mut self, file: FileId, wait: bool) -> Result<bool, StorageError> {
        let Some(running) = self.syncs.get_mut(&file) else {
            return Ok(true);
        };
        if running.left > 0 && !wait {
            running.left -= 1;
            return Ok(false);
        }
        let files = self.syncs.remove(&file).map(|running| running.files);
        for (id, changes) in files.unwrap_or_default() {
            self.sync_node(id, changes)?;
        }
        Ok(true)
    }

    fn sync_dir(&mut self, path: &str) -> Result<(), StorageError> {
        self.count("sync a directory")?;
        let id = self.find(path);
        match id.and_then(|id| self.nodes.get_mut(&id)) {
            Some(Node::Folder { live, durable }) => {
                durable.clone_from(live);
                Ok(())
            }
            _ => Err(error(StorageErrorKind::NotFound, "sync a directory")),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StorageError> {
        self.count("rename a directory")?;
        let missing = || error(StorageErrorKind::NotFound, "rename a directory");
        let id = self.find(from).ok_or_else(missing)?;
        for (path, put) in [(from, false), (to, true)] {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let folder = self.find(folder).ok_or_else(missing)?;
            if let Some(Node::Folder { live, .. }) = self.nodes.get_mut(&folder) {
                if put {
                    live.insert(name.to_string(), id);
                } else {
                    live.remove(name);
                }
            }
        }
        Ok(())
    }

    /// Name by name, as a real one does: it can end in the middle.
    fn remove_dir(&mut self, path: &str) -> Result<(), StorageError> {
        self.count("remove a directory")?;
        let inside: Vec<String> = match self.find(path).and_then(|id| self.nodes.get(&id)) {
            Some(Node::Folder { live, .. }) => live.keys().cloned().collect(),
            _ => Vec::new(),
        };
        for name in inside {
            self.remove_dir(&alloc::format!("{path}/{name}"))?;
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(Node::Folder { live, .. }) =
            self.find(folder).and_then(|id| self.nodes.get_mut(&id))
        {
            live.remove(name);
        }
        Ok(())
    }
}

fn error(kind: StorageErrorKind, operation: &'static str) -> StorageError {
    StorageError::new(kind, operation, String::new())
}

/// Small seeded numbers: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8).checked_rem(bound).unwrap_or(0)
    }
}
