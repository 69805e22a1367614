//! What can be wrong with a record, and where.

use core::fmt;
use std::io;

use super::json::Place;
use crate::{event::EventError, text::TextError};

/// A record that is no event. It tells line, column and field, never what stood there.
///
/// ```
/// use mic_billing::{EventReader, ReadErrorKind};
///
/// let error = EventReader::ndjson(&b"\n{\"institution\": 1"[..]).next().unwrap().unwrap_err();
/// assert_eq!((error.line(), error.column()), (2, Some(17)));
/// assert_eq!(error.to_string(), "line 2, column 17: expected a JSON object with text and numbers");
/// assert_eq!(error.kind(), &ReadErrorKind::Json);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    line: u64,
    column: Option<u64>,
    field: Option<&'static str>,
    kind: ReadErrorKind,
}

impl ReadError {
    pub(super) const fn new(line: u64, kind: ReadErrorKind) -> Self {
        Self {
            line,
            column: None,
            field: None,
            kind,
        }
    }

    /// A fault of a record whose line is filled in later.
    pub(super) const fn of(kind: ReadErrorKind) -> Self {
        Self::new(0, kind)
    }

    pub(super) fn io(line: u64, error: &io::Error) -> Self {
        Self::new(line, ReadErrorKind::Io { kind: error.kind() })
    }

    /// At a byte of the record, counted from zero.
    pub(super) fn at(mut self, byte: usize) -> Self {
        self.column = u64::try_from(byte).ok().map(|byte| byte.saturating_add(1));
        self
    }

    pub(super) const fn in_field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    pub(super) const fn on(mut self, line: u64) -> Self {
        self.line = line;
        self
    }

    /// In a record that begins somewhere in a file of many lines.
    pub(super) fn within(mut self, place: Place) -> Self {
        if self.line <= 1 {
            self.column = Some(match self.column {
                Some(column) => place.column.saturating_add(column).saturating_sub(1),
                None => place.column,
            });
        }
        self.line = place.line.saturating_add(self.line.saturating_sub(1));
        self
    }

    /// Whether nothing can be read after it.
    pub(super) const fn is_last(&self) -> bool {
        matches!(
            self.kind,
            ReadErrorKind::Io { .. } | ReadErrorKind::NotAnArray
        )
    }

    /// The line, from one.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The byte of the line, from one, where it is known.
    #[must_use]
    pub const fn column(&self) -> Option<u64> {
        self.column
    }

    /// The field, where it is one.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        if let Some(field) = self.field {
            write!(f, ", {field}")?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl core::error::Error for ReadError {}

/// What is wrong with a record.
///
/// ```
/// use mic_billing::ReadErrorKind;
///
/// let kind = ReadErrorKind::FieldCount { expected: 9, found: 8 };
/// assert_eq!(kind.to_string(), "expected 9 fields as in the header, found 8");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The source can't be read.
    #[error("the source can't be read: {kind}")]
    Io {
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// A record longer than any event.
    #[error("expected a record of at most {max} bytes")]
    TooLong {
        /// The most.
        max: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("expected UTF-8")]
    Utf8,
    /// A CSV file without a first line.
    #[error("expected a header")]
    NoHeader,
    /// A column of the header that no event has.
    #[error("expected the name of a field of an event")]
    UnknownColumn,
    /// A column that every event needs.
    #[error("expected the column {name} in the header")]
    MissingColumn {
        /// Its name.
        name: &'static str,
    },
    /// A column or a JSON field that is there twice.
    #[error("expected the field once")]
    FieldTwice,
    /// More or fewer fields than the header has.
    #[error("expected {expected} fields as in the header, found {found}")]
    FieldCount {
        /// As in the header.
        expected: usize,
        /// In the record.
        found: usize,
    },
    /// Quotes that don't follow RFC 4180.
    #[error("expected quotes around a whole field, doubled inside, closed on the same line")]
    Quotes,
    /// No JSON, or no object.
    #[error("expected a JSON object with text and numbers")]
    Json,
    /// A JSON file that is not one array.
    #[error("expected one JSON array of objects")]
    NotAnArray,
    /// A JSON field that no event has.
    #[error("expected only fields of an event")]
    UnknownField,
    /// A field that every event needs.
    #[error("expected the field")]
    MissingField,
    /// A text that is not what the field needs.
    #[error("expected {expected}")]
    Value {
        /// What it needs.
        expected: &'static str,
    },
    /// A text that is not what the field needs, with the byte.
    #[error(transparent)]
    Text(TextError),
    /// Fields that don't belong together.
    #[error(transparent)]
    Event(EventError),
}

impl From<EventError> for ReadError {
    fn from(error: EventError) -> Self {
        Self::of(ReadErrorKind::Event(error))
    }
}
