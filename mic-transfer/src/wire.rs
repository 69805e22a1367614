//! Frames: the bytes between the two sides (`spec/transfer.md` section 4).

#[cfg(feature = "http")]
mod border;
mod codec;
mod encode;
mod frame;
mod grammar;
mod reader;
mod tlv;

#[cfg(feature = "http")]
pub(crate) use border::Border;
pub use codec::{Codec, Codecs};
pub use encode::{Packet, encode};
pub(crate) use encode::{data, rest};
pub use frame::{Frame, Offer, Report, Request, Session};
pub(crate) use grammar::CLASSES;
pub use reader::{FrameFault, FrameFaultKind, FrameReader};

/// What each side sends first: the letters, line ends that text transfers break, the version.
pub const PREFACE: [u8; 8] = *b"MICX\r\n\x01\x00";

/// The major version in [`PREFACE`]: another one is refused.
pub const VERSION_MAJOR: u8 = 1;

/// Bytes of a frame's header.
pub const HEADER_BYTES: usize = 16;

/// The slot of frames that concern the whole connection.
pub const NO_SLOT: u16 = 0xFFFF;
