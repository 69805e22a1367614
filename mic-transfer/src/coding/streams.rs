//! Streams of bytes one after another, each as zstd or as it is: how they are written, and read back within
//! a bound.

use alloc::vec::Vec;
use std::io;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use super::CodingError;

/// zstd's level: the entropy coder does the work, not the search.
const LEVEL: i32 = 1;
/// Places of zstd's table of matches in residuals, as a power of two, and the shortest match it looks for.
const HASH_LOG: u32 = 10;
const MIN_MATCH: u32 = 7;
/// A stream shorter than this stays as it is: the frame around it would eat the gain.
const CODED_MIN: usize = 32;

/// zstd with its tables kept between chunks.
pub(super) struct Packer {
    zstd: Option<Compressor<'static>>,
    scratch: Vec<u8>,
}

impl Packer {
    /// For any bytes.
    pub(super) fn new() -> Self {
        Self::with(|_| Ok(()))
    }

    /// For residuals, which repeat in long runs or not at all. A small table is soon emptied for the next
    /// stream.
    pub(super) fn of_residuals() -> Self {
        Self::with(|zstd| {
            zstd.set_parameter(CParameter::HashLog(HASH_LOG))?;
            zstd.set_parameter(CParameter::MinMatch(MIN_MATCH))
        })
    }

    fn with(set: impl FnOnce(&mut Compressor<'static>) -> io::Result<()>) -> Self {
        let zstd = Compressor::new(LEVEL).and_then(|mut zstd| {
            // What the decoder knows, or the digest checks, is not said again.
            zstd.include_checksum(false)?;
            zstd.include_contentsize(false)?;
            zstd.include_dictid(false)?;
            set(&mut zstd)?;
            Ok(zstd)
        });
        Self {
            zstd: zstd.ok(),
            scratch: Vec::new(),
        }
    }

    /// One frame of zstd into `out`, in place of what is there; false where it would not be shorter.
    pub(super) fn pack(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(zstd) = &mut self.zstd else {
            return false;
        };
        out.clear();
        // The size of the source is the most that is of use.
        out.reserve(bytes.len());
        let packed = zstd.compress_to_buffer(bytes, out);
        packed.is_ok_and(|length| length < bytes.len())
    }

    /// Appends a stream: its length and form, and its bytes.
    pub(super) fn put(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut scratch = core::mem::take(&mut self.scratch);
        let packed = bytes.len() >= CODED_MIN && self.pack(bytes, &mut scratch);
        put_number(bytes.len() << 1 | usize::from(packed), out);
        if packed {
            put_number(scratch.len(), out);
            out.extend_from_slice(&scratch);
        } else {
            out.extend_from_slice(bytes);
        }
        self.scratch = scratch;
    }
}

/// zstd's other direction.
pub(super) struct Unpacker {
    zstd: Option<Decompressor<'static>>,
}

impl Unpacker {
    pub(super) fn new() -> Self {
        Self {
            zstd: Decompressor::new().ok(),
        }
    }

    /// Exactly `length` bytes out of one frame of zstd, in place of what is in `out`. The buffer is the
    /// window, so that nothing beyond it is allocated whatever the frame says (XFR-81).
    pub(super) fn unpack(
        &mut self,
        packed: &[u8],
        length: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CodingError> {
        let zstd = self.zstd.as_mut().ok_or(CodingError::Unavailable)?;
        // What is there is written over.
        out.resize(length, 0);
        let found = zstd
            .decompress_to_buffer(packed, out.as_mut_slice())
            .map_err(|_| CodingError::Stream)?;
        if found == length {
            Ok(())
        } else {
            Err(CodingError::Length {
                expected: length,
                found,
            })
        }
    }

    /// Takes a stream from the front of `rest`, of at most `most` bytes.
    pub(super) fn take(
        &mut self,
        rest: &mut &[u8],
        most: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CodingError> {
        let number = take_number(rest)?;
        let (length, packed) = (number >> 1, number & 1 == 1);
        if length > most {
            return Err(CodingError::Length {
                expected: most,
                found: length,
            });
        }
        let coded = if packed { take_number(rest)? } else { length };
        let (bytes, after) = rest.split_at_checked(coded).ok_or(CodingError::Cut)?;
        *rest = after;
        if packed {
            return self.unpack(bytes, length, out);
        }
        out.clear();
        out.extend_from_slice(bytes);
        Ok(())
    }
}

/// Seven bits a byte, the low ones first, the high bit says that more follow.
fn put_number(mut number: usize, out: &mut Vec<u8>) {
    while number > 0x7F {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// At most three bytes, the shortest form alone: one form for one number.
fn take_number(rest: &mut &[u8]) -> Result<usize, CodingError> {
    let mut number = 0_usize;
    for shift in [0, 7, 14] {
        let (byte, after) = rest.split_first().ok_or(CodingError::Cut)?;
        *rest = after;
        number |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return if *byte == 0 && shift > 0 {
                Err(CodingError::Header)
            } else {
                Ok(number)
            };
        }
    }
    Err(CodingError::Header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_numbers_have_one_form() {
        for number in [0, 1, 127, 128, 16_383, 16_384, (1 << 21) - 1] {
            let mut bytes = Vec::new();
            put_number(number, &mut bytes);
            let mut rest = &bytes[..];
            assert_eq!(take_number(&mut rest), Ok(number));
            assert!(rest.is_empty());
        }
        for wrong in [&[0x80, 0x00][..], &[0x80, 0x80, 0x80, 0x01], &[0x80]] {
            assert!(take_number(&mut &wrong[..]).is_err(), "{wrong:?}");
        }
    }
}
