//! Contestants over QUIC for `line`: plain quinn, and iroh-blobs. Started by it; see `benches/README.md`.

mod blobs;
mod plain;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    side: Side,
}

#[derive(Debug, Subcommand)]
enum Side {
    QuinnServe {
        at: SocketAddr,
        folder: PathBuf,
        certificate: PathBuf,
        congestion: plain::Congestion,
    },
    QuinnGet {
        at: SocketAddr,
        certificate: PathBuf,
        output: PathBuf,
        congestion: plain::Congestion,
    },
    IrohServe {
        at: SocketAddr,
        folder: PathBuf,
        store: PathBuf,
        ticket: PathBuf,
    },
    IrohGet {
        own: SocketAddr,
        at: SocketAddr,
        ticket: PathBuf,
        store: PathBuf,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().side {
        Side::QuinnServe {
            at,
            folder,
            certificate,
            congestion,
        } => plain::serve(at, &folder, &certificate, congestion).await,
        Side::QuinnGet {
            at,
            certificate,
            output,
            congestion,
        } => plain::get(at, &certificate, &output, congestion).await,
        Side::IrohServe {
            at,
            folder,
            store,
            ticket,
        } => blobs::serve(at, &folder, &store, &ticket).await,
        Side::IrohGet {
            own,
            at,
            ticket,
            store,
        } => blobs::get(own, at, &ticket, &store).await,
    }
}

/// The files of a folder in order.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    files.sort_unstable();
    Ok(files)
}
