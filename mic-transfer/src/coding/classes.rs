//! Residuals sorted by how noisy their surroundings are.
//!
//! Eight residuals make a block. The magnitudes of the block before, and of the two above, choose the class
//! whose stream gets the low bytes, so that zstd's tables see noise of one strength at a time. The decoder
//! knows the same neighbours when it needs them. High bytes, nearly all zero, go to one stream.

use alloc::vec::Vec;

use super::predict::unfold;

/// Residuals of a block.
pub(super) const BLOCK: usize = 8;
/// Streams of low bytes.
pub(super) const CLASSES: usize = 10;
/// Most that the high byte of one residual counts: an edge must not drown its surroundings.
const HIGH_MAX: u8 = 15;
/// Below so many residuals the tables of the classes cost more than they save.
pub(super) const CLASSED_MIN: usize = 16 * 1024;

/// The streams of one plane.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) high: Vec<u8>,
    pub(super) low: [Vec<u8>; CLASSES],
    sums: Vec<u16>,
}

impl Sorted {
    /// Sorts folded residuals of rows of `row`; the last block is filled up with zeros.
    pub(super) fn sort(&mut self, folded: &[u16], row: usize, wide: bool) {
        self.high.clear();
        self.low.iter_mut().for_each(Vec::clear);
        let classed = folded.len() >= CLASSED_MIN;
        let mut near = Neighbours::new(&mut self.sums, row, folded.len());
        let blocks = folded.chunks_exact(BLOCK);
        let mut last = [0_u16; BLOCK];
        let cut = blocks.remainder();
        last.iter_mut()
            .zip(cut)
            .for_each(|(slot, value)| *slot = *value);
        let last = (!cut.is_empty()).then_some(&last[..]);
        for block in blocks.chain(last) {
            let Ok(block) = <[u16; BLOCK]>::try_from(block) else {
                continue;
            };
            let low = block.map(|value| value as u8);
            let high = block.map(|value| (value >> 8) as u8);
            let class = if classed { near.class() } else { 0 };
            if let Some(stream) = self.low.get_mut(class) {
                stream.extend_from_slice(&low);
            }
            if wide {
                self.high.extend_from_slice(&high);
            }
            near.push(sum(low, high));
        }
    }

    /// The residuals of `plane.len()` samples out of the streams; `None` where those run short or over.
    pub(super) fn unsort(&mut self, plane: &mut [i16], row: usize, wide: bool) -> Option<()> {
        let classed = plane.len() >= CLASSED_MIN;
        let mut near = Neighbours::new(&mut self.sums, row, plane.len());
        let mut low: [&[u8]; CLASSES] = self.low.each_ref().map(Vec::as_slice);
        let mut high = self.high.as_slice();
        let mut next = || {
            let class = if classed { near.class() } else { 0 };
            let stream = low.get_mut(class)?;
            let (bytes, rest) = stream.split_first_chunk::<BLOCK>()?;
            *stream = rest;
            let over = if wide {
                let (bytes, rest) = high.split_first_chunk::<BLOCK>()?;
                high = rest;
                *bytes
            } else {
                [0; BLOCK]
            };
            near.push(sum(*bytes, over));
            let mut block = [0_i16; BLOCK];
            for ((slot, low), high) in block.iter_mut().zip(bytes).zip(over) {
                *slot = unfold(u16::from_le_bytes([*low, high]));
            }
            Some(block)
        };
        let mut blocks = plane.chunks_exact_mut(BLOCK);
        for block in &mut blocks {
            block.copy_from_slice(&next()?);
        }
        let last = blocks.into_remainder();
        if !last.is_empty() {
            let block = next()?;
            last.iter_mut()
                .zip(block)
                .for_each(|(slot, value)| *slot = value);
        }
        (high.is_empty() && low.iter().all(|stream| stream.is_empty())).then_some(())
    }
}

/// Magnitude of a block: at most 8 x 4,095.
#[inline(always)]
fn sum(low: [u8; BLOCK], high: [u8; BLOCK]) -> u16 {
    low.iter()
        .zip(high)
        .map(|(low, high)| u16::from_le_bytes([*low, high.min(HIGH_MAX)]))
        .sum()
}

/// The magnitudes of the blocks so far.
struct Neighbours<'a> {
    sums: &'a mut Vec<u16>,
    /// Blocks from one row to the next, about.
    row: usize,
}

impl<'a> Neighbours<'a> {
    fn new(sums: &'a mut Vec<u16>, row: usize, samples: usize) -> Self {
        sums.clear();
        sums.reserve(samples / BLOCK + 1);
        Self {
            sums,
            row: (row / BLOCK).max(2),
        }
    }

    fn push(&mut self, sum: u16) {
        self.sums.push(sum);
    }

    /// The class of the next block: the binary order of magnitude of those around it.
    #[inline(always)]
    fn class(&self) -> usize {
        let before = self.sums.last().copied().unwrap_or(0);
        let above = self.sums.len().checked_sub(self.row);
        let (up, up_right) = match above.and_then(|at| self.sums.get(at..at + 2)) {
            Some([up, up_right]) => (*up, *up_right),
            _ => (before, before),
        };
        let around = u32::from(up) * 2 + u32::from(before) + u32::from(up_right);
        match around.checked_ilog2() {
            None => 0,
            Some(order) => (order.saturating_sub(2) as usize).clamp(1, CLASSES - 1),
        }
    }
}
