//! A manifest and its signature slot.

use alloc::vec::Vec;

use super::Manifest;
use crate::Digest;
use crate::sign::{SignFailed, Signature, Signer};

/// A manifest with the source's signature over its root, where there is one.
///
/// Holding one says nothing about the signature being right: call [`SignedManifest::check`].
///
/// ```
/// use mic_transfer::{Digest, Instance, ManifestBuilder, Signature, SignedManifest, Uid};
/// # let uid = |t| Uid::new(t).unwrap();
/// # let mut builder = ManifestBuilder::new(uid("1.2"));
/// # builder.push(Instance::new(uid("1.3"), uid("1.4"), uid("1.5"), uid("1.6"), 4, Digest::of(b"file"))?)?;
/// let manifest = builder.build()?;
/// // A keyed hash stands for the archive's signature here.
/// let mac = |message: &[u8]| blake3::keyed_hash(&[7; 32], message).as_bytes().to_vec();
/// let signed = SignedManifest::sign(manifest, &|message: &[u8]| {
///     Ok(Signature::new("test-mac", b"archive".to_vec(), mac(message)).unwrap())
/// })?;
/// signed.check(|message, signature| signature.bytes() == mac(message))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedManifest {
    manifest: Manifest,
    signature: Option<Signature>,
}

/// What the signed message opens with (XFR-11).
const MESSAGE_PREFIX: &[u8] = b"mic-transfer manifest signature v1\0";

impl SignedManifest {
    /// Signs the root.
    ///
    /// # Errors
    /// [`SignFailed`] as the signer gave it.
    pub fn sign(manifest: Manifest, signer: &impl Signer) -> Result<Self, SignFailed> {
        let signature = signer.sign(&message(manifest.root()))?;
        Ok(Self {
            manifest,
            signature: Some(signature),
        })
    }

    /// Takes a manifest with a signature from elsewhere, or with none.
    #[must_use]
    pub const fn new(manifest: Manifest, signature: Option<Signature>) -> Self {
        Self {
            manifest,
            signature,
        }
    }

    /// Asks the caller's verifier about the signature.
    ///
    /// # Errors
    /// [`SignatureRefused`]: there is none, or the verifier says no.
    pub fn check(
        &self,
        verify: impl FnOnce(&[u8], &Signature) -> bool,
    ) -> Result<(), SignatureRefused> {
        let signature = self.signature.as_ref().ok_or(SignatureRefused::Missing)?;
        if verify(&message(self.manifest.root()), signature) {
            Ok(())
        } else {
            Err(SignatureRefused::Wrong)
        }
    }

    /// The manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The signature as it came, unchecked.
    #[must_use]
    pub const fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }
}

/// What a signature covers.
pub(super) fn message(root: &Digest) -> Vec<u8> {
    [MESSAGE_PREFIX, root.as_bytes()].concat()
}

/// Why a manifest is not taken for the source's word.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefused {
    /// No signature.
    #[error("expected a signed manifest, found no signature")]
    Missing,
    /// The verifier says no.
    #[error("expected a signature over the manifest's root by a trusted key, found another")]
    Wrong,
}
