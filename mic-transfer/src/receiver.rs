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

mod ask;
mod coded;
mod demand;
mod early;
mod event;
mod frames;
mod held;
mod limiter;
mod link;
mod order;
mod plan;
mod settle;
mod state;
mod study;
mod window;

use chrono::{DateTime, Utc};

pub use coded::{DecodeJob, Decoded};
#[cfg(feature = "http")]
pub(crate) use demand::runs_of;
pub use event::{ConnectionId, Progress, ReceiverEvent, ReceiverOutput};
pub use plan::Priority;
pub use state::{StudyInput, StudyState};

use crate::error::SessionError;
use crate::limits::{OPEN_CHUNKS_MAX, OPEN_MANIFEST_BYTES_MAX, SLOTS_MAX};
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::store::{Action, Outcome, StoreOp, StoreResult};
use crate::wire::{Codecs, Frame, NO_SLOT, PREFACE, Packet, Report, Session, encode};
use crate::{Auth, Digest, Instant, RangeSet, Run, SignedManifest, Uid};
use limiter::Limiter;
use link::{Leg, Link, Phase};
use study::Study;

/// How long a connection that is not let in may hold up a study that others could bring.
const HOLD_UP_MAX: Duration = Duration::from_secs(2);

/// The limits and timers of a receiver.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// Most bytes asked for and not come, for each connection; how many it is follows from what the line
    /// holds.
    pub window_bytes: u64,
    /// Bytes of first images that a source may send before they are asked for, for a study that
    /// somebody waits for: they save a round trip.
    pub early_bytes: u32,
    /// The longest that a source may take to let this side in.
    pub greeting_timeout: Duration,
    /// The longest silence of a source that owes an answer.
    pub stall_timeout: Duration,
    /// The longest silence of this side on a connection that stands.
    pub keep_alive: Duration,
    /// Codecs of chunks that sources may use: each that comes is a [`ReceiverOutput::Decode`].
    pub codecs: Codecs,
}

impl Default for ReceiverConfig {
    /// 8 MiB: a gigabit line of 60 ms round trip on one connection. 1 MiB of first images: one
    /// slice of CT or several of MR, 9 ms of a gigabit line. 10 s to be let in; 30 s of silence;
    /// a word each minute, a fifth of what a source bears.
    fn default() -> Self {
        Self {
            window_bytes: 8 * 1024 * 1024,
            early_bytes: 1024 * 1024,
            greeting_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(60),
            codecs: Codecs::built(),
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
    /// Bytes asked for in its turn.
    turn_bytes: u64,
    spare: Vec<Vec<u8>>,
    /// The latest time told.
    now: Instant,
    limiter: Limiter,
    /// Nothing but clicks is asked for.
    paused: bool,
    /// The number of the next chunk to decode.
    ticket: u64,
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
            turn_bytes: 0,
            spare: Vec::new(),
            now: Duration::ZERO,
            limiter: Limiter::new(),
            paused: false,
            ticket: 0,
        }
    }

    /// A connection to a source is there; `auth` is shown to it.
    pub fn connect(&mut self, connection: ConnectionId, auth: Auth, now: Instant) {
        self.now = self.now.max(now);
        let preface = Packet {
            head: PREFACE.to_vec(),
            body: Vec::new(),
        };
        self.links.insert(connection, Link::new(now));
        self.out
            .push_back(ReceiverOutput::Send(connection, preface));
        let session = Session::new(auth).with_codecs(self.config.codecs);
        self.send(connection, Frame::Hello(session));
        self.join(connection);
    }

    /// Bytes have arrived on a connection.
    pub fn handle_bytes(&mut self, connection: ConnectionId, mut bytes: &[u8], now: Instant) {
        self.now = self.now.max(now);
        while let Some(link) = self.links.get_mut(&connection) {
            link.heard_at = now;
            if link.reader.takes_buffer() {
                if let Some(buffer) = self.spare.pop() {
                    link.reader.lend(buffer);
                }
            }
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
        self.now = self.now.max(now);
        let Some(link) = self.links.get(&connection) else {
            return;
        };
        let waiting = link.is_waiting() || self.owes_manifest(connection);
        let error = waiting.then_some(SessionError::ConnectionLost);
        self.drop_link(connection, error, now);
    }

    /// The time named by [`ReceiverOutput::Wait`] has come.
    pub fn handle_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let late: Vec<(ConnectionId, Instant)> = self
            .links
            .iter()
            .filter_map(|(id, link)| {
                let (since, limit) = self.waiting(*id, link)?;
                (since.saturating_add(limit) <= now).then_some((*id, since))
            })
            .collect();
        for (id, since) in late {
            let seconds = now.saturating_sub(since).as_secs();
            self.fail_link(id, SessionError::TimedOut { seconds }, now);
        }
        self.keep_alive(now);
        if self.limiter.deadline().is_some_and(|at| at <= now) {
            self.top_up(now);
        }
    }

    /// The store has done what was asked.
    pub fn handle_storage(&mut self, result: StoreResult, now: Instant) {
        self.now = self.now.max(now);
        let slot = result.slot;
        match result.outcome {
            Ok(Outcome::Opened {
                have,
                leaves,
                pieces,
                complete,
                fetched,
                receipt,
                sm3,
            }) => {
                let Some(study) = self.studies.get_mut(&slot) else {
                    return;
                };
                if study.state == StudyState::Opening {
                    let mut coming = RangeSet::new();
                    let owed = self.links.values().flat_map(|link| link.owed_of(slot));
                    owed.filter_map(|chunk| Run::new(chunk, 1))
                        .for_each(|run| coming.insert(run));
                    study.sm3 = sm3;
                    study.fetched_ever = fetched;
                    study.pieces = pieces.into_iter().collect();
                    let early = study.opened(have, leaves, &coming, now);
                    self.planned(slot, complete, receipt.map(|receipt| *receipt), now);
                    self.keep_early(slot, result.root, early);
                } else if !complete {
                    // Given up while it was being opened.
                    let op = StoreOp::new(slot, result.root, Action::Release);
                    self.out.push_back(ReceiverOutput::Store(op));
                }
            }
            Ok(Outcome::Written { chunk, buffer }) => {
                if self.spare.len() < 4 {
                    self.spare.push(buffer);
                }
                self.written(slot, chunk, 0, now);
            }
            Ok(Outcome::Filled {
                chunk,
                ticket,
                local,
            }) => self.filled(slot, chunk, ticket, local, now),
            Ok(Outcome::Committed { fetched, sm3 }) => {
                let Some(study) = self.studies.get_mut(&slot) else {
                    return;
                };
                if study.step(StudyInput::Durable) {
                    study.fetched_ever = fetched;
                    study.sm3 = sm3;
                    let progress = study.progress(slot, now);
                    study.durable = Some(progress);
                    self.event(ReceiverEvent::Durable { slot, progress });
                }
            }
            Ok(Outcome::Noted) => self.noted(slot, now),
            Err(error) => {
                let study = self.studies.get(&slot);
                let receipt = study.is_some_and(|study| {
                    study.state == StudyState::Committed && study.receipt.is_some()
                });
                if receipt {
                    self.withhold_receipt(slot, error.into());
                } else {
                    self.fail_study(slot, error.into(), true);
                }
            }
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
        now: Instant,
    ) -> Option<u16> {
        self.now = self.now.max(now);
        let open = self
            .studies
            .values()
            .filter(|study| !study.is_over())
            .count();
        if open >= SLOTS_MAX {
            return None;
        }
        let slot = self.free_slot()?;
        self.next_slot = slot.saturating_add(1);
        self.studies
            .insert(slot, Study::new(study, auth, priority, known));
        self.request_somewhere(slot);
        Some(slot)
    }

    /// Forgets a study that is over, so that a receiver can live as long as its site: its number may
    /// name another one later. Says whether it did; a study whose receipt is not answered stays.
    pub fn forget(&mut self, slot: u16) -> bool {
        let over = self.studies.get(&slot).is_some_and(Study::is_over);
        let mut links = self.links.values();
        let answered = links.all(|link| !link.unanswered.contains(&slot));
        if over && answered {
            self.studies.remove(&slot);
            self.links.values_mut().for_each(|link| link.forget(slot));
        }
        over && answered
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
        study.drop_unkept();
        for (id, _) in self.end_legs(slot) {
            self.send(id, Frame::Cancel { slot });
        }
        self.event(ReceiverEvent::Failed {
            slot,
            error: SessionError::Cancelled,
        });
    }

    /// Issues the receipt of a durable study: `at` by the receiver's clock, `previous` the digest of
    /// the receipt before it, `sign` over [`Receipt::message`].
    ///
    /// # Errors
    /// Whatever `sign` gives; the study stays durable and the receipt is to be issued, or given up by
    /// [`Receiver::withhold_receipt`].
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
        let (StudyState::Committed, None, false) = (study.state, &study.receipt, study.withheld)
        else {
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
        #[cfg(feature = "sm3")]
        if study.sm3 {
            receipt = receipt.with_sm3(crate::Sm3Digest::of(manifest.encoded()));
        }
        let signature = sign(&receipt.message())?;
        study.receipt = Some((receipt.clone(), signature.clone()));
        let action = Action::Receipt(receipt, signature);
        self.out
            .push_back(ReceiverOutput::Store(StoreOp::new(slot, root, action)));
        Ok(())
    }

    /// Ends a durable study without its receipt, which could not be signed or kept: nothing goes out
    /// in its place, and a later pull of the study issues it.
    pub fn withhold_receipt(&mut self, slot: u16, error: SessionError) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if study.state != StudyState::Committed || study.withheld {
            return;
        }
        study.receipt = None;
        study.withheld = true;
        for (id, _) in self.end_legs(slot) {
            let report = Report::new(error.code());
            self.send(id, Frame::Error { slot, report });
        }
        let progress = self.studies.get(&slot).map(|study| study.durable);
        if let Some(progress) = progress.flatten() {
            self.event(ReceiverEvent::Unreceipted {
                slot,
                error,
                progress,
            });
        }
        self.join_waiting();
    }

    /// Says goodbye on every connection.
    pub fn close(&mut self, now: Instant) {
        let open: Vec<ConnectionId> = self.open_links().collect();
        for id in open {
            self.send(id, Frame::Bye);
            self.drop_link(id, None, now);
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> ReceiverOutput {
        self.out.pop_front().unwrap_or_else(|| {
            let waits = self
                .links
                .iter()
                .filter_map(|(id, link)| self.waiting(*id, link));
            let late = waits.map(|(since, limit)| since.saturating_add(limit));
            let speak = self.links.values().filter_map(|link| self.speaks_at(link));
            let others = speak.chain(self.limiter.deadline());
            ReceiverOutput::Wait(late.chain(others).min())
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
        self.studies.values().all(Study::is_over)
            && self.links.values().all(|link| link.unanswered.is_empty())
    }

    /// Connections that are not at their end.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.links.len()
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

    /// The next number that no study has, from the last one given on.
    fn free_slot(&self) -> Option<u16> {
        let after = self.next_slot..NO_SLOT;
        after
            .chain(0..self.next_slot)
            .find(|slot| !self.studies.contains_key(slot))
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
            study.drop_unkept();
        }
        for (id, _) in self.end_legs(slot) {
            let mine = matches!(error, SessionError::Storage(_)) || !silent;
            if mine {
                self.send(
                    id,
                    Frame::Error {
                        slot,
                        report: Report::new(error.code()),
                    },
                );
            } else {
                self.send(id, Frame::Cancel { slot });
            }
        }
        self.event(ReceiverEvent::Failed { slot, error });
        self.join_waiting();
    }

    /// Writes what came before the study was open.
    fn keep_early(&mut self, slot: u16, root: Digest, early: Vec<Action>) {
        let receiving = self.state(slot) == Some(StudyState::Receiving);
        for action in early.into_iter().filter(|_| receiving) {
            let op = StoreOp::new(slot, root, action);
            self.out.push_back(ReceiverOutput::Store(op));
        }
    }

    /// Whether the studies that are open, this one included, are more than one receiver holds.
    fn is_overfull(&self) -> bool {
        let open = self.studies.values().filter(|study| !study.is_over());
        let (bytes, chunks) = open.fold((0_usize, 0_u64), |(bytes, chunks), study| {
            let (more_bytes, more_chunks) = study.weight();
            (
                bytes.saturating_add(more_bytes),
                chunks.saturating_add(more_chunks),
            )
        });
        bytes > OPEN_MANIFEST_BYTES_MAX || chunks > u64::from(OPEN_CHUNKS_MAX)
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
                if *leg != Leg::Ended {
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
            Frame::Error {
                slot: NO_SLOT,
                report: Report::new(error.code()),
            },
        );
        self.drop_link(id, Some(error), now);
    }

    fn drop_link(&mut self, id: ConnectionId, error: Option<SessionError>, now: Instant) {
        self.give_back(id, None);
        if self.links.remove(&id).is_none() {
            return;
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
                self.request_somewhere(slot);
            }
        }
        self.event(ReceiverEvent::Disconnected(id, error));
        self.out.push_back(ReceiverOutput::Close(id));
        self.fail_stranded();
        self.top_up(now);
    }

    /// A study that the lost connection carried, and that all others have refused, would wait without
    /// end: it ends, to be pulled again (XFR-33).
    fn fail_stranded(&mut self) {
        let refused = |slot: &u16| {
            let mut open = self.links.values().filter(|link| link.phase == Phase::Open);
            open.clone().next().is_some()
                && open.all(|link| link.legs.get(slot) == Some(&Leg::Ended))
        };
        let stranded: Vec<u16> = self
            .studies
            .iter()
            .filter(|(_, study)| !study.is_over() && !study.is_settled())
            .map(|(slot, _)| *slot)
            .filter(|slot| refused(slot) && !self.has_leg(*slot))
            .collect();
        for slot in stranded {
            self.fail_study(slot, SessionError::ConnectionLost, true);
        }
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

    fn open_links(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        let open = self
            .links
            .iter()
            .filter(|(_, link)| link.phase == Phase::Open);
        open.map(|(id, _)| *id)
    }

    /// Since when and how long a connection may stay silent; `None` if nothing is awaited.
    fn waiting(&self, id: ConnectionId, link: &Link) -> Option<(Instant, Duration)> {
        match link.phase {
            Phase::Greeting => {
                let by_itself = (link.opened_at, self.config.greeting_timeout);
                let held_up = self.held_up_since(link).map(|since| (since, HOLD_UP_MAX));
                let deadline = |(since, limit): &(Instant, Duration)| since.saturating_add(*limit);
                held_up.into_iter().chain([by_itself]).min_by_key(deadline)
            }
            Phase::Open if link.is_waiting() || self.owes_manifest(id) => {
                Some((link.heard_at, self.config.stall_timeout))
            }
            _ => None,
        }
    }

    /// Since when a connection that greets holds up a study: it alone is asked for it, and another one is in.
    fn held_up_since(&self, greets: &Link) -> Option<Instant> {
        let open = || self.links.values().filter(|link| link.phase == Phase::Open);
        let another = open().map(|link| link.let_in_at).min()?;
        let is_live =
            |link: &Link, slot: &u16| link.legs.get(slot).is_some_and(|leg| *leg != Leg::Ended);
        let held_up = greets.legs.keys().any(|slot| {
            let study = self.studies.get(slot);
            let waits = study.is_some_and(|study| study.state == StudyState::Requested);
            waits && is_live(greets, slot) && !open().any(|link| is_live(link, slot))
        });
        held_up.then(|| another.max(greets.opened_at))
    }

    /// Whether a manifest is offered on this connection and not whole (XFR-36).
    fn owes_manifest(&self, id: ConnectionId) -> bool {
        self.studies
            .values()
            .any(|study| study.state == StudyState::Offered && study.manifest_from == Some(id))
    }

    /// Sends a frame, whose slot is the receiver's number, under the connection's own.
    fn send(&mut self, id: ConnectionId, mut frame: Frame) {
        if let Some(slot) = frame.slot_mut() {
            let outward = self.links.get(&id).and_then(|link| link.outward(*slot));
            let Some(outward) = outward else { return };
            *slot = outward;
        }
        if let Some(link) = self.links.get_mut(&id) {
            link.spoke_at = self.now;
        }
        self.out.push_back(ReceiverOutput::Send(id, encode(&frame)));
    }

    fn event(&mut self, event: ReceiverEvent) {
        self.out.push_back(ReceiverOutput::Event(event));
    }
}
