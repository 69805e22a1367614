//! TLS 1.3 with certificates on both sides (XFR-103), over any blocking stream.
//!
//! Each side shows a certificate and accepts only what its [`Trust`] names: certificates of one
//! authority of the application's choice, or the very keys of the sites it talks to. There is no way to
//! accept anybody. The certificate a receiver has proven to hold is told to the application's
//! [`super::serve::Authorizer`] with each decision, as [`super::serve::Peer`].
//!
//! Suites and signatures are those of `rustls` with `ring`; where rules ask for the national suites
//! (SM2, SM3, SM4) a gateway or a [`super::line::Dial`] of the application's own stands here instead.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::net::TcpStream;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, version::TLS13};

mod stream;
mod trust;

pub use stream::TlsStream;
pub use trust::{KeyPin, KeyPinError, Trust};

use super::line::{Connection, Dial};
use super::serve::{Authorizer, ServeConfig, ServeReport, serve_stream};
use super::stream::StreamConnection;
use super::tcp::{TcpDial, prepare};
use crate::source::Source;

/// The longest that a handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The protocol's name in the handshake (ALPN).
pub const ALPN: &[u8] = b"mic-transfer/1";

/// A certificate with its chain, and its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// From PEM: the certificate first, then those that lead to the authority; the key in PKCS #8,
    /// PKCS #1 or SEC 1.
    ///
    /// # Errors
    /// [`TlsError`] if either part has none.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| TlsError::new("read a private key from PEM", error))?;
        Ok(Self { chain, key })
    }

    /// The pin that others may know this identity by.
    ///
    /// # Errors
    /// [`TlsError`] if the certificate is malformed.
    pub fn pin(&self) -> Result<KeyPin, TlsError> {
        let first = self.chain.first().map_or(&[][..], |first| first.as_ref());
        KeyPin::of_certificate(first)
    }
}

/// Neither key nor names.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// What a receiver needs for TLS.
#[derive(Debug, Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl ClientTls {
    /// Shows `identity`, accepts a source that `trust` names. Under an authority the source's
    /// certificate must be of `name` (a host name or an address); under pinned keys the name is sent
    /// and not compared.
    ///
    /// # Errors
    /// [`TlsError`]: the name, the certificate or the key is malformed.
    pub fn new(identity: Identity, trust: &Trust, name: &str) -> Result<Self, TlsError> {
        let name = ServerName::try_from(name.to_string())
            .map_err(|error| TlsError::new("use the source's name", error))?;
        let mut config = ClientConfig::builder_with_provider(trust::provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| TlsError::new("set up TLS 1.3", error))?
            .dangerous()
            .with_custom_certificate_verifier(trust.server_verifier()?)
            .with_client_auth_cert(identity.chain, identity.key)
            .map_err(|error| TlsError::new("use the certificate and key", error))?;
        config.alpn_protocols = Vec::from([ALPN.to_vec()]);
        Ok(Self {
            config: Arc::new(config),
            name,
        })
    }

    /// For a stream of the application's own (see `tokio_rustls::TlsConnector`).
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The name the source is asked for by.
    #[must_use]
    pub const fn name(&self) -> &ServerName<'static> {
        &self.name
    }

    #[cfg(any(feature = "http", feature = "quic"))]
    #[cfg_attr(
        not(feature = "tokio-tls"),
        allow(dead_code, reason = "one of the two has a use")
    )]
    pub(super) fn with_alpn(&self, names: &[&[u8]]) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = names.iter().map(|name| name.to_vec()).collect();
        Self {
            config: Arc::new(config),
            name: self.name.clone(),
        }
    }
}

/// What a source needs for TLS.
#[derive(Debug, Clone)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
}

impl ServerTls {
    /// Shows `identity`, accepts receivers that `trust` names.
    ///
    /// # Errors
    /// [`TlsError`]: the certificate or the key is malformed.
    pub fn new(identity: Identity, trust: &Trust) -> Result<Self, TlsError> {
        let mut config = ServerConfig::builder_with_provider(trust::provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| TlsError::new("set up TLS 1.3", error))?
            .with_client_cert_verifier(trust.client_verifier()?)
            .with_single_cert(identity.chain, identity.key)
            .map_err(|error| TlsError::new("use the certificate and key", error))?;
        config.alpn_protocols = Vec::from([ALPN.to_vec()]);
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// For a stream of the application's own (see `tokio_rustls::TlsAcceptor`).
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    #[cfg(any(feature = "http", feature = "quic"))]
    #[cfg_attr(
        not(feature = "tokio-tls"),
        allow(dead_code, reason = "one of the two has a use")
    )]
    pub(super) fn with_alpn(&self, names: &[&[u8]]) -> Self {
        let mut config = ServerConfig::clone(&self.config);
        config.alpn_protocols = names.iter().map(|name| name.to_vec()).collect();
        Self {
            config: Arc::new(config),
        }
    }
}

/// Makes TLS connections over TCP.
#[derive(Debug, Clone)]
pub struct TlsDial {
    tcp: TcpDial,
    tls: ClientTls,
}

impl TlsDial {
    /// To this address.
    #[must_use]
    pub const fn new(address: SocketAddr, tls: ClientTls) -> Self {
        Self {
            tcp: TcpDial::new(address),
            tls,
        }
    }
}

impl TlsDial {
    /// A connection whose handshake is done, for whoever wants more of it than a line of a pull: a source
    /// that dials its receiver serves it by [`serve_stream`].
    ///
    /// # Errors
    /// As the operating system says, or the handshake failed.
    pub fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        self.connect_timed().map(|(stream, _)| stream)
    }

    fn connect_timed(&self) -> io::Result<(TlsStream<TcpStream>, Duration)> {
        let (stream, round_trip) = self.tcp.connect()?;
        let client = ClientConnection::new(self.tls.config(), self.tls.name.clone())
            .map_err(io::Error::other)?;
        Ok((over_tcp(stream, client.into())?, round_trip))
    }
}

impl Dial for TlsDial {
    fn dial(&self) -> io::Result<Box<dyn Connection>> {
        let (stream, round_trip) = self.connect_timed()?;
        let connection = StreamConnection::new(stream).with_round_trip(round_trip);
        Ok(Box::new(connection))
    }

    fn name(&self) -> String {
        format!("tls://{}", self.tcp.name())
    }
}

/// Serves one TLS connection until it ends; runs on the calling thread.
///
/// # Errors
/// The handshake failed: no certificate, one that the trust does not name, another protocol, 10 s.
pub fn serve_tls(
    stream: TcpStream,
    tls: &ServerTls,
    source: &impl Source,
    authorizer: &impl Authorizer,
    config: impl Into<ServeConfig>,
) -> io::Result<ServeReport> {
    serve_stream(accept(stream, tls)?, source, authorizer, config)
}

/// The handshake of the side that was dialled. A receiver that is dialled by its source makes a line of
/// the stream with [`StreamConnection::new`].
///
/// # Errors
/// The handshake failed: no certificate, one that the trust does not name, another protocol, 10 s.
pub fn accept(stream: TcpStream, tls: &ServerTls) -> io::Result<TlsStream<TcpStream>> {
    prepare(&stream)?;
    let server = ServerConnection::new(tls.config()).map_err(io::Error::other)?;
    over_tcp(stream, server.into())
}

fn over_tcp(stream: TcpStream, tls: rustls::Connection) -> io::Result<TlsStream<TcpStream>> {
    stream.set_read_timeout(Some(HANDSHAKE_TIMEOUT))?;
    let stream = TlsStream::handshake(stream, tls, HANDSHAKE_TIMEOUT)?;
    stream.inner().set_read_timeout(None)?;
    Ok(stream)
}

/// What could not be used for TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not {operation}: {detail}")]
pub struct TlsError {
    operation: &'static str,
    detail: String,
}

impl TlsError {
    pub(super) fn new(operation: &'static str, detail: impl fmt::Display) -> Self {
        Self {
            operation,
            detail: detail.to_string(),
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let list: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let list = list.map_err(|error| TlsError::new("read certificates from PEM", error))?;
    if list.is_empty() {
        return Err(TlsError::new("read certificates from PEM", "none found"));
    }
    Ok(list)
}
