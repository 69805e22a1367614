//! Reconciliation: what was served against what was granted, over all nodes (CST-132 to CST-135). Offline nodes
//! cannot share a memory; this finds what each of them alone could not see.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::{
    claims::{
        binding::{
            GrantId, HiddenRecord, ProofId, emergency_digest, grant_digest, narrowed_digest,
            order_digest,
        },
        purpose::{Purpose, Rights},
        scope::{Scope, ScopeKind},
        time::{between, later},
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, IssuerCode},
    denial::Reason,
    emergency::EmergencyClaims,
    grant::GrantClaims,
    limits::{REVIEW_S, SKEW_S, SKEW_S_MAX, STATUS_LIST_AGE_S, STATUS_LIST_LIFE_S_MAX},
    log::{LogAudit, LogGap, ReceiptClaims, ReviewClaims, Verdict},
    narrow::NarrowedClaims,
    order::OrderClaims,
    permit::Basis,
    proof::{Action, Place, ProofClaims},
    suite::Suite,
    terms::Terms,
    withdrawal::{Effect, WithdrawalClaims},
};

mod report;

pub use self::report::{Finding, FindingKind, ReconciliationReport, ScopeCount};

/// Takes grants, emergency accesses, withdrawals, reviews and receipts in any order, all of them checked, and
/// finds what does not fit together. It keeps some 300 bytes for a grant and 200 for a receipt: shard by the
/// first byte of the grant's id.
///
/// ```
/// use mic_consent::{FindingKind, Live, Receipt, Reconciliation};
///
/// fn orphans(receipts: &[Live<Receipt>], now: chrono::DateTime<chrono::Utc>) -> usize {
///     let mut reconciliation = Reconciliation::new();
///     for receipt in receipts {
///         reconciliation.served(receipt.claims());
///     }
///     let report = reconciliation.report(now);
///     report.findings().iter().filter(|finding| finding.kind() == FindingKind::Orphan).count()
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Reconciliation {
    skew_s: u32,
    /// After so many seconds every node must know of a withdrawal.
    known_s: u32,
    accounts: BTreeMap<GrantId, Account>,
    gaps: BTreeSet<LogGap>,
}

impl Default for Reconciliation {
    fn default() -> Self {
        Self::new()
    }
}

/// SHA-256 of the claims: contents are told apart, and one that is told twice is one.
type Content = [u8; 32];

fn content(claims: Result<Vec<u8>, Reason>) -> Content {
    Sha256::digest(claims.unwrap_or_default()).into()
}

#[derive(Debug, Clone, Default)]
struct Account {
    granted: BTreeMap<Content, Granted>,
    /// Digests of what was granted, as receipts name them.
    digests: BTreeSet<Content>,
    /// Narrowings by the digest that receipts name.
    links: BTreeMap<Content, Granted>,
    withdrawn: BTreeMap<IssuerCode, DateTime<Utc>>,
    /// When every node must have known.
    withdrawn_everywhere: Option<DateTime<Utc>>,
    reviews: Vec<(DoctorCode, IssuerCode, Verdict, DateTime<Utc>)>,
    /// By their content: told twice is told once.
    served: BTreeMap<Content, ReceiptClaims>,
    late: BTreeSet<(DateTime<Utc>, IssuerCode, i64)>,
    obtained: BTreeMap<ProofId, (DateTime<Utc>, IssuerCode)>,
}

/// The digests of a payload in both hashes: claims alone do not say their suite.
fn digests(payload: &[u8], digest: fn(Suite, &[u8]) -> Option<Content>) -> BTreeSet<Content> {
    Suite::ALL
        .iter()
        .filter_map(|suite| digest(*suite, payload))
        .collect()
}

#[derive(Debug, Clone)]
struct Granted {
    basis: Basis,
    organisation: InstitutionCode,
    purpose: Option<Purpose>,
    rights: Rights,
    scope: Scope,
    valid_from: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    studies: Option<u16>,
    place: Option<Place>,
    reviewer: Option<(DoctorCode, IssuerCode)>,
}

impl Granted {
    fn new(basis: Basis, organisation: &InstitutionCode, terms: Terms<'_>) -> Self {
        Self {
            basis,
            organisation: *organisation,
            purpose: None,
            rights: terms.rights,
            scope: terms.scope.clone(),
            valid_from: terms.valid_from,
            expires_at: terms.expires_at,
            department: terms.department.copied(),
            doctor: terms.doctor.copied(),
            studies: terms.studies,
            place: terms.place.copied(),
            reviewer: None,
        }
    }
}

impl Reconciliation {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            skew_s: SKEW_S,
            known_s: STATUS_LIST_AGE_S,
            accounts: BTreeMap::new(),
            gaps: BTreeSet::new(),
        }
    }

    /// Clocks may differ by so many seconds, at most 300: the largest of the nodes' policies.
    #[must_use]
    pub fn with_skew_s(mut self, skew_s: u32) -> Self {
        self.skew_s = skew_s.min(SKEW_S_MAX);
        self
    }

    /// Every node must know of a withdrawal after so many seconds: the largest age of a status list in the nodes'
    /// policies, an hour unless told otherwise, at most a week.
    #[must_use]
    pub fn with_status_list_age_s(mut self, age_s: u32) -> Self {
        self.known_s = age_s.min(STATUS_LIST_LIFE_S_MAX);
        self
    }

    fn account(&mut self, grant: &GrantId) -> &mut Account {
        self.accounts.entry(*grant).or_default()
    }

    /// A grant was issued.
    pub fn granted(&mut self, grant: &GrantClaims) {
        let granted = Granted {
            purpose: Some(grant.purpose()),
            ..Granted::new(Basis::Consent, grant.organisation(), grant.terms())
        };
        self.told(grant.id(), granted, grant.encode(), grant_digest);
    }

    /// An emergency access was taken.
    pub fn emergency(&mut self, emergency: &EmergencyClaims) {
        let granted = Granted {
            reviewer: Some((*emergency.reviewer(), *emergency.reviewing())),
            ..Granted::new(
                Basis::Emergency,
                emergency.organisation(),
                emergency.terms(),
            )
        };
        self.told(
            emergency.id(),
            granted,
            emergency.encode(),
            emergency_digest,
        );
    }

    /// An order was made.
    pub fn ordered(&mut self, order: &OrderClaims) {
        let granted = Granted::new(Basis::Statute, order.organisation(), order.terms());
        self.told(order.id(), granted, order.encode(), order_digest);
    }

    fn told(
        &mut self,
        id: &GrantId,
        granted: Granted,
        claims: Result<Vec<u8>, Reason>,
        digest: fn(Suite, &[u8]) -> Option<Content>,
    ) {
        let claims = claims.unwrap_or_default();
        let account = self.account(id);
        account.digests.extend(digests(&claims, digest));
        account
            .granted
            .insert(Sha256::digest(&claims).into(), granted);
    }

    /// A grant was narrowed: accesses under this narrowing are compared with its terms.
    pub fn narrowed(&mut self, narrowed: &NarrowedClaims) {
        let link = Granted::new(Basis::Consent, narrowed.organisation(), narrowed.terms());
        let claims = narrowed.encode().unwrap_or_default();
        let account = self.account(narrowed.grant());
        for digest in digests(&claims, narrowed_digest) {
            account.links.insert(digest, link.clone());
        }
    }

    /// A node heard of a withdrawal at this moment; earlier accesses stay lawful.
    pub fn withdrawn(&mut self, grant: &GrantId, node: IssuerCode, heard_at: DateTime<Utc>) {
        self.account(grant)
            .withdrawn
            .entry(node)
            .and_modify(|moment| *moment = heard_at.min(*moment))
            .or_insert(heard_at);
    }

    /// A withdrawal was signed: whatever nodes say they heard, after the age of a status list all must know. A
    /// suspension changes nothing here.
    pub fn withdrawal(&mut self, withdrawal: &WithdrawalClaims) {
        if withdrawal.effect() != Effect::Withdrawn {
            return;
        }
        let Ok(known) = later(withdrawal.issued_at(), self.known_s) else {
            return;
        };
        let everywhere = &mut self.account(withdrawal.grant()).withdrawn_everywhere;
        *everywhere = Some(everywhere.map_or(known, |moment| known.min(moment)));
    }

    /// An emergency access was reviewed, at the moment that the review states.
    pub fn reviewed(&mut self, review: &ReviewClaims) {
        self.review_arrived(review, review.issued_at());
    }

    /// An emergency access was reviewed, and the review arrived at this moment: the later of both counts, for its
    /// date is its signer's word alone.
    pub fn review_arrived(&mut self, review: &ReviewClaims, arrived_at: DateTime<Utc>) {
        let moment = review.issued_at().max(arrived_at);
        let judged = (
            *review.reviewer(),
            *review.issuer(),
            review.verdict(),
            moment,
        );
        self.account(review.emergency()).reviews.push(judged);
    }

    /// A node served something. The same receipt told twice is one.
    pub fn served(&mut self, receipt: &ReceiptClaims) {
        let content = content(receipt.encode());
        self.account(receipt.grant())
            .served
            .insert(content, receipt.clone());
    }

    /// The asking side says that it was served under this proof. Without a receipt for it that is a finding, which
    /// a log alone cannot show.
    pub fn obtained(&mut self, proof: &ProofClaims) {
        let at = (proof.issued_at(), *proof.place().node());
        self.account(proof.grant()).obtained.insert(*proof.id(), at);
    }

    /// What the audit of a log found: receipts that were kept back, and receipts logged late.
    pub fn audited(&mut self, audit: &LogAudit) {
        self.gaps.extend(audit.gaps());
        for (grant, issued_at, by_s) in audit.late() {
            let late = (*issued_at, *audit.log(), *by_s);
            self.account(grant).late.insert(late);
        }
    }

    /// What fits and what does not, at the moment `now`.
    #[must_use]
    pub fn report(&self, now: DateTime<Utc>) -> ReconciliationReport {
        let mut report = ReconciliationReport {
            grants: 0,
            emergencies: 0,
            accesses: 0,
            unused: 0,
            orders: 0,
            unlinked: 0,
            scopes: Vec::new(),
            gaps: self.gaps.iter().copied().collect(),
            findings: Vec::new(),
        };
        let mut scopes = BTreeMap::new();
        for (grant, account) in &self.accounts {
            report.accesses += account.served.len() as u64;
            for granted in account.granted.values() {
                match granted.basis {
                    Basis::Consent => report.grants += 1,
                    Basis::Emergency => report.emergencies += 1,
                    Basis::Statute => report.orders += 1,
                }
                report.unused += u64::from(account.served.is_empty());
            }
            account.count(&mut scopes);
            report.unlinked += account.unlinked();
            let mut found = |kind, access: Option<Access>| {
                report.findings.push(Finding {
                    grant: *grant,
                    kind,
                    access,
                });
            };
            account.judge(self.skew_s, now, &mut found);
        }
        report.findings.sort_unstable();
        report.scopes = scopes.into_values().collect();
        report
    }
}

/// When and at which node.
type Access = (DateTime<Utc>, IssuerCode);

fn access(receipt: &ReceiptClaims) -> Access {
    (receipt.issued_at(), *receipt.place().node())
}

impl Account {
    fn judge(
        &self,
        skew_s: u32,
        now: DateTime<Utc>,
        found: &mut impl FnMut(FindingKind, Option<Access>),
    ) {
        if self.granted.len() > 1 {
            found(FindingKind::IdTwice, None);
        }
        for (issued_at, node, by_s) in &self.late {
            let kind = FindingKind::LoggedLate { by_s: *by_s };
            found(kind, Some((*issued_at, *node)));
        }
        let mut proofs: BTreeMap<ProofId, u64> = BTreeMap::new();
        let mut studies = BTreeSet::new();
        let mut under: BTreeMap<&Content, BTreeSet<HiddenRecord>> = BTreeMap::new();
        for receipt in self.served.values() {
            let times = proofs.entry(*receipt.proof()).or_default();
            *times += 1;
            if *times > 1 {
                found(FindingKind::ProofTwice, None);
            }
            if let Action::OpenRecord(record) = receipt.action() {
                studies.insert(*record);
                under.entry(receipt.digest()).or_default().insert(*record);
            }
            if self.granted.is_empty() {
                found(FindingKind::Orphan, Some(access(receipt)));
            }
            // Once each, however many contents the id has.
            let mut kinds = BTreeSet::new();
            for granted in self.granted.values() {
                granted.compare(receipt, skew_s, &mut |kind| {
                    kinds.insert(kind);
                });
            }
            if self.links.get(receipt.digest()).is_some_and(|link| {
                let counted = under.get(receipt.digest()).map_or(0, BTreeSet::len);
                !link.allows(receipt, counted, skew_s)
            }) {
                kinds.insert(FindingKind::BeyondNarrowing);
            }
            for kind in kinds {
                found(kind, Some(access(receipt)));
            }
            self.judge_withdrawal(receipt, skew_s, found);
        }
        for (proof, access) in &self.obtained {
            if !proofs.contains_key(proof) {
                found(FindingKind::NoReceipt, Some(*access));
            }
        }
        let count = studies.len() as u64;
        let mut kinds = BTreeSet::new();
        for granted in self.granted.values() {
            self.judge_whole(granted, count, now, &mut |kind| {
                kinds.insert(kind);
            });
        }
        for kind in kinds {
            found(kind, None);
        }
    }

    /// CST-134: after the node says it heard of it, or after everybody must have known.
    fn judge_withdrawal(
        &self,
        receipt: &ReceiptClaims,
        skew_s: u32,
        found: &mut impl FnMut(FindingKind, Option<Access>),
    ) {
        let heard = self.withdrawn.get(receipt.place().node()).copied();
        let heard = heard.map(|heard| between(heard, receipt.issued_at()));
        let known = self
            .withdrawn_everywhere
            .map(|known| between(known, receipt.issued_at()).saturating_sub(i64::from(skew_s)));
        if let Some(by_s) = heard.max(known).filter(|by_s| *by_s > 0) {
            found(FindingKind::AfterWithdrawal { by_s }, Some(access(receipt)));
        }
    }

    /// Adds to the counts by kind of scope.
    fn count(&self, scopes: &mut BTreeMap<ScopeKind, ScopeCount>) {
        let opened: BTreeSet<HiddenRecord> = self
            .served
            .values()
            .filter_map(|receipt| match receipt.action() {
                Action::OpenRecord(record) => Some(*record),
                Action::ListExams => None,
            })
            .collect();
        for granted in self.granted.values() {
            let kind = granted.scope.kind();
            let count = scopes.entry(kind).or_insert(ScopeCount {
                kind,
                granted: 0,
                accesses: 0,
                studies: 0,
            });
            count.granted += 1;
            count.accesses += self.served.len() as u64;
            count.studies += opened.len() as u64;
        }
    }

    /// Accesses under a digest that nobody told of.
    fn unlinked(&self) -> u64 {
        if self.granted.is_empty() {
            return 0;
        }
        let unknown = |receipt: &&ReceiptClaims| {
            let digest = receipt.digest();
            !self.digests.contains(digest) && !self.links.contains_key(digest)
        };
        self.served.values().filter(unknown).count() as u64
    }

    /// What is odd about the grant as a whole.
    fn judge_whole(
        &self,
        granted: &Granted,
        count: u64,
        now: DateTime<Utc>,
        found: &mut impl FnMut(FindingKind),
    ) {
        if let Some(allowed) = granted
            .studies
            .filter(|allowed| count > u64::from(*allowed))
        {
            let found_too_many = FindingKind::TooManyStudies {
                allowed,
                found: count,
            };
            found(found_too_many);
        }
        if let (Some((reviewer, body)), false) = (&granted.reviewer, self.served.is_empty()) {
            self.judge_review(granted, (reviewer, body), now, found);
        }
    }

    /// CST-133: reviewed in time, by the one named, and found justified.
    fn judge_review(
        &self,
        granted: &Granted,
        (reviewer, body): (&DoctorCode, &IssuerCode),
        now: DateTime<Utc>,
        found: &mut impl FnMut(FindingKind),
    ) {
        let in_time =
            |moment: DateTime<Utc>| between(granted.valid_from, moment) <= i64::from(REVIEW_S);
        let own = |by: &DoctorCode, of: &IssuerCode| by == reviewer && of == body;
        let reviewed = self
            .reviews
            .iter()
            .any(|(by, of, _, moment)| own(by, of) && in_time(*moment));
        if !reviewed && !in_time(now) {
            found(FindingKind::NotReviewed);
        }
        if self.reviews.iter().any(|(by, of, ..)| !own(by, of)) {
            found(FindingKind::ReviewedByAnother);
        }
        if self
            .reviews
            .iter()
            .any(|(by, of, verdict, _)| own(by, of) && *verdict == Verdict::Unjustified)
        {
            found(FindingKind::Unjustified);
        }
    }
}

impl Granted {
    /// Whether a narrowing covers an access; it does not repeat basis and purpose. `counted` are the different
    /// records opened under it so far.
    fn allows(&self, receipt: &ReceiptClaims, counted: usize, skew_s: u32) -> bool {
        let mut within = self.place.is_none_or(|place| place == *receipt.place());
        within &= self
            .studies
            .is_none_or(|studies| counted <= usize::from(studies));
        self.compare(receipt, skew_s, &mut |kind| {
            within &= matches!(kind, FindingKind::OtherBasis | FindingKind::OtherPurpose);
        });
        within
    }

    fn compare(&self, receipt: &ReceiptClaims, skew_s: u32, found: &mut impl FnMut(FindingKind)) {
        if receipt.basis() != self.basis {
            found(FindingKind::OtherBasis);
        } else if receipt.purpose() != self.purpose {
            found(FindingKind::OtherPurpose);
        }
        if *receipt.organisation() != self.organisation {
            found(FindingKind::OtherHospital);
        }
        let one = |named: bool, same: bool| !named || same;
        let department = one(
            self.department.is_some(),
            receipt.department() == self.department.as_ref(),
        );
        if !department
            || !one(
                self.doctor.is_some(),
                receipt.doctor() == self.doctor.as_ref(),
            )
        {
            found(FindingKind::OtherPerson);
        }
        let skew = i64::from(skew_s);
        let early = between(receipt.issued_at(), self.valid_from);
        if early > skew {
            found(FindingKind::Early { by_s: early });
        }
        let late = between(self.expires_at, receipt.issued_at());
        if late >= skew {
            found(FindingKind::Late { by_s: late });
        }
        let needed = match receipt.action() {
            Action::ListExams => Rights::LIST,
            Action::OpenRecord(_) => Rights::VIEW,
        };
        if !receipt.rights().is_within(self.rights) || !self.rights.contains(needed) {
            found(FindingKind::RightMissing);
        }
        if !self.covers(receipt) {
            found(FindingKind::OutsideScope);
        }
    }

    /// As far as a receipt shows: the record of a chosen scope, and the province of an archive.
    fn covers(&self, receipt: &ReceiptClaims) -> bool {
        let record = match receipt.action() {
            Action::ListExams => true,
            Action::OpenRecord(record) => match self.scope.kind() {
                ScopeKind::ListOnly => false,
                ScopeKind::Chosen => self.scope.records().contains(&record.commitment()),
                _ => true,
            },
        };
        let province = match (
            self.scope.filter().provinces(),
            receipt.place().in_province(),
        ) {
            (Some(provinces), Some(province)) => provinces.contains(&province),
            _ => true,
        };
        record && province
    }
}
