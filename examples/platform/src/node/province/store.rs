//! What a province keeps: instance files named by their digest, and a small database about them.
//!
//! A file is written aside, synced and renamed before the database speaks of it, so that a row always
//! has its file. A file without a row (a crash between the two) is taken again at the next intake.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use mic_billing::Event;
use mic_transfer::{Manifest, Receipt, Signature, SignedManifest};
use rusqlite::{Connection, OptionalExtension, params};

use crate::problem::Problem;
use crate::wire::{Exam, Intake};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS instance (
        digest          BLOB PRIMARY KEY,
        study           TEXT NOT NULL,
        series          TEXT NOT NULL,
        sop             TEXT NOT NULL,
        sop_class       TEXT NOT NULL,
        syntax          TEXT NOT NULL,
        bytes           INTEGER NOT NULL,
        modality        TEXT,
        series_number   INTEGER,
        instance_number INTEGER,
        description     TEXT,
        exam_time       TEXT,
        owner           TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS instance_by_study ON instance (study, sop);
    CREATE TABLE IF NOT EXISTS refused (
        digest BLOB PRIMARY KEY,
        code   TEXT NOT NULL,
        reason TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS study (
        uid       TEXT PRIMARY KEY,
        exam      TEXT NOT NULL,
        manifest  BLOB NOT NULL,
        suite     TEXT NOT NULL,
        key       BLOB NOT NULL,
        signature BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS outbox (
        study  TEXT PRIMARY KEY,
        events TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS receipt (
        digest  BLOB PRIMARY KEY,
        receipt BLOB NOT NULL,
        key     BLOB NOT NULL
    ) WITHOUT ROWID;
";

/// What the province keeps of an instance beside its file. No name, no patient identifier.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) digest: [u8; 32],
    pub(super) study: String,
    pub(super) series: String,
    pub(super) sop: String,
    pub(super) sop_class: String,
    pub(super) syntax: String,
    pub(super) bytes: u64,
    pub(super) modality: Option<String>,
    pub(super) series_number: Option<i64>,
    pub(super) instance_number: Option<i64>,
    pub(super) description: Option<String>,
    /// Exam time in twelve digits, if the header has a usable one.
    pub(super) exam_time: Option<String>,
    /// The organisation that sent it.
    pub(super) owner: String,
}

/// The province's database and files.
#[derive(Debug)]
pub(super) struct Store {
    database: Connection,
    files: PathBuf,
}

/// Where the file with this digest is.
pub(super) fn file(files: &Path, digest: &[u8; 32]) -> PathBuf {
    let name = blake3::Hash::from_bytes(*digest).to_hex();
    files.join(&name[..2]).join(name.as_str())
}

impl Store {
    pub(super) fn open(state: &Path) -> Result<Self, Problem> {
        let files = state.join("instances");
        fs::create_dir_all(&files)?;
        sweep(&files)?;
        let database = Connection::open(state.join("province.sqlite"))?;
        database.execute_batch(SCHEMA)?;
        Ok(Self { database, files })
    }

    pub(super) fn files(&self) -> &Path {
        &self.files
    }

    /// What became of the file with this digest, if it was offered before.
    pub(super) fn outcome(&self, digest: &[u8; 32]) -> Result<Option<Intake>, Problem> {
        let held = self
            .database
            .prepare_cached("SELECT study FROM instance WHERE digest = ?1")?
            .query_row([digest.as_slice()], |row| {
                Ok(Intake::Held { study: row.get(0)? })
            })
            .optional()?;
        if held.is_some() {
            return Ok(held);
        }
        Ok(self
            .database
            .prepare_cached("SELECT code, reason FROM refused WHERE digest = ?1")?
            .query_row([digest.as_slice()], |row| {
                let (code, reason) = (row.get(0)?, row.get(1)?);
                Ok(Intake::Refused { code, reason })
            })
            .optional()?)
    }

    /// Remembers a refusal, so that the file is not sent again. A later version of the reader that can
    /// take it starts with an empty table.
    pub(super) fn refuse(
        &self,
        digest: &[u8; 32],
        code: &str,
        reason: &impl ToString,
    ) -> Result<Intake, Problem> {
        let refused = (code.to_owned(), reason.to_string());
        self.database
            .prepare_cached("INSERT OR IGNORE INTO refused VALUES (?1, ?2, ?3)")?
            .execute(params![digest.as_slice(), refused.0, refused.1])?;
        let (code, reason) = refused;
        Ok(Intake::Refused { code, reason })
    }

    /// Records an instance whose file is durable. Tells whether another one with other bytes has the
    /// same SOP Instance UID in the study.
    pub(super) fn record(&self, kept: &Kept) -> Result<bool, Problem> {
        let twin = self
            .database
            .prepare_cached("SELECT 1 FROM instance WHERE study = ?1 AND sop = ?2")?
            .exists([&kept.study, &kept.sop])?;
        self.database
            .prepare_cached(
                "INSERT OR IGNORE INTO instance
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                kept.digest.as_slice(),
                kept.study,
                kept.series,
                kept.sop,
                kept.sop_class,
                kept.syntax,
                i64::try_from(kept.bytes).map_err(|e| Problem::system("store", e))?,
                kept.modality,
                kept.series_number,
                kept.instance_number,
                kept.description,
                kept.exam_time,
                kept.owner,
            ])?;
        Ok(twin)
    }

    /// The instances of a study in reading order: by series, then instance number.
    pub(super) fn instances(&self, study: &str) -> Result<Vec<Kept>, Problem> {
        let mut statement = self.database.prepare_cached(
            "SELECT * FROM instance WHERE study = ?1
             ORDER BY series_number, series, instance_number, sop, digest",
        )?;
        let rows = statement.query_map([study], |row| {
            Ok(Kept {
                digest: row.get(0)?,
                study: row.get(1)?,
                series: row.get(2)?,
                sop: row.get(3)?,
                sop_class: row.get(4)?,
                syntax: row.get(5)?,
                bytes: row.get::<_, i64>(6)?.unsigned_abs(),
                modality: row.get(7)?,
                series_number: row.get(8)?,
                instance_number: row.get(9)?,
                description: row.get(10)?,
                exam_time: row.get(11)?,
                owner: row.get(12)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A study as it was sealed last.
    pub(super) fn study(&self, study: &str) -> Result<Option<Study>, Problem> {
        self.database
            .prepare_cached(
                "SELECT exam, manifest, suite, key, signature FROM study WHERE uid = ?1",
            )?
            .query_row([study], |row| {
                let (exam, manifest): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
                let signature: (String, Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?, row.get(4)?);
                Ok((exam, manifest, signature))
            })
            .optional()?
            .map(|(exam, manifest, (suite, key, signature))| {
                let odd = |e: &dyn core::fmt::Display| Problem::data("store.manifest", e);
                let manifest = Manifest::decode(&manifest).map_err(|e| odd(&e))?;
                let signature = Signature::new(&suite, key, signature).map_err(|e| odd(&e))?;
                Ok(Study {
                    exam: serde_json::from_str(&exam)?,
                    signed: SignedManifest::new(manifest, Some(signature)),
                })
            })
            .transpose()
    }

    /// Keeps a sealed study, and what the insurer has yet to hear of it, in one step.
    pub(super) fn seal(&mut self, study: &Study, events: Option<&[Event]>) -> Result<(), Problem> {
        let signature = study
            .signed
            .signature()
            .ok_or_else(|| Problem::system("seal.sign", "the manifest has no signature"))?;
        let transaction = self.database.transaction()?;
        transaction.execute(
            "INSERT INTO study VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (uid) DO UPDATE
             SET exam = ?2, manifest = ?3, suite = ?4, key = ?5, signature = ?6",
            params![
                study.exam.study,
                serde_json::to_string(&study.exam)?,
                study.signed.manifest().encoded(),
                signature.suite(),
                signature.key_id(),
                signature.bytes()
            ],
        )?;
        if let Some(events) = events {
            transaction.execute(
                "INSERT OR IGNORE INTO outbox VALUES (?1, ?2)",
                params![study.exam.study, serde_json::to_string(events)?],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// What the insurer has not acknowledged yet, by study.
    pub(super) fn outbox(&self) -> Result<Vec<(String, Vec<Event>)>, Problem> {
        let mut statement = self
            .database
            .prepare_cached("SELECT study, events FROM outbox WHERE events <> ''")?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (study, events) = row?;
            Ok((study, serde_json::from_str(&events)?))
        })
        .collect()
    }

    /// The insurer has the events of this study; they are not told again.
    pub(super) fn acknowledged(&self, study: &str) -> Result<(), Problem> {
        self.database
            .execute("UPDATE outbox SET events = '' WHERE study = ?1", [study])?;
        Ok(())
    }

    /// Keeps the receipt of a study that a front-end machine holds completely.
    pub(super) fn keep_receipt(&self, receipt: &Receipt, key: &[u8]) -> Result<(), Problem> {
        self.database
            .prepare_cached("INSERT OR IGNORE INTO receipt VALUES (?1, ?2, ?3)")?
            .execute(params![
                receipt.digest().as_bytes().as_slice(),
                receipt.encode(),
                key
            ])?;
        Ok(())
    }
}

/// A sealed study: its record, and its manifest with the province's signature.
#[derive(Debug, Clone)]
pub(super) struct Study {
    pub(super) exam: Exam,
    pub(super) signed: SignedManifest,
}

/// Removes what an intake that was cut short left aside.
fn sweep(files: &Path) -> Result<(), Problem> {
    for folder in fs::read_dir(files)? {
        for file in fs::read_dir(folder?.path())? {
            let path = file?.path();
            if path.extension().is_some() {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

/// Writes `bytes` under their digest, durably: aside, synced, renamed, folder synced.
pub(super) fn keep(files: &Path, digest: &[u8; 32], bytes: &[u8]) -> Result<(), Problem> {
    let place = file(files, digest);
    let Some(folder) = place.parent() else {
        return Err(Problem::system("store", "an instance file has no folder"));
    };
    if !folder.exists() {
        fs::create_dir_all(folder)?;
        File::open(files)?.sync_all()?;
    }
    let aside = place.with_extension(format!("part-{:?}", std::thread::current().id()));
    let mut file = File::create(&aside)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    drop(file);
    fs::rename(&aside, &place)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}
