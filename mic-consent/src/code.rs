//! The short codes a token may carry: organisations, departments, realms, modalities. All are ASCII, of
//! bounded length and kept inline. None can hold a name or an 18-digit certificate number (CST-33).

use core::{fmt, str::FromStr};

/// Why a text is no such code.
///
/// ```
/// use mic_consent::InstitutionCode;
/// let error = InstitutionCode::new("H6101").unwrap_err();
/// assert_eq!(error.to_string(), "expected an institution code of 12 characters 0-9 A-Z, found 5 characters");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// The length is wrong.
    #[error("expected {expected}, found {found} characters")]
    Length {
        /// What was expected.
        expected: &'static str,
        /// How many characters were found.
        found: usize,
    },
    /// A character is outside the alphabet.
    #[error("expected {expected}, found another character at {at}")]
    Character {
        /// What was expected.
        expected: &'static str,
        /// Offset of the character.
        at: usize,
    },
}

/// Stands behind a code that does not fill its room. Every alphabet has it, so that all places pass one test; the
/// length tells it from a character.
const FILLER: u8 = b'0';

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $least:literal, $most:literal, $alphabet:expr, $expected:literal, $shown:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            // The length comes first, so that the derived order is that of the encoded texts.
            length: u8,
            bytes: [u8; $most],
        }

        impl $name {
            /// Most characters it can have.
            pub const CHARS_MAX: usize = $most;

            /// Checks `text`.
            ///
            /// # Errors
            /// Wrong length, or a character outside the alphabet.
            pub fn new(text: &str) -> Result<Self, CodeError> {
                Self::from_ascii(text.as_bytes())
            }

            /// The alphabets are of ASCII, so what passes is text.
            pub(crate) fn from_ascii(text: &[u8]) -> Result<Self, CodeError> {
                let mut bytes = [FILLER; $most];
                let room = bytes.get_mut(..text.len()).filter(|room| room.len() >= $least);
                let (Some(room), Ok(length)) = (room, u8::try_from(text.len())) else {
                    return Err(Self::fault(text));
                };
                room.copy_from_slice(text);
                // All places at once, which is faster than those that are taken one by one.
                if bytes.iter().fold(true, |all, byte| all & ($alphabet)(*byte)) {
                    Ok(Self { length, bytes })
                } else {
                    Err(Self::fault(text))
                }
            }

            /// A character that is not of the alphabet, before the length.
            #[cold]
            fn fault(text: &[u8]) -> CodeError {
                match text.iter().position(|byte| !($alphabet)(*byte)) {
                    Some(at) => CodeError::Character { expected: $expected, at },
                    None => CodeError::Length { expected: $expected, found: text.len() },
                }
            }

            /// The code as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
                core::str::from_utf8(bytes).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let shown: fn(&Self) -> &str = $shown;
                write!(f, concat!(stringify!($name), "({})"), shown(self))
            }
        }

        impl FromStr for $name {
            type Err = CodeError;

            fn from_str(text: &str) -> Result<Self, CodeError> {
                Self::new(text)
            }
        }
    };
}

const fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() | byte.is_ascii_digit()
}

code! {
    /// The code of a designated medical institution (定点医药机构编码): 12 characters 0-9 A-Z, by rule `H`,
    /// the six digits of its district and five of a serial number.
    ///
    /// ```
    /// use mic_consent::{InstitutionCode, Province};
    /// let hospital = InstitutionCode::new("H11010500001")?; // made up
    /// assert_eq!(hospital.province(), Some(Province::new(11)?));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    InstitutionCode, 12, 12, upper, "an institution code of 12 characters 0-9 A-Z", Self::as_str
}

code! {
    /// The code of whoever owns a key: a hospital's institution code, or that of an authority, an archive
    /// or the national index; 1 to 16 characters 0-9 A-Z.
    ///
    /// ```
    /// use mic_consent::{InstitutionCode, IssuerCode};
    /// let hospital = InstitutionCode::new("H11010500001")?; // made up
    /// assert_eq!(IssuerCode::from(hospital), IssuerCode::new("H11010500001")?);
    /// # Ok::<(), mic_consent::CodeError>(())
    /// ```
    IssuerCode, 1, 16, upper, "an owner code of 1 to 16 characters 0-9 A-Z", Self::as_str
}

code! {
    /// A department code (科室代码): 1 to 8 characters 0-9 A-Z and full stop.
    ///
    /// ```
    /// assert_eq!(mic_consent::DepartmentCode::new("A03.05")?.as_str(), "A03.05");
    /// # Ok::<(), mic_consent::CodeError>(())
    /// ```
    DepartmentCode, 1, 8, |byte: u8| upper(byte) | (byte == b'.'), "a department code of 1 to 8 characters 0-9 A-Z .", Self::as_str
}

code! {
    /// The insurer's code of a doctor (医保医师代码): 1 to 16 characters 0-9 A-Z. `Debug` does not show it.
    ///
    /// ```
    /// let doctor = mic_consent::DoctorCode::new("D110105000001")?; // made up
    /// assert_eq!(format!("{doctor:?}"), "DoctorCode(..)");
    /// # Ok::<(), mic_consent::CodeError>(())
    /// ```
    DoctorCode, 1, 16, upper, "a doctor code of 1 to 16 characters 0-9 A-Z", |_| ".."
}

code! {
    /// The realm a token is for, such as `mic.cn`: 1 to 16 characters a-z 0-9, hyphen, full stop. Test and
    /// production platforms have different realms, so a token of the one is refused in the other.
    ///
    /// ```
    /// assert!(mic_consent::Realm::new("MIC.CN").is_err());
    /// ```
    Realm, 1, 16, |byte: u8| byte.is_ascii_lowercase() | byte.is_ascii_digit() | matches!(byte, b'-' | b'.'), "a realm of 1 to 16 characters a-z 0-9 - .", Self::as_str
}

code! {
    /// An article of law as an ordering body writes it, such as `PIPL.13.3`: 1 to 16 characters 0-9 A-Z and full
    /// stop.
    ///
    /// ```
    /// assert_eq!(mic_consent::ArticleCode::new("PIPL.13.3")?.as_str(), "PIPL.13.3");
    /// # Ok::<(), mic_consent::CodeError>(())
    /// ```
    ArticleCode, 1, 16, |byte: u8| upper(byte) | (byte == b'.'), "an article of 1 to 16 characters 0-9 A-Z .", Self::as_str
}

code! {
    /// A modality as DICOM names it (PS3.3 C.7.3.1.1.1): `CT`, `MR`, ...; 2 to 16 characters 0-9 A-Z.
    ///
    /// ```
    /// assert!(mic_consent::Modality::new("CT")? < mic_consent::Modality::new("MR")?);
    /// # Ok::<(), mic_consent::CodeError>(())
    /// ```
    Modality, 2, 16, upper, "a modality of 2 to 16 characters 0-9 A-Z", Self::as_str
}

code! {
    /// The nine characters of a body part in an index code (检查部位代码).
    ///
    /// ```
    /// assert!(mic_consent::BodyPart::new("000000000").is_ok());
    /// ```
    BodyPart, 9, 9, upper, "a body part code of 9 characters 0-9 A-Z", Self::as_str
}

impl InstitutionCode {
    /// The province of its district digits, when it is built by the rule.
    #[must_use]
    pub fn province(&self) -> Option<Province> {
        district_province(self.as_str())
    }
}

impl IssuerCode {
    /// The province of its district digits, when it is an institution code built by the rule.
    #[must_use]
    pub fn province(&self) -> Option<Province> {
        InstitutionCode::new(self.as_str())
            .ok()
            .and_then(|code| code.province())
    }
}

fn district_province(code: &str) -> Option<Province> {
    let digits = code.get(1..7)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits
        .get(..2)?
        .parse()
        .ok()
        .and_then(|number| Province::new(number).ok())
}

impl From<InstitutionCode> for IssuerCode {
    fn from(code: InstitutionCode) -> Self {
        let mut bytes = [FILLER; 16];
        for (to, from) in bytes.iter_mut().zip(code.bytes) {
            *to = from;
        }
        Self {
            length: code.length,
            bytes,
        }
    }
}

/// A province by the first two digits of its division code (GB/T 2260), or 66 for the insurance pool of the
/// Xinjiang Production and Construction Corps (新疆生产建设兵团).
///
/// ```
/// use mic_consent::Province;
/// assert_eq!(Province::new(61)?.get(), 61); // 陕西
/// assert!(Province::new(99).is_err());
/// # Ok::<(), mic_consent::ProvinceError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Province(u8);

/// The number is no province.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the two digits of a province (GB/T 2260) or 66, found {found}")]
pub struct ProvinceError {
    found: u8,
}

impl Province {
    /// Checks the number.
    ///
    /// # Errors
    /// No province has it.
    pub const fn new(number: u8) -> Result<Self, ProvinceError> {
        match number {
            11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=66 | 71 | 81 | 82 => {
                Ok(Self(number))
            }
            _ => Err(ProvinceError { found: number }),
        }
    }

    /// The two digits as a number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Province {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_a_code_is_not_the_longer_one_that_ends_like_its_filling() {
        let code = |text: &str| IssuerCode::new(text).unwrap();
        assert_ne!(code("CT"), code("CT0"));
        assert!(code("CT") < code("CT0") && code("Z") < code("AA"));
        assert_eq!(code("CT").as_str(), "CT");
        let hospital = InstitutionCode::new("H11010500001").unwrap();
        assert_eq!(IssuerCode::from(hospital), code("H11010500001"));
        assert!(IssuerCode::new("CT\0").is_err() && IssuerCode::new("").is_err());
        assert!(Realm::new("a0").unwrap() != Realm::new("a").unwrap());
        assert!(DepartmentCode::new("\0").is_err());
    }
}
