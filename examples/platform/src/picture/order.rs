//! Places of slices, and an even choice among many.

/// How far along the normal of its plane a slice lies, in mm.
pub(super) fn along_normal(position: [f64; 3], orientation: [f64; 6]) -> f64 {
    dot(position, normal(orientation))
}

/// The vector product of the directions of rows and columns.
fn normal([rx, ry, rz, cx, cy, cz]: [f64; 6]) -> [f64; 3] {
    [ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx]
}

pub(super) fn dot([ax, ay, az]: [f64; 3], [bx, by, bz]: [f64; 3]) -> f64 {
    ax * bx + ay * by + az * bz
}

/// At most `room` numbers below `count`, evenly, the first and the last among them.
pub(super) fn spread(count: u64, room: usize) -> impl Iterator<Item = u64> {
    let room = u64::try_from(room).unwrap_or(u64::MAX).min(count);
    let (last, steps) = (count.saturating_sub(1), room.saturating_sub(1).max(1));
    (0..room).map(move |nth| {
        let place = u128::from(nth) * u128::from(last) / u128::from(steps);
        u64::try_from(place).unwrap_or(last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_spread_is_even_and_has_both_ends() {
        let few: Vec<u64> = spread(3, 48).collect();
        assert_eq!(few, [0, 1, 2]);
        let many: Vec<u64> = spread(240, 48).collect();
        assert_eq!(
            (many.len(), many.first(), many.last()),
            (48, Some(&0), Some(&239))
        );
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(spread(0, 8).count(), 0);
        assert_eq!(spread(u64::MAX, 2).last(), Some(u64::MAX - 1));
    }

    #[test]
    fn ok_normal_of_an_axial_slice_points_up() {
        let axial = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        assert!((along_normal([5.0, 6.0, 7.0], axial) - 7.0).abs() < 1e-9);
    }
}
