//! `mic transfer`: manifests of folders, serving, pulling and pushing studies, and what is kept.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mic_platform::consent::transfer_problem;
use mic_platform::dicom::{self, ReadOptions};
use mic_platform::problem::Problem;
use mic_platform::scene::Folder;
use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::adapter::tcp::{
    AllowAll, Pull, PullEvent, PullReport, ServeConfig, SourceReport, StudyOutcome,
    serve_connection,
};
use mic_transfer::adapter::tls::serve_tls;
use mic_transfer::receiver::Progress;
use mic_transfer::{Auth, Manifest, Uid};
use serde::Serialize;

use crate::output::{self, say};

mod line;
mod plot;
mod push;

use line::Tls;
use plot::{Meter, Target};

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
    /// Serve the studies of a folder: to whoever holds a certificate that is believed, or without
    /// certificates to anyone on this machine, for trials.
    Serve {
        /// The folder; any names and depth.
        folder: PathBuf,
        /// Where to listen; without certificates only loopback addresses are taken.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        #[command(flatten)]
        tls: Tls,
    },
    /// Pull studies into a store; repeat the command to resume.
    Pull {
        /// The source, host:port.
        source: SocketAddr,
        /// StudyInstanceUIDs.
        #[arg(required = true)]
        studies: Vec<String>,
        /// A further source of the same studies; may be repeated. One that is lost leaves its part to
        /// the others.
        #[arg(long, value_name = "SOURCE")]
        from: Vec<SocketAddr>,
        /// Connections to each source, 1 to 16; by its distance if not said: 1, 4 from 5 ms, 8 from 20 ms.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=16))]
        connections: Option<u32>,
        /// The store's folder; made if absent.
        #[arg(long)]
        store: PathBuf,
        /// The sources' name in their certificates, where it is not their address.
        #[arg(long, requires = "certificate")]
        name: Option<String>,
        #[command(flatten)]
        tls: Tls,
        /// Draw the rate over time into this file, .svg or .png.
        #[arg(long, value_name = "FILE", value_parser = plot::target)]
        plot: Option<Target>,
        /// One line of JSON for each study, then one for each source.
        #[arg(long)]
        json: bool,
    },
    /// Push the studies of a folder to a side that receives; repeat the command to resume.
    Push {
        /// The folder; any names and depth.
        folder: PathBuf,
        /// StudyInstanceUIDs; all of the folder's if none is named.
        studies: Vec<String>,
        /// Who receives, host:port.
        #[arg(long)]
        to: SocketAddr,
        /// The receiver's name in its certificate, where it is not its address.
        #[arg(long, requires = "certificate")]
        name: Option<String>,
        #[command(flatten)]
        tls: Tls,
        /// Draw the rate over time into this file, .svg or .png.
        #[arg(long, value_name = "FILE", value_parser = plot::target)]
        plot: Option<Target>,
        /// One line of JSON for each study.
        #[arg(long)]
        json: bool,
    },
    /// Receive what is pushed, into a store: from whoever holds a certificate that is believed, or
    /// without certificates from anyone on this machine, for trials.
    Receive {
        /// The store's folder; made if absent.
        store: PathBuf,
        /// Where to listen; without certificates only loopback addresses are taken.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// End after one connection.
        #[arg(long)]
        once: bool,
        #[command(flatten)]
        tls: Tls,
        /// Draw the rate over time of the one connection into this file, .svg or .png.
        #[arg(long, value_name = "FILE", requires = "once", value_parser = plot::target)]
        plot: Option<Target>,
        /// One line of JSON for each study.
        #[arg(long)]
        json: bool,
    },
    /// Say what a store holds: complete studies, and how far the others came. Not while another command
    /// works on it.
    Status {
        /// The store's folder.
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
        Command::Serve {
            folder,
            listen,
            tls,
        } => serve(&folder, listen, &tls),
        Command::Pull {
            source,
            studies,
            from,
            connections,
            store,
            name,
            tls,
            plot,
            json,
        } => {
            let mut pull = Pull::over(tls.dial(source, name.as_deref())?);
            for further in from {
                pull = pull.and(tls.dial(further, name.as_deref())?);
            }
            if let Some(connections) = connections {
                pull = pull.connections(connections);
            }
            run_pull(pull, &studies, &store, plot.as_ref(), json)
        }
        Command::Push {
            folder,
            studies,
            to,
            name,
            tls,
            plot,
            json,
        } => {
            let line = (to, name.as_deref(), &tls);
            push::push(&folder, &studies, line, plot.as_ref(), json)
        }
        Command::Receive {
            store,
            listen,
            once,
            tls,
            plot,
            json,
        } => push::receive(&store, listen, once, &tls, plot.as_ref(), json),
        Command::Status { store, json } => status(&store, json),
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

fn serve(folder: &Path, listen: SocketAddr, tls: &Tls) -> Result<ExitCode, Problem> {
    let server = tls.server()?;
    let listener = tls.listen(listen)?;
    let source = FileSource::new();
    for (uid, study) in studies(folder)? {
        let ready = study
            .unsigned()
            .map_err(|e| Problem::data("transfer.manifest", e))?;
        source.insert(ready);
        eprintln!("serving {uid}");
    }
    say!("{}", listener.local_addr()?)?;
    let config = ServeConfig::default();
    for stream in listener.incoming() {
        let (stream, source, server) = (stream?, source.clone(), server.clone());
        let config = config.clone();
        std::thread::spawn(move || {
            let served = match &server {
                Some(tls) => serve_tls(stream, tls, &source, &AllowAll, config),
                None => serve_connection(stream, &source, &AllowAll, config),
            };
            match served {
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

#[derive(Serialize)]
struct Gave<'a> {
    source: &'a str,
    connections: u32,
    received_bytes: u64,
    error: Option<String>,
}

fn run_pull(
    mut pull: Pull<'_>,
    studies: &[String],
    store: &Path,
    plot: Option<&Target>,
    json: bool,
) -> Result<ExitCode, Problem> {
    let store = open(store, true)?;
    for study in studies {
        let uid = Uid::new(study).map_err(|e| Problem::usage("transfer.study", e).at(study))?;
        pull = pull.study(uid, Auth::none());
    }
    let bar = bar(json);
    let mut came: BTreeMap<Uid, Progress> = BTreeMap::new();
    let meter = Meter::start();
    let report = pull
        .run(&store, |event| match event {
            PullEvent::Planned(study, progress) | PullEvent::Progress(study, progress) => {
                meter.add(fetched_since(
                    came.insert(study.clone(), progress),
                    progress,
                ));
                bar.set_length(came.values().map(|p| p.bytes_total).sum());
                bar.set_position(came.values().map(|p| p.bytes_done).sum());
            }
            PullEvent::Failed(study, error) => bar.suspend(|| eprintln!("{study}: {error}")),
            PullEvent::SourceLost(name, error) => {
                bar.suspend(|| eprintln!("{name} is asked no more: {error}"));
            }
            _ => {}
        })
        .map_err(|e| Problem::system("transfer.connect", e))?;
    bar.finish_and_clear();
    plot.map_or(Ok(()), |target| meter.draw(target))?;
    let all = tell(&report, json)?;
    for SourceReport {
        name,
        connections,
        received,
        error,
        ..
    } in &report.sources
    {
        if json {
            output::json_line(&Gave {
                source: name,
                connections: *connections,
                received_bytes: *received,
                error: error.as_ref().map(ToString::to_string),
            })?;
        } else {
            eprintln!("{name}: {received} bytes over {connections} connections");
        }
    }
    Ok(ExitCode::from(u8::from(!all)))
}

/// Bytes of a study that came since its progress was told before.
fn fetched_since(before: Option<Progress>, now: Progress) -> u64 {
    let before = before.map_or(0, |before| before.bytes_fetched);
    now.bytes_fetched.saturating_sub(before)
}

/// Prints what became of each study; whether all are complete.
fn tell(report: &PullReport, json: bool) -> Result<bool, Problem> {
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
    Ok(!failed)
}

/// A bar of bytes on standard error; nothing where that is no terminal or programs read.
fn bar(silent: bool) -> ProgressBar {
    let target = if silent {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    let template = "[{bar:32}] {bytes:>11}/{total_bytes} {bytes_per_sec:>12} ETA {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

#[derive(Serialize)]
struct Kept<'a> {
    study: &'a str,
    complete: bool,
    receiving: bool,
    instances: usize,
    instances_done: u64,
    bytes: u64,
    bytes_done: u64,
    root: String,
    receipt: Option<String>,
    countersigned: bool,
}

fn status(store: &Path, json: bool) -> Result<ExitCode, Problem> {
    let store = open(store, false)?;
    let (complete, partial, unopened) = (store.complete(), store.partial(), store.unopened());
    for stored in &complete {
        let manifest = stored.signed().manifest();
        show(
            &Kept {
                complete: true,
                receiving: false,
                receipt: stored
                    .receipt()
                    .map(|(receipt, _)| receipt.digest().to_string()),
                countersigned: stored.countersignature().is_some_and(Option::is_some),
                ..kept(
                    manifest,
                    manifest.instances().len() as u64,
                    manifest.bytes_total(),
                )
            },
            json,
        )?;
    }
    for partial in &partial {
        let done = u64::from(partial.instances_done());
        let row = kept(partial.signed().manifest(), done, partial.bytes_done());
        let receiving = partial.is_receiving();
        show(&Kept { receiving, ..row }, json)?;
    }
    for (root, error) in &unopened {
        eprintln!("mic: {root}: {error}");
    }
    if complete.is_empty() && partial.is_empty() && !json {
        eprintln!("nothing is kept here");
    }
    Ok(ExitCode::from(u8::from(!unopened.is_empty())))
}

fn kept(manifest: &Manifest, instances_done: u64, bytes_done: u64) -> Kept<'_> {
    Kept {
        study: manifest.study().as_str(),
        complete: false,
        receiving: false,
        instances: manifest.instances().len(),
        instances_done,
        bytes: manifest.bytes_total(),
        bytes_done,
        root: manifest.root().to_string(),
        receipt: None,
        countersigned: false,
    }
}

fn show(row: &Kept<'_>, json: bool) -> Result<(), Problem> {
    if json {
        return output::json_line(row);
    }
    if row.complete {
        let receipt = if row.receipt.is_some() {
            "with receipt"
        } else {
            "without receipt"
        };
        return say!(
            "{}  complete, {receipt}  {} instances  {} bytes",
            row.study,
            row.instances,
            row.bytes
        );
    }
    say!(
        "{}  {} % of {} bytes  {} of {} instances",
        row.study,
        row.bytes_done.saturating_mul(100) / row.bytes.max(1),
        row.bytes,
        row.instances_done,
        row.instances
    )
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
