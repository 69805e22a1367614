//! Text on the stack: the printed, compact and part forms without an allocation.

use core::fmt;
use core::str;

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

/// Writes `value` into `out[start..start + places]` in the radix of the alphabet, zeros in front.
pub(crate) const fn write_radix(
    out: &mut [u8],
    start: usize,
    places: usize,
    mut value: u64,
    alphabet: &[u8],
) {
    let radix = alphabet.len() as u64;
    let mut at = places;
    while at > 0 {
        at -= 1;
        out[start + at] = alphabet[(value % radix) as usize];
        value /= radix;
    }
}
