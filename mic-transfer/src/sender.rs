//! The source's side of one connection, without sockets, files or clock.
//!
//! *After every call, drain [`Sender::poll_output`] until it answers [`SenderOutput::Wait`].*
//!
//! The source keeps nothing durable: what the receiver wants says everything, so a source that was
//! killed, replaced or doubled carries on at once.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

mod chooser;
mod coded;
mod held;
mod policy;
pub(crate) mod queue;
mod session;
mod state;

pub use chooser::{Chooser, ChunkSent};
pub use policy::CoderPolicy;
pub use state::{SourceInput, SourceState};

use held::Reading;
use queue::Queue;

use crate::error::{Context, ErrorCode, SessionError};
use crate::limits::{
    CHUNK_BYTES, HELD_RUNS_MAX, MANIFEST_AHEAD_BYTES, MANIFEST_PART_BYTES, QUEUED_RUNS_MAX,
};
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::tree::Leaves;
use crate::wire::{
    Codec, Codecs, Frame, FrameReader, NO_SLOT, Offer, PREFACE, Packet, Report, Request, encode,
};
use crate::{Auth, Instant, Manifest, Run, SignedManifest, Uid};

/// The timers of a source.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderConfig {
    /// The longest that the greeting may take: a slow line needs three round trips.
    pub greeting_timeout: Duration,
    /// The longest silence of a receiver before its connection is given up.
    pub idle_timeout: Duration,
    /// Which chunks are sent in a coded form to a receiver that takes it.
    pub coding: CoderPolicy,
    /// Most runs of held pieces kept for the connection, at most [`HELD_RUNS_MAX`]; with 0 nothing is left out of
    /// chunks. The receiver is told in the greeting.
    pub held_runs: u32,
}

impl Default for SenderConfig {
    /// 10 s for the greeting; 5 minutes of silence, as standing connections are welcome.
    fn default() -> Self {
        Self {
            greeting_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(300),
            coding: CoderPolicy::Trial,
            held_runs: HELD_RUNS_MAX as u32,
        }
    }
}

/// What the source wants from its surroundings.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SenderOutput {
    /// Send these bytes.
    Send(Packet),
    /// Decide; see the event.
    Event(SenderEvent),
    /// Read `length` bytes at `offset` of an instance and give them to [`Sender::handle_read`], or a
    /// coded form that the receiver takes to [`Sender::handle_coded`]. It may be a part of a chunk, where the receiver
    /// holds the rest: ask [`Sender::accepts`] at each one, which then allows no coded form.
    Read {
        /// The study.
        slot: u16,
        /// Which instance of the manifest.
        instance: u32,
        /// Bytes from the start of the file.
        offset: u64,
        /// How many: at most 256 KiB.
        length: u32,
    },
    /// Give the leaves of an instance to [`Sender::handle_leaves`].
    Leaves {
        /// The study.
        slot: u16,
        /// Which instance of the manifest.
        instance: u32,
    },
    /// Send what was given, then close the connection.
    Close(Option<SessionError>),
    /// Nothing to do until bytes arrive or this time comes.
    Wait(Option<Instant>),
}

/// What the source tells and asks the embedding application.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SenderEvent {
    /// A receiver is there: [`Sender::accept_session`] or [`Sender::refuse_session`].
    AuthorizeSession {
        /// What it shows.
        auth: Auth,
    },
    /// A receiver asks for a study: [`Sender::offer`] or [`Sender::refuse`].
    AuthorizeStudy {
        /// Its number on this connection.
        slot: u16,
        /// Which study.
        study: Uid,
        /// What it shows for it.
        auth: Auth,
    },
    /// A receiver has the study durably: [`Sender::countersign`].
    Receipt {
        /// The study.
        slot: u16,
        /// Its receipt.
        receipt: Receipt,
        /// Its signature, unchecked.
        signature: Option<Signature>,
    },
    /// A study ended without a receipt.
    Ended {
        /// The study.
        slot: u16,
        /// The receiver's error, or `None` if it cancelled.
        report: Option<Report>,
    },
}

/// The class of first images (XFR-60).
const FIRST_CLASS: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Greeting,
    Judging,
    Open,
    Closed,
}

#[derive(Debug)]
struct Study {
    state: SourceState,
    request: Request,
    signed: Option<SignedManifest>,
    manifest_sent: usize,
    queue: Queue,
    /// Chunks of first images that go unasked, and those of the first one among them.
    early: u32,
    early_first: u32,
    leaves_sent: BTreeSet<u32>,
    /// Runs of pieces that the receiver holds, by instance.
    held: BTreeMap<u32, Vec<Run>>,
    held_runs: usize,
}

/// The source's side of one connection.
///
/// `adapter::tcp` shows the loop that drives it; the crate's front page a whole transfer.
#[derive(Debug)]
pub struct Sender {
    config: SenderConfig,
    phase: Phase,
    reader: FrameReader,
    out: VecDeque<SenderOutput>,
    studies: BTreeMap<u16, Study>,
    last_slot: Option<u16>,
    /// The slot served last: studies of one class take turns.
    turn: u16,
    /// Bytes sent in its turn.
    turn_bytes: u64,
    /// The chunk being read, or whose leaves are asked for.
    reading: Option<Reading>,
    opened_at: Instant,
    heard_at: Instant,
    data_bytes: u64,
    accepts: Codecs,
    /// A study asked for before the session is decided; nothing where that was taken back (XFR-24).
    waiting: Option<(u16, Option<Request>)>,
}

impl Sender {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(config: SenderConfig, now: Instant) -> Self {
        let preface = Packet {
            head: PREFACE.to_vec(),
            body: Vec::new(),
        };
        Self {
            config,
            phase: Phase::Greeting,
            reader: FrameReader::new(),
            out: VecDeque::from([SenderOutput::Send(preface)]),
            studies: BTreeMap::new(),
            last_slot: None,
            turn: 0,
            turn_bytes: 0,
            reading: None,
            opened_at: now,
            heard_at: now,
            data_bytes: 0,
            accepts: Codecs::raw(),
            waiting: None,
        }
    }

    /// Bytes have arrived.
    pub fn handle_bytes(&mut self, mut bytes: &[u8], now: Instant) {
        self.heard_at = now;
        while self.phase != Phase::Closed {
            match self.reader.next(&mut bytes) {
                Ok(Some(frame)) => {
                    if let Err(error) = self.handle_frame(frame) {
                        self.fail(error);
                    }
                }
                Ok(None) => return,
                Err(fault) => self.fail(fault.into()),
            }
        }
    }

    /// The connection has ended.
    pub fn handle_disconnect(&mut self) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            let open = self
                .studies
                .values()
                .any(|study| study.state != SourceState::Ended);
            self.out.push_back(SenderOutput::Close(
                open.then_some(SessionError::ConnectionLost),
            ));
        }
    }

    /// The time named by [`SenderOutput::Wait`] has come.
    pub fn handle_time(&mut self, now: Instant) {
        let late = self.deadline().is_some_and(|deadline| deadline <= now);
        if late {
            let since = if self.phase == Phase::Open {
                self.heard_at
            } else {
                self.opened_at
            };
            self.fail(SessionError::TimedOut {
                seconds: now.saturating_sub(since).as_secs(),
            });
        }
    }

    /// The bytes asked for by [`SenderOutput::Read`], or `None` if they can't be read.
    pub fn handle_read(&mut self, bytes: Option<Vec<u8>>) {
        self.send_chunk(Codec::Raw, bytes);
    }

    /// The leaves asked for by [`SenderOutput::Leaves`], or `None` if they can't be had.
    pub fn handle_leaves(&mut self, leaves: Option<Leaves>) {
        let Some(Reading { slot, chunk, .. }) = self.reading.take() else {
            return;
        };
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if study.state != SourceState::Serving {
            return;
        }
        let place = study
            .signed
            .as_ref()
            .and_then(|signed| signed.manifest().place(chunk));
        let (Some(leaves), Some(place)) = (leaves, place) else {
            let report = Report::new(ErrorCode::SourceUnreadable);
            return self.end(slot, SourceInput::Unreadable, report);
        };
        study.leaves_sent.insert(place.instance());
        let values = leaves.values().to_vec();
        self.send(&Frame::Leaves {
            slot,
            instance: place.instance(),
            values,
        });
        // The chunk whose leaves these are is next.
        self.read_chunk(slot, chunk, place);
    }

    /// Gives the study out.
    pub fn offer(&mut self, slot: u16, signed: SignedManifest) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        let Some(next) = study.state.next(SourceInput::Offered) else {
            return;
        };
        if study.state == SourceState::Ended {
            return;
        }
        study.state = next;
        let root = *signed.manifest().root();
        let length = signed.manifest().encoded().len();
        let known = study.request.known == Some(root);
        study.manifest_sent = if known { length } else { 0 };
        let bytes = if known {
            0
        } else {
            u32::try_from(length).unwrap_or(u32::MAX)
        };
        let offer = Offer::new(root, bytes, signed.signature().cloned());
        if !known {
            let early = signed.manifest().head().early(study.request.early);
            let runs: Vec<Run> = early
                .filter_map(|image| {
                    let count = crate::tree::chunk_count(image.length());
                    Run::new(image.chunk(), u32::try_from(count).ok()?)
                })
                .collect();
            study.early = runs.iter().map(Run::count).sum();
            study.early_first = runs.first().map_or(0, Run::count);
            let _ = study.queue.want(FIRST_CLASS, &runs);
        }
        study.signed = Some(signed);
        self.send(&Frame::Offer { slot, offer });
    }

    /// Does not give the study out: `StudyUnknown`, `StudyRefused`, `Busy` or another code, with the
    /// application's own reason.
    pub fn refuse(&mut self, slot: u16, code: ErrorCode, reason: Option<u16>) {
        self.end(
            slot,
            SourceInput::Refused,
            Report {
                reason,
                ..Report::new(code)
            },
        );
    }

    /// Answers the receipt, with a signature over [`Receipt::message`] or none.
    pub fn countersign(&mut self, slot: u16, receipt: &Receipt, signature: Option<Signature>) {
        if let Some(study) = self.studies.get_mut(&slot) {
            if study.state == SourceState::Receipted {
                study.state = SourceState::Ended;
                self.send(&Frame::Countersign {
                    slot,
                    receipt: receipt.digest(),
                    signature,
                });
            }
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> SenderOutput {
        if let Some(output) = self.out.pop_front() {
            return output;
        }
        if self.phase == Phase::Open && self.reading.is_none() {
            if let Some(output) = self.next_work() {
                return output;
            }
        }
        SenderOutput::Wait(self.deadline())
    }

    /// Whether outputs wait that [`Sender::poll_output`] gives before it reads on: take these before
    /// more bytes.
    #[must_use]
    pub fn has_queued(&self) -> bool {
        !self.out.is_empty()
    }

    /// Bytes of chunks sent so far, in the form in which they were sent.
    #[must_use]
    pub const fn data_bytes(&self) -> u64 {
        self.data_bytes
    }

    /// Whether the connection is at its end.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Greeting | Phase::Judging => {
                Some(self.opened_at.saturating_add(self.config.greeting_timeout))
            }
            Phase::Open => Some(self.heard_at.saturating_add(self.config.idle_timeout)),
            Phase::Closed => None,
        }
    }

    fn handle_frame(&mut self, frame: Frame) -> Result<(), SessionError> {
        let name = frame.name();
        match (self.phase, frame) {
            (_, Frame::Skipped { .. }) | (Phase::Closed, _) => Ok(()),
            (Phase::Greeting, Frame::Hello(session)) => {
                self.phase = Phase::Judging;
                self.accepts = session.codecs;
                let auth = session.auth;
                self.out
                    .push_back(SenderOutput::Event(SenderEvent::AuthorizeSession { auth }));
                Ok(())
            }
            (_, Frame::Bye) => {
                self.handle_disconnect();
                Ok(())
            }
            (
                _,
                Frame::Error {
                    slot: NO_SLOT,
                    report,
                },
            ) => {
                let Report { code, reason, text } = report;
                self.phase = Phase::Closed;
                let error = SessionError::Reported { code, reason, text };
                self.out.push_back(SenderOutput::Close(Some(error)));
                Ok(())
            }
            (Phase::Judging, Frame::Request { slot, request }) if self.waiting.is_none() => {
                self.waiting = Some((slot, Some(request)));
                Ok(())
            }
            (Phase::Judging, Frame::Cancel { slot } | Frame::Error { slot, .. })
                if self
                    .waiting
                    .as_ref()
                    .is_some_and(|(asked, _)| *asked == slot) =>
            {
                self.waiting = Some((slot, None));
                Ok(())
            }
            (Phase::Open, Frame::Request { slot, request }) => self.handle_request(slot, request),
            (Phase::Open, Frame::Want { slot, class, runs }) => {
                self.handle_want(slot, class, &runs)
            }
            (Phase::Open, Frame::Rank { slot, class, runs }) => {
                self.handle_rank(slot, class, &runs)
            }
            (
                Phase::Open,
                Frame::Held {
                    slot,
                    instance,
                    runs,
                },
            ) => self.handle_held(slot, instance, runs),
            (Phase::Open, Frame::Cancel { slot }) => {
                self.handle_end(slot, SourceInput::Cancel, None)
            }
            (Phase::Open, Frame::Error { slot, report }) => {
                self.handle_end(slot, SourceInput::Error, Some(report))
            }
            (Phase::Open, Frame::Commit { slot, root, .. }) => {
                let Some(study) = self.step(slot, SourceInput::Commit, name)? else {
                    return Ok(());
                };
                let offered = study
                    .signed
                    .as_ref()
                    .map(|signed| *signed.manifest().root());
                if offered == Some(root) {
                    Ok(())
                } else {
                    Err(SessionError::protocol(
                        ErrorCode::WrongManifest,
                        Context::Frame(name),
                    ))
                }
            }
            (
                Phase::Open,
                Frame::Receipt {
                    slot,
                    receipt,
                    signature,
                },
            ) => {
                let Some(study) = self.step(slot, SourceInput::Receipt, name)? else {
                    return Ok(());
                };
                let offered = study
                    .signed
                    .as_ref()
                    .map(|signed| *signed.manifest().root());
                if offered != Some(*receipt.root()) {
                    return Err(SessionError::protocol(
                        ErrorCode::WrongManifest,
                        Context::Frame(name),
                    ));
                }
                let event = SenderEvent::Receipt {
                    slot,
                    receipt,
                    signature,
                };
                self.out.push_back(SenderOutput::Event(event));
                Ok(())
            }
            _ => Err(SessionError::protocol(
                ErrorCode::OutOfOrder,
                Context::Frame(name),
            )),
        }
    }

    fn handle_want(&mut self, slot: u16, class: u32, runs: &[Run]) -> Result<(), SessionError> {
        let Some(study) = self.step(slot, SourceInput::Want, "WANT")? else {
            return Ok(());
        };
        let total = study
            .signed
            .as_ref()
            .map_or(0, |signed| signed.manifest().chunks_total());
        if runs.iter().any(|run| run.end() > total) {
            return Err(SessionError::protocol(
                ErrorCode::LimitExceeded,
                Context::Frame("WANT"),
            ));
        }
        let kept = study.queue.want(class, runs);
        self.bounded(kept, "WANT")
    }

    /// Moves what still waits; what was sent already is no matter.
    fn handle_rank(&mut self, slot: u16, class: u32, runs: &[Run]) -> Result<(), SessionError> {
        let Some(study) = self.step(slot, SourceInput::Rank, "RANK")? else {
            return Ok(());
        };
        let kept = study.queue.rank(class, runs);
        self.bounded(kept, "RANK")
    }

    /// Whether the runs of one study, and those of all on the connection, keep the limit.
    fn bounded(&self, kept: Option<()>, frame: &'static str) -> Result<(), SessionError> {
        let all: usize = self.studies.values().map(|study| study.queue.len()).sum();
        let context = Context::Frame(frame);
        kept.filter(|()| all <= QUEUED_RUNS_MAX)
            .ok_or(SessionError::protocol(ErrorCode::LimitExceeded, context))
    }

    fn handle_end(
        &mut self,
        slot: u16,
        input: SourceInput,
        report: Option<Report>,
    ) -> Result<(), SessionError> {
        if self.step(slot, input, "CANCEL")?.is_some() {
            self.out
                .push_back(SenderOutput::Event(SenderEvent::Ended { slot, report }));
        }
        Ok(())
    }

    /// The study after `input`; `None` for one that has ended, whose late frames are passed over.
    fn step(
        &mut self,
        slot: u16,
        input: SourceInput,
        frame: &'static str,
    ) -> Result<Option<&mut Study>, SessionError> {
        let was_used = self.last_slot.is_some_and(|last| slot <= last);
        let Some(study) = self.studies.get_mut(&slot) else {
            return if was_used {
                Ok(None)
            } else {
                Err(SessionError::protocol(
                    ErrorCode::OutOfOrder,
                    Context::Frame(frame),
                ))
            };
        };
        if study.state == SourceState::Ended {
            return Ok(None);
        }
        let Some(next) = study.state.next(input) else {
            let context = Context::State {
                frame,
                state: study.state.name(),
            };
            return Err(SessionError::protocol(ErrorCode::OutOfOrder, context));
        };
        study.state = next;
        if next != SourceState::Serving {
            study.forget_held();
        }
        Ok(Some(study))
    }

    fn end(&mut self, slot: u16, input: SourceInput, report: Report) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if study.state == SourceState::Ended || study.state.next(input).is_none() {
            return;
        }
        study.state = SourceState::Ended;
        study.queue.clear();
        study.forget_held();
        self.send(&Frame::Error { slot, report });
    }

    fn fail(&mut self, error: SessionError) {
        if self.phase == Phase::Closed {
            return;
        }
        self.phase = Phase::Closed;
        self.send(&Frame::Error {
            slot: NO_SLOT,
            report: Report::new(error.code()),
        });
        self.out.push_back(SenderOutput::Close(Some(error)));
    }

    fn send(&mut self, frame: &Frame) {
        self.out.push_back(SenderOutput::Send(encode(frame)));
    }

    /// A click before all; the head of a manifest, the first image of all, the rest of the manifest, other first images;
    /// chunks. The manifest is what other connections wait for, so that only a long one comes after all first images.
    fn next_work(&mut self) -> Option<SenderOutput> {
        let clicked =
            |study: &Study| study.state == SourceState::Serving && study.queue.class() == Some(0);
        if self.studies.values().any(clicked) {
            return self.next_chunk();
        }
        self.next_head()
            .or_else(|| self.next_early(|study| study.early_first > 0))
            .or_else(|| self.next_manifest_part(MANIFEST_AHEAD_BYTES))
            .or_else(|| self.next_early(|study| study.early > 0))
            .or_else(|| self.next_manifest_part(usize::MAX))
            .or_else(|| self.next_chunk())
    }

    /// The head of a manifest, alone in its frame (XFR-15).
    fn next_head(&mut self) -> Option<SenderOutput> {
        for (slot, study) in &mut self.studies {
            let (SourceState::Serving, Some(signed), 0) =
                (study.state, &study.signed, study.manifest_sent)
            else {
                continue;
            };
            let bytes = signed.manifest().encoded_head().to_vec();
            study.manifest_sent = bytes.len();
            let frame = Frame::Manifest {
                slot: *slot,
                offset: 0,
                bytes,
            };
            return Some(SenderOutput::Send(encode(&frame)));
        }
        None
    }

    /// A chunk of a first image that the receiver takes before it asks (XFR-64).
    fn next_early(&mut self, is_due: impl Fn(&Study) -> bool) -> Option<SenderOutput> {
        let early =
            |(_, study): &(&u16, &Study)| study.state == SourceState::Serving && is_due(study);
        let slot = *self.studies.iter().find(early)?.0;
        let study = self.studies.get_mut(&slot)?;
        study.early = study.early.saturating_sub(1);
        study.early_first = study.early_first.saturating_sub(1);
        self.chunk_of(slot)
    }

    /// A part of a manifest of which at most `most` bytes are left, one at a time, so that clicks on other studies come
    /// between.
    fn next_manifest_part(&mut self, most: usize) -> Option<SenderOutput> {
        for (slot, study) in &mut self.studies {
            let (SourceState::Serving, Some(signed)) = (study.state, &study.signed) else {
                continue;
            };
            let left = signed
                .manifest()
                .encoded()
                .get(study.manifest_sent..)
                .filter(|left| left.len() <= most)
                .unwrap_or(&[]);
            if let Some(part) = left.chunks(MANIFEST_PART_BYTES).next() {
                let offset = u32::try_from(study.manifest_sent).unwrap_or(u32::MAX);
                study.manifest_sent = study.manifest_sent.saturating_add(part.len());
                let frame = Frame::Manifest {
                    slot: *slot,
                    offset,
                    bytes: part.to_vec(),
                };
                return Some(SenderOutput::Send(encode(&frame)));
            }
        }
        None
    }

    /// The most urgent chunk; studies of one class take turns.
    fn next_chunk(&mut self) -> Option<SenderOutput> {
        let slots: Vec<u16> = {
            // A study keeps its turn until it has had a chunk's bytes, however small its images are.
            let begin = if self.turn_bytes < CHUNK_BYTES as u64 {
                self.turn
            } else {
                self.turn.saturating_add(1)
            };
            let order = self
                .studies
                .range(begin..)
                .chain(self.studies.range(..begin));
            order.map(|(slot, _)| *slot).collect()
        };
        let serving = |slot: &&u16| {
            let study = self.studies.get(slot);
            study.is_some_and(|study| study.state == SourceState::Serving)
        };
        let class_of = |slot: &u16| self.studies.get(slot)?.queue.class();
        let most_urgent = slots.iter().filter(serving).filter_map(class_of).min()?;
        let slot = *slots
            .iter()
            .filter(serving)
            .find(|slot| class_of(slot) == Some(most_urgent))?;
        self.chunk_of(slot)
    }

    /// The most urgent chunk of a study.
    fn chunk_of(&mut self, slot: u16) -> Option<SenderOutput> {
        let study = self.studies.get_mut(&slot)?;
        let chunk = study.queue.pop()?;
        let manifest = study.signed.as_ref()?.manifest();
        let place = manifest.place(chunk)?;
        let one = manifest.chunks_of(place.instance())?.count() == 1;
        let known = one || study.leaves_sent.contains(&place.instance());
        if self.turn != slot || self.turn_bytes >= CHUNK_BYTES as u64 {
            self.turn = slot;
            self.turn_bytes = 0;
        }
        self.turn_bytes = self.turn_bytes.saturating_add(u64::from(place.length()));
        if known {
            self.read_chunk(slot, chunk, place);
            return self.out.pop_front();
        }
        self.reading = Some(Reading {
            slot,
            chunk,
            parts: None,
        });
        Some(SenderOutput::Leaves {
            slot,
            instance: place.instance(),
        })
    }

    /// The manifest offered in a slot.
    #[must_use]
    pub fn manifest(&self, slot: u16) -> Option<&Manifest> {
        Some(self.studies.get(&slot)?.signed.as_ref()?.manifest())
    }
}
