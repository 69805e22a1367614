//! Two endpoints, a disk that forgets, and a seeded line, in virtual time.

#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test's ways to fail and to speak"
)]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

mod frames;
mod made;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use mic_transfer::receiver::{Priority, Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput};
use mic_transfer::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use mic_transfer::storage::{CrashStyle, MemoryStorage};
use mic_transfer::store::{Store, StoreConfig};
use mic_transfer::tree::TreeBuilder;
use mic_transfer::{Auth, Digest, ErrorCode, Receipt, SessionError, Uid};

#[allow(unused_imports, reason = "each test file uses its own part")]
pub use frames::{bytes_of, frames_of};
pub use made::*;

/// What the line does to what it carries.
#[derive(Clone, Copy)]
pub struct LineConfig {
    pub latency: Duration,
    /// Bytes a second; 0 is without bound.
    pub rate: u64,
    /// One portion in so many has a bit flipped; 0 is none.
    pub corrupt: u64,
    /// One portion in so many is where the line is cut; 0 is none.
    pub cut: u64,
    /// The largest portion delivered at once.
    pub portion: u64,
    /// One portion in so many comes after the next one; 0 is none.
    pub reorder: u64,
    /// One portion in so many comes twice; 0 is none.
    pub duplicate: u64,
    /// Bytes that a source's socket holds before it takes no more; 0 is without bound.
    pub queue: u64,
    /// One reading of a source in so many fails; 0 is none.
    pub unreadable: u64,
}

impl Default for LineConfig {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(1),
            rate: 0,
            corrupt: 0,
            cut: 0,
            portion: 60_000,
            reorder: 0,
            duplicate: 0,
            queue: 0,
            unreadable: 0,
        }
    }
}

/// One direction: bytes with the time of their arrival.
#[derive(Default)]
struct Pipe {
    flying: VecDeque<(Duration, Vec<u8>)>,
    free_at: Duration,
    pub carried: u64,
}

struct Line {
    sender: Sender,
    up: Pipe,
    down: Pipe,
    up_closed: bool,
    down_closed: bool,
    /// Bytes of each direction after which the line is cut.
    pub cut_up: Option<u64>,
    pub cut_down: Option<u64>,
    /// Studies that this source does not have.
    pub lacks: BTreeSet<Uid>,
    /// Bytes a second of this line alone.
    rate: Option<u64>,
}

impl Line {
    fn is_busy(&self) -> bool {
        !self.up.flying.is_empty() || !self.down.flying.is_empty()
    }

    fn config(&self, all: LineConfig) -> LineConfig {
        let rate = self.rate.unwrap_or(all.rate);
        LineConfig { rate, ..all }
    }
}

/// The whole: a receiver with its store, any number of lines, one archive.
pub struct World {
    pub now: Duration,
    pub archive: BTreeMap<Uid, Rc<MadeStudy>>,
    pub receiver: Receiver,
    pub store: Option<Store<MemoryStorage>>,
    lines: BTreeMap<u32, Line>,
    next_line: u32,
    pub config: LineConfig,
    pub dice: Dice,
    pub events: Vec<ReceiverEvent>,
    pub errors: Vec<SessionError>,
    /// Bytes of chunks that sources sent, all lines together.
    pub data_sent: u64,
    /// Bytes that came down, all lines together.
    pub carried_down: u64,
    pub carried_up: u64,
    /// Everything the first line carried down, as sent.
    pub record_down: Vec<u8>,
    pub record_up: Vec<u8>,
    pub receipts: Vec<Receipt>,
    /// Studies whose packs were damaged on purpose.
    pub damaged: BTreeSet<Digest>,
    pub priority: Priority,
    pub receiver_config: ReceiverConfig,
    pub sender_config: SenderConfig,
    pub accepts_first: bool,
    /// Sources code what is worth it.
    #[cfg(feature = "coding")]
    pub codes: bool,
    /// Chunks that came coded.
    pub coded: u32,
    #[cfg(feature = "coding")]
    encoder: mic_transfer::coding::Encoder,
    #[cfg(feature = "coding")]
    decoder: mic_transfer::coding::Decoder,
    decoding: Vec<mic_transfer::receiver::DecodeJob>,
    slots: BTreeMap<Uid, Vec<u16>>,
    steps: u32,
}

/// A storage that holds these studies.
pub fn storage_with(studies: &[MadeStudy]) -> MemoryStorage {
    let mut world = World::new(1, studies, MemoryStorage::new());
    world.connect();
    world.pull_all();
    assert!(world.run() && world.is_complete(), "{:?}", world.errors);
    world.store.unwrap().into_storage()
}

pub fn open(storage: MemoryStorage) -> Store<MemoryStorage> {
    Store::open(storage, small_groups()).unwrap().0
}

/// Groups so small that tests see several.
pub fn small_groups() -> StoreConfig {
    let mut config = StoreConfig::default();
    config.group_bytes = 600_000;
    config
}

impl World {
    pub fn new(seed: u64, studies: &[MadeStudy], storage: MemoryStorage) -> Self {
        // Tests that count bytes say when first images may come unasked.
        let mut receiver_config = ReceiverConfig::default();
        receiver_config.early_bytes = 0;
        // Recorded sessions are the same whatever is built.
        receiver_config.codecs = mic_transfer::wire::Codecs::raw();
        // Or a world in which nothing happens would never come to rest.
        receiver_config.keep_alive = Duration::from_secs(1 << 30);
        Self {
            now: Duration::from_secs(1),
            archive: studies
                .iter()
                .map(|study| (study.uid().clone(), Rc::new(study.clone())))
                .collect(),
            receiver: Receiver::new(receiver_config),
            store: Some(open(storage)),
            lines: BTreeMap::new(),
            next_line: 0,
            config: LineConfig::default(),
            dice: Dice::new(seed),
            events: Vec::new(),
            errors: Vec::new(),
            data_sent: 0,
            carried_down: 0,
            carried_up: 0,
            record_down: Vec::new(),
            record_up: Vec::new(),
            receipts: Vec::new(),
            damaged: BTreeSet::new(),
            priority: Priority::Waiting,
            receiver_config,
            sender_config: SenderConfig::default(),
            accepts_first: true,
            #[cfg(feature = "coding")]
            codes: false,
            coded: 0,
            #[cfg(feature = "coding")]
            encoder: mic_transfer::coding::Encoder::new(),
            #[cfg(feature = "coding")]
            decoder: mic_transfer::coding::Decoder::new(),
            decoding: Vec::new(),
            slots: BTreeMap::new(),
            steps: 0,
        }
    }

    /// Bytes of first images that may come before they are wanted.
    pub fn early(&mut self, bytes: u32) {
        self.receiver_config.early_bytes = bytes;
        self.receiver = Receiver::new(self.receiver_config);
    }

    pub fn store(&mut self) -> &mut Store<MemoryStorage> {
        self.store.as_mut().unwrap()
    }

    pub fn connect(&mut self) -> u32 {
        let id = self.next_line;
        self.next_line += 1;
        let sender = Sender::new(self.sender_config, self.now);
        let line = Line {
            sender,
            up: Pipe::default(),
            down: Pipe::default(),
            up_closed: false,
            down_closed: false,
            cut_up: None,
            cut_down: None,
            lacks: BTreeSet::new(),
            rate: None,
        };
        self.lines.insert(id, line);
        self.receiver.connect(id, Auth::none(), self.now);
        id
    }

    /// The source of a line does not have this study.
    pub fn lacks(&mut self, id: u32, study: &Uid) {
        self.lines.get_mut(&id).unwrap().lacks.insert(study.clone());
    }

    /// A line of its own speed, in bytes a second.
    pub fn rate_of(&mut self, id: u32, rate: u64) {
        self.lines.get_mut(&id).unwrap().rate = Some(rate);
    }

    pub fn cut_after(&mut self, id: u32, up: Option<u64>, down: Option<u64>) {
        let line = self.lines.get_mut(&id).unwrap();
        line.cut_up = up;
        line.cut_down = down;
    }

    pub fn states(&self) -> Vec<(u16, mic_transfer::receiver::StudyState)> {
        let slots = self.slots.values().flatten();
        let state = |slot: &u16| Some((*slot, self.receiver.state(*slot)?));
        slots.filter_map(state).collect()
    }

    /// Pulls those again that ended without being complete.
    pub fn pull_failed(&mut self) {
        let complete = self.store().complete();
        let studies: Vec<Uid> = self.archive.keys().cloned().collect();
        for study in studies {
            let listed = complete
                .iter()
                .any(|known| known.signed().manifest().study() == &study);
            let slots = self.slots.get(&study).cloned().unwrap_or_default();
            let over = slots.iter().all(|slot| {
                self.receiver
                    .state(*slot)
                    .is_none_or(mic_transfer::receiver::StudyState::is_over)
            });
            if over && !listed {
                self.pull_one(study);
            }
        }
    }

    fn pull_one(&mut self, study: Uid) -> u16 {
        let known = self
            .store()
            .known(&study)
            .last()
            .map(|known| (*known).clone());
        let now = self.now;
        let slot = self
            .receiver
            .pull(study.clone(), Auth::none(), self.priority, known, now)
            .unwrap();
        self.slots.entry(study).or_default().push(slot);
        slot
    }

    pub fn pull_all(&mut self) -> Vec<u16> {
        let studies: Vec<Uid> = self.archive.keys().cloned().collect();
        studies
            .into_iter()
            .map(|study| self.pull_one(study))
            .collect()
    }

    /// The process or the power ends; the store is opened again on what is left.
    pub fn crash(&mut self, style: CrashStyle) {
        let mut storage = self.store.take().unwrap().into_storage();
        storage.crash(style);
        self.store = Some(open(storage));
        self.receiver = Receiver::new(self.receiver_config);
        self.slots.clear();
        self.lines.clear();
        self.decoding.clear();
        self.check_visible();
    }

    /// Whatever can be read is right; whatever is listed is whole (XFR-1, XFR-2).
    pub fn check_visible(&mut self) {
        let archive: Vec<Rc<MadeStudy>> = self.archive.values().cloned().collect();
        for study in archive {
            for (instance, file) in study.signed.manifest().instances().iter().zip(&study.files) {
                if self.store().locate(instance.digest()).is_some() {
                    let mut bytes = vec![0; file.len()];
                    self.store()
                        .read_instance(instance.digest(), 0, &mut bytes)
                        .unwrap();
                    assert!(bytes == *file, "a wrong byte is visible");
                }
            }
        }
        let complete = self.store().complete();
        let damaged = self.damaged.clone();
        for study in complete
            .iter()
            .filter(|study| !damaged.contains(study.root()))
        {
            let verified = self.store().verify(study.root()).unwrap();
            assert!(
                verified.wrong.is_empty(),
                "a listed study is not whole: {verified:?}"
            );
        }
    }

    pub fn is_complete(&mut self) -> bool {
        let roots: Vec<Digest> = self.archive.values().map(|study| study.root()).collect();
        let complete = self.store().complete();
        roots
            .iter()
            .all(|root| complete.iter().any(|study| study.root() == root))
    }

    /// Changes a bit of a pack, as a disk does that wears out.
    pub fn damage(&mut self, root: &Digest, at: u64) {
        self.damaged.insert(*root);
        let path = format!("complete/{root}/pack");
        self.store().storage_mut().flip_bit(&path, at).unwrap();
    }

    /// Runs until nothing more happens. Says whether the receiver is done.
    pub fn run(&mut self) -> bool {
        for _ in 0..1_000_000 {
            self.drain();
            if self.receiver.is_idle() || !self.advance() {
                self.drain();
                return self.receiver.is_idle();
            }
        }
        panic!("the two sides never come to rest");
    }

    /// Lets what is still on the lines arrive: a WANT sent before a study failed is answered until CANCEL is there.
    pub fn let_lines_fall_silent(&mut self) {
        self.drain();
        while self.lines.values().any(Line::is_busy) && self.advance() {
            self.drain();
        }
    }

    /// One arrival or timer.
    pub fn step(&mut self) {
        self.drain();
        self.steps += 1;
        assert!(self.steps < 300_000, "what is waited for does not come");
        assert!(
            self.receiver.is_idle() || self.advance(),
            "nothing more happens"
        );
    }

    /// Runs, connecting again while lines are lost, at most so many times.
    pub fn run_to_the_end(&mut self, attempts: usize) -> bool {
        for _ in 0..attempts {
            if self.run() {
                return true;
            }
            if self.receiver.connections() == 0 {
                self.connect();
            }
        }
        self.run()
    }

    /// Does all that can be done without the clock.
    pub fn drain(&mut self) {
        loop {
            let mut busy = false;
            loop {
                match self.receiver.poll_output() {
                    ReceiverOutput::Wait(_) => break,
                    output => self.receiver_output(output),
                }
                busy = true;
            }
            let ids: Vec<u32> = self.lines.keys().copied().collect();
            for id in ids {
                busy |= self.drain_sender(id);
            }
            busy |= self.decode_one();
            if !busy {
                return;
            }
        }
    }

    /// Decodes one of the chunks that wait, any of them: threads end in any order.
    #[cfg(feature = "coding")]
    fn decode_one(&mut self) -> bool {
        if self.decoding.is_empty() {
            return false;
        }
        let at = self.dice.below(self.decoding.len() as u64) as usize;
        let job = self.decoding.swap_remove(at);
        let decoded = job.run(&mut self.decoder, Vec::new());
        let now = self.now;
        self.receiver.handle_decoded(decoded, now);
        true
    }

    #[cfg(not(feature = "coding"))]
    fn decode_one(&mut self) -> bool {
        assert!(self.decoding.is_empty(), "nothing coded is taken");
        false
    }

    fn receiver_output(&mut self, output: ReceiverOutput) {
        match output {
            ReceiverOutput::Send(id, packet) => {
                let bytes = packet.to_vec();
                if id == 0 {
                    self.record_up.extend_from_slice(&bytes);
                }
                if let Some(line) = self.lines.get_mut(&id) {
                    let config = line.config(self.config);
                    line.up.put(bytes, self.now, &config);
                }
            }
            ReceiverOutput::Store(operation) => {
                let now = self.now;
                let result = self.store().execute(operation, now);
                self.receiver.handle_storage(result, now);
            }
            ReceiverOutput::Decode(job) => {
                self.coded += 1;
                self.decoding.push(job);
            }
            ReceiverOutput::Event(event) => self.receiver_event(event),
            ReceiverOutput::Close(id) => {
                if let Some(line) = self.lines.get_mut(&id) {
                    line.up_closed = true;
                }
            }
            _ => unreachable!(),
        }
    }

    fn receiver_event(&mut self, event: ReceiverEvent) {
        match &event {
            ReceiverEvent::Offered { slot, .. } => self.receiver.accept(*slot),
            ReceiverEvent::Announced { slot, .. } if self.accepts_first => {
                self.receiver.accept_first(*slot);
            }
            ReceiverEvent::First { digest, bytes, .. } => {
                assert!(Digest::of(bytes) == *digest, "a wrong first image is shown");
                let archive = self.archive.values();
                let mut manifests = archive.map(|study| study.signed.manifest());
                assert!(manifests.any(|known| known.position(digest).is_some()));
            }
            ReceiverEvent::Durable { slot, .. } => {
                let signed: Result<(), ()> =
                    self.receiver
                        .issue_receipt(*slot, receipt_time(), None, |_| Ok(None));
                signed.unwrap();
            }
            ReceiverEvent::Instance { digest, .. } => {
                let archive: Vec<Rc<MadeStudy>> = self.archive.values().cloned().collect();
                for study in archive {
                    let Some(at) = study.signed.manifest().position(digest) else {
                        continue;
                    };
                    let file = &study.files[at as usize];
                    let mut bytes = vec![0; file.len()];
                    let read = self.store().read_instance(digest, 0, &mut bytes);
                    // A disk that has stopped reads nothing.
                    assert!(read.is_err() || bytes == *file, "a wrong byte is visible");
                }
            }
            ReceiverEvent::Disconnected(_, Some(error)) | ReceiverEvent::Failed { error, .. } => {
                self.errors.push(error.clone());
            }
            _ => {}
        }
        self.events.push(event);
    }

    fn drain_sender(&mut self, id: u32) -> bool {
        let mut busy = false;
        loop {
            let Some(line) = self.lines.get_mut(&id) else {
                return busy;
            };
            let config = line.config(self.config);
            if line.down.is_full(self.now, &config) {
                return busy;
            }
            match line.sender.poll_output() {
                SenderOutput::Wait(_) => return busy,
                SenderOutput::Send(packet) => {
                    let bytes = packet.to_vec();
                    if id == 0 {
                        self.record_down.extend_from_slice(&bytes);
                    }
                    if !line.down_closed {
                        line.down.put(bytes, self.now, &config);
                    }
                }
                SenderOutput::Read {
                    slot,
                    instance,
                    offset,
                    length,
                } => {
                    let study = line
                        .sender
                        .manifest(slot)
                        .map(|known| &self.archive[known.study()]);
                    let unreadable = self.config.unreadable;
                    if unreadable > 0 && self.dice.below(unreadable) == 0 {
                        line.sender.handle_read(None);
                        continue;
                    }
                    let study = study.unwrap();
                    let file = &study.files[instance as usize];
                    let start = offset as usize;
                    self.data_sent += u64::from(length);
                    #[cfg(feature = "coding")]
                    if self.codes {
                        let chunk = &file[start..start + length as usize];
                        let listed = &study.signed.manifest().instances()[instance as usize];
                        let hint = listed.pixels().and_then(picture_hint);
                        let (accepts, mut coded) = (line.sender.accepts(), Vec::new());
                        let encoder = &mut self.encoder;
                        let codec =
                            encoder.encode(chunk, offset, hint.as_ref(), accepts, &mut coded);
                        if codec != mic_transfer::wire::Codec::Raw {
                            line.sender.handle_coded(codec, coded);
                            continue;
                        }
                    }
                    line.sender
                        .handle_read(Some(file[start..start + length as usize].to_vec()));
                }
                SenderOutput::Leaves { slot, instance } => {
                    let study = line
                        .sender
                        .manifest(slot)
                        .map(|known| &self.archive[known.study()]);
                    let mut tree = TreeBuilder::new();
                    tree.update(&study.unwrap().files[instance as usize]);
                    line.sender.handle_leaves(Some(tree.finish().1));
                }
                SenderOutput::Event(event) => match event {
                    SenderEvent::AuthorizeSession { .. } => line.sender.accept_session(),
                    SenderEvent::AuthorizeStudy { slot, study, .. } => {
                        let known = self.archive.get(&study);
                        match known.filter(|_| !line.lacks.contains(&study)) {
                            Some(study) => line.sender.offer(slot, study.signed.clone()),
                            None => line.sender.refuse(slot, ErrorCode::StudyUnknown, None),
                        }
                    }
                    SenderEvent::Receipt { slot, receipt, .. } => {
                        self.receipts.push(receipt.clone());
                        line.sender.countersign(slot, &receipt, None);
                    }
                    _ => {}
                },
                SenderOutput::Close(_) => line.down_closed = true,
                _ => unreachable!(),
            }
            busy = true;
        }
    }

    /// Moves the clock to the next arrival or deadline. `false` if there is none.
    fn advance(&mut self) -> bool {
        let arrival = |line: &Line| {
            let up = line.up.flying.front().map(|(at, _)| *at);
            let down = line.down.flying.front().map(|(at, _)| *at);
            up.into_iter().chain(down).min()
        };
        let closing = self.lines.iter().find(|(_, line)| {
            (line.down_closed && line.down.flying.is_empty())
                || (line.up_closed && line.up.flying.is_empty())
        });
        if let Some(id) = closing.map(|(id, _)| *id) {
            self.cut(id);
            return true;
        }
        let next = self
            .lines
            .iter()
            .filter_map(|(id, line)| Some((arrival(line)?, *id)))
            .min();
        // A full socket takes bytes again when enough of them have left.
        let config = self.config;
        let room = self
            .lines
            .values()
            .filter_map(|line| line.down.room_at(&line.config(config)));
        let room = room.filter(|at| *at > self.now).min();
        let deadline = match self.receiver.poll_output() {
            ReceiverOutput::Wait(deadline) => deadline,
            _ => unreachable!("outputs are drained"),
        };
        let store = self.store().deadline();
        let timer = deadline.into_iter().chain(store).chain(room).min();
        match (next, timer) {
            (Some((at, id)), timer) if timer.is_none_or(|timer| at <= timer) => {
                self.now = self.now.max(at);
                self.deliver(id);
            }
            (_, Some(timer)) if timer < Duration::from_secs(1 << 29) => {
                self.now = self.now.max(timer);
                let now = self.now;
                let _ = self.store().handle_time(now);
                self.receiver.handle_time(now);
            }
            _ => return false,
        }
        true
    }

    fn deliver(&mut self, id: u32) {
        let now = self.now;
        let line = self.lines.get_mut(&id).unwrap();
        let up_first = match (line.up.flying.front(), line.down.flying.front()) {
            (Some((up, _)), Some((down, _))) => up <= down,
            (up, _) => up.is_some(),
        };
        let (pipe, limit) = if up_first {
            (&mut line.up, line.cut_up)
        } else {
            (&mut line.down, line.cut_down)
        };
        if self.config.reorder > 0
            && pipe.flying.len() > 1
            && self.dice.below(self.config.reorder) == 0
        {
            pipe.flying.swap(0, 1);
        }
        let (at, mut bytes) = pipe.flying.pop_front().unwrap();
        if self.config.duplicate > 0 && self.dice.below(self.config.duplicate) == 0 {
            pipe.flying.push_front((at, bytes.clone()));
        }
        let mut cut = self.config.cut > 0 && self.dice.below(self.config.cut) == 0;
        if cut {
            bytes.truncate(self.dice.below(bytes.len() as u64) as usize);
        } else if self.config.corrupt > 0 && self.dice.below(self.config.corrupt) == 0 {
            let at = self.dice.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << self.dice.below(8);
        }
        if let Some(limit) = limit {
            let left = limit.saturating_sub(pipe.carried);
            if left <= bytes.len() as u64 {
                bytes.truncate(left as usize);
                cut = true;
            }
        }
        pipe.carried += bytes.len() as u64;
        if up_first {
            self.carried_up += bytes.len() as u64;
            line.sender.handle_bytes(&bytes, now);
        } else {
            self.carried_down += bytes.len() as u64;
            self.receiver.handle_bytes(id, &bytes, now);
        }
        if cut {
            self.cut(id);
        }
    }

    pub fn cut(&mut self, id: u32) {
        self.lines.remove(&id);
        let now = self.now;
        self.receiver.handle_disconnect(id, now);
    }
}

impl Pipe {
    /// When the socket takes bytes again.
    fn room_at(&self, config: &LineConfig) -> Option<Duration> {
        let held = (config.queue * 1_000_000_000).checked_div(config.rate)?;
        (config.queue > 0).then(|| self.free_at.saturating_sub(Duration::from_nanos(held)))
    }

    fn is_full(&self, now: Duration, config: &LineConfig) -> bool {
        self.room_at(config).is_some_and(|at| at > now)
    }

    fn put(&mut self, bytes: Vec<u8>, now: Duration, config: &LineConfig) {
        for portion in bytes.chunks(config.portion.max(1) as usize) {
            let start = self.free_at.max(now);
            let wire = (portion.len() as u64 * 1_000_000_000).checked_div(config.rate);
            self.free_at = start + Duration::from_nanos(wire.unwrap_or(0));
            self.flying
                .push_back((self.free_at + config.latency, portion.to_vec()));
        }
    }
}
