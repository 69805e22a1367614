//! Blocking TCP: one thread reads each socket, the caller's thread does the rest.
//!
//! [`serve_connection`] gives studies out, [`Pull`] takes them in. Both set `TCP_NODELAY`, keep the
//! socket's queue of unsent bytes short so that a click waits for few of them, hold a bounded number of
//! chunks, and give up on silence by the core's timers. Bytes travel in the open: encryption belongs
//! below (a dedicated line, a tunnel) or around it (`adapter::tls`).

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant as Clock;

pub use super::pull::{
    Pull, PullControl, PullError, PullEvent, PullReport, SourceReport, StudyOutcome, StudyReport,
};
pub use super::serve::{AllowAll, Authorizer, Peer, Refusal, ServeConfig, ServeReport};

use super::line::{Connection, Dial, round_trip_to};
use super::serve::serve_stream;
use super::stream::{ByteStream, StreamConnection};
use crate::source::Source;

/// The longest that a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that a socket may refuse to take bytes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes that may wait in a socket unsent: half a chunk, so that the next one can be a click.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 128 * 1024;

/// Makes plain TCP connections.
#[derive(Debug, Clone)]
pub struct TcpDial {
    address: SocketAddr,
}

impl TcpDial {
    /// To this address.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// With the time that it took, which is a round trip.
    pub(super) fn connect(&self) -> io::Result<(TcpStream, Duration)> {
        let began = Clock::now();
        let stream = TcpStream::connect_timeout(&self.address, CONNECT_TIMEOUT)?;
        let round_trip = round_trip_to(&self.address, began.elapsed());
        prepare(&stream)?;
        Ok((stream, round_trip))
    }
}

impl Dial for TcpDial {
    fn dial(&self) -> io::Result<Box<dyn Connection>> {
        let (stream, round_trip) = self.connect()?;
        let connection = StreamConnection::new(stream).with_round_trip(round_trip);
        Ok(Box::new(connection))
    }

    fn name(&self) -> String {
        self.address.to_string()
    }
}

/// Serves one connection until it ends; runs on the calling thread.
///
/// A protocol error, a refusal or a lost line is no error of this function: the report says it.
///
/// # Errors
/// Only where the socket can't be set up.
pub fn serve_connection(
    stream: TcpStream,
    source: &impl Source,
    authorizer: &impl Authorizer,
    config: impl Into<ServeConfig>,
) -> io::Result<ServeReport> {
    prepare(&stream)?;
    serve_stream(stream, source, authorizer, config)
}

pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(None)?;
    shorten(socket2::SockRef::from(stream));
    stream.set_write_timeout(Some(WRITE_TIMEOUT))
}

/// Keeps the queue of unsent bytes short (XFR-102), where the system can: a kindness to clicks, no condition.
#[cfg_attr(
    not(any(target_os = "linux", target_os = "android")),
    expect(clippy::needless_pass_by_value, reason = "a borrow of the socket")
)]
pub(super) fn shorten(socket: socket2::SockRef<'_>) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_notsent_lowat(UNSENT_BYTES);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = socket;
}

/// Writes both parts in as few calls as the socket takes.
pub(super) fn write_parts(
    mut stream: &TcpStream,
    mut head: &[u8],
    mut body: &[u8],
) -> io::Result<()> {
    while !head.is_empty() || !body.is_empty() {
        let written = match stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            written => written?,
        };
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let of_head = written.min(head.len());
        head = head.get(of_head..).unwrap_or(&[]);
        body = body.get(written.saturating_sub(of_head)..).unwrap_or(&[]);
    }
    Ok(())
}

impl ByteStream for TcpStream {
    fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut stream = self;
        Read::read(&mut stream, into)
    }

    fn is_drained(&self, read: usize, room: usize) -> bool {
        read < room
    }

    fn write(&self, head: &[u8], body: &[u8]) -> io::Result<()> {
        write_parts(self, head, body)
    }

    fn finish(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }

    fn close(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }

    fn peer(&self) -> Peer {
        Peer::new(self.peer_addr().ok())
    }
}
