//! Tables of multiples of one point, so that a signature of its key is checked with additions alone (CST-29).
//!
//! Only public data comes here: keys, signatures and messages. Everything takes a time that depends on them.
//! The field arithmetic is that of the curve's own crate; here are the formulas of the points, both curves
//! being y² = x³ - 3x + b, in Jacobian coordinates (x/z², y/z³).

use alloc::vec::Vec;

#[cfg(not(feature = "gm"))]
use p256::elliptic_curve::ff::PrimeField;
#[cfg(feature = "gm")]
use sm2::elliptic_curve::ff::PrimeField;

use super::digits::Number;

/// A point x/z², y/z³; at infinity when z is zero.
#[derive(Clone, Copy)]
pub(super) struct Jacobian<F> {
    x: F,
    y: F,
    z: F,
}

impl<F: PrimeField> Jacobian<F> {
    pub(super) const IDENTITY: Self = Self {
        x: F::ONE,
        y: F::ONE,
        z: F::ZERO,
    };

    const fn affine(x: F, y: F) -> Self {
        Self { x, y, z: F::ONE }
    }

    fn double(&self) -> Self {
        let (delta, gamma) = (self.z.square(), self.y.square());
        let beta = self.x * gamma;
        // 3x² - 3z⁴: the curve's a is -3.
        let slope = (self.x - delta) * (self.x + delta);
        let alpha = slope.double() + slope;
        let four_beta = beta.double().double();
        let x = alpha.square() - four_beta.double();
        let z = (self.y * self.z).double();
        let y = alpha * (four_beta - x) - gamma.square().double().double().double();
        Self { x, y, z }
    }

    /// Adds the affine point (x, y).
    fn add(&self, x: F, y: F) -> Self {
        if self.z.is_zero_vartime() {
            return Self::affine(x, y);
        }
        let zz = self.z.square();
        let run = x * zz - self.x;
        let rise = y * (zz * self.z) - self.y;
        if run.is_zero_vartime() {
            // The same point, or its mirror image.
            return if rise.is_zero_vartime() {
                self.double()
            } else {
                Self::IDENTITY
            };
        }
        let square = run.square();
        let cube = square * run;
        let v = self.x * square;
        let new_x = rise.square() - cube - v.double();
        Self {
            x: new_x,
            y: rise * (v - new_x) - self.y * cube,
            z: self.z * run,
        }
    }

    /// Whether this is no point at infinity and its x, taken modulo the order of the group, is `expected`. No
    /// inversion: x = X/Z² is asked as X = x·Z².
    pub(super) fn has_x<S: PrimeField<Repr = F::Repr>>(&self, expected: S) -> bool {
        if self.z.is_zero_vartime() {
            return false;
        }
        let zz = self.z.square();
        let repr = expected.to_repr();
        let Some(x) = F::from_repr_vartime(repr) else {
            return false;
        };
        if self.x == x * zz {
            return true;
        }
        // The field is larger than the group, so x may also have been `expected` and the order.
        let Some(order) =
            F::from_repr_vartime((-S::ONE).to_repr()).map(|less_one| less_one + F::ONE)
        else {
            return false;
        };
        let room = (-order).to_repr();
        repr.as_ref() < room.as_ref() && self.x == (x + order) * zz
    }
}

/// A number of the group as its smaller half: k or n - k, and whether it was negated. Below 2^255.
pub(super) struct Folded {
    number: Number,
    negated: bool,
}

impl Folded {
    pub(super) fn new<S: PrimeField>(number: S) -> Self {
        let (plus, minus) = (number.to_repr(), (-number).to_repr());
        let negated = plus.as_ref() > minus.as_ref();
        let bytes = if negated { minus } else { plus };
        Self {
            number: Number::from_be_bytes(bytes.as_ref()),
            negated,
        }
    }
}

/// For each window of `W` bits: 1 to 2^(W-1) times 2^(W·window) times the point, affine.
pub(super) struct Table<F, const W: usize> {
    points: Vec<(F, F)>,
}

impl<F: PrimeField, const W: usize> Table<F, W> {
    /// Digits run from -HALF + 1 to HALF.
    const HALF: usize = 1 << (W - 1);
    /// Folded numbers have 255 bits, and the last digit may take a carry.
    const WINDOWS: usize = 256_usize.div_ceil(W);
    /// Bytes of memory.
    pub(super) const BYTES: usize = Self::WINDOWS * Self::HALF * size_of::<(F, F)>();

    /// The table of a point of prime order, big-endian coordinates. `None` if they are none of the field.
    pub(super) fn new(x: F::Repr, y: F::Repr) -> Option<Self> {
        let mut base = (F::from_repr_vartime(x)?, F::from_repr_vartime(y)?);
        let mut points = Vec::with_capacity(Self::WINDOWS * Self::HALF);
        let mut row = Vec::with_capacity(Self::HALF + 1);
        for _ in 0..Self::WINDOWS {
            let (x, y) = base;
            let mut multiple = Jacobian::affine(x, y);
            row.clear();
            row.push(multiple);
            for _ in 1..Self::HALF {
                multiple = multiple.add(x, y);
                row.push(multiple);
            }
            // HALF, doubled: the base of the next window.
            row.push(multiple.double());
            normalise(&row, &mut points)?;
            base = points.pop()?;
        }
        Some(Self { points })
    }

    /// Adds `number` times the point to `sum`.
    pub(super) fn add_multiple(
        &self,
        mut sum: Jacobian<F>,
        number: &Folded,
    ) -> Option<Jacobian<F>> {
        let digits = number.number.digits::<W>(Self::WINDOWS);
        for (digit, row) in digits.zip(self.points.chunks_exact(Self::HALF)) {
            let Some(at) = usize::from(digit.unsigned_abs()).checked_sub(1) else {
                continue;
            };
            let (x, y) = *row.get(at)?;
            sum = sum.add(x, if (digit < 0) == number.negated { y } else { -y });
        }
        Some(sum)
    }
}

/// Appends the affine coordinates of all points, none of them at infinity, with one inversion.
fn normalise<F: PrimeField>(points: &[Jacobian<F>], affine: &mut Vec<(F, F)>) -> Option<()> {
    let mut product = F::ONE;
    let products: Vec<F> = points
        .iter()
        .map(|point| {
            let before = product;
            product *= point.z;
            before
        })
        .collect();
    let mut inverse = Option::<F>::from(product.invert())?;
    let start = affine.len();
    for (point, before) in points.iter().zip(products).rev() {
        let z = inverse * before;
        inverse *= point.z;
        let zz = z.square();
        affine.push((point.x * zz, point.y * (zz * z)));
    }
    affine.get_mut(start..)?.reverse();
    Some(())
}
