//! Thin loops between the core and the operating system. They carry bytes and decide nothing.

pub mod disk;
pub mod files;
pub mod tcp;
