//! `mic consent reconcile`: what was served against what was granted, over all nodes.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use mic_consent::{
    Checker, Emergency, Finding, FindingKind, Grant, IssuerCode, Narrowed, Order, Proof, Receipt,
    Reconciliation, Review, ScopeCount, ScopeKind, TokenType, Withdrawal,
};
use mic_platform::problem::Problem;
use serde_json::{Value, json};

use super::common::{Common, time};
use super::files::{self, Entry};
use super::outcome::{Done, Failure, denied, told};
use super::trust;

/// All that is known of a time.
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// How many seconds clocks may differ.
    #[arg(long, default_value_t = 60)]
    skew: u32,
    /// Grants, narrowings, emergency accesses, orders, receipts (logs), reviews, and proofs of what the asking side
    /// obtained, one a line, and files of what was heard, in any order.
    #[arg(required = true)]
    files: Vec<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A line that could not be told.
struct Refused {
    file: String,
    line: usize,
    failure: Failure,
}

pub(crate) fn reconcile(reconcile: &Reconcile) -> Result<Done, Failure> {
    let (policy, now) = (reconcile.common.policy(), reconcile.common.now());
    let ring = trust::ring(&reconcile.trust, &policy, now)?;
    let checker = Checker::new(&ring, &policy);
    let mut sums = Reconciliation::new().with_skew_s(reconcile.skew);
    let mut refused = Vec::new();
    for file in &reconcile.files {
        for entry in files::entries(file)? {
            let line = entry.line;
            if let Err(failure) = tell(&mut sums, entry, &checker) {
                let file = file.clone();
                refused.push(Refused {
                    file,
                    line,
                    failure,
                });
            }
        }
    }
    let report = sums.report(now);
    let findings = report.findings();
    let rows = findings.iter().map(row);
    let rows = rows.chain(refused.iter().map(Refused::row)).collect();
    let all: Vec<Value> = findings.iter().map(value).collect();
    let wrong: Vec<Value> = refused.iter().map(Refused::value).collect();
    let done = Done::new()
        .row("grants", report.grants())
        .row("emergencies", report.emergencies())
        .row("orders", report.orders())
        .row("accesses", report.accesses())
        .row("unused", report.unused())
        .row("unlinked", report.unlinked())
        .json(
            "scopes",
            report.scopes().iter().map(scope_value).collect::<Vec<_>>(),
        )
        .row("refused", refused.len())
        .json("findings", all)
        .json("refused_lines", wrong);
    let done = report
        .scopes()
        .iter()
        .fold(done, |done, count| done.note(scope_words(count)));
    if findings.is_empty() && refused.is_empty() {
        return Ok(done.note("every access has its grant, and none goes beyond it"));
    }
    let count = findings.len();
    Ok(done
        .table(
            &["finding", "in Chinese", "under", "node", "at", "by"],
            rows,
        )
        .note(format!(
            "findings: {count}; lines that do not hold: {}",
            refused.len()
        ))
        .at_fault())
}

/// Tells one line, as soon as it is checked.
fn tell(sums: &mut Reconciliation, entry: Entry, checker: &Checker<'_>) -> Result<(), Failure> {
    let token = entry.token?;
    match token.token_type() {
        TokenType::Grant => sums.granted(token.untrusted::<Grant>()?.verify(checker)?.claims()),
        TokenType::Emergency => {
            sums.emergency(token.untrusted::<Emergency>()?.verify(checker)?.claims());
        }
        TokenType::Narrowed => {
            sums.narrowed(token.untrusted::<Narrowed>()?.verify(checker)?.claims());
        }
        TokenType::Order => sums.ordered(token.untrusted::<Order>()?.verify(checker)?.claims()),
        TokenType::Proof => sums.obtained(token.untrusted::<Proof>()?.verify(checker)?.claims()),
        TokenType::Receipt => sums.served(token.untrusted::<Receipt>()?.verify(checker)?.claims()),
        TokenType::Review => sums.reviewed(token.untrusted::<Review>()?.verify(checker)?.claims()),
        TokenType::Withdrawal => {
            let withdrawal = token.untrusted::<Withdrawal>()?.verify(checker)?;
            let (node, at) = noted(entry.noted)?;
            sums.withdrawn(withdrawal.claims().grant(), node, at);
        }
        other => {
            let why = format!("nothing can be reconciled with a {}", other.name());
            return Err(Problem::data("consent.reconcile", why).into());
        }
    }
    Ok(())
}

/// A withdrawal counts at a node from the moment that node heard it.
fn noted(noted: Option<(String, String)>) -> Result<(IssuerCode, DateTime<Utc>), Failure> {
    let parsed = noted.and_then(|(node, at)| {
        let at = DateTime::parse_from_rfc3339(&at).ok()?.to_utc();
        Some((IssuerCode::new(&node).ok()?, at))
    });
    parsed.ok_or_else(|| {
        let why = "expected node, moment and withdrawal, as `mic consent status hear` writes them";
        Problem::data("consent.reconcile", why).into()
    })
}

/// The stable name of a finding, and by how much.
fn named(kind: FindingKind) -> (&'static str, Option<String>) {
    match kind {
        FindingKind::Orphan => ("orphan", None),
        FindingKind::OtherBasis => ("other-basis", None),
        FindingKind::OtherHospital => ("other-hospital", None),
        FindingKind::OtherPerson => ("other-person", None),
        FindingKind::OtherPurpose => ("other-purpose", None),
        FindingKind::Early { by_s } => ("early", Some(format!("{by_s} s"))),
        FindingKind::Late { by_s } => ("late", Some(format!("{by_s} s"))),
        FindingKind::AfterWithdrawal { by_s } => ("after-withdrawal", Some(format!("{by_s} s"))),
        FindingKind::RightMissing => ("right-missing", None),
        FindingKind::OutsideScope => ("outside-scope", None),
        FindingKind::ProofTwice => ("proof-twice", None),
        FindingKind::TooManyStudies { allowed, found } => {
            ("too-many-studies", Some(format!("{found} of {allowed}")))
        }
        FindingKind::BeyondNarrowing => ("beyond-narrowing", None),
        FindingKind::LoggedLate { by_s } => ("logged-late", Some(format!("{by_s} s"))),
        FindingKind::NoReceipt => ("no-receipt", None),
        FindingKind::NotReviewed => ("not-reviewed", None),
        FindingKind::ReviewedByAnother => ("reviewed-by-another", None),
        FindingKind::Unjustified => ("unjustified", None),
        FindingKind::IdTwice => ("id-twice", None),
        _ => ("other", None),
    }
}

const fn scope_name(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::ListOnly => "list",
        ScopeKind::All => "all",
        ScopeKind::Filter => "filter",
        ScopeKind::Chosen => "chosen",
        _ => "other",
    }
}

/// Wide scopes under which much was opened are worth a look.
fn scope_words(count: &ScopeCount) -> String {
    format!(
        "scope {}: {} granted, {} accesses to {} studies",
        scope_name(count.kind()),
        count.granted(),
        count.accesses(),
        count.studies()
    )
}

fn scope_value(count: &ScopeCount) -> Value {
    json!({
        "scope": scope_name(count.kind()),
        "granted": count.granted(),
        "accesses": count.accesses(),
        "studies": count.studies(),
    })
}

fn row(finding: &Finding) -> Vec<String> {
    let (name, by) = named(finding.kind());
    let (node, at) = match finding.access() {
        Some((at, node)) => (node.to_string(), time(*at)),
        None => ("-".into(), "-".into()),
    };
    let id = finding.grant().to_string();
    let short = id.get(..8).unwrap_or(&id).to_owned();
    vec![
        name.into(),
        finding.kind().chinese().into(),
        short,
        node,
        at,
        by.unwrap_or_else(|| "-".into()),
    ]
}

fn value(finding: &Finding) -> Value {
    let (name, by) = named(finding.kind());
    json!({
        "finding": name,
        "chinese": finding.kind().chinese(),
        "grant": finding.grant().to_string(),
        "node": finding.access().map(|(_, node)| node.to_string()),
        "at": finding.access().map(|(at, _)| time(*at)),
        "by": by,
    })
}

impl Refused {
    fn words(&self) -> String {
        match &self.failure {
            Failure::Denied(denial) => told(denial),
            Failure::Other(problem) => problem.detail.clone(),
        }
    }

    fn row(&self) -> Vec<String> {
        let name = match &self.failure {
            Failure::Denied(denial) => denial.reason().name().to_owned(),
            Failure::Other(problem) => problem.code.clone(),
        };
        let chinese = match &self.failure {
            Failure::Denied(denial) => denial.chinese().to_owned(),
            Failure::Other(_) => "-".into(),
        };
        let place = format!("{}:{}", self.file, self.line);
        vec![name, chinese, place, "-".into(), "-".into(), "-".into()]
    }

    fn value(&self) -> Value {
        let why = match &self.failure {
            Failure::Denied(denial) => denied(denial),
            Failure::Other(problem) => json!({"reason": problem.code, "message": problem.detail}),
        };
        json!({"file": self.file, "line": self.line, "words": self.words(), "why": why})
    }
}
