//! A chunk to its coded form, by trial.

use alloc::vec::Vec;
use core::fmt;

use super::classes::Sorted;
use super::hint::{PixelHint, Region};
use super::streams::Packer;
use super::{estimate, planes, predict};
use crate::limits::CHUNK_BYTES;
use crate::wire::{Codec, Codecs};

/// Pieces of a chunk that are tried with zstd before the whole is, and bytes of each.
const PROBES: usize = 4;
const PROBE_BYTES: usize = 4096;
/// A coded form that saves less than this share of the chunk is not worth the receiver's work.
const SAVED_MIN: usize = 32;
/// Predicted to between an eighth and a half of a chunk, samples are not tried with zstd.
const CLEAR_BEST: usize = 8;
const CLEAR_WORST: usize = 2;
/// Samples that fill less than this share of a chunk are left to zstd.
const REGION_SHARE: usize = 8;

/// Codes chunks; keeps its buffers and zstd's tables, so that a chunk costs no allocation.
///
/// One thread's: make one for each. See the [module](super) for an example.
pub struct Encoder {
    packer: Packer,
    residuals: Packer,
    component: Vec<i16>,
    green: Vec<i16>,
    folded: Vec<u16>,
    sorted: Sorted,
    rest: Vec<u8>,
    other: Vec<u8>,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// An encoder.
    #[must_use]
    pub fn new() -> Self {
        Self {
            packer: Packer::new(),
            residuals: Packer::of_residuals(),
            component: Vec::new(),
            green: Vec::new(),
            folded: Vec::new(),
            sorted: Sorted::default(),
            rest: Vec::new(),
            other: Vec::new(),
        }
    }

    /// Writes the coded form of a chunk into `out`, in place of what is there, and says which codec it is;
    /// for [`Codec::Raw`], where nothing is worth its while, `out` is empty and the chunk goes as it is.
    ///
    /// `chunk_offset` is the chunk's place in its file, to which `hint` refers; `accepted` is what the
    /// receiver takes. A chunk has at most [`CHUNK_BYTES`] bytes; a longer one stays raw.
    pub fn encode(
        &mut self,
        chunk: &[u8],
        chunk_offset: u64,
        hint: Option<&PixelHint>,
        accepted: Codecs,
        out: &mut Vec<u8>,
    ) -> Codec {
        out.clear();
        if chunk.len() > CHUNK_BYTES {
            return Codec::Raw;
        }
        let region = hint
            .filter(|_| accepted.has(Codec::Samples))
            .and_then(|hint| hint.within(chunk_offset, chunk.len()))
            .filter(|region| region.bytes as usize >= chunk.len() / REGION_SHARE);
        let predicted = region.map(|region| {
            let bytes = chunk
                .get(region.start as usize..)
                .and_then(|rest| rest.get(..region.bytes as usize));
            let others = chunk.len() - region.bytes as usize;
            // What is no sample packs to a third, as headers do.
            bytes.map_or(usize::MAX, |bytes| {
                estimate::predicted(bytes, &region) + others / 3
            })
        });
        // Pictures under noise are for the predictor; drawings and masks, and what is no picture, may not be.
        let clear = chunk.len() / CLEAR_BEST..chunk.len() / CLEAR_WORST;
        let is_clear = predicted.is_some_and(|bytes| clear.contains(&bytes));
        let zstd = (accepted.has(Codec::Zstd) && !is_clear).then(|| self.probe(chunk));
        let worth = chunk.len() - chunk.len() / SAVED_MIN;
        let samples_first = predicted.is_some_and(|bytes| zstd.is_none_or(|zstd| bytes < zstd));
        let codec = match region {
            Some(region) if samples_first && predicted.is_some_and(|bytes| bytes < worth) => {
                self.encode_samples(chunk, &region, out);
                Codec::Samples
            }
            _ if zstd.is_some_and(|bytes| bytes < worth) => {
                if self.packer.pack(chunk, out) {
                    Codec::Zstd
                } else {
                    Codec::Raw
                }
            }
            _ => Codec::Raw,
        };
        if codec == Codec::Raw || out.len() >= worth {
            out.clear();
            return Codec::Raw;
        }
        codec
    }

    /// Bytes that zstd will make of a chunk, about.
    fn probe(&mut self, chunk: &[u8]) -> usize {
        let mut out = core::mem::take(&mut self.other);
        let step = (chunk.len() / PROBES).max(PROBE_BYTES);
        let (mut seen, mut packed) = (0_usize, 0_usize);
        for piece in chunk.chunks(step) {
            let piece = piece.get(..PROBE_BYTES).unwrap_or(piece);
            let shorter = self.packer.pack(piece, &mut out);
            seen += piece.len();
            packed += if shorter { out.len() } else { piece.len() };
        }
        self.other = out;
        chunk.len().saturating_mul(packed) / seen.max(1)
    }

    fn encode_samples(&mut self, chunk: &[u8], region: &Region, out: &mut Vec<u8>) {
        let start = region.start as usize;
        let (before, rest) = chunk.split_at_checked(start).unwrap_or((chunk, &[]));
        let (samples, after) = rest
            .split_at_checked(region.bytes as usize)
            .unwrap_or((rest, &[]));
        self.rest.clear();
        self.rest.extend_from_slice(before);
        self.rest.extend_from_slice(after);
        let layout = region.layout;
        let row = region.row as usize;
        let green = layout.components == 3 && self.is_green_near(samples, region);
        out.push(region.flags(green));
        out.extend_from_slice(&region.start.to_le_bytes());
        out.extend_from_slice(&region.bytes.to_le_bytes());
        out.extend_from_slice(&region.row.to_le_bytes());
        self.packer.put(&self.rest, out);
        if green {
            planes::split(samples, layout, 1, &mut self.green);
        }
        for component in 0..layout.components {
            planes::split(samples, layout, component, &mut self.component);
            if green && component != 1 {
                planes::less_green(&mut self.component, &self.green, layout.wide);
            }
            predict::residuals(&self.component, row, layout.wide, &mut self.folded);
            self.sorted.sort(&self.folded, row, layout.wide);
            if layout.wide {
                self.residuals.put(&self.sorted.high, out);
            }
            for low in &self.sorted.low {
                self.residuals.put(low.bytes(), out);
            }
        }
    }

    /// Whether red is told better by its distance from green than alone: YBR is not.
    fn is_green_near(&mut self, samples: &[u8], region: &Region) -> bool {
        let (layout, row) = (region.layout, region.row as usize);
        planes::split(samples, layout, 0, &mut self.component);
        planes::split(samples, layout, 1, &mut self.green);
        let weigh = |folded: &[u16]| -> u64 { folded.iter().map(|value| u64::from(*value)).sum() };
        predict::residuals(&self.component, row, layout.wide, &mut self.folded);
        let alone = weigh(&self.folded);
        planes::less_green(&mut self.component, &self.green, layout.wide);
        predict::residuals(&self.component, row, layout.wide, &mut self.folded);
        weigh(&self.folded) < alone
    }
}
