//! Exam techniques of WS/T 364.8—2023, table CV04.30.002 (feature `technique`).
//!
//! A site code is legal by its shape alone (`IDX-8`). This table says what a code means, as far as it
//! can: the rows are unofficial, some are damaged, and ultrasound and nuclear medicine have none. So
//! there are three answers, and none of them makes a code legal or illegal (`IDX-40`).
//!
//! Look-ups are binary searches in tables of the binary (about 45 KiB); they allocate nothing. The
//! rows come from `data/techniques.csv`, whose head says where they are from and how to replace them.
//!
//! ```
//! use mic_index::technique::{self, Lookup};
//! use mic_index::{ExamType, SiteCode};
//!
//! let Lookup::Known(head) = technique::by_code("B020ZYZZZ") else { unreachable!() };
//! assert_eq!(head.name(), "颅脑CT普通扫描(平扫)");
//! assert_eq!(head.exam_type(), Some(ExamType::Ct));
//!
//! // Two meanings: both are told, none is chosen.
//! let answer = technique::by_code("BQ2FZUZZZ");
//! assert!(matches!(answer, Lookup::Ambiguous(_)));
//! assert_eq!(answer.techniques().count(), 2);
//!
//! // By name, in half-width or full-width characters.
//! assert_eq!(technique::by_name("颅脑ＣＴ普通扫描（平扫）"), Lookup::Known(head));
//!
//! // The filler states no technique; a code beside the table is unknown and still a code.
//! let other: SiteCode = "C00000001".parse()?;
//! assert_eq!(other.technique(), Some(Lookup::Unknown));
//! assert_eq!(SiteCode::FILLER.technique(), None);
//! # Ok::<(), mic_index::ParseError>(())
//! ```

mod table;

use core::cmp::Ordering;
use core::iter::FusedIterator;
use core::slice;

use crate::exam_type::ExamType;
use crate::site::SiteCode;

use self::table::{BY_NAME, TABLE};

/// A row of the table: a code as it is printed there, and its Chinese name.
///
/// Thirteen rows have a code that is too short for a site code, see [`site`](Self::site).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Technique {
    code: &'static str,
    name: &'static str,
}

impl Technique {
    fn at(row: usize) -> Option<Self> {
        TABLE.get(row).map(|&(code, name)| Self { code, name })
    }

    /// The code as the table has it; nine characters, or fewer in a damaged row.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// The name, such as `颅脑CT普通扫描(平扫)`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The code as a site code; `None` where the row is damaged, because nothing says which
    /// character is missing (`IDX-42`).
    #[must_use]
    pub fn site(self) -> Option<SiteCode> {
        self.code.parse().ok()
    }

    /// The exam type that the third character stands for: `0` X-ray, `2` CT, `3` MRI (`IDX-43`).
    ///
    /// The names of all rows agree with it. `None` for the one row with a letter O there. Nothing else
    /// is read from single characters: "plain and enhanced" is written in two ways, for instance.
    #[must_use]
    pub fn exam_type(self) -> Option<ExamType> {
        match self.code.as_bytes().get(2) {
            Some(b'0') => Some(ExamType::XRay),
            Some(b'2') => Some(ExamType::Ct),
            Some(b'3') => Some(ExamType::Mri),
            _ => None,
        }
    }
}

/// What the table says of a code or a name (`IDX-40`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "no row, one row, or several: there is no fourth answer"
)]
pub enum Lookup {
    /// One row.
    Known(Technique),
    /// No row. The code may be legal all the same.
    Unknown,
    /// Several rows, at least two; nothing says which of them is meant.
    Ambiguous(Techniques),
}

impl Lookup {
    fn of(rows: Techniques) -> Self {
        let mut rest = rows.clone();
        match (rest.next(), rest.next()) {
            (None, _) => Self::Unknown,
            (Some(only), None) => Self::Known(only),
            (Some(_), Some(_)) => Self::Ambiguous(rows),
        }
    }

    /// The one row, where there is exactly one.
    #[must_use]
    pub const fn known(&self) -> Option<Technique> {
        match self {
            Self::Known(technique) => Some(*technique),
            Self::Unknown | Self::Ambiguous(_) => None,
        }
    }

    /// All rows of the answer: none, one or several.
    pub fn techniques(&self) -> impl Iterator<Item = Technique> + use<> {
        let (one, several) = match self {
            Self::Known(technique) => (Some(*technique), None),
            Self::Unknown => (None, None),
            Self::Ambiguous(rows) => (None, Some(rows.clone())),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }

    /// The stable name for programs: `known`, `unknown`, `ambiguous`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Known(_) => "known",
            Self::Unknown => "unknown",
            Self::Ambiguous(_) => "ambiguous",
        }
    }
}

/// Rows of the table, in the order of their codes.
#[derive(Debug, Clone)]
pub struct Techniques {
    rows: Rows,
}

#[derive(Debug, Clone)]
enum Rows {
    /// A stretch of the table.
    Codes(core::ops::Range<usize>),
    /// A stretch of the order by name.
    Names(slice::Iter<'static, u16>),
}

impl Iterator for Techniques {
    type Item = Technique;

    fn next(&mut self) -> Option<Technique> {
        let row = match &mut self.rows {
            Rows::Codes(range) => range.next()?,
            Rows::Names(rows) => usize::from(*rows.next()?),
        };
        Technique::at(row)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.rows {
            Rows::Codes(range) => range.len(),
            Rows::Names(rows) => rows.len(),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Techniques {}
impl FusedIterator for Techniques {}

impl PartialEq for Techniques {
    fn eq(&self, other: &Self) -> bool {
        self.clone().eq(other.clone())
    }
}

impl Eq for Techniques {}

/// All rows in the order of their codes.
///
/// ```
/// let of_the_breast = mic_index::technique::all().filter(|row| row.name().contains("乳腺"));
/// assert_eq!(of_the_breast.count(), 8);
/// ```
#[must_use]
pub fn all() -> Techniques {
    Techniques {
        rows: Rows::Codes(0..TABLE.len()),
    }
}

/// Looks a code up as the table writes it. Damaged rows are found under their damaged codes.
#[must_use]
pub fn by_code(code: &str) -> Lookup {
    let start = TABLE.partition_point(|row| row.0 < code);
    let end = TABLE.partition_point(|row| row.0 <= code);
    Lookup::of(Techniques {
        rows: Rows::Codes(start..end),
    })
}

/// Looks a name up, whole. Full-width letters, digits and signs count as their half-width
/// counterparts (`IDX-41`); nothing else is guessed.
#[must_use]
pub fn by_name(name: &str) -> Lookup {
    let order = |row: &u16| match Technique::at(usize::from(*row)) {
        Some(technique) => half_width(technique.name).cmp(half_width(name)),
        // Not reached: the order by name holds numbers of rows.
        None => Ordering::Greater,
    };
    let start = BY_NAME.partition_point(|row| order(row).is_lt());
    let end = BY_NAME.partition_point(|row| order(row).is_le());
    let rows = BY_NAME.get(start..end).unwrap_or_default();
    Lookup::of(Techniques {
        rows: Rows::Names(rows.iter()),
    })
}

/// The characters of a text, full-width forms replaced by what they stand for.
fn half_width(text: &str) -> impl Iterator<Item = char> + '_ {
    const OFFSET: u32 = 0xff01 - 0x21;
    text.chars().map(|found| match found {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(found as u32 - OFFSET).unwrap_or(found),
        '\u{3000}' => ' ',
        _ => found,
    })
}

impl SiteCode {
    /// What the technique table says of this code; `None` for the filler, which states no technique.
    ///
    /// Needs the feature `technique`. A site code that is unknown here is a site code all the same
    /// (`IDX-8`, `IDX-40`).
    #[must_use]
    pub fn technique(self) -> Option<Lookup> {
        self.is_assigned().then(|| by_code(self.text().as_str()))
    }
}
