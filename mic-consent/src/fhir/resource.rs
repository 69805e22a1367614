//! The parts of FHIR that a consent and an access need, as structures to be written; nothing reads them.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

use serde::Serialize;

/// `Coding`: a code and the system it is from.
///
/// ```
/// let coding = mic_consent::fhir::Coding::new("http://loinc.org", "59284-0");
/// assert_eq!(coding.code, "59284-0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Coding {
    /// An absolute URI.
    pub system: String,
    /// The code.
    pub code: String,
}

impl Coding {
    /// A code of a system.
    #[must_use]
    pub fn new(system: &str, code: &str) -> Self {
        Self {
            system: system.to_owned(),
            code: code.to_owned(),
        }
    }
}

/// `CodeableConcept`: one meaning, perhaps in several systems.
///
/// ```
/// use mic_consent::fhir::{CodeableConcept, Coding};
/// let concept = CodeableConcept::from(Coding::new("http://loinc.org", "59284-0"));
/// assert_eq!(concept.coding.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CodeableConcept {
    /// The codes.
    pub coding: Vec<Coding>,
}

impl From<Coding> for CodeableConcept {
    fn from(coding: Coding) -> Self {
        Self {
            coding: [coding].into(),
        }
    }
}

/// `Identifier`: a value and the system it is unique in.
///
/// ```
/// let identifier = mic_consent::fhir::Identifier::new("urn:uuid:0", "H11010500001");
/// assert_eq!(identifier.value, "H11010500001");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Identifier {
    /// An absolute URI.
    pub system: String,
    /// The value.
    pub value: String,
}

impl Identifier {
    /// A value of a system.
    #[must_use]
    pub fn new(system: &str, value: &str) -> Self {
        Self {
            system: system.to_owned(),
            value: value.to_owned(),
        }
    }
}

/// `Reference`: a resource on the server, or one that is known by an identifier alone.
///
/// ```
/// use mic_consent::fhir::{Identifier, Reference};
/// let hospital = Reference::logical("Organization", Identifier::new("urn:uuid:0", "H11010500001"));
/// assert_eq!(hospital.reference, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reference {
    /// `Patient/…`, as the caller named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The type of the resource.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What identifies it elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
}

impl Reference {
    /// A reference by an identifier.
    #[must_use]
    pub fn logical(kind: &str, identifier: Identifier) -> Self {
        Self {
            reference: None,
            kind: Some(kind.to_owned()),
            identifier: Some(identifier),
        }
    }

    pub(super) fn literal(reference: &str) -> Self {
        Self {
            reference: Some(reference.to_owned()),
            kind: None,
            identifier: None,
        }
    }
}

/// `Period`: both moments with `Z`, or two days.
///
/// ```
/// fn shown(period: &mic_consent::fhir::Period) -> String {
///     format!("{} to {}", period.start, period.end)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Period {
    /// The first moment or day.
    pub start: String,
    /// The last.
    pub end: String,
}

/// `Consent`, as far as a token fills it, in the elements of one release.
///
/// ```
/// fn id(consent: &mic_consent::fhir::Consent) -> &str {
///     &consent.identifier[0].value
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Consent {
    /// Always `Consent`.
    pub resource_type: &'static str,
    /// The id of the grant; for a refusal, the nonce of the request it answers.
    pub identifier: Vec<Identifier>,
    /// `active`, `inactive`; in R4 `rejected` and in R5 `not-done` for a refusal.
    pub status: &'static str,
    /// R4: `patient-privacy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<CodeableConcept>,
    /// LOINC 59284-0, and the boxes that were ticked.
    pub category: Vec<CodeableConcept>,
    /// R4: the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<Reference>,
    /// R5: the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Reference>,
    /// R4: when it was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_time: Option<String>,
    /// R5: the day it was signed, in China.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// R5: from when to when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// R4: who consented.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub performer: Vec<Reference>,
    /// R5: who consented.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grantor: Vec<Reference>,
    /// R5: the hospital.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grantee: Vec<Reference>,
    /// R4: the consent authority.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub organization: Vec<Reference>,
    /// R5: the consent authority.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manager: Vec<Reference>,
    /// R4: the notice that was read, by its hash.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<Policy>,
    /// R4: `OPTIN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_rule: Option<CodeableConcept>,
    /// R5: `OPTIN`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regulatory_basis: Vec<CodeableConcept>,
    /// R5: the notice that was read, by its hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_basis: Option<PolicyBasis>,
    /// How it was made sure who consented.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verification: Vec<Verification>,
    /// R5: `permit` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<&'static str>,
    /// What is permitted or denied.
    pub provision: Provisions,
}

/// R4's `Consent.policy`.
///
/// ```
/// fn notice(policy: &mic_consent::fhir::Policy) -> &str {
///     &policy.uri
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Policy {
    /// `urn:mic-consent:notice:` and the hash.
    pub uri: String,
}

/// R5's `Consent.policyBasis`.
///
/// ```
/// fn notice(basis: &mic_consent::fhir::PolicyBasis) -> &str {
///     &basis.url
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicyBasis {
    /// `urn:mic-consent:notice:` and the hash.
    pub url: String,
}

/// `Consent.verification`.
///
/// ```
/// fn made_sure(verification: &mic_consent::fhir::Verification) -> bool {
///     verification.verified
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Verification {
    /// Always true: a grant without it is not signed.
    pub verified: bool,
    /// R5: how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_type: Option<CodeableConcept>,
    /// When, as the release writes it.
    pub verification_date: Moments,
}

/// One moment in R4, a list of one in R5.
///
/// ```
/// use mic_consent::fhir::Moments;
/// assert_ne!(Moments::One("2026-11-18".into()), Moments::List(["2026-11-18".into()]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Moments {
    /// R4.
    One(String),
    /// R5.
    List([String; 1]),
}

/// One provision in R4, a list of one in R5.
///
/// ```
/// use mic_consent::fhir::{Provision, Provisions};
/// fn of(provisions: &Provisions) -> &Provision {
///     provisions.first()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Provisions {
    /// R4.
    One(Provision),
    /// R5.
    List([Provision; 1]),
}

impl Provisions {
    /// The one provision there is.
    #[must_use]
    pub const fn first(&self) -> &Provision {
        match self {
            Self::One(provision) | Self::List([provision]) => provision,
        }
    }
}

/// `Consent.provision`: all parts together.
///
/// ```
/// fn whom(provision: &mic_consent::fhir::Provision) -> usize {
///     provision.actor.len()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Provision {
    /// R4: `permit` or `deny`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// From when to when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The hospital, and the doctor where one is named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actor: Vec<Actor>,
    /// The rights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub action: Vec<CodeableConcept>,
    /// The purpose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub purpose: Vec<Coding>,
    /// R4: `ImagingStudy`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class: Vec<Coding>,
    /// R5: `ImagingStudy`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_type: Vec<Coding>,
    /// Modalities, body parts, exam types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<CodeableConcept>,
    /// The days of the exams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_period: Option<Period>,
    /// The chosen records, as salted commitments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<Data>,
}

/// `Consent.provision.actor`.
///
/// ```
/// fn who(actor: &mic_consent::fhir::Actor) -> &mic_consent::fhir::Reference {
///     &actor.reference
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Actor {
    /// `IRCP`, a recipient of information.
    pub role: CodeableConcept,
    /// Who.
    pub reference: Reference,
}

/// `Consent.provision.data`.
///
/// ```
/// fn which(data: &mic_consent::fhir::Data) -> &mic_consent::fhir::Reference {
///     &data.reference
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Data {
    /// `instance`.
    pub meaning: &'static str,
    /// The record, hidden.
    pub reference: Reference,
}

/// `AuditEvent`, as far as a receipt or an emergency access fills it, in the elements of one release.
///
/// ```
/// fn when(event: &mic_consent::fhir::AuditEvent) -> &str {
///     &event.recorded
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AuditEvent {
    /// Always `AuditEvent`.
    pub resource_type: &'static str,
    /// R4: what kind of event.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Coding>,
    /// R4: what event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subtype: Vec<Coding>,
    /// R5: what kind of event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<CodeableConcept>,
    /// R5: what event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeableConcept>,
    /// `R` to open images, `E` to search or to take access.
    pub action: &'static str,
    /// When, with `Z`.
    pub recorded: String,
    /// It was served.
    pub outcome: Outcome,
    /// R4: the purpose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub purpose_of_event: Vec<CodeableConcept>,
    /// R5: the purpose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization: Vec<CodeableConcept>,
    /// R5: the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<Reference>,
    /// The hospital, the doctor, the node that served.
    pub agent: Vec<Agent>,
    /// Who says so.
    pub source: Source,
    /// R4: the patient; the consent or emergency; the record, hidden; the proof of use.
    pub entity: Vec<Entity>,
}

/// R4's code `0`, R5's `success`.
///
/// ```
/// use mic_consent::fhir::Outcome;
/// assert!(matches!(Outcome::R4("0"), Outcome::R4(_)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Outcome {
    /// `0`.
    R4(&'static str),
    /// A coding.
    R5 {
        /// `success`.
        code: Coding,
    },
}

/// `AuditEvent.agent`.
///
/// ```
/// fn who(agent: &mic_consent::fhir::Agent) -> &mic_consent::fhir::Reference {
///     &agent.who
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Agent {
    /// What part it took.
    #[serde(rename = "type")]
    pub kind: CodeableConcept,
    /// Who.
    pub who: Reference,
    /// Whether it asked.
    pub requestor: bool,
}

/// `AuditEvent.source`.
///
/// ```
/// fn node(source: &mic_consent::fhir::Source) -> &mic_consent::fhir::Reference {
///     &source.observer
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Source {
    /// The node.
    pub observer: Reference,
}

/// `AuditEvent.entity`.
///
/// ```
/// fn what(entity: &mic_consent::fhir::Entity) -> Option<&mic_consent::fhir::Reference> {
///     entity.what.as_ref()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entity {
    /// What.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<Reference>,
    /// R4: person or system object.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Coding>,
    /// Its part, a coding in R4 and a concept in R5.
    pub role: EntityRole,
}

/// A coding in R4, a concept in R5.
///
/// ```
/// use mic_consent::fhir::{Coding, EntityRole};
/// let one = EntityRole::R4(Coding::new("http://terminology.hl7.org/CodeSystem/object-role", "1"));
/// assert!(matches!(one, EntityRole::R4(_)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum EntityRole {
    /// R4.
    R4(Coding),
    /// R5.
    R5(CodeableConcept),
}
