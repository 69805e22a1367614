//! The identifiers of the national interface: who, where, which attendance, which exam.
//!
//! All are kept inline, compared as text and checked once; none appears in an error or, where it
//! tells of a person, in `Debug`.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::TextError;

/// Characters of an institution code (定点医药机构编码).
pub const INSTITUTION_CHARS: usize = 12;
/// Most characters of an encounter id (就诊ID, `mdtrt_id`) and of an exam line (`feedetl_sn`).
pub const SERIAL_CHARS_MAX: usize = 30;
/// Most characters of a StudyInstanceUID, by DICOM.
pub const STUDY_UID_CHARS_MAX: usize = 64;
/// Most characters of a receipt or of a hold's number: nothing is published, so a DICOM UID fits.
pub const RECEIPT_CHARS_MAX: usize = 64;

/// Defines a short inline text: its length range, its alphabet, its conversions.
macro_rules! inline_text {
    ($(#[$doc:meta])* $name:ident, $field:literal, $range:expr, $max:expr, $allowed:expr, $form:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            // Filled with zeros, which are below every allowed character: array order is text order.
            bytes: [u8; $max],
            len: u8,
        }

        impl $name {
            /// Checks a text.
            ///
            /// # Errors
            /// Tells the byte that is not allowed, or the end of a text of the wrong length.
            pub fn new(text: &str) -> Result<Self, TextError> {
                let allowed: fn(u8) -> bool = $allowed;
                if let Some(at) = text.bytes().position(|byte| !allowed(byte)) {
                    return Err(TextError::new($field, at, $form));
                }
                let mut bytes = [0; $max];
                match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
                    (Some(slot), Ok(len)) if $range.contains(&text.len()) => {
                        slot.copy_from_slice(text.as_bytes());
                        Ok(Self { bytes, len })
                    }
                    _ => Err(TextError::new($field, text.len().min($max), $form)),
                }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                let text = self.bytes.get(..usize::from(self.len)).unwrap_or(&[]);
                // Only ASCII gets in.
                core::str::from_utf8(text).unwrap_or("")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::serial::from_text(deserializer)
            }
        }
    };
}

/// `Debug` that shows the text: the identifier tells of no person.
macro_rules! plain_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }
    )*};
}

const fn code_char(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_uppercase()
}

const fn printing(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

const fn uid_char(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'.'
}

inline_text!(
    /// An institution code (定点医药机构编码): 12 digits or capital letters.
    ///
    /// ```
    /// use mic_billing::InstitutionCode;
    ///
    /// assert!(InstitutionCode::new("H44030500001").is_ok());
    /// assert!(InstitutionCode::new("H4403050000").is_err());
    /// ```
    InstitutionCode, "institution code", (INSTITUTION_CHARS..=INSTITUTION_CHARS), INSTITUTION_CHARS,
    code_char, "12 digits or capital letters"
);

inline_text!(
    /// An encounter id (就诊ID): one attendance or one stay, up to 30 printing characters.
    ///
    /// ```
    /// use mic_billing::EncounterId;
    ///
    /// assert_eq!(EncounterId::new("2025120100042")?.to_string(), "2025120100042");
    /// # Ok::<(), mic_billing::TextError>(())
    /// ```
    EncounterId, "encounter id", (1..=SERIAL_CHARS_MAX), SERIAL_CHARS_MAX,
    printing, "1 to 30 printing ASCII characters"
);

inline_text!(
    /// The line of one exam in the fee list (`feedetl_sn`), unique inside its encounter.
    ///
    /// ```
    /// use mic_billing::ExamLineId;
    ///
    /// assert!(ExamLineId::new("F 1").is_err());
    /// ```
    ExamLineId, "exam line id", (1..=SERIAL_CHARS_MAX), SERIAL_CHARS_MAX,
    printing, "1 to 30 printing ASCII characters"
);

inline_text!(
    /// A StudyInstanceUID.
    ///
    /// ```
    /// use mic_billing::StudyUid;
    ///
    /// assert!(StudyUid::new("1.2.840.113619.2.1").is_ok());
    /// ```
    StudyUid, "study uid", (1..=STUDY_UID_CHARS_MAX), STUDY_UID_CHARS_MAX,
    uid_char, "1 to 64 digits and dots"
);

inline_text!(
    /// The receipt a platform gives for an accepted index (C-01).
    ///
    /// ```
    /// use mic_billing::ReceiptId;
    ///
    /// assert!(ReceiptId::new("").is_err());
    /// ```
    ReceiptId, "receipt", (1..=RECEIPT_CHARS_MAX), RECEIPT_CHARS_MAX,
    printing, "1 to 64 printing ASCII characters"
);

inline_text!(
    /// The number of a legal hold (K-07).
    ///
    /// ```
    /// use mic_billing::HoldId;
    ///
    /// assert!(HoldId::new("court-2031-7").is_ok());
    /// ```
    HoldId, "hold", (1..=RECEIPT_CHARS_MAX), RECEIPT_CHARS_MAX,
    printing, "1 to 64 printing ASCII characters"
);

plain_debug!(
    InstitutionCode,
    EncounterId,
    ExamLineId,
    StudyUid,
    ReceiptId,
    HoldId
);

/// A pseudonym of the patient: 16 bytes the caller derives with a key of its own, 32 lower-case
/// hexadecimal digits as text. Names and numbers of people never enter this crate; `Debug` shows
/// nothing.
///
/// ```
/// use mic_billing::PersonRef;
///
/// let person: PersonRef = "000102030405060708090a0b0c0d0e0f".parse()?;
/// assert_eq!(format!("{person:?}"), "PersonRef(..)");
/// # Ok::<(), mic_billing::TextError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonRef([u8; 16]);

impl PersonRef {
    /// A pseudonym of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Debug for PersonRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonRef(..)")
    }
}

impl fmt::Display for PersonRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for PersonRef {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        const FORM: &str = "32 lower-case hexadecimal digits";
        crate::grammar::hex(text, "person", FORM).map(Self)
    }
}

impl Serialize for PersonRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PersonRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::serial::from_text(deserializer)
    }
}

/// An identifier inside a longer text of parts with `/` between them: its own `/` is `%2F` and its
/// `%` is `%25`, so that two different identifiers never make one text (BIL-21).
pub(crate) struct Part<'a>(pub(crate) &'a str);

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, escaped)) = rest.char_indices().find_map(|(at, mark)| match mark {
            '/' => Some((at, "%2F")),
            '%' => Some((at, "%25")),
            _ => None,
        }) {
            let (before, after) = rest.split_at(at);
            f.write_str(before)?;
            f.write_str(escaped)?;
            rest = after.get(1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

/// One attendance or stay: an encounter of an institution (V-01).
///
/// ```
/// use mic_billing::{EncounterId, InstitutionCode, VisitKey};
///
/// let key = VisitKey::new(InstitutionCode::new("H44030500001")?, EncounterId::new("E1")?);
/// assert_eq!(key.to_string(), "H44030500001/E1");
/// # Ok::<(), mic_billing::TextError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VisitKey {
    /// Where.
    pub institution: InstitutionCode,
    /// Which attendance there.
    pub encounter: EncounterId,
}

impl VisitKey {
    /// Puts the two together.
    #[must_use]
    pub const fn new(institution: InstitutionCode, encounter: EncounterId) -> Self {
        Self {
            institution,
            encounter,
        }
    }
}

impl fmt::Display for VisitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.institution, Part(self.encounter.as_str()))
    }
}

/// One exam: a fee line inside one encounter. Lines of two linked encounters stay apart.
///
/// ```
/// use mic_billing::{EncounterId, ExamKey, ExamLineId};
///
/// let key = ExamKey::new(EncounterId::new("E1")?, ExamLineId::new("F1")?);
/// assert_eq!(key.to_string(), "E1/F1");
/// // A slash inside an identifier is written `%2F`, a percent sign `%25`.
/// let key = ExamKey::new(EncounterId::new("E1/A")?, ExamLineId::new("7%")?);
/// assert_eq!(key.to_string(), "E1%2FA/7%25");
/// # Ok::<(), mic_billing::TextError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExamKey {
    /// The attendance it belongs to.
    pub encounter: EncounterId,
    /// Its line there.
    pub line: ExamLineId,
}

impl ExamKey {
    /// Puts the two together.
    #[must_use]
    pub const fn new(encounter: EncounterId, line: ExamLineId) -> Self {
        Self { encounter, line }
    }
}

impl fmt::Display for ExamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}",
            Part(self.encounter.as_str()),
            Part(self.line.as_str())
        )
    }
}
