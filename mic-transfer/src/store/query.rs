//! What a store holds: complete studies, partial ones, instances.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{Store, unknown};
use crate::limits::CHUNK_BYTES;
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::storage::{FileId, Storage, StorageError};
use crate::tree::TreeBuilder;
use crate::{Digest, Manifest, SignedManifest, Uid};

/// A complete study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStudy {
    signed: SignedManifest,
    receipt: Option<(Receipt, Option<Signature>)>,
    countersignature: Option<Option<Signature>>,
}

impl StoredStudy {
    /// Its manifest with the source's signature.
    #[must_use]
    pub const fn signed(&self) -> &SignedManifest {
        &self.signed
    }

    /// The study root.
    #[must_use]
    pub fn root(&self) -> &Digest {
        self.signed.manifest().root()
    }

    /// The receipt issued for it.
    #[must_use]
    pub const fn receipt(&self) -> Option<&(Receipt, Option<Signature>)> {
        self.receipt.as_ref()
    }

    /// Whether the source has answered the receipt, and its signature if it gave one.
    #[must_use]
    pub const fn countersignature(&self) -> Option<&Option<Signature>> {
        self.countersignature.as_ref()
    }
}

/// A study on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialStudy {
    signed: SignedManifest,
    bytes_done: u64,
    instances_done: u32,
    receiving: bool,
}

impl PartialStudy {
    /// Its manifest with the source's signature.
    #[must_use]
    pub const fn signed(&self) -> &SignedManifest {
        &self.signed
    }

    /// Bytes verified and written.
    #[must_use]
    pub const fn bytes_done(&self) -> u64 {
        self.bytes_done
    }

    /// Instances that can be read.
    #[must_use]
    pub const fn instances_done(&self) -> u32 {
        self.instances_done
    }

    /// Whether it is being received now.
    #[must_use]
    pub const fn is_receiving(&self) -> bool {
        self.receiving
    }
}

/// Where a whole verified instance lies in the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstancePlace {
    path: String,
    offset: u64,
    length: u64,
    digest: Digest,
    root: Digest,
}

impl InstancePlace {
    /// The study whose pack it is.
    #[must_use]
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    /// The pack.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Bytes before the instance.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of the instance.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// BLAKE3 of the instance.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// What hashing a study again found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Verified {
    /// Instances whose bytes are right.
    pub right: u32,
    /// Places in the manifest of instances whose bytes are not.
    pub wrong: Vec<u32>,
    /// Bytes hashed.
    pub bytes: u64,
}

impl<S: Storage> Store<S> {
    /// The complete studies, by root.
    #[must_use]
    pub fn complete(&self) -> Vec<StoredStudy> {
        let entries = self.entries.values().filter(|entry| entry.is_listed());
        entries
            .map(|entry| StoredStudy {
                signed: entry.signed.clone(),
                receipt: entry.receipt.clone(),
                countersignature: entry.countersigned.clone(),
            })
            .collect()
    }

    /// The studies on their way, by root.
    #[must_use]
    pub fn partial(&self) -> Vec<PartialStudy> {
        let entries = self.entries.values().filter(|entry| !entry.is_listed());
        entries
            .map(|entry| {
                let manifest = entry.signed.manifest();
                let count = u32::try_from(manifest.instances().len()).unwrap_or(u32::MAX);
                let whole = (0..count).filter_map(|number| manifest.chunks_of(number));
                let whole = whole.filter(|run| entry.has_all(*run)).count();
                PartialStudy {
                    signed: entry.signed.clone(),
                    bytes_done: entry.bytes_of(&entry.have),
                    instances_done: u32::try_from(whole).unwrap_or(u32::MAX),
                    receiving: entry.files.is_some(),
                }
            })
            .collect()
    }

    /// The manifest of a study, complete or not.
    #[must_use]
    pub fn manifest(&self, root: &Digest) -> Option<&SignedManifest> {
        self.entries.get(root).map(|entry| &entry.signed)
    }

    /// The manifests known for a study, complete ones last and the latest receipt at the end: the state of the study may have changed
    /// at its source between two pulls.
    #[must_use]
    pub fn known(&self, study: &Uid) -> Vec<&SignedManifest> {
        let mut known: Vec<_> = self
            .entries
            .values()
            .filter(|entry| entry.signed.manifest().study() == study)
            .collect();
        known.sort_by_key(|entry| {
            (
                entry.complete,
                entry.receipt.as_ref().map(|(receipt, _)| receipt.at()),
            )
        });
        known.into_iter().map(|entry| &entry.signed).collect()
    }

    /// Where a whole verified instance lies, of a complete study if there is one.
    #[must_use]
    pub fn locate(&self, digest: &Digest) -> Option<InstancePlace> {
        let roots = self.instances.get(digest)?;
        let entries = roots.iter().filter_map(|root| self.entries.get(root));
        let entry = entries.max_by_key(|entry| entry.complete)?;
        let manifest = entry.signed.manifest();
        let number = manifest.position(digest)?;
        Some(InstancePlace {
            path: format!("{}/pack", entry.folder()),
            offset: manifest.offset_of(number)?,
            length: manifest.instances().get(number as usize)?.length(),
            digest: *digest,
            root: *manifest.root(),
        })
    }

    /// Reads an instance's bytes from `offset` on.
    ///
    /// # Errors
    /// [`StorageError`]: `NotFound` if no whole verified instance of this digest is here.
    pub fn read_instance(
        &mut self,
        digest: &Digest,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let place = self.locate(digest).ok_or_else(unknown)?;
        let end = offset.saturating_add(into.len() as u64);
        if end > place.length {
            return Err(super::damaged());
        }
        let file = self.storage.open(&place.path, false)?;
        let read = self
            .storage
            .read_at(file, place.offset.saturating_add(offset), into);
        self.storage.close(file);
        read
    }

    /// Hashes every instance of a complete study again. Those found damaged can no longer be read by
    /// their digest from this study, and are not copied into others: remove the study and pull it.
    ///
    /// # Errors
    /// [`StorageError`] if the study is not complete here or can't be opened.
    pub fn verify(&mut self, root: &Digest) -> Result<Verified, StorageError> {
        let entry = self
            .entries
            .get(root)
            .filter(|entry| entry.is_listed())
            .ok_or_else(unknown)?;
        let manifest = entry.signed.manifest().clone();
        let pack = self
            .storage
            .open(&format!("{}/pack", entry.folder()), false)?;
        let found = self.hash_pack(&manifest, pack);
        self.storage.close(pack);
        for number in &found.wrong {
            if let Some(instance) = manifest.instances().get(*number as usize) {
                self.distrust(instance.digest(), root);
            }
        }
        Ok(found)
    }

    /// Hashes every instance of a pack.
    pub(super) fn hash_pack(&mut self, manifest: &Manifest, pack: FileId) -> Verified {
        let mut found = Verified::default();
        let mut buffer = vec![0; CHUNK_BYTES];
        for (number, instance) in (0_u32..).zip(manifest.instances()) {
            let mut tree = TreeBuilder::new();
            let start = manifest.offset_of(number).unwrap_or(u64::MAX);
            while tree.bytes() < instance.length() {
                let left = instance.length() - tree.bytes();
                let take = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(buffer.len());
                let Some(bytes) = buffer.get_mut(..take) else {
                    break;
                };
                let at = start.saturating_add(tree.bytes());
                if self.storage.read_at(pack, at, bytes).is_err() {
                    break;
                }
                tree.update(bytes);
            }
            found.bytes = found.bytes.saturating_add(tree.bytes());
            if tree.finish().0 == *instance.digest() {
                found.right += 1;
            } else {
                found.wrong.push(number);
            }
        }
        found
    }
}
