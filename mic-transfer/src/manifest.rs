//! The manifest of a study: what there is, in transfer order, and the root that names it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

mod codec;
#[cfg(feature = "serde")]
mod exchange;
mod head;
mod pieces;
mod signed;

pub use codec::{ManifestFault, ManifestFaultKind};
pub use head::{FirstImage, ManifestHead, SignedHead};
pub use pieces::{PieceHasher, Pieces, PiecesError};
pub use signed::{SignatureRefused, SignedManifest};

use crate::limits::{
    INSTANCE_BYTES_MAX, INSTANCES_MAX, LABELS_MAX, MANIFEST_BYTES_MAX, STUDY_PIECES_MAX,
};
use crate::tree::chunk_count;
use crate::{Digest, Run, Sm3Digest, Uid};

/// Where the value of PixelData (7FE0,0010) lies in the file.
///
/// ```
/// use mic_transfer::PixelRange;
/// assert_eq!(PixelRange::new(1024, 524_288).unwrap().end(), 525_312);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelRange {
    offset: u64,
    length: u64,
}

impl PixelRange {
    /// The range, unless it is empty or passes 2^64.
    #[must_use]
    pub const fn new(offset: u64, length: u64) -> Option<Self> {
        match offset.checked_add(length) {
            Some(_) if length > 0 => Some(Self { offset, length }),
            _ => None,
        }
    }

    /// Bytes from the start of the file.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of the value.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// One past the last byte.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

/// One instance: exact bytes of a file, and the labels a receiver needs before it has them.
///
/// The identity is the digest. Two instances of one SOP Instance UID with other bytes (other
/// encodings) are both carried.
///
/// ```
/// use mic_transfer::{Digest, Instance, Uid};
/// let instance = Instance::new(
///     Uid::new("1.2.840.10008.5.1.4.1.1.2")?, Uid::new("1.2.3.4")?, Uid::new("1.2.3")?,
///     Uid::new("1.2.840.10008.1.2.1")?, 5, Digest::of(b"bytes"),
/// )?.with_rank(7).with_key_image(true);
/// assert_eq!(instance.rank(), Some(7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    sop_class: Uid,
    sop_instance: Uid,
    series: Uid,
    transfer_syntax: Uid,
    length: u64,
    digest: Digest,
    rank: Option<u32>,
    key_image: bool,
    pixels: Option<PixelRange>,
    pieces: Option<Pieces>,
    sm3: Option<Sm3Digest>,
}

impl Instance {
    /// An instance of `length` bytes whose BLAKE3 is `digest`.
    ///
    /// # Errors
    /// [`InstanceError`] for no bytes or more than [`INSTANCE_BYTES_MAX`].
    pub fn new(
        sop_class: Uid,
        sop_instance: Uid,
        series: Uid,
        transfer_syntax: Uid,
        length: u64,
        digest: Digest,
    ) -> Result<Self, InstanceError> {
        match length {
            0 => Err(InstanceError::Empty),
            _ if length > INSTANCE_BYTES_MAX => Err(InstanceError::TooLong { found: length }),
            _ => Ok(Self {
                sop_class,
                sop_instance,
                series,
                transfer_syntax,
                length,
                digest,
                rank: None,
                key_image: false,
                pixels: None,
                pieces: None,
                sm3: None,
            }),
        }
    }

    /// Adds the place in the series as shown: slice position, frame time; smaller is earlier.
    #[must_use]
    pub const fn with_rank(mut self, rank: u32) -> Self {
        self.rank = Some(rank);
        self
    }

    /// Says whether a radiologist marked it: key images travel among the first.
    #[must_use]
    pub const fn with_key_image(mut self, key_image: bool) -> Self {
        self.key_image = key_image;
        self
    }

    /// Adds the range of PixelData; pieces are to be added after it.
    ///
    /// # Errors
    /// [`InstanceError::Pixels`] if it passes the end of the file.
    pub fn with_pixels(mut self, pixels: PixelRange) -> Result<Self, InstanceError> {
        if pixels.end() > self.length {
            return Err(InstanceError::Pixels {
                length: self.length,
                end: pixels.end(),
            });
        }
        self.pixels = Some(pixels);
        self.pieces = None;
        Ok(self)
    }

    /// Adds the pieces of PixelData, whose range was added before: pixels that a receiver holds in another
    /// file are then not sent.
    ///
    /// # Errors
    /// [`InstanceError::Pieces`] if they pass the range of PixelData, there is none, or pieces of unlike length begin
    /// 4 GiB or more behind its beginning.
    pub fn with_pieces(mut self, pieces: Pieces) -> Result<Self, InstanceError> {
        let within =
            |pixels: PixelRange| pixels.offset() <= pieces.offset() && pieces.end() <= pixels.end();
        // Of pieces that are listed the first one's place has four bytes, as all have.
        let near = |pixels: PixelRange| {
            let before = pieces.offset().saturating_sub(pixels.offset());
            pieces.even_length().is_some() || before <= u64::from(u32::MAX)
        };
        if !self
            .pixels
            .is_some_and(|pixels| within(pixels) && near(pixels))
        {
            return Err(InstanceError::Pieces);
        }
        self.pieces = Some(pieces);
        Ok(self)
    }

    /// Adds the SM3 of the file, where national rules ask for it.
    #[must_use]
    pub const fn with_sm3(mut self, sm3: Sm3Digest) -> Self {
        self.sm3 = Some(sm3);
        self
    }

    /// SOP Class UID (0008,0016).
    #[must_use]
    pub const fn sop_class(&self) -> &Uid {
        &self.sop_class
    }

    /// SOP Instance UID (0008,0018).
    #[must_use]
    pub const fn sop_instance(&self) -> &Uid {
        &self.sop_instance
    }

    /// Series Instance UID (0020,000E).
    #[must_use]
    pub const fn series(&self) -> &Uid {
        &self.series
    }

    /// Transfer Syntax UID (0002,0010), or what a file without one is read by.
    #[must_use]
    pub const fn transfer_syntax(&self) -> &Uid {
        &self.transfer_syntax
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

    /// Place in the series as shown, where known.
    #[must_use]
    pub const fn rank(&self) -> Option<u32> {
        self.rank
    }

    /// Whether a radiologist marked it.
    #[must_use]
    pub const fn is_key_image(&self) -> bool {
        self.key_image
    }

    /// Where PixelData lies, where known.
    #[must_use]
    pub const fn pixels(&self) -> Option<PixelRange> {
        self.pixels
    }

    /// Pieces of PixelData with digests of their own, where the source gives them.
    #[must_use]
    pub const fn pieces(&self) -> Option<&Pieces> {
        self.pieces.as_ref()
    }

    /// SM3 of the file, where the source gives it.
    #[must_use]
    pub const fn sm3(&self) -> Option<&Sm3Digest> {
        self.sm3.as_ref()
    }

    /// Chunks of the file: 1 to 65,536.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        u32::try_from(chunk_count(self.length)).unwrap_or(u32::MAX)
    }
}

/// Why an instance can't stand in a manifest.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// A file of no bytes is no DICOM file; say so to whoever stored it.
    #[error("expected at least one byte, found an empty file")]
    Empty,
    /// Longer than [`INSTANCE_BYTES_MAX`].
    #[error("expected at most 17179869184 bytes, found {found}")]
    TooLong {
        /// Bytes found.
        found: u64,
    },
    /// PixelData beyond the end of the file.
    #[error("expected pixel data within {length} bytes, found its end at {end}")]
    Pixels {
        /// Bytes of the file.
        length: u64,
        /// One past the last byte of the range.
        end: u64,
    },
    /// Pieces without PixelData, beyond it, or of unlike length and far behind its beginning.
    #[error(
        "expected pieces within the pixel data, the first of unlike ones in its first 4 GiB, found others"
    )]
    Pieces,
}

/// What a study holds, in transfer order; at least one instance, no instance twice.
///
/// Made by [`ManifestBuilder`] or read by [`Manifest::decode`]; the canonical bytes are unique for
/// the value, so the [root](Manifest::root) names the study as it was at one time. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    study: Uid,
    instances: Vec<Instance>,
    /// The first study-wide chunk number of each instance, and one past the last of all.
    firsts: Vec<u32>,
    /// The bytes of all instances before each.
    offsets: Vec<u64>,
    bytes_total: u64,
    head: ManifestHead,
    encoded: Vec<u8>,
    head_bytes: usize,
}

/// A chunk's place: which instance, which chunk of it, which bytes of the file.
///
/// ```
/// # use mic_transfer::{Digest, Instance, ManifestBuilder, Uid};
/// # let uid = |t| Uid::new(t).unwrap();
/// let mut builder = ManifestBuilder::new(uid("1.2"));
/// builder.push(Instance::new(uid("1.3"), uid("1.4"), uid("1.5"), uid("1.6"), 300_000, Digest::of(b"x"))?)?;
/// let place = builder.build()?.place(1).unwrap();
/// assert_eq!((place.index(), place.offset(), place.length()), (1, 262_144, 37_856));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkPlace {
    instance: u32,
    index: u32,
    offset: u64,
    length: u32,
}

impl ChunkPlace {
    /// Which instance of the manifest.
    #[must_use]
    pub const fn instance(&self) -> u32 {
        self.instance
    }

    /// Which chunk of the instance.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Bytes from the start of the file.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of the chunk: 256 KiB, or less at the end of a file.
    #[must_use]
    pub const fn length(&self) -> u32 {
        self.length
    }

    /// Its bytes in the file.
    pub(crate) fn bytes(&self) -> core::ops::Range<u64> {
        self.offset..self.offset.saturating_add(u64::from(self.length))
    }
}

impl Manifest {
    /// Study Instance UID (0020,000D).
    #[must_use]
    pub fn study(&self) -> &Uid {
        &self.0.study
    }

    /// The instances in transfer order.
    #[must_use]
    pub fn instances(&self) -> &[Instance] {
        &self.0.instances
    }

    /// The series, each once, in order of their first instance.
    #[must_use]
    pub fn series(&self) -> Vec<&Uid> {
        let mut seen = alloc::collections::BTreeSet::new();
        self.instances()
            .iter()
            .map(Instance::series)
            .filter(|uid| seen.insert(*uid))
            .collect()
    }

    /// Bytes of all instances.
    #[must_use]
    pub fn bytes_total(&self) -> u64 {
        self.0.bytes_total
    }

    /// Chunks of all instances, numbered through in transfer order.
    #[must_use]
    pub fn chunks_total(&self) -> u32 {
        self.0.firsts.last().copied().unwrap_or(0)
    }

    /// The chunk numbers of an instance.
    #[must_use]
    pub fn chunks_of(&self, instance: u32) -> Option<Run> {
        let first = *self.0.firsts.get(instance as usize)?;
        Run::new(first, self.instances().get(instance as usize)?.chunks())
    }

    /// Where a chunk lies.
    #[must_use]
    pub fn place(&self, chunk: u32) -> Option<ChunkPlace> {
        let instance = self
            .0
            .firsts
            .partition_point(|first| *first <= chunk)
            .checked_sub(1)?;
        let file = self.instances().get(instance)?;
        let index = chunk.checked_sub(*self.0.firsts.get(instance)?)?;
        let offset = u64::from(index) * crate::limits::CHUNK_BYTES as u64;
        let left = file
            .length()
            .checked_sub(offset)?
            .min(crate::limits::CHUNK_BYTES as u64);
        Some(ChunkPlace {
            instance: u32::try_from(instance).ok()?,
            index,
            offset,
            length: u32::try_from(left).ok()?,
        })
    }

    /// Bytes of all instances before this one: its place in a pack.
    #[must_use]
    pub fn offset_of(&self, instance: u32) -> Option<u64> {
        self.0.offsets.get(instance as usize).copied()
    }

    /// The place of the instance with this digest in the transfer order.
    #[must_use]
    pub fn position(&self, digest: &Digest) -> Option<u32> {
        let at = self
            .instances()
            .iter()
            .position(|instance| instance.digest() == digest)?;
        u32::try_from(at).ok()
    }

    /// The canonical bytes (`spec/transfer.md` section 3).
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.0.encoded
    }

    /// What stands at the head of the bytes: totals, first images, digest of the rest.
    #[must_use]
    pub fn head(&self) -> &ManifestHead {
        &self.0.head
    }

    /// The canonical bytes of the head.
    #[must_use]
    pub fn encoded_head(&self) -> &[u8] {
        self.0.encoded.get(..self.0.head_bytes).unwrap_or(&[])
    }

    /// Whether every instance carries an SM3 digest.
    #[must_use]
    pub fn has_sm3(&self) -> bool {
        self.instances()
            .iter()
            .all(|instance| instance.sm3().is_some())
    }

    /// The study root: BLAKE3 of the head under the manifest's own context (XFR-10). The head holds
    /// the digest of the rest.
    #[must_use]
    pub fn root(&self) -> &Digest {
        self.0.head.root()
    }

    /// Reads canonical bytes; every other form of the same study is refused.
    ///
    /// # Errors
    /// [`ManifestFault`] with the offset and what was expected there.
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestFault> {
        codec::decode(bytes)
    }

    fn from_parts(study: Uid, instances: Vec<Instance>) -> Result<Self, ManifestError> {
        if instances.is_empty() {
            return Err(ManifestError::NoInstances);
        }
        let mut firsts = Vec::with_capacity(instances.len() + 1);
        let mut offsets = Vec::with_capacity(instances.len());
        let (mut next, mut bytes_total) = (0_u32, 0_u64);
        for instance in &instances {
            firsts.push(next);
            offsets.push(bytes_total);
            next = next
                .checked_add(instance.chunks())
                .ok_or(ManifestError::TooManyChunks)?;
            bytes_total = bytes_total.saturating_add(instance.length());
        }
        firsts.push(next);
        let body = codec::encode(&instances);
        let first = first_images(&instances);
        let first = first.filter_map(|number| {
            let instance = instances.get(number as usize)?;
            let chunk = *firsts.get(number as usize)?;
            Some(FirstImage::new(
                number,
                chunk,
                instance.length(),
                *instance.digest(),
            ))
        });
        let count = u32::try_from(instances.len()).unwrap_or(u32::MAX);
        let first = first.take(crate::limits::FIRST_IMAGES_MAX).collect();
        let head = ManifestHead::of(study.clone(), count, bytes_total, first, &body);
        let mut encoded = head.encode();
        let head_bytes = encoded.len();
        if head_bytes.saturating_add(body.len()) > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLong);
        }
        encoded.extend_from_slice(&body);
        Ok(Self(Arc::new(Inner {
            study,
            instances,
            firsts,
            offsets,
            bytes_total,
            head,
            encoded,
            head_bytes,
        })))
    }
}

/// The images a viewer opens with, in transfer order: the middle one of each series as shown, and key
/// images (XFR-60).
pub(crate) fn first_images(instances: &[Instance]) -> impl Iterator<Item = u32> {
    let mut series: BTreeMap<&Uid, Vec<usize>> = BTreeMap::new();
    let mut first = alloc::collections::BTreeSet::new();
    for (at, instance) in instances.iter().enumerate() {
        series.entry(instance.series()).or_default().push(at);
        if instance.is_key_image() {
            first.insert(at);
        }
    }
    for mut shown in series.into_values() {
        // As shown, where the source says so; in transfer order otherwise.
        shown.sort_by_key(|at| instances.get(*at).and_then(Instance::rank));
        first.extend(shown.get(shown.len() / 2));
    }
    first.into_iter().filter_map(|at| u32::try_from(at).ok())
}

/// What became of an instance given to a [`ManifestBuilder`].
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It stands at this place.
    New(u32),
    /// The same bytes already stand at this place: nothing was added, nothing is lost.
    Duplicate(u32),
    /// It stands at `index`; the instance at `first` has the same SOP Instance UID and other bytes.
    Variant {
        /// Its place.
        index: u32,
        /// The first instance of that identifier.
        first: u32,
    },
}

/// Collects the instances of one study in transfer order.
///
/// ```
/// use mic_transfer::{Added, Digest, Instance, ManifestBuilder, Uid};
/// let mut study = ManifestBuilder::new(Uid::new("1.2.3")?);
/// let instance = Instance::new(
///     Uid::new("1.2.840.10008.5.1.4.1.1.2")?, Uid::new("1.2.3.1.1")?, Uid::new("1.2.3.1")?,
///     Uid::new("1.2.840.10008.1.2.1")?, 4, Digest::of(b"file"),
/// )?;
/// assert_eq!(study.push(instance.clone())?, Added::New(0));
/// assert_eq!(study.push(instance)?, Added::Duplicate(0));
/// let manifest = study.build()?;
/// assert_eq!(manifest.instances().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ManifestBuilder {
    study: Uid,
    instances: Vec<Instance>,
    by_digest: BTreeMap<Digest, u32>,
    by_uid: BTreeMap<Uid, u32>,
    labels: [alloc::collections::BTreeSet<Uid>; 3],
    pieces: usize,
}

impl ManifestBuilder {
    /// No instances yet.
    #[must_use]
    pub fn new(study: Uid) -> Self {
        Self {
            study,
            instances: Vec::new(),
            by_digest: BTreeMap::new(),
            by_uid: BTreeMap::new(),
            labels: Default::default(),
            pieces: 0,
        }
    }

    /// Study Instance UID (0020,000D).
    #[must_use]
    pub const fn study(&self) -> &Uid {
        &self.study
    }

    /// Puts an instance at the end.
    ///
    /// # Errors
    /// [`ManifestError`] if a limit is reached, or the same bytes come under other labels.
    pub fn push(&mut self, instance: Instance) -> Result<Added, ManifestError> {
        if let Some(&index) = self.by_digest.get(instance.digest()) {
            let same = self.instances.get(index as usize).is_some_and(|known| {
                known.sop_instance() == instance.sop_instance()
                    && known.series() == instance.series()
                    && known.sop_class() == instance.sop_class()
                    && known.transfer_syntax() == instance.transfer_syntax()
                    && known.length() == instance.length()
            });
            return if same {
                Ok(Added::Duplicate(index))
            } else {
                Err(ManifestError::ConflictingLabels { index })
            };
        }
        if self.instances.len() >= INSTANCES_MAX {
            return Err(ManifestError::TooManyInstances);
        }
        let pieces = instance.pieces().map_or(0, Pieces::count) as usize;
        if pieces > self.pieces_left() {
            return Err(ManifestError::TooManyPieces);
        }
        let index = u32::try_from(self.instances.len()).unwrap_or(u32::MAX);
        let labels = [
            instance.series(),
            instance.sop_class(),
            instance.transfer_syntax(),
        ];
        for (set, label) in self.labels.iter_mut().zip(labels) {
            if !set.contains(label) {
                if set.len() >= LABELS_MAX {
                    return Err(ManifestError::TooManyLabels);
                }
                set.insert(label.clone());
            }
        }
        self.by_digest.insert(*instance.digest(), index);
        let first = *self
            .by_uid
            .entry(instance.sop_instance().clone())
            .or_insert(index);
        self.instances.push(instance);
        self.pieces = self.pieces.saturating_add(pieces);
        Ok(if first == index {
            Added::New(index)
        } else {
            Added::Variant { index, first }
        })
    }

    /// How many pieces may still be added: [`STUDY_PIECES_MAX`] in all.
    #[must_use]
    pub const fn pieces_left(&self) -> usize {
        STUDY_PIECES_MAX.saturating_sub(self.pieces)
    }

    /// The manifest.
    ///
    /// # Errors
    /// [`ManifestError::NoInstances`], [`ManifestError::TooManyChunks`] or [`ManifestError::TooLong`].
    pub fn build(self) -> Result<Manifest, ManifestError> {
        Manifest::from_parts(self.study, self.instances)
    }
}

/// Why instances make no manifest.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// A study without instances is nothing to transfer.
    #[error("expected at least one instance, found none")]
    NoInstances,
    /// More than [`INSTANCES_MAX`].
    #[error("expected at most 131072 instances, found more")]
    TooManyInstances,
    /// More than 65,535 series, classes or transfer syntaxes.
    #[error("expected at most 65535 series, classes or transfer syntaxes, found more")]
    TooManyLabels,
    /// More than [`STUDY_PIECES_MAX`].
    #[error("expected at most 131072 pieces, found more")]
    TooManyPieces,
    /// More than [`MANIFEST_BYTES_MAX`].
    #[error("expected a manifest of at most 33554432 bytes, found a longer one")]
    TooLong,
    /// The chunks pass 2^32.
    #[error("expected fewer than 2^32 chunks, found more")]
    TooManyChunks,
    /// The same bytes under other identifiers: one of the two labels is wrong.
    #[error("expected the labels of instance {index} for the same bytes, found others")]
    ConflictingLabels {
        /// The instance that has these bytes.
        index: u32,
    },
}
