//! Chunks without the pieces that the receiver holds (XFR-72, XFR-73).

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Sender, SenderOutput, SourceInput, Study};
use crate::error::{Context, ErrorCode, SessionError};
use crate::limits::HELD_RUNS_MAX;
use crate::wire::{Report, rest};
use crate::{ChunkPlace, Run};

/// A chunk on its way out, or whose leaves are asked for.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) slot: u16,
    pub(super) chunk: u32,
    /// Set where pieces are left out.
    pub(super) parts: Option<Parts>,
}

/// What is read of a chunk, part by part.
#[derive(Debug)]
pub(super) struct Parts {
    left: VecDeque<Range<u64>>,
    read: Vec<u8>,
}

impl Study {
    /// The parts of a chunk to send where the receiver holds some of it.
    fn parts(&self, place: ChunkPlace) -> Option<Parts> {
        let held = self.held.get(&place.instance())?;
        let manifest = self.signed.as_ref()?.manifest();
        let pieces = manifest
            .instances()
            .get(place.instance() as usize)?
            .pieces()?;
        let left: VecDeque<Range<u64>> = pieces.outside(held, place.bytes()).into();
        let bytes: u64 = left.iter().map(|part| part.end - part.start).sum();
        let read = Vec::new();
        (bytes < u64::from(place.length())).then_some(Parts { left, read })
    }

    pub(super) fn forget_held(&mut self) {
        self.held.clear();
        self.held_runs = 0;
    }
}

impl Sender {
    pub(super) fn handle_held(
        &mut self,
        slot: u16,
        instance: u32,
        runs: Vec<Run>,
    ) -> Result<(), SessionError> {
        let refused = |code| Err(SessionError::protocol(code, Context::Frame("HELD")));
        let most = HELD_RUNS_MAX.min(self.config.held_runs as usize);
        if most == 0 {
            return refused(ErrorCode::OutOfOrder);
        }
        let Some(study) = self.step(slot, SourceInput::Held, "HELD")? else {
            return Ok(());
        };
        let manifest = study.signed.as_ref().map(crate::SignedManifest::manifest);
        let listed = manifest.and_then(|known| known.instances().get(instance as usize));
        let count = listed
            .and_then(|listed| listed.pieces())
            .map(crate::Pieces::count);
        if runs.last().map_or(0, Run::end) > count.unwrap_or(0) || listed.is_none() {
            return refused(ErrorCode::LimitExceeded);
        }
        let more = runs.len();
        let before = if runs.is_empty() {
            study.held.remove(&instance)
        } else {
            study.held.insert(instance, runs)
        };
        let less = before.map_or(0, |runs| runs.len());
        study.held_runs = study.held_runs.saturating_sub(less).saturating_add(more);
        let all: usize = self.studies.values().map(|study| study.held_runs).sum();
        if all > most {
            return refused(ErrorCode::LimitExceeded);
        }
        Ok(())
    }

    /// Begins to read a chunk: as a whole, or what of it lies outside held pieces.
    pub(super) fn read_chunk(&mut self, slot: u16, chunk: u32, place: ChunkPlace) {
        let study = self.studies.get(&slot);
        let mut parts = study.and_then(|study| study.parts(place));
        let Some(left) = &mut parts else {
            self.reading = Some(Reading { slot, chunk, parts });
            return self.out.push_back(SenderOutput::Read {
                slot,
                instance: place.instance(),
                offset: place.offset(),
                length: place.length(),
            });
        };
        let first = left.left.front().cloned();
        self.reading = Some(Reading { slot, chunk, parts });
        match first {
            Some(part) => self.out.push_back(read_of(slot, place, &part)),
            None => self.send_rest(),
        }
    }

    /// A part of a chunk was read.
    pub(super) fn part_read(&mut self, mut reading: Reading, place: ChunkPlace, bytes: &[u8]) {
        let slot = reading.slot;
        let Some(parts) = &mut reading.parts else {
            return;
        };
        let expected = parts.left.pop_front();
        if expected.is_none_or(|part| bytes.len() as u64 != part.end - part.start) {
            let report = Report::new(ErrorCode::SourceUnreadable);
            return self.end(slot, SourceInput::Unreadable, report);
        }
        parts.read.extend_from_slice(bytes);
        let next = parts.left.front().cloned();
        self.reading = Some(reading);
        match next {
            Some(part) => self.out.push_back(read_of(slot, place, &part)),
            None => self.send_rest(),
        }
    }

    fn send_rest(&mut self) {
        let Some(Reading {
            slot,
            chunk,
            parts: Some(parts),
        }) = self.reading.take()
        else {
            return;
        };
        self.data_bytes = self.data_bytes.saturating_add(parts.read.len() as u64);
        self.out
            .push_back(SenderOutput::Send(rest(slot, chunk, parts.read)));
    }
}

fn read_of(slot: u16, place: ChunkPlace, part: &Range<u64>) -> SenderOutput {
    SenderOutput::Read {
        slot,
        instance: place.instance(),
        offset: part.start,
        length: u32::try_from(part.end - part.start).unwrap_or(u32::MAX),
    }
}
