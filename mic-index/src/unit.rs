//! The storage unit code (影像存储单位代码), a 统一社会信用代码.

use core::fmt;
use core::str::FromStr;

use crate::alphabet::CREDIT_ALPHABET;
use crate::error::ParseError;
use crate::part::UNIT_LEN;
use crate::text::Text;

/// Weights of the first seventeen places: powers of three modulo 31 (GB 32100-2015).
const WEIGHTS: [u32; 17] = {
    let mut weights = [1; 17];
    let mut at = 1;
    while at < weights.len() {
        weights[at] = weights[at - 1] * 3 % 31;
        at += 1;
    }
    weights
};

/// Weights of the places 7–18, every third from the right: that of lane 0 in lane 3, and so on.
const LOW_WEIGHTS: [u64; 3] = lanes(17, 4);
/// Weights of the places 1–6 likewise, whose lanes are 2 and 3.
const HIGH_WEIGHTS: [u64; 3] = lanes(5, 2);

const fn lanes(last: usize, count: usize) -> [u64; 3] {
    let mut lanes = [0; 3];
    let mut at = 0;
    while at < 3 {
        let mut lane = 0;
        while lane < count {
            let place = last - 3 * lane - at;
            // The check character itself counts once.
            let weight = if place < WEIGHTS.len() {
                WEIGHTS[place]
            } else {
                1
            };
            lanes[at] |= (weight as u64) << (15 * (count - 1 - lane));
            lane += 1;
        }
        at += 1;
    }
    lanes
}

/// Storage unit code (影像存储单位代码): the 统一社会信用代码 of the unit that *stores* the images.
///
/// Not the examining hospital: where a province shares one store, all its hospitals have this part
/// in common. Eighteen characters of the alphabet of GB 32100-2015 (`IDX-11`).
///
/// The last character is a check character. A code whose check fails is still a code: legal ones
/// from the early years are known, so [`check`](Self::check) is a finding and no error (`IDX-12`).
/// [`findings`](Self::findings) lists everything that is odd.
///
/// ```
/// use mic_index::{StorageUnitCode, UnitCheck};
///
/// let unit: StorageUnitCode = "123502004266007916".parse()?;
/// assert_eq!(unit.check(), UnitCheck::Match);
///
/// let mistyped: StorageUnitCode = "123502004266007917".parse()?;
/// assert_eq!(mistyped.check(), UnitCheck::Mismatch { expected: '6', found: '7' });
/// # Ok::<(), mic_index::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageUnitCode {
    /// Places 1–6, five bits each. The derived order is the order of the text.
    hi: u64,
    /// Places 7–18, five bits each; not both zero.
    lo: u64,
}

impl StorageUnitCode {
    /// Zeros and a one.
    pub(crate) const LEAST: Self = Self { hi: 0, lo: 1 };
    /// `Y`, the value 30, in every place.
    pub(crate) const GREATEST: Self = Self {
        hi: thirties(6),
        lo: thirties(12),
    };

    pub(crate) const fn from_halves(hi: u64, lo: u64) -> Self {
        Self { hi, lo }
    }

    pub(crate) const fn halves(self) -> (u64, u64) {
        (self.hi, self.lo)
    }

    /// Whether the check character fits the seventeen before it.
    ///
    /// A match proves little in the other direction: about one number in 31 passes by chance.
    #[must_use]
    pub const fn check(self) -> UnitCheck {
        let sum = self.weighted_sum();
        if sum % 31 == 0 {
            return UnitCheck::Match;
        }
        let found = self.place(17);
        let expected = (31 - (sum - found) % 31) % 31;
        UnitCheck::Mismatch {
            expected: CREDIT_ALPHABET[expected as usize] as char,
            found: CREDIT_OF_FIVE_BITS[found as usize] as char,
        }
    }

    /// All eighteen places by their weights; a multiple of 31 where the check character fits.
    ///
    /// Every third place is one lane of fifteen bits, and a product adds up what its lanes are worth in
    /// the lane that all are shifted to: sums of eighteen products stay below 2^15.
    #[inline]
    const fn weighted_sum(self) -> u32 {
        const LOW: u64 = 31 | 31 << 15 | 31 << 30 | 31 << 45;
        const HIGH: u64 = 31 << 30 | 31 << 45;
        let (mut sum, mut at) = (0_u64, 0);
        while at < 3 {
            let low = self.lo >> (5 * at) & LOW;
            let high = self.hi << 30 >> (5 * at) & HIGH;
            sum = sum
                .wrapping_add(low.wrapping_mul(LOW_WEIGHTS[at]))
                .wrapping_add(high.wrapping_mul(HIGH_WEIGHTS[at]));
            at += 1;
        }
        (sum >> 45 & 0x7fff) as u32
    }

    /// The value of a place, 0 to 30.
    #[inline]
    pub(crate) const fn place(self, at: usize) -> u32 {
        let value = if at < 6 {
            self.hi >> (5 * (5 - at))
        } else {
            self.lo >> (5 * (17 - at))
        };
        (value & 31) as u32
    }

    /// The character in a place, counted from zero.
    pub(crate) const fn character(self, at: usize) -> char {
        CREDIT_OF_FIVE_BITS[self.place(at) as usize] as char
    }

    /// The eighteen characters, on the stack.
    #[must_use]
    pub const fn text(self) -> Text<UNIT_LEN> {
        let mut text = [0; UNIT_LEN];
        self.write(&mut text, 0);
        Text::new(text)
    }

    #[inline]
    pub(crate) const fn write<const N: usize>(self, out: &mut [u8; N], start: usize) {
        let mut at = 0;
        while at < UNIT_LEN {
            out[start + at] = CREDIT_OF_FIVE_BITS[self.place(at) as usize];
            at += 1;
        }
    }
}

/// The value 30 in so many places of five bits.
const fn thirties(places: u32) -> u64 {
    let mut bits = 0;
    let mut at = 0;
    while at < places {
        bits = bits << 5 | 30;
        at += 1;
    }
    bits
}

/// The credit alphabet with a place for 31, which no unit holds.
const CREDIT_OF_FIVE_BITS: [u8; 32] = {
    let mut padded = [b'?'; 32];
    let mut at = 0;
    while at < CREDIT_ALPHABET.len() {
        padded[at] = CREDIT_ALPHABET[at];
        at += 1;
    }
    padded
};

impl FromStr for StorageUnitCode {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        crate::grammar::parse_unit(text.as_bytes())
    }
}

impl fmt::Display for StorageUnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl fmt::Debug for StorageUnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorageUnitCode({})", self.text().as_str())
    }
}

/// What the check character of a storage unit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a check character fits or does not"
)]
pub enum UnitCheck {
    /// The check character fits.
    Match,
    /// It does not. Either the code is mistyped or it is one of the legal codes that fail.
    Mismatch {
        /// The character the first seventeen call for.
        expected: char,
        /// The character that stands there.
        found: char,
    },
}

impl UnitCheck {
    /// Whether the check character fits.
    #[must_use]
    pub const fn is_match(self) -> bool {
        matches!(self, Self::Match)
    }
}

/// What a parser does about a check character that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a mismatch is an error or it is not"
)]
pub enum CheckPolicy {
    /// Leave it to [`StorageUnitCode::check`]; the code is accepted.
    #[default]
    Report,
    /// Refuse the code.
    Require,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_those_of_the_standard() {
        let standard = [
            1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
        ];
        assert_eq!(WEIGHTS, standard);
    }

    #[test]
    fn all_places_at_once_weigh_what_they_weigh_one_by_one() {
        let by_place = |unit: StorageUnitCode| {
            let weighed = |at: usize| unit.place(at) * WEIGHTS.get(at).copied().unwrap_or(1);
            (0..UNIT_LEN).map(weighed).sum::<u32>()
        };
        let all = StorageUnitCode::GREATEST;
        assert_eq!(all.weighted_sum(), by_place(all));
        for place in 0..UNIT_LEN {
            for value in 0..=30_u64 {
                for others in [StorageUnitCode::LEAST, all] {
                    let (mut hi, mut lo) = others.halves();
                    let (half, shift) = match place {
                        0..6 => (&mut hi, 5 * (5 - place)),
                        _ => (&mut lo, 5 * (17 - place)),
                    };
                    *half = *half & !(31 << shift) | value << shift;
                    let unit = StorageUnitCode::from_halves(hi, lo);
                    assert_eq!(unit.weighted_sum(), by_place(unit));
                }
            }
        }
    }
}
