//! The grant (`mic-g`): a consent authority says that the patient agreed, to what, for whom, until when.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    cbor::read,
    claims::{
        binding::{GrantId, NoticeHash, RequestNonce, SubjectCommitment, grant_digest},
        fields, label, mic,
        outer::{Outer, outer_claims},
        person::{Guardian, PatientBand, PersonCheck, SeparateConsent},
        purpose::{Purpose, Rights},
        scope::Scope,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, IssuerCode},
    denial::{Denial, Reason},
    key::{KeyId, KeyRecord},
    limits::GRANT_LIFE_S_MAX,
    status::StatusRef,
    terms::Terms,
    token::{Live, Signed, sealed},
};

mod draft;

pub use self::draft::GrantDraft;

/// The type of a grant token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grant {}

/// What a grant says; read from [`Signed`] on.
///
/// ```
/// fn line(grant: &mic_consent::GrantClaims) -> String {
///     format!("{} may {} until {}", grant.organisation(), grant.rights(), grant.expires_at())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantClaims {
    outer: Outer,
    subject: SubjectCommitment,
    id: GrantId,
    holder: KeyId,
    nonce: RequestNonce,
    organisation: InstitutionCode,
    purpose: Purpose,
    rights: Rights,
    scope: Scope,
    notice: NoticeHash,
    status: StatusRef,
    guardian: Option<Guardian>,
    separate: SeparateConsent,
    studies: Option<u16>,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    band: PatientBand,
    check: PersonCheck,
}

impl GrantClaims {
    /// The consent authority.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerCode {
        &self.outer.origin.issuer
    }

    /// The patient, hidden.
    #[must_use]
    pub const fn subject(&self) -> &SubjectCommitment {
        &self.subject
    }

    /// From when it is valid.
    #[must_use]
    pub const fn valid_from(&self) -> DateTime<Utc> {
        self.outer.valid_from.date_time()
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &GrantId {
        &self.id
    }

    /// The hospital's key, which alone can use it: the one that signed the request.
    #[must_use]
    pub const fn holder(&self) -> KeyId {
        self.holder
    }

    /// The nonce of the request that it answers.
    #[must_use]
    pub const fn nonce(&self) -> &RequestNonce {
        &self.nonce
    }

    /// The hospital.
    #[must_use]
    pub const fn organisation(&self) -> &InstitutionCode {
        &self.organisation
    }

    /// What for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// What may be done.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        self.rights
    }

    /// Which exams.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The notice that the person saw.
    #[must_use]
    pub const fn notice(&self) -> &NoticeHash {
        &self.notice
    }

    /// Its place in the status lists.
    #[must_use]
    pub const fn status(&self) -> StatusRef {
        self.status
    }

    /// The guardian who consented.
    #[must_use]
    pub const fn guardian(&self) -> Option<&Guardian> {
        self.guardian.as_ref()
    }

    /// The boxes that were ticked.
    #[must_use]
    pub const fn separate_consent(&self) -> SeparateConsent {
        self.separate
    }

    /// How many different studies may be opened at each node.
    #[must_use]
    pub const fn studies_max(&self) -> Option<u16> {
        self.studies
    }

    /// The one department that may use it.
    #[must_use]
    pub const fn department(&self) -> Option<&DepartmentCode> {
        self.department.as_ref()
    }

    /// The one doctor who may use it.
    #[must_use]
    pub const fn doctor(&self) -> Option<&DoctorCode> {
        self.doctor.as_ref()
    }

    /// The patient's age and capacity.
    #[must_use]
    pub const fn band(&self) -> PatientBand {
        self.band
    }

    /// How the authority made sure who consented.
    #[must_use]
    pub const fn person_check(&self) -> PersonCheck {
        self.check
    }

    /// What it allows.
    #[must_use]
    pub const fn terms(&self) -> Terms<'_> {
        Terms {
            rights: self.rights,
            scope: &self.scope,
            valid_from: self.valid_from(),
            expires_at: self.expires_at(),
            place: None,
            department: self.department.as_ref(),
            doctor: self.doctor.as_ref(),
            studies: self.studies,
        }
    }

    /// The rules between the claims (CST-51 to CST-55).
    fn check(&self) -> Result<(), Reason> {
        self.outer.check(GRANT_LIFE_S_MAX)?;
        fields::check_rights(self.rights, &self.scope)?;
        if !self
            .separate
            .contains(SeparateConsent::needed(self.rights, self.band))
        {
            return Err(Reason::SeparateConsentMissing);
        }
        match (&self.guardian, self.band) {
            (None, band) if band.needs_guardian() => Err(Reason::GuardianMissing),
            (Some(_), band) if !band.admits_guardian() => Err(Reason::GuardianForbidden),
            _ => Ok(()),
        }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        private
            .key(mic::ORGANISATION)
            .text(self.organisation.as_str());
        private.key(mic::PURPOSE).uint(self.purpose.number().into());
        private.key(mic::RIGHTS).uint(self.rights.bits().into());
        private.key(mic::SCOPE).raw(&self.scope.encode());
        private.key(mic::NOTICE).bytes(self.notice.as_bytes());
        fields::write_status(&mut private, self.status);
        if let Some(guardian) = &self.guardian {
            private.key(mic::GUARDIAN).raw(&guardian.encode());
        }
        private.key(mic::SEPARATE).uint(self.separate.bits().into());
        if let Some(studies) = self.studies {
            private.key(mic::STUDIES).uint(studies.into());
        }
        fields::write_operator(&mut private, self.department(), self.doctor());
        if self.band != PatientBand::Adult {
            private.key(mic::BAND).uint(self.band.number().into());
        }
        private.key(mic::CHECK).uint(self.check.number().into());

        let mut claims = self.outer.write(Some(&self.subject))?;
        claims.key(label::CTI).bytes(self.id.as_bytes());
        fields::write_holder(&mut claims, self.holder);
        claims.key(label::NONCE).bytes(self.nonce.as_bytes());
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

outer_claims!(GrantClaims);

impl sealed::Rules for GrantClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let issuer = fields::issuer(claims.need(label::ISS, Reason::MissingClaim)?)?;
        let subject = fields::subject(&mut claims)?;
        let outer = Outer::read_behind(issuer, &mut claims, true)?;
        let id = fields::fixed(&mut claims, label::CTI).map(GrantId::from_bytes)?;
        let holder = fields::holder(&mut claims)?;
        let nonce = fields::fixed(&mut claims, label::NONCE).map(RequestNonce::from_bytes)?;

        let mut private = fields::private_map(&mut claims)?;
        let organisation =
            fields::institution(private.need(mic::ORGANISATION, Reason::MissingClaim)?)?;
        let purpose = fields::purpose(&mut private)?;
        let rights = fields::rights(&mut private)?;
        let scope = fields::scope(&mut private)?;
        let notice = fields::fixed(&mut private, mic::NOTICE).map(NoticeHash::from_bytes)?;
        let status = fields::status(&mut private)?;
        let guardian = match private.find(mic::GUARDIAN) {
            Some(value) => Some(Guardian::decode(value)?),
            None => None,
        };
        let separate = private
            .need(mic::SEPARATE, Reason::SeparateConsentMissing)?
            .take_as(read::uint, SeparateConsent::from_bits)?;
        let studies = fields::studies(&mut private)?;
        let (department, doctor) = fields::operator(&mut private)?;
        let band = match private.find(mic::BAND) {
            // Adult is left out, and is not said in a second way.
            Some(value) => value.take_as(read::uint, |number| {
                PatientBand::from_number(number)
                    .filter(|band| *band != PatientBand::Adult)
                    .ok_or(Reason::UnknownListValue)
            })?,
            None => PatientBand::Adult,
        };
        let check = fields::listed(&mut private, mic::CHECK, PersonCheck::from_number)?;
        fields::end(claims, private)?;

        let decoded = Self {
            outer,
            subject,
            id,
            holder,
            nonce,
            organisation,
            purpose,
            rights,
            scope,
            notice,
            status,
            guardian,
            separate,
            studies,
            department,
            doctor,
            band,
            check,
        };
        decoded.check().map_err(fields::broken)?;
        Ok(decoded)
    }

    fn issuer_rules(&self, record: &KeyRecord) -> Result<(), Denial> {
        if *self.issuer() == IssuerCode::from(self.organisation) {
            return Err(Reason::SelfGranted.into());
        }
        match record.province() {
            Some(province) if !self.scope.is_confined_to(province) => {
                Err(Reason::OutsideProvince.into())
            }
            _ => Ok(()),
        }
    }
}

impl Signed<Grant> {
    /// Whether this grant answers the hospital's own request (step 11): the same nonce, the same key.
    ///
    /// # Errors
    /// It answers another request.
    pub fn answers(&self, nonce: &RequestNonce, holder: &KeyId) -> Result<(), Denial> {
        answers(self.claims(), nonce, holder)
    }
}

impl Live<Grant> {
    /// Whether this grant answers the hospital's own request (step 11): the same nonce, the same key.
    ///
    /// # Errors
    /// It answers another request.
    pub fn answers(&self, nonce: &RequestNonce, holder: &KeyId) -> Result<(), Denial> {
        answers(self.claims(), nonce, holder)
    }

    /// The digest of its claims, which a proof of use names.
    pub(crate) fn digest(&self) -> Result<[u8; 32], Reason> {
        grant_digest(self.suite(), self.encoded().payload()).ok_or(Reason::SuiteNotAccepted)
    }
}

fn answers(claims: &GrantClaims, nonce: &RequestNonce, holder: &KeyId) -> Result<(), Denial> {
    if claims.nonce == *nonce && claims.holder == *holder {
        Ok(())
    } else {
        Err(Reason::OtherRequest.into())
    }
}
