//! Sets of chunk numbers, kept as runs.

use alloc::collections::BTreeMap;

/// `count` chunks from `first` on. Never empty, never beyond 2^32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    first: u32,
    count: u32,
}

impl Run {
    /// The run, unless it is empty or passes the last number.
    ///
    /// ```
    /// use mic_transfer::Run;
    /// assert!(Run::new(5, 2).is_some());
    /// assert!(Run::new(5, 0).is_none());
    /// assert!(Run::new(u32::MAX, 2).is_none());
    /// ```
    #[must_use]
    pub const fn new(first: u32, count: u32) -> Option<Self> {
        match first.checked_add(count) {
            Some(_) if count > 0 => Some(Self { first, count }),
            _ => None,
        }
    }

    /// The first chunk.
    #[must_use]
    pub const fn first(&self) -> u32 {
        self.first
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// One past the last chunk.
    #[must_use]
    pub const fn end(&self) -> u32 {
        self.first.saturating_add(self.count)
    }

    /// Whether the chunk is one of the run.
    pub(crate) const fn has(&self, chunk: u32) -> bool {
        self.first <= chunk && chunk < self.end()
    }

    const fn between(first: u32, end: u32) -> Option<Self> {
        Self::new(first, end.saturating_sub(first))
    }
}

/// A set of chunk numbers: sorted, disjoint, never adjacent runs.
///
/// ```
/// use mic_transfer::{RangeSet, Run};
/// let mut set = RangeSet::new();
/// set.insert(Run::new(0, 4).unwrap());
/// set.insert(Run::new(4, 4).unwrap());
/// set.remove(Run::new(2, 1).unwrap());
/// assert_eq!(set.len(), 7);
/// assert_eq!(set.runs().count(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RangeSet {
    /// First chunk to one past the last.
    runs: BTreeMap<u32, u32>,
}

impl RangeSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            runs: BTreeMap::new(),
        }
    }

    /// Adds a run; chunks already there stay.
    pub fn insert(&mut self, run: Run) {
        let (mut first, mut end) = (run.first(), run.end());
        while let Some((&from, &to)) = self.runs.range(..=end).next_back() {
            if to < first {
                break;
            }
            first = first.min(from);
            end = end.max(to);
            self.runs.remove(&from);
        }
        self.runs.insert(first, end);
    }

    /// Takes a run out; chunks not there are no matter.
    pub fn remove(&mut self, run: Run) {
        let (first, end) = (run.first(), run.end());
        while let Some((&from, &to)) = self.runs.range(..end).next_back() {
            if to <= first {
                break;
            }
            self.runs.remove(&from);
            if to > end {
                self.runs.insert(end, to);
            }
            if from < first {
                self.runs.insert(from, first);
            }
        }
    }

    /// Whether the chunk is in the set.
    #[must_use]
    pub fn contains(&self, chunk: u32) -> bool {
        self.runs
            .range(..=chunk)
            .next_back()
            .is_some_and(|(_, &end)| chunk < end)
    }

    /// The first run within `bounds`, cut to at most `most` chunks.
    #[must_use]
    pub fn first_within(&self, bounds: Run, most: u32) -> Option<Run> {
        let before = self.runs.range(..=bounds.first()).next_back();
        let after = self.runs.range(bounds.first()..bounds.end()).next();
        [before, after]
            .into_iter()
            .flatten()
            .find_map(|(&from, &to)| {
                let first = from.max(bounds.first());
                Run::between(first, to.min(bounds.end()).min(first.saturating_add(most)))
            })
    }

    /// The runs in order.
    pub fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        self.runs
            .iter()
            .filter_map(|(&first, &end)| Run::between(first, end))
    }

    /// How many chunks.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.runs().map(|run| u64::from(run.count())).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against the obvious set.
        #[test]
        fn ok_any_sequence_agrees_with_a_plain_set(
            ops in proptest::collection::vec((any::<bool>(), 0_u32..60, 1_u32..20), 0..40),
        ) {
            let (mut set, mut plain) = (RangeSet::new(), BTreeSet::new());
            for (add, first, count) in ops {
                let run = Run::new(first, count).unwrap();
                for chunk in first..first + count {
                    if add { plain.insert(chunk); } else { plain.remove(&chunk); }
                }
                if add { set.insert(run) } else { set.remove(run) }
                prop_assert_eq!(set.len(), plain.len() as u64);
                for chunk in 0..90 {
                    prop_assert_eq!(set.contains(chunk), plain.contains(&chunk));
                }
                let runs: Vec<Run> = set.runs().collect();
                prop_assert!(runs.windows(2).all(|w| w[0].end() < w[1].first()));
                let bounds = Run::new(10, 30).unwrap();
                let first = plain.range(10..40).next().copied();
                prop_assert_eq!(set.first_within(bounds, 3).map(|r| r.first()), first);
            }
        }
    }
    use alloc::vec::Vec;
}
