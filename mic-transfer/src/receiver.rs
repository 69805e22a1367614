//! The receiver's side of any number of connections, without sockets, files or clock.
//!
//! *After every call, drain [`Receiver::poll_output`] until it answers [`ReceiverOutput::Wait`].*
//!
//! All connections take the next chunk from one queue, which the receiver owns: a connection that is
//! slow asks for less, one that is lost gives back what it owed, and a second source is one
//! connection more.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

mod event;
mod link;
mod plan;
mod state;
mod study;

use chrono::{DateTime, Utc};

pub use event::{ConnectionId, Progress, ReceiverEvent, ReceiverOutput};
pub use plan::Priority;
pub use state::{StudyInput, StudyState};

use crate::error::{Context, ErrorCode, SessionError};
use crate::limits::{CHUNK_BYTES, RUNS_MAX, SLOTS_MAX};
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::store::{Action, Outcome, StoreOp, StoreResult};
use crate::wire::{
    CLASSES, Frame, NO_SLOT, Offer, PREFACE, Packet, Report, Request, Session, encode,
};
use crate::{Auth, Digest, Instant, Run, SignedManifest, Uid};
use link::{Leg, Link, Phase};
use plan::CLICK;
use study::Study;

/// The limits and timers of a receiver.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// Bytes asked for and not come, for each connection.
    pub window_bytes: u64,
    /// The longest that a source may take to let this side in.
    pub greeting_timeout: Duration,
    /// The longest silence of a source that owes an answer.
    pub stall_timeout: Duration,
}

impl Default for ReceiverConfig {
    /// 8 MiB: a gigabit line of 60 ms round trip on one connection. 10 s to be let in; 30 s of
    /// silence.
    fn default() -> Self {
        Self {
            window_bytes: 8 * 1024 * 1024,
            greeting_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
        }
    }
}

/// The receiver's side: studies are pulled over connections into a store.
///
/// `adapter::tcp` shows the loop that drives it; the crate's front page a whole transfer.
#[derive(Debug)]
pub struct Receiver {
    config: ReceiverConfig,
    links: BTreeMap<ConnectionId, Link>,
    studies: BTreeMap<u16, Study>,
    out: VecDeque<ReceiverOutput>,
    next_slot: u16,
    /// The slot asked for last: studies of one class take turns.
    turn: u16,
    spare: Vec<Vec<u8>>,
}

impl Receiver {
    /// A receiver without connections.
    #[must_use]
    pub const fn new(config: ReceiverConfig) -> Self {
        Self {
            config,
            links: BTreeMap::new(),
            studies: BTreeMap::new(),
            out: VecDeque::new(),
            next_slot: 0,
            turn: 0,
            spare: Vec::new(),
        }
    }

    /// A connection to a source is there; `auth` is shown to it.
    pub fn connect(&mut self, connection: ConnectionId, auth: Auth, now: Instant) {
        let preface = Packet {
            head: PREFACE.to_vec(),
            body: Vec::new(),
        };
        self.links.insert(connection, Link::new(now));
        self.out
            .push_back(ReceiverOutput::Send(connection, preface));
        self.send(connection, &Frame::Hello(Session::new(auth)));
    }

    /// Bytes have arrived on a connection.
    pub fn handle_bytes(&mut self, connection: ConnectionId, mut bytes: &[u8], now: Instant) {
        while let Some(link) = self.links.get_mut(&connection) {
            if link.phase == Phase::Closed {
                return;
            }
            link.heard_at = now;
            match link.reader.next(&mut bytes) {
                Ok(Some(frame)) => {
                    if let Err(error) = self.handle_frame(connection, frame, now) {
                        self.fail_link(connection, error, now);
                    }
                }
                Ok(None) => break,
                Err(fault) => self.fail_link(connection, fault.into(), now),
            }
        }
        self.top_up(now);
    }

    /// A connection has ended.
    pub fn handle_disconnect(&mut self, connection: ConnectionId, now: Instant) {
        let Some(link) = self.links.get(&connection) else {
            return;
        };
        let error = link.is_waiting().then_some(SessionError::ConnectionLost);
        self.drop_link(connection, error, now);
    }

    /// The time named by [`ReceiverOutput::Wait`] has come.
    pub fn handle_time(&mut self, now: Instant) {
        let late: Vec<(ConnectionId, Instant)> = self
            .links
            .iter()
            .filter_map(|(id, link)| {
                let (since, limit) = self.waiting(link)?;
                (since.saturating_add(limit) <= now).then_some((*id, since))
            })
            .collect();
        for (id, since) in late {
            let seconds = now.saturating_sub(since).as_secs();
            self.fail_link(id, SessionError::TimedOut { seconds }, now);
        }
    }

    /// The store has done what was asked.
    pub fn handle_storage(&mut self, result: StoreResult, now: Instant) {
        let slot = result.slot;
        match result.outcome {
            Ok(Outcome::Opened {
                have,
                leaves,
                complete,
                receipt,
            }) => {
                let Some(study) = self.studies.get_mut(&slot) else {
                    return;
                };
                if study.state == StudyState::Opening {
                    study.opened(have, leaves, now);
                    self.planned(slot, complete, receipt, now);
                }
            }
            Ok(Outcome::Written { chunk, buffer }) => {
                if self.spare.len() < 4 {
                    self.spare.push(buffer);
                }
                self.written(slot, chunk, now);
            }
            Ok(Outcome::Committed { fetched }) => {
                let Some(study) = self.studies.get_mut(&slot) else {
                    return;
                };
                if study.step(StudyInput::Durable) {
                    study.fetched_ever = fetched;
                    let progress = study.progress(slot, now);
                    self.event(ReceiverEvent::Durable { slot, progress });
                }
            }
            Ok(Outcome::Noted) => self.noted(slot, now),
            Err(error) => self.fail_study(slot, SessionError::Storage(error), true),
        }
        self.top_up(now);
    }

    /// Asks for a study; `known` is the manifest a store has of it. The number returned names the
    /// study in all that follows; `None` where too many are open.
    pub fn pull(
        &mut self,
        study: Uid,
        auth: Auth,
        priority: Priority,
        known: Option<SignedManifest>,
    ) -> Option<u16> {
        let open = self
            .studies
            .values()
            .filter(|study| !study.state.is_over())
            .count();
        let slot = self.next_slot;
        if open >= SLOTS_MAX || slot == NO_SLOT {
            return None;
        }
        self.next_slot = slot.saturating_add(1);
        self.studies
            .insert(slot, Study::new(study, auth, priority, known));
        let open: Vec<ConnectionId> = self.open_links().collect();
        // The first connection brings the manifest, the others join once it is known.
        if let Some(first) = open.first() {
            self.request(*first, slot);
        }
        Some(slot)
    }

    /// The manifest and its signature are accepted.
    pub fn accept(&mut self, slot: u16) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if study.state != StudyState::Judging || !study.step(StudyInput::Accept) {
            return;
        }
        if let Some(signed) = study.signed.clone() {
            let root = *signed.manifest().root();
            self.out.push_back(ReceiverOutput::Store(StoreOp::new(
                slot,
                root,
                Action::Open(signed),
            )));
        }
    }

    /// Ends a study by an error of this side's: its manifest or signature is not accepted, or no
    /// connection is left to carry it. What is verified stays in the store.
    pub fn fail(&mut self, slot: u16, error: SessionError) {
        self.fail_study(slot, error, false);
    }

    /// Gives a study up; what is verified stays in the store.
    pub fn cancel(&mut self, slot: u16) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if study.state.is_over() || study.state == StudyState::Committed {
            return;
        }
        self.release(slot);
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        study.step(StudyInput::Cancel);
        for (id, _) in self.end_legs(slot) {
            self.send(id, &Frame::Cancel { slot });
        }
        self.event(ReceiverEvent::Failed {
            slot,
            error: SessionError::Cancelled,
        });
    }

    /// A click: the instance comes next, before everything else on every connection.
    pub fn click(&mut self, slot: u16, instance: u32, now: Instant) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        let Some(bounds) = study.manifest().and_then(|known| known.chunks_of(instance)) else {
            return;
        };
        study.plan.click(instance);
        let mut ranks = Vec::new();
        for (id, link) in &self.links {
            let owed = link
                .owed
                .range((slot, bounds.first())..(slot, bounds.end()));
            let runs = runs_of(owed.map(|((_, chunk), _)| *chunk));
            if !runs.is_empty() {
                ranks.push((*id, runs));
            }
        }
        for (id, mut runs) in ranks {
            runs.truncate(RUNS_MAX);
            self.send(
                id,
                &Frame::Rank {
                    slot,
                    class: CLICK as u32,
                    runs,
                },
            );
        }
        self.top_up(now);
    }

    /// Issues the receipt of a durable study: `at` by the receiver's clock, `previous` the digest of
    /// the receipt before it, `sign` over [`Receipt::message`].
    ///
    /// # Errors
    /// Whatever `sign` gives; the study stays durable and the receipt is to be issued.
    pub fn issue_receipt<E>(
        &mut self,
        slot: u16,
        at: DateTime<Utc>,
        previous: Option<Digest>,
        sign: impl FnOnce(&[u8]) -> Result<Option<Signature>, E>,
    ) -> Result<(), E> {
        let Some(study) = self.studies.get_mut(&slot) else {
            return Ok(());
        };
        let (StudyState::Committed, None) = (study.state, &study.receipt) else {
            return Ok(());
        };
        let Some(manifest) = study.manifest() else {
            return Ok(());
        };
        let (root, bytes) = (*manifest.root(), manifest.bytes_total());
        let instances = u32::try_from(manifest.instances().len()).unwrap_or(u32::MAX);
        let mut receipt = Receipt::new(root, instances, bytes, study.fetched_ever, at);
        if let Some(previous) = previous {
            receipt = receipt.after(previous);
        }
        let signature = sign(&receipt.message())?;
        study.receipt = Some((receipt.clone(), signature.clone()));
        let action = Action::Receipt(receipt, signature);
        self.out
            .push_back(ReceiverOutput::Store(StoreOp::new(slot, root, action)));
        Ok(())
    }

    /// Says goodbye on every connection.
    pub fn close(&mut self, now: Instant) {
        let open: Vec<ConnectionId> = self.open_links().collect();
        for id in open {
            self.send(id, &Frame::Bye);
            self.drop_link(id, None, now);
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> ReceiverOutput {
        self.out.pop_front().unwrap_or_else(|| {
            let waits = self.links.values().filter_map(|link| self.waiting(link));
            let deadline = waits
                .map(|(since, limit)| since.saturating_add(limit))
                .min();
            ReceiverOutput::Wait(deadline)
        })
    }

    /// The place of an instance in the manifest of a study.
    #[must_use]
    pub fn position(&self, slot: u16, digest: &Digest) -> Option<u32> {
        self.studies.get(&slot)?.manifest()?.position(digest)
    }

    /// Where a study stands.
    #[must_use]
    pub fn state(&self, slot: u16) -> Option<StudyState> {
        self.studies.get(&slot).map(|study| study.state)
    }

    /// How far a study is.
    #[must_use]
    pub fn progress(&self, slot: u16, now: Instant) -> Option<Progress> {
        self.studies
            .get(&slot)
            .map(|study| study.progress(slot, now))
    }

    /// Whether every study is over and every receipt sent is answered.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.studies.values().all(|study| study.state.is_over())
            && self.links.values().all(|link| link.unanswered.is_empty())
    }

    /// Connections that are not at their end.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.links
            .values()
            .filter(|link| link.phase != Phase::Closed)
            .count()
    }

    /// Bytes asked for on a connection and not come: never more than the window and a click.
    #[must_use]
    pub fn owed_bytes(&self, connection: ConnectionId) -> u64 {
        self.links
            .get(&connection)
            .map_or(0, |link| link.owed_bytes)
    }

    /// A buffer that was written, to be used again by the caller.
    pub fn spare_buffer(&mut self) -> Option<Vec<u8>> {
        self.spare.pop()
    }

    fn handle_frame(
        &mut self,
        id: ConnectionId,
        frame: Frame,
        now: Instant,
    ) -> Result<(), SessionError> {
        let name = frame.name();
        let out_of_order = SessionError::protocol(ErrorCode::OutOfOrder, Context::Frame(name));
        let phase = self.links.get(&id).map_or(Phase::Closed, |link| link.phase);
        match (phase, frame) {
            (Phase::Closed, _) | (_, Frame::Skipped { .. }) => Ok(()),
            (
                _,
                Frame::Error {
                    slot: NO_SLOT,
                    report: Report { code, reason, text },
                },
            ) => {
                // The source has closed: its words are the reason, there is nobody to answer.
                self.drop_link(id, Some(SessionError::Reported { code, reason, text }), now);
                Ok(())
            }
            (_, Frame::Bye) => {
                self.handle_disconnect(id, now);
                Ok(())
            }
            (Phase::Greeting, Frame::Hello(session)) => {
                if let Some(link) = self.links.get_mut(&id) {
                    link.phase = Phase::Open;
                    link.allows = (usize::from(session.slots), session.runs as usize);
                }
                self.event(ReceiverEvent::Connected(id));
                self.join(id);
                Ok(())
            }
            (Phase::Open, Frame::Offer { slot, offer }) => self.handle_offer(id, slot, offer),
            (
                Phase::Open,
                Frame::Manifest {
                    slot,
                    offset,
                    bytes,
                },
            ) => self.handle_manifest(id, slot, offset, &bytes),
            (
                Phase::Open,
                Frame::Leaves {
                    slot,
                    instance,
                    values,
                },
            ) => {
                if self.leg(id, slot)? == Leg::Ended {
                    return Ok(());
                }
                let study = self.studies.get_mut(&slot).ok_or(out_of_order)?;
                if let Some(leaves) = study.take_leaves(instance, values)? {
                    let root = study.root().unwrap_or(Digest::from_bytes([0; 32]));
                    let op = StoreOp::new(slot, root, Action::Leaves(instance, leaves));
                    self.out.push_back(ReceiverOutput::Store(op));
                }
                Ok(())
            }
            (Phase::Open, Frame::Data { slot, chunk, bytes }) => {
                self.handle_data(id, slot, chunk, bytes)
            }
            (
                Phase::Open,
                Frame::Countersign {
                    slot,
                    receipt,
                    signature,
                },
            ) => {
                let link = self.links.get_mut(&id);
                let awaited = link.is_some_and(|link| link.unanswered.remove(&slot));
                let study = self
                    .studies
                    .get_mut(&slot)
                    .filter(|_| awaited)
                    .ok_or(out_of_order)?;
                let same = study
                    .receipt
                    .as_ref()
                    .is_some_and(|(known, _)| known.digest() == receipt);
                if !same {
                    return Err(SessionError::protocol(
                        ErrorCode::OutOfOrder,
                        Context::Frame(name),
                    ));
                }
                let root = *receipt_root(study);
                self.set_leg(id, slot, Leg::Ended);
                let action = Action::Countersign(signature.clone());
                self.out
                    .push_back(ReceiverOutput::Store(StoreOp::new(slot, root, action)));
                self.event(ReceiverEvent::Countersigned { slot, signature });
                self.join_waiting();
                Ok(())
            }
            (Phase::Open, Frame::Error { slot, report }) => self.handle_refusal(id, slot, report),
            _ => Err(out_of_order),
        }
    }

    fn leg(&self, id: ConnectionId, slot: u16) -> Result<Leg, SessionError> {
        let leg = self
            .links
            .get(&id)
            .and_then(|link| link.legs.get(&slot))
            .copied();
        leg.ok_or(SessionError::protocol(
            ErrorCode::OutOfOrder,
            Context::Frame("slot"),
        ))
    }

    fn handle_offer(
        &mut self,
        id: ConnectionId,
        slot: u16,
        offer: Offer,
    ) -> Result<(), SessionError> {
        match self.leg(id, slot)? {
            Leg::Ended => return Ok(()),
            Leg::Ready => {
                return Err(SessionError::protocol(
                    ErrorCode::OutOfOrder,
                    Context::Frame("OFFER"),
                ));
            }
            Leg::Asked => {}
        }
        self.set_leg(id, slot, Leg::Ready);
        let Some(study) = self.studies.get_mut(&slot) else {
            return Ok(());
        };
        let known = study.root() == Some(offer.root);
        if study.state != StudyState::Requested {
            // A further connection, or one after a cut: only the same study will do.
            if known && offer.manifest_bytes == 0 {
                return Ok(());
            }
            self.set_leg(id, slot, Leg::Ended);
            self.send(id, &Frame::Cancel { slot });
            if !self.has_leg(slot) {
                let error =
                    SessionError::protocol(ErrorCode::StudyChanged, Context::Frame("OFFER"));
                self.fail_study(slot, error, true);
            }
            return Ok(());
        }
        if offer.manifest_bytes == 0 {
            if !known {
                return Err(SessionError::protocol(
                    ErrorCode::WrongManifest,
                    Context::Frame("OFFER"),
                ));
            }
            study.step(StudyInput::OfferKnown);
            // The signature of this offer counts, where there is one; the root is the same.
            if let (Some(signed), Some(signature)) = (&study.signed, offer.signature) {
                study.signed = Some(SignedManifest::new(
                    signed.manifest().clone(),
                    Some(signature),
                ));
            }
            self.judge(slot);
        } else {
            study.step(StudyInput::Offer);
            study.manifest_from = Some(id);
            study.manifest_bytes = Vec::new();
            study.offer = Some(offer);
        }
        Ok(())
    }

    fn handle_manifest(
        &mut self,
        id: ConnectionId,
        slot: u16,
        offset: u32,
        bytes: &[u8],
    ) -> Result<(), SessionError> {
        let wrong = SessionError::protocol(ErrorCode::OutOfOrder, Context::Frame("MANIFEST"));
        if self.leg(id, slot)? == Leg::Ended {
            return Ok(());
        }
        let Some(study) = self.studies.get_mut(&slot) else {
            return Ok(());
        };
        let (StudyState::Offered, Some(offer)) = (study.state, &study.offer) else {
            return Err(wrong);
        };
        let total = offer.manifest_bytes as usize;
        let end = study.manifest_bytes.len().saturating_add(bytes.len());
        if study.manifest_from != Some(id)
            || offset as usize != study.manifest_bytes.len()
            || end > total
        {
            return Err(wrong);
        }
        study.manifest_bytes.extend_from_slice(bytes);
        if end == total {
            study.finish_manifest()?;
            self.judge(slot);
        }
        Ok(())
    }

    /// Asks the application about the manifest, and the other connections for the study.
    fn judge(&mut self, slot: u16) {
        let Some(signed) = self
            .studies
            .get(&slot)
            .and_then(|study| study.signed.clone())
        else {
            return;
        };
        self.event(ReceiverEvent::Offered { slot, signed });
        let others: Vec<ConnectionId> = self.open_links().collect();
        for id in others {
            self.request(id, slot);
        }
    }

    fn handle_data(
        &mut self,
        id: ConnectionId,
        slot: u16,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), SessionError> {
        if self.leg(id, slot)? == Leg::Ended {
            return Ok(());
        }
        let owed = self
            .links
            .get_mut(&id)
            .is_some_and(|link| link.settle(slot, chunk));
        let study = self.studies.get_mut(&slot).filter(|_| owed);
        let Some(study) = study else {
            return Err(SessionError::protocol(
                ErrorCode::NotRequested,
                Context::Chunk(chunk),
            ));
        };
        if let Err(error) = study.verify(chunk, &bytes) {
            // It is owed still: somebody else may have it right.
            study.give_back(chunk);
            return Err(error);
        }
        let root = study.root().unwrap_or(Digest::from_bytes([0; 32]));
        let op = StoreOp::new(slot, root, Action::Write { chunk, bytes });
        self.out.push_back(ReceiverOutput::Store(op));
        Ok(())
    }

    fn handle_refusal(
        &mut self,
        id: ConnectionId,
        slot: u16,
        report: Report,
    ) -> Result<(), SessionError> {
        if self.leg(id, slot)? == Leg::Ended {
            return Ok(());
        }
        self.set_leg(id, slot, Leg::Ended);
        self.give_back(id, Some(slot));
        if let Some(link) = self.links.get_mut(&id) {
            link.unanswered.remove(&slot);
        }
        // Other sources of the study carry on; the last one's refusal is the study's end.
        if !self.has_leg(slot) {
            let Report { code, reason, text } = report;
            self.fail_study(slot, SessionError::Reported { code, reason, text }, true);
        }
        Ok(())
    }

    fn planned(
        &mut self,
        slot: u16,
        complete: bool,
        receipt: Option<(Receipt, Option<Signature>)>,
        now: Instant,
    ) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        let progress = study.progress(slot, now);
        let whole = progress.instances_done;
        self.out
            .push_back(ReceiverOutput::Event(ReceiverEvent::Planned(progress)));
        let ready: Vec<(u32, Digest)> = if whole == 0 {
            Vec::new()
        } else {
            study.whole_instances()
        };
        for (instance, digest) in ready {
            self.event(ReceiverEvent::Instance {
                slot,
                instance,
                digest,
            });
        }
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if complete {
            study.step(StudyInput::OpenedComplete);
            self.send_commit(slot, now);
            match receipt {
                Some(receipt) => {
                    if let Some(study) = self.studies.get_mut(&slot) {
                        study.receipt = Some(receipt);
                    }
                    self.receipt_kept(slot, now);
                }
                None => self.event(ReceiverEvent::Durable { slot, progress }),
            }
        } else if study.is_whole() {
            study.step(StudyInput::OpenedFull);
            self.seal(slot, now);
        } else {
            study.step(StudyInput::Opened);
        }
    }

    fn written(&mut self, slot: u16, chunk: u32, now: Instant) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if study.state != StudyState::Receiving {
            return;
        }
        let whole = study.written(chunk);
        let progress = study.progress(slot, now);
        let sealing = study.is_whole() && study.step(StudyInput::AllWritten);
        if let Some((instance, digest)) = whole {
            self.event(ReceiverEvent::Instance {
                slot,
                instance,
                digest,
            });
        }
        self.event(ReceiverEvent::Progress(progress));
        if sealing {
            self.seal(slot, now);
        }
    }

    fn seal(&mut self, slot: u16, now: Instant) {
        self.send_commit(slot, now);
        if let Some(root) = self.studies.get(&slot).and_then(Study::root) {
            self.out.push_back(ReceiverOutput::Store(StoreOp::new(
                slot,
                root,
                Action::Commit,
            )));
        }
    }

    fn noted(&mut self, slot: u16, now: Instant) {
        let Some(study) = self.studies.get(&slot) else {
            return;
        };
        if study.state == StudyState::Committed && study.receipt.is_some() {
            self.receipt_kept(slot, now);
        }
    }

    fn receipt_kept(&mut self, slot: u16, now: Instant) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if !study.step(StudyInput::ReceiptKept) {
            return;
        }
        let Some((receipt, signature)) = study.receipt.clone() else {
            return;
        };
        let progress = study.progress(slot, now);
        let frame = Frame::Receipt {
            slot,
            receipt: receipt.clone(),
            signature,
        };
        if let Some(id) = study.committed_on {
            let ready = self
                .links
                .get_mut(&id)
                .filter(|link| link.phase == Phase::Open);
            if let Some(link) = ready {
                link.unanswered.insert(slot);
                link.heard_at = now;
                self.send(id, &frame);
            }
        }
        self.event(ReceiverEvent::Complete {
            slot,
            receipt,
            progress,
        });
    }

    /// Tells one source that all is verified, and the others that nothing more is wanted.
    fn send_commit(&mut self, slot: u16, now: Instant) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        let progress = study.progress(slot, now);
        let Some(root) = study.root() else { return };
        let mut ready = self
            .links
            .iter()
            .filter(|(_, link)| {
                link.phase == Phase::Open && link.legs.get(&slot) == Some(&Leg::Ready)
            })
            .map(|(id, _)| *id)
            .collect::<Vec<_>>()
            .into_iter();
        study.committed_on = ready.next();
        if let Some(id) = study.committed_on {
            let (fetched, held) = (progress.bytes_fetched, progress.bytes_held);
            self.send(
                id,
                &Frame::Commit {
                    slot,
                    root,
                    fetched,
                    held,
                },
            );
        }
        for id in ready {
            self.set_leg(id, slot, Leg::Ended);
            self.send(id, &Frame::Cancel { slot });
        }
    }

    /// Asks for as much as fits the windows, most urgent first, connections in turn.
    fn top_up(&mut self, now: Instant) {
        let ids: Vec<ConnectionId> = self.open_links().collect();
        for id in ids {
            self.top_up_link(id, now);
        }
    }

    fn top_up_link(&mut self, id: ConnectionId, now: Instant) {
        let window = self.config.window_bytes.max(CHUNK_BYTES as u64);
        for class in 0..CLASSES {
            // A click goes over the window by as much again: it must not wait for preload.
            let limit = if class == CLICK {
                window.saturating_mul(2)
            } else {
                window
            };
            let Some(link) = self.links.get(&id) else {
                return;
            };
            // Asked for in portions, not chunk by chunk.
            let full = limit.saturating_sub(link.owed_bytes) < limit / 8 + 1;
            if full && class != CLICK {
                return;
            }
            let mut wants: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
            loop {
                let Some(link) = self.links.get(&id) else {
                    return;
                };
                let owed = link.owed_bytes;
                if owed >= limit || link.is_crowded() {
                    break;
                }
                let Some((slot, run)) = self.next_run(id, class, limit.saturating_sub(owed)) else {
                    break;
                };
                let Some(manifest) = self.studies.get(&slot).and_then(Study::manifest).cloned()
                else {
                    break;
                };
                for chunk in run.first()..run.end() {
                    let length = manifest.place(chunk).map_or(0, |place| place.length());
                    if let Some(link) = self.links.get_mut(&id) {
                        link.owe(slot, chunk, length, now);
                    }
                    wants.entry(slot).or_default().push(chunk);
                }
            }
            for (slot, mut chunks) in wants {
                chunks.sort_unstable();
                let runs = runs_of(chunks.into_iter());
                for part in runs.chunks(RUNS_MAX) {
                    self.send(
                        id,
                        &Frame::Want {
                            slot,
                            class: class as u32,
                            runs: part.to_vec(),
                        },
                    );
                }
            }
        }
    }

    /// The next run at `class` of the studies this connection serves, in turn.
    fn next_run(&mut self, id: ConnectionId, class: usize, room: u64) -> Option<(u16, Run)> {
        let link = self.links.get(&id)?;
        let ready = |slot: &u16| link.legs.get(slot) == Some(&Leg::Ready);
        let after = self.studies.range(self.turn.saturating_add(1)..);
        let order = after
            .chain(self.studies.range(..=self.turn))
            .map(|(slot, _)| *slot);
        let slots: Vec<u16> = order.filter(ready).collect();
        let most = u32::try_from(room.div_ceil(CHUNK_BYTES as u64)).unwrap_or(u32::MAX);
        for slot in slots {
            let Some(study) = self.studies.get_mut(&slot) else {
                continue;
            };
            if study.state != StudyState::Receiving {
                continue;
            }
            let Some(manifest) = study.manifest().cloned() else {
                continue;
            };
            if !study.plan.has(&manifest, class) {
                continue;
            }
            if let Some(run) = study.plan.take(&manifest, class, most) {
                self.turn = slot;
                return Some((slot, run));
            }
        }
        None
    }

    /// Asks for the open studies on a connection that has just been let in.
    fn join(&mut self, id: ConnectionId) {
        let slots: Vec<u16> = self
            .studies
            .iter()
            .filter(|(_, study)| !study.state.is_over() && study.state != StudyState::Committed)
            .map(|(slot, _)| *slot)
            .collect();
        for slot in slots {
            // Without a manifest one connection asks; the others follow when it is known.
            let known = self
                .studies
                .get(&slot)
                .is_some_and(|study| study.signed.is_some());
            if known || !self.has_leg(slot) {
                self.request(id, slot);
            }
        }
    }

    /// A study has ended: one that the sources had no room for may be asked for.
    fn join_waiting(&mut self) {
        let ids: Vec<ConnectionId> = self.open_links().collect();
        ids.into_iter().for_each(|id| self.join(id));
    }

    fn request(&mut self, id: ConnectionId, slot: u16) {
        let Some(study) = self.studies.get(&slot) else {
            return;
        };
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if link.phase != Phase::Open || link.legs.contains_key(&slot) || !link.has_room() {
            return;
        }
        link.legs.insert(slot, Leg::Asked);
        let request = Request {
            study: study.uid.clone(),
            auth: study.auth.clone(),
            known: study.root(),
        };
        self.send(id, &Frame::Request { slot, request });
    }

    fn fail_study(&mut self, slot: u16, error: SessionError, silent: bool) {
        let Some(study) = self.studies.get(&slot) else {
            return;
        };
        if study.state.is_over() || study.state == StudyState::Committed {
            return;
        }
        self.release(slot);
        if let Some(study) = self.studies.get_mut(&slot) {
            study.step(StudyInput::Fault);
        }
        for (id, _) in self.end_legs(slot) {
            let mine = matches!(error, SessionError::Storage(_)) || !silent;
            if mine {
                self.send(
                    id,
                    &Frame::Error {
                        slot,
                        report: Report::new(error.code()),
                    },
                );
            } else {
                self.send(id, &Frame::Cancel { slot });
            }
        }
        self.event(ReceiverEvent::Failed { slot, error });
        self.join_waiting();
    }

    /// Closes the study in the store, if it is open there.
    fn release(&mut self, slot: u16) {
        let Some(study) = self.studies.get(&slot) else {
            return;
        };
        let open = matches!(study.state, StudyState::Receiving | StudyState::Sealing);
        if let (true, Some(root)) = (open, study.root()) {
            self.out.push_back(ReceiverOutput::Store(StoreOp::new(
                slot,
                root,
                Action::Release,
            )));
        }
    }

    /// Ends a study on all connections and names those where it was open.
    fn end_legs(&mut self, slot: u16) -> Vec<(ConnectionId, Leg)> {
        let mut ended = Vec::new();
        for (id, link) in &mut self.links {
            if let Some(leg) = link.legs.get_mut(&slot) {
                if *leg != Leg::Ended && link.phase == Phase::Open {
                    ended.push((*id, *leg));
                }
                *leg = Leg::Ended;
            }
            link.forgive(Some(slot));
            link.unanswered.remove(&slot);
        }
        ended
    }

    fn fail_link(&mut self, id: ConnectionId, error: SessionError, now: Instant) {
        self.send(
            id,
            &Frame::Error {
                slot: NO_SLOT,
                report: Report::new(error.code()),
            },
        );
        self.drop_link(id, Some(error), now);
    }

    fn drop_link(&mut self, id: ConnectionId, error: Option<SessionError>, now: Instant) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if link.phase == Phase::Closed {
            return;
        }
        link.phase = Phase::Closed;
        link.unanswered.clear();
        self.give_back(id, None);
        if let Some(link) = self.links.get_mut(&id) {
            link.legs.clear();
        }
        let slots: Vec<u16> = self.studies.keys().copied().collect();
        for slot in slots {
            let Some(study) = self.studies.get_mut(&slot) else {
                continue;
            };
            if study.manifest_from == Some(id) && study.state == StudyState::Offered {
                study.step(StudyInput::LineLost);
                study.manifest_from = None;
            }
            if study.state == StudyState::Requested && !self.has_leg(slot) {
                // Another connection, if there is one, takes the request over.
                let other = self.open_links().next();
                if let Some(other) = other {
                    self.request(other, slot);
                }
            }
        }
        self.event(ReceiverEvent::Disconnected(id, error));
        self.out.push_back(ReceiverOutput::Close(id));
        self.top_up(now);
    }

    fn give_back(&mut self, id: ConnectionId, slot: Option<u16>) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        // Backwards, so that the first is asked for first again.
        for ((slot, chunk), _) in link.forgive(slot).into_iter().rev() {
            if let Some(study) = self.studies.get_mut(&slot) {
                study.give_back(chunk);
            }
        }
    }

    fn set_leg(&mut self, id: ConnectionId, slot: u16, leg: Leg) {
        if let Some(link) = self.links.get_mut(&id) {
            link.legs.insert(slot, leg);
        }
    }

    fn has_leg(&self, slot: u16) -> bool {
        let open = self.links.values().filter(|link| link.phase == Phase::Open);
        open.filter_map(|link| link.legs.get(&slot))
            .any(|leg| *leg != Leg::Ended)
    }

    fn open_links(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        let open = self
            .links
            .iter()
            .filter(|(_, link)| link.phase == Phase::Open);
        open.map(|(id, _)| *id)
    }

    /// Since when and how long a connection may stay silent; `None` if nothing is awaited.
    fn waiting(&self, link: &Link) -> Option<(Instant, Duration)> {
        match link.phase {
            Phase::Greeting => Some((link.opened_at, self.config.greeting_timeout)),
            Phase::Open if link.is_waiting() => Some((link.heard_at, self.config.stall_timeout)),
            _ => None,
        }
    }

    fn send(&mut self, id: ConnectionId, frame: &Frame) {
        self.out.push_back(ReceiverOutput::Send(id, encode(frame)));
    }

    fn event(&mut self, event: ReceiverEvent) {
        self.out.push_back(ReceiverOutput::Event(event));
    }
}

fn receipt_root(study: &Study) -> &Digest {
    const NONE: Digest = Digest::from_bytes([0; 32]);
    study
        .receipt
        .as_ref()
        .map_or(&NONE, |(receipt, _)| receipt.root())
}

/// Rising chunk numbers as runs.
fn runs_of(chunks: impl Iterator<Item = u32>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for chunk in chunks {
        let longer = match runs.last() {
            Some(last) if last.end() == chunk => {
                Run::new(last.first(), last.count().saturating_add(1))
            }
            _ => None,
        };
        if longer.is_some() {
            runs.pop();
        }
        runs.extend(longer.or(Run::new(chunk, 1)));
    }
    runs
}
