//! The examining institution, which the index code does not name.

use core::fmt;
use core::str::{self, FromStr};

/// Length in characters of an institution code.
pub const INSTITUTION_LEN: usize = 12;

/// Code of a designated medical institution (定点医药机构编码): a capital letter and eleven digits.
///
/// `H` stands for hospitals, `P` for pharmacies; six digits of region (GB/T 2260) and a serial
/// follow. Message headers of the insurance platform declare the same field with 14 characters; a
/// value that long is told apart by its own error.
///
/// ```
/// use mic_index::{InstitutionCode, InstitutionCodeError};
///
/// let hospital: InstitutionCode = "H35020300001".parse()?;
/// assert_eq!(hospital.region(), "350203");
/// assert_eq!(
///     "H3502030000100".parse::<InstitutionCode>(),
///     Err(InstitutionCodeError::HeaderField)
/// );
/// # Ok::<(), InstitutionCodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstitutionCode {
    /// A capital letter, then digits.
    bytes: [u8; INSTITUTION_LEN],
}

impl InstitutionCode {
    /// The twelve characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes).unwrap_or_default()
    }

    /// The region, six digits of GB/T 2260.
    #[must_use]
    pub fn region(&self) -> &str {
        self.as_str().get(1..7).unwrap_or_default()
    }

    /// Whether the letter is that of hospitals.
    #[must_use]
    pub const fn is_hospital(&self) -> bool {
        self.bytes[0] == b'H'
    }
}

impl FromStr for InstitutionCode {
    type Err = InstitutionCodeError;

    fn from_str(text: &str) -> Result<Self, InstitutionCodeError> {
        for (at, byte) in text.bytes().take(INSTITUTION_LEN).enumerate() {
            let legal = if at == 0 {
                byte.is_ascii_uppercase()
            } else {
                byte.is_ascii_digit()
            };
            if !legal {
                return Err(InstitutionCodeError::Character { at });
            }
        }
        match <[u8; INSTITUTION_LEN]>::try_from(text.as_bytes()) {
            Ok(bytes) => Ok(Self { bytes }),
            Err(_) if text.len() == 14 => Err(InstitutionCodeError::HeaderField),
            Err(_) => Err(InstitutionCodeError::Length {
                found: text.chars().count(),
            }),
        }
    }
}

impl fmt::Display for InstitutionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for InstitutionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstitutionCode({})", self.as_str())
    }
}

/// A text that is no institution code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InstitutionCodeError {
    /// Not twelve characters.
    #[error("institution code: expected {INSTITUTION_LEN} characters, found {found}")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// Fourteen characters: the message header's field, of which the code is twelve.
    #[error(
        "institution code: expected {INSTITUTION_LEN} characters, found the 14 of the header field"
    )]
    HeaderField,
    /// Not a capital letter in front and digits after it.
    #[error(
        "institution code: expected a capital letter and eleven digits, found another at byte {at}"
    )]
    Character {
        /// Byte offset.
        at: usize,
    },
}
