//! The words for the closed lists of a token on the command line.

use chrono::NaiveDate;
use clap::Args;
use mic_consent::{
    BodyPart, EmergencyReason, ExamType, GuardianEvidence, IssuerCode, Modality, PatientBand,
    PersonCheck, Place, Province, Purpose, RefusalReason, Relation, Rights, Role, Scope,
    ScopeFilter, SeparateConsent, StaffRole, Suite, Verdict,
};
use mic_platform::problem::Problem;

use super::outcome::Failure;

macro_rules! words {
    ($( $(#[$doc:meta])* $name:ident: $kind:ty { $( $word:literal = $value:expr, )* } )*) => { $(
        $(#[$doc])*
        pub(crate) fn $name(text: &str) -> Result<$kind, String> {
            match text {
                $( $word => Ok($value), )*
                _ => Err(format!("expected one of {}", [$($word),*].join(", "))),
            }
        }
    )* };
}

words! {
    suite: Suite { "sm2" = Suite::Sm2Sm3, "ed25519" = Suite::Ed25519, "es256" = Suite::Esp256, }
    role: Role {
        "request" = Role::Request, "grant" = Role::Grant, "status" = Role::Status,
        "emergency" = Role::Emergency, "log" = Role::Log, "root" = Role::Root, "review" = Role::Review,
    }
    purpose: Purpose {
        "treatment" = Purpose::Treatment, "emergency" = Purpose::Emergency, "referral" = Purpose::Referral,
        "audit" = Purpose::InsurerAudit, "research" = Purpose::Research, "own" = Purpose::PatientsOwn,
        "ai" = Purpose::AssistedReading,
    }
    right: Rights {
        "list" = Rights::LIST, "view" = Rights::VIEW, "keep" = Rights::KEEP, "report" = Rights::REPORT,
        "derive" = Rights::DERIVE, "pass-on" = Rights::PASS_ON,
    }
    person_check: PersonCheck {
        "face" = PersonCheck::Face, "second-factor" = PersonCheck::SecondFactor,
        "in-person" = PersonCheck::InPerson,
    }
    band: PatientBand {
        "adult" = PatientBand::Adult, "under14" = PatientBand::Under14, "14to17" = PatientBand::From14To17,
        "without-capacity" = PatientBand::WithoutCapacity,
    }
    tick: SeparateConsent {
        "sensitive" = SeparateConsent::SENSITIVE, "hand-over" = SeparateConsent::HAND_OVER,
        "minor" = SeparateConsent::MINOR, "keeping" = SeparateConsent::KEEPING,
    }
    relation: Relation {
        "parent" = Relation::Parent, "legal-guardian" = Relation::LegalGuardian, "spouse" = Relation::Spouse,
        "adult-child" = Relation::AdultChild, "appointed" = Relation::Appointed,
    }
    evidence: GuardianEvidence {
        "register" = GuardianEvidence::Register, "decision" = GuardianEvidence::Decision,
        "family-account" = GuardianEvidence::FamilyAccount, "written" = GuardianEvidence::Written,
    }
    refusal: RefusalReason {
        "declined" = RefusalReason::Declined, "no-answer" = RefusalReason::NoAnswer,
        "not-checked" = RefusalReason::PersonNotChecked, "guardian-needed" = RefusalReason::GuardianNeeded,
    }
    emergency: EmergencyReason {
        "life-at-risk" = EmergencyReason::LifeAtRisk, "cannot-answer" = EmergencyReason::CannotAnswer,
        "many-injured" = EmergencyReason::ManyInjured,
    }
    staff: StaffRole {
        "attending" = StaffRole::Attending, "chief-on-duty" = StaffRole::ChiefOnDuty,
        "head-of-emergency" = StaffRole::HeadOfEmergency,
    }
    judgement: Verdict { "justified" = Verdict::Justified, "unjustified" = Verdict::Unjustified, }
}

/// Rights joined.
pub(crate) fn rights(list: &[Rights]) -> Option<Rights> {
    list.iter().copied().reduce(|one, other| one | other)
}

/// A node: `61:ARCHIVE61` in a province, `INDEX00` for the nation.
pub(crate) fn place(text: &str) -> Result<Place, String> {
    let node = |code: &str| IssuerCode::new(code).map_err(|e| e.to_string());
    match text.split_once(':') {
        None => Ok(Place::nation(node(text)?)),
        Some((number, code)) => Ok(Place::province(province(number)?, node(code)?)),
    }
}

/// A province: the first two digits of its district codes.
pub(crate) fn province(text: &str) -> Result<Province, String> {
    let expected = || "expected a province as two digits (GB/T 2260), as 61".to_owned();
    let number = text.parse().map_err(|_| expected())?;
    Province::new(number).map_err(|_| expected())
}

fn exam_type(text: &str) -> Result<ExamType, String> {
    let number = text.parse().ok().and_then(ExamType::new);
    number.ok_or_else(|| "expected an exam type, 1 to 5".to_owned())
}

/// A place as it is written on the command line.
pub(crate) fn place_text(place: &Place) -> String {
    match place.in_province() {
        Some(province) => format!("{province}:{}", place.node()),
        None => place.node().to_string(),
    }
}

/// Conditions on the exams; without any, all of them.
#[derive(Debug, Args)]
pub(crate) struct ScopeOptions {
    /// The list of exams alone, no images.
    #[arg(long)]
    list_only: bool,
    /// The first day, with --until (YYYY-MM-DD, China time).
    #[arg(long, requires = "until", value_name = "DAY")]
    from: Option<NaiveDate>,
    /// The last day, with --from.
    #[arg(long, requires = "from", value_name = "DAY")]
    until: Option<NaiveDate>,
    /// Modalities, as CT; repeat it or join them with commas.
    #[arg(long, value_delimiter = ',')]
    modality: Vec<Modality>,
    /// Provinces where the exams are kept.
    #[arg(long, value_delimiter = ',', value_parser = province)]
    province: Vec<Province>,
    /// Body parts, nine characters each.
    #[arg(long, value_delimiter = ',')]
    body_part: Vec<BodyPart>,
    /// Exam types, 1 to 5.
    #[arg(long, value_delimiter = ',', value_parser = exam_type)]
    exam_type: Vec<ExamType>,
}

impl ScopeOptions {
    /// Whether anything was asked for.
    pub(crate) fn are_none(&self) -> bool {
        !self.list_only
            && self.from.is_none()
            && self.modality.is_empty()
            && self.province.is_empty()
            && self.body_part.is_empty()
            && self.exam_type.is_empty()
    }

    pub(crate) fn scope(&self) -> Result<Scope, Failure> {
        let odd = |e: mic_consent::ScopeError| Problem::usage("consent.scope", e);
        let mut filter = ScopeFilter::new();
        if let (Some(from), Some(until)) = (self.from, self.until) {
            filter = filter.with_days(from, until).map_err(odd)?;
        }
        if !self.modality.is_empty() {
            filter = filter
                .with_modalities(self.modality.iter().copied())
                .map_err(odd)?;
        }
        if !self.province.is_empty() {
            filter = filter
                .with_provinces(self.province.iter().copied())
                .map_err(odd)?;
        }
        if !self.body_part.is_empty() {
            filter = filter
                .with_body_parts(self.body_part.iter().copied())
                .map_err(odd)?;
        }
        if !self.exam_type.is_empty() {
            filter = filter
                .with_exam_types(self.exam_type.iter().copied())
                .map_err(odd)?;
        }
        Ok(match (self.list_only, filter.is_empty()) {
            (true, _) => Scope::list_only(filter),
            (false, true) => Scope::all(),
            (false, false) => Scope::filtered(filter).map_err(odd)?,
        })
    }
}

/// A scope in a few words.
pub(crate) fn scope_text(scope: &Scope) -> String {
    let filter = scope.filter();
    let list = |name: &str, items: Vec<String>| format!("{name} {}", items.join(" "));
    let mut parts = vec![match scope.kind() {
        mic_consent::ScopeKind::ListOnly => "the list alone".to_owned(),
        mic_consent::ScopeKind::All => "all exams".to_owned(),
        mic_consent::ScopeKind::Chosen => format!("{} chosen exams", scope.records().len()),
        _ => "exams by condition".to_owned(),
    }];
    if let Some((from, until)) = filter.days() {
        parts.push(format!("{from} to {until}"));
    }
    if let Some(items) = filter.modalities() {
        parts.push(list(
            "modality",
            items.iter().map(ToString::to_string).collect(),
        ));
    }
    if let Some(items) = filter.provinces() {
        parts.push(list(
            "province",
            items.iter().map(ToString::to_string).collect(),
        ));
    }
    if let Some(items) = filter.body_parts() {
        parts.push(list(
            "body part",
            items.iter().map(ToString::to_string).collect(),
        ));
    }
    if let Some(items) = filter.exam_types() {
        let items = items.iter().map(|kind| kind.get().to_string()).collect();
        parts.push(list("exam type", items));
    }
    parts.join(", ")
}
