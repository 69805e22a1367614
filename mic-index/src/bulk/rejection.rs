//! A line that could not be taken: where and why.

use alloc::borrow::Cow;
use core::fmt;
use core::ops::Range;

use super::header::Field;
use crate::diagnose::Diagnosis;
use crate::error::ParseError;
use crate::exam_item::ItemTextError;
use crate::exam_type::ExamType;
use crate::institution::InstitutionCodeError;
use crate::moment::MomentError;
use crate::parser::Parser;
use crate::part::Part;
use crate::record::RecordError;
use crate::study_uid::StudyUidError;

/// A line that is no row. `Debug` shows nothing of the line.
#[derive(Clone)]
pub struct Rejection<'a> {
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) span: Range<usize>,
    pub(super) reason: Reason,
    pub(super) raw: &'a [u8],
    /// The text of the code, where it is at fault.
    pub(super) code: Cow<'a, [u8]>,
    pub(super) parser: Parser,
}

impl<'a> Rejection<'a> {
    /// The number of the line, counted from one; that of the first where a CSV row has several.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The byte of the (decompressed) file the line begins at.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes of the line at fault, counted from its first.
    ///
    /// Where quotation marks are doubled or characters escaped within a field, the whole field.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The line itself, without its line feed: personal data. Empty where it was too long to be kept.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Everything that is wrong with the code, with offsets in the field; `None` where another field
    /// is at fault.
    #[must_use]
    pub fn diagnosis(&self) -> Option<Diagnosis> {
        match self.reason {
            Reason::Code(_) => Some(self.parser.diagnose(&self.code)),
            _ => None,
        }
    }

    /// Where the code's field begins in the line; `None` where the code is not at fault or its
    /// bytes do not stand in the line as they are.
    pub(super) fn code_start(&self) -> Option<usize> {
        match (&self.reason, &self.code) {
            (Reason::Code(error), Cow::Borrowed(_)) => {
                self.span.start.checked_sub(error.span().start)
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Rejection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("line", &self.line)
            .field("span", &self.span)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Why a line is no row. The message says what was expected, and repeats nothing of the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The code; this is its first fault, [`Rejection::diagnosis`] lists all.
    #[error("{}: {}", .0.part(), .0.kind())]
    Code(ParseError),
    /// The StudyInstanceUID.
    #[error("{0}")]
    StudyUid(StudyUidError),
    /// The institution code.
    #[error("{0}")]
    Institution(InstitutionCodeError),
    /// The exam type.
    #[error("exam type: expected a number from 1 to {}", ExamType::NuclearMedicine.code())]
    ExamType,
    /// A part examined.
    #[error("parts: {}", .0.kind())]
    Part(ParseError),
    /// A number of series or images.
    #[error("{}: expected a number from 0 to {}", .field.name(), u32::MAX)]
    Count {
        /// Which.
        field: Field,
    },
    /// The code or name of the exam item.
    #[error("{error}")]
    Item {
        /// Which.
        field: Field,
        /// What is wrong.
        error: ItemTextError,
    },
    /// A time.
    #[error("{}: {error}", .field.name())]
    Moment {
        /// Which.
        field: Field,
        /// What is wrong.
        error: MomentError,
    },
    /// Text that is not UTF-8.
    #[error("{}: expected text in UTF-8", .field.name())]
    Utf8 {
        /// The field.
        field: Field,
    },
    /// A CSV row with more or fewer fields than the first one.
    #[error("row: expected {expected} fields, found {found}")]
    Columns {
        /// Fields of the first row.
        expected: usize,
        /// Fields of this one.
        found: usize,
    },
    /// A quotation mark of a CSV row.
    #[error("row: {0}")]
    Quote(QuoteFault),
    /// The line is longer than the caller allows; its bytes were not kept.
    #[error("line: expected at most {max} bytes, found more")]
    TooLong {
        /// What the caller allows.
        max: usize,
    },
    /// A line of NDJSON that is not the expected object.
    #[error("json: {0}")]
    Json(JsonFault),
    /// A field that must be there is not.
    #[error("expected the field {}, found none", .field.name())]
    NoField {
        /// Which.
        field: Field,
    },
    /// The fields make no record.
    #[error("{0}")]
    Record(RecordError),
}

impl Reason {
    /// The stable name for programs: that of [`ParseErrorKind`](crate::ParseErrorKind) for a code,
    /// else `study_uid`, `institution`, `exam_type`, `part`, `count`, `item`, `moment`, `utf8`, `columns`, `quote_inside`,
    /// `quote_behind`, `quote_open`, `too_long`, `json_syntax`, `json_shape`, `no_field`, `missing`,
    /// `supersedes_itself` or `start_of_another_minute`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Code(error) => error.kind().name(),
            Self::StudyUid(_) => "study_uid",
            Self::Institution(_) => "institution",
            Self::ExamType => "exam_type",
            Self::Part(_) => "part",
            Self::Count { .. } => "count",
            Self::Item { .. } => "item",
            Self::Moment { .. } => "moment",
            Self::Utf8 { .. } => "utf8",
            Self::Columns { .. } => "columns",
            Self::Quote(QuoteFault::Inside) => "quote_inside",
            Self::Quote(QuoteFault::Behind) => "quote_behind",
            Self::Quote(QuoteFault::Open) => "quote_open",
            Self::TooLong { .. } => "too_long",
            Self::Json(JsonFault::Syntax) => "json_syntax",
            Self::Json(JsonFault::Shape) => "json_shape",
            Self::NoField { .. } => "no_field",
            Self::Record(RecordError::SupersedesItself) => "supersedes_itself",
            Self::Record(RecordError::StartOfAnotherMinute) => "start_of_another_minute",
            Self::Record(RecordError::Missing(_)) => "missing",
        }
    }

    /// The field at fault, where it is one alone.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Code(_) => Some(Field::Code),
            Self::StudyUid(_) => Some(Field::StudyInstanceUid),
            Self::Institution(_) => Some(Field::Institution),
            Self::ExamType => Some(Field::ExamType),
            Self::Part(_) => Some(Field::Parts),
            Self::Count { field }
            | Self::Item { field, .. }
            | Self::Moment { field, .. }
            | Self::Utf8 { field }
            | Self::NoField { field } => Some(*field),
            Self::Record(RecordError::StartOfAnotherMinute) => Some(Field::StartedAt),
            Self::Record(RecordError::SupersedesItself) => Some(Field::Supersedes),
            _ => None,
        }
    }

    /// The part of the code at fault.
    #[must_use]
    pub const fn part(&self) -> Option<Part> {
        match self {
            Self::Code(error) => Some(error.part()),
            _ => None,
        }
    }
}

/// What is wrong with a quotation mark (`IDX-53`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteFault {
    /// In a field that does not begin with one.
    #[error("expected quotation marks around the whole field, found one inside")]
    Inside,
    /// Something stands between the closing one and the next delimiter.
    #[error("expected a delimiter behind the quotation mark, found something else")]
    Behind,
    /// Nothing closes it.
    #[error("expected a quotation mark that closes the field, found none")]
    Open,
}

/// What is wrong with a line of NDJSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// It is not JSON.
    #[error("expected an object, found no JSON")]
    Syntax,
    /// It is JSON, but not an object with the fields of a record, each of its type and at most once.
    #[error("expected an object with the fields of a record and no others")]
    Shape,
}
