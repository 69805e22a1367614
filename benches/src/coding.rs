//! Chunks of pictures, and codecs that do the same job on them.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use mic_transfer::coding::{Decoder, Encoder, PixelHint};
use mic_transfer::limits::CHUNK_BYTES;
use mic_transfer::wire::{Codec, Codecs};

use crate::{Group, Seed};

/// One chunk of a file.
pub struct Chunk {
    bytes: Vec<u8>,
    offset: u64,
    hint: Option<PixelHint>,
}

/// Files of one kind, cut into chunks.
pub struct Pictures {
    name: String,
    chunks: Rc<[Chunk]>,
}

impl Pictures {
    /// Files with the place of their samples.
    #[must_use]
    pub fn new(name: &str, files: Vec<(Vec<u8>, Option<PixelHint>)>) -> Self {
        let chunks = files.into_iter().flat_map(|(file, hint)| {
            let cut: Vec<Chunk> = file
                .chunks(CHUNK_BYTES)
                .zip(0_u64..)
                .map(|(bytes, at)| Chunk {
                    bytes: bytes.to_vec(),
                    offset: at * CHUNK_BYTES as u64,
                    hint,
                })
                .collect();
            cut
        });
        Self {
            name: name.to_owned(),
            chunks: chunks.collect(),
        }
    }

    fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.bytes.len()).sum()
    }
}

/// A way to code chunks by themselves.
trait Coder {
    fn encode(&mut self, chunk: &Chunk, out: &mut Vec<u8>) -> Result<u8>;
    fn decode(&mut self, kind: u8, coded: &[u8], length: usize, out: &mut Vec<u8>) -> Result<()>;
}

struct Ours(Encoder, Decoder);

impl Coder for Ours {
    fn encode(&mut self, chunk: &Chunk, out: &mut Vec<u8>) -> Result<u8> {
        let hint = chunk.hint.as_ref();
        let codec = self
            .0
            .encode(&chunk.bytes, chunk.offset, hint, Codecs::built(), out);
        if codec == Codec::Raw {
            out.extend_from_slice(&chunk.bytes);
        }
        Ok(codec.number())
    }

    fn decode(&mut self, kind: u8, coded: &[u8], length: usize, out: &mut Vec<u8>) -> Result<()> {
        let codec = Codec::from_number(kind).context("a codec")?;
        Ok(self.1.decode(codec, coded, length, out)?)
    }
}

struct Zstd(
    zstd::bulk::Compressor<'static>,
    zstd::bulk::Decompressor<'static>,
);

impl Coder for Zstd {
    fn encode(&mut self, chunk: &Chunk, out: &mut Vec<u8>) -> Result<u8> {
        out.clear();
        out.reserve(zstd::zstd_safe::compress_bound(chunk.bytes.len()));
        self.0.compress_to_buffer(&chunk.bytes, out)?;
        Ok(0)
    }

    fn decode(&mut self, _: u8, coded: &[u8], length: usize, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        out.reserve(length);
        self.1.decompress_to_buffer(coded, out)?;
        Ok(())
    }
}

struct Lz4;

impl Coder for Lz4 {
    fn encode(&mut self, chunk: &Chunk, out: &mut Vec<u8>) -> Result<u8> {
        out.resize(
            lz4_flex::block::get_maximum_output_size(chunk.bytes.len()),
            0,
        );
        let length = lz4_flex::block::compress_into(&chunk.bytes, out)?;
        out.truncate(length);
        Ok(0)
    }

    fn decode(&mut self, _: u8, coded: &[u8], length: usize, out: &mut Vec<u8>) -> Result<()> {
        out.resize(length, 0);
        lz4_flex::block::decompress_into(coded, out)?;
        Ok(())
    }
}

/// Makes a coder, for one round.
type Make = Box<dyn Fn() -> Result<Box<dyn Coder>>>;

fn coders() -> Result<Vec<(&'static str, Make)>> {
    let level = |level: i32| {
        move || -> Result<Box<dyn Coder>> {
            let (one, other) = (
                zstd::bulk::Compressor::new(level)?,
                zstd::bulk::Decompressor::new()?,
            );
            Ok(Box::new(Zstd(one, other)))
        }
    };
    Ok(vec![
        (
            "mic-transfer, by trial",
            Box::new(|| Ok(Box::new(Ours(Encoder::new(), Decoder::new())))),
        ),
        ("zstd 1", Box::new(level(1))),
        ("zstd 3", Box::new(level(3))),
        ("lz4_flex", Box::new(|| Ok(Box::new(Lz4)))),
    ])
}

/// What each coder made of each chunk.
type Coded = Rc<[(u8, Vec<u8>, usize)]>;

/// Codes all and compares every byte that comes back.
fn checked(pictures: &Pictures, coder: &mut dyn Coder) -> Result<Coded> {
    let (mut out, mut back) = (Vec::new(), Vec::new());
    let coded = pictures.chunks.iter().map(|chunk| {
        let kind = coder.encode(chunk, &mut out)?;
        coder.decode(kind, &out, chunk.bytes.len(), &mut back)?;
        ensure!(
            back == chunk.bytes,
            "{}: another byte came back",
            pictures.name
        );
        Ok((kind, out.clone(), chunk.bytes.len()))
    });
    coded.collect()
}

/// Encoding and decoding of these pictures by all coders; the names tell the ratios.
///
/// # Errors
/// A coder fails or gives another byte back.
pub fn groups(pictures: &Pictures) -> Result<Vec<Group>> {
    let bytes = pictures.bytes();
    let mut encode = Group::new(&format!("coding: encode {}", pictures.name), "byte");
    let mut decode = Group::new(&format!("coding: decode {}", pictures.name), "byte");
    for (name, make) in coders()? {
        let coded = checked(pictures, &mut *make()?)?;
        let total: usize = coded.iter().map(|(_, bytes, _)| bytes.len()).sum();
        let name = format!("{name}, {:.2} to 1", bytes as f64 / total as f64);
        let (chunks, mut coder, mut out) = (Rc::clone(&pictures.chunks), make()?, Vec::new());
        encode = encode
            .with(&name, bytes as u64, &Some(total), move || {
                let made = chunks.iter().map(|chunk| {
                    coder.encode(chunk, &mut out).ok()?;
                    Some(out.len())
                });
                made.sum::<Option<usize>>()
            })
            .bytes(bytes);
        let (mut coder, mut out) = (make()?, Vec::new());
        decode = decode
            .with(&name, bytes as u64, &Some(bytes), move || {
                let made = coded.iter().map(|(kind, coded, length)| {
                    coder.decode(*kind, coded, *length, &mut out).ok()?;
                    Some(out.len())
                });
                made.sum::<Option<usize>>()
            })
            .bytes(bytes);
    }
    Ok(vec![encode, decode])
}

/// A made-up slice of CT: an ellipse of tissue in noise that the filter of the reconstruction has smoothed, air
/// around it; 12 bits in 16, unsigned, as scanners that store a rescale intercept do.
#[must_use]
pub fn made_ct(seed: u64) -> (Vec<u8>, Option<PixelHint>) {
    const SIDE: i64 = 512;
    let mut seed = Seed::new(seed);
    let mut noise: Vec<i64> = (0..SIDE * SIDE)
        .map(|_| (seed.below(33) + seed.below(33)) as i64 - 32)
        .collect();
    for at in 1..noise.len() {
        let before = noise.get(at - 1).copied().unwrap_or(0);
        if let Some(value) = noise.get_mut(at) {
            *value = (*value + before) / 2;
        }
    }
    let mut file = vec![0_u8; 2600];
    for (at, noise) in noise.iter().enumerate() {
        let (x, y) = (at as i64 % SIDE - 256, at as i64 / SIDE - 256);
        let inside = x * x * 4 + y * y * 9 < 900 * 230;
        let bone = (x - 60) * (x - 60) + y * y < 900;
        let value = match (x * x + y * y < 65_000, inside, bone) {
            (false, ..) => 0,
            (_, _, true) => 1_900 + 2 * noise,
            (_, true, _) => 1_050 + x / 16 + noise,
            _ => 24 + noise.abs() / 4,
        };
        file.extend_from_slice(&(value as u16).to_le_bytes());
    }
    (
        file,
        PixelHint::new(2600, 524_288, 1024, 2).map(|hint| hint.signed(false)),
    )
}

/// The native pictures in a folder of real files, by what their headers say. A look for two elements, no
/// reader: a file of which it finds nothing is left out.
///
/// # Errors
/// The folder can't be read.
pub fn real(
    name: &str,
    folder: &Path,
    wanted: impl Fn(u16, u16) -> bool,
) -> Result<Option<Pictures>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if let Some(found) = native(std::fs::read(&path)?, &wanted) {
                files.push(found);
            }
        }
    }
    Ok((!files.is_empty()).then(|| Pictures::new(name, files)))
}

fn native(
    file: Vec<u8>,
    wanted: impl Fn(u16, u16) -> bool,
) -> Option<(Vec<u8>, Option<PixelHint>)> {
    // US values of group 0028, explicit or implicit, little endian.
    let number = |element: u16| -> Option<u16> {
        let [low, high] = element.to_le_bytes();
        let explicit = [0x28, 0, low, high, b'U', b'S', 2, 0];
        let implicit = [0x28, 0, low, high, 2, 0, 0, 0];
        let at = file
            .windows(8)
            .position(|eight| eight == explicit || eight == implicit)?;
        let value = file.get(at + 8..at + 10)?;
        Some(u16::from_le_bytes(value.try_into().ok()?))
    };
    let (samples, rows, columns) = (number(0x02)?, number(0x10)?, number(0x11)?);
    let allocated = number(0x100).filter(|bits| matches!(bits, 8 | 16))?;
    let planar = number(0x06).unwrap_or(0) == 1;
    let bytes = usize::from(allocated / 8);
    let frame = usize::from(rows) * usize::from(columns) * usize::from(samples) * bytes;
    let place = |at: usize| -> Option<(usize, usize)> {
        let rest = file.get(at + 4..)?;
        let long = matches!(rest.get(..4)?, b"OW\0\0" | b"OB\0\0");
        let (skip, length) = if long {
            (12, rest.get(4..8)?)
        } else {
            (8, rest.get(..4)?)
        };
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        let fits = length != 0 && at + skip + length <= file.len() && length >= frame;
        fits.then_some((at + skip, length))
    };
    let tags = (0..file.len().checked_sub(12)?)
        .filter(|at| file.get(*at..at + 4) == Some(&[0xE0, 0x7F, 0x10, 0]));
    let (offset, length) = tags.filter_map(place).next()?;
    if !wanted(allocated, samples) || frame == 0 {
        return None;
    }
    let components = if planar { 1 } else { samples };
    let row = u32::from(columns) * u32::from(components) * bytes as u32;
    let hint = PixelHint::new(offset as u64, length as u64, row, bytes as u8)?;
    let hint = hint.interleaved(u8::try_from(components).ok()?)?;
    let hint = hint.signed(number(0x103) == Some(1));
    Some((file, Some(hint)))
}
