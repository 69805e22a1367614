//! Which bytes of a file are its pixels, and which are each frame.

use alloc::vec::Vec;
use core::ops::Range;

use super::PixelLayout;
use super::fault::Finding;
use super::values::Met;

/// The pixels of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pixels {
    /// One value of plain samples.
    Native {
        /// The bytes of the value.
        range: Range<u64>,
        /// How its samples are laid out; `None` where the header does not say or contradicts the value.
        layout: Option<PixelLayout>,
    },
    /// Fragments of compressed frames.
    Encapsulated(Fragments),
    /// A value that the transfer syntax says is compressed, not cut into fragments (which PS3.5 forbids).
    Opaque(
        /// The bytes of the value.
        Range<u64>,
    ),
}

impl Pixels {
    /// From the first byte of the value to its last; of encapsulated pixels from the offset table to the last
    /// fragment.
    #[must_use]
    pub const fn range(&self) -> &Range<u64> {
        match self {
            Self::Native { range, .. } | Self::Opaque(range) => range,
            Self::Encapsulated(fragments) => &fragments.range,
        }
    }

    /// The bytes of a frame, counted from 0, in the pieces in which they lie in the file; empty where the file
    /// does not say.
    #[must_use]
    pub fn frame(&self, frame: u32) -> Vec<Range<u64>> {
        match self {
            Self::Native { layout, .. } => layout
                .as_ref()
                .and_then(|layout| layout.frame(frame))
                .into_iter()
                .collect(),
            Self::Encapsulated(fragments) => fragments.frame(frame).to_vec(),
            Self::Opaque(_) => Vec::new(),
        }
    }
}

/// Encapsulated pixels (PS3.5 annex A.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragments {
    range: Range<u64>,
    fragments: Vec<Range<u64>>,
    /// The first fragment of each frame; empty where unknown.
    firsts: Vec<u32>,
}

impl Fragments {
    /// Each fragment's bytes, without the item headers; the offset table is none of them.
    #[must_use]
    pub fn fragments(&self) -> &[Range<u64>] {
        &self.fragments
    }

    /// How many frames can be told apart.
    #[must_use]
    pub fn frames(&self) -> u32 {
        u32::try_from(self.firsts.len()).unwrap_or(u32::MAX)
    }

    /// The fragments of a frame, counted from 0; empty where the file does not say.
    #[must_use]
    pub fn frame(&self, frame: u32) -> &[Range<u64>] {
        let bound = |frame: usize| self.firsts.get(frame).map(|first| *first as usize);
        let Some(first) = bound(frame as usize) else {
            return &[];
        };
        let end = bound(frame as usize + 1).unwrap_or(self.fragments.len());
        self.fragments.get(first..end).unwrap_or_default()
    }

    /// Finds where frames begin: by the offset table, or one fragment a frame, or one frame.
    pub(super) fn new(met: Met, frames: u32, findings: &mut Vec<Finding>) -> Option<Self> {
        let Met::Encapsulated {
            range,
            offsets,
            fragments,
        } = met
        else {
            return None;
        };
        let count = u32::try_from(fragments.len()).unwrap_or(u32::MAX);
        let firsts = if fragments.is_empty() {
            Vec::new()
        } else if frames == 1 {
            alloc::vec![0]
        } else if let Some(firsts) = by_offsets(&offsets, &fragments, frames) {
            firsts
        } else if count == frames {
            (0..count).collect()
        } else {
            findings.push(Finding::FramesUnknown);
            Vec::new()
        };
        Some(Self {
            range,
            fragments,
            firsts,
        })
    }
}

/// The fragment at each offset of the table, if every one is the header of a fragment and they rise.
fn by_offsets(offsets: &[u32], fragments: &[Range<u64>], frames: u32) -> Option<Vec<u32>> {
    /// Tag and length of an item.
    const ITEM_HEAD_BYTES: u64 = 8;
    if u32::try_from(offsets.len()) != Ok(frames) || offsets.first() != Some(&0) {
        return None;
    }
    let base = fragments.first()?.start.checked_sub(ITEM_HEAD_BYTES)?;
    let mut firsts = Vec::with_capacity(offsets.len());
    for offset in offsets {
        let begin = base
            .checked_add(u64::from(*offset))?
            .checked_add(ITEM_HEAD_BYTES)?;
        let first = fragments
            .binary_search_by_key(&begin, |fragment| fragment.start)
            .ok()?;
        let first = u32::try_from(first).ok()?;
        if firsts.last().is_some_and(|last| *last >= first) {
            return None;
        }
        firsts.push(first);
    }
    Some(firsts)
}
