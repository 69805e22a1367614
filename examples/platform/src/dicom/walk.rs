//! A tolerant walk over the elements of a data set: nothing is decoded or copied, nothing is
//! believed. Every length is checked against the bytes that are there, work is linear in the size
//! of the input, and what ends the walk early is said instead of being an error, because the
//! identifiers that precede it are as good as ever.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::element::{Encoding, Head, ITEM, ITEM_END, SEQUENCE_END, head};

/// Sequences inside sequences: structured reports of real scanners nest about ten deep. The bound
/// keeps the recursion shallow on hostile files.
pub(crate) const DEPTH_MAX: usize = 32;

/// Elements kept of one data set. The largest headers known (radiotherapy, private vendor data)
/// have some thousands; the bound keeps memory small on a file of nothing but empty elements.
pub(crate) const ELEMENTS_MAX: usize = 1 << 18;

/// One element of a data set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: Tag,
    pub(crate) vr: VR,
    /// Where the value begins, counted from the begin of the walked bytes.
    pub(crate) value_at: usize,
    /// The value; for the undefined length without its closing delimiter.
    pub(crate) value: &'a [u8],
    /// The length was undefined: items or fragments follow.
    pub(crate) undefined: bool,
}

/// What ended a walk before the end of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes end inside the element or its header.
    Cut { at: usize, tag: Option<Tag> },
    /// Something that is no item stands where an item must.
    NotAnItem { at: usize },
    /// Deeper than [`DEPTH_MAX`].
    TooDeep { at: usize },
    /// More than [`ELEMENTS_MAX`].
    TooMany { at: usize },
}

impl Stop {
    /// The offset, moved by where the walked bytes begin in the file.
    pub(crate) fn at(self) -> usize {
        match self {
            Self::Cut { at, .. }
            | Self::NotAnItem { at }
            | Self::TooDeep { at }
            | Self::TooMany { at } => at,
        }
    }
}

/// The elements of one data set as far as they could be walked.
#[derive(Debug, Clone)]
pub(crate) struct DataSet<'a> {
    pub(crate) elements: Vec<Element<'a>>,
    pub(crate) stop: Option<Stop>,
    /// The first element whose value representation was none.
    pub(crate) bad_vr: Option<(usize, Tag)>,
    /// Elements whose tag does not come after the one before.
    pub(crate) disordered: usize,
    pub(crate) encoding: Encoding,
}

impl<'a> DataSet<'a> {
    /// Walks `bytes` to its end or to the first thing that cannot be walked over.
    pub(crate) fn walk(bytes: &'a [u8], encoding: Encoding, depth: usize) -> Self {
        Self::walk_while(bytes, encoding, depth, |_| true).0
    }

    /// Walks while `wanted` says yes to a tag; also gives the offset where it ended.
    pub(crate) fn walk_while(
        bytes: &'a [u8],
        encoding: Encoding,
        depth: usize,
        wanted: impl Fn(Tag) -> bool,
    ) -> (Self, usize) {
        let mut set = Self {
            elements: Vec::new(),
            stop: None,
            bad_vr: None,
            disordered: 0,
            encoding,
        };
        let mut at = 0_usize;
        let mut last = Tag(0, 0);
        while let Some(input) = bytes.get(at..).filter(|input| !input.is_empty()) {
            let Ok((rest, found)) = head(input, encoding) else {
                // Zeros after the last element are padding of a transport, not a cut.
                if input.iter().any(|byte| *byte != 0) || set.elements.is_empty() {
                    set.stop = Some(Stop::Cut { at, tag: None });
                }
                break;
            };
            if !wanted(found.tag) {
                break;
            }
            if set.elements.len() >= ELEMENTS_MAX {
                set.stop = Some(Stop::TooMany { at });
                break;
            }
            let value_at = bytes.len().saturating_sub(rest.len());
            if found.bad_vr && set.bad_vr.is_none() {
                set.bad_vr = Some((at, found.tag));
            }
            // A stray delimiter at this level closes nothing.
            if found.tag == ITEM_END || found.tag == SEQUENCE_END {
                at = value_at;
                continue;
            }
            if found.tag <= last {
                set.disordered = set.disordered.saturating_add(1);
            }
            last = found.tag;
            match value(bytes, value_at, found, encoding, depth) {
                Ok((value, next)) => {
                    set.push(found, value_at, value);
                    at = next;
                }
                Err(stop) => {
                    // What is there of cut pixel data is still worth drawing.
                    if is_pixels(found.tag) {
                        set.push(found, value_at, rest);
                    }
                    set.stop = Some(match stop {
                        Stop::Cut { at, .. } => Stop::Cut {
                            at,
                            tag: Some(found.tag),
                        },
                        other => other,
                    });
                    at = bytes.len();
                }
            }
        }
        (set, at)
    }

    fn push(&mut self, head: Head, value_at: usize, value: &'a [u8]) {
        self.elements.push(Element {
            tag: head.tag,
            vr: head.vr,
            value_at,
            value,
            undefined: head.length.is_none(),
        });
    }

    /// The first element with this tag.
    pub(crate) fn get(&self, tag: Tag) -> Option<&Element<'a>> {
        self.elements.iter().find(|element| element.tag == tag)
    }
}

/// The three elements that can hold the pixels.
pub(crate) fn is_pixels(tag: Tag) -> bool {
    tag == tags::PIXEL_DATA || tag == tags::FLOAT_PIXEL_DATA || tag == tags::DOUBLE_FLOAT_PIXEL_DATA
}

/// The content of each item of a sequence, or each fragment of encapsulated pixel data, with its
/// offset in `value`. Ends quietly at the first thing that is no item.
pub(crate) fn items(value: &[u8], encoding: Encoding) -> impl Iterator<Item = &[u8]> {
    let mut at = 0_usize;
    core::iter::from_fn(move || {
        let (rest, found) = head(value.get(at..)?, encoding).ok()?;
        if found.tag != ITEM {
            return None;
        }
        let begin = value.len().checked_sub(rest.len())?;
        if let Some(length) = found.length {
            let length = usize::try_from(length).ok()?.min(rest.len());
            at = begin.checked_add(length)?;
            value.get(begin..at)
        } else {
            let (end, next) = item_end(value, begin, encoding, 0).ok()?;
            at = next;
            value.get(begin..end)
        }
    })
}

/// The value of an element and where the next one begins.
fn value(
    bytes: &[u8],
    value_at: usize,
    head: Head,
    encoding: Encoding,
    depth: usize,
) -> Result<(&[u8], usize), Stop> {
    let cut = Stop::Cut {
        at: bytes.len(),
        tag: Some(head.tag),
    };
    let (end, next) = match head.length {
        Some(length) => {
            let end = usize::try_from(length)
                .ok()
                .and_then(|length| value_at.checked_add(length))
                .ok_or(cut)?;
            (end, end)
        }
        None => sequence_end(bytes, value_at, inner(head.vr, encoding), depth)?,
    };
    let value = bytes.get(value_at..end).ok_or(cut)?;
    Ok((value, next))
}

/// UN of undefined length holds a sequence in implicit little endian, whatever the data set is
/// written in (PS3.5 6.2.2).
pub(crate) fn inner(vr: VR, encoding: Encoding) -> Encoding {
    if vr == VR::UN && encoding.explicit {
        Encoding::IMPLICIT_LE
    } else {
        encoding
    }
}

/// The end of the items of a sequence of undefined length, and the offset after its delimiter.
fn sequence_end(
    bytes: &[u8],
    from: usize,
    encoding: Encoding,
    depth: usize,
) -> Result<(usize, usize), Stop> {
    let depth = deeper(depth, from)?;
    let mut at = from;
    loop {
        let (found, value_at) = head_at(bytes, at, encoding)?;
        if found.tag == SEQUENCE_END {
            return Ok((at, value_at));
        }
        if found.tag != ITEM {
            return Err(Stop::NotAnItem { at });
        }
        at = match found.length {
            Some(length) => skip(bytes, value_at, length)?,
            None => item_end(bytes, value_at, encoding, depth)?.1,
        };
    }
}

/// The end of the elements of an item of undefined length, and the offset after its delimiter.
fn item_end(
    bytes: &[u8],
    from: usize,
    encoding: Encoding,
    depth: usize,
) -> Result<(usize, usize), Stop> {
    let depth = deeper(depth, from)?;
    let mut at = from;
    loop {
        let (found, value_at) = head_at(bytes, at, encoding)?;
        if found.tag == ITEM_END {
            return Ok((at, value_at));
        }
        at = match found.length {
            Some(length) => skip(bytes, value_at, length)?,
            None => sequence_end(bytes, value_at, inner(found.vr, encoding), depth)?.1,
        };
    }
}

fn head_at(bytes: &[u8], at: usize, encoding: Encoding) -> Result<(Head, usize), Stop> {
    let cut = Stop::Cut {
        at: bytes.len(),
        tag: None,
    };
    let (rest, found) = bytes
        .get(at..)
        .and_then(|input| head(input, encoding).ok())
        .ok_or(cut)?;
    Ok((found, bytes.len().saturating_sub(rest.len())))
}

fn skip(bytes: &[u8], from: usize, length: u32) -> Result<usize, Stop> {
    usize::try_from(length)
        .ok()
        .and_then(|length| from.checked_add(length))
        .filter(|end| *end <= bytes.len())
        .ok_or(Stop::Cut {
            at: bytes.len(),
            tag: None,
        })
}

fn deeper(depth: usize, at: usize) -> Result<usize, Stop> {
    let depth = depth.saturating_add(1);
    if depth > DEPTH_MAX {
        return Err(Stop::TooDeep { at });
    }
    Ok(depth)
}
