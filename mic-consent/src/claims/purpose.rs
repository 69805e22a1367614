//! What for, and what may be done: closed lists (CST-31, CST-32).

use core::{fmt, ops::BitOr};

use crate::denial::Reason;

/// What the images are wanted for. A new purpose needs a new consent.
///
/// ```
/// use mic_consent::Purpose;
/// assert_eq!(Purpose::from_number(1), Some(Purpose::Treatment));
/// assert_eq!(Purpose::Treatment.chinese(), "诊疗");
/// assert_eq!(Purpose::from_number(0), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Treatment by the asking hospital.
    Treatment,
    /// An emergency in which the patient can still consent.
    Emergency,
    /// Referral or second opinion.
    Referral,
    /// Audit by the insurer.
    InsurerAudit,
    /// Research.
    Research,
    /// The patient's own use.
    PatientsOwn,
    /// Reading with the help of artificial intelligence.
    AssistedReading,
}

impl Purpose {
    /// All purposes.
    pub const ALL: &'static [Self] = &[
        Self::Treatment,
        Self::Emergency,
        Self::Referral,
        Self::InsurerAudit,
        Self::Research,
        Self::PatientsOwn,
        Self::AssistedReading,
    ];

    /// The number in the token.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Treatment => 1,
            Self::Emergency => 2,
            Self::Referral => 3,
            Self::InsurerAudit => 4,
            Self::Research => 5,
            Self::PatientsOwn => 6,
            Self::AssistedReading => 7,
        }
    }

    /// The purpose with this number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|purpose| u64::from(purpose.number()) == number)
    }

    /// The Chinese name for the patient's screen.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Treatment => "诊疗",
            Self::Emergency => "急诊",
            Self::Referral => "转诊或会诊",
            Self::InsurerAudit => "医保核查",
            Self::Research => "科研",
            Self::PatientsOwn => "本人查阅",
            Self::AssistedReading => "人工智能辅助阅片",
        }
    }

    /// The English name.
    #[must_use]
    pub const fn english(self) -> &'static str {
        match self {
            Self::Treatment => "treatment",
            Self::Emergency => "emergency care",
            Self::Referral => "referral or second opinion",
            Self::InsurerAudit => "insurer's audit",
            Self::Research => "research",
            Self::PatientsOwn => "the patient's own use",
            Self::AssistedReading => "reading assisted by AI",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.english())
    }
}

/// What may be done, as a set that is never empty.
///
/// ```
/// use mic_consent::Rights;
/// let rights = Rights::LIST | Rights::VIEW;
/// assert!(rights.contains(Rights::VIEW));
/// assert!(Rights::LIST.is_within(rights) && !rights.is_within(Rights::LIST));
/// assert_eq!(format!("{rights:?}"), "Rights(list, view)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rights(u8);

impl Rights {
    /// See the list of exams.
    pub const LIST: Self = Self(1);
    /// Open images.
    pub const VIEW: Self = Self(2);
    /// Keep a copy beyond the grant's life.
    pub const KEEP: Self = Self(4);
    /// See reports.
    pub const REPORT: Self = Self(8);
    /// Compute new data from the images.
    pub const DERIVE: Self = Self(16);
    /// Pass images on to another handler.
    pub const PASS_ON: Self = Self(32);

    const NAMES: [(Self, &'static str); 6] = [
        (Self::LIST, "list"),
        (Self::VIEW, "view"),
        (Self::KEEP, "keep"),
        (Self::REPORT, "report"),
        (Self::DERIVE, "derive"),
        (Self::PASS_ON, "pass on"),
    ];

    /// Whether all of `other` are among them.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether none goes beyond `bound`.
    #[must_use]
    pub const fn is_within(self, bound: Self) -> bool {
        bound.contains(self)
    }

    /// The bits in the token.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Result<Self, Reason> {
        match u8::try_from(bits) {
            Ok(bits @ 1..=63) => Ok(Self(bits)),
            _ => Err(Reason::UnknownRight),
        }
    }
}

impl BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({self})")
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES
            .iter()
            .filter(|(right, _)| self.contains(*right));
        for (place, (_, name)) in names.enumerate() {
            write!(f, "{}{name}", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
