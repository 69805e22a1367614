//! Writing down what could not be taken, for whoever repairs it; nothing of the lines themselves.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::io::{self, Write};

use serde::Serialize;

use super::header::Field;
use super::rejection::{QuoteFault, Reason, Rejection};
use crate::diagnose::Fault;
use crate::exam_item::ItemTextError;
use crate::moment::MomentError;
use crate::part::Part;
use crate::repair::{Confidence, Proposal};

/// How rejects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectFormat {
    /// A header and a row for each rejected line: its number, the byte of the file it begins at, the
    /// bytes of the line at fault, field, part, kind, what was expected, and how many faults the
    /// line's code has in all.
    Csv,
    /// An object for each rejected line: the same, and all faults of the code, with where and why
    /// something is proposed. The character proposed is given in the storage unit alone, and not where
    /// it is the one that stands there written otherwise: of a person or a time, proposals read one after the
    /// other would spell the line (`IDX-92`).
    Ndjson,
}

/// Writes [`Rejection`]s: where and why, and nothing of the line, so that the file may go to whoever made
/// the lines by any way.
///
/// Each call is one write to `W`; give it something buffered.
///
/// ```
/// use mic_index::bulk::{Ingest, Line, Options, RejectFormat, RejectWriter};
///
/// let file = "1000\n1000-2000\n";
/// let mut ingest = Ingest::new(file.as_bytes(), Options::new());
/// let mut rejects = RejectWriter::new(Vec::new(), RejectFormat::Csv)?;
/// while let Some(line) = ingest.next_line()? {
///     if let Line::Rejected(rejection) = line {
///         rejects.write(&rejection)?;
///     }
/// }
/// assert_eq!(
///     String::from_utf8(rejects.into_inner())?,
///     "line,offset,start,end,field,part,kind,expected,faults\n\
///      1,0,0,4,code,length,length,78 characters,1\n\
///      2,5,4,5,code,length,hyphens,4 hyphens,1\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RejectWriter<W> {
    out: W,
    format: RejectFormat,
    text: Vec<u8>,
}

impl<W: Write> RejectWriter<W> {
    /// A writer; writes the header of a CSV file.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn new(mut out: W, format: RejectFormat) -> io::Result<Self> {
        if format == RejectFormat::Csv {
            out.write_all(b"line,offset,start,end,field,part,kind,expected,faults\n")?;
        }
        Ok(Self {
            out,
            format,
            text: Vec::new(),
        })
    }

    /// Writes a rejection down.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&mut self, rejection: &Rejection<'_>) -> io::Result<()> {
        self.text.clear();
        let diagnosis = rejection.diagnosis();
        let faults = diagnosis.as_ref().map(|all| (all.faults(), all.omitted()));
        let count = faults.map_or(1, |(listed, omitted)| listed.len() + omitted);
        let row = RejectRow {
            line: rejection.line(),
            offset: rejection.offset(),
            start: rejection.span.start,
            end: rejection.span.end,
            field: rejection.reason.field().map(Field::name),
            part: rejection.reason.part().map(Part::name),
            kind: rejection.reason.name(),
            expected: rejection.reason.expected(),
            faults: count,
        };
        match self.format {
            RejectFormat::Csv => row.write_csv(&mut self.text)?,
            RejectFormat::Ndjson => {
                let start = rejection.code_start();
                let listed = faults.map_or(&[][..], |(listed, _)| listed);
                let all = listed.iter().map(|fault| FaultRow::of(fault, start));
                let object = RejectObject {
                    row,
                    code_faults: all.collect(),
                };
                serde_json::to_writer(&mut self.text, &object)?;
            }
        }
        self.text.push(b'\n');
        self.out.write_all(&self.text)
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// What is written to.
    pub const fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }
}

#[derive(Serialize)]
struct RejectObject<'a> {
    #[serde(flatten)]
    row: RejectRow<'a>,
    code_faults: Vec<FaultRow>,
}

#[derive(Serialize)]
struct RejectRow<'a> {
    line: u64,
    offset: u64,
    start: usize,
    end: usize,
    field: Option<&'a str>,
    part: Option<&'a str>,
    kind: &'a str,
    expected: String,
    faults: usize,
}

impl RejectRow<'_> {
    fn write_csv(&self, out: &mut Vec<u8>) -> io::Result<()> {
        // What is expected never holds a quotation mark or a line break.
        let quote = if self.expected.contains(',') {
            "\""
        } else {
            ""
        };
        write!(
            out,
            "{},{},{},{},{},{},{},{quote}{}{quote},{}",
            self.line,
            self.offset,
            self.start,
            self.end,
            self.field.unwrap_or_default(),
            self.part.unwrap_or_default(),
            self.kind,
            self.expected,
            self.faults,
        )
    }
}

/// A fault of the code; its bytes are those of the line where the code stands there as it is, otherwise
/// those of the code.
#[derive(Serialize)]
struct FaultRow {
    part: &'static str,
    start: usize,
    end: usize,
    kind: &'static str,
    expected: String,
    proposals: Vec<ProposalRow>,
}

#[derive(Serialize)]
struct ProposalRow {
    offset: usize,
    confidence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<char>,
}

impl ProposalRow {
    fn of(part: Part, proposal: Proposal, code_start: usize) -> Self {
        let tells_the_line =
            part != Part::Unit || proposal.confidence() == Confidence::SameCharacter;
        Self {
            offset: code_start + proposal.offset(),
            confidence: proposal.confidence().name(),
            to: proposal.to().filter(|_| !tells_the_line),
        }
    }
}

impl FaultRow {
    fn of(fault: &Fault, code_start: Option<usize>) -> Self {
        let start = code_start.unwrap_or_default();
        let part = fault.part();
        let proposals = fault.proposals().iter();
        let proposals = proposals.map(|proposal| ProposalRow::of(part, *proposal, start));
        Self {
            part: part.name(),
            start: start + fault.span().start,
            end: start + fault.span().end,
            kind: fault.kind().name(),
            expected: format!("{}", fault.kind().expected()),
            proposals: proposals.collect(),
        }
    }
}

impl Reason {
    /// What was expected instead, without what was found.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Code(error) => format!("{}", error.kind().expected()),
            Self::StudyUid(_) => String::from("1 to 64 digits and dots"),
            Self::Institution(_) => String::from("a capital letter and 11 digits"),
            Self::ExamType => String::from("1 to 5"),
            Self::Part(error) => format!("{}", error.kind().expected()),
            Self::Count { .. } => format!("0 to {}", u32::MAX),
            Self::Item { error, .. } => match error {
                ItemTextError::Empty { .. } => String::from("a text"),
                ItemTextError::Length { max, .. } => format!("at most {max} characters"),
                ItemTextError::Character { .. } => {
                    String::from("no control character and no blank at an end")
                }
            },
            Self::Moment { error, .. } => String::from(match error {
                MomentError::Form => "yyyy-MM-ddTHH:mm:ss+08:00 or yyyy-MM-dd HH:mm:ss",
                MomentError::Calendar(fault) => return format!("{fault}"),
                MomentError::Second => "a second from 00 to 59",
                MomentError::Offset => "an offset from utc of at most 23:59",
            }),
            Self::Utf8 { .. } => String::from("UTF-8"),
            Self::Columns { expected, .. } => format!("{expected} fields"),
            Self::Quote(QuoteFault::Inside) => {
                String::from("quotation marks around the whole field")
            }
            Self::Quote(QuoteFault::Behind) => String::from("a delimiter"),
            Self::Quote(QuoteFault::Open) => String::from("a closing quotation mark"),
            Self::TooLong { max } => format!("at most {max} bytes"),
            Self::Json(_) => String::from("an object with the fields of a record"),
            Self::NoField { field } => format!("the field {}", field.name()),
            Self::Record(error) => format!("{}", Needed(error)),
        }
    }
}

/// What a record's error asks for.
struct Needed<'a>(&'a crate::record::RecordError);

impl fmt::Display for Needed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            crate::record::RecordError::Missing(fields) => write!(f, "{fields}"),
            crate::record::RecordError::SupersedesItself => {
                f.write_str("another record to supersede")
            }
            crate::record::RecordError::StartOfAnotherMinute => {
                f.write_str("the minute of the code")
            }
        }
    }
}
