//! From anything that can be read to lines.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use std::io::{self, Read};

use super::archive::{Compression, Source};
use super::counts::Tally;
use super::error::BulkError;
use super::options::Options;
use super::reader::{Line, Reader};

/// Bytes of text read at a time, and between two looks at the caller's wish to stop.
pub const BLOCK_LEN: usize = 256 * 1024;

/// Reads a bulk file, plain or compressed, line by line: memory is a block, a line, and the window of
/// an archive, whatever the size of the file.
///
/// ```
/// use std::ops::ControlFlow;
/// use mic_index::bulk::{Ended, Ingest, Options};
///
/// let file = "1000\n".repeat(3);
/// let mut ingest = Ingest::new(file.as_bytes(), Options::new());
/// let mut kept = Vec::new();
/// let ended = ingest.run(
///     |progress| if progress.lines() > 1_000_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) },
///     |line| {
///         kept.push(format!("{line:?}"));
///         Ok(())
///     },
/// )?;
/// assert_eq!(ended, Ended::Complete);
/// assert_eq!((kept.len(), ingest.tally().rejected()), (3, 3));
/// # Ok::<(), mic_index::bulk::BulkError>(())
/// ```
pub struct Ingest<R> {
    source: Source<R>,
    reader: Reader,
    block: Vec<u8>,
    at: usize,
    len: usize,
    text: u64,
    ended: bool,
    /// What ended the file before its end; told again if asked again.
    failed: Option<BulkError>,
}

impl<R: Read> Ingest<R> {
    /// An input at its beginning. Nothing is read yet.
    pub fn new(input: R, options: Options) -> Self {
        Self {
            source: Source::new(input, options.decompressed_max),
            reader: Reader::new(options),
            block: Vec::new(),
            at: 0,
            len: 0,
            text: 0,
            ended: false,
            failed: None,
        }
    }

    /// The next line; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// [`BulkError`] where the file cannot be read on. The lines before were given; a call after an
    /// error gives it again.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, BulkError> {
        loop {
            let mut portion = self.block.get(self.at..self.len).unwrap_or_default();
            if self.reader.quick(&mut portion) {
                self.at = self.len - portion.len();
                return Ok(Some(Line::Row(self.reader.row())));
            }
            let before = portion;
            if let Some(frame) = self.reader.frame(&mut portion).inspect_err(|error| {
                self.failed = Some(*error);
            })? {
                let left = portion.len();
                let start = self.len - before.len();
                self.at = self.len - left;
                let portion = self.block.get(start..self.len).unwrap_or_default();
                return Ok(Some(self.reader.take(frame, portion)));
            }
            self.at = self.len;
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Gives every line to `each`, and before each block asks `watch` whether to go on.
    ///
    /// Where `watch` breaks, every line given was given whole, the tally counts exactly these, and a
    /// further `run` or [`next_line`](Self::next_line) goes on behind them. A [`Search`](super::Search)
    /// fed by `each` can then be finished for the lines so far, or dropped, which removes its files.
    ///
    /// # Errors
    ///
    /// As [`next_line`](Self::next_line); [`BulkError::Visitor`] where `each` fails.
    pub fn run(
        &mut self,
        mut watch: impl FnMut(Progress) -> ControlFlow<()>,
        mut each: impl FnMut(Line<'_>) -> io::Result<()>,
    ) -> Result<Ended, BulkError> {
        loop {
            let block = self.block.get(..self.len).unwrap_or_default();
            let mut portion = block.get(self.at..).unwrap_or_default();
            loop {
                let line = match self.reader.read(&mut portion) {
                    Ok(Some(line)) => line,
                    Ok(None) => break,
                    Err(error) => {
                        self.failed = Some(error);
                        return Err(error);
                    }
                };
                let done = each(line);
                self.at = block.len() - portion.len();
                done.map_err(|error| BulkError::Visitor { kind: error.kind() })?;
            }
            self.at = self.len;
            if watch(self.progress()).is_break() {
                return Ok(Ended::Stopped);
            }
            if !self.fill()? {
                return Ok(Ended::Complete);
            }
        }
    }

    /// Reads the next block; false at the end, once the reader knows of it.
    fn fill(&mut self) -> Result<bool, BulkError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.ended {
            return Ok(false);
        }
        if self.block.is_empty() {
            self.block = vec![0; BLOCK_LEN];
        }
        match self.source.read(&mut self.block) {
            Ok(len) => {
                (self.at, self.len) = (0, len);
                self.text += len as u64;
                if len == 0 {
                    self.ended = true;
                    self.reader.set_ended();
                }
                Ok(true)
            }
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }

    /// What was read so far.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            input_bytes: self.source.used(),
            text_bytes: self.text,
            tally: self.reader.tally(),
        }
    }

    /// What was counted so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.reader.tally()
    }

    /// How the input is compressed; `None` for text, and before anything was read.
    #[must_use]
    pub fn compression(&self) -> Option<Compression> {
        self.source.compression()
    }

    /// The reader: format, header and columns as they were found.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }
}

impl<R> fmt::Debug for Ingest<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingest")
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}

/// How far a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Progress {
    input_bytes: u64,
    text_bytes: u64,
    tally: Tally,
}

impl Progress {
    /// Bytes of the input used: compare them with the size of the file.
    #[must_use]
    pub const fn input_bytes(&self) -> u64 {
        self.input_bytes
    }

    /// Bytes of text; more than those of the input where it is compressed.
    #[must_use]
    pub const fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// Lines read.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.tally.lines()
    }

    /// Lines rejected.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.tally.rejected()
    }
}

/// How [`Ingest::run`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a run comes to the end or not")]
pub enum Ended {
    /// At the end of the file.
    Complete,
    /// Because the caller wished so, between two lines.
    Stopped,
}
