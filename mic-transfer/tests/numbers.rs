//! The numbers of the record, made by hand and not in CI, on a machine that has nothing else to do:
//! `cargo test --release -p mic-transfer --all-features --test numbers -- --ignored --nocapture --test-threads 1`

#![cfg(feature = "std")]
#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test's ways to fail and to speak"
)]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::adapter::tcp::{AllowAll, Pull, PullEvent, serve_connection};
use mic_transfer::receiver::ReceiverConfig;
use mic_transfer::source::{Source, Unreadable};
use mic_transfer::store::StoreConfig;
use mic_transfer::tree::Leaves;
use mic_transfer::{Auth, Digest, Manifest, SignedManifest, Uid};

const FILES: usize = 800;
const LENGTH: usize = 526_336;
const STUDY: u64 = (FILES * LENGTH) as u64;

fn uid(text: &str) -> Uid {
    Uid::new(text).unwrap()
}

fn file(number: usize) -> Vec<u8> {
    let mut state = number as u64 * 2 + 1;
    let mut bytes = Vec::with_capacity(LENGTH + 8);
    while bytes.len() < LENGTH {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(LENGTH);
    bytes
}

fn study(folder: &Path) -> FileSource {
    let mut files = FileStudy::new(uid("1.2.3"));
    for number in 0..FILES {
        let path = folder.join(format!("{number}"));
        std::fs::write(&path, file(number)).unwrap();
        let own = uid(&format!("1.2.3.{number}"));
        let labels = Labels::new(uid("1.3"), own, uid("1.4"), uid("1.5"));
        files.add(&path, labels.with_rank(number as u32)).unwrap();
    }
    let source = FileSource::new();
    source.insert(files.unsigned().unwrap());
    source
}

/// Counts the bytes of chunks read for the line.
#[derive(Clone)]
struct Counted(FileSource, Arc<AtomicU64>);

impl Source for Counted {
    fn manifest(&self, study: &Uid) -> Option<SignedManifest> {
        self.0.manifest(study)
    }

    fn read(&self, m: &Manifest, i: u32, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        self.1.fetch_add(into.len() as u64, Ordering::Relaxed);
        self.0.read(m, i, offset, into)
    }

    fn leaves(&self, manifest: &Manifest, instance: u32) -> Result<Leaves, Unreadable> {
        self.0.leaves(manifest, instance)
    }
}

fn serve(source: Counted) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let source = source.clone();
            thread::spawn(move || serve_connection(stream, &source, &AllowAll, Default::default()));
        }
    });
    address
}

fn config() -> ReceiverConfig {
    let mut config = ReceiverConfig::default();
    if let Ok(bytes) = std::env::var("MIC_WINDOW") {
        config.window_bytes = bytes.parse().unwrap();
    }
    config
}

/// Not a test by itself: the process that [`kill_at_one_half`] kills.
#[test]
#[ignore = "run by another test as a process of its own"]
fn child_that_pulls() {
    let (Ok(address), Ok(into)) = (std::env::var("MIC_FROM"), std::env::var("MIC_INTO")) else {
        return;
    };
    let store = DiskStore::open(into).unwrap();
    let pull = Pull::new(address.parse().unwrap()).config(config());
    let _ = pull.study(uid("1.2.3"), Auth::none()).run(&store, |_| {});
}

#[test]
#[ignore = "a number for the record"]
fn kill_at_one_half() {
    let folder = tempfile::tempdir().unwrap();
    let sent = Arc::new(AtomicU64::new(0));
    let address = serve(Counted(study(folder.path()), Arc::clone(&sent)));
    for window in [None, Some(256 * 1024_u64), Some(8 * 1024 * 1024)] {
        let name = window.map_or("of default".to_owned(), |bytes| bytes.to_string());
        sent.store(0, Ordering::Relaxed);
        let into = folder.path().join(format!("store {name}"));
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_pulls", "--ignored"])
            .env("MIC_FROM", address.to_string())
            .env("MIC_INTO", &into)
            .envs(window.map(|bytes| ("MIC_WINDOW", bytes.to_string())))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while sent.load(Ordering::Relaxed) < STUDY / 2 {
            assert!(
                child.try_wait().unwrap().is_none(),
                "it ended before the kill"
            );
            thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let store = DiskStore::open(&into).unwrap();
        let kept = store.partial()[0].bytes_done();
        let pull = Pull::new(address).study(uid("1.2.3"), Auth::none());
        let report = pull.run(&store, |_| {}).unwrap();
        assert!(report.is_complete() && report.held() == kept);
        let complete = store.complete();
        for (number, listed) in complete[0]
            .signed()
            .manifest()
            .instances()
            .iter()
            .enumerate()
        {
            assert!(
                store.read_instance(listed.digest()).unwrap() == file(number),
                "{number}"
            );
        }
        let ratio = sent.load(Ordering::Relaxed) as f64 / STUDY as f64;
        eprintln!(
            "receiver killed at one half, window {name}: {ratio:.4} of {STUDY} bytes over the line, {kept} kept, every byte right"
        );
    }
}

/// Not a test by itself: the process that [`kill_of_the_source_at_one_half`] kills.
#[test]
#[ignore = "run by another test as a process of its own"]
fn child_that_serves() {
    let Ok(folder) = std::env::var("MIC_SERVE") else {
        return;
    };
    let folder = Path::new(&folder);
    let address = serve(Counted(study(folder), Arc::default()));
    std::fs::write(folder.join("address.new"), address.to_string()).unwrap();
    std::fs::rename(folder.join("address.new"), folder.join("address")).unwrap();
    thread::sleep(Duration::from_secs(600));
}

/// A source as a process of its own, and where it listens.
fn source(folder: &Path) -> (std::process::Child, SocketAddr) {
    let address = folder.join("address");
    let _ = std::fs::remove_file(&address);
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_serves", "--ignored"])
        .env("MIC_SERVE", folder)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !address.exists() {
        thread::sleep(Duration::from_millis(20));
    }
    let address = std::fs::read_to_string(address).unwrap();
    (child, address.parse().unwrap())
}

#[test]
#[ignore = "a number for the record"]
fn kill_of_the_source_at_one_half() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::open(folder.path().join("store")).unwrap();
    let (mut child, address) = source(folder.path());
    let pull = Pull::new(address).study(uid("1.2.3"), Auth::none());
    let cut = pull.reconnects(0).run(&store, |event| {
        if let PullEvent::Progress(_, progress) = event {
            if progress.bytes_fetched >= STUDY / 2 {
                let _ = child.kill();
            }
        }
    });
    let cut = cut.unwrap();
    child.wait().unwrap();
    assert!(!cut.is_complete(), "it ended before the kill");
    let (mut child, address) = source(folder.path());
    let pull = Pull::new(address).study(uid("1.2.3"), Auth::none());
    let report = pull.run(&store, |_| {}).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(report.is_complete());
    let root = *store.complete()[0].root();
    assert_eq!(store.verify(&root).unwrap().right as usize, FILES);
    let ratio = (cut.received + report.received) as f64 / STUDY as f64;
    eprintln!("source killed at one half: {ratio:.4} of {STUDY} bytes over the line");
}

#[test]
#[ignore = "a number for the record"]
fn synced_against_unsynced() {
    let folder =
        tempfile::tempdir_in(std::env::var("MIC_DISK").unwrap_or_else(|_| "/var/tmp".into()))
            .unwrap();
    let address = serve(Counted(study(folder.path()), Arc::default()));
    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 0..10 {
        let synced = round % 2 == 0;
        let mut config = StoreConfig::default();
        config.synced = synced;
        let into = folder.path().join("store");
        let store = DiskStore::open_with(&into, config).unwrap();
        let started = Instant::now();
        let pull = Pull::new(address).study(uid("1.2.3"), Auth::none());
        assert!(pull.run(&store, |_| {}).unwrap().is_complete());
        times[usize::from(synced)].push(started.elapsed());
        let root = *store.complete()[0].root();
        assert_eq!(store.verify(&root).unwrap().right as usize, FILES);
        drop(store);
        std::fs::remove_dir_all(&into).unwrap();
    }
    let rate = |times: &mut Vec<Duration>| {
        times.sort();
        STUDY as f64 / 1e6 / times[times.len() / 2].as_secs_f64()
    };
    let [unsynced, synced] = &mut times;
    let (unsynced, synced) = (rate(unsynced), rate(synced));
    eprintln!(
        "loopback to disk: synced {synced:.0} MB/s, unsynced {unsynced:.0} MB/s, {:.2}",
        synced / unsynced
    );
}

#[test]
#[ignore = "a number for the record"]
fn verify_per_core() {
    use mic_transfer::limits::CHUNK_BYTES;
    use mic_transfer::tree::TreeBuilder;
    let bytes: Vec<u8> = (0..64).flat_map(file).take(128 * CHUNK_BYTES).collect();
    let mut tree = TreeBuilder::new();
    tree.update(&bytes);
    let (digest, leaves) = tree.finish();
    assert_eq!(digest, Digest::of(&bytes));
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let started = Instant::now();
        for (index, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
            assert!(leaves.verifies(index as u32, chunk));
        }
        best = best.min(started.elapsed());
    }
    eprintln!(
        "chunks against their leaves: {:.0} MB/s on one core",
        bytes.len() as f64 / 1e6 / best.as_secs_f64()
    );
}
