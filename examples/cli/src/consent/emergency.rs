//! `mic consent emergency` and `review`: access without consent, and its judgement afterwards.

use std::path::PathBuf;

use clap::Args;
use mic_consent::{
    Checker, DepartmentCode, DoctorCode, EmergencyDraft, EmergencyReason, GrantId, InstitutionCode,
    Opening, ReviewDraft, StaffRole, Verdict,
};
use mic_platform::problem::Problem;
use zeroize::Zeroizing;

use super::ask::Out;
use super::common::{Common, Dice, time};
use super::files;
use super::grant::write_opening;
use super::keys::OwnKey;
use super::outcome::{Done, Failure};
use super::{trust, words};

/// Access that a hospital's emergency role takes. Every node must have said that it accepts such.
#[derive(Debug, Args)]
pub(crate) struct Emergency {
    /// The key file of the hospital's emergency role.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The record of the hospital's key that will prove each use.
    #[arg(long, value_name = "FILE")]
    holder: PathBuf,
    #[arg(long, value_parser = words::emergency, value_name = "life-at-risk|cannot-answer|many-injured")]
    reason: EmergencyReason,
    #[arg(long)]
    department: DepartmentCode,
    /// Who acts.
    #[arg(long)]
    doctor: DoctorCode,
    #[arg(long, value_parser = words::staff, value_name = "attending|chief-on-duty|head-of-emergency")]
    staff: StaffRole,
    /// Who will review it: somebody else.
    #[arg(long)]
    reviewer: DoctorCode,
    /// The patient's code: a file with one line, or `-`.
    #[arg(long, value_name = "FILE")]
    person: String,
    /// Writes the salts that hide the person and the records.
    #[arg(long, value_name = "FILE")]
    opening: PathBuf,
    /// For how many seconds: at most 14400.
    #[arg(long, default_value_t = 3600)]
    life: u32,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A judgement.
#[derive(Debug, Args)]
pub(crate) struct Review {
    /// The key file of the review role.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The trust file.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The emergency access: text, file or `-`.
    #[arg(long, value_name = "TOKEN")]
    emergency: String,
    #[arg(long, value_parser = words::judgement, value_name = "justified|unjustified")]
    verdict: Verdict,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) fn emergency(emergency: &Emergency) -> Result<Done, Failure> {
    let now = emergency.common.now();
    let key = OwnKey::load(&emergency.key)?;
    let hospital =
        InstitutionCode::new(key.owner().as_str()).map_err(|e| Problem::usage("consent.key", e))?;
    let holder = trust::record(&emergency.holder)?;
    files::must_be_new(Some(&emergency.opening))?;
    emergency.out.check()?;
    let person = files::secret_line(&emergency.person, "the patient's code")?;
    let mut dice = Dice::new();
    let salts = Zeroizing::new(dice.draw::<32>()?);
    let acting = (emergency.department, emergency.doctor, emergency.staff);
    let token = EmergencyDraft::new(
        emergency.common.realm,
        hospital,
        emergency.reason,
        acting,
        emergency.reviewer,
    )
    .with_holder(holder.key_id())
    .with_subject(&person, &Opening::from_bytes(*salts))
    .with_life_s(emergency.life)
    .sign(key.signer.as_ref(), GrantId::from_bytes(dice.draw()?), now)?;
    write_opening(&emergency.opening, &salts)?;
    let until = now + chrono::TimeDelta::seconds(emergency.life.into());
    let out = &emergency.out;
    let mut done = out.row(Done::new(), "hospital", hospital.to_string());
    done = out.row(done, "reason for it", emergency.reason.chinese().into());
    done = out.row(done, "until", time(until));
    out.give(&token, done)
}

pub(crate) fn review(review: &Review) -> Result<Done, Failure> {
    let (policy, now) = (review.common.policy(), review.common.now());
    let ring = trust::ring(&review.trust, &policy, now)?;
    let checker = Checker::new(&ring, &policy);
    let emergency = files::token_of::<mic_consent::Emergency>(&review.emergency)?;
    let emergency = emergency.verify(&checker)?;
    let key = OwnKey::load(&review.key)?;
    let token = ReviewDraft::of(emergency.claims(), review.verdict).sign(
        key.signer.as_ref(),
        key.owner(),
        now,
    )?;
    let out = &review.out;
    let mut done = out.row(
        Done::new(),
        "emergency",
        emergency.claims().id().to_string(),
    );
    done = out.row(
        done,
        "verdict",
        format!("{:?}", review.verdict).to_lowercase(),
    );
    out.give(&token, done)
}
