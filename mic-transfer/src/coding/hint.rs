//! What an encoder wants to know of a file's samples.

use crate::p10::PixelLayout;

/// Where native samples lie in a file and how far apart neighbours are.
///
/// ```
/// use mic_transfer::coding::PixelHint;
/// // 512 x 512 samples of 16 bits after 1,024 bytes of header.
/// let hint = PixelHint::new(1024, 524_288, 1024, 2).unwrap();
/// assert_eq!(hint.row_samples(), 512);
/// // RGB, interleaved by pixel: 640 columns.
/// assert_eq!(PixelHint::new(2000, 921_600, 1920, 1).unwrap().interleaved(3).unwrap().row_samples(), 640);
/// assert!(PixelHint::new(0, 10, 0, 2).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelHint {
    offset: u64,
    length: u64,
    row_bytes: u32,
    sample_bytes: u8,
    components: u8,
    big_endian: bool,
    signed: bool,
}

/// Most samples of a pixel: CMYK and ARGB have four.
pub(super) const COMPONENTS_MAX: u8 = 4;

impl PixelHint {
    /// `length` bytes of samples from `offset` of the file on, in rows of `row_bytes` bytes (of one plane,
    /// where colours stand in planes), each sample of 1 or 2 bytes, little endian and signed.
    ///
    /// `None` for other samples, no bytes, or rows that are no whole number of samples.
    #[must_use]
    pub const fn new(offset: u64, length: u64, row_bytes: u32, sample_bytes: u8) -> Option<Self> {
        let fits = matches!(sample_bytes, 1 | 2)
            && row_bytes > 0
            && row_bytes % sample_bytes as u32 == 0
            && length > 0
            && offset.checked_add(length).is_some();
        if !fits {
            return None;
        }
        Some(Self {
            offset,
            length,
            row_bytes,
            sample_bytes,
            components: 1,
            big_endian: false,
            signed: true,
        })
    }

    /// What a file's header says of its native samples; `None` for samples of other sizes and rows that end
    /// inside a byte. Whether they are signed a layout does not say.
    ///
    /// ```
    /// use mic_transfer::{coding::PixelHint, p10::PixelLayout};
    /// let layout = PixelLayout::new(1024..1024 + 2 * 512 * 512, 512, 512, 1, 16, 12, 1).unwrap();
    /// assert_eq!(PixelHint::of(&layout), PixelHint::new(1024, 524_288, 1024, 2));
    /// let bits = PixelLayout::new(0..64, 16, 32, 1, 1, 1, 1).unwrap();
    /// assert_eq!(PixelHint::of(&bits), None);
    /// ```
    #[must_use]
    pub fn of(layout: &PixelLayout) -> Option<Self> {
        let sample_bytes = match layout.bits_allocated() {
            8 => 1,
            16 => 2,
            _ => return None,
        };
        let row_bytes = u32::try_from(layout.row_bytes()?).ok()?;
        let hint = Self::new(
            layout.range().start,
            layout.pixel_bytes()?,
            row_bytes,
            sample_bytes,
        )?;
        let components = if layout.is_planar() {
            1
        } else {
            u8::try_from(layout.samples()).ok()?
        };
        let hint = hint.interleaved(components)?;
        Some(hint.big_endian(layout.is_big_endian()))
    }

    /// So many samples stand together for each pixel (Planar Configuration 0): 1 to 4, and rows hold whole
    /// pixels.
    #[must_use]
    pub const fn interleaved(self, components: u8) -> Option<Self> {
        let fits = components > 0
            && components <= COMPONENTS_MAX
            && self.row_bytes % (components as u32 * self.sample_bytes as u32) == 0;
        if fits {
            Some(Self { components, ..self })
        } else {
            None
        }
    }

    /// Samples have their most significant byte first (Explicit VR Big Endian).
    #[must_use]
    pub const fn big_endian(self, big_endian: bool) -> Self {
        Self { big_endian, ..self }
    }

    /// Whether samples are two's complement (Pixel Representation 1). It decides which values of 16 bits
    /// are taken as near each other, so the wrong answer costs size only where values pass 32,767.
    #[must_use]
    pub const fn signed(self, signed: bool) -> Self {
        Self { signed, ..self }
    }

    /// Where the samples begin in the file.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of all samples.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Pixels from one row to the next.
    #[must_use]
    pub const fn row_samples(&self) -> u32 {
        self.row_bytes / self.pixel_bytes()
    }

    /// Bytes of a pixel.
    pub(super) const fn pixel_bytes(&self) -> u32 {
        self.sample_bytes as u32 * self.components as u32
    }

    /// What of a chunk at `chunk_offset` of the file holds whole pixels, and how.
    pub(super) fn within(&self, chunk_offset: u64, chunk_bytes: usize) -> Option<Region> {
        let end = chunk_offset.checked_add(chunk_bytes as u64)?;
        let pixel = u64::from(self.pixel_bytes());
        let first = self.offset.max(chunk_offset);
        // A chunk may begin inside a pixel.
        let into = first.checked_sub(self.offset)? % pixel;
        let first = if into == 0 {
            first
        } else {
            first.checked_add(pixel - into)?
        };
        let last = self.offset.saturating_add(self.length).min(end);
        let bytes = last.checked_sub(first)? / pixel * pixel;
        let region = Region {
            start: u32::try_from(first - chunk_offset).ok()?,
            bytes: u32::try_from(bytes).ok()?,
            layout: Layout {
                wide: self.sample_bytes == 2,
                big_endian: self.sample_bytes == 2 && self.big_endian,
                unsigned: self.sample_bytes == 2 && !self.signed,
                components: self.components,
            },
            row: self.row_samples(),
        };
        (bytes > 0).then_some(region)
    }
}

/// How samples stand in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Two bytes, not one.
    pub(super) wide: bool,
    pub(super) big_endian: bool,
    pub(super) unsigned: bool,
    pub(super) components: u8,
}

impl Layout {
    pub(super) const fn pixel_bytes(self) -> u32 {
        (1 + self.wide as u32) * self.components as u32
    }
}

/// The part of a chunk that holds whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) start: u32,
    pub(super) bytes: u32,
    pub(super) layout: Layout,
    /// Pixels from one row to the next.
    pub(super) row: u32,
}
