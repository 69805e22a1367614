//! The nation: the index of all exams, the list that consent opens, and the insurer's desk.
//!
//! | door | who | what |
//! |---|---|---|
//! | `POST /v1/doors` | a province, signed | where its transfer door is now |
//! | `POST /v1/index` | a province, signed | exam records in; one outcome each |
//! | `POST /v1/exams` | a hospital, grant and proof | the list of one person's exams |
//! | `GET /v1/looks` | the insurer | how many lists were opened |
//! | `POST /v1/insurer/…` | see `desk.rs` | events in, lines and statements out |

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};

use self::index::{Index, Look};
use super::server::{Body, HasContext, Signed, blocking};
use super::{Context, Role};
use crate::consent;
use crate::problem::Problem;
use crate::wire::{Doors, Exam, Indexed, Listed, Presented};

pub(crate) mod desk;
mod index;

/// The nation's state.
#[derive(Debug)]
pub(crate) struct Nation {
    context: Arc<Context>,
    index: Mutex<Index>,
    insurer: Mutex<desk::Insurer>,
    doors: Mutex<BTreeMap<String, Doors>>,
    consent: consent::Desk,
}

impl HasContext for Nation {
    fn context(&self) -> &Context {
        &self.context
    }
}

/// Opens the nation's doors.
pub(super) fn open(context: &Arc<Context>) -> Result<Router, Problem> {
    let state = &context.options.state;
    let nation = Arc::new(Nation {
        index: Mutex::new(Index::open(state)?),
        insurer: Mutex::new(desk::Insurer::open(state)?),
        doors: Mutex::default(),
        consent: consent::Desk::new(context, Role::Nation)?,
        context: Arc::clone(context),
    });
    Ok(Router::new()
        .route("/v1/doors", post(announce))
        .route("/v1/index", post(take))
        .route("/v1/exams", post(list))
        .route("/v1/looks", get(looks))
        .merge(desk::router())
        .with_state(nation))
}

async fn announce(
    State(nation): State<Arc<Nation>>,
    doors: Signed<Doors>,
) -> Result<Json<()>, Problem> {
    doors.by.must_be(Role::Province)?;
    lock(&nation.doors)?.insert(doors.by.organisation, doors.body);
    Ok(Json(()))
}

async fn take(
    State(nation): State<Arc<Nation>>,
    exams: Signed<Vec<Exam>>,
) -> Result<Json<Vec<Indexed>>, Problem> {
    exams.by.must_be(Role::Province)?;
    if let Some(foreign) = exams
        .body
        .iter()
        .find(|exam| exam.keeper != exams.by.organisation)
    {
        return Err(Problem::denied(
            "index.keeper",
            format!(
                "study {} is kept by another node than the one that sent it",
                foreign.study
            ),
        ));
    }
    // A record that no scope could be checked against is refused here, not at every later look.
    exams
        .body
        .iter()
        .try_for_each(|exam| consent::facts(exam).map(drop))?;
    blocking(move || lock(&nation.index)?.take(&exams.body))
        .await
        .map(Json)
}

async fn list(
    State(nation): State<Arc<Nation>>,
    Body(presented): Body<Presented>,
) -> Result<Json<Vec<Listed>>, Problem> {
    blocking(move || {
        nation.consent.list(&presented, |opened, permit| {
            let index = lock(&nation.index)?;
            let mut exams = Vec::new();
            for exam in index.of_person(&opened.person)? {
                let key = consent::record_key(&exam.code, &exam.study);
                if consent::facts(&exam).is_ok_and(|facts| permit.lists(&key, &facts)) {
                    exams.push(exam);
                }
            }
            index.looked(&Look {
                at: opened.at,
                grant: &opened.grant,
                institution: &opened.institution,
                exams: exams.len(),
            })?;
            let doors = lock(&nation.doors)?;
            Ok(exams
                .into_iter()
                .map(|exam| Listed {
                    transfer: doors.get(&exam.keeper).map(|doors| doors.transfer.clone()),
                    exam,
                })
                .collect())
        })
    })
    .await
    .map(Json)
}

async fn looks(State(nation): State<Arc<Nation>>) -> Result<Json<u64>, Problem> {
    blocking(move || lock(&nation.index)?.looks())
        .await
        .map(Json)
}

/// Locks; a poisoned lock is a fault of the system, not a reason to stop the node.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, Problem> {
    mutex.lock().map_err(|_| {
        Problem::system(
            "node.lock",
            "another call broke down while it held the state",
        )
    })
}
