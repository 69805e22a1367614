//! The header of one data element: tag, value representation, length (PS3.5 section 7.1).

use dicom_core::{Tag, VR};
use nom::bytes::complete::take;
use nom::number::Endianness;
use nom::number::complete::{u16, u32};
use nom::{IResult, Parser};

/// The longest element header.
pub(super) const HEAD_BYTES_MAX: usize = 12;

pub(super) const ITEM: Tag = Tag(0xFFFE, 0xE000);
pub(super) const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
pub(super) const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// How the elements of a data set are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) explicit: bool,
    pub(super) endian: Endianness,
}

impl Encoding {
    pub(super) const IMPLICIT_LE: Self = Self {
        explicit: false,
        endian: Endianness::Little,
    };
    pub(super) const EXPLICIT_LE: Self = Self {
        explicit: true,
        endian: Endianness::Little,
    };
    pub(super) const EXPLICIT_BE: Self = Self {
        explicit: true,
        endian: Endianness::Big,
    };

    pub(super) const fn is_big(self) -> bool {
        matches!(self.endian, Endianness::Big)
    }

    /// UN of undefined length holds a sequence in implicit little endian, whatever is around it
    /// (PS3.5 6.2.2).
    pub(super) fn inside(self, vr: Option<VR>) -> Self {
        if vr == Some(VR::UN) {
            Self::IMPLICIT_LE
        } else {
            self
        }
    }
}

/// The header of one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) tag: Tag,
    /// `None` where the encoding does not write it.
    pub(super) vr: Option<VR>,
    /// `None` is the undefined length.
    pub(super) length: Option<u32>,
    /// Bytes of the header.
    pub(super) bytes: usize,
    pub(super) bad_vr: bool,
}

/// Reads the header of an element.
pub(super) fn head(input: &[u8], encoding: Encoding) -> Option<Head> {
    let (rest, mut head) = parse(input, encoding).ok()?;
    head.bytes = input.len().saturating_sub(rest.len());
    Some(head)
}

fn parse(input: &[u8], encoding: Encoding) -> IResult<&[u8], Head> {
    let (rest, tag) = (u16(encoding.endian), u16(encoding.endian))
        .map(|(group, element)| Tag(group, element))
        .parse(input)?;
    // Items and delimiters have no value representation in any encoding.
    if tag.group() == 0xFFFE || !encoding.explicit {
        return long(rest, tag, None, encoding);
    }
    explicit(rest, tag, encoding)
}

fn explicit(input: &[u8], tag: Tag, encoding: Encoding) -> IResult<&[u8], Head> {
    let (rest, letters) = take(2_usize)
        .map_opt(|letters: &[u8]| letters.first_chunk::<2>().copied())
        .parse(input)?;
    match VR::from_binary(letters) {
        Some(vr) if has_long_length(vr) => {
            let (rest, _reserved) = take(2_usize).parse(rest)?;
            long(rest, tag, Some(vr), encoding)
        }
        Some(vr) => {
            let (rest, length) = u16(encoding.endian).parse(rest)?;
            Ok((rest, short(tag, Some(vr), length)))
        }
        None => unknown_vr(input, rest, letters, tag, encoding),
    }
}

/// A value representation nobody knows. Capital letters are one of a later edition, which has the long form
/// when its reserved bytes are zero; anything else is an element written in implicit form in the middle of an
/// explicit data set, as some archives do.
fn unknown_vr<'a>(
    input: &'a [u8],
    after_letters: &'a [u8],
    letters: [u8; 2],
    tag: Tag,
    encoding: Encoding,
) -> IResult<&'a [u8], Head> {
    let (rest, mut head) = if letters.iter().all(u8::is_ascii_uppercase) {
        let (rest, length) = u16(encoding.endian).parse(after_letters)?;
        if length == 0 {
            long(rest, tag, None, encoding)?
        } else {
            (rest, short(tag, None, length))
        }
    } else {
        long(input, tag, None, encoding)?
    };
    head.bad_vr = true;
    Ok((rest, head))
}

fn long(input: &[u8], tag: Tag, vr: Option<VR>, encoding: Encoding) -> IResult<&[u8], Head> {
    let (rest, length) = u32(encoding.endian).parse(input)?;
    let head = Head {
        tag,
        vr,
        length: (length != u32::MAX).then_some(length),
        bytes: 0,
        bad_vr: false,
    };
    Ok((rest, head))
}

const fn short(tag: Tag, vr: Option<VR>, length: u16) -> Head {
    Head {
        tag,
        vr,
        length: Some(length as u32),
        bytes: 0,
        bad_vr: false,
    }
}

/// The value representations whose length has four bytes (PS3.5 table 7.1-1).
const fn has_long_length(vr: VR) -> bool {
    use VR::{OB, OD, OF, OL, OV, OW, SQ, SV, UC, UN, UR, UT, UV};
    matches!(
        vr,
        OB | OD | OF | OL | OV | OW | SQ | SV | UC | UN | UR | UT | UV
    )
}
