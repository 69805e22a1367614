//! What joins a pull to its sources: lines that carry bytes, and what makes them.
//!
//! The adapters of this crate implement [`Dial`] for TCP, TLS, QUIC and HTTP; an application may for a
//! line of its own (a gateway of national algorithms, a serial tunnel).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::pull::Message;
use crate::receiver::ConnectionId;
use crate::wire::Packet;

/// Bytes of one buffer of a line: a chunk with its header.
const PORTION_BYTES: usize = 272 * 1024;
/// Buffers of a line, filled and not yet worked on or being filled: 1.1 MiB.
const PORTIONS: usize = 4;

/// Makes lines to one source.
pub trait Dial: Send + Sync {
    /// Makes one line more. Called on a thread that may block.
    ///
    /// # Errors
    /// As the operating system or the line says.
    fn dial(&self) -> io::Result<Box<dyn Connection>>;

    /// What to call the source in errors: an address, no personal data.
    fn name(&self) -> String;
}

impl<D: Dial + ?Sized> Dial for Arc<D> {
    fn dial(&self) -> io::Result<Box<dyn Connection>> {
        (**self).dial()
    }

    fn name(&self) -> String {
        (**self).name()
    }
}

/// What a connection to this address took to be made, as its round trip. On the own machine there is no way to go, and
/// a busy one must not seem far.
pub(super) fn round_trip_to(address: &SocketAddr, took: Duration) -> Duration {
    if address.ip().to_canonical().is_loopback() {
        return Duration::ZERO;
    }
    took
}

/// A line that was made and carries nothing yet.
pub trait Connection: Send {
    /// Begins to read into `inward`, on a thread or task of the line's own.
    ///
    /// # Errors
    /// As the operating system says.
    fn start(self: Box<Self>, inward: Inward) -> io::Result<Box<dyn Outward>>;

    /// The round trip to the source as it was seen when the line was made, where the line knows it and more lines
    /// than one are of use: it says how many a pull makes that was not told
    /// ([`Pull::connections`](super::pull::Pull::connections)).
    fn round_trip(&self) -> Option<Duration> {
        None
    }
}

/// The way out of a line.
pub trait Outward: Send {
    /// Sends a packet, or queues it.
    ///
    /// # Errors
    /// The line is at its end.
    fn send(&mut self, packet: Packet) -> io::Result<()>;

    /// Nothing more will be sent; the other side may read what was.
    fn finish(&mut self);

    /// Ends the line and waits, within reason, until its threads or tasks are gone.
    fn close(self: Box<Self>);
}

/// The way in of a line: a few buffers that go round, which are also the credit of whoever fills them.
#[derive(Debug)]
pub struct Inward {
    id: ConnectionId,
    channel: Sender<Message>,
    gate: Arc<Gate>,
    ended: AtomicBool,
}

impl Inward {
    pub(super) fn new(id: ConnectionId, channel: Sender<Message>) -> Self {
        Self {
            id,
            channel,
            gate: Arc::new(Gate::new()),
            ended: AtomicBool::new(false),
        }
    }

    pub(super) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// An empty buffer, its bytes to be overwritten; waits until one is free. `None` once the pull has
    /// ended.
    #[must_use]
    pub fn buffer(&self) -> Option<Vec<u8>> {
        let mut state = self.gate.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(buffer) = state.take() {
                return Some(buffer);
            }
            state = self
                .gate
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The same for a task.
    pub fn poll_buffer(&self, context: &Context<'_>) -> Poll<Option<Vec<u8>>> {
        let mut state = self.gate.lock();
        if state.closed {
            return Poll::Ready(None);
        }
        if let Some(buffer) = state.take() {
            return Poll::Ready(Some(buffer));
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Hands over a buffer whose first `filled` bytes have arrived.
    pub fn deliver(&self, buffer: Vec<u8>, filled: usize) {
        let portion = Portion {
            buffer,
            filled,
            gate: self.gate(),
        };
        let _ = self.channel.send(Message::Bytes(self.id, Ok(portion)));
    }

    /// The line has ended; nothing is to be delivered afterwards. Also said when this is dropped.
    pub fn end(&self, kind: io::ErrorKind) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            let _ = self.channel.send(Message::Bytes(self.id, Err(kind)));
        }
    }
}

impl Drop for Inward {
    fn drop(&mut self) {
        self.end(io::ErrorKind::UnexpectedEof);
    }
}

/// Bytes that arrived; their buffer goes back to its line when they are worked on.
#[derive(Debug)]
pub(super) struct Portion {
    buffer: Vec<u8>,
    filled: usize,
    gate: Arc<Gate>,
}

impl Portion {
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or(&self.buffer)
    }
}

impl Drop for Portion {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.free.push(core::mem::take(&mut self.buffer));
        let waker = state.waker.take();
        drop(state);
        self.gate.ready.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Where the buffers of a line wait.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<GateState>,
    ready: Condvar,
}

#[derive(Debug)]
struct GateState {
    free: Vec<Vec<u8>>,
    /// Buffers that can still be made.
    unmade: usize,
    closed: bool,
    waker: Option<Waker>,
}

impl GateState {
    fn take(&mut self) -> Option<Vec<u8>> {
        self.free.pop().or_else(|| {
            self.unmade = self.unmade.checked_sub(1)?;
            Some(vec![0; PORTION_BYTES])
        })
    }
}

impl Gate {
    const fn new() -> Self {
        Self {
            state: Mutex::new(GateState {
                free: Vec::new(),
                unmade: PORTIONS,
                closed: false,
                waker: None,
            }),
            ready: Condvar::new(),
        }
    }

    /// Whoever waits for a buffer gets none.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waker = state.waker.take();
        drop(state);
        self.ready.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_the_own_machine_is_near_whatever_it_took() {
        let took = Duration::from_millis(40);
        for near in ["127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(round_trip_to(&near.parse().unwrap(), took), Duration::ZERO);
        }
        assert_eq!(round_trip_to(&"10.0.0.5:1".parse().unwrap(), took), took);
    }
}
