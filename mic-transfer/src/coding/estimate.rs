//! Which codec is worth a try, from a few samples of a chunk.

use super::hint::{Layout, Region};
use super::predict::fold;

/// Rows looked at, spread over the region.
const ROWS: usize = 8;
/// Most samples looked at in a row.
const ROW_SAMPLES: usize = 512;
/// Bits that a folded residual costs beyond those of its magnitude: the entropy coder knows only its size.
const BITS_OVER: usize = 1;

/// Bytes that the samples will take, about: the mean magnitude of residuals in bits.
pub(super) fn predicted(bytes: &[u8], region: &Region) -> usize {
    let Layout {
        components,
        wide,
        big_endian,
        ..
    } = region.layout;
    let (pixel, left) = (
        region.layout.pixel_bytes() as usize,
        usize::from(components),
    );
    let row = (region.row as usize).saturating_mul(pixel);
    let rows = (bytes.len() / row.max(1)).max(1);
    let stride = rows.div_ceil(ROWS).max(1);
    let sample = |line: &[u8], at: usize| -> i16 {
        if wide {
            let pair = line.get(at * 2..at * 2 + 2);
            match pair {
                Some([a, b]) if big_endian => i16::from_be_bytes([*a, *b]),
                Some([a, b]) => i16::from_le_bytes([*a, *b]),
                _ => 0,
            }
        } else {
            line.get(at).map_or(0, |byte| i16::from(*byte))
        }
    };
    let (mut bits, mut seen) = (0_usize, 0_usize);
    let mut at = stride.min(rows - 1).max(usize::from(rows > 1));
    while at < rows {
        let line = bytes.get(at * row..).unwrap_or_default();
        let above = at.checked_sub(1).and_then(|at| bytes.get(at * row..));
        let samples = (row.min(line.len()) / (pixel / left)).min(ROW_SAMPLES);
        for at in left..samples {
            let (here, before) = (sample(line, at), sample(line, at - left));
            let predicted = above.map_or(before, |above| {
                let (up, up_left) = (sample(above, at), sample(above, at - left));
                before
                    .wrapping_add(up)
                    .wrapping_sub(up_left)
                    .max(before.min(up))
                    .min(before.max(up))
            });
            let folded = fold(here.wrapping_sub(predicted));
            bits += folded
                .checked_ilog2()
                .map_or(0, |order| order as usize + BITS_OVER);
            seen += 1;
        }
        at += stride;
    }
    let width = if wide { 2 } else { 1 };
    let samples = bytes.len() / width;
    match seen {
        0 => bytes.len(),
        _ => samples.saturating_mul(bits) / seen / 8,
    }
}
