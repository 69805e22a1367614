//! The physical reference: files over plain TCP, no framing, no checks; each connection has its share.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use super::{Client, Delivered, First, Peer, Plan};
use crate::lab::Side;
use crate::measure::Run;

const BUFFER_BYTES: usize = 1024 * 1024;
const PORT: u16 = 15_000;

/// A copy over so many connections.
#[derive(Debug)]
pub struct Raw(pub usize);

impl Peer for Raw {
    fn name(&self) -> String {
        format!("tcp-{}", self.0)
    }

    fn what(&self) -> String {
        match self.0 {
            1 => "plain copy over TCP, 1 connection: the reference".into(),
            count => format!("plain copy over TCP, {count} connections with fixed shares"),
        }
    }

    fn start(&self, run: &mut Run<'_>) -> anyhow::Result<Plan> {
        let at = format!("{}:{PORT}", run.address(Side::Archive));
        let connections = self.0.to_string();
        run.serve_ready(
            Side::Archive,
            &run.own(&["peer", "raw-serve", &at, &run.source(), &connections])?,
        )?;
        let target = run.target().to_string_lossy().into_owned();
        Ok(Plan {
            clients: vec![Client::new(
                Side::Hospital,
                run.own(&["peer", "raw-get", &at, &target, &connections])?,
            )],
            first: First::File {
                folder: run.target().into(),
                bytes: run.study().first_bytes(),
            },
            delivered: Delivered::Shares {
                folder: run.target().into(),
                count: self.0,
            },
            ..Plan::default()
        })
    }
}

/// The files of a share, in order.
pub fn share(files: &[PathBuf], index: usize, count: usize) -> impl Iterator<Item = &PathBuf> {
    files.iter().skip(index).step_by(count)
}

/// Serves one copy after the other.
pub fn serve(at: &str, folder: &Path, count: usize) -> anyhow::Result<()> {
    let files = crate::study::files(folder)?;
    let listener = TcpListener::bind(at)?;
    println!("ready");
    loop {
        let streams: Vec<TcpStream> = (0..count)
            .map(|_| Ok(listener.accept()?.0))
            .collect::<anyhow::Result<_>>()?;
        thread::scope(|scope| {
            for (index, stream) in streams.iter().enumerate() {
                let mine: Vec<&PathBuf> = share(&files, index, count).collect();
                scope.spawn(move || {
                    mine.into_iter()
                        .try_for_each(|path| pump(&mut File::open(path)?, &mut &*stream))
                });
            }
        });
    }
}

/// Takes one copy.
pub fn get(at: &str, folder: &Path, count: usize) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let all: Vec<_> = (0..count)
            .map(|index| {
                // Connected in order: the server deals the shares as connections come.
                let stream = TcpStream::connect(at);
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut file = File::create(folder.join(format!("share-{index}")))?;
                    Ok(pump(&mut stream?, &mut file)?)
                })
            })
            .collect();
        all.into_iter()
            .try_for_each(|one| one.join().map_err(|_| anyhow::anyhow!("a share failed"))?)
    })
}

fn pump(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read])?;
    }
}
