//! What one connection of a source does with a chunk before it goes out.

use alloc::vec::Vec;

use crate::Instant;
use crate::sender::{Chooser, CoderPolicy, Sender};
use crate::source::Source;

/// Codes the chunks of one connection, on its thread, by the policy and what was measured.
#[derive(Debug)]
pub(super) struct Coder {
    policy: CoderPolicy,
    chooser: Chooser,
    #[cfg(feature = "coding")]
    encoder: crate::coding::Encoder,
    #[cfg(feature = "coding")]
    plain: Vec<u8>,
}

impl Coder {
    pub(super) fn new(policy: CoderPolicy) -> Self {
        Self {
            policy,
            chooser: Chooser::new(),
            #[cfg(feature = "coding")]
            encoder: crate::coding::Encoder::new(),
            #[cfg(feature = "coding")]
            plain: Vec::new(),
        }
    }

    /// A packet was written.
    pub(super) fn wrote(&mut self, bytes: usize, began: Instant, ended: Instant) {
        // Control frames say nothing of the line.
        if bytes >= crate::limits::CHUNK_BYTES / 64 {
            self.chooser.wrote(bytes as u64, began, ended);
        }
    }

    /// Nothing is asked for.
    pub(super) const fn idle(&mut self) {
        self.chooser.idle();
    }

    /// Answers [`crate::sender::SenderOutput::Read`] for slot, instance, offset and length.
    pub(super) fn answer(
        &mut self,
        sender: &mut Sender,
        source: &impl Source,
        (slot, instance, offset, length): (u16, u32, u64, u32),
        mut buffer: Vec<u8>,
    ) {
        let Some(manifest) = sender.manifest(slot).cloned() else {
            return sender.handle_read(None);
        };
        let accepted = sender.accepts();
        if self.policy != CoderPolicy::Off && !accepted.is_raw() {
            let kept = source.coded(&manifest, instance, offset, accepted, &mut buffer);
            if let Some(codec) = kept.filter(|_| buffer.len() < length as usize) {
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
        if self.is_coding() && !accepted.is_raw() {
            let hint = source.hint(&manifest, instance);
            let plain = core::mem::replace(&mut self.plain, buffer);
            let mut coded = plain;
            let began = std::time::Instant::now();
            let codec =
                self.encoder
                    .encode(&self.plain, offset, hint.as_ref(), accepted, &mut coded);
            self.chooser.coded(u64::from(length), began.elapsed());
            if codec == crate::wire::Codec::Raw {
                // The buffer of the coded form stays for the next one.
                let plain = core::mem::replace(&mut self.plain, coded);
                return sender.handle_read(Some(plain));
            }
            return sender.handle_coded(codec, coded);
        }
        sender.handle_read(Some(buffer));
    }

    #[cfg(feature = "coding")]
    const fn is_coding(&self) -> bool {
        match self.policy {
            CoderPolicy::Always => true,
            CoderPolicy::Trial => self.chooser.codes() || self.chooser.tries(),
            _ => false,
        }
    }
}
