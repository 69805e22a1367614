//! `mic consent withdraw` and `status`: how a grant ends, and how nodes come to know.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mic_consent::{
    Checker, Effect, Encoded, Grant, IssuerCode, Live, Reason, Status as Known, StatusBook,
    StatusList, StatusListDraft, StatusSource as _, TokenType, Withdrawal, WithdrawalDraft,
};
use mic_platform::problem::Problem;

use super::ask::Out;
use super::common::{Common, time};
use super::files::{self, Readers};
use super::keys::OwnKey;
use super::outcome::{Done, Failure};
use super::trust;

/// The end of a grant.
#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    /// The consent authority's key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The grant: text, file or `-`.
    #[arg(long, value_name = "TOKEN")]
    grant: String,
    /// Suspend it until the next list, instead of withdrawing it for good.
    #[arg(long)]
    suspend: bool,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Status lists (撤回名单): which grants are withdrawn or suspended.
#[derive(Debug, Subcommand)]
pub(crate) enum Status {
    /// Sign a list: a first one, or the next version of one.
    Issue(Issue),
    /// Say what lists and withdrawals say of a grant.
    Of(Of),
    /// Note that a node has heard a withdrawal: from then on it serves nothing under it.
    Hear(Hear),
}

/// A list to be signed.
#[derive(Debug, Args)]
pub(crate) struct Issue {
    /// The key file of the authority's status role.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The number of the list.
    #[arg(long, conflicts_with = "after", required_unless_present = "after")]
    list: Option<u32>,
    /// How many places it has.
    #[arg(long, default_value_t = 100_000, conflicts_with = "after")]
    places: u32,
    /// The version before: what was withdrawn stays so.
    #[arg(long, value_name = "FILE")]
    after: Option<String>,
    /// Withdrawals to be taken in.
    #[arg(long, value_name = "TOKEN")]
    withdrawal: Vec<String>,
    /// For how many seconds it is good.
    #[arg(long, default_value_t = 3600)]
    life: u32,
    /// Writes the list, as bytes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// A grant to be looked up.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Lists, withdrawals, and files of what was heard.
    #[arg(long, required = true, value_name = "FILE")]
    status: Vec<String>,
    /// The grant: text, file or `-`.
    grant: String,
    #[command(flatten)]
    common: Common,
}

/// A withdrawal that a node hears.
#[derive(Debug, Args)]
pub(crate) struct Hear {
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The node that hears it.
    #[arg(long)]
    node: IssuerCode,
    /// Its file of what was heard; a line is added.
    #[arg(long, value_name = "FILE")]
    heard: PathBuf,
    /// The withdrawal: text, file or `-`.
    withdrawal: String,
    #[command(flatten)]
    common: Common,
}

/// The lists and withdrawals of these files, lists first.
pub(crate) fn book(
    names: &[String],
    checker: &Checker<'_>,
    now: DateTime<Utc>,
) -> Result<StatusBook, Failure> {
    let mut book = StatusBook::new(checker.policy());
    let mut heard = Vec::new();
    for name in names {
        for entry in files::entries(name)? {
            let token = entry.token?;
            match token.token_type() {
                TokenType::StatusList => {
                    let list = token.untrusted::<StatusList>()?.verify(checker)?;
                    book.accept(list.live(checker, now)?)?;
                }
                TokenType::Withdrawal => heard.push(token),
                _ => return Err(Reason::OtherType.into()),
            }
        }
    }
    for token in heard {
        match live_withdrawal(token, checker, now) {
            Ok(withdrawal) => book.hear(&withdrawal)?,
            // So is the grant.
            Err(Failure::Denied(denial)) if denial.reason() == Reason::Expired => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(book)
}

fn live_withdrawal(
    token: Encoded,
    checker: &Checker<'_>,
    now: DateTime<Utc>,
) -> Result<Live<Withdrawal>, Failure> {
    let withdrawal = token.untrusted::<Withdrawal>()?.verify(checker)?;
    Ok(withdrawal.live(checker, now)?)
}

pub(crate) fn withdraw(withdraw: &Withdraw) -> Result<Done, Failure> {
    let (policy, now) = (withdraw.common.policy(), withdraw.common.now());
    let ring = trust::ring(&withdraw.trust, &policy, now)?;
    let checker = Checker::new(&ring, &policy);
    let grant = files::token_of::<Grant>(&withdraw.grant)?.verify(&checker)?;
    let key = OwnKey::load(&withdraw.key)?;
    if key.owner() != *grant.claims().issuer() {
        return Err(Reason::IssuerNotKeyOwner.into());
    }
    let effect = match withdraw.suspend {
        true => Effect::Suspended,
        false => Effect::Withdrawn,
    };
    let token = WithdrawalDraft::of(grant.claims(), effect).sign(key.signer.as_ref(), now)?;
    let place = grant.claims().status();
    let out = &withdraw.out;
    let mut done = out.row(Done::new(), "grant", grant.claims().id().to_string());
    done = out.row(done, "effect", format!("{effect:?}").to_lowercase());
    done = out.row(done, "place", format!("{}:{}", place.list(), place.index()));
    out.give(&token, done)
}

impl Status {
    pub(crate) const fn common(&self) -> &Common {
        match self {
            Self::Issue(issue) => &issue.common,
            Self::Of(of) => &of.common,
            Self::Hear(hear) => &hear.common,
        }
    }

    pub(crate) fn run(&self) -> Result<Done, Failure> {
        match self {
            Self::Issue(issue) => issue.run(),
            Self::Of(of) => of.run(),
            Self::Hear(hear) => hear.run(),
        }
    }
}

impl Issue {
    fn run(&self) -> Result<Done, Failure> {
        let (policy, now) = (self.common.policy(), self.common.now());
        let ring = trust::ring(&self.trust, &policy, now)?;
        let checker = Checker::new(&ring, &policy);
        let key = OwnKey::load(&self.key)?;
        let mut withdrawn = Vec::new();
        let mut suspended = Vec::new();
        let mut lists = Vec::new();
        for name in &self.withdrawal {
            for entry in files::entries(name)? {
                let withdrawal = entry.token?.untrusted::<Withdrawal>()?.verify(&checker)?;
                let claims = withdrawal.claims();
                if *claims.issuer() != key.owner() {
                    return Err(Reason::IssuerNotKeyOwner.into());
                }
                lists.push(claims.status().list());
                match claims.effect() {
                    Effect::Suspended => suspended.push(claims.status().index()),
                    _ => withdrawn.push(claims.status().index()),
                }
            }
        }
        let (draft, list) = match (&self.after, self.list) {
            (Some(after), _) => {
                let older = files::token_of::<StatusList>(after)?.verify(&checker)?;
                (
                    StatusListDraft::after(older.claims()),
                    older.claims().list(),
                )
            }
            (None, list) => {
                let list = list.unwrap_or_default();
                (
                    StatusListDraft::new(self.common.realm, key.owner(), list, self.places),
                    list,
                )
            }
        };
        if let Some(other) = lists.iter().find(|other| **other != list) {
            let why = format!("expected withdrawals of list {list}, found one of list {other}");
            return Err(Problem::data("consent.status", why).into());
        }
        let token = draft
            .with_withdrawn(withdrawn)
            .with_suspended(suspended)
            .with_life_s(self.life)
            .sign(key.signer.as_ref(), now)?;
        let signed = token.clone().untrusted::<StatusList>()?.verify(&checker)?;
        let claims = signed.claims();
        files::write_new(&self.out, token.as_bytes(), Readers::Everybody)?;
        Ok(Done::new()
            .row("list", claims.list())
            .row("version", claims.version())
            .row("places", claims.places())
            .row("withdrawn", claims.withdrawn())
            .row("suspended", claims.suspended())
            .row("until", time(claims.expires_at()))
            .row("bytes", token.as_bytes().len())
            .row("written", self.out.display().to_string()))
    }
}

impl Of {
    fn run(&self) -> Result<Done, Failure> {
        let (policy, now) = (self.common.policy(), self.common.now());
        let ring = trust::ring(&self.trust, &policy, now)?;
        let checker = Checker::new(&ring, &policy);
        let grant = files::token_of::<Grant>(&self.grant)?.verify(&checker)?;
        let book = book(&self.status, &checker, now)?;
        let place = grant.claims().status();
        let known = book.with_keys(&ring).status(&grant.key_id(), place, now);
        let (word, chinese) = match known {
            Known::Valid => ("valid", "有效"),
            Known::Withdrawn => ("withdrawn", "已撤回"),
            Known::Suspended => ("suspended", "已暂停"),
            _ => ("unknown", "无法确认"),
        };
        let done = Done::new()
            .row("grant", grant.claims().id().to_string())
            .row("place", format!("{}:{}", place.list(), place.index()))
            .row("status", word)
            .row("in Chinese", chinese);
        Ok(match known {
            Known::Valid => done,
            _ => done.at_fault(),
        })
    }
}

impl Hear {
    fn run(&self) -> Result<Done, Failure> {
        let (policy, now) = (self.common.policy(), self.common.now());
        let ring = trust::ring(&self.trust, &policy, now)?;
        let checker = Checker::new(&ring, &policy);
        let token = files::token(&self.withdrawal)?;
        let text = token.to_text();
        let withdrawal = live_withdrawal(token, &checker, now)?;
        files::append_line(&self.heard, &format!("{} {} {text}", self.node, time(now)))?;
        Ok(Done::new()
            .row("grant", withdrawal.claims().grant().to_string())
            .row("node", self.node.as_str())
            .row("heard", time(now)))
    }
}
