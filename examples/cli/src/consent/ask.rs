//! `mic consent request` and `offer`: what the hospital shows to the patient, and the patient to the hospital.

use std::path::PathBuf;

use clap::Args;
use mic_consent::{
    Checker, DepartmentCode, DoctorCode, Encoded, InstitutionCode, Offer, OfferDraft, OfferId,
    Purpose, RequestDraft, RequestNonce, Rights,
};
use mic_platform::problem::Problem;

use super::common::{Common, Dice};
use super::files::{self, Readers};
use super::keys::OwnKey;
use super::outcome::{Done, Failure};
use super::trust;
use super::words::{self, ScopeOptions};

/// What a hospital asks for.
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// The hospital's key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[arg(long, value_parser = words::purpose,
          value_name = "treatment|emergency|referral|audit|research|own|ai")]
    purpose: Purpose,
    /// What may be done: list, view, report, keep, derive, pass-on.
    #[arg(long, value_delimiter = ',', default_value = "list,view", value_parser = words::right)]
    rights: Vec<Rights>,
    #[command(flatten)]
    scope: ScopeOptions,
    /// The department that asks.
    #[arg(long)]
    department: Option<DepartmentCode>,
    /// The doctor who asks.
    #[arg(long)]
    doctor: Option<DoctorCode>,
    /// For how long access is asked, in seconds.
    #[arg(long, default_value_t = 7200)]
    period: u32,
    /// How long the request itself may be answered, in seconds.
    #[arg(long, default_value_t = 120)]
    life: u32,
    /// The offer of the patient's phone that this takes up, with --trust.
    #[arg(long, requires = "trust", value_name = "TOKEN")]
    offer: Option<String>,
    /// The trust file, to check the offer.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A handle that the patient's phone shows.
#[derive(Debug, Args)]
pub(crate) struct OfferArguments {
    /// The consent authority's key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// How long it may be taken up, in seconds.
    #[arg(long, default_value_t = 90)]
    life: u32,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Where a token goes.
#[derive(Debug, Args)]
pub(crate) struct Out {
    /// Writes the token to a new file instead of printing it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Out {
    /// Whether the token can be written, before anything else is.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        Ok(files::must_be_new(self.out.as_deref())?)
    }

    /// Writes the token or gives it to be printed.
    pub(crate) fn give(&self, token: &Encoded, done: Done) -> Result<Done, Failure> {
        let done = done
            .json("type", token.token_type().name())
            .json("bytes", token.as_bytes().len());
        let text = token.to_text();
        let Some(path) = &self.out else {
            return Ok(done.text(text));
        };
        files::write_new(path, format!("{text}\n").as_bytes(), Readers::Everybody)?;
        Ok(done.row("written", path.display().to_string()))
    }

    /// Facts about the token are for people only where the token itself goes to a file.
    pub(crate) fn row(&self, done: Done, name: &'static str, value: String) -> Done {
        match self.out {
            Some(_) => done.row(name, value),
            None => done.json(&name.replace(' ', "_"), value),
        }
    }
}

pub(crate) fn request(request: &Request) -> Result<Done, Failure> {
    let now = request.common.now();
    let key = OwnKey::load(&request.key)?;
    let hospital =
        InstitutionCode::new(key.owner().as_str()).map_err(|e| Problem::usage("consent.key", e))?;
    let rights = words::rights(&request.rights)
        .ok_or_else(|| Problem::usage("consent.rights", "expected at least one right"))?;
    let scope = request.scope.scope()?;
    let shown = words::scope_text(&scope);
    let realm = request.common.realm;
    let mut draft = RequestDraft::new(realm, hospital, request.purpose, rights, scope)
        .with_period_s(request.period)
        .with_life_s(request.life);
    if let Some(department) = request.department {
        draft = draft.with_department(department);
    }
    if let Some(doctor) = request.doctor {
        draft = draft.with_doctor(doctor);
    }
    if let (Some(offer), Some(path)) = (&request.offer, &request.trust) {
        let policy = request.common.policy();
        let ring = trust::ring(path, &policy, now)?;
        let checker = Checker::new(&ring, &policy);
        let offer = files::token_of::<Offer>(offer)?.verify(&checker)?;
        draft = draft.taking_up(&offer.live(&checker, now)?);
    }
    let nonce = RequestNonce::from_bytes(Dice::new().draw()?);
    let token = draft.sign(key.signer.as_ref(), nonce, now)?;
    let out = &request.out;
    let mut done = out.row(Done::new(), "hospital", hospital.to_string());
    done = out.row(done, "purpose", request.purpose.english().into());
    done = out.row(done, "rights", rights.to_string());
    done = out.row(done, "scope", shown);
    out.give(&token, done)
}

pub(crate) fn offer(offer: &OfferArguments) -> Result<Done, Failure> {
    let key = OwnKey::load(&offer.key)?;
    let id = OfferId::from_bytes(Dice::new().draw()?);
    let token = OfferDraft::new(offer.common.realm, key.owner())
        .with_life_s(offer.life)
        .sign(key.signer.as_ref(), id, offer.common.now())?;
    let done = offer
        .out
        .row(Done::new(), "authority", key.owner().to_string());
    offer.out.give(&token, done)
}
