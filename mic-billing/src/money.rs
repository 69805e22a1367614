//! Money without fractions: [`Fen`], [`UnitPrice`] and [`Ppm`] (rule S-07).
//!
//! An amount below one fen can't be written down, and no operation wraps: each gives a
//! [`MoneyError`] instead. There is no multiplication of money by money and no division; what
//! divides is [`allocate`](crate::allocate()), which loses nothing, or a named [`Rounding`].

use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{grammar, rounding::Rounding, text::TextError};

/// Fen in one yuan.
const FEN_PER_YUAN: u64 = 100;
/// Micro-yuan in one fen: a unit price has six decimals of a yuan, an amount two.
const MICRO_YUAN_PER_FEN: i64 = 10_000;
/// The same, for products of two words.
const MICRO_YUAN_PER_FEN_WIDE: i128 = 10_000;
/// Parts of the whole.
const MILLION: i64 = 1_000_000;

/// An amount of money in fen (分), a hundredth of a yuan; negative where money goes back.
///
/// `Display` writes yuan with two decimals, serde an integer number of fen. A JSON number with a
/// fraction is refused, even `500.0`.
///
/// ```
/// use mic_billing::Fen;
///
/// let price = Fen::new(500);
/// assert_eq!(price.to_string(), "5.00");
/// assert_eq!(price.negate()?.plus(Fen::new(7))?.to_string(), "-4.93");
/// assert_eq!("5.00".parse(), Ok(price));
/// assert!(Fen::MAX.plus(Fen::new(1)).is_err());
/// # Ok::<(), mic_billing::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fen(i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount, about 92 thousand billion yuan.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount of so many fen.
    #[must_use]
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// The number of fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether the amount is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum of two amounts.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] outside the range of the type.
    #[inline]
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.0
            .checked_add(other.0)
            .map(Self)
            .ok_or(MoneyError::Overflow)
    }

    /// The difference of two amounts.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] outside the range of the type.
    #[inline]
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.0
            .checked_sub(other.0)
            .map(Self)
            .ok_or(MoneyError::Overflow)
    }

    /// The same amount in the other direction.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the smallest value of the type.
    #[inline]
    pub fn negate(self) -> Result<Self, MoneyError> {
        self.0.checked_neg().map(Self).ok_or(MoneyError::Overflow)
    }

    /// The amount so many times.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] outside the range of the type.
    #[inline]
    pub fn times(self, count: i64) -> Result<Self, MoneyError> {
        self.0
            .checked_mul(count)
            .map(Self)
            .ok_or(MoneyError::Overflow)
    }

    /// The sum of many amounts.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] if the total is outside the range of the type.
    #[inline]
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        // Summed wide, so that the order of the amounts can't decide whether it overflows.
        let mut total = 0_i128;
        for amount in amounts {
            total = total
                .checked_add(i128::from(amount.0))
                .ok_or(MoneyError::Overflow)?;
        }
        i64::try_from(total)
            .map(Self)
            .map_err(|_| MoneyError::Overflow)
    }

    /// A part of the amount, rounded once (S-08).
    ///
    /// # Errors
    /// None in practice: a part is never larger than the whole. The type says so for callers
    /// that chain it.
    #[inline]
    pub fn part(self, share: Ppm, rounding: Rounding) -> Result<Self, MoneyError> {
        // Up to ninety billion yuan the product fits a word, which is divided ten times as fast.
        let product = self.0.checked_mul(i64::from(share.0));
        if let Some(fen) = product.and_then(|product| rounding.by::<MILLION>(product)) {
            return Ok(Self(fen));
        }
        self.part_wide(share, rounding)
    }

    /// The same in two words.
    #[cold]
    fn part_wide(self, share: Ppm, rounding: Rounding) -> Result<Self, MoneyError> {
        let product = i128::from(self.0)
            .checked_mul(i128::from(share.get()))
            .ok_or(MoneyError::Overflow)?;
        rounding
            .divide(product, i128::from(Ppm::WHOLE.get()))
            .and_then(|fen| i64::try_from(fen).ok())
            .map(Self)
            .ok_or(MoneyError::Overflow)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let yuan = magnitude.checked_div(FEN_PER_YUAN).unwrap_or(0);
        let fen = magnitude.checked_rem(FEN_PER_YUAN).unwrap_or(0);
        write!(f, "{sign}{yuan}.{fen:02}")
    }
}

impl fmt::Debug for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fen({self})")
    }
}

impl FromStr for Fen {
    type Err = TextError;

    /// Reads yuan with at most two decimals: `5`, `5.0`, `-5.00`.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let micro = grammar::yuan(text, 2)?;
        // Two decimals at most, so this divides exactly.
        let fen = micro.checked_div(MICRO_YUAN_PER_FEN_WIDE);
        fen.and_then(|fen| i64::try_from(fen).ok())
            .map(Self)
            .ok_or_else(|| TextError::new("amount", 0, "an amount of yuan that fits"))
    }
}

impl Serialize for Fen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

/// A price per unit in micro-yuan: the six decimals of the interface's price columns fit exactly.
///
/// ```
/// use mic_billing::{Fen, Rounding, UnitPrice};
///
/// let bid: UnitPrice = "3.333333".parse()?;
/// assert_eq!(bid.total(3, Rounding::HalfUp)?, Fen::new(1000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnitPrice(i64);

impl UnitPrice {
    /// A price of so many micro-yuan per unit; none if it is negative.
    #[must_use]
    pub const fn from_micro_yuan(micro_yuan: i64) -> Option<Self> {
        if micro_yuan < 0 {
            None
        } else {
            Some(Self(micro_yuan))
        }
    }

    /// The price in micro-yuan.
    #[must_use]
    pub const fn micro_yuan(self) -> i64 {
        self.0
    }

    /// The price of so many units, rounded once to a whole fen (S-08).
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] if the total doesn't fit.
    #[inline]
    pub fn total(self, quantity: u64, rounding: Rounding) -> Result<Fen, MoneyError> {
        let product = i64::try_from(quantity).ok();
        let product = product.and_then(|quantity| self.0.checked_mul(quantity));
        let in_a_word = product.and_then(|product| rounding.by::<MICRO_YUAN_PER_FEN>(product));
        match in_a_word {
            Some(fen) => Ok(Fen(fen)),
            None => self.total_wide(quantity, rounding),
        }
    }

    /// The same in two words.
    #[cold]
    fn total_wide(self, quantity: u64, rounding: Rounding) -> Result<Fen, MoneyError> {
        let micro = i128::from(self.0)
            .checked_mul(i128::from(quantity))
            .ok_or(MoneyError::Overflow)?;
        rounding
            .divide(micro, MICRO_YUAN_PER_FEN_WIDE)
            .and_then(|fen| i64::try_from(fen).ok())
            .map(Fen)
            .ok_or(MoneyError::Overflow)
    }
}

impl UnitPrice {
    /// So many parts of the price of some units, of so many in all, rounded once.
    pub(crate) fn fraction(self, units: u32, parts: u32, all: u32) -> Result<Fen, MoneyError> {
        let micro = i128::from(self.0)
            .checked_mul(i128::from(units))
            .and_then(|price| price.checked_mul(i128::from(parts)));
        let divisor = MICRO_YUAN_PER_FEN_WIDE.checked_mul(i128::from(all));
        micro
            .zip(divisor)
            .and_then(|(micro, divisor)| Rounding::HalfUp.divide(micro, divisor))
            .and_then(|fen| i64::try_from(fen).ok())
            .map(Fen)
            .ok_or(MoneyError::Overflow)
    }
}

impl fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yuan = self.0.checked_div(1_000_000).unwrap_or(0);
        let micro = self.0.checked_rem(1_000_000).unwrap_or(0);
        write!(f, "{yuan}.{micro:06}")
    }
}

impl FromStr for UnitPrice {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let micro = i64::try_from(grammar::yuan(text, 6)?).ok();
        micro
            .and_then(Self::from_micro_yuan)
            .ok_or_else(|| TextError::new("unit price", 0, "a price that fits and is not negative"))
    }
}

impl Serialize for UnitPrice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for UnitPrice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_micro_yuan(i64::deserialize(deserializer)?).ok_or_else(|| {
            serde::de::Error::custom("expected a unit price of zero or more micro-yuan")
        })
    }
}

/// A share in parts per million, from nothing to the whole.
///
/// ```
/// use mic_billing::Ppm;
///
/// let fund = Ppm::new(700_000).unwrap();
/// assert_eq!(fund.rest(), Ppm::new(300_000).unwrap());
/// assert_eq!(Ppm::new(1_000_001), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ppm(u32);

impl Ppm {
    /// All of it.
    pub const WHOLE: Self = Self(1_000_000);

    /// A share of so many parts per million; none above the whole.
    #[must_use]
    pub const fn new(ppm: u32) -> Option<Self> {
        if ppm > Self::WHOLE.0 {
            None
        } else {
            Some(Self(ppm))
        }
    }

    /// The parts per million.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// What is left to the whole.
    #[must_use]
    pub const fn rest(self) -> Self {
        Self(Self::WHOLE.0.saturating_sub(self.0))
    }
}

impl Serialize for Ppm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for Ppm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("expected at most 1000000 parts per million"))
    }
}

/// Arithmetic that has no answer.
///
/// ```
/// use mic_billing::{Fen, MoneyError};
///
/// assert_eq!(Fen::MAX.times(2), Err(MoneyError::Overflow));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// A price below zero where there is none.
    #[error("expected a price of zero or more")]
    Negative,
    /// The result is outside the range of an amount (I-21: never a wrap).
    #[error("the amount is outside the range of 64-bit fen")]
    Overflow,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn ok_amounts_print_as_yuan() {
        for (fen, text) in [(0, "0.00"), (7, "0.07"), (-7, "-0.07"), (-500, "-5.00")] {
            assert_eq!(Fen::new(fen).to_string(), text);
        }
        assert_eq!(Fen::new(i64::MIN).to_string(), "-92233720368547758.08");
    }

    #[test]
    fn ok_a_sum_does_not_depend_on_the_order_near_the_edge() {
        let amounts = [Fen::MAX, Fen::new(1), Fen::new(-1)];
        assert_eq!(Fen::sum(amounts), Ok(Fen::MAX));
        assert_eq!(Fen::sum([Fen::MAX, Fen::new(1)]), Err(MoneyError::Overflow));
    }

    #[test]
    fn err_amount_text_with_a_third_decimal() {
        assert_eq!(
            "5.001".parse::<Fen>().unwrap_err().to_string(),
            "amount: expected yuan with at most 2 decimals at byte 4"
        );
    }
}
