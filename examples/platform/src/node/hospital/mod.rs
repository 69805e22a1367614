//! The hospital front-end machine (前置机): registration, the consent request, the list, the pull, and
//! the pictures on the doctor's screen.
//!
//! | door | what |
//! |---|---|
//! | `POST /v1/registrations` | a patient is registered (挂号) |
//! | `POST /v1/registrations/{id}/ask` | a signed request; `GET …/qr.png` is its picture |
//! | `POST /v1/registrations/{id}/collect` | fetches the grant from the authority and checks it |
//! | `POST /v1/registrations/{id}/list` | the exams the grant opens, from the nation |
//! | `POST /v1/registrations/{id}/pull` | starts a pull; `GET` tells how far it is |
//! | `GET …/studies/{uid}/proof` | the stored files hashed again from the disk |
//! | `GET …/studies/{uid}/pictures`, `preview.png`, `sheet.png` | what was drawn, and the drawings |
//!
//! These doors are for the workstations inside the hospital; sign-in of staff stands before them and is
//! not played here. Registrations live in memory alone: no person code is written to the disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};

use self::registration::Registration;
use self::study::Studies;
use super::nation::lock;
use super::server::{Body, blocking};
use super::status::Withdrawn;
use super::{Context, Role};
use crate::client::Client;
use crate::problem::Problem;
use crate::wire::{Asked, Drawn, Job, Listed, Proof, Pull, Register, Registered};

mod pull;
mod registration;
mod study;

/// The front-end machine's state.
#[derive(Debug)]
pub(super) struct Hospital {
    context: Arc<Context>,
    withdrawn: Withdrawn,
    nation: Client,
    authority: Client,
    registrations: Mutex<BTreeMap<String, Arc<Mutex<Registration>>>>,
    jobs: Mutex<BTreeMap<String, Arc<Mutex<Job>>>>,
    studies: Studies,
}

/// Opens the hospital's doors.
pub(super) fn open(context: &Arc<Context>) -> Result<Router, Problem> {
    let key = context.trust.key();
    let hospital = Arc::new(Hospital {
        withdrawn: Withdrawn::new(context)?,
        nation: Client::new(context.peer(Role::Nation)?, Some(key.clone())),
        authority: Client::new(context.peer(Role::Authority)?, Some(key.clone())),
        registrations: Mutex::default(),
        jobs: Mutex::default(),
        studies: Studies::open(&context.options.state)?,
        context: Arc::clone(context),
    });
    let one = Router::new()
        .route("/ask", post(ask))
        .route("/qr.png", get(qr))
        .route("/collect", post(collect))
        .route("/list", post(list))
        .route("/pull", post(start_pull).get(show_pull))
        .route("/studies/{uid}/proof", get(proof))
        .route("/studies/{uid}/pictures", get(pictures))
        .route("/studies/{uid}/preview.png", get(preview))
        .route("/studies/{uid}/sheet.png", get(sheet));
    Ok(Router::new()
        .route("/v1/registrations", post(register))
        .nest("/v1/registrations/{id}", one)
        .with_state(hospital))
}

type Shared = State<Arc<Hospital>>;

async fn register(
    State(hospital): Shared,
    Body(patient): Body<Register>,
) -> Result<Json<Registered>, Problem> {
    let (id, registration) = Registration::new(patient.person.reveal())?;
    lock(&hospital.registrations)?.insert(id.clone(), Arc::new(Mutex::new(registration)));
    Ok(Json(Registered { registration: id }))
}

async fn ask(State(hospital): Shared, Path(id): Path<String>) -> Result<Json<Asked>, Problem> {
    blocking(move || {
        let registration = hospital.registration(&id)?;
        let mut registration = lock(&registration)?;
        registration.ask(&hospital.context.trust).map(Json)
    })
    .await
}

async fn qr(State(hospital): Shared, Path(id): Path<String>) -> Result<impl IntoResponse, Problem> {
    blocking(move || lock(&*hospital.registration(&id)?)?.qr().map(png)).await
}

async fn collect(State(hospital): Shared, Path(id): Path<String>) -> Result<Json<()>, Problem> {
    blocking(move || {
        let registration = hospital.registration(&id)?;
        let mut registration = lock(&registration)?;
        registration.collect(&hospital).map(Json)
    })
    .await
}

async fn list(
    State(hospital): Shared,
    Path(id): Path<String>,
) -> Result<Json<Vec<Listed>>, Problem> {
    blocking(move || {
        let registration = hospital.registration(&id)?;
        let mut registration = lock(&registration)?;
        registration.list(&hospital).map(Json)
    })
    .await
}

async fn start_pull(
    State(hospital): Shared,
    Path(id): Path<String>,
    Body(wanted): Body<Pull>,
) -> Result<Json<Job>, Problem> {
    blocking(move || {
        let registration = hospital.registration(&id)?;
        if let Some(running) = lock(&hospital.jobs)?.get(&id)
            && !lock(running)?.ended
        {
            return Err(Problem::usage(
                "pull.running",
                "a pull of this registration is running",
            ));
        }
        let job = pull::start(&hospital, registration, wanted.studies)?;
        let seen = lock(&job)?.clone();
        lock(&hospital.jobs)?.insert(id, job);
        Ok(Json(seen))
    })
    .await
}

async fn show_pull(State(hospital): Shared, Path(id): Path<String>) -> Result<Json<Job>, Problem> {
    let job = lock(&hospital.jobs)?.get(&id).cloned();
    let job = job.ok_or_else(|| Problem::usage("pull.none", "no pull was started"))?;
    let seen = lock(&job)?.clone();
    Ok(Json(seen))
}

async fn proof(
    State(hospital): Shared,
    Path((id, study)): Path<(String, String)>,
) -> Result<Json<Vec<Proof>>, Problem> {
    blocking(move || {
        hospital.may_open(&id, &study)?;
        hospital.studies.proof(&study).map(Json)
    })
    .await
}

async fn pictures(
    State(hospital): Shared,
    Path((id, study)): Path<(String, String)>,
) -> Result<Json<Drawn>, Problem> {
    blocking(move || {
        hospital.may_open(&id, &study)?;
        hospital.studies.drawn(&study).map(Json)
    })
    .await
}

async fn preview(
    State(hospital): Shared,
    Path((id, study)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    blocking(move || {
        hospital.may_open(&id, &study)?;
        hospital.studies.preview(&study).map(png)
    })
    .await
}

async fn sheet(
    State(hospital): Shared,
    Path((id, study)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    blocking(move || {
        hospital.may_open(&id, &study)?;
        hospital.studies.sheet(&study).map(png)
    })
    .await
}

impl Hospital {
    fn registration(&self, id: &str) -> Result<Arc<Mutex<Registration>>, Problem> {
        lock(&self.registrations)?
            .get(id)
            .cloned()
            .ok_or_else(|| Problem::usage("registration.unknown", "no such registration here"))
    }

    /// Whether this registration's grant opens this study at this moment; asked at each door.
    fn may_open(&self, id: &str, study: &str) -> Result<(), Problem> {
        lock(&*self.registration(id)?)?.may_open(self, study)
    }
}

fn png(picture: Vec<u8>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/png")], picture)
}
