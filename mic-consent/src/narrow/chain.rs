//! A live grant with its narrowings, each checked against the one before.

use chrono::{DateTime, Utc};

use super::Narrowed;
use crate::{
    checker::Checker,
    claims::binding::{HiddenRecord, Opening, narrowed_digest},
    denial::{Denial, Reason},
    grant::Grant,
    guard::ReplayGuard,
    issue::IssueError,
    limits::{GRANT_LIFE_S_MAX, NARROWINGS_MAX},
    permit::{Held, Permit, Presented, Under, Use},
    proof::{Action, Place, ProofDraft},
    signer::AsyncRawVerify,
    terms::Terms,
    token::{Live, Signed},
};

/// A live grant and one to three narrowings of it. It permits what the last of them allows, to the key that
/// the last of them names; whatever ends the grant ends it too.
///
/// ```
/// use mic_consent::*;
/// # fn scene(grant: Live<Grant>, hospital: &dyn Signer, viewer: KeyId, opening: &Opening,
/// #     checker: &Checker<'_>, now: chrono::DateTime<chrono::Utc>) -> Result<(), Box<dyn core::error::Error>> {
/// // The hospital cuts its grant down to one study for ten minutes, for the key of its viewer.
/// let link = NarrowDraft::of(&grant)
///     .with_records([&b"index code / StudyInstanceUID"[..]], opening)?
///     .with_life_s(600)
///     .with_holder(viewer)
///     .sign(hospital, now)?;
///
/// // The node takes the grant and the narrowing together.
/// let link = link.untrusted::<Narrowed>()?.verify(checker)?;
/// let narrowed = grant.narrowed_by(link, checker, now)?;
/// assert_eq!(narrowed.terms().scope().records().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NarrowedGrant {
    grant: Live<Grant>,
    /// Never empty.
    links: alloc::vec::Vec<Signed<Narrowed>>,
}

impl Live<Grant> {
    /// Puts a narrowing to this grant (step 13): signed by its holder, for this very grant, within its terms.
    ///
    /// # Errors
    /// A narrowing that is not good, over, by another key than the holder's, of another grant, or wider in
    /// any part.
    pub fn narrowed_by(
        self,
        link: Signed<Narrowed>,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
    ) -> Result<NarrowedGrant, Denial> {
        follows(&self.held()?, &link, checker, now)?;
        Ok(NarrowedGrant {
            grant: self,
            links: alloc::vec![link],
        })
    }
}

impl NarrowedGrant {
    /// Narrows it once more.
    ///
    /// # Errors
    /// As [`Live::narrowed_by`], and a fourth narrowing.
    pub fn narrowed_by(
        mut self,
        link: Signed<Narrowed>,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
    ) -> Result<Self, Denial> {
        if self.links.len() >= NARROWINGS_MAX {
            return Err(Reason::NarrowedTooOften.into());
        }
        follows(&self.held()?, &link, checker, now)?;
        self.links.push(link);
        Ok(self)
    }

    /// The grant that was narrowed.
    #[must_use]
    pub const fn grant(&self) -> &Live<Grant> {
        &self.grant
    }

    /// The narrowings, first to last.
    #[must_use]
    pub fn links(&self) -> &[Signed<Narrowed>] {
        &self.links
    }

    /// What is left.
    #[must_use]
    pub fn terms(&self) -> Terms<'_> {
        match self.links.last() {
            Some(link) => link.claims().terms(),
            None => self.grant.claims().terms(),
        }
    }

    /// Decides on one action, as [`Live::permit`] does, by the last narrowing.
    ///
    /// # Errors
    /// As [`Live::permit`]; a narrowing that is over or whose key is no longer trusted.
    pub fn permit<'a>(
        &'a self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        presented: Presented<'a>,
        wanted: &Use<'_>,
        guard: &mut dyn ReplayGuard,
    ) -> Result<Permit<'a>, Denial> {
        Under::Narrowed(self).permit(checker, now, presented, wanted, guard)
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
        Under::Narrowed(self)
            .permit_async(checker, module, now, presented, wanted, guard)
            .await
    }

    pub(crate) fn held_at(
        &self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
    ) -> Result<Held<'_>, Denial> {
        self.grant.recheck(checker, now)?;
        for link in &self.links {
            alive(link, checker, now)?;
        }
        self.held()
    }

    /// A proof of use to see the list of exams at `place`.
    #[must_use]
    pub fn prove_list(&self, place: Place) -> ProofDraft<'_> {
        ProofDraft::of(self.held(), place, Action::ListExams)
    }

    /// A proof of use to open a record at `place`.
    ///
    /// # Errors
    /// The record key is empty or longer than 256 bytes.
    pub fn prove_open(
        &self,
        place: Place,
        record_key: &[u8],
        opening: &Opening,
    ) -> Result<ProofDraft<'_>, IssueError> {
        let record = HiddenRecord::new(self.grant.suite(), opening, record_key)?;
        Ok(ProofDraft::of(
            self.held(),
            place,
            Action::OpenRecord(record),
        ))
    }

    pub(crate) fn held(&self) -> Result<Held<'_>, Denial> {
        let mut held = self.grant.held()?;
        if let Some(link) = self.links.last() {
            let claims = link.claims();
            held.digest = narrowed_digest(held.suite, link.encoded().payload())
                .ok_or(Reason::SuiteNotAccepted)?;
            held.holder = claims.holder();
            held.terms = claims.terms();
        }
        Ok(held)
    }
}

/// Steps 5, 8, 9 and 10 for a narrowing.
fn alive(link: &Signed<Narrowed>, checker: &Checker<'_>, now: DateTime<Utc>) -> Result<(), Denial> {
    link.still_trusted(checker)?;
    checker.audience_and_time(link.claims(), GRANT_LIFE_S_MAX, now)
}

/// Step 13 for a narrowing (CST-82, CST-83, CST-84).
fn follows(
    held: &Held<'_>,
    link: &Signed<Narrowed>,
    checker: &Checker<'_>,
    now: DateTime<Utc>,
) -> Result<(), Denial> {
    alive(link, checker, now)?;
    let claims = link.claims();
    if link.key_id() != held.holder || claims.organisation() != held.organisation {
        return Err(Reason::NotTheGrantee.into());
    }
    if claims.grant() != held.id || *claims.digest() != held.digest {
        return Err(Reason::OtherGrant.into());
    }
    if !claims.terms().is_within(&held.terms) {
        return Err(Reason::NarrowedWider.into());
    }
    Ok(())
}
