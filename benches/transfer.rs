//! Transfer: manifests, chunk checks, a session in memory, and a pull over loopback TCP beside a plain copy.

use std::fs::File;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::rc::Rc;
use std::thread;

use mic_benches::transfer::{MadeStudy, cores, manifest, pump, recorded, replayed, serve, session};
use mic_benches::{Group, Seed, run, size};
use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::adapter::tcp::Pull;
use mic_transfer::limits::CHUNK_BYTES;
use mic_transfer::{Auth, Digest, Manifest, Uid};

const STUDY: &str = "1.2.826.0.1.3680043.10.1.4";

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    run(vec![
        manifests()?,
        chunks()?,
        memory()?,
        tcp(folder.path())?,
    ]);
    Ok(())
}

/// A manifest of a thousand instances to its canonical bytes and back.
fn manifests() -> anyhow::Result<Group> {
    let count = size(1_000, 20);
    let made = move || {
        let mut seed = Seed::new(5);
        manifest((0..count).map(|_| {
            let mut digest = [0; 32];
            digest.copy_from_slice(&seed.bytes(32));
            (Digest::from_bytes(digest), 526_336)
        }))
        .ok()
        .map(|manifest| *manifest.root())
    };
    let root = made();
    let mut seed = Seed::new(5);
    let encoded = manifest((0..count).map(|_| {
        let mut digest = [0; 32];
        digest.copy_from_slice(&seed.bytes(32));
        (Digest::from_bytes(digest), 526_336)
    }))?
    .encoded()
    .to_vec();
    let bytes = encoded.len();
    Ok(Group::new("transfer: manifest", "instance")
        .with("decode and check", count as u64, &root, move || {
            Manifest::decode(std::hint::black_box(&encoded))
                .ok()
                .map(|manifest| *manifest.root())
        })
        .bytes(bytes)
        .with("build, order, encode, root", count as u64, &root, made)
        .bytes(bytes))
}

/// Chunks against the leaves of their instance, beside one BLAKE3 over the same bytes.
fn chunks() -> anyhow::Result<Group> {
    let bytes = CHUNK_BYTES * size(64, 2);
    let study = Rc::new(MadeStudy::new(1, bytes)?);
    let (ours, file) = (
        Rc::clone(&study),
        study.files.first().cloned().unwrap_or_default(),
    );
    let digest = Digest::of(&file);
    Ok(Group::new("transfer: verify chunks of 256 KiB", "byte")
        .with(
            "mic-transfer, each chunk against its leaf",
            bytes as u64,
            &true,
            move || {
                ours.files.iter().zip(&ours.leaves).all(|(file, leaves)| {
                    file.chunks(CHUNK_BYTES)
                        .zip(0..)
                        .all(|(chunk, index)| leaves.verifies(index, chunk))
                })
            },
        )
        .bytes(bytes)
        .with(
            "blake3, one hash over all",
            bytes as u64,
            &digest,
            move || Digest::from_bytes(*blake3::hash(std::hint::black_box(&file)).as_bytes()),
        )
        .bytes(bytes))
}

/// Everything between two sides but the network and the disk.
fn memory() -> anyhow::Result<Group> {
    let study = Rc::new(MadeStudy::new(size(64, 3), size(524_288, 300_000))?);
    let bytes = study.bytes();
    let packets = recorded(&study)?;
    let [both, copied] = [(); 2].map(|()| Rc::clone(&study));
    Ok(
        Group::new("transfer: a study without sockets and disk", "byte")
            .with(
                "mic-transfer, receiver: frames read, chunks checked, given out to be kept",
                bytes,
                &Some(bytes),
                move || replayed(&packets).ok(),
            )
            .bytes(usize::try_from(bytes)?)
            .with(
                "mic-transfer, source and receiver, to the receipt",
                bytes,
                &Some(bytes),
                move || cores(&both).ok(),
            )
            .bytes(usize::try_from(bytes)?)
            .with(
                "the same, into a simulated disk that can forget",
                bytes,
                &Some(bytes),
                move || session(&study).ok(),
            )
            .bytes(usize::try_from(bytes)?)
            .with(
                "copy and one BLAKE3 of the bytes",
                bytes,
                &bytes,
                move || {
                    copied
                        .files
                        .iter()
                        .map(|file| {
                            let copy = std::hint::black_box(file.clone());
                            std::hint::black_box(blake3::hash(&copy));
                            copy.len() as u64
                        })
                        .sum()
                },
            )
            .bytes(usize::try_from(bytes)?),
    )
}

/// Files to files over loopback: verified, journaled, synced and receipted, beside a copy that is none of these.
fn tcp(folder: &Path) -> anyhow::Result<Group> {
    let (files, length) = (size(64, 2), size(524_288, 300_000));
    let total = files * length;
    let mut seed = Seed::new(0x7c9);
    let mut study = FileStudy::new(Uid::new(STUDY)?);
    let plain = folder.join("plain");
    let mut all = File::create(&plain)?;
    for number in 0..files {
        let path = folder.join(format!("slice-{number}"));
        let bytes = seed.bytes(length);
        std::fs::write(&path, &bytes)?;
        all.write_all(&bytes)?;
        let labels = Labels::new(
            Uid::new("1.2.840.10008.5.1.4.1.1.2")?,
            Uid::new(&format!("{STUDY}.1.{number}"))?,
            Uid::new(&format!("{STUDY}.1"))?,
            Uid::new("1.2.840.10008.1.2.1")?,
        );
        study.add(&path, labels)?;
    }
    let source = FileSource::new();
    source.insert(study.unsigned()?);
    let served = serve(source)?;
    let copied = copy_server(plain)?;
    let (ours, theirs) = (folder.join("store"), folder.join("copy"));
    Ok(Group::new(
        "transfer: files to files over loopback TCP, CPU of both ends",
        "byte",
    )
    .with(
        "mic-transfer, verified, journaled, synced, receipt",
        total as u64,
        &Some(total as u64),
        move || pull(served, &ours),
    )
    .bytes(total)
    .with(
        "raw TCP, copied to a file, synced",
        total as u64,
        &Some(total as u64),
        move || copy(copied, &theirs),
    )
    .bytes(total))
}

/// Pulls into an empty store; the bytes that came.
fn pull(source: SocketAddr, folder: &Path) -> Option<u64> {
    let store = DiskStore::open(folder).ok()?;
    let report = Pull::new(source)
        .study(Uid::new(STUDY).ok()?, Auth::none())
        .run(&store, |_| {})
        .ok()?;
    let fetched = report.is_complete().then(|| report.fetched());
    drop(store);
    std::fs::remove_dir_all(folder).ok()?;
    fetched
}

fn copy_server(path: std::path::PathBuf) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let path = path.clone();
            thread::spawn(move || pump(&mut File::open(path)?, &mut &stream));
        }
    });
    Ok(address)
}

fn copy(source: SocketAddr, path: &Path) -> Option<u64> {
    let mut file = File::create(path).ok()?;
    let copied = pump(&mut TcpStream::connect(source).ok()?, &mut file).ok()?;
    file.sync_all().ok()?;
    std::fs::remove_file(path).ok()?;
    Some(copied)
}
