//! The walked header as a `dicom-object` data set, for code that works on `dicom-core` elements.
//!
//! It is built here and not by the reader of `dicom-object`, so that one reader decides for all
//! files what is in them, no length of the file is believed, and texts are decoded at every level.

use dicom_core::header::Length;
use dicom_core::value::{C, DataSetSequence};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use super::ReadOptions;
use super::charset::CharacterSets;
use super::element::{Encoding, known_vr};
use super::walk::{DEPTH_MAX, DataSet, Element, inner, is_pixels, items};

/// The object of a data set, without its pixels.
pub(crate) fn build(
    set: &DataSet<'_>,
    charset: &CharacterSets,
    options: &ReadOptions,
) -> InMemDicomObject {
    let mut object = elements(set, charset, options, 0);
    // All texts are UTF-8 now.
    if object.get(tags::SPECIFIC_CHARACTER_SET).is_some() {
        object.put(DataElement::new(
            tags::SPECIFIC_CHARACTER_SET,
            VR::CS,
            PrimitiveValue::from("ISO_IR 192"),
        ));
    }
    object
}

fn elements(
    set: &DataSet<'_>,
    charset: &CharacterSets,
    options: &ReadOptions,
    depth: usize,
) -> InMemDicomObject {
    let mut object = InMemDicomObject::new_empty();
    // The first of repeated elements wins, as it does for the facts.
    for element in set.elements.iter().rev() {
        if is_pixels(element.tag) {
            continue;
        }
        let made = if element.vr == VR::SQ || element.undefined {
            sequence(element, set.encoding, charset, options, depth)
        } else {
            let vr = text_vr(element);
            let value = primitive(element.value, vr, set.encoding, charset);
            Some(DataElement::new(element.tag, vr, value))
        };
        if let Some(made) = made {
            object.put(made);
        }
    }
    object
}

fn sequence(
    element: &Element<'_>,
    encoding: Encoding,
    charset: &CharacterSets,
    options: &ReadOptions,
    depth: usize,
) -> Option<InMemElement> {
    let depth = depth.checked_add(1).filter(|depth| *depth <= DEPTH_MAX)?;
    let encoding = inner(element.vr, encoding);
    let items: C<InMemDicomObject> = items(element.value, encoding)
        .map(|item| {
            let set = DataSet::walk(item, encoding, depth);
            // An item may declare sets of its own.
            match set.get(tags::SPECIFIC_CHARACTER_SET) {
                Some(own) => {
                    let own = CharacterSets::new(Some(own.value), options.undeclared);
                    elements(&set, &own, options, depth)
                }
                None => elements(&set, charset, options, depth),
            }
        })
        .collect();
    Some(DataElement::new(
        element.tag,
        VR::SQ,
        DataSetSequence::new(items, Length::UNDEFINED),
    ))
}

/// The value representation of an element; where an archive wrote a text as UN, that of the
/// dictionary (PS3.5 6.2.2). Numbers written so stay bytes, for their byte order is not known.
fn text_vr(element: &Element<'_>) -> VR {
    if element.vr != VR::UN {
        return element.vr;
    }
    match known_vr(element.tag) {
        known @ (VR::AE
        | VR::AS
        | VR::CS
        | VR::DA
        | VR::DS
        | VR::DT
        | VR::IS
        | VR::LO
        | VR::LT
        | VR::PN
        | VR::SH
        | VR::ST
        | VR::TM
        | VR::UC
        | VR::UI
        | VR::UR
        | VR::UT) => known,
        _ => VR::UN,
    }
}

fn primitive(value: &[u8], vr: VR, encoding: Encoding, charset: &CharacterSets) -> PrimitiveValue {
    if value.is_empty() {
        return PrimitiveValue::Empty;
    }
    let big = encoding.is_big();
    match vr {
        VR::LO | VR::PN | VR::SH | VR::UC => strings(&charset.decode(value)),
        VR::LT | VR::ST | VR::UT => {
            let text = charset.decode(value);
            PrimitiveValue::Str(text.trim_end_matches([' ', '\0']).to_owned())
        }
        VR::UR => PrimitiveValue::Str(ascii(value)),
        VR::AE | VR::AS | VR::CS | VR::DA | VR::DS | VR::DT | VR::IS | VR::TM | VR::UI => {
            strings(&ascii(value))
        }
        VR::AT => PrimitiveValue::Tags(each(value, |b: [u8; 4]| {
            let [g0, g1, e0, e1] = b;
            Tag(
                of([g0, g1], big, u16::from_le_bytes),
                of([e0, e1], big, u16::from_le_bytes),
            )
        })),
        VR::US => PrimitiveValue::U16(each(value, |b| of(b, big, u16::from_le_bytes))),
        VR::SS => PrimitiveValue::I16(each(value, |b| of(b, big, i16::from_le_bytes))),
        VR::UL | VR::OL => PrimitiveValue::U32(each(value, |b| of(b, big, u32::from_le_bytes))),
        VR::SL => PrimitiveValue::I32(each(value, |b| of(b, big, i32::from_le_bytes))),
        VR::FL | VR::OF => PrimitiveValue::F32(each(value, |b| of(b, big, f32::from_le_bytes))),
        VR::FD | VR::OD => PrimitiveValue::F64(each(value, |b| of(b, big, f64::from_le_bytes))),
        VR::UV | VR::OV => PrimitiveValue::U64(each(value, |b| of(b, big, u64::from_le_bytes))),
        VR::SV => PrimitiveValue::I64(each(value, |b| of(b, big, i64::from_le_bytes))),
        VR::OW => PrimitiveValue::U16(each(value, |b| of(b, big, u16::from_le_bytes))),
        _ => PrimitiveValue::U8(value.iter().copied().collect()),
    }
}

/// Numbers of `N` bytes each; a rest that is no whole number is left out.
fn each<const N: usize, T>(value: &[u8], read: impl Fn([u8; N]) -> T) -> C<T>
where
    C<T>: FromIterator<T>,
{
    value.as_chunks::<N>().0.iter().map(|b| read(*b)).collect()
}

fn of<const N: usize, T>(mut bytes: [u8; N], big: bool, read: fn([u8; N]) -> T) -> T {
    if big {
        bytes.reverse();
    }
    read(bytes)
}

fn ascii(value: &[u8]) -> String {
    let text: String = value.iter().map(|byte| char::from(*byte)).collect();
    text.trim_matches([' ', '\0']).to_owned()
}

fn strings(text: &str) -> PrimitiveValue {
    PrimitiveValue::Strs(
        text.split('\\')
            .map(|part| part.trim_end_matches([' ', '\0']).to_owned())
            .collect(),
    )
}
