//! Which connection is asked for which chunks: one queue for all.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Receiver;
use super::event::ConnectionId;
use super::link::Leg;
use super::plan::CLICK;
use super::state::StudyState;
use crate::limits::{CHUNK_BYTES, RUNS_MAX};
use crate::wire::{CLASSES, Frame};
use crate::{Instant, Run};

/// Bytes of one study that are asked for before the next one's turn.
const TURN_BYTES: u64 = 4 * CHUNK_BYTES as u64;

impl Receiver {
    /// Asks for as much as fits the windows, most urgent first, connections in turn.
    pub(super) fn top_up(&mut self, now: Instant) {
        self.limiter.fill(now);
        let ids: Vec<ConnectionId> = self.open_links().collect();
        self.spread_clicks(&ids, now);
        for id in ids {
            self.top_up_link(id, now);
        }
    }

    /// A click is asked for at once, over the window by as much again, since it must not wait for
    /// preload; a chunk on each connection in turn, so that all of them carry it (XFR-62).
    fn spread_clicks(&mut self, ids: &[ConnectionId], now: Instant) {
        let mut wants: BTreeMap<ConnectionId, BTreeMap<u16, Vec<u32>>> = BTreeMap::new();
        loop {
            let before: usize = wants
                .values()
                .flat_map(BTreeMap::values)
                .map(Vec::len)
                .sum();
            for id in ids {
                let limit = self.window(*id).saturating_mul(2);
                let room = self.links.get(id);
                if room.is_some_and(|link| link.owed_bytes < limit && !link.is_crowded()) {
                    self.owe_next(
                        *id,
                        CLICK,
                        CHUNK_BYTES as u64,
                        wants.entry(*id).or_default(),
                        now,
                    );
                }
            }
            let after: usize = wants
                .values()
                .flat_map(BTreeMap::values)
                .map(Vec::len)
                .sum();
            if after == before {
                break;
            }
        }
        for (id, wants) in wants {
            self.send_wants(id, CLICK, wants);
        }
    }

    /// Bytes that may be asked for on a connection and not have come.
    fn window(&self, id: ConnectionId) -> u64 {
        let links = self.open_links().count();
        self.links
            .get(&id)
            .map_or(0, |link| link.window.bytes(self.config.window_bytes, links))
    }

    /// Takes a chunk off what a connection owes, and learns from it how wide its window is to be; false if
    /// it was not owed.
    pub(super) fn settle(&mut self, id: ConnectionId, slot: u16, chunk: u32) -> bool {
        let (limit, now) = (self.window(id), self.now);
        let Some(link) = self.links.get_mut(&id) else {
            return false;
        };
        // Less than a portion and a chunk of room: nothing more could have been asked for.
        let full = link
            .owed_bytes
            .saturating_add(limit / 8 + CHUNK_BYTES as u64)
            >= limit;
        let Some((length, asked)) = link.settle(slot, chunk) else {
            return false;
        };
        link.window.take(asked, length, full, now);
        true
    }

    fn top_up_link(&mut self, id: ConnectionId, now: Instant) {
        let limit = self.window(id);
        for class in CLICK + 1..CLASSES {
            let mut wants: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
            let Some(link) = self.links.get(&id) else {
                return;
            };
            // Asked for in portions, not chunk by chunk.
            if limit.saturating_sub(link.owed_bytes) < limit / 8 + 1 {
                return;
            }
            loop {
                let Some(link) = self.links.get(&id) else {
                    return;
                };
                let room = limit.saturating_sub(link.owed_bytes);
                if room == 0 || link.is_crowded() {
                    break;
                }
                let room = room.min(TURN_BYTES);
                if !self.owe_next(id, class, room, &mut wants, now) {
                    break;
                }
            }
            self.send_wants(id, class, wants);
        }
    }

    /// Takes the next run at `class` within `room`; whether there was one.
    fn owe_next(
        &mut self,
        id: ConnectionId,
        class: usize,
        room: u64,
        wants: &mut BTreeMap<u16, Vec<u32>>,
        now: Instant,
    ) -> bool {
        let allowed = self.limiter.room(class);
        if allowed == 0 {
            self.limiter.hold(class);
            return false;
        }
        let Some((slot, run)) = self.next_run(id, class, room.min(allowed)) else {
            return false;
        };
        if class != CLICK && self.waits_for_room(id, slot, run.first()) {
            if let Some(study) = self.studies.get_mut(&slot) {
                (run.first()..run.end())
                    .rev()
                    .for_each(|chunk| study.give_back(chunk));
            }
            return false;
        }
        self.tell_held(id, slot, run.first());
        for chunk in run.first()..run.end() {
            let (length, weight) = self.bytes_to_come(id, slot, chunk);
            if let Some(link) = self.links.get_mut(&id) {
                link.owe(slot, chunk, weight, now);
            }
            self.limiter.spend(class, length);
            self.turn_bytes = self.turn_bytes.saturating_add(u64::from(length));
            wants.entry(slot).or_default().push(chunk);
        }
        true
    }

    fn send_wants(&mut self, id: ConnectionId, class: usize, wants: BTreeMap<u16, Vec<u32>>) {
        for (slot, mut chunks) in wants {
            chunks.sort_unstable();
            let runs = runs_of(chunks.into_iter());
            for part in runs.chunks(RUNS_MAX) {
                self.send(
                    id,
                    Frame::Want {
                        slot,
                        class: class as u32,
                        runs: part.to_vec(),
                    },
                );
            }
        }
    }

    /// The next run at `class` of the studies this connection serves, in turn.
    pub(super) fn next_run(
        &mut self,
        id: ConnectionId,
        class: usize,
        room: u64,
    ) -> Option<(u16, Run)> {
        let link = self.links.get(&id)?;
        let ready = |slot: &u16| link.legs.get(slot) == Some(&Leg::Ready);
        // A study keeps its turn until it has had its bytes, however small its images are.
        let begin = if self.turn_bytes < TURN_BYTES {
            self.turn
        } else {
            self.turn.saturating_add(1)
        };
        let order = self
            .studies
            .range(begin..)
            .chain(self.studies.range(..begin));
        let order = order.map(|(slot, _)| *slot);
        let slots: Vec<u16> = order.filter(ready).collect();
        let paused = self.paused;
        let most = u32::try_from(room.div_ceil(CHUNK_BYTES as u64)).unwrap_or(u32::MAX);
        for slot in slots {
            let Some(study) = self.studies.get_mut(&slot) else {
                continue;
            };
            let held = (paused || study.paused) && class != CLICK;
            if study.state != StudyState::Receiving || held {
                continue;
            }
            let Some(manifest) = study.manifest().cloned() else {
                continue;
            };
            if !study.plan.has(&manifest, class) {
                continue;
            }
            if let Some(run) = study.plan.take(&manifest, class, most) {
                if self.turn != slot || self.turn_bytes >= TURN_BYTES {
                    self.turn = slot;
                    self.turn_bytes = 0;
                }
                return Some((slot, run));
            }
        }
        None
    }
}

/// Rising chunk numbers as runs.
pub(crate) fn runs_of(chunks: impl Iterator<Item = u32>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for chunk in chunks {
        let longer = match runs.last() {
            Some(last) if last.end() == chunk => {
                Run::new(last.first(), last.count().saturating_add(1))
            }
            _ => None,
        };
        if longer.is_some() {
            runs.pop();
        }
        runs.extend(longer.or(Run::new(chunk, 1)));
    }
    runs
}
