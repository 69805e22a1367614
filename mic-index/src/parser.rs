//! The one door for text, with its one option.

use crate::code::IndexCode;
use crate::error::{ParseError, ParseErrorKind};
use crate::part::Part;
use crate::unit::{CheckPolicy, UnitCheck};

/// Reads index codes under a chosen [`CheckPolicy`].
///
/// ```
/// use mic_index::{CheckPolicy, ParseErrorKind, Parser};
///
/// let text = "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007917";
/// assert!(Parser::new().parse(text).is_ok());
///
/// let strict = Parser::new().check(CheckPolicy::Require);
/// let error = strict.parse(text).unwrap_err();
/// assert_eq!(error.kind(), ParseErrorKind::CheckCharacter { expected: '6' });
/// assert_eq!(error.span(), 81..82);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Parser {
    check: CheckPolicy,
}

impl Parser {
    /// A parser that reports check characters instead of requiring them.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            check: CheckPolicy::Report,
        }
    }

    /// Sets what a wrong check character means.
    #[must_use]
    pub const fn check(mut self, policy: CheckPolicy) -> Self {
        self.check = policy;
        self
    }

    pub(crate) const fn policy(self) -> CheckPolicy {
        self.check
    }

    /// Reads the printed (82) or compact (78) form.
    ///
    /// # Errors
    ///
    /// The first fault of the text.
    #[inline]
    pub fn parse(self, text: &str) -> Result<IndexCode, ParseError> {
        self.parse_bytes(text.as_bytes())
    }

    /// Reads the printed (82) or compact (78) form from bytes.
    ///
    /// # Errors
    ///
    /// The first fault of the text.
    #[inline]
    pub fn parse_bytes(self, text: &[u8]) -> Result<IndexCode, ParseError> {
        match IndexCode::try_parse(text) {
            Some(code) if self.check == CheckPolicy::Report => Ok(code),
            Some(code) => checked(code, text),
            None => self.explained(text),
        }
    }

    /// Cold: the grammar finds the place.
    #[cold]
    #[inline(never)]
    fn explained(self, text: &[u8]) -> Result<IndexCode, ParseError> {
        let code = crate::grammar::parse(text)?;
        match self.check {
            CheckPolicy::Report => Ok(code),
            CheckPolicy::Require => checked(code, text),
        }
    }
}

fn checked(code: IndexCode, text: &[u8]) -> Result<IndexCode, ParseError> {
    match code.unit().check() {
        UnitCheck::Match => Ok(code),
        UnitCheck::Mismatch { expected, .. } => Err(ParseError::new(
            Part::Unit,
            ParseErrorKind::CheckCharacter { expected },
            text.len() - 1..text.len(),
        )),
    }
}
