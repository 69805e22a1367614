//! What a header holds that a draft cannot use as it is.

use core::fmt;

use super::attribute::Attribute;

/// Something about a header that its owner should know: which attribute, what is wrong, what was
/// used instead. Never the value.
///
/// ```
/// use mic_index::dicom::{Attribute, ExamDraft, FindingKind, HeaderText};
///
/// let header = HeaderText::new()
///     .with(Attribute::StudyDate, "***")
///     .with(Attribute::SeriesDate, "2024.11.22")
///     .with(Attribute::SeriesTime, "1430");
/// let draft = ExamDraft::from_text(&header);
/// assert_eq!(draft.exam_time().unwrap().to_string(), "202411221430");
///
/// let date = draft.findings().iter().find(|f| f.attribute() == Attribute::StudyDate).unwrap();
/// assert_eq!(date.kind(), FindingKind::Placeholder);
/// assert_eq!(date.used(), Some(Attribute::SeriesDate));
/// assert_eq!(
///     date.to_string(),
///     "StudyDate (0008,0020): a placeholder instead of a value, used SeriesDate (0008,0021)"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Finding {
    attribute: Attribute,
    kind: FindingKind,
    used: Option<Attribute>,
}

impl Finding {
    pub(crate) const fn new(attribute: Attribute, kind: FindingKind) -> Self {
        Self {
            attribute,
            kind,
            used: None,
        }
    }

    pub(crate) const fn with_used(mut self, used: Option<Attribute>) -> Self {
        self.used = used;
        self
    }

    /// The attribute concerned.
    #[must_use]
    pub const fn attribute(self) -> Attribute {
        self.attribute
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn kind(self) -> FindingKind {
        self.kind
    }

    /// The attribute whose value is used: the same one where the value could be read in spite of
    /// the finding, another one as a substitute, `None` where the draft lacks the value.
    #[must_use]
    pub const fn used(self) -> Option<Attribute> {
        self.used
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.attribute, self.kind)?;
        match self.used {
            None => f.write_str(", nothing used"),
            Some(used) if used == self.attribute => f.write_str(", used as read"),
            Some(used) => write!(f, ", used {used}"),
        }
    }
}

/// What is wrong with an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FindingKind {
    /// Not in the header.
    #[error("absent")]
    Absent,
    /// In the header without a value.
    #[error("empty")]
    Empty,
    /// Only asterisks or other punctuation, as de-identification leaves behind.
    #[error("a placeholder instead of a value")]
    Placeholder,
    /// A sequence or other value that is no text.
    #[error("no text")]
    NoText,
    /// Several values where one is meant; the first was read.
    #[error("several values instead of one")]
    SeveralValues,
    /// Longer than the value representation allows; kept in full.
    #[error("more than {max} characters")]
    TooLong {
        /// Characters the value representation allows.
        max: usize,
    },
    /// Not a UID: other characters than digits and dots, misplaced dots, or too long.
    #[error("not a uid")]
    NotUid,
    /// Neither `YYYYMMDD` nor the old `YYYY.MM.DD`.
    #[error("not a date")]
    NotDate,
    /// A date in the form of before 1993, `YYYY.MM.DD`; read.
    #[error("a date in the old form")]
    OldDate,
    /// A range, which belongs in queries only.
    #[error("a range instead of a moment")]
    Range,
    /// Well formed, but no day of the calendar.
    #[error("not a day of the calendar")]
    NoSuchDay,
    /// Outside the years an index code can carry.
    #[error("a year that an index code cannot carry")]
    YearOutOfRange,
    /// Not a time `HH[MM[SS[.F]]]`.
    #[error("not a time")]
    NotTime,
    /// A time with colons, as before 1993; read.
    #[error("a time in the old form")]
    OldTime,
    /// A time of the hour alone; the minute was taken as 00.
    #[error("a time without minutes")]
    HourOnly,
    /// A date and time that ends before the hour.
    #[error("a date without a time")]
    NoTime,
    /// Second 60; the minute is that of the leap second.
    #[error("a leap second")]
    LeapSecond,
    /// Not an offset `+HHMM` or `-HHMM` within -1200 and +1400; Beijing time was assumed.
    #[error("not an offset from utc")]
    NotOffset,
    /// A modality that is none of the five exam types.
    #[error("a modality without an exam type")]
    NoExamType,
    /// Modalities of several exam types.
    #[error("modalities of several exam types")]
    SeveralExamTypes,
    /// Not a sequence of codes.
    #[error("not a sequence of codes")]
    NoCodes,
    /// A free text with a control character, such as a line break.
    #[error("a control character in a text")]
    ControlCharacter,
    /// Characters beyond ASCII in a header that declares no character set for them; read as the toolkit decoded
    /// them, which may be wrong: undeclared GBK looks like Latin letters. A set that is declared and wrong cannot be told.
    #[error("characters of a character set that is not declared")]
    UndeclaredCharacters,
    /// A carried text that is no index code.
    #[error("not an index code")]
    NotCode,
    /// Several carried codes that differ; none of them is used (`IDX-72`).
    #[error("several index codes that differ")]
    SeveralCodes,
    /// A carried code of another minute than the header's own exam time; read (`IDX-73`).
    #[error("an index code of another minute than the exam time")]
    CodeOfAnotherTime,
}

impl FindingKind {
    /// The stable name for programs, such as `no_such_day`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Empty => "empty",
            Self::Placeholder => "placeholder",
            Self::NoText => "no_text",
            Self::SeveralValues => "several_values",
            Self::TooLong { .. } => "too_long",
            Self::NotUid => "not_uid",
            Self::NotDate => "not_date",
            Self::OldDate => "old_date",
            Self::Range => "range",
            Self::NoSuchDay => "no_such_day",
            Self::YearOutOfRange => "year_out_of_range",
            Self::NotTime => "not_time",
            Self::OldTime => "old_time",
            Self::HourOnly => "hour_only",
            Self::NoTime => "no_time",
            Self::LeapSecond => "leap_second",
            Self::NotOffset => "not_offset",
            Self::NoExamType => "no_exam_type",
            Self::SeveralExamTypes => "several_exam_types",
            Self::NoCodes => "no_codes",
            Self::ControlCharacter => "control_character",
            Self::UndeclaredCharacters => "undeclared_characters",
            Self::NotCode => "not_code",
            Self::SeveralCodes => "several_codes",
            Self::CodeOfAnotherTime => "code_of_another_time",
        }
    }
}
