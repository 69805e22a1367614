//! A coded chunk back to its bytes, within a bound.

use alloc::vec::Vec;
use core::fmt;

use super::classes::Sorted;
use super::hint::{COMPONENTS_MAX, Layout, Region};
use super::streams::Unpacker;
use super::{planes, predict};
use crate::limits::CHUNK_BYTES;
use crate::wire::Codec;

/// Bits of the first byte of coded samples.
mod flag {
    pub(super) const WIDE: u8 = 1;
    pub(super) const BIG_ENDIAN: u8 = 1 << 1;
    pub(super) const UNSIGNED: u8 = 1 << 2;
    pub(super) const GREEN: u8 = 1 << 3;
    /// Components less one.
    pub(super) const COMPONENTS: u8 = 4;
    pub(super) const KNOWN: u8 = 0x3F;
}

impl Region {
    pub(super) const fn flags(&self, green: bool) -> u8 {
        let Layout {
            wide,
            big_endian,
            unsigned,
            components,
        } = self.layout;
        let mut flags = components.saturating_sub(1) << flag::COMPONENTS;
        if wide {
            flags |= flag::WIDE;
        }
        if big_endian {
            flags |= flag::BIG_ENDIAN;
        }
        if unsigned {
            flags |= flag::UNSIGNED;
        }
        if green {
            flags |= flag::GREEN;
        }
        flags
    }

    /// Reads the head of coded samples of a chunk of `length` bytes: one form for one meaning.
    fn read(rest: &mut &[u8], length: usize) -> Result<(Self, bool), CodingError> {
        let (head, after) = rest.split_first_chunk::<13>().ok_or(CodingError::Cut)?;
        *rest = after;
        let [flags, a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3] = *head;
        let region = Self {
            start: u32::from_le_bytes([a0, a1, a2, a3]),
            bytes: u32::from_le_bytes([b0, b1, b2, b3]),
            layout: Layout {
                wide: flags & flag::WIDE != 0,
                big_endian: flags & flag::BIG_ENDIAN != 0,
                unsigned: flags & flag::UNSIGNED != 0,
                components: (flags >> flag::COMPONENTS) + 1,
            },
            row: u32::from_le_bytes([c0, c1, c2, c3]),
        };
        let layout = region.layout;
        let green = flags & flag::GREEN != 0;
        let end = u64::from(region.start) + u64::from(region.bytes);
        let fits = flags & !flag::KNOWN == 0
            && layout.components <= COMPONENTS_MAX
            && (layout.wide || !(layout.big_endian || layout.unsigned))
            && (!green || layout.components == 3)
            && end <= length as u64
            && region.bytes > 0
            && region.bytes % layout.pixel_bytes() == 0
            && region.row > 0;
        if fits {
            Ok((region, green))
        } else {
            Err(CodingError::Header)
        }
    }
}

/// Decodes chunks; keeps its buffers and zstd's tables.
///
/// Whatever the bytes say, a call allocates no more than a few times the length that the caller expects,
/// itself at most [`CHUNK_BYTES`], and works in proportion to that and to the bytes given. That what comes out
/// is right is for the digest to say.
pub struct Decoder {
    unpacker: Unpacker,
    component: Vec<i16>,
    green: Vec<i16>,
    sorted: Sorted,
    rest: Vec<u8>,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder.
    #[must_use]
    pub fn new() -> Self {
        Self {
            unpacker: Unpacker::new(),
            component: Vec::new(),
            green: Vec::new(),
            sorted: Sorted::default(),
            rest: Vec::new(),
        }
    }

    /// The chunk of exactly `length` bytes into `out`, in place of what is there.
    ///
    /// # Errors
    /// [`CodingError`] says what is wrong with the coded bytes, which is their sender's fault; `out` then
    /// holds nothing of use.
    pub fn decode(
        &mut self,
        codec: Codec,
        coded: &[u8],
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CodingError> {
        if length > CHUNK_BYTES {
            return Err(CodingError::Length {
                expected: CHUNK_BYTES,
                found: length,
            });
        }
        match codec {
            Codec::Raw => {
                out.clear();
                out.extend_from_slice(coded);
                let found = coded.len();
                if found == length {
                    Ok(())
                } else {
                    Err(CodingError::Length {
                        expected: length,
                        found,
                    })
                }
            }
            Codec::Zstd => self.unpacker.unpack(coded, length, out),
            Codec::Samples => self.decode_samples(coded, length, out),
        }
    }

    fn decode_samples(
        &mut self,
        mut coded: &[u8],
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CodingError> {
        let (region, green) = Region::read(&mut coded, length)?;
        let Region {
            start,
            bytes,
            layout,
            row,
        } = region;
        let (start, bytes, row) = (start as usize, bytes as usize, row as usize);
        let others = length - bytes;
        self.unpacker.take(&mut coded, others, &mut self.rest)?;
        if self.rest.len() != others {
            let found = self.rest.len();
            return Err(CodingError::Length {
                expected: others,
                found,
            });
        }
        // What is there is written over, by the other bytes and the samples.
        out.resize(length, 0);
        let (before, samples) = out.split_at_mut_checked(start).ok_or(CodingError::Header)?;
        let (samples, after) = samples
            .split_at_mut_checked(bytes)
            .ok_or(CodingError::Header)?;
        let (head, tail) = self
            .rest
            .split_at_checked(start)
            .ok_or(CodingError::Header)?;
        before.copy_from_slice(head);
        after.copy_from_slice(tail);
        let count = bytes / layout.pixel_bytes() as usize;
        // Red and blue follow green, so green is first understood and they are mended after it.
        for component in 0..layout.components {
            self.take_component(&mut coded, count, row, layout.wide)?;
            planes::join(&self.component, layout, component, samples);
        }
        if green {
            planes::split(samples, layout, 1, &mut self.green);
            for component in [0, 2] {
                planes::split(samples, layout, component, &mut self.component);
                self.component
                    .iter_mut()
                    .zip(&self.green)
                    .for_each(|(sample, green)| {
                        *sample = planes::plus(*sample, *green, layout.wide);
                    });
                planes::join(&self.component, layout, component, samples);
            }
        }
        if coded.is_empty() {
            Ok(())
        } else {
            Err(CodingError::Trailing { found: coded.len() })
        }
    }

    fn take_component(
        &mut self,
        coded: &mut &[u8],
        count: usize,
        row: usize,
        wide: bool,
    ) -> Result<(), CodingError> {
        let most = count.next_multiple_of(super::classes::BLOCK);
        let mut left = most;
        self.sorted.high.clear();
        if wide {
            self.unpacker.take(coded, most, &mut self.sorted.high)?;
        }
        for low in &mut self.sorted.low {
            let unpacker = &mut self.unpacker;
            low.fill(|buffer| unpacker.take(coded, left, buffer))?;
            left -= low.bytes().len();
        }
        self.component.resize(count, 0);
        self.sorted
            .unsort(&mut self.component, row, wide)
            .ok_or(CodingError::Streams)?;
        predict::restore(&mut self.component, row, wide);
        Ok(())
    }
}

/// What is wrong with a coded chunk: the side that coded it is at fault.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    /// It ends before it should.
    #[error("expected more bytes of a coded chunk")]
    Cut,
    /// Bytes are left over.
    #[error("expected the end of a coded chunk, found {found} bytes more")]
    Trailing {
        /// How many.
        found: usize,
    },
    /// Its head breaks the grammar or passes the chunk.
    #[error("expected the head of a coded chunk, found other bytes")]
    Header,
    /// It holds another number of bytes than it must.
    #[error("expected {expected} bytes in a coded chunk, found {found}")]
    Length {
        /// What was to come out.
        expected: usize,
        /// What did, or would.
        found: usize,
    },
    /// A stream is no frame of zstd, or holds more than it says.
    #[error("expected a frame of zstd of the length said, found other bytes")]
    Stream,
    /// The streams of residuals do not fit each other.
    #[error("expected streams of residuals that fit the samples, found others")]
    Streams,
    /// No memory for zstd's tables, or the codec is not in this build: this side's fault.
    #[error("could not set up the decoder")]
    Unavailable,
}
