//! Which connection is asked for which chunks: one queue for all.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Receiver;
use super::event::ConnectionId;
use super::link::Leg;
use super::plan::CLICK;
use super::state::StudyState;
use super::study::Study;
use crate::limits::{CHUNK_BYTES, RUNS_MAX};
use crate::wire::{CLASSES, Frame};
use crate::{Instant, Run};

impl Receiver {
    /// Asks for as much as fits the windows, most urgent first, connections in turn.
    pub(super) fn top_up(&mut self, now: Instant) {
        let ids: Vec<ConnectionId> = self.open_links().collect();
        for id in ids {
            self.top_up_link(id, now);
        }
    }

    pub(super) fn top_up_link(&mut self, id: ConnectionId, now: Instant) {
        let window = self.config.window_bytes.max(CHUNK_BYTES as u64);
        for class in 0..CLASSES {
            // A click goes over the window by as much again: it must not wait for preload.
            let limit = if class == CLICK {
                window.saturating_mul(2)
            } else {
                window
            };
            let Some(link) = self.links.get(&id) else {
                return;
            };
            // Asked for in portions, not chunk by chunk.
            let full = limit.saturating_sub(link.owed_bytes) < limit / 8 + 1;
            if full && class != CLICK {
                return;
            }
            let mut wants: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
            loop {
                let Some(link) = self.links.get(&id) else {
                    return;
                };
                let owed = link.owed_bytes;
                if owed >= limit || link.is_crowded() {
                    break;
                }
                let Some((slot, run)) = self.next_run(id, class, limit.saturating_sub(owed)) else {
                    break;
                };
                let Some(manifest) = self.studies.get(&slot).and_then(Study::manifest).cloned()
                else {
                    break;
                };
                for chunk in run.first()..run.end() {
                    let length = manifest.place(chunk).map_or(0, |place| place.length());
                    if let Some(link) = self.links.get_mut(&id) {
                        link.owe(slot, chunk, length, now);
                    }
                    wants.entry(slot).or_default().push(chunk);
                }
            }
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
        let after = self.studies.range(self.turn.saturating_add(1)..);
        let order = after
            .chain(self.studies.range(..=self.turn))
            .map(|(slot, _)| *slot);
        let slots: Vec<u16> = order.filter(ready).collect();
        let most = u32::try_from(room.div_ceil(CHUNK_BYTES as u64)).unwrap_or(u32::MAX);
        for slot in slots {
            let Some(study) = self.studies.get_mut(&slot) else {
                continue;
            };
            if study.state != StudyState::Receiving {
                continue;
            }
            let Some(manifest) = study.manifest().cloned() else {
                continue;
            };
            if !study.plan.has(&manifest, class) {
                continue;
            }
            if let Some(run) = study.plan.take(&manifest, class, most) {
                self.turn = slot;
                return Some((slot, run));
            }
        }
        None
    }
}

/// Rising chunk numbers as runs.
pub(super) fn runs_of(chunks: impl Iterator<Item = u32>) -> Vec<Run> {
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
