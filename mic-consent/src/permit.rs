//! The permit: the one thing that serving code should ask for. It names exactly one action.

use core::fmt;

use chrono::{DateTime, Utc};

use crate::{
    checker::Checker,
    claims::{
        binding::{HiddenRecord, Opening, SubjectCommitment},
        purpose::Rights,
        scope::RecordFacts,
        time::between,
    },
    denial::{Denial, Reason},
    encoded::Encoded,
    grant::Grant,
    guard::{Admission, ReplayGuard},
    limits::PROOF_LIFE_S,
    proof::{Action, Place, Proof, ProofClaims},
    request::later,
    token::Live,
};

/// What a node is about to do, in its own words: its own place, the person its index knows, the record it
/// would serve. Nothing here comes from the asking side.
///
/// ```
/// use mic_consent::{IssuerCode, Place, Use};
/// let place = Place::nation(IssuerCode::new("INDEX00")?);
/// let list = Use::list(&place, b"made-up person code");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Use<'a> {
    place: &'a Place,
    person: &'a [u8],
    record: Option<(&'a [u8], RecordFacts)>,
}

impl<'a> Use<'a> {
    /// Show the list of exams of the person with these bytes.
    #[must_use]
    pub const fn list(place: &'a Place, person: &'a [u8]) -> Self {
        Self {
            place,
            person,
            record: None,
        }
    }

    /// Serve one record of the person with these bytes.
    #[must_use]
    pub const fn open(
        place: &'a Place,
        person: &'a [u8],
        record_key: &'a [u8],
        facts: RecordFacts,
    ) -> Self {
        Self {
            place,
            person,
            record: Some((record_key, facts)),
        }
    }
}

impl fmt::Debug for Use<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Use")
            .field("place", self.place)
            .field("opens", &self.record.is_some())
            .finish_non_exhaustive()
    }
}

/// What the asking side presents with its grant: the proof of use and the opening of the commitments.
///
/// ```
/// fn presented<'a>(
///     proof: &'a mic_consent::Encoded,
///     opening: &'a mic_consent::Opening,
/// ) -> mic_consent::Presented<'a> {
///     mic_consent::Presented::new(proof, opening)
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    proof: &'a Encoded,
    opening: &'a Opening,
}

impl<'a> Presented<'a> {
    /// Puts both together.
    #[must_use]
    pub const fn new(proof: &'a Encoded, opening: &'a Opening) -> Self {
        Self { proof, opening }
    }
}

/// Leave for exactly one action, at one place, under one live grant. It cannot be made but by
/// [`Live::permit`], not be copied, and not outlive the grant it was given under.
///
/// ```compile_fail
/// fn twice(permit: mic_consent::Permit<'_>) -> [mic_consent::Permit<'_>; 2] {
///     [permit.clone(), permit]
/// }
/// ```
///
/// Let serving code take it by value: `fn serve(permit: Permit<'_>, ...)`.
#[must_use = "a permit is used up by serving what it names"]
pub struct Permit<'a> {
    grant: &'a Live<Grant>,
    opening: &'a Opening,
    proof: ProofClaims,
}

impl Permit<'_> {
    /// The action.
    #[must_use]
    pub const fn action(&self) -> &Action {
        self.proof.action()
    }

    /// The grant.
    #[must_use]
    pub const fn grant(&self) -> &Live<Grant> {
        self.grant
    }

    /// The proof, for the receipt.
    #[must_use]
    pub const fn proof(&self) -> &ProofClaims {
        &self.proof
    }

    /// What may be done with what is served.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.grant.claims().rights()
    }

    /// Whether this very record is what may be opened.
    #[must_use]
    pub fn opens(&self, record_key: &[u8]) -> bool {
        match self.action() {
            Action::OpenRecord(record) => self
                .hidden(record_key)
                .is_some_and(|hidden| hidden == *record),
            Action::ListExams => false,
        }
    }

    /// Whether a record may be shown in the list. False for a permit to open one record.
    #[must_use]
    pub fn lists(&self, record_key: &[u8], facts: &RecordFacts) -> bool {
        *self.action() == Action::ListExams
            && self
                .hidden(record_key)
                .is_some_and(|hidden| self.grant.claims().scope().lists(&hidden, facts))
    }

    fn hidden(&self, record_key: &[u8]) -> Option<HiddenRecord> {
        HiddenRecord::new(self.grant.suite(), self.opening, record_key).ok()
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("grant", self.grant.claims().id())
            .field("action", self.action())
            .field("place", self.proof.place())
            .finish_non_exhaustive()
    }
}

impl Live<Grant> {
    /// Decides on one action: the proof's own steps 3 to 10, then steps 13 to 15.
    ///
    /// The grant's key (steps 5 and 8) and time are checked again, and a status check older than the policy
    /// allows is refused: make the grant [`Live`] anew for that. The guard is asked last, when all else is well: it
    /// counts the study first, so a refused count does not use up the proof, and then remembers the proof.
    /// Should there be no room left for the proof, the study stays counted; opened later, it is not counted again.
    ///
    /// # Errors
    /// A proof that is not good, not by the grant's holder, or not for this grant, place, action and person; a
    /// person, right or record that the grant does not cover; a proof used before.
    pub fn permit<'a>(
        &'a self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        presented: Presented<'a>,
        wanted: &Use<'_>,
        guard: &mut dyn ReplayGuard,
    ) -> Result<Permit<'a>, Denial> {
        self.recheck(checker, now)?;
        let proof = presented.proof.clone().untrusted::<Proof>()?;
        // The cheapest check first: whose proof it claims to be.
        if proof.encoded().key_id() != self.claims().holder() {
            return Err(Reason::NotTheGrantee.into());
        }
        let proof = proof.verify(checker)?.into_claims();
        checker.proof_in_time(&proof, now)?;
        self.check_holder(&proof, wanted.place)?;
        let record = self.check_scope(&proof, presented.opening, wanted)?;
        self.admit(checker, &proof, record.as_ref(), now, guard)?;
        Ok(Permit {
            grant: self,
            opening: presented.opening,
            proof,
        })
    }

    /// Time passed since the grant was made live, and its key may have been withdrawn.
    fn recheck(&self, checker: &Checker<'_>, now: DateTime<Utc>) -> Result<(), Denial> {
        let policy = checker.policy();
        self.still_trusted(checker)?;
        checker.audience_and_time(self.claims(), policy.grant_life_s(), now)?;
        let age = between(self.checked_at(), now);
        if age < -i64::from(policy.skew_s()) {
            return Err(Reason::ClockInvalid.into());
        }
        if age > i64::from(policy.status_check_s()) {
            return Err(Reason::CheckTooOld.into());
        }
        Ok(())
    }

    /// Step 13 (CST-64): this grant, this place, the persons it names.
    fn check_holder(&self, proof: &ProofClaims, place: &Place) -> Result<(), Denial> {
        let grant = self.claims();
        if proof.organisation() != grant.organisation() {
            return Err(Reason::NotTheGrantee.into());
        }
        if proof.grant() != grant.id() || *proof.digest() != self.digest()? {
            return Err(Reason::OtherGrant.into());
        }
        if proof.place() != place {
            return Err(Reason::OtherPlace.into());
        }
        let department = grant
            .department()
            .is_none_or(|department| proof.department() == Some(department));
        let doctor = grant
            .doctor()
            .is_none_or(|doctor| proof.doctor() == Some(doctor));
        if department && doctor {
            Ok(())
        } else {
            Err(Reason::OtherPerson.into())
        }
    }

    /// Steps 13 and 14 (CST-65): the action of the proof is what the node would do, and the grant covers it.
    fn check_scope(
        &self,
        proof: &ProofClaims,
        opening: &Opening,
        wanted: &Use<'_>,
    ) -> Result<Option<HiddenRecord>, Denial> {
        let (suite, grant) = (self.suite(), self.claims());
        let record = match wanted.record {
            None => None,
            Some((record_key, facts)) => {
                let hidden = HiddenRecord::new(suite, opening, record_key)
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
        match SubjectCommitment::new(suite, opening, wanted.person) {
            Ok(subject) if subject == *grant.subject() => {}
            _ => return Err(Reason::OtherSubject.into()),
        }
        let right = if record.is_some() {
            Rights::VIEW
        } else {
            Rights::LIST
        };
        if !grant.rights().contains(right) {
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
        if stored_here && grant.scope().opens(&hidden, &facts) {
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
        let grant = self.claims();
        let skew = checker.policy().skew_s();
        // The count first: a study counted twice counts once, but a proof used up is gone.
        if let (Some(most), Some(record)) = (grant.studies_max(), record) {
            let until = later(grant.expires_at(), skew.saturating_mul(2))?;
            refuse(guard.admit_study(&self.key_id(), grant.id(), record, most, until, now))?;
        }
        // A proof may come from a clock that is ahead, so it is remembered for twice the skew.
        let until =
            later(proof.expires_at(), skew.saturating_mul(2))?.max(later(now, PROOF_LIFE_S)?);
        refuse(guard.admit_proof(&grant.holder(), proof.id(), until, now))
    }
}

fn refuse(admission: Admission) -> Result<(), Denial> {
    match admission {
        Admission::Fresh => Ok(()),
        Admission::Seen => Err(Reason::ProofReplayed.into()),
        Admission::UsedUp => Err(Reason::StudiesUsedUp.into()),
        Admission::Full => Err(Reason::MemoryFull.into()),
    }
}
