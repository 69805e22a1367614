//! A line that breaks half-way: what is verified stays, the next pull asks for the rest alone, and every
//! byte is counted. Over TCP on this machine, with the ready adapters for sockets, files and disk.
//!
//! Type `cargo run -p mic-quickstart --bin resume_after_cut`. It prints:
//!
//! ```text
//! cut       the connection ended early
//! listed    0 studies complete
//! kept      … of 8388608 bytes are verified
//! resumed   … held, … fetched
//! sum       every byte once
//! complete  16 of 16 instances read again and right
//! ```
//!
//! The images are made of numbers.

use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::{fs, thread};

use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::adapter::tcp::{AllowAll, Pull, ServeConfig, StudyOutcome, serve_connection};
use mic_transfer::sender::CoderPolicy;
use mic_transfer::{Auth, Uid};

const STUDY: &str = "1.2.826.0.1.3680043.10.1.2";
const SLICES: usize = 16;
const SLICE_BYTES: usize = 512 * 1024;

fn main() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("mic-resume-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let played = play(&folder);
    fs::remove_dir_all(&folder)?;
    played
}

fn play(folder: &Path) -> anyhow::Result<()> {
    let source = serve(archive(folder)?)?;
    let total = (SLICES * SLICE_BYTES) as u64;
    let store = DiskStore::open(folder.join("store"))?;
    let study = Uid::new(STUDY)?;

    // The first pull goes through a line that is cut at half of the study.
    let broken = cut_line(source, total / 2)?;
    let first = Pull::new(broken)
        .reconnects(0)
        .study(study.clone(), Auth::none())
        .run(&store, |_| {})?;
    for study in &first.studies {
        if let StudyOutcome::Failed(error) = &study.outcome {
            println!("cut       {error}");
        }
    }
    println!("listed    {} studies complete", store.complete().len());
    let kept: u64 = first
        .studies
        .iter()
        .filter_map(|study| study.progress)
        .map(|p| p.bytes_done)
        .sum();
    println!("kept      {kept} of {total} bytes are verified");

    // The second pull takes a sound line, even in another process.
    drop(store);
    let store = DiskStore::open(folder.join("store"))?;
    let second = Pull::new(source)
        .study(study, Auth::none())
        .run(&store, |_| {})?;
    println!(
        "resumed   {} held, {} fetched",
        second.held(),
        second.fetched()
    );
    println!(
        "sum       {}",
        if second.held() + second.fetched() == total {
            "every byte once"
        } else {
            "wrong"
        }
    );

    for study in store.complete() {
        let right = store.verify(study.root())?.right;
        println!("complete  {right} of {SLICES} instances read again and right");
    }
    Ok(())
}

/// Files of a made-up study, hashed into a manifest.
fn archive(folder: &Path) -> anyhow::Result<FileSource> {
    let mut study = FileStudy::new(Uid::new(STUDY)?);
    for number in 0..SLICES {
        let path = folder.join(format!("slice-{number}"));
        let bytes: Vec<u8> = (0..SLICE_BYTES)
            .map(|at| (at * (number + 3) / 11) as u8)
            .collect();
        fs::write(&path, bytes)?;
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
    Ok(source)
}

/// Serves each connection on a thread of its own, until the program ends.
fn serve(source: FileSource) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mut config = ServeConfig::default();
    // Not coded: the line is cut at a place of the images' own bytes.
    config.sender.coding = CoderPolicy::Off;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (source, config) = (source.clone(), config.clone());
            thread::spawn(move || serve_connection(stream, &source, &AllowAll, config));
        }
    });
    Ok(address)
}

/// A line that breaks after it has carried so many bytes to the receiver.
fn cut_line(source: SocketAddr, bytes: u64) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || -> io::Result<()> {
        let (receiver, _) = listener.accept()?;
        let sender = TcpStream::connect(source)?;
        let (mut from, mut to) = (receiver.try_clone()?, sender.try_clone()?);
        thread::spawn(move || io::copy(&mut from, &mut to));
        io::copy(&mut (&sender).take(bytes), &mut &receiver)?;
        receiver.shutdown(Shutdown::Both)?;
        sender.shutdown(Shutdown::Both)
    });
    Ok(address)
}
