//! Where frames begin and end, for adapters that pass them on unread.

use super::HEADER_BYTES;
use super::frame::kind;

/// What the header of a frame says of it, unchecked: whoever reads the frame checks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Border {
    kind: u8,
    slot: u16,
    length: usize,
}

impl Border {
    /// Of the frame that begins here; `None` until its header is there.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, kind, _, _, low, high, ..] = *bytes.get(..HEADER_BYTES)? else {
            return None;
        };
        Some(Self {
            kind,
            slot: u16::from_le_bytes([low, high]),
            length: u32::from_le_bytes([a, b, c, 0]) as usize,
        })
    }

    /// The whole frame, once it is there.
    pub(crate) fn frame_of<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        bytes.get(..HEADER_BYTES.saturating_add(self.length))
    }

    pub(crate) const fn slot(&self) -> u16 {
        self.slot
    }

    pub(crate) const fn is_hello(&self) -> bool {
        self.kind == kind::HELLO
    }

    pub(crate) const fn is_offer(&self) -> bool {
        self.kind == kind::OFFER
    }

    pub(crate) const fn is_data(&self) -> bool {
        self.kind == kind::DATA
    }

    pub(crate) const fn is_error(&self) -> bool {
        self.kind == kind::ERROR
    }
}
