//! Studies whose bytes follow from a seed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::source::{Source, Unreadable};
use mic_transfer::tree::Leaves;
use mic_transfer::{Digest, Manifest, PixelRange, SignedManifest, Uid};

pub(crate) fn uid(text: &str) -> Uid {
    Uid::new(text).unwrap()
}

pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 8) as u8
    };
    (0..length).map(step).collect()
}

/// Adds a study of files of these lengths; its bytes follow from the seed.
pub(crate) fn insert(source: &FileSource, folder: &Path, name: &str, seed: u64, lengths: &[usize]) {
    insert_of(source, folder, name, seed, lengths, noise);
}

/// The same of bytes that `make` gives for a seed and a length.
pub(crate) fn insert_of(
    source: &FileSource,
    folder: &Path,
    name: &str,
    seed: u64,
    lengths: &[usize],
    make: fn(u64, usize) -> Vec<u8>,
) {
    let mut study = FileStudy::new(uid(name));
    for (at, length) in lengths.iter().enumerate() {
        let path = folder.join(format!("{name}-{at}"));
        std::fs::write(&path, make(seed + at as u64, *length)).unwrap();
        let labels = Labels::new(
            uid("1.2.840.10008.5.1.4.1.1.2"),
            uid(&format!("1.9.{seed}.{at}")),
            uid("1.9.1"),
            uid("1.2.840.10008.1.2.1"),
        );
        study.add(&path, labels.with_rank(at as u32)).unwrap();
    }
    source.insert(study.unsigned().unwrap());
}

/// Adds a study of images: the pixels of these lengths are the same in each, the `header` bytes before are not.
pub(crate) fn insert_images(
    source: &FileSource,
    folder: &Path,
    name: &str,
    header: usize,
    lengths: &[usize],
) {
    let mut study = FileStudy::new(uid(name));
    for (at, length) in lengths.iter().enumerate() {
        let path = folder.join(format!("{name}-{at}"));
        let pixels = noise(at as u64, *length);
        let seed = header as u64 + at as u64;
        std::fs::write(&path, [noise(seed, header), pixels].concat()).unwrap();
        let labels = Labels::new(
            uid("1.2.840.10008.5.1.4.1.1.2"),
            uid(&format!("{name}.{at}")),
            uid("1.9.1"),
            uid("1.2.840.10008.1.2.1"),
        );
        let range = PixelRange::new(header as u64, *length as u64).unwrap();
        study.add(&path, labels.with_pixels(range)).unwrap();
    }
    source.insert(study.unsigned().unwrap());
}

pub(crate) fn instance(source: &FileSource, study: &str, at: usize) -> Digest {
    let ready = source.get(&uid(study)).unwrap();
    *ready.signed().manifest().instances()[at].digest()
}

/// A source of files that can be made to lie about the last byte of an instance.
#[derive(Clone)]
pub(crate) struct Archive {
    pub(crate) files: FileSource,
    pub(crate) lies: Arc<AtomicBool>,
}

impl Archive {
    pub(crate) fn new(files: &FileSource) -> Self {
        Self {
            files: files.clone(),
            lies: Arc::default(),
        }
    }
}

impl Source for Archive {
    fn manifest(&self, study: &Uid) -> Option<SignedManifest> {
        self.files.manifest(study)
    }

    fn manifest_of(&self, root: &Digest) -> Option<SignedManifest> {
        self.files.manifest_of(root)
    }

    fn read(
        &self,
        manifest: &Manifest,
        instance: u32,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), Unreadable> {
        self.files.read(manifest, instance, offset, into)?;
        let length = manifest.instances()[instance as usize].length();
        if self.lies.load(Ordering::Relaxed)
            && instance == 2
            && offset + into.len() as u64 == length
        {
            *into.last_mut().unwrap() ^= 1;
        }
        Ok(())
    }

    fn leaves(&self, manifest: &Manifest, instance: u32) -> Result<Leaves, Unreadable> {
        self.files.leaves(manifest, instance)
    }
}
