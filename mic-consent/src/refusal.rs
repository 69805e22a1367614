//! The refusal (`mic-d`): the person declined a request, or nobody answered in time. The hospital learns that
//! and no more; treatment must not depend on it (PIPL article 16, CST-90).

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    checker::Checker,
    claims::{
        binding::RequestNonce,
        fields, label, mic,
        outer::{Outer, outer_claims},
        person::closed_list,
        time,
    },
    code::{InstitutionCode, IssuerCode},
    denial::{Denial, Reason},
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyRecord,
    limits::REFUSAL_LIFE_S,
    request::Request,
    signer::{AsyncSigner, Signer},
    token::{Live, Signed, TokenType, sealed},
};

closed_list! {
    /// Why there is no grant.
    ///
    /// ```
    /// use mic_consent::RefusalReason;
    /// assert_eq!(RefusalReason::Declined.chinese(), "患者不同意");
    /// ```
    RefusalReason {
        /// The person said no.
        Declined = 1,
        /// Nobody answered in time.
        NoAnswer = 2,
        /// It could not be made sure who was asked.
        PersonNotChecked = 3,
        /// A guardian has to consent and did not.
        GuardianNeeded = 4,
    }
}

impl RefusalReason {
    /// The Chinese text for the hospital's screen.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Declined => "患者不同意",
            Self::NoAnswer => "未在时限内答复",
            Self::PersonNotChecked => "未能核实本人身份",
            Self::GuardianNeeded => "需要监护人同意",
        }
    }
}

/// The type of a refusal token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {}

/// What a refusal says; nothing about the person.
///
/// ```
/// fn screen(refusal: &mic_consent::RefusalClaims) -> &'static str {
///     refusal.reason().chinese()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalClaims {
    outer: Outer,
    nonce: RequestNonce,
    organisation: InstitutionCode,
    reason: RefusalReason,
}

impl RefusalClaims {
    /// The consent authority.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerCode {
        &self.outer.origin.issuer
    }

    /// The hospital that asked.
    #[must_use]
    pub const fn organisation(&self) -> &InstitutionCode {
        &self.organisation
    }

    /// The nonce of the request.
    #[must_use]
    pub const fn nonce(&self) -> &RequestNonce {
        &self.nonce
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> RefusalReason {
        self.reason
    }

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        private
            .key(mic::ORGANISATION)
            .text(self.organisation.as_str());
        private.key(mic::REASON).uint(self.reason.number().into());
        let mut claims = self.outer.write(None)?;
        claims.key(label::NONCE).bytes(self.nonce.as_bytes());
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

outer_claims!(RefusalClaims);

impl sealed::Rules for RefusalClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let outer = Outer::read(&mut claims)?;
        let nonce = fields::fixed(&mut claims, label::NONCE).map(RequestNonce::from_bytes)?;
        let mut private = fields::private_map(&mut claims)?;
        let organisation =
            fields::institution(private.need(mic::ORGANISATION, Reason::MissingClaim)?)?;
        let reason = fields::listed(&mut private, mic::REASON, RefusalReason::from_number)?;
        fields::end(claims, private)?;
        outer.check(REFUSAL_LIFE_S).map_err(fields::broken)?;
        Ok(Self {
            outer,
            nonce,
            organisation,
            reason,
        })
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        Ok(())
    }
}

/// A refusal being made in answer to a live request.
///
/// ```
/// # use mic_consent::*;
/// # fn scene(request: &Live<Request>, authority: &dyn Signer, now: chrono::DateTime<chrono::Utc>)
/// #     -> Result<(), Box<dyn core::error::Error>> {
/// let refusal = RefusalDraft::answering(request, IssuerCode::new("CONSENT01")?, RefusalReason::Declined)
///     .sign(authority, now)?;
/// assert!(refusal.to_text().starts_with("MICD1:"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RefusalDraft {
    issuer: IssuerCode,
    realm: crate::code::Realm,
    nonce: RequestNonce,
    organisation: InstitutionCode,
    reason: RefusalReason,
}

impl RefusalDraft {
    /// No, to this request.
    #[must_use]
    pub const fn answering(
        request: &Live<Request>,
        issuer: IssuerCode,
        reason: RefusalReason,
    ) -> Self {
        let claims = request.claims();
        Self {
            issuer,
            realm: *claims.realm(),
            nonce: *claims.nonce(),
            organisation: *claims.organisation(),
            reason,
        }
    }

    /// Signs it. It lives five minutes.
    ///
    /// # Errors
    /// A failing signer.
    pub fn sign(&self, signer: &dyn Signer, now: DateTime<Utc>) -> Result<Encoded, IssueError> {
        let payload = self.payload(now)?;
        seal(TokenType::Refusal, &payload, signer)
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
        let payload = self.payload(now)?;
        seal_async(TokenType::Refusal, &payload, signer).await
    }

    fn payload(&self, now: DateTime<Utc>) -> Result<Vec<u8>, IssueError> {
        let claims = RefusalClaims {
            outer: Outer::new(
                self.issuer,
                self.realm,
                time::whole_second(now)?,
                REFUSAL_LIFE_S,
            )?,
            nonce: self.nonce,
            organisation: self.organisation,
            reason: self.reason,
        };
        Ok(claims.encode()?)
    }
}

impl Signed<Refusal> {
    /// Checks realm and time, and that it answers the hospital's own request: steps 9 to 11, after steps 5 and
    /// 8 once more.
    ///
    /// # Errors
    /// A key that is no longer trusted; another realm or time; another request.
    pub fn live(
        self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        nonce: &RequestNonce,
    ) -> Result<Live<Refusal>, Denial> {
        self.still_trusted(checker)?;
        checker.audience_and_time(self.claims(), REFUSAL_LIFE_S, now)?;
        if self.claims().nonce != *nonce {
            return Err(Reason::OtherRequest.into());
        }
        Ok(self.into_live(now, checker.policy().skew_s()))
    }
}
