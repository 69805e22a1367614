//! rsync's daemon: files in one pipelined stream, unencrypted.

use std::fs;
use std::path::PathBuf;

use super::{Client, Delivered, First, Peer, Plan, words};
use crate::lab::Side;
use crate::measure::Run;

const PORT: u16 = 15_873;

pub(super) fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(Rsync {
            name: "rsync",
            what: "rsync daemon",
            options: &[],
        }),
        Box::new(Rsync {
            name: "rsync-zstd",
            what: "rsync daemon, zstd 1",
            options: &["--zc=zstd", "--zl=1"],
        }),
    ]
}

struct Rsync {
    name: &'static str,
    what: &'static str,
    options: &'static [&'static str],
}

impl Peer for Rsync {
    fn name(&self) -> String {
        self.name.into()
    }

    fn what(&self) -> String {
        self.what.into()
    }

    fn needs(&self) -> Vec<PathBuf> {
        vec!["rsync".into()]
    }

    fn start(&self, run: &mut Run<'_>) -> anyhow::Result<Plan> {
        let (host, source) = (run.address(Side::Archive), run.source());
        let settings = run.state().join("rsyncd.conf");
        let text = format!(
            "use chroot = no\nuid = root\ngid = root\nport = {PORT}\naddress = {host}\n[study]\npath = {source}\nread only = yes\n"
        );
        fs::write(&settings, text)?;
        let settings = settings.to_string_lossy().into_owned();
        let server = words(&["rsync", "--daemon", "--no-detach", "--config", &settings]);
        run.serve_port(Client::new(Side::Archive, server), PORT)?;
        let target = format!("{}/", run.target().display());
        let mut client = words(&["rsync", "-a", "--partial"]);
        client.extend(words(self.options));
        client.extend([format!("rsync://{host}:{PORT}/study/"), target]);
        Ok(Plan {
            clients: vec![Client::new(Side::Hospital, client)],
            first: First::File {
                folder: run.target().into(),
                bytes: run.study().first_bytes(),
            },
            delivered: Delivered::Files(run.target().into()),
            ..Plan::default()
        })
    }
}
