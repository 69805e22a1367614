//! What an auditor holds of one node's log against its witnessed head: receipts that are missing, and receipts
//! that were logged late (CST-150, CST-151).

use alloc::{collections::BTreeMap, vec::Vec};

use chrono::{DateTime, Utc};

use super::{Checkpoint, ConsistencyProof, InclusionProof, LogRoot, Receipt, witnessed};
use crate::{
    claims::{binding::GrantId, time::between},
    code::IssuerCode,
    denial::{Denial, Reason},
    limits::RECEIPT_DELAY_S,
    suite::Suite,
    token::{Live, Signed},
};

/// Entries of a log that nobody showed to the auditor.
///
/// ```
/// fn line(gap: &mic_consent::LogGap) -> String {
///     format!("{}: {} entries from {} on", gap.log(), gap.count(), gap.first())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogGap {
    log: IssuerCode,
    first: u64,
    count: u64,
}

impl LogGap {
    /// Whose log.
    #[must_use]
    pub const fn log(&self) -> &IssuerCode {
        &self.log
    }

    /// The index of the first missing entry.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// How many entries are missing in a row.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }
}

/// The receipts of one log as they are shown, each with its path to one witnessed head. A node that keeps a receipt
/// back leaves a gap; one that logs a receipt after a head that should have had it is late, or has dated it back.
///
/// What a node served without any receipt leaves no trace here: see
/// [`Reconciliation::obtained`](crate::Reconciliation::obtained).
///
/// ```
/// # use mic_consent::*;
/// # fn scene(head: &Live<Checkpoint>, witness: &Live<Checkpoint>, shown: &[(Signed<Receipt>, InclusionProof)])
/// #     -> Result<(), Denial> {
/// let mut audit = LogAudit::of(head, witness)?;
/// for (receipt, path) in shown {
///     audit.entry(receipt, path)?;
/// }
/// assert!(audit.gaps().is_empty(), "a receipt was kept back");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LogAudit {
    log: IssuerCode,
    suite: Suite,
    size: u64,
    root: LogRoot,
    /// Earlier heads: the moment of each by its size.
    earlier: BTreeMap<u64, DateTime<Utc>>,
    /// Entries shown, as ranges: first, and the one behind the last.
    shown: BTreeMap<u64, u64>,
    late: Vec<(GrantId, DateTime<Utc>, i64)>,
}

impl LogAudit {
    /// Against this head, which a witness countersigned.
    ///
    /// # Errors
    /// The witness says something else, or is of the same organisation ([`Reason::NotWitnessed`]).
    pub fn of(head: &Live<Checkpoint>, witness: &Live<Checkpoint>) -> Result<Self, Denial> {
        witnessed(head, witness)?;
        let claims = head.claims();
        Ok(Self {
            log: *claims.log(),
            suite: head.suite(),
            size: claims.size(),
            root: *claims.root(),
            earlier: BTreeMap::new(),
            shown: BTreeMap::new(),
            late: Vec::new(),
        })
    }

    /// With an earlier head of the same log, witnessed as well: what it does not have was logged after it. The
    /// moment that counts is the witness's. Give them before the entries.
    ///
    /// # Errors
    /// Another log or a head that is not witnessed; one that the head audited does not continue.
    pub fn with_earlier(
        mut self,
        head: &Live<Checkpoint>,
        witness: &Live<Checkpoint>,
        grew: &ConsistencyProof,
    ) -> Result<Self, Denial> {
        witnessed(head, witness)?;
        let claims = head.claims();
        if *claims.log() != self.log || head.suite() != self.suite {
            return Err(Reason::OtherLog.into());
        }
        if (grew.older(), grew.newer()) != (claims.size(), self.size) {
            return Err(Reason::LogProofShape.into());
        }
        grew.verify(self.suite, claims.root(), &self.root)?;
        let moment = witness.claims().issued_at();
        let kept = self.earlier.entry(claims.size()).or_insert(moment);
        *kept = moment.max(*kept);
        Ok(self)
    }

    /// A receipt that was shown, with its path to the head. Shown twice it is one.
    ///
    /// # Errors
    /// A receipt of another node ([`Reason::OtherLog`]); a path to another head, or none.
    pub fn entry(
        &mut self,
        receipt: &Signed<Receipt>,
        path: &InclusionProof,
    ) -> Result<(), Denial> {
        let claims = receipt.claims();
        if *claims.place().node() != self.log {
            return Err(Reason::OtherLog.into());
        }
        if path.size() != self.size {
            return Err(Reason::LogProofShape.into());
        }
        path.verify(self.suite, receipt.entry(), &self.root)?;
        if !self.show(path.index()) {
            return Ok(());
        }
        // The last head that does not have it yet.
        if let Some((_, moment)) = self.earlier.range(..=path.index()).next_back() {
            let by_s = between(claims.issued_at(), *moment);
            if by_s > i64::from(RECEIPT_DELAY_S) {
                self.late.push((*claims.grant(), claims.issued_at(), by_s));
            }
        }
        Ok(())
    }

    /// Adds an index to the ranges; whether it is new.
    fn show(&mut self, index: u64) -> bool {
        let before = self
            .shown
            .range(..=index)
            .next_back()
            .map(|(first, end)| (*first, *end));
        if before.is_some_and(|(_, end)| index < end) {
            return false;
        }
        let behind = index.saturating_add(1);
        let end = self.shown.remove(&behind).unwrap_or(behind);
        match before {
            Some((first, last)) if last == index => self.shown.insert(first, end),
            _ => self.shown.insert(index, end),
        };
        true
    }

    /// Whose log.
    #[must_use]
    pub const fn log(&self) -> &IssuerCode {
        &self.log
    }

    /// The entries that were not shown, in order.
    #[must_use]
    pub fn gaps(&self) -> Vec<LogGap> {
        let mut gaps = Vec::new();
        let mut next = 0;
        let end = [(self.size, self.size)];
        for (first, behind) in self.shown.iter().map(|(a, b)| (*a, *b)).chain(end) {
            if first > next {
                gaps.push(LogGap {
                    log: self.log,
                    first: next,
                    count: first - next,
                });
            }
            next = behind;
        }
        gaps
    }

    /// Receipts that a head of later than their date did not have: the grant, the date, and how many seconds
    /// that head is after it, beyond the five minutes that logging may take.
    pub(crate) fn late(&self) -> &[(GrantId, DateTime<Utc>, i64)] {
        &self.late
    }
}
