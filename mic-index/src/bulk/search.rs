//! Duplicates and collisions, first pass: every row is kept as an entry, sorted in runs.

use alloc::vec::Vec;
use core::fmt;

use super::entry::Entry;
use super::error::BulkError;
use super::merge::{Findings, Run};
use super::row::Row;
use super::spill::Spill;

/// Bytes the search needs for a row, in memory and on disk: code (40), study (32), line (8), digest of
/// the other fields (8).
pub const ENTRY_LEN: usize = 88;

/// Entries kept in memory however little is allowed: fewer would make more runs than rows are worth.
pub const ENTRIES_MIN: usize = 16;

/// Finds rows with the key or the code of an earlier row (`IDX-58`), in as much memory as the caller
/// allows. Beyond it, sorted runs go to a [`Spill`], [`ENTRY_LEN`] bytes a row, and are merged at the end.
///
/// What is found, and its order, depends on the rows alone: not on the memory, nor on the order the
/// rows are added in. The number of its line is a row's identity; give rows of one file to one search.
/// Ten million rows need 880 MB of memory and disk together.
pub struct Search<S: Spill> {
    spill: S,
    entries: Vec<Entry>,
    /// Entries that memory is allowed for.
    entries_max: usize,
    runs: Vec<Run<S::Run>>,
    spilled: u64,
}

impl<S: Spill> Search<S> {
    /// A search that keeps at most so many bytes of entries in memory, [`ENTRIES_MIN`] of them at
    /// least. Merging takes no more.
    #[must_use]
    pub fn new(memory_bytes: usize, spill: S) -> Self {
        Self {
            spill,
            entries: Vec::new(),
            entries_max: (memory_bytes / ENTRY_LEN).max(ENTRIES_MIN),
            runs: Vec::new(),
            spilled: 0,
        }
    }

    /// Takes a row into account.
    ///
    /// # Errors
    ///
    /// [`BulkError::Spill`].
    pub fn add(&mut self, row: &Row) -> Result<(), BulkError> {
        if self.entries.len() >= self.entries_max {
            self.spill_run()?;
        }
        if self.entries.len() == self.entries.capacity() {
            // To the bound and not beyond it, so that no doubling breaks the caller's limit.
            let more = self.entries.len().max(ENTRIES_MIN);
            let more = more.min(self.entries_max - self.entries.len());
            self.entries.reserve_exact(more);
        }
        self.entries.push(Entry::of(row));
        Ok(())
    }

    fn spill_run(&mut self) -> Result<(), BulkError> {
        self.entries.sort_unstable();
        let run = self.spill.create().map_err(BulkError::spill)?;
        let run = Run::write(run, self.entries.iter().copied().map(Ok))?;
        self.spilled += run.bytes();
        self.runs.push(run);
        self.entries.clear();
        Ok(())
    }

    /// Bytes written to runs so far.
    #[must_use]
    pub const fn spilled_bytes(&self) -> u64 {
        self.spilled
    }

    /// Ends the first pass.
    ///
    /// # Errors
    ///
    /// [`BulkError::Spill`].
    pub fn finish(mut self) -> Result<Findings<S>, BulkError> {
        if !self.runs.is_empty() && !self.entries.is_empty() {
            self.spill_run()?;
        }
        self.entries.sort_unstable();
        let memory = self.entries_max * ENTRY_LEN;
        if !self.runs.is_empty() {
            // Merging has the memory now.
            self.entries = Vec::new();
        }
        Findings::new(self.entries, self.runs, self.spill, memory)
    }
}

impl<S: Spill> fmt::Debug for Search<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("entries", &self.entries.len())
            .field("runs", &self.runs.len())
            .finish_non_exhaustive()
    }
}
