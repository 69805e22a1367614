//! Blocking TCP: one thread reads each socket, the caller's thread does the rest.
//!
//! [`serve_connection`] gives studies out, [`Pull`] takes them in. Both set `TCP_NODELAY`, hold a
//! bounded number of chunks, and give up on silence by the core's timers. Encryption belongs below:
//! a dedicated line, a tunnel, or a TLS adapter over the same core.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::SyncSender;

mod coder;
mod control;
mod decode;
mod dial;
mod pull;
mod report;
mod serve;

pub use control::PullControl;
pub use pull::{Pull, PullEvent};
pub use report::{PullError, PullReport, StudyOutcome, StudyReport};
pub use serve::{AllowAll, Authorizer, Refusal, ServeReport, serve_connection};

use crate::wire::Packet;

/// Bytes read from a socket at once: a chunk with its header.
const READ_BYTES: usize = 272 * 1024;
/// Portions read and not yet worked on, for each connection: 2.2 MiB.
const PORTIONS: usize = 8;
/// The longest that a socket may refuse to take bytes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest that a closing side waits for the other to have read its last words.
const LINGER: Duration = Duration::from_secs(2);

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))
}

/// Writes both parts of a packet in as few calls as the socket takes.
fn write_packet(mut stream: &TcpStream, packet: &Packet) -> io::Result<()> {
    let [mut head, mut body] = packet.parts();
    while !head.is_empty() || !body.is_empty() {
        let written = stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let of_head = written.min(head.len());
        head = head.get(of_head..).unwrap_or(&[]);
        body = body.get(written - of_head..).unwrap_or(&[]);
    }
    Ok(())
}

/// Reads a socket to its end into a channel; the last message says how it ended.
fn read_into<T>(
    mut stream: &TcpStream,
    channel: &SyncSender<T>,
    wrap: impl Fn(Result<Vec<u8>, io::ErrorKind>) -> T,
) {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let portion = match stream.read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof),
            Ok(read) => Ok(buffer.get(..read).unwrap_or(&[]).to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error.kind()),
        };
        let ended = portion.is_err();
        if channel.send(wrap(portion)).is_err() || ended {
            return;
        }
    }
}

/// Lets the other side read what was sent before the socket goes.
fn close_gently(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
}
