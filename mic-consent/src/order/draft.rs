//! An order being made.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::{OrderClaims, StatutoryGround};
use crate::{
    claims::{
        binding::{GrantId, InstrumentDigest, Opening, OpeningDigest, SubjectCommitment},
        outer::Outer,
        purpose::Rights,
        scope::Scope,
        time,
    },
    code::{ArticleCode, DepartmentCode, DoctorCode, InstitutionCode, IssuerCode, Realm},
    denial::Reason,
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyId,
    limits::ORDER_LIFE_S,
    signer::{AsyncSigner, Signer},
    status::StatusRef,
    suite::Suite,
    token::TokenType,
};

/// An order being made by a body with the power of law: to list and view all exams for a day, unless told
/// otherwise.
///
/// ```
/// use mic_consent::*;
///
/// let court_key = Sm2SigningKey::from_secret_bytes(&[3; 32])?; // test keys
/// let lab_key = Sm2SigningKey::from_secret_bytes(&[1; 32])?;
/// let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let instrument = InstrumentDigest::new(Suite::Sm2Sm3, "（虚构）0001号", "调取证据通知书全文（虚构）".as_bytes())?;
/// let order = OrderDraft::new(
///     Realm::new("mic.cn")?,
///     IssuerCode::new("COURT01")?,
///     InstitutionCode::new("H11010500001")?,
///     (StatutoryGround::Judicial, ArticleCode::new("PIPL.13.3")?),
///     instrument,
/// )
/// .with_holder(lab_key.key_id())
/// .with_status(StatusRef::new(1, 7))
/// .with_subject(b"made-up person code", &Opening::from_bytes([12; 32]))
/// .sign(&court_key, GrantId::from_bytes([15; 16]), now)?;
/// assert_eq!(order.token_type(), TokenType::Order);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct OrderDraft {
    realm: Realm,
    issuer: IssuerCode,
    organisation: InstitutionCode,
    ground: (StatutoryGround, ArticleCode),
    instrument: InstrumentDigest,
    holder: Option<KeyId>,
    status: Option<StatusRef>,
    subject: Option<(zeroize::Zeroizing<Vec<u8>>, Opening)>,
    rights: Rights,
    scope: Scope,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    life_s: u32,
}

impl OrderDraft {
    /// An order of `issuer`, carried out by `organisation`, on this ground and article, by this instrument.
    #[must_use]
    pub fn new(
        realm: Realm,
        issuer: IssuerCode,
        organisation: InstitutionCode,
        ground: (StatutoryGround, ArticleCode),
        instrument: InstrumentDigest,
    ) -> Self {
        Self {
            realm,
            issuer,
            organisation,
            ground,
            instrument,
            holder: None,
            status: None,
            subject: None,
            rights: Rights::LIST | Rights::VIEW,
            scope: Scope::all(),
            department: None,
            doctor: None,
            life_s: ORDER_LIFE_S,
        }
    }

    /// The institution's key that will prove each use.
    #[must_use]
    pub const fn with_holder(mut self, holder: KeyId) -> Self {
        self.holder = Some(holder);
        self
    }

    /// Its place in the status lists of the body.
    #[must_use]
    pub const fn with_status(mut self, status: StatusRef) -> Self {
        self.status = Some(status);
        self
    }

    /// The person, by the caller's person bytes, and the salts that hide them.
    #[must_use]
    pub fn with_subject(mut self, person: &[u8], opening: &Opening) -> Self {
        self.subject = Some((zeroize::Zeroizing::new(person.to_vec()), opening.clone()));
        self
    }

    /// Other rights: list, view, reports and keeping, no more.
    #[must_use]
    pub const fn with_rights(mut self, rights: Rights) -> Self {
        self.rights = rights;
        self
    }

    /// A smaller scope.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// For this department alone.
    #[must_use]
    pub const fn with_department(mut self, department: DepartmentCode) -> Self {
        self.department = Some(department);
        self
    }

    /// For this doctor alone.
    #[must_use]
    pub const fn with_doctor(mut self, doctor: DoctorCode) -> Self {
        self.doctor = Some(doctor);
        self
    }

    /// It lives this many seconds: at most a week.
    #[must_use]
    pub const fn with_life_s(mut self, life_s: u32) -> Self {
        self.life_s = life_s;
        self
    }

    /// Signs it with the key of the ordering role. `id` is 16 fresh random bytes.
    ///
    /// # Errors
    /// Holder, status or subject are missing; claims that every checker would refuse; a failing signer.
    pub fn sign(
        &self,
        signer: &dyn Signer,
        id: GrantId,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(signer.suite(), id, now)?;
        seal(TokenType::Order, &payload, signer)
    }

    /// The same with a signer that is waited for. The claims are settled before the wait.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_async(
        &self,
        signer: &impl AsyncSigner,
        id: GrantId,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(signer.suite(), id, now)?;
        seal_async(TokenType::Order, &payload, signer).await
    }

    fn payload(
        &self,
        suite: Suite,
        id: GrantId,
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, IssueError> {
        let (Some(holder), Some(status), Some((person, opening))) =
            (self.holder, self.status, &self.subject)
        else {
            let missing = [
                ("holder", self.holder.is_none()),
                ("status", self.status.is_none()),
                ("subject", self.subject.is_none()),
            ]
            .into_iter()
            .filter_map(|(name, missing)| missing.then_some(name))
            .collect();
            return Err(IssueError::Missing { missing });
        };
        let (ground, article) = self.ground;
        let claims = OrderClaims {
            outer: Outer::new(
                self.issuer,
                self.realm,
                time::whole_second(now)?,
                self.life_s,
            )?,
            subject: SubjectCommitment::new(suite, opening, person)?,
            id,
            holder,
            organisation: self.organisation,
            rights: self.rights,
            scope: self.scope.clone(),
            status,
            department: self.department,
            doctor: self.doctor,
            opening: OpeningDigest::new(suite, opening)?,
            instrument: self.instrument,
            ground,
            article,
        };
        claims.check()?;
        if self.issuer == IssuerCode::from(self.organisation) {
            return Err(Reason::SelfGranted.into());
        }
        Ok(claims.encode()?)
    }
}

impl core::fmt::Debug for OrderDraft {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OrderDraft")
            .field("issuer", &self.issuer)
            .field("organisation", &self.organisation)
            .field("ground", &self.ground.0)
            .finish_non_exhaustive()
    }
}
