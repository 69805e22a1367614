//! Bytes to frames: the header, then one function for each kind of body.

use alloc::string::String;
use alloc::vec::Vec;

use nom::Parser;
use nom::number::complete::{le_u8, le_u16, le_u24, le_u32};

use super::codec::{Codec, Codecs, REST};
use super::frame::{Frame, Offer, Report, Request, Session, field, kind};
use super::tlv::{Fields, pieces};
use super::{HEADER_BYTES, NO_SLOT};
use crate::error::ErrorCode;
use crate::limits::{
    CHUNK_BYTES, CODECS_MAX, CONTROL_BYTES_MAX, ERROR_TEXT_MAX, LEAVES_BYTES_MAX,
    MANIFEST_BYTES_MAX, MANIFEST_PART_BYTES, RUNS_MAX,
};
use crate::receipt::Receipt;
use crate::{Auth, Run, Uid};

/// Classes of urgency: 0 to 5.
pub(crate) const CLASSES: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes 0-2.
    pub(super) length: u32,
    /// Byte 3.
    pub(super) kind: u8,
    /// Byte 4, none defined.
    pub(super) flags: u8,
    /// Byte 5, 0 is raw.
    pub(super) codec: u8,
    /// Bytes 6-7.
    pub(super) slot: u16,
    /// Bytes 8-11.
    pub(super) word: u32,
    /// Bytes 12-15.
    pub(super) crc: u32,
}

impl Header {
    /// Whether the CRC leaves the body out: a chunk is judged by its digest. What is only part of one is
    /// under the CRC, so that damage on the line is told from damage of what the receiver holds.
    pub(super) const fn has_bare_body(self) -> bool {
        self.kind == kind::DATA && self.codec != REST
    }
}

pub(super) fn header(bytes: &[u8; HEADER_BYTES]) -> Option<Header> {
    let fields = (
        le_u24::<_, nom::error::Error<&[u8]>>,
        le_u8,
        le_u8,
        le_u8,
        le_u16,
        le_u32,
        le_u32,
    );
    let mut grammar = fields.map(|(length, kind, flags, codec, slot, word, crc)| Header {
        length,
        kind,
        flags,
        codec,
        slot,
        word,
        crc,
    });
    grammar.parse(&bytes[..]).ok().map(|(_, header)| header)
}

/// Most bytes of a body of this kind; `None` for a kind that must be known and is not.
pub(super) const fn body_max(kind: u8) -> Option<usize> {
    match kind {
        kind::DATA => Some(CHUNK_BYTES),
        kind::LEAVES => Some(LEAVES_BYTES_MAX),
        kind::MANIFEST => Some(MANIFEST_PART_BYTES),
        kind::CANCEL | kind::BYE => Some(0),
        kind::HELLO..=kind::ERROR | kind::HELD | kind::SKIPPABLE.. => Some(CONTROL_BYTES_MAX),
        _ => None,
    }
}

/// The frame of a header and its whole body, or `None` where the body breaks its grammar.
pub(super) fn frame(header: Header, body: Vec<u8>) -> Option<Frame> {
    let Header {
        kind, slot, word, ..
    } = header;
    let whole_connection = matches!(kind, kind::HELLO | kind::BYE);
    let either = kind == kind::ERROR || kind >= kind::SKIPPABLE;
    if !either && (slot == NO_SLOT) != whole_connection {
        return None;
    }
    let word_used = matches!(
        kind,
        kind::MANIFEST
            | kind::WANT
            | kind::RANK
            | kind::LEAVES
            | kind::DATA
            | kind::ERROR
            | kind::HELD
    );
    if word != 0 && !word_used && kind < kind::SKIPPABLE {
        return None;
    }
    match kind {
        kind::DATA if header.codec == REST => Some(Frame::Rest {
            slot,
            chunk: word,
            bytes: body,
        }),
        kind::DATA if body.is_empty() => None,
        kind::DATA => Some(match Codec::from_number(header.codec)? {
            Codec::Raw => Frame::Data {
                slot,
                chunk: word,
                bytes: body,
            },
            codec => Frame::Coded {
                slot,
                chunk: word,
                codec,
                bytes: body,
            },
        }),
        kind::MANIFEST if body.is_empty() => None,
        kind::MANIFEST => Some(Frame::Manifest {
            slot,
            offset: word,
            bytes: body,
        }),
        kind::LEAVES => {
            let values = pieces::<32>(&body)?;
            (values.len() > 1).then_some(Frame::Leaves {
                slot,
                instance: word,
                values,
            })
        }
        kind::WANT => Some(Frame::Want {
            slot,
            class: class(word)?,
            runs: runs(&body)?,
        }),
        kind::RANK => Some(Frame::Rank {
            slot,
            class: class(word)?,
            runs: runs(&body)?,
        }),
        kind::HELD => Some(Frame::Held {
            slot,
            instance: word,
            runs: rising(&body)?,
        }),
        kind::CANCEL => Some(Frame::Cancel { slot }),
        kind::BYE => Some(Frame::Bye),
        kind::SKIPPABLE.. => Some(Frame::Skipped { kind }),
        _ => control(kind, slot, word, &Fields::parse(&body)?),
    }
}

fn control(kind: u8, slot: u16, word: u32, fields: &Fields<'_>) -> Option<Frame> {
    match kind {
        kind::HELLO => {
            let slots = u16::try_from(fields.number::<2>(field::SLOTS)?).ok()?;
            let runs = u32::try_from(fields.number::<4>(field::RUNS)?).ok()?;
            let auth = auth(fields)?;
            // A side that allows nothing would be waited for without end (XFR-24).
            let codecs = codecs(fields)?;
            let held_runs = optional(fields, field::HELD_RUNS)?;
            (slots > 0 && runs > 0).then_some(Frame::Hello(Session {
                slots,
                runs,
                auth,
                codecs,
                held_runs,
            }))
        }
        kind::REQUEST => {
            let known = match fields.get(field::ROOT) {
                None => None,
                Some(_) => Some(fields.digest(field::ROOT)?),
            };
            let study = Uid::new(fields.text(field::STUDY)?).ok()?;
            let early = optional(fields, field::EARLY)?;
            Some(Frame::Request {
                slot,
                request: Request {
                    study,
                    auth: auth(fields)?,
                    known,
                    early,
                },
            })
        }
        kind::OFFER => {
            let manifest_bytes = u32::try_from(fields.number::<4>(field::MANIFEST_BYTES)?).ok()?;
            if manifest_bytes as usize > MANIFEST_BYTES_MAX {
                return None;
            }
            let (root, signature) = (fields.digest(field::ROOT)?, fields.signature()?);
            Some(Frame::Offer {
                slot,
                offer: Offer {
                    root,
                    manifest_bytes,
                    signature,
                },
            })
        }
        kind::COMMIT => Some(Frame::Commit {
            slot,
            root: fields.digest(field::ROOT)?,
            fetched: fields.number::<8>(field::FETCHED)?,
            held: fields.number::<8>(field::HELD)?,
        }),
        kind::RECEIPT => Some(Frame::Receipt {
            slot,
            receipt: Receipt::decode(fields.get(field::RECEIPT)?).ok()?,
            signature: fields.signature()?,
        }),
        kind::COUNTERSIGN => Some(Frame::Countersign {
            slot,
            receipt: fields.digest(field::RECEIPT_DIGEST)?,
            signature: fields.signature()?,
        }),
        kind::ERROR => {
            let reason = match fields.get(field::REASON) {
                None => None,
                Some(_) => Some(u16::try_from(fields.number::<2>(field::REASON)?).ok()?),
            };
            let text = fields.text(field::TEXT)?;
            if text.len() > ERROR_TEXT_MAX || text.chars().any(char::is_control) {
                return None;
            }
            let code = ErrorCode::from_number(word);
            Some(Frame::Error {
                slot,
                report: Report {
                    code,
                    reason,
                    text: String::from(text),
                },
            })
        }
        _ => None,
    }
}

fn auth(fields: &Fields<'_>) -> Option<Auth> {
    Auth::new(fields.get(field::AUTH)?.to_vec()).ok()
}

/// Codecs by number, rising and without raw; those of a later version are passed over.
fn codecs(fields: &Fields<'_>) -> Option<Codecs> {
    let Some(numbers) = fields.get(field::CODECS) else {
        return Some(Codecs::raw());
    };
    let rising = numbers
        .iter()
        .zip(numbers.iter().skip(1))
        .all(|(one, next)| one < next);
    let fits = (1..=CODECS_MAX).contains(&numbers.len()) && numbers.first() != Some(&0);
    let known = numbers
        .iter()
        .filter_map(|number| Codec::from_number(*number));
    (rising && fits).then(|| known.fold(Codecs::raw(), Codecs::with))
}

/// A number of four bytes; 0 has one form, no field.
fn optional(fields: &Fields<'_>, tag: u16) -> Option<u32> {
    if fields.get(tag).is_none() {
        return Some(0);
    }
    let number = u32::try_from(fields.number::<4>(tag)?).ok()?;
    (number > 0).then_some(number)
}

fn class(word: u32) -> Option<u32> {
    ((word as usize) < CLASSES).then_some(word)
}

/// At least one run.
fn runs(body: &[u8]) -> Option<Vec<Run>> {
    rising(body).filter(|list| !list.is_empty())
}

/// Runs that rise and do not touch, at most [`RUNS_MAX`].
fn rising(body: &[u8]) -> Option<Vec<Run>> {
    let list = pieces::<8>(body)?
        .into_iter()
        .map(|[a, b, c, d, e, f, g, h]| {
            Run::new(
                u32::from_le_bytes([a, b, c, d]),
                u32::from_le_bytes([e, f, g, h]),
            )
        })
        .collect::<Option<Vec<Run>>>()?;
    let rising = list
        .iter()
        .zip(list.iter().skip(1))
        .all(|(a, b)| a.end() < b.first());
    (rising && list.len() <= RUNS_MAX).then_some(list)
}
