//! Numbers that follow from a seed, the same on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// How many segments pass before the next one is lost.
    pub fn segments_to_next_loss(&mut self, loss_ppm: u32) -> u64 {
        if loss_ppm == 0 {
            return u64::MAX;
        }
        let uniform = ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        let keep = 1.0 - f64::from(loss_ppm.min(999_999)) / 1e6;
        (uniform.ln() / keep.ln()) as u64
    }
}
