//! Where native pixels lie in a file, and how their samples are laid out.

use core::ops::Range;

/// Native (not encapsulated) pixels of a file: the bytes of the value and the shape of the samples.
///
/// A layout that exists is consistent: nothing in it is zero, [`PixelLayout::bits_stored`] is at most
/// [`PixelLayout::bits_allocated`], and the value holds every frame. It may be longer, by the padding of an
/// odd value or by what a wrong header leaves over. PS3.5 section 8.1, PS3.3 C.7.6.3.
///
/// ```
/// use mic_transfer::p10::PixelLayout;
/// let layout = PixelLayout::new(1024..1024 + 2 * 512 * 512, 512, 512, 1, 16, 12, 1).unwrap();
/// assert_eq!(layout.row_bytes(), Some(1024));
/// assert_eq!(layout.frame(0), Some(1024..525_312));
/// assert_eq!(layout.frame(1), None);
/// assert!(PixelLayout::new(0..100, 512, 512, 1, 16, 12, 1).is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelLayout {
    range: Range<u64>,
    rows: u16,
    columns: u16,
    samples: u16,
    bits_allocated: u16,
    bits_stored: u16,
    frames: u32,
    planar: bool,
    big_endian: bool,
}

impl PixelLayout {
    /// A layout of samples interleaved by pixel, little endian; `None` unless the frames fit the range and the
    /// numbers agree. `bits_allocated` is 1 or a multiple of 8 up to 64.
    #[must_use]
    pub fn new(
        range: Range<u64>,
        rows: u16,
        columns: u16,
        samples: u16,
        bits_allocated: u16,
        bits_stored: u16,
        frames: u32,
    ) -> Option<Self> {
        let layout = Self {
            range,
            rows,
            columns,
            samples,
            bits_allocated,
            bits_stored,
            frames,
            planar: false,
            big_endian: false,
        };
        let bits_fit = matches!(bits_allocated, 1 | 8 | 16 | 24 | 32 | 64)
            && (1..=bits_allocated).contains(&bits_stored);
        let bytes = layout.pixel_bytes()?;
        let value = layout.range.end.checked_sub(layout.range.start)?;
        (bits_fit && bytes > 0 && bytes <= value).then_some(layout)
    }

    /// Says whether each colour stands in a plane of its own (Planar Configuration 1).
    #[must_use]
    pub fn with_planar(self, planar: bool) -> Self {
        Self { planar, ..self }
    }

    /// Says whether samples have their most significant byte first (Explicit VR Big Endian).
    #[must_use]
    pub fn with_big_endian(self, big_endian: bool) -> Self {
        Self { big_endian, ..self }
    }

    /// The bytes of the value in the file.
    #[must_use]
    pub const fn range(&self) -> &Range<u64> {
        &self.range
    }

    /// Rows (0028,0010).
    #[must_use]
    pub const fn rows(&self) -> u16 {
        self.rows
    }

    /// Columns (0028,0011).
    #[must_use]
    pub const fn columns(&self) -> u16 {
        self.columns
    }

    /// Samples per Pixel (0028,0002).
    #[must_use]
    pub const fn samples(&self) -> u16 {
        self.samples
    }

    /// Bits Allocated (0028,0100).
    #[must_use]
    pub const fn bits_allocated(&self) -> u16 {
        self.bits_allocated
    }

    /// Bits Stored (0028,0101).
    #[must_use]
    pub const fn bits_stored(&self) -> u16 {
        self.bits_stored
    }

    /// Number of Frames (0028,0008), 1 where the file says nothing.
    #[must_use]
    pub const fn frames(&self) -> u32 {
        self.frames
    }

    /// Whether each colour stands in a plane of its own.
    #[must_use]
    pub const fn is_planar(&self) -> bool {
        self.planar
    }

    /// Whether samples have their most significant byte first.
    #[must_use]
    pub const fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    /// Bytes of all frames: the value without what it holds beyond them.
    #[must_use]
    pub fn pixel_bytes(&self) -> Option<u64> {
        self.frame_bits()?
            .checked_mul(u64::from(self.frames))
            .map(|bits| bits.div_ceil(8))
    }

    /// Bytes from one row to the next, of one plane where the colours are planar; `None` where a row ends
    /// inside a byte.
    #[must_use]
    pub fn row_bytes(&self) -> Option<u64> {
        let samples = if self.planar { 1 } else { self.samples };
        let bits = u64::from(self.columns)
            .checked_mul(u64::from(samples))?
            .checked_mul(u64::from(self.bits_allocated))?;
        (bits % 8 == 0).then_some(bits / 8)
    }

    /// Bytes of a frame; `None` where a frame ends inside a byte.
    #[must_use]
    pub fn frame_bytes(&self) -> Option<u64> {
        let bits = self.frame_bits()?;
        (bits % 8 == 0).then_some(bits / 8)
    }

    /// The bytes of a frame in the file, counted from 0; `None` beyond the last, and where frames end inside
    /// a byte.
    #[must_use]
    pub fn frame(&self, frame: u32) -> Option<Range<u64>> {
        if frame >= self.frames {
            return None;
        }
        let bytes = self.frame_bytes()?;
        let begin = bytes
            .checked_mul(u64::from(frame))?
            .checked_add(self.range.start)?;
        Some(begin..begin.checked_add(bytes)?)
    }

    fn frame_bits(&self) -> Option<u64> {
        u64::from(self.rows)
            .checked_mul(u64::from(self.columns))?
            .checked_mul(u64::from(self.samples))?
            .checked_mul(u64::from(self.bits_allocated))
    }
}
