//! Code systems, and the words of a token in them.

use alloc::{
    borrow::ToOwned as _,
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};

use super::{CodeableConcept, Coding};
use crate::claims::{
    person::{PersonCheck, SeparateConsent},
    purpose::{Purpose, Rights},
};

pub(super) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(super) const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
pub(super) const AUDIT_OUTCOME: &str = "http://terminology.hl7.org/CodeSystem/audit-event-outcome";
pub(super) const CONSENT_ACTION: &str = "http://terminology.hl7.org/CodeSystem/consentaction";
pub(super) const CONSENT_SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
pub(super) const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
pub(super) const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
pub(super) const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
pub(super) const RESOURCE_TYPES_R4: &str = "http://hl7.org/fhir/resource-types";
pub(super) const RESOURCE_TYPES_R5: &str = "http://hl7.org/fhir/fhir-types";

/// China, which the days of a token are of.
const BEIJING: Option<FixedOffset> = FixedOffset::east_opt(8 * 3_600);

/// The names under which the parts of a token are known.
///
/// Nobody has assigned official ones. The defaults are UUIDs, which claim nothing and collide with nothing; give
/// your platform's own.
///
/// ```
/// use mic_consent::fhir::Systems;
/// let own = Systems { grant: "https://example.org/grant".into(), ..Systems::default() };
/// assert_ne!(own, Systems::default());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made with `..Systems::default()`"
)]
pub struct Systems {
    /// Ids of grants, emergency accesses and requests.
    pub grant: String,
    /// Codes of hospitals, authorities and nodes.
    pub organisation: String,
    /// Codes of doctors and departments.
    pub staff: String,
    /// Records as salted commitments.
    pub record: String,
    /// Guardians as salted commitments.
    pub guardian: String,
    /// The words of this crate: `purpose-1`, `right-view`, `sep-1`, `check-1`, `emergency-1`, `exam-type-1`,
    /// `body-part-…`.
    pub term: String,
}

impl Default for Systems {
    fn default() -> Self {
        let uuid = |text: &str| format!("urn:uuid:{text}");
        Self {
            grant: uuid("b254c732-6a87-489e-a570-dac36270a34f"),
            organisation: uuid("5fd7ddf5-2644-4923-9f4a-95d1743657d6"),
            staff: uuid("2f71f8e9-3130-47f0-bbd9-7a21f5a9b701"),
            term: uuid("07f691e5-4536-4f9e-8661-7fa19386f4c9"),
            record: uuid("be90ec0a-12cf-4d99-853c-f59f8ff2d8a1"),
            guardian: uuid("e2aed530-c765-4128-85a0-45355fdc24b3"),
        }
    }
}

impl Systems {
    pub(super) fn own(&self, code: &str) -> Coding {
        Coding::new(&self.term, code)
    }

    pub(super) fn numbered(&self, name: &str, number: u8) -> Coding {
        self.own(&format!("{name}-{number}"))
    }

    /// The crate's own code, and HL7's where it says exactly the same: a wider one would permit more.
    pub(super) fn purpose(&self, purpose: Purpose) -> Vec<Coding> {
        let exact = match purpose {
            Purpose::Treatment => Some("TREAT"),
            Purpose::Emergency => Some("ETREAT"),
            Purpose::Research => Some("HRESCH"),
            Purpose::PatientsOwn => Some("PATRQT"),
            Purpose::Referral | Purpose::InsurerAudit | Purpose::AssistedReading => None,
        };
        let own = self.numbered("purpose", purpose.number());
        exact
            .map(|code| Coding::new(ACT_REASON, code))
            .into_iter()
            .chain([own])
            .collect()
    }

    pub(super) fn rights(&self, rights: Rights) -> Vec<CodeableConcept> {
        const RIGHTS: [(Rights, &str, &str); 6] = [
            (Rights::LIST, "right-list", "access"),
            (Rights::VIEW, "right-view", "access"),
            (Rights::KEEP, "right-keep", "collect"),
            (Rights::REPORT, "right-report", "access"),
            (Rights::DERIVE, "right-derive", "use"),
            (Rights::PASS_ON, "right-pass-on", "disclose"),
        ];
        let given = RIGHTS
            .iter()
            .filter(|(right, ..)| rights.contains(*right))
            .map(|(_, own, action)| CodeableConcept {
                coding: [self.own(own), Coding::new(CONSENT_ACTION, action)].into(),
            });
        given.collect()
    }

    pub(super) fn ticked(&self, ticked: SeparateConsent) -> Vec<CodeableConcept> {
        const BOXES: [SeparateConsent; 4] = [
            SeparateConsent::SENSITIVE,
            SeparateConsent::HAND_OVER,
            SeparateConsent::MINOR,
            SeparateConsent::KEEPING,
        ];
        let ticked = BOXES.iter().filter(|one| ticked.contains(**one));
        ticked
            .map(|one| self.numbered("sep", one.bits()).into())
            .collect()
    }

    pub(super) fn check(&self, check: PersonCheck) -> CodeableConcept {
        self.numbered("check", check.number()).into()
    }
}

/// A moment (CST-167).
pub(super) fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The day of a moment, in China (CST-167).
pub(super) fn day(time: DateTime<Utc>) -> String {
    match BEIJING {
        Some(beijing) => time.with_timezone(&beijing).date_naive().to_string(),
        None => time.date_naive().to_string(),
    }
}

/// The notice that was read, by its hash.
pub(super) fn notice(hash: &impl core::fmt::Display) -> String {
    "urn:mic-consent:notice:".to_owned() + &hash.to_string()
}
