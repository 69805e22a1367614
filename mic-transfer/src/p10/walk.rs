//! One walk over the elements of a data set, forward only: labels are kept, everything else is passed over.
//! Nothing is allocated by a length the file claims, depth and counts are bounded, and what ends the walk early
//! is a finding, since the labels before it are as good as ever.

use alloc::vec::Vec;
use std::io;

use dicom_core::{Tag, VR};

use super::element::{Encoding, HEAD_BYTES_MAX, Head, ITEM, ITEM_END, SEQUENCE_END, head};
use super::fault::Finding;
use super::input::{Forward, Input};
use super::values::Values;
use super::{DEPTH_MAX, ELEMENTS_MAX, FRAGMENTS_MAX, VALUE_BYTES_MAX, tags};

/// A sequence or item that is open around the reading position.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// `None` for an item.
    sequence: Option<Tag>,
    /// Where it ends, if it says so.
    end: Option<u64>,
    encoding: Encoding,
}

/// Walks to the end of the input, or to what can't be walked over, or while `wanted` says yes to a tag.
pub(super) struct Walk<'i, F> {
    input: &'i mut Input<F>,
    encoding: Encoding,
    open: Vec<Open>,
    last: Tag,
    elements: u64,
    /// The root element that a walk inside sequences began at, where its references are wanted.
    references: bool,
}

/// Whether the walk goes on.
enum Step {
    On,
    End,
}

impl<'i, F: Forward> Walk<'i, F> {
    pub(super) const fn new(input: &'i mut Input<F>, encoding: Encoding) -> Self {
        Self {
            input,
            encoding,
            open: Vec::new(),
            last: Tag(0, 0),
            elements: 0,
            references: false,
        }
    }

    pub(super) fn run(
        mut self,
        values: &mut Values,
        wanted: impl Fn(Tag) -> bool,
    ) -> io::Result<()> {
        loop {
            if let Step::End = self.step(values, &wanted)? {
                return Ok(());
            }
        }
    }

    fn step(&mut self, values: &mut Values, wanted: &impl Fn(Tag) -> bool) -> io::Result<Step> {
        let at = self.input.at();
        while let Some(end) = self.open.last().and_then(|open| open.end) {
            if end > at {
                break;
            }
            if end < at {
                values.stop(Finding::PassesParent(at));
                return Ok(Step::End);
            }
            self.open.pop();
        }
        let (encoding, in_sequence) = self
            .open
            .last()
            .map_or((self.encoding, None), |open| (open.encoding, open.sequence));
        let input = self.input.peek(HEAD_BYTES_MAX)?;
        if input.is_empty() {
            if !self.open.is_empty() {
                values.stop(Finding::CutHeader(at));
            }
            return Ok(Step::End);
        }
        let Some(found) = head(input, encoding) else {
            // Zeros behind the last element are padding of a transport, not a cut.
            if input.iter().any(|byte| *byte != 0) || !self.open.is_empty() {
                values.stop(Finding::CutHeader(at));
            }
            return Ok(Step::End);
        };
        let root = self.open.is_empty();
        if root && !wanted(found.tag) {
            return Ok(Step::End);
        }
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            values.stop(Finding::TooMany(at));
            return Ok(Step::End);
        }
        self.input.skip(found.bytes as u64)?;
        if in_sequence.is_some() {
            return self.item(found, encoding, at, values);
        }
        if found.tag == ITEM_END || found.tag == SEQUENCE_END {
            // A stray delimiter closes nothing; that of an item its item.
            if found.tag == ITEM_END && self.open.last().is_some_and(|open| open.end.is_none()) {
                self.open.pop();
            }
            return Ok(Step::On);
        }
        if found.bad_vr {
            values.first_bad_vr(at);
        }
        if !root {
            return self.inner(found, encoding, at, values);
        }
        if found.tag <= self.last {
            values.first_disordered(at);
        }
        self.last = self.last.max(found.tag);
        self.element(found, at, values)
    }

    /// What stands inside a sequence.
    fn item(
        &mut self,
        found: Head,
        encoding: Encoding,
        at: u64,
        values: &mut Values,
    ) -> io::Result<Step> {
        match (found.tag, found.length) {
            (SEQUENCE_END, _) => {
                self.open.pop();
                Ok(Step::On)
            }
            (ITEM, length) if length.is_none() || self.references => {
                self.enter(None, length, encoding, at, values)
            }
            (ITEM, Some(length)) => self.pass(found.tag, length, values),
            _ => {
                values.stop(Finding::NotAnItem(at));
                Ok(Step::End)
            }
        }
    }

    /// An element of an item.
    fn inner(
        &mut self,
        found: Head,
        encoding: Encoding,
        at: u64,
        values: &mut Values,
    ) -> io::Result<Step> {
        let Some(length) = found.length else {
            let encoding = encoding.inside(found.vr);
            return self.enter(Some(found.tag), None, encoding, at, values);
        };
        if self.references && found.tag == tags::REFERENCED_SOP_INSTANCE_UID {
            // The item is the last that is open, its sequence the one before.
            let holder = self.open.iter().rev().nth(1).and_then(|open| open.sequence);
            if holder == Some(tags::REFERENCED_SOP_SEQUENCE) {
                return self.value(found, length, values, Values::reference);
            }
        }
        if self.references && (found.vr == Some(VR::SQ) || tags::leads_to_references(found.tag)) {
            return self.enter(Some(found.tag), Some(length), encoding, at, values);
        }
        self.pass(found.tag, length, values)
    }

    /// An element of the data set itself.
    fn element(&mut self, found: Head, at: u64, values: &mut Values) -> io::Result<Step> {
        self.references =
            values.wants_references() && tags::ROOTS_OF_REFERENCES.contains(&found.tag);
        let Some(length) = found.length else {
            if tags::PIXELS.contains(&found.tag) && values.pixels_are_new() {
                return self.fragments(found.tag, values);
            }
            let encoding = self.encoding.inside(found.vr);
            return self.enter(Some(found.tag), None, encoding, at, values);
        };
        if self.references {
            return self.enter(Some(found.tag), Some(length), self.encoding, at, values);
        }
        if tags::PIXELS.contains(&found.tag) && values.pixels_are_new() {
            let begin = self.input.at();
            let passed = self.input.skip(u64::from(length))?;
            values.native(found.tag, begin, passed);
            return Ok(self.whole(found.tag, length, passed, values));
        }
        if tags::is_directory(found.tag) {
            values.directory();
        }
        if tags::LABELS.contains(&found.tag) {
            return self.value(found, length, values, |values, bytes| {
                values.set(found.tag, bytes);
            });
        }
        self.pass(found.tag, length, values)
    }

    fn enter(
        &mut self,
        sequence: Option<Tag>,
        length: Option<u32>,
        encoding: Encoding,
        at: u64,
        values: &mut Values,
    ) -> io::Result<Step> {
        if sequence.is_some_and(tags::is_directory) {
            values.directory();
        }
        if self.open.len() >= DEPTH_MAX {
            values.stop(Finding::TooDeep(at));
            return Ok(Step::End);
        }
        let end = length.map(|length| self.input.at().saturating_add(u64::from(length)));
        let parent = self.open.iter().rev().find_map(|open| open.end);
        if let (Some(end), Some(parent)) = (end, parent) {
            if end > parent {
                values.stop(Finding::PassesParent(at));
                return Ok(Step::End);
            }
        }
        self.open.push(Open {
            sequence,
            end,
            encoding,
        });
        Ok(Step::On)
    }

    /// Keeps the first bytes of a value.
    fn value(
        &mut self,
        found: Head,
        length: u32,
        values: &mut Values,
        keep: impl FnOnce(&mut Values, &[u8]),
    ) -> io::Result<Step> {
        let wanted = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(VALUE_BYTES_MAX);
        let ready = self.input.peek(wanted)?;
        if ready.len() >= wanted {
            keep(values, ready.get(..wanted).unwrap_or_default());
        }
        self.pass(found.tag, length, values)
    }

    fn pass(&mut self, tag: Tag, length: u32, values: &mut Values) -> io::Result<Step> {
        let passed = self.input.skip(u64::from(length))?;
        Ok(self.whole(tag, length, passed, values))
    }

    fn whole(&self, tag: Tag, length: u32, passed: u64, values: &mut Values) -> Step {
        if passed == u64::from(length) {
            return Step::On;
        }
        values.stop(Finding::Cut(tag));
        Step::End
    }

    /// The fragments of encapsulated pixels (PS3.5 annex A.4): the first item is the offset table.
    fn fragments(&mut self, tag: Tag, values: &mut Values) -> io::Result<Step> {
        values.encapsulated(tag, self.input.at());
        let mut first = true;
        loop {
            let at = self.input.at();
            let input = self.input.peek(HEAD_BYTES_MAX)?;
            let Some(found) = head(input, self.encoding) else {
                values.end_of_fragments(at);
                values.stop(Finding::Cut(tag));
                return Ok(Step::End);
            };
            match (found.tag, found.length) {
                (SEQUENCE_END, _) => {
                    values.end_of_fragments(at);
                    self.input.skip(found.bytes as u64)?;
                    return Ok(Step::On);
                }
                (ITEM, Some(length)) => {
                    self.input.skip(found.bytes as u64)?;
                    let begin = self.input.at();
                    if first {
                        self.offset_table(length, values)?;
                    }
                    let left = u64::from(length).saturating_sub(self.input.at() - begin);
                    let passed = self.input.skip(left)?;
                    let end = self.input.at();
                    if passed < left {
                        values.end_of_fragments(end);
                        values.stop(Finding::Cut(tag));
                        return Ok(Step::End);
                    }
                    if !first && !values.fragment(begin..end) {
                        values.end_of_fragments(end);
                        values.stop(Finding::TooManyFragments);
                        return Ok(Step::End);
                    }
                    first = false;
                }
                _ => {
                    values.end_of_fragments(at);
                    values.stop(Finding::NotAnItem(at));
                    return Ok(Step::End);
                }
            }
        }
    }

    /// Offsets of frames, four bytes each, from the first byte behind the table.
    fn offset_table(&mut self, length: u32, values: &mut Values) -> io::Result<()> {
        let count = usize::try_from(length / 4).unwrap_or(usize::MAX);
        for _ in 0..count.min(FRAGMENTS_MAX) {
            let Some(bytes) = self.input.peek(4)?.first_chunk::<4>().copied() else {
                break;
            };
            values.offset(u32::from_le_bytes(bytes));
            self.input.skip(4)?;
        }
        Ok(())
    }
}
