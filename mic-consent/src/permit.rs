//! The permit: the one thing that serving code should ask for. It names exactly one action.

use core::fmt;

use chrono::{DateTime, Utc};

use crate::{
    checker::Checker,
    claims::{
        binding::{GrantId, HiddenRecord, Opening},
        person::closed_list,
        purpose::Rights,
        scope::RecordFacts,
    },
    denial::Denial,
    emergency::Emergency,
    encoded::Encoded,
    grant::Grant,
    guard::ReplayGuard,
    narrow::NarrowedGrant,
    order::Order,
    proof::{Action, Place, ProofClaims},
    signer::AsyncRawVerify,
    terms::Terms,
    token::Live,
};

mod decide;

pub(crate) use self::decide::{Held, recheck};

closed_list! {
    /// What an access stands on (PIPL article 13).
    ///
    /// ```
    /// use mic_consent::Basis;
    /// assert_eq!(Basis::from_number(2), Some(Basis::Emergency));
    /// ```
    Basis {
        /// The consent of the person or the guardian.
        Consent = 1,
        /// An emergency in which nobody can be asked: protecting life and health. Each is reviewed.
        Emergency = 2,
        /// An order of a body with the power of law (法定依据). Never from a patient's code.
        Statute = 3,
    }
}

/// The checked token that a permit was given under.
#[derive(Clone, Copy)]
pub(crate) enum Under<'a> {
    Grant(&'a Live<Grant>),
    Narrowed(&'a NarrowedGrant),
    Emergency(&'a Live<Emergency>),
    Order(&'a Live<Order>),
}

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
/// [`Live::permit`] and [`NarrowedGrant::permit`](crate::NarrowedGrant::permit), not be copied, and not
/// outlive the grant it was given under.
///
/// ```compile_fail
/// fn twice(permit: mic_consent::Permit<'_>) -> [mic_consent::Permit<'_>; 2] {
///     [permit.clone(), permit]
/// }
/// ```
///
/// Let serving code take it by value: `fn serve(permit: Permit<'_>, ...)`, and end with
/// [`served`](Self::served), which gives the receipt.
#[must_use = "a permit is used up by serving what it names"]
pub struct Permit<'a> {
    pub(crate) held: Held<'a>,
    under: Under<'a>,
    opening: &'a Opening,
    proof: ProofClaims,
}

impl<'a> Permit<'a> {
    /// The action.
    #[must_use]
    pub const fn action(&self) -> &Action {
        self.proof.action()
    }

    /// What it stands on. An emergency is to be shown on every screen and noted in every receipt.
    #[must_use]
    pub const fn basis(&self) -> Basis {
        self.under.basis()
    }

    /// The id of the grant, emergency access or order.
    #[must_use]
    pub const fn id(&self) -> &GrantId {
        self.held.id
    }

    /// The grant; none when it stands on an emergency or an order.
    #[must_use]
    pub const fn grant(&self) -> Option<&'a Live<Grant>> {
        match self.under {
            Under::Grant(grant) => Some(grant),
            Under::Narrowed(chain) => Some(chain.grant()),
            Under::Emergency(_) | Under::Order(_) => None,
        }
    }

    /// The emergency access; none when it stands on anything else.
    #[must_use]
    pub const fn emergency(&self) -> Option<&'a Live<Emergency>> {
        match self.under {
            Under::Grant(_) | Under::Narrowed(_) | Under::Order(_) => None,
            Under::Emergency(emergency) => Some(emergency),
        }
    }

    /// The order; none when it stands on anything else.
    #[must_use]
    pub const fn order(&self) -> Option<&'a Live<Order>> {
        match self.under {
            Under::Order(order) => Some(order),
            _ => None,
        }
    }

    /// The terms in force, narrowed or not.
    #[must_use]
    pub const fn terms(&self) -> Terms<'a> {
        self.held.terms
    }

    /// The proof, for the receipt.
    #[must_use]
    pub const fn proof(&self) -> &ProofClaims {
        &self.proof
    }

    /// What may be done with what is served.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        self.held.terms.rights
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
                .is_some_and(|hidden| self.held.terms.scope.lists(&hidden, facts))
    }

    fn hidden(&self, record_key: &[u8]) -> Option<HiddenRecord> {
        HiddenRecord::new(self.held.suite, self.opening, record_key).ok()
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("basis", &self.basis())
            .field("grant", self.id())
            .field("action", self.action())
            .field("place", self.proof.place())
            .finish_non_exhaustive()
    }
}

impl Live<Grant> {
    /// Decides on one action: the proof's own steps 3 to 10, then steps 13 to 15.
    ///
    /// The grant's key (steps 5 and 8) and time are checked again, and a status check older than the policy
    /// allows is refused: make the grant [`Live`] anew for that. With [`Checker::with_status`] the status is
    /// looked at again as well, so that a withdrawal heard a moment ago ends the grant. The guard is asked
    /// last, when all else is well: it
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
        Under::Grant(self).permit(checker, now, presented, wanted, guard)
    }

    /// [`permit`](Self::permit) with the proof's signature checked by a module that is waited for. What is held is
    /// checked before the wait and once more behind it, so a withdrawal heard meanwhile counts; `now` is that of
    /// the call. Nothing is remembered in the guard when the future is dropped before its end.
    ///
    /// # Errors
    /// As [`permit`](Self::permit).
    pub async fn permit_async<'a>(
        &'a self,
        checker: &Checker<'_>,
        module: &impl AsyncRawVerify,
        now: DateTime<Utc>,
        presented: Presented<'a>,
        wanted: &Use<'_>,
        guard: &mut (dyn ReplayGuard + Send),
    ) -> Result<Permit<'a>, Denial> {
        Under::Grant(self)
            .permit_async(checker, module, now, presented, wanted, guard)
            .await
    }

    /// Time passed since the grant was made live, and its key or the grant itself may have been withdrawn.
    pub(crate) fn recheck(&self, checker: &Checker<'_>, now: DateTime<Utc>) -> Result<(), Denial> {
        self.still_trusted(checker)?;
        let life_s = checker.policy().grant_life_s();
        recheck(checker, self.claims(), life_s, self.checked_at(), now)?;
        checker.still_valid(&self.key_id(), self.claims().status(), now)
    }

    fn held_at(&self, checker: &Checker<'_>, now: DateTime<Utc>) -> Result<Held<'_>, Denial> {
        self.recheck(checker, now)?;
        self.held()
    }

    pub(crate) fn held(&self) -> Result<Held<'_>, Denial> {
        let claims = self.claims();
        Ok(Held {
            suite: self.suite(),
            realm: claims.realm(),
            issuer: self.key_id(),
            id: claims.id(),
            digest: self.digest()?,
            holder: claims.holder(),
            organisation: claims.organisation(),
            subject: claims.subject(),
            opening: None,
            terms: claims.terms(),
            counted_until: claims.expires_at(),
        })
    }
}
