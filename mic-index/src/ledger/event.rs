//! What happens to an upload, and what can be wrong with being told so.

use core::fmt;
use core::str::{self, FromStr};

use chrono::{DateTime, Utc};

use super::upload::UploadState;

/// Something that happened to an upload.
///
/// Attempts are counted from one and named in every event, so that an answer to an earlier attempt
/// is not taken for one to the last (`IDX-100`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UploadEvent {
    /// An attempt went out. A fact: taken whenever it is the next one, due or not (`IDX-101`).
    Sent {
        /// Its number: one more than attempts so far.
        attempt: u32,
    },
    /// The platform has the record, by its own word. Nothing else counts as success.
    Accepted {
        /// The attempt it answers.
        attempt: u32,
    },
    /// An attempt failed or got no answer.
    Failed {
        /// The attempt that failed.
        attempt: u32,
        /// What can be done about it.
        class: FailureClass,
        /// Why, as a code of the caller's.
        reason: ReasonCode,
    },
    /// A person looked at a failure and lets the record go out again.
    Released {
        /// The attempt whose failure was looked at.
        attempt: u32,
    },
}

impl UploadEvent {
    /// The attempt the event is about.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        match self {
            Self::Sent { attempt }
            | Self::Accepted { attempt }
            | Self::Failed { attempt, .. }
            | Self::Released { attempt } => *attempt,
        }
    }
}

/// What can be done about a failure; from the lightest to the gravest.
///
/// Of two verdicts on one attempt the graver one stays (`IDX-104`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever classifies failures has to handle these three"
)]
pub enum FailureClass {
    /// Sending the same again may help: no answer, a broken line, an overloaded platform.
    Retryable,
    /// Somebody has to look: a refused field, a missing mapping, a signature that fails.
    NeedsPerson,
    /// This record will never be accepted; a corrected one is a record of its own.
    Permanent,
}

impl FailureClass {
    /// All classes, the lightest first.
    pub const ALL: [Self; 3] = [Self::Retryable, Self::NeedsPerson, Self::Permanent];

    /// The stable name for programs: `retryable`, `needs_person`, `permanent`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::NeedsPerson => "needs_person",
            Self::Permanent => "permanent",
        }
    }
}

/// Length in characters of a reason at most: a code, no sentence.
pub const REASON_LEN_MAX: usize = 32;

/// Why an upload failed, as a short code: 1 to 32 of `a-z A-Z 0-9 . _ -`.
///
/// Not the platform's message: that may repeat names and numbers of persons, and a ledger is looked at by
/// people who have no business with them.
///
/// ```
/// use mic_index::ledger::{ReasonCode, ReasonCodeError};
///
/// let reason: ReasonCode = "infcode.-1".parse()?;
/// assert_eq!(reason.as_str(), "infcode.-1");
/// assert_eq!("no answer".parse::<ReasonCode>(), Err(ReasonCodeError::Character { at: 2 }));
/// # Ok::<(), ReasonCodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReasonCode {
    /// Zeros after the text.
    bytes: [u8; REASON_LEN_MAX],
    len: u8,
}

impl ReasonCode {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes
            .get(..usize::from(self.len))
            .and_then(|text| str::from_utf8(text).ok())
            .unwrap_or_default()
    }
}

impl FromStr for ReasonCode {
    type Err = ReasonCodeError;

    fn from_str(text: &str) -> Result<Self, ReasonCodeError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if let Some(at) = text.bytes().position(|byte| !legal(byte)) {
            return Err(ReasonCodeError::Character { at });
        }
        let mut bytes = [0; REASON_LEN_MAX];
        match (u8::try_from(text.len()), bytes.get_mut(..text.len())) {
            (Ok(len), Some(place)) if len > 0 => {
                place.copy_from_slice(text.as_bytes());
                Ok(Self { bytes, len })
            }
            _ => Err(ReasonCodeError::Length { found: text.len() }),
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReasonCode({})", self.as_str())
    }
}

/// A text that is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ReasonCodeError {
    /// Empty or too long.
    #[error("reason: expected 1 to {REASON_LEN_MAX} characters, found {found}")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// A character of sentences.
    #[error("reason: expected a letter, digit, dot, hyphen or underscore at byte {at}")]
    Character {
        /// Byte offset.
        at: usize,
    },
}

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an event is news, known, or too late"
)]
pub enum Applied {
    /// It changed the upload.
    Changed,
    /// It had been applied before; nothing changed.
    Repeated,
    /// Something later or graver had been applied before; nothing changed.
    Stale,
}

/// An event that cannot have happened to this upload, or why nothing may be sent (`IDX-102`). The caller's
/// books are wrong, or it has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TransitionError {
    /// An attempt nobody has heard of: answers before the question, a number left out, or zero.
    #[error("expected an attempt from 1 to {last}, or {last} + 1 to be sent, found {found}")]
    UnknownAttempt {
        /// Attempts so far.
        last: u32,
        /// The attempt of the event.
        found: u32,
    },
    /// To be sent while the last attempt has no answer.
    #[error("expected an answer to attempt {attempt} before another one is sent")]
    Unanswered {
        /// The attempt without an answer.
        attempt: u32,
    },
    /// To be sent before its time.
    #[error("expected to be sent at {due} at the earliest")]
    NotDue {
        /// When it is due.
        due: DateTime<Utc>,
    },
    /// To be sent though it is accepted or has failed for good, or needs a person first.
    #[error("expected nothing to be sent, the upload is {}", state.name())]
    Closed {
        /// The state of the upload.
        state: UploadState,
    },
    /// Released though nothing holds it.
    #[error("expected a failure to be released, the upload is {}", state.name())]
    NotHeld {
        /// The state of the upload.
        state: UploadState,
    },
}
