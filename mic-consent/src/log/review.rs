//! The review (`mic-v`): the reviewer's judgement of an emergency access (CST-105, CST-106).

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    claims::{
        binding::GrantId,
        fields, label, mic,
        outer::{Origin, record_claims},
        person::closed_list,
        time::Moment,
    },
    code::{DoctorCode, IssuerCode, Realm},
    denial::{Denial, Reason},
    emergency::EmergencyClaims,
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyRecord,
    signer::{AsyncSigner, Signer},
    token::{TokenType, sealed},
};

closed_list! {
    /// What the reviewer found.
    ///
    /// ```
    /// assert_eq!(mic_consent::Verdict::Justified.number(), 1);
    /// ```
    Verdict {
        /// It was an emergency, and what was opened was needed.
        Justified = 1,
        /// It was not.
        Unjustified = 2,
    }
}

/// The type of a review token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Review {}

/// What a review says.
///
/// ```
/// fn line(review: &mic_consent::ReviewClaims) -> String {
///     format!("emergency {}: {:?}", review.emergency(), review.verdict())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewClaims {
    origin: Origin,
    emergency: GrantId,
    reviewer: DoctorCode,
    verdict: Verdict,
}

impl ReviewClaims {
    /// The emergency access.
    #[must_use]
    pub const fn emergency(&self) -> &GrantId {
        &self.emergency
    }

    /// Who reviewed it.
    #[must_use]
    pub const fn reviewer(&self) -> &DoctorCode {
        &self.reviewer
    }

    /// What was found.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        private.key(mic::GRANT).bytes(self.emergency.as_bytes());
        private.key(mic::REVIEWER).text(self.reviewer.as_str());
        private.key(mic::VERDICT).uint(self.verdict.number().into());
        let mut claims = self.origin.write()?;
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

record_claims!(ReviewClaims);

impl sealed::Rules for ReviewClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let origin = Origin::read(&mut claims)?;
        let mut private = fields::private_map(&mut claims)?;
        let emergency = fields::fixed(&mut private, mic::GRANT).map(GrantId::from_bytes)?;
        let reviewer = fields::doctor(private.need(mic::REVIEWER, Reason::MissingClaim)?)?;
        let verdict = fields::listed(&mut private, mic::VERDICT, Verdict::from_number)?;
        fields::end(claims, private)?;
        Ok(Self {
            origin,
            emergency,
            reviewer,
            verdict,
        })
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        Ok(())
    }
}

/// A review being made by the reviewer that the emergency access names.
///
/// ```
/// # use mic_consent::*;
/// # fn scene(emergency: &EmergencyClaims, reviewer: &dyn Signer, now: chrono::DateTime<chrono::Utc>)
/// #     -> Result<(), Box<dyn core::error::Error>> {
/// let review = ReviewDraft::of(emergency, Verdict::Justified)
///     .sign(reviewer, IssuerCode::new("H11010500001")?, now)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ReviewDraft {
    realm: Realm,
    emergency: GrantId,
    reviewer: DoctorCode,
    reviewing: IssuerCode,
    verdict: Verdict,
}

impl ReviewDraft {
    /// Of this emergency access.
    #[must_use]
    pub const fn of(emergency: &EmergencyClaims, verdict: Verdict) -> Self {
        Self {
            realm: *emergency.realm(),
            emergency: *emergency.id(),
            reviewer: *emergency.reviewer(),
            reviewing: *emergency.reviewing(),
            verdict,
        }
    }

    /// Signs it with a key in the review role, `issuer` being its owner.
    ///
    /// # Errors
    /// An issuer that is not the organisation which the emergency access names
    /// ([`IssueError::NotTheReviewer`]); a failing signer.
    pub fn sign(
        &self,
        signer: &dyn Signer,
        issuer: IssuerCode,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(issuer, now)?;
        seal(TokenType::Review, &payload, signer)
    }

    /// The same with a signer that is waited for. The claims are settled before the wait.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_async(
        &self,
        signer: &impl AsyncSigner,
        issuer: IssuerCode,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(issuer, now)?;
        seal_async(TokenType::Review, &payload, signer).await
    }

    fn payload(&self, issuer: IssuerCode, now: DateTime<Utc>) -> Result<Vec<u8>, IssueError> {
        if issuer != self.reviewing {
            return Err(IssueError::NotTheReviewer);
        }
        let claims = ReviewClaims {
            origin: Origin {
                issuer,
                realm: self.realm,
                issued_at: Moment::of(now)?,
            },
            emergency: self.emergency,
            reviewer: self.reviewer,
            verdict: self.verdict,
        };
        Ok(claims.encode()?)
    }
}
