//! The loop of a pull.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::io;
use std::sync::PoisonError;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Instant as Clock, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use super::control::{Command, Message};
use super::decode::DecodeThreads;
use super::report::{PullError, PullReport, StudyOutcome, StudyReport};
use super::sources::Sources;
use super::{Pull, PullEvent};
use crate::adapter::disk::DiskStore;
use crate::adapter::line::{Connection, Gate, Inward, Outward};
use crate::error::SessionError;
use crate::receiver::{ConnectionId, Priority, Progress, Receiver, ReceiverEvent, ReceiverOutput};
use crate::{Auth, Digest, Uid};

/// The longest sleep where no timer runs.
const IDLE_WAIT: Duration = Duration::from_secs(2);

pub(super) struct Line {
    outward: Box<dyn Outward>,
    gate: Arc<Gate>,
}

pub(super) struct Run<'a, 'b, F> {
    pub(super) clock: Clock,
    pub(super) receiver: Receiver,
    /// By the numbers of their connections, which are never used twice.
    pub(super) lines: BTreeMap<ConnectionId, Line>,
    pub(super) next_line: ConnectionId,
    /// The source of each connection that is not told as ended, which may outlive its line and be
    /// outlived by it.
    pub(super) owners: BTreeMap<ConnectionId, usize>,
    pub(super) sources: Sources,
    pub(super) slots: BTreeMap<u16, Uid>,
    pub(super) waiting: VecDeque<(Uid, Auth, Priority)>,
    pub(super) unstarted: Vec<(Uid, SessionError)>,
    pub(super) ended: BTreeMap<u16, (StudyOutcome, Option<Progress>)>,
    pub(super) previous: Option<Digest>,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) standing: bool,
    pub(super) decoding: DecodeThreads,
    pub(super) pull: Pull<'a>,
    pub(super) store: &'b DiskStore,
    pub(super) on_event: F,
}

impl<F: FnMut(PullEvent<'_>)> Run<'_, '_, F> {
    pub(super) fn through(mut self) -> Result<PullReport, PullError> {
        self.waiting = core::mem::take(&mut self.pull.studies).into();
        self.start_waiting();
        let worked = self.work();
        let report = self.finish();
        worked.map(|()| report)
    }

    /// Asks for studies as long as the receiver takes them; the rest wait until one has ended.
    fn start_waiting(&mut self) {
        while let Some((study, auth, priority)) = self.waiting.pop_front() {
            let known = self.store.known(&study);
            let now = self.clock.elapsed();
            let slot = self
                .receiver
                .pull(study.clone(), auth.clone(), priority, known, now);
            let Some(slot) = slot else {
                self.waiting.push_front((study, auth, priority));
                return;
            };
            self.slots.insert(slot, study);
        }
    }

    fn work(&mut self) -> Result<(), PullError> {
        loop {
            match self.receiver.poll_output() {
                ReceiverOutput::Send(id, packet) => {
                    let Some(line) = self.lines.get_mut(&id) else {
                        continue;
                    };
                    let length = packet.len() as u64;
                    match line.outward.send(packet) {
                        Ok(()) => self.sent = self.sent.saturating_add(length),
                        Err(_) => self.receiver.handle_disconnect(id, self.clock.elapsed()),
                    }
                }
                ReceiverOutput::Store(operation) => {
                    let result = self.store.execute(operation, self.clock.elapsed());
                    self.receiver.handle_storage(result, self.clock.elapsed());
                }
                ReceiverOutput::Decode(job) => {
                    let buffer = self.receiver.spare_buffer().unwrap_or_default();
                    let here = self.decoding.give(job, buffer, &self.pull.channel.0);
                    if let Some(decoded) = here {
                        self.receiver.handle_decoded(decoded, self.clock.elapsed());
                    }
                }
                ReceiverOutput::Event(event) => self.handle_event(event),
                ReceiverOutput::Close(id) => {
                    if let Some(line) = self.lines.get_mut(&id) {
                        line.outward.finish();
                    }
                }
                ReceiverOutput::Wait(deadline) => {
                    if self.obey() {
                        continue;
                    }
                    let idle = self.receiver.is_idle() && self.waiting.is_empty();
                    if idle && !self.standing {
                        return Ok(());
                    }
                    self.forget_ended();
                    self.sources.dial_due(self.clock.elapsed());
                    if !self.standing {
                        if let Some(error) = self.sources.never_answered() {
                            return Err(PullError::new(&self.sources.names(), error));
                        }
                        if self.sources.are_gone() {
                            self.give_up();
                            continue;
                        }
                    }
                    self.wait(deadline);
                }
            }
        }
    }

    fn wait(&mut self, deadline: Option<Duration>) {
        let deadlines = [deadline, self.store.deadline(), self.sources.due()];
        let now = self.clock.elapsed();
        let until = deadlines.into_iter().flatten().min();
        let left = until.map_or(IDLE_WAIT, |until| until.saturating_sub(now));
        match self.pull.channel.1.recv_timeout(left) {
            Ok(Message::Bytes(id, Ok(portion))) => {
                let bytes = portion.bytes();
                self.received = self.received.saturating_add(bytes.len() as u64);
                if let Some(source) = self.owners.get(&id) {
                    self.sources.heard(*source, bytes.len());
                }
                self.receiver.handle_bytes(id, bytes, self.clock.elapsed());
            }
            Ok(Message::Bytes(id, Err(_))) => {
                self.receiver.handle_disconnect(id, self.clock.elapsed());
                if let Some(line) = self.lines.remove(&id) {
                    line.outward.close();
                }
            }
            #[cfg(feature = "coding")]
            Ok(Message::Decoded(decoded)) => {
                self.receiver.handle_decoded(decoded, self.clock.elapsed());
            }
            Ok(Message::Dialled(source, made)) => self.dialled(source, made),
            Ok(Message::Wake) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            }
        }
        // Also between bytes: a line that is never silent must not keep the timers from their turn.
        let now = self.clock.elapsed();
        if until.is_some_and(|until| until <= now) {
            // A store that can't sync fails the study at its next operation.
            let _ = self.store.handle_time(now);
            self.receiver.handle_time(now);
        }
    }

    fn dialled(&mut self, source: usize, made: io::Result<Box<dyn Connection>>) {
        let now = self.clock.elapsed();
        let id = self.next_line;
        self.next_line = self.next_line.saturating_add(1);
        let inward = Inward::new(id, self.pull.channel.0.clone());
        let gate = inward.gate();
        let started = made.and_then(|connection| {
            let round_trip = connection.round_trip();
            Ok((connection.start(inward)?, round_trip))
        });
        match started {
            Ok((outward, round_trip)) => {
                self.lines.insert(id, Line { outward, gate });
                self.owners.insert(id, source);
                self.sources.made(source, round_trip);
                self.receiver.connect(id, self.pull.auth.clone(), now);
            }
            Err(error) => self.sources.failed(source, error, now),
        }
    }

    /// A connection has ended; the line itself goes when it has told its end.
    fn lost(&mut self, id: ConnectionId, error: Option<SessionError>) {
        let Some(source) = self.owners.remove(&id) else {
            return;
        };
        let told = error.clone().unwrap_or(SessionError::ConnectionLost);
        let again = self.sources.lost(source, error, self.clock.elapsed());
        let idle = self.receiver.is_idle() && self.waiting.is_empty();
        if idle {
            return;
        }
        if again {
            (self.on_event)(PullEvent::Reconnecting(&told));
        } else {
            (self.on_event)(PullEvent::SourceLost(self.sources.name(source), &told));
        }
    }

    /// Says whether there was one.
    fn obey(&mut self) -> bool {
        let mut waiting = self
            .pull
            .commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let commands = core::mem::take(&mut *waiting);
        drop(waiting);
        let some = !commands.is_empty();
        for command in commands {
            match command {
                Command::Cancel => {
                    // Before the slots: each that ends would start one that waits.
                    let waiting = self.waiting.drain(..);
                    self.unstarted
                        .extend(waiting.map(|(study, ..)| (study, SessionError::Cancelled)));
                    let slots: Vec<u16> = self.slots.keys().copied().collect();
                    slots
                        .into_iter()
                        .for_each(|slot| self.receiver.cancel(slot));
                }
                Command::Click(digest) => self.click(&digest),
                Command::Pause(None) => self.receiver.pause_all(),
                Command::Resume(None) => self.receiver.resume_all(self.clock.elapsed()),
                Command::Pause(Some(study)) => {
                    let slots = self.slots_of(&study);
                    slots.into_iter().for_each(|slot| self.receiver.pause(slot));
                }
                Command::Resume(Some(study)) => {
                    let now = self.clock.elapsed();
                    let slots = self.slots_of(&study);
                    slots
                        .into_iter()
                        .for_each(|slot| self.receiver.resume(slot, now));
                }
                Command::Shape(shape) => {
                    let now = self.clock.elapsed();
                    self.receiver.set_shape(shape, wall_clock(), now);
                }
                Command::Pull(study, auth, priority) => {
                    self.waiting.push_back((study, auth, priority));
                    self.start_waiting();
                }
                Command::Close => self.standing = false,
            }
        }
        some
    }

    fn slots_of(&self, study: &Uid) -> Vec<u16> {
        let slots = self.slots.iter().filter(|(_, known)| *known == study);
        slots.map(|(slot, _)| *slot).collect()
    }

    fn click(&mut self, digest: &Digest) {
        let slots: Vec<u16> = self.slots.keys().copied().collect();
        for slot in slots {
            if let Some(instance) = self.receiver.position(slot, digest) {
                self.receiver.click(slot, instance, self.clock.elapsed());
            }
        }
    }

    fn handle_event(&mut self, event: ReceiverEvent) {
        match event {
            ReceiverEvent::Offered { slot, signed } => match (self.pull.verify)(&signed) {
                Ok(()) => self.receiver.accept(slot),
                Err(refused) => self.receiver.fail(slot, refused.into()),
            },
            ReceiverEvent::Announced { slot, head } => {
                if (self.pull.verify_first)(&head).is_ok() {
                    self.receiver.accept_first(slot);
                }
            }
            ReceiverEvent::First {
                slot,
                instance,
                digest,
                bytes,
            } => {
                if let Some(study) = self.slots.get(&slot) {
                    (self.on_event)(PullEvent::First {
                        study,
                        instance,
                        digest,
                        bytes: &bytes,
                    });
                }
            }
            ReceiverEvent::Durable { slot, .. } => {
                let now = wall_clock();
                let sign = &self.pull.sign;
                let issued = self
                    .receiver
                    .issue_receipt(slot, now, self.previous, |bytes| sign(bytes));
                if let Err(error) = issued {
                    self.receiver.withhold_receipt(slot, error.into());
                }
            }
            ReceiverEvent::Unreceipted {
                slot,
                error,
                progress,
            } => {
                if let Some(study) = self.slots.get(&slot) {
                    (self.on_event)(PullEvent::Unreceipted(study, &error));
                }
                self.ended
                    .insert(slot, (StudyOutcome::Unreceipted(error), Some(progress)));
                self.start_waiting();
            }
            ReceiverEvent::Complete {
                slot,
                receipt,
                progress,
            } => {
                self.previous = Some(receipt.digest());
                if let Some(study) = self.slots.get(&slot) {
                    (self.on_event)(PullEvent::Complete(study, progress));
                }
                self.ended
                    .insert(slot, (StudyOutcome::Complete(receipt), Some(progress)));
                self.start_waiting();
            }
            ReceiverEvent::Failed { slot, error } => {
                if let Some(study) = self.slots.get(&slot) {
                    (self.on_event)(PullEvent::Failed(study, &error));
                }
                let progress = self.receiver.progress(slot, self.clock.elapsed());
                self.ended
                    .insert(slot, (StudyOutcome::Failed(error), progress));
                self.start_waiting();
            }
            ReceiverEvent::Disconnected(id, error) => self.lost(id, error),
            ReceiverEvent::Planned(progress) => {
                if let Some(study) = self.slots.get(&progress.slot) {
                    (self.on_event)(PullEvent::Planned(study, progress));
                }
            }
            ReceiverEvent::Progress(progress) => {
                if let Some(study) = self.slots.get(&progress.slot) {
                    (self.on_event)(PullEvent::Progress(study, progress));
                }
            }
            ReceiverEvent::Instance {
                slot,
                instance,
                digest,
            } => {
                if let Some(study) = self.slots.get(&slot) {
                    (self.on_event)(PullEvent::Instance {
                        study,
                        instance,
                        digest,
                    });
                }
            }
            ReceiverEvent::Connected(id) => {
                if let Some(source) = self.owners.get(&id) {
                    self.sources.welcomed(*source);
                }
            }
            ReceiverEvent::Countersigned { .. } => {}
        }
    }

    /// A group that stands for months must not keep every study it ever had.
    fn forget_ended(&mut self) {
        if !self.standing {
            return;
        }
        let ended: Vec<u16> = self.ended.keys().copied().collect();
        for slot in ended {
            if self.receiver.forget(slot) {
                self.ended.remove(&slot);
                self.slots.remove(&slot);
            }
        }
    }

    fn give_up(&mut self) {
        let error = self
            .sources
            .last_error()
            .unwrap_or(SessionError::ConnectionLost);
        let slots: Vec<u16> = self.slots.keys().copied().collect();
        slots
            .into_iter()
            .for_each(|slot| self.receiver.fail(slot, error.clone()));
        self.unstarted.extend(
            self.waiting
                .drain(..)
                .map(|(study, ..)| (study, error.clone())),
        );
    }

    fn finish(mut self) -> PullReport {
        self.receiver.close(self.clock.elapsed());
        loop {
            match self.receiver.poll_output() {
                ReceiverOutput::Send(id, packet) => {
                    let length = packet.len() as u64;
                    let sent = self
                        .lines
                        .get_mut(&id)
                        .map(|line| line.outward.send(packet));
                    if matches!(sent, Some(Ok(()))) {
                        self.sent = self.sent.saturating_add(length);
                    }
                }
                ReceiverOutput::Store(operation) => {
                    let result = self.store.execute(operation, self.clock.elapsed());
                    self.receiver.handle_storage(result, self.clock.elapsed());
                }
                ReceiverOutput::Wait(_) => break,
                _ => {}
            }
        }
        self.decoding.end();
        // All are told before any is waited for.
        for line in self.lines.values_mut() {
            line.outward.finish();
            line.gate.close();
        }
        for line in core::mem::take(&mut self.lines).into_values() {
            line.outward.close();
        }
        let studies = self.slots.into_iter().map(|(slot, study)| {
            let (outcome, progress) = self
                .ended
                .remove(&slot)
                .unwrap_or((StudyOutcome::Failed(SessionError::ConnectionLost), None));
            StudyReport {
                study,
                outcome,
                progress,
            }
        });
        let unstarted = self
            .unstarted
            .into_iter()
            .map(|(study, error)| StudyReport {
                study,
                outcome: StudyOutcome::Failed(error),
                progress: None,
            });
        PullReport {
            studies: studies.chain(unstarted).collect(),
            received: self.received,
            sent: self.sent,
            reconnects: self.sources.redials(),
            sources: self.sources.reports(),
            elapsed: self.clock.elapsed(),
        }
    }
}

fn wall_clock() -> DateTime<Utc> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH)
}
