//! The vectors in `vectors/`, run one by one. Other languages read the same files.
//!
//! `MIC_WRITE=1 cargo test -p mic-transfer --all-features --test vectors` writes them after a wanted
//! change; what is expected of each case stands here, by hand.

#![cfg(feature = "serde")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test's way to fail, and its parts"
)]

#[cfg(feature = "coding")]
mod coding;
#[path = "../common/mod.rs"]
mod common;
mod frames;
mod journals;
mod manifests;
mod receivers;
mod sessions;
mod shared;
