//! Counts by state and age: what a monitor shows.

use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use super::upload::{Upload, UploadState};

/// One day, three, seven and thirty: a deadline of one day is commonly assumed, no rule is published.
#[must_use]
pub fn age_bounds_default() -> [TimeDelta; 4] {
    [1, 3, 7, 30].map(TimeDelta::days)
}

/// How many uploads stand where, by age. Fed one by one, so that a table of any size can stream by.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use mic_index::ledger::{Summary, Upload, UploadState, age_bounds_default};
///
/// let now: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::days(100);
/// let mut summary = Summary::new(now, &age_bounds_default());
/// summary.add(&Upload::new(now - TimeDelta::hours(2)));
/// summary.add(&Upload::new(now - TimeDelta::days(1))); // a bound belongs to the older side
/// summary.add(&Upload::new(now - TimeDelta::days(90)));
/// let pending: Vec<u64> = summary.buckets(UploadState::Pending).map(|b| b.count()).collect();
/// assert_eq!(pending, [1, 1, 0, 0, 1]);
/// assert_eq!(summary.count(UploadState::Pending), 3);
/// assert_eq!(summary.oldest(UploadState::Pending), Some(TimeDelta::days(90)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    now: DateTime<Utc>,
    /// Ascending, each once.
    bounds: Vec<TimeDelta>,
    /// For each state one count per bucket, and its oldest age.
    rows: [(Vec<u64>, Option<TimeDelta>); UploadState::ALL.len()],
}

impl Summary {
    /// A summary of nothing. The bounds, in any order, part the ages into one bucket more than
    /// there are bounds.
    #[must_use]
    pub fn new(now: DateTime<Utc>, bounds: &[TimeDelta]) -> Self {
        let mut bounds = bounds.to_vec();
        bounds.sort_unstable();
        bounds.dedup();
        let empty = alloc::vec![0; bounds.len() + 1];
        Self {
            now,
            bounds,
            rows: UploadState::ALL.map(|_| (empty.clone(), None)),
        }
    }

    /// Counts an upload.
    pub fn add(&mut self, upload: &Upload) {
        let age = upload.age(self.now);
        let bucket = self.bounds.partition_point(|bound| *bound <= age);
        if let Some((counts, oldest)) = self.rows.get_mut(upload.state() as usize) {
            if let Some(count) = counts.get_mut(bucket) {
                *count = count.saturating_add(1);
            }
            *oldest = (*oldest).max(Some(age));
        }
    }

    fn row(&self, state: UploadState) -> Option<&(Vec<u64>, Option<TimeDelta>)> {
        self.rows.get(state as usize)
    }

    /// Uploads in a state.
    #[must_use]
    pub fn count(&self, state: UploadState) -> u64 {
        let counts = self.row(state).map(|row| row.0.as_slice());
        counts.unwrap_or_default().iter().sum()
    }

    /// All uploads counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        UploadState::ALL.map(|state| self.count(state)).iter().sum()
    }

    /// The age of the oldest upload in a state.
    #[must_use]
    pub fn oldest(&self, state: UploadState) -> Option<TimeDelta> {
        self.row(state).and_then(|row| row.1)
    }

    /// The uploads of a state by age, the youngest first.
    pub fn buckets(&self, state: UploadState) -> impl Iterator<Item = AgeBucket> + '_ {
        let counts = self.row(state).map(|row| row.0.as_slice());
        counts
            .unwrap_or_default()
            .iter()
            .enumerate()
            .map(|(at, count)| AgeBucket {
                from: at
                    .checked_sub(1)
                    .and_then(|at| self.bounds.get(at).copied()),
                until: self.bounds.get(at).copied(),
                count: *count,
            })
    }
}

/// Uploads of one state and a range of ages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AgeBucket {
    from: Option<TimeDelta>,
    until: Option<TimeDelta>,
    count: u64,
}

impl AgeBucket {
    /// The least age, itself included; `None` in the first bucket.
    #[must_use]
    pub const fn from(&self) -> Option<TimeDelta> {
        self.from
    }

    /// The age where the next bucket begins; `None` in the last.
    #[must_use]
    pub const fn until(&self) -> Option<TimeDelta> {
        self.until
    }

    /// Number of uploads.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }
}
