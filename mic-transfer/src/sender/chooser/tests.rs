//! Made lines: what a chooser gets away over them, beside what one way alone would.

use alloc::collections::{BinaryHeap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::*;

const CHUNK: u64 = CHUNK_BYTES as u64;
const NO_LIMIT: u64 = u64::MAX;
const MBIT: u64 = 125_000;
/// Reading and copying a chunk that goes raw.
const COPIES: u64 = 3_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Raw,
    Coded,
    Chosen,
}

/// A source, its line and what the receiver asks for.
#[derive(Debug, Clone)]
struct Lab {
    connections: usize,
    cores: usize,
    /// Bytes a second.
    rate: u64,
    encoder: u64,
    /// Hundredths that a coded form is of its chunk.
    share: u64,
    /// Bytes that a connection takes before a write waits.
    buffer: u64,
    trip: Duration,
    /// Bytes of chunks that a connection may owe.
    window: u64,
    /// How long the line takes to reach its rate, from a tenth of it.
    start: Duration,
}

impl Lab {
    /// Four connections of a source with two processors, CT, 10 ms.
    const fn new(rate: u64) -> Self {
        Self {
            connections: 4,
            cores: 2,
            rate,
            encoder: 450_000_000,
            share: 27,
            buffer: 384 * 1024,
            trip: Duration::from_millis(10),
            window: 4 * 1024 * 1024,
            start: Duration::ZERO,
        }
    }

    /// Bytes of chunks a second that get away within a time from now on.
    fn run(&self, world: &mut World, way: Way, seconds: u64) -> u64 {
        let end = world.now + Duration::from_secs(seconds);
        world.began = world.now;
        world.links = vec![Link::default(); self.connections];
        world.cores = vec![world.now; self.cores];
        let (mut events, mut away) = (BinaryHeap::new(), 0);
        for at in 0..self.connections {
            if let Some(link) = world.links.get_mut(at) {
                link.chunk = made(world.now);
            }
            events.push(Reverse((world.now, at)));
        }
        while let Some(Reverse((now, at))) = events.pop() {
            if now > end {
                break;
            }
            world.now = now;
            let (next, left) = self.step(world, way, at);
            away += left;
            events.push(Reverse((next, at)));
        }
        world.now = end;
        away / seconds
    }

    /// One step of a connection: when its next one is, and bytes of chunks that got away.
    fn step(&self, world: &mut World, way: Way, at: usize) -> (Instant, u64) {
        let now = world.now;
        let link = &mut world.links[at];
        match link.next {
            Next::Ask => {
                while link.owed.front().is_some_and(|back| *back <= now) {
                    link.owed.pop_front();
                }
                if link.owed.len() as u64 * CHUNK >= self.window {
                    return (link.owed[0], 0);
                }
                let codes = match way {
                    Way::Raw => false,
                    Way::Coded => true,
                    Way::Chosen => world.chooser.codes(),
                };
                let work = time(CHUNK, if codes { self.encoder } else { COPIES });
                let core = world.cores.iter_mut().min().unwrap();
                *core = now.max(*core) + work;
                link.chunk.began = now;
                link.chunk.tried = codes;
                link.chunk.written = if codes {
                    CHUNK * self.share / 100
                } else {
                    CHUNK
                };
                link.next = Next::Write;
                (*core, 0)
            }
            Next::Write => {
                let bytes = link.chunk.written;
                world.drained = world.drained.max(now);
                let rate = self.rate_at(world.drained - world.began);
                world.drained += time(bytes, rate);
                link.queue.push_back((world.drained, bytes));
                link.owed.push_back(world.drained + self.trip);
                let mut waiting: u64 = link.queue.iter().map(|(_, bytes)| bytes).sum();
                let mut ended = now + time(bytes, 4_000_000_000);
                while waiting > self.buffer || link.queue.front().is_some_and(|it| it.0 <= ended) {
                    let (drained, bytes) = link.queue.pop_front().unwrap();
                    ended = ended.max(drained);
                    waiting -= bytes;
                }
                link.chunk.ready = now;
                link.next = Next::Tell;
                (ended, 0)
            }
            Next::Tell => {
                link.chunk.ended = now;
                world.chooser.sent(&link.chunk);
                link.chunk = made(now);
                link.next = Next::Ask;
                (now, CHUNK)
            }
        }
    }

    fn rate_at(&self, age: Duration) -> u64 {
        let whole = self.start.as_millis().max(1) as u64;
        let part = (whole / 10 + age.as_millis() as u64).min(whole).max(1);
        self.rate / whole * part
    }

    /// A chooser does at least so many hundredths of what the better way does.
    fn check(&self, chooser: &Chooser, seconds: u64, hundredths: u64) -> World {
        let ways = [Way::Raw, Way::Coded];
        let alone = ways.map(|way| self.run(&mut World::new(chooser.clone()), way, seconds));
        let best = alone.into_iter().max().unwrap();
        let mut world = World::new(chooser.clone());
        let found = self.run(&mut world, Way::Chosen, seconds);
        assert!(
            found * 100 >= best * hundredths,
            "{found} chosen, {alone:?} raw and coded: {self:?}"
        );
        world
    }
}

#[derive(Debug)]
struct World {
    chooser: Chooser,
    began: Instant,
    now: Instant,
    cores: Vec<Instant>,
    drained: Instant,
    links: Vec<Link>,
}

impl World {
    fn new(chooser: Chooser) -> Self {
        let now = chooser.latest.unwrap_or_default();
        Self {
            chooser,
            began: now,
            now,
            cores: Vec::new(),
            drained: now,
            links: Vec::new(),
        }
    }
}

#[derive(Debug, Clone)]
struct Link {
    next: Next,
    chunk: ChunkSent,
    /// When each of them has left, and its bytes.
    queue: VecDeque<(Instant, u64)>,
    /// When the receiver asks for the next one in place of each.
    owed: VecDeque<Instant>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            next: Next::Ask,
            chunk: made(Duration::ZERO),
            queue: VecDeque::new(),
            owed: VecDeque::new(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Ask,
    Write,
    Tell,
}

const fn made(free: Instant) -> ChunkSent {
    ChunkSent {
        plain: CHUNK,
        written: 0,
        tried: false,
        free,
        began: free,
        ready: free,
        ended: free,
    }
}

fn time(bytes: u64, rate: u64) -> Duration {
    Duration::from_nanos(bytes * 1_000_000_000 / rate)
}

#[test]
fn ok_on_lines_of_every_rate_it_does_as_well_as_the_better_way() {
    for rate in [10, 100, 300, 1000, 2500, 10_000, 40_000] {
        for connections in [1, 4] {
            let mut lab = Lab::new(rate * MBIT);
            lab.connections = connections;
            lab.check(&Chooser::new(), 2, 88);
            lab.check(&Chooser::new(), 20, 93);
        }
    }
}

#[test]
fn ok_a_slow_start_is_not_taken_for_the_line() {
    for rate in [30, 100, 300, 1000, 2500] {
        for start in [50, 100, 200, 400, 800] {
            let mut lab = Lab::new(rate * MBIT);
            lab.start = Duration::from_millis(start);
            lab.check(&Chooser::new(), 2, 80);
            lab.check(&Chooser::new(), 10, 92);
        }
    }
}

#[test]
fn ok_slow_lines_are_coded_and_fast_ones_are_not() {
    for (rate, codes) in [(100, true), (1000, true), (10_000, false)] {
        let world = Lab::new(rate * MBIT).check(&Chooser::new(), 10, 93);
        assert_eq!(world.chooser.coding, codes, "{rate}");
    }
}

#[test]
fn ok_what_does_not_get_shorter_goes_raw_at_once() {
    for rate in [10, 100, 1000, 10_000] {
        let mut lab = Lab::new(rate * MBIT);
        lab.share = 100;
        let world = lab.check(&Chooser::new(), 2, 93);
        assert!(world.chooser.is_poor());
        // Pictures come: they are found within a few tastes.
        lab.share = 27;
        lab.check(&world.chooser, 20, 85);
    }
}

#[test]
fn ok_a_slow_encoder_is_left_alone() {
    let mut lab = Lab::new(1000 * MBIT);
    lab.encoder = 40_000_000;
    let world = lab.check(&Chooser::new(), 20, 90);
    assert!(!world.chooser.coding);
}

#[test]
fn ok_short_of_credit_is_coded() {
    // 150 ms with a window of 1 MiB: the line is empty most of the time.
    let mut lab = Lab::new(1000 * MBIT);
    lab.trip = Duration::from_millis(150);
    lab.window = 1024 * 1024;
    let world = lab.check(&Chooser::new(), 20, 93);
    assert!(world.chooser.coding);
}

#[test]
fn ok_a_line_that_changes_is_found_out() {
    let mut world = World::new(Chooser::new());
    for (rate, codes) in [(100, true), (10_000, false), (100, true), (40_000, false)] {
        let lab = Lab::new(rate * MBIT);
        lab.run(&mut world, Way::Chosen, 12);
        assert_eq!(world.chooser.coding, codes, "{rate}");
        world = lab.check(&world.chooser, 12, 93);
    }
}

#[test]
fn ok_the_next_connection_stands_where_the_first_stood() {
    let fast = Lab::new(10_000 * MBIT);
    let mut world = fast.check(&Chooser::new(), 5, 93);
    // An hour later.
    world.chooser.latest = world
        .chooser
        .latest
        .map(|at| at + Duration::from_secs(3600));
    assert!(!world.chooser.codes());
    fast.check(&world.chooser, 1, 95);
}

#[test]
fn ok_trials_take_a_small_part_of_the_time() {
    for rate in [10, 100, 1000, 10_000] {
        let lab = Lab::new(rate * MBIT);
        let (mut world, mut trials) = (World::new(Chooser::new()), 0);
        // Step by step, since a run forgets what is under way.
        for _ in 0..60 {
            let before = world.chooser.trial_every;
            lab.run(&mut world, Way::Chosen, 1);
            trials += u32::from(world.chooser.trial_every != before);
        }
        assert!(trials <= 12, "{rate}: {trials}");
    }
}

#[test]
fn ok_times_out_of_order_are_no_matter() {
    let mut chooser = Chooser::new();
    let times = [0, NO_LIMIT, 5, 0, NO_LIMIT / 2].map(Duration::from_nanos);
    for at in 0..5_usize.pow(4) {
        let time = |place: u32| times[at / 5_usize.pow(place) % 5];
        chooser.sent(&ChunkSent {
            plain: if at % 7 == 0 { NO_LIMIT } else { 0 },
            written: if at % 3 == 0 { NO_LIMIT } else { 1 },
            tried: at % 2 == 0,
            free: time(0),
            began: time(1),
            ready: time(2),
            ended: time(3),
        });
    }
}

/// Credit that comes for as long after a change of way is still that of the way left.
const LAG: Duration = Duration::from_millis(60);

/// One connection: rates of bytes of chunks a second, raw and coded, and tenths of the time that are work.
#[derive(Debug, Clone, Copy)]
struct Feed {
    raw: u64,
    coded: u64,
    work: u32,
}

impl Feed {
    /// Sends chunks while it holds.
    fn run(
        &self,
        chooser: &mut Chooser,
        now: &mut Instant,
        holds: impl Fn(&Chooser, Instant) -> bool,
    ) {
        while holds(chooser, *now) {
            let tried = chooser.codes();
            let free = *now;
            let lags = !chooser.turned_at.is_zero() && free < chooser.turned_at + LAG;
            let took = time(CHUNK, if tried { self.coded } else { self.raw });
            let slow = time(CHUNK, self.coded.min(self.raw));
            let began = if lags { free + slow - took } else { free };
            *now = began + took;
            chooser.sent(&ChunkSent {
                written: if tried { CHUNK / 4 } else { CHUNK },
                tried,
                began,
                ready: began + took / 10 * self.work,
                ended: *now,
                ..made(free)
            });
        }
    }
}

#[test]
fn ok_a_way_that_was_left_in_a_slow_start_is_taken_again() {
    let (mut chooser, mut now) = (Chooser::new(), Duration::ZERO);
    let slow = Feed {
        raw: 60_000_000,
        coded: 60_000_000,
        work: 6,
    };
    slow.run(&mut chooser, &mut now, |chooser, _| !chooser.on_trial);
    // The line has started: raw chunks seem better than coded ones were.
    let started = Feed {
        raw: 110_000_000,
        coded: 300_000_000,
        work: 1,
    };
    started.run(&mut chooser, &mut now, |chooser, _| chooser.on_trial);
    assert!(!chooser.coding);
    let until = now + Duration::from_millis(500);
    started.run(&mut chooser, &mut now, |_, now| now < until);
    assert!(chooser.coding);
}

#[test]
fn ok_only_raw_chunks_speak_for_raw() {
    let (mut chooser, mut now) = (Chooser::new(), Duration::ZERO);
    let all = |rate, work| Feed {
        raw: rate,
        coded: rate,
        work,
    };
    // Blocked, short of credit, then much faster: the line at its least is above what coding was seen to do.
    let until = Duration::from_millis(400);
    all(36_000_000, 1).run(&mut chooser, &mut now, |_, now| now < until);
    for (rate, millis) in [(20_000_000, 200), (320_000_000, 15)] {
        let until = now + Duration::from_millis(millis);
        all(rate, 9).run(&mut chooser, &mut now, |_, now| now < until);
        assert!(chooser.coding);
    }
}
