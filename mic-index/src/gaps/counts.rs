//! What a report adds up to.

use super::merge::GapRow;
use super::sides::{Side, Sides};

/// Rows by combination of sides, and what stands beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct GapCounts {
    /// By the bits of the sides; the first is not used.
    rows: [u64; 8],
    not_indexable: u64,
    /// By side.
    repeated: [u64; Side::ALL.len()],
}

impl GapCounts {
    pub(super) fn add(&mut self, row: &GapRow) {
        if let Some(count) = self.rows.get_mut(usize::from(row.sides().bits())) {
            *count += 1;
        }
        self.not_indexable += u64::from(row.is_not_indexable());
    }

    pub(super) fn set_repeated(&mut self, side: Side, repeated: u64) {
        if let Some(count) = self.repeated.get_mut(side as usize) {
            *count = repeated;
        }
    }

    /// Rows with exactly these sides.
    #[must_use]
    pub fn of(&self, sides: Sides) -> u64 {
        self.rows
            .get(usize::from(sides.bits()))
            .copied()
            .unwrap_or_default()
    }

    /// All rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// Rows of exams that can have no index code; part of the rows without index, and not to be
    /// blamed for it.
    #[must_use]
    pub const fn not_indexable(&self) -> u64 {
        self.not_indexable
    }

    /// Entries of a list that repeat the one before and were counted once.
    #[must_use]
    pub fn repeated(&self, side: Side) -> u64 {
        self.repeated
            .get(side as usize)
            .copied()
            .unwrap_or_default()
    }
}
