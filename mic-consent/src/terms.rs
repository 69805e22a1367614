//! What a grant lets its holder do, and when one set of terms is within another: the product order that
//! narrowing keeps (CST-80).

use chrono::{DateTime, Utc};

use crate::{
    claims::{purpose::Rights, scope::Scope},
    code::{DepartmentCode, DoctorCode},
    proof::Place,
};

/// The terms of a grant, a narrowed grant or an emergency access: what may be done, with which exams, when,
/// where, by whom, how often.
///
/// ```
/// use mic_consent::{Grant, Live};
/// fn line(grant: &Live<Grant>) -> String {
///     let terms = grant.claims().terms();
///     assert!(terms.is_within(&terms));
///     format!("{} until {}", terms.rights(), terms.expires_at())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms<'a> {
    pub(crate) rights: Rights,
    pub(crate) scope: &'a Scope,
    pub(crate) valid_from: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) place: Option<&'a Place>,
    pub(crate) department: Option<&'a DepartmentCode>,
    pub(crate) doctor: Option<&'a DoctorCode>,
    pub(crate) studies: Option<u16>,
}

impl<'a> Terms<'a> {
    /// Terms without place, department, doctor and count.
    #[must_use]
    pub const fn new(
        rights: Rights,
        scope: &'a Scope,
        valid_from: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Self {
        Self {
            rights,
            scope,
            valid_from,
            expires_at,
            place: None,
            department: None,
            doctor: None,
            studies: None,
        }
    }

    /// At this node alone.
    #[must_use]
    pub const fn with_place(mut self, place: &'a Place) -> Self {
        self.place = Some(place);
        self
    }

    /// By this department alone.
    #[must_use]
    pub const fn with_department(mut self, department: &'a DepartmentCode) -> Self {
        self.department = Some(department);
        self
    }

    /// By this doctor alone.
    #[must_use]
    pub const fn with_doctor(mut self, doctor: &'a DoctorCode) -> Self {
        self.doctor = Some(doctor);
        self
    }

    /// At most this many different studies at each node.
    #[must_use]
    pub const fn with_studies_max(mut self, studies: u16) -> Self {
        self.studies = Some(studies);
        self
    }

    /// What may be done.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        self.rights
    }

    /// Which exams.
    #[must_use]
    pub const fn scope(&self) -> &'a Scope {
        self.scope
    }

    /// From when.
    #[must_use]
    pub const fn valid_from(&self) -> DateTime<Utc> {
        self.valid_from
    }

    /// Until when (not included).
    #[must_use]
    pub const fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// The one node, when it is one.
    #[must_use]
    pub const fn place(&self) -> Option<&'a Place> {
        self.place
    }

    /// The one department, when it is one.
    #[must_use]
    pub const fn department(&self) -> Option<&'a DepartmentCode> {
        self.department
    }

    /// The one doctor, when it is one.
    #[must_use]
    pub const fn doctor(&self) -> Option<&'a DoctorCode> {
        self.doctor
    }

    /// How many different studies at each node, when they are counted.
    #[must_use]
    pub const fn studies_max(&self) -> Option<u16> {
        self.studies
    }

    /// Whether whatever these terms allow, `bound` allows as well. It is a partial order, part by part.
    #[must_use]
    pub fn is_within(&self, bound: &Self) -> bool {
        self.wider_than(bound).is_none()
    }

    /// The first part in which these terms go beyond `bound`.
    pub(crate) fn wider_than(&self, bound: &Self) -> Option<&'static str> {
        [
            ("the rights", self.rights.is_within(bound.rights)),
            ("the scope", self.scope.is_within(bound.scope)),
            (
                "the time",
                bound.valid_from <= self.valid_from && self.expires_at <= bound.expires_at,
            ),
            ("the place", at_most(self.place, bound.place)),
            ("the department", at_most(self.department, bound.department)),
            ("the doctor", at_most(self.doctor, bound.doctor)),
            (
                "the count of studies",
                bound
                    .studies
                    .is_none_or(|most| self.studies.is_some_and(|studies| studies <= most)),
            ),
        ]
        .into_iter()
        .find_map(|(what, within)| (!within).then_some(what))
    }
}

/// One or any: one is within any, and within itself.
fn at_most<T: PartialEq>(one: Option<T>, bound: Option<T>) -> bool {
    bound.is_none() || one == bound
}
