//! Where a node meets `mic-consent`: the policy of the platform, the record key, and the check that
//! stands before every list and every study.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, FixedOffset, Utc};
use mic_consent::{
    AcceptedSuites, Checker, Denial, Encoded, Grant, IssuerCode, KeyId, Live, MemoryGuard,
    Modality, Opening, Permit, Place, Policy, Presented, Realm, Reason, RecordFacts, Status,
    StatusRef, StatusSource, Use,
};
use mic_index::{IndexCode, PersonCode};
use mic_transfer::SessionError;

use crate::node::nation::lock;
use crate::node::status::Withdrawn;
use crate::node::{Context, Role};
use crate::problem::Problem;
use crate::time;
use crate::wire::{self, Exam};

/// The realm of all tokens of the platform (`aud`).
pub const REALM: &str = "mic.cn";
/// How many proofs of use a node remembers within their life; at 64 bytes each some 6 MiB.
const PROOFS_MAX: usize = 100_000;

/// The platform's policy: national and international suites, the design's times.
///
/// # Errors
///
/// None; the realm is a constant that is checked by the tests.
pub fn policy() -> Result<Policy, Problem> {
    let realm = Realm::new(REALM).map_err(|e| Problem::system("consent.realm", e))?;
    Ok(Policy::new(realm, AcceptedSuites::Both))
}

/// The bytes that name one record in a consent: index code and StudyInstanceUID, because the code
/// alone is not unique.
#[must_use]
pub fn record_key(code: &IndexCode, study: &str) -> Vec<u8> {
    [code.packed().as_slice(), study.as_bytes()].concat()
}

/// What a scope may filter an exam by.
///
/// # Errors
///
/// The exam's institution code names no province.
pub fn facts(exam: &Exam) -> Result<RecordFacts, Problem> {
    let province = mic_consent::InstitutionCode::new(&exam.institution)
        .ok()
        .and_then(|code| code.province())
        .ok_or_else(|| {
            Problem::data("exam.institution", "the institution code names no province")
        })?;
    let day = exam.code.exam_time().to_naive().date();
    let modality = exam
        .modalities
        .first()
        .and_then(|text| Modality::new(text).ok());
    let facts = RecordFacts::new(day, province);
    Ok(modality.map_or(facts, |modality| facts.with_modality(modality)))
}

/// A denial as the platform tells it: the public text, the numbered reason, the step.
#[must_use]
pub fn problem(denial: &Denial) -> Problem {
    Problem {
        number: Some(denial.number()),
        ..Problem::denied(format!("consent.{}", denial.reason().name()), denial)
    }
}

/// Why a study did not arrive; a refusal of consent is told by its own words again.
#[must_use]
pub fn transfer_problem(error: &SessionError) -> Problem {
    let refused = match error {
        SessionError::Reported {
            reason: Some(number),
            ..
        } => Reason::ALL.iter().find(|reason| reason.number() == *number),
        _ => None,
    };
    match refused {
        Some(reason) => problem(&Denial::from(*reason)),
        None => Problem::data(format!("transfer.{}", error.code().number()), error),
    }
}

/// Salts and identifiers that nobody can guess.
///
/// # Errors
///
/// The system has no randomness to give.
pub fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Problem::system("random", e))?;
    Ok(bytes)
}

/// The check that stands before every list and every study.
#[derive(Debug)]
pub(crate) struct Desk {
    context: Arc<Context>,
    policy: Policy,
    place: Place,
    withdrawn: Withdrawn,
    guard: Mutex<MemoryGuard>,
}

/// What a presented grant opened, for the node's own audit line.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) at: DateTime<FixedOffset>,
    pub(crate) person: PersonCode,
    pub(crate) grant: [u8; 16],
    pub(crate) institution: String,
}

impl Desk {
    pub(crate) fn new(context: &Arc<Context>, role: Role) -> Result<Self, Problem> {
        let node: IssuerCode = *context.trust.own().organisation();
        let place = match role {
            Role::Province => province_place(node.as_str())?,
            _ => Place::nation(node),
        };
        Ok(Self {
            policy: policy()?,
            place,
            withdrawn: Withdrawn::new(context)?,
            guard: Mutex::new(MemoryGuard::with_capacity(PROOFS_MAX)),
            context: Arc::clone(context),
        })
    }

    /// Checks what was presented for listing, then serves with the permit in hand.
    pub(crate) fn list<T>(
        &self,
        presented: &wire::Presented,
        serve: impl FnOnce(&Opened, &Permit<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let person = presented.person.reveal().as_bytes();
        self.check(presented, &Use::list(&self.place, person), serve)
    }

    /// Checks what was presented for opening one record, then serves with the permit in hand.
    pub(crate) fn open<T>(
        &self,
        presented: &wire::Presented,
        exam: &Exam,
        serve: impl FnOnce(&Opened, &Permit<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        // Whose study it is comes from this node's own record, never from who asks.
        let key = record_key(&exam.code, &exam.study);
        let person = exam.code.person();
        let person = person.text();
        let wanted = Use::open(&self.place, person.as_bytes(), &key, facts(exam)?);
        self.check(presented, &wanted, serve)
    }

    fn check<T>(
        &self,
        presented: &wire::Presented,
        wanted: &Use<'_>,
        serve: impl FnOnce(&Opened, &Permit<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let now = time::now();
        let checker = Checker::new(self.context.trust.ring(), &self.policy);
        let live = live(&presented.grant, &checker, now.to_utc(), self)?;
        let proof = Encoded::from_text(&presented.proof).map_err(|e| problem(&e))?;
        let opening = opening(presented.salt.reveal())?;
        let mut guard = lock(&self.guard)?;
        let permit = live
            .permit(
                &checker,
                now.to_utc(),
                Presented::new(&proof, &opening),
                wanted,
                &mut *guard,
            )
            .map_err(|e| problem(&e))?;
        drop(guard);
        let opened = Opened {
            at: now,
            person: presented
                .person
                .reveal()
                .parse()
                .map_err(|e| Problem::data("consent.person", e))?,
            grant: *live.claims().id().as_bytes(),
            institution: live.claims().organisation().to_string(),
        };
        serve(&opened, &permit)
    }
}

impl StatusSource for Desk {
    fn status(&self, issuer: &KeyId, place: StatusRef, now: DateTime<Utc>) -> Status {
        self.withdrawn
            .status(&self.context.trust, issuer, place, now)
    }
}

/// Takes a grant's text through all steps up to live.
pub(crate) fn live(
    text: &str,
    checker: &Checker<'_>,
    now: DateTime<Utc>,
    status: &dyn StatusSource,
) -> Result<Live<Grant>, Problem> {
    Encoded::from_text(text)
        .and_then(Encoded::untrusted::<Grant>)
        .and_then(|grant| grant.verify(checker))
        .and_then(|grant| grant.live(checker, now, status))
        .map_err(|denial| problem(&denial))
}

/// Reads an opening from hexadecimal.
pub(crate) fn opening(text: &str) -> Result<Opening, Problem> {
    hex::decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .map(Opening::from_bytes)
        .ok_or_else(|| Problem::data("consent.salt", "expected salts of 64 hexadecimal digits"))
}

/// The place of a proof that is used at the province's node with this organisation code.
pub(crate) fn province_place(node: &str) -> Result<Place, Problem> {
    let node = IssuerCode::new(node).map_err(|e| Problem::data("consent.place", e))?;
    let province = node.province().ok_or_else(|| {
        Problem::data(
            "consent.place",
            "the organisation code of the keeper names no province",
        )
    })?;
    Ok(Place::province(province, node))
}
