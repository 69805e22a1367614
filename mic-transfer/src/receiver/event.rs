//! Everything that crosses the receiver's border outwards.

use alloc::vec::Vec;
use core::time::Duration;

use super::coded::DecodeJob;
use crate::error::SessionError;
use crate::manifest::SignedHead;
use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::store::StoreOp;
use crate::wire::Packet;
use crate::{Digest, Instant, SignedManifest};

/// The number of a connection, given by the caller; never used twice with one receiver.
pub type ConnectionId = u32;

/// What the receiver wants from its surroundings.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiverOutput {
    /// Send these bytes on this connection.
    Send(ConnectionId, Packet),
    /// Do this and give the result to [`super::Receiver::handle_storage`].
    Store(StoreOp),
    /// Decode this, on any thread, and give the result to [`super::Receiver::handle_decoded`].
    Decode(DecodeJob),
    /// Something happened, or is to be decided.
    Event(ReceiverEvent),
    /// Send what was given, then close the connection.
    Close(ConnectionId),
    /// Nothing to do until something arrives or this time comes.
    Wait(Option<Instant>),
}

/// What the receiver tells and asks the embedding application.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiverEvent {
    /// A source has let this side in.
    Connected(ConnectionId),
    /// A connection ended, by a fault where one is given. What it owed is asked for elsewhere.
    Disconnected(ConnectionId, Option<SessionError>),
    /// The head of a manifest is here: judge its signature and call
    /// [`super::Receiver::accept_first`] to see first images before the manifest is whole.
    Announced {
        /// The study.
        slot: u16,
        /// The head, whose root is right; the signature is unchecked.
        head: SignedHead,
    },
    /// A first image is whole and fits its digest in the head. It is not in the store yet: it is kept
    /// when the manifest is accepted.
    First {
        /// The study.
        slot: u16,
        /// Its place in the manifest, as the head says.
        instance: u32,
        /// Its digest.
        digest: Digest,
        /// The whole file.
        bytes: Vec<u8>,
    },
    /// Judge manifest and signature: [`super::Receiver::accept`] or [`super::Receiver::fail`].
    Offered {
        /// The study.
        slot: u16,
        /// Its manifest, whose root is right; the signature is unchecked.
        signed: SignedManifest,
    },
    /// What is here already and what will come.
    Planned(Progress),
    /// An instance is whole and verified: it can be read from the store.
    Instance {
        /// The study.
        slot: u16,
        /// Its place in the manifest.
        instance: u32,
        /// Its digest.
        digest: Digest,
    },
    /// A chunk more is verified and written.
    Progress(Progress),
    /// The study is durable and listed: [`super::Receiver::issue_receipt`].
    Durable {
        /// The study.
        slot: u16,
        /// Where it stands.
        progress: Progress,
    },
    /// The receipt is kept, and sent where a connection is left.
    Complete {
        /// The study.
        slot: u16,
        /// The receipt.
        receipt: Receipt,
        /// Where it stands.
        progress: Progress,
    },
    /// The study is durable and listed, but its receipt could not be signed or kept and was not sent:
    /// the next pull of the study issues it.
    Unreceipted {
        /// The study.
        slot: u16,
        /// Why.
        error: SessionError,
        /// Where it stands.
        progress: Progress,
    },
    /// The source has answered the receipt, by a signature where one is given.
    Countersigned {
        /// The study.
        slot: u16,
        /// Over [`Receipt::message`], unchecked.
        signature: Option<Signature>,
    },
    /// The study ended without being complete; what is verified stays and is resumed from.
    Failed {
        /// The study.
        slot: u16,
        /// Why.
        error: SessionError,
    },
}

/// How far a study is.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The study.
    pub slot: u16,
    /// Bytes of the study.
    pub bytes_total: u64,
    /// Bytes verified and written, or here before.
    pub bytes_done: u64,
    /// Bytes of them that came in this pull.
    pub bytes_fetched: u64,
    /// Bytes of them that were here before it.
    pub bytes_held: u64,
    /// Instances of the study.
    pub instances_total: u32,
    /// Instances that can be read.
    pub instances_done: u32,
    /// Instances of them that were here before this pull.
    pub instances_held: u32,
    /// Time since the first chunk was asked for.
    pub elapsed: Duration,
}

impl Progress {
    /// The time left at the mean rate so far; unknown before the first byte.
    #[must_use]
    pub fn eta(&self) -> Option<Duration> {
        let left = u128::from(self.bytes_total.saturating_sub(self.bytes_done));
        let nanos = self.elapsed.as_nanos().checked_mul(left)?;
        let nanos = nanos.checked_div(u128::from(self.bytes_fetched))?;
        Some(Duration::from_nanos(
            u64::try_from(nanos).unwrap_or(u64::MAX),
        ))
    }

    /// Bytes fetched in a second so far; unknown before time has passed.
    #[must_use]
    pub fn bytes_per_second(&self) -> Option<u64> {
        let rate = (u128::from(self.bytes_fetched) * 1_000_000_000)
            .checked_div(self.elapsed.as_nanos())?;
        u64::try_from(rate).ok()
    }
}
