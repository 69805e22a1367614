//! The labels of DICOM files, read without decoding a pixel (PS3.10, PS3.5).
//!
//! A transfer needs four identifiers of a file, and is better with the place of its pixels and of the slice in
//! its series. Archives hold files that strict readers refuse: without preamble or meta group, in another
//! encoding than they say, cut, deflated. This reader takes them as they are, says what was odd as a [`Finding`],
//! and answers [`NotAnInstance`] where there is nothing to list. The file itself is never changed.
//!
//! The reader walks forward, passes over what it does not need by seeking, and holds at most a buffer of 16 KiB,
//! the labels, and the counted fragments and references: what a file claims never decides what is allocated (`spec/p10.md`, XFR-90 to XFR-95).
#![cfg_attr(feature = "dicom", doc = "```")]
#![cfg_attr(not(feature = "dicom"), doc = "```ignore")]
//! use mic_transfer::p10::{self, NotAnInstance};
//!
//! let element = |tag: [u8; 4], vr: &[u8; 2], value: &[u8]| {
//!     [&tag[..], vr, &u16::try_from(value.len()).unwrap().to_le_bytes(), value].concat()
//! };
//! // A bare data set, as some scanners write it: no preamble, no meta group.
//! let file = [
//!     element([8, 0, 0x16, 0], b"UI", b"1.2.840.10008.5.1.4.1.1.2\0"),
//!     element([8, 0, 0x18, 0], b"UI", b"1.2.3.1.1\0"),
//!     element([0x20, 0, 0x0D, 0], b"UI", b"1.2.3\0"),
//!     element([0x20, 0, 0x0E, 0], b"UI", b"1.2.3.1\0"),
//!     element([0x20, 0, 0x13, 0], b"IS", b"7 "),
//! ].concat();
//! let header = p10::read_bytes(&file)?;
//! assert_eq!(header.series().as_str(), "1.2.3.1");
//! assert_eq!(header.transfer_syntax().as_str(), "1.2.840.10008.1.2.1");
//! assert_eq!((header.instance_number(), header.pixels()), (Some(7), None));
//! assert_eq!(p10::read_bytes(b"minutes of a meeting"), Err(NotAnInstance::NotDicom));
//! # Ok::<(), NotAnInstance>(())
//! ```

mod layout;

pub use layout::PixelLayout;

#[cfg(feature = "dicom")]
mod element;
#[cfg(feature = "dicom")]
mod fault;
#[cfg(feature = "dicom")]
mod header;
#[cfg(feature = "dicom")]
mod inflate;
#[cfg(feature = "dicom")]
mod input;
#[cfg(feature = "dicom")]
mod number;
#[cfg(feature = "dicom")]
mod pixels;
#[cfg(feature = "dicom")]
mod read;
#[cfg(feature = "dicom")]
mod tags;
#[cfg(feature = "dicom")]
mod values;
#[cfg(feature = "dicom")]
mod walk;

#[cfg(feature = "dicom")]
pub use self::{
    fault::{Finding, Label, NotAnInstance},
    header::Header,
    pixels::{Fragments, Pixels},
    read::{read, read_bytes},
};

/// Sequences inside sequences, items counted too: reports of real scanners nest about ten deep.
pub const DEPTH_MAX: usize = 64;

/// Elements walked over in one file: an enhanced object of 10,000 frames has some hundred thousand.
pub const ELEMENTS_MAX: u64 = 1 << 22;

/// Bytes kept of one value: identifiers have 64, six decimal strings 101.
pub const VALUE_BYTES_MAX: usize = 256;

/// Fragments counted in one file: a whole slide has some ten thousand frames. They take 16 MiB.
pub const FRAGMENTS_MAX: usize = 1 << 20;

/// References kept of one key object.
pub const REFERENCES_MAX: usize = 1 << 14;

/// Bytes a deflated data set may inflate to before its labels are found (deflate reaches a thousandfold).
pub const INFLATED_BYTES_MAX: u64 = 1 << 26;
