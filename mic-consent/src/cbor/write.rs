//! Writing deterministic CBOR. What is written here is what [`super::read`] accepts, nothing else.

use alloc::vec::Vec;

/// Major types, already shifted into the first three bits.
pub(crate) const UNSIGNED: u8 = 0x00;
pub(crate) const NEGATIVE: u8 = 0x20;
pub(crate) const BYTES: u8 = 0x40;
pub(crate) const TEXT: u8 = 0x60;
pub(crate) const ARRAY: u8 = 0x80;
pub(crate) const MAP: u8 = 0xa0;
pub(crate) const TAG: u8 = 0xc0;

/// The head of an item: major type and argument in the shortest form, as bytes and their count.
pub(crate) fn head(major: u8, argument: u64) -> ([u8; 9], usize) {
    let mut out = [0; 9];
    let bytes = argument.to_be_bytes();
    let (info, width) = match argument {
        0..=23 => (bytes[7], 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    out[0] = major | info;
    for (to, from) in out.iter_mut().skip(1).zip(bytes.iter().skip(8 - width)) {
        *to = *from;
    }
    (out, width + 1)
}

/// A growing CBOR item.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn head(&mut self, major: u8, argument: u64) -> &mut Self {
        let (bytes, length) = head(major, argument);
        self.0.extend(bytes.into_iter().take(length));
        self
    }

    pub(crate) fn uint(&mut self, number: u64) -> &mut Self {
        self.head(UNSIGNED, number)
    }

    pub(crate) fn int(&mut self, number: i64) -> &mut Self {
        match u64::try_from(number) {
            Ok(number) => self.head(UNSIGNED, number),
            // -1 - n is the bitwise complement.
            Err(_) => self.head(NEGATIVE, (!number).unsigned_abs()),
        }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.head(BYTES, bytes.len() as u64).raw(bytes)
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.head(TEXT, text.len() as u64).raw(text.as_bytes())
    }

    pub(crate) fn array(&mut self, count: usize) -> &mut Self {
        self.head(ARRAY, count as u64)
    }

    pub(crate) fn map(&mut self, count: usize) -> &mut Self {
        self.head(MAP, count as u64)
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

/// A map whose entries are counted while they are written; keys must come in ascending order.
#[derive(Debug, Default)]
pub(crate) struct MapWriter {
    count: usize,
    entries: Writer,
}

impl MapWriter {
    pub(crate) const fn new() -> Self {
        Self {
            count: 0,
            entries: Writer::new(),
        }
    }

    /// Starts the entry with this key; the value follows on the returned writer.
    pub(crate) fn key(&mut self, key: i64) -> &mut Writer {
        self.count += 1;
        self.entries.int(key)
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let mut whole = Writer::new();
        whole.map(self.count).raw(&self.entries.0);
        whole.into_bytes()
    }
}
