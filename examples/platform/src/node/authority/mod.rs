//! The consent authority: reads requests for the patient, signs grants, and says what is withdrawn.
//!
//! | door | who | what |
//! |---|---|---|
//! | `POST /v1/requests` | the patient's app | what a scanned request asks for |
//! | `POST /v1/decisions` | the patient's app | agree or refuse; a grant is signed and kept |
//! | `POST /v1/grants` | the hospital, signed | collects the grant that answers its request |
//! | `POST /v1/withdrawals` | the patient's app | withdraws a grant, at once |
//! | `GET /v1/status/{list}` | every node | the withdrawn places of a list, signed |
//!
//! The app's sign-in and the real-person check stand before these doors and are not played here.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use mic_consent::{
    Checker, Encoded, GrantDraft, GrantId, IssueError, Live, NoticeHash, Opening, PatientBand,
    PersonCheck, Policy, Request, Rights, ScopeKind, SeparateConsent, StatusRef, Suite,
};
use mic_index::PersonCode;

use self::store::{Issued, Store};
use super::nation::lock;
use super::server::{Body, HasContext, Signed, blocking};
use super::{Context, Role};
use crate::consent;
use crate::problem::Problem;
use crate::time;
use crate::wire::{
    Collect, Collected, Decided, Decision, Scanned, Shown, SignedDocument, StatusView, Withdraw,
};

mod store;

/// The number of the one status list of this authority.
const LIST: u32 = 1;
/// How often a random place is drawn before the list counts as full.
const PLACE_DRAWS_MAX: usize = 64;
/// Places of the list; drawn at random, so that a place tells nothing of when a grant was made.
const PLACES: u32 = 1 << 20;
/// What the patient was shown, by hash in the grant.
const NOTICE: &str =
    "为本次诊疗，贵院医生将查看您在全国各地的检查列表和影像。您可随时撤回；不同意不影响就诊。";

/// The authority's state.
#[derive(Debug)]
struct Authority {
    context: Arc<Context>,
    policy: Policy,
    store: Mutex<Store>,
}

impl HasContext for Authority {
    fn context(&self) -> &Context {
        &self.context
    }
}

/// Opens the authority's doors.
pub(super) fn open(context: &Arc<Context>) -> Result<Router, Problem> {
    let authority = Arc::new(Authority {
        policy: consent::policy()?,
        store: Mutex::new(Store::open(&context.options.state)?),
        context: Arc::clone(context),
    });
    Ok(Router::new()
        .route("/v1/requests", post(show))
        .route("/v1/decisions", post(decide))
        .route("/v1/grants", post(collect))
        .route("/v1/withdrawals", post(withdraw))
        .route("/v1/status/{list}", get(status))
        .with_state(authority))
}

async fn show(
    State(authority): State<Arc<Authority>>,
    Body(scanned): Body<Scanned>,
) -> Result<Json<Shown>, Problem> {
    blocking(move || {
        let request = authority.read(&scanned.text, time::now().to_utc())?;
        let claims = request.claims();
        Ok(Json(Shown {
            institution: claims.organisation().to_string(),
            purpose: claims.purpose().chinese().to_owned(),
            scope: in_words(claims.scope().kind(), claims.rights()),
            minutes: claims.period_s() / 60,
        }))
    })
    .await
}

async fn decide(
    State(authority): State<Arc<Authority>>,
    Body(decision): Body<Decision>,
) -> Result<Json<Decided>, Problem> {
    blocking(move || {
        let now = time::now().to_utc();
        let request = authority.read(&decision.text, now)?;
        if !decision.agree {
            let nonce = hex::encode(request.claims().nonce().as_bytes());
            lock(&authority.store)?.refuse(&nonce)?;
            return Ok(Json(Decided { grant: None }));
        }
        let grant = authority.grant(&request, decision.person.reveal(), now)?;
        Ok(Json(Decided { grant: Some(grant) }))
    })
    .await
}

async fn collect(
    State(authority): State<Arc<Authority>>,
    wanted: Signed<Collect>,
) -> Result<Json<Collected>, Problem> {
    wanted.by.must_be(Role::Hospital)?;
    blocking(move || {
        lock(&authority.store)?
            .answer(&wanted.body.nonce, &wanted.by.organisation)?
            .ok_or_else(|| {
                Problem::denied(
                    "grant.none",
                    "no grant answers this request of this hospital; she may not have decided yet",
                )
            })
            .map(Json)
    })
    .await
}

async fn withdraw(
    State(authority): State<Arc<Authority>>,
    Body(withdrawal): Body<Withdraw>,
) -> Result<Json<()>, Problem> {
    blocking(move || {
        if lock(&authority.store)?.withdraw(&withdrawal.grant)? {
            return Ok(Json(()));
        }
        Err(Problem::usage(
            "grant.unknown",
            "no grant has this identifier",
        ))
    })
    .await
}

async fn status(
    State(authority): State<Arc<Authority>>,
    Path(list): Path<u32>,
) -> Result<Json<SignedDocument>, Problem> {
    blocking(move || {
        if list != LIST {
            return Err(Problem::usage(
                "status.list",
                format!("expected list {LIST}"),
            ));
        }
        let view = StatusView {
            list,
            issued: time::now(),
            withdrawn: lock(&authority.store)?.withdrawn()?,
        };
        SignedDocument::seal(authority.context.trust.key(), &view).map(Json)
    })
    .await
}

impl Authority {
    /// Takes a scanned request through all steps up to live.
    fn read(&self, text: &str, now: DateTime<Utc>) -> Result<Live<Request>, Problem> {
        let checker = Checker::new(self.context.trust.ring(), &self.policy);
        Encoded::from_text(text)
            .and_then(Encoded::untrusted::<Request>)
            .and_then(|request| request.verify(&checker))
            .and_then(|request| request.live(&checker, now))
            .map_err(|denial| consent::problem(&denial))
    }

    /// Signs a grant that answers `request` as it was asked, and keeps it for collection.
    fn grant(
        &self,
        request: &Live<Request>,
        person: &str,
        now: DateTime<Utc>,
    ) -> Result<String, Problem> {
        let person: PersonCode = person
            .parse()
            .map_err(|e| Problem::data("decision.person", e))?;
        let key = self.context.trust.key();
        let mut store = lock(&self.store)?;
        let place = free_place(&store)?;
        let opening = Opening::from_bytes(consent::random()?);
        let id = GrantId::from_bytes(consent::random()?);
        let suite: Suite = key.signer().suite();
        let notice = NoticeHash::new(suite, "zh-CN", NOTICE)
            .map_err(|e| Problem::system("grant.notice", e))?;
        let rights = request.claims().rights();
        let grant = GrantDraft::answering(request)
            .with_issuer(*self.context.trust.own().organisation())
            .with_subject(person.text().as_bytes(), &opening)
            .with_notice(notice)
            .with_status(StatusRef::new(LIST, place))
            .with_separate_consent(SeparateConsent::needed(rights, PatientBand::Adult))
            .with_person_check(PersonCheck::Face)
            .sign(key.signer(), id, now)
            .map_err(|e| match e {
                IssueError::RequestOver => Problem::denied("consent.RequestOver", e),
                other => Problem::system("grant.sign", other),
            })?;
        let issued = Issued {
            id: hex::encode(id.as_bytes()),
            nonce: hex::encode(request.claims().nonce().as_bytes()),
            organisation: request.claims().organisation().to_string(),
            place,
            grant: grant.to_text(),
            salt: hex::encode(opening.to_bytes()),
        };
        store.keep(&issued)?;
        Ok(issued.id)
    }
}

fn free_place(store: &Store) -> Result<u32, Problem> {
    for _ in 0..PLACE_DRAWS_MAX {
        let place = u32::from_le_bytes(consent::random()?) % PLACES;
        if !store.is_taken(place)? {
            return Ok(place);
        }
    }
    Err(Problem::system(
        "status.full",
        "the status list is full; open a new one",
    ))
}

/// What a request asks for, as the app tells the patient.
fn in_words(kind: ScopeKind, rights: Rights) -> String {
    let exams = match kind {
        ScopeKind::ListOnly => "检查列表",
        ScopeKind::All => "全部检查",
        ScopeKind::Filter => "部分检查",
        ScopeKind::Chosen => "所选检查",
        _ => "检查",
    };
    let named = [
        (Rights::LIST, "查看列表"),
        (Rights::VIEW, "查看影像"),
        (Rights::KEEP, "留存影像"),
        (Rights::REPORT, "查看报告"),
        (Rights::DERIVE, "衍生处理"),
        (Rights::PASS_ON, "转交他方"),
    ];
    let rights: Vec<_> = named
        .into_iter()
        .filter(|(right, _)| rights.contains(*right))
        .map(|(_, name)| name)
        .collect();
    format!("{exams}：{}", rights.join("、"))
}
