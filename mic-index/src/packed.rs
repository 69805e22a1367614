//! The packed form: 40 bytes, big-endian, byte order = text order (`IDX-30`, `IDX-35`).
//!
//! | bits | width | field | values |
//! |---|---|---|---|
//! | 0..34 | 34 | person, digits 1–10 | below 10^10 |
//! | 34..88 | 54 | person, digits 11–26 | below 10^16 |
//! | 88..115 | 27 | minutes since 1900-01-01 00:00 | below 134 117 280 |
//! | 115..162 | 47 | site, radix 36 | below 36^9 |
//! | 162..188 | 26 | device, places 1–5, radix 36 | below 36^5 |
//! | 188..230 | 42 | device, places 6–13, radix 36 | below 36^8 |
//! | 230..320 | 18 × 5 | storage unit, one value of 0–30 per place | no place 31 |

use crate::calendar::MINUTES;
use crate::error::{PackedError, PackedErrorKind};
use crate::part::Part;

/// Bytes of the packed form: 316.3 bits of information, the least whole number of bytes.
pub const PACKED_LEN: usize = 40;

/// First limit above the person code's leading ten digits.
pub(crate) const PERSON_HI_LIMIT: u64 = 10_u64.pow(10);
/// First limit above the person code's trailing sixteen digits.
pub(crate) const PERSON_LO_LIMIT: u64 = 10_u64.pow(16);
pub(crate) const SITE_LIMIT: u64 = 36_u64.pow(9);
pub(crate) const DEVICE_HI_LIMIT: u64 = 36_u64.pow(5);
pub(crate) const DEVICE_LO_LIMIT: u64 = 36_u64.pow(8);

const _: () = assert!(PERSON_HI_LIMIT <= 1 << 34 && PERSON_LO_LIMIT <= 1 << 54);
const _: () = assert!(SITE_LIMIT <= 1 << 47);
const _: () = assert!(DEVICE_HI_LIMIT <= 1 << 26 && DEVICE_LO_LIMIT <= 1 << 42);
const _: () = assert!(34 + 54 + 27 + 47 + 26 + 42 + 18 * 5 == PACKED_LEN * 8);

/// The fields of the packed form as numbers. Every field lies within its width.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) person_hi: u64,
    pub(crate) person_lo: u64,
    pub(crate) minutes: u64,
    pub(crate) site: u64,
    pub(crate) device_hi: u64,
    pub(crate) device_lo: u64,
    /// Places 1–6 of the unit, 5 bits each.
    pub(crate) unit_hi: u64,
    /// Places 7–18 of the unit, 5 bits each.
    pub(crate) unit_lo: u64,
}

#[inline]
pub(crate) const fn pack(f: &Fields) -> [u8; PACKED_LEN] {
    let words = [
        f.person_hi << 30 | f.person_lo >> 24,
        f.person_lo << 40 | f.minutes << 13 | f.site >> 34,
        f.site << 30 | f.device_hi << 4 | f.device_lo >> 38,
        f.device_lo << 26 | f.unit_hi >> 4,
        f.unit_hi << 60 | f.unit_lo,
    ];
    let mut bytes = [0; PACKED_LEN];
    let mut rest: &mut [u8] = &mut bytes;
    let mut at = 0;
    while at < words.len() {
        if let Some((head, tail)) = rest.split_first_chunk_mut() {
            *head = words[at].to_be_bytes();
            rest = tail;
        } else {
            break;
        }
        at += 1;
    }
    bytes
}

#[inline]
pub(crate) const fn unpack(bytes: &[u8; PACKED_LEN]) -> Fields {
    let mut words = [0; PACKED_LEN / 8];
    let mut rest: &[u8] = bytes;
    let mut at = 0;
    while let Some((head, tail)) = rest.split_first_chunk() {
        words[at] = u64::from_be_bytes(*head);
        rest = tail;
        at += 1;
    }
    let [a, b, c, d, e] = words;
    Fields {
        person_hi: a >> 30,
        person_lo: (a & mask(30)) << 24 | b >> 40,
        minutes: b >> 13 & mask(27),
        site: (b & mask(13)) << 34 | c >> 30,
        device_hi: c >> 4 & mask(26),
        device_lo: (c & mask(4)) << 38 | d >> 26,
        unit_hi: (d & mask(26)) << 4 | e >> 60,
        unit_lo: e & mask(60),
    }
}

/// Range-checks every field of untrusted bytes, in the order of the parts (`IDX-34`). The limit of the first
/// ten digits refuses every first byte of `96` and above (`IDX-33`).
pub(crate) const fn check(f: &Fields) -> Result<(), PackedError> {
    let out_of_range = PackedErrorKind::OutOfRange;
    if f.person_hi >= PERSON_HI_LIMIT || f.person_lo >= PERSON_LO_LIMIT {
        return Err(PackedError::new(Part::Person, out_of_range));
    }
    if f.person_hi == 0 && f.person_lo == 0 {
        return Err(PackedError::new(Part::Person, PackedErrorKind::AllZero));
    }
    if f.minutes >= MINUTES as u64 {
        return Err(PackedError::new(Part::ExamTime, out_of_range));
    }
    if f.site >= SITE_LIMIT {
        return Err(PackedError::new(Part::Site, out_of_range));
    }
    if f.device_hi >= DEVICE_HI_LIMIT || f.device_lo >= DEVICE_LO_LIMIT {
        return Err(PackedError::new(Part::Device, out_of_range));
    }
    if has_31(f.unit_hi, 6) || has_31(f.unit_lo, 12) {
        return Err(PackedError::new(Part::Unit, out_of_range));
    }
    if f.unit_hi == 0 && f.unit_lo == 0 {
        return Err(PackedError::new(Part::Unit, PackedErrorKind::AllZero));
    }
    Ok(())
}

/// Whether one of the five-bit places is 31, which is no character of the alphabet.
const fn has_31(value: u64, places: u32) -> bool {
    let ones = mask(5 * places) / 31;
    // A place is 31 exactly when all its five bits are set; fold them onto the lowest.
    value & value >> 1 & value >> 2 & value >> 3 & value >> 4 & ones != 0
}

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_31_is_found_in_every_place_and_nowhere_else() {
        for place in 0..12 {
            for value in 0..32_u64 {
                let others =
                    0b01111_11110_01111_11110_01111_11110_01111_11110_01111_11110_01111_11110;
                let cleared = others & !(31 << (5 * place));
                assert_eq!(has_31(cleared | value << (5 * place), 12), value == 31);
            }
        }
    }

    #[test]
    fn fields_at_their_widest_do_not_touch_each_other() {
        let ones = Fields {
            person_hi: mask(34),
            person_lo: mask(54),
            minutes: mask(27),
            site: mask(47),
            device_hi: mask(26),
            device_lo: mask(42),
            unit_hi: mask(30),
            unit_lo: mask(60),
        };
        let zero = unpack(&[0; PACKED_LEN]);
        let one_field = |set: &dyn Fn(&mut Fields)| {
            let mut fields = zero;
            set(&mut fields);
            assert!(unpack(&pack(&fields)) == fields);
            pack(&fields)
                .iter()
                .map(|byte| byte.count_ones())
                .sum::<u32>()
        };
        let widths = [
            one_field(&|f| f.person_hi = ones.person_hi),
            one_field(&|f| f.person_lo = ones.person_lo),
            one_field(&|f| f.minutes = ones.minutes),
            one_field(&|f| f.site = ones.site),
            one_field(&|f| f.device_hi = ones.device_hi),
            one_field(&|f| f.device_lo = ones.device_lo),
            one_field(&|f| f.unit_hi = ones.unit_hi),
            one_field(&|f| f.unit_lo = ones.unit_lo),
        ];
        assert_eq!(widths, [34, 54, 27, 47, 26, 42, 30, 60]);
        assert_eq!(pack(&ones), [0xff; PACKED_LEN]);
    }
}
