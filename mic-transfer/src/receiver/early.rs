//! First images that come ahead of the rest of the manifest (XFR-64): held in memory, within a credit,
//! until the study is open in the store.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::Receiver;
use super::event::ReceiverEvent;
use super::state::StudyState;
use crate::limits::{CHUNK_BYTES, EARLY_BYTES_MAX};
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
    /// Of each first image that is not whole the bytes that are here in order.
    building: BTreeMap<u32, Vec<u8>>,
    shown: BTreeSet<u32>,
}

impl Early {
    pub(super) fn head(&self) -> Option<&ManifestHead> {
        self.head.as_ref().map(SignedHead::head)
    }

    /// The store takes the chunks over.
    pub(super) fn take_chunks(&mut self) -> BTreeMap<u32, Vec<u8>> {
        self.building.clear();
        core::mem::take(&mut self.chunks)
    }

    /// The first images that are whole and were not shown, with their bytes. They are put together as they come, so
    /// that little is left to do when the last chunk is here.
    fn ready(&mut self) -> Vec<(FirstImage, Vec<u8>)> {
        let mut ready = Vec::new();
        for image in self.head.iter().flat_map(|head| head.head().first()) {
            if self.shown.contains(&image.instance()) {
                continue;
            }
            let file = self.building.entry(image.instance()).or_default();
            let last = u32::try_from(image.end()).unwrap_or(u32::MAX);
            let had = u32::try_from(file.len().div_ceil(CHUNK_BYTES)).unwrap_or(u32::MAX);
            for chunk in image.chunk().saturating_add(had)..last {
                let Some(bytes) = self.chunks.get(&chunk) else {
                    break;
                };
                if file.is_empty() {
                    // Within the credit: nothing else of it comes early.
                    file.reserve_exact(usize::try_from(image.length()).unwrap_or(0));
                }
                file.extend_from_slice(bytes);
            }
            if file.len() as u64 == image.length() {
                ready.push((*image, core::mem::take(file)));
                self.building.remove(&image.instance());
                self.shown.insert(image.instance());
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
