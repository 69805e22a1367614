//! `mic transfer push` and `receive`: the source dials, and the side that is dialled pulls over that line.
//!
//! The first line of a pushed connection is JSON and names the studies; from then on it is a line of the
//! protocol like any other, with the source at the dialling end. Nothing is believed for having been pushed:
//! the receiver asks for each chunk and checks it, and says that a study is there by its receipt.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;
use mic_platform::problem::Problem;
use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::FileSource;
use mic_transfer::adapter::line::{Connection, Dial};
use mic_transfer::adapter::serve::{ServeReport, serve_stream};
use mic_transfer::adapter::stream::{ByteStream, StreamConnection};
use mic_transfer::adapter::tcp::{AllowAll, Pull, PullEvent};
use mic_transfer::adapter::tls::{TlsDial, accept};
use mic_transfer::sender::SenderConfig;
use mic_transfer::source::{Source, Unreadable};
use mic_transfer::tree::Leaves;
use mic_transfer::{Auth, Digest, Manifest, SignedManifest, Uid};
use serde::{Deserialize, Serialize};

use super::line::Tls;
use super::plot::{Meter, Target};
use super::{bar, fetched_since, open, studies, tell};
use crate::output::{self, say};

/// The longest first line of a pushed connection: some thousand studies.
const ANNOUNCEMENT_MAX: usize = 256 * 1024;
/// The longest that it may take to come.
const ANNOUNCEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Serialize, Deserialize)]
struct Announcement {
    push: Vec<String>,
}

#[derive(Serialize)]
struct Pushed<'a> {
    study: &'a str,
    ok: bool,
    bytes: u64,
    message: String,
}

pub(super) fn push(
    folder: &Path,
    only: &[String],
    (to, name, tls): (SocketAddr, Option<&str>, &Tls),
    plot: Option<&Target>,
    json: bool,
) -> Result<ExitCode, Problem> {
    let mut found = studies(folder)?;
    if let Some(missing) = only.iter().find(|study| !found.contains_key(*study)) {
        let text = "expected a study of the folder";
        return Err(Problem::usage("transfer.study", text).at(missing));
    }
    found.retain(|study, _| only.is_empty() || only.contains(study));
    let files = FileSource::new();
    let mut roots: BTreeMap<String, (Digest, u64)> = BTreeMap::new();
    for (study, instances) in found {
        let ready = instances
            .unsigned()
            .map_err(|e| Problem::data("transfer.manifest", e))?;
        let manifest = ready.signed().manifest();
        roots.insert(study, (*manifest.root(), manifest.bytes_total()));
        files.insert(ready);
    }
    if roots.is_empty() {
        let text = "expected a folder with DICOM instances";
        return Err(Problem::data("transfer.study", text).at(folder.display()));
    }
    let bar = bar(json);
    bar.set_length(roots.values().map(|(_, bytes)| bytes).sum());
    let source = Counted {
        files,
        bar: bar.clone(),
        meter: Meter::start(),
    };
    let push = roots.keys().cloned().collect();
    let mut announcement = serde_json::to_vec(&Announcement { push })?;
    announcement.push(b'\n');
    let unreached = |e: io::Error| Problem::system("transfer.connect", e).at(to);
    let report = match tls.client(to, name)? {
        Some(tls) => {
            let stream = TlsDial::new(to, tls).connect().map_err(unreached)?;
            give(stream, &announcement, &source)
        }
        None => {
            let stream = TcpStream::connect_timeout(&to, CONNECT_TIMEOUT).map_err(unreached)?;
            stream.set_nodelay(true)?;
            give(stream, &announcement, &source)
        }
    }
    .map_err(unreached)?;
    bar.finish_and_clear();
    plot.map_or(Ok(()), |target| source.meter.draw(target))?;
    let mut failed = false;
    for (study, (root, bytes)) in &roots {
        let ok = report.receipts.contains(root);
        failed |= !ok;
        let message = match (&report.error, report.io) {
            _ if ok => "durable at the receiver".to_owned(),
            (Some(error), _) => error.to_string(),
            (None, Some(kind)) => format!("the line was lost: {kind}"),
            (None, None) => "no receipt came: it did not become complete there".to_owned(),
        };
        let row = Pushed {
            study,
            ok,
            bytes: *bytes,
            message,
        };
        if json {
            output::json_line(&row)?;
        } else {
            say!("{study}: {}; {bytes} bytes", row.message)?;
        }
    }
    if !json {
        eprintln!("{} bytes sent", report.sent);
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn give(stream: impl ByteStream, announcement: &[u8], source: &Counted) -> io::Result<ServeReport> {
    stream.write(announcement, &[])?;
    serve_stream(stream, source, &AllowAll, SenderConfig::default())
}

/// A source that moves a bar and counts.
struct Counted {
    files: FileSource,
    bar: ProgressBar,
    meter: Meter,
}

impl Source for Counted {
    fn manifest(&self, study: &Uid) -> Option<SignedManifest> {
        self.files.manifest(study)
    }

    fn manifest_of(&self, root: &Digest) -> Option<SignedManifest> {
        self.files.manifest_of(root)
    }

    fn read(
        &self,
        manifest: &Manifest,
        instance: u32,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), Unreadable> {
        self.bar.inc(into.len() as u64);
        self.meter.add(into.len() as u64);
        self.files.read(manifest, instance, offset, into)
    }

    fn leaves(&self, manifest: &Manifest, instance: u32) -> Result<Leaves, Unreadable> {
        self.files.leaves(manifest, instance)
    }
}

pub(super) fn receive(
    store: &Path,
    listen: SocketAddr,
    once: bool,
    tls: &Tls,
    plot: Option<&Target>,
    json: bool,
) -> Result<ExitCode, Problem> {
    let store = open(store, true)?;
    let server = tls.server()?;
    let listener = tls.listen(listen)?;
    say!("{}", listener.local_addr()?)?;
    for stream in listener.incoming() {
        let (stream, store, server) = (stream?, store.clone(), server.clone());
        let plot = plot.cloned();
        let take = move || -> Result<bool, Problem> {
            let socket = stream.try_clone()?;
            socket.set_nodelay(true)?;
            socket.set_read_timeout(Some(ANNOUNCEMENT_TIMEOUT))?;
            let lost = |e: io::Error| Problem::system("transfer.connect", e);
            match server {
                Some(tls) => {
                    let stream = accept(stream, &tls).map_err(lost)?;
                    socket.set_read_timeout(Some(ANNOUNCEMENT_TIMEOUT))?;
                    take_in(stream, &socket, &store, plot.as_ref(), json)
                }
                None => take_in(stream, &socket, &store, plot.as_ref(), json),
            }
        };
        if once {
            return Ok(ExitCode::from(u8::from(!take()?)));
        }
        std::thread::spawn(move || {
            if let Err(problem) = take() {
                eprintln!("mic: {} [{}]", problem.detail, problem.code);
            }
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// Says whether every study named became complete.
fn take_in(
    stream: impl ByteStream,
    socket: &TcpStream,
    store: &DiskStore,
    plot: Option<&Target>,
    json: bool,
) -> Result<bool, Problem> {
    let announced = announcement(&stream)?;
    socket.set_read_timeout(None)?;
    let mut pull = Pull::over(Dialled(Mutex::new(Some(stream)))).reconnects(0);
    for study in &announced.push {
        let uid = Uid::new(study).map_err(|e| Problem::data("transfer.study", e))?;
        pull = pull.study(uid, Auth::none());
    }
    let (meter, mut came) = (Meter::start(), BTreeMap::new());
    let report = pull
        .run(store, |event| {
            if let PullEvent::Planned(study, progress) | PullEvent::Progress(study, progress) =
                event
            {
                meter.add(fetched_since(
                    came.insert(study.clone(), progress),
                    progress,
                ));
            }
        })
        .map_err(|e| Problem::system("transfer.connect", e))?;
    plot.map_or(Ok(()), |target| meter.draw(target))?;
    tell(&report, json)
}

fn announcement(stream: &impl ByteStream) -> Result<Announcement, Problem> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    loop {
        let read = stream
            .read(&mut byte)
            .map_err(|e| Problem::system("transfer.announcement", e))?;
        if byte == [b'\n'] {
            break;
        }
        if read == 0 || line.len() == ANNOUNCEMENT_MAX {
            return Err(Problem::data(
                "transfer.announcement",
                "expected a line that names the studies pushed",
            ));
        }
        line.extend(byte);
    }
    serde_json::from_slice(&line).map_err(|e| Problem::data("transfer.announcement", e))
}

/// A line that stands already.
struct Dialled<S>(Mutex<Option<S>>);

impl<S: ByteStream> Dial for Dialled<S> {
    fn dial(&self) -> io::Result<Box<dyn Connection>> {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match stream.take() {
            Some(stream) => Ok(Box::new(StreamConnection::new(stream))),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn name(&self) -> String {
        "the pushing side".to_owned()
    }
}
