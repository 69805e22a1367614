//! The withdrawal (`mic-w`): a consent authority says that a grant of its own is withdrawn or suspended. A
//! node that hears it acts at once; the next status list says the same to all others (CST-97 to CST-99).

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    checker::Checker,
    claims::{
        binding::GrantId,
        fields, label, mic,
        outer::{Outer, outer_claims},
        person::closed_list,
        time::{self, Moment},
    },
    code::{IssuerCode, Realm},
    denial::{Denial, Reason},
    encoded::Encoded,
    grant::GrantClaims,
    issue::{IssueError, seal, seal_async},
    key::KeyRecord,
    limits::{GRANT_LIFE_S_MAX, SKEW_S_MAX},
    signer::{AsyncSigner, Signer},
    status::StatusRef,
    token::{Live, Signed, TokenType, sealed},
};

closed_list! {
    /// What becomes of the grant.
    ///
    /// ```
    /// assert_eq!(mic_consent::Effect::Withdrawn.number(), 1);
    /// ```
    Effect {
        /// It is withdrawn for good.
        Withdrawn = 1,
        /// It is suspended until the next status list says otherwise.
        Suspended = 2,
    }
}

/// The type of a withdrawal token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Withdrawal {}

/// What a withdrawal says: the grant by its id and its place in the status lists. Nothing about the person.
///
/// ```
/// fn line(withdrawal: &mic_consent::WithdrawalClaims) -> String {
///     format!("grant {} of {}", withdrawal.grant(), withdrawal.issuer())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalClaims {
    outer: Outer,
    status: StatusRef,
    grant: GrantId,
    effect: Effect,
}

impl WithdrawalClaims {
    /// The consent authority, which issued the grant.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerCode {
        &self.outer.origin.issuer
    }

    /// The grant.
    #[must_use]
    pub const fn grant(&self) -> &GrantId {
        &self.grant
    }

    /// Its place in the status lists.
    #[must_use]
    pub const fn status(&self) -> StatusRef {
        self.status
    }

    /// What becomes of it.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        fields::write_status(&mut private, self.status);
        private.key(mic::GRANT).bytes(self.grant.as_bytes());
        private.key(mic::EFFECT).uint(self.effect.number().into());
        let mut claims = self.outer.write(None)?;
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

outer_claims!(WithdrawalClaims);

impl sealed::Rules for WithdrawalClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let outer = Outer::read(&mut claims)?;
        let mut private = fields::private_map(&mut claims)?;
        let status = fields::status(&mut private)?;
        let grant = fields::fixed(&mut private, mic::GRANT).map(GrantId::from_bytes)?;
        let effect = fields::listed(&mut private, mic::EFFECT, Effect::from_number)?;
        fields::end(claims, private)?;
        outer.check(GRANT_LIFE_S_MAX).map_err(fields::broken)?;
        Ok(Self {
            outer,
            status,
            grant,
            effect,
        })
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        Ok(())
    }
}

/// A withdrawal being made by the authority that issued the grant, for the person who asked for it.
///
/// ```
/// # use mic_consent::*;
/// # fn scene(grant: &GrantClaims, authority: &dyn Signer, now: chrono::DateTime<chrono::Utc>)
/// #     -> Result<(), Box<dyn core::error::Error>> {
/// let withdrawal = WithdrawalDraft::of(grant, Effect::Withdrawn).sign(authority, now)?;
/// assert!(withdrawal.to_text().starts_with("MICW1:"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WithdrawalDraft {
    issuer: IssuerCode,
    realm: Realm,
    expires_at: DateTime<Utc>,
    status: StatusRef,
    grant: GrantId,
    effect: Effect,
}

impl WithdrawalDraft {
    /// Of this grant.
    #[must_use]
    pub const fn of(grant: &GrantClaims, effect: Effect) -> Self {
        Self {
            issuer: *grant.issuer(),
            realm: *grant.realm(),
            expires_at: grant.expires_at(),
            status: grant.status(),
            grant: *grant.id(),
            effect,
        }
    }

    /// Signs it. It ends when the grant ends. A clock that is behind may still serve a grant that is over, so in
    /// the five minutes after its end it can be withdrawn as well (CST-97), until these are over.
    ///
    /// # Errors
    /// A grant that is over by five minutes; a failing signer.
    pub fn sign(&self, signer: &dyn Signer, now: DateTime<Utc>) -> Result<Encoded, IssueError> {
        let payload = self.payload(now)?;
        seal(TokenType::Withdrawal, &payload, signer)
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
        seal_async(TokenType::Withdrawal, &payload, signer).await
    }

    fn payload(&self, now: DateTime<Utc>) -> Result<Vec<u8>, IssueError> {
        let issued_at = time::whole_second(now)?;
        let mut outer = Outer::new(self.issuer, self.realm, issued_at, 0)?;
        outer.expires_at = match issued_at < self.expires_at {
            true => Moment::of(self.expires_at)?,
            false => Moment::of(self.expires_at)?.later(SKEW_S_MAX)?,
        };
        outer.check(GRANT_LIFE_S_MAX)?;
        let claims = WithdrawalClaims {
            outer,
            status: self.status,
            grant: self.grant,
            effect: self.effect,
        };
        Ok(claims.encode()?)
    }
}

impl Signed<Withdrawal> {
    /// Checks realm and time: steps 9 and 10, after steps 5 and 8 once more.
    ///
    /// # Errors
    /// A key that is no longer trusted; another realm; over, since the grant is.
    pub fn live(
        self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
    ) -> Result<Live<Withdrawal>, Denial> {
        self.still_trusted(checker)?;
        checker.audience_and_time(self.claims(), GRANT_LIFE_S_MAX, now)?;
        Ok(self.into_live(now, checker.policy().skew_s()))
    }
}
