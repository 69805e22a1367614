//! First images that come ahead of the rest of the manifest (XFR-64): held in memory, within a credit,
//! until the study is open in the store.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::Receiver;
use super::event::ReceiverEvent;
use super::state::StudyState;
use crate::limits::EARLY_BYTES_MAX;
use crate::manifest::{FirstImage, ManifestHead, SignedHead};

/// What has come of a study before its manifest was whole.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// Bytes of first images that the source may send unasked.
    pub(super) credit: u32,
    pub(super) head: Option<SignedHead>,
    pub(super) chunks: BTreeMap<u32, Vec<u8>>,
    /// The application has judged the head.
    pub(super) accepted: bool,
    shown: BTreeSet<u32>,
}

impl Early {
    pub(super) fn head(&self) -> Option<&ManifestHead> {
        self.head.as_ref().map(SignedHead::head)
    }

    /// The first images that are whole and were not shown, with their bytes.
    fn ready(&mut self) -> Vec<(FirstImage, Vec<u8>)> {
        let mut ready = Vec::new();
        for image in self.head.iter().flat_map(|head| head.head().first()) {
            let last = u32::try_from(image.end()).unwrap_or(u32::MAX);
            let chunks = image.chunk()..last;
            if chunks.clone().all(|chunk| self.chunks.contains_key(&chunk))
                && self.shown.insert(image.instance())
            {
                let parts = self.chunks.range(chunks).map(|(_, bytes)| bytes.as_slice());
                ready.push((*image, parts.collect::<Vec<_>>().concat()));
            }
        }
        ready
    }
}

impl Receiver {
    /// The head's signature is accepted: first images may be shown as they come
    /// ([`ReceiverEvent::First`]). Without this they are kept until the manifest is accepted.
    pub fn accept_first(&mut self, slot: u16) {
        if let Some(study) = self.studies.get_mut(&slot) {
            study.early.accepted = true;
            self.show_first(slot);
        }
    }

    pub(super) fn show_first(&mut self, slot: u16) {
        let study = self.studies.get_mut(&slot);
        let Some(study) = study.filter(|study| study.early.accepted) else {
            return;
        };
        for (image, bytes) in study.early.ready() {
            self.event(ReceiverEvent::First {
                slot,
                instance: image.instance(),
                digest: *image.digest(),
                bytes,
            });
        }
    }

    /// Bytes of first images that a source may send ahead for one study more.
    pub(super) fn early_credit(&self) -> u32 {
        let waiting = self.studies.values().filter(|study| {
            matches!(
                study.state,
                StudyState::Requested
                    | StudyState::Offered
                    | StudyState::Judging
                    | StudyState::Opening
            )
        });
        let taken = waiting.fold(0_u32, |sum, study| sum.saturating_add(study.early.credit));
        let left = EARLY_BYTES_MAX.saturating_sub(taken);
        self.config.early_bytes.min(left)
    }
}
