//! What a reconciliation found: findings, counts, gaps.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    claims::{binding::GrantId, scope::ScopeKind},
    code::IssuerCode,
    log::LogGap,
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
    /// Beyond the narrowing that it was served under.
    BeyondNarrowing,
    /// In no head of the log that should have had it: logged late, or dated back.
    LoggedLate {
        /// Seconds from its date to the last head without it.
        by_s: i64,
    },
    /// The asking side says that it was served under a proof, and no receipt says so.
    NoReceipt,
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
            Self::BeyondNarrowing => "超出缩小后的授权",
            Self::LoggedLate { .. } => "回执迟于应入日志时间",
            Self::NoReceipt => "调阅后没有回执",
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
    pub(super) grant: GrantId,
    pub(super) kind: FindingKind,
    pub(super) access: Option<(DateTime<Utc>, IssuerCode)>,
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
    pub(super) grants: u64,
    pub(super) emergencies: u64,
    pub(super) accesses: u64,
    pub(super) unused: u64,
    pub(super) orders: u64,
    pub(super) unlinked: u64,
    pub(super) scopes: Vec<ScopeCount>,
    pub(super) gaps: Vec<LogGap>,
    pub(super) findings: Vec<Finding>,
}

/// What was opened under scopes of one kind: wide ones that open much are worth a look.
///
/// ```
/// fn line(count: &mic_consent::ScopeCount) -> String {
///     format!("{:?}: {} studies under {} grants", count.kind(), count.studies(), count.granted())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeCount {
    pub(super) kind: ScopeKind,
    pub(super) granted: u64,
    pub(super) accesses: u64,
    pub(super) studies: u64,
}

impl ScopeCount {
    /// The kind of scope.
    #[must_use]
    pub const fn kind(&self) -> ScopeKind {
        self.kind
    }

    /// Grants, emergency accesses and orders with such a scope.
    #[must_use]
    pub const fn granted(&self) -> u64 {
        self.granted
    }

    /// Accesses under them.
    #[must_use]
    pub const fn accesses(&self) -> u64 {
        self.accesses
    }

    /// Different studies opened under them, each counted once for each of them.
    #[must_use]
    pub const fn studies(&self) -> u64 {
        self.studies
    }
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

    /// Orders told of.
    #[must_use]
    pub const fn orders(&self) -> u64 {
        self.orders
    }

    /// Accesses under a known id whose receipt names a digest that belongs to nothing told: a narrowing that was
    /// not given, or another content. They are compared with what was told under the id.
    #[must_use]
    pub const fn unlinked(&self) -> u64 {
        self.unlinked
    }

    /// What was opened by kinds of scope, in their order; kinds that were not used are left out.
    #[must_use]
    pub fn scopes(&self) -> &[ScopeCount] {
        &self.scopes
    }

    /// Receipts that are in a witnessed log and were shown to nobody.
    #[must_use]
    pub fn gaps(&self) -> &[LogGap] {
        &self.gaps
    }

    /// What is odd.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}
