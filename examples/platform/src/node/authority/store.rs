//! The grants an authority signed, each with its place in the status list.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use crate::problem::Problem;
use crate::wire::Collected;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS issued (
        id           TEXT PRIMARY KEY,
        nonce        TEXT NOT NULL UNIQUE,
        organisation TEXT NOT NULL,
        place        INTEGER NOT NULL UNIQUE,
        withdrawn    INTEGER NOT NULL DEFAULT 0,
        token        TEXT NOT NULL,
        salt         TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS refusal (
        nonce TEXT PRIMARY KEY
    ) WITHOUT ROWID;
";

/// A grant as the authority keeps it. The patient is in it only as a commitment.
pub(super) struct Issued {
    pub(super) id: String,
    pub(super) nonce: String,
    pub(super) organisation: String,
    pub(super) place: u32,
    pub(super) grant: String,
    pub(super) salt: String,
}

/// The authority's table.
#[derive(Debug)]
pub(super) struct Store {
    database: Connection,
}

impl Store {
    pub(super) fn open(state: &Path) -> Result<Self, Problem> {
        let database = Connection::open(state.join("authority.sqlite"))?;
        database.execute_batch(SCHEMA)?;
        Ok(Self { database })
    }

    /// Keeps a grant before anyone sees it. A second grant for one request is refused.
    pub(super) fn keep(&mut self, issued: &Issued) -> Result<(), Problem> {
        if self.is_refused(&issued.nonce)? {
            return Err(Problem::denied(
                "decision.repeated",
                "this request was refused before",
            ));
        }
        let kept = self
            .database
            .prepare_cached(
                "INSERT OR IGNORE INTO issued (id, nonce, organisation, place, token, salt)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                issued.id,
                issued.nonce,
                issued.organisation,
                issued.place,
                issued.grant,
                issued.salt
            ])?;
        if kept == 1 {
            return Ok(());
        }
        Err(Problem::denied(
            "decision.repeated",
            "this request was answered before",
        ))
    }

    /// The grant that answers a request of this hospital.
    pub(super) fn answer(
        &self,
        nonce: &str,
        organisation: &str,
    ) -> Result<Option<Collected>, Problem> {
        if self.is_refused(nonce)? {
            return Err(Problem::denied(
                "grant.refused",
                "the patient refused this request",
            ));
        }
        Ok(self
            .database
            .prepare_cached(
                "SELECT token, salt FROM issued WHERE nonce = ?1 AND organisation = ?2",
            )?
            .query_row([nonce, organisation], |row| {
                Ok(Collected {
                    grant: row.get(0)?,
                    salt: row.get::<_, String>(1)?.into(),
                })
            })
            .optional()?)
    }

    /// Remembers that the patient refused; the hospital hears it when it asks.
    pub(super) fn refuse(&self, nonce: &str) -> Result<(), Problem> {
        self.database
            .execute("INSERT OR IGNORE INTO refusal VALUES (?1)", [nonce])?;
        Ok(())
    }

    fn is_refused(&self, nonce: &str) -> Result<bool, Problem> {
        Ok(self
            .database
            .prepare_cached("SELECT 1 FROM refusal WHERE nonce = ?1")?
            .exists([nonce])?)
    }

    pub(super) fn is_taken(&self, place: u32) -> Result<bool, Problem> {
        Ok(self
            .database
            .prepare_cached("SELECT 1 FROM issued WHERE place = ?1")?
            .exists([place])?)
    }

    /// Withdraws a grant; false if there is none with this identifier.
    pub(super) fn withdraw(&self, id: &str) -> Result<bool, Problem> {
        let changed = self
            .database
            .execute("UPDATE issued SET withdrawn = 1 WHERE id = ?1", [id])?;
        Ok(changed == 1)
    }

    /// The places of withdrawn grants, in order.
    pub(super) fn withdrawn(&self) -> Result<Vec<u32>, Problem> {
        let mut statement = self
            .database
            .prepare_cached("SELECT place FROM issued WHERE withdrawn = 1 ORDER BY place")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
