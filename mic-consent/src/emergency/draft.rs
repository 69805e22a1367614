//! An emergency access being taken.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::{EmergencyClaims, EmergencyReason, StaffRole};
use crate::{
    claims::{
        binding::{GrantId, Opening, OpeningDigest, SubjectCommitment},
        outer::Outer,
        purpose::Rights,
        scope::Scope,
        time,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, IssuerCode, Realm},
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyId,
    limits::EMERGENCY_LIFE_S,
    signer::{AsyncSigner, Signer},
    suite::Suite,
    token::TokenType,
};

/// An emergency access being taken by a hospital's emergency role.
///
/// ```
/// use mic_consent::*;
///
/// let emergency_key = Sm2SigningKey::from_secret_bytes(&[3; 32])?; // test keys
/// let front_end_key = Sm2SigningKey::from_secret_bytes(&[1; 32])?;
/// let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let token = EmergencyDraft::new(
///     Realm::new("mic.cn")?,
///     InstitutionCode::new("H11010500001")?,
///     EmergencyReason::CannotAnswer,
///     (DepartmentCode::new("A20")?, DoctorCode::new("D110105000001")?, StaffRole::Attending),
///     DoctorCode::new("D110105000002")?, // will review it
/// )
/// .with_holder(front_end_key.key_id())
/// .with_subject(b"made-up person code", &Opening::from_bytes([5; 32]))
/// .sign(&emergency_key, GrantId::from_bytes([6; 16]), now)?;
/// assert!(token.to_text().starts_with("MICE1:"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct EmergencyDraft {
    realm: Realm,
    organisation: InstitutionCode,
    reason: EmergencyReason,
    acting: (DepartmentCode, DoctorCode, StaffRole),
    reviewer: DoctorCode,
    reviewing: IssuerCode,
    holder: Option<KeyId>,
    subject: Option<(zeroize::Zeroizing<Vec<u8>>, Opening)>,
    rights: Rights,
    scope: Scope,
    life_s: u32,
}

impl EmergencyDraft {
    /// Access to the list and the images of all exams for an hour, by this department, doctor and role, to be
    /// reviewed by `reviewer`, who is somebody else.
    #[must_use]
    pub fn new(
        realm: Realm,
        organisation: InstitutionCode,
        reason: EmergencyReason,
        acting: (DepartmentCode, DoctorCode, StaffRole),
        reviewer: DoctorCode,
    ) -> Self {
        Self {
            realm,
            organisation,
            reason,
            acting,
            reviewer,
            reviewing: organisation.into(),
            holder: None,
            subject: None,
            rights: Rights::LIST | Rights::VIEW,
            scope: Scope::all(),
            life_s: EMERGENCY_LIFE_S,
        }
    }

    /// The organisation that reviews it, when that is another than the hospital.
    #[must_use]
    pub const fn with_review_by(mut self, reviewing: IssuerCode) -> Self {
        self.reviewing = reviewing;
        self
    }

    /// The hospital's key that will prove each use.
    #[must_use]
    pub const fn with_holder(mut self, holder: KeyId) -> Self {
        self.holder = Some(holder);
        self
    }

    /// The patient, by the caller's person bytes, and the salts that hide them.
    #[must_use]
    pub fn with_subject(mut self, person: &[u8], opening: &Opening) -> Self {
        self.subject = Some((zeroize::Zeroizing::new(person.to_vec()), opening.clone()));
        self
    }

    /// Other rights: list, view and reports, no more.
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

    /// It lives this many seconds: 1 to 14,400.
    #[must_use]
    pub const fn with_life_s(mut self, life_s: u32) -> Self {
        self.life_s = life_s;
        self
    }

    /// Signs it with the emergency role's key. `id` is 16 fresh random bytes.
    ///
    /// # Errors
    /// Holder or subject are missing; claims that every checker would refuse; a failing signer.
    pub fn sign(
        &self,
        signer: &dyn Signer,
        id: GrantId,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(signer.suite(), id, now)?;
        seal(TokenType::Emergency, &payload, signer)
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
        seal_async(TokenType::Emergency, &payload, signer).await
    }

    fn payload(
        &self,
        suite: Suite,
        id: GrantId,
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, IssueError> {
        let (Some(holder), Some((person, opening))) = (self.holder, &self.subject) else {
            let missing = [
                ("holder", self.holder.is_none()),
                ("subject", self.subject.is_none()),
            ]
            .into_iter()
            .filter_map(|(name, missing)| missing.then_some(name))
            .collect();
            return Err(IssueError::Missing { missing });
        };
        let (department, doctor, staff) = self.acting;
        let claims = EmergencyClaims {
            organisation: self.organisation,
            outer: Outer::new(
                self.organisation.into(),
                self.realm,
                time::whole_second(now)?,
                self.life_s,
            )?,
            subject: SubjectCommitment::new(suite, opening, person)?,
            id,
            holder,
            rights: self.rights,
            scope: self.scope.clone(),
            department,
            doctor,
            reason: self.reason,
            reviewer: self.reviewer,
            staff,
            opening: OpeningDigest::new(suite, opening)?,
            reviewing: self.reviewing,
        };
        claims.check()?;
        Ok(claims.encode()?)
    }
}

impl core::fmt::Debug for EmergencyDraft {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("EmergencyDraft")
            .field("organisation", &self.organisation)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
