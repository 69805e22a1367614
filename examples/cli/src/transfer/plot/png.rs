//! The curve as PNG. Numbers and units alone: the picture has no letters but those of the units.

use super::{BOTTOM, Curve, HEIGHT, LEFT, RIGHT, TOP, WIDTH, label};

type Colour = [u8; 3];

const PAPER: Colour = [255, 255, 255];
const GRID: Colour = [221, 221, 221];
const INK: Colour = [51, 51, 51];
const FILLED: Colour = [198, 218, 233];
const EDGE: Colour = [27, 108, 168];
const MEAN: Colour = [192, 57, 43];

/// Each dot of a letter is so many pixels wide.
const DOT: usize = 2;
/// Dots from one letter to the next.
const ADVANCE: usize = 6;
/// Dots of a letter's height.
const TALL: usize = 7;
/// Pixels of a dash, and of the gap behind it.
const DASH: usize = 8;

pub(super) fn draw(curve: &Curve) -> Result<Vec<u8>, png::EncodingError> {
    let (right, low) = (at(WIDTH - RIGHT), at(HEIGHT - BOTTOM));
    let mut paper = Paper::new();
    for (seconds, mb_s) in curve.ticks() {
        let (x, y) = (at(curve.x(seconds)), at(curve.y(mb_s)));
        paper.fill(at(LEFT), y, right, y + 1, GRID);
        paper.fill(x, at(TOP), x + 1, low, GRID);
        let rate = label(mb_s, curve.top_mb_s);
        let from = at(LEFT).saturating_sub(8 + width(&rate));
        paper.write(&rate, from, y.saturating_sub(TALL * DOT / 2), INK);
        let time = label(seconds, curve.seconds);
        paper.write(&time, x.saturating_sub(width(&time) / 2), low + 10, INK);
    }
    let mut before = low;
    for pair in curve.corners().chunks_exact(2) {
        let [(from, y), (to, _)] = [pair[0], pair[1]];
        let (from, to, y) = (at(from), at(to).max(at(from) + 1), at(y));
        paper.fill(from, y, to, low, FILLED);
        paper.fill(from, y, to, y + 1, EDGE);
        paper.fill(from, y.min(before), from + 1, y.max(before) + 1, EDGE);
        before = y;
    }
    let mean = at(curve.y(curve.mean_mb_s));
    for from in (at(LEFT)..right).step_by(2 * DASH) {
        paper.fill(from, mean, (from + DASH).min(right), mean + 1, MEAN);
    }
    paper.write("MB/s", at(LEFT), 16, INK);
    let mean = format!("{:.1} MB/s  {:.1} MB", curve.mean_mb_s, curve.megabytes);
    paper.write(&mean, right.saturating_sub(width(&mean)), 16, MEAN);
    paper.write("s", right - width("s"), at(HEIGHT) - 20, INK);
    paper.file()
}

/// A place in pixels.
fn at(place: f64) -> usize {
    place.round().max(0.0) as usize
}

fn width(text: &str) -> usize {
    text.len() * ADVANCE * DOT
}

struct Paper(Vec<Colour>);

impl Paper {
    fn new() -> Self {
        Self(vec![PAPER; at(WIDTH) * at(HEIGHT)])
    }

    /// A rectangle; what lies outside the paper is left away.
    fn fill(&mut self, left: usize, top: usize, right: usize, low: usize, colour: Colour) {
        let (right, low) = (right.min(at(WIDTH)), low.min(at(HEIGHT)));
        for row in top..low {
            let start = row * at(WIDTH);
            if let Some(pixels) = self.0.get_mut(start + left..start + right) {
                pixels.fill(colour);
            }
        }
    }

    fn write(&mut self, text: &str, left: usize, top: usize, colour: Colour) {
        for (place, letter) in text.chars().enumerate() {
            for (row, dots) in letter_rows(letter).iter().enumerate() {
                for column in (0..5_usize).filter(|column| dots & (0b1_0000 >> column) != 0) {
                    let (x, y) = (left + (place * ADVANCE + column) * DOT, top + row * DOT);
                    self.fill(x, y, x + DOT, y + DOT, colour);
                }
            }
        }
    }

    fn file(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, at(WIDTH) as u32, at(HEIGHT) as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.0.as_flattened())?;
        writer.finish()?;
        Ok(file)
    }
}

/// Rows of five dots, the leftmost in the highest bit; nothing for letters that no unit has.
const fn letter_rows(letter: char) -> [u8; TALL] {
    match letter {
        '0' => [
            0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110,
        ],
        '1' => [
            0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110,
        ],
        '2' => [
            0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111,
        ],
        '3' => [
            0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110,
        ],
        '4' => [
            0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010,
        ],
        '5' => [
            0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110,
        ],
        '6' => [
            0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110,
        ],
        '7' => [
            0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000,
        ],
        '8' => [
            0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110,
        ],
        '9' => [
            0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100,
        ],
        '.' => [0, 0, 0, 0, 0, 0b01100, 0b01100],
        '/' => [0, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0],
        'M' => [
            0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001,
        ],
        'B' => [
            0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110,
        ],
        's' => [0, 0, 0b01111, 0b10000, 0b01110, 0b00001, 0b11110],
        _ => [0; TALL],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::plot::Bins;
    use std::time::Duration;

    #[test]
    fn ok_a_level_curve_at_half_of_the_axis_fills_half_of_the_plot() {
        let mut bins = Bins::new();
        (0..1_000).for_each(|ms| bins.add(Duration::from_millis(ms), 75_000));
        let mut curve = bins.curve(Duration::from_secs(1));
        curve.top_mb_s = 150.0;
        let file = draw(&curve).unwrap_or_default();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .ok();
        let reader = reader.as_mut().map(|reader| {
            let mut pixels = vec![0; reader.output_buffer_size().unwrap_or(0)];
            let read = reader.next_frame(&mut pixels).is_ok();
            (read, pixels)
        });
        let (read, pixels) = reader.unwrap_or_default();
        assert!(read);
        let (pixels, rest) = pixels.as_chunks::<3>();
        assert!(rest.is_empty());
        let filled = pixels
            .iter()
            .filter(|pixel| [FILLED, EDGE, MEAN].contains(pixel));
        let plot = (WIDTH - LEFT - RIGHT) * (HEIGHT - TOP - BOTTOM);
        let share = filled.count() as f64 / plot;
        assert!((share - 0.5).abs() < 0.02, "{share}");
    }
}
