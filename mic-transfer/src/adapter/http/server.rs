//! The source's side: exchanges, and plain reading.

use alloc::string::ToString;
use alloc::sync::Arc;
use core::convert::Infallible;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Mutex;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::files::Known;
use super::{EXCHANGE_BYTES_MAX, EXCHANGE_PATH, EXCHANGE_TYPE, REASON, STUDIES_PATH};
use crate::adapter::serve::{Authorizer, Peer, Refusal, ServeConfig, ServeReport};
use crate::adapter::tokio::{AsyncSender, AsyncStream, Step};
use crate::source::Source;
use crate::wire::{Border, PREFACE};

/// The longest that a request's head may take, and the longest rest of a connection between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that a request's body may take, and the longest that an answer may be refused.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// Parts of an answer that wait for the line: a chunk and its head.
const PARTS: usize = 2;
const STREAMS_MAX: u32 = 128;

/// Answers HTTP requests out of a source. Clones share it.
#[derive(Debug)]
pub struct Server<S, A> {
    pub(super) source: S,
    pub(super) authorizer: A,
    config: ServeConfig,
    pub(super) known: Arc<Mutex<Known>>,
}

impl<S: Clone, A: Clone> Clone for Server<S, A> {
    fn clone(&self) -> Self {
        Self {
            source: self.source.clone(),
            authorizer: self.authorizer.clone(),
            config: self.config.clone(),
            known: Arc::clone(&self.known),
        }
    }
}

pub(super) type Answer = Response<Parts>;

impl<S, A> Server<S, A>
where
    S: Source + Clone + Send + Sync + 'static,
    A: Authorizer + Clone + Send + Sync + 'static,
{
    /// A server of this source. Its clones share what was learnt of the path to each receiver, or to the
    /// proxy before it.
    #[must_use]
    pub fn new(source: S, authorizer: A, config: impl Into<ServeConfig>) -> Self {
        let mut config = config.into();
        // What the receiver holds would have to be said in each exchange anew (XFR-116).
        config.sender.held_runs = 0;
        Self {
            source,
            authorizer,
            config,
            known: Arc::default(),
        }
    }

    /// Serves one connection, HTTP/1.1 or HTTP/2 as its first bytes say, until it ends; `on_end` is told
    /// what each exchange carried.
    ///
    /// # Errors
    /// The connection broke or was not HTTP.
    pub async fn serve(
        &self,
        stream: impl AsyncStream,
        peer: Peer,
        on_end: impl Fn(ServeReport) + Clone + Send + Sync + 'static,
    ) -> io::Result<()> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(HEAD_TIMEOUT)
            .max_concurrent_streams(STREAMS_MAX);
        let service = service_fn(|request| {
            let (server, peer, on_end) = (self.clone(), peer.clone(), on_end.clone());
            async move { Ok::<_, Infallible>(server.answer(request, peer, on_end).await) }
        });
        builder
            .serve_connection(TokioIo::new(stream), service)
            .await
            .map_err(io::Error::other)
    }

    /// The same over TLS 1.3 with certificates on both sides.
    ///
    /// # Errors
    /// The handshake failed, or as [`Server::serve`].
    #[cfg(feature = "tokio-tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio-tls")))]
    pub async fn serve_tls(
        &self,
        stream: tokio::net::TcpStream,
        tls: &crate::adapter::tls::ServerTls,
        on_end: impl Fn(ServeReport) + Clone + Send + Sync + 'static,
    ) -> io::Result<()> {
        let tls = tls.with_alpn(&[b"h2", b"http/1.1"]);
        let (stream, peer) = crate::adapter::tokio::accept_tls(stream, &tls).await?;
        self.serve(stream, peer, on_end).await
    }

    async fn answer(
        self,
        request: Request<Incoming>,
        peer: Peer,
        on_end: impl Fn(ServeReport) + Send + Sync + 'static,
    ) -> Answer {
        let path = request.uri().path();
        // A proxy may have put a path before ours.
        if path.ends_with(EXCHANGE_PATH) {
            return if request.method() == Method::POST {
                self.exchange(request, peer, on_end).await
            } else {
                plain(StatusCode::METHOD_NOT_ALLOWED)
            };
        }
        match path.split_once(STUDIES_PATH) {
            Some((_, rest)) if [Method::GET, Method::HEAD].contains(request.method()) => {
                let rest = rest.to_string();
                self.read(&rest, &request, &peer).await
            }
            Some(_) => plain(StatusCode::METHOD_NOT_ALLOWED),
            None => plain(StatusCode::NOT_FOUND),
        }
    }

    /// A connection in one exchange (XFR-110, XFR-111).
    async fn exchange(
        self,
        request: Request<Incoming>,
        peer: Peer,
        on_end: impl Fn(ServeReport) + Send + Sync + 'static,
    ) -> Answer {
        let body = Limited::new(request.into_body(), EXCHANGE_BYTES_MAX);
        let said = match timeout(BODY_TIMEOUT, body.collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => return plain(StatusCode::PAYLOAD_TOO_LARGE),
            Err(_) => return plain(StatusCode::REQUEST_TIMEOUT),
        };
        let (parts, answer) = channel(PARTS);
        tokio::spawn(async move {
            let mut report = ServeReport {
                received: said.len() as u64,
                ..ServeReport::default()
            };
            let core = AsyncSender::new(self.source, self.authorizer, peer, &self.config);
            if let Err(kind) = speak(core, &said, &parts, &mut report).await {
                report.io = Some(kind);
                // Whoever reads must not take what came for the whole.
                let _ = parts.send(Err(kind.into())).await;
            }
            on_end(report);
        });
        let mut response = Response::new(Parts::Streamed(answer, None));
        let headers = response.headers_mut();
        let exchange = header::HeaderValue::from_static(EXCHANGE_TYPE);
        headers.insert(header::CONTENT_TYPE, exchange);
        let store = header::HeaderValue::from_static("no-store");
        headers.insert(header::CACHE_CONTROL, store);
        // A reverse proxy that collects answers keeps first images waiting.
        headers.insert("x-accel-buffering", header::HeaderValue::from_static("no"));
        response
    }
}

type Part = Result<Bytes, io::Error>;

/// Gives a sender the frames that were said, one by one, and sends what it answers.
async fn speak<S, A>(
    mut core: AsyncSender<S, A>,
    said: &[u8],
    parts: &Sender<Part>,
    report: &mut ServeReport,
) -> Result<(), io::ErrorKind>
where
    S: Source + Clone + Send + Sync + 'static,
    A: Authorizer + Clone + Send + Sync + 'static,
{
    let mut rest = said;
    let mut first = true;
    loop {
        let step = core.step().await.ok_or(io::ErrorKind::Interrupted)?;
        report.receipts.append(&mut core.receipts);
        report.data = core
            .sender()
            .map_or(report.data, |sender| sender.data_bytes());
        match step {
            Step::Send(packet) => {
                report.sent = report.sent.saturating_add(packet.len() as u64);
                let length = packet.len();
                let (head, body) = packet.into_parts();
                for part in [head, body] {
                    if part.is_empty() {
                        continue;
                    }
                    let sent = timeout(BODY_TIMEOUT, parts.send(Ok(Bytes::from(part)))).await;
                    match sent {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => return Err(io::ErrorKind::BrokenPipe),
                        Err(_) => return Err(io::ErrorKind::TimedOut),
                    }
                }
                core.wrote(length);
            }
            Step::Close(error) => {
                report.error = error;
                return Ok(());
            }
            Step::Wait(_) => {
                // It has answered all it was told so far.
                let length = if core::mem::take(&mut first) {
                    PREFACE.len()
                } else {
                    Border::of(rest)
                        .and_then(|border| border.frame_of(rest))
                        .map_or(rest.len(), <[u8]>::len)
                };
                let (now, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
                if now.is_empty() {
                    return Ok(());
                }
                rest = after;
                let at = core.now();
                if let Some(sender) = core.sender() {
                    sender.handle_bytes(now, at);
                }
            }
        }
    }
}

/// The body of an answer.
pub(super) enum Parts {
    Whole(Full<Bytes>),
    /// As it is made; of this length, where it is known.
    Streamed(Receiver<Part>, Option<u64>),
}

impl Body for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Whole(whole) => Pin::new(whole)
                .poll_frame(context)
                .map_err(|never| match never {}),
            Self::Streamed(parts, _) => {
                let part = core::task::ready!(parts.poll_recv(context));
                Poll::Ready(part.map(|part| part.map(Frame::data)))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Streamed(_, Some(length)) => SizeHint::with_exact(*length),
            Self::Streamed(_, None) => SizeHint::default(),
        }
    }
}

/// An answer without words.
pub(super) fn plain(status: StatusCode) -> Answer {
    let mut response = Response::new(Parts::Whole(Full::default()));
    *response.status_mut() = status;
    response
}

/// A refusal with the application's own reason.
pub(super) fn refused(status: StatusCode, refusal: Refusal) -> Answer {
    let mut response = plain(status);
    if let Some(reason) = refusal.reason {
        response.headers_mut().insert(REASON, reason.into());
    }
    response
}
