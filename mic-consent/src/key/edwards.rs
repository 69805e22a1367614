//! Tables of multiples of one point of edwards25519, so that a signature of its key is checked with additions and
//! hardly a doubling (CST-29).
//!
//! Only public data comes here. Points are those of `curve25519-dalek`, whose addition is complete: points with a
//! part of small order, which a key may have, are no exception to it.

use alloc::vec::Vec;

use curve25519_dalek::{edwards::EdwardsPoint, scalar::Scalar, traits::Identity as _};

use super::digits::Number;

/// Windows of a table at most: digits of four bits.
const WINDOWS_MAX: usize = 64;

/// For one window of `W` bits in `EVERY`: 1 to 2^(W-1) times 2^(W·window) times the point. The windows between
/// are reached by doubling, so `EVERY` trades memory for W·(EVERY - 1) doublings.
pub(super) struct Multiples<const W: usize, const EVERY: usize> {
    points: Vec<EdwardsPoint>,
}

impl<const W: usize, const EVERY: usize> Multiples<W, EVERY> {
    /// Digits run from -HALF + 1 to HALF.
    const HALF: usize = 1 << (W - 1);
    /// Numbers below the order have 253 bits, and the last digit may take a carry.
    const WINDOWS: usize = 254_usize.div_ceil(W);
    const ROWS: usize = Self::WINDOWS.div_ceil(EVERY);
    /// Bytes of memory.
    pub(super) const BYTES: usize = Self::ROWS * Self::HALF * size_of::<EdwardsPoint>();

    pub(super) fn new(point: EdwardsPoint) -> Self {
        let mut base = point;
        let mut points = Vec::with_capacity(Self::ROWS * Self::HALF);
        for _ in 0..Self::ROWS {
            let mut multiple = base;
            points.push(multiple);
            for _ in 1..Self::HALF {
                multiple += base;
                points.push(multiple);
            }
            base = doubled(base, W * EVERY);
        }
        Self { points }
    }

    /// `number` times the point. The number is taken as it is and never as the order less it, which would not be
    /// the same for a point with a part of small order.
    pub(super) fn times(&self, number: &Scalar) -> EdwardsPoint {
        const { assert!(Self::WINDOWS <= WINDOWS_MAX) };
        let mut digits = [0; WINDOWS_MAX];
        let number = Number::from_le_bytes(number.as_bytes());
        for (to, digit) in digits.iter_mut().zip(number.digits::<W>(Self::WINDOWS)) {
            *to = digit;
        }
        let mut sum = EdwardsPoint::identity();
        for first in (0..EVERY).rev() {
            if first + 1 < EVERY {
                sum = doubled(sum, W);
            }
            let digits = digits.iter().skip(first).step_by(EVERY);
            for (digit, row) in digits.zip(self.points.chunks_exact(Self::HALF)) {
                let Some(at) = usize::from(digit.unsigned_abs()).checked_sub(1) else {
                    continue;
                };
                let Some(multiple) = row.get(at) else {
                    continue;
                };
                if *digit > 0 {
                    sum += multiple;
                } else {
                    sum -= multiple;
                }
            }
        }
        sum
    }
}

fn doubled(mut point: EdwardsPoint, times: usize) -> EdwardsPoint {
    for _ in 0..times {
        point += point;
    }
    point
}
