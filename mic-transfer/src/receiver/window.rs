//! How much is asked for ahead on one connection (XFR-99): what the line holds, half as much again, and a chunk.
//!
//! Whatever is on its way is lost when either side is killed, so a window wider than the line can fill costs
//! bytes and gains none. The width is found as BBR finds it: the best rate of late times the shortest delay.

use core::time::Duration;

use crate::Instant;
use crate::limits::CHUNK_BYTES;

/// The least window of all connections together: what keeps a disk and a short line busy.
const LEAST_BYTES: u64 = 4 * CHUNK_BYTES as u64;
/// The least window of one connection: a chunk coming and a chunk asked for.
const LINK_BYTES: u64 = 2 * CHUNK_BYTES as u64;
/// The first window is this part of the most: TCP's slow start takes six round trips to fill as much, and a slow
/// connection among fast ones does not hold the last chunks of a study for long.
const FIRST_PART: u64 = 8;
/// Rounds whose best rate counts.
const ROUNDS: usize = 8;
/// Rounds without a quarter more of rate that end the beginning: what TCP's slow start takes is behind.
const FLAT_ROUNDS_MAX: u32 = 3;
/// How long a shortest delay is believed before it is measured again with a narrow window.
const BASE_TIME: Duration = Duration::from_secs(10);
/// Chunks that measure it.
const PROBES: u32 = 4;

/// The window of one connection.
#[derive(Debug)]
pub(super) struct Window {
    /// Bytes that have arrived.
    arrived: u64,
    round: Option<Round>,
    /// Bytes a second of the last rounds.
    rates: [u64; ROUNDS],
    next_rate: usize,
    best_ever: u64,
    flat_rounds: u32,
    /// The shortest time from asking to having, and when it was measured.
    base: Option<(Duration, Instant)>,
    probe: Option<Probe>,
}

/// From one chunk that is asked for to its arrival.
#[derive(Debug, Clone, Copy)]
struct Round {
    began: Instant,
    arrived: u64,
    /// The window was full: the rate is the line's and not that of the demand.
    full: bool,
}

/// The shortest delay of chunks asked for since `began`.
#[derive(Debug, Clone, Copy)]
struct Probe {
    began: Instant,
    least: Duration,
    chunks: u32,
}

impl Window {
    pub(super) const fn new() -> Self {
        Self {
            arrived: 0,
            round: None,
            rates: [0; ROUNDS],
            next_rate: 0,
            best_ever: 0,
            flat_rounds: 0,
            base: None,
            probe: None,
        }
    }

    /// Bytes that may be asked for and not have come, of `most` allowed, on one of `links` connections.
    pub(super) fn bytes(&self, most: u64, links: usize) -> u64 {
        let most = most.max(CHUNK_BYTES as u64);
        let links = u64::try_from(links).unwrap_or(u64::MAX).max(1);
        let least = (LEAST_BYTES / links).max(LINK_BYTES).min(most);
        if self.probe.is_some() {
            return least;
        }
        let line = self.base.map_or(0, |(base, _)| {
            let line = u128::from(self.best_rate()) * base.as_nanos() / 1_000_000_000;
            u64::try_from(line).unwrap_or(u64::MAX)
        });
        if self.flat_rounds >= FLAT_ROUNDS_MAX {
            // A chunk counts as owed until its last byte is here.
            let ahead = line.saturating_add(line / 2);
            return ahead.saturating_add(CHUNK_BYTES as u64).clamp(least, most);
        }
        // What was seen may be slow start's or a narrow window's: room for twice and half as much again.
        let first = (most / FIRST_PART).max(least);
        line.saturating_mul(3).clamp(first, (most / 2).max(first))
    }

    /// A chunk has arrived; `full` says whether no more could have been asked for.
    pub(super) fn take(&mut self, asked: Instant, length: u32, full: bool, now: Instant) {
        self.arrived = self.arrived.saturating_add(u64::from(length));
        self.measure_delay(asked, now);
        let Some(round) = self.round.filter(|round| round.began <= now) else {
            self.begin_round(full, now);
            return;
        };
        if asked < round.began {
            return;
        }
        let nanos = now.saturating_sub(round.began).as_nanos();
        let bytes = u128::from(self.arrived - round.arrived);
        let rate = (bytes * 1_000_000_000).checked_div(nanos);
        if let Some(rate) = rate.and_then(|rate| u64::try_from(rate).ok()) {
            self.end_round(rate, round.full && full);
        }
        self.begin_round(full, now);
    }

    fn begin_round(&mut self, full: bool, now: Instant) {
        self.round = Some(Round {
            began: now,
            arrived: self.arrived,
            full,
        });
    }

    fn end_round(&mut self, rate: u64, full: bool) {
        // A slow round says nothing where little was asked for; a fast one says what the line can do.
        if !full && rate < self.best_rate() {
            return;
        }
        if let Some(place) = self.rates.get_mut(self.next_rate) {
            *place = rate;
        }
        self.next_rate = (self.next_rate + 1) % ROUNDS;
        if rate > self.best_ever.saturating_add(self.best_ever / 4) {
            self.best_ever = rate;
            self.flat_rounds = 0;
        } else if full {
            self.flat_rounds = self.flat_rounds.saturating_add(1);
        }
    }

    fn best_rate(&self) -> u64 {
        self.rates.iter().copied().max().unwrap_or(0)
    }

    fn measure_delay(&mut self, asked: Instant, now: Instant) {
        let delay = now.saturating_sub(asked);
        if let Some(probe) = &mut self.probe {
            if asked < probe.began {
                return;
            }
            probe.least = probe.least.min(delay);
            probe.chunks = probe.chunks.saturating_add(1);
            if probe.chunks >= PROBES {
                self.base = Some((probe.least, now));
                self.probe = None;
            }
            return;
        }
        match self.base {
            Some((base, _)) if delay <= base => self.base = Some((delay, now)),
            Some((_, at)) if now.saturating_sub(at) >= BASE_TIME => {
                self.probe = Some(Probe {
                    began: now,
                    least: Duration::MAX,
                    chunks: 0,
                });
            }
            Some(_) => {}
            None => self.base = Some((delay, now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::VecDeque;

    const MOST: u64 = 8 * 1024 * 1024;

    /// A line of a rate and a round trip: what is asked for comes in order. The widest and the last window
    /// after the first second, and bytes that came in all.
    fn run(rate: u64, trip: Duration, seconds: u64) -> (u64, u64, u64) {
        let (mut window, mut now) = (Window::new(), Duration::ZERO);
        let (mut owed, mut coming) = (0_u64, VecDeque::new());
        let (mut free, mut came, mut widest) = (Duration::ZERO, 0_u64, 0);
        let chunk = CHUNK_BYTES as u64;
        let wire = Duration::from_nanos(chunk * 1_000_000_000 / rate);
        while now < Duration::from_secs(seconds) {
            let limit = window.bytes(MOST, 1);
            if now > Duration::from_secs(1) {
                widest = widest.max(limit);
            }
            while owed + chunk <= limit {
                free = free.max(now + trip / 2) + wire;
                coming.push_back((now, free + trip / 2));
                owed += chunk;
            }
            let (asked, at): (Instant, Instant) = coming.pop_front().unwrap();
            now = at;
            let full = owed + chunk > window.bytes(MOST, 1);
            owed -= chunk;
            came += chunk;
            window.take(asked, CHUNK_BYTES as u32, full, now);
        }
        (widest, window.bytes(MOST, 1), came)
    }

    #[test]
    fn ok_a_short_line_is_asked_for_a_mebibyte() {
        for (rate, trip) in [(117_000_000, 2), (117_000_000, 0), (1_000_000_000, 1)] {
            let (widest, last, came) = run(rate, Duration::from_millis(trip), 30);
            let most = 2 * LEAST_BYTES + CHUNK_BYTES as u64;
            assert!(widest <= most, "{rate} {trip}: {widest} {last}");
            assert!(came * 100 >= rate * 30 * 98, "{rate} {trip}: {came}");
        }
    }

    #[test]
    fn ok_a_long_line_is_filled() {
        // A gigabit of 30 ms holds 3.5 MB.
        let (widest, _, came) = run(117_000_000, Duration::from_millis(30), 30);
        assert!((4_000_000..=7_500_000).contains(&widest), "{widest}");
        assert!(came * 100 >= 117_000_000 * 30 * 97, "{came}");
    }

    #[test]
    fn ok_a_small_limit_is_kept_and_connections_share_the_least() {
        let window = Window::new();
        assert_eq!(window.bytes(1, 1), CHUNK_BYTES as u64);
        assert_eq!(window.bytes(MOST, 4), MOST / FIRST_PART);
        let probing = Window {
            probe: Some(Probe {
                began: Duration::ZERO,
                least: Duration::MAX,
                chunks: 0,
            }),
            ..Window::new()
        };
        assert_eq!(probing.bytes(MOST, 1), LEAST_BYTES);
        assert_eq!(probing.bytes(MOST, 16), LINK_BYTES);
    }
}
