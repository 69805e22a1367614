//! A narrowing being made.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::{NarrowedClaims, NarrowedGrant};
use crate::{
    claims::{
        binding::{Opening, RecordCommitment},
        outer::Outer,
        purpose::Rights,
        scope::Scope,
        time::{self, Moment},
    },
    code::{DepartmentCode, DoctorCode},
    denial::{Denial, Reason},
    encoded::Encoded,
    grant::Grant,
    issue::{IssueError, seal, seal_async},
    key::KeyId,
    permit::Held,
    proof::Place,
    signer::{AsyncSigner, Signer},
    token::{Live, TokenType},
};

/// A narrowing being made by the holder of a grant. Without further words it is the grant again from now on;
/// each setter takes something away, and what would be wider is not signed.
pub struct NarrowDraft<'a> {
    held: Result<Held<'a>, Denial>,
    rights: Option<Rights>,
    scope: Option<Scope>,
    studies: Option<u16>,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    place: Option<Place>,
    holder: Option<KeyId>,
    life_s: Option<u32>,
}

impl<'a> NarrowDraft<'a> {
    /// Of a grant.
    #[must_use]
    pub fn of(grant: &'a Live<Grant>) -> Self {
        Self::from_held(grant.held())
    }

    /// Of a narrowed grant, by the holder that it names.
    #[must_use]
    pub fn of_narrowed(grant: &'a NarrowedGrant) -> Self {
        Self::from_held(grant.held())
    }

    const fn from_held(held: Result<Held<'a>, Denial>) -> Self {
        Self {
            held,
            rights: None,
            scope: None,
            studies: None,
            department: None,
            doctor: None,
            place: None,
            holder: None,
            life_s: None,
        }
    }

    /// Fewer rights.
    #[must_use]
    pub const fn with_rights(mut self, rights: Rights) -> Self {
        self.rights = Some(rights);
        self
    }

    /// A smaller scope.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Only these records, by the caller's record keys, under the salt of the grant's opening; the conditions
    /// of its scope stay.
    ///
    /// # Errors
    /// A record key that is empty or longer than 256 bytes, no record, or more than 64.
    pub fn with_records<'r>(
        mut self,
        record_keys: impl IntoIterator<Item = &'r [u8]>,
        opening: &Opening,
    ) -> Result<Self, IssueError> {
        let held = self.held.map_err(|denial| denial.reason())?;
        let records = record_keys
            .into_iter()
            .map(|key| RecordCommitment::new(held.suite, opening, key))
            .collect::<Result<Vec<_>, _>>()?;
        let filter = held.terms.scope.filter().clone();
        self.scope = Some(Scope::chosen(records, filter).map_err(|_| Reason::TooMany)?);
        Ok(self)
    }

    /// At this node alone.
    #[must_use]
    pub const fn with_place(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// For this many seconds from now; it never outlives the grant.
    #[must_use]
    pub const fn with_life_s(mut self, life_s: u32) -> Self {
        self.life_s = Some(life_s);
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

    /// At most this many different studies at each node.
    #[must_use]
    pub const fn with_studies_max(mut self, studies: u16) -> Self {
        self.studies = Some(studies);
        self
    }

    /// To be used by this key of the same hospital.
    #[must_use]
    pub const fn with_holder(mut self, holder: KeyId) -> Self {
        self.holder = Some(holder);
        self
    }

    /// Signs it with the key of the present holder.
    ///
    /// # Errors
    /// Another key; anything wider than the grant; a grant that is over; a failing signer.
    pub fn sign(&self, signer: &dyn Signer, now: DateTime<Utc>) -> Result<Encoded, IssueError> {
        let payload = self.payload(signer.key_id(), now)?;
        seal(TokenType::Narrowed, &payload, signer)
    }

    /// The same with a signer that is waited for. The claims are settled before the wait.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_async(
        &self,
        signer: &impl AsyncSigner,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(signer.key_id(), now)?;
        seal_async(TokenType::Narrowed, &payload, signer).await
    }

    fn payload(&self, key_id: KeyId, now: DateTime<Utc>) -> Result<Vec<u8>, IssueError> {
        let held = self.held.map_err(|denial| denial.reason())?;
        if key_id != held.holder {
            return Err(IssueError::NotTheGrantee);
        }
        let bound = held.terms;
        let issued_at = time::whole_second(now)?.max(bound.valid_from);
        let mut outer = Outer::new((*held.organisation).into(), *held.realm, issued_at, 0)?;
        outer.expires_at = match self.life_s {
            Some(life_s) => Moment::of(issued_at)?.later(life_s)?,
            None => Moment::of(bound.expires_at)?,
        };
        let claims = NarrowedClaims {
            organisation: *held.organisation,
            outer,
            holder: self.holder.unwrap_or(held.holder),
            rights: self.rights.unwrap_or(bound.rights),
            scope: self.scope.as_ref().unwrap_or(bound.scope).clone(),
            studies: self.studies.or(bound.studies),
            department: self.department.or(bound.department.copied()),
            doctor: self.doctor.or(bound.doctor.copied()),
            place: self.place.or(bound.place.copied()),
            grant: *held.id,
            digest: held.digest,
        };
        if let Some(what) = claims.terms().wider_than(&bound) {
            return Err(IssueError::WiderThanGrant { what });
        }
        claims.check()?;
        Ok(claims.encode()?)
    }
}

impl core::fmt::Debug for NarrowDraft<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NarrowDraft")
            .field("rights", &self.rights)
            .field("kind", &self.scope.as_ref().map(Scope::kind))
            .field("place", &self.place)
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}
