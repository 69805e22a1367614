//! Events from files and streams: CSV, NDJSON and JSON, one event in memory at a time.
//!
//! Nothing is dropped: each record is an event or an error with its line, and reading goes on
//! after it where the format lets it. No error repeats what stood there.

mod csv;
mod error;
mod fields;
mod json;

use alloc::vec::Vec;
use std::io::{self, BufRead};

pub use self::error::{ReadError, ReadErrorKind};
use self::{
    fields::{Field, Fields},
    json::Splitter,
};
use crate::event::Event;

/// The longest record: an event has 16 short fields, so more is another kind of file, and the
/// bound keeps it from taking the memory.
pub const RECORD_BYTES_MAX: usize = 16 * 1024;

/// The mark some programs put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An iterator over the events of a file.
///
/// - CSV (RFC 4180, UTF-8): a header with the names of the JSON fields in any order; an empty field
///   is an absent one. A record is one line.
/// - NDJSON: one object a line. Empty lines are skipped.
/// - JSON: one array of objects.
///
/// ```
/// use mic_billing::EventReader;
///
/// let text = "\
/// institution,encounter,person,kind,occurred,known,source,exam,modality
/// H44030500001,E1,000102030405060708090a0b0c0d0e0f,performed,2025-12-01T09:40:00+08:00,2025-12-01T09:40:00+08:00,hospital,F2,xray
/// H44030500001,E1,000102030405060708090a0b0c0d0e0f,performed,2025-12-01T09:40:00+08:00,2025-12-01T09:40,hospital,F2,xray
/// ";
/// let mut events = EventReader::csv(text.as_bytes());
/// assert_eq!(events.next().unwrap()?.kind().name(), "performed");
/// let error = events.next().unwrap().unwrap_err();
/// assert_eq!((error.line(), error.column(), error.field()), (3, Some(86), Some("known")));
/// assert!(events.next().is_none());
/// # Ok::<(), mic_billing::ReadError>(())
/// ```
#[derive(Debug)]
pub struct EventReader<R> {
    source: R,
    format: Format,
    /// The number of the line last read, from one.
    line: u64,
    record: Vec<u8>,
    done: bool,
}

#[derive(Debug)]
enum Format {
    /// The header, once it is read.
    Csv(Option<Vec<Field>>),
    Ndjson,
    Json(Splitter),
}

impl<R: BufRead> EventReader<R> {
    /// Reads CSV.
    pub const fn csv(source: R) -> Self {
        Self::new(source, Format::Csv(None))
    }

    /// Reads NDJSON.
    pub const fn ndjson(source: R) -> Self {
        Self::new(source, Format::Ndjson)
    }

    /// Reads a JSON array.
    pub const fn json(source: R) -> Self {
        Self::new(source, Format::Json(Splitter::new()))
    }

    const fn new(source: R, format: Format) -> Self {
        Self {
            source,
            format,
            line: 0,
            record: Vec::new(),
            done: false,
        }
    }

    /// The next line without its end; false at the end of the file.
    fn next_line(&mut self) -> Result<bool, ReadError> {
        self.record.clear();
        let here = self.line.saturating_add(1);
        let read = take_line(&mut self.source, &mut self.record)
            .map_err(|error| ReadError::io(here, &error))?;
        if read == Taken::Nothing {
            return Ok(false);
        }
        self.line = here;
        if here == 1 && self.record.starts_with(BYTE_ORDER_MARK) {
            self.record.drain(..BYTE_ORDER_MARK.len());
        }
        if read == Taken::TooLong {
            let kind = ReadErrorKind::TooLong {
                max: RECORD_BYTES_MAX,
            };
            return Err(ReadError::new(here, kind));
        }
        if self.record.last() == Some(&b'\r') {
            self.record.pop();
        }
        Ok(true)
    }

    fn next_record(&mut self) -> Result<Option<Event>, ReadError> {
        if let Format::Json(splitter) = &mut self.format {
            return match splitter.next(&mut self.source, &mut self.record)? {
                Some(place) => json::object(&self.record)
                    .and_then(Fields::event)
                    .map(Some)
                    .map_err(|error| error.within(place)),
                None => Ok(None),
            };
        }
        while self.next_line()? {
            if self.record.is_empty() {
                continue;
            }
            let event = match &mut self.format {
                Format::Csv(Some(header)) => {
                    csv::fields(&self.record, header).and_then(Fields::event)
                }
                Format::Csv(header) => match csv::header(&self.record) {
                    Ok(found) => {
                        *header = Some(found);
                        continue;
                    }
                    Err(error) => {
                        // Without a header nothing after it can be read.
                        self.done = true;
                        Err(error)
                    }
                },
                _ => json::object(&self.record).and_then(Fields::event),
            };
            return event.map(Some).map_err(|error| error.on(self.line));
        }
        if matches!(self.format, Format::Csv(None)) {
            self.done = true;
            let kind = ReadErrorKind::NoHeader;
            return Err(ReadError::new(self.line.saturating_add(1), kind));
        }
        Ok(None)
    }
}

impl<R: BufRead> Iterator for EventReader<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_record().transpose();
        match &next {
            None => self.done = true,
            Some(Err(error)) => self.done |= error.is_last(),
            Some(Ok(_)) => {}
        }
        next
    }
}

/// What was taken from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Line,
    TooLong,
    Nothing,
}

/// Takes a line without its end. Of one that is too long the beginning is kept and the rest
/// skipped, so that reading can go on.
fn take_line(source: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Taken> {
    let mut taken = Taken::Nothing;
    loop {
        let chunk = match source.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            return Ok(taken);
        }
        if taken == Taken::Nothing {
            taken = Taken::Line;
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let piece = end.and_then(|end| chunk.get(..end)).unwrap_or(chunk);
        let room = RECORD_BYTES_MAX.saturating_sub(line.len());
        if piece.len() > room {
            taken = Taken::TooLong;
        }
        line.extend(piece.iter().take(room));
        let used = end.map_or(chunk.len(), |end| end.saturating_add(1));
        source.consume(used);
        if end.is_some() {
            return Ok(taken);
        }
    }
}
