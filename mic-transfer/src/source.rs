//! What a source reads from: manifests by study, bytes by instance.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crate::limits::CHUNK_BYTES;
use crate::tree::{Leaves, TreeBuilder};
use crate::wire::{Codec, Codecs};
use crate::{Digest, Manifest, SignedManifest, Uid};

/// Studies that can be given out.
///
/// Implemented by `adapter::files::FileSource` for files anywhere and by `adapter::disk::DiskStore`
/// for what was received; a few lines connect any archive.
pub trait Source {
    /// The study as it is now, or `None` where it is not known.
    fn manifest(&self, study: &Uid) -> Option<SignedManifest>;

    /// The study whose root this is, where it is known: what the addresses of `adapter::http` name.
    fn manifest_of(&self, root: &Digest) -> Option<SignedManifest> {
        let _ = root;
        None
    }

    /// Fills `into` with the instance's bytes from `offset` on.
    ///
    /// # Errors
    /// [`Unreadable`] if the bytes can't be read; the study then ends at the receiver with the
    /// source's fault, to be resumed.
    fn read(
        &self,
        manifest: &Manifest,
        instance: u32,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), Unreadable>;

    /// The leaves of an instance. The given way hashes the whole of it; a source that keeps leaves
    /// answers at once.
    ///
    /// # Errors
    /// [`Unreadable`] if the bytes can't be read or are no longer those of the manifest.
    fn leaves(&self, manifest: &Manifest, instance: u32) -> Result<Leaves, Unreadable> {
        let listed = manifest
            .instances()
            .get(instance as usize)
            .ok_or(Unreadable)?;
        let mut tree = TreeBuilder::new();
        let mut buffer = vec![0; CHUNK_BYTES];
        while tree.bytes() < listed.length() {
            let left = usize::try_from(listed.length() - tree.bytes()).unwrap_or(usize::MAX);
            let bytes = buffer.get_mut(..left.min(CHUNK_BYTES)).ok_or(Unreadable)?;
            self.read(manifest, instance, tree.bytes(), bytes)?;
            tree.update(bytes);
        }
        let (digest, leaves) = tree.finish();
        if digest == *listed.digest() {
            Ok(leaves)
        } else {
            Err(Unreadable)
        }
    }

    /// The coded form of a chunk that the source keeps, in one of the codecs `accepted`, into `out`; the
    /// given way keeps none. Bytes that are not shorter than the chunk must not be given.
    fn coded(
        &self,
        manifest: &Manifest,
        instance: u32,
        offset: u64,
        accepted: Codecs,
        out: &mut Vec<u8>,
    ) -> Option<Codec> {
        let _ = (manifest, instance, offset, accepted, out);
        None
    }

    /// Where the samples of an instance lie, if the source knows; chunks are coded better with it.
    #[cfg(feature = "coding")]
    #[cfg_attr(docsrs, doc(cfg(feature = "coding")))]
    fn hint(&self, manifest: &Manifest, instance: u32) -> Option<crate::coding::PixelHint> {
        let _ = (manifest, instance);
        None
    }
}

macro_rules! source_behind {
    ($($pointer:ty),*) => {$(
        impl<S: Source + ?Sized> Source for $pointer {
            fn manifest(&self, study: &Uid) -> Option<SignedManifest> {
                (**self).manifest(study)
            }

            fn manifest_of(&self, root: &Digest) -> Option<SignedManifest> {
                (**self).manifest_of(root)
            }

            fn read(
                &self,
                manifest: &Manifest,
                instance: u32,
                offset: u64,
                into: &mut [u8],
            ) -> Result<(), Unreadable> {
                (**self).read(manifest, instance, offset, into)
            }

            fn leaves(&self, manifest: &Manifest, instance: u32) -> Result<Leaves, Unreadable> {
                (**self).leaves(manifest, instance)
            }

            fn coded(
                &self,
                manifest: &Manifest,
                instance: u32,
                offset: u64,
                accepted: Codecs,
                out: &mut Vec<u8>,
            ) -> Option<Codec> {
                (**self).coded(manifest, instance, offset, accepted, out)
            }

            #[cfg(feature = "coding")]
            fn hint(&self, manifest: &Manifest, instance: u32) -> Option<crate::coding::PixelHint> {
                (**self).hint(manifest, instance)
            }
        }
    )*};
}

source_behind!(&S, Arc<S>);

/// The source's bytes can't be read, or are no longer those of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source cannot read the instance, or it has changed")]
#[expect(
    clippy::exhaustive_structs,
    reason = "a unit error: the source's own log says why"
)]
pub struct Unreadable;
