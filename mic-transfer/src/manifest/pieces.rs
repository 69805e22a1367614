//! Pieces of PixelData with digests of their own: the same pixels are known under another header.

use alloc::vec::Vec;
use core::ops::Range;

use super::PixelRange;
use crate::limits::{PIECE_BYTES_MIN, PIECES_MAX};
use crate::{Digest, Run};

/// The pieces of an instance: parts of its PixelData in file order, each with its plain BLAKE3 (XFR-70).
///
/// ```
/// use mic_transfer::{Digest, PieceHasher, PixelRange};
/// let file = vec![7; 10_000];
/// let pixels = PixelRange::new(1000, 9000).unwrap();
/// let mut hasher = PieceHasher::new(pixels, &[]);
/// hasher.update(&file);
/// let pieces = hasher.finish().unwrap();
/// assert_eq!(pieces.range(0), Some(pixels));
/// assert_eq!(pieces.digest(0), Some(&Digest::of(&file[1000..])));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    places: Places,
    digests: Vec<Digest>,
}

/// One form for one value: pieces that touch and are of one length are always `Even`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Places {
    /// One behind the other, each of this length.
    Even {
        offset: u64,
        length: u64,
    },
    Listed(Vec<PixelRange>),
}

impl Pieces {
    /// These pieces, in file order.
    ///
    /// # Errors
    /// [`PiecesError`] for none or too many, one that is too short, or that does not follow the one before
    /// within 4 GiB.
    pub fn new(
        pieces: impl IntoIterator<Item = (PixelRange, Digest)>,
    ) -> Result<Self, PiecesError> {
        let (mut ranges, mut digests) = (Vec::new(), Vec::new());
        for (range, digest) in pieces {
            if ranges.len() >= PIECES_MAX {
                return Err(PiecesError::Count);
            }
            ranges.push(range);
            digests.push(digest);
        }
        let places = Places::of(ranges)?;
        Ok(Self { places, digests })
    }

    /// Pieces one behind the other, each of `length` bytes.
    pub(super) fn even(first: PixelRange, digests: Vec<Digest>) -> Result<Self, PiecesError> {
        let (offset, length) = (first.offset(), first.length());
        let end = length.checked_mul(digests.len() as u64);
        let end = end.and_then(|bytes| bytes.checked_add(offset));
        if digests.is_empty() || digests.len() > PIECES_MAX {
            return Err(PiecesError::Count);
        }
        if length < PIECE_BYTES_MIN {
            return Err(PiecesError::Short { found: length });
        }
        end.ok_or(PiecesError::Order)?;
        let places = Places::Even { offset, length };
        Ok(Self { places, digests })
    }

    /// How many: at least one.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.digests.len()).unwrap_or(u32::MAX)
    }

    /// Where a piece lies in the file.
    #[must_use]
    pub fn range(&self, piece: u32) -> Option<PixelRange> {
        match &self.places {
            Places::Even { offset, length } if piece < self.count() => {
                let before = u64::from(piece).checked_mul(*length)?;
                PixelRange::new(offset.checked_add(before)?, *length)
            }
            Places::Even { .. } => None,
            Places::Listed(ranges) => ranges.get(piece as usize).copied(),
        }
    }

    /// BLAKE3 of a piece.
    #[must_use]
    pub fn digest(&self, piece: u32) -> Option<&Digest> {
        self.digests.get(piece as usize)
    }

    /// The pieces in file order.
    pub fn iter(&self) -> impl Iterator<Item = (PixelRange, &Digest)> + '_ {
        let ranges = (0..self.count()).filter_map(|piece| self.range(piece));
        ranges.zip(&self.digests)
    }

    /// The length of all where they lie one behind the other, which is how they are then written.
    pub(super) const fn even_length(&self) -> Option<u64> {
        match self.places {
            Places::Even { length, .. } => Some(length),
            Places::Listed(_) => None,
        }
    }

    /// One past the last byte of the last piece.
    pub(super) fn end(&self) -> u64 {
        let last = self.range(self.count().saturating_sub(1));
        last.map_or(0, |range| range.end())
    }

    /// The first byte of the first piece.
    pub(super) fn offset(&self) -> u64 {
        self.range(0).map_or(0, |range| range.offset())
    }

    /// Those of `bytes` of the file that lie in none of the pieces of `held`, in order (XFR-73).
    pub(crate) fn outside(&self, held: &[Run], bytes: Range<u64>) -> Vec<Range<u64>> {
        let mut parts = Vec::new();
        let mut at = bytes.start;
        let is_held = |piece: u32| {
            let at = held.partition_point(|run| run.end() <= piece);
            held.get(at).is_some_and(|run| run.first() <= piece)
        };
        for (_, range) in self.touching(&bytes).filter(|(piece, _)| is_held(*piece)) {
            let begin = range.offset().max(at);
            if begin > at {
                parts.push(at..begin);
            }
            at = range.end().clamp(at, bytes.end);
        }
        if at < bytes.end {
            parts.push(at..bytes.end);
        }
        parts
    }

    /// The pieces that have bytes in `bytes`, in order: at most one for each 4 KiB and one.
    pub(crate) fn touching(
        &self,
        bytes: &Range<u64>,
    ) -> impl Iterator<Item = (u32, PixelRange)> + '_ {
        self.touched(bytes)
            .filter_map(|piece| Some((piece, self.range(piece)?)))
    }

    fn touched(&self, bytes: &Range<u64>) -> Range<u32> {
        let (first, end) = match &self.places {
            Places::Even { offset, length } => {
                let first = bytes.start.saturating_sub(*offset).checked_div(*length);
                let end = bytes.end.saturating_sub(*offset).div_ceil((*length).max(1));
                (first.unwrap_or(0), end)
            }
            Places::Listed(ranges) => {
                let first = ranges.partition_point(|range| range.end() <= bytes.start);
                let end = ranges.partition_point(|range| range.offset() < bytes.end);
                (first as u64, end as u64)
            }
        };
        let bound = |at: u64| u32::try_from(at).map_or(self.count(), |at| at.min(self.count()));
        bound(first)..bound(end)
    }
}

impl Places {
    fn of(ranges: Vec<PixelRange>) -> Result<Self, PiecesError> {
        let first = *ranges.first().ok_or(PiecesError::Count)?;
        let mut even = true;
        let mut before: Option<PixelRange> = None;
        for range in &ranges {
            if range.length() < PIECE_BYTES_MIN {
                let found = range.length();
                return Err(PiecesError::Short { found });
            }
            even &= range.length() == first.length();
            if let Some(before) = before {
                let gap = range.offset().checked_sub(before.end());
                let gap = gap.ok_or(PiecesError::Order)?;
                even &= gap == 0;
                u32::try_from(gap).map_err(|_| PiecesError::Apart)?;
            }
            before = Some(*range);
        }
        if even {
            let (offset, length) = (first.offset(), first.length());
            return Ok(Self::Even { offset, length });
        }
        let long = ranges
            .iter()
            .any(|range| u32::try_from(range.length()).is_err());
        if long {
            return Err(PiecesError::Apart);
        }
        Ok(Self::Listed(ranges))
    }
}

/// Why ranges make no pieces.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PiecesError {
    /// None, or more than [`PIECES_MAX`].
    #[error("expected 1 to 65536 pieces, found another count")]
    Count,
    /// Shorter than [`PIECE_BYTES_MIN`].
    #[error("expected pieces of at least 4096 bytes, found {found}")]
    Short {
        /// Bytes of the piece.
        found: u64,
    },
    /// Pieces that overlap or do not rise.
    #[error("expected pieces one behind the other, found them out of order")]
    Order,
    /// Several pieces, of which one is longer than 4 GiB or that far from the one before.
    #[error("expected pieces and gaps below 4 GiB, found a longer one")]
    Apart,
}

/// Hashes the pieces of a file as its bytes come, beside whatever else is computed of them (XFR-71).
#[derive(Debug, Clone)]
pub struct PieceHasher {
    ranges: Vec<PixelRange>,
    /// Bytes of the file that have come.
    at: u64,
    hasher: blake3::Hasher,
    digests: Vec<Digest>,
}

impl PieceHasher {
    /// The pieces of a file with these pixels: its frames, where `frames` are such that each can be a piece,
    /// else the whole value, if it is long enough.
    #[must_use]
    pub fn new(pixels: PixelRange, frames: &[PixelRange]) -> Self {
        let within = frames
            .first()
            .is_some_and(|first| first.offset() >= pixels.offset())
            && frames.last().is_some_and(|last| last.end() <= pixels.end());
        let fit = within && frames.len() <= PIECES_MAX && Places::of(frames.to_vec()).is_ok();
        let ranges = if fit {
            frames.to_vec()
        } else if pixels.length() >= PIECE_BYTES_MIN {
            Vec::from([pixels])
        } else {
            Vec::new()
        };
        Self {
            ranges,
            at: 0,
            hasher: blake3::Hasher::new(),
            digests: Vec::new(),
        }
    }

    /// Takes the next bytes of the file, in any portions.
    pub fn update(&mut self, bytes: &[u8]) {
        let end = self.at.saturating_add(bytes.len() as u64);
        while let Some(range) = self.ranges.get(self.digests.len()) {
            let within = |place: u64| {
                let place = place.clamp(self.at, end) - self.at;
                usize::try_from(place).unwrap_or(bytes.len())
            };
            let part = bytes.get(within(range.offset())..within(range.end()));
            self.hasher.update(part.unwrap_or(&[]));
            if range.end() > end {
                break;
            }
            let digest = self.hasher.finalize();
            self.digests.push(Digest::from_bytes(*digest.as_bytes()));
            self.hasher.reset();
        }
        self.at = end;
    }

    /// The pieces; `None` where there are none, or the file ended before the last of them.
    #[must_use]
    pub fn finish(self) -> Option<Pieces> {
        if self.digests.len() != self.ranges.len() {
            return None;
        }
        Pieces::new(self.ranges.into_iter().zip(self.digests)).ok()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    fn range(offset: u64, length: u64) -> PixelRange {
        PixelRange::new(offset, length).unwrap()
    }

    fn made(ranges: &[(u64, u64)]) -> Result<Pieces, PiecesError> {
        let digest = Digest::of(b"piece");
        Pieces::new(ranges.iter().map(|(at, of)| (range(*at, *of), digest)))
    }

    #[test]
    fn ok_pieces_that_touch_and_are_alike_have_one_form() {
        let even = made(&[(10, 5000), (5010, 5000)]).unwrap();
        let digests = vec![Digest::of(b"piece"); 2];
        assert_eq!(even, Pieces::even(range(10, 5000), digests).unwrap());
        assert_eq!(even.even_length(), Some(5000));
        assert_eq!(even.end(), 10_010);
        for apart in [[(10, 5000), (5011, 5000)], [(10, 5000), (5010, 5001)]] {
            assert_eq!(made(&apart).unwrap().even_length(), None);
        }
    }

    #[test]
    fn err_what_is_no_list_of_pieces() {
        assert_eq!(made(&[]), Err(PiecesError::Count));
        assert_eq!(made(&[(0, 4095)]), Err(PiecesError::Short { found: 4095 }));
        assert_eq!(made(&[(0, 5000), (4999, 5000)]), Err(PiecesError::Order));
        assert_eq!(made(&[(9000, 5000), (0, 5000)]), Err(PiecesError::Order));
        assert_eq!(made(&[(0, 5000), (1 << 33, 5000)]), Err(PiecesError::Apart));
        assert_eq!(made(&[(0, 5000), (5000, 1 << 33)]), Err(PiecesError::Apart));
        let digests = vec![Digest::of(b"piece"); PIECES_MAX + 1];
        let many = Pieces::even(range(0, 5000), digests);
        assert_eq!(many, Err(PiecesError::Count));
        let far = Pieces::even(range(5000, u64::MAX - 5000), vec![Digest::of(b""); 2]);
        assert_eq!(far, Err(PiecesError::Order));
    }

    #[test]
    fn ok_frames_that_cannot_be_pieces_are_one_piece() {
        let whole = range(100, 20_000);
        let of = |frames: &[PixelRange]| {
            let mut hasher = PieceHasher::new(whole, frames);
            hasher.update(&[5; 30_000]);
            hasher.finish().map(|pieces| pieces.count())
        };
        assert_eq!(of(&[range(100, 9000), range(9100, 9000)]), Some(2));
        for odd in [
            &[][..],
            &[range(100, 9000), range(9000, 9000)],
            &[range(0, 9000)],
            &[range(19_000, 9000)],
            &[range(100, 100), range(200, 9000)],
        ] {
            assert_eq!(of(odd), Some(1), "{odd:?}");
        }
        assert!(PieceHasher::new(range(0, 4095), &[]).finish().is_none());
        let mut cut = PieceHasher::new(whole, &[]);
        cut.update(&[5; 20_099]);
        assert!(cut.finish().is_none());
    }

    proptest! {
        /// Against one flag a byte.
        #[test]
        fn ok_outside_and_held_cover_any_bytes_once(
            lengths in proptest::collection::vec((0_u64..3, 4096_u64..6000), 1..20),
            alike in any::<bool>(),
            runs in proptest::collection::vec((0_u32..20, 1_u32..4), 0..6),
            first in 0_u64..60_000,
            length in 0_u64..30_000,
        ) {
            let mut at = 777;
            let mut ranges = Vec::new();
            for (gap, length) in lengths {
                let (gap, length) = if alike { (0, 5000) } else { (gap, length) };
                ranges.push((at + gap, length));
                at += gap + length;
            }
            let pieces = made(&ranges).unwrap();
            let mut held = crate::RangeSet::new();
            for (first, count) in runs {
                held.insert(Run::new(first, count).unwrap());
            }
            let held: Vec<Run> = held.runs().collect();
            let bytes = first..first + length;
            let is_held = |place: u64| ranges.iter().enumerate().any(|(at, (offset, length))| {
                let at = at as u32;
                (*offset..offset + length).contains(&place)
                    && held.iter().any(|run| (run.first()..run.end()).contains(&at))
            });
            let outside = pieces.outside(&held, bytes.clone());
            prop_assert!(outside.iter().all(|part| part.start < part.end));
            prop_assert!(outside.windows(2).all(|two| two[0].end < two[1].start));
            for place in bytes {
                let found = outside.iter().any(|part| part.contains(&place));
                prop_assert_eq!(found, !is_held(place));
            }
        }

        #[test]
        fn ok_portions_do_not_matter(
            portions in proptest::collection::vec(1_usize..9000, 1..12),
            offset in 0_u64..5000,
            gap in 0_u64..3,
        ) {
            let file: Vec<u8> = (0..40_000_u32).map(|at| (at * 31 % 251) as u8).collect();
            let frames = [range(offset, 8000), range(offset + 8000 + gap, 8000)];
            let whole = range(offset, 16_000 + gap);
            let mut hasher = PieceHasher::new(whole, &frames);
            let mut rest = &file[..];
            for portion in portions.into_iter().cycle() {
                let (now, after) = rest.split_at(portion.min(rest.len()));
                hasher.update(now);
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            let pieces = hasher.finish().unwrap();
            for (range, digest) in pieces.iter() {
                let bytes = &file[range.offset() as usize..range.end() as usize];
                prop_assert_eq!(*digest, Digest::of(bytes));
            }
            prop_assert_eq!(pieces.count(), 2);
        }
    }
}
