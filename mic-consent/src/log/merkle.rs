//! The tree of RFC 9162 section 2 over the hash of a suite: leaves under a zero byte, nodes under a one.

use alloc::{vec, vec::Vec};
use core::fmt;

use super::{ConsistencyProof, InclusionProof};
use crate::{
    claims::binding::fixed_bytes,
    denial::{Denial, Reason},
    limits::LOG_HASHES_MAX,
    suite::Suite,
};

pub(super) type Hash = [u8; 32];

fixed_bytes! {
    /// The root of a log at some size: the hash that its head signs.
    ///
    /// ```
    /// use mic_consent::{MerkleLog, Suite};
    /// // The root of nothing is the hash of nothing: SHA-256 and RFC 9162 2.1.1.
    /// let empty = MerkleLog::new(Suite::Ed25519)?.root();
    /// assert!(empty.to_string().starts_with("e3b0c442"));
    /// # Ok::<(), mic_consent::Denial>(())
    /// ```
    LogRoot, 32
}

/// A log of entries, of which it keeps the hashes alone: 64 bytes for each entry.
///
/// ```
/// use mic_consent::{MerkleLog, Suite};
///
/// let mut log = MerkleLog::new(Suite::Sm2Sm3)?;
/// for receipt in [&b"one"[..], b"two", b"three"] {
///     log.append(receipt)?;
/// }
/// let proof = log.inclusion(1, 3)?;
/// proof.verify(Suite::Sm2Sm3, b"two", &log.root())?;
/// let (old, new) = (log.root_at(2)?, log.root());
/// log.consistency(2, 3)?.verify(Suite::Sm2Sm3, &old, &new)?;
/// assert!(proof.verify(Suite::Sm2Sm3, b"another", &new).is_err());
/// # Ok::<(), mic_consent::Denial>(())
/// ```
#[derive(Clone)]
pub struct MerkleLog {
    suite: Suite,
    empty: Hash,
    /// At level n the hashes of all complete subtrees of 2^n entries.
    levels: Vec<Vec<Hash>>,
}

impl MerkleLog {
    /// An empty log.
    ///
    /// # Errors
    /// The suite is not built in.
    pub fn new(suite: Suite) -> Result<Self, Denial> {
        let empty = suite.hash(&[]).ok_or(Reason::SuiteNotAccepted)?;
        Ok(Self {
            suite,
            empty,
            levels: vec![Vec::new()],
        })
    }

    /// Adds an entry and gives its index; that of a receipt is [`Signed::entry`](crate::Signed::entry).
    ///
    /// # Errors
    /// The log is full: 2^40 entries.
    pub fn append(&mut self, entry: &[u8]) -> Result<u64, Denial> {
        let index = self.len();
        if index >> LOG_HASHES_MAX != 0 {
            return Err(Reason::MemoryFull.into());
        }
        let mut hash = leaf(self.suite, entry)?;
        let mut level = 0;
        loop {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let Some(row) = self.levels.get_mut(level) else {
                return Ok(index);
            };
            row.push(hash);
            if row.len() % 2 != 0 {
                return Ok(index);
            }
            let Some([left, right]) = row.last_chunk::<2>() else {
                return Ok(index);
            };
            hash = node(self.suite, left, right)?;
            level += 1;
        }
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.levels.first().map_or(0, |row| row.len() as u64)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The suite whose hash it uses.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The root of all entries.
    #[must_use]
    pub fn root(&self) -> LogRoot {
        LogRoot::from_bytes(self.hash_of(0, self.len()))
    }

    /// The root when the log had `size` entries.
    ///
    /// # Errors
    /// It never had as many.
    pub fn root_at(&self, size: u64) -> Result<LogRoot, Denial> {
        if size > self.len() {
            return Err(Reason::NotInLog.into());
        }
        Ok(LogRoot::from_bytes(self.hash_of(0, size)))
    }

    /// The proof that the entry at `index` is among the first `size`.
    ///
    /// # Errors
    /// There is no such entry or size.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<InclusionProof, Denial> {
        if index >= size || size > self.len() {
            return Err(Reason::NotInLog.into());
        }
        let (mut start, mut width, mut path) = (0, size, Vec::new());
        while width > 1 {
            let left = split(width);
            if index - start < left {
                path.push(self.hash_of(start + left, width - left));
                width = left;
            } else {
                path.push(self.hash_of(start, left));
                start += left;
                width -= left;
            }
        }
        path.reverse();
        Ok(InclusionProof { size, index, path })
    }

    /// The proof that the first `older` entries are the beginning of the first `newer`.
    ///
    /// # Errors
    /// There are no such sizes, or the older is the larger.
    pub fn consistency(&self, older: u64, newer: u64) -> Result<ConsistencyProof, Denial> {
        if older > newer || newer > self.len() {
            return Err(Reason::NotInLog.into());
        }
        let mut path = Vec::new();
        let (mut start, mut width, mut whole) = (0, newer, true);
        while older > 0 && older - start != width {
            let left = split(width);
            if older - start <= left {
                path.push(self.hash_of(start + left, width - left));
                width = left;
            } else {
                path.push(self.hash_of(start, left));
                start += left;
                width -= left;
                whole = false;
            }
        }
        if !whole {
            path.push(self.hash_of(start, width));
        }
        path.reverse();
        Ok(ConsistencyProof { older, newer, path })
    }

    /// The hash of `width` entries from `start`, which is a multiple of the power of two that holds them.
    fn hash_of(&self, start: u64, width: u64) -> Hash {
        if width == 0 {
            return self.empty;
        }
        if width.is_power_of_two() {
            let level = width.ilog2();
            let row = usize::try_from(level)
                .ok()
                .and_then(|level| self.levels.get(level));
            let place = usize::try_from(start >> level).ok();
            return row
                .zip(place)
                .and_then(|(row, place)| row.get(place))
                .copied()
                .unwrap_or(self.empty);
        }
        let left = split(width);
        // At most forty deep, as sizes are.
        let (one, two) = (
            self.hash_of(start, left),
            self.hash_of(start + left, width - left),
        );
        node(self.suite, &one, &two).unwrap_or(self.empty)
    }
}

impl fmt::Debug for MerkleLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MerkleLog")
            .field("suite", &self.suite)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// The largest power of two below `width`, which is 2 or more.
const fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

pub(super) fn leaf(suite: Suite, entry: &[u8]) -> Result<Hash, Denial> {
    suite
        .hash(&[&[0], entry])
        .ok_or_else(|| Reason::SuiteNotAccepted.into())
}

pub(super) fn node(suite: Suite, left: &Hash, right: &Hash) -> Result<Hash, Denial> {
    suite
        .hash(&[&[1], left, right])
        .ok_or_else(|| Reason::SuiteNotAccepted.into())
}
