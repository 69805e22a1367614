//! What the eighteen characters of a unit say about it, and what in them is odd.

use crate::department::{Department, UnitCategory};
use crate::division::Division;
use crate::unit::{StorageUnitCode, UnitCheck};

/// Weights of the places 9–16 in the check of the organisation code (GB 11714).
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// Where the organisation code (组织机构代码) begins, counted from zero.
const ORGANISATION_AT: usize = 8;

impl StorageUnitCode {
    /// The department that registered the unit (登记管理部门); `None` for a character that
    /// GB 32100-2015 does not assign (`IDX-45`).
    #[must_use]
    pub const fn department(self) -> Option<Department> {
        Department::from_code(self.character(0))
    }

    /// What kind of unit it is (机构类别); `None` where the two characters mean nothing together.
    #[must_use]
    pub const fn category(self) -> Option<UnitCategory> {
        match self.department() {
            Some(department) => UnitCategory::from_code(department, self.character(1)),
            None => None,
        }
    }

    /// Where the unit is registered (登记管理机关行政区划码); `None` if there is a letter among the six
    /// places (`IDX-46`).
    #[must_use]
    pub const fn division(self) -> Option<Division> {
        let (mut at, mut code) = (2, 0);
        while at < ORGANISATION_AT {
            let value = self.place(at);
            if value > 9 {
                return None;
            }
            code = code * 10 + value;
            at += 1;
        }
        Some(Division::from_digits(code))
    }

    /// Whether the organisation code inside (places 9–17) fits its own check character (GB 11714).
    ///
    /// A second finding beside [`check`](Self::check), and a weaker one: units without an
    /// organisation code of their own are met (`IDX-44`).
    #[must_use]
    pub const fn organisation_check(self) -> UnitCheck {
        let (mut at, mut sum) = (0, 0);
        while at < ORGANISATION_WEIGHTS.len() {
            let character = self.character(ORGANISATION_AT + at);
            // Digits count as they are, letters from A = 10 to Z = 35.
            let value = match character.to_digit(36) {
                Some(value) => value,
                None => 0,
            };
            sum += value * ORGANISATION_WEIGHTS[at];
            at += 1;
        }
        let expected = match 11 - sum % 11 {
            10 => 'X',
            11 => '0',
            digit => (b'0' + digit as u8) as char,
        };
        let found = self.character(ORGANISATION_AT + ORGANISATION_WEIGHTS.len());
        if expected == found {
            UnitCheck::Match
        } else {
            UnitCheck::Mismatch { expected, found }
        }
    }

    /// Everything about the unit that is odd, in the order of the text. None of it makes the code
    /// illegal.
    ///
    /// ```
    /// use mic_index::{StorageUnitCode, UnitFinding};
    ///
    /// let unit: StorageUnitCode = "12100000400000678Y".parse()?;
    /// let findings: Vec<UnitFinding> = unit.findings().collect();
    /// assert_eq!(findings, [UnitFinding::OrganisationCheck { expected: '5', found: '8' }]);
    /// assert_eq!(findings[0].to_string(), "expected check character '5' of the organisation code");
    /// # Ok::<(), mic_index::ParseError>(())
    /// ```
    pub fn findings(self) -> impl Iterator<Item = UnitFinding> {
        let registration = match (self.department(), self.category()) {
            (None, _) => Some(UnitFinding::Department),
            (Some(_), None) => Some(UnitFinding::Category),
            (Some(_), Some(_)) => None,
        };
        let place = match self.division() {
            None => Some(UnitFinding::Division),
            Some(place) if place.province().is_none() && !place.is_central() => {
                Some(UnitFinding::Province)
            }
            Some(_) => None,
        };
        let organisation = match self.organisation_check() {
            UnitCheck::Match => None,
            UnitCheck::Mismatch { expected, found } => {
                Some(UnitFinding::OrganisationCheck { expected, found })
            }
        };
        let check = match self.check() {
            UnitCheck::Match => None,
            UnitCheck::Mismatch { expected, found } => Some(UnitFinding::Check { expected, found }),
        };
        [registration, place, organisation, check]
            .into_iter()
            .flatten()
    }
}

/// Something odd about a unit that its shape allows.
///
/// See [`StorageUnitCode::findings`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UnitFinding {
    /// The first character names no department of GB 32100-2015.
    #[error("expected a registering department, found a character that is not assigned")]
    Department,
    /// The second character means nothing with the first.
    #[error("expected a category of the department, found a character that is not assigned")]
    Category,
    /// A letter in the places 3–8.
    #[error("expected six digits of a division, found a letter among them")]
    Division,
    /// The division begins with no province's digits and is not `100000`.
    #[error("expected the digits of a province, found others")]
    Province,
    /// The organisation code's check character does not fit (GB 11714).
    #[error("expected check character '{expected}' of the organisation code")]
    OrganisationCheck {
        /// The character the eight before it call for.
        expected: char,
        /// The character that stands there.
        found: char,
    },
    /// The check character of the whole does not fit (GB 32100, `IDX-12`).
    #[error("expected check character '{expected}'")]
    Check {
        /// The character the first seventeen call for.
        expected: char,
        /// The character that stands there.
        found: char,
    },
}

impl UnitFinding {
    /// The stable name for programs, such as `organisation_check`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Category => "category",
            Self::Division => "division",
            Self::Province => "province",
            Self::OrganisationCheck { .. } => "organisation_check",
            Self::Check { .. } => "check",
        }
    }
}
