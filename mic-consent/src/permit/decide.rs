//! The decision on one action: steps 13 to 15, alike for grants, narrowed grants and emergency access.

use chrono::{DateTime, Utc};

use super::{Basis, Permit, Presented, Under, Use};
use crate::{
    checker::Checker,
    claims::{
        binding::{GrantId, HiddenRecord, Opening, OpeningDigest, SubjectCommitment},
        purpose::Rights,
        time::{between, later},
    },
    code::{InstitutionCode, Realm},
    denial::{Denial, Reason},
    guard::{Admission, ReplayGuard},
    key::KeyId,
    limits::{PROOF_LIFE_S, SKEW_S},
    proof::{Action, Proof, ProofClaims},
    signer::AsyncRawVerify,
    suite::Suite,
    terms::Terms,
    token::{Signed, Untrusted, sealed::Ends},
};

/// What a holder has in hand, whatever it stands on.
#[derive(Clone, Copy)]
pub(crate) struct Held<'a> {
    /// The suite whose hash makes the commitments.
    pub(crate) suite: Suite,
    pub(crate) realm: &'a Realm,
    /// The key that signed the grant; studies are counted under it.
    pub(crate) issuer: KeyId,
    pub(crate) id: &'a GrantId,
    /// The digest of the last link, which a proof names.
    pub(crate) digest: [u8; 32],
    pub(crate) holder: KeyId,
    pub(crate) organisation: &'a InstitutionCode,
    pub(crate) subject: &'a SubjectCommitment,
    /// The opening that every use must show, where the asking side drew it itself.
    pub(crate) opening: Option<&'a OpeningDigest>,
    pub(crate) terms: Terms<'a>,
    /// When the whole grant ends, narrowed or not: so long its studies are counted.
    pub(crate) counted_until: DateTime<Utc>,
}

impl<'a> Under<'a> {
    /// What is held, if it still holds at `now`: its keys, its time, its status.
    fn held(self, checker: &Checker<'_>, now: DateTime<Utc>) -> Result<Held<'a>, Denial> {
        match self {
            Self::Grant(grant) => grant.held_at(checker, now),
            Self::Narrowed(chain) => chain.held_at(checker, now),
            Self::Emergency(emergency) => emergency.held_at(checker, now),
            Self::Order(order) => order.held_at(checker, now),
        }
    }

    /// Steps 13 to 15, with the checker's own way to check the proof's signature.
    pub(crate) fn permit(
        self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        presented: Presented<'a>,
        wanted: &Use<'_>,
        guard: &mut dyn ReplayGuard,
    ) -> Result<Permit<'a>, Denial> {
        let held = self.held(checker, now)?;
        let proof = held.own_proof(presented)?.verify(checker)?;
        held.decide(self, checker, now, proof, presented, wanted, guard)
    }

    /// The same with a module that is waited for.
    pub(crate) async fn permit_async(
        self,
        checker: &Checker<'_>,
        module: &impl AsyncRawVerify,
        now: DateTime<Utc>,
        presented: Presented<'a>,
        wanted: &Use<'_>,
        guard: &mut (dyn ReplayGuard + Send),
    ) -> Result<Permit<'a>, Denial> {
        let proof = self.held(checker, now)?.own_proof(presented)?;
        let proof = proof.verify_async(checker, module).await?;
        // A withdrawal that was heard during the wait ends the grant as well (CST-63).
        let held = self.held(checker, now)?;
        held.decide(self, checker, now, proof, presented, wanted, guard)
    }
}

impl<'a> Held<'a> {
    /// The cheapest check first: whose proof it claims to be.
    fn own_proof(&self, presented: Presented<'_>) -> Result<Untrusted<Proof>, Denial> {
        let proof = presented.proof.clone().untrusted::<Proof>()?;
        if proof.encoded().key_id() == self.holder {
            Ok(proof)
        } else {
            Err(Reason::NotTheGrantee.into())
        }
    }

    /// What follows the signature of the proof.
    #[expect(
        clippy::too_many_arguments,
        reason = "what is held, what is shown, what is wanted, and who is asked; all of it decides"
    )]
    fn decide(
        self,
        under: Under<'a>,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        proof: Signed<Proof>,
        presented: Presented<'a>,
        wanted: &Use<'_>,
        guard: &mut dyn ReplayGuard,
    ) -> Result<Permit<'a>, Denial> {
        let proof = proof.into_claims();
        checker.audience_and_time(&proof, PROOF_LIFE_S, now)?;
        self.check_holder(&proof, wanted)?;
        let record = self.check_scope(&proof, presented.opening, wanted)?;
        self.admit(checker, &proof, record.as_ref(), now, guard)?;
        Ok(Permit {
            held: self,
            under,
            opening: presented.opening,
            proof,
        })
    }

    /// Step 13 (CST-64): this grant, this place, the persons it names.
    fn check_holder(&self, proof: &ProofClaims, wanted: &Use<'_>) -> Result<(), Denial> {
        let terms = &self.terms;
        if proof.organisation() != self.organisation {
            return Err(Reason::NotTheGrantee.into());
        }
        if proof.grant() != self.id || *proof.digest() != self.digest {
            return Err(Reason::OtherGrant.into());
        }
        if proof.place() != wanted.place || terms.place.is_some_and(|place| place != wanted.place) {
            return Err(Reason::OtherPlace.into());
        }
        let department = terms
            .department
            .is_none_or(|department| proof.department() == Some(department));
        let doctor = terms
            .doctor
            .is_none_or(|doctor| proof.doctor() == Some(doctor));
        if department && doctor {
            Ok(())
        } else {
            Err(Reason::OtherPerson.into())
        }
    }

    /// Steps 13 and 14 (CST-65): the action of the proof is what the node would do, and the terms cover it.
    fn check_scope(
        &self,
        proof: &ProofClaims,
        opening: &Opening,
        wanted: &Use<'_>,
    ) -> Result<Option<HiddenRecord>, Denial> {
        let record = match wanted.record {
            None => None,
            Some((record_key, facts)) => {
                let hidden = HiddenRecord::new(self.suite, opening, record_key)
                    .map_err(|_| Reason::OtherAction)?;
                Some((hidden, facts))
            }
        };
        let action = match &record {
            None => Action::ListExams,
            Some((hidden, _)) => Action::OpenRecord(*hidden),
        };
        if *proof.action() != action {
            return Err(Reason::OtherAction.into());
        }
        let bound = self
            .opening
            .is_none_or(|bound| OpeningDigest::new(self.suite, opening).as_ref() == Ok(bound));
        if !bound {
            return Err(Reason::OtherOpening.into());
        }
        match SubjectCommitment::new(self.suite, opening, wanted.person) {
            Ok(subject) if subject == *self.subject => {}
            _ => return Err(Reason::OtherSubject.into()),
        }
        let right = if record.is_some() {
            Rights::VIEW
        } else {
            Rights::LIST
        };
        if !self.terms.rights.contains(right) {
            return Err(Reason::RightMissing.into());
        }
        let Some((hidden, facts)) = record else {
            return Ok(None);
        };
        // A province serves what it stores.
        let stored_here = wanted
            .place
            .in_province()
            .is_none_or(|province| province == facts.province);
        if stored_here && self.terms.scope.opens(&hidden, &facts) {
            Ok(Some(hidden))
        } else {
            Err(Reason::OutsideScope.into())
        }
    }

    /// Step 15 (CST-66, CST-67).
    fn admit(
        &self,
        checker: &Checker<'_>,
        proof: &ProofClaims,
        record: Option<&HiddenRecord>,
        now: DateTime<Utc>,
        guard: &mut dyn ReplayGuard,
    ) -> Result<(), Denial> {
        // A clock may be ahead by the skew when it says that something is over, and a guard lets it go back by
        // a minute.
        let skew = checker.policy().skew_s();
        let remembered = skew.saturating_add(skew.max(SKEW_S));
        // The count first: a study counted twice counts once, but a proof used up is gone.
        if let (Some(most), Some(record)) = (self.terms.studies, record) {
            let until = later(self.counted_until, remembered)?;
            refuse(guard.admit_study(&self.issuer, self.id, record, most, until, now))?;
        }
        let until = later(proof.expires_at(), remembered)?.max(later(now, PROOF_LIFE_S)?);
        refuse(guard.admit_proof(&self.holder, proof.id(), until, now))
    }
}

/// Time passed since something was made live at `checked_at`: its time is looked at again, and how old the
/// look at its status is.
pub(crate) fn recheck(
    checker: &Checker<'_>,
    claims: &impl Ends,
    life_s: u32,
    checked_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), Denial> {
    let policy = checker.policy();
    checker.audience_and_time(claims, life_s, now)?;
    let age = between(checked_at, now);
    if age < -i64::from(policy.skew_s()) {
        return Err(Reason::ClockInvalid.into());
    }
    if age > i64::from(policy.status_check_s()) {
        return Err(Reason::CheckTooOld.into());
    }
    Ok(())
}

impl Under<'_> {
    pub(crate) const fn basis(&self) -> Basis {
        match self {
            Self::Grant(_) | Self::Narrowed(_) => Basis::Consent,
            Self::Emergency(_) => Basis::Emergency,
            Self::Order(_) => Basis::Statute,
        }
    }
}

fn refuse(admission: Admission) -> Result<(), Denial> {
    match admission {
        Admission::Fresh => Ok(()),
        Admission::Seen => Err(Reason::ProofReplayed.into()),
        Admission::UsedUp => Err(Reason::StudiesUsedUp.into()),
        Admission::Full => Err(Reason::MemoryFull.into()),
        Admission::ClockBack => Err(Reason::ClockInvalid.into()),
    }
}
