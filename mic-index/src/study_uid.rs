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
}

impl FromStr for StudyInstanceUid {
    type Err = StudyUidError;

    fn from_str(text: &str) -> Result<Self, StudyUidError> {
        if text.is_empty() {
            return Err(StudyUidError::Empty);
        }
        let mut bytes = [0; STUDY_UID_LEN_MAX];
        let mut before = b'.';
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'0'..=b'9' => {}
                b'.' if before != b'.' => {}
                b'.' => return Err(StudyUidError::Dot { at }),
                _ => return Err(StudyUidError::Character { at }),
            }
            let Some(place) = bytes.get_mut(at) else {
                return Err(StudyUidError::Length { found: text.len() });
            };
            *place = byte;
            before = byte;
        }
        if before == b'.' {
            return Err(StudyUidError::Dot { at: text.len() - 1 });
        }
        let len = u8::try_from(text.len()).unwrap_or(u8::MAX);
        Ok(Self { bytes, len })
    }
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
