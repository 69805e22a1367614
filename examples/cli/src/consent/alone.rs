//! One token by itself, checked as far as it can be without an action.

use chrono::{DateTime, Utc};
use mic_consent::{
    Checker, Emergency, Encoded, Grant, KnownStatus, Offer, Proof, Reason, Refusal, Request,
    Signed, TokenType,
};
use mic_platform::problem::Problem;

use super::common::time;
use super::hold::NotAsked;
use super::outcome::{Done, Failure};
use super::words;

/// What a token by itself is checked with. It may hold and still not cover what is wanted.
pub(crate) struct Alone<'a> {
    pub(crate) checker: &'a Checker<'a>,
    pub(crate) now: DateTime<Utc>,
    /// The request that a grant or refusal must answer.
    pub(crate) request: Option<Signed<Request>>,
}

impl Alone<'_> {
    pub(crate) fn check(
        &self,
        token: Encoded,
        source: Option<&KnownStatus<'_>>,
    ) -> Result<Done, Failure> {
        let done = Done::new().row("type", token.token_type().name());
        match token.token_type() {
            TokenType::Grant => {
                let grant = token.untrusted::<Grant>()?.verify(self.checker)?;
                let live = match source {
                    Some(source) => grant.live(self.checker, self.now, source)?,
                    None => grant.live(self.checker, self.now, &NotAsked)?,
                };
                if let Some(request) = &self.request {
                    live.answers(request.claims().nonce(), &request.key_id())?;
                }
                let claims = live.claims();
                let done = done
                    .row("grant", claims.id().to_string())
                    .row("hospital", claims.organisation().as_str())
                    .row("purpose", claims.purpose().english())
                    .row("rights", claims.rights().to_string())
                    .row("scope", words::scope_text(claims.scope()))
                    .row("until", time(claims.expires_at()))
                    .json("status_checked", source.is_some());
                Ok(match source {
                    Some(_) => done.note("holds, and is not withdrawn as far as these lists say"),
                    None => done.note("holds; whether it was withdrawn was not asked (--status)"),
                })
            }
            TokenType::Request => {
                let live = token
                    .untrusted::<Request>()?
                    .verify(self.checker)?
                    .live(self.checker, self.now)?;
                let claims = live.claims();
                Ok(done
                    .row("hospital", claims.organisation().as_str())
                    .row("purpose", claims.purpose().english())
                    .row("in Chinese", claims.purpose().chinese())
                    .row("rights", claims.rights().to_string())
                    .row("scope", words::scope_text(claims.scope()))
                    .row("period", format!("{} s", claims.period_s()))
                    .row("until", time(claims.expires_at()))
                    .note("holds"))
            }
            TokenType::Offer => {
                let live = token
                    .untrusted::<Offer>()?
                    .verify(self.checker)?
                    .live(self.checker, self.now)?;
                let claims = live.claims();
                Ok(done
                    .row("authority", claims.issuer().as_str())
                    .row("until", time(claims.expires_at()))
                    .note("holds"))
            }
            TokenType::Refusal => {
                let request = self.request.as_ref().ok_or_else(|| {
                    let why = "expected --request: a refusal answers one request";
                    Problem::usage("consent.check", why)
                })?;
                let refusal = token.untrusted::<Refusal>()?.verify(self.checker)?;
                let live = refusal.live(self.checker, self.now, request.claims().nonce())?;
                let claims = live.claims();
                Ok(done
                    .row("hospital", claims.organisation().as_str())
                    .row("reason for it", claims.reason().chinese())
                    .note("holds: there is no consent, and care goes on without it"))
            }
            TokenType::Emergency => {
                let live = token
                    .untrusted::<Emergency>()?
                    .verify(self.checker)?
                    .live(self.checker, self.now)?;
                let claims = live.claims();
                Ok(done
                    .row("emergency", claims.id().to_string())
                    .row("hospital", claims.organisation().as_str())
                    .row("reason for it", claims.reason().chinese())
                    .row("until", time(claims.expires_at()))
                    .note("holds; it must be reviewed"))
            }
            TokenType::Proof => {
                let proof = token.untrusted::<Proof>()?.verify(self.checker)?;
                Ok(done
                    .row("hospital", proof.claims().organisation().as_str())
                    .row("grant", proof.claims().grant().to_string())
                    .note("its signature holds; what it is good for is decided with its grant (--presented)"))
            }
            // The others say nothing about one access by themselves: they have commands of their own.
            _ => Err(Reason::OtherType.into()),
        }
    }
}
