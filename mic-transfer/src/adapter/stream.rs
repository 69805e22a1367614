//! Blocking byte streams: what [`crate::adapter::tcp`] and [`crate::adapter::tls`] have in common.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Instant as Clock;

use super::line::{Connection, Inward, Outward};
use super::serve::Peer;
use crate::limits::CHUNK_BYTES;
use crate::wire::Packet;

/// A blocking stream of bytes whose two directions work at the same time.
pub trait ByteStream: Send + Sync + 'static {
    /// Waits for bytes; 0 at the end.
    ///
    /// # Errors
    /// As the operating system says.
    fn read(&self, into: &mut [u8]) -> io::Result<usize>;

    /// Whether the last read, which gave `read` bytes where there was room for `room`, took all that had arrived: in a
    /// steady flow the reader of a pull then lets bytes gather for 2 ms. A stream that gives a part of what is here at
    /// a read says no, as it does if it does not know.
    fn is_drained(&self, read: usize, room: usize) -> bool {
        let _ = (read, room);
        false
    }

    /// Writes both parts, whole.
    ///
    /// # Errors
    /// As the operating system says.
    fn write(&self, head: &[u8], body: &[u8]) -> io::Result<()>;

    /// Nothing more will be written; the other side may read what was.
    fn finish(&self);

    /// Ends both directions and wakes whoever reads.
    fn close(&self);

    /// Who is at the other end, as far as the stream knows.
    fn peer(&self) -> Peer;
}

/// A stream as a line of a pull, read by a thread of its own.
#[derive(Debug)]
pub struct StreamConnection<S> {
    stream: Arc<S>,
    round_trip: Option<Duration>,
}

impl<S: ByteStream> StreamConnection<S> {
    /// This stream.
    #[must_use]
    pub fn new(stream: S) -> Self {
        Self {
            stream: Arc::new(stream),
            round_trip: None,
        }
    }

    /// A stream that took so long to reach its other end and back.
    #[must_use]
    pub fn with_round_trip(self, round_trip: Duration) -> Self {
        Self {
            round_trip: Some(round_trip),
            ..self
        }
    }
}

impl<S: ByteStream> Connection for StreamConnection<S> {
    fn start(self: Box<Self>, inward: Inward) -> io::Result<Box<dyn Outward>> {
        let stream = self.stream;
        let reading = Arc::clone(&stream);
        let reader = thread::Builder::new()
            .name(String::from("mic-transfer-read"))
            .spawn(move || read_into(&*reading, inward))?;
        Ok(Box::new(StreamOutward { stream, reader }))
    }

    fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}

struct StreamOutward<S> {
    stream: Arc<S>,
    reader: JoinHandle<()>,
}

impl<S: ByteStream> Outward for StreamOutward<S> {
    fn send(&mut self, packet: Packet) -> io::Result<()> {
        let [head, body] = packet.parts();
        self.stream.write(head, body)
    }

    fn finish(&mut self) {
        self.stream.finish();
    }

    fn close(self: Box<Self>) {
        self.stream.close();
        let _ = self.reader.join();
    }
}

/// Bytes that make a flow: four chunks, more than a first image has, which is read as it comes.
const FLOW_BYTES: usize = 4 * CHUNK_BYTES;
/// A silence that ends a flow.
const FLOW_GAP: Duration = Duration::from_millis(10);
/// What a reader of a flow lets arrive before it reads on: a gigabit line brings 234 KB, in a dozen portions each of
/// which would wake two threads. A chunk that completes in it waits as long.
const FLOW_PAUSE: Duration = Duration::from_millis(2);

/// Tells when to let bytes gather.
#[derive(Debug, Default)]
struct Flow {
    bytes: usize,
}

impl Flow {
    /// Bytes were read, after such a wait; whether they belong to a flow.
    fn take(&mut self, bytes: usize, waited: Duration) -> bool {
        if waited > FLOW_GAP {
            self.bytes = 0;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.bytes > FLOW_BYTES
    }
}

fn read_into(stream: &impl ByteStream, inward: Inward) {
    let mut flow = Flow::default();
    let kind = loop {
        let Some(mut buffer) = inward.buffer() else {
            break io::ErrorKind::ConnectionAborted;
        };
        let (room, began) = (buffer.len(), Clock::now());
        match stream.read(&mut buffer) {
            Ok(0) => break io::ErrorKind::UnexpectedEof,
            Ok(filled) => {
                inward.deliver(buffer, filled);
                let is_flow = flow.take(filled, began.elapsed());
                if is_flow && stream.is_drained(filled, room) {
                    thread::sleep(FLOW_PAUSE);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => inward.deliver(buffer, 0),
            Err(error) => break error.kind(),
        }
    };
    inward.end(kind);
}

/// What [`super::serve`] reads with: the plain loop, into portions of their own.
pub(super) fn read_to_end(
    stream: &impl ByteStream,
    mut give: impl FnMut(Result<Vec<u8>, io::ErrorKind>) -> bool,
) {
    // What a source reads is small: requests and wants.
    const READ_BYTES: usize = 64 * 1024;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let portion = match stream.read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof),
            Ok(read) => Ok(buffer.get(..read).unwrap_or(&[]).to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error.kind()),
        };
        let ended = portion.is_err();
        if !give(portion) || ended {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn ok_a_flow_begins_after_a_first_image_and_ends_with_a_silence() {
        let mut flow = Flow::default();
        assert!((0..64).all(|_| !flow.take(FLOW_BYTES / 64, MS)));
        assert!(flow.take(1, MS) && flow.take(1, FLOW_GAP));
        assert!(!flow.take(1, FLOW_GAP + MS) && !flow.take(1, MS));
    }
}
