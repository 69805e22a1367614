//! Numbers that follow from a seed.

/// SplitMix64 (Steele, Lea, Flood 2014): small, quick, and good enough for noise. Never for keys.
#[derive(Debug, Clone)]
pub(crate) struct SplitMix {
    state: u64,
}

impl SplitMix {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = self.state;
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly between -1 and 1.
    #[expect(clippy::float_arithmetic, reason = "a place in the head")]
    pub(crate) fn signed_unit(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(bits) / f64::from(u32::MAX) * 2.0 - 1.0
    }
}

/// A UID below 2.25, the arc of UUIDs (PS3.5 B.2), whose 128 bits follow from the seed; version and
/// variant are those of a UUID made by a rule of one's own (RFC 9562, version 8).
pub(crate) fn uid(seed: u64, which: u64) -> String {
    let mut random = SplitMix::new(seed ^ 0x6D69_632D_7068_616E);
    let mut random = SplitMix::new(random.next() ^ which);
    let high = (random.next() & !0xF000) | 0x8000;
    let low = (random.next() & !(0b11 << 62)) | (0b10 << 62);
    let bits = (u128::from(high) << 64) | u128::from(low);
    format!("2.25.{bits}")
}
