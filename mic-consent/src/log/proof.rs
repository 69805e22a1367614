//! Proofs about a log and their bytes, which are those of RFC 9942: sizes, index and path in one array.

use alloc::vec::Vec;

use super::{
    LogRoot,
    merkle::{Hash, leaf, node},
};
use crate::{
    cbor::{
        read::{self, Reader},
        write::Writer,
    },
    denial::{Denial, Reason, Step},
    limits::LOG_HASHES_MAX,
    suite::Suite,
};

/// That an entry is in a log: at most one hash for each level of the tree, 20 in a log of a million.
///
/// ```
/// use mic_consent::InclusionProof;
/// assert!(InclusionProof::from_bytes(&[0x83, 1, 0, 0x80]).is_ok()); // the one entry of a log of one
/// assert!(InclusionProof::from_bytes(&[0x83, 1, 1, 0x80]).is_err()); // there is no second
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    pub(super) size: u64,
    pub(super) index: u64,
    pub(super) path: Vec<Hash>,
}

/// That a log only grew from one size to another.
///
/// ```
/// use mic_consent::ConsistencyProof;
/// assert!(ConsistencyProof::from_bytes(&[0x83, 3, 2, 0x80]).is_err()); // it cannot shrink
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    pub(super) older: u64,
    pub(super) newer: u64,
    pub(super) path: Vec<Hash>,
}

impl InclusionProof {
    /// The size of the log it is about.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The place of the entry.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes it has.
    #[must_use]
    pub fn hashes(&self) -> usize {
        self.path.len()
    }

    /// Checks that `entry` is in the log with this root and this size (CST-125; RFC 9162 section 2.1.3.2).
    ///
    /// # Errors
    /// It is not, or the proof is of another shape than index and size ask for.
    pub fn verify(&self, suite: Suite, entry: &[u8], root: &LogRoot) -> Result<(), Denial> {
        let (mut place, mut last) = (self.index, self.size.saturating_sub(1));
        let mut hash = leaf(suite, entry)?;
        for beside in &self.path {
            if last == 0 {
                return Err(Reason::LogProofShape.into());
            }
            if place & 1 == 1 || place == last {
                hash = node(suite, beside, &hash)?;
                while place & 1 == 0 && place != 0 {
                    place >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node(suite, &hash, beside)?;
            }
            place >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(Reason::LogProofShape.into());
        }
        if hash != *root.as_bytes() {
            return Err(Reason::NotInLog.into());
        }
        Ok(())
    }

    /// The bytes: `[size, index, [hashes]]`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write(self.size, self.index, &self.path)
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// Another form, more than 40 hashes, or an index beyond the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Denial> {
        let (size, index, path) = read(bytes, LOG_HASHES_MAX)?;
        if index >= size {
            return Err(Reason::LogProofShape.into());
        }
        Ok(Self { size, index, path })
    }
}

impl ConsistencyProof {
    /// The older size.
    #[must_use]
    pub const fn older(&self) -> u64 {
        self.older
    }

    /// The newer size.
    #[must_use]
    pub const fn newer(&self) -> u64 {
        self.newer
    }

    /// How many hashes it has.
    #[must_use]
    pub fn hashes(&self) -> usize {
        self.path.len()
    }

    /// Checks that the log with the one root is the beginning of the log with the other (CST-126; RFC 9162
    /// section 2.1.4.2).
    ///
    /// # Errors
    /// It is not, or the proof is of another shape than the sizes ask for.
    pub fn verify(&self, suite: Suite, older: &LogRoot, newer: &LogRoot) -> Result<(), Denial> {
        if self.older == self.newer || self.older == 0 {
            if !self.path.is_empty() {
                return Err(Reason::LogProofShape.into());
            }
            let empty = || {
                suite
                    .hash(&[])
                    .is_some_and(|hash| hash == *older.as_bytes())
            };
            let same = if self.older == 0 {
                empty()
            } else {
                older == newer
            };
            return match same && (self.older != self.newer || older == newer) {
                true => Ok(()),
                false => Err(Reason::LogRewritten.into()),
            };
        }
        let mut path = self.path.iter();
        let first = if self.older.is_power_of_two() {
            older.as_bytes()
        } else {
            path.next().ok_or(Reason::LogProofShape)?
        };
        let (mut place, mut last) = (self.older - 1, self.newer - 1);
        while place & 1 == 1 {
            place >>= 1;
            last >>= 1;
        }
        let (mut old, mut new) = (*first, *first);
        for beside in path {
            if last == 0 {
                return Err(Reason::LogProofShape.into());
            }
            if place & 1 == 1 || place == last {
                old = node(suite, beside, &old)?;
                new = node(suite, beside, &new)?;
                while place & 1 == 0 && place != 0 {
                    place >>= 1;
                    last >>= 1;
                }
            } else {
                new = node(suite, &new, beside)?;
            }
            place >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(Reason::LogProofShape.into());
        }
        if old != *older.as_bytes() || new != *newer.as_bytes() {
            return Err(Reason::LogRewritten.into());
        }
        Ok(())
    }

    /// The bytes: `[older, newer, [hashes]]`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write(self.older, self.newer, &self.path)
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// Another form, more than 80 hashes, or a log that shrinks.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Denial> {
        let (older, newer, path) = read(bytes, 2 * LOG_HASHES_MAX)?;
        if older > newer {
            return Err(Reason::LogProofShape.into());
        }
        Ok(Self { older, newer, path })
    }
}

fn write(one: u64, two: u64, path: &[Hash]) -> Vec<u8> {
    let mut out = Writer::new();
    out.array(3).uint(one).uint(two).array(path.len());
    for hash in path {
        out.bytes(hash);
    }
    out.into_bytes()
}

fn read(bytes: &[u8], hashes: usize) -> Result<(u64, u64, Vec<Hash>), Denial> {
    let mut reader = Reader::new(bytes, 0, Step::Log);
    reader.take(read::array(3, 3))?;
    let size = |number: u64| {
        if number <= 1 << LOG_HASHES_MAX {
            Ok(number)
        } else {
            Err(Reason::TooMany)
        }
    };
    let one = reader.take_as(read::uint, size)?;
    let two = reader.take_as(read::uint, size)?;
    let count = reader.take(read::array(0, hashes))?;
    let path = (0..count)
        .map(|_| reader.take(read::array_of))
        .collect::<Result<_, _>>()?;
    reader.end()?;
    Ok((one, two, path))
}
