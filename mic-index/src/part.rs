//! The five parts of a code: names, lengths, places.

use core::fmt;
use core::ops::Range;

/// Length in characters of the person management code (人员管理码).
pub const PERSON_LEN: usize = 26;
/// Length in characters of the exam time, `YYYYMMDDhhmm`.
pub const EXAM_TIME_LEN: usize = 12;
/// Length in characters of the exam-site code (检查部位代码).
pub const SITE_LEN: usize = 9;
/// Length in characters of the device code (医用设备代码).
pub const DEVICE_LEN: usize = 13;
/// Length in characters of the storage unit code (影像存储单位代码).
pub const UNIT_LEN: usize = 18;
/// Length of the compact form: the five parts without hyphens.
pub const COMPACT_LEN: usize = PERSON_LEN + EXAM_TIME_LEN + SITE_LEN + DEVICE_LEN + UNIT_LEN;
/// Hyphens of the printed form.
pub const HYPHENS: usize = 4;
/// Length of the printed form: the five parts joined by hyphens.
pub const PRINTED_LEN: usize = COMPACT_LEN + HYPHENS;

const _: () = assert!(COMPACT_LEN == 78, "the notice counts 78 characters");
const _: () = assert!(PRINTED_LEN == 82, "the notice prints 82 characters");

/// A part of an index code, or the code's [length](Part::Length) as a whole.
///
/// The order of the variants is the order of the parts in the text.
///
/// ```
/// use mic_index::Part;
///
/// assert_eq!(Part::Unit.name(), "unit");
/// assert_eq!(Part::Unit.chinese_name(), "影像存储单位代码");
/// assert_eq!(Part::Unit.compact_range(), 60..78);
/// assert_eq!(Part::Unit.printed_range(), 64..82);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The text as a whole: its length, its hyphens.
    Length,
    /// Person management code (人员管理码), 26 digits.
    Person,
    /// Exam time (检查日期时间代码), 12 digits `YYYYMMDDhhmm`.
    ExamTime,
    /// Exam-site code (检查部位代码), nine of `0-9A-Z`.
    Site,
    /// Device code (医用设备代码), thirteen of `0-9A-Z`.
    Device,
    /// Storage unit code (影像存储单位代码), a 统一社会信用代码 of 18 characters.
    Unit,
}

impl Part {
    /// The five parts in the order of the text.
    pub const ALL: [Self; 5] = [
        Self::Person,
        Self::ExamTime,
        Self::Site,
        Self::Device,
        Self::Unit,
    ];

    /// The stable name for programs: `length`, `person`, `exam_time`, `site`, `device`, `unit`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Person => "person",
            Self::ExamTime => "exam_time",
            Self::Site => "site",
            Self::Device => "device",
            Self::Unit => "unit",
        }
    }

    /// The name the notice gives the part.
    #[must_use]
    pub const fn chinese_name(self) -> &'static str {
        match self {
            Self::Length => "长度",
            Self::Person => "人员管理码",
            Self::ExamTime => "检查日期时间代码",
            Self::Site => "检查部位代码",
            Self::Device => "医用设备代码",
            Self::Unit => "影像存储单位代码",
        }
    }

    /// Characters of the part; of the whole compact form for [`Part::Length`].
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a part has its length by definition and is never empty"
    )]
    pub const fn len(self) -> usize {
        match self {
            Self::Length => COMPACT_LEN,
            Self::Person => PERSON_LEN,
            Self::ExamTime => EXAM_TIME_LEN,
            Self::Site => SITE_LEN,
            Self::Device => DEVICE_LEN,
            Self::Unit => UNIT_LEN,
        }
    }

    /// Where the part lies in the compact form (78).
    #[must_use]
    pub const fn compact_range(self) -> Range<usize> {
        let start = match self {
            Self::Length | Self::Person => 0,
            Self::ExamTime => PERSON_LEN,
            Self::Site => PERSON_LEN + EXAM_TIME_LEN,
            Self::Device => PERSON_LEN + EXAM_TIME_LEN + SITE_LEN,
            Self::Unit => COMPACT_LEN - UNIT_LEN,
        };
        start..start + self.len()
    }

    /// Where the part lies in the printed form (82).
    #[must_use]
    pub const fn printed_range(self) -> Range<usize> {
        let hyphens_before = match self {
            Self::Length => return 0..PRINTED_LEN,
            Self::Person => 0,
            Self::ExamTime => 1,
            Self::Site => 2,
            Self::Device => 3,
            Self::Unit => 4,
        };
        let compact = self.compact_range();
        compact.start + hyphens_before..compact.end + hyphens_before
    }

    /// The class every character of the part belongs to.
    #[must_use]
    pub const fn class(self) -> crate::CharClass {
        match self {
            Self::Person | Self::ExamTime => crate::CharClass::Digit,
            Self::Length | Self::Site | Self::Device => crate::CharClass::Alphanumeric,
            Self::Unit => crate::CharClass::CreditCode,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExamTime => "exam time",
            other => other.name(),
        })
    }
}
