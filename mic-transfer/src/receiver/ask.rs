//! Which connection is asked for which study.

use alloc::vec::Vec;

use super::Receiver;
use super::event::ConnectionId;
use super::link::{Leg, Phase};
use super::state::StudyState;
use crate::wire::{Frame, Request};

impl Receiver {
    /// Asks for the open studies on a connection that has just been let in.
    pub(super) fn join(&mut self, id: ConnectionId) {
        let slots: Vec<u16> = self
            .studies
            .iter()
            .filter(|(_, study)| !study.state.is_over() && study.state != StudyState::Committed)
            .map(|(slot, _)| *slot)
            .collect();
        for slot in slots {
            // Without a manifest one connection asks; the others follow when it is known.
            let known = self
                .studies
                .get(&slot)
                .is_some_and(|study| study.signed.is_some());
            if known || !self.has_leg(slot) {
                self.request(id, slot);
            }
        }
    }

    /// The first connection with room brings the manifest, the others join once it is known. Where none is open
    /// yet, one that greets is asked: that saves a round trip (XFR-24).
    pub(super) fn request_somewhere(&mut self, slot: u16) {
        let mut ids: Vec<ConnectionId> = self.open_links().collect();
        if ids.is_empty() {
            ids.extend(self.links.keys());
        }
        for id in ids {
            self.request(id, slot);
            if self.has_leg(slot) {
                return;
            }
        }
    }

    /// A study has ended: one that the sources had no room for may be asked for.
    pub(super) fn join_waiting(&mut self) {
        let ids: Vec<ConnectionId> = self.open_links().collect();
        ids.into_iter().for_each(|id| self.join(id));
    }

    pub(super) fn request(&mut self, id: ConnectionId, slot: u16) {
        let Some(study) = self.studies.get(&slot) else {
            return;
        };
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if link.phase == Phase::Open && link.is_worn() && link.active() == 0 {
            self.send(id, Frame::Bye);
            return self.drop_link(id, None, self.now);
        }
        if link.legs.contains_key(&slot) || !link.has_room() {
            return;
        }
        if link.active() == 0 && !link.is_waiting() {
            link.heard_at = self.now;
        }
        link.number(slot);
        link.legs.insert(slot, Leg::Asked);
        let mut request = Request {
            study: study.uid.clone(),
            auth: study.auth.clone(),
            known: study.root(),
            early: 0,
        };
        let early = request.known.is_none() && study.early.head.is_none() && study.is_waited_for();
        let credit = if early { self.early_credit() } else { 0 };
        if let Some(study) = self.studies.get_mut(&slot) {
            study.early.credit = credit;
            request.early = credit;
        }
        self.send(id, Frame::Request { slot, request });
    }

    pub(super) fn has_leg(&self, slot: u16) -> bool {
        let links = self.links.values();
        links
            .filter_map(|link| link.legs.get(&slot))
            .any(|leg| *leg != Leg::Ended)
    }
}
