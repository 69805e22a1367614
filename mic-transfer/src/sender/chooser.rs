//! When a source codes: while more of its studies gets away coded than raw.

use core::time::Duration;

use crate::Instant;
use crate::limits::CHUNK_BYTES;

#[cfg(test)]
mod tests;

/// Bytes of chunks over which a pace is measured: two chunks of each of four connections.
const SLOT_BYTES: u64 = 8 * CHUNK_BYTES as u64;
/// At first, and after the change to raw chunks, those that sockets and the line may swallow before a write waits.
const FILL_BYTES: u64 = 32 * CHUNK_BYTES as u64;
/// After the change to coded chunks, those that were under way.
const UNDER_WAY_BYTES: u64 = 4 * CHUNK_BYTES as u64;
/// Writing is not waiting up to this rate: memory is copied to a socket at several times the rate of any
/// line this is for (bytes a second).
const COPY_RATE: u64 = 1_000_000_000;
/// After a longer pause of all connections nothing was wanted; a shorter one may be a round trip.
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// The least time between two measurements of the other way, twice as long after each.
const TRIAL_EVERY_MIN: Duration = Duration::from_millis(50);
/// Where that ends.
const TRIAL_EVERY_MAX: Duration = Duration::from_secs(8);
/// A measurement of the other way takes about this part of the time at most.
const TRIAL_PART: u32 = 32;
/// A slot takes at least so many times the longest that nothing was asked for.
const TURNS: u32 = 3;
/// A share is counted in parts of this.
const WHOLE: u64 = 1024;
/// Coded forms of a greater share of their chunks are not worth the work.
const SHARE_MAX: u64 = WHOLE - WHOLE / 16;
/// Where they are not, one chunk in so many is coded to see whether that has changed.
const TASTE_EVERY: u32 = 16;

/// One chunk that a connection has sent, by the one clock of all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what a caller measures")]
pub struct ChunkSent {
    /// Bytes of the chunk.
    pub plain: u64,
    /// Bytes that were written for it.
    pub written: u64,
    /// Whether it was given to the encoder, or kept in a coded form, whatever came of it.
    pub tried: bool,
    /// When the connection had sent the chunk before; `began` for its first one.
    pub free: Instant,
    /// When it was asked for.
    pub began: Instant,
    /// When it was read, coded and could be written.
    pub ready: Instant,
    /// When it was written.
    pub ended: Instant,
}

impl ChunkSent {
    /// How long the line would take no more.
    fn blocked(&self) -> Duration {
        let copy = self.written.saturating_mul(1_000_000_000) / COPY_RATE;
        self.ended
            .saturating_sub(self.ready)
            .saturating_sub(Duration::from_nanos(copy))
    }

    /// How long nothing was asked for.
    fn idle(&self) -> Duration {
        self.began.saturating_sub(self.free).min(PAUSE_MAX)
    }

    fn all(&self) -> Duration {
        let busy = self.ended.saturating_sub(self.began);
        busy.saturating_add(self.idle())
    }

    fn is_mostly_waiting(&self) -> bool {
        self.blocked().saturating_add(self.idle()) > self.all() / 2
    }
}

/// Says whether to code the next chunk; one for all connections of a source to one receiver.
///
/// It takes the pace at which chunks get away over all connections, waits included, raw and coded, and holds to
/// the faster way. It begins coded: on a slow line, in a slow start and while the receiver asks for little, the
/// processor has nothing better to do. Where writes wait the line is the limit, and coded chunks, being
/// shorter, are faster without more ado. Where they do not, raw chunks are measured now and then, for a 32nd
/// of the time; and coded ones while chunks go raw over a line that is waited for. Chunks that do not get shorter are
/// sent raw, whatever the line.
///
/// No clock, no randomness: the same measurements give the same answers.
///
/// ```
/// use core::time::Duration;
/// use mic_transfer::sender::{ChunkSent, Chooser};
/// let mut chooser = Chooser::new();
/// assert!(chooser.codes());
/// // JPEG does not get shorter.
/// let ms = Duration::from_millis;
/// let (free, began, ready, ended) = (ms(0), ms(0), ms(1), ms(2));
/// chooser.sent(&ChunkSent { plain: 262_144, written: 262_159, tried: true, free, began, ready, ended });
/// assert!(!chooser.codes());
/// ```
#[derive(Debug, Clone)]
pub struct Chooser {
    coding: bool,
    /// The other way is being measured.
    on_trial: bool,
    slot: Slot,
    /// Bytes to pass before a slot begins.
    settling: u64,
    /// The last change of way, and bytes since.
    turned_at: Instant,
    turned_bytes: u64,
    /// The end of the last pause.
    woke_at: Instant,
    /// The longest time of late that nothing was asked for on a connection: credit comes in turns.
    turn: Duration,
    /// The latest end of a chunk.
    latest: Option<Instant>,
    /// Nanoseconds for 2^20 bytes of chunks where coding is the limit, and for as many on the line.
    coder: Option<u64>,
    line: Option<u64>,
    /// What coded forms are of their chunks, in parts of `WHOLE`.
    share: Option<u64>,
    /// Raw chunks since one was coded.
    untried: u32,
    /// The end of the last trial.
    tried_at: Instant,
    trial_every: Duration,
    /// How long the last one took.
    trial_took: Duration,
    /// It changed the way: the line may have become faster meanwhile, so the way left is measured again soon.
    doubtful: bool,
}

impl Default for Chooser {
    fn default() -> Self {
        Self::new()
    }
}

impl Chooser {
    /// Nothing measured: coded until raw is seen to be faster.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            coding: true,
            on_trial: false,
            slot: Slot::at(Duration::ZERO),
            settling: FILL_BYTES,
            turned_at: Duration::ZERO,
            turned_bytes: 0,
            woke_at: Duration::ZERO,
            turn: Duration::ZERO,
            latest: None,
            coder: None,
            line: None,
            share: None,
            untried: 0,
            tried_at: Duration::ZERO,
            trial_every: TRIAL_EVERY_MIN,
            trial_took: Duration::ZERO,
            doubtful: false,
        }
    }

    /// Whether the next chunk, on whichever connection, is to be coded.
    #[must_use]
    pub const fn codes(&self) -> bool {
        if self.is_poor() {
            self.untried >= TASTE_EVERY
        } else {
            self.is_way_coded()
        }
    }

    /// The way of the moment, for chunks that get shorter.
    const fn is_way_coded(&self) -> bool {
        self.coding != self.on_trial
    }

    /// A chunk was sent.
    pub fn sent(&mut self, chunk: &ChunkSent) {
        self.taste(chunk);
        self.wake(chunk);
        let mut chunk = *chunk;
        chunk.free = chunk.free.max(self.woke_at);
        self.turn = self.turn.max(chunk.idle());
        self.turned_bytes = self.turned_bytes.saturating_add(chunk.plain);
        let now = chunk.ended;
        if self.on_trial && self.is_lost(now) {
            let took = now.saturating_sub(self.turned_at);
            let known = if self.coding {
                &mut self.line
            } else {
                &mut self.coder
            };
            *known = Some(pace(self.turned_bytes, took));
            return self.end_trial(now);
        }
        if self.settling > 0 {
            return self.settle(&chunk);
        }
        self.slot.add(&chunk);
        let took = now.saturating_sub(self.slot.began);
        if self.slot.plain >= SLOT_BYTES && took >= self.turn * TURNS {
            let slot = core::mem::replace(&mut self.slot, Slot::at(now));
            self.turn /= 2;
            self.learn(&slot, now);
        }
    }

    /// After a pause the time before says nothing; what is known stays.
    fn wake(&mut self, chunk: &ChunkSent) {
        let latest = self.latest;
        self.latest = latest.max(Some(chunk.ended));
        if latest.is_some_and(|latest| chunk.began <= latest.saturating_add(PAUSE_MAX)) {
            return;
        }
        self.woke_at = chunk.began;
        self.tried_at = self.tried_at.max(chunk.began);
        self.turn = Duration::ZERO;
        self.change(chunk.began, |chooser| chooser.on_trial = false);
        self.slot = Slot::at(chunk.began);
    }

    /// Whether a trial has taken longer already than the way held to would have.
    fn is_lost(&self, now: Instant) -> bool {
        let (known, settling) = if self.coding {
            (self.coder, FILL_BYTES)
        } else {
            (self.line, UNDER_WAY_BYTES)
        };
        let bytes = u128::from(settling + SLOT_BYTES);
        let all = (bytes * u128::from(known.unwrap_or(u64::MAX))) >> 20;
        let took = now.saturating_sub(self.turned_at);
        took.as_nanos() > all + all / 4 && took >= self.turn * TURNS
    }

    fn end_trial(&mut self, now: Instant) {
        self.tried_at = now;
        self.trial_took = now.saturating_sub(self.turned_at);
        self.trial_every = (self.trial_every * 2).min(TRIAL_EVERY_MAX);
        self.change(now, |chooser| {
            let before = chooser.coding;
            chooser.on_trial = false;
            chooser.decide();
            chooser.doubtful = chooser.coding != before && !chooser.doubtful;
        });
    }

    /// Does what may change the way.
    fn change(&mut self, now: Instant, what: impl FnOnce(&mut Self)) {
        let before = self.is_way_coded();
        what(self);
        if before != self.is_way_coded() {
            self.turned_at = now;
            self.turned_bytes = 0;
            self.settling = if before { FILL_BYTES } else { UNDER_WAY_BYTES };
        }
    }

    /// Whether coded forms are hardly shorter than their chunks.
    const fn is_poor(&self) -> bool {
        matches!(self.share, Some(share) if share > SHARE_MAX)
    }

    fn taste(&mut self, chunk: &ChunkSent) {
        if chunk.tried {
            self.untried = 0;
            let share = chunk.written.saturating_mul(WHOLE) / chunk.plain.max(1);
            average(&mut self.share, share.min(WHOLE));
        } else {
            self.untried = self.untried.saturating_add(1);
        }
    }

    /// Passes over what the change of way has brought about: chunks under way, buffers that fill.
    fn settle(&mut self, chunk: &ChunkSent) {
        let full = chunk.free >= self.turned_at && chunk.is_mostly_waiting();
        self.settling = if full {
            0
        } else {
            self.settling.saturating_sub(chunk.plain)
        };
        self.slot = Slot::at(chunk.ended);
    }

    fn learn(&mut self, slot: &Slot, now: Instant) {
        let took = now.saturating_sub(slot.began);
        let (plain, written) = (pace(slot.plain, took), pace(slot.written, took));
        match slot.is_coded() {
            Some(true) if slot.is_blocked() => {
                average(&mut self.line, written);
                // The encoder could have done more.
                self.coder = self.coder.map(|coder| coder.min(plain));
            }
            Some(true) => {
                renew(&mut self.coder, plain, self.on_trial);
                // The line did this at the least.
                self.line = self.line.map(|line| line.min(written));
            }
            Some(false) => renew(&mut self.line, written, self.on_trial),
            None if self.on_trial => return self.end_trial(now),
            None => return,
        }
        if self.on_trial {
            return self.end_trial(now);
        }
        self.change(now, |chooser| {
            let before = chooser.coding;
            // Coded chunks show of the line only what it does at the least.
            if !before {
                chooser.decide();
            }
            chooser.on_trial = chooser.coding == before && chooser.is_trial_due(slot, now);
        });
    }

    /// Raw is taken where it is faster by an eighth, and left where it is not by a sixteenth: for a round trip
    /// after a change the credit that comes is still that of the way left, and a tie must not keep chunks raw.
    fn decide(&mut self) {
        let (Some(coder), Some(line)) = (self.coder, self.line) else {
            return;
        };
        let share = self.share.unwrap_or(WHOLE);
        let coded = coder.max(line.saturating_mul(share) / WHOLE);
        if line < coded - coded / 8 {
            self.coding = false;
        } else if line > coded - coded / 16 {
            self.coding = true;
        }
    }

    fn is_trial_due(&self, slot: &Slot, now: Instant) -> bool {
        let waits = slot.is_waiting();
        if self.is_poor() || (!self.coding && !waits) {
            return false;
        }
        // The line has always been the limit: raw can't be faster.
        if self.coding && self.coder.is_none() {
            return false;
        }
        let other = if self.coding { self.line } else { self.coder };
        if other.is_none() && !waits {
            return true;
        }
        // Filling and measuring, each a slot at the least.
        let cost = other.unwrap_or(0).saturating_mul(2 * SLOT_BYTES) >> 20;
        let cost = self.trial_took.max(Duration::from_nanos(cost));
        let rest = if self.doubtful {
            self.trial_took.max(TRIAL_EVERY_MIN)
        } else {
            cost.saturating_mul(TRIAL_PART).max(self.trial_every)
        };
        now >= self.tried_at.saturating_add(rest)
    }
}

/// What was sent over all connections since `began`.
#[derive(Debug, Clone)]
struct Slot {
    began: Instant,
    plain: u64,
    written: u64,
    /// Bytes of chunks that were given to the encoder.
    tried: u64,
    /// Time of all connections together.
    all: Duration,
    blocked: Duration,
    idle: Duration,
}

impl Slot {
    const fn at(began: Instant) -> Self {
        Self {
            began,
            plain: 0,
            written: 0,
            tried: 0,
            all: Duration::ZERO,
            blocked: Duration::ZERO,
            idle: Duration::ZERO,
        }
    }

    fn add(&mut self, chunk: &ChunkSent) {
        self.plain = self.plain.saturating_add(chunk.plain);
        self.written = self.written.saturating_add(chunk.written);
        if chunk.tried {
            self.tried = self.tried.saturating_add(chunk.plain);
        }
        self.all = self.all.saturating_add(chunk.all());
        self.blocked = self.blocked.saturating_add(chunk.blocked());
        self.idle = self.idle.saturating_add(chunk.idle());
    }

    /// Which way its chunks went; `None` where they went both.
    const fn is_coded(&self) -> Option<bool> {
        let quarter = self.plain / 4;
        if self.tried >= self.plain - quarter {
            Some(true)
        } else if self.tried <= quarter {
            Some(false)
        } else {
            None
        }
    }

    /// Whether the line was the limit.
    fn is_blocked(&self) -> bool {
        self.blocked >= self.all / 2
    }

    /// Whether the processor had time to spare.
    fn is_waiting(&self) -> bool {
        self.blocked.saturating_add(self.idle) >= self.all / 4
    }
}

/// Nanoseconds for 2^20 bytes.
fn pace(bytes: u64, took: Duration) -> u64 {
    let nanos = took.as_nanos().saturating_mul(1 << 20) / u128::from(bytes.max(1));
    u64::try_from(nanos).unwrap_or(u64::MAX).max(1)
}

/// What a trial finds takes the place of what was known before; else it is averaged.
fn renew(known: &mut Option<u64>, sample: u64, on_trial: bool) {
    if on_trial {
        *known = Some(sample);
    } else {
        average(known, sample);
    }
}

/// The mean of about the last four samples.
fn average(known: &mut Option<u64>, sample: u64) {
    let mean = known.map_or(sample, |known| known - known / 4 + sample / 4);
    *known = Some(mean.max(1));
}
