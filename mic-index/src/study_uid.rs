//! The StudyInstanceUID that stands beside a code.

use core::fmt;
use core::str::{self, FromStr};

/// Characters of a UID at most (PS3.5, VR UI).
pub const STUDY_UID_LEN_MAX: usize = 64;

/// A StudyInstanceUID (0020,000D): the half of a record's key that the index code cannot hold.
///
/// Up to 64 digits and dots, no dot first, last or doubled. Components with leading zeros break
/// the standard but are met in archives and are kept as they are: the UID is a key, and a repaired
/// key finds nothing. Order is that of the text.
///
/// ```
/// use mic_index::{StudyInstanceUid, StudyUidError};
///
/// let uid: StudyInstanceUid = "1.2.840.113619.2.1.2411.1031152382.365".parse()?;
/// assert_eq!(uid.as_str().len(), 38);
/// assert_eq!("1..2".parse::<StudyInstanceUid>(), Err(StudyUidError::Dot { at: 2 }));
/// # Ok::<(), StudyUidError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StudyInstanceUid {
    /// Zeros after the text, so that the derived order is the order of the text.
    bytes: [u8; STUDY_UID_LEN_MAX],
    len: u8,
}

impl StudyInstanceUid {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits and dots only, see `from_str`.
        self.bytes
            .get(..usize::from(self.len))
            .and_then(|text| str::from_utf8(text).ok())
            .unwrap_or_default()
    }

    /// All digits and dots at the front of a text, eight at a time, and what follows them; `None` where
    /// they are no UID.
    #[inline]
    pub(crate) fn split_from(text: &[u8]) -> Option<(Self, &[u8])> {
        let mut bytes = [0; STUDY_UID_LEN_MAX];
        let mut len = 0;
        // The high bit of the lowest byte: a dot before the first character would not be legal either.
        let mut dot_before = 0x80;
        for place in bytes.chunks_exact_mut(8) {
            let (word, is_whole) = load(text, len);
            let (legal, dots) = classes(word);
            let run = (legal ^ HIGH).trailing_zeros() / 8;
            // Bytes behind the run are zeros, as behind the text.
            let kept = u64::MAX.checked_shr(64 - 8 * run).unwrap_or(0);
            if dots & (dots << 8 | dot_before) & kept != 0 {
                return None;
            }
            place.copy_from_slice(&(word & kept).to_le_bytes());
            len += run as usize;
            dot_before = dots >> 56;
            if run < 8 || !is_whole {
                break;
            }
        }
        let (uid, rest) = text.split_at_checked(len)?;
        // Nothing, or a dot at the end.
        if uid.last().is_none_or(|last| *last == b'.') {
            return None;
        }
        // More than there is room for.
        if matches!(rest.first(), Some(b'0'..=b'9' | b'.')) {
            return None;
        }
        let len = u8::try_from(len).ok()?;
        Some((Self { bytes, len }, rest))
    }
}

/// Eight bytes from `at`, the first lowest, zeros behind the end of the text, and whether it has them all.
#[inline]
fn load(text: &[u8], at: usize) -> (u64, bool) {
    let rest = text.get(at..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(word) => (u64::from_le_bytes(*word), true),
        None => {
            let pad = |word, byte: &u8| word << 8 | u64::from(*byte);
            (rest.iter().rev().fold(0, pad), false)
        }
    }
}

const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte that is a digit or dot, and of each that is a dot.
#[inline]
const fn classes(word: u64) -> (u64, u64) {
    /// `byte` in all eight places.
    const fn each(byte: u8) -> u64 {
        byte as u64 * 0x0101_0101_0101_0101
    }
    let ascii = !word & HIGH;
    let low = word & !HIGH;
    let digits = (low + each(0x80 - b'0')) & !(low + each(0x80 - b'9' - 1));
    let dots = !((low ^ each(b'.')) + each(0x7f)) & ascii;
    (digits & ascii | dots, dots)
}

impl FromStr for StudyInstanceUid {
    type Err = StudyUidError;

    fn from_str(text: &str) -> Result<Self, StudyUidError> {
        match Self::split_from(text.as_bytes()) {
            Some((uid, [])) => Ok(uid),
            _ => Err(fault(text)),
        }
    }
}

/// Why a text is no UID: the first fault.
#[cold]
fn fault(text: &str) -> StudyUidError {
    if text.is_empty() {
        return StudyUidError::Empty;
    }
    let mut before = b'.';
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => {}
            b'.' if before != b'.' => {}
            b'.' => return StudyUidError::Dot { at },
            _ => return StudyUidError::Character { at },
        }
        if at >= STUDY_UID_LEN_MAX {
            return StudyUidError::Length { found: text.len() };
        }
        before = byte;
    }
    // Nothing else is left.
    StudyUidError::Dot { at: text.len() - 1 }
}

impl fmt::Display for StudyInstanceUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for StudyInstanceUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StudyInstanceUid({})", self.as_str())
    }
}

impl AsRef<str> for StudyInstanceUid {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// A text that is no UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum StudyUidError {
    /// Nothing there.
    #[error("study uid: expected digits and dots, found nothing")]
    Empty,
    /// More than 64 characters.
    #[error("study uid: expected at most {STUDY_UID_LEN_MAX} characters, found {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// A character that is neither digit nor dot.
    #[error("study uid: expected a digit or dot at byte {at}")]
    Character {
        /// Byte offset.
        at: usize,
    },
    /// A dot at the beginning or end, or after another one.
    #[error("study uid: expected a digit, found a dot at byte {at}")]
    Dot {
        /// Byte offset.
        at: usize,
    },
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// One byte after the other, as the documentation says it.
    fn plain(text: &[u8]) -> Option<(&[u8], &[u8])> {
        let is = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
        let (uid, rest) = text.split_at(text.iter().take_while(is).count());
        let dots = uid.starts_with(b".")
            || uid.ends_with(b".")
            || uid.windows(2).any(|pair| pair == b"..");
        (!uid.is_empty() && uid.len() <= STUDY_UID_LEN_MAX && !dots).then_some((uid, rest))
    }

    fn assert_alike(text: &[u8]) {
        let split = StudyInstanceUid::split_from(text);
        let found = split
            .as_ref()
            .map(|(uid, rest)| (uid.as_str().as_bytes(), *rest));
        assert_eq!(found, plain(text), "{text:?}");
        if let Ok(text) = str::from_utf8(text) {
            let whole = plain(text.as_bytes()).is_some_and(|(_, rest)| rest.is_empty());
            assert_eq!(text.parse::<StudyInstanceUid>().is_ok(), whole, "{text:?}");
        }
    }

    #[test]
    fn ok_eight_at_a_time_reads_what_one_at_a_time_reads() {
        let uid = "1.2.840.113619.2.1.2411.1031152382.365.1.736169244.12345678.12345";
        for len in 0..=uid.len() {
            for at in 0..=len {
                for byte in 0..=u8::MAX {
                    let mut text = uid.as_bytes()[..len].to_vec();
                    text.insert(at, byte);
                    assert_alike(&text);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn ok_any_text_is_read_alike(text in "[0-9.,/:\\n]{0,70}", bytes: Vec<u8>) {
            assert_alike(text.as_bytes());
            assert_alike(&bytes);
        }
    }
}
