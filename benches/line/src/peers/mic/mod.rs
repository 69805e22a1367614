//! mic-transfer: a source and a pull as two processes over its own adapters, verified, journaled and receipted.

mod side;

use std::path::PathBuf;

pub use side::{Manner, dial, give, pull, serve};

use super::{Client, Delivered, First, Peer, Plan, words};
use crate::lab::Side;
use crate::measure::Run;

const PORT: u16 = 15_010;

/// What carries the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Carrier {
    /// TCP in the open.
    Tcp,
    /// TLS 1.3 with certificates on both sides.
    Tls,
    /// HTTP/1.1 over the same.
    Https,
    /// HTTP/2 over the same.
    H2,
    /// Streams of one QUIC connection, certificates on both sides.
    Quic,
}

impl Carrier {
    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "",
            Self::Tls => "tls-",
            Self::Https => "https-",
            Self::H2 => "h2-",
            Self::Quic => "quic-",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Tls => "TLS 1.3 with both certificates",
            Self::Https => "HTTP/1.1 over TLS",
            Self::H2 => "HTTP/2 over TLS",
            Self::Quic => "QUIC",
        }
    }
}

/// Which chunks travel in a coded form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Coding {
    /// None.
    Off,
    /// What gets away faster, coded or raw.
    Trial,
    /// All, coded before the run and kept beside the files.
    AtRest,
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Off => "",
            Self::Trial => "-coded",
            Self::AtRest => "-at-rest",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Off => "",
            Self::Trial => ", coded by trial",
            Self::AtRest => ", coded at rest",
        }
    }
}

pub(super) fn all() -> Vec<Box<dyn Peer>> {
    use Carrier::{H2, Https, Quic, Tcp, Tls};
    use Coding::{AtRest, Off, Trial};
    let rows = [
        (Tcp, None, Off),
        (Tcp, Some(1), Off),
        (Tcp, Some(4), Off),
        (Tcp, Some(8), Off),
        (Tls, None, Off),
        (Tls, Some(1), Off),
        (Tls, Some(4), Off),
        (Tls, Some(8), Off),
        (Tls, None, Trial),
        (Tls, Some(4), Trial),
        (Tls, Some(4), AtRest),
        (Https, Some(4), Off),
        (H2, Some(4), Off),
        (Quic, Some(4), Off),
    ];
    rows.into_iter()
        .map(|(carrier, connections, coding)| -> Box<dyn Peer> {
            Box::new(Mic {
                carrier,
                connections,
                coding,
            })
        })
        .collect()
}

struct Mic {
    carrier: Carrier,
    /// As many as the pull makes by itself, if not said.
    connections: Option<u32>,
    coding: Coding,
}

impl Peer for Mic {
    fn name(&self) -> String {
        let connections = self.connections.map_or("auto".into(), |it| it.to_string());
        let (carrier, coding) = (self.carrier.name(), self.coding.name());
        format!("mic-{carrier}{connections}{coding}")
    }

    fn what(&self) -> String {
        let lines = match (self.carrier, self.connections) {
            (_, None) => "connections by distance",
            (_, Some(1)) => "1 connection",
            (Carrier::Quic, _) => "4 streams",
            (_, Some(4)) => "4 connections",
            _ => "8 connections",
        };
        format!(
            "**mic-transfer, {}, {lines}{}**",
            self.carrier.what(),
            self.coding.what()
        )
    }

    fn needs(&self) -> Vec<PathBuf> {
        match self.carrier {
            Carrier::Tcp => Vec::new(),
            _ => vec!["openssl".into()],
        }
    }

    fn start(&self, run: &mut Run<'_>) -> anyhow::Result<Plan> {
        let source = run.source();
        let at = archive(run, Side::Archive, &source, self.carrier, self.coding)?;
        let store = run.target().join("store");
        let mut client = run.own(&["peer", "mic-pull"])?;
        client.extend(manner(run, self.carrier, self.coding)?);
        client.extend(words(&[
            &self.connections.unwrap_or(0).to_string(),
            run.study().uid(),
            &store.to_string_lossy(),
            &at,
        ]));
        Ok(Plan {
            clients: vec![Client::new(Side::Hospital, client)],
            first: First::Told,
            delivered: Delivered::Store(store),
            ..Plan::default()
        })
    }
}

/// Starts a source of the files of a folder on a host; its address.
pub fn archive(
    run: &mut Run<'_>,
    side: Side,
    folder: &str,
    carrier: Carrier,
    coding: Coding,
) -> anyhow::Result<String> {
    let at = format!("{}:{PORT}", run.address(side));
    let mut server = run.own(&["peer", "mic-serve"])?;
    server.extend(manner(run, carrier, coding)?);
    let rest = run.state().join(format!("rest-{side:?}"));
    server.extend(words(&[&at, folder, &rest.to_string_lossy()]));
    run.serve_ready(side, &server)?;
    Ok(at)
}

/// The words by which a side learns how to speak.
pub fn manner(run: &Run<'_>, carrier: Carrier, coding: Coding) -> anyhow::Result<Vec<String>> {
    use clap::ValueEnum;
    let word = |value: Option<clap::builder::PossibleValue>| {
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    };
    let mut said = words(&["--carrier", &word(carrier.to_possible_value())]);
    said.extend(words(&["--coding", &word(coding.to_possible_value())]));
    if run.congestion() == "bbr" {
        said.push("--bbr".into());
    }
    if carrier != Carrier::Tcp {
        for name in ["archive", "hospital"] {
            let (key, certificate) = run.certificate(name)?;
            for (option, path) in [("key", key), ("certificate", certificate)] {
                said.extend(words(&[
                    &format!("--{name}-{option}"),
                    &path.to_string_lossy(),
                ]));
            }
        }
    }
    Ok(said)
}
