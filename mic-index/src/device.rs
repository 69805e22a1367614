//! The device code (医用设备代码).

use core::fmt;
use core::str::FromStr;

use crate::error::ParseError;
use crate::part::DEVICE_LEN;
use crate::text::{Text, write_5_alnum, write_8_alnum};

/// Device code (医用设备代码): thirteen characters (`IDX-9`).
///
/// Only the length is public; `0-9A-Z` is accepted. Thirteen zeros are the filler in use today.
///
/// ```
/// use mic_index::DeviceCode;
///
/// let device: DeviceCode = "C350200000123".parse()?;
/// assert!(device.is_assigned());
/// assert_eq!(DeviceCode::default(), DeviceCode::FILLER);
/// # Ok::<(), mic_index::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceCode {
    /// Places 1–5, radix 36. The derived order is the order of the text.
    hi: u64,
    /// Places 6–13, radix 36.
    lo: u64,
}

impl DeviceCode {
    /// Thirteen zeros: no device given.
    pub const FILLER: Self = Self { hi: 0, lo: 0 };

    pub(crate) const GREATEST: Self = Self {
        hi: 36_u64.pow(5) - 1,
        lo: 36_u64.pow(8) - 1,
    };

    pub(crate) const fn from_halves(hi: u64, lo: u64) -> Self {
        Self { hi, lo }
    }

    pub(crate) const fn halves(self) -> (u64, u64) {
        (self.hi, self.lo)
    }

    /// Whether this is a code and not the filler.
    #[must_use]
    pub const fn is_assigned(self) -> bool {
        self.hi != 0 || self.lo != 0
    }

    /// The thirteen characters, on the stack.
    #[must_use]
    pub const fn text(self) -> Text<DEVICE_LEN> {
        let mut text = [0; DEVICE_LEN];
        self.write(&mut text, 0);
        Text::new(text)
    }

    #[inline]
    pub(crate) const fn write<const N: usize>(self, out: &mut [u8; N], start: usize) {
        write_5_alnum(out, start, self.hi);
        write_8_alnum(out, start + 5, self.lo);
    }
}

impl Default for DeviceCode {
    /// The filler, as the platform uses it today.
    fn default() -> Self {
        Self::FILLER
    }
}

impl FromStr for DeviceCode {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        crate::grammar::parse_device(text.as_bytes())
    }
}

impl fmt::Display for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceCode({})", self.text().as_str())
    }
}
