//! Nothing but the library under test, for a target that has no std.
#![no_std]
