//! SM3 digests of instances, where the source gives them: computed as chunks come in order, the rest
//! when the study is committed.

use alloc::collections::BTreeSet;

use crate::Instance;

#[cfg(feature = "sm3")]
type Hasher = sm3::Sm3;

/// What was hashed of each instance, and which were right.
#[derive(Debug, Default)]
pub(super) struct Sm3Check {
    #[cfg(feature = "sm3")]
    open: alloc::collections::BTreeMap<u32, (u32, Hasher)>,
    right: BTreeSet<u32>,
}

/// The bytes fit the BLAKE3 digest and not the SM3 digest: the manifest contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contradiction;

impl Sm3Check {
    /// Whether the SM3 digest of the instance is known to be right.
    pub(super) fn is_right(&self, number: u32) -> bool {
        self.right.contains(&number)
    }

    /// Chunks of the instance hashed so far.
    #[cfg(feature = "sm3")]
    pub(super) fn next(&self, number: u32) -> u32 {
        self.open.get(&number).map_or(0, |(next, _)| *next)
    }

    /// Takes a chunk if it is the next one of its instance; one out of order is read again later.
    #[cfg(feature = "sm3")]
    pub(super) fn take(
        &mut self,
        number: u32,
        instance: &Instance,
        index: u32,
        bytes: &[u8],
    ) -> Result<(), Contradiction> {
        use sm3::Digest as _;

        let Some(listed) = instance.sm3().filter(|_| !self.is_right(number)) else {
            return Ok(());
        };
        let (next, hasher) = self.open.entry(number).or_default();
        if *next != index {
            return Ok(());
        }
        hasher.update(bytes);
        *next = next.saturating_add(1);
        if *next < instance.chunks() {
            return Ok(());
        }
        let found = self
            .open
            .remove(&number)
            .map(|(_, hasher)| hasher.finalize());
        if found.is_some_and(|found| found.as_slice() == listed.as_bytes()) {
            self.right.insert(number);
            Ok(())
        } else {
            Err(Contradiction)
        }
    }

    #[cfg(not(feature = "sm3"))]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::needless_pass_by_ref_mut,
        clippy::unused_self,
        reason = "without the feature nothing is computed"
    )]
    pub(super) fn take(
        &mut self,
        _: u32,
        _: &Instance,
        _: u32,
        _: &[u8],
    ) -> Result<(), Contradiction> {
        Ok(())
    }
}
