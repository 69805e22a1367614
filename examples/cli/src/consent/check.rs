//! `mic consent check`: one token, or the whole decision of a node on one action.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use mic_consent::{
    BodyPart, Checker, Encoded, GUARD_RECORD_BYTES, GuardStore, GuardStoreError, KeptGuard,
    Modality, Opening, Permit, Place, Presented, Province, RecordFacts, Request, Use,
};
use mic_platform::problem::Problem;

use super::alone::Alone;
use super::common::{Common, time};
use super::files::{self, Readers};
use super::hold::{Held, Presentation, held};
use super::keys::OwnKey;
use super::outcome::{Done, Failure};
use super::words;
use super::{status, trust};

/// How many proofs and studies a guard file holds at most.
const GUARD_CAPACITY: usize = 1_000_000;

/// A token, or what a hospital presented.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A token alone: its signature, its key's right to sign it, its times.
    #[arg(conflicts_with = "presented", required_unless_present = "presented")]
    token: Option<String>,
    /// The trust file: of `keyset adopt`, or as `mic node` uses them.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Status lists, withdrawals, files of what was heard. A decision without them is a refusal.
    #[arg(long, value_name = "FILE")]
    status: Vec<String>,
    /// The hospital's own request, which a grant or refusal must answer: text, file or `-`.
    #[arg(long, value_name = "TOKEN", conflicts_with = "presented")]
    request: Option<String>,
    /// Decide as a node on what `present` wrote: a file or `-`.
    #[arg(long, value_name = "FILE", requires_all = ["place", "person", "guard"])]
    presented: Option<String>,
    /// The node that decides: 61:ARCHIVE61, or INDEX00 for the nation's.
    #[arg(long, value_parser = words::place)]
    place: Option<Place>,
    /// The patient's code as the node knows it: a file with one line.
    #[arg(long, value_name = "FILE")]
    person: Option<String>,
    /// Open this record: a file with its record key. Without it, list the exams.
    #[arg(long, value_name = "FILE", requires = "day")]
    record: Option<String>,
    /// The record's day (YYYY-MM-DD, China time), from the node's own index.
    #[arg(long)]
    day: Option<NaiveDate>,
    /// Its modality.
    #[arg(long)]
    modality: Option<Modality>,
    /// Its body part.
    #[arg(long)]
    body_part: Option<BodyPart>,
    /// The province that keeps it; by default the node's.
    #[arg(long, value_parser = words::province)]
    kept_in: Option<Province>,
    /// The node's memory of proofs that were used; made if it is not there.
    #[arg(long, value_name = "FILE")]
    guard: Option<PathBuf>,
    /// Take emergency accesses as well.
    #[arg(long)]
    take_emergencies: bool,
    /// The key file of the node's log role, for the receipt.
    #[arg(long, value_name = "FILE", requires = "receipt")]
    key: Option<PathBuf>,
    /// Writes the receipt of what was served.
    #[arg(long, value_name = "FILE", requires = "key")]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) fn check(check: &Check) -> Result<Done, Failure> {
    let mut policy = check.common.policy();
    if check.take_emergencies {
        policy = policy.with_emergency_access();
    }
    let now = check.common.now();
    let ring = trust::ring(&check.trust, &policy, now)?;
    let checker = Checker::new(&ring, &policy);
    if let (None, Some(token)) = (&check.presented, &check.token) {
        let token = files::token(token)?;
        let request = check.request.as_deref();
        let request = request.map(files::token_of::<Request>).transpose()?;
        let alone = Alone {
            checker: &checker,
            now,
            request: request.map(|it| it.verify(&checker)).transpose()?,
        };
        if check.status.is_empty() {
            return alone.check(token, None);
        }
        let book = status::book(&check.status, &checker, now)?;
        return alone.check(token, Some(&book.with_keys(&ring)));
    }
    let book = status::book(&check.status, &checker, now)?;
    let source = book.with_keys(&ring);
    check.decide(&checker.with_status(&source), &source, now)
}

impl Check {
    fn decide(
        &self,
        checker: &Checker<'_>,
        source: &mic_consent::KnownStatus<'_>,
        now: DateTime<Utc>,
    ) -> Result<Done, Failure> {
        let wrong = |what: &str| Problem::usage("consent.check", format!("expected {what}"));
        let presented = self
            .presented
            .as_deref()
            .ok_or_else(|| wrong("--presented"))?;
        let place = self.place.ok_or_else(|| wrong("--place"))?;
        let person = self.person.as_deref().ok_or_else(|| wrong("--person"))?;
        let guard = self.guard.as_deref().ok_or_else(|| wrong("--guard"))?;
        files::must_be_new(self.receipt.as_deref())?;
        let key = self.key.as_deref().map(OwnKey::load).transpose()?;
        // Before the proof counts as used.
        if key.as_ref().is_some_and(|key| key.owner() != *place.node()) {
            return Err(mic_consent::Reason::OtherNode.into());
        }

        let bytes = files::read(presented)?;
        let presentation: Presentation = serde_json::from_slice(&bytes).map_err(|_| {
            let expected = "expected what `mic consent present` writes";
            Problem::data("consent.presented", format!("{presented}: {expected}"))
        })?;
        let salts = opening_of(&presentation)?;
        let proof = Encoded::from_text(&presentation.proof)?;
        let token = Encoded::from_text(&presentation.grant)?;
        let held = held(token, &presentation.narrowed, checker, now, source)?;
        let person = files::secret_line(person, "the patient's code")?;
        let record = self.record.as_deref();
        let record = record
            .map(|file| files::secret_line(file, "a record key"))
            .transpose()?;
        let wanted = match &record {
            None => Use::list(&place, &person),
            Some(record) => Use::open(&place, &person, record, self.facts(&place)?),
        };
        let mut guard = open_guard(guard, now)?;
        let shown = Presented::new(&proof, &salts);
        let permit = match &held {
            Held::Grant(grant) => grant.permit(checker, now, shown, &wanted, &mut guard)?,
            Held::Narrowed(grant) => grant.permit(checker, now, shown, &wanted, &mut guard)?,
            Held::Emergency(access) => access.permit(checker, now, shown, &wanted, &mut guard)?,
        };
        let done = allowed(&permit, record.is_some(), presentation.narrowed.len());
        let (Some(key), Some(path)) = (key, &self.receipt) else {
            drop(permit);
            return Ok(done.note("no receipt was written (--key, --receipt)"));
        };
        let receipt = permit
            .served()
            .sign(key.signer.as_ref(), key.owner(), now)?;
        let text = format!("{}\n", receipt.to_text());
        files::write_new(path, text.as_bytes(), Readers::Everybody)?;
        Ok(done.row("receipt", path.display().to_string()))
    }

    fn facts(&self, place: &Place) -> Result<RecordFacts, Failure> {
        let wrong = |what| Problem::usage("consent.check", what);
        let day = self
            .day
            .ok_or_else(|| wrong("expected --day with --record"))?;
        let kept_in = self.kept_in.or(place.in_province());
        let kept_in = kept_in.ok_or_else(|| wrong("expected --kept-in at a node of the nation"))?;
        let mut facts = RecordFacts::new(day, kept_in);
        if let Some(modality) = self.modality {
            facts = facts.with_modality(modality);
        }
        if let Some(body_part) = self.body_part {
            facts = facts.with_body_part(body_part);
        }
        Ok(facts)
    }
}

fn allowed(permit: &Permit<'_>, opens: bool, narrowings: usize) -> Done {
    Done::new()
        .row(
            "allowed",
            if opens {
                "open one record"
            } else {
                "see the list of exams"
            },
        )
        .row("basis", format!("{:?}", permit.basis()).to_lowercase())
        .row("under", permit.id().to_string())
        .row("hospital", permit.proof().organisation().as_str())
        .row("at", words::place_text(permit.proof().place()))
        .row("rights", permit.rights().to_string())
        .row("narrowings", narrowings)
        .row("until", time(permit.terms().expires_at()))
}

fn opening_of(presentation: &Presentation) -> Result<Opening, Failure> {
    let salts = presentation
        .opening
        .bytes()
        .ok_or_else(|| Problem::data("consent.salt", "expected salts of 64 hexadecimal digits"))?;
    Ok(Opening::from_bytes(*salts))
}

/// A file that proofs are only added to, synced before a proof counts as used, for one process at a time.
struct FileStore {
    path: PathBuf,
    file: File,
    /// Held for as long as the guard is. The file itself may be replaced, so another one is locked.
    _lock: File,
}

impl GuardStore for FileStore {
    fn append(&mut self, record: &[u8; GUARD_RECORD_BYTES]) -> Result<(), GuardStoreError> {
        let written = self.file.write_all(record);
        let written = written.and_then(|()| self.file.sync_data());
        written.map_err(|_| GuardStoreError::Unavailable)
    }

    fn replace(
        &mut self,
        records: &mut dyn Iterator<Item = [u8; GUARD_RECORD_BYTES]>,
    ) -> Result<(), GuardStoreError> {
        let odd = |_| GuardStoreError::Unavailable;
        let aside = beside(&self.path, "new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = files::restrict(&mut options, Readers::Owner)
            .open(&aside)
            .map_err(odd)?;
        for record in records {
            file.write_all(&record).map_err(odd)?;
        }
        file.sync_all().map_err(odd)?;
        std::fs::rename(&aside, &self.path).map_err(odd)?;
        self.file = file;
        Ok(())
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn open_guard(path: &Path, now: DateTime<Utc>) -> Result<KeptGuard<FileStore>, Failure> {
    let odd = |e: &dyn core::fmt::Display| {
        let why = format!("{}: {e}", path.display());
        Failure::from(Problem::system("consent.guard", why))
    };
    let lock = files::open_shared(&beside(path, "lock"), Readers::Owner)?;
    let mut file = files::open_shared(path, Readers::Owner)?;
    let mut kept = Vec::new();
    file.read_to_end(&mut kept).map_err(|e| odd(&e))?;
    let store = FileStore {
        path: path.to_owned(),
        file,
        _lock: lock,
    };
    KeptGuard::open(GUARD_CAPACITY, &kept, store, now).map_err(|e| odd(&e))
}
