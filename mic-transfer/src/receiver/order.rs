//! What comes first, what waits: clicks, pauses, rate limits, and the word that keeps a line open.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::Receiver;
use super::demand::runs_of;
use super::link::{Link, Phase};
use super::plan::CLICK;
use crate::Instant;
use crate::limits::RUNS_MAX;
use crate::shape::Shape;
use crate::wire::Frame;

/// The kind of the word that keeps a connection open.
const KEEP: u8 = 128;

impl Receiver {
    /// A click: the instance comes next, before everything else on every connection.
    pub fn click(&mut self, slot: u16, instance: u32, now: Instant) {
        self.now = self.now.max(now);
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        let Some(bounds) = study.manifest().and_then(|known| known.chunks_of(instance)) else {
            return;
        };
        study.plan.click(instance);
        let mut ranks = Vec::new();
        for (id, link) in &self.links {
            let owed = link
                .owed
                .range((slot, bounds.first())..(slot, bounds.end()));
            let runs = runs_of(owed.map(|((_, chunk), _)| *chunk));
            if !runs.is_empty() {
                ranks.push((*id, runs));
            }
        }
        for (id, mut runs) in ranks {
            runs.truncate(RUNS_MAX);
            self.send(
                id,
                Frame::Rank {
                    slot,
                    class: CLICK as u32,
                    runs,
                },
            );
        }
        self.top_up(now);
    }

    /// Asks for no more of a study, clicks excepted; what is asked for comes.
    pub fn pause(&mut self, slot: u16) {
        if let Some(study) = self.studies.get_mut(&slot) {
            study.paused = true;
        }
    }

    /// Asks for a paused study again.
    pub fn resume(&mut self, slot: u16, now: Instant) {
        if let Some(study) = self.studies.get_mut(&slot) {
            study.paused = false;
        }
        self.top_up(now);
    }

    /// Asks for no more of any study, clicks excepted; what is asked for comes.
    pub const fn pause_all(&mut self) {
        self.paused = true;
    }

    /// Asks again, for studies that are not paused by themselves.
    pub fn resume_all(&mut self, now: Instant) {
        self.paused = false;
        self.top_up(now);
    }

    /// Whether a study is paused, by itself or with all.
    #[must_use]
    pub fn is_paused(&self, slot: u16) -> bool {
        self.paused || self.studies.get(&slot).is_some_and(|study| study.paused)
    }

    /// Limits the rates of classes from now on. `wall` is the time of the calendar at `now`; to be
    /// called again when a clock was set.
    pub fn set_shape(&mut self, shape: Shape, wall: DateTime<Utc>, now: Instant) {
        self.limiter.set(shape, wall, now);
        self.top_up(now);
    }

    /// Says a word on connections that stand and were not spoken on for long (XFR-67).
    pub(super) fn keep_alive(&mut self, now: Instant) {
        let silent: Vec<u32> = self
            .links
            .iter()
            .filter(|(_, link)| self.speaks_at(link).is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in silent {
            self.send(id, Frame::Skipped { kind: KEEP });
        }
    }

    /// When the next word is due on a connection.
    pub(super) fn speaks_at(&self, link: &Link) -> Option<Instant> {
        (link.phase == Phase::Open).then(|| link.spoke_at.saturating_add(self.config.keep_alive))
    }
}
