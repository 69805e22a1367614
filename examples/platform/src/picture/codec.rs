//! Compressed frames: run lengths here, JPEG and JPEG 2000 by the codecs of `dicom-rs`; JPEG-LS has
//! a module of its own.
//!
//! Those codecs are made for good data. Before one is called, the size in the compressed stream is
//! compared with the header, so that no decoder allocates by what a hostile stream claims; and what
//! still makes one panic is caught here and becomes a fault of that one frame.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dicom_core::smallvec::smallvec;
use dicom_dictionary_std::uids;
use dicom_encoding::Codec;
use dicom_encoding::adapters::{PixelDataObject, RawPixelData};
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

use crate::dicom::PixelFacts;

/// What the three channels of a decoded frame are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    /// What the header declares.
    AsDeclared,
    /// Red, green, blue: the decoder has converted.
    Rgb,
}

/// Why a compressed frame was not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CodecFault {
    NoDecoder(String),
    Undecodable,
    OtherSize,
    Cut,
}

/// One compressed frame, as the codecs want to see it.
#[derive(Debug)]
pub(super) struct Encoded<'a> {
    bytes: &'a [u8],
    transfer_syntax: &'a str,
    pixels: &'a PixelFacts,
    stream: Stream,
}

/// What a compressed stream says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stream {
    rows: u32,
    columns: u32,
    channels: u16,
    bits: u8,
    is_jpeg: bool,
}

impl<'a> Encoded<'a> {
    pub(super) fn new(
        bytes: &'a [u8],
        transfer_syntax: &'a str,
        pixels: &'a PixelFacts,
    ) -> Result<Self, CodecFault> {
        if !can_decode(transfer_syntax) {
            return Err(CodecFault::NoDecoder(transfer_syntax.to_owned()));
        }
        let stream = jpeg_size(bytes)
            .or_else(|| jpeg2000_size(bytes))
            .ok_or(CodecFault::Undecodable)?;
        let as_declared = stream.rows == u32::from(pixels.rows)
            && stream.columns == u32::from(pixels.columns)
            && stream.channels == pixels.samples;
        if !as_declared {
            return Err(CodecFault::OtherSize);
        }
        Ok(Self {
            bytes,
            transfer_syntax,
            pixels,
            stream,
        })
    }

    /// Bits of a value as the decoder writes it, whatever the header allocates.
    pub(super) fn bits_allocated(&self) -> u16 {
        if self.stream.bits <= 8 { 8 } else { 16 }
    }

    pub(super) fn colour(&self) -> Colour {
        let declared = self.pixels.photometric.as_deref().unwrap_or_default();
        let untouched = !self.stream.is_jpeg && matches!(declared, "YBR_FULL" | "YBR_FULL_422");
        if untouched {
            Colour::AsDeclared
        } else {
            Colour::Rgb
        }
    }

    pub(super) fn decode(&self) -> Result<Vec<u8>, CodecFault> {
        let syntax = TransferSyntaxRegistry
            .get(self.transfer_syntax)
            .ok_or_else(|| CodecFault::NoDecoder(self.transfer_syntax.to_owned()))?;
        let Codec::EncapsulatedPixelData(Some(reader), _) = syntax.codec() else {
            return Err(CodecFault::NoDecoder(self.transfer_syntax.to_owned()));
        };
        let decoded = catch_unwind(AssertUnwindSafe(|| {
            let mut decoded = Vec::new();
            reader.decode_frame(self, 0, &mut decoded).map(|()| decoded)
        }));
        match decoded {
            Ok(Ok(decoded)) => Ok(decoded),
            Ok(Err(_)) | Err(_) => Err(CodecFault::Undecodable),
        }
    }
}

/// The transfer syntaxes whose codec is in the registry and makes native frames; JPEG XL and video
/// are not built in.
fn can_decode(transfer_syntax: &str) -> bool {
    let known = TransferSyntaxRegistry.get(transfer_syntax);
    known.is_some_and(|syntax| {
        matches!(syntax.codec(), Codec::EncapsulatedPixelData(Some(_), _))
            && transfer_syntax != uids::RLE_LOSSLESS
    })
}

impl PixelDataObject for Encoded<'_> {
    fn transfer_syntax_uid(&self) -> &str {
        self.transfer_syntax
    }

    fn rows(&self) -> Option<u16> {
        Some(self.pixels.rows)
    }

    fn cols(&self) -> Option<u16> {
        Some(self.pixels.columns)
    }

    fn samples_per_pixel(&self) -> Option<u16> {
        Some(self.pixels.samples)
    }

    fn bits_allocated(&self) -> Option<u16> {
        Some(Encoded::bits_allocated(self))
    }

    fn bits_stored(&self) -> Option<u16> {
        Some(self.pixels.bits_stored)
    }

    fn photometric_interpretation(&self) -> Option<&str> {
        self.pixels.photometric.as_deref()
    }

    fn number_of_frames(&self) -> Option<u32> {
        Some(1)
    }

    fn number_of_fragments(&self) -> Option<u32> {
        Some(1)
    }

    fn fragment(&self, fragment: usize) -> Option<Cow<'_, [u8]>> {
        (fragment == 0).then_some(Cow::Borrowed(self.bytes))
    }

    fn offset_table(&self) -> Option<Cow<'_, [u32]>> {
        Some(Cow::Borrowed(&[]))
    }

    fn raw_pixel_data(&self) -> Option<RawPixelData> {
        Some(RawPixelData {
            fragments: smallvec![self.bytes.to_vec()],
            offset_table: smallvec![],
        })
    }
}

/// The frame header of a JPEG stream (ITU-T T.81 B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<Stream> {
    let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    loop {
        let at = rest.iter().position(|byte| *byte != 0xFF)?;
        let (marker, segment) = rest.get(at..)?.split_first()?;
        let is_frame = (0xC0..=0xCF).contains(marker) && !matches!(marker, 0xC4 | 0xC8 | 0xCC);
        if is_frame {
            let [_, _, bits, r1, r0, c1, c0, channels] = *segment.first_chunk::<8>()?;
            return Some(Stream {
                rows: u32::from(u16::from_be_bytes([r1, r0])),
                columns: u32::from(u16::from_be_bytes([c1, c0])),
                channels: u16::from(channels),
                bits,
                is_jpeg: true,
            });
        }
        if matches!(marker, 0xD9 | 0xDA) {
            return None;
        }
        let length = usize::from(u16::from_be_bytes(*segment.first_chunk::<2>()?));
        rest = segment.get(length..)?;
    }
}

/// The size marker of a JPEG 2000 codestream, bare or in a JP2 file (ITU-T T.800 A.5.1).
fn jpeg2000_size(bytes: &[u8]) -> Option<Stream> {
    const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
    /// A codestream in a file begins after a few boxes.
    const BOXES: usize = 4096;
    let begin = bytes
        .get(..bytes.len().min(BOXES))?
        .windows(START.len())
        .position(|window| window == START)?;
    let segment = bytes.get(begin.checked_add(START.len())?..)?;
    let number = |at: usize| {
        let bytes = segment.get(at..at.checked_add(4)?)?;
        Some(u32::from_be_bytes(*bytes.first_chunk()?))
    };
    let channels = segment.get(36..38)?;
    Some(Stream {
        columns: number(4)?.checked_sub(number(12)?)?,
        rows: number(8)?.checked_sub(number(16)?)?,
        channels: u16::from_be_bytes(*channels.first_chunk()?),
        bits: (segment.get(38)? & 0x7F).saturating_add(1),
        is_jpeg: false,
    })
}

/// The byte planes of a run-length encoded frame (PS3.5 annex G).
pub(super) fn run_lengths(
    bytes: &[u8],
    pixels: usize,
    planes: usize,
) -> Result<Vec<Vec<u8>>, CodecFault> {
    let numbers: Vec<u32> = bytes
        .get(..64)
        .ok_or(CodecFault::Cut)?
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| u32::from_le_bytes(*bytes))
        .collect();
    let (count, offsets) = numbers.split_first().ok_or(CodecFault::Cut)?;
    if usize::try_from(*count) != Ok(planes) {
        return Err(CodecFault::OtherSize);
    }
    let at = |nth: usize| {
        let offset = offsets.get(nth).copied().unwrap_or(0);
        usize::try_from(offset).unwrap_or(usize::MAX)
    };
    (0..planes)
        .map(|nth| {
            let end = if nth + 1 < planes {
                at(nth + 1)
            } else {
                bytes.len()
            };
            let segment = bytes.get(at(nth)..end).ok_or(CodecFault::Cut)?;
            unpack(segment, pixels)
        })
        .collect()
}

/// PackBits: a count and that many bytes, or a count and one byte to repeat.
fn unpack(segment: &[u8], length: usize) -> Result<Vec<u8>, CodecFault> {
    let mut plane = Vec::with_capacity(length);
    let mut rest = segment;
    while plane.len() < length {
        let (count, after) = rest.split_first().ok_or(CodecFault::Cut)?;
        let count = usize::from(*count);
        rest = if count < 128 {
            let (run, after) = after.split_at_checked(count + 1).ok_or(CodecFault::Cut)?;
            plane.extend_from_slice(run);
            after
        } else if count > 128 {
            let (value, after) = after.split_first().ok_or(CodecFault::Cut)?;
            plane.resize(plane.len() + 257 - count, *value);
            after
        } else {
            after
        };
    }
    plane.truncate(length);
    Ok(plane)
}
