//! One connection of a receiver.

use alloc::collections::{BTreeMap, BTreeSet};

use super::window::Window;
use crate::limits::{HELD_RUNS_MAX, OWED_CHUNKS_MAX};
use crate::wire::{FrameReader, NO_SLOT};
use crate::{Instant, Run};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// HELLO is sent, the source's is awaited.
    Greeting,
    /// Studies can be asked for.
    Open,
}

/// What a study is on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leg {
    /// REQUEST is sent.
    Asked,
    /// OFFER is here.
    Ready,
    /// The source has ended it, or this side has; late frames are passed over.
    Ended,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) phase: Phase,
    pub(super) reader: FrameReader,
    /// By the receiver's numbers of studies; on the line each has a number of the connection's own.
    pub(super) legs: BTreeMap<u16, Leg>,
    /// From the receiver's numbers to the connection's, and back.
    outward: BTreeMap<u16, u16>,
    inward: BTreeMap<u16, u16>,
    next_slot: u16,
    /// Studies open at once and runs waiting that the source allows.
    pub(super) allows: (usize, usize),
    /// Chunks asked for and not come, with their bytes and when they were asked for.
    pub(super) owed: BTreeMap<(u16, u32), (u32, Instant)>,
    pub(super) owed_bytes: u64,
    pub(super) window: Window,
    /// Chunks of them that came coded and are being decoded, by ticket.
    pub(super) decoding: BTreeMap<(u16, u32), u64>,
    /// Runs of held pieces told, by study and instance, and of all; and how many the source keeps.
    told: BTreeMap<(u16, u32), usize>,
    told_runs: usize,
    told_max: usize,
    /// Chunks that may come without pieces that were taken back.
    pub(super) crossing: BTreeSet<(u16, u32)>,
    /// Receipts sent and not answered.
    pub(super) unanswered: BTreeSet<u16>,
    pub(super) opened_at: Instant,
    /// When the source let this side in.
    pub(super) let_in_at: Instant,
    /// When something was last sent.
    pub(super) spoke_at: Instant,
    /// When something was last heard, or first waited for.
    pub(super) heard_at: Instant,
}

impl Link {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Greeting,
            reader: FrameReader::new(),
            legs: BTreeMap::new(),
            outward: BTreeMap::new(),
            inward: BTreeMap::new(),
            next_slot: 0,
            allows: (0, 0),
            owed: BTreeMap::new(),
            owed_bytes: 0,
            window: Window::new(),
            decoding: BTreeMap::new(),
            told: BTreeMap::new(),
            told_runs: 0,
            told_max: 0,
            crossing: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            opened_at: now,
            let_in_at: now,
            spoke_at: now,
            heard_at: now,
        }
    }

    /// Whether the source owes an answer.
    pub(super) fn is_waiting(&self) -> bool {
        // What has come and is being decoded or filled is not the source's to bring.
        self.owed.len() > self.decoding.len()
            || !self.unanswered.is_empty()
            || self.legs.values().any(|leg| *leg == Leg::Asked)
    }

    /// Whether the source allows one study more; before it says so, one in all (XFR-24).
    pub(super) fn has_room(&self) -> bool {
        match self.phase {
            Phase::Greeting => self.next_slot == 0,
            Phase::Open => self.active() < self.allows.0 && !self.is_worn(),
        }
    }

    /// Whether the numbers of the connection are used up: only a new one can carry more studies.
    pub(super) const fn is_worn(&self) -> bool {
        self.next_slot == NO_SLOT
    }

    /// Studies that have not ended here.
    pub(super) fn active(&self) -> usize {
        self.legs.values().filter(|leg| **leg != Leg::Ended).count()
    }

    /// Numbers a study on this connection, in rising order (XFR-25).
    pub(super) fn number(&mut self, study: u16) {
        let slot = self.next_slot;
        self.next_slot = slot.saturating_add(1);
        self.outward.insert(study, slot);
        self.inward.insert(slot, study);
    }

    /// The connection's number of a study.
    pub(super) fn outward(&self, study: u16) -> Option<u16> {
        self.outward.get(&study).copied()
    }

    /// The study of a number: `None` for one never given; `Some(None)` for a study forgotten.
    pub(super) fn inward(&self, slot: u16) -> Option<Option<u16>> {
        (slot < self.next_slot).then(|| self.inward.get(&slot).copied())
    }

    /// The receiver has no such study any more.
    pub(super) fn forget(&mut self, study: u16) {
        self.legs.remove(&study);
        self.untell_all(study);
        if let Some(slot) = self.outward.remove(&study) {
            self.inward.remove(&slot);
        }
    }

    /// The source keeps so many runs of held pieces; more than [`HELD_RUNS_MAX`] are never told.
    pub(super) fn allow_held(&mut self, runs: u32) {
        self.told_max = (runs as usize).min(HELD_RUNS_MAX);
    }

    /// Notes that `runs` of an instance are told; false where they were, or the source keeps no more.
    pub(super) fn tell(&mut self, slot: u16, instance: u32, runs: usize) -> bool {
        let all = self.told_runs.saturating_add(runs);
        if all > self.told_max || self.told.contains_key(&(slot, instance)) {
            return false;
        }
        self.told.insert((slot, instance), runs);
        self.told_runs = all;
        true
    }

    /// Whether `runs` of an instance can be told later only.
    pub(super) fn lacks_room(&self, slot: u16, instance: u32, runs: usize) -> bool {
        let all = self.told_runs.saturating_add(runs);
        !self.is_told(slot, instance) && runs <= self.told_max && all > self.told_max
    }

    pub(super) fn is_told(&self, slot: u16, instance: u32) -> bool {
        self.told.contains_key(&(slot, instance))
    }

    /// Whether the source keeps so much that whole instances are to be taken back.
    pub(super) const fn is_told_much(&self) -> bool {
        self.told_runs > self.told_max / 2
    }

    /// Notes that an instance, of these chunks, is told no more; whether it was.
    pub(super) fn untell(&mut self, slot: u16, instance: u32, chunks: Run) -> bool {
        let Some(runs) = self.told.remove(&(slot, instance)) else {
            return false;
        };
        self.told_runs = self.told_runs.saturating_sub(runs);
        let owed = self
            .owed
            .range((slot, chunks.first())..(slot, chunks.end()));
        self.crossing.extend(owed.map(|(place, _)| *place));
        true
    }

    /// The source has ended a study, or is told to: it keeps nothing of it.
    pub(super) fn untell_all(&mut self, slot: u16) {
        let told = self.told.range((slot, 0)..=(slot, u32::MAX));
        let ended: BTreeSet<u32> = told.map(|((_, instance), _)| *instance).collect();
        for instance in ended {
            let runs = self.told.remove(&(slot, instance)).unwrap_or(0);
            self.told_runs = self.told_runs.saturating_sub(runs);
        }
    }

    /// Whether so many small chunks are owed that no more may be asked for.
    pub(super) fn is_crowded(&self) -> bool {
        self.owed.len() >= OWED_CHUNKS_MAX.min(self.allows.1 / 2).max(1)
    }

    pub(super) fn owe(&mut self, slot: u16, chunk: u32, length: u32, now: Instant) {
        if !self.is_waiting() {
            self.heard_at = now;
        }
        if self.owed.insert((slot, chunk), (length, now)).is_none() {
            self.owed_bytes = self.owed_bytes.saturating_add(u64::from(length));
        }
    }

    /// Chunks of a study that are owed.
    pub(super) fn owed_of(&self, slot: u16) -> impl Iterator<Item = u32> + '_ {
        let owed = self.owed.range((slot, 0)..=(slot, u32::MAX));
        owed.map(|((_, chunk), _)| *chunk)
    }

    /// The bytes of the chunk and when it was asked for, if it was owed.
    pub(super) fn settle(&mut self, slot: u16, chunk: u32) -> Option<(u32, Instant)> {
        let (length, asked) = self.owed.remove(&(slot, chunk))?;
        self.crossing.remove(&(slot, chunk));
        self.owed_bytes = self.owed_bytes.saturating_sub(u64::from(length));
        Some((length, asked))
    }

    /// Whatever is owed of a study, or of all, is owed no more.
    pub(super) fn forgive(&mut self, slot: Option<u16>) -> BTreeMap<(u16, u32), (u32, Instant)> {
        self.decoding
            .retain(|(of, _), _| slot.is_some_and(|slot| slot != *of));
        self.crossing
            .retain(|(of, _)| slot.is_some_and(|slot| slot != *of));
        if let Some(slot) = slot {
            self.untell_all(slot);
        }
        let all = core::mem::take(&mut self.owed);
        let (gone, kept) = all
            .into_iter()
            .partition(|((of, _), _)| slot.is_none_or(|slot| slot == *of));
        self.owed = kept;
        self.owed_bytes = self
            .owed
            .values()
            .map(|(length, _)| u64::from(*length))
            .sum();
        gone
    }
}
