//! Thin loops between the core and the operating system. They carry bytes and decide nothing.

pub mod disk;
pub mod files;
#[cfg(feature = "coding")]
#[cfg_attr(docsrs, doc(cfg(feature = "coding")))]
pub mod rest;
pub mod tcp;
