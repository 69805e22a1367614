//! The access log: what each node served (receipts), who reviewed emergencies, a Merkle tree over the receipts
//! in the manner of RFC 9162, signed heads and witnesses (CST-120 to CST-131).

mod audit;
mod checkpoint;
mod merkle;
mod proof;
mod receipt;
mod review;

pub use self::{
    audit::{LogAudit, LogGap},
    checkpoint::{Checkpoint, CheckpointClaims, CheckpointDraft, Witness, witnessed},
    merkle::{LogRoot, MerkleLog},
    proof::{ConsistencyProof, InclusionProof},
    receipt::{Receipt, ReceiptClaims, ReceiptDraft},
    review::{Review, ReviewClaims, ReviewDraft, Verdict},
};
