//! Coded chunks that a source keeps beside its files, so that serving them costs no coding.
//!
//! One file a study, named by its root (`spec/transfer.md` section 14): written whole under another name,
//! synced and renamed, so that a crash leaves it complete or not there. It holds nothing that can't be made
//! again: a file that is damaged, or of another version, is passed over, and chunks are then read from the
//! study itself.
//!
//! ```
//! use mic_transfer::adapter::{files::{FileSource, FileStudy, Labels}, rest::AtRest};
//! use mic_transfer::{Uid, coding::PixelHint, source::Source, wire::{Codec, Codecs}};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("image.dcm");
//! # let bytes: Vec<u8> = (0..65_536_u32).flat_map(|at| (at / 256 + at % 256).to_le_bytes()[..2].to_vec()).collect();
//! # std::fs::write(&path, bytes)?;
//! # let labels = Labels::new(
//! #     Uid::new("1.2.840.10008.5.1.4.1.1.2")?, Uid::new("1.2.3.1.1")?,
//! #     Uid::new("1.2.3.1")?, Uid::new("1.2.840.10008.1.2.1")?,
//! # );
//! let mut study = FileStudy::new(Uid::new("1.2.3")?);
//! study.add(&path, labels.with_hint(PixelHint::new(0, 131_072, 512, 2).unwrap()))?;
//! let source = FileSource::new();
//! source.insert(study.unsigned()?);
//!
//! let source = AtRest::open(source, folder.path().join("coded"))?;
//! let kept = source.keep(&Uid::new("1.2.3")?)?.unwrap();
//! assert_eq!((kept.chunks, kept.coded, kept.bytes), (1, 1, 131_072));
//! assert!(kept.kept_bytes < 5_000);
//! // What a receiver that takes it is sent:
//! let manifest = source.manifest(&Uid::new("1.2.3")?).unwrap().manifest().clone();
//! let mut coded = Vec::new();
//! let codec = source.coded(&manifest, 0, 0, Codecs::built(), &mut coded);
//! assert_eq!(codec, Some(Codec::Samples));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::disk::read_at;
use crate::coding::{Encoder, PixelHint};
use crate::crc::crc32c;
use crate::limits::CHUNK_BYTES;
use crate::source::{Source, Unreadable};
use crate::tree::Leaves;
use crate::wire::{Codec, Codecs};
use crate::{Digest, Manifest, SignedManifest, Uid};

/// "MICZ", a line end, the version.
const MAGIC: [u8; 8] = *b"MICZ\r\n\x01\x00";
/// The magic and the study root.
const HEAD_BYTES: u64 = 40;
/// Offset, length and codec, CRC-32C of the coded bytes.
const ENTRY_BYTES: u64 = 16;
/// Count of chunks and CRC-32C of head and index.
const FOOT_BYTES: u64 = 8;

/// A source that keeps coded chunks of another one's studies.
#[derive(Debug)]
pub struct AtRest<S> {
    source: S,
    folder: PathBuf,
    /// By study root; `None` where there is no file of use.
    open: Mutex<BTreeMap<Digest, Option<Arc<Kept>>>>,
}

/// What [`AtRest::keep`] did.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptStudy {
    /// Chunks of the study.
    pub chunks: u32,
    /// Chunks whose coded form is kept; the others are not worth it.
    pub coded: u32,
    /// Bytes of the study.
    pub bytes: u64,
    /// Bytes of the file.
    pub kept_bytes: u64,
}

impl<S: Source> AtRest<S> {
    /// Beside this source, in this folder, which is made where it is not there.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn open(source: S, folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        Ok(Self {
            source,
            folder,
            open: Mutex::default(),
        })
    }

    /// The source beneath.
    pub const fn source(&self) -> &S {
        &self.source
    }

    /// Codes a study and keeps it durably, in place of what was kept of it; `None` where the source does
    /// not know it. Takes as long as reading and coding all of it.
    ///
    /// # Errors
    /// As the operating system says; `InvalidData` where the source can't read its own study.
    pub fn keep(&self, study: &Uid) -> io::Result<Option<KeptStudy>> {
        let Some(signed) = self.source.manifest(study) else {
            return Ok(None);
        };
        let manifest = signed.manifest();
        let root = *manifest.root();
        let path = self.path(&root);
        let made = path.with_extension("new");
        let done = self.write(manifest, &made);
        if done.is_err() {
            let _ = fs::remove_file(&made);
        }
        let kept = done?;
        fs::rename(&made, &path)?;
        #[cfg(unix)]
        File::open(&self.folder)?.sync_all()?;
        self.lock().remove(&root);
        Ok(Some(kept))
    }

    /// Deletes what is kept of a study; nothing kept is no error.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn forget(&self, root: &Digest) -> io::Result<()> {
        self.lock().remove(root);
        match fs::remove_file(self.path(root)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn path(&self, root: &Digest) -> PathBuf {
        self.folder.join(format!("{root}.micz"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Option<Arc<Kept>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, manifest: &Manifest, path: &Path) -> io::Result<KeptStudy> {
        let head = head(manifest.root());
        let mut file = BufWriter::with_capacity(CHUNK_BYTES, File::create(path)?);
        file.write_all(&head)?;
        let mut index = Vec::new();
        let mut at = HEAD_BYTES;
        let mut coded_chunks = 0_u32;
        let (mut encoder, mut plain, mut coded) = (Encoder::new(), Vec::new(), Vec::new());
        for chunk in 0..manifest.chunks_total() {
            let place = manifest.place(chunk).ok_or(io::ErrorKind::InvalidData)?;
            plain.resize(place.length() as usize, 0);
            self.source
                .read(manifest, place.instance(), place.offset(), &mut plain)
                .map_err(|_| io::ErrorKind::InvalidData)?;
            let hint = self.source.hint(manifest, place.instance());
            let accepted = Codecs::built();
            let codec = encoder.encode(&plain, place.offset(), hint.as_ref(), accepted, &mut coded);
            coded_chunks = coded_chunks.saturating_add(u32::from(codec != Codec::Raw));
            let entry = Entry {
                offset: at,
                length: u32::try_from(coded.len()).unwrap_or(u32::MAX),
                codec,
                crc: crc32c(&[&coded]),
            };
            index.extend_from_slice(&entry.encode());
            file.write_all(&coded)?;
            at = at.saturating_add(coded.len() as u64);
        }
        let crc = crc32c(&[&head, &index]);
        file.write_all(&index)?;
        file.write_all(&manifest.chunks_total().to_le_bytes())?;
        file.write_all(&crc.to_le_bytes())?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(KeptStudy {
            chunks: manifest.chunks_total(),
            coded: coded_chunks,
            bytes: manifest.bytes_total(),
            kept_bytes: file.metadata()?.len(),
        })
    }

    fn kept(&self, manifest: &Manifest) -> Option<Arc<Kept>> {
        let root = manifest.root();
        let mut open = self.lock();
        if let Some(known) = open.get(root) {
            return known.clone();
        }
        let found = Kept::read(&self.path(root), manifest).map(Arc::new);
        open.insert(*root, found.clone());
        found
    }
}

impl<S: Source> Source for AtRest<S> {
    fn manifest(&self, study: &Uid) -> Option<SignedManifest> {
        self.source.manifest(study)
    }

    fn manifest_of(&self, root: &Digest) -> Option<SignedManifest> {
        self.source.manifest_of(root)
    }

    fn read(
        &self,
        manifest: &Manifest,
        instance: u32,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), Unreadable> {
        self.source.read(manifest, instance, offset, into)
    }

    fn leaves(&self, manifest: &Manifest, instance: u32) -> Result<Leaves, Unreadable> {
        self.source.leaves(manifest, instance)
    }

    fn coded(
        &self,
        manifest: &Manifest,
        instance: u32,
        offset: u64,
        accepted: Codecs,
        out: &mut Vec<u8>,
    ) -> Option<Codec> {
        let kept = self.kept(manifest)?;
        let first = manifest.chunks_of(instance)?.first();
        let index = u32::try_from(offset / CHUNK_BYTES as u64).ok()?;
        let entry = *kept.index.get(first.checked_add(index)? as usize)?;
        if entry.codec == Codec::Raw || !accepted.has(entry.codec) {
            return None;
        }
        out.resize(entry.length as usize, 0);
        read_at(&kept.file, entry.offset, out).ok()?;
        // What a disk has spoiled is not sent; the study itself has it right.
        (crc32c(&[out]) == entry.crc).then_some(entry.codec)
    }

    fn hint(&self, manifest: &Manifest, instance: u32) -> Option<PixelHint> {
        self.source.hint(manifest, instance)
    }
}

#[derive(Debug)]
struct Kept {
    file: File,
    index: Vec<Entry>,
}

impl Kept {
    /// The file, if it is whole and of this study.
    fn read(path: &Path, manifest: &Manifest) -> Option<Self> {
        let file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        let count = manifest.chunks_total();
        let index_bytes = u64::from(count).checked_mul(ENTRY_BYTES)?;
        let end = length.checked_sub(index_bytes.checked_add(FOOT_BYTES)?)?;
        let mut head = [0; HEAD_BYTES as usize];
        let mut index = vec![0; usize::try_from(index_bytes).ok()?];
        let mut foot = [0; FOOT_BYTES as usize];
        read_at(&file, 0, &mut head).ok()?;
        read_at(&file, end, &mut index).ok()?;
        read_at(&file, length.checked_sub(FOOT_BYTES)?, &mut foot).ok()?;
        let [c0, c1, c2, c3, crc @ ..] = foot;
        let whole = u32::from_le_bytes([c0, c1, c2, c3]) == count
            && u32::from_le_bytes(crc) == crc32c(&[&head, &index])
            && head == self::head(manifest.root());
        if !whole {
            return None;
        }
        let entries = index.chunks_exact(ENTRY_BYTES as usize);
        let index = entries.map(|bytes| Entry::decode(bytes, end));
        let index = index.collect::<Option<Vec<Entry>>>()?;
        Some(Self { file, index })
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    offset: u64,
    length: u32,
    codec: Codec,
    crc: u32,
}

impl Entry {
    fn encode(self) -> [u8; ENTRY_BYTES as usize] {
        let mut bytes = [0; ENTRY_BYTES as usize];
        let [l0, l1, l2, _] = self.length.to_le_bytes();
        let fields = self.offset.to_le_bytes().into_iter();
        let fields = fields.chain([l0, l1, l2, self.codec.number()]);
        let fields = fields.chain(self.crc.to_le_bytes());
        bytes
            .iter_mut()
            .zip(fields)
            .for_each(|(slot, byte)| *slot = byte);
        bytes
    }

    /// An entry whose bytes lie before `end`.
    fn decode(bytes: &[u8], end: u64) -> Option<Self> {
        let (offset, rest) = bytes.split_first_chunk::<8>()?;
        let [l0, l1, l2, codec, crc @ ..] = rest.first_chunk::<8>()?;
        let entry = Self {
            offset: u64::from_le_bytes(*offset),
            length: u32::from_le_bytes([*l0, *l1, *l2, 0]),
            codec: Codec::from_number(*codec)?,
            crc: u32::from_le_bytes(*crc),
        };
        let last = entry.offset.checked_add(u64::from(entry.length))?;
        let fits = last <= end && entry.length as usize <= CHUNK_BYTES;
        fits.then_some(entry)
    }
}

fn head(root: &Digest) -> [u8; HEAD_BYTES as usize] {
    let mut head = [0; HEAD_BYTES as usize];
    let bytes = MAGIC.iter().chain(root.as_bytes());
    head.iter_mut()
        .zip(bytes)
        .for_each(|(slot, byte)| *slot = *byte);
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::files::{FileSource, FileStudy, Labels};

    fn source(folder: &Path) -> (FileSource, Manifest) {
        let uid = |text: &str| Uid::new(text).unwrap();
        let mut study = FileStudy::new(uid("1.2"));
        for at in 0..3_usize {
            let path = folder.join(format!("{at}"));
            let samples =
                (0..200_000 * at + 10).map(|place| (place % 256 + place / 256 + at) as u16);
            fs::write(
                &path,
                samples.flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
            )
            .unwrap();
            let labels = Labels::new(
                uid("1.3"),
                uid(&format!("1.2.{at}")),
                uid("1.2.9"),
                uid("1.4"),
            );
            let hint = PixelHint::new(0, 400_000, 512, 2).unwrap();
            study.add(&path, labels.with_hint(hint)).unwrap();
        }
        let source = FileSource::new();
        source.insert(study.unsigned().unwrap());
        let manifest = source.manifest(&uid("1.2")).unwrap().manifest().clone();
        (source, manifest)
    }

    /// The chunks that are answered from the file, each proven to decode to the source's bytes.
    fn answered(source: &AtRest<FileSource>, manifest: &Manifest) -> u32 {
        let (mut coded, mut back) = (Vec::new(), Vec::new());
        let mut count = 0;
        for chunk in 0..manifest.chunks_total() {
            let place = manifest.place(chunk).unwrap();
            let all = Codecs::built();
            let found = source.coded(manifest, place.instance(), place.offset(), all, &mut coded);
            let Some(codec) = found else { continue };
            let mut plain = vec![0; place.length() as usize];
            let read = source.read(manifest, place.instance(), place.offset(), &mut plain);
            read.unwrap();
            let length = plain.len();
            let mut decoder = crate::coding::Decoder::new();
            decoder.decode(codec, &coded, length, &mut back).unwrap();
            assert_eq!(back, plain);
            count += 1;
        }
        count
    }

    #[test]
    fn ok_what_is_kept_is_answered_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (files, manifest) = source(folder.path());
        let rest = AtRest::open(files.clone(), folder.path().join("coded")).unwrap();
        assert_eq!(answered(&rest, &manifest), 0);
        let kept = rest.keep(manifest.study()).unwrap().unwrap();
        assert_eq!((kept.chunks, kept.coded), (7, 6));
        assert!(kept.kept_bytes * 10 < kept.bytes);
        assert_eq!(answered(&rest, &manifest), 6);
        let again = AtRest::open(files, folder.path().join("coded")).unwrap();
        assert_eq!(answered(&again, &manifest), 6);
        let mut out = Vec::new();
        assert!(
            again
                .coded(&manifest, 1, 0, Codecs::raw(), &mut out)
                .is_none()
        );
        again.forget(manifest.root()).unwrap();
        again.forget(manifest.root()).unwrap();
        assert_eq!(answered(&again, &manifest), 0);
    }

    #[test]
    fn err_damage_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let (files, manifest) = source(folder.path());
        let open = || AtRest::open(files.clone(), folder.path().join("coded")).unwrap();
        let rest = open();
        rest.keep(manifest.study()).unwrap();
        let path = rest.path(manifest.root());
        let whole = fs::read(&path).unwrap();
        // The head, a coded chunk, the index, the foot.
        for (at, left) in [
            (0, 0),
            (20, 0),
            (60, 5),
            (whole.len() - 20, 0),
            (whole.len() - 1, 0),
        ] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).unwrap();
            assert_eq!(answered(&open(), &manifest), left, "byte {at}");
        }
        for length in [0, 39, 200, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(answered(&open(), &manifest), 0, "{length} bytes");
        }
    }
}
