//! What durability and accidents cost: a pull with and without syncs to the disk, beside a plain copy that syncs once,
//! and the bytes on the line when a side is killed at one half.
//!
//! Wall time, so on a machine that has nothing else to do: `MIC_DISK=/var/tmp cargo bench -p mic-benches --bench durable`.
//! `MIC_DISK` names a folder on the disk to measure; without it the folder for temporary files is used. A side that is
//! killed is a process of its own: this program, called by itself.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use mic_benches::transfer::{pump, serve};
use mic_benches::{Seed, is_measured, size};
use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::adapter::tcp::{Pull, PullEvent};
use mic_transfer::receiver::ReceiverConfig;
use mic_transfer::source::{Source, Unreadable};
use mic_transfer::store::{PartialStudy, StoreConfig};
use mic_transfer::tree::Leaves;
use mic_transfer::{Auth, Manifest, SignedManifest, Uid};

const STUDY: &str = "1.2.826.0.1.3680043.10.1.5";
/// What a child is told to be, and where.
const ROLE: &str = "MIC_DURABLE_ROLE";
const FOLDER: &str = "MIC_DURABLE_FOLDER";
const ADDRESS: &str = "MIC_DURABLE_ADDRESS";
const HOLD: &str = "MIC_DURABLE_HOLD";
const WINDOW: &str = "MIC_DURABLE_WINDOW";

fn main() -> anyhow::Result<()> {
    match std::env::var(ROLE).as_deref() {
        Ok("source") => return be_source(Path::new(&std::env::var(FOLDER)?)),
        Ok("receiver") => return be_receiver(),
        _ => {}
    }
    let disk = std::env::var_os("MIC_DISK").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(disk)?;
    let study = Files::new(folder.path())?;
    println!(
        "\n### durable: a study of {} files, {} bytes, over loopback\n",
        study.paths.len(),
        study.bytes()
    );
    syncs(&study, folder.path())?;
    kills(&study, folder.path())
}

/// A made-up study of files of noise on the disk.
struct Files {
    folder: PathBuf,
    paths: Vec<PathBuf>,
    length: usize,
}

impl Files {
    fn new(folder: &Path) -> anyhow::Result<Self> {
        let (count, length) = (size(800, 6), size(526_336, 300_000));
        let folder = folder.join("study");
        std::fs::create_dir(&folder)?;
        let mut seed = Seed::new(0xd0_7ab1e);
        let mut paths = Vec::new();
        for number in 0..count {
            let path = folder.join(format!("{number:04}"));
            std::fs::write(&path, seed.bytes(length))?;
            paths.push(path);
        }
        File::open(&folder)?.sync_all()?;
        Ok(Self {
            folder,
            paths,
            length,
        })
    }

    fn bytes(&self) -> u64 {
        (self.paths.len() * self.length) as u64
    }

    /// Every file of the complete study in the store, byte for byte.
    fn compare(&self, store: &DiskStore) -> anyhow::Result<()> {
        let complete = store.complete();
        let [study] = complete.as_slice() else {
            anyhow::bail!("{} studies are complete, not one", complete.len());
        };
        let listed = study.signed().manifest().instances();
        ensure!(listed.len() == self.paths.len(), "instances are missing");
        for (path, instance) in self.paths.iter().zip(listed) {
            let same = store.read_instance(instance.digest())? == std::fs::read(path)?;
            ensure!(same, "{} came as other bytes", path.display());
        }
        Ok(())
    }
}

/// The files of a folder in order of their names, as a source.
fn source_of(folder: &Path) -> anyhow::Result<FileSource> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    paths.sort();
    let mut study = FileStudy::new(Uid::new(STUDY)?);
    for (number, path) in (0..).zip(paths) {
        let labels = Labels::new(
            Uid::new("1.2.840.10008.5.1.4.1.1.2")?,
            Uid::new(&format!("{STUDY}.1.{number}"))?,
            Uid::new(&format!("{STUDY}.1"))?,
            Uid::new("1.2.840.10008.1.2.1")?,
        );
        study.add(&path, labels.with_rank(number))?;
    }
    let source = FileSource::new();
    source.insert(study.unsigned()?);
    Ok(source)
}

/// A source that counts the bytes read for the line.
#[derive(Clone)]
struct Counted {
    files: FileSource,
    sent: Arc<AtomicU64>,
    /// In a small run it reads no further than this until somebody has been killed: a test cannot be a race.
    hold_at: Arc<AtomicU64>,
}

impl Counted {
    fn new(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            files: source_of(folder)?,
            sent: Arc::default(),
            hold_at: Arc::new(AtomicU64::new(u64::MAX)),
        })
    }

    fn held_at(self, bytes: u64) -> Self {
        if !is_measured() {
            self.hold_at.store(bytes, Ordering::Relaxed);
        }
        self
    }
}

impl Source for Counted {
    fn manifest(&self, study: &Uid) -> Option<SignedManifest> {
        self.files.manifest(study)
    }

    fn read(&self, m: &Manifest, i: u32, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        while self.sent.load(Ordering::Relaxed) >= self.hold_at.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
        }
        self.sent.fetch_add(into.len() as u64, Ordering::Relaxed);
        self.files.read(m, i, offset, into)
    }

    fn leaves(&self, manifest: &Manifest, instance: u32) -> Result<Leaves, Unreadable> {
        self.files.leaves(manifest, instance)
    }
}

fn pull(from: SocketAddr) -> anyhow::Result<Pull<'static>> {
    let mut config = ReceiverConfig::default();
    if let Ok(bytes) = std::env::var(WINDOW) {
        config.window_bytes = bytes.parse()?;
    }
    Ok(Pull::new(from)
        .config(config)
        .study(Uid::new(STUDY)?, Auth::none()))
}

// ---------------------------------------------------------------------------------------------
// Syncs.

/// Four contestants in turn: ours and a plain copy, each with syncs and without.
fn syncs(study: &Files, folder: &Path) -> anyhow::Result<()> {
    let address = serve(Counted::new(&study.folder)?)?;
    let plain = copy_server(study.paths.clone())?;
    let (store, copy) = (folder.join("store"), folder.join("copy"));
    let mut times: [Vec<Duration>; 4] = Default::default();
    for round in 0..size(11, 1) {
        for step in 0..times.len() {
            let lane = (round + step) % times.len();
            let synced = lane.is_multiple_of(2);
            let time = if lane < 2 {
                pulled(study, address, &store, synced)?
            } else {
                copied(study, plain, &copy, synced)?
            };
            times.get_mut(lane).context("a lane")?.push(time);
        }
    }
    let [ours, ours_unsynced, theirs, theirs_unsynced] = times.map(median);
    let rate = |time: Duration| study.bytes() as f64 / 1e6 / time.as_secs_f64();
    println!(
        "| to the disk, medians of wall time | synced MB/s | unsynced MB/s | synced / unsynced | aim |"
    );
    println!("|---|--:|--:|--:|--:|");
    for (name, synced, unsynced, aim) in [
        (
            "mic-transfer, verified, journaled, receipt",
            ours,
            ours_unsynced,
            "≥ 0.80",
        ),
        (
            "plain copy to one file, a sync at its end",
            theirs,
            theirs_unsynced,
            "",
        ),
    ] {
        println!(
            "| {name} | {:.0} | {:.0} | {:.2} | {aim} |",
            rate(synced),
            rate(unsynced),
            rate(synced) / rate(unsynced)
        );
    }
    Ok(())
}

/// One pull into an empty store, compared afterwards.
fn pulled(study: &Files, from: SocketAddr, into: &Path, synced: bool) -> anyhow::Result<Duration> {
    let mut config = StoreConfig::default();
    config.synced = synced;
    let store = DiskStore::open_with(into, config)?;
    let started = Instant::now();
    ensure!(
        pull(from)?.run(&store, |_| {})?.is_complete(),
        "not complete"
    );
    let time = started.elapsed();
    study.compare(&store)?;
    drop(store);
    std::fs::remove_dir_all(into)?;
    Ok(time)
}

fn copied(study: &Files, from: SocketAddr, into: &Path, synced: bool) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let mut file = File::create(into)?;
    let bytes = pump(&mut TcpStream::connect(from)?, &mut file)?;
    if synced {
        file.sync_all()?;
    }
    let time = started.elapsed();
    ensure!(bytes == study.bytes(), "{bytes} bytes were copied");
    std::fs::remove_file(into)?;
    Ok(time)
}

/// Sends all files to whoever connects.
fn copy_server(paths: Vec<PathBuf>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            for path in &paths {
                let sent = File::open(path).and_then(|mut file| pump(&mut file, &mut stream));
                if sent.is_err() {
                    break;
                }
            }
        }
    });
    Ok(address)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

// ---------------------------------------------------------------------------------------------
// Kills.

/// What a kill may cost in a run that is measured, and in a test's small one: a window is no small part of that.
const COST_MAX: f64 = 1.005;

fn kills(study: &Files, folder: &Path) -> anyhow::Result<()> {
    println!(
        "\n| kill -9 at one half, every byte compared afterwards | bytes sent / study | aim |\n|---|--:|--:|"
    );
    for window in [None, Some(256 * 1024), Some(1024 * 1024)] {
        let ratio = receiver_killed(study, &folder.join("store"), window)?;
        let name = window.map_or("of default".to_owned(), |bytes: u64| {
            format!("{bytes} bytes at most")
        });
        println!("| the receiver, window {name} | {ratio:.4} | ≤ {COST_MAX} |");
    }
    let ratio = source_killed(study, &folder.join("store"))?;
    println!("| the source | {ratio:.4} | ≤ {COST_MAX} |");
    Ok(())
}

fn child(role: &str, set: &[(&str, String)]) -> anyhow::Result<Child> {
    Ok(Command::new(std::env::current_exe()?)
        .env(ROLE, role)
        .envs(set.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .spawn()?)
}

fn receiver_killed(study: &Files, store: &Path, window: Option<u64>) -> anyhow::Result<f64> {
    let half = study.bytes() / 2;
    let source = Counted::new(&study.folder)?.held_at(half);
    let (sent, hold_at) = (Arc::clone(&source.sent), Arc::clone(&source.hold_at));
    let address = serve(source)?;
    let mut set = vec![
        (ADDRESS, address.to_string()),
        (FOLDER, store.display().to_string()),
    ];
    set.extend(window.map(|bytes| (WINDOW, bytes.to_string())));
    let mut receiver = child("receiver", &set)?;
    while sent.load(Ordering::Relaxed) < half {
        ensure!(
            receiver.try_wait()?.is_none(),
            "the receiver ended before the kill"
        );
        thread::yield_now();
    }
    receiver.kill()?;
    receiver.wait()?;
    hold_at.store(u64::MAX, Ordering::Relaxed);
    let opened = DiskStore::open(store)?;
    let kept: u64 = opened.partial().iter().map(PartialStudy::bytes_done).sum();
    let report = pull(address)?.run(&opened, |_| {})?;
    ensure!(
        report.is_complete() && report.held() == kept,
        "what was verified came again"
    );
    study.compare(&opened)?;
    drop(opened);
    std::fs::remove_dir_all(store)?;
    cost(sent.load(Ordering::Relaxed), study)
}

fn source_killed(study: &Files, store: &Path) -> anyhow::Result<f64> {
    let half = study.bytes() / 2;
    let (mut source, address) = source_process(study, half)?;
    let opened = DiskStore::open(store)?;
    // The chunk that reaches one half may be held back.
    let reached = if is_measured() { half } else { half / 2 };
    let cut = pull(address)?.reconnects(0).run(&opened, |event| {
        if let PullEvent::Progress(_, progress) = event
            && progress.bytes_fetched >= reached
        {
            // It may have ended by itself: then the pull is complete, which is an error below.
            let _ = source.kill();
        }
    })?;
    source.wait()?;
    ensure!(!cut.is_complete(), "the source ended before the kill");
    let (mut source, address) = source_process(study, u64::MAX)?;
    let report = pull(address)?.run(&opened, |_| {});
    source.kill()?;
    source.wait()?;
    let report = report?;
    ensure!(report.is_complete(), "not complete");
    study.compare(&opened)?;
    cost(cut.received + report.received, study)
}

fn cost(bytes: u64, study: &Files) -> anyhow::Result<f64> {
    let ratio = bytes as f64 / study.bytes() as f64;
    ensure!(ratio >= 1.0, "{bytes} bytes cannot be all of the study");
    ensure!(
        is_measured() || ratio < 2.0,
        "a kill cost {ratio} of the study"
    );
    Ok(ratio)
}

/// A source as a process of its own, and where it listens.
fn source_process(study: &Files, hold_at: u64) -> anyhow::Result<(Child, SocketAddr)> {
    let mut source = Command::new(std::env::current_exe()?)
        .env(ROLE, "source")
        .env(FOLDER, &study.folder)
        .env(
            HOLD,
            if is_measured() { u64::MAX } else { hold_at }.to_string(),
        )
        .stdout(Stdio::piped())
        .spawn()?;
    let mut told = String::new();
    let mut out = std::io::BufReader::new(source.stdout.take().context("its output")?);
    std::io::BufRead::read_line(&mut out, &mut told)?;
    Ok((source, told.trim().parse()?))
}

fn be_source(folder: &Path) -> anyhow::Result<()> {
    let hold_at = std::env::var(HOLD)?.parse()?;
    println!("{}", serve(Counted::new(folder)?.held_at(hold_at))?);
    loop {
        thread::park();
    }
}

fn be_receiver() -> anyhow::Result<()> {
    let store = DiskStore::open(std::env::var(FOLDER)?)?;
    pull(std::env::var(ADDRESS)?.parse()?)?.run(&store, |_| {})?;
    Ok(())
}
