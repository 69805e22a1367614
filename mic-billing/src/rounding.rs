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

/// Parts of the whole in [`Ppm`](crate::Ppm), as the divisor of a word.
const MILLION: i64 = 1_000_000;

impl Rounding {
    /// A millionth of a product; the same as [`Rounding::divide`] of a million, and always there.
    #[inline]
    pub(crate) const fn millionth(self, product: i64) -> i64 {
        // A constant divisor: neither zero nor minus one, so neither operation can fail.
        let (quotient, rest) = (product / MILLION, (product % MILLION).unsigned_abs());
        let doubled = rest.saturating_mul(2);
        let million = MILLION.unsigned_abs();
        let away = match self {
            Self::HalfUp => doubled >= million,
            Self::HalfEven => doubled > million || (doubled == million && quotient & 1 != 0),
            Self::Down => false,
        };
        if away {
            quotient.saturating_add(product.signum())
        } else {
            quotient
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
