//! All files in order on one stream of one connection, windows wide enough for any line here: what QUIC costs.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use quinn::congestion::{BbrConfig, CubicConfig};
use quinn::{ClientConfig, Endpoint, ServerConfig, TransportConfig, VarInt};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncWriteExt;

const NAME: &str = "archive";
/// Bytes on their way: more than any line of the bench holds.
const WINDOW: u32 = 32 * 1024 * 1024;
const READ_BYTES: usize = 1024 * 1024;

/// As the hosts' TCP has it, where quinn knows it.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Congestion {
    Bbr,
    Cubic,
}

fn transport(congestion: Congestion) -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    transport
        .stream_receive_window(VarInt::from_u32(WINDOW))
        .receive_window(VarInt::from_u32(WINDOW))
        .send_window(u64::from(WINDOW));
    match congestion {
        Congestion::Bbr => {
            transport.congestion_controller_factory(Arc::new(BbrConfig::default()));
        }
        Congestion::Cubic => {
            transport.congestion_controller_factory(Arc::new(CubicConfig::default()));
        }
    }
    Arc::new(transport)
}

/// Gives the files of a folder to everyone, until ended.
pub async fn serve(
    at: SocketAddr,
    folder: &Path,
    certificate: &Path,
    congestion: Congestion,
) -> anyhow::Result<()> {
    let made = rcgen::generate_simple_self_signed(vec![NAME.into()])?;
    std::fs::write(certificate, made.cert.der())?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let mut config = ServerConfig::with_single_cert(vec![made.cert.der().clone()], key.into())?;
    config.transport_config(transport(congestion));
    let endpoint = Endpoint::server(config, at)?;
    let files = crate::files(folder)?;
    println!("ready");
    while let Some(incoming) = endpoint.accept().await {
        let connection = incoming.await?;
        let mut stream = connection.open_uni().await?;
        for path in &files {
            stream.write_chunk(std::fs::read(path)?.into()).await?;
        }
        stream.finish()?;
        connection.closed().await;
    }
    Ok(())
}

/// Takes all into one file.
pub async fn get(
    at: SocketAddr,
    certificate: &Path,
    output: &Path,
    congestion: Congestion,
) -> anyhow::Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(std::fs::read(certificate)?))?;
    let mut config = ClientConfig::with_root_certificates(Arc::new(roots))?;
    config.transport_config(transport(congestion));
    let mut endpoint = Endpoint::client((Ipv4Addr::UNSPECIFIED, 0).into())?;
    endpoint.set_default_client_config(config);
    let connection = endpoint.connect(at, NAME)?.await?;
    let mut stream = connection.accept_uni().await?;
    let mut file = tokio::fs::File::create(output).await?;
    while let Some(chunk) = stream.read_chunk(READ_BYTES, true).await? {
        file.write_all(&chunk.bytes).await?;
    }
    file.flush().await?;
    connection.close(0_u32.into(), b"");
    endpoint.wait_idle().await;
    Ok(())
}
