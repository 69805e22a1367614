//! The examining institution, which the index code does not name.

use core::fmt;
use core::str::{self, FromStr};

use crate::division::Division;

/// Length in characters of the message header's institution field at most.
pub const INSTITUTION_FIELD_LEN: usize = 14;

/// Length in characters of an institution code.
pub const INSTITUTION_LEN: usize = 12;

/// Code of a designated medical institution (定点医药机构编码): a capital letter and eleven digits.
///
/// `H` stands for hospitals, `P` for pharmacies; six digits of region (GB/T 2260) and a serial
/// follow. Message headers of the insurance platform declare the same field with 14 characters; a
/// value that long is told apart by its own error, and [`InstitutionField`] reads it (`IDX-47`).
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

    /// The region as a division.
    #[must_use]
    pub const fn division(&self) -> Division {
        Division::from_digits(self.number(1, 7))
    }

    /// The serial within the region, five digits.
    #[must_use]
    pub const fn serial(&self) -> u32 {
        self.number(7, INSTITUTION_LEN)
    }

    /// The number in the places from `start` to before `end`, which hold digits.
    const fn number(&self, start: usize, end: usize) -> u32 {
        let (mut at, mut number) = (start, 0);
        while at < end {
            number = number * 10 + (self.bytes[at] & 0x0f) as u32;
            at += 1;
        }
        number
    }

    /// A code at the front of a text, and what follows it.
    #[cfg(feature = "bulk")]
    #[inline]
    pub(crate) fn split_from(text: &[u8]) -> Option<(Self, &[u8])> {
        let (bytes, rest) = text.split_first_chunk::<INSTITUTION_LEN>()?;
        let (letter, digits) = bytes.split_first()?;
        let legal = letter.is_ascii_uppercase() && digits.iter().all(u8::is_ascii_digit);
        legal.then_some((Self { bytes: *bytes }, rest))
    }

    /// What the letter stands for.
    #[must_use]
    pub const fn kind(&self) -> InstitutionKind {
        match self.bytes[0] {
            b'H' => InstitutionKind::Hospital,
            b'P' => InstitutionKind::Pharmacy,
            _ => InstitutionKind::Other,
        }
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
            Err(_) if text.len() == INSTITUTION_FIELD_LEN && text.is_ascii() => {
                Err(InstitutionCodeError::HeaderField)
            }
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

/// What the letter of an institution code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum InstitutionKind {
    /// `H`: a designated hospital (定点医院).
    Hospital,
    /// `P`: a designated pharmacy (定点药店).
    Pharmacy,
    /// A letter nothing is published about.
    Other,
}

/// The institution field of a message header (`fixmedins_code`), declared with fourteen characters.
///
/// Twelve are an institution code. Fourteen are accepted as they are, capital letters and digits; no
/// code is cut out of them, because nothing says which twelve it would be (`IDX-48`).
///
/// ```
/// use mic_index::InstitutionField;
///
/// let field: InstitutionField = "H35020300001".parse()?;
/// assert_eq!(field.code(), Some("H35020300001".parse()?));
/// let long: InstitutionField = "H3502030000199".parse()?;
/// assert_eq!(long.code(), None);
/// assert_eq!(long.as_str(), "H3502030000199");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstitutionField {
    form: FieldForm,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum FieldForm {
    Code(InstitutionCode),
    /// Capital letters and digits.
    Long([u8; INSTITUTION_FIELD_LEN]),
}

impl InstitutionField {
    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.form {
            FieldForm::Code(code) => code.as_str(),
            FieldForm::Long(bytes) => str::from_utf8(bytes).unwrap_or_default(),
        }
    }

    /// The institution code, where the field holds one and nothing else.
    #[must_use]
    pub const fn code(&self) -> Option<InstitutionCode> {
        match self.form {
            FieldForm::Code(code) => Some(code),
            FieldForm::Long(_) => None,
        }
    }
}

impl From<InstitutionCode> for InstitutionField {
    fn from(code: InstitutionCode) -> Self {
        Self {
            form: FieldForm::Code(code),
        }
    }
}

impl FromStr for InstitutionField {
    type Err = InstitutionFieldError;

    fn from_str(text: &str) -> Result<Self, InstitutionFieldError> {
        let Ok(bytes) = <[u8; INSTITUTION_FIELD_LEN]>::try_from(text.as_bytes()) else {
            return Ok(text.parse::<InstitutionCode>()?.into());
        };
        let legal = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        match bytes.iter().position(|byte| !legal(byte)) {
            Some(at) => Err(InstitutionFieldError::Character { at }),
            None => Ok(Self {
                form: FieldForm::Long(bytes),
            }),
        }
    }
}

impl fmt::Display for InstitutionField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for InstitutionField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstitutionField({})", self.as_str())
    }
}

/// A text that is no institution field of a message header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InstitutionFieldError {
    /// Not fourteen characters, and no institution code either.
    #[error(transparent)]
    Code(#[from] InstitutionCodeError),
    /// Fourteen characters, one of them neither a capital letter nor a digit.
    #[error("institution field: expected a digit or capital letter at byte {at}")]
    Character {
        /// Byte offset.
        at: usize,
    },
}
