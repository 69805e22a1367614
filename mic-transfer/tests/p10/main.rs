//! Labels of DICOM files: made ones of every oddity, and every file of the test data beside `dicom-object`.

#![cfg(feature = "dicom")]
#![allow(
    clippy::float_arithmetic,
    clippy::panic,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test's ways to fail and to speak"
)]

mod data;
mod edited;
mod folder;
#[cfg(feature = "coding")]
mod hint;
mod made;
mod odd;
