//! Grants, withdrawals and refusals as `Consent`.

use alloc::{format, string::ToString as _, vec, vec::Vec};

use super::{
    Actor, CodeableConcept, Coding, Consent, Data, Identifier, Mapper, Moments, NotCarried,
    OtherGrant, PatientReference, Period, Policy, PolicyBasis, Provision, Provisions, Reference,
    Release, Verification,
    words::{self, ACT_CODE, CONSENT_SCOPE, DCM, LOINC, PARTICIPATION},
};
use crate::{
    claims::{
        person::PatientBand,
        scope::{Scope, ScopeKind},
    },
    grant::GrantClaims,
    refusal::{RefusalClaims, RefusalReason},
    withdrawal::{Effect, WithdrawalClaims},
};

impl Mapper {
    /// A grant: an active consent that permits (CST-161).
    ///
    /// What FHIR has no element for is listed beside it (CST-164).
    #[must_use]
    pub fn granted(
        &self,
        grant: &GrantClaims,
        patient: &PatientReference,
    ) -> (Consent, Vec<NotCarried>) {
        (
            self.consent_of(grant, patient, "active"),
            not_carried(grant),
        )
    }

    /// A grant and its withdrawal: the same consent, inactive (CST-161).
    ///
    /// # Errors
    /// The withdrawal is of another grant, or a suspension, which FHIR has no state for.
    pub fn withdrawn(
        &self,
        grant: &GrantClaims,
        withdrawal: &WithdrawalClaims,
        patient: &PatientReference,
    ) -> Result<(Consent, Vec<NotCarried>), OtherGrant> {
        let same = withdrawal.grant() == grant.id()
            && withdrawal.issuer() == grant.issuer()
            && withdrawal.status() == grant.status();
        if !same || withdrawal.effect() != Effect::Withdrawn {
            return Err(OtherGrant);
        }
        let mut consent = self.consent_of(grant, patient, "inactive");
        // The state is of the moment it was withdrawn; what was permitted till then stays readable.
        let at = withdrawal.issued_at();
        match self.release {
            Release::R4 => consent.date_time = Some(words::instant(at)),
            Release::R5 => consent.date = Some(words::day(at)),
        }
        let until = words::instant(at.min(grant.expires_at()).max(grant.valid_from()));
        if let Some(period) = &mut consent.period {
            period.end.clone_from(&until);
        }
        let (Provisions::One(provision) | Provisions::List([provision])) = &mut consent.provision;
        if let Some(period) = &mut provision.period {
            period.end = until;
        }
        Ok((consent, not_carried(grant)))
    }

    /// A refusal: a consent that denies (CST-162).
    #[must_use]
    pub fn refused(&self, refusal: &RefusalClaims, patient: &PatientReference) -> Consent {
        let declined = refusal.reason() == RefusalReason::Declined;
        let status = match (self.release, declined) {
            (Release::R4, true) => "rejected",
            (Release::R4, false) => "inactive",
            (Release::R5, true) => "active",
            (Release::R5, false) => "not-done",
        };
        let hospital = self.organisation(&(*refusal.organisation()).into());
        let provision = Provision {
            actor: vec![recipient(hospital.clone())],
            ..self.provision("deny")
        };
        let mut consent = Consent {
            identifier: vec![Identifier::new(
                &self.systems.grant,
                &refusal.nonce().to_string(),
            )],
            ..self.consent(status, "deny", provision, patient)
        };
        consent.category.push(
            self.systems
                .numbered("refusal", refusal.reason().number())
                .into(),
        );
        self.dated(&mut consent, refusal.issued_at());
        consent.grantee = self.only(Release::R5, [hospital]);
        let authority = self.organisation(refusal.issuer());
        consent.organization = self.only(Release::R4, [authority.clone()]);
        consent.manager = self.only(Release::R5, [authority]);
        if declined {
            consent.performer = self.only(Release::R4, [Reference::literal(patient.as_str())]);
            consent.grantor = self.only(Release::R5, [Reference::literal(patient.as_str())]);
        }
        consent
    }

    fn consent_of(
        &self,
        grant: &GrantClaims,
        patient: &PatientReference,
        status: &'static str,
    ) -> Consent {
        let systems = &self.systems;
        let hospital = self.organisation(&(*grant.organisation()).into());
        let mut actor = vec![recipient(hospital.clone())];
        if let Some(department) = grant.department() {
            let identifier = Identifier::new(&systems.staff, department.as_str());
            actor.push(recipient(Reference::logical("Organization", identifier)));
        }
        if let Some(doctor) = grant.doctor() {
            actor.push(recipient(self.doctor(doctor)));
        }
        let period = Period {
            start: words::instant(grant.valid_from()),
            end: words::instant(grant.expires_at()),
        };
        let provision = Provision {
            period: Some(period.clone()),
            actor,
            action: systems.rights(grant.rights()),
            purpose: systems.purpose(grant.purpose()),
            code: self.codes(grant.scope()),
            data_period: grant.scope().filter().days().map(|(first, last)| Period {
                start: first.to_string(),
                end: last.to_string(),
            }),
            data: self.data(grant.scope()),
            ..self.provision("permit")
        };
        let id = Identifier::new(&systems.grant, &grant.id().to_string());
        let mut consent = Consent {
            identifier: vec![id],
            ..self.consent(status, "permit", provision, patient)
        };
        consent
            .category
            .extend(systems.ticked(grant.separate_consent()));
        self.dated(&mut consent, grant.issued_at());
        let who = match grant.guardian() {
            None => Reference::literal(patient.as_str()),
            Some(guardian) => {
                let hidden = guardian.commitment().to_string();
                let identifier = Identifier::new(&systems.guardian, &hidden);
                Reference::logical("RelatedPerson", identifier)
            }
        };
        let authority = self.organisation(grant.issuer());
        let notice = words::notice(grant.notice());
        let at = words::instant(grant.issued_at());
        let mut verification = Verification {
            verified: true,
            verification_type: None,
            verification_date: Moments::One(at.clone()),
        };
        match self.release {
            Release::R4 => {
                consent.performer = vec![who];
                consent.organization = vec![authority];
                consent.policy = vec![Policy { uri: notice }];
            }
            Release::R5 => {
                consent.period = Some(period);
                consent.grantor = vec![who];
                consent.grantee = vec![hospital];
                consent.manager = vec![authority];
                consent.policy_basis = Some(PolicyBasis { url: notice });
                verification.verification_type = Some(systems.check(grant.person_check()));
                verification.verification_date = Moments::List([at]);
            }
        }
        consent.verification = vec![verification];
        consent
    }

    fn consent(
        &self,
        status: &'static str,
        decision: &'static str,
        provision: Provision,
        patient: &PatientReference,
    ) -> Consent {
        let patient = Reference::literal(patient.as_str());
        let opt_in: CodeableConcept = Coding::new(ACT_CODE, "OPTIN").into();
        let scope = Coding::new(CONSENT_SCOPE, "patient-privacy").into();
        let one = |release| self.release == release;
        let (r4, r5) = (one(Release::R4), one(Release::R5));
        Consent {
            resource_type: "Consent",
            identifier: Vec::new(),
            status,
            scope: r4.then_some(scope),
            category: vec![Coding::new(LOINC, "59284-0").into()],
            patient: r4.then(|| patient.clone()),
            subject: r5.then_some(patient),
            date_time: None,
            date: None,
            period: None,
            performer: Vec::new(),
            grantor: Vec::new(),
            grantee: Vec::new(),
            organization: Vec::new(),
            manager: Vec::new(),
            policy: Vec::new(),
            policy_rule: r4.then(|| opt_in.clone()),
            regulatory_basis: self.only(Release::R5, [opt_in]),
            policy_basis: None,
            verification: Vec::new(),
            decision: r5.then_some(decision),
            provision: match self.release {
                Release::R4 => Provisions::One(provision),
                Release::R5 => Provisions::List([provision]),
            },
        }
    }

    fn dated(&self, consent: &mut Consent, at: chrono::DateTime<chrono::Utc>) {
        match self.release {
            Release::R4 => consent.date_time = Some(words::instant(at)),
            Release::R5 => consent.date = Some(words::day(at)),
        }
    }

    fn provision(&self, kind: &'static str) -> Provision {
        let study = |system| Coding::new(system, "ImagingStudy");
        Provision {
            kind: (self.release == Release::R4).then_some(kind),
            period: None,
            actor: Vec::new(),
            action: Vec::new(),
            purpose: Vec::new(),
            class: self.only(Release::R4, [study(words::RESOURCE_TYPES_R4)]),
            resource_type: self.only(Release::R5, [study(words::RESOURCE_TYPES_R5)]),
            code: Vec::new(),
            data_period: None,
            data: Vec::new(),
        }
    }

    fn codes(&self, scope: &Scope) -> Vec<CodeableConcept> {
        let (filter, own) = (scope.filter(), &self.systems);
        let modalities = filter.modalities().unwrap_or_default().iter();
        let parts = filter.body_parts().unwrap_or_default().iter();
        let types = filter.exam_types().unwrap_or_default().iter();
        modalities
            .map(|modality| Coding::new(DCM, modality.as_str()))
            .chain(parts.map(|part| own.own(&format!("body-part-{part}"))))
            .chain(types.map(|kind| own.numbered("exam-type", kind.get())))
            .map(CodeableConcept::from)
            .collect()
    }

    fn data(&self, scope: &Scope) -> Vec<Data> {
        if scope.kind() != ScopeKind::Chosen {
            return Vec::new();
        }
        let records = scope.records().iter().map(|record| {
            let hidden = Identifier::new(&self.systems.record, &record.to_string());
            Data {
                meaning: "instance",
                reference: Reference::logical("ImagingStudy", hidden),
            }
        });
        records.collect()
    }
}

fn recipient(reference: Reference) -> Actor {
    Actor {
        role: Coding::new(PARTICIPATION, "IRCP").into(),
        reference,
    }
}

fn not_carried(grant: &GrantClaims) -> Vec<NotCarried> {
    [
        (
            NotCarried::Provinces,
            grant.scope().filter().provinces().is_some(),
        ),
        (NotCarried::StudiesMax, grant.studies_max().is_some()),
        (NotCarried::Band, grant.band() != PatientBand::Adult),
        (NotCarried::Guardianship, grant.guardian().is_some()),
    ]
    .into_iter()
    .filter_map(|(what, there)| there.then_some(what))
    .collect()
}
