//! `mic node`: one role of the platform, until its standard input ends.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mic_index::StorageUnitCode;
use mic_platform::node::{self, Options, Role};
use mic_platform::problem::Problem;

/// Run one node; it prints a line of JSON when its doors are open and stops when its standard input
/// ends.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// hospital, province, nation or authority.
    role: Role,
    /// Folder for the node's state; its key.json and trust.json must be there.
    #[arg(long)]
    state: PathBuf,
    /// Where the HTTP door listens.
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    listen: SocketAddr,
    /// Where the transfer door listens (province).
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    listen_transfer: SocketAddr,
    /// 统一社会信用代码 of the unit that stores the images (province).
    #[arg(long)]
    storage_unit: Option<StorageUnitCode>,
    /// The HTTP door of another node, as ROLE=URL; may be repeated.
    #[arg(long = "peer", value_parser = peer)]
    peers: Vec<(Role, String)>,
}

fn peer(text: &str) -> Result<(Role, String), String> {
    let (role, url) = text
        .split_once('=')
        .ok_or("expected ROLE=URL, for example nation=http://127.0.0.1:8080")?;
    Ok((role.parse().map_err(|e: Problem| e.detail)?, url.to_owned()))
}

pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Problem> {
    node::run(Options {
        role: arguments.role,
        state: arguments.state,
        listen: arguments.listen,
        listen_transfer: arguments.listen_transfer,
        storage_unit: arguments.storage_unit,
        peers: arguments.peers.into_iter().collect::<BTreeMap<_, _>>(),
    })?;
    Ok(ExitCode::SUCCESS)
}
