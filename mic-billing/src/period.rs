//! A month of accounts, counted in Beijing (rule M-01).

use core::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{grammar, text::TextError};

/// A natural month in UTC+8, written `2025-12`.
///
/// ```
/// use mic_billing::Period;
///
/// let december: Period = "2025-12".parse()?;
/// assert_eq!(december.next().to_string(), "2026-01");
/// assert_eq!(Period::of("2025-12-31".parse().unwrap()), december);
/// # Ok::<(), mic_billing::TextError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    year: i32,
    month: u32,
}

impl Period {
    /// The month a day is in.
    #[must_use]
    pub fn of(day: NaiveDate) -> Self {
        Self {
            year: day.year(),
            month: day.month(),
        }
    }

    /// The month after.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.month < 12 {
            Self {
                year: self.year,
                month: self.month.saturating_add(1),
            }
        } else {
            Self {
                year: self.year.saturating_add(1),
                month: 1,
            }
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Period({self})")
    }
}

impl FromStr for Period {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let (year, month) = grammar::month(text)?;
        Ok(Self { year, month })
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::serial::from_text(deserializer)
    }
}
