//! What the caller may choose.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::archive::DECOMPRESSED_MAX;
use super::header::Field;
use crate::parser::Parser;
use crate::unit::CheckPolicy;

/// Bytes of a line at most unless set otherwise, its line feed not counted (`IDX-54`).
///
/// A full record has less than a kibibyte; the rest is for free text in columns that are passed over.
pub const LINE_LEN_MAX: usize = 64 * 1024;

/// How the lines of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// An index code a line.
    Lines,
    /// Comma-separated values (RFC 4180).
    Csv,
    /// A JSON object a line, with the fields of [`ExamRecord`](crate::ExamRecord).
    Ndjson,
}

impl Format {
    /// The stable name: `lines`, `csv`, `ndjson`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What the first row of a CSV file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Header {
    /// Names if one of its fields is a known name and none an index code, otherwise data.
    #[default]
    Detect,
    /// Names.
    Names,
    /// Data.
    Absent,
}

/// A column of a CSV file, as the caller names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Column {
    /// By its name in the header; the case of ASCII letters and blanks around it do not matter.
    Named(String),
    /// By its place, counted from zero.
    At(usize),
}

/// How to read a bulk file; the default finds out by itself.
///
/// ```
/// use mic_index::bulk::{Column, Field, Format, Options};
///
/// let options = Options::new()
///     .format(Format::Csv)
///     .delimiter(b';')
///     .column(Field::Code, Column::Named("影像索引".into()))
///     .column(Field::StudyInstanceUid, Column::At(3));
/// assert_eq!(options.line_len_max(), 64 * 1024);
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(super) format: Option<Format>,
    pub(super) header: Header,
    pub(super) delimiter: u8,
    pub(super) columns: Vec<(Field, Column)>,
    pub(super) complete: bool,
    pub(super) parser: Parser,
    pub(super) line_len_max: usize,
    pub(super) decompressed_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl Options {
    /// Format, header and columns found out; check characters reported.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            format: None,
            header: Header::Detect,
            delimiter: b',',
            columns: Vec::new(),
            complete: false,
            parser: Parser::new(),
            line_len_max: LINE_LEN_MAX,
            decompressed_max: DECOMPRESSED_MAX,
        }
    }

    /// Sets the format instead of having it found out from the first line (`IDX-51`).
    #[must_use]
    pub const fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Says what the first row of a CSV file is.
    #[must_use]
    pub const fn header(mut self, header: Header) -> Self {
        self.header = header;
        self
    }

    /// Sets the byte between fields of a CSV file: `;` or a tabulator instead of a comma. Quotation
    /// mark, carriage return and line feed cannot be it and change nothing.
    #[must_use]
    pub const fn delimiter(mut self, delimiter: u8) -> Self {
        if !matches!(delimiter, b'"' | b'\r' | b'\n') {
            self.delimiter = delimiter;
        }
        self
    }

    /// Says which column holds a field. Where one is set, no other column is taken for the field.
    #[must_use]
    pub fn column(mut self, field: Field, column: Column) -> Self {
        self.columns.retain(|(set, _)| *set != field);
        self.columns.push((field, column));
        self
    }

    /// Rejects rows that lack a field of a record, with all fields they lack.
    #[must_use]
    pub const fn require_complete(mut self, yes: bool) -> Self {
        self.complete = yes;
        self
    }

    /// Sets what a wrong check character means.
    #[must_use]
    pub const fn check(mut self, policy: CheckPolicy) -> Self {
        self.parser = self.parser.check(policy);
        self
    }

    /// Sets how long a line may be, at least one byte.
    #[must_use]
    pub const fn with_line_len_max(mut self, bytes: usize) -> Self {
        self.line_len_max = if bytes == 0 { 1 } else { bytes };
        self
    }

    /// Sets how many bytes an archive may give.
    #[must_use]
    pub const fn with_decompressed_max(mut self, bytes: u64) -> Self {
        self.decompressed_max = bytes;
        self
    }

    /// Bytes a line may have.
    #[must_use]
    pub const fn line_len_max(&self) -> usize {
        self.line_len_max
    }
}
