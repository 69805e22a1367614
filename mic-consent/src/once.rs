//! What an authority takes once: each request, and the offer that a request takes up (CST-89, CST-148).

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::{
    checker::Checker,
    claims::{binding::ProofId, time::later},
    denial::{Denial, Reason},
    guard::{Admission, ReplayGuard},
    limits::SKEW_S,
    offer::Offer,
    request::Request,
    token::Live,
};

impl Live<Request> {
    /// Takes this request: once, as long as `guard` remembers, which is until it is over everywhere. Ask before
    /// anything is granted or refused.
    ///
    /// ```
    /// # use mic_consent::*;
    /// # fn scene(request: &Live<Request>, checker: &Checker<'_>, guard: &mut dyn ReplayGuard, now: chrono::DateTime<chrono::Utc>)
    /// #     -> Result<(), Denial> {
    /// request.take(checker, now, guard)?;
    /// assert_eq!(request.take(checker, now, guard).unwrap_err().reason(), Reason::RequestReplayed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// It was taken before; it takes up an offer, so [`take_with`](Self::take_with) is the door
    /// ([`Reason::OtherOffer`]); no room in the guard; a clock that went back.
    pub fn take(
        &self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        guard: &mut dyn ReplayGuard,
    ) -> Result<(), Denial> {
        if self.claims().offer().is_some() {
            return Err(Reason::OtherOffer.into());
        }
        self.take_nonce(checker, now, guard)
    }

    /// Takes this request and the offer that it takes up, each once.
    ///
    /// # Errors
    /// A request that takes up another offer or none; a request or offer taken before; no room in the guard; a
    /// clock that went back. A request refused for its offer is not taken.
    pub fn take_with(
        &self,
        offer: &Live<Offer>,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        guard: &mut dyn ReplayGuard,
    ) -> Result<(), Denial> {
        if self.claims().offer() != Some(offer.claims().id()) {
            return Err(Reason::OtherOffer.into());
        }
        let id = print(b"mic-consent/1/mic-o", offer.claims().id().as_bytes());
        let until = remembered(checker, offer.claims().expires_at())?;
        let admission = guard.admit_proof(&offer.key_id(), &id, until, now);
        refuse(admission, Reason::OfferTaken)?;
        self.take_nonce(checker, now, guard)
    }

    fn take_nonce(
        &self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        guard: &mut dyn ReplayGuard,
    ) -> Result<(), Denial> {
        let id = print(b"mic-consent/1/mic-q", self.claims().nonce().as_bytes());
        let until = remembered(checker, self.claims().expires_at())?;
        let admission = guard.admit_proof(&self.key_id(), &id, until, now);
        refuse(admission, Reason::RequestReplayed)
    }
}

/// Apart from the ids of proofs, should the guard be one for both.
fn print(label: &[u8], id: &[u8; 16]) -> ProofId {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(label)
        .chain_update(id)
        .finalize()
        .into();
    let mut print = [0; 16];
    for (to, from) in print.iter_mut().zip(hash) {
        *to = from;
    }
    ProofId::from_bytes(print)
}

/// Until it is over by the skew, and by another for a clock that goes back.
fn remembered(checker: &Checker<'_>, end: DateTime<Utc>) -> Result<DateTime<Utc>, Reason> {
    let skew = checker.policy().skew_s();
    later(end, skew.saturating_add(skew.max(SKEW_S)))
}

fn refuse(admission: Admission, seen: Reason) -> Result<(), Denial> {
    match admission {
        Admission::Fresh => Ok(()),
        Admission::Seen | Admission::UsedUp => Err(seen.into()),
        Admission::Full => Err(Reason::MemoryFull.into()),
        Admission::ClockBack => Err(Reason::ClockInvalid.into()),
    }
}
