//! A forward reader with a small look-ahead: what is walked over is passed by seeking, never held.

use alloc::boxed::Box;
use alloc::vec;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes looked ahead: most headers of classic images fit.
const BUFFER_BYTES: usize = 16 * 1024;

/// Bytes that can be read, and passed over without reading.
pub(super) trait Forward {
    /// Reads what there is, 0 at the end.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;
    /// Passes over `bytes`, or as many as there are.
    fn pass(&mut self, bytes: u64) -> io::Result<u64>;
}

/// A reader that can seek.
pub(super) struct Seeking<'r, R> {
    reader: &'r mut R,
    /// Bytes left to the end.
    left: u64,
}

impl<'r, R: Read + Seek> Seeking<'r, R> {
    /// From the reader's beginning to its end.
    pub(super) fn new(reader: &'r mut R) -> io::Result<Self> {
        let left = reader.seek(SeekFrom::End(0))?;
        reader.seek(SeekFrom::Start(0))?;
        Ok(Self { reader, left })
    }
}

impl<R: Read + Seek> Forward for Seeking<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }

    fn pass(&mut self, bytes: u64) -> io::Result<u64> {
        let bytes = bytes.min(self.left);
        self.reader
            .seek_relative(i64::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?)?;
        self.left = self.left.saturating_sub(bytes);
        Ok(bytes)
    }
}

/// A reader that can't seek: passing over is reading.
pub(super) struct Reading<R>(pub(super) R);

impl<R: Read> Forward for Reading<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }

    fn pass(&mut self, bytes: u64) -> io::Result<u64> {
        io::copy(&mut (&mut self.0).take(bytes), &mut io::sink())
    }
}

/// The look-ahead.
pub(super) struct Input<F> {
    source: F,
    buffer: Box<[u8]>,
    begin: usize,
    end: usize,
    at: u64,
}

impl<F: Forward> Input<F> {
    pub(super) fn new(source: F) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            begin: 0,
            end: 0,
            at: 0,
        }
    }

    /// Where the next byte lies.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    /// At least the next `bytes` (at most [`BUFFER_BYTES`]), or what there is before the end.
    pub(super) fn peek(&mut self, bytes: usize) -> io::Result<&[u8]> {
        if self.end - self.begin < bytes {
            self.buffer.copy_within(self.begin..self.end, 0);
            self.end -= self.begin;
            self.begin = 0;
            while self.end < bytes {
                let into = self.buffer.get_mut(self.end..).unwrap_or_default();
                match self.source.read(into) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                    Ok(0) => break,
                    Ok(read) => self.end += read,
                }
            }
        }
        Ok(self.buffer.get(self.begin..self.end).unwrap_or_default())
    }

    /// Passes over `bytes`, or as many as there are; says how many.
    pub(super) fn skip(&mut self, bytes: u64) -> io::Result<u64> {
        let ready = (self.end - self.begin) as u64;
        let from_buffer = usize::try_from(bytes.min(ready)).unwrap_or(usize::MAX);
        self.begin += from_buffer;
        let mut passed = from_buffer as u64;
        if bytes > passed {
            passed += self.source.pass(bytes - passed)?;
        }
        self.at += passed;
        Ok(passed)
    }
}
