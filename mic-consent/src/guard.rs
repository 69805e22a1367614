//! Replay and counting: what a node must remember, in bounded memory that fails closed (CST-66 to CST-68).

use chrono::{DateTime, Utc};

use crate::{
    claims::binding::{GrantId, HiddenRecord, ProofId},
    key::KeyId,
};

mod kept;
mod memory;

pub use self::{
    kept::{GUARD_RECORD_BYTES, GuardStore, GuardStoreError, KeptGuard},
    memory::MemoryGuard,
};

/// What the guard says.
///
/// ```
/// assert_ne!(mic_consent::Admission::Fresh, mic_consent::Admission::Full);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Admission {
    /// Not seen before, remembered now.
    Fresh,
    /// Seen before: refused.
    Seen,
    /// More studies than the grant allows: refused.
    UsedUp,
    /// No room to remember it: refused.
    Full,
    /// The clock is before a moment at which something was forgotten already: refused.
    ClockBack,
}

/// The memory of a node. Offline nodes cannot share one: a proof is single at each node, and the insurer's
/// reconciliation of receipts finds the rest.
///
/// Put it behind a lock when several threads serve; `admit_*` must look and remember in one step.
pub trait ReplayGuard {
    /// Remembers a proof of the key `signer` until `until`.
    fn admit_proof(
        &mut self,
        signer: &KeyId,
        proof: &ProofId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Admission;

    /// Counts a study opened under a grant of the key `issuer`, at most `most` different ones until `until`.
    /// A study opened again is [`Admission::Fresh`] and not counted again.
    fn admit_study(
        &mut self,
        issuer: &KeyId,
        grant: &GrantId,
        study: &HiddenRecord,
        most: u16,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Admission;
}
