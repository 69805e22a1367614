//! The same on a tokio runtime, over anything that is [`AsyncRead`] and [`AsyncWrite`].
//!
//! [`AsyncDial`] makes lines whose bytes are carried by tasks; [`super::pull::Pull::run_async`] runs the
//! receiver and its store on a thread that may block, so that no disk is waited for on the runtime.
//! [`serve`] gives studies out; what reads files or asks the application runs on such threads too.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::pin::{Pin, pin};
use core::task::Poll;
use core::time::Duration;
use std::io::{self, IoSlice};
use std::sync::mpsc::{Receiver as Done, Sender as Ending, channel};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::{Instant as Clock, timeout};

use super::coder::Coder;
use super::line::{Connection, Dial, Inward, Outward, round_trip_to};
use super::serve::{Authorizer, LINGER, Peer, ServeConfig, ServeReport, decide};
use crate::sender::{Sender, SenderOutput};
use crate::source::Source;
use crate::wire::Packet;

/// The longest that a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that a stream may refuse to take bytes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes that a source reads at once: requests and wants are small.
const READ_BYTES: usize = 64 * 1024;

/// A stream of bytes of a runtime's.
pub trait AsyncStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> AsyncStream for S {}

/// A stream, and the round trip to its other end where that was seen.
type Made = (Box<dyn AsyncStream>, Option<Duration>);
type Making = Pin<Box<dyn Future<Output = io::Result<Made>> + Send>>;

/// Makes lines on a runtime.
#[derive(Clone)]
pub struct AsyncDial {
    handle: Handle,
    name: String,
    make: Arc<dyn Fn() -> Making + Send + Sync>,
}

impl fmt::Debug for AsyncDial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncDial")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl AsyncDial {
    /// Lines over streams that `make` makes, on the runtime of `handle`; `name` is told in errors.
    pub fn new<S, T>(
        handle: &Handle,
        name: impl Into<String>,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Self
    where
        S: AsyncStream,
        T: Future<Output = io::Result<S>> + Send + 'static,
    {
        Self::timed(handle, name.into(), move || {
            let making = make();
            async move { Ok((making.await?, None)) }
        })
    }

    fn timed<S, T>(
        handle: &Handle,
        name: String,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Self
    where
        S: AsyncStream,
        T: Future<Output = io::Result<(S, Option<Duration>)>> + Send + 'static,
    {
        let make = move || -> Making {
            let making = make();
            Box::pin(async move {
                let (stream, round_trip) = making.await?;
                Ok((Box::new(stream) as Box<dyn AsyncStream>, round_trip))
            })
        };
        Self {
            handle: handle.clone(),
            name,
            make: Arc::new(make),
        }
    }

    /// Plain TCP.
    #[must_use]
    pub fn tcp(handle: &Handle, address: SocketAddr) -> Self {
        Self::timed(handle, address.to_string(), move || async move {
            let (stream, round_trip) = connect(address).await?;
            Ok((stream, Some(round_trip)))
        })
    }

    /// TLS 1.3 over TCP.
    #[cfg(feature = "tokio-tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio-tls")))]
    #[must_use]
    pub fn tls(handle: &Handle, address: SocketAddr, tls: &super::tls::ClientTls) -> Self {
        let tls = tls.clone();
        let name = alloc::format!("tls://{address}");
        Self::timed(handle, name, move || {
            let connector = tokio_rustls::TlsConnector::from(tls.config());
            let name = tls.name().clone();
            async move {
                let (stream, round_trip) = connect(address).await?;
                let stream = connector.connect(name, stream).await?;
                Ok((stream, Some(round_trip)))
            }
        })
    }
}

impl Dial for AsyncDial {
    fn dial(&self) -> io::Result<Box<dyn Connection>> {
        let making = (self.make)();
        let made = self
            .handle
            .block_on(async { timeout(CONNECT_TIMEOUT, making).await });
        let (stream, round_trip) = made.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok(Box::new(AsyncConnection {
            handle: self.handle.clone(),
            stream,
            round_trip,
        }))
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// With the time that it took, which is a round trip.
pub(super) async fn connect(address: SocketAddr) -> io::Result<(TcpStream, Duration)> {
    let began = Clock::now();
    let stream = TcpStream::connect(address).await?;
    let round_trip = round_trip_to(&address, began.elapsed());
    prepare(&stream)?;
    Ok((stream, round_trip))
}

/// Sets a socket up as the blocking adapter does: no delay, a short queue.
///
/// # Errors
/// As the operating system says.
pub fn prepare(stream: &TcpStream) -> io::Result<()> {
    super::tcp::shorten(socket2::SockRef::from(stream));
    stream.set_nodelay(true)
}

struct AsyncConnection {
    handle: Handle,
    stream: Box<dyn AsyncStream>,
    round_trip: Option<Duration>,
}

impl Connection for AsyncConnection {
    fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    fn start(self: Box<Self>, inward: Inward) -> io::Result<Box<dyn Outward>> {
        let (packets, queue) = unbounded_channel();
        let stream = self.stream;
        Ok(Box::new(TaskOutward::spawn(
            &self.handle,
            packets,
            async move {
                carry(stream, inward, queue).await;
            },
        )))
    }
}

/// The way out of a line that a task carries. What waits in the queue is bounded by the receiver's
/// windows.
pub(super) struct TaskOutward {
    packets: Option<UnboundedSender<Packet>>,
    task: AbortHandle,
    done: Done<()>,
}

impl TaskOutward {
    pub(super) fn spawn(
        handle: &Handle,
        packets: UnboundedSender<Packet>,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let (ending, done): (Ending<()>, Done<()>) = channel();
        let task = handle.spawn(async move {
            task.await;
            drop(ending);
        });
        Self {
            packets: Some(packets),
            task: task.abort_handle(),
            done,
        }
    }
}

impl Outward for TaskOutward {
    fn send(&mut self, packet: Packet) -> io::Result<()> {
        let sent = self.packets.as_ref().map(|packets| packets.send(packet));
        sent.and_then(Result::ok)
            .ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    fn finish(&mut self) {
        self.packets = None;
    }

    fn close(mut self: Box<Self>) {
        self.packets = None;
        // It ends by itself when its last words are out.
        let _ = self.done.recv_timeout(LINGER);
        self.task.abort();
    }
}

async fn carry(stream: impl AsyncStream, inward: Inward, packets: UnboundedReceiver<Packet>) {
    let (reader, writer) = tokio::io::split(stream);
    let mut reading = pin!(read_into(reader, &inward));
    let writing = pin!(write_from(writer, packets));
    let kind = tokio::select! {
        kind = &mut reading => kind,
        written = writing => match written {
            Err(error) => error.kind(),
            Ok(()) => reading.await,
        },
    };
    inward.end(kind);
}

async fn read_into(mut reader: impl AsyncRead + Unpin, inward: &Inward) -> io::ErrorKind {
    loop {
        let Some(mut buffer) = poll_fn(|context| inward.poll_buffer(context)).await else {
            return io::ErrorKind::ConnectionAborted;
        };
        match fill(&mut reader, &mut buffer).await {
            Ok(0) => return io::ErrorKind::UnexpectedEof,
            Ok(filled) => inward.deliver(buffer, filled),
            Err(error) => return error.kind(),
        }
    }
}

/// Waits for bytes, then takes as many as are there: a TLS stream gives a record at a time.
async fn fill(mut reader: impl AsyncRead + Unpin, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    poll_fn(|context| {
        loop {
            let room = into.get_mut(filled..).unwrap_or(&mut []);
            if room.is_empty() {
                return Poll::Ready(Ok(filled));
            }
            let mut room = ReadBuf::new(room);
            match Pin::new(&mut reader).poll_read(context, &mut room) {
                Poll::Ready(Ok(())) if !room.filled().is_empty() => {
                    filled = filled.saturating_add(room.filled().len());
                }
                // An end or error that comes after bytes is met again by the next reading.
                Poll::Ready(_) if filled > 0 => return Poll::Ready(Ok(filled)),
                Poll::Ready(read) => return Poll::Ready(read.map(|()| 0)),
                Poll::Pending if filled > 0 => return Poll::Ready(Ok(filled)),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

async fn write_from(
    mut writer: impl AsyncWrite + Unpin,
    mut packets: UnboundedReceiver<Packet>,
) -> io::Result<()> {
    while let Some(packet) = packets.recv().await {
        write_packet(&mut writer, &packet).await?;
    }
    writer.shutdown().await
}

async fn write_packet(writer: &mut (impl AsyncWrite + Unpin), packet: &Packet) -> io::Result<()> {
    let written = timeout(WRITE_TIMEOUT, async {
        let [mut head, mut body] = packet.parts();
        while !head.is_empty() || !body.is_empty() {
            let parts = [IoSlice::new(head), IoSlice::new(body)];
            let written = writer.write_vectored(&parts).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            let of_head = written.min(head.len());
            head = head.get(of_head..).unwrap_or(&[]);
            body = body.get(written.saturating_sub(of_head)..).unwrap_or(&[]);
        }
        writer.flush().await
    });
    written
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Serves one connection over any stream until it ends. The stream is closed before this returns.
///
/// A protocol error, a refusal or a lost line is told by the report.
pub async fn serve(
    stream: impl AsyncStream,
    peer: Peer,
    source: impl Source + Clone + Send + Sync + 'static,
    authorizer: impl Authorizer + Clone + Send + Sync + 'static,
    config: impl Into<ServeConfig>,
) -> ServeReport {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut report = ServeReport::default();
    let mut serving = Serving {
        core: AsyncSender::new(source, authorizer, peer, &config.into()),
        buffer: vec![0; READ_BYTES],
    };
    let served = serving.run(&mut reader, &mut writer, &mut report).await;
    report.io = served.err().map(|error| error.kind());
    let _ = timeout(LINGER, async {
        let _ = writer.shutdown().await;
        // Read on until the other side has closed: a socket with unread bytes would be reset and
        // take the last frame with it.
        while matches!(reader.read(&mut serving.buffer).await, Ok(read) if read > 0) {}
    })
    .await;
    report
}

/// Serves one TLS connection until it ends.
///
/// # Errors
/// The handshake failed: no certificate, one that the trust does not name, another protocol, 10 s.
#[cfg(feature = "tokio-tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio-tls")))]
pub async fn serve_tls(
    stream: TcpStream,
    tls: &super::tls::ServerTls,
    source: impl Source + Clone + Send + Sync + 'static,
    authorizer: impl Authorizer + Clone + Send + Sync + 'static,
    config: impl Into<ServeConfig>,
) -> io::Result<ServeReport> {
    prepare(&stream)?;
    let (stream, peer) = accept_tls(stream, tls).await?;
    Ok(serve(stream, peer, source, authorizer, config).await)
}

/// The handshake of a source.
#[cfg(feature = "tokio-tls")]
pub(super) async fn accept_tls(
    stream: TcpStream,
    tls: &super::tls::ServerTls,
) -> io::Result<(tokio_rustls::server::TlsStream<TcpStream>, Peer)> {
    let peer = Peer::new(stream.peer_addr().ok());
    let acceptor = tokio_rustls::TlsAcceptor::from(tls.config());
    let accepted = timeout(super::tls::HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
    let stream = accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or(&[]);
    let peer = match certificates.first() {
        Some(certificate) => peer.with_certificate(certificate),
        None => peer,
    };
    Ok((stream, peer))
}

/// What a sender wants next from its line.
pub(super) enum Step {
    Send(Packet),
    Wait(Option<Duration>),
    Close(Option<crate::SessionError>),
}

/// A sender and what codes its chunks: together they go to a thread and come back.
struct Core {
    sender: Sender,
    coder: Coder,
}

/// A sender whose reading, coding and deciding is done on threads that may block.
pub(super) struct AsyncSender<S, A> {
    /// Away while a thread has it.
    core: Option<Box<Core>>,
    source: S,
    authorizer: A,
    peer: Peer,
    started: Clock,
    spare: Vec<u8>,
    pub(super) receipts: Vec<crate::Digest>,
}

impl<S, A> AsyncSender<S, A>
where
    S: Source + Clone + Send + Sync + 'static,
    A: Authorizer + Clone + Send + Sync + 'static,
{
    pub(super) fn new(source: S, authorizer: A, peer: Peer, config: &ServeConfig) -> Self {
        Self {
            core: Some(Box::new(Core {
                sender: Sender::new(config.sender, Duration::ZERO),
                coder: Coder::new(config.sender.coding, config.path(&peer)),
            })),
            source,
            authorizer,
            peer,
            started: Clock::now(),
            spare: Vec::new(),
            receipts: Vec::new(),
        }
    }

    pub(super) fn sender(&mut self) -> Option<&mut Sender> {
        self.core.as_mut().map(|core| &mut core.sender)
    }

    /// A packet of so many bytes was written.
    pub(super) fn wrote(&mut self, bytes: usize) {
        if let Some(core) = self.core.as_mut() {
            core.coder.wrote(bytes);
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The buffer of a packet that was sent.
    pub(super) fn give_back(&mut self, packet: Packet) {
        let body = packet.into_body();
        if body.capacity() > self.spare.capacity() {
            self.spare = body;
        }
    }

    /// The next output that is a matter of the line's; what is not is done here.
    pub(super) async fn step(&mut self) -> Option<Step> {
        loop {
            let now = self.now();
            let mut core = self.core.take()?;
            core.sender.handle_time(now);
            let work = match self.work_of(core.sender.poll_output()) {
                Ok(work) => work,
                Err(step) => {
                    self.core = Some(core);
                    return Some(step);
                }
            };
            let working = tokio::task::spawn_blocking(move || {
                let root = work(&mut core);
                (core, root)
            });
            // It fails only where the application's own code panicked or the runtime is going.
            let (core, root) = working.await.ok()?;
            self.core = Some(core);
            self.receipts.extend(root);
        }
    }

    /// What a thread that may block has to do for an output, or what the line has.
    fn work_of(&mut self, output: SenderOutput) -> Result<Work, Step> {
        let source = self.source.clone();
        match output {
            SenderOutput::Send(packet) => Err(Step::Send(packet)),
            SenderOutput::Close(error) => Err(Step::Close(error)),
            SenderOutput::Wait(deadline) => Err(Step::Wait(deadline)),
            SenderOutput::Read {
                slot,
                instance,
                offset,
                length,
            } => {
                let buffer = core::mem::take(&mut self.spare);
                let place = (slot, instance, offset, length);
                Ok(Box::new(move |core| {
                    let Core { sender, coder } = core;
                    coder.answer(sender, &source, place, buffer);
                    None
                }))
            }
            SenderOutput::Leaves { slot, instance } => Ok(Box::new(move |core| {
                let manifest = core.sender.manifest(slot).cloned();
                core.sender
                    .handle_leaves(manifest.and_then(|it| source.leaves(&it, instance).ok()));
                None
            })),
            SenderOutput::Event(event) => {
                let (authorizer, peer) = (self.authorizer.clone(), self.peer.clone());
                Ok(Box::new(move |core| {
                    decide(&mut core.sender, event, &source, &authorizer, &peer)
                }))
            }
        }
    }
}

type Work = Box<dyn FnOnce(&mut Core) -> Option<crate::Digest> + Send>;

struct Serving<S, A> {
    core: AsyncSender<S, A>,
    buffer: Vec<u8>,
}

impl<S, A> Serving<S, A>
where
    S: Source + Clone + Send + Sync + 'static,
    A: Authorizer + Clone + Send + Sync + 'static,
{
    async fn run(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
        report: &mut ServeReport,
    ) -> io::Result<()> {
        loop {
            // Before each chunk, so that a click is heard; not before answers that wait, which would
            // pile up without bound.
            if self
                .core
                .sender()
                .is_some_and(|sender| !sender.has_queued())
            {
                let heard = poll_fn(|context| {
                    let heard = pin!(reader.read(&mut self.buffer)).poll(context);
                    Poll::Ready(match heard {
                        Poll::Ready(heard) => Some(heard),
                        Poll::Pending => None,
                    })
                });
                if let Some(heard) = heard.await {
                    self.take(heard, report);
                }
            }
            let step = self.core.step().await;
            report.receipts.append(&mut self.core.receipts);
            let data = self
                .core
                .sender()
                .map_or(report.data, |sender| sender.data_bytes());
            report.data = data;
            match step {
                Some(Step::Send(packet)) => {
                    write_packet(writer, &packet).await?;
                    self.core.wrote(packet.len());
                    report.sent = report.sent.saturating_add(packet.len() as u64);
                    self.core.give_back(packet);
                }
                Some(Step::Wait(deadline)) => {
                    let left = deadline.map_or(LINGER, |at| at.saturating_sub(self.core.now()));
                    if let Ok(heard) = timeout(left, reader.read(&mut self.buffer)).await {
                        self.take(heard, report);
                    }
                }
                Some(Step::Close(error)) => {
                    report.error = error;
                    return Ok(());
                }
                None => return Err(io::ErrorKind::Interrupted.into()),
            }
        }
    }

    fn take(&mut self, heard: io::Result<usize>, report: &mut ServeReport) {
        let now = self.core.now();
        let Some(sender) = self.core.sender() else {
            return;
        };
        match heard {
            Ok(read) if read > 0 => {
                report.received = report.received.saturating_add(read as u64);
                sender.handle_bytes(self.buffer.get(..read).unwrap_or(&[]), now);
            }
            _ => sender.handle_disconnect(),
        }
    }
}
