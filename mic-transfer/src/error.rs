//! What goes wrong between two sides: codes on the wire, whose fault, texts for people.

use alloc::string::String;

use crate::manifest::{ManifestFault, SignatureRefused};
use crate::sign::SignFailed;
use crate::storage::{StorageError, StorageErrorKind};
use crate::tree::LeavesError;
use crate::wire::FrameFault;

/// Whose fault an error is, seen from the side that reports it.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The side that reports it: its disk, its load, its decision to stop.
    Reporter,
    /// The side it is reported to: what it sent or asked for.
    Addressee,
    /// Neither: bytes were damaged or lost between them.
    Line,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $fault:ident, $text:literal;)*) => {
        /// The codes of ERROR and CANCEL (`spec/transfer.md` section 8).
        ///
        /// ```
        /// use mic_transfer::{ErrorCode, Fault};
        /// assert_eq!(ErrorCode::StudyUnknown.number(), 17);
        /// assert_eq!(ErrorCode::StudyUnknown.fault(), Some(Fault::Addressee));
        /// ```
        #[non_exhaustive]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
            /// A number this version does not know.
            Other(u32),
        }

        impl ErrorCode {
            /// Every code this version knows, in the order of the numbers.
            pub const KNOWN: &'static [Self] = &[$(Self::$name),*];

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $(Self::$name => $number,)* Self::Other(number) => number }
            }

            /// The code of a number.
            #[must_use]
            pub const fn from_number(number: u32) -> Self {
                match number { $($number => Self::$name,)* _ => Self::Other(number) }
            }

            /// Whose fault it is, where the code is known.
            #[must_use]
            pub const fn fault(self) -> Option<Fault> {
                match self { $(Self::$name => Some(Fault::$fault),)* Self::Other(_) => None }
            }

            /// What it says, for people.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* Self::Other(_) => "an error of a later version" }
            }
        }
    };
}

codes! {
    /// The first eight bytes are not this protocol's.
    NotThisProtocol = 1, Addressee, "the other side does not speak this protocol";
    /// Another major version.
    Version = 2, Addressee, "the other side speaks another version";
    /// A header or control body does not fit its CRC-32C.
    DamagedFrame = 3, Line, "a frame was damaged on the line";
    /// A frame breaks its grammar.
    BadFrame = 4, Addressee, "a frame breaks its grammar";
    /// A length, count or number of studies beyond what was agreed.
    LimitExceeded = 5, Addressee, "an agreed limit was passed";
    /// A frame that this state does not allow.
    OutOfOrder = 6, Addressee, "a frame came in a state that does not allow it";
    /// A chunk whose bytes do not fit its leaf.
    WrongChunk = 7, Addressee, "a chunk does not fit its digest";
    /// A chunk that was not asked for, or a second time.
    NotRequested = 8, Addressee, "a chunk came that was not asked for";
    /// Nothing was heard in time.
    TimedOut = 9, Line, "nothing was heard in time";
    /// Leaves that do not merge into the instance's digest.
    WrongLeaves = 10, Addressee, "a leaf list does not fit its instance";
    /// The session's authorisation was refused.
    SessionRefused = 16, Addressee, "the session is not authorised";
    /// No such study here.
    StudyUnknown = 17, Addressee, "the study is not known here";
    /// The study's authorisation was refused.
    StudyRefused = 18, Addressee, "access to the study is not granted";
    /// The study is no longer what was offered.
    StudyChanged = 19, Reporter, "the study has changed since it was offered";
    /// The source can't read what it offered.
    SourceUnreadable = 20, Reporter, "the source cannot read the study";
    /// Too much at once.
    Busy = 21, Reporter, "too much at once";
    /// The manifest is malformed or has another root or study.
    WrongManifest = 22, Addressee, "the manifest is not what was offered";
    /// The manifest's signature is missing or wrong.
    SignatureRefused = 23, Addressee, "the manifest's signature is not accepted";
    /// The receiver can't keep what it is given.
    ReceiverStorage = 24, Reporter, "the receiver cannot store";
    /// Someone decided to stop.
    Cancelled = 25, Reporter, "cancelled";
    /// The embedding application does not want the study.
    Unwanted = 26, Reporter, "the receiver does not want the study";
}

/// Why a connection or a study of it ended.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The other side sent wrong bytes, or the line damaged them.
    #[error("{0}")]
    Frame(#[from] FrameFault),
    /// The other side broke the protocol.
    #[error("{}: {context}", code.text())]
    Protocol {
        /// What it broke.
        code: ErrorCode,
        /// Where.
        context: Context,
    },
    /// The manifest is wrong.
    #[error("{0}")]
    Manifest(#[from] ManifestFault),
    /// The manifest's signature is not accepted.
    #[error("{0}")]
    Signature(#[from] SignatureRefused),
    /// A leaf list is wrong.
    #[error("leaf list of instance {instance}: {error}")]
    Leaves {
        /// Which instance of the manifest.
        instance: u32,
        /// What is wrong.
        error: LeavesError,
    },
    /// A chunk's bytes do not fit its digest; none of them was kept.
    #[error(
        "instance {instance}, chunk {chunk}: expected bytes of the signed digest, found others"
    )]
    WrongChunk {
        /// Which instance of the manifest.
        instance: u32,
        /// Which chunk of the instance.
        chunk: u32,
    },
    /// The other side reports an error.
    #[error("the other side reports: {text}")]
    Reported {
        /// Its code.
        code: ErrorCode,
        /// The embedding application's own reason, if it gave one.
        reason: Option<u16>,
        /// Its words.
        text: String,
    },
    /// This side's storage failed; what is verified stays and is resumed from.
    #[error("storage: {0}")]
    Storage(#[from] StorageError),
    /// This side's signer gave no signature for a receipt; nothing unsigned went out.
    #[error("receipt: {0}")]
    Sign(#[from] SignFailed),
    /// Nothing was heard for too long.
    #[error("nothing was heard from the other side for {seconds} s")]
    TimedOut {
        /// Whole seconds waited.
        seconds: u64,
    },
    /// The connection ended before the work did.
    #[error("the connection ended early")]
    ConnectionLost,
    /// This side decided to stop.
    #[error("cancelled")]
    Cancelled,
}

impl SessionError {
    /// The code that tells the other side.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Frame(fault) => fault.code(),
            Self::Protocol { code, .. } | Self::Reported { code, .. } => *code,
            Self::Manifest(_) => ErrorCode::WrongManifest,
            Self::Signature(_) => ErrorCode::SignatureRefused,
            Self::Leaves { .. } => ErrorCode::WrongLeaves,
            Self::WrongChunk { .. } => ErrorCode::WrongChunk,
            Self::Storage(error) if matches!(error.kind(), StorageErrorKind::Contradiction) => {
                ErrorCode::WrongManifest
            }
            Self::Storage(_) => ErrorCode::ReceiverStorage,
            Self::TimedOut { .. } | Self::ConnectionLost => ErrorCode::TimedOut,
            Self::Sign(_) | Self::Cancelled => ErrorCode::Cancelled,
        }
    }

    pub(crate) const fn protocol(code: ErrorCode, context: Context) -> Self {
        Self::Protocol { code, context }
    }
}

/// Where a protocol error happened.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Context {
    /// A frame's kind.
    #[error("{0}")]
    Frame(&'static str),
    /// A frame of this kind in this state.
    #[error("{frame} in state {state}")]
    State {
        /// The frame.
        frame: &'static str,
        /// The state's name.
        state: &'static str,
    },
    /// A chunk of the study.
    #[error("chunk {0} of the study")]
    Chunk(u32),
}
