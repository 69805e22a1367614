//! One data element header: tag, value representation and length, in each of the three encodings
//! (PS3.5 section 7.1; <https://dicom.nema.org/medical/dicom/current/output/chtml/part05/chapter_7.html>).

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;
use nom::bytes::complete::take;
use nom::number::Endianness;
use nom::number::complete::{u16, u32};
use nom::{IResult, Parser};

/// How the elements of a data set are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// The value representation stands in the file.
    pub(crate) explicit: bool,
    /// The order of the bytes in numbers.
    pub(crate) endian: Endianness,
}

impl Encoding {
    pub(crate) const IMPLICIT_LE: Self = Self {
        explicit: false,
        endian: Endianness::Little,
    };
    pub(crate) const EXPLICIT_LE: Self = Self {
        explicit: true,
        endian: Endianness::Little,
    };
    pub(crate) const EXPLICIT_BE: Self = Self {
        explicit: true,
        endian: Endianness::Big,
    };

    /// Whether numbers have their most significant byte first.
    pub(crate) fn is_big(self) -> bool {
        matches!(self.endian, Endianness::Big)
    }
}

/// The header of one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) tag: Tag,
    pub(crate) vr: VR,
    /// `None` is the undefined length.
    pub(crate) length: Option<u32>,
    /// The two bytes where a value representation was expected were none.
    pub(crate) bad_vr: bool,
}

pub(crate) const ITEM: Tag = Tag(0xFFFE, 0xE000);
pub(crate) const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
pub(crate) const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// Reads the header of an element.
pub(crate) fn head(input: &[u8], encoding: Encoding) -> IResult<&[u8], Head> {
    let (rest, tag) = tag(input, encoding.endian)?;
    // Items and delimiters have no value representation in any encoding.
    if tag.group() == 0xFFFE {
        let (rest, length) = u32(encoding.endian).parse(rest)?;
        return Ok((rest, plain(tag, VR::UN, length)));
    }
    if encoding.explicit {
        explicit(rest, tag, encoding)
    } else {
        implicit(rest, tag, encoding)
    }
}

fn tag(input: &[u8], endian: Endianness) -> IResult<&[u8], Tag> {
    (u16(endian), u16(endian))
        .map(|(group, element)| Tag(group, element))
        .parse(input)
}

fn implicit(input: &[u8], tag: Tag, encoding: Encoding) -> IResult<&[u8], Head> {
    let (rest, length) = u32(encoding.endian).parse(input)?;
    Ok((rest, plain(tag, known_vr(tag), length)))
}

fn explicit(input: &[u8], tag: Tag, encoding: Encoding) -> IResult<&[u8], Head> {
    let (rest, letters) = take(2_usize).parse(input)?;
    let letters: [u8; 2] = [
        letters.first().copied().unwrap_or(0),
        letters.get(1).copied().unwrap_or(0),
    ];
    match VR::from_binary(letters) {
        Some(vr) if has_long_length(vr) => {
            let (rest, _reserved) = take(2_usize).parse(rest)?;
            let (rest, length) = u32(encoding.endian).parse(rest)?;
            Ok((rest, plain(tag, vr, length)))
        }
        Some(vr) => {
            let (rest, length) = u16(encoding.endian).parse(rest)?;
            let head = Head {
                tag,
                vr,
                length: Some(u32::from(length)),
                bad_vr: false,
            };
            Ok((rest, head))
        }
        None => unknown_vr(input, rest, letters, tag, encoding),
    }
}

/// A value representation nobody knows. Capital letters are one of a later edition, which has the
/// long form when its reserved bytes are zero (PS3.5 6.2.2); anything else is an element written
/// in implicit form in the middle of an explicit data set, as some archives do.
fn unknown_vr<'a>(
    input: &'a [u8],
    after_letters: &'a [u8],
    letters: [u8; 2],
    tag: Tag,
    encoding: Encoding,
) -> IResult<&'a [u8], Head> {
    let (rest, mut head) = if letters.iter().all(u8::is_ascii_uppercase) {
        let (rest, short) = u16(encoding.endian).parse(after_letters)?;
        if short == 0 {
            let (rest, length) = u32(encoding.endian).parse(rest)?;
            (rest, plain(tag, VR::UN, length))
        } else {
            (rest, plain(tag, known_vr(tag), u32::from(short)))
        }
    } else {
        implicit(input, tag, encoding)?
    };
    head.bad_vr = true;
    Ok((rest, head))
}

fn plain(tag: Tag, vr: VR, length: u32) -> Head {
    Head {
        tag,
        vr,
        length: (length != u32::MAX).then_some(length),
        bad_vr: false,
    }
}

/// The value representations whose length has four bytes (PS3.5 table 7.1-1).
fn has_long_length(vr: VR) -> bool {
    matches!(
        vr,
        VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV
    )
}

/// The value representation of the data dictionary; UN for what is not in it.
pub(crate) fn known_vr(tag: Tag) -> VR {
    if tag.element() == 0 {
        return VR::UL;
    }
    StandardDataDictionary
        .by_tag(tag)
        .map_or(VR::UN, |entry| entry.vr().relaxed())
}
