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
        binding::{GrantId, ProofId},
        purpose::{Purpose, Rights},
        scope::{Scope, ScopeKind},
        time::between,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, IssuerCode},
    denial::Reason,
    emergency::EmergencyClaims,
    grant::GrantClaims,
    limits::{REVIEW_S, SKEW_S, SKEW_S_MAX},
    log::{ReceiptClaims, ReviewClaims, Verdict},
    permit::Basis,
    proof::Action,
    terms::Terms,
};

/// What is odd about an access.
///
/// ```
/// use mic_consent::FindingKind;
/// assert_eq!(FindingKind::Orphan.chinese(), "没有对应的授权");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// Served under a grant that nobody issued.
    Orphan,
    /// Served on another basis than the grant's: consent for an emergency, or the other way round.
    OtherBasis,
    /// Served to another hospital than the grant names.
    OtherHospital,
    /// Served to another department or doctor than the grant names.
    OtherPerson,
    /// Served for another purpose.
    OtherPurpose,
    /// Served before the grant began.
    Early {
        /// Seconds before its beginning.
        by_s: i64,
    },
    /// Served after the grant ended.
    Late {
        /// Seconds after its end.
        by_s: i64,
    },
    /// Served after the node had heard of the withdrawal.
    AfterWithdrawal {
        /// Seconds after it.
        by_s: i64,
    },
    /// More was allowed, or done, than the grant has rights for.
    RightMissing,
    /// A record or province outside the scope, as far as a receipt shows.
    OutsideScope,
    /// One proof of use served twice, at one node or at two.
    ProofTwice,
    /// More different studies over all nodes than the grant counts.
    TooManyStudies {
        /// How many the grant allows.
        allowed: u16,
        /// How many were opened.
        found: u64,
    },
    /// An emergency access that nobody reviewed in time.
    NotReviewed,
    /// An emergency access reviewed by another than it names.
    ReviewedByAnother,
    /// An emergency access that the reviewer found unjustified.
    Unjustified,
    /// Different grants or emergency accesses were told under one id; accesses are compared with each of them.
    IdTwice,
}

impl FindingKind {
    /// The Chinese text for the insurer's screen.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Orphan => "没有对应的授权",
            Self::OtherBasis => "调阅依据与授权不符",
            Self::OtherHospital => "调阅机构与授权不符",
            Self::OtherPerson => "科室或医师与授权不符",
            Self::OtherPurpose => "使用目的与授权不符",
            Self::Early { .. } => "早于授权生效时间",
            Self::Late { .. } => "晚于授权终止时间",
            Self::AfterWithdrawal { .. } => "撤回后仍调阅",
            Self::RightMissing => "超出授权的权利",
            Self::OutsideScope => "超出授权范围",
            Self::ProofTwice => "同一使用证明重复使用",
            Self::TooManyStudies { .. } => "检查数超过授权上限",
            Self::NotReviewed => "紧急调阅逾期未复核",
            Self::ReviewedByAnother => "复核人与指定不符",
            Self::Unjustified => "紧急调阅经复核不成立",
            Self::IdTwice => "同一编号对应不同授权",
        }
    }
}

/// One thing found: what, under which grant, and for an access where and when.
///
/// ```
/// fn line(finding: &mic_consent::Finding) -> String {
///     format!("{}: {}", finding.grant(), finding.kind().chinese())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    grant: GrantId,
    kind: FindingKind,
    access: Option<(DateTime<Utc>, IssuerCode)>,
}

impl Finding {
    /// The grant or emergency access.
    #[must_use]
    pub const fn grant(&self) -> &GrantId {
        &self.grant
    }

    /// What is odd.
    #[must_use]
    pub const fn kind(&self) -> FindingKind {
        self.kind
    }

    /// When and at which node, unless it is about the grant as a whole.
    #[must_use]
    pub const fn access(&self) -> Option<&(DateTime<Utc>, IssuerCode)> {
        self.access.as_ref()
    }
}

/// What came out: counts and findings, in order of grant, kind and time, whatever the order they came in.
///
/// ```
/// let report = mic_consent::Reconciliation::new().report(chrono::DateTime::UNIX_EPOCH);
/// assert_eq!((report.grants(), report.accesses(), report.findings().len()), (0, 0, 0));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconciliationReport {
    grants: u64,
    emergencies: u64,
    accesses: u64,
    unused: u64,
    findings: Vec<Finding>,
}

impl ReconciliationReport {
    /// Grants told of.
    #[must_use]
    pub const fn grants(&self) -> u64 {
        self.grants
    }

    /// Emergency accesses told of.
    #[must_use]
    pub const fn emergencies(&self) -> u64 {
        self.emergencies
    }

    /// Receipts told of.
    #[must_use]
    pub const fn accesses(&self) -> u64 {
        self.accesses
    }

    /// Grants and emergency accesses under which nothing was served.
    #[must_use]
    pub const fn unused(&self) -> u64 {
        self.unused
    }

    /// What is odd.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

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
    accounts: BTreeMap<GrantId, Account>,
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
    withdrawn: BTreeMap<IssuerCode, DateTime<Utc>>,
    reviews: Vec<(DoctorCode, Verdict, DateTime<Utc>)>,
    served: Vec<ReceiptClaims>,
}

#[derive(Debug, Clone)]
struct Granted {
    organisation: InstitutionCode,
    purpose: Option<Purpose>,
    rights: Rights,
    scope: Scope,
    valid_from: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    studies: Option<u16>,
    reviewer: Option<DoctorCode>,
}

impl Granted {
    fn new(
        organisation: &InstitutionCode,
        terms: Terms<'_>,
        purpose: Option<Purpose>,
        reviewer: Option<DoctorCode>,
    ) -> Self {
        Self {
            organisation: *organisation,
            purpose,
            rights: terms.rights,
            scope: terms.scope.clone(),
            valid_from: terms.valid_from,
            expires_at: terms.expires_at,
            department: terms.department.copied(),
            doctor: terms.doctor.copied(),
            studies: terms.studies,
            reviewer,
        }
    }
}

impl Reconciliation {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            skew_s: SKEW_S,
            accounts: BTreeMap::new(),
        }
    }

    /// Clocks may differ by so many seconds, at most 300: the largest of the nodes' policies.
    #[must_use]
    pub fn with_skew_s(mut self, skew_s: u32) -> Self {
        self.skew_s = skew_s.min(SKEW_S_MAX);
        self
    }

    fn account(&mut self, grant: &GrantId) -> &mut Account {
        self.accounts.entry(*grant).or_default()
    }

    /// A grant was issued.
    pub fn granted(&mut self, grant: &GrantClaims) {
        let granted = Granted::new(
            grant.organisation(),
            grant.terms(),
            Some(grant.purpose()),
            None,
        );
        let content = content(grant.encode());
        self.account(grant.id()).granted.insert(content, granted);
    }

    /// An emergency access was taken.
    pub fn emergency(&mut self, emergency: &EmergencyClaims) {
        let reviewer = Some(*emergency.reviewer());
        let granted = Granted::new(emergency.organisation(), emergency.terms(), None, reviewer);
        let content = content(emergency.encode());
        let account = self.account(emergency.id());
        account.granted.insert(content, granted);
    }

    /// A node heard of a withdrawal at this moment; earlier accesses stay lawful.
    pub fn withdrawn(&mut self, grant: &GrantId, node: IssuerCode, heard_at: DateTime<Utc>) {
        self.account(grant)
            .withdrawn
            .entry(node)
            .and_modify(|moment| *moment = heard_at.min(*moment))
            .or_insert(heard_at);
    }

    /// An emergency access was reviewed.
    pub fn reviewed(&mut self, review: &ReviewClaims) {
        let judged = (*review.reviewer(), review.verdict(), review.issued_at());
        self.account(review.emergency()).reviews.push(judged);
    }

    /// A node served something.
    pub fn served(&mut self, receipt: &ReceiptClaims) {
        self.account(receipt.grant()).served.push(receipt.clone());
    }

    /// What fits and what does not, at the moment `now`.
    #[must_use]
    pub fn report(&self, now: DateTime<Utc>) -> ReconciliationReport {
        let mut report = ReconciliationReport {
            grants: 0,
            emergencies: 0,
            accesses: 0,
            unused: 0,
            findings: Vec::new(),
        };
        for (grant, account) in &self.accounts {
            report.accesses += account.served.len() as u64;
            for granted in account.granted.values() {
                match granted.reviewer {
                    None => report.grants += 1,
                    Some(_) => report.emergencies += 1,
                }
                report.unused += u64::from(account.served.is_empty());
            }
            let mut found = |kind, receipt: Option<&ReceiptClaims>| {
                report.findings.push(Finding {
                    grant: *grant,
                    kind,
                    access: receipt.map(|receipt| (receipt.issued_at(), *receipt.place().node())),
                });
            };
            account.judge(self.skew_s, now, &mut found);
        }
        report.findings.sort_unstable();
        report
    }
}

impl Account {
    fn judge(
        &self,
        skew_s: u32,
        now: DateTime<Utc>,
        found: &mut impl FnMut(FindingKind, Option<&ReceiptClaims>),
    ) {
        if self.granted.len() > 1 {
            found(FindingKind::IdTwice, None);
        }
        let mut proofs: BTreeMap<ProofId, u64> = BTreeMap::new();
        let mut studies = BTreeSet::new();
        for receipt in &self.served {
            let times = proofs.entry(*receipt.proof()).or_default();
            *times += 1;
            if *times > 1 {
                found(FindingKind::ProofTwice, None);
            }
            if let Action::OpenRecord(record) = receipt.action() {
                studies.insert(*record);
            }
            if self.granted.is_empty() {
                found(FindingKind::Orphan, Some(receipt));
            }
            // Once each, however many contents the id has.
            let mut kinds = BTreeSet::new();
            for granted in self.granted.values() {
                granted.compare(receipt, skew_s, &mut |kind| {
                    kinds.insert(kind);
                });
            }
            for kind in kinds {
                found(kind, Some(receipt));
            }
            if let Some(heard) = self.withdrawn.get(receipt.place().node()) {
                let by_s = between(*heard, receipt.issued_at());
                if by_s > 0 {
                    found(FindingKind::AfterWithdrawal { by_s }, Some(receipt));
                }
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
        if let (Some(reviewer), false) = (&granted.reviewer, self.served.is_empty()) {
            self.judge_review(granted, reviewer, now, found);
        }
    }

    /// CST-133: reviewed in time, by the one named, and found justified.
    fn judge_review(
        &self,
        granted: &Granted,
        reviewer: &DoctorCode,
        now: DateTime<Utc>,
        found: &mut impl FnMut(FindingKind),
    ) {
        let in_time =
            |moment: DateTime<Utc>| between(granted.valid_from, moment) <= i64::from(REVIEW_S);
        let own = |by: &DoctorCode| by == reviewer;
        let reviewed = self
            .reviews
            .iter()
            .any(|(by, _, moment)| own(by) && in_time(*moment));
        if !reviewed && !in_time(now) {
            found(FindingKind::NotReviewed);
        }
        if self.reviews.iter().any(|(by, ..)| !own(by)) {
            found(FindingKind::ReviewedByAnother);
        }
        if self
            .reviews
            .iter()
            .any(|(by, verdict, _)| own(by) && *verdict == Verdict::Unjustified)
        {
            found(FindingKind::Unjustified);
        }
    }
}

impl Granted {
    fn compare(&self, receipt: &ReceiptClaims, skew_s: u32, found: &mut impl FnMut(FindingKind)) {
        let basis = match self.reviewer {
            None => Basis::Consent,
            Some(_) => Basis::Emergency,
        };
        if receipt.basis() != basis {
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
