//! Verified, resumable transfer of whole DICOM studies.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "std")]
#[cfg_attr(docsrs, doc(cfg(feature = "std")))]
pub mod adapter;
mod crc;
mod error;
pub mod journal;
pub mod limits;
mod manifest;
mod range_set;
mod receipt;
pub mod receiver;
pub mod sender;
mod sign;
pub mod source;
pub mod storage;
pub mod store;
pub mod tree;
mod types;
pub mod wire;

pub use error::{Context, ErrorCode, Fault, SessionError};
pub use manifest::{
    Added, ChunkPlace, Instance, InstanceError, Manifest, ManifestBuilder, ManifestError,
    ManifestFault, ManifestFaultKind, PixelRange, SignatureRefused, SignedManifest,
};
pub use range_set::{RangeSet, Run};
pub use receipt::{Receipt, ReceiptFault};
pub use sign::{SignFailed, Signature, SignatureError, Signer};
pub use types::{Auth, AuthError, Digest, DigestError, Instant, UID_CHARS_MAX, Uid, UidError};
