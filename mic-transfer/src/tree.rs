//! The digest tree of an instance: leaves of 256 KiB under the plain BLAKE3 of the file.
//!
//! A leaf is the BLAKE3 chaining value of its chunk, so that the leaves merge into the very hash
//! that `b3sum` prints. An instance of one chunk has no leaf list: its hash checks the chunk.

use alloc::vec::Vec;

use blake3::Hasher;
use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

use crate::Digest;
use crate::limits::{CHUNK_BYTES, INSTANCE_BYTES_MAX};

/// Chunks of an instance of `bytes` bytes.
#[must_use]
pub const fn chunk_count(bytes: u64) -> u64 {
    bytes.div_ceil(CHUNK_BYTES as u64)
}

/// The leaves of one instance, proven to merge into its digest (XFR-12).
///
/// ```
/// use mic_transfer::{Digest, limits::CHUNK_BYTES, tree::TreeBuilder};
/// let file = vec![7_u8; CHUNK_BYTES + 1];
/// let mut tree = TreeBuilder::new();
/// tree.update(&file);
/// let (digest, leaves) = tree.finish();
/// assert_eq!(digest, Digest::of(&file));
/// assert!(leaves.verifies(1, &file[CHUNK_BYTES..]));
/// assert!(!leaves.verifies(1, b"x"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaves {
    digest: Digest,
    values: Vec<[u8; 32]>,
}

impl Leaves {
    /// Checks a list that came from elsewhere against the digest and length of its instance.
    ///
    /// # Errors
    /// [`LeavesError`] if the count does not fit the length or the values do not merge into the
    /// digest.
    pub fn check(digest: Digest, bytes: u64, values: Vec<[u8; 32]>) -> Result<Self, LeavesError> {
        let expected = leaf_count(bytes);
        if values.len() as u64 != expected {
            return Err(LeavesError::Count {
                expected,
                found: values.len() as u64,
            });
        }
        if !values.is_empty() && merge_root(&values) != digest {
            return Err(LeavesError::Mismatch);
        }
        Ok(Self { digest, values })
    }

    /// Whether `bytes` are the chunk `index` of the instance.
    #[must_use]
    pub fn verifies(&self, index: u32, bytes: &[u8]) -> bool {
        if bytes.is_empty() || bytes.len() > CHUNK_BYTES {
            return false;
        }
        if self.values.is_empty() {
            return index == 0 && Digest::of(bytes) == self.digest;
        }
        self.values
            .get(index as usize)
            .is_some_and(|leaf| *leaf == leaf_of(index, bytes))
    }

    /// The values in file order; none for an instance of one chunk.
    #[must_use]
    pub fn values(&self) -> &[[u8; 32]] {
        &self.values
    }

    /// The digest of the instance.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The list of an instance of one chunk, where the digest is the check.
    pub(crate) const fn single(digest: Digest) -> Self {
        Self {
            digest,
            values: Vec::new(),
        }
    }
}

type Leaf = [u8; 32];

/// Leaves of an instance of `bytes` bytes: none where one chunk holds it all.
pub(crate) const fn leaf_count(bytes: u64) -> u64 {
    let chunks = chunk_count(bytes);
    if chunks <= 1 { 0 } else { chunks }
}

fn leaf_of(index: u32, bytes: &[u8]) -> [u8; 32] {
    let mut hasher = Hasher::new();
    let _ = hasher.set_input_offset(u64::from(index) * CHUNK_BYTES as u64);
    hasher.update(bytes).finalize_non_root()
}

/// The root over at least two leaves: the left subtree is the largest power of two below the count.
fn merge_root(values: &[[u8; 32]]) -> Digest {
    match halves(values) {
        Some((left, right)) => {
            let root = merge_subtrees_root(&merge(left), &merge(right), Mode::Hash);
            Digest::from_bytes(*root.as_bytes())
        }
        None => Digest::from_bytes([0; 32]),
    }
}

fn merge(values: &[[u8; 32]]) -> [u8; 32] {
    match (halves(values), values) {
        (Some((left, right)), _) => {
            merge_subtrees_non_root(&merge(left), &merge(right), Mode::Hash)
        }
        (None, [leaf, ..]) => *leaf,
        (None, []) => [0; 32],
    }
}

fn halves(values: &[Leaf]) -> Option<(&[Leaf], &[Leaf])> {
    if values.len() < 2 {
        return None;
    }
    values.split_at_checked(values.len().next_power_of_two() / 2)
}

/// Why a leaf list is not that of its instance.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeavesError {
    /// The length asks for another count.
    #[error("expected {expected} leaves, found {found}")]
    Count {
        /// Leaves the length asks for.
        expected: u64,
        /// Leaves found.
        found: u64,
    },
    /// The leaves merge into another digest.
    #[error("expected leaves that merge into the instance's digest")]
    Mismatch,
}

/// Hashes an instance as its bytes come and keeps its leaves.
///
/// Memory is one chunk's hash state and 32 bytes a chunk.
#[derive(Debug, Clone)]
pub struct TreeBuilder {
    leaf: Hasher,
    filled: usize,
    values: Vec<[u8; 32]>,
    bytes: u64,
}

impl Default for TreeBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TreeBuilder {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            leaf: Hasher::new(),
            filled: 0,
            values: Vec::new(),
            bytes: 0,
        }
    }

    /// Takes the next bytes of the file, in any portions.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == CHUNK_BYTES {
                self.close_leaf();
            }
            let take = bytes.len().min(CHUNK_BYTES - self.filled);
            let (now, rest) = bytes.split_at_checked(take).unwrap_or((bytes, &[]));
            self.leaf.update(now);
            self.filled += now.len();
            self.bytes = self.bytes.saturating_add(now.len() as u64);
            bytes = rest;
        }
    }

    /// The digest of all bytes and their leaves.
    #[must_use]
    pub fn finish(mut self) -> (Digest, Leaves) {
        if self.values.is_empty() {
            let digest = Digest::from_bytes(*self.leaf.finalize().as_bytes());
            return (digest, Leaves::single(digest));
        }
        self.values.push(self.leaf.finalize_non_root());
        let digest = merge_root(&self.values);
        (
            digest,
            Leaves {
                digest,
                values: self.values,
            },
        )
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the file is already longer than an instance may be.
    #[must_use]
    pub const fn is_too_long(&self) -> bool {
        self.bytes > INSTANCE_BYTES_MAX
    }

    fn close_leaf(&mut self) {
        self.values.push(self.leaf.finalize_non_root());
        self.leaf = Hasher::new();
        let _ = self
            .leaf
            .set_input_offset(self.values.len() as u64 * CHUNK_BYTES as u64);
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 31 % 251) as u8).collect()
    }

    /// XFR-8, XFR-9: the digest is what any BLAKE3 gives, and leaves are subtrees of it.
    #[test]
    fn ok_leaves_merge_into_the_plain_hash_at_every_edge() {
        for len in [
            1,
            1024,
            CHUNK_BYTES - 1,
            CHUNK_BYTES,
            CHUNK_BYTES + 1,
            2 * CHUNK_BYTES,
            3 * CHUNK_BYTES,
            5 * CHUNK_BYTES + 7,
            8 * CHUNK_BYTES,
        ] {
            let file = bytes(len);
            let mut tree = TreeBuilder::new();
            file.chunks(100_003).for_each(|part| tree.update(part));
            let (digest, leaves) = tree.finish();
            assert_eq!(digest.as_bytes(), blake3::hash(&file).as_bytes(), "{len}");
            assert_eq!(leaves.values().len() as u64, leaf_count(len as u64));
            let checked = Leaves::check(digest, len as u64, leaves.values().to_vec()).unwrap();
            for (index, chunk) in file.chunks(CHUNK_BYTES).enumerate() {
                assert!(checked.verifies(index as u32, chunk));
                assert!(!checked.verifies(index as u32 + 1, chunk));
            }
        }
    }

    #[test]
    fn err_a_changed_leaf_and_a_wrong_count_are_refused() {
        let file = bytes(3 * CHUNK_BYTES);
        let mut tree = TreeBuilder::new();
        tree.update(&file);
        let (digest, leaves) = tree.finish();
        let mut values = leaves.values().to_vec();
        values[1][0] ^= 1;
        assert_eq!(
            Leaves::check(digest, file.len() as u64, values),
            Err(LeavesError::Mismatch)
        );
        assert_eq!(
            Leaves::check(digest, file.len() as u64, leaves.values()[1..].to_vec()),
            Err(LeavesError::Count {
                expected: 3,
                found: 2
            })
        );
    }
}
