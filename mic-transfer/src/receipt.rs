//! The receipt: what a receiver signs once a study is durable.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use nom::Parser;
use nom::bytes::complete::{tag, take};
use nom::combinator::all_consuming;
use nom::number::complete::{le_i64, le_u32, le_u64};

use crate::Digest;

/// What the receiver holds durably, since when, and how much of it came over the line.
///
/// ```
/// use mic_transfer::{Digest, Receipt};
/// let at = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
/// let receipt = Receipt::new(Digest::of(b"root"), 3, 1000, 400, at);
/// assert_eq!(receipt.held(), 600);
/// assert_eq!(Receipt::decode(&receipt.encode())?, receipt);
/// # Ok::<(), mic_transfer::ReceiptFault>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    root: Digest,
    instances: u32,
    bytes: u64,
    fetched: u64,
    at: DateTime<Utc>,
    previous: Option<Digest>,
}

const MAGIC: &[u8] = b"MICR\x01";
/// What the signed message opens with (XFR-41).
const MESSAGE_PREFIX: &[u8] = b"mic-transfer receipt signature v1\0";

impl Receipt {
    /// A receipt; the time is kept to the millisecond, `fetched` is at most `bytes`.
    #[must_use]
    pub fn new(root: Digest, instances: u32, bytes: u64, fetched: u64, at: DateTime<Utc>) -> Self {
        let at = DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at);
        Self {
            root,
            instances,
            bytes,
            fetched: fetched.min(bytes),
            at,
            previous: None,
        }
    }

    /// Chains it to the receipt issued before it, so that none can be taken out unseen.
    #[must_use]
    pub const fn after(mut self, previous: Digest) -> Self {
        self.previous = Some(previous);
        self
    }

    /// The study root.
    #[must_use]
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    /// Instances held.
    #[must_use]
    pub const fn instances(&self) -> u32 {
        self.instances
    }

    /// Bytes held.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of them that came over the line for this study, all interruptions counted.
    #[must_use]
    pub const fn fetched(&self) -> u64 {
        self.fetched
    }

    /// Bytes of them that were there before.
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.bytes.saturating_sub(self.fetched)
    }

    /// When it was durable, by the receiver's clock.
    #[must_use]
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The digest of the receipt before it.
    #[must_use]
    pub const fn previous(&self) -> Option<&Digest> {
        self.previous.as_ref()
    }

    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(97);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(self.root.as_bytes());
        out.extend_from_slice(&self.instances.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.fetched.to_le_bytes());
        out.extend_from_slice(&self.at.timestamp_millis().to_le_bytes());
        if let Some(previous) = &self.previous {
            out.extend_from_slice(previous.as_bytes());
        }
        out
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`ReceiptFault`] if they are not those of a receipt.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptFault> {
        let head = (
            tag::<_, _, nom::error::Error<&[u8]>>(MAGIC),
            take(32_usize),
            le_u32,
            le_u64,
            le_u64,
            le_i64,
        );
        let mut grammar = all_consuming((head, nom::combinator::opt(take(32_usize))));
        let (_, ((_, root, instances, bytes, fetched, millis), previous)) =
            grammar.parse(bytes).map_err(|_| ReceiptFault::Shape)?;
        let digest = |bytes: &[u8]| {
            <[u8; 32]>::try_from(bytes)
                .map(Digest::from_bytes)
                .map_err(|_| ReceiptFault::Shape)
        };
        if fetched > bytes {
            return Err(ReceiptFault::Counts);
        }
        let at = DateTime::from_timestamp_millis(millis).ok_or(ReceiptFault::Time)?;
        let previous = previous.map(digest).transpose()?;
        Ok(Self {
            root: digest(root)?,
            instances,
            bytes,
            fetched,
            at,
            previous,
        })
    }

    /// What a signature covers: prefix and canonical bytes.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        [MESSAGE_PREFIX, &self.encode()].concat()
    }

    /// The digest by which the next receipt and the source's answer name it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.encode())
    }
}

/// Why bytes are no receipt.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// Wrong letters or length.
    #[error("expected the 73 or 105 bytes of a receipt, found others")]
    Shape,
    /// More fetched than held.
    #[error("expected at most as many bytes fetched as held, found more")]
    Counts,
    /// A time that chrono can't hold.
    #[error("expected a time in milliseconds, found one out of range")]
    Time,
}
