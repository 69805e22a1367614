//! The request (`mic-q`): who asks, what for, what, how long. A hospital signs it and shows it as a QR code.

use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    cbor::{
        read::{self, MapReader, Reader},
        write::MapWriter,
    },
    claims::{
        VERSION,
        binding::RequestNonce,
        label, mic,
        purpose::{Purpose, Rights},
        scope::{Scope, ScopeKind},
        time,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, IssuerCode, Realm},
    denial::{Denial, Reason, Step},
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyRecord,
    limits::{GRANT_LIFE_S, GRANT_LIFE_S_MAX, REQUEST_LIFE_S, REQUEST_LIFE_S_MAX},
    signer::{AsyncSigner, Signer},
    token::{TokenType, sealed},
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
    issuer: IssuerCode,
    realm: Realm,
    expires_at: DateTime<Utc>,
    issued_at: DateTime<Utc>,
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
}

impl RequestClaims {
    /// The hospital that asks; its key signed this.
    #[must_use]
    pub const fn organisation(&self) -> &InstitutionCode {
        &self.organisation
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

    /// When it ends (not included).
    #[must_use]
    pub const fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
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

    /// The rules between the claims (CST-50).
    fn check(&self) -> Result<(), Reason> {
        let life = time::between(self.issued_at, self.expires_at);
        if life <= 0 {
            return Err(Reason::TimeOrder);
        }
        if life > i64::from(REQUEST_LIFE_S_MAX)
            || !(1..=GRANT_LIFE_S_MAX).contains(&self.asked.period_s)
        {
            return Err(Reason::LifeTooLong);
        }
        if self.asked.scope.kind() == ScopeKind::Chosen {
            return Err(Reason::ScopeInconsistent);
        }
        check_rights(self.asked.rights, &self.asked.scope)
    }

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = MapWriter::new();
        private.key(mic::VERSION).uint(VERSION);
        private
            .key(mic::PURPOSE)
            .uint(self.asked.purpose.number().into());
        private
            .key(mic::RIGHTS)
            .uint(self.asked.rights.bits().into());
        private.key(mic::SCOPE).raw(&self.asked.scope.encode());
        write_operator(&mut private, self.department(), self.doctor());
        private.key(mic::PERIOD).uint(self.asked.period_s.into());

        let mut claims = MapWriter::new();
        claims.key(label::ISS).text(self.organisation.as_str());
        claims.key(label::AUD).text(self.realm.as_str());
        claims.key(label::EXP).uint(time::seconds(self.expires_at)?);
        claims.key(label::IAT).uint(time::seconds(self.issued_at)?);
        claims.key(label::NONCE).bytes(self.nonce.as_bytes());
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

impl sealed::Common for RequestClaims {
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
        self.issued_at
    }

    fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }
}

impl sealed::Rules for RequestClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = Reader::new(payload, start, Step::Claims).map()?;
        let organisation = institution(claims.need(label::ISS, Reason::MissingClaim)?)?;
        let realm = realm(&mut claims)?;
        let expires_at = moment(&mut claims, label::EXP)?;
        let issued_at = moment(&mut claims, label::IAT)?;
        let nonce = claims
            .need(label::NONCE, Reason::MissingClaim)?
            .take(read::array_of)
            .map(RequestNonce::from_bytes)?;

        let mut private = private_map(&mut claims)?;
        let purpose = purpose(&mut private)?;
        let rights = rights(&mut private)?;
        let scope = Scope::decode(private.need(mic::SCOPE, Reason::MissingClaim)?)?;
        let (department, doctor) = operator(&mut private)?;
        let period_s = private
            .need(mic::PERIOD, Reason::MissingClaim)?
            .take_as(read::uint, |seconds| {
                u32::try_from(seconds).map_err(|_| Reason::LifeTooLong)
            })?;
        claims.continue_from(private.finish(Reason::UnexpectedKey)?);
        claims.finish(Reason::UnexpectedKey)?.end()?;

        let asked = Asked {
            purpose,
            rights,
            scope,
            department,
            doctor,
            period_s,
        };
        let issuer = organisation.into();
        let claims = Self {
            organisation,
            issuer,
            realm,
            expires_at,
            issued_at,
            nonce,
            asked,
        };
        claims
            .check()
            .map_err(|reason| Denial::new(reason).in_step(Step::Claims))?;
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
        let issued_at = time::whole_second(now)?;
        let claims = RequestClaims {
            organisation: self.organisation,
            issuer: self.organisation.into(),
            realm: self.realm,
            expires_at: later(issued_at, self.life_s)?,
            issued_at,
            nonce,
            asked: self.asked.clone(),
        };
        claims.check()?;
        Ok(claims.encode()?)
    }
}

/// `seconds` after `time`.
pub(crate) fn later(time: DateTime<Utc>, seconds: u32) -> Result<DateTime<Utc>, Reason> {
    time.checked_add_signed(TimeDelta::seconds(seconds.into()))
        .ok_or(Reason::ClockInvalid)
}

/// A list alone gives the right to the list alone, and only it (CST-42).
pub(crate) fn check_rights(rights: Rights, scope: &Scope) -> Result<(), Reason> {
    match scope.kind() {
        ScopeKind::ListOnly if rights != Rights::LIST => Err(Reason::ScopeInconsistent),
        _ => Ok(()),
    }
}

pub(crate) fn write_operator(
    map: &mut MapWriter,
    department: Option<&DepartmentCode>,
    doctor: Option<&DoctorCode>,
) {
    if let Some(department) = department {
        map.key(mic::DEPARTMENT).text(department.as_str());
    }
    if let Some(doctor) = doctor {
        map.key(mic::DOCTOR).text(doctor.as_str());
    }
}

pub(crate) fn operator(
    map: &mut MapReader<'_>,
) -> Result<(Option<DepartmentCode>, Option<DoctorCode>), Denial> {
    let department = match map.find(mic::DEPARTMENT)? {
        Some(value) => Some(
            value.take_as(read::text(DepartmentCode::CHARS_MAX), |text| {
                DepartmentCode::new(text).map_err(|_| Reason::BadCode)
            })?,
        ),
        None => None,
    };
    let doctor = match map.find(mic::DOCTOR)? {
        Some(value) => Some(value.take_as(read::text(DoctorCode::CHARS_MAX), |text| {
            DoctorCode::new(text).map_err(|_| Reason::BadCode)
        })?),
        None => None,
    };
    Ok((department, doctor))
}

pub(crate) fn institution(value: &mut Reader<'_>) -> Result<InstitutionCode, Denial> {
    value.take_as(read::text(InstitutionCode::CHARS_MAX), |text| {
        InstitutionCode::new(text).map_err(|_| Reason::BadCode)
    })
}

pub(crate) fn issuer(value: &mut Reader<'_>) -> Result<IssuerCode, Denial> {
    value.take_as(read::text(IssuerCode::CHARS_MAX), |text| {
        IssuerCode::new(text).map_err(|_| Reason::BadCode)
    })
}

pub(crate) fn realm(claims: &mut MapReader<'_>) -> Result<Realm, Denial> {
    claims
        .need(label::AUD, Reason::MissingClaim)?
        .take_as(read::text(Realm::CHARS_MAX), |text| {
            Realm::new(text).map_err(|_| Reason::BadCode)
        })
}

pub(crate) fn moment(claims: &mut MapReader<'_>, key: i64) -> Result<DateTime<Utc>, Denial> {
    claims
        .need(key, Reason::MissingClaim)?
        .take_as(read::uint, time::moment)
}

/// Begins the private map and checks its version.
pub(crate) fn private_map<'a>(claims: &mut MapReader<'a>) -> Result<MapReader<'a>, Denial> {
    let mut private = claims.need(label::MIC, Reason::MissingClaim)?.map()?;
    private
        .need(mic::VERSION, Reason::MissingClaim)?
        .take_as(read::uint, |version| {
            if version == VERSION {
                Ok(())
            } else {
                Err(Reason::UnsupportedVersion)
            }
        })?;
    Ok(private)
}

pub(crate) fn purpose(private: &mut MapReader<'_>) -> Result<Purpose, Denial> {
    private
        .need(mic::PURPOSE, Reason::MissingClaim)?
        .take_as(read::uint, |number| {
            Purpose::from_number(number).ok_or(Reason::UnknownPurpose)
        })
}

pub(crate) fn rights(private: &mut MapReader<'_>) -> Result<Rights, Denial> {
    private
        .need(mic::RIGHTS, Reason::MissingClaim)?
        .take_as(read::uint, Rights::from_bits)
}
