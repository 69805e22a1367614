//! Numbers in signed digits, as tables of multiples want them.

/// A number below 2^256; limbs, the least significant first.
pub(super) struct Number([u64; 4]);

impl Number {
    /// Bits of a digit at most.
    const WIDTH_MAX: usize = 8;

    #[cfg(any(feature = "gm", feature = "es256"))]
    pub(super) fn from_be_bytes(bytes: &[u8]) -> Self {
        Self::from_bytes(bytes.iter().rev())
    }

    #[cfg(feature = "ed25519")]
    pub(super) fn from_le_bytes(bytes: &[u8]) -> Self {
        Self::from_bytes(bytes.iter())
    }

    /// From its bytes, the least significant first.
    #[inline]
    fn from_bytes<'b>(mut bytes: impl Iterator<Item = &'b u8>) -> Self {
        Self([(); 4].map(|()| {
            let limb = bytes.by_ref().take(8).enumerate();
            limb.fold(0, |sum, (at, byte)| sum | u64::from(*byte) << (8 * at))
        }))
    }

    /// `windows` digits of `WIDTH` bits, the least significant first, from -2^(WIDTH-1) + 1 to 2^(WIDTH-1). The
    /// windows must have room for the number and a carry.
    #[inline]
    pub(super) fn digits<const WIDTH: usize>(
        &self,
        windows: usize,
    ) -> impl Iterator<Item = i16> + '_ {
        const { assert!(WIDTH > 1 && WIDTH <= Self::WIDTH_MAX) };
        let mut carry = 0;
        (0..windows).map(move |window| {
            let digit = self.bits(window * WIDTH, WIDTH) + carry;
            carry = i16::from(digit > 1 << (WIDTH - 1));
            digit - (carry << WIDTH)
        })
    }

    /// `width` bits from bit `at` on.
    #[inline]
    fn bits(&self, at: usize, width: usize) -> i16 {
        let Self(limbs) = self;
        let limb = |index: usize| limbs.get(index).copied().unwrap_or(0);
        let (index, shift) = (at / 64, at % 64);
        let low = limb(index) >> shift;
        let high = match shift {
            0 => 0,
            _ => limb(index + 1) << (64 - shift),
        };
        // At most eight bits are kept.
        ((low | high) & ((1 << width) - 1)) as i16
    }
}
