//! Tokens as FHIR `Consent` and `AuditEvent`, in Release 4 (and 4B) and Release 5 (feature `fhir`), as
//! `spec/fhir.md` lays down (CST-160 to CST-168).
//!
//! | token | resource |
//! |---|---|
//! | grant | `Consent`, active, that permits |
//! | grant with its withdrawal | the same `Consent`, inactive |
//! | refusal | `Consent` that denies |
//! | emergency access | `AuditEvent`: emergency override |
//! | receipt | `AuditEvent`: a query, or instances accessed |
//!
//! It is an export: nothing reads FHIR here, and no decision is made by it. Only what was signed and checked can be
//! written. The patient is the caller's [`PatientReference`]; a token has no person code, and none gets in.
//! Sources: <https://hl7.org/fhir/R4/consent.html>, <https://hl7.org/fhir/R5/consent.html>,
//! <https://hl7.org/fhir/R4/auditevent.html>, <https://hl7.org/fhir/R5/auditevent.html>.
//!
//! ```
//! use mic_consent::{Grant, Live};
//! use mic_consent::fhir::{Mapper, PatientReference, Release};
//!
//! fn export(grant: &Live<Grant>) -> Result<String, Box<dyn core::error::Error>> {
//!     let patient = PatientReference::new("Patient/visit-0007")?;
//!     let (consent, not_carried) = Mapper::new(Release::R5).granted(grant.claims(), &patient);
//!     assert!(not_carried.is_empty());
//!     Ok(serde_json::to_string(&consent)?)
//! }
//! ```

use alloc::vec::Vec;

mod audit;
mod consent;
mod patient;
mod resource;
mod words;

pub use self::{
    patient::{PatientReference, PatientReferenceError},
    resource::{
        Actor, Agent, AuditEvent, CodeableConcept, Coding, Consent, Data, Entity, EntityRole,
        Identifier, Moments, Outcome, Period, Policy, PolicyBasis, Provision, Provisions,
        Reference, Source, Verification,
    },
    words::Systems,
};
use crate::code::{DoctorCode, IssuerCode};

/// A release of FHIR. Release 4B has the same two resources as Release 4.
///
/// ```
/// assert_ne!(mic_consent::fhir::Release::R4, mic_consent::fhir::Release::R5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Release {
    /// Release 4 and 4B.
    R4,
    /// Release 5.
    R5,
}

/// What a token says and the resource has no element for: who reads the resource alone may believe that more is
/// permitted.
///
/// ```
/// use mic_consent::fhir::NotCarried;
/// assert_eq!(NotCarried::StudiesMax.name(), "studies_max");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NotCarried {
    /// The provinces that the exams must be kept in.
    Provinces,
    /// The greatest number of studies.
    StudiesMax,
    /// The age and capacity of the patient.
    Band,
    /// What the guardian is to the patient, and how that was shown.
    Guardianship,
}

impl NotCarried {
    /// The name used in vectors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provinces => "provinces",
            Self::StudiesMax => "studies_max",
            Self::Band => "band",
            Self::Guardianship => "guardianship",
        }
    }
}

/// A withdrawal of another grant than the one it was put to.
///
/// ```
/// assert_eq!(mic_consent::fhir::OtherGrant.to_string(), "expected the withdrawal of this grant");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the withdrawal of this grant")]
#[expect(clippy::exhaustive_structs, reason = "there is nothing more to say")]
pub struct OtherGrant;

/// Writes tokens as resources of one release.
///
/// ```
/// use mic_consent::fhir::{Mapper, Release, Systems};
/// let own = Systems { grant: "https://example.org/grant".into(), ..Systems::default() };
/// let mapper = Mapper::new(Release::R4).with_systems(own);
/// assert_eq!(mapper.release(), Release::R4);
/// ```
#[derive(Debug, Clone)]
pub struct Mapper {
    release: Release,
    systems: Systems,
}

impl Mapper {
    /// With the default [`Systems`].
    #[must_use]
    pub fn new(release: Release) -> Self {
        Self {
            release,
            systems: Systems::default(),
        }
    }

    /// With your own systems.
    #[must_use]
    pub fn with_systems(mut self, systems: Systems) -> Self {
        self.systems = systems;
        self
    }

    /// The release.
    #[must_use]
    pub const fn release(&self) -> Release {
        self.release
    }

    fn organisation(&self, code: &IssuerCode) -> Reference {
        let identifier = Identifier::new(&self.systems.organisation, code.as_str());
        Reference::logical("Organization", identifier)
    }

    fn doctor(&self, code: &DoctorCode) -> Reference {
        let identifier = Identifier::new(&self.systems.staff, code.as_str());
        Reference::logical("Practitioner", identifier)
    }

    /// The list in the release that has it.
    fn only<T>(&self, release: Release, items: impl IntoIterator<Item = T>) -> Vec<T> {
        match self.release == release {
            true => items.into_iter().collect(),
            false => Vec::new(),
        }
    }
}
