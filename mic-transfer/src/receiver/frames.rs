//! What each frame of a source does.

use alloc::vec::Vec;

use super::Receiver;
use super::event::{ConnectionId, ReceiverEvent, ReceiverOutput};
use super::link::{Leg, Phase};
use super::state::{StudyInput, StudyState};
use super::study::Study;
use crate::error::{Context, ErrorCode, SessionError};
use crate::store::{Action, StoreOp};
use crate::wire::{Frame, NO_SLOT, Offer, Report};
use crate::{Digest, Instant, SignedManifest};

impl Receiver {
    pub(super) fn handle_frame(
        &mut self,
        id: ConnectionId,
        mut frame: Frame,
        now: Instant,
    ) -> Result<(), SessionError> {
        let name = frame.name();
        let out_of_order = SessionError::protocol(ErrorCode::OutOfOrder, Context::Frame(name));
        let Some(phase) = self.links.get(&id).map(|link| link.phase) else {
            return Ok(());
        };
        if let Some(slot) = frame.slot_mut() {
            match self.links.get(&id).and_then(|link| link.inward(*slot)) {
                Some(Some(study)) => *slot = study,
                // The study is forgotten: its frames crossed the end on the line (XFR-25).
                Some(None) => return Ok(()),
                None => return Err(out_of_order),
            }
        }
        match (phase, frame) {
            (_, Frame::Skipped { .. }) => Ok(()),
            (
                _,
                Frame::Error {
                    slot: NO_SLOT,
                    report: Report { code, reason, text },
                },
            ) => {
                // The source has closed: its words are the reason, there is nobody to answer.
                self.drop_link(id, Some(SessionError::Reported { code, reason, text }), now);
                Ok(())
            }
            (_, Frame::Bye) => {
                self.handle_disconnect(id, now);
                Ok(())
            }
            (Phase::Greeting, Frame::Hello(session)) => {
                if let Some(link) = self.links.get_mut(&id) {
                    link.phase = Phase::Open;
                    link.let_in_at = now;
                    link.allows = (usize::from(session.slots), session.runs as usize);
                    link.allow_held(session.held_runs);
                }
                self.event(ReceiverEvent::Connected(id));
                self.join(id);
                Ok(())
            }
            (Phase::Open, Frame::Offer { slot, offer }) => self.handle_offer(id, slot, offer),
            (
                Phase::Open,
                Frame::Manifest {
                    slot,
                    offset,
                    bytes,
                },
            ) => self.handle_manifest(id, slot, offset, &bytes, now),
            (
                Phase::Open,
                Frame::Leaves {
                    slot,
                    instance,
                    values,
                },
            ) => {
                if self.leg(id, slot)? == Leg::Ended {
                    return Ok(());
                }
                let study = self.studies.get_mut(&slot).ok_or(out_of_order)?;
                if study.is_settled() {
                    return Ok(());
                }
                let leaves = study.take_leaves(instance, values)?;
                if let Some(leaves) = leaves.filter(|_| study.state == StudyState::Receiving) {
                    let root = study.root().unwrap_or(Digest::from_bytes([0; 32]));
                    let op = StoreOp::new(slot, root, Action::Leaves(instance, leaves));
                    self.out.push_back(ReceiverOutput::Store(op));
                }
                Ok(())
            }
            (Phase::Open, Frame::Rest { slot, chunk, bytes }) => {
                self.handle_rest(id, slot, chunk, bytes)
            }
            (Phase::Open, Frame::Data { slot, chunk, bytes }) => {
                let decoding = self.links.get(&id).map(|link| &link.decoding);
                if decoding.is_some_and(|decoding| decoding.contains_key(&(slot, chunk))) {
                    let context = Context::Chunk(chunk);
                    return Err(SessionError::protocol(ErrorCode::NotRequested, context));
                }
                self.handle_data(id, slot, chunk, bytes)
            }
            (
                Phase::Open,
                Frame::Coded {
                    slot,
                    chunk,
                    codec,
                    bytes,
                },
            ) => self.handle_coded(id, slot, chunk, codec, bytes),
            (
                Phase::Open,
                Frame::Countersign {
                    slot,
                    receipt,
                    signature,
                },
            ) => {
                let link = self.links.get_mut(&id);
                let awaited = link.is_some_and(|link| link.unanswered.remove(&slot));
                let study = self
                    .studies
                    .get_mut(&slot)
                    .filter(|_| awaited)
                    .ok_or(out_of_order)?;
                let same = study
                    .receipt
                    .as_ref()
                    .is_some_and(|(known, _)| known.digest() == receipt);
                if !same {
                    return Err(SessionError::protocol(
                        ErrorCode::OutOfOrder,
                        Context::Frame(name),
                    ));
                }
                let root = *receipt_root(study);
                self.set_leg(id, slot, Leg::Ended);
                let action = Action::Countersign(signature.clone());
                self.out
                    .push_back(ReceiverOutput::Store(StoreOp::new(slot, root, action)));
                self.event(ReceiverEvent::Countersigned { slot, signature });
                self.join_waiting();
                Ok(())
            }
            (Phase::Open, Frame::Error { slot, report }) => self.handle_refusal(id, slot, report),
            _ => Err(out_of_order),
        }
    }

    pub(super) fn leg(&self, id: ConnectionId, slot: u16) -> Result<Leg, SessionError> {
        let leg = self
            .links
            .get(&id)
            .and_then(|link| link.legs.get(&slot))
            .copied();
        leg.ok_or(SessionError::protocol(
            ErrorCode::OutOfOrder,
            Context::Frame("slot"),
        ))
    }

    pub(super) fn handle_offer(
        &mut self,
        id: ConnectionId,
        slot: u16,
        offer: Offer,
    ) -> Result<(), SessionError> {
        match self.leg(id, slot)? {
            Leg::Ended => return Ok(()),
            Leg::Ready => {
                return Err(SessionError::protocol(
                    ErrorCode::OutOfOrder,
                    Context::Frame("OFFER"),
                ));
            }
            Leg::Asked => {}
        }
        self.set_leg(id, slot, Leg::Ready);
        let Some(study) = self.studies.get_mut(&slot) else {
            return Ok(());
        };
        if study.is_settled() || study.is_over() {
            // It became whole while this source was asked, and COMMIT has gone elsewhere.
            self.set_leg(id, slot, Leg::Ended);
            self.send(id, Frame::Cancel { slot });
            return Ok(());
        }
        let known = study.root() == Some(offer.root);
        if study.state != StudyState::Requested {
            // A further connection, or one after a cut: only the same study will do.
            if known && offer.manifest_bytes == 0 {
                return Ok(());
            }
            self.set_leg(id, slot, Leg::Ended);
            self.send(id, Frame::Cancel { slot });
            if !self.has_leg(slot) {
                let error =
                    SessionError::protocol(ErrorCode::StudyChanged, Context::Frame("OFFER"));
                self.fail_study(slot, error, true);
            }
            return Ok(());
        }
        if offer.manifest_bytes == 0 {
            if !known {
                return Err(SessionError::protocol(
                    ErrorCode::WrongManifest,
                    Context::Frame("OFFER"),
                ));
            }
            study.step(StudyInput::OfferKnown);
            // The signature of this offer counts, where there is one; the root is the same.
            if let (Some(signed), Some(signature)) = (&study.signed, offer.signature) {
                study.signed = Some(SignedManifest::new(
                    signed.manifest().clone(),
                    Some(signature),
                ));
            }
            self.judge(slot);
        } else {
            study.step(StudyInput::Offer);
            study.manifest_from = Some(id);
            study.manifest_bytes = Vec::new();
            if study
                .early
                .head()
                .is_some_and(|head| *head.root() != offer.root)
            {
                // What came early over a lost line is of another state of the study.
                study.drop_unkept();
            }
            study.offer = Some(offer);
            if self.is_overfull() {
                self.fail_study(slot, too_much(), false);
            }
        }
        Ok(())
    }

    pub(super) fn handle_manifest(
        &mut self,
        id: ConnectionId,
        slot: u16,
        offset: u32,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), SessionError> {
        let wrong = SessionError::protocol(ErrorCode::OutOfOrder, Context::Frame("MANIFEST"));
        if self.leg(id, slot)? == Leg::Ended {
            return Ok(());
        }
        let Some(study) = self.studies.get_mut(&slot) else {
            return Ok(());
        };
        let (StudyState::Offered, Some(offer)) = (study.state, &study.offer) else {
            return Err(wrong);
        };
        let total = offer.manifest_bytes as usize;
        let end = study.manifest_bytes.len().saturating_add(bytes.len());
        let first = study.manifest_bytes.is_empty();
        if study.manifest_from != Some(id)
            || offset as usize != study.manifest_bytes.len()
            || end > total
        {
            return Err(wrong);
        }
        if first {
            self.handle_head(id, slot, bytes, now)?;
        }
        let Some(study) = self.studies.get_mut(&slot) else {
            return Ok(());
        };
        study.manifest_bytes.extend_from_slice(bytes);
        if end == total {
            study.finish_manifest()?;
            self.judge(slot);
        }
        Ok(())
    }

    /// The head of a manifest: the first images within the credit are owed from now on.
    fn handle_head(
        &mut self,
        id: ConnectionId,
        slot: u16,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), SessionError> {
        let Some(study) = self.studies.get_mut(&slot) else {
            return Ok(());
        };
        let head = study.take_head(bytes)?;
        let credit = study.early.credit;
        if let Some(link) = self.links.get_mut(&id) {
            for image in head.head().early(credit) {
                let last = u32::try_from(image.end()).unwrap_or(u32::MAX);
                for chunk in image.chunk()..last {
                    link.owe(slot, chunk, image.length_of(chunk), now);
                }
            }
        }
        self.event(ReceiverEvent::Announced { slot, head });
        Ok(())
    }

    /// Asks the application about the manifest, and the other connections for the study.
    pub(super) fn judge(&mut self, slot: u16) {
        let Some(signed) = self
            .studies
            .get(&slot)
            .and_then(|study| study.signed.clone())
        else {
            return;
        };
        if self.is_overfull() {
            return self.fail_study(slot, too_much(), false);
        }
        self.event(ReceiverEvent::Offered { slot, signed });
        let others: Vec<ConnectionId> = self.open_links().collect();
        for id in others {
            self.request(id, slot);
        }
    }

    pub(super) fn handle_data(
        &mut self,
        id: ConnectionId,
        slot: u16,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), SessionError> {
        if self.leg(id, slot)? == Leg::Ended {
            return Ok(());
        }
        let owed = self.settle(id, slot, chunk);
        let study = self.studies.get_mut(&slot).filter(|_| owed);
        let Some(study) = study else {
            return Err(SessionError::protocol(
                ErrorCode::NotRequested,
                Context::Chunk(chunk),
            ));
        };
        if study.is_settled() || study.has(chunk) {
            // It came early and the store had it, or it was filled for a connection that is lost.
            return Ok(());
        }
        if let Err(error) = study.verify(chunk, &bytes) {
            // It is owed still: somebody else may have it right.
            study.give_back(chunk);
            return Err(error);
        }
        if study.state != StudyState::Receiving {
            study.early.chunks.insert(chunk, bytes);
            self.show_first(slot);
            return Ok(());
        }
        let root = study.root().unwrap_or(Digest::from_bytes([0; 32]));
        let op = StoreOp::new(slot, root, Action::Write { chunk, bytes });
        self.out.push_back(ReceiverOutput::Store(op));
        Ok(())
    }

    pub(super) fn handle_refusal(
        &mut self,
        id: ConnectionId,
        slot: u16,
        report: Report,
    ) -> Result<(), SessionError> {
        if self.leg(id, slot)? == Leg::Ended {
            return Ok(());
        }
        self.set_leg(id, slot, Leg::Ended);
        self.give_back(id, Some(slot));
        if let Some(link) = self.links.get_mut(&id) {
            link.unanswered.remove(&slot);
        }
        // Other sources of the study carry on; the last one's refusal is the study's end.
        if !self.has_leg(slot) {
            let Report { code, reason, text } = report;
            self.fail_study(slot, SessionError::Reported { code, reason, text }, true);
        }
        Ok(())
    }
}

const fn too_much() -> SessionError {
    SessionError::protocol(ErrorCode::Busy, Context::Frame("OFFER"))
}

fn receipt_root(study: &Study) -> &Digest {
    const NONE: Digest = Digest::from_bytes([0; 32]);
    study
        .receipt
        .as_ref()
        .map_or(&NONE, |(receipt, _)| receipt.root())
}
