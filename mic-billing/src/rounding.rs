//! How a fraction of a fen becomes a whole one (rule S-08): once per line, never twice.

use serde::{Deserialize, Serialize};

/// The rounding of a tariff. Negative amounts mirror positive ones.
///
/// ```
/// use mic_billing::{Fen, Ppm, Rounding};
///
/// let half = Ppm::new(500_000).unwrap();
/// assert_eq!(Fen::new(5).part(half, Rounding::HalfUp)?, Fen::new(3));
/// assert_eq!(Fen::new(-5).part(half, Rounding::HalfUp)?, Fen::new(-3));
/// assert_eq!(Fen::new(5).part(half, Rounding::HalfEven)?, Fen::new(2));
/// assert_eq!(Fen::new(5).part(half, Rounding::Down)?, Fen::new(2));
/// # Ok::<(), mic_billing::MoneyError>(())
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rounding {
    /// A half goes away from zero (四舍五入).
    #[default]
    HalfUp,
    /// A half goes to the even neighbour.
    HalfEven,
    /// Toward zero.
    Down,
}

impl Rounding {
    /// A product of one word divided by a constant: a multiplication and a shift in the machine.
    /// The same as [`Rounding::divide`]; none at the edge of the word, where that one still can.
    #[inline]
    pub(crate) fn by<const DIVISOR: i64>(self, product: i64) -> Option<i64> {
        const { assert!(DIVISOR >= 2 && DIVISOR % 2 == 0, "halves are exact") };
        let half = DIVISOR.checked_div(2)?;
        match self {
            Self::HalfUp => {
                let away = if product < 0 {
                    half.checked_neg()?
                } else {
                    half
                };
                product.checked_add(away)?.checked_div(DIVISOR)
            }
            Self::HalfEven => {
                let quotient = product.checked_div(DIVISOR)?;
                let rest = product.checked_rem(DIVISOR)?.unsigned_abs();
                let odd = quotient & 1 != 0;
                if rest > half.unsigned_abs() || (rest == half.unsigned_abs() && odd) {
                    quotient.checked_add(product.signum())
                } else {
                    Some(quotient)
                }
            }
            Self::Down => product.checked_div(DIVISOR),
        }
    }

    /// `numerator / denominator` as a whole number; none if the denominator is not positive.
    pub(crate) fn divide(self, numerator: i128, denominator: i128) -> Option<i128> {
        if denominator <= 0 {
            return None;
        }
        let quotient = numerator.checked_div(denominator)?;
        let rest = numerator.checked_rem(denominator)?.unsigned_abs();
        let doubled = rest.checked_mul(2)?;
        let away = match self {
            Self::HalfUp => doubled >= denominator.unsigned_abs(),
            Self::HalfEven => {
                let odd = quotient.checked_rem(2)? != 0;
                doubled > denominator.unsigned_abs()
                    || (doubled == denominator.unsigned_abs() && odd)
            }
            Self::Down => false,
        };
        if away {
            quotient.checked_add(numerator.signum())
        } else {
            Some(quotient)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_halves_go_where_the_name_says() {
        let table = [
            (
                Rounding::HalfUp,
                [
                    (5, 2, 3),
                    (-5, 2, -3),
                    (1, 2, 1),
                    (4, 3, 1),
                    (-4, 3, -1),
                    (-5, 3, -2),
                ],
            ),
            (
                Rounding::HalfEven,
                [
                    (5, 2, 2),
                    (-5, 2, -2),
                    (1, 2, 0),
                    (3, 2, 2),
                    (-3, 2, -2),
                    (7, 4, 2),
                ],
            ),
            (
                Rounding::Down,
                [
                    (5, 2, 2),
                    (-5, 2, -2),
                    (1, 2, 0),
                    (7, 4, 1),
                    (-7, 4, -1),
                    (8, 4, 2),
                ],
            ),
        ];
        for (rounding, cases) in table {
            for (n, d, expected) in cases {
                assert_eq!(
                    rounding.divide(n, d),
                    Some(expected),
                    "{rounding:?} {n}/{d}"
                );
            }
        }
    }
}
