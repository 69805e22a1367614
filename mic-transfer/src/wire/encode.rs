//! Frames to bytes.

use alloc::vec::Vec;

use super::codec::{Codec, REST};
use super::frame::{Frame, field, kind};
use super::tlv::{put, put_signature};
use super::{HEADER_BYTES, NO_SLOT};
use crate::Run;
use crate::crc::crc32c;

/// Bytes to send: a head and, for DATA, the chunk as it was read. Send both in this order.
///
/// ```
/// use mic_transfer::wire::{Frame, encode};
/// let packet = encode(&Frame::Bye);
/// assert_eq!(packet.len(), 16);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packet {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Packet {
    /// The two parts.
    #[must_use]
    pub fn parts(&self) -> [&[u8]; 2] {
        [&self.head, &self.body]
    }

    /// Bytes of both parts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Both parts in one piece.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.parts().concat()
    }

    /// Head and body, to be sent in this order.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Vec<u8>) {
        (self.head, self.body)
    }

    /// The chunk's buffer, to be used again.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// The bytes of a frame.
#[must_use]
pub fn encode(frame: &Frame) -> Packet {
    match frame {
        Frame::Data { slot, chunk, bytes } => data(*slot, *chunk, Codec::Raw, bytes.clone()),
        Frame::Coded {
            slot,
            chunk,
            codec,
            bytes,
        } => data(*slot, *chunk, *codec, bytes.clone()),
        Frame::Rest { slot, chunk, bytes } => rest(*slot, *chunk, bytes.clone()),
        other => control(other),
    }
}

/// A DATA frame that takes the chunk without copying it.
pub(crate) fn data(slot: u16, chunk: u32, codec: Codec, bytes: Vec<u8>) -> Packet {
    let head = header(kind::DATA, codec.number(), slot, chunk, bytes.len(), &[]);
    Packet {
        head: head.to_vec(),
        body: bytes,
    }
}

/// A DATA frame of what lies outside held pieces.
pub(crate) fn rest(slot: u16, chunk: u32, bytes: Vec<u8>) -> Packet {
    let head = header(kind::DATA, REST, slot, chunk, bytes.len(), &bytes);
    Packet {
        head: head.to_vec(),
        body: bytes,
    }
}

fn control(frame: &Frame) -> Packet {
    let mut body = Vec::new();
    let (kind, slot, word) = match frame {
        Frame::Hello(session) => {
            put(&mut body, field::SLOTS, &session.slots.to_le_bytes());
            put(&mut body, field::RUNS, &session.runs.to_le_bytes());
            put(&mut body, field::AUTH, session.auth.as_bytes());
            let codecs: Vec<u8> = session.codecs.coded().map(Codec::number).collect();
            if !codecs.is_empty() {
                put(&mut body, field::CODECS, &codecs);
            }
            if session.held_runs > 0 {
                put(
                    &mut body,
                    field::HELD_RUNS,
                    &session.held_runs.to_le_bytes(),
                );
            }
            (kind::HELLO, NO_SLOT, 0)
        }
        Frame::Request { slot, request } => {
            put(&mut body, field::AUTH, request.auth.as_bytes());
            put(&mut body, field::STUDY, request.study.as_str().as_bytes());
            if let Some(root) = &request.known {
                put(&mut body, field::ROOT, root.as_bytes());
            }
            if request.early > 0 {
                put(&mut body, field::EARLY, &request.early.to_le_bytes());
            }
            (kind::REQUEST, *slot, 0)
        }
        Frame::Offer { slot, offer } => {
            put(&mut body, field::ROOT, offer.root.as_bytes());
            put(
                &mut body,
                field::MANIFEST_BYTES,
                &offer.manifest_bytes.to_le_bytes(),
            );
            put_signature(&mut body, offer.signature.as_ref());
            (kind::OFFER, *slot, 0)
        }
        Frame::Manifest {
            slot,
            offset,
            bytes,
        } => {
            body.extend_from_slice(bytes);
            (kind::MANIFEST, *slot, *offset)
        }
        Frame::Want { slot, class, runs } => {
            put_runs(&mut body, runs);
            (kind::WANT, *slot, *class)
        }
        Frame::Rank { slot, class, runs } => {
            put_runs(&mut body, runs);
            (kind::RANK, *slot, *class)
        }
        Frame::Held {
            slot,
            instance,
            runs,
        } => {
            put_runs(&mut body, runs);
            (kind::HELD, *slot, *instance)
        }
        Frame::Leaves {
            slot,
            instance,
            values,
        } => {
            values
                .iter()
                .for_each(|value| body.extend_from_slice(value));
            (kind::LEAVES, *slot, *instance)
        }
        Frame::Data { slot, chunk, bytes }
        | Frame::Rest { slot, chunk, bytes }
        | Frame::Coded {
            slot, chunk, bytes, ..
        } => {
            body.extend_from_slice(bytes);
            (kind::DATA, *slot, *chunk)
        }
        Frame::Commit {
            slot,
            root,
            fetched,
            held,
        } => {
            put(&mut body, field::ROOT, root.as_bytes());
            put(&mut body, field::FETCHED, &fetched.to_le_bytes());
            put(&mut body, field::HELD, &held.to_le_bytes());
            (kind::COMMIT, *slot, 0)
        }
        Frame::Receipt {
            slot,
            receipt,
            signature,
        } => {
            put_signature(&mut body, signature.as_ref());
            put(&mut body, field::RECEIPT, &receipt.encode());
            (kind::RECEIPT, *slot, 0)
        }
        Frame::Countersign {
            slot,
            receipt,
            signature,
        } => {
            put_signature(&mut body, signature.as_ref());
            put(&mut body, field::RECEIPT_DIGEST, receipt.as_bytes());
            (kind::COUNTERSIGN, *slot, 0)
        }
        Frame::Cancel { slot } => (kind::CANCEL, *slot, 0),
        Frame::Error { slot, report } => {
            if let Some(reason) = report.reason {
                put(&mut body, field::REASON, &reason.to_le_bytes());
            }
            put(&mut body, field::TEXT, report.text.as_bytes());
            (kind::ERROR, *slot, report.code.number())
        }
        Frame::Bye => (kind::BYE, NO_SLOT, 0),
        Frame::Skipped { kind } => (*kind, NO_SLOT, 0),
    };
    let mut head = header(kind, Codec::Raw.number(), slot, word, body.len(), &body).to_vec();
    head.extend_from_slice(&body);
    Packet {
        head,
        body: Vec::new(),
    }
}

fn put_runs(body: &mut Vec<u8>, runs: &[Run]) {
    for run in runs {
        body.extend_from_slice(&run.first().to_le_bytes());
        body.extend_from_slice(&run.count().to_le_bytes());
    }
}

/// The header; `checked` is the part of the body under the CRC.
fn header(
    kind: u8,
    codec: u8,
    slot: u16,
    word: u32,
    length: usize,
    checked: &[u8],
) -> [u8; HEADER_BYTES] {
    let mut head = [0_u8; HEADER_BYTES];
    let [l0, l1, l2, _] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let [s0, s1] = slot.to_le_bytes();
    let [w0, w1, w2, w3] = word.to_le_bytes();
    let opening = [l0, l1, l2, kind, 0, codec, s0, s1, w0, w1, w2, w3];
    let crc = crc32c(&[&opening, checked]).to_le_bytes();
    for (slot, byte) in head.iter_mut().zip(opening.iter().chain(&crc)) {
        *slot = *byte;
    }
    head
}
