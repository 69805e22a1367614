//! `mic consent`, black box: a story with its transcript, what is right and wrong of each command with its exit
//! code and words, the reconciliation with planted faults, and what no output may hold.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's way to fail"
)]

mod emitted;
mod lines;
mod reconcile;
mod right;
mod stage;
mod story;
mod wrong;
