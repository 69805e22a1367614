//! Pixels that are here already: what is said of them to sources, and chunks that come without them
//! (XFR-72 to XFR-76).

use alloc::vec::Vec;

use super::Receiver;
use super::event::{ConnectionId, ReceiverOutput};
use super::link::Leg;
use super::study::Study;
use crate::Instant;
use crate::error::{Context, ErrorCode, SessionError};
use crate::store::{Action, StoreOp};
use crate::wire::{Frame, HEADER_BYTES};

/// Bytes that are here count for one in so many in the window: reading, hashing and writing them takes about
/// that share of the time in which a gigabit line would bring them, and a click waits for what is before it.
const LOCAL_SHARE: u32 = 16;

impl Receiver {
    /// Says which pieces of a chunk's instance are here, once on a connection, before a chunk of it is wanted.
    pub(super) fn tell_held(&mut self, id: ConnectionId, slot: u16, chunk: u32) {
        let (Some(link), Some(study)) = (self.links.get_mut(&id), self.studies.get(&slot)) else {
            return;
        };
        let held = study.place(chunk).and_then(|(instance, ..)| {
            let runs = study.pieces.get(&instance)?;
            link.tell(slot, instance, runs.len())
                .then_some((instance, runs))
        });
        if let Some((instance, runs)) = held {
            let runs = runs.clone();
            self.send(
                id,
                Frame::Held {
                    slot,
                    instance,
                    runs,
                },
            );
        }
    }

    /// Whether the source keeps too much at the moment to be told of a chunk's instance, and something is on its
    /// way whose end makes room: until then asking would bring what is here.
    pub(super) fn waits_for_room(&self, id: ConnectionId, slot: u16, chunk: u32) -> bool {
        let Some((study, link)) = self.studies.get(&slot).zip(self.links.get(&id)) else {
            return false;
        };
        let held = study.place(chunk).and_then(|(instance, ..)| {
            let runs = study.pieces.get(&instance)?;
            Some(!link.owed.is_empty() && link.lacks_room(slot, instance, runs.len()))
        });
        held.unwrap_or(false)
    }

    /// Bytes of a chunk that are to come on a connection, and what it counts for in the window.
    pub(super) fn bytes_to_come(&self, id: ConnectionId, slot: u16, chunk: u32) -> (u32, u32) {
        let Some((study, link)) = self.studies.get(&slot).zip(self.links.get(&id)) else {
            return (0, 0);
        };
        let Some((instance, _, length)) = study.place(chunk) else {
            return (0, 0);
        };
        let rest = study
            .rest_of(chunk)
            .filter(|_| link.is_told(slot, instance));
        let Some(rest) = rest else {
            return (length, length);
        };
        let local = length.saturating_sub(rest);
        // A header at least, so that what comes has a rate.
        let weight = rest.saturating_add(HEADER_BYTES as u32 + local / LOCAL_SHARE);
        (rest, weight.min(length))
    }

    /// What lies outside of the pieces told: the store makes the chunk of it and judges it by its leaf.
    pub(super) fn handle_rest(
        &mut self,
        id: ConnectionId,
        slot: u16,
        chunk: u32,
        rest: Vec<u8>,
    ) -> Result<(), SessionError> {
        if self.leg(id, slot)? == Leg::Ended {
            return Ok(());
        }
        let not_requested = SessionError::protocol(ErrorCode::NotRequested, Context::Chunk(chunk));
        let (Some(link), Some(study)) = (self.links.get_mut(&id), self.studies.get_mut(&slot))
        else {
            return Err(not_requested);
        };
        let owed = link.owed.contains_key(&(slot, chunk));
        let (true, Some((instance, index, _))) = (owed, study.place(chunk)) else {
            return Err(not_requested);
        };
        if study.is_settled() || study.has(chunk) {
            link.settle(slot, chunk);
            return Ok(());
        }
        if link.crossing.contains(&(slot, chunk)) {
            // It was on its way when the pieces were taken back: to be asked for as a whole.
            link.settle(slot, chunk);
            study.give_back(chunk);
            return Ok(());
        }
        if !link.is_told(slot, instance) {
            let context = Context::Frame("DATA without pieces that are not held");
            return Err(SessionError::protocol(ErrorCode::BadFrame, context));
        }
        if study.rest_of(chunk) != u32::try_from(rest.len()).ok() {
            let chunk = index;
            return Err(SessionError::WrongChunk { instance, chunk });
        }
        let (ticket, root) = (self.ticket, study.root());
        if link.decoding.insert((slot, chunk), ticket).is_some() {
            return Err(not_requested);
        }
        self.ticket = ticket.saturating_add(1);
        if let Some(root) = root {
            let action = Action::Fill {
                chunk,
                rest,
                ticket,
            };
            let op = StoreOp::new(slot, root, action);
            self.out.push_back(ReceiverOutput::Store(op));
        }
        Ok(())
    }

    /// The store has filled a chunk and kept it with `local` bytes from here, or could not. That says nothing
    /// of the source: the chunk is asked for as a whole, and judged then.
    pub(super) fn filled(
        &mut self,
        slot: u16,
        chunk: u32,
        ticket: u64,
        local: Option<u32>,
        now: Instant,
    ) {
        let mut links = self.links.iter_mut();
        let asked = links.find(|(_, link)| link.decoding.get(&(slot, chunk)) == Some(&ticket));
        let asked = asked.map(|(id, link)| {
            link.decoding.remove(&(slot, chunk));
            *id
        });
        if let Some(id) = asked {
            self.settle(id, slot, chunk);
        }
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if let Some(local) = local {
            // Where its connection was lost meanwhile it waits to be asked for again.
            study.plan.drop_chunk(chunk);
            return self.written(slot, chunk, local, now);
        }
        if asked.is_some() && !study.has(chunk) {
            study.give_back(chunk);
        }
        if let Some((instance, ..)) = study.place(chunk) {
            study.pieces.remove(&instance);
            self.take_back(slot, instance);
        }
    }

    /// Names no pieces of an instance any more. What is on its way without them is asked for again.
    fn take_back(&mut self, slot: u16, instance: u32) {
        let chunks = self.studies.get(&slot).and_then(Study::manifest);
        let Some(chunks) = chunks.and_then(|known| known.chunks_of(instance)) else {
            return;
        };
        let links = self.links.iter_mut();
        let told: Vec<ConnectionId> = links
            .filter_map(|(id, link)| link.untell(slot, instance, chunks).then_some(*id))
            .collect();
        for id in told {
            let runs = Vec::new();
            self.send(
                id,
                Frame::Held {
                    slot,
                    instance,
                    runs,
                },
            );
        }
    }

    /// An instance is whole: where a source keeps much already it need not keep this.
    pub(super) fn untell_whole(&mut self, slot: u16, instance: u32) {
        if self.links.values().any(super::link::Link::is_told_much) {
            self.take_back(slot, instance);
        }
    }
}
