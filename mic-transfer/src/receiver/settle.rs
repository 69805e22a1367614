//! From the store's answers to the receipt.

use alloc::vec::Vec;

use super::Receiver;
use super::event::{ReceiverEvent, ReceiverOutput};
use super::link::{Leg, Phase};
use super::state::{StudyInput, StudyState};
use super::study::Study;
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::store::{Action, StoreOp};
use crate::wire::Frame;
use crate::{Digest, Instant};

impl Receiver {
    pub(super) fn planned(
        &mut self,
        slot: u16,
        complete: bool,
        receipt: Option<(Receipt, Option<Signature>)>,
        now: Instant,
    ) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        let progress = study.progress(slot, now);
        let whole = progress.instances_done;
        self.out
            .push_back(ReceiverOutput::Event(ReceiverEvent::Planned(progress)));
        let ready: Vec<(u32, Digest)> = if whole == 0 {
            Vec::new()
        } else {
            study.whole_instances()
        };
        for (instance, digest) in ready {
            self.event(ReceiverEvent::Instance {
                slot,
                instance,
                digest,
            });
        }
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if complete {
            study.step(StudyInput::OpenedComplete);
            study.durable = Some(progress);
            self.send_commit(slot, now);
            match receipt {
                Some(receipt) => {
                    if let Some(study) = self.studies.get_mut(&slot) {
                        study.receipt = Some(receipt);
                    }
                    self.receipt_kept(slot, now);
                }
                None => self.event(ReceiverEvent::Durable { slot, progress }),
            }
        } else if study.is_whole() {
            study.step(StudyInput::OpenedFull);
            self.seal(slot, now);
        } else {
            study.step(StudyInput::Opened);
        }
    }

    /// A chunk is kept, `local` bytes of it from pieces that were here.
    pub(super) fn written(&mut self, slot: u16, chunk: u32, local: u32, now: Instant) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if study.state != StudyState::Receiving {
            return;
        }
        let whole = study.written(chunk, local);
        let progress = study.progress(slot, now);
        let sealing = study.is_whole() && study.step(StudyInput::AllWritten);
        if let Some((instance, digest)) = whole {
            self.untell_whole(slot, instance);
            self.event(ReceiverEvent::Instance {
                slot,
                instance,
                digest,
            });
        }
        self.event(ReceiverEvent::Progress(progress));
        if sealing {
            self.seal(slot, now);
        }
    }

    pub(super) fn seal(&mut self, slot: u16, now: Instant) {
        self.send_commit(slot, now);
        if let Some(root) = self.studies.get(&slot).and_then(Study::root) {
            self.out.push_back(ReceiverOutput::Store(StoreOp::new(
                slot,
                root,
                Action::Commit,
            )));
        }
    }

    pub(super) fn noted(&mut self, slot: u16, now: Instant) {
        let Some(study) = self.studies.get(&slot) else {
            return;
        };
        if study.state == StudyState::Committed && study.receipt.is_some() {
            self.receipt_kept(slot, now);
        }
    }

    pub(super) fn receipt_kept(&mut self, slot: u16, now: Instant) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        if !study.step(StudyInput::ReceiptKept) {
            return;
        }
        let Some((receipt, signature)) = study.receipt.clone() else {
            return;
        };
        let progress = study.progress(slot, now);
        let frame = Frame::Receipt {
            slot,
            receipt: receipt.clone(),
            signature,
        };
        if let Some(id) = study.committed_on {
            let ready = self
                .links
                .get_mut(&id)
                .filter(|link| link.phase == Phase::Open);
            if let Some(link) = ready {
                link.unanswered.insert(slot);
                link.heard_at = now;
                self.send(id, frame);
            }
        }
        self.event(ReceiverEvent::Complete {
            slot,
            receipt,
            progress,
        });
    }

    /// Tells one source that all is verified, and the others that nothing more is wanted.
    pub(super) fn send_commit(&mut self, slot: u16, now: Instant) {
        let Some(study) = self.studies.get_mut(&slot) else {
            return;
        };
        let progress = study.progress(slot, now);
        let Some(root) = study.root() else { return };
        let mut ready = self
            .links
            .iter()
            .filter(|(_, link)| {
                link.phase == Phase::Open && link.legs.get(&slot) == Some(&Leg::Ready)
            })
            .map(|(id, _)| *id)
            .collect::<Vec<_>>()
            .into_iter();
        study.committed_on = ready.next();
        if let Some(id) = study.committed_on {
            let (fetched, held) = (progress.bytes_fetched, progress.bytes_held);
            self.send(
                id,
                Frame::Commit {
                    slot,
                    root,
                    fetched,
                    held,
                },
            );
        }
        self.links
            .values_mut()
            .for_each(|link| link.untell_all(slot));
        for id in ready {
            self.set_leg(id, slot, Leg::Ended);
            self.send(id, Frame::Cancel { slot });
        }
    }
}
