//! CRC-32C (Castagnoli): the check of frame headers, control bodies and journal records.

/// CRC-32C of `parts`, one after the other.
#[cfg(feature = "std")]
pub(crate) fn crc32c(parts: &[&[u8]]) -> u32 {
    parts
        .iter()
        .fold(0, |crc, part| crc32c::crc32c_append(crc, part))
}

/// CRC-32C of `parts`, one after the other, a bit at a time: control bytes are few.
#[cfg(not(feature = "std"))]
pub(crate) fn crc32c(parts: &[&[u8]]) -> u32 {
    !parts.iter().fold(!0, |crc, part| bitwise(crc, part))
}

#[cfg(any(test, not(feature = "std")))]
fn bitwise(state: u32, bytes: &[u8]) -> u32 {
    /// The reflected Castagnoli polynomial.
    const POLYNOMIAL: u32 = 0x82F6_3B78;
    bytes.iter().fold(state, |state, byte| {
        (0..8).fold(state ^ u32::from(*byte), |state, _| {
            (state >> 1) ^ (POLYNOMIAL & (state & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{bitwise, crc32c};

    #[test]
    fn ok_check_value_of_the_polynomial() {
        assert_eq!(crc32c(&[b"123456789"]), 0xE306_9283);
        assert_eq!(!bitwise(!0, b"123456789"), 0xE306_9283);
        assert_eq!(crc32c(&[b"1234", b"56789"]), 0xE306_9283);
    }
}
