//! A picture of one frame: RGB bytes and the shape of its pixels.

/// Rows of red, green and blue, and how much taller than wide a pixel is.
#[derive(Debug, Clone)]
pub(super) struct Raster {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Height of a pixel divided by its width, on the patient.
    pub(super) tallness: f64,
    pub(super) rgb: Vec<[u8; 3]>,
}

impl Raster {
    /// The colour of the area of the picture between two columns and two rows (fractions count as
    /// the whole pixels they touch).
    pub(super) fn mean(&self, columns: (f64, f64), rows: (f64, f64)) -> [u8; 3] {
        let (left, right) = whole(columns, self.width);
        let (top, bottom) = whole(rows, self.height);
        let (mut sum, mut count) = ([0_u32; 3], 0_u32);
        for row in top..bottom {
            let begin = row.saturating_mul(self.width);
            let pixels = self
                .rgb
                .get(begin.saturating_add(left)..begin.saturating_add(right))
                .unwrap_or_default();
            for pixel in pixels {
                for (sum, part) in sum.iter_mut().zip(pixel) {
                    *sum = sum.wrapping_add(u32::from(*part));
                }
            }
            count = count.saturating_add(u32::try_from(pixels.len()).unwrap_or(0));
        }
        sum.map(|sum| u8::try_from(sum.checked_div(count).unwrap_or(0)).unwrap_or(u8::MAX))
    }

    /// The colour at a place, from the four pixels around it.
    pub(super) fn between(&self, x: f64, y: f64) -> [u8; 3] {
        let (x, y) = ((x - 0.5).max(0.0), (y - 0.5).max(0.0));
        let (x0, y0) = (floor(x), floor(y));
        let (fx, fy) = (x - x.floor(), y - y.floor());
        let at = |dx: usize, dy: usize| {
            let column = x0.saturating_add(dx).min(self.width.saturating_sub(1));
            let row = y0.saturating_add(dy).min(self.height.saturating_sub(1));
            let index = row.saturating_mul(self.width).saturating_add(column);
            self.rgb.get(index).copied().unwrap_or_default()
        };
        let (a, b, c, d) = (at(0, 0), at(1, 0), at(0, 1), at(1, 1));
        let mut mixed = [0_u8; 3];
        for (nth, out) in mixed.iter_mut().enumerate() {
            let part = |pixel: [u8; 3]| f64::from(pixel.get(nth).copied().unwrap_or(0));
            let top = part(a) + (part(b) - part(a)) * fx;
            let bottom = part(c) + (part(d) - part(c)) * fx;
            *out = byte(top + (bottom - top) * fy);
        }
        mixed
    }
}

fn whole((from, to): (f64, f64), limit: usize) -> (usize, usize) {
    let from = floor(from).min(limit.saturating_sub(1));
    let to = floor(to.ceil()).clamp(from.saturating_add(1), limit.max(1));
    (from, to)
}

/// The whole number below; none is negative here.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate"
)]
pub(super) fn floor(value: f64) -> usize {
    value.max(0.0) as usize
}

/// A brightness between 0 and 255.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate"
)]
pub(super) fn byte(value: f64) -> u8 {
    (value + 0.5) as u8
}

/// A size or number as a float; those of pictures are exact.
#[expect(clippy::cast_precision_loss, reason = "sizes are below 2^32")]
pub(super) fn float(value: usize) -> f64 {
    value as f64
}
