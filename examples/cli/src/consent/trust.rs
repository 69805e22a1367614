//! Whom a node trusts: `mic consent keyset`, and the trust file that the checking commands read.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mic_consent::{
    Checker, Denial, Encoded, IssuerCode, KeyRecord, KeyRing, KeySet, KeySetDraft, KeyState, Live,
    Policy, Reason, TrustedKeys, Untrusted,
};
use mic_platform::problem::Problem;
use serde::{Deserialize, Serialize};

use super::common::{Common, time};
use super::files::{self, Readers};
use super::keys::{OwnKey, pretty, role_names};
use super::outcome::{Done, Failure};

/// Key sets (密钥集): who may sign what, signed by several roots.
#[derive(Debug, Subcommand)]
pub(crate) enum Keyset {
    /// Sign a set with the roots' keys.
    Sign(Sign),
    /// Take a set into a node's trust file: the first one with its roots, newer ones by the same roots.
    Adopt(Adopt),
    /// Show the keys that a trust file has.
    Show(Show),
}

/// A set to be signed.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// A root's key file; repeat it, one for each root that signs.
    #[arg(long, required = true, value_name = "FILE")]
    root: Vec<PathBuf>,
    /// The set before this one.
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,
    /// For how many days it holds, at most 90.
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// Writes the set.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Key records, as `NAME.pub.json` of keygen.
    #[arg(required = true)]
    records: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// A set to be adopted.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The node's trust file; made, or replaced by one that knows more.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// A root's record that this node pins; repeat it. Only with a new trust file.
    #[arg(long, value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// How many roots must have signed; by default more than half.
    #[arg(long)]
    threshold: Option<usize>,
    /// The set, as `keyset sign` writes it.
    set: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// A trust file to be shown.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The trust file.
    trust: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// The same set as each root signed it, in hexadecimal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFile {
    documents: Vec<String>,
}

/// What a node pins and what it holds. The set is checked against the pinned roots each time it is read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    roots: Vec<KeyRecord>,
    threshold: usize,
    documents: Vec<String>,
}

/// A row of a trust file of `mic node`.
#[derive(Deserialize)]
struct Row {
    record: KeyRecord,
}

impl Keyset {
    pub(crate) const fn common(&self) -> &Common {
        match self {
            Self::Sign(sign) => &sign.common,
            Self::Adopt(adopt) => &adopt.common,
            Self::Show(show) => &show.common,
        }
    }

    pub(crate) fn run(&self) -> Result<Done, Failure> {
        match self {
            Self::Sign(sign) => sign.run(),
            Self::Adopt(adopt) => adopt.run(),
            Self::Show(show) => show.run(),
        }
    }
}

impl Sign {
    fn run(&self) -> Result<Done, Failure> {
        let odd = |e: &dyn core::fmt::Display| Problem::usage("consent.keyset", e);
        let now = self.common.now();
        let roots = self
            .root
            .iter()
            .map(|path| OwnKey::load(path))
            .collect::<Result<Vec<_>, _>>()?;
        let records = self.records.iter().map(|path| record(path));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let rows = table_rows(&records);
        let keys = KeyRing::from_records(records).map_err(|e| odd(&e))?;
        let owner: IssuerCode = roots
            .first()
            .map(OwnKey::owner)
            .ok_or(Reason::TooFewRoots)?;
        let life_s = self.days.saturating_mul(86_400);
        let draft = match &self.after {
            None => KeySetDraft::first(self.common.realm, owner, keys),
            Some(path) => {
                let file: SetFile = json(path)?;
                let ring = KeyRing::from_records(roots.iter().map(|key| key.record.clone()))
                    .map_err(|e| odd(&e))?;
                let sets = live_sets(&file.documents, &ring, &self.common.policy(), now)?;
                let older = sets.first().ok_or(Reason::TooFewRoots)?;
                KeySetDraft::after(older, keys)?
            }
        };
        let draft = draft.with_life_s(life_s);
        let documents = roots
            .iter()
            .map(|key| {
                Ok(hex::encode(
                    draft.sign(key.signer.as_ref(), now)?.as_bytes(),
                ))
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        let signed = documents.len();
        let text = pretty(&SetFile { documents })?;
        files::write_new(&self.out, text.as_bytes(), Readers::Everybody)?;
        Ok(Done::new()
            .row("set", self.out.display().to_string())
            .row("roots that signed", signed)
            .row("keys", rows.len())
            .table(&KEY_COLUMNS, rows))
    }
}

impl Adopt {
    fn run(&self) -> Result<Done, Failure> {
        let odd = |e: &dyn core::fmt::Display| Problem::usage("consent.keyset", e);
        let (now, policy) = (self.common.now(), self.common.policy());
        let set: SetFile = json(&self.set)?;
        let mut trusted = match (self.trust.exists(), self.roots.is_empty()) {
            (true, true) => {
                let held: TrustFile = json(&self.trust)?;
                // A set that is over is still what the next one must follow.
                held.trusted(&policy, now)?
            }
            (true, false) => {
                let why = "the roots of a trust file are pinned: start a new file for others";
                return Err(odd(&why).into());
            }
            (false, true) => {
                return Err(odd(&"expected --roots for a new trust file").into());
            }
            (false, false) => {
                let roots = self.roots.iter().map(|path| record(path));
                let roots = KeyRing::from_records(roots.collect::<Result<Vec<_>, _>>()?)
                    .map_err(|e| odd(&e))?;
                let threshold = self.threshold.unwrap_or(roots.len() / 2 + 1);
                (
                    TrustedKeys::new(roots, threshold).map_err(|e| odd(&e))?,
                    threshold,
                )
            }
        };
        let sets = live_sets(&set.documents, trusted.0.roots(), &policy, now)?;
        trusted.0.adopt(&sets)?;
        let roots = trusted.0.roots().iter().cloned().collect();
        let file = TrustFile {
            roots,
            threshold: trusted.1,
            documents: set.documents,
        };
        replace(&self.trust, pretty(&file)?.as_bytes())?;
        let keys = trusted.0.keys(now).map_or(0, KeyRing::len);
        Ok(Done::new()
            .row("trust", self.trust.display().to_string())
            .row("version", trusted.0.version())
            .row("threshold", trusted.1)
            .row("keys", keys))
    }
}

impl Show {
    fn run(&self) -> Result<Done, Failure> {
        let ring = ring(&self.trust, &self.common.policy(), self.common.now())?;
        let records: Vec<_> = ring.iter().cloned().collect();
        Ok(Done::new()
            .json("keys", &records)
            .table(&KEY_COLUMNS, table_rows(&records)))
    }
}

impl TrustFile {
    /// With the set it holds, as far as that is not over.
    fn trusted(
        &self,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<(TrustedKeys, usize), Failure> {
        let roots = KeyRing::from_records(self.roots.iter().cloned());
        let trusted = roots.and_then(|roots| TrustedKeys::new(roots, self.threshold));
        let mut trusted = trusted.map_err(|e| Problem::usage("consent.trust", e))?;
        let sets = match live_sets(&self.documents, trusted.roots(), policy, now) {
            // Over, but newer ones still have to be newer.
            Err(Failure::Denied(denial)) if denial.reason() == Reason::Expired => {
                let floor = self.version(trusted.roots(), policy)?;
                return Ok((trusted.with_floor(floor), self.threshold));
            }
            sets => sets?,
        };
        trusted.adopt(&sets)?;
        Ok((trusted, self.threshold))
    }

    fn version(&self, roots: &KeyRing, policy: &Policy) -> Result<u32, Failure> {
        let checker = Checker::new(roots, policy);
        let mut newest = 0;
        for text in &self.documents {
            let set = document(text)?.verify(&checker)?;
            newest = newest.max(set.claims().version());
        }
        Ok(newest)
    }
}

const KEY_COLUMNS: [&str; 7] = [
    "key", "suite", "owner", "province", "roles", "until", "state",
];

fn table_rows(records: &[KeyRecord]) -> Vec<Vec<String>> {
    let row = |record: &KeyRecord| {
        vec![
            record.key_id().to_string(),
            record.public_key().suite().name().into(),
            record.organisation().to_string(),
            record.province().map_or("-".into(), |p| p.to_string()),
            role_names(record),
            time(record.validity().until()),
            match record.state() {
                KeyState::Active => "active".into(),
                other => format!("{other:?}"),
            },
        ]
    };
    records.iter().map(row).collect()
}

fn live_sets(
    documents: &[String],
    roots: &KeyRing,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Vec<Live<KeySet>>, Failure> {
    let checker = Checker::new(roots, policy);
    let live = |text: &String| -> Result<Live<KeySet>, Failure> {
        Ok(document(text)?.verify(&checker)?.live(&checker, now)?)
    };
    documents.iter().map(live).collect()
}

fn document(text: &str) -> Result<Untrusted<KeySet>, Failure> {
    let bytes = hex::decode(text)
        .map_err(|_| Problem::data("consent.keyset", "expected documents in hexadecimal"))?;
    Ok(Encoded::document_from_bytes(&bytes)?.untrusted()?)
}

/// Reads one key record.
pub(crate) fn record(path: &Path) -> Result<KeyRecord, Failure> {
    json(path)
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Failure> {
    let bytes = files::read(&path.display().to_string())?;
    serde_json::from_slice(&bytes).map_err(|e| {
        let problem = Problem::usage("consent.file", format!("{}: {e}", path.display()));
        Failure::Other(problem)
    })
}

/// Writes a file anew, at once or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let odd =
        |e: std::io::Error| Problem::system("consent.file", format!("{}: {e}", path.display()));
    let mut aside = path.as_os_str().to_owned();
    aside.push(".new");
    let aside = PathBuf::from(aside);
    let _ = std::fs::remove_file(&aside);
    files::write_new(&aside, bytes, Readers::Everybody)?;
    std::fs::rename(&aside, path).map_err(odd)
}

/// The keys of a trust file: of `keyset adopt`, of `mic node`, or a plain list of records.
pub(crate) fn ring(path: &Path, policy: &Policy, now: DateTime<Utc>) -> Result<KeyRing, Failure> {
    let odd = |e: &dyn core::fmt::Display| {
        Problem::usage("consent.trust", format!("{}: {e}", path.display()))
    };
    let bytes = files::read(&path.display().to_string())?;
    let records: Vec<KeyRecord> = if let Ok(file) = serde_json::from_slice::<TrustFile>(&bytes) {
        let (trusted, _) = file.trusted(policy, now)?;
        let over = || -> Failure { Denial::from(Reason::Expired).into() };
        return Ok(trusted.keys(now).ok_or_else(over)?.clone());
    } else if let Ok(rows) = serde_json::from_slice::<Vec<Row>>(&bytes) {
        rows.into_iter().map(|row| row.record).collect()
    } else {
        serde_json::from_slice(&bytes)
            .map_err(|_| odd(&"expected a trust file, as `mic consent keyset adopt` writes it"))?
    };
    Ok(KeyRing::from_records(records).map_err(|e| odd(&e))?)
}
