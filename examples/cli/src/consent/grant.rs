//! `mic consent grant` and `refuse`: the consent authority's answer once the patient has decided.

use std::path::{Path, PathBuf};

use clap::Args;
use mic_consent::{
    Checker, GrantDraft, GrantId, Guardian, GuardianCommitment, GuardianEvidence, Live, NoticeHash,
    Opening, PatientBand, PersonCheck, RefusalDraft, RefusalReason, Relation, Request, Rights,
    SeparateConsent, StatusRef,
};
use mic_platform::problem::Problem;
use zeroize::Zeroizing;

use super::ask::Out;
use super::common::{Common, Dice, time};
use super::files::{self, Readers};
use super::keys::OwnKey;
use super::outcome::{Done, Failure};
use super::trust;
use super::words::{self, ScopeOptions};

/// What an authority signs when the patient agreed.
#[derive(Debug, Args)]
pub(crate) struct Grant {
    #[command(flatten)]
    answer: Answer,
    /// The patient's code: a file with one line, or `-`. Never a word of the command line, which others can see.
    #[arg(long, value_name = "FILE")]
    person: String,
    /// Writes the salts that hide the person and the records: for the hospital, by the back channel.
    #[arg(long, value_name = "FILE")]
    opening: PathBuf,
    /// Only these records: a file with one record key a line.
    #[arg(long, value_name = "FILE")]
    records: Option<String>,
    /// The notice that the patient read (告知书), as text.
    #[arg(long, value_name = "FILE")]
    notice: String,
    /// Its language.
    #[arg(long, default_value = "zh-CN")]
    notice_language: String,
    /// How it was made sure who consented.
    #[arg(long, value_parser = words::person_check, value_name = "face|second-factor|in-person")]
    check: PersonCheck,
    /// The boxes that were ticked one by one: sensitive, hand-over, minor, keeping.
    #[arg(long, required = true, value_delimiter = ',', value_parser = words::tick)]
    ticked: Vec<SeparateConsent>,
    /// Its place in the status lists, drawn at random by the authority.
    #[arg(long, value_parser = status, value_name = "LIST:INDEX")]
    status: StatusRef,
    /// Fewer rights than asked for.
    #[arg(long, value_delimiter = ',', value_parser = words::right)]
    rights: Vec<Rights>,
    #[command(flatten)]
    scope: ScopeOptions,
    /// At most this many different studies at each node.
    #[arg(long)]
    studies_max: Option<u16>,
    /// A shorter life than asked for, in seconds.
    #[arg(long)]
    life: Option<u32>,
    /// The patient's age and capacity.
    #[arg(long, value_parser = words::band, default_value = "adult",
          value_name = "adult|under14|14to17|without-capacity")]
    band: PatientBand,
    /// The guardian's code: a file with one line.
    #[arg(long, value_name = "FILE", requires_all = ["relation", "evidence"])]
    guardian: Option<String>,
    #[arg(long, value_parser = words::relation, requires = "guardian",
          value_name = "parent|legal-guardian|spouse|adult-child|appointed")]
    relation: Option<Relation>,
    #[arg(long, value_parser = words::evidence, requires = "guardian",
          value_name = "register|decision|family-account|written")]
    evidence: Option<GuardianEvidence>,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What an authority signs when the patient did not agree.
#[derive(Debug, Args)]
pub(crate) struct Refuse {
    #[command(flatten)]
    answer: Answer,
    #[arg(long, value_parser = words::refusal, value_name = "declined|no-answer|not-checked|guardian-needed")]
    reason: RefusalReason,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A request and who answers it.
#[derive(Debug, Args)]
struct Answer {
    /// The consent authority's key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The hospital's request: text, file or `-`.
    #[arg(long, value_name = "TOKEN")]
    request: String,
}

impl Answer {
    fn load(&self, common: &Common) -> Result<(OwnKey, Live<Request>), Failure> {
        let (policy, now) = (common.policy(), common.now());
        let ring = trust::ring(&self.trust, &policy, now)?;
        let checker = Checker::new(&ring, &policy);
        let request = files::token_of::<Request>(&self.request)?.verify(&checker)?;
        Ok((OwnKey::load(&self.key)?, request.live(&checker, now)?))
    }
}

/// `3:70001`.
fn status(text: &str) -> Result<StatusRef, String> {
    let parts = text.split_once(':');
    let parsed = parts.and_then(|(list, index)| Some((list.parse().ok()?, index.parse().ok()?)));
    let (list, index) = parsed.ok_or("expected a list and an index, as 3:70001")?;
    Ok(StatusRef::new(list, index))
}

pub(crate) fn grant(grant: &Grant) -> Result<Done, Failure> {
    let now = grant.common.now();
    let (key, request) = grant.answer.load(&grant.common)?;
    let suite = key.record.public_key().suite();
    files::must_be_new(Some(&grant.opening))?;
    grant.out.check()?;
    let mut dice = Dice::new();
    let salts = Zeroizing::new(dice.draw::<32>()?);
    let opening = Opening::from_bytes(*salts);
    let person = files::secret_line(&grant.person, "the patient's code")?;
    let notice = files::read(&grant.notice)?;
    let notice = core::str::from_utf8(&notice)
        .map_err(|_| Problem::data("consent.notice", "expected the notice as UTF-8 text"))?;
    let notice = NoticeHash::new(suite, &grant.notice_language, notice)
        .map_err(|e| Problem::data("consent.notice", e))?;
    let ticked = grant
        .ticked
        .iter()
        .copied()
        .reduce(|one, other| one | other);
    let ticked = ticked.unwrap_or(SeparateConsent::SENSITIVE);
    let mut draft = GrantDraft::answering(&request)
        .with_issuer(key.owner())
        .with_subject(&person, &opening)
        .with_status(grant.status)
        .with_notice(notice)
        .with_person_check(grant.check)
        .with_band(grant.band)
        .with_separate_consent(ticked);
    if let Some(rights) = words::rights(&grant.rights) {
        draft = draft.with_rights(rights);
    }
    if !grant.scope.are_none() {
        draft = draft.with_scope(grant.scope.scope()?);
    }
    if let Some(records) = &grant.records {
        let records = files::secret_lines(records, "one record key a line")?;
        draft = draft.with_records(records.iter().map(|key| key.as_slice()));
    }
    if let Some(studies) = grant.studies_max {
        draft = draft.with_studies_max(studies);
    }
    if let Some(life_s) = grant.life {
        draft = draft.with_life_s(life_s);
    }
    if let (Some(file), Some(relation), Some(evidence)) =
        (&grant.guardian, grant.relation, grant.evidence)
    {
        let code = files::secret_line(file, "the guardian's code")?;
        let hidden = GuardianCommitment::new(suite, &opening, &code)
            .map_err(|e| Problem::data("consent.guardian", e))?;
        draft = draft.with_guardian(Guardian::new(relation, hidden, evidence));
    }
    let token = draft.sign(key.signer.as_ref(), GrantId::from_bytes(dice.draw()?), now)?;
    write_opening(&grant.opening, &salts)?;
    let own = mic_consent::KeyRing::from_records([key.record.clone()])
        .map_err(|e| Problem::system("consent.key", e))?;
    let policy = grant.common.policy();
    let signed = token.clone().untrusted::<mic_consent::Grant>()?;
    let signed = signed.verify(&Checker::new(&own, &policy))?;
    let claims = signed.claims();
    let out = &grant.out;
    let mut done = Done::new().json("opening", grant.opening.display().to_string());
    done = out.row(done, "grant", claims.id().to_string());
    done = out.row(done, "hospital", claims.organisation().to_string());
    done = out.row(done, "purpose", claims.purpose().english().into());
    done = out.row(done, "rights", claims.rights().to_string());
    done = out.row(done, "scope", words::scope_text(claims.scope()));
    done = out.row(done, "until", time(claims.expires_at()));
    out.give(&token, done)
}

/// Salts, readable by their owner alone.
pub(crate) fn write_opening(path: &Path, salts: &[u8; 32]) -> Result<(), Problem> {
    let text = Zeroizing::new(hex::encode(salts) + "\n");
    files::write_new(path, text.as_bytes(), Readers::Owner)
}

/// Reads salts.
pub(crate) fn opening(name: &str) -> Result<Opening, Failure> {
    let line = files::secret_line(name, "salts of 64 hexadecimal digits")?;
    let salts = files::hex32(&line).ok_or_else(|| {
        let expected = format!("{name}: expected salts of 64 hexadecimal digits");
        Problem::data("consent.salt", expected)
    })?;
    Ok(Opening::from_bytes(*salts))
}

pub(crate) fn refuse(refuse: &Refuse) -> Result<Done, Failure> {
    let (key, request) = refuse.answer.load(&refuse.common)?;
    let token = RefusalDraft::answering(&request, key.owner(), refuse.reason)
        .sign(key.signer.as_ref(), refuse.common.now())?;
    let hospital = request.claims().organisation().to_string();
    let done = refuse.out.row(Done::new(), "hospital", hospital);
    let done = refuse
        .out
        .row(done, "reason for it", refuse.reason.chinese().into());
    refuse.out.give(&token, done)
}
