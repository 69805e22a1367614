//! The person management code (人员管理码).

use core::fmt;
use core::ops::RangeInclusive;
use core::str::FromStr;

use crate::code::IndexCode;
use crate::device::DeviceCode;
use crate::error::ParseError;
use crate::packed::PERSON_LO_LIMIT;
use crate::part::PERSON_LEN;
use crate::site::SiteCode;
use crate::text::{Text, write_2_digits, write_8_digits};
use crate::time::ExamTime;
use crate::unit::StorageUnitCode;

/// Bytes of a packed code that hold the person, the first of all (`IDX-32`).
pub const PERSON_PREFIX_LEN: usize = 11;

/// Person management code (人员管理码): 26 digits given by the national platform (`IDX-5`).
///
/// Leading zeros count; zeros only is no code. Its inner structure is not published, so nothing is
/// read into it. It is personal data: `Debug` masks it, errors never carry it, and only
/// [`text`](Self::text) and `Display` give it away.
///
/// ```
/// use mic_index::PersonCode;
///
/// let person: PersonCode = "10000000000000000708463177".parse()?;
/// assert_eq!(person.text(), "10000000000000000708463177");
/// assert_eq!(format!("{person:?}"), "PersonCode(..)");
/// # Ok::<(), mic_index::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonCode {
    /// Leading ten digits. The derived order is the order of the text.
    hi: u64,
    /// Trailing sixteen digits; not both zero.
    lo: u64,
}

impl PersonCode {
    pub(crate) const LEAST: Self = Self { hi: 0, lo: 1 };
    pub(crate) const GREATEST: Self = Self {
        hi: 10_u64.pow(10) - 1,
        lo: PERSON_LO_LIMIT - 1,
    };

    /// From checked halves.
    pub(crate) const fn from_halves(hi: u64, lo: u64) -> Self {
        Self { hi, lo }
    }

    pub(crate) const fn halves(self) -> (u64, u64) {
        (self.hi, self.lo)
    }

    /// The code as a number, for stores that keep it so; `None` for zero and from 10^26 on.
    #[must_use]
    pub const fn from_u128(number: u128) -> Option<Self> {
        let limit = PERSON_LO_LIMIT as u128;
        if number == 0 || number >= limit * 10_u128.pow(10) {
            return None;
        }
        Some(Self {
            hi: (number / limit) as u64,
            lo: (number % limit) as u64,
        })
    }

    /// The code as a number below 10^26.
    #[must_use]
    pub const fn to_u128(self) -> u128 {
        self.hi as u128 * PERSON_LO_LIMIT as u128 + self.lo as u128
    }

    /// The first eleven bytes of every code of the person (`IDX-32`): a key prefix for stores and
    /// filters that are partitioned by person.
    ///
    /// ```
    /// use mic_index::index_code;
    ///
    /// let code = index_code!(
    ///     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
    /// );
    /// assert!(code.packed().starts_with(&code.person().prefix()));
    /// ```
    #[must_use]
    pub const fn prefix(self) -> [u8; PERSON_PREFIX_LEN] {
        match self.least_code().packed().first_chunk() {
            Some(prefix) => *prefix,
            // Not reached: eleven of forty.
            None => [0; PERSON_PREFIX_LEN],
        }
    }

    /// All codes the person can have, from the least to the greatest: the range to ask an ordered
    /// store for.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use mic_index::index_code;
    ///
    /// let code = index_code!(
    ///     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
    /// );
    /// let exams = BTreeMap::from([(code, "head")]);
    /// assert_eq!(exams.range(code.person().codes()).count(), 1);
    /// ```
    #[must_use]
    pub const fn codes(self) -> RangeInclusive<IndexCode> {
        self.codes_between(ExamTime::MIN, ExamTime::MAX)
    }

    /// All codes the person can have from one minute to another, both included; empty where the
    /// first comes after the last.
    ///
    /// ```
    /// use mic_index::{ExamTime, index_code};
    ///
    /// let code = index_code!(
    ///     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
    /// );
    /// let (first, last) = (ExamTime::new(2024, 11, 1, 0, 0)?, ExamTime::new(2024, 11, 30, 23, 59)?);
    /// assert!(code.person().codes_between(first, last).contains(&code));
    /// assert!(code.person().codes_between(last, first).is_empty());
    /// # Ok::<(), mic_index::TimeFault>(())
    /// ```
    #[must_use]
    pub const fn codes_between(self, first: ExamTime, last: ExamTime) -> RangeInclusive<IndexCode> {
        let least = IndexCode::new(
            self,
            first,
            SiteCode::FILLER,
            DeviceCode::FILLER,
            StorageUnitCode::LEAST,
        );
        let greatest = IndexCode::new(
            self,
            last,
            SiteCode::GREATEST,
            DeviceCode::GREATEST,
            StorageUnitCode::GREATEST,
        );
        RangeInclusive::new(least, greatest)
    }

    const fn least_code(self) -> IndexCode {
        *self.codes().start()
    }

    /// The 26 digits, on the stack.
    #[must_use]
    pub const fn text(self) -> Text<PERSON_LEN> {
        let mut text = [0; PERSON_LEN];
        self.write(&mut text, 0);
        Text::new(text)
    }

    #[inline]
    pub(crate) const fn write<const N: usize>(self, out: &mut [u8; N], start: usize) {
        write_2_digits(out, start, self.hi / 100_000_000);
        write_8_digits(out, start + 2, self.hi % 100_000_000);
        write_8_digits(out, start + 10, self.lo / 100_000_000);
        write_8_digits(out, start + 18, self.lo % 100_000_000);
    }
}

impl FromStr for PersonCode {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        crate::grammar::parse_person(text.as_bytes())
    }
}

impl fmt::Display for PersonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl fmt::Debug for PersonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonCode(..)")
    }
}
