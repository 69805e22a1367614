//! `mic consent narrow` and `present`: what the hospital does with a grant it holds.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use mic_consent::{
    Checker, DepartmentCode, DoctorCode, Emergency, Encoded, Grant, KeyId, Live, NarrowDraft,
    Narrowed, NarrowedGrant, Place, ProofDraft, ProofId, Rights, Status, StatusRef, StatusSource,
    TokenType,
};
use mic_platform::problem::Problem;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::ask::Out;
use super::common::{Common, Dice, time};
use super::files::{self, Readers, Secret};
use super::grant::opening;
use super::keys::{OwnKey, pretty};
use super::outcome::{Done, Failure};
use super::words::{self, ScopeOptions};
use super::{status, trust};

/// A grant that the hospital holds.
#[derive(Debug, Args)]
struct Holding {
    /// The hospital's key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The grant, or an emergency access: text, file or `-`.
    #[arg(long, value_name = "TOKEN")]
    grant: String,
    /// Its narrowings, first to last.
    #[arg(long, value_name = "TOKEN")]
    narrowed: Vec<String>,
    /// Status lists and withdrawals that the hospital knows; a node looks at its own in any case.
    #[arg(long, value_name = "FILE")]
    status: Vec<String>,
}

/// A smaller grant.
#[derive(Debug, Args)]
pub(crate) struct Narrow {
    #[command(flatten)]
    holding: Holding,
    /// Only these records: a file with one record key a line; with --opening.
    #[arg(long, value_name = "FILE", requires = "opening")]
    records: Option<String>,
    /// The grant's salts.
    #[arg(long, value_name = "FILE")]
    opening: Option<String>,
    /// At this node alone: 61:ARCHIVE61, or INDEX00 for the nation's.
    #[arg(long, value_parser = words::place)]
    place: Option<Place>,
    /// For this many seconds.
    #[arg(long)]
    life: Option<u32>,
    #[arg(long)]
    department: Option<DepartmentCode>,
    #[arg(long)]
    doctor: Option<DoctorCode>,
    /// At most this many different studies at each node.
    #[arg(long)]
    studies_max: Option<u16>,
    /// Fewer rights.
    #[arg(long, value_delimiter = ',', value_parser = words::right)]
    rights: Vec<Rights>,
    #[command(flatten)]
    scope: ScopeOptions,
    /// The record of another key of the hospital that shall use it.
    #[arg(long, value_name = "FILE")]
    holder: Option<PathBuf>,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// One use of a grant.
#[derive(Debug, Args)]
pub(crate) struct Present {
    #[command(flatten)]
    holding: Holding,
    /// The grant's salts.
    #[arg(long, value_name = "FILE")]
    opening: String,
    /// The node: 61:ARCHIVE61, or INDEX00 for the nation's.
    #[arg(long, value_parser = words::place)]
    place: Place,
    /// Open this record: a file with its record key. Without it, see the list of exams.
    #[arg(long, value_name = "FILE")]
    record: Option<String>,
    #[arg(long)]
    department: Option<DepartmentCode>,
    #[arg(long)]
    doctor: Option<DoctorCode>,
    /// Writes what the node is to be handed: grant, narrowings, proof of use and salts. It lives 60 seconds.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What a hospital hands to a node for one action.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Presentation {
    pub(crate) grant: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) narrowed: Vec<String>,
    pub(crate) proof: String,
    pub(crate) opening: Secret,
}

/// A grant or emergency access that is live.
pub(crate) enum Held {
    Grant(Live<Grant>),
    Narrowed(NarrowedGrant),
    Emergency(Live<Emergency>),
}

/// Takes a grant with its narrowings, or an emergency access, through all steps up to live.
pub(crate) fn held(
    token: Encoded,
    links: &[String],
    checker: &Checker<'_>,
    now: DateTime<Utc>,
    source: &dyn StatusSource,
) -> Result<Held, Failure> {
    if token.token_type() == TokenType::Emergency {
        let emergency = token.untrusted::<Emergency>()?.verify(checker)?;
        return Ok(Held::Emergency(emergency.live(checker, now)?));
    }
    let grant = token.untrusted::<Grant>()?.verify(checker)?;
    let mut held = Held::Grant(grant.live(checker, now, source)?);
    for link in links {
        let link = files::token_of::<Narrowed>(link)?.verify(checker)?;
        held = Held::Narrowed(match held {
            Held::Grant(grant) => grant.narrowed_by(link, checker, now)?,
            Held::Narrowed(grant) => grant.narrowed_by(link, checker, now)?,
            Held::Emergency(_) => return Err(mic_consent::Reason::OtherType.into()),
        });
    }
    Ok(held)
}

/// Nobody was asked for the status; who uses it says so.
pub(crate) struct NotAsked;

impl StatusSource for NotAsked {
    fn status(&self, _: &KeyId, _: StatusRef, _: DateTime<Utc>) -> Status {
        Status::Valid
    }
}

impl Holding {
    fn load(&self, common: &Common) -> Result<(OwnKey, Held), Failure> {
        let (policy, now) = (common.policy().with_emergency_access(), common.now());
        let ring = trust::ring(&self.trust, &policy, now)?;
        let checker = Checker::new(&ring, &policy);
        let key = OwnKey::load(&self.key)?;
        let token = files::token(&self.grant)?;
        if self.status.is_empty() {
            let held = held(token, &self.narrowed, &checker, now, &NotAsked)?;
            return Ok((key, held));
        }
        let book = status::book(&self.status, &checker, now)?;
        let source = book.with_keys(&ring);
        Ok((key, held(token, &self.narrowed, &checker, now, &source)?))
    }
}

pub(crate) fn narrow(narrow: &Narrow) -> Result<Done, Failure> {
    let (key, held) = narrow.holding.load(&narrow.common)?;
    let mut draft = match &held {
        Held::Grant(grant) => NarrowDraft::of(grant),
        Held::Narrowed(grant) => NarrowDraft::of_narrowed(grant),
        Held::Emergency(_) => {
            let why = "an emergency access cannot be narrowed";
            return Err(Problem::usage("consent.narrow", why).into());
        }
    };
    if let Some(rights) = words::rights(&narrow.rights) {
        draft = draft.with_rights(rights);
    }
    if !narrow.scope.are_none() {
        draft = draft.with_scope(narrow.scope.scope()?);
    }
    if let (Some(records), Some(salts)) = (&narrow.records, &narrow.opening) {
        let records = files::secret_lines(records, "one record key a line")?;
        draft = draft.with_records(records.iter().map(|key| key.as_slice()), &opening(salts)?)?;
    }
    if let Some(place) = narrow.place {
        draft = draft.with_place(place);
    }
    if let Some(life_s) = narrow.life {
        draft = draft.with_life_s(life_s);
    }
    if let Some(department) = narrow.department {
        draft = draft.with_department(department);
    }
    if let Some(doctor) = narrow.doctor {
        draft = draft.with_doctor(doctor);
    }
    if let Some(studies) = narrow.studies_max {
        draft = draft.with_studies_max(studies);
    }
    if let Some(holder) = &narrow.holder {
        draft = draft.with_holder(trust::record(holder)?.key_id());
    }
    let token = draft.sign(key.signer.as_ref(), narrow.common.now())?;
    let out = &narrow.out;
    let place = narrow.place.as_ref().map(words::place_text);
    let done = out.row(
        Done::new(),
        "at",
        place.unwrap_or_else(|| "any node".into()),
    );
    out.give(&token, done)
}

pub(crate) fn present(present: &Present) -> Result<Done, Failure> {
    let now = present.common.now();
    let (key, held) = present.holding.load(&present.common)?;
    let salts = opening(&present.opening)?;
    let mut draft = match &present.record {
        None => match &held {
            Held::Grant(grant) => ProofDraft::list(grant, present.place),
            Held::Narrowed(grant) => grant.prove_list(present.place),
            Held::Emergency(emergency) => emergency.prove_list(present.place),
        },
        Some(file) => {
            let record = files::secret_line(file, "a record key")?;
            match &held {
                Held::Grant(grant) => ProofDraft::open(grant, present.place, &record, &salts)?,
                Held::Narrowed(grant) => grant.prove_open(present.place, &record, &salts)?,
                Held::Emergency(access) => access.prove_open(present.place, &record, &salts)?,
            }
        }
    };
    if let Some(department) = present.department {
        draft = draft.with_department(department);
    }
    if let Some(doctor) = present.doctor {
        draft = draft.with_doctor(doctor);
    }
    let id = ProofId::from_bytes(Dice::new().draw()?);
    let proof = draft.sign(key.signer.as_ref(), id, now)?;
    let links = present.holding.narrowed.iter();
    let links = links.map(|link| Ok(files::token(link)?.to_text()));
    let presentation = Presentation {
        grant: files::token(&present.holding.grant)?.to_text(),
        narrowed: links.collect::<Result<_, Failure>>()?,
        proof: proof.to_text(),
        opening: Secret::new(hex::encode(Zeroizing::new(salts.to_bytes()).as_slice())),
    };
    let text = Zeroizing::new(pretty(&presentation)?);
    files::write_new(&present.out, text.as_bytes(), Readers::Owner)?;
    let action = match present.record {
        None => "see the list of exams",
        Some(_) => "open one record",
    };
    Ok(Done::new()
        .row("action", action)
        .row("at", words::place_text(&present.place))
        .row("narrowings", presentation.narrowed.len())
        .row("until", time(now + chrono::TimeDelta::seconds(60)))
        .row("written", present.out.display().to_string()))
}
