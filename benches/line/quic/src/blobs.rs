//! iroh-blobs: a file store on both sides, one collection that holds the study; no relays, no discovery.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use iroh::endpoint::presets;
use iroh::protocol::Router;
use iroh::{Endpoint, EndpointAddr, RelayMode};
use iroh_blobs::api::Store;
use iroh_blobs::format::collection::Collection;
use iroh_blobs::store::fs::FsStore;
use iroh_blobs::{BlobsProtocol, HashAndFormat};

async fn endpoint(at: SocketAddr) -> anyhow::Result<Endpoint> {
    let builder = Endpoint::builder(presets::Minimal)
        .relay_mode(RelayMode::Disabled)
        .clear_ip_transports()
        .bind_addr(at)?;
    Ok(builder.bind().await?)
}

/// Gives the files of a folder to everyone, until ended; what to ask for goes into `ticket`.
pub async fn serve(
    at: SocketAddr,
    folder: &Path,
    store: &Path,
    ticket: &Path,
) -> anyhow::Result<()> {
    let endpoint = endpoint(at).await?;
    let store: Store = FsStore::load(store).await?.into();
    let (mut items, mut tags) = (Vec::new(), Vec::new());
    for path in crate::files(folder)? {
        let tag = store.blobs().add_path(&path).temp_tag().await?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        items.push((name.into_owned(), tag.hash()));
        tags.push(tag);
    }
    let all = Collection::from_iter(items).store(&store).await?;
    std::fs::write(ticket, format!("{} {}", endpoint.id(), all.hash()))?;
    let router = Router::builder(endpoint)
        .accept(iroh_blobs::ALPN, BlobsProtocol::new(&store, None))
        .spawn();
    println!("ready");
    std::future::pending::<()>().await;
    drop((router, tags));
    Ok(())
}

/// Takes all into a store.
pub async fn get(
    own: SocketAddr,
    at: SocketAddr,
    ticket: &Path,
    store: &Path,
) -> anyhow::Result<()> {
    let ticket = std::fs::read_to_string(ticket)?;
    let (id, hash) = ticket.split_once(' ').context("a ticket of two words")?;
    let endpoint = endpoint(own).await?;
    let store: Store = FsStore::load(store).await?.into();
    let to = EndpointAddr::new(id.parse()?).with_ip_addr(at);
    let connection = endpoint.connect(to, iroh_blobs::ALPN).await?;
    let all = HashAndFormat::hash_seq(hash.parse()?);
    store.remote().fetch(connection, all).complete().await?;
    store.shutdown().await?;
    endpoint.close().await;
    Ok(())
}
