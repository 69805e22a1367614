//! What one connection of a source does with a chunk before it goes out.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::paths::Path;
use crate::Instant;
use crate::sender::{ChunkSent, CoderPolicy, Sender};
use crate::source::Source;

/// Codes the chunks of one connection, on its thread, by the policy and what was measured on its path.
#[derive(Debug)]
pub(super) struct Coder {
    policy: CoderPolicy,
    path: Arc<Path>,
    /// When the last chunk was sent.
    free: Option<Instant>,
    /// A chunk that is to be written next.
    leaving: Option<ChunkSent>,
    #[cfg(feature = "coding")]
    encoder: crate::coding::Encoder,
    #[cfg(feature = "coding")]
    plain: Vec<u8>,
}

impl Coder {
    pub(super) fn new(policy: CoderPolicy, path: Arc<Path>) -> Self {
        Self {
            policy,
            path,
            free: None,
            leaving: None,
            #[cfg(feature = "coding")]
            encoder: crate::coding::Encoder::new(),
            #[cfg(feature = "coding")]
            plain: Vec::new(),
        }
    }

    /// A packet was written.
    pub(super) fn wrote(&mut self, bytes: usize) {
        // Control frames say nothing of the line.
        if let Some(mut chunk) = self.leaving.take() {
            chunk.written = bytes as u64;
            chunk.ended = self.path.now();
            self.free = Some(chunk.ended);
            self.path.chooser().sent(&chunk);
        }
    }

    /// Answers [`crate::sender::SenderOutput::Read`] for slot, instance, offset and length.
    pub(super) fn answer(
        &mut self,
        sender: &mut Sender,
        source: &impl Source,
        (slot, instance, offset, length): (u16, u32, u64, u32),
        mut buffer: Vec<u8>,
    ) {
        let began = self.path.now();
        let Some(manifest) = sender.manifest(slot).cloned() else {
            return sender.handle_read(None);
        };
        let accepted = sender.accepts();
        if self.policy != CoderPolicy::Off && !accepted.is_raw() {
            let kept = source.coded(&manifest, instance, offset, accepted, &mut buffer);
            if let Some(codec) = kept.filter(|_| buffer.len() < length as usize) {
                self.leaves(length, true, began);
                return sender.handle_coded(codec, buffer);
            }
        }
        buffer.resize(length as usize, 0);
        if source
            .read(&manifest, instance, offset, &mut buffer)
            .is_err()
        {
            return sender.handle_read(None);
        }
        #[cfg(feature = "coding")]
        if !accepted.is_raw() {
            let codes = self.is_coding();
            if codes {
                let hint = source.hint(&manifest, instance);
                let plain = core::mem::replace(&mut self.plain, buffer);
                let mut coded = plain;
                let codec =
                    self.encoder
                        .encode(&self.plain, offset, hint.as_ref(), accepted, &mut coded);
                self.leaves(length, true, began);
                if codec != crate::wire::Codec::Raw {
                    return sender.handle_coded(codec, coded);
                }
                // The buffer of the coded form stays for the next one.
                buffer = core::mem::replace(&mut self.plain, coded);
            } else {
                self.leaves(length, false, began);
            }
        }
        sender.handle_read(Some(buffer));
    }

    /// A chunk is ready to be written; only where there is a choice is it measured.
    fn leaves(&mut self, length: u32, tried: bool, began: Instant) {
        if self.policy == CoderPolicy::Trial {
            self.leaving = Some(ChunkSent {
                plain: u64::from(length),
                written: 0,
                tried,
                free: self.free.unwrap_or(began),
                began,
                ready: self.path.now(),
                ended: Instant::ZERO,
            });
        }
    }

    #[cfg(feature = "coding")]
    fn is_coding(&self) -> bool {
        match self.policy {
            CoderPolicy::Always => true,
            CoderPolicy::Trial => self.path.chooser().codes(),
            _ => false,
        }
    }
}
