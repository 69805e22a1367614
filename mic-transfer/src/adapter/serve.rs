//! Giving studies out over a blocking byte stream, and who may have them.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::mpsc::{Receiver as Inbox, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::Instant as Clock;

use super::coder::Coder;
pub use super::paths::ServeConfig;
use super::stream::{ByteStream, read_to_end};
use crate::error::{ErrorCode, SessionError};
use crate::receipt::Receipt;
use crate::sender::{Sender, SenderEvent, SenderOutput};
use crate::sign::Signature;
use crate::source::Source;
use crate::{Digest, Uid};

/// Portions read and not yet worked on.
const PORTIONS: usize = 8;
/// The longest that a closing side waits for the other to have read its last words.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// Who is at the other end of a connection, as the line has established it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Peer {
    address: Option<SocketAddr>,
    certificate: Option<Arc<[u8]>>,
}

impl Peer {
    /// Known by its address at most.
    #[must_use]
    pub const fn new(address: Option<SocketAddr>) -> Self {
        Self {
            address,
            certificate: None,
        }
    }

    /// With the certificate it has proven to hold, in DER.
    #[must_use]
    pub fn with_certificate(mut self, der: &[u8]) -> Self {
        self.certificate = Some(der.into());
        self
    }

    /// Its address; of the last proxy, where there is one.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The certificate (X.509, DER) that it has proven to hold and that the line's trust accepts;
    /// `None` on lines without certificates.
    #[must_use]
    pub fn certificate(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }
}

/// Without the certificate's contents.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("address", &self.address)
            .field("has_certificate", &self.certificate.is_some())
            .finish()
    }
}

/// The embedding application's no, with a number of its own for the other side.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refusal {
    /// The application's number.
    pub reason: Option<u16>,
}

impl Refusal {
    /// A refusal with a number.
    #[must_use]
    pub const fn because(reason: u16) -> Self {
        Self {
            reason: Some(reason),
        }
    }
}

/// Decides who gets what; the bytes are the application's own tokens.
pub trait Authorizer {
    /// May this receiver connect?
    ///
    /// # Errors
    /// [`Refusal`].
    fn session(&self, auth: &[u8]) -> Result<(), Refusal>;

    /// May it have this study?
    ///
    /// # Errors
    /// [`Refusal`].
    fn study(&self, study: &Uid, auth: &[u8]) -> Result<(), Refusal>;

    /// A receipt arrived: check and keep it, and sign [`Receipt::message`] in return if wanted.
    fn receipt(&self, receipt: &Receipt, signature: Option<&Signature>) -> Option<Signature> {
        let _ = (receipt, signature);
        None
    }

    /// May this receiver, known to the line, connect? The given way asks [`Authorizer::session`].
    ///
    /// # Errors
    /// [`Refusal`].
    fn session_of(&self, peer: &Peer, auth: &[u8]) -> Result<(), Refusal> {
        let _ = peer;
        self.session(auth)
    }

    /// May this receiver, known to the line, have the study? The given way asks [`Authorizer::study`].
    ///
    /// # Errors
    /// [`Refusal`].
    fn study_of(&self, peer: &Peer, study: &Uid, auth: &[u8]) -> Result<(), Refusal> {
        let _ = peer;
        self.study(study, auth)
    }
}

/// Everybody gets everything: for tests and lines that are trusted as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to hold")]
pub struct AllowAll;

impl Authorizer for AllowAll {
    fn session(&self, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    fn study(&self, _: &Uid, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
}

macro_rules! authorizer_behind {
    ($($pointer:ty),*) => {$(
        impl<A: Authorizer + ?Sized> Authorizer for $pointer {
            fn session(&self, auth: &[u8]) -> Result<(), Refusal> {
                (**self).session(auth)
            }

            fn study(&self, study: &Uid, auth: &[u8]) -> Result<(), Refusal> {
                (**self).study(study, auth)
            }

            fn receipt(
                &self,
                receipt: &Receipt,
                signature: Option<&Signature>,
            ) -> Option<Signature> {
                (**self).receipt(receipt, signature)
            }

            fn session_of(&self, peer: &Peer, auth: &[u8]) -> Result<(), Refusal> {
                (**self).session_of(peer, auth)
            }

            fn study_of(&self, peer: &Peer, study: &Uid, auth: &[u8]) -> Result<(), Refusal> {
                (**self).study_of(peer, study, auth)
            }
        }
    )*};
}

authorizer_behind!(&A, Arc<A>);

/// What one connection carried.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServeReport {
    /// Bytes sent, frames included.
    pub sent: u64,
    /// Bytes received, frames included.
    pub received: u64,
    /// Bytes of chunks sent.
    pub data: u64,
    /// Roots whose receipt arrived.
    pub receipts: Vec<Digest>,
    /// Why the connection ended, where it was not at its proper end.
    pub error: Option<SessionError>,
    /// What the socket said, where it failed.
    pub io: Option<io::ErrorKind>,
}

/// Serves one connection over any blocking stream until it ends; runs on the calling thread.
///
/// A protocol error, a refusal or a lost line is no error of this function: the report says it.
///
/// # Errors
/// Only where no thread can be made.
pub fn serve_stream(
    stream: impl ByteStream,
    source: &impl Source,
    authorizer: &impl Authorizer,
    config: impl Into<ServeConfig>,
) -> io::Result<ServeReport> {
    let config = config.into();
    let stream = Arc::new(stream);
    let (channel, inbox) = sync_channel(PORTIONS);
    let reading = Arc::clone(&stream);
    let handle = thread::Builder::new()
        .name(String::from("mic-transfer-read"))
        .spawn(move || read_to_end(&*reading, |portion| channel.send(portion).is_ok()))?;
    let mut report = ServeReport::default();
    let served = serve(&*stream, &inbox, source, authorizer, &config, &mut report);
    report.io = served.err().map(|error| error.kind());
    stream.finish();
    let until = Clock::now() + LINGER;
    // Read on until the other side has closed: a socket with unread bytes would be reset and take
    // the last frame with it.
    while let Some(left) = until.checked_duration_since(Clock::now()) {
        match inbox.recv_timeout(left) {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    stream.close();
    drop(inbox);
    let _ = handle.join();
    Ok(report)
}

type Portion = Result<Vec<u8>, io::ErrorKind>;

fn serve(
    stream: &impl ByteStream,
    inbox: &Inbox<Portion>,
    source: &impl Source,
    authorizer: &impl Authorizer,
    config: &ServeConfig,
    report: &mut ServeReport,
) -> io::Result<()> {
    let peer = stream.peer();
    let clock = Clock::now();
    let mut sender = Sender::new(config.sender, clock.elapsed());
    let mut coder = Coder::new(config.sender.coding, config.path(&peer));
    let mut spare: Vec<u8> = Vec::new();
    loop {
        // Before each chunk, so that a click is heard; not before answers that wait, which would pile
        // up without bound.
        if !sender.has_queued() {
            match inbox.try_recv() {
                Ok(portion) => take(&mut sender, portion, &clock, report),
                Err(TryRecvError::Disconnected) => sender.handle_disconnect(),
                Err(TryRecvError::Empty) => {}
            }
        }
        // Portions that keep coming must not keep the timers from their turn.
        sender.handle_time(clock.elapsed());
        match sender.poll_output() {
            SenderOutput::Send(packet) => {
                let [head, body] = packet.parts();
                stream.write(head, body)?;
                coder.wrote(packet.len());
                report.sent = report.sent.saturating_add(packet.len() as u64);
                let body = packet.into_body();
                if body.capacity() > spare.capacity() {
                    spare = body;
                }
            }
            SenderOutput::Read {
                slot,
                instance,
                offset,
                length,
            } => {
                let place = (slot, instance, offset, length);
                coder.answer(&mut sender, source, place, core::mem::take(&mut spare));
            }
            SenderOutput::Leaves { slot, instance } => {
                let manifest = sender.manifest(slot).cloned();
                let leaves = manifest.and_then(|known| source.leaves(&known, instance).ok());
                sender.handle_leaves(leaves);
            }
            SenderOutput::Event(event) => {
                let root = decide(&mut sender, event, source, authorizer, &peer);
                report.receipts.extend(root);
            }
            SenderOutput::Close(error) => {
                report.error = error;
                report.data = sender.data_bytes();
                return Ok(());
            }
            SenderOutput::Wait(deadline) => {
                let now = clock.elapsed();
                let left = deadline.map_or(LINGER, |deadline| deadline.saturating_sub(now));
                match inbox.recv_timeout(left) {
                    Ok(portion) => take(&mut sender, portion, &clock, report),
                    Err(RecvTimeoutError::Timeout) => sender.handle_time(clock.elapsed()),
                    Err(RecvTimeoutError::Disconnected) => sender.handle_disconnect(),
                }
            }
        }
        report.data = sender.data_bytes();
    }
}

fn take(sender: &mut Sender, portion: Portion, clock: &Clock, report: &mut ServeReport) {
    match portion {
        Ok(bytes) => {
            report.received = report.received.saturating_add(bytes.len() as u64);
            sender.handle_bytes(&bytes, clock.elapsed());
        }
        Err(_) => sender.handle_disconnect(),
    }
}

/// Answers what a sender asks; the root of a study whose receipt arrived.
pub(super) fn decide(
    sender: &mut Sender,
    event: SenderEvent,
    source: &impl Source,
    authorizer: &impl Authorizer,
    peer: &Peer,
) -> Option<Digest> {
    match event {
        SenderEvent::AuthorizeSession { auth } => {
            match authorizer.session_of(peer, auth.as_bytes()) {
                Ok(()) => sender.accept_session(),
                Err(refusal) => sender.refuse_session(refusal.reason),
            }
        }
        SenderEvent::AuthorizeStudy { slot, study, auth } => {
            match authorizer.study_of(peer, &study, auth.as_bytes()) {
                Err(refusal) => sender.refuse(slot, ErrorCode::StudyRefused, refusal.reason),
                Ok(()) => match source.manifest(&study) {
                    Some(signed) => sender.offer(slot, signed),
                    None => sender.refuse(slot, ErrorCode::StudyUnknown, None),
                },
            }
        }
        SenderEvent::Receipt {
            slot,
            receipt,
            signature,
        } => {
            let answer = authorizer.receipt(&receipt, signature.as_ref());
            sender.countersign(slot, &receipt, answer);
            return Some(*receipt.root());
        }
        SenderEvent::Ended { .. } => {}
    }
    None
}
