//! When a source codes: by what the line and the encoder were measured to do.

use core::time::Duration;

use crate::Instant;

/// Which chunks a source sends in a coded form, to a receiver that takes it.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CoderPolicy {
    /// None.
    Off,
    /// Those whose coded form the source keeps: it costs no work at the source.
    AtRest,
    /// Those, and others while a [`Chooser`] finds the line slower than the encoder.
    #[default]
    Trial,
    /// All that are worth it, whatever the line.
    Always,
}

/// A write that takes longer than its bytes at this rate was waiting for the line: memory is copied to a
/// socket at several times the rate of any line this is for (bytes a second).
const COPY_RATE: u64 = 1_000_000_000;
/// Coded chunks without a wait before the line is measured anew: it may have become faster.
const STALE_CHUNKS: u32 = 256;
/// Raw chunks of such a measurement: 8 MiB, which fill the socket's buffer.
const PROBE_CHUNKS: u32 = 32;
/// Raw chunks between two tries of the encoder: 64 MiB.
const TRY_EVERY: u32 = 256;

/// Says for each chunk whether to code it: yes while the line takes longer for a byte than the encoder.
///
/// It is told what writing and coding took and keeps two rates, each the mean of about the last eight
/// samples. No clock, no randomness: the same measurements give the same answers.
///
/// ```
/// use core::time::Duration;
/// use mic_transfer::sender::Chooser;
/// let mut chooser = Chooser::new();
/// let ms = Duration::from_millis;
/// chooser.coded(262_144, ms(1)); // 262 MB/s
/// // A line of 100 Mbit/s: 21 ms for each chunk.
/// chooser.wrote(262_144, ms(0), ms(21));
/// chooser.wrote(262_144, ms(21), ms(42));
/// assert!(chooser.codes());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Chooser {
    /// Nanoseconds for 2^20 bytes.
    line: Option<u64>,
    encoder: Option<u64>,
    /// The end of the last write, if it waited.
    full_at: Option<Instant>,
    coding: bool,
    /// Coded chunks since the line was last seen to be full.
    unseen: u32,
    /// Raw chunks left of a measurement.
    probing: u32,
    raw: u32,
}

impl Chooser {
    /// Nothing measured: raw until the line is seen to be slow.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the next chunk is to be coded.
    #[must_use]
    pub const fn codes(&self) -> bool {
        self.coding && self.probing == 0
    }

    /// Whether the line is known and the encoder's rate is not, or is old: code the next chunk.
    #[must_use]
    pub const fn tries(&self) -> bool {
        self.line.is_some() && (self.encoder.is_none() || self.raw >= TRY_EVERY)
    }

    /// `bytes` of a file were coded in `took`.
    pub fn coded(&mut self, bytes: u64, took: Duration) {
        self.raw = 0;
        average(&mut self.encoder, pace(bytes, took));
        self.decide();
    }

    /// `bytes` were written to the line from `began` to `ended`.
    pub fn wrote(&mut self, bytes: u64, began: Instant, ended: Instant) {
        let took = ended.saturating_sub(began);
        let waited = took > Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / COPY_RATE);
        // From full to full: what left in between is what was written.
        if let (true, Some(since)) = (waited, self.full_at) {
            average(&mut self.line, pace(bytes, ended.saturating_sub(since)));
        }
        self.full_at = waited.then_some(ended);
        if self.probing > 0 {
            self.probing = self.probing.saturating_sub(1);
            if self.probing == 0 && self.unseen > 0 && !waited {
                // It takes whatever comes.
                self.line = None;
            }
        }
        if waited {
            self.unseen = 0;
        } else if self.codes() {
            self.unseen = self.unseen.saturating_add(1);
            if self.unseen >= STALE_CHUNKS {
                self.probing = PROBE_CHUNKS;
            }
        }
        if !self.codes() {
            self.raw = self.raw.saturating_add(1);
        }
        self.decide();
    }

    /// Nothing was asked for: the line has run empty.
    pub const fn idle(&mut self) {
        self.full_at = None;
    }

    /// Where the two are within an eighth of each other it stays as it was.
    fn decide(&mut self) {
        let Some(line) = self.line else {
            self.coding = false;
            return;
        };
        let Some(encoder) = self.encoder else {
            return;
        };
        if encoder < line - line / 8 {
            self.coding = true;
        } else if encoder > line {
            self.coding = false;
        }
    }
}

/// Nanoseconds for 2^20 bytes.
fn pace(bytes: u64, took: Duration) -> u64 {
    let nanos = took.as_nanos().saturating_mul(1 << 20) / u128::from(bytes.max(1));
    u64::try_from(nanos).unwrap_or(u64::MAX).max(1)
}

fn average(known: &mut Option<u64>, sample: u64) {
    let mean = known.map_or(sample, |known| known - known / 8 + sample / 8);
    *known = Some(mean.max(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: u64 = 262_144;

    /// A line of `rate` bytes a second behind a buffer of 1 MiB, and an encoder of `speed` that makes a
    /// quarter; says how many of the last chunks of `count` were coded.
    fn run(chooser: &mut Chooser, clock: &mut u64, rate: u64, speed: u64, count: u32) -> u32 {
        let nanos = |bytes: u64, rate: u64| bytes * 1_000_000_000 / rate;
        let mut drained = *clock;
        let mut coded_last = 0;
        for at in 0..count {
            let coded = chooser.codes() || chooser.tries();
            let bytes = if coded { CHUNK / 4 } else { CHUNK };
            if coded {
                let took = nanos(CHUNK, speed);
                chooser.coded(CHUNK, Duration::from_nanos(took));
                *clock += took;
            }
            let began = *clock;
            drained = drained.max(began) + nanos(bytes, rate);
            let full = drained.saturating_sub(nanos(1 << 20, rate));
            *clock = full.max(began + bytes / 8);
            chooser.wrote(
                bytes,
                Duration::from_nanos(began),
                Duration::from_nanos(*clock),
            );
            coded_last += u32::from(coded && at >= count - 64);
        }
        coded_last
    }

    #[test]
    fn ok_slow_lines_are_coded_and_fast_ones_are_not() {
        for (rate, speed, coded) in [
            (12_500_000, 450_000_000, true),
            (37_500_000, 450_000_000, true),
            (125_000_000, 450_000_000, true),
            (125_000_000, 100_000_000, false),
            (2_000_000_000, 450_000_000, false),
        ] {
            let mut chooser = Chooser::new();
            let found = run(&mut chooser, &mut 0, rate, speed, 512);
            let right = if coded { found >= 60 } else { found <= 4 };
            assert!(right, "{rate} {speed}: {found} of the last 64");
        }
    }

    #[test]
    fn ok_a_line_that_changes_is_found_out() {
        let (mut chooser, mut clock) = (Chooser::new(), 0);
        assert!(run(&mut chooser, &mut clock, 12_500_000, 450_000_000, 256) >= 60);
        // The encoder alone is the limit now, which only a measurement tells.
        assert!(run(&mut chooser, &mut clock, 2_000_000_000, 450_000_000, 1024) <= 4);
        assert!(run(&mut chooser, &mut clock, 12_500_000, 450_000_000, 512) >= 60);
    }

    #[test]
    fn ok_nothing_measured_is_raw() {
        let mut chooser = Chooser::new();
        assert!(!chooser.codes() && !chooser.tries());
        chooser.idle();
        chooser.coded(CHUNK, Duration::from_millis(1));
        assert!(!chooser.codes() && !chooser.tries());
    }
}
