//! Finding the end of a line, or of a CSV row, in bytes that come in portions.

use memchr::{memchr, memchr2};

/// Where a byte of a CSV row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the first byte of a field.
    FieldStart,
    /// In a field without quotation marks.
    Plain,
    /// Between quotation marks.
    Quoted,
    /// Behind a quotation mark that closes or is doubled.
    QuoteSeen,
    /// Behind a carriage return after a closing quotation mark: the row ends here, or is at fault.
    ReturnSeen,
    /// Behind a quotation mark that stands where none may: the row ends with its line.
    Faulty,
}

/// How far the current line was looked through. Nothing is looked at twice, however the bytes come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    seen: usize,
    /// A quotation mark was met: bytes count one by one.
    quotes: bool,
    place: Place,
    /// A line break was met between quotation marks.
    broken: bool,
}

/// What a scan finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The line goes on.
    More,
    /// It ends: so many bytes before its line feed.
    End {
        len: usize,
        /// It has quotation marks.
        quotes: bool,
    },
    /// It is longer than allowed.
    TooLong,
    /// It is longer than allowed, with line breaks between quotation marks or with one open.
    NeverClosed,
}

impl Scan {
    pub(super) const START: Self = Self {
        seen: 0,
        quotes: false,
        place: Place::FieldStart,
        broken: false,
    };

    /// A line of text. `line` begins with it and is longer each time.
    #[inline]
    pub(super) fn plain(&mut self, line: &[u8], max: usize) -> Found {
        let window = line.get(..=max).unwrap_or(line);
        let Some(fresh) = window.get(self.seen..) else {
            return Found::More;
        };
        if let Some(at) = memchr(b'\n', fresh) {
            let (len, quotes) = (self.seen + at, false);
            return Found::End { len, quotes };
        }
        self.seen = window.len();
        if window.len() > max {
            Found::TooLong
        } else {
            Found::More
        }
    }

    /// A row of CSV (`IDX-53`); `physical` where a line break ends it even between quotation marks.
    #[inline]
    pub(super) fn csv(&mut self, line: &[u8], max: usize, delimiter: u8, physical: bool) -> Found {
        let window = line.get(..=max).unwrap_or(line);
        if !self.quotes {
            match window
                .get(self.seen..)
                .and_then(|fresh| Some((memchr2(b'\n', b'"', fresh)?, fresh)))
            {
                Some((at, fresh)) if fresh.get(at) == Some(&b'\n') => {
                    return Found::End {
                        len: self.seen + at,
                        quotes: false,
                    };
                }
                Some(_) => {
                    self.quotes = true;
                    self.seen = 0;
                }
                None => self.seen = window.len(),
            }
        }
        self.quoted(window, max, delimiter, physical)
    }

    fn quoted(&mut self, window: &[u8], max: usize, delimiter: u8, physical: bool) -> Found {
        while let Some(&byte) = window.get(self.seen) {
            let open = self.place == Place::Quoted;
            if byte == b'\n' && (physical || !open) {
                return Found::End {
                    len: self.seen,
                    quotes: true,
                };
            }
            self.broken |= byte == b'\n';
            self.place = match (self.place, byte) {
                (Place::FieldStart | Place::QuoteSeen, b'"') => Place::Quoted,
                (Place::Quoted, b'"') => Place::QuoteSeen,
                (Place::Quoted, _) => Place::Quoted,
                (Place::Faulty | Place::ReturnSeen, _) | (Place::Plain, b'"') => Place::Faulty,
                (_, byte) if byte == delimiter => Place::FieldStart,
                (Place::QuoteSeen, b'\r') => Place::ReturnSeen,
                (Place::QuoteSeen, _) => Place::Faulty,
                (Place::FieldStart | Place::Plain, _) => Place::Plain,
            };
            self.seen += 1;
        }
        match (
            window.len() > max,
            (self.is_open() || self.broken) && !physical,
        ) {
            (false, _) => Found::More,
            (true, false) => Found::TooLong,
            (true, true) => Found::NeverClosed,
        }
    }

    /// Whether a quotation mark is open.
    pub(super) fn is_open(&self) -> bool {
        self.quotes && self.place == Place::Quoted
    }

    /// Whether a quotation mark was met.
    pub(super) const fn has_quotes(&self) -> bool {
        self.quotes
    }
}
