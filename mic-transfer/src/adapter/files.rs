//! A source of files that lie anywhere.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

#[cfg(feature = "dicom")]
mod folder;

#[cfg(feature = "dicom")]
#[cfg_attr(docsrs, doc(cfg(feature = "dicom")))]
pub use folder::{FileOutcome, Folder};

use super::disk::read_at;
use crate::limits::CHUNK_BYTES;
use crate::manifest::{
    Added, Instance, InstanceError, ManifestBuilder, ManifestError, PieceHasher, Pieces, PixelRange,
};
use crate::sign::{SignFailed, Signer};
use crate::source::{Source, Unreadable};
use crate::tree::{Leaves, TreeBuilder};
use crate::{Digest, Manifest, SignedManifest, Uid};

/// What a file's header says of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    sop_class: Uid,
    sop_instance: Uid,
    series: Uid,
    transfer_syntax: Uid,
    rank: Option<u32>,
    key_image: bool,
    pixels: Option<PixelRange>,
    frames: Vec<PixelRange>,
    #[cfg(feature = "coding")]
    hint: Option<crate::coding::PixelHint>,
}

impl Labels {
    /// The four identifiers that every instance has.
    #[must_use]
    pub const fn new(sop_class: Uid, sop_instance: Uid, series: Uid, transfer_syntax: Uid) -> Self {
        Self {
            sop_class,
            sop_instance,
            series,
            transfer_syntax,
            rank: None,
            key_image: false,
            pixels: None,
            frames: Vec::new(),
            #[cfg(feature = "coding")]
            hint: None,
        }
    }

    /// Adds where the samples lie, for the coding of chunks: nothing of it goes into the manifest.
    #[cfg(feature = "coding")]
    #[cfg_attr(docsrs, doc(cfg(feature = "coding")))]
    #[must_use]
    pub const fn with_hint(mut self, hint: crate::coding::PixelHint) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Adds the place in the series as shown.
    #[must_use]
    pub const fn with_rank(mut self, rank: u32) -> Self {
        self.rank = Some(rank);
        self
    }

    /// Says whether a radiologist marked it.
    #[must_use]
    pub const fn with_key_image(mut self, key_image: bool) -> Self {
        self.key_image = key_image;
        self
    }

    /// Adds where the value of PixelData lies in the file.
    #[must_use]
    pub const fn with_pixels(mut self, pixels: PixelRange) -> Self {
        self.pixels = Some(pixels);
        self
    }

    /// Adds where each frame lies within PixelData, in order. Frames that another file has are then not sent;
    /// without them, or where they can't be pieces, the value is known as a whole.
    #[must_use]
    pub fn with_frames(self, frames: Vec<PixelRange>) -> Self {
        Self { frames, ..self }
    }
}

/// Hashes a file: its length, digest and leaves.
///
/// # Errors
/// As the operating system says.
pub fn hash_file(path: &Path) -> io::Result<(u64, Digest, Leaves)> {
    hash_with(path, |_| {})
}

fn hash_with(path: &Path, mut also: impl FnMut(&[u8])) -> io::Result<(u64, Digest, Leaves)> {
    let mut file = File::open(path)?;
    let mut tree = TreeBuilder::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let read = match file.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            break;
        }
        let part = buffer.get(..read).unwrap_or(&[]);
        tree.update(part);
        also(part);
    }
    let bytes = tree.bytes();
    let (digest, leaves) = tree.finish();
    Ok((bytes, digest, leaves))
}

/// Collects the files of one study in transfer order.
///
/// ```
/// use mic_transfer::{Uid, adapter::files::{FileStudy, Labels}};
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("image.dcm");
/// std::fs::write(&path, b"not really DICOM")?;
/// let mut study = FileStudy::new(Uid::new("1.2.3")?);
/// study.add(&path, Labels::new(
///     Uid::new("1.2.840.10008.5.1.4.1.1.2")?, Uid::new("1.2.3.1.1")?,
///     Uid::new("1.2.3.1")?, Uid::new("1.2.840.10008.1.2.1")?,
/// ))?;
/// let study = study.unsigned()?;
/// assert_eq!(study.signed().manifest().bytes_total(), 16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileStudy {
    builder: ManifestBuilder,
    files: Vec<(PathBuf, Leaves)>,
    #[cfg(feature = "coding")]
    hints: Vec<Option<crate::coding::PixelHint>>,
    pieces: bool,
    #[cfg(feature = "sm3")]
    sm3: bool,
}

impl FileStudy {
    /// No files yet.
    #[must_use]
    pub fn new(study: Uid) -> Self {
        Self {
            builder: ManifestBuilder::new(study),
            files: Vec::new(),
            #[cfg(feature = "coding")]
            hints: Vec::new(),
            pieces: true,
            #[cfg(feature = "sm3")]
            sm3: false,
        }
    }

    /// Study Instance UID (0020,000D).
    #[must_use]
    pub const fn study(&self) -> &Uid {
        self.builder.study()
    }

    /// Lists no pieces of the files added from now on: their pixels are hashed once instead of twice, the manifest
    /// is shorter by 53 bytes for each image, and pixels that a receiver has in another file are sent again.
    #[must_use]
    pub const fn without_pieces(mut self) -> Self {
        self.pieces = false;
        self
    }

    /// Hashes each file added from now on with SM3 as well, which takes ten times as long as BLAKE3.
    #[cfg(feature = "sm3")]
    #[cfg_attr(docsrs, doc(cfg(feature = "sm3")))]
    #[must_use]
    pub const fn with_sm3(mut self) -> Self {
        self.sm3 = true;
        self
    }

    /// Hashes a file and puts it at the end; the same bytes again are told and not added.
    ///
    /// # Errors
    /// [`FileError`]: the file can't be read, is empty, or breaks a rule of the manifest.
    pub fn add(&mut self, path: &Path, labels: Labels) -> Result<Added, FileError> {
        let hashed = self.hash(path, &labels)?;
        self.put(path, labels, hashed)
    }

    /// Reads the file once, whatever is computed of it.
    fn hash(&self, path: &Path, labels: &Labels) -> Result<Hashed, FileError> {
        let pixels = labels.pixels.filter(|_| self.pieces);
        let mut pieces = pixels.map(|pixels| PieceHasher::new(pixels, &labels.frames));
        #[cfg(feature = "sm3")]
        let mut sm3 = self.sm3.then(<sm3::Sm3 as sm3::Digest>::new);
        let (length, digest, leaves) = hash_with(path, |part| {
            if let Some(pieces) = &mut pieces {
                pieces.update(part);
            }
            #[cfg(feature = "sm3")]
            if let Some(sm3) = &mut sm3 {
                sm3::Digest::update(sm3, part);
            }
        })
        .map_err(|error| FileError::Unreadable(error.kind()))?;
        Ok(Hashed {
            length,
            digest,
            leaves,
            pieces: pieces.and_then(PieceHasher::finish),
            #[cfg(feature = "sm3")]
            sm3: sm3.map(|sm3| <[u8; 32]>::from(sm3::Digest::finalize(sm3))),
        })
    }

    fn put(&mut self, path: &Path, labels: Labels, hashed: Hashed) -> Result<Added, FileError> {
        let Labels {
            sop_class,
            sop_instance,
            series,
            transfer_syntax,
            ..
        } = labels;
        let mut instance = Instance::new(
            sop_class,
            sop_instance,
            series,
            transfer_syntax,
            hashed.length,
            hashed.digest,
        )?
        .with_key_image(labels.key_image);
        if let Some(rank) = labels.rank {
            instance = instance.with_rank(rank);
        }
        if let Some(pixels) = labels.pixels {
            instance = instance.with_pixels(pixels)?;
        }
        let room = self.builder.pieces_left();
        let pieces = hashed
            .pieces
            .filter(|pieces| pieces.count() as usize <= room);
        if let Some(pieces) = pieces {
            instance = instance.with_pieces(pieces)?;
        }
        #[cfg(feature = "sm3")]
        if let Some(digest) = hashed.sm3 {
            instance = instance.with_sm3(crate::Sm3Digest::from_bytes(digest));
        }
        let added = self.builder.push(instance)?;
        if !matches!(added, Added::Duplicate(_)) {
            self.files.push((path.to_path_buf(), hashed.leaves));
            #[cfg(feature = "coding")]
            self.hints.push(labels.hint);
        }
        Ok(added)
    }

    /// The study with the source's signature.
    ///
    /// # Errors
    /// [`FileError`]: no files, or no signature.
    pub fn signed_by(self, signer: &impl Signer) -> Result<ReadyStudy, FileError> {
        let signed = SignedManifest::sign(self.builder.build()?, signer)?;
        Ok(ReadyStudy {
            signed,
            files: self.files,
            #[cfg(feature = "coding")]
            hints: self.hints,
        })
    }

    /// The study without a signature.
    ///
    /// # Errors
    /// [`FileError`]: no files.
    pub fn unsigned(self) -> Result<ReadyStudy, FileError> {
        let signed = SignedManifest::new(self.builder.build()?, None);
        Ok(ReadyStudy {
            signed,
            files: self.files,
            #[cfg(feature = "coding")]
            hints: self.hints,
        })
    }
}

/// What hashing a file gives.
#[derive(Debug)]
struct Hashed {
    length: u64,
    digest: Digest,
    leaves: Leaves,
    pieces: Option<Pieces>,
    #[cfg(feature = "sm3")]
    sm3: Option<[u8; 32]>,
}

/// A study whose files are hashed.
#[derive(Debug)]
pub struct ReadyStudy {
    signed: SignedManifest,
    files: Vec<(PathBuf, Leaves)>,
    #[cfg(feature = "coding")]
    hints: Vec<Option<crate::coding::PixelHint>>,
}

impl ReadyStudy {
    /// The manifest with its signature.
    #[must_use]
    pub const fn signed(&self) -> &SignedManifest {
        &self.signed
    }

    /// The file of an instance.
    #[must_use]
    pub fn path(&self, instance: u32) -> Option<&Path> {
        self.files
            .get(instance as usize)
            .map(|(path, _)| path.as_path())
    }
}

/// Why a file can't be part of a study.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It can't be read.
    #[error("could not read the file: {0}")]
    Unreadable(io::ErrorKind),
    /// It breaks a rule of an instance.
    #[error("{0}")]
    Instance(#[from] InstanceError),
    /// It breaks a rule of the manifest.
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    /// The signer gave no signature.
    #[error("{0}")]
    Sign(#[from] SignFailed),
}

/// A [`Source`] of hashed files; clones share it, studies can be added while it serves.
#[derive(Debug, Clone, Default)]
pub struct FileSource {
    studies: Arc<RwLock<BTreeMap<Uid, Arc<ReadyStudy>>>>,
}

impl FileSource {
    /// No studies yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a study, in place of an earlier state of it.
    pub fn insert(&self, study: ReadyStudy) {
        let uid = study.signed.manifest().study().clone();
        let mut studies = self.studies.write().unwrap_or_else(PoisonError::into_inner);
        studies.insert(uid, Arc::new(study));
    }

    /// The study with this identifier.
    #[must_use]
    pub fn get(&self, study: &Uid) -> Option<Arc<ReadyStudy>> {
        self.studies
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(study)
            .cloned()
    }

    fn of(&self, manifest: &Manifest) -> Result<Arc<ReadyStudy>, Unreadable> {
        let study = self.get(manifest.study()).ok_or(Unreadable)?;
        // A study that has changed since it was offered is another one.
        if study.signed.manifest().root() == manifest.root() {
            Ok(study)
        } else {
            Err(Unreadable)
        }
    }
}

impl Source for FileSource {
    fn manifest(&self, study: &Uid) -> Option<SignedManifest> {
        self.get(study).map(|study| study.signed.clone())
    }

    fn manifest_of(&self, root: &Digest) -> Option<SignedManifest> {
        let studies = self.studies.read().unwrap_or_else(PoisonError::into_inner);
        let known = studies
            .values()
            .find(|known| known.signed.manifest().root() == root);
        known.map(|known| known.signed.clone())
    }

    fn read(
        &self,
        manifest: &Manifest,
        instance: u32,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), Unreadable> {
        let study = self.of(manifest)?;
        let path = study.path(instance).ok_or(Unreadable)?;
        let file = File::open(path).map_err(|_| Unreadable)?;
        read_at(&file, offset, into).map_err(|_| Unreadable)
    }

    fn leaves(&self, manifest: &Manifest, instance: u32) -> Result<Leaves, Unreadable> {
        let study = self.of(manifest)?;
        study
            .files
            .get(instance as usize)
            .map(|(_, leaves)| leaves.clone())
            .ok_or(Unreadable)
    }

    #[cfg(feature = "coding")]
    fn hint(&self, manifest: &Manifest, instance: u32) -> Option<crate::coding::PixelHint> {
        let study = self.of(manifest).ok()?;
        study.hints.get(instance as usize).copied().flatten()
    }
}
