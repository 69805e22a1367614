//! The programs of both sides: started by a run, each on its host.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy, Labels};
use mic_transfer::adapter::tcp::{Pull, PullEvent};
use mic_transfer::p10;
use mic_transfer::receiver::Priority;
use mic_transfer::sender::{CoderPolicy, SenderConfig};
use mic_transfer::{Auth, Uid};
use tokio::runtime::Runtime;

use super::Start;
use crate::peers::{Manner, dial, give};
use crate::study;

/// Images of a study that is asked for on a warm connection: 10 MB of CT, so that the line's rate stays known.
const PART: usize = 20;
/// The study of all images.
const WHOLE: &str = "2.25.1";
const TIMEOUT: Duration = Duration::from_secs(30);
/// Times that the round trip is measured.
const ROUND_TRIPS: usize = 10;

/// How often, and after what rest.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Asked {
    /// Images that are timed.
    #[arg(long, default_value_t = 7)]
    times: usize,
    /// Seconds of rest before each.
    #[arg(long, default_value_t = 3.0)]
    idle_s: f64,
}

impl Asked {
    pub(super) fn words(&self, start: Start) -> Vec<String> {
        let start = if start == Start::Warm { "warm" } else { "cold" };
        vec![
            "--times".into(),
            self.times.to_string(),
            "--idle-s".into(),
            self.idle_s.to_string(),
            "--start".into(),
            start.into(),
        ]
    }

    fn rest(&self) {
        thread::sleep(Duration::from_secs_f64(self.idle_s));
    }
}

fn part_uid(number: usize) -> anyhow::Result<Uid> {
    Ok(Uid::new(&format!("2.25.2.{number}"))?)
}

/// Serves the images of a folder as one study and as studies of a few images each: what is here already would not
/// travel again.
pub fn serve(manner: &Manner, at: SocketAddr, folder: &Path) -> anyhow::Result<()> {
    let files = study::files(folder)?;
    let source = FileSource::new();
    let parts = files
        .chunks(PART)
        .enumerate()
        .map(|(number, part)| anyhow::Ok((part_uid(number)?, part)));
    let whole = std::iter::once(Ok((Uid::new(WHOLE)?, &files[..])));
    for study in whole.chain(parts) {
        let (uid, files) = study?;
        let mut study = FileStudy::new(uid);
        for (rank, path) in (0..).zip(files) {
            let header = p10::read(&mut File::open(path)?)?;
            study.add(path, Labels::from(&header).with_rank(rank))?;
        }
        source.insert(study.unsigned()?);
    }
    let mut config = SenderConfig::default();
    config.coding = CoderPolicy::Off;
    give(manner, at, source, config)
}

/// What came, and when.
enum Came {
    /// A first image.
    First(Instant),
    /// The study is whole.
    Whole,
    /// It is not, or an image is a wrong one.
    Wrong(String),
}

struct Judge {
    right: BTreeSet<[u8; 32]>,
    told: Sender<Came>,
}

impl Judge {
    fn hear(&self, event: &PullEvent<'_>) {
        let came = match event {
            PullEvent::First { bytes, .. } => {
                let now = Instant::now();
                if self.right.contains(blake3::hash(bytes).as_bytes()) {
                    Came::First(now)
                } else {
                    Came::Wrong("no image of the study".into())
                }
            }
            PullEvent::Complete(..) => Came::Whole,
            PullEvent::Failed(_, error) => Came::Wrong(error.to_string()),
            _ => return,
        };
        // Nobody listens any more where a cold pull is cancelled.
        let _ = self.told.send(came);
    }
}

/// Pulls, and says on a line of output what each first image took.
pub fn pull(
    manner: &Manner,
    connections: u32,
    at: SocketAddr,
    folder: &Path,
    store: &Path,
    asked: Asked,
    start: Start,
) -> anyhow::Result<()> {
    let files = study::files(folder)?;
    let right = files
        .iter()
        .map(|path| Ok(*blake3::hash(&fs::read(path)?).as_bytes()));
    let right: BTreeSet<[u8; 32]> = right.collect::<anyhow::Result<_>>()?;
    let runtime = Runtime::new()?;
    let group = || -> anyhow::Result<Pull<'static>> {
        let pull = Pull::over(dial(manner, runtime.handle(), at)?);
        Ok(pull.connections(connections).verify_first_with(|_| Ok(())))
    };
    let (told, came) = channel();
    if start == Start::Cold {
        for time in 0..asked.times {
            let pull = group()?.study(Uid::new(WHOLE)?, Auth::none());
            let store = DiskStore::open(store.join(time.to_string()))?;
            let (control, mut first) = (pull.control(), None);
            let (judge, began) = (
                Judge {
                    right: right.clone(),
                    told: told.clone(),
                },
                Instant::now(),
            );
            pull.run(&store, |event| {
                judge.hear(&event);
                if let (PullEvent::First { .. }, None) = (&event, first) {
                    first = Some(Instant::now());
                    control.cancel();
                }
            })?;
            match came.recv_timeout(Duration::ZERO) {
                Ok(Came::First(at)) => say("ms", at - began),
                Ok(Came::Wrong(why)) => anyhow::bail!(why),
                _ => anyhow::bail!("no first image came"),
            }
            while came.try_recv().is_ok() {}
            asked.rest();
        }
        return Ok(());
    }
    anyhow::ensure!(
        files.len() / PART > asked.times,
        "the study has too few images"
    );
    let (group, store) = (group()?, DiskStore::open(store)?);
    let (control, judge) = (group.control(), Judge { right, told });
    thread::scope(|scope| {
        scope.spawn(|| group.stand(&store, |event| judge.hear(&event)));
        let asked = || -> anyhow::Result<()> {
            // The first one warms up.
            for time in 0..=asked.times {
                let began = Instant::now();
                control.pull(part_uid(time)?, Auth::none(), Priority::Waiting);
                let mut first = None;
                loop {
                    match came.recv_timeout(TIMEOUT) {
                        Ok(Came::First(at)) => first = first.or(Some(at - began)),
                        Ok(Came::Whole) => break,
                        Ok(Came::Wrong(why)) => anyhow::bail!(why),
                        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                            anyhow::bail!("nothing came")
                        }
                    }
                }
                let first = first.context("no first image came")?;
                if time > 0 {
                    say("ms", first);
                }
                asked.rest();
            }
            Ok(())
        };
        let done = asked();
        control.close();
        done
    })
}

fn say(what: &str, took: Duration) {
    println!("{what} {:.3}", took.as_secs_f64() * 1e3);
}

/// Answers each byte: a zero by a zero, another by the image.
pub fn serve_image(at: SocketAddr, image: &Path) -> anyhow::Result<()> {
    let image = fs::read(image)?;
    let listener = TcpListener::bind(at)?;
    println!("ready");
    for stream in listener.incoming() {
        let mut stream = stream?;
        stream.set_nodelay(true)?;
        let mut byte = [0];
        while matches!(stream.read(&mut byte), Ok(1)) {
            let answer = if byte == [0] { &byte[..] } else { &image };
            stream.write_all(answer)?;
        }
    }
    Ok(())
}

/// Asks for an image and compares it: from the server of bytes at an address, or once for each connection from the
/// web server of an `http` address.
pub fn get(from: &str, image: &Path, asked: Asked, start: Start) -> anyhow::Result<()> {
    let image = fs::read(image)?;
    if let Some(url) = from.strip_prefix("http://") {
        anyhow::ensure!(start == Start::Cold, "HTTP is asked on new connections");
        let (host, path) = url.split_once('/').context("an address with a path")?;
        for _ in 0..asked.times {
            let began = Instant::now();
            let mut stream = TcpStream::connect(host)?;
            let request =
                format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes())?;
            let mut answer = Vec::with_capacity(image.len() + 1024);
            stream.read_to_end(&mut answer)?;
            let took = began.elapsed();
            anyhow::ensure!(answer.ends_with(&image), "another image came");
            say("ms", took);
            asked.rest();
        }
        return Ok(());
    }
    let mut stream = TcpStream::connect(from)?;
    stream.set_nodelay(true)?;
    let mut least = Duration::MAX;
    for _ in 0..ROUND_TRIPS {
        let (began, mut byte) = (Instant::now(), [0]);
        stream.write_all(&byte)?;
        stream.read_exact(&mut byte)?;
        least = least.min(began.elapsed());
    }
    say("rtt", least);
    let mut came = vec![0; image.len()];
    // As much as a study before it, then the images that are timed.
    for time in 0..PART + asked.times {
        let began = Instant::now();
        stream.write_all(&[1])?;
        stream.read_exact(&mut came)?;
        let took = began.elapsed();
        anyhow::ensure!(came == image, "another image came");
        if time >= PART {
            say("ms", took);
        }
        if time >= PART - 1 {
            asked.rest();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked = Asked {
        times: 2,
        idle_s: 0.0,
    };

    #[test]
    fn ok_an_image_is_compared_before_it_counts() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let (given, other) = (folder.path().join("given"), folder.path().join("other"));
        fs::write(&given, vec![7; 100_000])?;
        fs::write(&other, vec![8; 100_000])?;
        let at = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let served = given.clone();
        // It ends with the test's process.
        thread::spawn(move || serve_image(at, &served));
        while TcpStream::connect(at).is_err() {
            thread::sleep(Duration::from_millis(5));
        }
        get(&at.to_string(), &given, ASKED, Start::Warm)?;
        let wrong = get(&at.to_string(), &other, ASKED, Start::Warm);
        assert!(wrong.is_err_and(|error| error.to_string() == "another image came"));
        assert!(get("http://127.0.0.1:1/x", &given, ASKED, Start::Warm).is_err());
        Ok(())
    }
}
