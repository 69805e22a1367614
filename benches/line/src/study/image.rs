//! Slices like those of a scanner: smooth anatomy with noise on it, so that they compress about as real ones do.
//!
//! Only integers and `+ - * /` are used: a seed gives the same pixels on every machine.

use crate::line::Random;

/// Values of the air outside and of the tissue inside.
const AIR: f32 = 40.0;
const TISSUE: f32 = 1050.0;
const MAX: f32 = 4095.0;
const ORGANS: usize = 7;

/// What an image is like.
#[derive(Debug, Clone, Copy)]
pub struct Image {
    /// Rows and columns.
    pub side: u16,
    /// Standard deviation of the noise inside.
    pub noise: f32,
}

impl Image {
    /// The slice at `depth` (0 to 1) of the body of a seed, rows of 16-bit little-endian values.
    pub fn slice(&self, body: u64, depth: f32, noise: &mut Random) -> Vec<u8> {
        let side = usize::from(self.side);
        let scale = 2.0 / side as f32;
        let organs = organs(body, depth);
        let mut pixels = Vec::with_capacity(side * side * 2);
        let mut above = vec![0.0_f32; side];
        for row in 0..side {
            let y = row as f32 * scale - 1.0;
            let mut left = 0.0;
            for (column, above) in above.iter_mut().enumerate() {
                let x = column as f32 * scale - 1.0;
                let inside = x * x / 0.74 + y * y / 0.45 < 1.0;
                let white = gauss(noise.next());
                // Correlated with its neighbours, as reconstruction leaves it.
                let grain = (white + left + *above) * 0.58;
                left = white;
                *above = white;
                let value = if inside {
                    let shade = 60.0 * (x * y + depth * (x - y));
                    let organ: f32 = organs.iter().map(|organ| organ.at(x, y)).sum();
                    TISSUE + shade + organ + grain * self.noise
                } else {
                    AIR + grain * self.noise * 0.3
                };
                pixels.extend_from_slice(&(value.clamp(0.0, MAX) as u16).to_le_bytes());
            }
        }
        pixels
    }
}

#[derive(Clone, Copy)]
struct Organ {
    x: f32,
    y: f32,
    radius2: f32,
    contrast: f32,
}

impl Organ {
    fn at(self, x: f32, y: f32) -> f32 {
        let (x, y) = (x - self.x, y - self.y);
        if x * x + y * y < self.radius2 {
            self.contrast
        } else {
            0.0
        }
    }
}

fn organs(body: u64, depth: f32) -> [Organ; ORGANS] {
    let mut random = Random::new(body);
    let mut part = || (random.next() >> 40) as f32 / (1_u64 << 24) as f32;
    core::array::from_fn(|_| {
        let (x, y, drift) = (part() - 0.5, (part() - 0.5) * 0.7, part() - 0.5);
        let radius = (0.06 + part() * 0.14) * (1.0 - (depth - part()) * (depth - 0.5));
        Organ {
            x: x + drift * depth * 0.3,
            y,
            radius2: radius * radius,
            contrast: (part() - 0.4) * 400.0,
        }
    })
}

/// Nearly normal, of mean 0 and deviation 1: the sum of four uniform values.
fn gauss(bits: u64) -> f32 {
    let sum: u32 = (0..4)
        .map(|part| (bits >> (part * 16)) as u32 & 0xffff)
        .sum();
    (sum as f32 / 65_536.0 - 2.0) * 1.732
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_slices_compress_as_real_ones_do() -> anyhow::Result<()> {
        let image = Image {
            side: 512,
            noise: 6.0,
        };
        let mut noise = Random::new(3);
        let pixels = image.slice(1, 0.4, &mut noise);
        let packed = pixels
            .chunks(256 * 1024)
            .map(|part| Ok(zstd::bulk::compress(part, 1)?.len()));
        let packed: usize = packed.sum::<anyhow::Result<usize>>()?;
        let ratio = pixels.len() as f64 / packed as f64;
        assert!((2.3..2.8).contains(&ratio), "zstd 1 packs by {ratio:.2}");
        assert_eq!(pixels, image.slice(1, 0.4, &mut Random::new(3)));
        assert_ne!(pixels, image.slice(1, 0.4, &mut noise));
        Ok(())
    }
}
