//! Making connections to an HTTP source, directly or through a proxy.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant as Clock, timeout};

use super::line::carry;
use super::{EXCHANGE_PATH, EXCHANGE_TYPE, HttpAddress};
use crate::adapter::line::{Connection, Dial, Inward, Outward, round_trip_to};
use crate::adapter::tokio::{AsyncStream, TaskOutward, connect};

/// The longest that a connection may take to be made, TLS and a proxy's consent included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes on their way on one stream of HTTP/2, and on all.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// Most bytes of a proxy's answer to CONNECT.
const PROXY_ANSWER_MAX: usize = 8 * 1024;

/// Which HTTP to speak.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpVersion {
    /// HTTP/1.1: an exchange at a time on a connection, several connections a line.
    #[default]
    Http1,
    /// HTTP/2: all exchanges of a line on one connection. Without TLS the source must know it.
    Http2,
}

/// Makes lines of HTTP exchanges.
#[derive(Debug, Clone)]
pub struct HttpDial {
    handle: Handle,
    target: Arc<Target>,
}

#[derive(Debug, Clone)]
pub(super) struct Target {
    address: HttpAddress,
    version: HttpVersion,
    /// Asked to connect onward.
    proxy: Option<SocketAddr>,
    bearer: Option<String>,
    #[cfg(feature = "tokio-tls")]
    tls: Option<crate::adapter::tls::ClientTls>,
}

impl HttpDial {
    /// Plain HTTP on the runtime of `handle`: for lines that are encrypted below.
    #[must_use]
    pub fn new(handle: &Handle, address: HttpAddress, version: HttpVersion) -> Self {
        Self {
            handle: handle.clone(),
            target: Arc::new(Target {
                address,
                version,
                proxy: None,
                bearer: None,
                #[cfg(feature = "tokio-tls")]
                tls: None,
            }),
        }
    }

    /// Over TLS 1.3 with certificates on both sides.
    #[cfg(feature = "tokio-tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio-tls")))]
    #[must_use]
    pub fn with_tls(self, tls: &crate::adapter::tls::ClientTls) -> Self {
        let name: &[u8] = match self.target.version {
            HttpVersion::Http1 => b"http/1.1",
            HttpVersion::Http2 => b"h2",
        };
        let tls = tls.with_alpn(&[name]);
        self.with(|target| target.tls = Some(tls))
    }

    /// Through a forward proxy, by CONNECT.
    #[must_use]
    pub fn through_proxy(self, proxy: SocketAddr) -> Self {
        self.with(|target| target.proxy = Some(proxy))
    }

    /// Shows this in the `Authorization` header of each request, as `Bearer`, to a proxy that asks for
    /// it. What the source judges travels in the frames.
    ///
    /// # Errors
    /// It can't stand in a header.
    pub fn with_bearer(self, token: &str) -> io::Result<Self> {
        let value = format!("Bearer {token}");
        header::HeaderValue::from_str(&value).map_err(io::Error::other)?;
        Ok(self.with(|target| target.bearer = Some(value)))
    }

    fn with(mut self, change: impl FnOnce(&mut Target)) -> Self {
        change(Arc::make_mut(&mut self.target));
        self
    }
}

impl Dial for HttpDial {
    fn dial(&self) -> io::Result<Box<dyn Connection>> {
        let (first, round_trip) = self.handle.block_on(self.target.open_timed())?;
        Ok(Box::new(HttpConnection {
            handle: self.handle.clone(),
            target: Arc::clone(&self.target),
            first,
            round_trip,
        }))
    }

    fn name(&self) -> String {
        let address = &self.target.address;
        let scheme = self.target.scheme();
        format!("{scheme}://{}{}", address.authority, address.prefix)
    }
}

struct HttpConnection {
    handle: Handle,
    target: Arc<Target>,
    first: Requester,
    round_trip: Duration,
}

impl Connection for HttpConnection {
    fn round_trip(&self) -> Option<Duration> {
        Some(self.round_trip)
    }

    fn start(self: Box<Self>, inward: Inward) -> io::Result<Box<dyn Outward>> {
        let (packets, queue) = unbounded_channel();
        let task = carry(self.target, self.first, inward, queue);
        Ok(Box::new(TaskOutward::spawn(&self.handle, packets, task)))
    }
}

/// What sends requests on one connection.
pub(super) enum Requester {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Requester {
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(requester) => {
                requester.ready().await?;
                requester.send_request(request).await
            }
            Self::Http2(requester) => {
                requester.ready().await?;
                requester.send_request(request).await
            }
        }
    }

    /// Another one on the same connection, where it carries several requests at once.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(requester) => Some(Self::Http2(requester.clone())),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(requester) => requester.is_closed(),
            Self::Http2(requester) => requester.is_closed(),
        }
    }
}

impl Target {
    fn scheme(&self) -> &'static str {
        #[cfg(feature = "tokio-tls")]
        if self.tls.is_some() {
            return "https";
        }
        "http"
    }

    /// One connection more.
    pub(super) async fn open(&self) -> io::Result<Requester> {
        self.open_timed().await.map(|(requester, _)| requester)
    }

    /// With the round trip to the source.
    async fn open_timed(&self) -> io::Result<(Requester, Duration)> {
        timeout(CONNECT_TIMEOUT, self.open_soon())
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn open_soon(&self) -> io::Result<(Requester, Duration)> {
        let (mut stream, mut round_trip) =
            connect(self.proxy.unwrap_or(self.address.connect)).await?;
        if self.proxy.is_some() {
            let began = Clock::now();
            ask_proxy(&mut stream, &self.address.connect).await?;
            // The way to the proxy, and from there to the source.
            round_trip = round_trip_to(&self.address.connect, began.elapsed());
        }
        #[cfg(feature = "tokio-tls")]
        if let Some(tls) = &self.tls {
            let connector = tokio_rustls::TlsConnector::from(tls.config());
            let stream = connector.connect(tls.name().clone(), stream).await?;
            return Ok((self.greet(stream).await?, round_trip));
        }
        Ok((self.greet(stream).await?, round_trip))
    }

    async fn greet(&self, stream: impl AsyncStream) -> io::Result<Requester> {
        let io = TokioIo::new(stream);
        match self.version {
            HttpVersion::Http1 => {
                let greeting = http1::Builder::new().handshake(io).await;
                let (requester, connection) = greeting.map_err(io::Error::other)?;
                tokio::spawn(connection);
                Ok(Requester::Http1(requester))
            }
            HttpVersion::Http2 => {
                let greeting = http2::Builder::new(TokioExecutor::new())
                    .initial_stream_window_size(STREAM_WINDOW)
                    .initial_connection_window_size(CONNECTION_WINDOW)
                    .handshake(io)
                    .await;
                let (requester, connection) = greeting.map_err(io::Error::other)?;
                tokio::spawn(connection);
                Ok(Requester::Http2(requester))
            }
        }
    }

    pub(super) fn request(&self, body: Bytes) -> io::Result<Request<Full<Bytes>>> {
        let HttpAddress {
            authority, prefix, ..
        } = &self.address;
        let uri = match self.version {
            HttpVersion::Http1 => format!("{prefix}{EXCHANGE_PATH}"),
            HttpVersion::Http2 => {
                format!("{}://{authority}{prefix}{EXCHANGE_PATH}", self.scheme())
            }
        };
        let mut request = Request::post(uri).header(header::CONTENT_TYPE, EXCHANGE_TYPE);
        if self.version == HttpVersion::Http1 {
            request = request.header(header::HOST, authority);
        }
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        request.body(Full::new(body)).map_err(io::Error::other)
    }
}

/// Asks a forward proxy to connect onward.
async fn ask_proxy(stream: &mut tokio::net::TcpStream, to: &SocketAddr) -> io::Result<()> {
    let question = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n");
    stream.write_all(question.as_bytes()).await?;
    let mut answer = alloc::vec::Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= PROXY_ANSWER_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        answer.push(stream.read_u8().await?);
    }
    let status = answer.split(|byte| *byte == b' ').nth(1);
    if status == Some(StatusCode::OK.as_str().as_bytes()) {
        Ok(())
    } else {
        let text = "the proxy does not connect to the source";
        Err(io::Error::new(io::ErrorKind::ConnectionRefused, text))
    }
}
