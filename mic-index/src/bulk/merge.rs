//! Duplicates and collisions, second pass: the runs in one order, and what neighbours have in common.

use alloc::collections::BinaryHeap;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;
use core::ops::ControlFlow;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::counts::Found;
use super::entry::{Entry, Study};
use super::error::BulkError;
use super::ingest::Ended;
use super::search::ENTRY_LEN;
use super::spill::Spill;
use crate::record::{COLLIDED_STUDIES_MAX, CollidedStudy, Collision};

/// Runs merged at once. A search has at most this many runs of each size, and one or two more while it merges;
/// one size is this many times the one below. With 64 MiB some 130 runs do for three thousand million rows,
/// and the usual systems let a process have 256 files open at least.
pub const FAN_IN_MAX: usize = 64;

/// Entries a run is read or written by.
const PAGE_ENTRIES: usize = 186;
/// The same in bytes: four pages of memory, nearly.
const PAGE_LEN: usize = PAGE_ENTRIES * ENTRY_LEN;

/// A sorted run.
pub(super) struct Run<F> {
    file: F,
    entries: u64,
}

impl<F: Read + Write + Seek> Run<F> {
    pub(super) fn write(
        mut file: F,
        entries: impl Iterator<Item = Result<Entry, BulkError>>,
    ) -> Result<Self, BulkError> {
        let mut count = 0;
        let mut page = Vec::with_capacity(PAGE_LEN);
        for entry in entries {
            page.extend_from_slice(&entry?.to_bytes());
            count += 1;
            if page.len() >= PAGE_LEN {
                file.write_all(&page).map_err(BulkError::spill)?;
                page.clear();
            }
        }
        file.write_all(&page).map_err(BulkError::spill)?;
        file.flush().map_err(BulkError::spill)?;
        let entries = count;
        Ok(Self { file, entries })
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.entries * ENTRY_LEN as u64
    }
}

/// The runs of a search, shortest first: those written from memory, those merged of them, and so on. No
/// more of each than are merged at once, so that few are open.
pub(super) struct Runs<F> {
    levels: Vec<Vec<Run<F>>>,
}

impl<F> Default for Runs<F> {
    fn default() -> Self {
        let levels = Vec::new();
        Self { levels }
    }
}

impl<F: Read + Write + Seek> Runs<F> {
    pub(super) fn len(&self) -> usize {
        self.levels.iter().map(Vec::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.levels.iter().all(Vec::is_empty)
    }

    pub(super) fn push(&mut self, run: Run<F>) {
        push_at(&mut self.levels, 0, run);
    }

    /// Whether one run more asks for a merge.
    pub(super) fn is_full(&self, memory: usize) -> bool {
        let first = self.levels.first().map_or(0, Vec::len);
        first >= fan_in(memory)
    }

    /// Merges the runs of each size of which there are more than are merged at once at the end.
    pub(super) fn merge<S: Spill<Run = F>>(
        &mut self,
        spill: &mut S,
        memory: usize,
        watch: &mut Watch<'_>,
    ) -> Result<(), BulkError> {
        let mut level = 0;
        while let Some(runs) = self.levels.get_mut(level) {
            level += 1;
            if runs.len() > fan_in(memory) {
                let run = merge(core::mem::take(runs), spill, memory, watch)?;
                push_at(&mut self.levels, level, run);
            }
        }
        Ok(())
    }

    /// All of them, the shortest first.
    pub(super) fn into_all(self) -> Vec<Run<F>> {
        self.levels.into_iter().flatten().collect()
    }
}

fn push_at<F>(levels: &mut Vec<Vec<Run<F>>>, level: usize, run: Run<F>) {
    if let Some(runs) = levels.get_mut(level) {
        runs.push(run);
    } else {
        levels.push(vec![run]);
    }
}

/// How many runs are merged at once: a page for each and one to write.
fn fan_in(memory: usize) -> usize {
    (memory / PAGE_LEN).saturating_sub(1).clamp(2, FAN_IN_MAX)
}

/// Rows merged or looked at between two looks at the caller's wish to stop.
pub const ROWS_PER_LOOK: u64 = 4096;

/// Asks the caller now and then whether to go on while runs are merged.
pub(super) struct Watch<'a> {
    rows: u64,
    ask: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(ask: &'a mut dyn FnMut(u64) -> ControlFlow<()>) -> Self {
        Self { rows: 0, ask }
    }

    fn row(&mut self) -> Result<(), BulkError> {
        self.rows += 1;
        if self.rows % ROWS_PER_LOOK == 0 && (self.ask)(self.rows).is_break() {
            return Err(BulkError::Stopped);
        }
        Ok(())
    }
}

/// Several runs into one.
fn merge<S: Spill>(
    runs: Vec<Run<S::Run>>,
    spill: &mut S,
    memory: usize,
    watch: &mut Watch<'_>,
) -> Result<Run<S::Run>, BulkError> {
    let page = page_len(memory, runs.len());
    let mut merged = Merged::open(runs.into_iter(), page)?;
    let into = spill.create().map_err(BulkError::spill)?;
    let entries = core::iter::from_fn(|| merged.next().transpose());
    let watched = entries.map(|entry| watch.row().and(entry));
    Run::write(into, watched)
}

/// A run that is read.
struct Cursor<F> {
    run: Run<F>,
    page: Vec<u8>,
    at: usize,
}

impl<F: Read + Seek> Cursor<F> {
    fn open(mut run: Run<F>, page_len: usize) -> Result<Self, BulkError> {
        run.file
            .seek(SeekFrom::Start(0))
            .map_err(BulkError::spill)?;
        Ok(Self {
            run,
            page: vec![0; page_len],
            at: page_len,
        })
    }

    fn next(&mut self) -> Result<Option<Entry>, BulkError> {
        if self.run.entries == 0 {
            return Ok(None);
        }
        if self.at >= self.page.len() {
            let left = usize::try_from(self.run.entries)
                .unwrap_or(usize::MAX)
                .saturating_mul(ENTRY_LEN);
            self.page.truncate(left);
            self.run
                .file
                .read_exact(&mut self.page)
                .map_err(BulkError::spill)?;
            self.at = 0;
        }
        let entry = self
            .page
            .get(self.at..)
            .and_then(|rest| rest.first_chunk())
            .and_then(Entry::from_bytes)
            .ok_or_else(|| BulkError::spill(io::ErrorKind::UnexpectedEof.into()))?;
        self.at += ENTRY_LEN;
        self.run.entries -= 1;
        Ok(Some(entry))
    }
}

/// Several runs as one.
struct Merged<F> {
    cursors: Vec<Cursor<F>>,
    /// The next entry of each run that has one.
    heads: BinaryHeap<Reverse<(Entry, usize)>>,
}

impl<F: Read + Seek> Merged<F> {
    fn open(runs: impl Iterator<Item = Run<F>>, page_len: usize) -> Result<Self, BulkError> {
        let mut merged = Self {
            cursors: Vec::new(),
            heads: BinaryHeap::new(),
        };
        for (number, run) in runs.enumerate() {
            let mut cursor = Cursor::open(run, page_len)?;
            if let Some(entry) = cursor.next()? {
                merged.heads.push(Reverse((entry, number)));
            }
            merged.cursors.push(cursor);
        }
        Ok(merged)
    }

    fn next(&mut self) -> Result<Option<Entry>, BulkError> {
        let Some(mut head) = self.heads.peek_mut() else {
            return Ok(None);
        };
        let Reverse((entry, number)) = *head;
        match self.cursors.get_mut(number).map(Cursor::next).transpose()? {
            Some(Some(next)) => *head = Reverse((next, number)),
            _ => {
                alloc::collections::binary_heap::PeekMut::pop(head);
            }
        }
        Ok(Some(entry))
    }
}

/// What the search found, one finding at a time, by code and then by StudyInstanceUID and line.
///
/// The counts are those of the findings given so far; they are whole once
/// [`next_finding`](Self::next_finding) gave `None`.
pub struct Findings<S: Spill> {
    source: Entries<S::Run>,
    /// The first entry of the next key.
    ahead: Option<Entry>,
    group: Option<Group>,
    found: Found,
    /// The entry the current key began with.
    first: Option<Entry>,
    /// Runs need it to create no more, but it may hold what they stand in.
    _spill: S,
}

enum Entries<F> {
    Memory(vec::IntoIter<Entry>),
    Runs(Merged<F>),
}

/// What a row gave.
enum Step {
    Found(Finding),
    Nothing,
    End,
}

/// The keys of one code.
struct Group {
    code: Entry,
    studies: Vec<(Study, u64, u64)>,
    keys: u64,
    first_line: u64,
}

impl<S: Spill> Findings<S> {
    pub(super) fn new(
        entries: Vec<Entry>,
        mut runs: Vec<Run<S::Run>>,
        mut spill: S,
        memory: usize,
        watch: &mut Watch<'_>,
    ) -> Result<Self, BulkError> {
        let source = if runs.is_empty() {
            Entries::Memory(entries.into_iter())
        } else {
            let fan_in = fan_in(memory);
            while runs.len() > fan_in {
                // The shortest, which are the first, and no more than it takes.
                let enough = (runs.len() - fan_in + 1).min(fan_in);
                let rest = runs.split_off(enough);
                let run = merge(runs, &mut spill, memory, watch)?;
                runs = rest;
                runs.push(run);
            }
            let pages = page_len(memory, runs.len());
            Entries::Runs(Merged::open(runs.into_iter(), pages)?)
        };
        let mut findings = Self {
            source,
            ahead: None,
            group: None,
            found: Found::default(),
            first: None,
            _spill: spill,
        };
        findings.ahead = findings.pull()?;
        Ok(findings)
    }

    fn pull(&mut self) -> Result<Option<Entry>, BulkError> {
        match &mut self.source {
            Entries::Memory(entries) => Ok(entries.next()),
            Entries::Runs(merged) => merged.next(),
        }
    }

    /// The next finding; `None` when there are no more.
    ///
    /// # Errors
    ///
    /// [`BulkError::Spill`].
    pub fn next_finding(&mut self) -> Result<Option<Finding>, BulkError> {
        loop {
            match self.step()? {
                Step::Found(finding) => return Ok(Some(finding)),
                Step::Nothing => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// Gives every finding to `each`, and asks `watch` after every [`ROWS_PER_LOOK`] rows, with something found or
    /// not, whether to go on. [`Found::rows`] says how far it is: in the end, all lines that were not rejected.
    ///
    /// Where `watch` breaks, a further `run` or [`next_finding`](Self::next_finding) goes on behind the findings given.
    ///
    /// # Errors
    ///
    /// As [`next_finding`](Self::next_finding); [`BulkError::Visitor`] where `each` fails.
    pub fn run(
        &mut self,
        mut watch: impl FnMut(Found) -> ControlFlow<()>,
        mut each: impl FnMut(Finding) -> io::Result<()>,
    ) -> Result<Ended, BulkError> {
        let mut steps = 0_u64;
        loop {
            match self.step()? {
                Step::Found(finding) => {
                    each(finding).map_err(|error| BulkError::Visitor { kind: error.kind() })?;
                }
                Step::Nothing => {}
                Step::End => return Ok(Ended::Complete),
            }
            steps += 1;
            if steps % ROWS_PER_LOOK == 0 && watch(self.found).is_break() {
                return Ok(Ended::Stopped);
            }
        }
    }

    /// Looks at one row, or ends a code.
    fn step(&mut self) -> Result<Step, BulkError> {
        let Some(entry) = self.ahead else {
            self.first = None;
            let last = self.close().map(Finding::Collision);
            return Ok(last.map_or(Step::End, Step::Found));
        };
        if self
            .group
            .as_ref()
            .is_some_and(|group| group.code.code != entry.code)
        {
            self.first = None;
            if let Some(collision) = self.close() {
                return Ok(Step::Found(Finding::Collision(collision)));
            }
        }
        self.ahead = self.pull()?;
        match self.first {
            Some(first) if first.study == entry.study => {
                let differs = first.digest != entry.digest;
                self.found.duplicates += 1;
                self.found.differing += u64::from(differs);
                if let Some((_, _, copies)) = self
                    .group
                    .as_mut()
                    .and_then(|group| group.studies.last_mut())
                {
                    *copies += 1;
                }
                Ok(Step::Found(Finding::Duplicate(Duplicate {
                    line: entry.line,
                    first: first.line,
                    differs,
                })))
            }
            _ => {
                self.begin_key(entry);
                Ok(Step::Nothing)
            }
        }
    }

    fn begin_key(&mut self, entry: Entry) {
        self.first = Some(entry);
        let group = self.group.get_or_insert_with(|| Group {
            code: entry,
            studies: Vec::new(),
            keys: 0,
            first_line: u64::MAX,
        });
        group.keys += 1;
        group.first_line = group.first_line.min(entry.line);
        if group.keys == 1 {
            self.found.accepted += 1;
        } else {
            self.found.collided += 1;
        }
        // One more than is listed, for the copies of a key that is not.
        group.studies.truncate(COLLIDED_STUDIES_MAX);
        group.studies.push((entry.study, entry.line, 1));
    }

    /// Ends the group: a collision if its code has several studies.
    fn close(&mut self) -> Option<Collision> {
        let mut group = self.group.take()?;
        if group.keys < 2 {
            return None;
        }
        self.found.shared_codes += 1;
        group.studies.truncate(COLLIDED_STUDIES_MAX);
        let omitted = group.keys - group.studies.len() as u64;
        let studies = group
            .studies
            .into_iter()
            .map(|(study, line, lines)| CollidedStudy::new(study.uid(), line, lines))
            .collect();
        Some(Collision::new(
            group.code.index_code()?,
            group.first_line,
            studies,
            omitted,
        ))
    }

    /// What was counted so far.
    #[must_use]
    pub const fn found(&self) -> Found {
        self.found
    }
}

/// Bytes of a run's page when so many share the memory.
fn page_len(memory: usize, runs: usize) -> usize {
    let entries = memory / ENTRY_LEN / (runs + 1);
    entries.max(1) * ENTRY_LEN
}

impl<S: Spill> fmt::Debug for Findings<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Findings")
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

/// What rows have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A row whose key an earlier row has.
    Duplicate(Duplicate),
    /// A code that stands for several studies.
    Collision(Collision),
}

/// A row whose key an earlier row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Duplicate {
    line: u64,
    first: u64,
    differs: bool,
}

impl Duplicate {
    /// Its line.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The first line with the key.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// Whether fields that are not part of the key differ from those of the first line. The first
    /// line counts; what this one says otherwise is for a person to look at (`IDX-59`).
    #[must_use]
    pub const fn differs(&self) -> bool {
        self.differs
    }
}
