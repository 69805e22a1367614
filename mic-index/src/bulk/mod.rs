//! Reading what provinces send: many codes or records at once (feature `bulk`).
//!
//! Lines, CSV or NDJSON, plain or compressed (features `gzip`, `zstd`), of any size in little memory.
//! Every line ends in exactly one of four outcomes, which add up to the lines read (`IDX-50`):
//! *accepted*, *duplicate* (an earlier line has the same key), *collided* (an earlier line has the same
//! code and another study: kept and reported) and *rejected* (with line number, bytes and reason).
//!
//! | need | type |
//! |---|---|
//! | bytes in, lines out, without input or output | [`Reader`] |
//! | the same over anything that is [`Read`](std::io::Read), compressed or not | [`Ingest`] |
//! | duplicates and collisions in bounded memory, on disk beyond it | [`Search`] and [`Findings`] |
//! | what could not be taken, for whoever repairs it | [`RejectWriter`] |
//!
//! Both passes can be watched and stopped: the lines by [`Ingest::run`], the findings by [`Findings::run`], and what is
//! merged between them by [`Search::finish_with`]. What goes on without a question takes the memory allowed and no
//! more to sort or, inside of [`Search::add`], to merge one set of runs.
//!
//! Personal data: rows hold index codes. No error, rejection, count or `Debug` does, except
//! [`Rejection::raw`], which is the line itself and is asked for by name.
//!
//! ```
//! use mic_index::bulk::{Finding, Heap, Ingest, Line, Options, Search};
//!
//! let file = "\
//! code,study_instance_uid
//! 10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916,1.2.3
//! 10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916,1.2.4
//! 10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916,1.2.3
//! 10000000000000000708463177-202413221430-000000000-0000000000000-123502004266007916,1.2.5
//! ";
//! let mut ingest = Ingest::new(file.as_bytes(), Options::new());
//! let mut search = Search::new(64 << 20, Heap);
//! while let Some(line) = ingest.next_line()? {
//!     match line {
//!         Line::Row(row) => search.add(row)?,
//!         Line::Rejected(rejection) => {
//!             assert_eq!((rejection.line(), rejection.span()), (5, 31..33));
//!             assert_eq!(rejection.reason().to_string(), "exam time: expected a month from 01 to 12");
//!         }
//!     }
//! }
//! let mut findings = search.finish()?;
//! while let Some(finding) = findings.next_finding()? {
//!     match finding {
//!         Finding::Duplicate(again) => assert_eq!((again.line(), again.first()), (4, 2)),
//!         Finding::Collision(shared) => assert_eq!(shared.studies().len(), 2),
//!         _ => {}
//!     }
//! }
//! let counts = ingest.tally().with(findings.found());
//! assert_eq!((counts.lines(), counts.accepted(), counts.duplicates()), (4, 1, 1));
//! assert_eq!((counts.collided(), counts.rejected()), (1, 1));
//! # Ok::<(), mic_index::bulk::BulkError>(())
//! ```

mod archive;
mod begin;
mod counts;
mod csv;
mod entry;
mod error;
mod header;
mod ingest;
mod json;
mod merge;
mod options;
mod quick;
mod reader;
mod rejection;
mod rejects;
mod row;
mod scan;
mod search;
mod spill;

pub use archive::{Compression, DECOMPRESSED_MAX, WINDOW_LOG_MAX};
pub use counts::{Counts, Found, Tally};
pub use error::BulkError;
pub use header::Field;
pub use ingest::{BLOCK_LEN, Ended, Ingest, Progress};
pub use merge::{Duplicate, FAN_IN_MAX, Finding, Findings, ROWS_PER_LOOK};
pub use options::{Column, Format, Header, LINE_LEN_MAX, Options};
pub use reader::{Line, Reader};
pub use rejection::{JsonFault, QuoteFault, Reason, Rejection};
pub use rejects::{RejectFormat, RejectWriter};
pub use row::Row;
pub use search::{ENTRIES_MIN, ENTRY_LEN, Search};
pub use spill::{Folder, Heap, RunFile, Spill};
