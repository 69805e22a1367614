//! As much of DICOM files as a study for this bench needs: elements found by their tags near the start of a file, and
//! files of single elements written. Not a toolkit.

use anyhow::Context;

/// Where elements are looked for: headers of the files used here are shorter.
const HEAD_BYTES: usize = 128 * 1024;

pub(super) const CLASS: Tag = Tag(0x0002, 0x0002);
pub(super) const INSTANCE: Tag = Tag(0x0002, 0x0003);
pub(super) const SYNTAX: Tag = Tag(0x0002, 0x0010);
pub(super) const STUDY: Tag = Tag(0x0020, 0x000d);
pub(super) const SERIES: Tag = Tag(0x0020, 0x000e);
pub(super) const NUMBER: Tag = Tag(0x0020, 0x0013);
pub(super) const PIXELS: Tag = Tag(0x7fe0, 0x0010);

pub(super) const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// Group and element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag(pub u16, pub u16);

impl Tag {
    fn bytes(self) -> [u8; 4] {
        let ([a, b], [c, d]) = (self.0.to_le_bytes(), self.1.to_le_bytes());
        [a, b, c, d]
    }
}

/// Where the value of an element lies: the first one in the file, explicit or implicit.
pub(super) fn find(file: &[u8], tag: Tag) -> anyhow::Result<std::ops::Range<usize>> {
    let head = file.get(..file.len().min(HEAD_BYTES)).unwrap_or_default();
    for at in memchr::memmem::find_iter(head, &tag.bytes()) {
        let start = |skip: usize, wide: bool| -> Option<std::ops::Range<usize>> {
            let length = if wide {
                u32::from_le_bytes(file.get(at + skip..at + skip + 4)?.try_into().ok()?) as usize
            } else {
                usize::from(u16::from_le_bytes(
                    file.get(at + skip..at + skip + 2)?.try_into().ok()?,
                ))
            };
            let start = at + skip + if wide { 4 } else { 2 };
            (start + length <= file.len()).then_some(start..start + length)
        };
        let found = match file.get(at + 4..at + 6) {
            Some(b"OW" | b"OB" | b"UN") => start(8, true),
            Some([b'A'..=b'Z', b'A'..=b'Z']) => start(6, false),
            _ => start(4, true),
        };
        if let Some(found) = found {
            return Ok(found);
        }
    }
    anyhow::bail!("the file has no element ({:04x},{:04x})", tag.0, tag.1)
}

/// The text of an element, without padding.
pub(super) fn text(file: &[u8], tag: Tag) -> anyhow::Result<String> {
    let value = file
        .get(find(file, tag)?)
        .context("an element beyond the end")?;
    Ok(String::from_utf8_lossy(value)
        .trim_end_matches(['\0', ' '])
        .trim_start()
        .to_owned())
}

/// A file in explicit little endian that grows element by element, in the order of tags.
#[derive(Debug)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// Preamble and meta group.
    pub(super) fn new(class: &str, instance: &str) -> Self {
        let mut meta = Self(Vec::new());
        meta.long(Tag(2, 1), b"OB", &[0, 1]);
        meta.text(CLASS, b"UI", class);
        meta.text(INSTANCE, b"UI", instance);
        meta.text(SYNTAX, b"UI", EXPLICIT_LITTLE);
        meta.text(Tag(2, 0x12), b"UI", "2.25.7000000000");
        let mut file = Self(vec![0; 128]);
        file.0.extend_from_slice(b"DICM");
        file.short(Tag(2, 0), b"UL", &(meta.0.len() as u32).to_le_bytes());
        file.0.extend(meta.0);
        file
    }

    /// Text, padded as its kind is.
    pub(super) fn text(&mut self, tag: Tag, kind: &[u8; 2], value: &str) {
        let mut value = value.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(if kind == b"UI" { 0 } else { b' ' });
        }
        self.short(tag, kind, &value);
    }

    /// One 16-bit number.
    pub(super) fn number(&mut self, tag: Tag, value: u16) {
        self.short(tag, b"US", &value.to_le_bytes());
    }

    /// A value of any length.
    pub(super) fn long(&mut self, tag: Tag, kind: &[u8; 2], value: &[u8]) {
        self.0.extend_from_slice(&tag.bytes());
        self.0.extend_from_slice(kind);
        self.0.extend_from_slice(&[0, 0]);
        self.0
            .extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.0.extend_from_slice(value);
    }

    /// The file.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn short(&mut self, tag: Tag, kind: &[u8; 2], value: &[u8]) {
        self.0.extend_from_slice(&tag.bytes());
        self.0.extend_from_slice(kind);
        self.0
            .extend_from_slice(&(value.len() as u16).to_le_bytes());
        self.0.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_what_is_written_is_found() -> anyhow::Result<()> {
        let mut file = Writer::new("1.2.3", "1.2.3.45");
        file.text(STUDY, b"UI", "1.9");
        file.text(NUMBER, b"IS", "7");
        file.long(PIXELS, b"OW", &[1, 2, 3, 4]);
        let file = file.finish();
        assert_eq!(
            (text(&file, CLASS)?, text(&file, INSTANCE)?),
            ("1.2.3".into(), "1.2.3.45".into())
        );
        assert_eq!(
            (text(&file, STUDY)?, text(&file, NUMBER)?),
            ("1.9".into(), "7".into())
        );
        assert_eq!(file.get(find(&file, PIXELS)?), Some(&[1, 2, 3, 4][..]));
        assert!(text(&file, SERIES).is_err());
        let data = crate::check::data_set(&file).unwrap_or_default();
        assert_eq!(
            data.get(..4),
            Some(&STUDY.bytes()[..]),
            "the meta group has its length"
        );
        Ok(())
    }
}
