//! Text on the stack: the printed, compact and part forms without an allocation.

use core::fmt;
use core::str;

use crate::alphabet::ALNUM_ALPHABET;

/// `N` ASCII characters on the stack.
///
/// What the forms of a code and of its parts are given in, so that nothing needs an allocator.
/// `Display` and [`as_str`](Self::as_str) give the text; `Debug` does not, because the text of a
/// code holds a person code.
///
/// ```
/// use mic_index::IndexCode;
///
/// let text = "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";
/// let compact = IndexCode::parse(text)?.compact();
/// assert_eq!(compact.as_str().len(), 78);
/// assert_eq!(format!("{compact:?}"), "Text<78>(..)");
/// # Ok::<(), mic_index::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize> {
    /// ASCII only: all writers of this crate emit characters of the alphabets and hyphens.
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new(bytes: [u8; N]) -> Self {
        Self { bytes }
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match str::from_utf8(&self.bytes) {
            Ok(text) => text,
            // Not reached, see the field; an empty text would show at once in every round trip.
            Err(_) => "",
        }
    }

    /// The bytes of the text.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.bytes
    }
}

impl<const N: usize> AsRef<str> for Text<N> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> AsRef<[u8]> for Text<N> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.bytes == other.as_bytes()
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self.bytes == other.as_bytes()
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text<{N}>(..)")
    }
}

/// `00` to `99`.
static DECIMAL_PAIRS: [[u8; 2]; 100] = pairs(b"0123456789");
/// `00` to `ZZ`.
static ALNUM_PAIRS: [[u8; 2]; 1296] = pairs(ALNUM_ALPHABET);

const fn pairs<const N: usize>(alphabet: &[u8]) -> [[u8; 2]; N] {
    let mut pairs = [[0; 2]; N];
    let mut at = 0;
    while at < N {
        pairs[at] = [alphabet[at / alphabet.len()], alphabet[at % alphabet.len()]];
        at += 1;
    }
    pairs
}

/// Writes a number below 10^8 as eight digits.
#[inline]
pub(crate) const fn write_8_digits<const N: usize>(out: &mut [u8; N], at: usize, n: u64) {
    let n = n as u32;
    let (high, low) = (n / 10_000, n % 10_000);
    write_pair(out, at, DECIMAL_PAIRS[(high / 100 % 100) as usize]);
    write_pair(out, at + 2, DECIMAL_PAIRS[(high % 100) as usize]);
    write_pair(out, at + 4, DECIMAL_PAIRS[(low / 100) as usize]);
    write_pair(out, at + 6, DECIMAL_PAIRS[(low % 100) as usize]);
}

/// Writes a number below 100 as two digits.
#[inline]
pub(crate) const fn write_2_digits<const N: usize>(out: &mut [u8; N], at: usize, n: u64) {
    write_pair(out, at, DECIMAL_PAIRS[(n % 100) as usize]);
}

/// Writes a number below 36^8 as eight characters.
#[inline]
pub(crate) const fn write_8_alnum<const N: usize>(out: &mut [u8; N], at: usize, n: u64) {
    const PAIR: u64 = 36 * 36;
    write_pair(
        out,
        at,
        ALNUM_PAIRS[(n / (PAIR * PAIR * PAIR) % PAIR) as usize],
    );
    write_pair(
        out,
        at + 2,
        ALNUM_PAIRS[(n / (PAIR * PAIR) % PAIR) as usize],
    );
    write_pair(out, at + 4, ALNUM_PAIRS[(n / PAIR % PAIR) as usize]);
    write_pair(out, at + 6, ALNUM_PAIRS[(n % PAIR) as usize]);
}

/// Writes a number below 36^5 as five characters.
#[inline]
pub(crate) const fn write_5_alnum<const N: usize>(out: &mut [u8; N], at: usize, n: u64) {
    const PAIR: u64 = 36 * 36;
    write_pair(out, at + 1, ALNUM_PAIRS[(n / PAIR % PAIR) as usize]);
    write_pair(out, at + 3, ALNUM_PAIRS[(n % PAIR) as usize]);
    out[at] = ALNUM_ALPHABET[(n / (PAIR * PAIR) % 36) as usize];
}

#[inline]
const fn write_pair<const N: usize>(out: &mut [u8; N], at: usize, pair: [u8; 2]) {
    out[at] = pair[0];
    out[at + 1] = pair[1];
}
