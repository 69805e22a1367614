//! The exam-site code (检查部位代码).

use core::fmt;
use core::str::FromStr;

use crate::alphabet::ALNUM_ALPHABET;
use crate::error::ParseError;
use crate::part::SITE_LEN;
use crate::text::{Text, write_8_alnum};

/// Exam-site code (检查部位代码): nine of `0-9A-Z`, an exam technique of WS/T 364.8—2023 (`IDX-8`).
///
/// Checked by shape alone: the published table has defects, and ultrasound and nuclear medicine
/// have no codes in it. Nine zeros are the filler in use today.
///
/// ```
/// use mic_index::SiteCode;
///
/// let head_ct: SiteCode = "B020ZYZZZ".parse()?;
/// assert!(head_ct.is_assigned());
/// assert!(!SiteCode::FILLER.is_assigned());
/// assert_eq!(SiteCode::FILLER.to_string(), "000000000");
/// # Ok::<(), mic_index::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteCode {
    /// Radix 36, below 36^9.
    value: u64,
}

impl SiteCode {
    /// Nine zeros: no site given.
    pub const FILLER: Self = Self { value: 0 };

    pub(crate) const GREATEST: Self = Self {
        value: 36_u64.pow(9) - 1,
    };

    pub(crate) const fn from_value(value: u64) -> Self {
        Self { value }
    }

    pub(crate) const fn value(self) -> u64 {
        self.value
    }

    /// Whether this is a code and not the filler.
    #[must_use]
    pub const fn is_assigned(self) -> bool {
        self.value != 0
    }

    /// Whether two codes agree in their first four characters: section, system, kind of imaging, body
    /// part. The meaning of single characters is not published, see
    /// [`PartMatch::Region`](crate::repeat::PartMatch::Region).
    #[must_use]
    pub const fn shares_region(self, other: Self) -> bool {
        const REST: u64 = 36_u64.pow(5);
        self.value / REST == other.value / REST
    }

    /// The nine characters, on the stack.
    #[must_use]
    pub const fn text(self) -> Text<SITE_LEN> {
        let mut text = [0; SITE_LEN];
        self.write(&mut text, 0);
        Text::new(text)
    }

    #[inline]
    pub(crate) const fn write<const N: usize>(self, out: &mut [u8; N], start: usize) {
        write_8_alnum(out, start, self.value / 36);
        out[start + 8] = ALNUM_ALPHABET[(self.value % 36) as usize];
    }
}

impl Default for SiteCode {
    /// The filler, as the platform uses it today.
    fn default() -> Self {
        Self::FILLER
    }
}

impl FromStr for SiteCode {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        crate::grammar::parse_site(text.as_bytes())
    }
}

impl fmt::Display for SiteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl fmt::Debug for SiteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteCode({})", self.text().as_str())
    }
}
