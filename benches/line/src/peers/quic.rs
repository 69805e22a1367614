//! QUIC without a protocol of studies on it, and iroh-blobs: programs of `quic/`, a workspace of its own.

use std::path::PathBuf;

use super::{Client, Delivered, First, Peer, Plan, words};
use crate::lab::Side;
use crate::measure::Run;

const PORT: u16 = 15_020;
/// The program is looked for beside this one, unless the variable says another place.
const PROGRAM: &str = "line-quic";
const PROGRAM_VARIABLE: &str = "LINE_QUIC";

pub(super) fn all() -> Vec<Box<dyn Peer>> {
    vec![Box::new(Quinn), Box::new(Iroh)]
}

fn program() -> PathBuf {
    let beside = || {
        let own = std::env::current_exe().unwrap_or_default();
        own.with_file_name(PROGRAM)
    };
    std::env::var_os(PROGRAM_VARIABLE).map_or_else(beside, PathBuf::from)
}

fn command(arguments: &[&str]) -> Vec<String> {
    let mut all = vec![program().to_string_lossy().into_owned()];
    all.extend(words(arguments));
    all
}

struct Quinn;

impl Peer for Quinn {
    fn name(&self) -> String {
        "quinn".into()
    }

    fn what(&self) -> String {
        "plain copy over QUIC (quinn), 1 stream, wide windows".into()
    }

    fn needs(&self) -> Vec<PathBuf> {
        vec![program()]
    }

    fn start(&self, run: &mut Run<'_>) -> anyhow::Result<Plan> {
        let at = format!("{}:{PORT}", run.address(Side::Archive));
        let certificate = run.state().join("quinn.der");
        let certificate = certificate.to_string_lossy();
        // The only two that quinn has and a kernel as well.
        let congestion = if run.congestion() == "bbr" {
            "bbr"
        } else {
            "cubic"
        };
        run.serve_ready(
            Side::Archive,
            &command(&["quinn-serve", &at, &run.source(), &certificate, congestion]),
        )?;
        let output = run.target().join("share-0");
        let client = command(&[
            "quinn-get",
            &at,
            &certificate,
            &output.to_string_lossy(),
            congestion,
        ]);
        Ok(Plan {
            clients: vec![Client::new(Side::Hospital, client)],
            first: First::File {
                folder: run.target().into(),
                bytes: run.study().first_bytes(),
            },
            delivered: Delivered::Shares {
                folder: run.target().into(),
                count: 1,
            },
            ..Plan::default()
        })
    }
}

struct Iroh;

impl Peer for Iroh {
    fn name(&self) -> String {
        "iroh-blobs".into()
    }

    fn what(&self) -> String {
        "iroh-blobs, file stores, as shipped".into()
    }

    fn needs(&self) -> Vec<PathBuf> {
        vec![program()]
    }

    fn start(&self, run: &mut Run<'_>) -> anyhow::Result<Plan> {
        let at = format!("{}:{PORT}", run.address(Side::Archive));
        let (given, ticket) = (run.state().join("iroh"), run.state().join("ticket"));
        let ticket = ticket.to_string_lossy();
        run.serve_ready(
            Side::Archive,
            &command(&[
                "iroh-serve",
                &at,
                &run.source(),
                &given.to_string_lossy(),
                &ticket,
            ]),
        )?;
        let own = format!("{}:{PORT}", run.address(Side::Hospital));
        let own = if own == at {
            format!("{}:0", run.address(Side::Hospital))
        } else {
            own
        };
        let store = run.target().join("iroh");
        let client = command(&["iroh-get", &own, &at, &ticket, &store.to_string_lossy()]);
        Ok(Plan {
            clients: vec![Client::new(Side::Hospital, client)],
            // Blobs are files of the store, named by their hashes.
            delivered: Delivered::Files(store),
            ..Plan::default()
        })
    }
}
