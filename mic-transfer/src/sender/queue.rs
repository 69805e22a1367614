//! Chunks that are wanted of one study and not yet sent: disjoint runs, so that memory and work are
//! bounded by what the receiver says and not by how often it says it.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::Run;
use crate::limits::QUEUED_RUNS_MAX;

/// Where a run stands: class first, then the order of the frames that named it.
type Place = (u32, u64);

/// At most [`QUEUED_RUNS_MAX`] disjoint runs, the most urgent first, in the order wanted.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// First chunk to one past the last, and where the run stands.
    runs: BTreeMap<u32, (u32, Place)>,
    order: BTreeSet<(Place, u32)>,
    ticket: u64,
}

impl Queue {
    /// Adds wanted runs at `class`; what waits already keeps its place and is sent once (XFR-26).
    /// `None` where the limit is passed; nothing beyond it was kept.
    pub(crate) fn want(&mut self, class: u32, runs: &[Run]) -> Option<()> {
        let place = self.next_place(class);
        for run in runs {
            let mut first = run.first();
            let known = self.overlapping(*run);
            for (from, to) in known {
                self.put(first, from, place)?;
                first = first.max(to);
            }
            self.put(first, run.end(), place)?;
        }
        Some(())
    }

    /// Moves what waits of these runs to `class` (XFR-29); `None` as for [`Queue::want`].
    pub(crate) fn rank(&mut self, class: u32, runs: &[Run]) -> Option<()> {
        let place = self.next_place(class);
        for run in runs {
            for (from, to) in self.overlapping(*run) {
                let Some(old) = self.take(from) else { continue };
                self.put(from, run.first().min(to), old)?;
                self.put(from.max(run.first()), to.min(run.end()), place)?;
                self.put(run.end().max(from), to, old)?;
            }
        }
        Some(())
    }

    /// Runs that wait.
    pub(crate) fn len(&self) -> usize {
        self.runs.len()
    }

    /// The most urgent class that waits.
    pub(crate) fn class(&self) -> Option<u32> {
        self.order.first().map(|((class, _), _)| *class)
    }

    /// The next chunk of the most urgent class.
    pub(crate) fn pop(&mut self) -> Option<u32> {
        let (place, first) = *self.order.first()?;
        let (end, _) = *self.runs.get(&first)?;
        self.take(first);
        // It frees the place that it needs.
        self.put(first.saturating_add(1), end, place);
        Some(first)
    }

    /// Nothing is wanted any more.
    pub(crate) fn clear(&mut self) {
        self.runs.clear();
        self.order.clear();
    }

    fn next_place(&mut self, class: u32) -> Place {
        self.ticket = self.ticket.saturating_add(1);
        (class, self.ticket)
    }

    fn put(&mut self, first: u32, end: u32, place: Place) -> Option<()> {
        if first >= end {
            return Some(());
        }
        if self.runs.len() >= QUEUED_RUNS_MAX {
            return None;
        }
        self.runs.insert(first, (end, place));
        self.order.insert((place, first));
        Some(())
    }

    fn take(&mut self, first: u32) -> Option<Place> {
        let (_, place) = self.runs.remove(&first)?;
        self.order.remove(&(place, first));
        Some(place)
    }

    /// The waiting runs that touch `run`, in order.
    fn overlapping(&self, run: Run) -> alloc::vec::Vec<(u32, u32)> {
        let before = self.runs.range(..run.first()).next_back();
        before
            .into_iter()
            .chain(self.runs.range(run.first()..run.end()))
            .map(|(first, (end, _))| (*first, *end))
            .filter(|(_, end)| *end > run.first())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn run(first: u32, count: u32) -> Run {
        Run::new(first, count).unwrap()
    }

    #[test]
    fn err_runs_ranked_over_and_over_stay_within_the_limit() {
        let mut queue = Queue::default();
        assert!(queue.want(3, &[run(0, 1_000_000)]).is_some());
        let every =
            |shift: u32| -> Vec<Run> { (0..4096).map(|at| run(at * 4 + shift, 1)).collect() };
        let mut outcome = Some(());
        for round in 0..40 {
            outcome = outcome.and_then(|()| queue.rank(round % 2, &every(round % 4)));
            assert!(queue.runs.len() <= QUEUED_RUNS_MAX);
            assert_eq!(queue.runs.len(), queue.order.len());
        }
        assert!(outcome.is_none());
    }

    proptest! {
        /// Against the obvious table of one line a chunk.
        #[test]
        fn ok_any_wants_and_ranks_agree_with_a_plain_table(
            ops in proptest::collection::vec((0_u8..3, 0_u32..6, 0_u32..40, 1_u32..12), 0..30),
        ) {
            let mut queue = Queue::default();
            let mut plain: BTreeMap<u32, Place> = BTreeMap::new();
            for (at, (what, class, first, count)) in ops.into_iter().enumerate() {
                let place = (class, at as u64 + 1);
                match what {
                    0 => {
                        queue.want(class, &[run(first, count)]).unwrap();
                        for chunk in first..first + count {
                            plain.entry(chunk).or_insert(place);
                        }
                    }
                    1 => {
                        queue.rank(class, &[run(first, count)]).unwrap();
                        for chunk in first..first + count {
                            plain.entry(chunk).and_modify(|known| *known = place);
                        }
                    }
                    _ => {
                        queue.ticket += 1;
                        let next = plain.iter().map(|(chunk, place)| (*place, *chunk)).min();
                        prop_assert_eq!(queue.class(), next.map(|((class, _), _)| class));
                        prop_assert_eq!(queue.pop(), next.map(|(_, chunk)| chunk));
                        next.map(|(_, chunk)| plain.remove(&chunk));
                    }
                }
            }
            let mut left = Vec::new();
            while let Some(chunk) = queue.pop() {
                left.push(chunk);
            }
            let mut expected: Vec<(Place, u32)> =
                plain.into_iter().map(|(chunk, place)| (place, chunk)).collect();
            expected.sort_unstable();
            prop_assert_eq!(left, expected.into_iter().map(|(_, chunk)| chunk).collect::<Vec<_>>());
        }
    }
}
