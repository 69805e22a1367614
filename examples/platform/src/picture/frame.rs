//! One frame of an instance, as stored values.

use std::borrow::Cow;
use std::io::Read;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};

use super::codec::{self, Colour, Encoded};
use super::jpegls;
use super::report::Reason;
use super::{FRAME_PIXELS_MAX, ReadInstance};
use crate::dicom::{InstanceFacts, Palette, PixelFacts, ReadOptions, Stored, items};

const ENCAPSULATED_UNCOMPRESSED: &str = "1.2.840.10008.1.2.1.98";
const DEFLATED_FRAMES: &str = "1.2.840.10008.1.2.8.1";

/// An instance in memory, its header read.
#[derive(Debug)]
pub(super) struct Instance {
    bytes: Vec<u8>,
}

/// The values of a frame: one or three for each pixel, pixel by pixel.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) values: Vec<f32>,
    pub(super) channels: usize,
    /// What the three channels are, when a decoder has changed it.
    pub(super) colour: Colour,
}

/// What a frame is drawn from: its values and the header of its instance.
#[derive(Debug)]
pub(super) struct Drawing {
    pub(super) frame: Values,
    pub(super) facts: InstanceFacts,
    pub(super) pixels: PixelFacts,
    pub(super) palette: Option<Palette>,
}

impl Instance {
    pub(super) fn open(instance: usize, read: &ReadInstance<'_>) -> Result<Self, Reason> {
        let bytes = read(instance).map_err(|error| Reason::Io(error.kind()))?;
        Ok(Self { bytes })
    }

    /// Reads the values of a frame.
    pub(super) fn frame(&self, frame: u32) -> Result<Drawing, Reason> {
        let stored = Stored::open(&self.bytes).map_err(Reason::NotTaken)?;
        let reading = stored.reading(&ReadOptions::default());
        let facts = reading.facts(&stored.layout).map_err(Reason::NotTaken)?;
        let pixels = facts.pixels.clone().ok_or(Reason::Cut)?;
        let shape = Shape::of(&pixels)?;
        let element = reading.pixel_element().ok_or(Reason::Cut)?;
        let big = reading.set.encoding.is_big();
        let values = if element.tag != tags::PIXEL_DATA {
            floating(element.value, element.tag, &shape, frame, big)?
        } else if element.undefined {
            let fragments: Vec<&[u8]> = items(element.value, reading.set.encoding).collect();
            let bytes = fragments_of(&fragments, frame, pixels.frames).ok_or(Reason::Cut)?;
            encapsulated(&bytes, &facts.transfer_syntax_uid, &pixels, &shape)?
        } else {
            // Words of eight-bit pixels are swapped as words in big endian.
            let swapped = big && element.vr == VR::OW && pixels.bits_allocated <= 8;
            let value = if swapped {
                Cow::Owned(swap_pairs(element.value))
            } else {
                Cow::Borrowed(element.value)
            };
            native(&value, &pixels, &shape, frame, big)?
        };
        let palette = reading.palette(&pixels);
        Ok(Drawing {
            frame: values,
            facts,
            pixels,
            palette,
        })
    }
}

/// The size of a frame, within the limits.
#[derive(Debug, Clone, Copy)]
struct Shape {
    pixels: usize,
    channels: usize,
}

impl Shape {
    fn of(pixels: &PixelFacts) -> Result<Self, Reason> {
        let (rows, columns) = (pixels.rows, pixels.columns);
        let count = usize::from(rows) * usize::from(columns);
        if count == 0 || count > FRAME_PIXELS_MAX {
            return Err(Reason::Size { rows, columns });
        }
        let layout = Reason::Layout {
            bits: pixels.bits_allocated,
            samples: pixels.samples,
        };
        match pixels.samples {
            1 | 3 => Ok(Self {
                pixels: count,
                channels: usize::from(pixels.samples),
            }),
            _ => Err(layout),
        }
    }

    fn values(self) -> usize {
        self.pixels * self.channels
    }
}

/// The bytes of a frame among the fragments, the first of which is the offset table (PS3.5 A.4).
fn fragments_of<'a>(fragments: &[&'a [u8]], frame: u32, frames: u32) -> Option<Cow<'a, [u8]>> {
    let (table, fragments) = fragments.split_first()?;
    let (frame, frames) = (usize::try_from(frame).ok()?, usize::try_from(frames).ok()?);
    if fragments.len() == frames {
        return fragments
            .get(frame)
            .map(|fragment| Cow::Borrowed(*fragment));
    }
    if frames == 1 {
        return Some(Cow::Owned(fragments.concat()));
    }
    let offset = |nth: usize| {
        let bytes = table.as_chunks::<4>().0.get(nth)?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let (from, to) = (offset(frame)?, offset(frame + 1).unwrap_or(usize::MAX));
    let mut at = 0_usize;
    let mut bytes = Vec::new();
    for fragment in fragments {
        if (from..to).contains(&at) {
            bytes.extend_from_slice(fragment);
        }
        // Each fragment has the tag and length of its item before it.
        at = at.checked_add(fragment.len())?.checked_add(8)?;
    }
    (!bytes.is_empty()).then_some(Cow::Owned(bytes))
}

fn encapsulated(
    bytes: &[u8],
    transfer_syntax: &str,
    pixels: &PixelFacts,
    shape: &Shape,
) -> Result<Values, Reason> {
    match transfer_syntax {
        ENCAPSULATED_UNCOMPRESSED => native(bytes, pixels, shape, 0, false),
        DEFLATED_FRAMES => {
            let bits = shape.values() * usize::from(pixels.bits_allocated);
            let limit = u64::try_from(bits.div_ceil(8)).unwrap_or(u64::MAX);
            let mut inflated = Vec::new();
            flate2::read::DeflateDecoder::new(bytes)
                .take(limit)
                .read_to_end(&mut inflated)
                .map_err(|_| Reason::Undecodable)?;
            native(&inflated, pixels, shape, 0, false)
        }
        // Eight pixels of one bit in a byte.
        uids::RLE_LOSSLESS if pixels.bits_allocated == 1 => {
            let planes = codec::run_lengths(bytes, shape.pixels.div_ceil(8), 1)?;
            bits(planes.first().map_or(&[], Vec::as_slice), shape, 0)
        }
        uids::RLE_LOSSLESS => {
            let width = usize::from(pixels.bits_allocated.div_ceil(8));
            let planes = codec::run_lengths(bytes, shape.pixels, shape.channels * width)?;
            let mut interleaved = vec![0_u8; shape.values() * width];
            // Plane by plane: the channels in turn, of each the most significant byte first.
            for (nth, plane) in planes.iter().enumerate() {
                let (channel, byte) = (nth / width, width - 1 - nth % width);
                let begin = channel * width + byte;
                let places = interleaved
                    .iter_mut()
                    .skip(begin)
                    .step_by(shape.channels * width);
                for (place, value) in places.zip(plane) {
                    *place = *value;
                }
            }
            let by_pixel = PixelFacts {
                planar: false,
                ..pixels.clone()
            };
            native(&interleaved, &by_pixel, shape, 0, false)
        }
        uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => {
            let (rows, columns) = (usize::from(pixels.rows), usize::from(pixels.columns));
            let decoded = jpegls::decode(bytes, rows, columns, shape.channels)?;
            let bits = pixels.bits_stored.min(decoded.bits);
            let word = Word::of(&PixelFacts {
                bits_allocated: 16,
                bits_stored: bits,
                high_bit: bits.saturating_sub(1),
                ..pixels.clone()
            });
            let values = decoded.values.iter();
            Ok(Values {
                values: values.map(|value| word.value(u32::from(*value))).collect(),
                channels: shape.channels,
                colour: Colour::AsDeclared,
            })
        }
        _ => {
            let encoded = Encoded::new(bytes, transfer_syntax, pixels)?;
            let bits_allocated = encoded.bits_allocated();
            let colour = encoded.colour();
            let decoded = encoded.decode()?;
            let of_decoder = PixelFacts {
                planar: false,
                bits_allocated,
                bits_stored: pixels.bits_stored.min(bits_allocated),
                high_bit: pixels.bits_stored.min(bits_allocated).saturating_sub(1),
                ..pixels.clone()
            };
            let mut values = stored(&decoded, &of_decoder, shape, 0, false)?;
            values.colour = colour;
            Ok(values)
        }
    }
}

/// Native pixels; the subsampled colour of some ultrasound devices is spread over the pixels.
fn native(
    bytes: &[u8],
    pixels: &PixelFacts,
    shape: &Shape,
    frame: u32,
    big: bool,
) -> Result<Values, Reason> {
    let subsampled = pixels.photometric.as_deref() == Some("YBR_FULL_422");
    if !subsampled || shape.channels != 3 || pixels.bits_allocated != 8 {
        return stored(bytes, pixels, shape, frame, big);
    }
    // Two brightnesses and one colour for each two pixels (PS3.3 C.7.6.3.1.2).
    let length = shape.pixels * 2;
    let begin = start(frame, length)?;
    let bytes = bytes
        .get(begin..begin.saturating_add(length))
        .ok_or(Reason::Cut)?;
    let values = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .flat_map(|[y0, y1, blue, red]| [y0, blue, red, y1, blue, red])
        .map(|value| f32::from(*value))
        .collect();
    Ok(Values {
        values,
        channels: 3,
        colour: Colour::AsDeclared,
    })
}

/// Values of 1, 8, 16 or 32 bits.
fn stored(
    bytes: &[u8],
    pixels: &PixelFacts,
    shape: &Shape,
    frame: u32,
    big: bool,
) -> Result<Values, Reason> {
    let width = match pixels.bits_allocated {
        1 => return bits(bytes, shape, frame),
        8 => 1,
        16 => 2,
        32 => 4,
        other => {
            return Err(Reason::Layout {
                bits: other,
                samples: pixels.samples,
            });
        }
    };
    let length = shape.values() * width;
    let begin = start(frame, length)?;
    let bytes = bytes
        .get(begin..begin.saturating_add(length))
        .ok_or(Reason::Cut)?;
    let word = Word::of(pixels);
    let mut values: Vec<f32> = bytes
        .chunks_exact(width)
        .map(|chunk| {
            let fold = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
            let raw = if big {
                chunk.iter().fold(0, fold)
            } else {
                chunk.iter().rev().fold(0, fold)
            };
            word.value(raw)
        })
        .collect();
    if pixels.planar && shape.channels == 3 {
        values = interleave(&values, shape.pixels);
    }
    Ok(Values {
        values,
        channels: shape.channels,
        colour: Colour::AsDeclared,
    })
}

/// Where the value lies in its word.
#[derive(Debug, Clone, Copy)]
struct Word {
    down: u32,
    bits: u32,
    signed: bool,
}

impl Word {
    fn of(pixels: &PixelFacts) -> Self {
        let allocated = u32::from(pixels.bits_allocated).clamp(1, 32);
        let bits = match u32::from(pixels.bits_stored) {
            0 => allocated,
            stored => stored.min(allocated),
        };
        let top = u32::from(pixels.high_bit).saturating_add(1);
        Self {
            down: top.saturating_sub(bits).min(allocated - bits),
            bits,
            signed: pixels.signed,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_wrap,
        reason = "a grey level, and the bits of a signed value"
    )]
    fn value(self, raw: u32) -> f32 {
        let unused = 32 - self.bits;
        let raised = (raw >> self.down) << unused;
        if self.signed {
            ((raised as i32) >> unused) as f32
        } else {
            (raised >> unused) as f32
        }
    }
}

/// Pixels of one bit, the lowest bit first, frames packed without a gap.
fn bits(bytes: &[u8], shape: &Shape, frame: u32) -> Result<Values, Reason> {
    let begin = start(frame, shape.values())?;
    let end = begin.saturating_add(shape.values());
    if bytes.len() < end.div_ceil(8) {
        return Err(Reason::Cut);
    }
    let bit = |at: usize| {
        let byte = bytes.get(at / 8).copied().unwrap_or(0);
        f32::from((byte >> (at % 8)) & 1)
    };
    Ok(Values {
        values: (begin..end).map(bit).collect(),
        channels: shape.channels,
        colour: Colour::AsDeclared,
    })
}

/// Parametric maps of 32- and 64-bit floating point values.
fn floating(
    bytes: &[u8],
    tag: Tag,
    shape: &Shape,
    frame: u32,
    big: bool,
) -> Result<Values, Reason> {
    let double = tag == tags::DOUBLE_FLOAT_PIXEL_DATA;
    let length = shape.values() * if double { 8 } else { 4 };
    let begin = start(frame, length)?;
    let bytes = bytes
        .get(begin..begin.saturating_add(length))
        .ok_or(Reason::Cut)?;
    let finite = |value: f32| if value.is_finite() { value } else { 0.0 };
    let values = if double {
        let read = if big {
            f64::from_be_bytes
        } else {
            f64::from_le_bytes
        };
        #[expect(clippy::cast_possible_truncation, reason = "a grey level")]
        let narrow = |chunk: &[u8; 8]| finite(read(*chunk) as f32);
        bytes.as_chunks::<8>().0.iter().map(narrow).collect()
    } else {
        let read = if big {
            f32::from_be_bytes
        } else {
            f32::from_le_bytes
        };
        let each = |chunk: &[u8; 4]| finite(read(*chunk));
        bytes.as_chunks::<4>().0.iter().map(each).collect()
    };
    Ok(Values {
        values,
        channels: shape.channels,
        colour: Colour::AsDeclared,
    })
}

/// Where a frame begins, in units of its length.
fn start(frame: u32, length: usize) -> Result<usize, Reason> {
    usize::try_from(frame)
        .ok()
        .and_then(|frame| frame.checked_mul(length))
        .ok_or(Reason::Cut)
}

fn interleave(planes: &[f32], pixels: usize) -> Vec<f32> {
    let mut values = vec![0.0; planes.len()];
    for (channel, plane) in planes.chunks(pixels).enumerate() {
        for (place, value) in values.iter_mut().skip(channel).step_by(3).zip(plane) {
            *place = *value;
        }
    }
    values
}

fn swap_pairs(bytes: &[u8]) -> Vec<u8> {
    let mut swapped = bytes.to_vec();
    for pair in swapped.as_chunks_mut::<2>().0 {
        pair.reverse();
    }
    swapped
}
