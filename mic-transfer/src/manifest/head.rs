//! The head of a manifest: enough to judge its signature and to show the first images.

use alloc::vec::Vec;

use nom::Parser;
use nom::bytes::complete::{tag, take};
use nom::multi::count;
use nom::number::complete::{le_u8, le_u16, le_u32, le_u64};

use super::SignatureRefused;
use super::codec::{MAGIC, ManifestFault, ManifestFaultKind, put_uid, root_of};
use super::signed::message;
use crate::limits::{FIRST_IMAGES_MAX, INSTANCES_MAX, MANIFEST_BYTES_MAX};
use crate::sign::Signature;
use crate::{Digest, Uid};

/// An image to open with: the middle one of a series as shown, or a key image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstImage {
    instance: u32,
    chunk: u32,
    length: u64,
    digest: Digest,
}

impl FirstImage {
    pub(super) const fn new(instance: u32, chunk: u32, length: u64, digest: Digest) -> Self {
        Self {
            instance,
            chunk,
            length,
            digest,
        }
    }

    /// Its place in the manifest.
    #[must_use]
    pub const fn instance(&self) -> u32 {
        self.instance
    }

    /// The number of its first chunk in the study.
    #[must_use]
    pub const fn chunk(&self) -> u32 {
        self.chunk
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// BLAKE3 of the file.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// The head of a manifest: its hash is the study root, it holds the digest of the rest, and so it can
/// be judged before the rest has come (XFR-15).
///
/// ```
/// # use mic_transfer::{Digest, Instance, ManifestBuilder, ManifestHead, Uid};
/// # let uid = |t| Uid::new(t).unwrap();
/// # let mut builder = ManifestBuilder::new(uid("1.2"));
/// # builder.push(Instance::new(uid("1.3"), uid("1.4"), uid("1.5"), uid("1.6"), 4, Digest::of(b"file"))?)?;
/// let manifest = builder.build()?;
/// let head = ManifestHead::decode(manifest.encoded_head())?;
/// assert_eq!(head.root(), manifest.root());
/// assert_eq!(head.first()[0].digest(), &Digest::of(b"file"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestHead {
    study: Uid,
    instances: u32,
    bytes_total: u64,
    first: Vec<FirstImage>,
    body_bytes: u32,
    body: Digest,
    root: Digest,
}

impl ManifestHead {
    pub(super) fn of(
        study: Uid,
        instances: u32,
        bytes_total: u64,
        first: Vec<FirstImage>,
        body: &[u8],
    ) -> Self {
        let mut head = Self {
            study,
            instances,
            bytes_total,
            first,
            body_bytes: u32::try_from(body.len()).unwrap_or(u32::MAX),
            body: Digest::of(body),
            root: Digest::from_bytes([0; 32]),
        };
        head.root = root_of(&head.encode());
        head
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.first.len() * 48);
        out.extend_from_slice(MAGIC);
        put_uid(&mut out, &self.study);
        out.extend_from_slice(&self.instances.to_le_bytes());
        out.extend_from_slice(&self.bytes_total.to_le_bytes());
        out.extend_from_slice(&self.body_bytes.to_le_bytes());
        out.extend_from_slice(self.body.as_bytes());
        let count = u16::try_from(self.first.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&count.to_le_bytes());
        for image in &self.first {
            out.extend_from_slice(&image.instance.to_le_bytes());
            out.extend_from_slice(&image.chunk.to_le_bytes());
            out.extend_from_slice(&image.length.to_le_bytes());
            out.extend_from_slice(image.digest.as_bytes());
        }
        out
    }

    /// Reads the bytes of a head, all of them.
    ///
    /// # Errors
    /// [`ManifestFault`] with the offset and what was expected there. Whether the first images are
    /// those of the instances is known when the manifest is whole.
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestFault> {
        let (head, used) = Self::read(bytes)?;
        if used == bytes.len() {
            Ok(head)
        } else {
            Err(ManifestFault::new(used, ManifestFaultKind::Trailing))
        }
    }

    /// The head at the front of `bytes`, and how many of them it takes.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, usize), ManifestFault> {
        type Fail<'a> = nom::error::Error<&'a [u8]>;
        let at = |rest: &[u8]| bytes.len().saturating_sub(rest.len());
        let fault = |rest: &[u8], kind| ManifestFault::new(at(rest), kind);
        let cut = |rest| fault(rest, ManifestFaultKind::Cut);
        let (rest, _) = tag::<_, _, Fail<'_>>(MAGIC)
            .parse(bytes)
            .map_err(|_| fault(bytes, ManifestFaultKind::Magic))?;
        let (after, text) = nom::multi::length_data(le_u8::<_, Fail<'_>>)
            .parse(rest)
            .map_err(|_| cut(rest))?;
        let study = super::codec::uid_of(text).map_err(|kind| fault(rest, kind))?;
        let totals_at = after;
        let (rest, (instances, bytes_total, body_bytes, body, images)) =
            (le_u32, le_u64, le_u32, take(32_usize), le_u16)
                .parse(after)
                .map_err(|_: nom::Err<Fail<'_>>| cut(after))?;
        if instances == 0 || instances as usize > INSTANCES_MAX {
            let kind = ManifestFaultKind::InstanceCount { found: instances };
            return Err(fault(totals_at, kind));
        }
        if body_bytes as usize > MANIFEST_BYTES_MAX {
            return Err(fault(totals_at, ManifestFaultKind::TooLong));
        }
        if usize::from(images) > FIRST_IMAGES_MAX {
            return Err(fault(rest, ManifestFaultKind::First));
        }
        let image = (le_u32, le_u32, le_u64, take(32_usize));
        let (end, list) = count(image, usize::from(images))
            .parse(rest)
            .map_err(|_: nom::Err<Fail<'_>>| cut(rest))?;
        let mut first: Vec<FirstImage> = Vec::with_capacity(list.len());
        for (instance, chunk, length, digest) in list {
            let rises = first
                .last()
                .is_none_or(|last| last.instance < instance && last.end() <= u64::from(chunk));
            let image = FirstImage::new(instance, chunk, length, digest_of(digest));
            let fits = instance < instances
                && (1..=crate::limits::INSTANCE_BYTES_MAX).contains(&length)
                && image.end() <= u64::from(u32::MAX);
            if !rises || !fits {
                return Err(fault(rest, ManifestFaultKind::First));
            }
            first.push(image);
        }
        let used = at(end);
        let head = Self {
            study,
            instances,
            bytes_total,
            first,
            body_bytes,
            body: digest_of(body),
            root: root_of(bytes.get(..used).unwrap_or(&[])),
        };
        Ok((head, used))
    }

    /// Study Instance UID (0020,000D).
    #[must_use]
    pub const fn study(&self) -> &Uid {
        &self.study
    }

    /// Instances of the study.
    #[must_use]
    pub const fn instances(&self) -> u32 {
        self.instances
    }

    /// Bytes of all instances.
    #[must_use]
    pub const fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    /// The images to open with, in transfer order.
    #[must_use]
    pub fn first(&self) -> &[FirstImage] {
        &self.first
    }

    /// The study root.
    #[must_use]
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    /// Bytes of the manifest behind the head.
    #[must_use]
    pub const fn body_bytes(&self) -> u32 {
        self.body_bytes
    }

    pub(super) const fn body(&self) -> &Digest {
        &self.body
    }

    /// The first images that come before they are asked for, within a credit of bytes: both sides
    /// count alike (XFR-64).
    pub(crate) fn early(&self, credit: u32) -> impl Iterator<Item = &FirstImage> {
        let mut left = u64::from(credit);
        self.first
            .iter()
            .filter(move |image| match left.checked_sub(image.length) {
                Some(rest) => {
                    left = rest;
                    true
                }
                None => false,
            })
    }

    /// The first image that this chunk is of.
    pub(crate) fn image_of(&self, chunk: u32) -> Option<&FirstImage> {
        self.first
            .iter()
            .find(|image| image.chunk <= chunk && u64::from(chunk) < image.end())
    }
}

impl FirstImage {
    /// One past its last chunk.
    pub(crate) const fn end(&self) -> u64 {
        (self.chunk as u64).saturating_add(crate::tree::chunk_count(self.length))
    }

    /// Bytes of one of its chunks.
    pub(crate) fn length_of(&self, chunk: u32) -> u32 {
        let before = u64::from(chunk.saturating_sub(self.chunk))
            .saturating_mul(crate::limits::CHUNK_BYTES as u64);
        let left = self.length.saturating_sub(before);
        u32::try_from(left.min(crate::limits::CHUNK_BYTES as u64)).unwrap_or(0)
    }
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(bytes.try_into().unwrap_or([0; 32]))
}

/// The head of a manifest with the source's signature over the root, where there is one.
///
/// Holding one says nothing about the signature being right: call [`SignedHead::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    head: ManifestHead,
    signature: Option<Signature>,
}

impl SignedHead {
    /// Takes a head with a signature from elsewhere, or with none.
    #[must_use]
    pub const fn new(head: ManifestHead, signature: Option<Signature>) -> Self {
        Self { head, signature }
    }

    /// Asks the caller's verifier about the signature, which is that of the whole manifest.
    ///
    /// # Errors
    /// [`SignatureRefused`]: there is none, or the verifier says no.
    pub fn check(
        &self,
        verify: impl FnOnce(&[u8], &Signature) -> bool,
    ) -> Result<(), SignatureRefused> {
        let signature = self.signature.as_ref().ok_or(SignatureRefused::Missing)?;
        if verify(&message(self.head.root()), signature) {
            Ok(())
        } else {
            Err(SignatureRefused::Wrong)
        }
    }

    /// The head.
    #[must_use]
    pub const fn head(&self) -> &ManifestHead {
        &self.head
    }

    /// The signature as it came, unchecked.
    #[must_use]
    pub const fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }
}
