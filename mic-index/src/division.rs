//! Administrative divisions (行政区划, GB/T 2260), as far as a province.

use core::fmt;
use core::str::FromStr;

use crate::text::Text;

/// Length in digits of a division code.
pub const DIVISION_LEN: usize = 6;

/// Administrative division (行政区划代码, GB/T 2260): two digits of province, two of city, two of county.
///
/// Only the province is named here; the rest stays a number, because codes of cities and counties
/// change with the years and insurance regions add their own (`IDX-46`).
///
/// ```
/// use mic_index::{Division, Province};
///
/// let xiamen: Division = "350200".parse()?;
/// assert_eq!(xiamen.province(), Some(Province::Fujian));
/// assert_eq!((xiamen.city_digits(), xiamen.county_digits()), (2, 0));
/// assert_eq!(Province::Fujian.chinese_name(), "福建");
///
/// let central: Division = "100000".parse()?;
/// assert!(central.is_central());
/// assert_eq!(central.province(), None);
/// # Ok::<(), mic_index::DivisionError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Division {
    /// Below 10^6.
    code: u32,
}

impl Division {
    /// The division of a number below 1 000 000.
    #[must_use]
    pub const fn from_code(code: u32) -> Option<Self> {
        if code < 1_000_000 {
            Some(Self { code })
        } else {
            None
        }
    }

    /// From six digits.
    pub(crate) const fn from_digits(code: u32) -> Self {
        Self {
            code: code % 1_000_000,
        }
    }

    /// The six digits as a number.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.code
    }

    /// The province; `None` for central registration and for digits GB/T 2260 does not assign.
    #[must_use]
    pub const fn province(self) -> Option<Province> {
        Province::from_digits(self.province_digits())
    }

    /// The first two digits.
    #[must_use]
    pub const fn province_digits(self) -> u8 {
        (self.code / 10_000) as u8
    }

    /// The digits of the city; zero for a province as a whole.
    #[must_use]
    pub const fn city_digits(self) -> u8 {
        (self.code / 100 % 100) as u8
    }

    /// The digits of the county; zero for a city as a whole.
    #[must_use]
    pub const fn county_digits(self) -> u8 {
        (self.code % 100) as u8
    }

    /// Whether this is `100000`, registration with the central authorities (GB 32100-2015).
    #[must_use]
    pub const fn is_central(self) -> bool {
        self.code == 100_000
    }

    /// Whether the first digits are `66`, in common use for the insurance pool of the Xinjiang
    /// Production and Construction Corps (新疆生产建设兵团). GB/T 2260 does not have them.
    #[must_use]
    pub const fn is_xinjiang_corps(self) -> bool {
        self.province_digits() == 66
    }

    /// The six digits as text, on the stack.
    #[must_use]
    pub const fn text(self) -> Text<DIVISION_LEN> {
        let mut text = [0; DIVISION_LEN];
        let (mut at, mut rest) = (DIVISION_LEN, self.code);
        while at > 0 {
            at -= 1;
            text[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Text::new(text)
    }
}

impl FromStr for Division {
    type Err = DivisionError;

    fn from_str(text: &str) -> Result<Self, DivisionError> {
        let mut code = 0;
        for (at, byte) in text.bytes().take(DIVISION_LEN).enumerate() {
            if !byte.is_ascii_digit() {
                return Err(DivisionError::Character { at });
            }
            code = code * 10 + u32::from(byte & 0x0f);
        }
        if text.len() == DIVISION_LEN {
            Ok(Self { code })
        } else {
            let found = text.chars().count();
            Err(DivisionError::Length { found })
        }
    }
}

impl fmt::Display for Division {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl fmt::Debug for Division {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Division({})", self.text().as_str())
    }
}

/// A text that is no division code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DivisionError {
    /// Not six characters.
    #[error("division: expected {DIVISION_LEN} digits, found {found} characters")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// Not a digit.
    #[error("division: expected a digit at byte {at}")]
    Character {
        /// Byte offset.
        at: usize,
    },
}

macro_rules! provinces {
    ($($name:ident = $digits:literal $chinese:literal $english:literal,)*) => {
        /// Province-level division (省级行政区) of GB/T 2260.
        ///
        /// ```
        /// use mic_index::Province;
        ///
        /// assert_eq!(Province::from_digits(44), Some(Province::Guangdong));
        /// assert_eq!(Province::from_digits(66), None); // not of GB/T 2260
        /// assert_eq!(Province::ALL.len(), 34);
        /// assert_eq!(Province::InnerMongolia.to_string(), "Inner Mongolia");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Province {
            $(#[doc = concat!("`", $digits, "`, ", $chinese)] $name = $digits,)*
        }

        impl Province {
            /// All provinces in the order of their digits.
            pub const ALL: [Self; [$($digits),*].len()] = [$(Self::$name),*];

            /// The province of the first two digits of a division.
            #[must_use]
            pub const fn from_digits(digits: u8) -> Option<Self> {
                match digits {
                    $($digits => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The short Chinese name, without 省, 市 or 自治区.
            #[must_use]
            pub const fn chinese_name(self) -> &'static str {
                match self {
                    $(Self::$name => $chinese,)*
                }
            }

            const fn english_name(self) -> &'static str {
                match self {
                    $(Self::$name => $english,)*
                }
            }
        }
    };
}

provinces! {
    Beijing = 11 "北京" "Beijing",
    Tianjin = 12 "天津" "Tianjin",
    Hebei = 13 "河北" "Hebei",
    Shanxi = 14 "山西" "Shanxi",
    InnerMongolia = 15 "内蒙古" "Inner Mongolia",
    Liaoning = 21 "辽宁" "Liaoning",
    Jilin = 22 "吉林" "Jilin",
    Heilongjiang = 23 "黑龙江" "Heilongjiang",
    Shanghai = 31 "上海" "Shanghai",
    Jiangsu = 32 "江苏" "Jiangsu",
    Zhejiang = 33 "浙江" "Zhejiang",
    Anhui = 34 "安徽" "Anhui",
    Fujian = 35 "福建" "Fujian",
    Jiangxi = 36 "江西" "Jiangxi",
    Shandong = 37 "山东" "Shandong",
    Henan = 41 "河南" "Henan",
    Hubei = 42 "湖北" "Hubei",
    Hunan = 43 "湖南" "Hunan",
    Guangdong = 44 "广东" "Guangdong",
    Guangxi = 45 "广西" "Guangxi",
    Hainan = 46 "海南" "Hainan",
    Chongqing = 50 "重庆" "Chongqing",
    Sichuan = 51 "四川" "Sichuan",
    Guizhou = 52 "贵州" "Guizhou",
    Yunnan = 53 "云南" "Yunnan",
    Tibet = 54 "西藏" "Tibet",
    Shaanxi = 61 "陕西" "Shaanxi",
    Gansu = 62 "甘肃" "Gansu",
    Qinghai = 63 "青海" "Qinghai",
    Ningxia = 64 "宁夏" "Ningxia",
    Xinjiang = 65 "新疆" "Xinjiang",
    Taiwan = 71 "台湾" "Taiwan",
    HongKong = 81 "香港" "Hong Kong",
    Macau = 82 "澳门" "Macau",
}

impl Province {
    /// The first two digits of its divisions.
    #[must_use]
    pub const fn digits(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Province {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.english_name())
    }
}
