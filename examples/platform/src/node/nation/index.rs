//! The national index: exam records in the order of their packed codes, and who looked at them.
//!
//! The key is (code, StudyInstanceUID): two studies of one minute share a code and both stay. Because
//! byte order of the packed code is person first, one person's exams are one range of the table.

use std::path::Path;

use chrono::{DateTime, FixedOffset};
use mic_index::{
    DeviceCode, ExamTime, IndexCode, PACKED_LEN, PersonCode, SiteCode, StorageUnitCode,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::problem::Problem;
use crate::wire::{Exam, Indexed};

/// The person's share of a packed code, byte-aligned at its front.
const PERSON_BYTES: usize = 11;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS exam (
        code  BLOB NOT NULL,
        study TEXT NOT NULL,
        entry TEXT NOT NULL,
        PRIMARY KEY (code, study)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS look (
        number      INTEGER PRIMARY KEY,
        at          TEXT NOT NULL,
        grant_id    BLOB NOT NULL,
        institution TEXT NOT NULL,
        exams       INTEGER NOT NULL
    );
";

/// One look at a list of exams: the nation's own line of the audit trail.
#[derive(Debug)]
pub(super) struct Look<'a> {
    pub(super) at: DateTime<FixedOffset>,
    pub(super) grant: &'a [u8],
    pub(super) institution: &'a str,
    pub(super) exams: usize,
}

/// The national index's table.
#[derive(Debug)]
pub(super) struct Index {
    database: Connection,
}

impl Index {
    pub(super) fn open(state: &Path) -> Result<Self, Problem> {
        let database = Connection::open(state.join("index.sqlite"))?;
        database.execute_batch(SCHEMA)?;
        Ok(Self { database })
    }

    /// Takes records in, all or none.
    pub(super) fn take(&mut self, exams: &[Exam]) -> Result<Vec<Indexed>, Problem> {
        let transaction = self.database.transaction()?;
        let outcomes = exams
            .iter()
            .map(|exam| take_one(&transaction, exam))
            .collect::<Result<_, _>>()?;
        transaction.commit()?;
        Ok(outcomes)
    }

    /// All exams of one person, oldest first.
    pub(super) fn of_person(&self, person: &PersonCode) -> Result<Vec<Exam>, Problem> {
        let (low, high) = range_of(person)?;
        let mut statement = self.database.prepare_cached(
            "SELECT entry FROM exam WHERE code BETWEEN ?1 AND ?2 ORDER BY code, study",
        )?;
        let rows = statement.query_map([low.as_slice(), high.as_slice()], |row| {
            row.get::<_, String>(0)
        })?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }

    pub(super) fn looked(&self, look: &Look<'_>) -> Result<(), Problem> {
        self.database
            .prepare_cached(
                "INSERT INTO look (at, grant_id, institution, exams) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                look.at.to_rfc3339(),
                look.grant,
                look.institution,
                look.exams as i64
            ])?;
        Ok(())
    }

    /// How many looks are on record.
    pub(super) fn looks(&self) -> Result<u64, Problem> {
        Ok(self
            .database
            .query_row("SELECT count(*) FROM look", [], |row| row.get::<_, i64>(0))?
            .unsigned_abs())
    }
}

/// The packed codes of one person: all that begin with the person's eleven bytes.
fn range_of(person: &PersonCode) -> Result<([u8; PACKED_LEN], [u8; PACKED_LEN]), Problem> {
    let any_unit: StorageUnitCode = "000000000000000001"
        .parse()
        .map_err(|e| Problem::system("index.range", e))?;
    let (time, site, device) = (ExamTime::MIN, SiteCode::FILLER, DeviceCode::FILLER);
    let mut low = *IndexCode::new(*person, time, site, device, any_unit).packed();
    low[PERSON_BYTES..].fill(0);
    let mut high = low;
    high[PERSON_BYTES..].fill(0xff);
    Ok((low, high))
}

fn take_one(database: &Connection, exam: &Exam) -> Result<Indexed, Problem> {
    let code = exam.code.packed().as_slice();
    let entry = serde_json::to_string(exam)?;
    let known: Option<String> = database
        .prepare_cached("SELECT entry FROM exam WHERE code = ?1 AND study = ?2")?
        .query_row(params![code, exam.study], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        let known: Exam = serde_json::from_str(&known)?;
        if known == *exam {
            return Ok(Indexed::Duplicate);
        }
        if known.keeper != exam.keeper {
            return Err(Problem::denied(
                "index.keeper",
                format!("study {} is on record with another keeper", exam.study),
            ));
        }
        database
            .prepare_cached("UPDATE exam SET entry = ?3 WHERE code = ?1 AND study = ?2")?
            .execute(params![code, exam.study, entry])?;
        return Ok(Indexed::Updated);
    }
    let collides = database
        .prepare_cached("SELECT 1 FROM exam WHERE code = ?1")?
        .exists([code])?;
    database
        .prepare_cached("INSERT INTO exam (code, study, entry) VALUES (?1, ?2, ?3)")?
        .execute(params![code, exam.study, entry])?;
    Ok(if collides {
        Indexed::Collided
    } else {
        Indexed::Accepted
    })
}
