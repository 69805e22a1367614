//! Taking studies in over sockets.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver as Inbox, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Instant as Clock, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use super::control::{Command, Message, PullControl};
use super::decode::DecodeThreads;
use super::dial::{Dial, RECONNECT_DELAY, dial};
use super::report::{PullError, PullReport, StudyOutcome, StudyReport};
use super::{LINGER, PORTIONS, close_gently, read_into, write_packet};
use crate::adapter::disk::DiskStore;
use crate::error::SessionError;
use crate::manifest::SignatureRefused;
use crate::receiver::{
    ConnectionId, Priority, Progress, Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput,
};
use crate::sign::{SignFailed, Signature};
use crate::{Auth, Digest, SignedHead, SignedManifest, Uid};

/// What happens while studies are pulled.
#[non_exhaustive]
#[derive(Debug)]
pub enum PullEvent<'a> {
    /// A manifest arrived and is accepted; what is here already and what will come.
    Planned(&'a Uid, Progress),
    /// A first image is whole, ahead of the manifest and of the store; asked for by
    /// [`Pull::verify_first_with`].
    First {
        /// The study.
        study: &'a Uid,
        /// Its place in the manifest.
        instance: u32,
        /// Its digest.
        digest: Digest,
        /// The whole file.
        bytes: &'a [u8],
    },
    /// An instance is whole and can be read from the store.
    Instance {
        /// The study.
        study: &'a Uid,
        /// Its place in the manifest.
        instance: u32,
        /// Its digest.
        digest: Digest,
    },
    /// A chunk more.
    Progress(&'a Uid, Progress),
    /// The study is complete and its receipt kept.
    Complete(&'a Uid, Progress),
    /// The study is complete, but its receipt could not be signed or kept; the next pull issues it.
    Unreceipted(&'a Uid, &'a SessionError),
    /// The study ended without being complete.
    Failed(&'a Uid, &'a SessionError),
    /// A connection was lost and will be made again.
    Reconnecting(&'a SessionError),
}

type Verify<'a> = dyn Fn(&SignedManifest) -> Result<(), SignatureRefused> + 'a;
type VerifyFirst<'a> = dyn Fn(&SignedHead) -> Result<(), SignatureRefused> + 'a;
type Sign<'a> = dyn Fn(&[u8]) -> Result<Option<Signature>, SignFailed> + 'a;

/// Pulls studies from one source into a store.
///
/// See the [crate's front page](crate) for a whole example. Calling it again after a cut, a kill or
/// an error resumes; pulling what is complete moves no chunk.
pub struct Pull<'a> {
    address: SocketAddr,
    auth: Auth,
    studies: Vec<(Uid, Auth, Priority)>,
    connections: u32,
    reconnects: u32,
    config: ReceiverConfig,
    verify: alloc::boxed::Box<Verify<'a>>,
    verify_first: alloc::boxed::Box<VerifyFirst<'a>>,
    sign: alloc::boxed::Box<Sign<'a>>,
    previous_receipt: Option<Digest>,
    channel: (SyncSender<Message>, Inbox<Message>),
    commands: Arc<Mutex<Vec<Command>>>,
}

impl core::fmt::Debug for Pull<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Pull")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl<'a> Pull<'a> {
    /// From this source, over one connection, accepting any manifest and signing no receipt.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            auth: Auth::none(),
            studies: Vec::new(),
            connections: 1,
            reconnects: 3,
            config: ReceiverConfig::default(),
            verify: alloc::boxed::Box::new(|_| Ok(())),
            // Nothing is shown ahead unless the application says how a head is judged.
            verify_first: alloc::boxed::Box::new(|_| Err(SignatureRefused::Missing)),
            sign: alloc::boxed::Box::new(|_| Ok(None)),
            previous_receipt: None,
            channel: sync_channel(PORTIONS),
            commands: Arc::default(),
        }
    }

    /// What is shown when connecting.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Adds a study with what is shown for it.
    #[must_use]
    pub fn study(self, study: Uid, auth: Auth) -> Self {
        self.study_with(study, auth, Priority::Waiting)
    }

    /// Adds a study of a priority.
    #[must_use]
    pub fn study_with(mut self, study: Uid, auth: Auth, priority: Priority) -> Self {
        self.studies.push((study, auth, priority));
        self
    }

    /// Connections to take chunks over, 1 to 16; all take the next one from the same queue.
    #[must_use]
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections.clamp(1, 16);
        self
    }

    /// New connections after a loss before giving up; 3 if not said.
    #[must_use]
    pub const fn reconnects(mut self, reconnects: u32) -> Self {
        self.reconnects = reconnects;
        self
    }

    /// Limits and timers.
    #[must_use]
    pub const fn config(mut self, config: ReceiverConfig) -> Self {
        self.config = config;
        self
    }

    /// Judges manifests, by [`SignedManifest::check`] as a rule.
    #[must_use]
    pub fn verify_with(
        mut self,
        verify: impl Fn(&SignedManifest) -> Result<(), SignatureRefused> + 'a,
    ) -> Self {
        self.verify = alloc::boxed::Box::new(verify);
        self
    }

    /// Judges the heads of manifests, by [`SignedHead::check`] as a rule, and shows first images of
    /// those it accepts before the manifest is whole ([`PullEvent::First`]).
    #[must_use]
    pub fn verify_first_with(
        mut self,
        verify: impl Fn(&SignedHead) -> Result<(), SignatureRefused> + 'a,
    ) -> Self {
        self.verify_first = alloc::boxed::Box::new(verify);
        self
    }

    /// Signs receipts.
    #[must_use]
    pub fn sign_with(
        mut self,
        sign: impl Fn(&[u8]) -> Result<Option<Signature>, SignFailed> + 'a,
    ) -> Self {
        self.sign = alloc::boxed::Box::new(sign);
        self
    }

    /// Chains the first receipt to the one issued before.
    #[must_use]
    pub const fn after_receipt(mut self, previous: Digest) -> Self {
        self.previous_receipt = Some(previous);
        self
    }

    /// Steers the pull, from another thread or from within its events.
    #[must_use]
    pub fn control(&self) -> PullControl {
        PullControl {
            commands: Arc::clone(&self.commands),
            wake: self.channel.0.clone(),
        }
    }

    /// Pulls until every study is complete or has failed.
    ///
    /// # Errors
    /// [`PullError`] only where no connection could be made at all; what became of each study is in
    /// the report.
    pub fn run(
        self,
        store: &DiskStore,
        on_event: impl FnMut(PullEvent<'_>),
    ) -> Result<PullReport, PullError> {
        self.drive(store, on_event, false)
    }

    /// Keeps the connections to the source standing and pulls whatever [`PullControl::pull`] asks for,
    /// until [`PullControl::close`]: a study then costs no set-up, and its first image one round trip.
    /// A connection that is lost or can't be made is dialled again, after 100 ms at first and 60 s at
    /// last. Runs on the calling thread; what became of each study is told by events.
    ///
    /// ```no_run
    /// # use mic_transfer::{Auth, Uid, adapter::{disk::DiskStore, tcp::Pull}, receiver::Priority};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = DiskStore::open("cache")?;
    /// let group = Pull::new("10.0.0.5:7070".parse()?).connections(4);
    /// let control = group.control();
    /// std::thread::spawn(move || control.pull(Uid::new("1.2.3").unwrap(), Auth::none(), Priority::Waiting));
    /// group.stand(&store, |event| println!("{event:?}"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn stand(self, store: &DiskStore, on_event: impl FnMut(PullEvent<'_>)) {
        // A standing group does not fail to connect: it dials again.
        let _ = self.drive(store, on_event, true);
    }

    fn drive(
        self,
        store: &DiskStore,
        on_event: impl FnMut(PullEvent<'_>),
        standing: bool,
    ) -> Result<PullReport, PullError> {
        let started = Clock::now();
        let mut run = Run {
            clock: started,
            receiver: Receiver::new(self.config),
            lines: BTreeMap::new(),
            next_line: 0,
            slots: BTreeMap::new(),
            waiting: VecDeque::new(),
            unstarted: Vec::new(),
            ended: BTreeMap::new(),
            previous: self.previous_receipt,
            last_error: None,
            sent: 0,
            received: 0,
            reconnects: 0,
            standing: false,
            dial: Dial::default(),
            decoding: DecodeThreads::default(),
            pull: self,
            store,
            on_event,
        };
        if standing {
            run.standing = true;
            run.waiting = core::mem::take(&mut run.pull.studies).into();
            run.start_waiting();
        } else {
            run.connect().map_err(|kind| PullError {
                address: run.pull.address,
                kind,
            })?;
            run.start();
        }
        run.work();
        Ok(run.finish(started.elapsed()))
    }
}

struct Line {
    stream: TcpStream,
    reader: JoinHandle<()>,
    closing: bool,
}

struct Run<'a, 'b, F> {
    clock: Clock,
    receiver: Receiver,
    lines: BTreeMap<ConnectionId, Line>,
    next_line: ConnectionId,
    slots: BTreeMap<u16, Uid>,
    waiting: VecDeque<(Uid, Auth, Priority)>,
    unstarted: Vec<(Uid, SessionError)>,
    ended: BTreeMap<u16, (StudyOutcome, Option<Progress>)>,
    previous: Option<Digest>,
    last_error: Option<SessionError>,
    sent: u64,
    received: u64,
    reconnects: u32,
    standing: bool,
    dial: Dial,
    decoding: DecodeThreads,
    pull: Pull<'a>,
    store: &'b DiskStore,
    on_event: F,
}

impl<F: FnMut(PullEvent<'_>)> Run<'_, '_, F> {
    fn connect(&mut self) -> Result<(), io::ErrorKind> {
        let stream = dial(self.pull.address)?;
        self.take_line(stream)
    }

    fn take_line(&mut self, stream: TcpStream) -> Result<(), io::ErrorKind> {
        let id = self.next_line;
        self.next_line = self.next_line.saturating_add(1);
        let reading = stream.try_clone().map_err(|error| error.kind())?;
        let channel = self.pull.channel.0.clone();
        let reader = thread::Builder::new()
            .name(String::from("mic-transfer-read"))
            .spawn(move || read_into(&reading, &channel, |portion| Message::Bytes(id, portion)))
            .map_err(|error| error.kind())?;
        self.lines.insert(
            id,
            Line {
                stream,
                reader,
                closing: false,
            },
        );
        self.receiver
            .connect(id, self.pull.auth.clone(), self.clock.elapsed());
        Ok(())
    }

    fn start(&mut self) {
        for _ in 1..self.pull.connections {
            // One is enough to work with.
            let _ = self.connect();
        }
        self.waiting = core::mem::take(&mut self.pull.studies).into();
        self.start_waiting();
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

    fn work(&mut self) {
        loop {
            match self.receiver.poll_output() {
                ReceiverOutput::Send(id, packet) => {
                    let Some(line) = self.lines.get(&id) else {
                        continue;
                    };
                    match write_packet(&line.stream, &packet) {
                        Ok(()) => self.sent = self.sent.saturating_add(packet.len() as u64),
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
                        line.closing = true;
                        close_gently(&line.stream);
                    }
                }
                ReceiverOutput::Wait(deadline) => {
                    if self.obey() {
                        continue;
                    }
                    let idle = self.receiver.is_idle() && self.waiting.is_empty();
                    if idle && !self.standing {
                        return;
                    }
                    if self.standing {
                        self.forget_ended();
                        self.dial_again();
                    } else if self.receiver.connections() == 0 && !self.reconnect() {
                        self.give_up();
                        continue;
                    }
                    self.wait(deadline);
                }
            }
        }
    }

    fn wait(&mut self, deadline: Option<Duration>) {
        let deadlines = [
            deadline,
            self.store.deadline(),
            self.dial.due(self.is_short()),
        ];
        let now = self.clock.elapsed();
        let until = deadlines.into_iter().flatten().min();
        let left = until.map_or(LINGER, |until| until.saturating_sub(now));
        match self.pull.channel.1.recv_timeout(left) {
            Ok(Message::Bytes(id, Ok(bytes))) => {
                self.received = self.received.saturating_add(bytes.len() as u64);
                self.receiver.handle_bytes(id, &bytes, self.clock.elapsed());
            }
            Ok(Message::Bytes(id, Err(_))) => {
                self.receiver.handle_disconnect(id, self.clock.elapsed());
            }
            #[cfg(feature = "coding")]
            Ok(Message::Decoded(decoded)) => {
                self.receiver.handle_decoded(decoded, self.clock.elapsed());
            }
            Ok(Message::Dialled(stream)) => self.dialled(stream),
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
            ReceiverEvent::Disconnected(_, error) => {
                self.dial.lost(self.clock.elapsed());
                self.last_error = error.or(self.last_error.take());
            }
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
            ReceiverEvent::Connected(_) => self.dial.welcomed(),
            ReceiverEvent::Countersigned { .. } => {}
        }
    }

    /// Makes a connection again, unless the source has turned this side away or enough were tried.
    fn reconnect(&mut self) -> bool {
        let error = self
            .last_error
            .clone()
            .unwrap_or(SessionError::ConnectionLost);
        if error.code() == crate::ErrorCode::SessionRefused {
            return false;
        }
        while self.reconnects < self.pull.reconnects {
            (self.on_event)(PullEvent::Reconnecting(&error));
            let delay = RECONNECT_DELAY.saturating_mul(1 << self.reconnects.min(6));
            self.reconnects = self.reconnects.saturating_add(1);
            thread::sleep(delay);
            if self.connect().is_ok() {
                return true;
            }
        }
        false
    }

    /// Fewer connections than the standing group is to have.
    fn is_short(&self) -> bool {
        self.standing && self.receiver.connections() < self.pull.connections as usize
    }

    /// Dials one connection more, on a thread of its own so that the others go on.
    fn dial_again(&mut self) {
        let now = self.clock.elapsed();
        if !self.is_short() || !self.dial.start(now) {
            return;
        }
        let (address, channel) = (self.pull.address, self.pull.channel.0.clone());
        let dialling = thread::Builder::new()
            .name(String::from("mic-transfer-dial"))
            .spawn(move || channel.send(Message::Dialled(dial(address))));
        if dialling.is_err() {
            self.dial.failed(now);
        }
    }

    fn dialled(&mut self, stream: Result<TcpStream, io::ErrorKind>) {
        let now = self.clock.elapsed();
        match stream.and_then(|stream| self.take_line(stream)) {
            Ok(()) => self.dial.made(),
            Err(_) => self.dial.failed(now),
        }
    }

    /// A group that stands for months must not keep every study it ever had.
    fn forget_ended(&mut self) {
        let ended: Vec<u16> = self.ended.keys().copied().collect();
        for slot in ended {
            if self.receiver.forget(slot) {
                self.ended.remove(&slot);
                self.slots.remove(&slot);
            }
        }
        self.lines
            .retain(|_, line| !(line.closing && line.reader.is_finished()));
    }

    fn give_up(&mut self) {
        let error = self
            .last_error
            .clone()
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

    fn finish(mut self, elapsed: Duration) -> PullReport {
        self.receiver.close(self.clock.elapsed());
        loop {
            match self.receiver.poll_output() {
                ReceiverOutput::Send(id, packet) => {
                    let written = self
                        .lines
                        .get(&id)
                        .map(|line| write_packet(&line.stream, &packet));
                    if matches!(written, Some(Ok(()))) {
                        self.sent = self.sent.saturating_add(packet.len() as u64);
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
        // The readers may stand before a full channel: it goes before they are waited for.
        let (channel, inbox) = self.pull.channel;
        drop(channel);
        drop(inbox);
        self.decoding.end();
        for line in self.lines.into_values() {
            close_gently(&line.stream);
            let _ = line.stream.shutdown(Shutdown::Both);
            let _ = line.reader.join();
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
            reconnects: self.reconnects,
            elapsed,
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
