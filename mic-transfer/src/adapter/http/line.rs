//! A line made of exchanges (XFR-112): what the receiver says is sorted into requests, what comes back is put
//! together again as the one stream it expects.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use std::io;

use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::Bytes;
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::dial::{Requester, Target};
use crate::adapter::line::Inward;
use crate::limits::{CHUNK_BYTES, LEAVES_BYTES_MAX};
use crate::receiver::runs_of;
use crate::sender::queue::Queue;
use crate::wire::{
    Border, Frame, FrameReader, HEADER_BYTES, NO_SLOT, PREFACE, Packet, Report, Request, encode,
};
use crate::{Digest, ErrorCode, Run};

/// Exchanges of chunks under way at once: while one is answered the next is asked.
const LANES: usize = 4;
/// Chunks asked for in one exchange: 4 MiB, of which a click waits for one.
const CHUNKS: usize = 16;
/// Lanes for clicks beyond the others.
const CLICK_LANES: usize = 4;
/// Most bytes held of one answer: the largest frame, and what came with it.
const HELD_BYTES_MAX: usize = LEAVES_BYTES_MAX + 2 * CHUNK_BYTES;

/// A study on this line.
struct Study {
    request: Request,
    wanted: Queue,
    commit: Option<Vec<u8>>,
}

/// What an exchange is for.
#[derive(Clone)]
enum Purpose {
    Greeting,
    /// The greeting, and the study asked for behind it (XFR-24).
    Opening,
    Request,
    /// These many chunks by slot, of the study with this root.
    Chunks(BTreeMap<u16, (Digest, usize)>),
    Receipt,
}

impl Purpose {
    /// Whether the receiver awaits the source's preface and HELLO from it.
    const fn greets(&self) -> bool {
        matches!(self, Self::Greeting | Self::Opening)
    }
}

/// How far the greeting is.
#[derive(PartialEq, Eq)]
enum Greeted {
    /// HELLO is to be sent, alone or with what is said at once.
    Not,
    /// Its answer is awaited.
    Asked,
    /// The receiver has it.
    Done,
}

/// What an exchange found out.
struct Found {
    requester: Requester,
    roots: Vec<(u16, Digest)>,
    chunks: bool,
    greeted: bool,
}

struct Line {
    target: Arc<Target>,
    inward: Arc<Inward>,
    /// Frames of several answers go to the receiver one by one.
    order: Arc<Mutex<()>>,
    greeting: Vec<u8>,
    greeted: Greeted,
    /// Studies to ask for when the greeting is answered.
    waiting: Vec<u16>,
    studies: BTreeMap<u16, Study>,
    idle: Vec<Requester>,
    lanes: usize,
    running: JoinSet<io::Result<Found>>,
    reader: FrameReader,
    /// The study served last, so that they take turns.
    turn: u16,
}

/// Carries a line until it ends.
pub(super) async fn carry(
    target: Arc<Target>,
    first: Requester,
    inward: Inward,
    mut packets: UnboundedReceiver<Packet>,
) {
    let inward = Arc::new(inward);
    let mut line = Line {
        target,
        inward: Arc::clone(&inward),
        order: Arc::default(),
        greeting: PREFACE.to_vec(),
        greeted: Greeted::Not,
        waiting: Vec::new(),
        studies: BTreeMap::new(),
        idle: Vec::from([first]),
        lanes: 0,
        running: JoinSet::new(),
        reader: FrameReader::new(),
        turn: 0,
    };
    let ended = line.run(&mut packets).await;
    line.running.shutdown().await;
    inward.end(
        ended
            .err()
            .map_or(io::ErrorKind::UnexpectedEof, |error| error.kind()),
    );
}

impl Line {
    async fn run(&mut self, packets: &mut UnboundedReceiver<Packet>) -> io::Result<()> {
        loop {
            tokio::select! {
                packet = packets.recv() => {
                    let Some(packet) = packet else { return Ok(()) };
                    if !self.take(&packet)? {
                        return Ok(());
                    }
                    // What was said together is asked together.
                    while let Ok(packet) = packets.try_recv() {
                        if !self.take(&packet)? {
                            return Ok(());
                        }
                    }
                }
                Some(found) = self.running.join_next() => {
                    self.found(found.map_err(io::Error::other)??);
                }
            }
            self.ask();
        }
    }

    /// Takes what the receiver says; `false` at its goodbye.
    fn take(&mut self, packet: &Packet) -> io::Result<bool> {
        let bytes = packet.to_vec();
        let mut rest = &bytes[..];
        while let Some(frame) = self.reader.next(&mut rest).map_err(io::Error::other)? {
            match frame {
                Frame::Hello(_) => {
                    self.greeting.extend_from_slice(&bytes);
                }
                Frame::Request { slot, request } => {
                    let study = Study {
                        request,
                        wanted: Queue::default(),
                        commit: None,
                    };
                    self.studies.insert(slot, study);
                    self.waiting.push(slot);
                }
                Frame::Want { slot, class, runs } => {
                    let study = self.studies.get_mut(&slot);
                    let kept = study.and_then(|study| study.wanted.want(class, &runs));
                    kept.ok_or(io::ErrorKind::InvalidData)?;
                }
                Frame::Rank { slot, class, runs } => {
                    if let Some(study) = self.studies.get_mut(&slot) {
                        let kept = study.wanted.rank(class, &runs);
                        kept.ok_or(io::ErrorKind::InvalidData)?;
                    }
                }
                Frame::Commit { slot, .. } => {
                    if let Some(study) = self.studies.get_mut(&slot) {
                        study.commit = Some(bytes.clone());
                    }
                }
                Frame::Receipt { slot, .. } => {
                    if let Some(study) = self.studies.get_mut(&slot) {
                        let commit = study.commit.take().unwrap_or_default();
                        let opening = self.opening(slot);
                        let body = [&self.greeting[..], &opening, &commit, &bytes].concat();
                        self.spawn(body, Purpose::Receipt);
                    }
                }
                Frame::Cancel { slot } | Frame::Error { slot, .. } if slot != NO_SLOT => {
                    self.studies.remove(&slot);
                }
                Frame::Bye | Frame::Error { .. } => return Ok(false),
                // A word on a standing line: there is nothing that stands here.
                _ => {}
            }
        }
        Ok(true)
    }

    /// The request that opens a study again in a further exchange: its manifest is known.
    fn opening(&self, slot: u16) -> Vec<u8> {
        let Some(study) = self.studies.get(&slot) else {
            return Vec::new();
        };
        let request = study.request.clone();
        encode(&Frame::Request { slot, request }).to_vec()
    }

    /// The greeting and requests: the first one with the greeting if both were said together, the others when it is
    /// answered, since what an answer says of a study must not come before HELLO.
    fn open(&mut self) {
        let waiting = match self.greeted {
            Greeted::Not if self.greeting.len() > PREFACE.len() => {
                self.greeted = Greeted::Asked;
                let rest = self.waiting.split_off(self.waiting.len().min(1));
                let first = core::mem::replace(&mut self.waiting, rest);
                let opening = first.first().map(|slot| self.opening(*slot));
                let purpose = if opening.as_ref().is_some_and(|opening| !opening.is_empty()) {
                    Purpose::Opening
                } else {
                    Purpose::Greeting
                };
                let body = [&self.greeting[..], &opening.unwrap_or_default()].concat();
                self.spawn(body, purpose);
                return;
            }
            Greeted::Done => core::mem::take(&mut self.waiting),
            _ => return,
        };
        for slot in waiting {
            let opening = self.opening(slot);
            // Nothing is left of a study that was cancelled meanwhile.
            if !opening.is_empty() {
                let body = [&self.greeting[..], &opening].concat();
                self.spawn(body, Purpose::Request);
            }
        }
    }

    /// Sends what waits, as far as lanes are free; a click always finds one.
    fn ask(&mut self) {
        self.open();
        loop {
            let urgent = self
                .studies
                .values()
                .filter_map(|study| study.wanted.class())
                .min();
            let lanes = if urgent == Some(0) {
                LANES + CLICK_LANES
            } else {
                LANES
            };
            let (Some(class), true) = (urgent, self.lanes < lanes) else {
                return;
            };
            let (body, chunks) = self.portion(class);
            if chunks.is_empty() {
                return;
            }
            self.lanes = self.lanes.saturating_add(1);
            self.spawn(body, Purpose::Chunks(chunks));
        }
    }

    /// The next chunks of a class, those of one study after the other in turn.
    fn portion(&mut self, class: u32) -> (Vec<u8>, BTreeMap<u16, (Digest, usize)>) {
        let after = self.studies.range(self.turn.saturating_add(1)..);
        let before = self.studies.range(..=self.turn);
        let ready = |(slot, study): (&u16, &Study)| {
            let ready = study.wanted.class() == Some(class);
            Some((*slot, study.request.known?)).filter(|_| ready)
        };
        let mut counts = BTreeMap::new();
        let mut body = self.greeting.clone();
        let Some((slot, root)) = after.chain(before).find_map(ready) else {
            return (body, counts);
        };
        self.turn = slot;
        body.extend_from_slice(&self.opening(slot));
        if let Some(study) = self.studies.get_mut(&slot) {
            let mut chunks: Vec<u32> = Vec::new();
            while chunks.len() < CHUNKS && study.wanted.class() == Some(class) {
                chunks.extend(study.wanted.pop());
            }
            counts.insert(slot, (root, chunks.len()));
            chunks.sort_unstable();
            let runs: Vec<Run> = runs_of(chunks.into_iter());
            body.extend_from_slice(&encode(&Frame::Want { slot, class, runs }).to_vec());
        }
        (body, counts)
    }

    fn spawn(&mut self, body: Vec<u8>, purpose: Purpose) {
        let requester = self.idle.pop();
        // One connection of HTTP/2 carries all.
        self.idle
            .extend(requester.as_ref().and_then(Requester::share));
        let exchange = Exchange {
            target: Arc::clone(&self.target),
            inward: Arc::clone(&self.inward),
            order: Arc::clone(&self.order),
            purpose,
        };
        self.running
            .spawn(exchange.run(requester, Bytes::from(body)));
    }

    fn found(&mut self, found: Found) {
        if found.chunks {
            self.lanes = self.lanes.saturating_sub(1);
        }
        if found.greeted {
            self.greeted = Greeted::Done;
        }
        let shared = found.requester.share().is_some();
        if !found.requester.is_closed() && (!shared || self.idle.is_empty()) {
            self.idle.push(found.requester);
        }
        for (slot, root) in found.roots {
            if let Some(study) = self.studies.get_mut(&slot) {
                study.request.known = Some(root);
                study.request.early = 0;
            }
        }
    }
}

struct Exchange {
    target: Arc<Target>,
    inward: Arc<Inward>,
    order: Arc<Mutex<()>>,
    purpose: Purpose,
}

impl Exchange {
    async fn run(mut self, requester: Option<Requester>, body: Bytes) -> io::Result<Found> {
        let (mut requester, response) = self.send(requester, body).await?;
        if response.status() != StatusCode::OK {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                alloc::format!("a proxy or the source answered {}", response.status()),
            ));
        }
        let mut body = response.into_body();
        let mut held: Vec<u8> = Vec::new();
        let mut opened = false;
        let mut roots = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(io::Error::other)?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            held.extend_from_slice(data);
            if !opened {
                let Some(start) = held.get(..PREFACE.len()) else {
                    continue;
                };
                if start != PREFACE {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                opened = true;
                if self.purpose.greets() {
                    self.deliver(&PREFACE).await?;
                }
                held.drain(..PREFACE.len());
            }
            self.frames(&mut held, &mut roots).await?;
            if held.len() > HELD_BYTES_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        let owed = match &self.purpose {
            Purpose::Chunks(counts) => counts.values().any(|(_, count)| *count > 0),
            _ => false,
        };
        if owed || !opened || !held.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if requester.is_closed() {
            // Nothing is lost: the next exchange makes a new one.
            if let Some(shared) = requester.share() {
                requester = shared;
            }
        }
        Ok(Found {
            requester,
            roots,
            chunks: matches!(self.purpose, Purpose::Chunks(_)),
            greeted: self.purpose.greets(),
        })
    }

    /// A connection that stood idle may have been closed by the other side: then once more on a new one.
    async fn send(
        &self,
        requester: Option<Requester>,
        body: Bytes,
    ) -> io::Result<(Requester, hyper::Response<hyper::body::Incoming>)> {
        if let Some(mut requester) = requester.filter(|it| !it.is_closed()) {
            let request = self.target.request(body.clone())?;
            if let Ok(response) = requester.send(request).await {
                return Ok((requester, response));
            }
        }
        let mut requester = self.target.open().await?;
        let request = self.target.request(body)?;
        let response = requester.send(request).await.map_err(io::Error::other)?;
        Ok((requester, response))
    }

    /// Passes whole frames on, all but those that only repeat how the exchange was opened.
    async fn frames(
        &mut self,
        held: &mut Vec<u8>,
        roots: &mut Vec<(u16, Digest)>,
    ) -> io::Result<()> {
        let (mut at, mut kept) = (0, Vec::new());
        while let Some((border, frame)) = next_frame(held.get(at..).unwrap_or(&[])) {
            at = at.saturating_add(frame.len());
            if self.passes(border, frame, roots, &mut kept)? {
                kept.extend_from_slice(frame);
            }
        }
        held.drain(..at);
        if kept.is_empty() {
            return Ok(());
        }
        self.deliver(&kept).await
    }

    fn passes(
        &mut self,
        border: Border,
        frame: &[u8],
        roots: &mut Vec<(u16, Digest)>,
        instead: &mut Vec<u8>,
    ) -> io::Result<bool> {
        let slot = border.slot();
        if border.is_hello() {
            return Ok(self.purpose.greets());
        }
        if border.is_offer() {
            let offer = read_one(frame)?;
            let Frame::Offer { offer, .. } = offer else {
                return Err(io::ErrorKind::InvalidData.into());
            };
            return Ok(match &mut self.purpose {
                Purpose::Request | Purpose::Opening => {
                    roots.push((slot, offer.root));
                    true
                }
                Purpose::Chunks(counts) => {
                    let expected = counts.get_mut(&slot);
                    if let Some((root, count)) = expected {
                        if *root != offer.root {
                            // Another state of the study: this one is not to be had any more.
                            *count = 0;
                            let report = Report::new(ErrorCode::StudyChanged);
                            instead.extend_from_slice(
                                &encode(&Frame::Error { slot, report }).to_vec(),
                            );
                        }
                    }
                    false
                }
                _ => false,
            });
        }
        if let Purpose::Chunks(counts) = &mut self.purpose {
            if let Some((_, count)) = counts.get_mut(&slot) {
                if border.is_data() {
                    *count = count.saturating_sub(1);
                }
                if border.is_error() {
                    *count = 0;
                }
            } else if border.is_error() && slot == NO_SLOT {
                counts.clear();
            }
        }
        Ok(true)
    }

    /// Hands whole frames to the receiver, none between those of one call.
    async fn deliver(&self, mut bytes: &[u8]) -> io::Result<()> {
        let _mine = self.order.lock().await;
        while !bytes.is_empty() {
            let Some(mut buffer) = poll_fn(|context| self.inward.poll_buffer(context)).await else {
                return Err(io::ErrorKind::ConnectionAborted.into());
            };
            let filled = buffer.len().min(bytes.len());
            let (now, rest) = bytes.split_at_checked(filled).unwrap_or((bytes, &[]));
            if let Some(room) = buffer.get_mut(..filled) {
                room.copy_from_slice(now);
            }
            self.inward.deliver(buffer, filled);
            bytes = rest;
        }
        Ok(())
    }
}

fn next_frame(bytes: &[u8]) -> Option<(Border, &[u8])> {
    let border = Border::of(bytes)?;
    Some((border, border.frame_of(bytes)?))
}

/// The only frame of these bytes.
fn read_one(frame: &[u8]) -> io::Result<Frame> {
    let mut reader = FrameReader::new();
    let bytes = [&PREFACE[..], frame].concat();
    let read = reader.next(&mut &bytes[..]).map_err(io::Error::other)?;
    read.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

const _: () = assert!(HELD_BYTES_MAX > LEAVES_BYTES_MAX + HEADER_BYTES);
