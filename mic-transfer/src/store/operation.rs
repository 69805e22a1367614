//! What a receiver asks of a store, and what it hears back.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::receipt::Receipt;
use crate::sign::Signature;
use crate::storage::StorageError;
use crate::tree::Leaves;
use crate::{Digest, RangeSet, Run, SignedManifest};

/// The number of a study within a receiver, the same on all its connections.
pub type Slot = u16;

/// One operation; each gets exactly one [`StoreResult`], in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreOp {
    /// The receiver's number of the study.
    pub slot: Slot,
    /// The study root.
    pub root: Digest,
    /// What to do.
    pub action: Action,
}

impl StoreOp {
    /// An operation.
    #[must_use]
    pub const fn new(slot: Slot, root: Digest, action: Action) -> Self {
        Self { slot, root, action }
    }
}

/// What to do.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open the study, new or begun; copy what other studies hold of it.
    Open(SignedManifest),
    /// Note the checked leaves of an instance.
    Leaves(u32, Leaves),
    /// Keep a verified chunk.
    Write {
        /// Its number in the study.
        chunk: u32,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Make a chunk of what came and of the pieces held here, and keep it if it fits its leaf.
    Fill {
        /// Its number in the study.
        chunk: u32,
        /// What lies outside the pieces, in order.
        rest: Vec<u8>,
        /// The receiver's mark, which comes back.
        ticket: u64,
    },
    /// Make all durable, and the study appear.
    Commit,
    /// Note the receipt.
    Receipt(Receipt, Option<Signature>),
    /// Note the source's answer.
    Countersign(Option<Signature>),
    /// Close the study, to be resumed later.
    Release,
}

/// What came of a [`StoreOp`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreResult {
    /// The slot of the operation.
    pub slot: Slot,
    /// The root of the operation.
    pub root: Digest,
    /// What came of it.
    pub outcome: Result<Outcome, StorageError>,
}

impl StoreResult {
    /// A result.
    #[must_use]
    pub const fn new(slot: Slot, root: Digest, outcome: Result<Outcome, StorageError>) -> Self {
        Self {
            slot,
            root,
            outcome,
        }
    }
}

/// What came of an action that did not fail.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The study is open.
    Opened {
        /// Chunks that are verified here.
        have: RangeSet,
        /// Leaves known for instances that are not whole.
        leaves: Vec<(u32, Leaves)>,
        /// Pieces of instances that are not whole that other studies here hold, hashed just now.
        pieces: Vec<(u32, Vec<Run>)>,
        /// Whether it is complete: nothing is to be done.
        complete: bool,
        /// Bytes of what is verified here that came over the line.
        fetched: u64,
        /// The receipt issued for it.
        receipt: Option<Box<(Receipt, Option<Signature>)>>,
        /// Whether every instance has an SM3 digest that was checked.
        sm3: bool,
    },
    /// The chunk is kept.
    Written {
        /// Its number.
        chunk: u32,
        /// Its buffer, to be used again.
        buffer: Vec<u8>,
    },
    /// A chunk was made, or could not be.
    Filled {
        /// Its number.
        chunk: u32,
        /// The mark of the operation.
        ticket: u64,
        /// The bytes of it that were here; `None` where it was not kept: a piece can't be read any more, or the
        /// whole does not fit its leaf. The instance is filled from pieces no more.
        local: Option<u32>,
    },
    /// The study is durable and appears as complete.
    Committed {
        /// Bytes of it that came over the line, interruptions included.
        fetched: u64,
        /// Whether every instance has an SM3 digest that was checked.
        sm3: bool,
    },
    /// Done.
    Noted,
}
