//! What can be wrong with a code: kind, part, byte span; never the input itself.

use core::fmt;
use core::ops::Range;

use crate::alphabet::{CharClass, FoundClass};
use crate::part::{COMPACT_LEN, HYPHENS, Part};
use crate::time::{TimeFault, TimeField};

/// A fault in a text: what, in which part, at which bytes of the input.
///
/// Small, `Copy`, and free of personal data: the input is never repeated, only classes of
/// characters, expected lengths and ranges. To show the place, use [`Diagnosis`](crate::Diagnosis)
/// with the input.
///
/// ```
/// use mic_index::{IndexCode, Part};
///
/// let text = "10000000000000000708463177-202402301430-000000000-0000000000000-123502004266007916";
/// let error = IndexCode::parse(text).unwrap_err();
/// assert_eq!(error.part(), Part::ExamTime);
/// assert_eq!(error.span(), 33..35);
/// assert_eq!(
///     error.to_string(),
///     "exam time: expected a day from 01 to 29 of this month at bytes 33..35"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{part}: {kind} at bytes {start}..{end}")]
pub struct ParseError {
    kind: ParseErrorKind,
    part: Part,
    start: u32,
    end: u32,
}

const _: () = assert!(size_of::<ParseError>() <= 24, "errors are passed by value");

impl ParseError {
    pub(crate) fn new(part: Part, kind: ParseErrorKind, span: Range<usize>) -> Self {
        Self {
            kind,
            part,
            start: saturate_u32(span.start),
            end: saturate_u32(span.end),
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ParseErrorKind {
        self.kind
    }

    /// The part the fault lies in; [`Part::Length`] if it concerns the text as a whole.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.part
    }

    /// The bytes of the input concerned; empty where something is missing.
    ///
    /// Offsets beyond `u32::MAX` are given as `u32::MAX`.
    #[must_use]
    pub const fn span(&self) -> Range<usize> {
        // Lossless on targets of 32 bits and more; on 16 bits no input is that long.
        self.start as usize..self.end as usize
    }
}

/// What is wrong with a text.
///
/// ```
/// use mic_index::{IndexCode, ParseErrorKind};
///
/// let error = IndexCode::parse("1000").unwrap_err();
/// assert_eq!(error.kind(), ParseErrorKind::Length { found: 4 });
/// assert_eq!(error.kind().name(), "length");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// A text without hyphens must have 78 characters (`IDX-22`).
    #[error("expected {COMPACT_LEN} characters without hyphens, found {found}")]
    Length {
        /// Characters found; `u16::MAX` stands for that many or more.
        found: u16,
    },
    /// A text with hyphens must have four (`IDX-23`).
    #[error("expected {HYPHENS} hyphens between the parts, found {found}")]
    Hyphens {
        /// Hyphens found; `u16::MAX` stands for that many or more.
        found: u16,
    },
    /// A part between hyphens has the wrong number of characters (`IDX-24`).
    #[error("expected {expected} characters, found {found}")]
    PartLength {
        /// The part's length in characters.
        expected: u8,
        /// Characters found; `u16::MAX` stands for that many or more.
        found: u16,
    },
    /// A character outside the part's alphabet (`IDX-5` to `IDX-9`).
    #[error("expected {expected}, found {found}")]
    Character {
        /// What the place accepts.
        expected: CharClass,
        /// What stood there.
        found: FoundClass,
    },
    /// Twelve digits that are no minute of the calendar, or one outside 1900 to 2154 (`IDX-6`).
    #[error("expected {0}")]
    Time(TimeFault),
    /// Zeros only, in a part that has no filler: person or storage unit (`IDX-10`).
    #[error("expected a code, found only zeros")]
    AllZero,
    /// The unit's check character does not fit, under
    /// [`CheckPolicy::Require`](crate::CheckPolicy::Require) alone (`IDX-12`).
    #[error("expected check character '{expected}', found another")]
    CheckCharacter {
        /// The character the first seventeen call for.
        expected: char,
    },
}

impl ParseErrorKind {
    /// The stable name for programs: `length`, `hyphens`, `part_length`, `character`, `year`,
    /// `month`, `day`, `hour`, `minute`, `all_zero`, `check_character`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Length { .. } => "length",
            Self::Hyphens { .. } => "hyphens",
            Self::PartLength { .. } => "part_length",
            Self::Character { .. } => "character",
            Self::Time(fault) => match fault.field() {
                TimeField::Year => "year",
                TimeField::Month => "month",
                TimeField::Day => "day",
                TimeField::Hour => "hour",
                TimeField::Minute => "minute",
            },
            Self::AllZero => "all_zero",
            Self::CheckCharacter { .. } => "check_character",
        }
    }

    /// What was expected, for programs that show it apart: `78 characters`, `digit`, `01 to 12`, `6`.
    ///
    /// ```
    /// let error = mic_index::IndexCode::parse("1000").unwrap_err();
    /// assert_eq!(error.kind().expected().to_string(), "78 characters");
    /// ```
    #[must_use]
    pub fn expected(&self) -> impl fmt::Display + use<> {
        Expected(*self)
    }
}

/// The right side of a fault.
struct Expected(ParseErrorKind);

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ParseErrorKind::Length { .. } => write!(f, "{COMPACT_LEN} characters"),
            ParseErrorKind::Hyphens { .. } => write!(f, "{HYPHENS} hyphens"),
            ParseErrorKind::PartLength { expected, .. } => write!(f, "{expected} characters"),
            ParseErrorKind::Character { expected, .. } => f.write_str(expected.name()),
            ParseErrorKind::Time(TimeFault::Day { last }) => write!(f, "01 to {last}"),
            ParseErrorKind::Time(fault) => f.write_str(match fault.field() {
                TimeField::Year => "1900 to 2154",
                TimeField::Month => "01 to 12",
                TimeField::Day => "01 to 31",
                TimeField::Hour => "00 to 23",
                TimeField::Minute => "00 to 59",
            }),
            ParseErrorKind::AllZero => f.write_str("not only zeros"),
            ParseErrorKind::CheckCharacter { expected } => write!(f, "{expected}"),
        }
    }
}

/// Forty bytes that are no packed index code.
///
/// ```
/// use mic_index::{IndexCode, Part};
///
/// let error = IndexCode::from_packed([0xff; 40]).unwrap_err();
/// assert_eq!(error.part(), Part::Person);
/// assert_eq!(error.to_string(), "packed person: value outside the part's range at bits 0..88");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("packed {part}: {kind} at bits {}..{}", self.bits().start, self.bits().end)]
pub struct PackedError {
    part: Part,
    kind: PackedErrorKind,
}

impl PackedError {
    pub(crate) const fn new(part: Part, kind: PackedErrorKind) -> Self {
        Self { part, kind }
    }

    /// The part whose bits are wrong.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.part
    }

    /// What is wrong with them.
    #[must_use]
    pub const fn kind(&self) -> PackedErrorKind {
        self.kind
    }

    /// The bits of the part, counted from the first bit of the first byte.
    #[must_use]
    pub const fn bits(&self) -> Range<usize> {
        match self.part {
            Part::Person => 0..88,
            Part::ExamTime => 88..115,
            Part::Site => 115..162,
            Part::Device => 162..230,
            Part::Unit => 230..320,
            Part::Length => 0..320,
        }
    }
}

/// What is wrong with a packed form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PackedErrorKind {
    /// A value no text of the part has (`IDX-34`).
    #[error("value outside the part's range")]
    OutOfRange,
    /// Zeros only, in a part that has no filler (`IDX-10`).
    #[error("zeros only")]
    AllZero,
    /// Not forty bytes; from [`IndexCode::try_from_slice`](crate::IndexCode::try_from_slice) alone.
    #[error("expected 40 bytes")]
    Length,
}

impl PackedErrorKind {
    /// The stable name for programs: `out_of_range`, `all_zero`, `length`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfRange => "out_of_range",
            Self::AllZero => "all_zero",
            Self::Length => "length",
        }
    }
}

pub(crate) fn saturate_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

pub(crate) fn saturate_u16(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}
