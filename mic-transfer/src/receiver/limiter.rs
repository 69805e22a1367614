//! A token bucket for each class, filled as the calendar says.

use core::time::Duration;

use chrono::{DateTime, Utc};

use crate::Instant;
use crate::limits::CHUNK_BYTES;
use crate::shape::Shape;
use crate::wire::CLASSES;

/// Bytes gathered in so long may go at once.
const BURST: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// Bytes a second; `None` where the class is free.
    rate: Option<u64>,
    /// Bytes that may be asked for, times 10^9; below zero after a chunk that was larger.
    level: i128,
}

/// What each class may ask for now. Every class has a bucket of its own: preload can't use up what a
/// click needs (XFR-68).
#[derive(Debug, Default)]
pub(super) struct Limiter {
    shape: Shape,
    anchor: Option<(DateTime<Utc>, Instant)>,
    buckets: [Bucket; CLASSES],
    filled_at: Instant,
    /// When the calendar is to be looked at again.
    changes_at: Option<Instant>,
    /// When a class that was held back may go on.
    wakes_at: Option<Instant>,
}

impl Limiter {
    pub(super) fn set(&mut self, shape: Shape, wall: DateTime<Utc>, now: Instant) {
        self.shape = shape;
        self.anchor = Some((wall, now));
        self.filled_at = now;
        self.look(now);
        for bucket in &mut self.buckets {
            bucket.level = bucket.burst();
        }
    }

    pub(super) const fn new() -> Self {
        Self {
            shape: Shape::new(alloc::vec::Vec::new()),
            anchor: None,
            buckets: [Bucket {
                rate: None,
                level: 0,
            }; CLASSES],
            filled_at: Duration::ZERO,
            changes_at: None,
            wakes_at: None,
        }
    }

    /// Brings the buckets up to `now`.
    pub(super) fn fill(&mut self, now: Instant) {
        let nanos = now.saturating_sub(self.filled_at).as_nanos();
        self.filled_at = self.filled_at.max(now);
        for bucket in &mut self.buckets {
            let gained = u128::from(bucket.rate.unwrap_or(0)).saturating_mul(nanos);
            let gained = i128::try_from(gained).unwrap_or(i128::MAX);
            bucket.level = bucket.level.saturating_add(gained).min(bucket.burst());
        }
        if self.changes_at.is_some_and(|at| at <= now) {
            self.look(now);
        }
        self.wakes_at = None;
    }

    /// Bytes that the class may ask for now.
    pub(super) fn room(&self, class: usize) -> u64 {
        match self.buckets.get(class) {
            Some(Bucket {
                rate: Some(_),
                level,
            }) => u64::try_from(*level / NANO).unwrap_or(0),
            _ => u64::MAX,
        }
    }

    pub(super) fn spend(&mut self, class: usize, bytes: u32) {
        if let Some(bucket) = self.buckets.get_mut(class) {
            bucket.level = bucket.level.saturating_sub(i128::from(bytes) * NANO);
        }
    }

    /// The class has more to ask for than it may.
    pub(super) fn hold(&mut self, class: usize) {
        let Some(Bucket {
            rate: Some(rate),
            level,
        }) = self.buckets.get(class).copied()
        else {
            return;
        };
        let lacking = (CHUNK_BYTES as i128 * NANO).saturating_sub(level).max(1);
        let Some(nanos) = lacking.checked_div(i128::from(rate)) else {
            // Stopped until the calendar says otherwise.
            return;
        };
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX).saturating_add(1);
        let at = self.filled_at.saturating_add(Duration::from_nanos(nanos));
        self.wakes_at = Some(self.wakes_at.map_or(at, |known| known.min(at)));
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wakes_at.into_iter().chain(self.changes_at).min()
    }

    fn look(&mut self, now: Instant) {
        let Some((wall, anchored)) = self.anchor else {
            return;
        };
        let since = chrono::TimeDelta::from_std(now.saturating_sub(anchored));
        let at = since.ok().and_then(|since| wall.checked_add_signed(since));
        let at = at.unwrap_or(wall);
        for (class, bucket) in (0_u8..).zip(&mut self.buckets) {
            bucket.rate = self.shape.rate(class, at);
        }
        let change = self.shape.changes_in(at);
        self.changes_at = change.map(|change| now.saturating_add(change));
    }
}

const NANO: i128 = 1_000_000_000;

impl Bucket {
    /// The most that may gather: a chunk at least, or nothing could go.
    fn burst(&self) -> i128 {
        if self.rate == Some(0) {
            return 0;
        }
        let rate = i128::from(self.rate.unwrap_or(0));
        let burst = rate.saturating_mul(i128::try_from(BURST.as_nanos()).unwrap_or(i128::MAX));
        burst.max(CHUNK_BYTES as i128 * NANO)
    }
}
