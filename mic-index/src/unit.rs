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
        let expected = self.expected_check();
        let found = CREDIT_OF_FIVE_BITS[self.place(17) as usize];
        if expected == found {
            UnitCheck::Match
        } else {
            UnitCheck::Mismatch {
                expected: expected as char,
                found: found as char,
            }
        }
    }

    /// The check character the first seventeen places call for.
    const fn expected_check(self) -> u8 {
        let mut sum = 0;
        let mut at = 0;
        while at < WEIGHTS.len() {
            sum += self.place(at) * WEIGHTS[at];
            at += 1;
        }
        // The outer remainder turns 31 into 0.
        CREDIT_ALPHABET[((31 - sum % 31) % 31) as usize]
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
}
