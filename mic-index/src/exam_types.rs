//! Several exam types at once, as transaction 4804 asks for them.

use core::fmt;
use core::str::FromStr;

use nom::Parser;
use nom::bytes::complete::tag;
use nom::character::complete::one_of;
use nom::combinator::map_opt;
use nom::error::Error;
use nom::multi::separated_list1;

use crate::exam_type::ExamType;

/// A set of exam types; its text is the numbers in ascending order, joined by `|`.
///
/// ```
/// use mic_index::{ExamType, ExamTypes};
///
/// let types = ExamTypes::NONE.with(ExamType::Mri).with(ExamType::Ct);
/// assert_eq!(types.to_string(), "2|3");
/// assert_eq!("3|2".parse(), Ok(types));
/// assert!(types.contains(ExamType::Ct));
/// assert!("2|2".parse::<ExamTypes>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ExamTypes {
    /// Bit `n` for the type with the number `n`.
    bits: u8,
}

impl ExamTypes {
    /// The empty set.
    pub const NONE: Self = Self { bits: 0 };

    /// The set with one type more.
    #[must_use]
    pub const fn with(self, kind: ExamType) -> Self {
        Self {
            bits: self.bits | 1 << kind.code(),
        }
    }

    /// Whether the type is in the set.
    #[must_use]
    pub const fn contains(self, kind: ExamType) -> bool {
        self.bits & 1 << kind.code() != 0
    }

    /// Whether there is no type in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The types in ascending order.
    pub fn iter(self) -> impl Iterator<Item = ExamType> {
        ExamType::ALL
            .into_iter()
            .filter(move |kind| self.contains(*kind))
    }
}

impl From<ExamType> for ExamTypes {
    fn from(kind: ExamType) -> Self {
        Self::NONE.with(kind)
    }
}

impl FromIterator<ExamType> for ExamTypes {
    fn from_iter<I: IntoIterator<Item = ExamType>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::NONE, Self::with)
    }
}

impl FromStr for ExamTypes {
    type Err = ExamTypesError;

    /// Reads numbers in any order, each once.
    fn from_str(text: &str) -> Result<Self, ExamTypesError> {
        let number = map_opt(one_of::<_, _, Error<&str>>("12345"), |digit: char| {
            digit
                .to_digit(10)
                .and_then(|code| u8::try_from(code).ok())
                .and_then(ExamType::from_code)
        });
        let (rest, kinds) = separated_list1(tag("|"), number)
            .parse(text)
            .map_err(|_| ExamTypesError::Number { at: 0 })?;
        if !rest.is_empty() {
            // What stands there is a bar without a number behind it, or no bar.
            let bar = usize::from(rest.starts_with('|'));
            let at = text.len() - rest.len() + bar;
            return Err(ExamTypesError::Number { at });
        }
        let mut types = Self::NONE;
        for (place, kind) in kinds.into_iter().enumerate() {
            if types.contains(kind) {
                return Err(ExamTypesError::Twice { at: 2 * place });
            }
            types = types.with(kind);
        }
        Ok(types)
    }
}

impl fmt::Display for ExamTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, kind) in self.iter().enumerate() {
            let bar = if at == 0 { "" } else { "|" };
            write!(f, "{bar}{}", kind.code())?;
        }
        Ok(())
    }
}

impl fmt::Debug for ExamTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A text that is no set of exam types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ExamTypesError {
    /// Not a number from 1 to 5, or not a bar between two of them.
    #[error("exam types: expected numbers from 1 to 5 joined by bars, found another at byte {at}")]
    Number {
        /// Byte offset.
        at: usize,
    },
    /// A type for the second time.
    #[error("exam types: expected each type once, found one again at byte {at}")]
    Twice {
        /// Byte offset.
        at: usize,
    },
}
