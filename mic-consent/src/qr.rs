//! The picture of a token: PNG, SVG and half-block text for a terminal.

use alloc::{string::String, vec, vec::Vec};
use core::fmt::{self, Write as _};

use fast_qr::{ECL, Mode, QRBuilder};

use crate::limits::TEXT_CHARS_MAX;

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QrError {
    /// A character is outside the alphanumeric mode: the text is no token.
    #[error("expected a character of the alphanumeric mode, found another at {at}")]
    Character {
        /// Offset of the character.
        at: usize,
    },
    /// The text is empty or longer than a token can be.
    #[error("expected 1 to 3078 characters, found {found}")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// The picture would be too large.
    #[error("expected a scale of 1 to 64 pixels and a quiet zone of at most 64 modules")]
    Size,
    /// The PNG could not be written.
    #[error("the picture could not be written as PNG")]
    Png,
}

/// A QR code at error correction level M in alphanumeric mode.
///
/// Rules of thumb, measured: a phone needs 4 camera pixels per module, so patient-facing codes should have a
/// version of 13 or less; print at 0.5 mm per module or more.
///
/// ```
/// use mic_consent::QrPicture;
/// let picture = QrPicture::from_text("MICQ1:00")?;
/// assert_eq!(picture.version(), 1);
/// assert_eq!(picture.modules(), 21);
/// assert!(picture.png(4, 4)?.starts_with(b"\x89PNG"));
/// # Ok::<(), mic_consent::QrError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct QrPicture {
    /// Rows of dark modules.
    rows: Vec<Vec<bool>>,
}

impl QrPicture {
    /// The quiet zone that the standard asks for (ISO/IEC 18004), in modules.
    pub const QUIET_ZONE: u32 = 4;

    /// Draws the text form of a token, in the smallest version that holds it.
    ///
    /// # Errors
    /// The text is empty, too long, or not of the alphanumeric mode.
    pub fn from_text(text: &str) -> Result<Self, QrError> {
        if text.is_empty() || text.len() > TEXT_CHARS_MAX {
            return Err(QrError::Length { found: text.len() });
        }
        let alphanumeric = |byte: u8| {
            byte.is_ascii_digit() || byte.is_ascii_uppercase() || b" $%*+-./:".contains(&byte)
        };
        if let Some(at) = text.bytes().position(|byte| !alphanumeric(byte)) {
            return Err(QrError::Character { at });
        }
        let code = QRBuilder::new(text)
            .ecl(ECL::M)
            .mode(Mode::Alphanumeric)
            .build()
            .map_err(|_| QrError::Length { found: text.len() })?;
        let rows = code
            .data
            .chunks(code.size)
            .take(code.size)
            .map(|row| row.iter().map(|module| module.value()).collect())
            .collect();
        Ok(Self { rows })
    }

    /// Modules along one side, without the quiet zone.
    #[must_use]
    pub fn modules(&self) -> usize {
        self.rows.len()
    }

    /// The version, 1 to 40.
    #[must_use]
    pub fn version(&self) -> usize {
        self.modules().saturating_sub(17) / 4
    }

    /// Whether a module is dark; outside the code all is light.
    #[must_use]
    pub fn is_dark(&self, row: usize, column: usize) -> bool {
        self.rows
            .get(row)
            .and_then(|row| row.get(column))
            .copied()
            .unwrap_or(false)
    }

    /// A greyscale PNG with `scale` pixels for each module (1 to 64) and `quiet` light modules around (at
    /// most 64; the standard asks for [`QUIET_ZONE`](Self::QUIET_ZONE)).
    ///
    /// # Errors
    /// A scale or quiet zone out of range.
    pub fn png(&self, scale: u32, quiet: u32) -> Result<Vec<u8>, QrError> {
        let (scale, quiet, side) = self.frame(scale, quiet)?;
        let pixels = side * scale;
        // One bit for each pixel, 1 is light, rows padded to whole bytes.
        let mut data = Vec::with_capacity(pixels.div_ceil(8) * pixels);
        for row in 0..side {
            let mut line = vec![0xff_u8; pixels.div_ceil(8)];
            for x in 0..pixels {
                let dark = self.is_dark(row.wrapping_sub(quiet), (x / scale).wrapping_sub(quiet));
                if let (true, Some(byte)) = (dark, line.get_mut(x / 8)) {
                    *byte &= !(0x80 >> (x % 8));
                }
            }
            for _ in 0..scale {
                data.extend_from_slice(&line);
            }
        }
        let width = u32::try_from(pixels).map_err(|_| QrError::Size)?;
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, width);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().map_err(|_| QrError::Png)?;
        writer.write_image_data(&data).map_err(|_| QrError::Png)?;
        writer.finish().map_err(|_| QrError::Png)?;
        Ok(file)
    }

    /// An SVG with one unit for each module and `quiet` light modules around (at most 64).
    ///
    /// # Errors
    /// A quiet zone out of range.
    pub fn svg(&self, quiet: u32) -> Result<String, QrError> {
        let (_, quiet, side) = self.frame(1, quiet)?;
        let mut path = String::new();
        for (y, row) in self.rows.iter().enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, dark)| **dark) {
                let _ = write!(path, "M{} {}h1v1h-1z", x + quiet, y + quiet);
            }
        }
        Ok(alloc::format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
             <path d=\"{path}\"/></svg>"
        ))
    }

    /// Half-block characters for a terminal with light text on dark ground: two modules in each character,
    /// lines ending in a line feed, `quiet` light modules around (at most 64).
    ///
    /// # Errors
    /// A quiet zone out of range.
    pub fn terminal(&self, quiet: u32) -> Result<String, QrError> {
        let (_, quiet, side) = self.frame(1, quiet)?;
        let light = |row: usize, column: usize| {
            row < side && !self.is_dark(row.wrapping_sub(quiet), column.wrapping_sub(quiet))
        };
        let mut text = String::new();
        for row in (0..side).step_by(2) {
            for column in 0..side {
                text.push(match (light(row, column), light(row + 1, column)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push('\n');
        }
        Ok(text)
    }

    /// Scale, quiet zone and modules along one side with it.
    fn frame(&self, scale: u32, quiet: u32) -> Result<(usize, usize, usize), QrError> {
        if !(1..=SIZE_MAX).contains(&scale) || quiet > SIZE_MAX {
            return Err(QrError::Size);
        }
        let size = |number: u32| usize::try_from(number).map_err(|_| QrError::Size);
        Ok((
            size(scale)?,
            size(quiet)?,
            self.modules() + 2 * size(quiet)?,
        ))
    }
}

/// Bounds the picture at (177 + 128) * 64 pixels, 48 MB of raw data.
const SIZE_MAX: u32 = 64;

impl fmt::Debug for QrPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QrPicture")
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}
