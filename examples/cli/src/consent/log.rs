//! `mic consent log`: a node's receipts as a Merkle log that others can check.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args, Subcommand};
use mic_consent::{
    Checker, Checkpoint, CheckpointDraft, ConsistencyProof, InclusionProof, IssuerCode, Live,
    MerkleLog, Reason, Receipt, Signed, Suite, Witness, witnessed,
};
use mic_platform::problem::Problem;

use super::ask::Out;
use super::common::{Common, time};
use super::files::{self, Readers};
use super::keys::OwnKey;
use super::outcome::{Done, Failure};
use super::trust;

/// The log of receipts (调阅日志): one receipt a line.
#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// Add receipts, each checked.
    Append(Append),
    /// Sign the head: how many there are, and their root.
    Head(Head),
    /// Prove that a receipt is in the log, or that it only grew.
    Prove(Prove),
    /// Check such a proof against signed heads.
    Verify(Verify),
    /// Countersign another's head after making sure that the log only grew.
    Witness(Countersign),
}

/// A log and whom to trust.
#[derive(Debug, Args)]
struct Kept {
    /// The log's file.
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Receipts to be added.
#[derive(Debug, Args)]
pub(crate) struct Append {
    #[command(flatten)]
    kept: Kept,
    /// Receipts: text or files.
    #[arg(required = true)]
    receipts: Vec<String>,
}

/// A head to be signed.
#[derive(Debug, Args)]
pub(crate) struct Head {
    #[command(flatten)]
    kept: Kept,
    /// The key file of the node's log role.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    out: Out,
}

/// A proof to be made.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["entry", "grew_from"])))]
pub(crate) struct Prove {
    #[command(flatten)]
    kept: Kept,
    /// That this entry is in it; the first is 0.
    #[arg(long)]
    entry: Option<u64>,
    /// That it continues the log of this size.
    #[arg(long, value_name = "SIZE")]
    grew_from: Option<u64>,
    /// The size of the head; by default all entries.
    #[arg(long)]
    size: Option<u64>,
    /// Writes the proof.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A proof to be checked.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["receipt", "older"])))]
pub(crate) struct Verify {
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The head as its log signed it.
    #[arg(long, value_name = "TOKEN")]
    head: String,
    /// The proof.
    #[arg(long, value_name = "FILE")]
    proof: String,
    /// The receipt that is in it.
    #[arg(long, value_name = "TOKEN")]
    receipt: Option<String>,
    /// The head that it continues.
    #[arg(long, value_name = "TOKEN")]
    older: Option<String>,
    /// The same head, countersigned by another organisation: then it counts as well.
    #[arg(long, value_name = "TOKEN")]
    witness: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// A head to be countersigned.
#[derive(Debug, Args)]
pub(crate) struct Countersign {
    /// The witness's key file, in the log role.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The head as its log signed it.
    #[arg(long, value_name = "TOKEN")]
    head: String,
    /// The head of that log that this witness saw last; with --proof.
    #[arg(long, value_name = "TOKEN", requires = "proof")]
    seen: Option<String>,
    /// That the log grew from there.
    #[arg(long, value_name = "FILE", requires = "seen")]
    proof: Option<String>,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    common: Common,
}

/// A log as it stands in its file.
struct Open {
    tree: MerkleLog,
    receipts: Vec<Signed<Receipt>>,
}

impl Open {
    /// Reads the file and checks each receipt of it; all are of one node and suite.
    fn read(path: &Path, checker: &Checker<'_>) -> Result<Option<Self>, Failure> {
        if !path.exists() {
            return Ok(None);
        }
        let mut open: Option<Self> = None;
        for entry in files::entries(&path.display().to_string())? {
            let receipt = entry.token?.untrusted::<Receipt>()?.verify(checker)?;
            Self::add(&mut open, receipt)?;
        }
        Ok(open)
    }

    fn add(open: &mut Option<Self>, receipt: Signed<Receipt>) -> Result<u64, Failure> {
        let own = match open {
            Some(own) => own,
            None => open.insert(Self {
                tree: MerkleLog::new(receipt.suite())?,
                receipts: Vec::new(),
            }),
        };
        if let Some(first) = own.receipts.first() {
            let same = first.claims().issuer() == receipt.claims().issuer();
            if !same || receipt.suite() != own.tree.suite() {
                return Err(Reason::OtherLog.into());
            }
        }
        let known = own
            .receipts
            .iter()
            .position(|known| known.entry() == receipt.entry());
        if let Some(known) = known {
            let why = format!("the receipt is in the log already, as entry {known}");
            return Err(Problem::data("consent.log", why).into());
        }
        let at = own.tree.append(receipt.entry())?;
        own.receipts.push(receipt);
        Ok(at)
    }

    fn owner(&self) -> Result<IssuerCode, Failure> {
        let first = self.receipts.first();
        Ok(*first.ok_or_else(empty)?.claims().issuer())
    }
}

fn empty() -> Failure {
    Problem::data("consent.log", "expected a log with at least one receipt").into()
}

impl Kept {
    fn open(&self) -> Result<Open, Failure> {
        let policy = self.common.policy();
        let ring = trust::ring(&self.trust, &policy, self.common.now())?;
        Open::read(&self.log, &Checker::new(&ring, &policy))?.ok_or_else(empty)
    }
}

impl Log {
    pub(crate) const fn common(&self) -> &Common {
        match self {
            Self::Append(append) => &append.kept.common,
            Self::Head(head) => &head.kept.common,
            Self::Prove(prove) => &prove.kept.common,
            Self::Verify(verify) => &verify.common,
            Self::Witness(witness) => &witness.common,
        }
    }

    pub(crate) fn run(&self) -> Result<Done, Failure> {
        match self {
            Self::Append(append) => append.run(),
            Self::Head(head) => head.run(),
            Self::Prove(prove) => prove.run(),
            Self::Verify(verify) => verify.run(),
            Self::Witness(witness) => witness.run(),
        }
    }
}

impl Append {
    fn run(&self) -> Result<Done, Failure> {
        let policy = self.kept.common.policy();
        let ring = trust::ring(&self.kept.trust, &policy, self.kept.common.now())?;
        let checker = Checker::new(&ring, &policy);
        let mut open = Open::read(&self.kept.log, &checker)?;
        let mut at = 0;
        let mut texts = Vec::new();
        for name in &self.receipts {
            for entry in files::entries(name)? {
                let receipt = entry.token?.untrusted::<Receipt>()?.verify(&checker)?;
                texts.push(receipt.encoded().to_text());
                at = Open::add(&mut open, receipt)?;
            }
        }
        // All of them are good, so all of them go in.
        for text in &texts {
            files::append_line(&self.kept.log, text)?;
        }
        let open = open.ok_or_else(empty)?;
        Ok(Done::new()
            .row("log", open.owner()?.as_str())
            .row("entry", at)
            .row("size", open.tree.len())
            .row("root", open.tree.root().to_string()))
    }
}

impl Head {
    fn run(&self) -> Result<Done, Failure> {
        let open = self.kept.open()?;
        let key = OwnKey::load(&self.key)?;
        let draft = CheckpointDraft::head_of(&open.tree, open.owner()?, self.kept.common.realm);
        let token = draft.sign(key.signer.as_ref(), key.owner(), self.kept.common.now())?;
        let mut done = self.out.row(Done::new(), "log", open.owner()?.to_string());
        done = self.out.row(done, "size", open.tree.len().to_string());
        done = self.out.row(done, "root", open.tree.root().to_string());
        self.out.give(&token, done)
    }
}

impl Prove {
    fn run(&self) -> Result<Done, Failure> {
        let open = self.kept.open()?;
        let size = self.size.unwrap_or_else(|| open.tree.len());
        let (what, hashes, bytes) = match (self.entry, self.grew_from) {
            (Some(entry), _) => {
                let proof = open.tree.inclusion(entry, size)?;
                (
                    format!("entry {entry} is in it"),
                    proof.hashes(),
                    proof.to_bytes(),
                )
            }
            (None, older) => {
                let older = older.unwrap_or_default();
                let proof = open.tree.consistency(older, size)?;
                (
                    format!("it grew from {older} entries"),
                    proof.hashes(),
                    proof.to_bytes(),
                )
            }
        };
        let text = format!("{}\n", hex::encode(bytes));
        files::write_new(&self.out, text.as_bytes(), Readers::Everybody)?;
        Ok(Done::new()
            .row("proves", what)
            .row("size", size)
            .row("hashes", hashes)
            .row("written", self.out.display().to_string()))
    }
}

fn head(
    name: &str,
    checker: &Checker<'_>,
    now: DateTime<Utc>,
) -> Result<Live<Checkpoint>, Failure> {
    let head = files::token_of::<Checkpoint>(name)?.verify(checker)?;
    Ok(head.live(checker, now)?)
}

fn proof_bytes(name: &str) -> Result<Vec<u8>, Failure> {
    let line = files::secret_line(name, "a proof in hexadecimal")?;
    hex::decode(line.as_slice()).map_err(|_| {
        let why = format!("{name}: expected a proof in hexadecimal");
        Problem::data("consent.log", why).into()
    })
}

impl Verify {
    fn run(&self) -> Result<Done, Failure> {
        let (policy, now) = (self.common.policy(), self.common.now());
        let ring = trust::ring(&self.trust, &policy, now)?;
        let checker = Checker::new(&ring, &policy);
        let newer = head(&self.head, &checker, now)?;
        if newer.claims().issuer() != newer.claims().log() {
            return Err(Reason::OtherLog.into());
        }
        let suite: Suite = newer.suite();
        let bytes = proof_bytes(&self.proof)?;
        let mut done = Done::new()
            .row("log", newer.claims().log().as_str())
            .row("size", newer.claims().size())
            .row("head of", time(newer.claims().issued_at()));
        if let Some(receipt) = &self.receipt {
            let receipt = files::token_of::<Receipt>(receipt)?.verify(&checker)?;
            if receipt.claims().issuer() != newer.claims().log() {
                return Err(Reason::OtherLog.into());
            }
            let proof = InclusionProof::from_bytes(&bytes)?;
            if proof.size() != newer.claims().size() {
                return Err(Reason::LogProofShape.into());
            }
            proof.verify(suite, receipt.entry(), newer.claims().root())?;
            done = done
                .row("entry", proof.index())
                .row("hashes", proof.hashes())
                .note("the receipt is in the log");
        }
        if let Some(older) = &self.older {
            let older = head(older, &checker, now)?;
            if older.claims().log() != newer.claims().log() || older.suite() != suite {
                return Err(Reason::OtherLog.into());
            }
            let proof = ConsistencyProof::from_bytes(&bytes)?;
            if (proof.older(), proof.newer()) != (older.claims().size(), newer.claims().size()) {
                return Err(Reason::LogProofShape.into());
            }
            proof.verify(suite, older.claims().root(), newer.claims().root())?;
            done = done
                .row("grew from", older.claims().size())
                .row("hashes", proof.hashes())
                .note("the log only grew");
        }
        Ok(match &self.witness {
            None => done.note("no witness was asked (--witness)"),
            Some(witness) => {
                let witness = head(witness, &checker, now)?;
                witnessed(&newer, &witness)?;
                done.row("witness", witness.claims().issuer().as_str())
            }
        })
    }
}

impl Countersign {
    fn run(&self) -> Result<Done, Failure> {
        let (policy, now) = (self.common.policy(), self.common.now());
        let ring = trust::ring(&self.trust, &policy, now)?;
        let checker = Checker::new(&ring, &policy);
        let newer = head(&self.head, &checker, now)?;
        let mut witness = Witness::new();
        let mut grew = None;
        if let (Some(seen), Some(proof)) = (&self.seen, &self.proof) {
            witness = witness.with_seen(&head(seen, &checker, now)?)?;
            grew = Some(ConsistencyProof::from_bytes(&proof_bytes(proof)?)?);
        }
        let agreed = witness.agree(&newer, grew.as_ref())?;
        let key = OwnKey::load(&self.key)?;
        let token = agreed.sign(key.signer.as_ref(), key.owner(), now)?;
        let mut done = self
            .out
            .row(Done::new(), "log", newer.claims().log().to_string());
        done = self
            .out
            .row(done, "size", newer.claims().size().to_string());
        done = self.out.row(done, "witness", key.owner().to_string());
        self.out.give(&token, done)
    }
}
