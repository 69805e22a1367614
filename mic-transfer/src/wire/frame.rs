//! One variant per frame, fields in wire order.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::ErrorCode;
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::wire::{Codec, Codecs};
use crate::{Auth, Digest, Run, Uid};

/// HELLO: what this side allows, and who it says it is.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Most studies open at once.
    pub slots: u16,
    /// Most runs waiting at once.
    pub runs: u32,
    /// The authorisation of the session; a source sends none.
    pub auth: Auth,
    /// Codecs of chunks that this side takes; a source names none.
    pub codecs: Codecs,
    /// Most runs of held pieces that this side keeps; 0 for one that leaves nothing out, as a receiver.
    pub held_runs: u32,
}

impl Session {
    /// The limits of this version with an authorisation.
    #[must_use]
    pub const fn new(auth: Auth) -> Self {
        Self {
            slots: crate::limits::SLOTS_MAX as u16,
            runs: crate::limits::QUEUED_RUNS_MAX as u32,
            auth,
            codecs: Codecs::raw(),
            held_runs: 0,
        }
    }

    /// The same, taking these codecs.
    #[must_use]
    pub fn with_codecs(self, codecs: Codecs) -> Self {
        Self { codecs, ..self }
    }

    /// The same, keeping so many runs of held pieces.
    #[must_use]
    pub fn with_held_runs(self, held_runs: u32) -> Self {
        Self { held_runs, ..self }
    }
}

/// REQUEST: the receiver asks for a study.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which study.
    pub study: Uid,
    /// The authorisation for it.
    pub auth: Auth,
    /// The root of the manifest the receiver already has.
    pub known: Option<Digest>,
    /// Bytes of first images that the source may send before they are wanted; 0 for none.
    pub early: u32,
}

impl Request {
    /// A request without a known manifest.
    #[must_use]
    pub const fn new(study: Uid, auth: Auth) -> Self {
        Self {
            study,
            auth,
            known: None,
            early: 0,
        }
    }
}

/// OFFER: the source says what it has.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The study root.
    pub root: Digest,
    /// Bytes of the manifest that follow; 0 where the receiver said it has it.
    pub manifest_bytes: u32,
    /// The source's signature over the root.
    pub signature: Option<Signature>,
}

impl Offer {
    /// An offer.
    #[must_use]
    pub const fn new(root: Digest, manifest_bytes: u32, signature: Option<Signature>) -> Self {
        Self {
            root,
            manifest_bytes,
            signature,
        }
    }
}

/// ERROR: what went wrong, in a slot or on the connection.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The code, which says whose fault it is.
    pub code: ErrorCode,
    /// The embedding application's own number.
    pub reason: Option<u16>,
    /// Words for people; never personal data.
    pub text: String,
}

impl Report {
    /// A report in the code's own words.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            reason: None,
            text: String::from(code.text()),
        }
    }
}

/// A frame. The slot numbers a study within the connection, [`super::NO_SLOT`] means all of it.
///
/// ```
/// use mic_transfer::wire::{Frame, FrameReader, PREFACE, encode};
/// let bytes = [&PREFACE[..], &encode(&Frame::Cancel { slot: 3 }).to_vec()].concat();
/// let mut rest = &bytes[..];
/// let frame = FrameReader::new().next(&mut rest)?;
/// assert_eq!(frame, Some(Frame::Cancel { slot: 3 }));
/// # Ok::<(), mic_transfer::wire::FrameFault>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "slot, class and the named types say it; the table is in the specification"
)]
pub enum Frame {
    /// Both sides: limits and authorisation.
    Hello(Session),
    /// Receiver: asks for a study.
    Request { slot: u16, request: Request },
    /// Source: what it has.
    Offer { slot: u16, offer: Offer },
    /// Source: bytes of the manifest from `offset` on.
    Manifest {
        slot: u16,
        offset: u32,
        bytes: Vec<u8>,
    },
    /// Receiver: chunks it lacks and has room for, at a class of urgency. The credit of the source.
    Want {
        slot: u16,
        class: u32,
        runs: Vec<Run>,
    },
    /// Receiver: chunks already wanted change their class.
    Rank {
        slot: u16,
        class: u32,
        runs: Vec<Run>,
    },
    /// Receiver: the pieces of an instance that it holds, in place of those named before; without runs, none.
    Held {
        slot: u16,
        instance: u32,
        runs: Vec<Run>,
    },
    /// Source: the leaves of an instance, before its first chunk.
    Leaves {
        slot: u16,
        instance: u32,
        values: Vec<[u8; 32]>,
    },
    /// Source: a chunk.
    Data {
        slot: u16,
        chunk: u32,
        bytes: Vec<u8>,
    },
    /// Source: a chunk in a coded form that the receiver takes, shorter than the chunk.
    Coded {
        slot: u16,
        chunk: u32,
        codec: Codec,
        bytes: Vec<u8>,
    },
    /// Source: what of a chunk lies outside the pieces that the receiver holds; nothing, where they cover it.
    Rest {
        slot: u16,
        chunk: u32,
        bytes: Vec<u8>,
    },
    /// Receiver: all is verified and is being made durable.
    Commit {
        slot: u16,
        root: Digest,
        fetched: u64,
        held: u64,
    },
    /// Receiver: all is durable, signed.
    Receipt {
        slot: u16,
        receipt: Receipt,
        signature: Option<Signature>,
    },
    /// Source: the receipt arrived, countersigned.
    Countersign {
        slot: u16,
        receipt: Digest,
        signature: Option<Signature>,
    },
    /// Receiver: no more of this study.
    Cancel { slot: u16 },
    /// Either side: an error; the slot or the connection ends.
    Error { slot: u16, report: Report },
    /// Either side: nothing more will be sent.
    Bye,
    /// A word that keeps a connection open, or a frame of a later version: passed over.
    Skipped { kind: u8 },
}

impl Frame {
    /// The frame's name in the specification.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "HELLO",
            Self::Request { .. } => "REQUEST",
            Self::Offer { .. } => "OFFER",
            Self::Manifest { .. } => "MANIFEST",
            Self::Want { .. } => "WANT",
            Self::Rank { .. } => "RANK",
            Self::Leaves { .. } => "LEAVES",
            Self::Held { .. } => "HELD",
            Self::Data { .. } | Self::Coded { .. } | Self::Rest { .. } => "DATA",
            Self::Commit { .. } => "COMMIT",
            Self::Receipt { .. } => "RECEIPT",
            Self::Countersign { .. } => "COUNTERSIGN",
            Self::Cancel { .. } => "CANCEL",
            Self::Error { .. } => "ERROR",
            Self::Bye => "BYE",
            Self::Skipped { .. } => "SKIPPED",
        }
    }
}

impl Frame {
    /// The slot, where the frame is about a study.
    pub(crate) const fn slot_mut(&mut self) -> Option<&mut u16> {
        match self {
            Self::Request { slot, .. }
            | Self::Offer { slot, .. }
            | Self::Manifest { slot, .. }
            | Self::Want { slot, .. }
            | Self::Rank { slot, .. }
            | Self::Leaves { slot, .. }
            | Self::Data { slot, .. }
            | Self::Coded { slot, .. }
            | Self::Rest { slot, .. }
            | Self::Held { slot, .. }
            | Self::Commit { slot, .. }
            | Self::Receipt { slot, .. }
            | Self::Countersign { slot, .. }
            | Self::Cancel { slot }
            | Self::Error { slot, .. } => {
                if *slot == super::NO_SLOT {
                    None
                } else {
                    Some(slot)
                }
            }
            Self::Hello(_) | Self::Bye | Self::Skipped { .. } => None,
        }
    }
}

pub(super) mod kind {
    pub(in crate::wire) const HELLO: u8 = 1;
    pub(in crate::wire) const REQUEST: u8 = 2;
    pub(in crate::wire) const OFFER: u8 = 3;
    pub(in crate::wire) const MANIFEST: u8 = 4;
    pub(in crate::wire) const WANT: u8 = 5;
    pub(in crate::wire) const RANK: u8 = 6;
    pub(in crate::wire) const LEAVES: u8 = 7;
    pub(in crate::wire) const DATA: u8 = 8;
    pub(in crate::wire) const COMMIT: u8 = 9;
    pub(in crate::wire) const RECEIPT: u8 = 10;
    pub(in crate::wire) const COUNTERSIGN: u8 = 11;
    pub(in crate::wire) const CANCEL: u8 = 12;
    pub(in crate::wire) const ERROR: u8 = 13;
    pub(in crate::wire) const BYE: u8 = 14;
    pub(in crate::wire) const HELD: u8 = 15;
    /// From here on unknown kinds are passed over.
    pub(in crate::wire) const SKIPPABLE: u8 = 0x80;
}

/// Tags of the fields in control bodies.
pub(super) mod field {
    pub(in crate::wire) const SLOTS: u16 = 1;
    pub(in crate::wire) const RUNS: u16 = 2;
    pub(in crate::wire) const AUTH: u16 = 3;
    pub(in crate::wire) const STUDY: u16 = 4;
    pub(in crate::wire) const ROOT: u16 = 5;
    pub(in crate::wire) const MANIFEST_BYTES: u16 = 6;
    pub(in crate::wire) const SUITE: u16 = 7;
    pub(in crate::wire) const KEY_ID: u16 = 8;
    pub(in crate::wire) const SIGNATURE: u16 = 9;
    pub(in crate::wire) const FETCHED: u16 = 10;
    pub(in crate::wire) const HELD: u16 = 11;
    pub(in crate::wire) const RECEIPT: u16 = 12;
    pub(in crate::wire) const RECEIPT_DIGEST: u16 = 13;
    pub(in crate::wire) const REASON: u16 = 14;
    pub(in crate::wire) const TEXT: u16 = 15;
    pub(in crate::wire) const EARLY: u16 = 16;
    pub(in crate::wire) const CODECS: u16 = 17;
    pub(in crate::wire) const HELD_RUNS: u16 = 18;
    /// From here on unknown tags are refused; below they are passed over.
    pub(in crate::wire) const CRITICAL: u16 = 0x8000;
}
