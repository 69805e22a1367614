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
    pub(super) low: [Stream; CLASSES],
    /// The low bytes in the order of the samples.
    plane: Vec<u8>,
    sums: Vec<u16>,
}

/// Bytes of one class. The buffer is kept longer than what it holds, so that a block is written without
/// asking for room.
#[derive(Debug, Default)]
pub(super) struct Stream {
    buffer: Vec<u8>,
    length: usize,
}

impl Stream {
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// Gives the buffer out to be filled, in place of what it holds.
    pub(super) fn fill<E>(
        &mut self,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let filled = fill(&mut self.buffer);
        self.length = self.buffer.len();
        filled
    }

    fn empty(&mut self, room: usize) {
        self.length = 0;
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
    }

    #[inline(always)]
    fn put(&mut self, block: &[u8]) {
        let end = self.length + BLOCK;
        if let Some(room) = self.buffer.get_mut(self.length..end) {
            room.copy_from_slice(block);
            self.length = end;
        }
    }
}

impl Sorted {
    /// Sorts folded residuals of rows of `row`; the last block is filled up with zeros.
    pub(super) fn sort(&mut self, folded: &[u16], row: usize, wide: bool) {
        let padded = folded.len().next_multiple_of(BLOCK);
        let classed = folded.len() >= CLASSED_MIN;
        self.plane.clear();
        self.plane.extend(folded.iter().map(|value| *value as u8));
        self.plane.resize(padded, 0);
        self.high.clear();
        if wide {
            self.high
                .extend(folded.iter().map(|value| (*value >> 8) as u8));
            self.high.resize(padded, 0);
        }
        let others = if classed { padded } else { 0 };
        for (class, stream) in self.low.iter_mut().enumerate() {
            stream.empty(if class == 0 { padded } else { others });
        }
        if !classed {
            if let Some(stream) = self.low.first_mut() {
                self.plane
                    .chunks_exact(BLOCK)
                    .for_each(|block| stream.put(block));
            }
            return;
        }
        let mut near = Neighbours::new(&mut self.sums, row, padded);
        let mut high = self.high.chunks_exact(BLOCK);
        for block in self.plane.chunks_exact(BLOCK) {
            if let Some(stream) = self.low.get_mut(near.class()) {
                stream.put(block);
            }
            near.push(sum(word(block), high.next().map_or(0, word)));
        }
    }

    /// The residuals of `plane.len()` samples out of the streams; `None` where those run short or over.
    pub(super) fn unsort(&mut self, plane: &mut [i16], row: usize, wide: bool) -> Option<()> {
        let padded = plane.len().next_multiple_of(BLOCK);
        let classed = plane.len() >= CLASSED_MIN;
        if wide && self.high.len() != padded {
            return None;
        }
        let mut low: [&[u8]; CLASSES] = self.low.each_ref().map(Stream::bytes);
        if classed {
            if self.plane.len() != padded {
                self.plane.resize(padded, 0);
            }
            let mut near = Neighbours::new(&mut self.sums, row, padded);
            let mut high = self.high.chunks_exact(BLOCK);
            for room in self.plane.chunks_exact_mut(BLOCK) {
                let stream = low.get_mut(near.class())?;
                let (block, rest) = stream.split_at_checked(BLOCK)?;
                *stream = rest;
                room.copy_from_slice(block);
                near.push(sum(word(block), high.next().map_or(0, word)));
            }
        } else {
            let first = low.first_mut()?;
            let (block, rest) = first.split_at_checked(padded)?;
            *first = rest;
            self.plane.clear();
            self.plane.extend_from_slice(block);
        }
        if !low.iter().all(|stream| stream.is_empty()) {
            return None;
        }
        if wide {
            for ((sample, low), high) in plane.iter_mut().zip(&self.plane).zip(&self.high) {
                *sample = unfold(u16::from_le_bytes([*low, *high]));
            }
        } else {
            for (sample, low) in plane.iter_mut().zip(&self.plane) {
                *sample = unfold(u16::from(*low));
            }
        }
        Some(())
    }
}

#[inline(always)]
fn word(block: &[u8]) -> u64 {
    <[u8; BLOCK]>::try_from(block).map_or(0, u64::from_le_bytes)
}

/// Magnitude of a block: at most 8 x 4,095.
#[inline(always)]
fn sum(low: u64, high: u64) -> u16 {
    /// Every other byte, and one in the lowest place of each pair.
    const EVEN: u64 = 0x00FF_00FF_00FF_00FF;
    const ONES: u64 = 0x0001_0001_0001_0001;
    let pairs = (low & EVEN) + (low >> 8 & EVEN);
    let lows = (pairs.wrapping_mul(ONES) >> 48) as u16;
    if high == 0 {
        return lows;
    }
    let highs = high
        .to_le_bytes()
        .map(|byte| u16::from(byte.min(HIGH_MAX)) << 8);
    lows + highs.iter().sum::<u16>()
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
        sums.reserve(samples / BLOCK);
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
