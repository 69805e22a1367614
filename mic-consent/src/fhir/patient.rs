//! How a patient is named in an export.

use alloc::{borrow::ToOwned as _, string::String};
use core::fmt;

/// Digits in a row that no pseudonym has: a certificate number has 15 to 18, a person code 26.
const DIGITS_MAX: usize = 14;
/// Characters of a FHIR id at most.
const ID_CHARS_MAX: usize = 64;

/// A reference to the patient that tells nobody who it is: `Patient/` and an id that the caller's server gave.
///
/// A token holds a salted commitment, which differs in each grant; so the caller says whose it is.
///
/// ```
/// use mic_consent::fhir::{PatientReference, PatientReferenceError};
/// assert!(PatientReference::new("Patient/visit-2026-11-18-0007").is_ok());
/// // A person code (made up) is none.
/// let wrong = PatientReference::new("Patient/10000000000000000708463177");
/// assert_eq!(wrong, Err(PatientReferenceError::LooksLikeAPerson));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PatientReference(String);

/// Why a text is no reference to a patient. It does not repeat the text.
///
/// ```
/// let error = mic_consent::fhir::PatientReferenceError::LooksLikeAPerson;
/// assert!(error.to_string().contains("pseudonym"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatientReferenceError {
    /// Another form.
    #[error("expected `Patient/` and an id of 1 to 64 characters A-Z a-z 0-9 - .")]
    Form,
    /// So many digits in a row are a certificate number or a person code.
    #[error("expected a pseudonym, found {} digits in a row or more", DIGITS_MAX + 1)]
    LooksLikeAPerson,
}

impl PatientReference {
    /// Checks a relative reference.
    ///
    /// # Errors
    /// Another form; a certificate number or a person code as the id (CST-163).
    pub fn new(text: &str) -> Result<Self, PatientReferenceError> {
        let id = text
            .strip_prefix("Patient/")
            .filter(|id| (1..=ID_CHARS_MAX).contains(&id.len()))
            .ok_or(PatientReferenceError::Form)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if !id.bytes().all(allowed) {
            return Err(PatientReferenceError::Form);
        }
        let runs = id.split(|c: char| !c.is_ascii_digit());
        if runs.map(str::len).max().unwrap_or(0) > DIGITS_MAX {
            return Err(PatientReferenceError::LooksLikeAPerson);
        }
        Ok(Self(text.to_owned()))
    }

    /// The reference.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PatientReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientReference(..)")
    }
}
