//! From stored values to what is seen: rescale, window, palette, colour space.

use super::codec::Colour;
use super::frame::{Drawing, Instance, Values};
use super::raster::{Raster, byte};
use super::report::Reason;
use crate::dicom::Palette;

/// A grey window: what is black and what is white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    pub(super) black: f64,
    pub(super) white: f64,
}

/// Values looked at for percentiles; enough for a steady estimate.
const SAMPLED: usize = 1 << 16;

/// The picture of a frame.
pub(super) fn raster(instance: &Instance, frame: u32) -> Result<Raster, Reason> {
    let drawing = instance.frame(frame)?;
    let rgb = match (
        drawing.frame.channels,
        drawing.pixels.photometric.as_deref(),
    ) {
        (3, photometric) => colours(&drawing.frame, photometric, drawing.pixels.bits_stored),
        (_, Some("PALETTE COLOR")) => {
            let palette = drawing.palette.as_ref().ok_or(Reason::Palette)?;
            indexed(&drawing.frame.values, palette)
        }
        _ => {
            let window = window(&drawing);
            let values = drawing.frame.values.iter();
            values.map(|value| [window.grey(*value); 3]).collect()
        }
    };
    let [tall, wide] = drawing.facts.geometry.pixel_spacing.unwrap_or([1.0, 1.0]);
    let tallness = if tall > 0.0 && wide > 0.0 {
        tall / wide
    } else {
        1.0
    };
    Ok(Raster {
        width: usize::from(drawing.pixels.columns),
        height: usize::from(drawing.pixels.rows),
        tallness,
        rgb,
    })
}

/// The window of the header where it shows something, else one by percentiles; in stored values.
pub(super) fn window(drawing: &Drawing) -> Window {
    let inverted = drawing.pixels.photometric.as_deref() == Some("MONOCHROME1");
    let values = &drawing.frame.values;
    let declared = drawing.pixels.window.and_then(|(centre, width)| {
        let (slope, intercept) = drawing.pixels.rescale.unwrap_or((1.0, 0.0));
        let half = width * 0.5;
        let window = Window {
            black: (centre - half - intercept) / slope,
            white: (centre + half - intercept) / slope,
        };
        let usable = width > 0.0 && window.black.is_finite() && window.white.is_finite();
        (usable && window.shows(values)).then_some(window)
    });
    let window = declared.unwrap_or_else(|| percentiles(values));
    if inverted {
        Window {
            black: window.white,
            white: window.black,
        }
    } else {
        window
    }
}

impl Window {
    pub(super) fn grey(self, value: f32) -> u8 {
        let width = self.white - self.black;
        if width == 0.0 {
            return if f64::from(value) > self.black {
                u8::MAX
            } else {
                0
            };
        }
        byte((f64::from(value) - self.black) / width * 255.0)
    }

    /// Whether the window shows anything: greys, or black as well as white. That of a header can be
    /// meant for another series and make all of a picture one colour.
    fn shows(self, values: &[f32]) -> bool {
        let step = (values.len() / SAMPLED).max(1);
        let (mut black, mut white, mut seen) = (0_usize, 0_usize, 0_usize);
        for value in values.iter().step_by(step) {
            let grey = self.grey(*value);
            seen += 1;
            black += usize::from(grey == 0);
            white += usize::from(grey == u8::MAX);
        }
        black.max(white) * 1000 <= seen * 999
    }
}

/// From the half per cent of darkest values to the half per cent of brightest.
fn percentiles(values: &[f32]) -> Window {
    let step = (values.len() / SAMPLED).max(1);
    let mut sample: Vec<f32> = values.iter().step_by(step).copied().collect();
    sample.sort_by(f32::total_cmp);
    let last = sample.len().saturating_sub(1);
    let at = |index: usize| sample.get(index).map_or(0.0, |value| f64::from(*value));
    let (mut black, mut white) = (at(last / 200), at(last - last / 200));
    if black >= white {
        // A few marks on an even ground, such as a segmentation.
        let all = values.iter().copied();
        black = f64::from(all.clone().fold(f32::INFINITY, f32::min));
        white = f64::from(all.fold(f32::NEG_INFINITY, f32::max));
    }
    Window { black, white }
}

fn indexed(values: &[f32], palette: &Palette) -> Vec<[u8; 3]> {
    let last = palette.colours.len().saturating_sub(1);
    let colour = |value: &f32| {
        #[expect(clippy::cast_possible_truncation, reason = "a stored value")]
        let index = (*value as i32).saturating_sub(palette.first).max(0);
        let index = usize::try_from(index).unwrap_or(0).min(last);
        palette.colours.get(index).copied().unwrap_or_default()
    };
    values.iter().map(colour).collect()
}

fn colours(frame: &Values, photometric: Option<&str>, bits_stored: u16) -> Vec<[u8; 3]> {
    // Sixteen bits of colour are seen as eight.
    let bits = i32::from(bits_stored.clamp(1, 32));
    let scale = if bits > 8 {
        255.0 / (2_f64.powi(bits) - 1.0)
    } else {
        1.0
    };
    let luminance = frame.colour == Colour::AsDeclared
        && photometric.is_some_and(|name| name.starts_with("YBR"));
    let pixel = |[a, b, c]: &[f32; 3]| {
        let [a, b, c] = [a, b, c].map(|value| f64::from(*value) * scale);
        if luminance {
            // PS3.3 C.7.6.3.1.2, the inverse of YBR_FULL.
            let (blue, red) = (b - 128.0, c - 128.0);
            [
                byte(a + 1.402 * red),
                byte(a - 0.344_136 * blue - 0.714_136 * red),
                byte(a + 1.772 * blue),
            ]
        } else {
            [byte(a), byte(b), byte(c)]
        }
    };
    frame.values.as_chunks::<3>().0.iter().map(pixel).collect()
}
