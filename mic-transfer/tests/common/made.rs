//! Seeded numbers, and studies made of them.

use mic_transfer::{
    Digest, Instance, ManifestBuilder, PieceHasher, PixelRange, SignedManifest, Uid,
};

/// Small seeded numbers: xorshift.
#[derive(Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&(self.next() ^ (self.0 << 40)).to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

pub fn uid(text: &str) -> Uid {
    Uid::new(text).unwrap()
}

/// A study in memory, as its source has it.
#[derive(Clone)]
pub struct MadeStudy {
    pub signed: SignedManifest,
    pub files: Vec<Vec<u8>>,
}

impl MadeStudy {
    pub fn new(name: &str, seed: u64, lengths: &[usize]) -> Self {
        Self::made(name, seed, lengths, 3)
    }

    pub fn of_one_series(name: &str, seed: u64, lengths: &[usize]) -> Self {
        Self::made(name, seed, lengths, 1)
    }

    /// The same study with other labels.
    pub fn map(&self, change: impl Fn(usize, Instance, &[u8]) -> Instance) -> Self {
        let mut builder = ManifestBuilder::new(self.uid().clone());
        let instances = self.signed.manifest().instances().iter();
        for (at, (instance, file)) in instances.zip(&self.files).enumerate() {
            builder.push(change(at, instance.clone(), file)).unwrap();
        }
        Self {
            signed: SignedManifest::new(builder.build().unwrap(), None),
            files: self.files.clone(),
        }
    }

    fn made(name: &str, seed: u64, lengths: &[usize], series: usize) -> Self {
        let mut dice = Dice::new(seed);
        let files: Vec<Vec<u8>> = lengths.iter().map(|length| dice.bytes(*length)).collect();
        Self::of(name, files, series)
    }

    /// A study of one series with these files.
    pub fn of_files(name: &str, files: &[Vec<u8>]) -> Self {
        Self::of(name, files.to_vec(), 1)
    }

    fn of(name: &str, files: Vec<Vec<u8>>, series: usize) -> Self {
        let mut builder = ManifestBuilder::new(uid(name));
        for (at, bytes) in files.iter().enumerate() {
            let instance = Instance::new(
                uid("1.2.840.10008.5.1.4.1.1.2"),
                uid(&format!("{name}.{at}")),
                uid(&format!("{name}.9.{}", at % series)),
                uid("1.2.840.10008.1.2.1"),
                bytes.len() as u64,
                Digest::of(bytes),
            );
            builder.push(instance.unwrap()).unwrap();
        }
        Self {
            signed: SignedManifest::new(builder.build().unwrap(), None),
            files,
        }
    }

    /// Smooth pictures of 256 columns and 16 bits under a little noise, between a header and a tail.
    pub fn pictures(name: &str, seed: u64, rows: &[usize]) -> Self {
        let mut dice = Dice::new(seed);
        let mut builder = ManifestBuilder::new(uid(name));
        let mut files = Vec::new();
        for (at, rows) in rows.iter().enumerate() {
            let mut bytes = dice.bytes(301 + 7 * at);
            let start = bytes.len() as u64;
            for place in 0..rows * PICTURE_COLUMNS {
                let (x, y) = (place % PICTURE_COLUMNS, place / PICTURE_COLUMNS);
                let value = 3 * x + 5 * y + dice.below(9) as usize;
                bytes.extend_from_slice(&(value as u16).to_le_bytes());
            }
            let pixels = PixelRange::new(start, bytes.len() as u64 - start).unwrap();
            bytes.extend_from_slice(&dice.bytes(at * 3));
            let instance = Instance::new(
                uid("1.2.840.10008.5.1.4.1.1.2"),
                uid(&format!("{name}.{at}")),
                uid(&format!("{name}.9.{}", at % 2)),
                uid("1.2.840.10008.1.2.1"),
                bytes.len() as u64,
                Digest::of(&bytes),
            );
            let instance = instance.unwrap().with_pixels(pixels).unwrap();
            builder.push(instance).unwrap();
            files.push(bytes);
        }
        Self {
            signed: SignedManifest::new(builder.build().unwrap(), None),
            files,
        }
    }

    /// The same study with pieces: frames of so many bytes, the last bytes of the pixels in none.
    pub fn in_pieces(&self, frame: u64) -> Self {
        self.map(|_, instance, file| {
            let Some(pixels) = instance.pixels() else {
                return instance;
            };
            let frames = (0..pixels.length() / frame)
                .map(|at| PixelRange::new(pixels.offset() + at * frame, frame).unwrap());
            let mut hasher = PieceHasher::new(pixels, &frames.collect::<Vec<_>>());
            hasher.update(file);
            match hasher.finish() {
                Some(pieces) => instance.with_pieces(pieces).unwrap(),
                None => instance,
            }
        })
    }

    /// A study of the same pixels under other headers and tails of other lengths, as after a merge of patients,
    /// without pieces.
    pub fn edited(&self, name: &str, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut builder = ManifestBuilder::new(uid(name));
        let mut files = Vec::new();
        let instances = self.signed.manifest().instances().iter();
        for (at, (instance, file)) in instances.zip(&self.files).enumerate() {
            let pixels = instance.pixels().unwrap();
            let length = 200 + dice.below(900) as usize;
            let mut bytes = dice.bytes(length);
            let start = bytes.len() as u64;
            bytes.extend_from_slice(&file[pixels.offset() as usize..pixels.end() as usize]);
            let tail = dice.below(40) as usize;
            bytes.extend_from_slice(&dice.bytes(tail));
            let made = Instance::new(
                instance.sop_class().clone(),
                uid(&format!("{name}.{at}")),
                uid(&format!("{name}.9.{}", at % 2)),
                instance.transfer_syntax().clone(),
                bytes.len() as u64,
                Digest::of(&bytes),
            );
            let pixels = PixelRange::new(start, pixels.length()).unwrap();
            builder
                .push(made.unwrap().with_pixels(pixels).unwrap())
                .unwrap();
            files.push(bytes);
        }
        Self {
            signed: SignedManifest::new(builder.build().unwrap(), None),
            files,
        }
    }

    pub fn uid(&self) -> &Uid {
        self.signed.manifest().study()
    }

    pub fn root(&self) -> Digest {
        *self.signed.manifest().root()
    }

    pub fn bytes(&self) -> u64 {
        self.signed.manifest().bytes_total()
    }
}

/// When every receipt is issued.
pub fn receipt_time() -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// Columns of [`MadeStudy::pictures`].
pub const PICTURE_COLUMNS: usize = 256;

/// The hint for [`MadeStudy::pictures`].
#[cfg(feature = "coding")]
pub fn picture_hint(pixels: PixelRange) -> Option<mic_transfer::coding::PixelHint> {
    let row = PICTURE_COLUMNS as u32 * 2;
    mic_transfer::coding::PixelHint::new(pixels.offset(), pixels.length(), row, 2)
}
