//! Bytes in, lines out. No input, no output, no clock.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use core::str;

use memchr::{memchr, memchr_iter};

use super::begin::{begin, detect, first_line, no_text, strip};
use super::counts::Tally;
use super::csv::{self, Fields};
use super::error::BulkError;
use super::header::{Columns, Field, FirstRow};
use super::json;
use super::options::{Format, Header, Options};
use super::quick;
use super::rejection::{Reason, Rejection};
use super::row::Row;
use super::scan::{Found, Scan};
use crate::error::ParseError;
use crate::exam_item::{ItemCode, ItemName, ItemTextError};
use crate::exam_type::ExamType;
use crate::institution::InstitutionCodeError;
use crate::moment::Moment;
use crate::parser::Parser;
use crate::record::RecordError;
use crate::site::SiteCode;
use crate::study_uid::StudyUidError;

/// A line of the file: a row, or why it is none.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a line is taken or not")]
pub enum Line<'a> {
    /// What it holds. The reader fills the same row again with the next line: clone it to keep it.
    Row(&'a Row),
    /// Why it holds nothing.
    Rejected(Rejection<'a>),
}

/// Takes a file apart, in portions of any size (`IDX-51` to `IDX-57`).
///
/// Call [`read`](Self::read) with a portion until it gives `None`, then with the next; at the end of
/// the file call [`end`](Self::end) until it gives `None`. What comes out does not depend on the
/// portions. What is held between them is at most one line.
///
/// ```
/// use mic_index::bulk::{Line, Options, Reader};
///
/// let file = b"10000000000000000708463177202411221430000000000000000000000\
///              0123502004266007916\n1000\n";
/// let mut reader = Reader::new(Options::new());
/// let (mut rows, mut rejected) = (0, 0);
/// for mut portion in file.chunks(7) {
///     while let Some(line) = reader.read(&mut portion)? {
///         match line {
///             Line::Row(_) => rows += 1,
///             Line::Rejected(rejection) => {
///                 assert_eq!(rejection.line(), 2);
///                 rejected += 1;
///             }
///         }
///     }
/// }
/// while let Some(_) = reader.end()? {}
/// assert_eq!((rows, rejected, reader.tally().lines()), (1, 1, 2));
/// # Ok::<(), mic_index::bulk::BulkError>(())
/// ```
#[derive(Clone)]
pub struct Reader {
    options: Options,
    format: Option<Format>,
    columns: Option<Columns>,
    /// The first row where it is the header, without its line feed.
    header_line: Option<Vec<u8>>,
    /// The beginning of a line whose end has not come yet, from `held_at` on.
    held: Vec<u8>,
    held_at: usize,
    scan: Scan,
    /// In a line that is too long: everything up to its end is passed over.
    skipping: bool,
    /// The byte order mark was passed over.
    begun: bool,
    /// The first line was looked at.
    looked: bool,
    ended: bool,
    /// Rows that begin before this byte end with their line, whatever their quotation marks say.
    physical_until: u64,
    /// The byte of the file the current line begins at.
    offset: u64,
    /// The number of the current line.
    line: u64,
    tally: Tally,
    /// What the last line held.
    row: Row,
}

/// A line that is there as a whole, in what is held or in the portion.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    held: bool,
    start: usize,
    len: usize,
    quotes: bool,
    too_long: bool,
    line: u64,
    offset: u64,
}

impl Frame {
    fn of<'a>(&self, held: &'a [u8], portion: &'a [u8]) -> &'a [u8] {
        let bytes = if self.held { held } else { portion };
        bytes
            .get(self.start..self.start + self.len)
            .unwrap_or_default()
    }
}

impl Reader {
    /// A reader at the beginning of a file.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self {
            format: options.format,
            options,
            columns: None,
            header_line: None,
            held: Vec::new(),
            held_at: 0,
            scan: Scan::START,
            skipping: false,
            begun: false,
            looked: false,
            ended: false,
            physical_until: 0,
            offset: 0,
            line: 1,
            tally: Tally {
                lines: 0,
                rejected: 0,
                empty: 0,
            },
            row: Row::NONE,
        }
    }

    /// The next line that ends in this portion, which moves on behind what was read; `None` once it
    /// is used up.
    ///
    /// # Errors
    ///
    /// [`BulkError`] if the file as a whole is no text or its header lacks a column. Lines that are
    /// wrong are no errors but [`Line::Rejected`].
    #[inline]
    pub fn read<'a, 'p: 'a>(
        &'a mut self,
        portion: &mut &'p [u8],
    ) -> Result<Option<Line<'a>>, BulkError> {
        if self.quick(portion) {
            return Ok(Some(Line::Row(&self.row)));
        }
        let whole = *portion;
        match self.frame(portion)? {
            None => Ok(None),
            Some(frame) => Ok(Some(self.take(frame, whole))),
        }
    }

    /// The lines that are still held at the end of the file, one at a time: the last where it has no
    /// line feed, and those behind a quotation mark that was never closed.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn end(&mut self) -> Result<Option<Line<'_>>, BulkError> {
        self.ended = true;
        self.read(&mut &[][..])
    }

    /// What was counted so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// The format, given or found out; `None` before the first line.
    #[must_use]
    pub const fn format(&self) -> Option<Format> {
        self.format
    }

    /// Whether the first row of a CSV file was taken for its header.
    #[must_use]
    pub const fn has_header(&self) -> bool {
        self.header_line.is_some()
    }

    /// The header of a CSV file as it stands there, without its line feed: what rejected lines need
    /// before them so that they can be read again.
    #[must_use]
    pub fn header_line(&self) -> Option<&[u8]> {
        self.header_line.as_deref()
    }

    /// What the columns of a CSV file are taken for; `None` for those passed over. Empty before the
    /// first row and for other formats.
    pub fn columns(&self) -> impl Iterator<Item = Option<Field>> {
        let columns = self.columns.iter();
        columns.flat_map(|columns| {
            (0..columns.count).map(|place| columns.at.get(place).copied().flatten())
        })
    }

    pub(super) const fn set_ended(&mut self) {
        self.ended = true;
    }

    /// The row of the last line that was none rejected.
    pub(super) const fn row(&self) -> &Row {
        &self.row
    }

    /// The usual line: whole in the portion, with a legal code in front and nothing to quarrel with
    /// behind it. For all others [`frame`](Self::frame) and [`take`](Self::take) are asked, which
    /// would give the same row.
    #[inline]
    pub(super) fn quick(&mut self, portion: &mut &[u8]) -> bool {
        self.quick_len(portion).is_some_and(|len| {
            *portion = portion.get(len..).unwrap_or_default();
            self.offset += len as u64;
            self.line += 1;
            self.tally.lines += 1;
            true
        })
    }

    /// Reads the usual line, and says how many bytes it has.
    #[inline]
    fn quick_len(&mut self, portion: &[u8]) -> Option<usize> {
        if !self.looked || !self.held.is_empty() || self.skipping {
            return None;
        }
        let parser = self.options.parser;
        let len = match self.format {
            Some(Format::Lines) => {
                self.row.begin(self.line, self.offset);
                quick::code_line(portion, parser, &mut self.row)?
            }
            Some(Format::Csv) => {
                let columns = self.columns.as_ref()?;
                self.row.begin(self.line, self.offset);
                quick::csv_line(portion, columns, &self.options, &mut self.row)?
            }
            _ => return None,
        };
        if len > self.options.line_len_max || self.options.complete && self.row.check().is_err() {
            return None;
        }
        Some(len)
    }

    /// Finds the next line. Whether it comes from what is held or from the portion, it stays where it
    /// is until the next call.
    #[inline]
    pub(super) fn frame(&mut self, portion: &mut &[u8]) -> Result<Option<Frame>, BulkError> {
        let whole = *portion;
        let max = self.options.line_len_max;
        loop {
            if self.held_at >= self.held.len() {
                self.held.clear();
                self.held_at = 0;
            }
            let held = !self.held.is_empty();
            let (from, start) = if held {
                (self.held.as_slice(), self.held_at)
            } else {
                (whole, whole.len() - portion.len())
            };
            let bytes = from.get(start..).unwrap_or_default();
            if self.skipping {
                let end = memchr(b'\n', bytes);
                self.skipping = end.is_none();
                self.line += u64::from(end.is_some());
                let passed = end.map_or(bytes.len(), |at| at + 1);
                self.advance(passed, held, portion);
                if self.skipping && portion.is_empty() {
                    return Ok(None);
                }
                continue;
            }
            if !self.begun {
                if let Some(mark) = begin(bytes, self.ended)? {
                    self.begun = true;
                    self.advance(mark, held, portion);
                } else if !self.hold(portion) {
                    return Ok(None);
                }
                continue;
            }
            if !self.looked {
                if let Some(line) = first_line(bytes, max, self.ended) {
                    no_text(line)?;
                    self.looked = true;
                    if self.format.is_none() {
                        self.format = Some(detect(line, &self.options));
                        self.scan = Scan::START;
                    }
                }
            }
            let found = if self.format == Some(Format::Csv) {
                let physical = self.offset < self.physical_until;
                self.scan.csv(bytes, max, self.options.delimiter, physical)
            } else {
                self.scan.plain(bytes, max)
            };
            let (len, quotes) = match found {
                Found::End { len, quotes } => (len, quotes),
                Found::TooLong => {
                    self.needs_no_header("one that is too long")?;
                    let frame = self.framed(held, start, 0, false, true);
                    self.tally.lines += 1;
                    self.skipping = true;
                    self.scan = Scan::START;
                    self.advance(max + 1, held, portion);
                    return Ok(Some(frame));
                }
                Found::NeverClosed => {
                    self.physical_until = self.offset + max as u64 + 1;
                    self.scan = Scan::START;
                    continue;
                }
                Found::More if !self.ended => {
                    if !self.hold(portion) {
                        return Ok(None);
                    }
                    continue;
                }
                Found::More if bytes.is_empty() => return Ok(None),
                Found::More if self.scan.is_open() && self.offset >= self.physical_until => {
                    self.physical_until = self.offset + bytes.len() as u64;
                    self.scan = Scan::START;
                    continue;
                }
                // The last line has no line feed.
                Found::More => (bytes.len(), self.scan.has_quotes()),
            };
            let feed = usize::from(len < bytes.len());
            let line = strip(bytes.get(..len).unwrap_or_default());
            let breaks = if quotes {
                memchr_iter(b'\n', line).count() as u64
            } else {
                0
            };
            let frame = self.framed(held, start, line.len(), quotes, false);
            let is_data = if frame.len == 0 {
                self.tally.empty += 1;
                false
            } else {
                self.format != Some(Format::Csv)
                    || self.columns.is_some()
                    || self.is_data(frame, whole)?
            };
            self.tally.lines += u64::from(is_data);
            self.line += 1 + breaks;
            self.scan = Scan::START;
            self.advance(len + feed, held, portion);
            if is_data {
                return Ok(Some(frame));
            }
        }
    }

    const fn framed(
        &self,
        held: bool,
        start: usize,
        len: usize,
        quotes: bool,
        too_long: bool,
    ) -> Frame {
        Frame {
            held,
            start,
            len,
            quotes,
            too_long,
            line: self.line,
            offset: self.offset,
        }
    }

    fn advance(&mut self, bytes: usize, held: bool, portion: &mut &[u8]) {
        self.offset += bytes as u64;
        if held {
            self.held_at += bytes;
        } else {
            *portion = portion.get(bytes..).unwrap_or_default();
        }
    }

    /// Keeps the beginning of a line: the rest of the portion or, where a beginning is held already,
    /// up to its next line feed. False if the portion is used up.
    fn hold(&mut self, portion: &mut &[u8]) -> bool {
        if portion.is_empty() {
            return false;
        }
        self.held.drain(..self.held_at);
        self.held_at = 0;
        let wanted = if self.held.is_empty() {
            portion.len()
        } else {
            // One byte more than is allowed tells that the line is too long.
            let max = self.options.line_len_max;
            let room = max.saturating_add(1).saturating_sub(self.held.len());
            let end = memchr(b'\n', portion).map_or(portion.len(), |at| at + 1);
            end.min(room.max(1))
        };
        let (kept, rest) = portion.split_at_checked(wanted).unwrap_or((portion, &[]));
        self.held.extend_from_slice(kept);
        *portion = rest;
        true
    }

    /// Looks at the first row; its columns are those of the file. False if it is the header.
    #[cold]
    fn is_data(&mut self, frame: Frame, portion: &[u8]) -> Result<bool, BulkError> {
        let line = frame.of(&self.held, portion);
        let Ok(fields) = csv::fields(line, self.options.delimiter) else {
            // Where it is data at any rate it says nothing, and the next one decides how many fields.
            self.needs_no_header("a quotation mark out of place")?;
            return Ok(true);
        };
        let FirstRow { columns, is_header } = Columns::of(&fields, &self.options)?;
        self.columns = Some(columns);
        self.header_line = is_header.then(|| line.to_vec());
        Ok(!is_header)
    }

    /// Refuses a CSV file whose first row may be its header and cannot be read: the next row would be taken
    /// for the first, and its columns guessed.
    fn needs_no_header(&self, found: &'static str) -> Result<(), BulkError> {
        if self.format != Some(Format::Csv)
            || self.columns.is_some()
            || self.options.header == Header::Absent
        {
            return Ok(());
        }
        Err(BulkError::FirstRow { found })
    }

    /// The line of a frame; `portion` is that of the call that found it.
    #[inline]
    pub(super) fn take<'a>(&'a mut self, frame: Frame, portion: &'a [u8]) -> Line<'a> {
        let parser = self.options.parser;
        let raw = frame.of(&self.held, portion);
        let row = &mut self.row;
        row.begin(frame.line, frame.offset);
        let mut taken = if frame.too_long {
            let max = self.options.line_len_max;
            Err(Refusal::new(Reason::TooLong { max }, 0..max))
        } else {
            match self.format {
                Some(Format::Csv) => {
                    csv_row(raw, frame.quotes, self.columns.as_ref(), &self.options, row)
                }
                Some(Format::Ndjson) => json::row(raw, parser, row),
                _ => match parser.parse_bytes(raw) {
                    Ok(code) => {
                        row.code = code;
                        Ok(())
                    }
                    Err(error) => Err(Refusal::of_code(error, error.span(), Cow::Borrowed(raw))),
                },
            }
        };
        if self.options.complete && taken.is_ok() {
            let complete = row.check();
            taken = complete.map_err(|error| Refusal::new(Reason::Record(error), 0..raw.len()));
        }
        match taken {
            Ok(()) => Line::Row(&self.row),
            Err(refusal) => {
                self.tally.rejected += 1;
                let Refusal { reason, span, code } = *refusal;
                Line::Rejected(Rejection {
                    line: frame.line,
                    offset: frame.offset,
                    span,
                    reason,
                    raw,
                    code,
                    parser,
                })
            }
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("format", &self.format)
            .field("line", &self.line)
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

/// Why a line is no row, and the bytes of the line at fault.
pub(super) struct Refusal<'a> {
    pub(super) reason: Reason,
    pub(super) span: Range<usize>,
    pub(super) code: Cow<'a, [u8]>,
}

impl<'a> Refusal<'a> {
    #[cold]
    pub(super) fn new(reason: Reason, span: Range<usize>) -> Box<Self> {
        let code = Cow::Borrowed(&[][..]);
        Box::new(Self { reason, span, code })
    }

    #[cold]
    pub(super) fn of_code(error: ParseError, span: Range<usize>, code: Cow<'a, [u8]>) -> Box<Self> {
        let reason = Reason::Code(error);
        Box::new(Self { reason, span, code })
    }
}

/// The fields of a row as they stand in it, by [`Field`].
type Cells<'a> = [Option<(&'a [u8], usize)>; Field::COLUMNS.len()];

#[inline]
fn csv_row<'a>(
    line: &'a [u8],
    quotes: bool,
    columns: Option<&Columns>,
    options: &Options,
    row: &mut Row,
) -> Result<(), Box<Refusal<'a>>> {
    let Some(columns) = columns.filter(|_| !quotes) else {
        return quoted_row(line, columns, options, row);
    };
    let mut cells: Cells<'a> = [None; Field::COLUMNS.len()];
    let mut count = 0;
    for (place, span) in csv::plain(line, options.delimiter).enumerate() {
        count = place + 1;
        if let Some(Some(field)) = columns.at.get(place) {
            if let Some(cell) = cells.get_mut(*field as usize) {
                *cell = line.get(span.clone()).map(|text| (text, span.start));
            }
        }
    }
    if count != columns.count {
        return Err(wrong_count(line, columns.count, count));
    }
    assemble(&cells, options.parser, row).map_err(|fault| {
        let [code, ..] = cells;
        let code = code.map_or(&[][..], |(text, _)| text);
        fault.into_refusal(Cow::Borrowed(code))
    })
}

/// The long way, for rows with quotation marks.
#[cold]
fn quoted_row<'a>(
    line: &'a [u8],
    columns: Option<&Columns>,
    options: &Options,
    row: &mut Row,
) -> Result<(), Box<Refusal<'a>>> {
    let fields: Fields<'a> = csv::fields(line, options.delimiter)
        .map_err(|(fault, at)| Refusal::new(Reason::Quote(fault), at..at + 1))?;
    let Some(columns) = columns else {
        // Not reached: the first row that can be split has set them.
        return Err(wrong_count(line, 0, fields.len()));
    };
    if fields.len() != columns.count {
        return Err(wrong_count(line, columns.count, fields.len()));
    }
    let mut cells: Cells<'_> = [None; Field::COLUMNS.len()];
    let mut spans: [Option<Range<usize>>; Field::COLUMNS.len()] = Default::default();
    let mut code = Cow::Borrowed(&[][..]);
    for (cell, field) in fields.places().zip(&columns.at) {
        let Some(field) = *field else { continue };
        let at = field as usize;
        if let (Some(slot), Some(span)) = (cells.get_mut(at), spans.get_mut(at)) {
            *slot = Some((&cell.text, cell.span.start));
            // With doubled quotation marks the field is told as a whole.
            *span = matches!(cell.text, Cow::Owned(_)).then(|| cell.span.clone());
        }
        if field == Field::Code {
            code = cell.text.clone();
        }
    }
    assemble(&cells, options.parser, row).map_err(|mut fault| {
        let field = fault.reason.field().map_or(0, |field| field as usize);
        if let Some(Some(span)) = spans.get(field) {
            fault.span = span.clone();
        }
        fault.into_refusal(code)
    })
}

#[cold]
fn wrong_count(line: &[u8], expected: usize, found: usize) -> Box<Refusal<'static>> {
    Refusal::new(Reason::Columns { expected, found }, 0..line.len())
}

#[inline]
fn assemble(cells: &Cells<'_>, parser: Parser, row: &mut Row) -> Result<(), Fault> {
    let [code, others @ ..] = cells;
    let (text, start) = code.unwrap_or_default();
    row.code = parser
        .parse_bytes(text)
        .map_err(|error| Fault::at(Reason::Code(error), error.span(), start))?;
    for (cell, field) in others.iter().zip(Field::COLUMNS.into_iter().skip(1)) {
        match cell {
            Some((text, start)) if !text.is_empty() => {
                fill(row, field, text)
                    .map_err(|fault| Fault::at(fault.reason, fault.span, *start))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is wrong with a field, and at which bytes of its text or line.
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) span: Range<usize>,
}

impl Fault {
    #[cold]
    fn at(reason: Reason, span: Range<usize>, start: usize) -> Self {
        let span = span.start + start..span.end + start;
        Self { reason, span }
    }

    fn into_refusal(self, code: Cow<'_, [u8]>) -> Box<Refusal<'_>> {
        match self.reason {
            Reason::Code(error) => Refusal::of_code(error, self.span, code),
            reason => Refusal::new(reason, self.span),
        }
    }
}

/// Reads the text of any field but the code.
pub(super) fn fill(row: &mut Row, field: Field, bytes: &[u8]) -> Result<(), Fault> {
    match str::from_utf8(bytes) {
        Ok(text) => fill_text(row, field, text),
        Err(_) => {
            let (reason, span) = (Reason::Utf8 { field }, 0..bytes.len());
            Err(Fault { reason, span })
        }
    }
}

/// Reads the text of any field but the code.
pub(super) fn fill_text(row: &mut Row, field: Field, text: &str) -> Result<(), Fault> {
    let refuse = |reason: Reason| {
        let span = match &reason {
            Reason::StudyUid(StudyUidError::Character { at } | StudyUidError::Dot { at })
            | Reason::Institution(InstitutionCodeError::Character { at }) => *at..*at + 1,
            Reason::Item {
                error: ItemTextError::Character { at, width, .. },
                ..
            } => *at..*at + *width,
            _ => 0..text.len(),
        };
        Fault { reason, span }
    };
    match field {
        Field::StudyInstanceUid => {
            let uid = text.parse().map_err(|e| refuse(Reason::StudyUid(e)))?;
            row.study_instance_uid = Some(uid);
        }
        Field::Institution => {
            let code = text.parse().map_err(|e| refuse(Reason::Institution(e)))?;
            row.more_mut().institution = Some(code);
        }
        Field::AccessionNumber => {
            let number = &mut row.more_mut().accession_number;
            number.clear();
            number.push_str(text);
        }
        Field::ExamType => {
            let known = number(text)
                .and_then(|code| u8::try_from(code).ok())
                .and_then(ExamType::from_code);
            row.more_mut().exam_type = Some(known.ok_or_else(|| refuse(Reason::ExamType))?);
        }
        Field::Parts => {
            let mut start = 0;
            let mut parts = Vec::new();
            for part in text.split('|') {
                let code = read_part(part);
                parts.push(code.map_err(|fault| Fault::at(fault.reason, fault.span, start))?);
                start += part.len() + 1;
            }
            row.set_parts(parts);
        }
        Field::SeriesCount | Field::ImageCount => {
            let count = number(text).ok_or_else(|| refuse(Reason::Count { field }))?;
            if field == Field::SeriesCount {
                row.more_mut().series_count = Some(count);
            } else {
                row.more_mut().image_count = Some(count);
            }
        }
        Field::ItemCode => {
            let code = ItemCode::try_from(text);
            let code = code.map_err(|error| refuse(Reason::Item { field, error }))?;
            row.more_mut().item_code = Some(code);
        }
        Field::ItemName => {
            let name = ItemName::try_from(text);
            let name = name.map_err(|error| refuse(Reason::Item { field, error }))?;
            row.more_mut().item_name = Some(name);
        }
        Field::OrderedAt | Field::StartedAt | Field::EndedAt | Field::ReportedAt => {
            let moment = text.parse::<Moment>();
            let moment = moment.map_err(|error| refuse(Reason::Moment { field, error }))?;
            let minute = row.code.exam_time();
            let more = row.more_mut();
            match field {
                Field::OrderedAt => more.ordered_at = Some(moment),
                Field::EndedAt => more.ended_at = Some(moment),
                Field::ReportedAt => more.reported_at = Some(moment),
                _ if moment.minute() != minute => {
                    return Err(refuse(Reason::Record(RecordError::StartOfAnotherMinute)));
                }
                _ => more.started_at = Some(moment),
            }
        }
        // The code is read before; a key has no text of its own.
        Field::Code | Field::Supersedes => {}
    }
    Ok(())
}

/// One part examined.
pub(super) fn read_part(text: &str) -> Result<SiteCode, Fault> {
    text.parse().map_err(|error: ParseError| Fault {
        span: error.span(),
        reason: Reason::Part(error),
    })
}

/// Digits and nothing else.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}
