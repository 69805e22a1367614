//! `mic transfer`: manifests of folders, serving and pulling studies, verifying what is kept.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use mic_platform::consent::transfer_problem;
use mic_platform::dicom::{self, ReadOptions};
use mic_platform::problem::Problem;
use mic_platform::scene::Folder;
use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::adapter::tcp::{AllowAll, Pull, PullEvent, StudyOutcome, serve_connection};
use mic_transfer::sender::SenderConfig;
use mic_transfer::{Auth, Manifest, Uid};
use serde::Serialize;

use crate::output::{self, say};

/// What to do with studies.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the manifest of every study in a folder of DICOM files.
    Manifest {
        /// The folder; any names and depth.
        folder: PathBuf,
        /// Whole manifests as JSON lines, instead of a line of text each.
        #[arg(long)]
        json: bool,
    },
    /// Serve the studies of a folder to anyone who connects. For tests on one machine: there is no
    /// authorisation and no encryption.
    Serve {
        /// The folder; any names and depth.
        folder: PathBuf,
        /// Where to listen; only loopback addresses are taken.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Pull studies into a store; repeat the command to resume.
    Pull {
        /// The source, host:port.
        source: SocketAddr,
        /// StudyInstanceUIDs.
        #[arg(required = true)]
        studies: Vec<String>,
        /// The store's folder; made if absent.
        #[arg(long)]
        store: PathBuf,
        /// One line of JSON for each study.
        #[arg(long)]
        json: bool,
    },
    /// Hash everything in a store again and compare it with the manifests.
    Verify {
        /// The store's folder.
        store: PathBuf,
        /// One line of JSON for each study.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Problem> {
    match command {
        Command::Manifest { folder, json } => manifest(&folder, json),
        Command::Serve { folder, listen } => serve(&folder, listen),
        Command::Pull {
            source,
            studies,
            store,
            json,
        } => pull(source, &studies, &store, json),
        Command::Verify { store, json } => verify(&store, json),
    }
}

fn manifest(folder: &Path, json: bool) -> Result<ExitCode, Problem> {
    for study in studies(folder)?.into_values() {
        let ready = study
            .unsigned()
            .map_err(|e| Problem::data("transfer.manifest", e))?;
        let manifest: &Manifest = ready.signed().manifest();
        if json {
            output::json_line(manifest)?;
        } else {
            say!(
                "{}  {} instances  {} bytes  {}",
                manifest.study(),
                manifest.instances().len(),
                manifest.bytes_total(),
                manifest.root()
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(folder: &Path, listen: SocketAddr) -> Result<ExitCode, Problem> {
    if !listen.ip().is_loopback() {
        return Err(Problem::usage(
            "transfer.listen",
            "expected a loopback address: this command serves without authorisation",
        ));
    }
    let source = FileSource::new();
    for (uid, study) in studies(folder)? {
        let ready = study
            .unsigned()
            .map_err(|e| Problem::data("transfer.manifest", e))?;
        source.insert(ready);
        eprintln!("serving {uid}");
    }
    let listener = TcpListener::bind(listen)?;
    say!("{}", listener.local_addr()?)?;
    for stream in listener.incoming() {
        let (stream, source) = (stream?, source.clone());
        std::thread::spawn(move || {
            match serve_connection(stream, &source, &AllowAll, SenderConfig::default()) {
                Ok(report) => eprintln!("{} bytes of chunks sent", report.data),
                Err(error) => eprintln!("mic: {error}"),
            }
        });
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Pulled<'a> {
    study: &'a str,
    ok: bool,
    fetched_bytes: u64,
    held_bytes: u64,
    message: String,
}

fn pull(
    source: SocketAddr,
    studies: &[String],
    store: &Path,
    json: bool,
) -> Result<ExitCode, Problem> {
    let store = open(store, true)?;
    let mut pull = Pull::new(source);
    for study in studies {
        let uid = Uid::new(study).map_err(|e| Problem::usage("transfer.study", e).at(study))?;
        pull = pull.study(uid, Auth::none());
    }
    let report = pull
        .run(&store, |event| {
            if let PullEvent::Failed(study, error) = event {
                eprintln!("{study}: {error}");
            }
        })
        .map_err(|e| Problem::system("transfer.connect", e))?;
    let mut failed = false;
    for study in &report.studies {
        let (problem, receipt) = match &study.outcome {
            StudyOutcome::Failed(error) => (Some(transfer_problem(error)), String::new()),
            StudyOutcome::Unreceipted(error) => (None, format!("; no receipt kept: {error}")),
            _ => (None, String::new()),
        };
        failed |= problem.is_some();
        let row = Pulled {
            study: study.study.as_str(),
            ok: problem.is_none(),
            fetched_bytes: study.progress.map_or(0, |p| p.bytes_fetched),
            held_bytes: study.progress.map_or(0, |p| p.bytes_held),
            message: problem.map_or_else(|| format!("complete{receipt}"), |problem| problem.detail),
        };
        if json {
            output::json_line(&row)?;
        } else {
            say!(
                "{}: {}; {} bytes fetched, {} already held",
                row.study,
                row.message,
                row.fetched_bytes,
                row.held_bytes
            )?;
        }
    }
    Ok(ExitCode::from(u8::from(failed)))
}

#[derive(Serialize)]
struct Checked<'a> {
    study: &'a str,
    ok: bool,
    right: u32,
    wrong: Vec<String>,
    bytes: u64,
}

fn verify(store: &Path, json: bool) -> Result<ExitCode, Problem> {
    let store = open(store, false)?;
    let mut bad = false;
    for stored in store.complete() {
        let manifest = stored.signed().manifest();
        let verified = store
            .verify(stored.root())
            .map_err(|e| Problem::system("transfer.verify", e))?;
        let name = |place: &u32| {
            manifest
                .instances()
                .get(*place as usize)
                .map_or_else(String::new, |instance| instance.sop_instance().to_string())
        };
        let row = Checked {
            study: manifest.study().as_str(),
            ok: verified.wrong.is_empty(),
            right: verified.right,
            wrong: verified.wrong.iter().map(name).collect(),
            bytes: verified.bytes,
        };
        bad |= !row.ok;
        if json {
            output::json_line(&row)?;
        } else {
            say!(
                "{}: {} instances right, {} wrong",
                row.study,
                row.right,
                row.wrong.len()
            )?;
        }
        for wrong in row.wrong.iter().filter(|_| !json) {
            eprintln!(
                "mic: instance {wrong}: expected the bytes of the signed digest, found others"
            );
        }
    }
    if store.complete().is_empty() {
        bad = true;
        eprintln!("mic: no study is complete in this store");
    }
    for partial in store.partial() {
        eprintln!(
            "{}: not complete, {} bytes verified so far",
            partial.signed().manifest().study(),
            partial.bytes_done()
        );
    }
    Ok(ExitCode::from(u8::from(bad)))
}

fn open(folder: &Path, make: bool) -> Result<DiskStore, Problem> {
    if make {
        std::fs::create_dir_all(folder)?;
    } else if !folder.is_dir() {
        let place = folder.display();
        return Err(Problem::usage(
            "transfer.store",
            format!("{place}: expected a folder"),
        ));
    }
    DiskStore::open(folder).map_err(|e| Problem::system("transfer.store", e))
}

/// The studies of a folder; what is no DICOM instance is named on standard error and passed over.
fn studies(folder: &Path) -> Result<BTreeMap<String, FileStudy>, Problem> {
    let mut studies = BTreeMap::new();
    let found = Folder::walk(folder)?;
    for (path, reason) in found.passed_over {
        eprintln!("passed over: {}: {reason}", path.display());
    }
    for path in found.files {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(reason) => {
                eprintln!("passed over: {}: {reason}", path.display());
                continue;
            }
        };
        let facts = match dicom::read(&bytes, &ReadOptions::default()) {
            Ok(facts) => facts,
            Err(reason) => {
                eprintln!("passed over: {}: {reason}", path.display());
                continue;
            }
        };
        let uid = |text: &str| {
            Uid::new(text).map_err(|e| Problem::data("transfer.uid", e).at(path.display()))
        };
        let class = facts.sop_class_uid.as_deref().unwrap_or("0.0");
        let labels = Labels::new(
            uid(class)?,
            uid(&facts.sop_instance_uid)?,
            uid(&facts.series_uid)?,
            uid(&facts.transfer_syntax_uid)?,
        );
        let study = uid(&facts.study_uid)?;
        studies
            .entry(facts.study_uid)
            .or_insert_with(|| FileStudy::new(study))
            .add(&path, labels)
            .map_err(|e| Problem::data("transfer.manifest", e).at(path.display()))?;
    }
    Ok(studies)
}
