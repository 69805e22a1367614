//! mic-transfer: a source and a pull as two processes over its own adapters, verified, journaled and receipted.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use mic_transfer::adapter::disk::DiskStore;
use mic_transfer::adapter::files::{FileSource, FileStudy};
use mic_transfer::adapter::tcp::{AllowAll, Pull, PullEvent, serve_connection};
use mic_transfer::sender::SenderConfig;
use mic_transfer::{Auth, Uid};

use super::{Client, Delivered, First, Peer, Plan};
use crate::lab::Side;
use crate::measure::Run;
use crate::study;

const PORT: u16 = 15_010;

pub(super) fn all() -> Vec<Box<dyn Peer>> {
    [1, 4, 8]
        .into_iter()
        .map(|connections| -> Box<dyn Peer> { Box::new(Mic { connections }) })
        .collect()
}

struct Mic {
    connections: u32,
}

impl Peer for Mic {
    fn name(&self) -> String {
        format!("mic-{}", self.connections)
    }

    fn what(&self) -> String {
        format!("**mic-transfer, TCP, {} connections**", self.connections)
    }

    fn start(&self, run: &mut Run<'_>) -> anyhow::Result<Plan> {
        let at = format!("{}:{PORT}", run.address(Side::Archive));
        run.serve_ready(
            Side::Archive,
            &run.own(&["peer", "mic-serve", &at, &run.source()])?,
        )?;
        let store = run.target().join("store");
        let client = run.own(&[
            "peer",
            "mic-pull",
            &at,
            run.study().uid(),
            &store.to_string_lossy(),
            &self.connections.to_string(),
        ])?;
        Ok(Plan {
            clients: vec![Client::new(Side::Hospital, client)],
            first: First::Told,
            delivered: Delivered::Store(store),
            ..Plan::default()
        })
    }
}

/// Serves the study of a folder to everyone, until ended.
pub fn serve(at: &str, folder: &Path) -> anyhow::Result<()> {
    let mut ready = FileStudy::new(Uid::new(&study::uid_of(folder)?)?);
    for path in study::files(folder)? {
        ready.add(&path, study::labels(&path)?)?;
    }
    let source = FileSource::new();
    source.insert(ready.unsigned()?);
    let listener = TcpListener::bind(at)?;
    println!("ready");
    for stream in listener.incoming() {
        let (stream, source) = (stream?, source.clone());
        thread::spawn(move || {
            serve_connection(stream, &source, &AllowAll, SenderConfig::default())
        });
    }
    Ok(())
}

/// Pulls a study into a store.
pub fn pull(at: SocketAddr, study: &str, store: &Path, connections: u32) -> anyhow::Result<()> {
    let store = DiskStore::open(store)?;
    let mut first = true;
    let report = Pull::new(at)
        .connections(connections)
        .verify_first_with(|_| Ok(()))
        .study(Uid::new(study)?, Auth::none())
        .run(&store, |event| {
            if first && matches!(event, PullEvent::First { .. } | PullEvent::Instance { .. }) {
                first = false;
                println!("first");
            }
        })?;
    anyhow::ensure!(report.is_complete(), "{report:?}");
    Ok(())
}
