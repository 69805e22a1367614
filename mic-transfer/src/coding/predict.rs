//! The median edge detector over one plane of samples, forth and back.
//!
//! Rows are counted from the first sample of the plane. The first row is predicted from the left, the first
//! sample of each later row from the one above, all others by the median of left, above, and their sum less
//! the upper left one. All arithmetic wraps at 16 bits, so that any residual is right for some sample.

use alloc::vec::Vec;

/// Rows that are undone together: each is one sample behind the one above it, so that four chains of
/// dependent steps run side by side.
const LANES: usize = 4;

#[inline(always)]
fn median(left: i16, up: i16, up_left: i16) -> i16 {
    let sum = left.wrapping_add(up).wrapping_sub(up_left);
    sum.max(left.min(up)).min(left.max(up))
}

/// Small magnitudes of either sign as small numbers: 0, -1, 1, -2, …
#[inline(always)]
pub(super) const fn fold(residual: i16) -> u16 {
    ((residual << 1) ^ (residual >> 15)) as u16
}

#[inline(always)]
pub(super) const fn unfold(folded: u16) -> i16 {
    ((folded >> 1) as i16) ^ -((folded & 1) as i16)
}

/// The folded residuals of a plane whose rows have `row` samples; narrow ones wrap at 8 bits.
pub(super) fn residuals(plane: &[i16], row: usize, wide: bool, out: &mut Vec<u16>) {
    out.clear();
    out.resize(plane.len(), 0);
    let row = row.clamp(1, plane.len().max(1));
    let mut above: Option<&[i16]> = None;
    for (line, out) in plane.chunks(row).zip(out.chunks_mut(row)) {
        match above {
            None => first_row(line, out),
            Some(above) => later_row(line, above, out),
        }
        above = Some(line);
    }
    if wide {
        out.iter_mut()
            .for_each(|value| *value = fold(*value as i16));
    } else {
        out.iter_mut()
            .for_each(|value| *value = fold(i16::from(*value as i8)));
    }
}

fn first_row(line: &[i16], out: &mut [u16]) {
    let mut left = 0_i16;
    for (sample, out) in line.iter().zip(out) {
        *out = sample.wrapping_sub(left) as u16;
        left = *sample;
    }
}

fn later_row(line: &[i16], above: &[i16], out: &mut [u16]) {
    if let (Some(out), Some(sample), Some(up)) = (out.first_mut(), line.first(), above.first()) {
        *out = sample.wrapping_sub(*up) as u16;
    }
    let here = line.iter().skip(1).zip(line);
    let over = above.iter().skip(1).zip(above);
    let out = out.iter_mut().skip(1);
    for (((sample, left), (up, up_left)), out) in here.zip(over).zip(out) {
        *out = sample.wrapping_sub(median(*left, *up, *up_left)) as u16;
    }
}

/// Residuals to samples in place; `row` as given to [`residuals`].
pub(super) fn restore(plane: &mut [i16], row: usize, wide: bool) {
    let row = row.clamp(1, plane.len().max(1));
    let Some((first, mut rest)) = plane.split_at_mut_checked(row) else {
        return;
    };
    let mut left = 0_i16;
    for sample in first.iter_mut() {
        left = narrow(left.wrapping_add(*sample), wide);
        *sample = left;
    }
    let mut above: &mut [i16] = first;
    while row >= LANES && rest.len() >= LANES * row {
        let (four, after) = core::mem::take(&mut rest)
            .split_at_mut_checked(LANES * row)
            .unwrap_or_default();
        if wide {
            undo_four::<true>(four, row, above);
        } else {
            undo_four::<false>(four, row, above);
        }
        let (_, last) = four
            .split_at_mut_checked((LANES - 1) * row)
            .unwrap_or_default();
        above = last;
        rest = after;
    }
    for line in rest.chunks_mut(row) {
        undo_row(line, above, 0, wide);
        above = line;
    }
}

#[inline(always)]
const fn narrow(sample: i16, wide: bool) -> i16 {
    if wide { sample } else { sample & 0xFF }
}

/// Undoes a row from sample `from` on.
fn undo_row(line: &mut [i16], above: &[i16], from: usize, wide: bool) {
    let before = from.checked_sub(1);
    let begin = above.get(before.unwrap_or(0)).copied().unwrap_or(0);
    let mut up_left = begin;
    let mut left = before.and_then(|at| line.get(at)).copied().unwrap_or(begin);
    for (sample, up) in line.iter_mut().zip(above).skip(from) {
        left = narrow(sample.wrapping_add(median(left, *up, up_left)), wide);
        up_left = *up;
        *sample = left;
    }
}

/// Four rows at once; `four` holds them, `row` samples each, at least [`LANES`].
fn undo_four<const WIDE: bool>(four: &mut [i16], row: usize, above: &[i16]) {
    let (one, rest) = four.split_at_mut_checked(row).unwrap_or_default();
    let (two, rest) = rest.split_at_mut_checked(row).unwrap_or_default();
    let (three, four) = rest.split_at_mut_checked(row).unwrap_or_default();
    // The beginnings that are ahead of the rows below.
    undo_part(one, above, 3, WIDE);
    undo_part(two, one, 2, WIDE);
    undo_part(three, two, 1, WIDE);
    let at = |line: &[i16], at: usize| line.get(at).copied().unwrap_or(0);
    let mut left = [at(one, 2), at(two, 1), at(three, 0), at(three, 0)];
    let mut up_left = [at(above, 2), at(one, 1), at(two, 0), at(three, 0)];
    let ups = above.get(3..row).unwrap_or_default();
    let ones = one.get_mut(3..row).unwrap_or_default();
    let twos = two.get_mut(2..row - 1).unwrap_or_default();
    let threes = three.get_mut(1..row - 2).unwrap_or_default();
    let fours = four.get_mut(..row - 3).unwrap_or_default();
    let lines = ones.iter_mut().zip(twos).zip(threes).zip(fours);
    for (up, (((one, two), three), four)) in ups.iter().zip(lines) {
        let over = [*up, left[0], left[1], left[2]];
        let residual = [*one, *two, *three, *four];
        let mut now = [0_i16; LANES];
        for lane in 0..LANES {
            let predicted = median(left[lane], over[lane], up_left[lane]);
            now[lane] = narrow(residual[lane].wrapping_add(predicted), WIDE);
        }
        [*one, *two, *three, *four] = now;
        up_left = over;
        left = now;
    }
    undo_row(two, one, row - 1, WIDE);
    undo_row(three, two, row - 2, WIDE);
    undo_row(four, three, row - 3, WIDE);
}

/// Undoes the first `count` samples of a row.
fn undo_part(line: &mut [i16], above: &[i16], count: usize, wide: bool) {
    if let Some(line) = line.get_mut(..count) {
        undo_row(line, above, 0, wide);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn ok_folding_is_undone_for_every_value() {
        for value in i16::MIN..=i16::MAX {
            assert_eq!(unfold(fold(value)), value);
        }
        assert_eq!([0, -1, 1, -2].map(fold), [0, 1, 2, 3]);
    }

    #[test]
    fn ok_what_is_the_same_in_each_row_leaves_no_residuals() {
        let plane: Vec<i16> = (0..64_i16).map(|at| at % 8).map(|x| x * x * 3).collect();
        let mut out = Vec::new();
        residuals(&plane, 8, true, &mut out);
        for line in out.chunks(8).skip(1) {
            assert_eq!(line, [0; 8]);
        }
    }

    proptest! {
        #[test]
        fn ok_any_plane_comes_back(
            plane in proptest::collection::vec(any::<i16>(), 0..300),
            row in 0_usize..40,
            wide in any::<bool>(),
        ) {
            let plane: Vec<i16> = plane.into_iter().map(|sample| narrow(sample, wide)).collect();
            let mut out = Vec::new();
            residuals(&plane, row, wide, &mut out);
            let mut back: Vec<i16> = out.iter().map(|folded| unfold(*folded)).collect();
            restore(&mut back, row, wide);
            prop_assert_eq!(back, plane);
        }
    }
}
