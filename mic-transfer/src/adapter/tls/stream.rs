//! A TLS connection whose two directions work at the same time.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant as Clock;

use rustls::Connection;

use crate::adapter::serve::Peer;
use crate::adapter::stream::ByteStream;

/// Bytes of records read from the stream at once: what a gigabit line brings in two milliseconds.
const CIPHER_BYTES: usize = 256 * 1024;
/// Bytes that are sealed and written at once: they stay in a core's cache on their way through rustls to the socket,
/// and the first of a chunk are on the line before the last are sealed.
const SEALED_BYTES: usize = 64 * 1024;

/// TLS over any blocking stream.
///
/// The keys are locked only while bytes are sealed or opened, never while the stream is waited for: a
/// reader that waits does not hold a writer up, nor the other way round.
pub struct TlsStream<S> {
    stream: S,
    tls: Mutex<Connection>,
    /// Records on their way out; also keeps writers in turn.
    outgoing: Mutex<Vec<u8>>,
    incoming: Mutex<Incoming>,
    peer: Peer,
}

/// Records read and not yet opened.
struct Incoming {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

impl<S> core::fmt::Debug for TlsStream<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TlsStream")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl<S: ByteStream> TlsStream<S> {
    /// Agrees on keys with the other side.
    ///
    /// # Errors
    /// The handshake failed or took too long; the text says why.
    pub fn handshake(stream: S, mut tls: Connection, within: Duration) -> io::Result<Self> {
        let until = Clock::now() + within;
        tls.set_buffer_limit(None);
        let mut incoming = Incoming {
            bytes: vec![0; CIPHER_BYTES],
            from: 0,
            to: 0,
        };
        let mut outgoing = Vec::new();
        loop {
            flush(&stream, &mut tls, &mut outgoing)?;
            if !tls.is_handshaking() {
                break;
            }
            if incoming.from == incoming.to {
                incoming.fill(&stream)?;
            }
            if let Err(error) = incoming.open_some(&mut tls) {
                // The alert tells the other side why.
                let _ = flush(&stream, &mut tls, &mut outgoing);
                return Err(error);
            }
            if Clock::now() > until {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        let certificates = tls.peer_certificates().unwrap_or(&[]);
        let peer = stream.peer();
        let peer = match certificates.first() {
            Some(certificate) => peer.with_certificate(certificate),
            None => peer,
        };
        Ok(Self {
            stream,
            tls: Mutex::new(tls),
            outgoing: Mutex::new(outgoing),
            incoming: Mutex::new(incoming),
            peer,
        })
    }

    pub(super) const fn inner(&self) -> &S {
        &self.stream
    }

    fn seal(&self, parts: &[&[u8]], outgoing: &mut Vec<u8>) -> io::Result<()> {
        {
            let mut tls = lock(&self.tls);
            for part in parts {
                tls.writer().write_all(part)?;
            }
            while tls.wants_write() {
                tls.write_tls(outgoing)?;
            }
        }
        let written = self.stream.write(outgoing, &[]);
        outgoing.clear();
        written
    }
}

impl Incoming {
    fn fill(&mut self, stream: &impl ByteStream) -> io::Result<()> {
        self.from = 0;
        self.to = stream.read(&mut self.bytes)?;
        if self.to == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// Opens as many records as the connection takes at once.
    fn open_some(&mut self, tls: &mut Connection) -> io::Result<()> {
        let mut rest = self.bytes.get(self.from..self.to).unwrap_or(&[]);
        let taken = tls.read_tls(&mut rest)?;
        self.from = self.from.saturating_add(taken);
        tls.process_new_packets()
            .map(|_| ())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

fn flush(stream: &impl ByteStream, tls: &mut Connection, buffer: &mut Vec<u8>) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(buffer)?;
    }
    let written = stream.write(buffer, &[]);
    buffer.clear();
    written
}

impl<S: ByteStream> ByteStream for TlsStream<S> {
    fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut incoming = lock(&self.incoming);
        loop {
            let mut tls = lock(&self.tls);
            let mut filled = 0;
            loop {
                let room = into.get_mut(filled..).unwrap_or(&mut []);
                if room.is_empty() {
                    return Ok(filled);
                }
                match tls.reader().read(room) {
                    // The other side has said its end.
                    Ok(0) => return Ok(filled),
                    Ok(read) => filled = filled.saturating_add(read),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        if incoming.from == incoming.to {
                            break;
                        }
                        incoming.open_some(&mut tls)?;
                    }
                    Err(error) => return Err(error),
                }
            }
            if filled > 0 {
                return Ok(filled);
            }
            drop(tls);
            incoming.fill(&self.stream)?;
        }
    }

    fn is_drained(&self, _: usize, _: usize) -> bool {
        let incoming = lock(&self.incoming);
        incoming.from == incoming.to && incoming.to < incoming.bytes.len()
    }

    fn write(&self, head: &[u8], body: &[u8]) -> io::Result<()> {
        let mut outgoing = lock(&self.outgoing);
        let with_head = SEALED_BYTES.saturating_sub(head.len()).min(body.len());
        let (first, rest) = body.split_at_checked(with_head).unwrap_or((body, &[]));
        self.seal(&[head, first], &mut outgoing)?;
        rest.chunks(SEALED_BYTES)
            .try_for_each(|part| self.seal(&[part], &mut outgoing))
    }

    fn finish(&self) {
        lock(&self.tls).send_close_notify();
        let _ = self.write(&[], &[]);
        self.stream.finish();
    }

    fn close(&self) {
        self.stream.close();
    }

    fn peer(&self) -> Peer {
        self.peer.clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
