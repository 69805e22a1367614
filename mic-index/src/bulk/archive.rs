//! Plain text or an archive, by its first bytes.

#[cfg(any(feature = "gzip", feature = "zstd"))]
use alloc::boxed::Box;
use core::fmt;
use std::io::{self, BufRead, BufReader, Read};

use super::error::BulkError;

/// Bytes of text an archive may give unless set otherwise: 2^40, some seven thousand million lines.
pub const DECOMPRESSED_MAX: u64 = 1 << 40;

/// The window of a zstd archive is at most 2^25 bytes (32 MiB), so that reading stays in little memory.
/// Compression levels up to 20 need no more; `--long` does.
pub const WINDOW_LOG_MAX: u32 = 25;

/// Bytes of the input read at a time.
const INPUT_LEN: usize = 128 * 1024;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// gzip (RFC 1952), several members one after another included.
    Gzip,
    /// Zstandard (RFC 8878), several frames included.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// The text of an input.
pub(super) struct Source<R> {
    text: Text<R>,
    given: u64,
    max: u64,
}

enum Text<R> {
    /// Nothing was read yet.
    New(Option<Input<R>>),
    Plain(Input<R>),
    #[cfg(feature = "gzip")]
    Gzip(Box<flate2::bufread::MultiGzDecoder<Input<R>>>),
    #[cfg(feature = "zstd")]
    Zstd(Box<zstd::stream::read::Decoder<'static, Input<R>>>),
}

impl<R: Read> Source<R> {
    pub(super) fn new(input: R, max: u64) -> Self {
        let input = Input {
            bytes: BufReader::with_capacity(INPUT_LEN, Counted { input, read: 0 }),
            head: [0; MAGIC_LEN],
            head_at: 0,
            head_len: 0,
        };
        Self {
            text: Text::New(Some(input)),
            given: 0,
            max,
        }
    }

    /// Bytes of the input used so far.
    pub(super) fn used(&self) -> u64 {
        match &self.text {
            Text::New(input) => input.as_ref().map_or(0, Input::used),
            Text::Plain(input) => input.used(),
            #[cfg(feature = "gzip")]
            Text::Gzip(decoder) => decoder.get_ref().used(),
            #[cfg(feature = "zstd")]
            Text::Zstd(decoder) => decoder.get_ref().used(),
        }
    }

    pub(super) fn compression(&self) -> Option<Compression> {
        match &self.text {
            Text::New(_) | Text::Plain(_) => None,
            #[cfg(feature = "gzip")]
            Text::Gzip(_) => Some(Compression::Gzip),
            #[cfg(feature = "zstd")]
            Text::Zstd(_) => Some(Compression::Zstd),
        }
    }

    /// The next bytes of the text; none at its end.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, BulkError> {
        if let Text::New(input) = &mut self.text {
            let input = input.take();
            self.text = open(input)?;
        }
        loop {
            let read = match &mut self.text {
                Text::New(_) => return Ok(0),
                Text::Plain(input) => input.read(into),
                #[cfg(feature = "gzip")]
                Text::Gzip(decoder) => decoder.read(into),
                #[cfg(feature = "zstd")]
                Text::Zstd(decoder) => decoder.read(into),
            };
            match read {
                Ok(len) => {
                    self.given += len as u64;
                    if self.compression().is_some() && self.given > self.max {
                        return Err(BulkError::TooLarge { max: self.max });
                    }
                    return Ok(len);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fault(&error)),
            }
        }
    }

    fn fault(&self, error: &io::Error) -> BulkError {
        let at = self.used();
        let kind = error.kind();
        match (self.compression(), kind) {
            (Some(compression), io::ErrorKind::UnexpectedEof) => {
                BulkError::Truncated { compression, at }
            }
            (
                Some(compression),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other,
            ) => BulkError::Damaged { compression, at },
            _ => BulkError::Read { at, kind },
        }
    }
}

fn open<R: Read>(input: Option<Input<R>>) -> Result<Text<R>, BulkError> {
    let Some(mut input) = input else {
        // An error came before.
        return Ok(Text::New(None));
    };
    let magic = input.peek().map_err(|error| BulkError::Read {
        at: 0,
        kind: error.kind(),
    })?;
    match magic {
        [0x1f, 0x8b, 8, ..] => gzip(input),
        // A frame, or a skippable one before it, as pzstd writes.
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => zstd(input),
        _ => Ok(Text::Plain(input)),
    }
}

#[cfg(feature = "gzip")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the twin without the feature refuses"
)]
fn gzip<R: Read>(input: Input<R>) -> Result<Text<R>, BulkError> {
    let decoder = flate2::bufread::MultiGzDecoder::new(input);
    Ok(Text::Gzip(Box::new(decoder)))
}

#[cfg(not(feature = "gzip"))]
fn gzip<R>(_: Input<R>) -> Result<Text<R>, BulkError> {
    Err(BulkError::NotCompiledIn {
        compression: Compression::Gzip,
    })
}

#[cfg(feature = "zstd")]
fn zstd<R: Read>(input: Input<R>) -> Result<Text<R>, BulkError> {
    let refuse = |error: io::Error| BulkError::Read {
        at: 0,
        kind: error.kind(),
    };
    let mut decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(refuse)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(refuse)?;
    Ok(Text::Zstd(Box::new(decoder)))
}

#[cfg(not(feature = "zstd"))]
fn zstd<R>(_: Input<R>) -> Result<Text<R>, BulkError> {
    Err(BulkError::NotCompiledIn {
        compression: Compression::Zstd,
    })
}

/// First bytes that tell an archive.
const MAGIC_LEN: usize = 4;

/// The input with its first bytes given back after they were looked at.
struct Input<R> {
    bytes: BufReader<Counted<R>>,
    head: [u8; MAGIC_LEN],
    head_at: usize,
    head_len: usize,
}

impl<R: Read> Input<R> {
    fn used(&self) -> u64 {
        let waiting = self.bytes.buffer().len() + self.head_len - self.head_at;
        self.bytes.get_ref().read - waiting as u64
    }

    fn peek(&mut self) -> io::Result<&[u8]> {
        while let Some(room @ [_, ..]) = self.head.get_mut(self.head_len..) {
            match self.bytes.read(room) {
                Ok(0) => break,
                Ok(len) => self.head_len += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.rest_of_head())
    }

    fn rest_of_head(&self) -> &[u8] {
        self.head
            .get(self.head_at..self.head_len)
            .unwrap_or_default()
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.head_at < self.head_len {
            let len = self.rest_of_head().read(into)?;
            self.head_at += len;
            return Ok(len);
        }
        self.bytes.read(into)
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.head_at < self.head_len {
            return Ok(self.rest_of_head());
        }
        self.bytes.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        if self.head_at < self.head_len {
            self.head_at = (self.head_at + len).min(self.head_len);
        } else {
            self.bytes.consume(len);
        }
    }
}

/// Counts what is read.
struct Counted<R> {
    input: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.input.read(into)?;
        self.read += len as u64;
        Ok(len)
    }
}
