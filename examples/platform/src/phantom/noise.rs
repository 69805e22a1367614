//! Noise of a scanner: a white part from the counting of photons and a part that neighbours share,
//! which the reconstruction gives.

use super::random::SplitMix;
use super::{HU_MAX, HU_MIN, SIDE};

/// Entries of the table of normal deviates; 12 bits of randomness choose one.
const TABLE: usize = 1 << 12;
/// Fractional bits of the deviates.
const FRACTION: u32 = 8;
/// Standard deviation of the white part in HU.
const WHITE_HU: i32 = 5;
/// Standard deviation that drives the shared part in HU.
const SHARED_HU: i32 = 4;

/// Adds noise to a slice, row by row, and keeps the values in their range. The padding outside the
/// reconstructed circle has none.
pub(crate) fn add(values: &mut [i16], random: &mut SplitMix) {
    let table = deviates();
    let side = usize::from(SIDE);
    let mut above = vec![0_i32; side];
    for row in values.chunks_mut(side) {
        let mut left = 0_i32;
        for (group, shared) in row.chunks_mut(2).zip(above.chunks_mut(2)) {
            let mut bits = random.next();
            for (value, above) in group.iter_mut().zip(shared) {
                let drive = draw(&table, bits).wrapping_mul(SHARED_HU);
                let white = draw(&table, bits >> 12).wrapping_mul(WHITE_HU);
                bits >>= 24;
                // A pole of 7/16 in each direction: noise grains of a few pixels.
                left = ((left + *above) * 7) / 16 + drive;
                *above = left;
                if *value > HU_MIN {
                    let noise = (left + white) >> FRACTION;
                    let noisy = i32::from(*value).saturating_add(noise);
                    let noisy = noisy.clamp(i32::from(HU_MIN), i32::from(HU_MAX));
                    *value = i16::try_from(noisy).unwrap_or(HU_MIN);
                }
            }
        }
    }
}

#[inline]
fn draw(table: &[i32; TABLE], bits: u64) -> i32 {
    let index = usize::try_from(bits & 0xFFF).unwrap_or(0);
    table.get(index).copied().unwrap_or(0)
}

/// Normal deviates with [`FRACTION`] fractional bits: each the sum of twelve even ones (variance
/// of one), all in integers.
fn deviates() -> [i32; TABLE] {
    let mut random = SplitMix::new(0x6E6F_6973_6500);
    let mut table = [0_i32; TABLE];
    for entry in &mut table {
        let sum: u64 = (0..12).map(|_| random.next() >> 48).sum();
        // Twelve numbers below 2^16 have the mean 6 * 2^16.
        let centred = i64::try_from(sum).unwrap_or(0).saturating_sub(6 << 16);
        *entry = i32::try_from(centred >> (16 - FRACTION)).unwrap_or(0);
    }
    table
}
