//! Receipts and emergency accesses as `AuditEvent`.

use alloc::{string::ToString as _, vec, vec::Vec};

use super::{
    Agent, AuditEvent, CodeableConcept, Coding, Entity, EntityRole, Identifier, Mapper, Outcome,
    PatientReference, Reference, Release, Source,
    words::{self, ACT_REASON, AUDIT_OUTCOME, DCM, ENTITY_TYPE, OBJECT_ROLE, PARTICIPATION},
};
use crate::{
    code::IssuerCode,
    emergency::{EmergencyClaims, EmergencyReason},
    log::ReceiptClaims,
    proof::Action,
};

/// What happened, in the words of DICOM PS3.16 CID 400 and 403 ff.
struct Event {
    kind: &'static str,
    /// What kind of it, where there are several.
    subtype: Option<&'static str>,
    action: &'static str,
}

/// Query.
const LISTED: Event = Event {
    kind: "110112",
    subtype: None,
    action: "E",
};
/// DICOM Instances Accessed.
const OPENED: Event = Event {
    kind: "110103",
    subtype: None,
    action: "R",
};
/// Security Alert: Emergency Override Started.
const OVERRIDE: Event = Event {
    kind: "110113",
    subtype: Some("110127"),
    action: "E",
};

impl Mapper {
    /// A receipt: who was served what, where, under which consent or emergency (CST-165).
    #[must_use]
    pub fn served(&self, receipt: &ReceiptClaims, patient: &PatientReference) -> AuditEvent {
        let event = match receipt.action() {
            Action::ListExams => LISTED,
            Action::OpenRecord(_) => OPENED,
        };
        let why = match (receipt.purpose(), receipt.emergency()) {
            (Some(purpose), _) => self.systems.purpose(purpose),
            (None, Some((reason, _))) => self.emergency_purpose(*reason),
            (None, None) => Vec::new(),
        };
        let hospital = IssuerCode::from(*receipt.organisation());
        let mut agents = vec![self.agent(
            "IRCP",
            self.organisation(&hospital),
            receipt.doctor().is_none(),
        )];
        if let Some(doctor) = receipt.doctor() {
            agents.push(self.agent("AUT", self.doctor(doctor), true));
        }
        if let Some((_, reviewer)) = receipt.emergency() {
            agents.push(self.agent("VRF", self.doctor(reviewer), false));
        }
        agents.push(self.agent("CST", self.organisation(receipt.issuer()), false));
        let mut entities = vec![
            self.patient_entity(patient),
            self.entity(
                "4",
                self.under(receipt.grant(), receipt.emergency().is_some()),
            ),
        ];
        if let Action::OpenRecord(record) = receipt.action() {
            let hidden = Identifier::new(&self.systems.record, &record.to_string());
            entities.push(self.entity("3", Reference::logical("ImagingStudy", hidden)));
        }
        let proof = Identifier::new(&self.systems.grant, &receipt.proof().to_string());
        entities.push(self.entity("20", Reference::logical("Basic", proof)));
        self.event(
            &event,
            receipt.issued_at(),
            why,
            receipt.issuer(),
            patient,
            agents,
            entities,
        )
    }

    /// An emergency access that a hospital took: an emergency override, with who acted and who will review it
    /// (CST-166).
    #[must_use]
    pub fn emergency(&self, access: &EmergencyClaims, patient: &PatientReference) -> AuditEvent {
        let hospital = IssuerCode::from(*access.organisation());
        let agents = vec![
            self.agent("IRCP", self.organisation(&hospital), false),
            self.agent("AUT", self.doctor(access.doctor()), true),
            self.agent("VRF", self.doctor(access.reviewer()), false),
        ];
        let entities = vec![
            self.patient_entity(patient),
            self.entity("4", self.under(access.id(), true)),
        ];
        let why = self.emergency_purpose(access.reason());
        self.event(
            &OVERRIDE,
            access.issued_at(),
            why,
            &hospital,
            patient,
            agents,
            entities,
        )
    }

    /// Break the glass, and the crate's own reason.
    fn emergency_purpose(&self, reason: EmergencyReason) -> Vec<Coding> {
        vec![
            Coding::new(ACT_REASON, "BTG"),
            self.systems.numbered("emergency", reason.number()),
        ]
    }

    fn under(&self, id: &crate::claims::binding::GrantId, emergency: bool) -> Reference {
        let identifier = Identifier::new(&self.systems.grant, &id.to_string());
        Reference::logical(if emergency { "Basic" } else { "Consent" }, identifier)
    }

    fn agent(&self, part: &str, who: Reference, requestor: bool) -> Agent {
        Agent {
            kind: Coding::new(PARTICIPATION, part).into(),
            who,
            requestor,
        }
    }

    fn patient_entity(&self, patient: &PatientReference) -> Entity {
        self.entity_of("1", "1", Reference::literal(patient.as_str()))
    }

    fn entity(&self, role: &str, what: Reference) -> Entity {
        self.entity_of("2", role, what)
    }

    fn entity_of(&self, kind: &str, role: &str, what: Reference) -> Entity {
        let role = Coding::new(OBJECT_ROLE, role);
        let (kind, role) = match self.release {
            Release::R4 => (Some(Coding::new(ENTITY_TYPE, kind)), EntityRole::R4(role)),
            Release::R5 => (None, EntityRole::R5(role.into())),
        };
        Entity {
            what: Some(what),
            kind,
            role,
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one resource, put together once"
    )]
    fn event(
        &self,
        event: &Event,
        at: chrono::DateTime<chrono::Utc>,
        why: Vec<Coding>,
        observer: &IssuerCode,
        patient: &PatientReference,
        agent: Vec<Agent>,
        entity: Vec<Entity>,
    ) -> AuditEvent {
        let kind = Coding::new(DCM, event.kind);
        let subtype = event.subtype.map(|code| Coding::new(DCM, code));
        let finest = subtype.clone().unwrap_or_else(|| kind.clone());
        let why = [CodeableConcept { coding: why }];
        let (r4, r5) = (self.release == Release::R4, self.release == Release::R5);
        AuditEvent {
            resource_type: "AuditEvent",
            kind: r4.then(|| kind.clone()),
            subtype: self.only(Release::R4, subtype),
            category: self.only(Release::R5, [kind.into()]),
            code: r5.then(|| finest.into()),
            action: event.action,
            recorded: words::instant(at),
            outcome: match self.release {
                Release::R4 => Outcome::R4("0"),
                Release::R5 => Outcome::R5 {
                    code: Coding::new(AUDIT_OUTCOME, "0"),
                },
            },
            purpose_of_event: self.only(Release::R4, why.clone()),
            authorization: self.only(Release::R5, why),
            patient: r5.then(|| Reference::literal(patient.as_str())),
            agent,
            source: Source {
                observer: self.organisation(observer),
            },
            entity,
        }
    }
}
