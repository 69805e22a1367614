//! The request (`mic-q`): who asks, what for, what, how long. A hospital signs it and shows it as a QR code.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    cbor::read,
    claims::{
        binding::{OfferId, RequestNonce},
        fields, label, mic,
        outer::{Outer, outer_claims},
        purpose::{Purpose, Rights},
        scope::{Scope, ScopeKind},
        time,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, Realm},
    denial::{Denial, Reason},
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyRecord,
    limits::{GRANT_LIFE_S, GRANT_LIFE_S_MAX, REQUEST_LIFE_S, REQUEST_LIFE_S_MAX},
    offer::Offer,
    signer::{AsyncSigner, Signer},
    token::{Live, TokenType, sealed},
};

/// The type of a request token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {}

/// What a request says; read from [`Signed`](crate::Signed) on.
///
/// ```
/// fn screen(request: &mic_consent::RequestClaims) -> String {
///     format!("{} 申请调阅，目的：{}", request.organisation(), request.purpose().chinese())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestClaims {
    organisation: InstitutionCode,
    outer: Outer,
    nonce: RequestNonce,
    asked: Asked,
}

/// The parts that a grant takes over.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    purpose: Purpose,
    rights: Rights,
    scope: Scope,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    period_s: u32,
    offer: Option<OfferId>,
}

impl RequestClaims {
    /// The hospital that asks; its key signed this.
    #[must_use]
    pub const fn organisation(&self) -> &InstitutionCode {
        &self.organisation
    }

    /// The nonce that a grant must repeat.
    #[must_use]
    pub const fn nonce(&self) -> &RequestNonce {
        &self.nonce
    }

    /// What for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.asked.purpose
    }

    /// What may be done at most.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        self.asked.rights
    }

    /// Which exams at most.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.asked.scope
    }

    /// The department that asks.
    #[must_use]
    pub const fn department(&self) -> Option<&DepartmentCode> {
        self.asked.department.as_ref()
    }

    /// The doctor who asks.
    #[must_use]
    pub const fn doctor(&self) -> Option<&DoctorCode> {
        self.asked.doctor.as_ref()
    }

    /// How long the grant may live at most, in seconds.
    #[must_use]
    pub const fn period_s(&self) -> u32 {
        self.asked.period_s
    }

    /// The offer that it takes up, when the patient showed one (CST-88).
    #[must_use]
    pub const fn offer(&self) -> Option<&OfferId> {
        self.asked.offer.as_ref()
    }

    /// The rules between the claims (CST-50).
    fn check(&self) -> Result<(), Reason> {
        self.outer.check(REQUEST_LIFE_S_MAX)?;
        if !(1..=GRANT_LIFE_S_MAX).contains(&self.asked.period_s) {
            return Err(Reason::LifeTooLong);
        }
        if self.asked.scope.kind() == ScopeKind::Chosen {
            return Err(Reason::ScopeInconsistent);
        }
        fields::check_rights(self.asked.rights, &self.asked.scope)
    }

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        private
            .key(mic::PURPOSE)
            .uint(self.asked.purpose.number().into());
        private
            .key(mic::RIGHTS)
            .uint(self.asked.rights.bits().into());
        private.key(mic::SCOPE).raw(&self.asked.scope.encode());
        fields::write_operator(&mut private, self.department(), self.doctor());
        private.key(mic::PERIOD).uint(self.asked.period_s.into());
        if let Some(offer) = self.offer() {
            private.key(mic::OFFER).bytes(offer.as_bytes());
        }

        let mut claims = self.outer.write(None)?;
        claims.key(label::NONCE).bytes(self.nonce.as_bytes());
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

outer_claims!(RequestClaims);

impl sealed::Rules for RequestClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let organisation = fields::institution(claims.need(label::ISS, Reason::MissingClaim)?)?;
        let outer = Outer::read_behind(organisation.into(), &mut claims, false)?;
        let nonce = fields::fixed(&mut claims, label::NONCE).map(RequestNonce::from_bytes)?;

        let mut private = fields::private_map(&mut claims)?;
        let purpose = fields::purpose(&mut private)?;
        let rights = fields::rights(&mut private)?;
        let scope = fields::scope(&mut private)?;
        let (department, doctor) = fields::operator(&mut private)?;
        let period_s = private
            .need(mic::PERIOD, Reason::MissingClaim)?
            .take_as(read::uint, |seconds| {
                u32::try_from(seconds).map_err(|_| Reason::LifeTooLong)
            })?;
        let offer = match private.find(mic::OFFER) {
            Some(value) => Some(value.take(read::array_of).map(OfferId::from_bytes)?),
            None => None,
        };
        fields::end(claims, private)?;

        let asked = Asked {
            purpose,
            rights,
            scope,
            department,
            doctor,
            period_s,
            offer,
        };
        let claims = Self {
            organisation,
            outer,
            nonce,
            asked,
        };
        claims.check().map_err(fields::broken)?;
        Ok(claims)
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        // A record's province and its owner's code were compared when it was made.
        Ok(())
    }
}

/// A request being made.
///
/// ```
/// use mic_consent::{
///     InstitutionCode, Modality, Purpose, Realm, RequestDraft, RequestNonce, Rights, Scope, ScopeFilter, Sm2SigningKey,
/// };
///
/// let key = Sm2SigningKey::from_secret_bytes(&[7; 32])?; // a test key
/// let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let scope = Scope::filtered(ScopeFilter::new().with_modalities([Modality::new("CT")?])?)?;
/// let request = RequestDraft::new(
///     Realm::new("mic.cn")?, InstitutionCode::new("H11010500001")?, Purpose::Treatment,
///     Rights::LIST | Rights::VIEW, scope,
/// )
/// .sign(&key, RequestNonce::from_bytes([1; 16]), now)?; // random bytes in earnest
/// assert!(request.to_text().starts_with("MICQ1:"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RequestDraft {
    realm: Realm,
    organisation: InstitutionCode,
    asked: Asked,
    life_s: u32,
}

impl RequestDraft {
    /// A request by `organisation`. It lives 120 seconds; the grant may live two hours.
    #[must_use]
    pub const fn new(
        realm: Realm,
        organisation: InstitutionCode,
        purpose: Purpose,
        rights: Rights,
        scope: Scope,
    ) -> Self {
        let asked = Asked {
            purpose,
            rights,
            scope,
            department: None,
            doctor: None,
            period_s: GRANT_LIFE_S,
            offer: None,
        };
        Self {
            realm,
            organisation,
            asked,
            life_s: REQUEST_LIFE_S,
        }
    }

    /// For this department alone.
    #[must_use]
    pub const fn with_department(mut self, department: DepartmentCode) -> Self {
        self.asked.department = Some(department);
        self
    }

    /// For this doctor alone.
    #[must_use]
    pub const fn with_doctor(mut self, doctor: DoctorCode) -> Self {
        self.asked.doctor = Some(doctor);
        self
    }

    /// Taking up an offer that the patient's phone shows: the authority finds the person by it. Such a
    /// request goes to the authority and is not shown as a code.
    #[must_use]
    pub const fn taking_up(mut self, offer: &Live<Offer>) -> Self {
        self.asked.offer = Some(*offer.claims().id());
        self
    }

    /// The grant may live this many seconds: 1 to 86,400.
    #[must_use]
    pub const fn with_period_s(mut self, period_s: u32) -> Self {
        self.asked.period_s = period_s;
        self
    }

    /// The request lives this many seconds: 1 to 300.
    #[must_use]
    pub const fn with_life_s(mut self, life_s: u32) -> Self {
        self.life_s = life_s;
        self
    }

    /// Signs it. `nonce` is 16 fresh random bytes, which the hospital keeps until the grant comes.
    ///
    /// # Errors
    /// A chosen scope; a life or period out of range; rights that the scope cannot give; a failing signer.
    pub fn sign(
        &self,
        signer: &dyn Signer,
        nonce: RequestNonce,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        seal(TokenType::Request, &self.payload(nonce, now)?, signer)
    }

    /// The same with a signer that is waited for.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_async(
        &self,
        signer: &impl AsyncSigner,
        nonce: RequestNonce,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(nonce, now)?;
        seal_async(TokenType::Request, &payload, signer).await
    }

    fn payload(&self, nonce: RequestNonce, now: DateTime<Utc>) -> Result<Vec<u8>, IssueError> {
        if self.asked.scope.kind() == ScopeKind::Chosen {
            return Err(IssueError::ChosenInRequest);
        }
        let claims = RequestClaims {
            organisation: self.organisation,
            outer: Outer::new(
                self.organisation.into(),
                self.realm,
                time::whole_second(now)?,
                self.life_s,
            )?,
            nonce,
            asked: self.asked.clone(),
        };
        claims.check()?;
        Ok(claims.encode()?)
    }
}
