//! The grant (`mic-g`): a consent authority says that the patient agreed, to what, for whom, until when.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    cbor::{
        read::{self, MapReader, Reader},
        write::MapWriter,
    },
    claims::{
        VERSION,
        binding::{GrantId, NoticeHash, RequestNonce, SubjectCommitment, grant_digest},
        label, mic,
        person::{Guardian, PatientBand, PersonCheck, SeparateConsent},
        purpose::{Purpose, Rights},
        scope::Scope,
        time,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, IssuerCode, Realm},
    denial::{Denial, Reason, Step},
    key::{KeyId, KeyRecord},
    limits::{GRANT_LIFE_S_MAX, STUDIES_MAX},
    request,
    status::StatusRef,
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
    issuer: IssuerCode,
    subject: SubjectCommitment,
    realm: Realm,
    expires_at: DateTime<Utc>,
    valid_from: DateTime<Utc>,
    issued_at: DateTime<Utc>,
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
        &self.issuer
    }

    /// The patient, hidden.
    #[must_use]
    pub const fn subject(&self) -> &SubjectCommitment {
        &self.subject
    }

    /// The realm.
    #[must_use]
    pub const fn realm(&self) -> &Realm {
        &self.realm
    }

    /// When it was issued.
    #[must_use]
    pub const fn issued_at(&self) -> DateTime<Utc> {
        self.issued_at
    }

    /// From when it is valid.
    #[must_use]
    pub const fn valid_from(&self) -> DateTime<Utc> {
        self.valid_from
    }

    /// When it ends (not included).
    #[must_use]
    pub const fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
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

    /// The rules between the claims (CST-51 to CST-55).
    fn check(&self) -> Result<(), Reason> {
        if self.issued_at > self.valid_from || self.valid_from >= self.expires_at {
            return Err(Reason::TimeOrder);
        }
        if time::between(self.issued_at, self.expires_at) > i64::from(GRANT_LIFE_S_MAX) {
            return Err(Reason::LifeTooLong);
        }
        request::check_rights(self.rights, &self.scope)?;
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

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = MapWriter::new();
        private.key(mic::VERSION).uint(VERSION);
        private
            .key(mic::ORGANISATION)
            .text(self.organisation.as_str());
        private.key(mic::PURPOSE).uint(self.purpose.number().into());
        private.key(mic::RIGHTS).uint(self.rights.bits().into());
        private.key(mic::SCOPE).raw(&self.scope.encode());
        private.key(mic::NOTICE).bytes(self.notice.as_bytes());
        private
            .key(mic::STATUS)
            .array(2)
            .uint(self.status.list().into())
            .uint(self.status.index().into());
        if let Some(guardian) = &self.guardian {
            private.key(mic::GUARDIAN).raw(&guardian.encode());
        }
        private.key(mic::SEPARATE).uint(self.separate.bits().into());
        if let Some(studies) = self.studies {
            private.key(mic::STUDIES).uint(studies.into());
        }
        request::write_operator(&mut private, self.department(), self.doctor());
        if self.band != PatientBand::Adult {
            private.key(mic::BAND).uint(self.band.number().into());
        }
        private.key(mic::CHECK).uint(self.check.number().into());

        let mut holder = MapWriter::new();
        holder.key(label::CNF_KID).bytes(self.holder.as_bytes());

        let mut claims = MapWriter::new();
        claims.key(label::ISS).text(self.issuer.as_str());
        claims.key(label::SUB).bytes(self.subject.as_bytes());
        claims.key(label::AUD).text(self.realm.as_str());
        claims.key(label::EXP).uint(time::seconds(self.expires_at)?);
        // Left out when it begins at once: one way to say it, and nine characters less in the QR code.
        if self.valid_from != self.issued_at {
            claims.key(label::NBF).uint(time::seconds(self.valid_from)?);
        }
        claims.key(label::IAT).uint(time::seconds(self.issued_at)?);
        claims.key(label::CTI).bytes(self.id.as_bytes());
        claims.key(label::CNF).raw(&holder.finish());
        claims.key(label::NONCE).bytes(self.nonce.as_bytes());
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }

    fn decode_private(claims: &mut MapReader<'_>, outer: Outer) -> Result<Self, Denial> {
        let mut private = request::private_map(claims)?;
        let organisation =
            request::institution(private.need(mic::ORGANISATION, Reason::MissingClaim)?)?;
        let purpose = request::purpose(&mut private)?;
        let rights = request::rights(&mut private)?;
        let scope = Scope::decode(private.need(mic::SCOPE, Reason::MissingClaim)?)?;
        let notice = private
            .need(mic::NOTICE, Reason::MissingClaim)?
            .take(read::array_of)
            .map(NoticeHash::from_bytes)?;
        let place = private.need(mic::STATUS, Reason::MissingClaim)?;
        place.take(read::array(2, 2))?;
        let number = |number| u32::try_from(number).map_err(|_| Reason::TooMany);
        let status = StatusRef::new(
            place.take_as(read::uint, number)?,
            place.take_as(read::uint, number)?,
        );
        let guardian = match private.find(mic::GUARDIAN)? {
            Some(value) => Some(Guardian::decode(value)?),
            None => None,
        };
        let separate = private
            .need(mic::SEPARATE, Reason::SeparateConsentMissing)?
            .take_as(read::uint, SeparateConsent::from_bits)?;
        let studies = match private.find(mic::STUDIES)? {
            Some(value) => Some(value.take_as(read::uint, |count| {
                u16::try_from(count)
                    .ok()
                    .filter(|count| (1..=STUDIES_MAX).contains(count))
                    .ok_or(Reason::TooMany)
            })?),
            None => None,
        };
        let (department, doctor) = request::operator(&mut private)?;
        let band = match private.find(mic::BAND)? {
            // Adult is left out, and is not said in a second way.
            Some(value) => value.take_as(read::uint, |number| {
                PatientBand::from_number(number)
                    .filter(|band| *band != PatientBand::Adult)
                    .ok_or(Reason::UnknownListValue)
            })?,
            None => PatientBand::Adult,
        };
        let check = private
            .need(mic::CHECK, Reason::MissingClaim)?
            .take_as(read::uint, |number| {
                PersonCheck::from_number(number).ok_or(Reason::UnknownListValue)
            })?;
        claims.continue_from(private.finish(Reason::UnexpectedKey)?);

        Ok(Self {
            issuer: outer.issuer,
            subject: outer.subject,
            realm: outer.realm,
            expires_at: outer.expires_at,
            valid_from: outer.valid_from,
            issued_at: outer.issued_at,
            id: outer.id,
            holder: outer.holder,
            nonce: outer.nonce,
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
        })
    }
}

/// The registered claims, while the private map is still to be read.
struct Outer {
    issuer: IssuerCode,
    subject: SubjectCommitment,
    realm: Realm,
    expires_at: DateTime<Utc>,
    valid_from: DateTime<Utc>,
    issued_at: DateTime<Utc>,
    id: GrantId,
    holder: KeyId,
    nonce: RequestNonce,
}

impl sealed::Common for GrantClaims {
    fn issuer(&self) -> &IssuerCode {
        &self.issuer
    }

    fn realm(&self) -> &Realm {
        &self.realm
    }

    fn issued_at(&self) -> DateTime<Utc> {
        self.issued_at
    }

    fn valid_from(&self) -> DateTime<Utc> {
        self.valid_from
    }

    fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }
}

impl sealed::Rules for GrantClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = Reader::new(payload, start, Step::Claims).map()?;
        let issuer = request::issuer(claims.need(label::ISS, Reason::MissingClaim)?)?;
        let subject = claims
            .need(label::SUB, Reason::MissingClaim)?
            .take(read::array_of)
            .map(SubjectCommitment::from_bytes)?;
        let realm = request::realm(&mut claims)?;
        let expires_at = request::moment(&mut claims, label::EXP)?;
        let begins_at = match claims.find(label::NBF)? {
            Some(value) => Some(value.take_as(read::uint, time::moment)?),
            None => None,
        };
        let issued_at = request::moment(&mut claims, label::IAT)?;
        if begins_at == Some(issued_at) {
            return Err(Denial::new(Reason::TimeOrder).in_step(Step::Claims));
        }
        let valid_from = begins_at.unwrap_or(issued_at);
        let id = claims
            .need(label::CTI, Reason::MissingClaim)?
            .take(read::array_of)
            .map(GrantId::from_bytes)?;
        let mut confirmation = claims.need(label::CNF, Reason::MissingClaim)?.map()?;
        let holder = confirmation
            .need(label::CNF_KID, Reason::MissingClaim)?
            .take(read::array_of)
            .map(KeyId::from_bytes)?;
        claims.continue_from(confirmation.finish(Reason::UnexpectedKey)?);
        let nonce = claims
            .need(label::NONCE, Reason::MissingClaim)?
            .take(read::array_of)
            .map(RequestNonce::from_bytes)?;

        let outer = Outer {
            issuer,
            subject,
            realm,
            expires_at,
            valid_from,
            issued_at,
            id,
            holder,
            nonce,
        };
        let decoded = Self::decode_private(&mut claims, outer)?;
        claims.finish(Reason::UnexpectedKey)?.end()?;
        decoded
            .check()
            .map_err(|reason| Denial::new(reason).in_step(Step::Claims))?;
        Ok(decoded)
    }

    fn issuer_rules(&self, record: &KeyRecord) -> Result<(), Denial> {
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
