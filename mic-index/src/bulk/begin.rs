//! What the beginning of a file says: that it is no text, where its text begins, its format.

use core::ops::Range;

use memchr::memchr;

use super::error::BulkError;
use super::header::Field;
use super::options::{Format, Options};

/// How many bytes of byte order mark the file begins with; `None` while too few are there.
pub(super) fn begin(bytes: &[u8], ended: bool) -> Result<Option<usize>, BulkError> {
    /// The longest mark looked for.
    const MARK_LEN_MAX: usize = 10;
    if bytes.len() < MARK_LEN_MAX && !ended {
        return Ok(None);
    }
    let found = match bytes {
        [0xef, 0xbb, 0xbf, ..] => return Ok(Some(3)),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
        [b'P', b'K', 3, 4, ..] => "a zip archive or Excel workbook",
        [0xd0, 0xcf, 0x11, 0xe0, ..] => "an old Excel workbook",
        [0x1f, 0x8b, ..] => "a gzip archive",
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => "a zstd archive",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "an xz archive",
        // The block's magic behind the level: "BZh9" alone may be text.
        [
            b'B',
            b'Z',
            b'h',
            b'1'..=b'9',
            0x31,
            0x41,
            0x59,
            0x26,
            0x53,
            0x59,
            ..,
        ]
        | [
            b'B',
            b'Z',
            b'h',
            b'1'..=b'9',
            0x17,
            0x72,
            0x45,
            0x38,
            0x50,
            0x90,
            ..,
        ] => "a bzip2 archive",
        [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => "an lz4 archive",
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => "a 7z archive",
        [b'R', b'a', b'r', b'!', 0x1a, 0x07, ..] => "a rar archive",
        [0x1f, 0x9d, ..] => "a compress archive",
        _ => return Ok(Some(0)),
    };
    Err(BulkError::Encoding { found })
}

/// Refuses a file whose first line has a NUL, which no text has.
pub(super) fn no_text(line: &[u8]) -> Result<(), BulkError> {
    /// Where a tar archive says what it is.
    const TAR_MARK: Range<usize> = 257..262;
    if memchr(0, line).is_none() {
        return Ok(());
    }
    let found = if line.get(TAR_MARK) == Some(b"ustar") {
        "a tar archive"
    } else {
        "binary data or UTF-16"
    };
    Err(BulkError::Encoding { found })
}

/// The first line if it is there as far as it may go, and is not empty.
pub(super) fn first_line(bytes: &[u8], max: usize, ended: bool) -> Option<&[u8]> {
    let window = bytes.get(..=max).unwrap_or(bytes);
    let line = match memchr(b'\n', window) {
        Some(at) => strip(window.get(..at)?),
        None if ended || window.len() > max => strip(window),
        None => return None,
    };
    (!line.is_empty()).then_some(line)
}

/// The format of a file by its first line (`IDX-51`).
pub(super) fn detect(line: &[u8], options: &Options) -> Format {
    let names = Field::Code.column_names();
    if line.trim_ascii_start().first() == Some(&b'{') {
        Format::Ndjson
    } else if line.contains(&options.delimiter)
        || line.contains(&b'"')
        || names
            .iter()
            .any(|name| line.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
    {
        Format::Csv
    } else {
        Format::Lines
    }
}

/// Without the carriage return of a Windows line end.
#[inline]
pub(super) fn strip(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
