//! Chunks on their way out, as they are or in a coded form.

use alloc::vec::Vec;

use super::held::Reading;
use super::{Sender, SenderOutput, SourceInput, SourceState};
use crate::error::ErrorCode;
use crate::wire::{Codec, Codecs, Report, data};

impl Sender {
    /// The bytes asked for by [`SenderOutput::Read`] in a coded form. One that the receiver does not take,
    /// or that is not shorter than the bytes, ends the study as unreadable: it is this side's fault.
    pub fn handle_coded(&mut self, codec: Codec, coded: Vec<u8>) {
        self.send_chunk(codec, Some(coded));
    }

    /// The codecs that the receiver takes for what is being read; raw alone until it has greeted, and for a
    /// chunk without the pieces that it holds.
    #[must_use]
    pub fn accepts(&self) -> Codecs {
        let whole = |reading: &Reading| reading.parts.is_none();
        if self.reading.as_ref().is_none_or(whole) {
            self.accepts
        } else {
            Codecs::raw()
        }
    }

    pub(super) fn send_chunk(&mut self, codec: Codec, bytes: Option<Vec<u8>>) {
        let Some(reading) = self.reading.take() else {
            return;
        };
        let (slot, chunk) = (reading.slot, reading.chunk);
        let Some(study) = self.studies.get(&slot) else {
            return;
        };
        if study.state != SourceState::Serving {
            return;
        }
        let place = study
            .signed
            .as_ref()
            .and_then(|signed| signed.manifest().place(chunk));
        let parts = reading.parts.is_some();
        match (bytes, place) {
            (Some(bytes), Some(place)) if parts && codec == Codec::Raw => {
                self.part_read(reading, place, &bytes);
            }
            (Some(bytes), Some(place))
                if !parts && self.is_right(codec, &bytes, place.length()) =>
            {
                self.data_bytes = self.data_bytes.saturating_add(bytes.len() as u64);
                self.out
                    .push_back(SenderOutput::Send(data(slot, chunk, codec, bytes)));
            }
            _ => self.end(
                slot,
                SourceInput::Unreadable,
                Report::new(ErrorCode::SourceUnreadable),
            ),
        }
    }

    /// Whether these bytes may go out for a chunk of `length` bytes (XFR-80).
    fn is_right(&self, codec: Codec, bytes: &[u8], length: u32) -> bool {
        if codec == Codec::Raw {
            bytes.len() == length as usize
        } else {
            self.accepts.has(codec) && !bytes.is_empty() && bytes.len() < length as usize
        }
    }
}
