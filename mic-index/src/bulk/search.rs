//! Duplicates and collisions, first pass: every row is kept as an entry, sorted in runs.

use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;

use super::entry::Entry;
use super::error::BulkError;
use super::merge::{Findings, Run, Runs, Watch};
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
/// Ten million rows need 880 MB of memory and disk together, and up to twice as much on disk while runs are
/// merged. Runs are merged as they become many, so that the search has at most some two hundred of them,
/// and as many files of a [`Folder`](super::Folder), open at once, whatever the number of rows.
pub struct Search<S: Spill> {
    spill: S,
    entries: Vec<Entry>,
    /// Entries that memory is allowed for.
    entries_max: usize,
    runs: Runs<S::Run>,
    spilled: u64,
    /// What went wrong while runs were merged: rows are lost then, and it is told again.
    failed: Option<BulkError>,
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
            runs: Runs::default(),
            spilled: 0,
            failed: None,
        }
    }

    /// Takes a row into account.
    ///
    /// # Errors
    ///
    /// [`BulkError::Spill`]. The row was not taken then; give it again or drop the search. Where merging
    /// failed, every further call fails alike.
    pub fn add(&mut self, row: &Row) -> Result<(), BulkError> {
        if self.entries.len() >= self.entries_max {
            self.spill_run(&mut Watch::new(&mut |_| ControlFlow::Continue(())))?;
        }
        if self.entries.len() == self.entries.capacity() {
            self.entries
                .reserve_exact(growth(self.entries.len(), self.entries_max));
        }
        self.entries.push(Entry::of(row));
        Ok(())
    }

    fn spill_run(&mut self, watch: &mut Watch<'_>) -> Result<(), BulkError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let memory = self.memory();
        if self.runs.is_full(memory) {
            // In two steps, so that the memory is that of the entries or that of merging.
            self.write_run()?;
            self.entries = Vec::new();
            let merged = self.runs.merge(&mut self.spill, memory, watch);
            return merged.inspect_err(|error| self.failed = Some(*error));
        }
        self.write_run()
    }

    /// Bytes that may be used.
    const fn memory(&self) -> usize {
        self.entries_max * ENTRY_LEN
    }

    fn write_run(&mut self) -> Result<(), BulkError> {
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

    /// Ends the first pass. Where rows were spilled this may take as long as writing them did;
    /// [`finish_with`](Self::finish_with) can be watched and stopped.
    ///
    /// # Errors
    ///
    /// [`BulkError::Spill`].
    pub fn finish(self) -> Result<Findings<S>, BulkError> {
        self.finish_with(|_| ControlFlow::Continue(()))
    }

    /// Ends the first pass, and asks `watch` after every [`ROWS_PER_LOOK`](super::ROWS_PER_LOOK) rows merged whether to go
    /// on; it is told their number. The same row is merged more than once where there are very many.
    ///
    /// The rows in memory are sorted without asking, which the memory allowed bounds. A stopped search is gone, and its
    /// runs with it.
    ///
    /// # Errors
    ///
    /// [`BulkError::Spill`]; [`BulkError::Stopped`] where `watch` breaks.
    pub fn finish_with(
        mut self,
        mut watch: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Findings<S>, BulkError> {
        let watch = &mut Watch::new(&mut watch);
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !self.runs.is_empty() && !self.entries.is_empty() {
            self.spill_run(watch)?;
        }
        self.entries.sort_unstable();
        let memory = self.memory();
        if !self.runs.is_empty() {
            // Merging has the memory now.
            self.entries = Vec::new();
        }
        Findings::new(
            self.entries,
            self.runs.into_all(),
            self.spill,
            memory,
            watch,
        )
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

/// How many entries more to make room for. A block that grows may be copied, and old and new are there
/// at once: doubling goes on while both have room within the bound, and the last step goes to the bound
/// at once, of which only what was copied is in use.
const fn growth(len: usize, max: usize) -> usize {
    if len > max / 4 || max <= 4 * ENTRIES_MIN {
        max.saturating_sub(len)
    } else if len < ENTRIES_MIN {
        // Never beyond the bound, which is no smaller.
        ENTRIES_MIN - len
    } else {
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_growing_keeps_old_and_new_entries_within_the_bound() {
        for max in (ENTRIES_MIN..5_000).chain([1 << 20, (1 << 20) + 1]) {
            let mut len = 0;
            while len < max {
                let more = growth(len, max);
                assert!(more > 0 && len + more <= max, "IDX-91: {len} of {max}");
                // The entries themselves, before and after they were copied.
                assert!(2 * len <= max, "IDX-91: {len} of {max}");
                len += more;
            }
        }
    }
}
