//! QUIC (XFR-104): each line of a pull is a stream of one connection, for lines that lose packets or whose ends
//! move.
//!
//! On a clean leased line TCP is faster and takes a fraction of the processor; see `DESIGN.md`. The
//! frames are the same, and so is the trust: certificates on both sides.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::io;

use quinn::congestion::BbrConfig;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    ClientConfig, Endpoint, Incoming, RecvStream, SendStream, ServerConfig, TransportConfig, VarInt,
};
use rustls::pki_types::CertificateDer;
use tokio::io::Join;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::line::{Connection, Dial};
use super::serve::{Authorizer, Peer, ServeConfig, ServeReport};
use super::tls::{ClientTls, ServerTls, TlsError};
use super::tokio::{AsyncDial, serve};
use crate::source::Source;

/// Lines of one pull, the most that a source accepts on a connection.
const STREAMS_MAX: u32 = 16;
/// Bytes on their way on one stream: the window of a connection, twice for clicks.
const STREAM_WINDOW: u32 = 16 * 1024 * 1024;
/// The longest silence of a connection: shorter than the core waits for an answer, since lines made again
/// would else be streams of a connection whose other end is gone.
const IDLE: Duration = Duration::from_secs(8);
/// A word so often tells that both ends are there, and keeps a standing connection through firewalls.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// How a side finds out what the line bears.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Congestion {
    /// By loss: fair to TCP, slow where packets are lost for other reasons.
    #[default]
    Cubic,
    /// By measured rate and round trip: for lines that lose packets at random.
    Bbr,
}

fn transport(congestion: Congestion) -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .send_window(u64::from(STREAM_WINDOW))
        .keep_alive_interval(Some(KEEP_ALIVE));
    if let Ok(idle) = IDLE.try_into() {
        transport.max_idle_timeout(Some(idle));
    }
    if congestion == Congestion::Bbr {
        transport.congestion_controller_factory(Arc::new(BbrConfig::default()));
    }
    Arc::new(transport)
}

type BiStream = Join<RecvStream, SendStream>;

/// Makes lines over one QUIC connection, which is made when the first line is asked for and again when
/// it is lost.
#[derive(Debug, Clone)]
pub struct QuicDial(AsyncDial);

impl QuicDial {
    /// To this address; the connection lives on the runtime of `handle`.
    ///
    /// # Errors
    /// No socket can be had, or the suites of `tls` lack what QUIC needs.
    pub fn new(
        handle: &Handle,
        address: SocketAddr,
        tls: &ClientTls,
        congestion: Congestion,
    ) -> io::Result<Self> {
        let config = QuicClientConfig::try_from(tls.config()).map_err(io::Error::other)?;
        let mut config = ClientConfig::new(Arc::new(config));
        config.transport_config(transport(congestion));
        let any = match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let _inside = handle.enter();
        let mut endpoint = Endpoint::client(SocketAddr::new(any, 0))?;
        endpoint.set_default_client_config(config);
        let name: Arc<str> = tls.name().to_str().into();
        let shared: Arc<Mutex<Option<quinn::Connection>>> = Arc::default();
        Ok(Self(AsyncDial::new(
            handle,
            format!("quic://{address}"),
            move || {
                let (endpoint, name, shared) =
                    (endpoint.clone(), Arc::clone(&name), Arc::clone(&shared));
                async move { open(&endpoint, address, &name, &shared).await }
            },
        )))
    }
}

async fn open(
    endpoint: &Endpoint,
    address: SocketAddr,
    name: &str,
    shared: &Mutex<Option<quinn::Connection>>,
) -> io::Result<BiStream> {
    let mut known = shared.lock().await;
    let live = known.take().filter(|it| it.close_reason().is_none());
    let connection = match live {
        Some(connection) => connection,
        None => {
            endpoint
                .connect(address, name)
                .map_err(io::Error::other)?
                .await?
        }
    };
    *known = Some(connection.clone());
    drop(known);
    let (send, receive) = connection.open_bi().await?;
    Ok(tokio::io::join(receive, send))
}

impl Dial for QuicDial {
    fn dial(&self) -> io::Result<Box<dyn Connection>> {
        self.0.dial()
    }

    fn name(&self) -> String {
        self.0.name()
    }
}

/// A source's endpoint. Call it within a runtime.
///
/// # Errors
/// The address can't be bound, or the suites of `tls` lack what QUIC needs.
pub fn listen(
    address: SocketAddr,
    tls: &ServerTls,
    congestion: Congestion,
) -> io::Result<Endpoint> {
    let config = QuicServerConfig::try_from(tls.config())
        .map_err(|error| io::Error::other(TlsError::new("use TLS for QUIC", error)))?;
    let mut config = ServerConfig::with_crypto(Arc::new(config));
    config.transport_config(transport(congestion));
    Endpoint::server(config, address)
}

/// Serves one connection, each of its streams by a task, until the receiver has gone; `on_end` is told
/// what each carried.
///
/// # Errors
/// The handshake failed.
pub async fn serve_quic(
    incoming: Incoming,
    source: impl Source + Clone + Send + Sync + 'static,
    authorizer: impl Authorizer + Clone + Send + Sync + 'static,
    config: impl Into<ServeConfig>,
    on_end: impl Fn(ServeReport) + Clone + Send + 'static,
) -> io::Result<()> {
    let config = config.into();
    let connection = incoming.await?;
    let peer = Peer::new(Some(connection.remote_address()));
    let peer = match certificate(&connection) {
        Some(certificate) => peer.with_certificate(&certificate),
        None => peer,
    };
    while let Ok((send, receive)) = connection.accept_bi().await {
        let stream = tokio::io::join(receive, send);
        let (peer, source, authorizer) = (peer.clone(), source.clone(), authorizer.clone());
        let (config, on_end) = (config.clone(), on_end.clone());
        tokio::spawn(async move {
            let report = serve(stream, peer, source, authorizer, config).await;
            on_end(report);
        });
    }
    Ok(())
}

fn certificate(connection: &quinn::Connection) -> Option<CertificateDer<'static>> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    chain.first().cloned()
}
