//! Giving studies out over a socket.

use alloc::string::String;
use alloc::vec::Vec;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver as Inbox, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::Instant as Clock;

use super::coder::Coder;
use super::{LINGER, PORTIONS, close_gently, prepare, read_into, write_packet};
use crate::error::{ErrorCode, SessionError};
use crate::receipt::Receipt;
use crate::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use crate::sign::Signature;
use crate::source::Source;
use crate::{Digest, Uid};

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
    config: SenderConfig,
) -> io::Result<ServeReport> {
    prepare(&stream)?;
    let (channel, inbox) = sync_channel(PORTIONS);
    let reader = stream.try_clone()?;
    let handle = thread::Builder::new()
        .name(String::from("mic-transfer-read"))
        .spawn(move || read_into(&reader, &channel, |portion| portion))?;
    let mut report = ServeReport::default();
    let served = serve(&stream, &inbox, source, authorizer, config, &mut report);
    report.io = served.err().map(|error| error.kind());
    close_gently(&stream);
    let until = Clock::now() + LINGER;
    // Read on until the other side has closed: a socket with unread bytes would be reset and take
    // the last frame with it.
    while let Some(left) = until.checked_duration_since(Clock::now()) {
        match inbox.recv_timeout(left) {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
    drop(inbox);
    let _ = handle.join();
    Ok(report)
}

type Portion = Result<Vec<u8>, io::ErrorKind>;

fn serve(
    stream: &TcpStream,
    inbox: &Inbox<Portion>,
    source: &impl Source,
    authorizer: &impl Authorizer,
    config: SenderConfig,
    report: &mut ServeReport,
) -> io::Result<()> {
    let clock = Clock::now();
    let mut sender = Sender::new(config, clock.elapsed());
    let mut coder = Coder::new(config.coding);
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
                let began = clock.elapsed();
                write_packet(stream, &packet)?;
                coder.wrote(packet.len(), began, clock.elapsed());
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
            SenderOutput::Event(event) => decide(&mut sender, event, source, authorizer, report),
            SenderOutput::Close(error) => {
                report.error = error;
                report.data = sender.data_bytes();
                return Ok(());
            }
            SenderOutput::Wait(deadline) => {
                coder.idle();
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

fn decide(
    sender: &mut Sender,
    event: SenderEvent,
    source: &impl Source,
    authorizer: &impl Authorizer,
    report: &mut ServeReport,
) {
    match event {
        SenderEvent::AuthorizeSession { auth } => match authorizer.session(auth.as_bytes()) {
            Ok(()) => sender.accept_session(),
            Err(refusal) => sender.refuse_session(refusal.reason),
        },
        SenderEvent::AuthorizeStudy { slot, study, auth } => {
            match authorizer.study(&study, auth.as_bytes()) {
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
            report.receipts.push(*receipt.root());
            sender.countersign(slot, &receipt, answer);
        }
        SenderEvent::Ended { .. } => {}
    }
}
