//! Where the parts lie in a text that may be wrong.

use core::ops::Range;

use crate::alphabet::cells;
use crate::error::{ParseErrorKind, saturate_u16};
use crate::part::Part;

pub(crate) const HYPHEN: u8 = b'-';

/// Hyphens in the text.
pub(crate) fn hyphens(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == HYPHEN).count()
}

/// The wrong length of one part.
pub(crate) fn part_length(part: Part, found: usize) -> ParseErrorKind {
    let expected = u8::try_from(part.len()).unwrap_or(u8::MAX);
    ParseErrorKind::PartLength {
        expected,
        found: saturate_u16(found),
    }
}

/// Where a text with hyphens, but not four, first departs from the printed form (`IDX-23`).
///
/// One character, or nothing at the end of a text that stops too early.
pub(crate) fn departure(text: &[u8]) -> Range<usize> {
    let mut start = 0;
    for (part, segment) in Part::ALL
        .into_iter()
        .zip(text.split(|byte| *byte == HYPHEN))
    {
        let end = start + segment.len();
        let count = cells(segment).count();
        if let Some(cell) = cells(segment).nth(part.len()) {
            // Too long: a hyphen should stand here.
            return start + cell.start..start + cell.end;
        }
        if count < part.len() {
            // Too short: the hyphen, or the end of the text, came early.
            return end..text.len().min(end + 1);
        }
        start = end + 1;
    }
    // All parts seen are well measured: a hyphen too many, or the end.
    let at = start.saturating_sub(1).min(text.len());
    at..text.len().min(at + 1)
}
