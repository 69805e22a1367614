//! The insurer's desk: visit events in; charges or deductions posted, explained, and never rewritten.
//!
//! | door | who | what |
//! |---|---|---|
//! | `POST /v1/insurer/events` | a province or hospital, signed | what happened at visits |
//! | `POST /v1/insurer/post` | a hospital's clerk, signed | posts what the book asks for and is not posted yet |
//! | `GET /v1/insurer/visits` | the insurer | every visit under both charge models, and its retention |
//!
//! The book in force is Shenzhen's (deduction). Beside it, and never posted, stands what a separate
//! item would come to, by a book that is marked as made up.

use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use mic_billing::{
    Book, Entry, Event, Fen, Lang, Line, Moment, Retention, RetentionError, Source, VisitState,
    Visits, books, delta,
};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::{Nation, lock};
use crate::node::Role;
use crate::node::server::{Signed, blocking};
use crate::problem::Problem;
use crate::time;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS event (
        digest BLOB PRIMARY KEY,
        event  TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS entry (
        number INTEGER PRIMARY KEY,
        id     TEXT NOT NULL UNIQUE,
        entry  TEXT NOT NULL
    );
";

/// A line as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineText {
    /// What it is for.
    pub unit: String,
    /// `service`, `deduction`, ….
    pub kind: String,
    /// Yuan and fen.
    pub amount: String,
    /// Why, in Chinese.
    pub zh: String,
    /// Why, in English.
    pub en: String,
}

/// What a posting added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// Entries that were appended.
    pub appended: Vec<LineText>,
    /// Entries in the journal before.
    pub before: usize,
}

/// One visit under both charge models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitText {
    /// Institution and encounter.
    pub visit: String,
    /// How many exams it has.
    pub exams: usize,
    /// How many of them were provided: pixels stored and index accepted, in time.
    pub provided: usize,
    /// Its lines under the book in force, summed.
    pub deduction: String,
    /// Its lines under a separate item, summed.
    pub separate_item: String,
    /// The lines under the book in force.
    pub lines: Vec<LineText>,
    /// The lines under a separate item; not posted.
    pub separate_lines: Vec<LineText>,
    /// The first day the images may be destroyed, or why that cannot be told yet.
    pub disposable: String,
    /// The years they are kept.
    pub years: Option<u32>,
}

/// Every visit, and the name of the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Showing {
    /// The visits in the order of their keys.
    pub(crate) visits: Vec<VisitText>,
}

/// The insurer's journal and books.
#[derive(Debug)]
pub(super) struct Insurer {
    database: Connection,
    in_force: Book,
    separate: Book,
}

/// The desk's doors.
pub(super) fn router() -> Router<Arc<Nation>> {
    Router::new()
        .route("/v1/insurer/events", post(take))
        .route("/v1/insurer/post", post(post_lines))
        .route("/v1/insurer/visits", get(visits))
}

async fn take(
    State(nation): State<Arc<Nation>>,
    events: Signed<Vec<Event>>,
) -> Result<Json<usize>, Problem> {
    let by = &events.by;
    let foreign = events
        .body
        .iter()
        .any(|event| match (by.role, event.source()) {
            (Role::Hospital, Source::Hospital) => {
                event.visit().institution.as_str() != by.organisation
            }
            (Role::Province, Source::Hospital | Source::Vendor | Source::Platform) => false,
            _ => true,
        });
    if foreign {
        return Err(Problem::denied(
            "insurer.source",
            "a hospital reports its own visits, a province what it took in and indexed",
        ));
    }
    blocking(move || lock(&nation.insurer)?.take(&events.body).map(Json)).await
}

async fn post_lines(
    State(nation): State<Arc<Nation>>,
    clerk: Signed<()>,
) -> Result<Json<Posted>, Problem> {
    clerk.by.must_be(Role::Hospital)?;
    blocking(move || lock(&nation.insurer)?.post(now()?).map(Json)).await
}

async fn visits(State(nation): State<Arc<Nation>>) -> Result<Json<Showing>, Problem> {
    blocking(move || lock(&nation.insurer)?.show(now()?).map(Json)).await
}

impl Insurer {
    pub(super) fn open(state: &Path) -> Result<Self, Problem> {
        let database = Connection::open(state.join("insurer.sqlite"))?;
        database.execute_batch(SCHEMA)?;
        let national = books::national().map_err(book)?;
        let shenzhen = books::shenzhen().map_err(book)?;
        let fictional = books::fictional_separate_item().map_err(book)?;
        Ok(Self {
            database,
            in_force: Book::load([national.clone(), shenzhen]).map_err(book)?,
            separate: Book::load([national, fictional]).map_err(book)?,
        })
    }

    /// Keeps events; the same event given twice is one. Returns how many were new.
    fn take(&mut self, events: &[Event]) -> Result<usize, Problem> {
        // What would not fold is refused now: once kept, it would stop every later posting.
        let mut visits = self.visits()?;
        for event in events {
            visits
                .fold(event)
                .map_err(|e| Problem::data("insurer.event", e))?;
        }
        let transaction = self.database.transaction()?;
        let mut new = 0;
        for event in events {
            let text = serde_json::to_string(event)?;
            let digest = blake3::hash(text.as_bytes());
            new += transaction
                .prepare_cached("INSERT OR IGNORE INTO event VALUES (?1, ?2)")?
                .execute(params![digest.as_bytes().as_slice(), text])?;
        }
        transaction.commit()?;
        Ok(new)
    }

    fn post(&mut self, now: Moment) -> Result<Posted, Problem> {
        let visits = self.visits()?;
        let desired = visits.desired(&self.in_force, now).map_err(money)?;
        let posted = self.entries()?;
        let appended = delta(&desired, &posted).map_err(money)?;
        let transaction = self.database.transaction()?;
        for entry in &appended {
            transaction.execute(
                "INSERT INTO entry (id, entry) VALUES (?1, ?2)",
                params![entry.id().to_string(), serde_json::to_string(entry)?],
            )?;
        }
        transaction.commit()?;
        Ok(Posted {
            appended: appended.iter().map(|entry| text(entry.line())).collect(),
            before: posted.len(),
        })
    }

    fn show(&self, now: Moment) -> Result<Showing, Problem> {
        let visits = self.visits()?;
        let kept = visits.retention(&self.in_force, now);
        let visits = visits
            .resolved(now)
            .iter()
            .zip(kept)
            .map(|(state, (_, kept))| self.show_one(state, kept, now))
            .collect::<Result<_, _>>()?;
        Ok(Showing { visits })
    }

    fn show_one(
        &self,
        state: &VisitState,
        kept: Result<Retention, RetentionError>,
        now: Moment,
    ) -> Result<VisitText, Problem> {
        let assessment = mic_billing::assess(state, &self.in_force, now);
        let lines = mic_billing::desired(std::slice::from_ref(&assessment)).map_err(money)?;
        let beside = mic_billing::assess(state, &self.separate, now);
        let separate_lines = mic_billing::desired(&[beside]).map_err(money)?;
        let exams = assessment.exams();
        Ok(VisitText {
            visit: assessment.visit().to_string(),
            exams: exams.len(),
            provided: exams
                .iter()
                .filter(|exam| exam.standing.is_served())
                .count(),
            deduction: sum(&lines)?,
            separate_item: sum(&separate_lines)?,
            lines: lines.iter().map(text).collect(),
            separate_lines: separate_lines.iter().map(text).collect(),
            years: kept.as_ref().ok().map(|kept| kept.years),
            disposable: match kept {
                Ok(kept) => kept.first_disposable.to_string(),
                Err(reason) => reason.to_string(),
            },
        })
    }

    fn visits(&self) -> Result<Visits, Problem> {
        let mut statement = self.database.prepare_cached("SELECT event FROM event")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut visits = Visits::new();
        for row in rows {
            let event: Event = serde_json::from_str(&row?)?;
            visits
                .fold(&event)
                .map_err(|e| Problem::data("insurer.event", e))?;
        }
        Ok(visits)
    }

    fn entries(&self) -> Result<Vec<Entry>, Problem> {
        let mut statement = self
            .database
            .prepare_cached("SELECT entry FROM entry ORDER BY number")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }
}

fn text(line: &Line) -> LineText {
    LineText {
        unit: line.unit().to_string(),
        kind: line.kind().name().to_owned(),
        amount: line.amount().to_string(),
        zh: line.explain(Lang::Zh),
        en: line.explain(Lang::En),
    }
}

fn sum(lines: &[Line]) -> Result<String, Problem> {
    lines
        .iter()
        .try_fold(Fen::ZERO, |sum, line| sum.plus(line.amount()))
        .map(|sum| sum.to_string())
        .map_err(money)
}

fn now() -> Result<Moment, Problem> {
    Moment::try_from(time::now()).map_err(|e| Problem::system("insurer.clock", e))
}

fn book(error: impl core::fmt::Display) -> Problem {
    Problem::system("insurer.book", error)
}

fn money(error: impl core::fmt::Display) -> Problem {
    Problem::data("insurer.money", error)
}
