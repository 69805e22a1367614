//! The index code: forty bytes and its readings.

use core::fmt;
use core::str::FromStr;

use crate::device::DeviceCode;
use crate::error::{PackedError, PackedErrorKind, ParseError};
use crate::fast;
use crate::packed::{self, Fields, PACKED_LEN};
use crate::parser::Parser;
use crate::part::{COMPACT_LEN, PRINTED_LEN, Part};
use crate::person::PersonCode;
use crate::site::SiteCode;
use crate::text::Text;
use crate::time::ExamTime;
use crate::unit::StorageUnitCode;

/// A medical-insurance imaging index code (医保影像云索引), always well formed.
///
/// Forty packed bytes, `Copy`. Equality, order and hash are those of the bytes, and the order of
/// the bytes is the order of the text and of (person, time, site, device, unit): `IDX-35`.
///
/// The code is *not unique*. Two studies of one person in the same minute share it while site and
/// device are filler; the key of a record is the code together with the StudyInstanceUID.
///
/// It holds a person code and is personal data as a whole: `Debug` masks it; keep `Display` out of
/// logs and URLs.
///
/// ```
/// use mic_index::IndexCode;
///
/// let text = "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";
/// let code: IndexCode = text.parse()?;
/// assert_eq!(code.exam_time().to_chrono().to_rfc3339(), "2024-11-22T14:30:00+08:00");
/// assert!(!code.site().is_assigned());
/// assert!(code.unit().check().is_match());
/// assert_eq!(code.to_string(), text);
/// assert_eq!(IndexCode::from_packed(*code.packed()), Ok(code));
/// # Ok::<(), mic_index::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct IndexCode {
    /// In range in every field, see [`packed::check`].
    bytes: [u8; PACKED_LEN],
}

impl IndexCode {
    /// The least code there is; with [`MAX`](Self::MAX) the bounds of a scan of everything.
    pub const MIN: Self = Self::new(
        PersonCode::LEAST,
        ExamTime::MIN,
        SiteCode::FILLER,
        DeviceCode::FILLER,
        StorageUnitCode::LEAST,
    );
    /// The greatest code there is.
    pub const MAX: Self = Self::new(
        PersonCode::GREATEST,
        ExamTime::MAX,
        SiteCode::GREATEST,
        DeviceCode::GREATEST,
        StorageUnitCode::GREATEST,
    );

    /// A code from its five parts.
    #[must_use]
    pub const fn new(
        person: PersonCode,
        time: ExamTime,
        site: SiteCode,
        device: DeviceCode,
        unit: StorageUnitCode,
    ) -> Self {
        let (person_hi, person_lo) = person.halves();
        let (device_hi, device_lo) = device.halves();
        let (unit_hi, unit_lo) = unit.halves();
        Self::from_fields(&Fields {
            person_hi,
            person_lo,
            minutes: time.minutes() as u64,
            site: site.value(),
            device_hi,
            device_lo,
            unit_hi,
            unit_lo,
        })
    }

    /// From fields that are in range.
    #[inline]
    pub(crate) const fn from_fields(fields: &Fields) -> Self {
        Self {
            bytes: packed::pack(fields),
        }
    }

    /// Reads the printed (82) or the compact (78) form, and nothing else.
    ///
    /// The check character of the storage unit is not required to fit; see
    /// [`StorageUnitCode::check`] and [`Parser`].
    ///
    /// # Errors
    ///
    /// The first fault of the text. [`diagnose`](crate::diagnose) lists all of them.
    #[inline]
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_bytes(text.as_bytes())
    }

    /// Reads the printed or the compact form from bytes, which need not be UTF-8.
    ///
    /// # Errors
    ///
    /// The first fault of the text.
    #[inline]
    pub fn parse_bytes(text: &[u8]) -> Result<Self, ParseError> {
        Parser::new().parse_bytes(text)
    }

    /// Reads the printed or the compact form without finding out what is wrong with it.
    ///
    /// Accepts exactly what [`parse_bytes`](Self::parse_bytes) accepts, at compile time as well;
    /// see [`index_code!`](crate::index_code) for literals.
    ///
    /// ```
    /// use mic_index::IndexCode;
    ///
    /// assert_eq!(IndexCode::try_parse(b"1000"), None);
    /// ```
    #[must_use]
    #[inline]
    pub const fn try_parse(text: &[u8]) -> Option<Self> {
        match fast::read(text) {
            Some(fields) => Some(Self::from_fields(&fields)),
            None => None,
        }
    }

    /// Takes a packed form from outside, after a check of every field's range.
    ///
    /// # Errors
    ///
    /// [`PackedError`] names the first part whose bits are out of range.
    pub const fn from_packed(bytes: [u8; PACKED_LEN]) -> Result<Self, PackedError> {
        match packed::check(&packed::unpack(&bytes)) {
            Ok(()) => Ok(Self { bytes }),
            Err(error) => Err(error),
        }
    }

    /// Takes a packed form from a slice of exactly forty bytes.
    ///
    /// # Errors
    ///
    /// [`PackedErrorKind::Length`], or that of [`from_packed`](Self::from_packed).
    pub fn try_from_slice(bytes: &[u8]) -> Result<Self, PackedError> {
        let bytes = <[u8; PACKED_LEN]>::try_from(bytes)
            .map_err(|_| PackedError::new(Part::Length, PackedErrorKind::Length))?;
        Self::from_packed(bytes)
    }

    /// The packed form.
    #[must_use]
    pub const fn packed(&self) -> &[u8; PACKED_LEN] {
        &self.bytes
    }

    /// The person management code (人员管理码).
    #[must_use]
    pub const fn person(&self) -> PersonCode {
        let fields = self.fields();
        PersonCode::from_halves(fields.person_hi, fields.person_lo)
    }

    /// The minute of the exam, in Beijing time.
    #[must_use]
    pub const fn exam_time(&self) -> ExamTime {
        match ExamTime::from_minutes(self.fields().minutes as u32) {
            Some(time) => time,
            // Not reached: the minutes are in range, see the field.
            None => ExamTime::MAX,
        }
    }

    /// The exam-site code (检查部位代码), possibly filler.
    #[must_use]
    pub const fn site(&self) -> SiteCode {
        SiteCode::from_value(self.fields().site)
    }

    /// The device code (医用设备代码), possibly filler.
    #[must_use]
    pub const fn device(&self) -> DeviceCode {
        let fields = self.fields();
        DeviceCode::from_halves(fields.device_hi, fields.device_lo)
    }

    /// The unit that stores the images (影像存储单位代码).
    #[must_use]
    pub const fn unit(&self) -> StorageUnitCode {
        let fields = self.fields();
        StorageUnitCode::from_halves(fields.unit_hi, fields.unit_lo)
    }

    /// The compact form: 78 characters without hyphens, on the stack.
    #[must_use]
    pub const fn compact(&self) -> Text<COMPACT_LEN> {
        let mut text = [0; COMPACT_LEN];
        self.write(&mut text, 0);
        Text::new(text)
    }

    /// The printed form: 82 characters with hyphens, on the stack. `Display` gives the same.
    #[must_use]
    pub const fn printed(&self) -> Text<PRINTED_LEN> {
        let mut text = [b'-'; PRINTED_LEN];
        self.write(&mut text, 1);
        Text::new(text)
    }

    /// Writes the parts, `gap` bytes apart: the same bytes for the same code always (`IDX-4`).
    #[inline]
    const fn write<const N: usize>(&self, out: &mut [u8; N], gap: usize) {
        self.person().write(out, 0);
        self.exam_time().write(out, 26 + gap);
        self.site().write(out, 38 + 2 * gap);
        self.device().write(out, 47 + 3 * gap);
        self.unit().write(out, 60 + 4 * gap);
    }

    #[inline]
    const fn fields(&self) -> Fields {
        packed::unpack(&self.bytes)
    }
}

impl FromStr for IndexCode {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl fmt::Display for IndexCode {
    /// The printed form; with `{:#}` the compact one, which is read as well (`IDX-3`).
    ///
    /// A `Display` that hands its own formatter on hands the `#` on, too; [`printed`](Self::printed) and
    /// [`compact`](Self::compact) are each one form always. `{:#?}` shows no code at all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            f.pad(self.compact().as_str())
        } else {
            f.pad(self.printed().as_str())
        }
    }
}

impl fmt::LowerHex for IndexCode {
    /// The packed form, eighty digits; with `{:#x}` behind `0x`. As personal as the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            f.write_str("0x")?;
        }
        self.bytes
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::UpperHex for IndexCode {
    /// The packed form, eighty digits; with `{:#X}` behind `0x`. As personal as the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            f.write_str("0x")?;
        }
        self.bytes
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for IndexCode {
    /// Shows everything but the person code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexCode")
            .field("person", &format_args!(".."))
            .field("exam_time", &format_args!("{}", self.exam_time()))
            .field("site", &format_args!("{}", self.site()))
            .field("device", &format_args!("{}", self.device()))
            .field("unit", &format_args!("{}", self.unit()))
            .finish()
    }
}

/// An index code from a literal, checked when the program is compiled.
///
/// ```
/// use mic_index::{IndexCode, index_code};
///
/// const EXAMPLE: IndexCode = index_code!(
///     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
/// );
/// assert_eq!(EXAMPLE.exam_time().year(), 2024);
/// ```
///
/// Does not compile: too short, no such month, a wrong alphabet, a text known only when it runs.
///
/// ```compile_fail
/// let code = mic_index::index_code!("1000");
/// ```
///
/// ```compile_fail
/// let code = mic_index::index_code!(
///     "10000000000000000708463177-202413221430-000000000-0000000000000-123502004266007916"
/// );
/// ```
///
/// ```compile_fail
/// let code = mic_index::index_code!(
///     "10000000000000000708463177-202411221430-000000000-0000000000000-12350200426600791O"
/// );
/// ```
///
/// ```compile_fail
/// let text = String::from("10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916");
/// let code = mic_index::index_code!(text.as_str());
/// ```
#[macro_export]
macro_rules! index_code {
    ($text:expr) => {
        const {
            match $crate::IndexCode::try_parse(::core::primitive::str::as_bytes($text)) {
                ::core::option::Option::Some(code) => code,
                ::core::option::Option::None => ::core::panic!("not a valid index code"),
            }
        }
    };
}
