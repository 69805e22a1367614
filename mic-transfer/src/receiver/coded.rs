//! Chunks that come in a coded form: decoded outside, then as if they had come as they are.
//!
//! Decoding is pure, so that the receiver stays the same whoever does it, where and when. A chunk is owed
//! until it is decoded: the window bounds what waits, and a lost connection gives it back.

use alloc::vec::Vec;

use super::Receiver;
use super::event::{ConnectionId, ReceiverOutput};
use super::link::Leg;
use crate::Instant;
use crate::error::{Context, ErrorCode, SessionError};
use crate::wire::Codec;

/// A chunk to be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeJob {
    place: Place,
    codec: Codec,
    coded: Vec<u8>,
    length: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    connection: ConnectionId,
    slot: u16,
    chunk: u32,
    ticket: u64,
}

impl DecodeJob {
    /// The connection it came on: one thread for each is a good division of the work.
    #[must_use]
    pub const fn connection(&self) -> ConnectionId {
        self.place.connection
    }

    /// How it is coded.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The coded bytes.
    #[must_use]
    pub fn coded(&self) -> &[u8] {
        &self.coded
    }

    /// Bytes of the chunk, at most [`CHUNK_BYTES`](crate::limits::CHUNK_BYTES).
    #[must_use]
    pub const fn length(&self) -> u32 {
        self.length
    }

    /// The chunk, or `None` where the bytes can't be decoded.
    #[must_use]
    pub fn finish(self, bytes: Option<Vec<u8>>) -> Decoded {
        Decoded {
            place: self.place,
            bytes,
        }
    }

    /// Decodes it into `buffer`.
    #[cfg(feature = "coding")]
    #[cfg_attr(docsrs, doc(cfg(feature = "coding")))]
    #[must_use]
    pub fn run(self, decoder: &mut crate::coding::Decoder, mut buffer: Vec<u8>) -> Decoded {
        let length = self.length as usize;
        let decoded = decoder.decode(self.codec, &self.coded, length, &mut buffer);
        self.finish(decoded.is_ok().then_some(buffer))
    }
}

/// What came of a [`DecodeJob`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    place: Place,
    bytes: Option<Vec<u8>>,
}

impl Receiver {
    pub(super) fn handle_coded(
        &mut self,
        id: ConnectionId,
        slot: u16,
        chunk: u32,
        codec: Codec,
        coded: Vec<u8>,
    ) -> Result<(), SessionError> {
        if !self.config.codecs.has(codec) {
            let context = Context::Frame("DATA of a codec not taken");
            return Err(SessionError::protocol(ErrorCode::BadFrame, context));
        }
        if self.leg(id, slot)? == Leg::Ended {
            return Ok(());
        }
        let not_requested = SessionError::protocol(ErrorCode::NotRequested, Context::Chunk(chunk));
        let ticket = self.ticket;
        let (Some(link), Some(study)) = (self.links.get_mut(&id), self.studies.get(&slot)) else {
            return Err(not_requested);
        };
        let owed = link.owed.contains_key(&(slot, chunk));
        let (true, Some((instance, index, length))) = (owed, study.place(chunk)) else {
            return Err(not_requested);
        };
        if study.is_settled() {
            link.settle(slot, chunk);
            return Ok(());
        }
        // A coded form that is no shorter is never sent (XFR-80).
        if coded.len() >= length as usize {
            let chunk = index;
            return Err(SessionError::WrongChunk { instance, chunk });
        }
        if link.decoding.insert((slot, chunk), ticket).is_some() {
            return Err(not_requested);
        }
        self.ticket = ticket.saturating_add(1);
        let connection = id;
        let place = Place {
            connection,
            slot,
            chunk,
            ticket,
        };
        self.out.push_back(ReceiverOutput::Decode(DecodeJob {
            place,
            codec,
            coded,
            length,
        }));
        Ok(())
    }

    /// A chunk was decoded. It is verified as any other; one that can't be decoded, or is not what its
    /// digest says, ends the connection.
    pub fn handle_decoded(&mut self, decoded: Decoded, now: Instant) {
        self.now = self.now.max(now);
        let Decoded { place, bytes } = decoded;
        let Place {
            connection: id,
            slot,
            chunk,
            ticket,
        } = place;
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if link.decoding.get(&(slot, chunk)) != Some(&ticket) {
            // The connection or the study ended meanwhile.
            return;
        }
        link.decoding.remove(&(slot, chunk));
        let taken = match bytes {
            Some(bytes) => self.handle_data(id, slot, chunk, bytes),
            None => {
                let place = self.studies.get(&slot).and_then(|study| study.place(chunk));
                let (instance, chunk, _) = place.unwrap_or((0, chunk, 0));
                Err(SessionError::WrongChunk { instance, chunk })
            }
        };
        if let Err(error) = taken {
            self.fail_link(id, error, now);
        }
        self.top_up(now);
    }
}
