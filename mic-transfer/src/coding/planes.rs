//! Bytes to planes of samples, one for each component, and back.

use alloc::vec::Vec;

use super::hint::Layout;

/// Turns the sign bit, so that unsigned values keep their order as signed ones.
const SIGN: u16 = 0x8000;

/// The samples of a component.
pub(super) fn split(bytes: &[u8], layout: Layout, component: u8, out: &mut Vec<i16>) {
    out.clear();
    let step = usize::from(layout.components);
    let skip = usize::from(component);
    let flip = if layout.unsigned { SIGN } else { 0 };
    let value = |pair: &[u8]| match pair {
        [first, second] if layout.big_endian => {
            (u16::from_be_bytes([*first, *second]) ^ flip) as i16
        }
        [first, second] => (u16::from_le_bytes([*first, *second]) ^ flip) as i16,
        _ => 0,
    };
    match (layout.wide, step) {
        (false, 1) => out.extend(bytes.iter().map(|byte| i16::from(*byte))),
        (false, _) => out.extend(
            bytes
                .iter()
                .skip(skip)
                .step_by(step)
                .map(|byte| i16::from(*byte)),
        ),
        (true, 1) => out.extend(bytes.chunks_exact(2).map(value)),
        (true, _) => out.extend(bytes.chunks_exact(2).skip(skip).step_by(step).map(value)),
    }
}

/// Puts the samples of a component where they belong.
pub(super) fn join(plane: &[i16], layout: Layout, component: u8, bytes: &mut [u8]) {
    let step = usize::from(layout.components);
    let skip = usize::from(component);
    let flip = if layout.unsigned { SIGN } else { 0 };
    if !layout.wide {
        if step == 1 {
            bytes
                .iter_mut()
                .zip(plane)
                .for_each(|(byte, sample)| *byte = *sample as u8);
        } else {
            let places = bytes.iter_mut().skip(skip).step_by(step);
            places
                .zip(plane)
                .for_each(|(byte, sample)| *byte = *sample as u8);
        }
        return;
    }
    let put = |pair: &mut [u8], sample: i16| {
        let value = sample as u16 ^ flip;
        let value = if layout.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        pair.copy_from_slice(&value);
    };
    let pairs = bytes.chunks_exact_mut(2);
    if step == 1 {
        pairs
            .zip(plane)
            .for_each(|(pair, sample)| put(pair, *sample));
    } else {
        let places = pairs.skip(skip).step_by(step);
        places
            .zip(plane)
            .for_each(|(pair, sample)| put(pair, *sample));
    }
}

/// Takes the middle one of three components out of the others, or puts it back: red and blue follow green.
pub(super) fn less_green(plane: &mut [i16], green: &[i16], wide: bool) {
    for (sample, green) in plane.iter_mut().zip(green) {
        let value = sample.wrapping_sub(*green);
        *sample = if wide { value } else { value & 0xFF };
    }
}

/// Undoes [`less_green`] for one sample.
pub(super) const fn plus(sample: i16, green: i16, wide: bool) -> i16 {
    let value = sample.wrapping_add(green);
    if wide { value } else { value & 0xFF }
}
