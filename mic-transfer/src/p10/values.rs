//! What a walk keeps.

use alloc::vec::Vec;
use core::ops::Range;

use dicom_core::Tag;

use super::fault::Finding;
use super::{FRAGMENTS_MAX, REFERENCES_MAX, tags};
use crate::Uid;

/// Key Object Selection Document Storage.
const KEY_OBJECT: &str = "1.2.840.10008.5.1.4.1.1.88.59";

/// Pixels as they were met.
#[derive(Debug)]
pub(super) enum Met {
    Native(Range<u64>),
    Encapsulated {
        range: Range<u64>,
        offsets: Vec<u32>,
        fragments: Vec<Range<u64>>,
    },
}

/// The labels and pixels of one walk.
#[derive(Debug, Default)]
pub(super) struct Values {
    kept: Vec<(Tag, Vec<u8>)>,
    pub(super) references: Vec<Uid>,
    pub(super) pixels: Option<(Tag, Met)>,
    pub(super) findings: Vec<Finding>,
    pub(super) stop: Option<Finding>,
    pub(super) is_directory: bool,
    bad_vr: bool,
    disordered: bool,
}

impl Values {
    /// The first value of a tag stays.
    pub(super) fn set(&mut self, tag: Tag, value: &[u8]) {
        if self.get(tag).is_none() {
            self.kept.push((tag, value.to_vec()));
        }
    }

    pub(super) fn get(&self, tag: Tag) -> Option<&[u8]> {
        self.kept
            .iter()
            .find(|(kept, _)| *kept == tag)
            .map(|(_, value)| value.as_slice())
    }

    /// The text of a value, padding removed; `None` if absent, empty or not ASCII.
    pub(super) fn text(&self, tag: Tag) -> Option<&str> {
        let text = core::str::from_utf8(self.get(tag)?).ok()?;
        let text = text.trim_matches([' ', '\0']);
        (!text.is_empty()).then_some(text)
    }

    /// Whether it is there and not empty.
    pub(super) fn has(&self, tag: Tag) -> bool {
        let padding = |byte: &u8| matches!(byte, 0 | b' ');
        self.get(tag)
            .is_some_and(|value| !value.iter().all(padding))
    }

    pub(super) fn uid(&self, tag: Tag) -> Option<Uid> {
        Uid::new(self.text(tag)?).ok()
    }

    pub(super) fn short(&self, tag: Tag, big_endian: bool) -> Option<u16> {
        let bytes = *self.get(tag)?.first_chunk::<2>()?;
        Some(if big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    pub(super) fn wants_references(&self) -> bool {
        self.text(tags::CLASS) == Some(KEY_OBJECT)
    }

    pub(super) fn reference(&mut self, value: &[u8]) {
        let text = core::str::from_utf8(value).unwrap_or_default();
        let Ok(uid) = Uid::new(text.trim_matches([' ', '\0'])) else {
            return;
        };
        if self.references.len() < REFERENCES_MAX {
            self.references.push(uid);
        } else if !self.findings.contains(&Finding::TooManyReferences) {
            self.findings.push(Finding::TooManyReferences);
        }
    }

    pub(super) const fn directory(&mut self) {
        self.is_directory = true;
    }

    pub(super) const fn pixels_are_new(&self) -> bool {
        self.pixels.is_none()
    }

    pub(super) fn native(&mut self, tag: Tag, begin: u64, bytes: u64) {
        let range = begin..begin.saturating_add(bytes);
        self.pixels = Some((tag, Met::Native(range)));
    }

    pub(super) fn encapsulated(&mut self, tag: Tag, begin: u64) {
        let met = Met::Encapsulated {
            range: begin..begin,
            offsets: Vec::new(),
            fragments: Vec::new(),
        };
        self.pixels = Some((tag, met));
    }

    pub(super) fn offset(&mut self, offset: u32) {
        if let Some((_, Met::Encapsulated { offsets, .. })) = &mut self.pixels {
            offsets.push(offset);
        }
    }

    /// Adds a fragment; false where there are too many.
    pub(super) fn fragment(&mut self, fragment: Range<u64>) -> bool {
        match &mut self.pixels {
            Some((_, Met::Encapsulated { fragments, .. })) if fragments.len() < FRAGMENTS_MAX => {
                fragments.push(fragment);
                true
            }
            _ => false,
        }
    }

    pub(super) fn end_of_fragments(&mut self, at: u64) {
        if let Some((_, Met::Encapsulated { range, .. })) = &mut self.pixels {
            range.end = at;
        }
    }

    pub(super) fn stop(&mut self, finding: Finding) {
        self.stop = Some(finding);
        self.findings.push(finding);
    }

    pub(super) fn first_bad_vr(&mut self, at: u64) {
        if !core::mem::replace(&mut self.bad_vr, true) {
            self.findings.push(Finding::BadVr(at));
        }
    }

    pub(super) fn first_disordered(&mut self, at: u64) {
        if !core::mem::replace(&mut self.disordered, true) {
            self.findings.push(Finding::Disordered(at));
        }
    }

    /// The parts of a value of several.
    pub(super) fn parts<const N: usize>(
        &self,
        tag: Tag,
        parse: impl Fn(&str) -> Option<i64>,
    ) -> Option<[i64; N]> {
        let parts: Option<Vec<i64>> = self.text(tag)?.split('\\').map(parse).collect();
        parts?.try_into().ok()
    }
}
