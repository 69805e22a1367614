//! The receipt: what a receiver signs once a study is durable.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use nom::Parser;
use nom::bytes::complete::{tag, take};
use nom::combinator::{all_consuming, cond, map_opt, verify};
use nom::number::complete::{le_i64, le_u8, le_u32, le_u64};

use crate::{Digest, Sm3Digest};

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
    sm3: Option<Sm3Digest>,
}

const MAGIC: &[u8] = b"MICR\x01";
const PREVIOUS: u8 = 1;
const SM3: u8 = 2;
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
            sm3: None,
        }
    }

    /// Chains it to the receipt issued before it, so that none can be taken out unseen.
    #[must_use]
    pub const fn after(mut self, previous: Digest) -> Self {
        self.previous = Some(previous);
        self
    }

    /// Adds the SM3 of the manifest, which says that the SM3 digest of every instance was checked.
    #[must_use]
    pub const fn with_sm3(mut self, manifest: Sm3Digest) -> Self {
        self.sm3 = Some(manifest);
        self
    }

    /// The SM3 of the manifest's canonical bytes, where every instance has an SM3 digest and the
    /// receiver has checked it.
    #[must_use]
    pub const fn sm3(&self) -> Option<&Sm3Digest> {
        self.sm3.as_ref()
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
        let mut out = Vec::with_capacity(138);
        out.extend_from_slice(MAGIC);
        let previous = self.previous.map_or(0, |_| PREVIOUS);
        out.push(previous | self.sm3.map_or(0, |_| SM3));
        out.extend_from_slice(self.root.as_bytes());
        out.extend_from_slice(&self.instances.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.fetched.to_le_bytes());
        out.extend_from_slice(&self.at.timestamp_millis().to_le_bytes());
        if let Some(previous) = &self.previous {
            out.extend_from_slice(previous.as_bytes());
        }
        if let Some(sm3) = &self.sm3 {
            out.extend_from_slice(sm3.as_bytes());
        }
        out
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`ReceiptFault`] if they are not those of a receipt.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptFault> {
        type Fail<'a> = nom::error::Error<&'a [u8]>;
        let shape = |_: nom::Err<Fail<'_>>| ReceiptFault::Shape;
        let head = (
            tag::<_, _, Fail<'_>>(MAGIC),
            verify(le_u8, |flags| flags & !(PREVIOUS | SM3) == 0),
            digest,
            le_u32,
            le_u64,
            le_u64,
            le_i64,
        );
        let (rest, (_, flags, root, instances, bytes, fetched, millis)) =
            { head }.parse(bytes).map_err(shape)?;
        let tail = (
            cond(flags & PREVIOUS != 0, digest),
            cond(flags & SM3 != 0, digest),
        );
        let (_, (previous, sm3)) = all_consuming(tail).parse(rest).map_err(shape)?;
        if fetched > bytes {
            return Err(ReceiptFault::Counts);
        }
        let at = DateTime::from_timestamp_millis(millis).ok_or(ReceiptFault::Time)?;
        Ok(Self {
            root: Digest::from_bytes(root),
            instances,
            bytes,
            fetched,
            at,
            previous: previous.map(Digest::from_bytes),
            sm3: sm3.map(Sm3Digest::from_bytes),
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

fn digest(input: &[u8]) -> nom::IResult<&[u8], [u8; 32]> {
    map_opt(take(32_usize), |bytes: &[u8]| bytes.try_into().ok()).parse(input)
}

/// Why bytes are no receipt.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// Wrong letters or length.
    #[error("expected the bytes of a receipt as its flags say, found others")]
    Shape,
    /// More fetched than held.
    #[error("expected at most as many bytes fetched as held, found more")]
    Counts,
    /// A time that chrono can't hold.
    #[error("expected a time in milliseconds, found one out of range")]
    Time,
}
