//! Frames out of a stream that arrives in any portions.

use alloc::vec::Vec;

use super::codec::{Codec, REST};
use super::frame::{Frame, kind};
use super::grammar::{Header, body_max, frame, header};
use super::{HEADER_BYTES, PREFACE, VERSION_MAJOR};
use crate::crc::crc32c;
use crate::error::ErrorCode;

/// Takes bytes as they come and gives frames; holds at most one body within its kind's limit.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// Bytes of the stream before the part being read.
    at: u64,
    greeted: bool,
    head: Vec<u8>,
    header: Option<Header>,
    body: Vec<u8>,
    /// A buffer for the next body.
    lent: Vec<u8>,
    failed: Option<FrameFault>,
}

impl FrameReader {
    /// A reader at the start of a connection, before the preface.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next frame, taken from the front of `input`; `None` when `input` is used up.
    ///
    /// # Errors
    /// [`FrameFault`] at the first wrong frame; the reader then stays at fault.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, FrameFault> {
        if let Some(fault) = self.failed {
            return Err(fault);
        }
        let outcome = self.step(input);
        if let Err(fault) = outcome {
            self.failed = Some(fault);
        }
        outcome
    }

    /// Gives a used buffer for the body of the next frame, which saves an allocation; what is in it is overwritten.
    pub fn lend(&mut self, buffer: Vec<u8>) {
        self.lent = buffer;
    }

    /// Whether a buffer lent would be used.
    #[must_use]
    pub fn takes_buffer(&self) -> bool {
        self.lent.capacity() == 0
    }

    /// Whether the stream stands between two frames.
    #[must_use]
    pub fn is_at_border(&self) -> bool {
        self.greeted && self.head.is_empty() && self.header.is_none()
    }

    fn step(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, FrameFault> {
        if !self.greeted && !self.preface(input)? {
            return Ok(None);
        }
        let header = match self.header {
            Some(header) => header,
            None => match self.open(input)? {
                Some(header) => header,
                None => return Ok(None),
            },
        };
        fill(&mut self.body, input, header.length as usize);
        if self.body.len() < header.length as usize {
            return Ok(None);
        }
        let body = core::mem::take(&mut self.body);
        let opening = self.head.get(..HEADER_BYTES - 4).unwrap_or(&[]);
        if !header.has_bare_body() && crc32c(&[opening, &body]) != header.crc {
            return Err(self.fault(FrameFaultKind::Crc));
        }
        // Only now is it the sender's fault and not the line's.
        if !has_right_coding(header) {
            return Err(self.fault(FrameFaultKind::Coding));
        }
        let fault = self.fault(FrameFaultKind::Body { kind: header.kind });
        self.at = self.at.saturating_add((HEADER_BYTES + body.len()) as u64);
        self.header = None;
        self.head.clear();
        frame(header, body).map(Some).ok_or(fault)
    }

    fn preface(&mut self, input: &mut &[u8]) -> Result<bool, FrameFault> {
        fill(&mut self.head, input, PREFACE.len());
        // A wrong letter is told at once; the two version bytes come last.
        let letters = PREFACE.len() - 2;
        if self
            .head
            .iter()
            .zip(PREFACE)
            .take(letters)
            .any(|(found, expected)| *found != expected)
        {
            return Err(self.fault(FrameFaultKind::Preface));
        }
        match self.head.get(letters) {
            Some(&found) if found != VERSION_MAJOR => {
                return Err(self.fault(FrameFaultKind::Version { found }));
            }
            _ => {}
        }
        if self.head.len() < PREFACE.len() {
            return Ok(false);
        }
        self.head.clear();
        self.greeted = true;
        self.at = PREFACE.len() as u64;
        Ok(true)
    }

    fn open(&mut self, input: &mut &[u8]) -> Result<Option<Header>, FrameFault> {
        fill(&mut self.head, input, HEADER_BYTES);
        let Ok(bytes) = <&[u8; HEADER_BYTES]>::try_from(self.head.as_slice()) else {
            return Ok(None);
        };
        let Some(header) = header(bytes) else {
            return Err(self.fault(FrameFaultKind::Crc));
        };
        let opening = bytes.get(..HEADER_BYTES - 4).unwrap_or(&[]);
        let whole = header.has_bare_body() || header.length == 0;
        if whole && crc32c(&[opening]) != header.crc {
            return Err(self.fault(FrameFaultKind::Crc));
        }
        let Some(most) = body_max(header.kind) else {
            return Err(self.fault(FrameFaultKind::Kind { found: header.kind }));
        };
        if header.length as usize > most {
            return Err(self.fault(FrameFaultKind::TooLong {
                most,
                found: header.length,
            }));
        }
        if whole && !has_right_coding(header) {
            return Err(self.fault(FrameFaultKind::Coding));
        }
        if header.kind == kind::DATA {
            self.body = core::mem::take(&mut self.lent);
            self.body.clear();
        }
        self.body.reserve_exact(header.length as usize);
        self.header = Some(header);
        Ok(Some(header))
    }

    const fn fault(&self, kind: FrameFaultKind) -> FrameFault {
        FrameFault { at: self.at, kind }
    }
}

/// No flag is defined, and only chunks are coded.
fn has_right_coding(header: Header) -> bool {
    let known = header.codec == REST || Codec::from_number(header.codec).is_some();
    let coded = header.kind == kind::DATA && known;
    header.flags == 0 && (header.codec == 0 || coded)
}

/// Moves bytes from the front of `input` until `into` holds `length`.
fn fill(into: &mut Vec<u8>, input: &mut &[u8], length: usize) {
    let take = length.saturating_sub(into.len()).min(input.len());
    if let Some((now, rest)) = input.split_at_checked(take) {
        into.extend_from_slice(now);
        *input = rest;
    }
}

/// What is wrong with the bytes of a connection, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("frame: {kind}, in the frame at byte {at} of the connection")]
pub struct FrameFault {
    at: u64,
    kind: FrameFaultKind,
}

impl FrameFault {
    /// Bytes of the connection before the frame at fault.
    #[must_use]
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// What was expected.
    #[must_use]
    pub const fn kind(&self) -> FrameFaultKind {
        self.kind
    }

    /// The code that tells the other side.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self.kind {
            FrameFaultKind::Preface => ErrorCode::NotThisProtocol,
            FrameFaultKind::Version { .. } => ErrorCode::Version,
            FrameFaultKind::Crc => ErrorCode::DamagedFrame,
            FrameFaultKind::TooLong { .. } => ErrorCode::LimitExceeded,
            _ => ErrorCode::BadFrame,
        }
    }
}

/// The ways in which a connection's bytes are wrong.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFaultKind {
    /// Not the opening letters.
    #[error("expected the letters MICX and a line end, found others")]
    Preface,
    /// Another major version.
    #[error("expected version 1, found {found}")]
    Version {
        /// The version found.
        found: u8,
    },
    /// A kind that must be known and is not.
    #[error("expected a known kind of frame, found {found}")]
    Kind {
        /// The number found.
        found: u8,
    },
    /// A body beyond its kind's limit; nothing was allocated for it.
    #[error("expected a body of at most {most} bytes, found {found}")]
    TooLong {
        /// The limit.
        most: usize,
        /// Bytes announced.
        found: u32,
    },
    /// The header or body was damaged.
    #[error("expected the CRC-32C of the header and body, found another")]
    Crc,
    /// A flag or codec this version does not know.
    #[error("expected no flags and a known codec, found others")]
    Coding,
    /// A body that breaks its grammar.
    #[error("expected the body of a frame of kind {kind}, found other bytes")]
    Body {
        /// The kind's number.
        kind: u8,
    },
}
