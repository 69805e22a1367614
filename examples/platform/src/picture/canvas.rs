//! The picture that is put together: dark, with tiles, crosses and small numbers.

use super::PictureError;
use super::raster::{Raster, float, floor};

const BACKGROUND: [u8; 3] = [12, 13, 16];
const TILE: [u8; 3] = [0, 0, 0];
const LINE: [u8; 3] = [58, 62, 72];
const CROSS: [u8; 3] = [150, 52, 44];
const DIGIT: [u8; 3] = [235, 190, 80];

/// A place on the canvas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rect {
    left: usize,
    top: usize,
    side: usize,
}

impl Rect {
    pub(super) fn square(left: usize, top: usize, side: usize) -> Self {
        Self { left, top, side }
    }
}

/// RGB pixels.
#[derive(Debug)]
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Result<Self, PictureError> {
        let count = width.checked_mul(height).ok_or(PictureError::Png)?;
        Ok(Self {
            width,
            height,
            pixels: vec![BACKGROUND; count],
        })
    }

    /// Draws a raster as large as the place allows, with the proportions of the patient.
    pub(super) fn fit(&mut self, raster: &Raster, place: Rect) {
        self.fill(place, TILE);
        let tall = float(raster.height) * raster.tallness.clamp(0.05, 20.0);
        let scale = float(place.side) / tall.max(float(raster.width)).max(1.0);
        let width = floor(float(raster.width) * scale + 0.5).clamp(1, place.side);
        let height = floor(tall * scale + 0.5).clamp(1, place.side);
        let left = place.left + (place.side - width) / 2;
        let top = place.top + (place.side - height) / 2;
        let (dx, dy) = (
            float(raster.width) / float(width),
            float(raster.height) / float(height),
        );
        for row in 0..height {
            let (y0, y1) = (float(row) * dy, float(row + 1) * dy);
            for column in 0..width {
                let (x0, x1) = (float(column) * dx, float(column + 1) * dx);
                let colour = if dx > 1.0 || dy > 1.0 {
                    raster.mean((x0, x1), (y0, y1))
                } else {
                    raster.between((x0 + x1) * 0.5, (y0 + y1) * 0.5)
                };
                self.set(left + column, top + row, colour);
            }
        }
    }

    /// A crossed tile: here is something that could not be drawn.
    pub(super) fn cross(&mut self, place: Rect) {
        self.fill(place, TILE);
        for step in 0..place.side {
            let back = place.side - 1 - step;
            for thick in 0..2_usize {
                let column = (step + thick).min(place.side - 1);
                self.set(place.left + column, place.top + step, CROSS);
                self.set(place.left + column, place.top + back, CROSS);
                for (x, y) in [(step, thick), (step, place.side - 1 - thick)] {
                    self.set(place.left + x, place.top + y, CROSS);
                    self.set(place.left + y, place.top + x, CROSS);
                }
            }
        }
    }

    /// A small number in the upper left corner of a tile.
    pub(super) fn number(&mut self, number: u64, place: Rect) {
        let text = number.to_string();
        let (left, top) = (place.left + 4, place.top + 4);
        // Twice as large as the font, on black so that it shows on white.
        for row in 0..12 {
            for column in 0..text.len() * 8 + 2 {
                self.set(left + column - 2, top + row, TILE);
            }
        }
        for (nth, digit) in text.bytes().enumerate() {
            let rows = DIGITS
                .get(usize::from(digit.wrapping_sub(b'0')))
                .copied()
                .unwrap_or_default();
            for (row, bits) in rows.iter().enumerate() {
                for column in (0..3_usize).filter(|column| bits & (0b100 >> column) != 0) {
                    let (x, y) = (left + nth * 8 + column * 2, top + 1 + row * 2);
                    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                        self.set(x + dx, y + dy, DIGIT);
                    }
                }
            }
        }
    }

    /// A line over the whole width, between series.
    pub(super) fn line(&mut self, row: usize) {
        for column in 0..self.width {
            self.set(column, row, LINE);
        }
    }

    /// The PNG file, with its width and height.
    pub(super) fn png(&self) -> Result<(Vec<u8>, u32, u32), PictureError> {
        let size = |value| u32::try_from(value).map_err(|_| PictureError::Png);
        let (width, height) = (size(self.width)?, size(self.height)?);
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(|_| PictureError::Png)?;
        writer
            .write_image_data(self.pixels.as_flattened())
            .map_err(|_| PictureError::Png)?;
        writer.finish().map_err(|_| PictureError::Png)?;
        Ok((file, width, height))
    }

    fn fill(&mut self, place: Rect, colour: [u8; 3]) {
        for row in place.top..place.top + place.side {
            for column in place.left..place.left + place.side {
                self.set(column, row, colour);
            }
        }
    }

    /// Sets a pixel; outside the canvas nothing happens.
    fn set(&mut self, column: usize, row: usize, colour: [u8; 3]) {
        if column < self.width
            && row < self.height
            && let Some(pixel) = self.pixels.get_mut(row * self.width + column)
        {
            *pixel = colour;
        }
    }
}

/// Digits of three by five pixels, a row in each byte.
const DIGITS: [[u8; 5]; 10] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b001, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
];
