//! A grant being made.

use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use super::GrantClaims;
use crate::{
    claims::{
        binding::{GrantId, NoticeHash, Opening, RecordCommitment, SubjectCommitment},
        outer::Outer,
        person::{Guardian, PatientBand, PersonCheck, SeparateConsent},
        purpose::Rights,
        scope::{Scope, ScopeFilter},
        time::{self, Moment},
    },
    code::IssuerCode,
    denial::Reason,
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyId,
    limits::STUDIES_MAX,
    request::{Request, RequestClaims},
    signer::{AsyncSigner, Signer},
    status::StatusRef,
    suite::Suite,
    token::{Live, TokenType},
};

/// A grant being made, in answer to a live request: it can give what was asked or less, never more, and only
/// to the key that asked.
///
/// All that is missing is reported at once:
///
/// ```
/// # use mic_consent::*;
/// # let key = Sm2SigningKey::from_secret_bytes(&[7; 32])?;
/// # let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// # let hospital = InstitutionCode::new("H11010500001")?;
/// # let realm = Realm::new("mic.cn")?;
/// # let year = KeyValidity::new(now - chrono::TimeDelta::days(1), now + chrono::TimeDelta::days(365))?;
/// # let keys = KeyRing::from_records([KeyRecord::new(key.public_key().clone(), hospital.into(), Role::Request, year)?])?;
/// # let policy = Policy::new(realm, AcceptedSuites::GmOnly);
/// # let checker = Checker::new(&keys, &policy);
/// # let asked = RequestDraft::new(realm, hospital, Purpose::Treatment, Rights::LIST, Scope::list_only(ScopeFilter::new()))
/// #     .sign(&key, RequestNonce::from_bytes([1; 16]), now)?;
/// let request = asked.untrusted::<Request>()?.verify(&checker)?.live(&checker, now)?;
/// let authority = Sm2SigningKey::from_secret_bytes(&[8; 32])?; // a test key
/// let error = GrantDraft::answering(&request)
///     .with_issuer(IssuerCode::new("CONSENT01")?)
///     .sign(&authority, GrantId::from_bytes([2; 16]), now)
///     .unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "expected these facts as well: subject, status, notice, person check, separate consent",
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct GrantDraft {
    request: RequestClaims,
    holder: KeyId,
    /// The skew that was allowed when the request was checked.
    skew_s: u32,
    issuer: Option<IssuerCode>,
    subject: Option<(Zeroizing<Vec<u8>>, Opening)>,
    chosen: Option<Vec<Zeroizing<Vec<u8>>>>,
    rights: Rights,
    scope: Scope,
    notice: Option<NoticeHash>,
    status: Option<StatusRef>,
    guardian: Option<Guardian>,
    separate: Option<SeparateConsent>,
    studies: Option<u16>,
    band: PatientBand,
    check: Option<PersonCheck>,
    life_s: u32,
    valid_from: Option<DateTime<Utc>>,
}

impl GrantDraft {
    /// A grant of what `request` asks for, for as long as it asks, to the key that signed it.
    #[must_use]
    pub fn answering(request: &Live<Request>) -> Self {
        let claims = request.claims().clone();
        Self {
            holder: request.key_id(),
            skew_s: request.skew_s(),
            issuer: None,
            subject: None,
            chosen: None,
            rights: claims.rights(),
            scope: claims.scope().clone(),
            notice: None,
            status: None,
            guardian: None,
            separate: None,
            studies: None,
            band: PatientBand::Adult,
            check: None,
            life_s: claims.period_s(),
            valid_from: None,
            request: claims,
        }
    }

    /// The consent authority, as in its key record.
    #[must_use]
    pub fn with_issuer(mut self, issuer: IssuerCode) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// The patient, by the caller's person bytes, and the salts that hide them. The opening goes to the
    /// hospital by the back channel.
    #[must_use]
    pub fn with_subject(mut self, person: &[u8], opening: &Opening) -> Self {
        self.subject = Some((Zeroizing::new(person.to_vec()), opening.clone()));
        self
    }

    /// Less than the rights asked for.
    #[must_use]
    pub const fn with_rights(mut self, rights: Rights) -> Self {
        self.rights = rights;
        self
    }

    /// Less than the scope asked for.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self.chosen = None;
        self
    }

    /// Only these records, by the caller's record keys (index code and StudyInstanceUID as one byte string).
    /// The conditions of the request's scope stay.
    #[must_use]
    pub fn with_records<'r>(mut self, record_keys: impl IntoIterator<Item = &'r [u8]>) -> Self {
        self.chosen = Some(
            record_keys
                .into_iter()
                .map(|key| Zeroizing::new(key.to_vec()))
                .collect(),
        );
        self
    }

    /// The notice that the person saw.
    #[must_use]
    pub const fn with_notice(mut self, notice: NoticeHash) -> Self {
        self.notice = Some(notice);
        self
    }

    /// Its place in the authority's status lists.
    #[must_use]
    pub const fn with_status(mut self, status: StatusRef) -> Self {
        self.status = Some(status);
        self
    }

    /// The guardian who consents.
    #[must_use]
    pub const fn with_guardian(mut self, guardian: Guardian) -> Self {
        self.guardian = Some(guardian);
        self
    }

    /// The boxes that were ticked.
    #[must_use]
    pub const fn with_separate_consent(mut self, separate: SeparateConsent) -> Self {
        self.separate = Some(separate);
        self
    }

    /// At most this many different studies at each node: 1 to 10,000.
    #[must_use]
    pub const fn with_studies_max(mut self, studies: u16) -> Self {
        self.studies = Some(studies);
        self
    }

    /// The patient's age and capacity, when not an adult with capacity.
    #[must_use]
    pub const fn with_band(mut self, band: PatientBand) -> Self {
        self.band = band;
        self
    }

    /// How the authority made sure who consented.
    #[must_use]
    pub const fn with_person_check(mut self, check: PersonCheck) -> Self {
        self.check = Some(check);
        self
    }

    /// A shorter life than asked for, in seconds.
    #[must_use]
    pub const fn with_life_s(mut self, life_s: u32) -> Self {
        self.life_s = life_s;
        self
    }

    /// A later beginning than now.
    #[must_use]
    pub const fn with_valid_from(mut self, valid_from: DateTime<Utc>) -> Self {
        self.valid_from = Some(valid_from);
        self
    }

    /// Signs it. `id` is 16 fresh random bytes. The request must not be over at `now`, by the skew of the
    /// policy it was checked with (CST-55).
    ///
    /// # Errors
    /// Facts that are missing (all are listed); a request that is over; more than was asked for; claims that
    /// every checker would refuse; a failing signer.
    pub fn sign(
        &self,
        signer: &dyn Signer,
        id: GrantId,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(signer.suite(), id, now)?;
        seal(TokenType::Grant, &payload, signer)
    }

    /// The same with a signer that is waited for. The draft and its claims are settled before the wait.
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
        seal_async(TokenType::Grant, &payload, signer).await
    }

    fn payload(
        &self,
        suite: Suite,
        id: GrantId,
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, IssueError> {
        let claims = self.claims(suite, id, now)?;
        claims.check()?;
        // CST-56: nobody grants to itself.
        if *claims.issuer() == IssuerCode::from(*claims.organisation()) {
            return Err(Reason::SelfGranted.into());
        }
        Ok(claims.encode()?)
    }

    fn claims(
        &self,
        suite: Suite,
        id: GrantId,
        now: DateTime<Utc>,
    ) -> Result<GrantClaims, IssueError> {
        let (
            Some(issuer),
            Some((person, opening)),
            Some(status),
            Some(notice),
            Some(check),
            Some(separate),
        ) = (
            self.issuer,
            &self.subject,
            self.status,
            self.notice,
            self.check,
            self.separate,
        )
        else {
            return Err(IssueError::Missing {
                missing: self.missing(),
            });
        };
        if time::between(self.request.expires_at(), now) >= i64::from(self.skew_s) {
            return Err(IssueError::RequestOver);
        }
        if !self.rights.is_within(self.request.rights()) {
            return Err(IssueError::WiderThanRequest { what: "rights" });
        }
        if self.life_s > self.request.period_s() {
            return Err(IssueError::WiderThanRequest { what: "the life" });
        }
        if self
            .studies
            .is_some_and(|studies| !(1..=STUDIES_MAX).contains(&studies))
        {
            return Err(Reason::TooMany.into());
        }
        let scope = match &self.chosen {
            None => self.scope.clone(),
            Some(record_keys) => choose(suite, opening, record_keys, self.scope.filter().clone())?,
        };
        // The scope that is signed, not the one it was made from.
        if !scope.is_within(self.request.scope()) {
            return Err(IssueError::WiderThanRequest { what: "the scope" });
        }
        let issued_at = time::whole_second(now)?;
        let mut outer = Outer::new(issuer, *self.request.realm(), issued_at, self.life_s)?;
        if let Some(valid_from) = self.valid_from {
            outer.valid_from = Moment::of(valid_from)?;
        }
        Ok(GrantClaims {
            outer,
            subject: SubjectCommitment::new(suite, opening, person)?,
            id,
            holder: self.holder,
            nonce: *self.request.nonce(),
            organisation: *self.request.organisation(),
            purpose: self.request.purpose(),
            rights: self.rights,
            scope,
            notice,
            status,
            guardian: self.guardian,
            separate,
            studies: self.studies,
            department: self.request.department().copied(),
            doctor: self.request.doctor().copied(),
            band: self.band,
            check,
        })
    }

    fn missing(&self) -> Vec<&'static str> {
        [
            ("issuer", self.issuer.is_none()),
            ("subject", self.subject.is_none()),
            ("status", self.status.is_none()),
            ("notice", self.notice.is_none()),
            ("person check", self.check.is_none()),
            ("separate consent", self.separate.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, missing)| missing.then_some(name))
        .collect()
    }
}

fn choose(
    suite: Suite,
    opening: &Opening,
    record_keys: &[Zeroizing<Vec<u8>>],
    filter: ScopeFilter,
) -> Result<Scope, IssueError> {
    let records = record_keys
        .iter()
        .map(|key| RecordCommitment::new(suite, opening, key))
        .collect::<Result<Vec<_>, _>>()?;
    Scope::chosen(records, filter).map_err(|_| Reason::TooMany.into())
}

impl fmt::Debug for GrantDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantDraft")
            .field("organisation", self.request.organisation())
            .field("purpose", &self.request.purpose())
            .field("missing", &self.missing())
            .finish_non_exhaustive()
    }
}
