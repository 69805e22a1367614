//! Headers as dicom-rs holds them (feature `dicom`).

use alloc::string::String;

use dicom_core::header::Header as _;
use dicom_core::value::{DicomDate, DicomDateTime, DicomTime, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag};

use super::attribute::{Attribute, CodeText, HeaderText, Held};
use super::block::Carried;
use super::carry::CODE_GROUP;
use super::draft::ExamDraft;

impl ExamDraft {
    /// A draft from the elements of a data set.
    ///
    /// Takes whatever yields element references of dicom-core, such as `object.iter()` of
    /// dicom-object; only the top level is read, and of an element that occurs twice the first. Sequences of
    /// codes are not looked into: [`from_elements_with`](Self::from_elements_with) does.
    ///
    /// ```
    /// use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
    /// use mic_index::dicom::ExamDraft;
    ///
    /// let elements: [DataElement; 2] = [
    ///     DataElement::new(Tag(0x0008, 0x0020), VR::DA, PrimitiveValue::from("20241122")),
    ///     DataElement::new(Tag(0x0008, 0x0030), VR::TM, PrimitiveValue::from("143000")),
    /// ];
    /// let draft = ExamDraft::from_elements(&elements);
    /// assert_eq!(draft.exam_time().unwrap().to_string(), "202411221430");
    /// ```
    #[must_use]
    pub fn from_elements<'a, I, P>(
        elements: impl IntoIterator<Item = &'a DataElement<I, P>>,
    ) -> Self
    where
        I: 'a,
        P: 'a,
    {
        Self::from_text(&HeaderText::from_elements(elements))
    }

    /// As [`from_elements`](Self::from_elements), and with the codes of exam items: `items` gives the elements of
    /// a sequence's item.
    ///
    /// ```
    /// use dicom_core::{DataElement, PrimitiveValue, Tag, VR, value::DataSetSequence};
    /// use dicom_object::InMemDicomObject;
    /// use mic_index::dicom::ExamDraft;
    ///
    /// let code = InMemDicomObject::from_element_iter([
    ///     DataElement::new(Tag(0x0008, 0x0100), VR::SH, PrimitiveValue::from("CT01")),
    ///     DataElement::new(Tag(0x0008, 0x0104), VR::LO, PrimitiveValue::from("Head CT")),
    /// ]);
    /// let object = InMemDicomObject::from_element_iter([DataElement::new(
    ///     Tag(0x0032, 0x1064),
    ///     VR::SQ,
    ///     DataSetSequence::from(vec![code]),
    /// )]);
    /// let draft = ExamDraft::from_elements_with(object.iter(), |item| item.iter());
    /// assert_eq!(draft.item().unwrap().code().unwrap().as_str(), "CT01");
    /// ```
    #[must_use]
    pub fn from_elements_with<'a, I, P, E>(
        elements: impl IntoIterator<Item = &'a DataElement<I, P>>,
        items: impl Fn(&'a I) -> E,
    ) -> Self
    where
        I: 'a,
        P: 'a,
        E: IntoIterator<Item = &'a DataElement<I, P>>,
    {
        Self::from_text(&HeaderText::from_elements_with(elements, items))
    }
}

impl HeaderText {
    /// The texts of the attributes the draft reads.
    #[must_use]
    pub fn from_elements<'a, I, P>(
        elements: impl IntoIterator<Item = &'a DataElement<I, P>>,
    ) -> Self
    where
        I: 'a,
        P: 'a,
    {
        // An attribute of codes is passed over: what is in it cannot be seen from here.
        Self::collect(elements, |_| Held::Absent)
    }

    /// The texts of the attributes the draft reads, the codes of exam items among them; `items` gives the
    /// elements of a sequence's item.
    #[must_use]
    pub fn from_elements_with<'a, I, P, E>(
        elements: impl IntoIterator<Item = &'a DataElement<I, P>>,
        items: impl Fn(&'a I) -> E,
    ) -> Self
    where
        I: 'a,
        P: 'a,
        E: IntoIterator<Item = &'a DataElement<I, P>>,
    {
        Self::collect(elements, |element| match element.value() {
            Value::Sequence(sequence) => {
                let codes = sequence.items().iter();
                Held::Codes(codes.map(|item| code_text(items(item))).collect())
            }
            _ => Held::NoText,
        })
    }

    fn collect<'a, I, P>(
        elements: impl IntoIterator<Item = &'a DataElement<I, P>>,
        codes: impl Fn(&'a DataElement<I, P>) -> Held,
    ) -> Self
    where
        I: 'a,
        P: 'a,
    {
        let mut header = Self::new();
        let mut carried = Carried::default();
        let mut declared = false;
        for element in elements {
            let tag = element.header().tag;
            if tag.group() == CODE_GROUP {
                carried.note(element);
                continue;
            }
            if tag == CHARACTER_SET {
                declared |= element.value().primitive().is_some_and(goes_beyond_ascii);
                continue;
            }
            let Some(attribute) = Attribute::from_tag(tag.group(), tag.element()) else {
                continue;
            };
            if *header.get(attribute) == Held::Absent {
                let value = if attribute.is_code_sequence() {
                    codes(element)
                } else {
                    element.value().primitive().map_or(Held::NoText, held)
                };
                header.set(attribute, value);
            }
        }
        header.set(Attribute::IndexCode, carried.held());
        if declared {
            header
        } else {
            header.with_no_character_set()
        }
    }
}

const CHARACTER_SET: Tag = Tag(0x0008, 0x0005);

/// Whether a SpecificCharacterSet has more than the characters of ASCII, which are those of an empty value, too.
fn goes_beyond_ascii(character_set: &PrimitiveValue) -> bool {
    let Held::Text(text) = held(character_set) else {
        return false;
    };
    text.split('\\')
        .map(|term| term.trim_matches([' ', '\0']))
        .any(|term| !matches!(term, "" | "ISO_IR 6" | "ISO 2022 IR 6"))
}

/// The values of a code sequence item (PS3.3 8.8), of which it has one.
const CODE_VALUES: [Tag; 3] = [
    Tag(0x0008, 0x0100),
    Tag(0x0008, 0x0119),
    Tag(0x0008, 0x0120),
];
const CODE_MEANING: Tag = Tag(0x0008, 0x0104);

fn code_text<'a, I, P>(item: impl IntoIterator<Item = &'a DataElement<I, P>>) -> CodeText
where
    I: 'a,
    P: 'a,
{
    let mut code = CodeText::default();
    for element in item {
        let tag = element.tag();
        let slot = if CODE_VALUES.contains(&tag) {
            &mut code.value
        } else if tag == CODE_MEANING {
            &mut code.meaning
        } else {
            continue;
        };
        if let (None, Some(Held::Text(text))) = (&slot, element.value().primitive().map(held)) {
            *slot = Some(text);
        }
    }
    code
}

/// The text of a value as a file would hold it.
pub(super) fn held(value: &PrimitiveValue) -> Held {
    match value {
        PrimitiveValue::Empty => Held::Text(String::new()),
        // Dates a caller has parsed already go back to their encoded form.
        PrimitiveValue::Date(dates) => joined(dates.iter().map(DicomDate::to_encoded)),
        PrimitiveValue::Time(times) => joined(times.iter().map(DicomTime::to_encoded)),
        PrimitiveValue::DateTime(stamps) => joined(stamps.iter().map(DicomDateTime::to_encoded)),
        PrimitiveValue::Str(_) | PrimitiveValue::Strs(_) => {
            Held::Text(value.to_raw_str().into_owned())
        }
        // Explicit VR UN and the like: bytes that may still be text.
        PrimitiveValue::U8(bytes) => match core::str::from_utf8(bytes) {
            Ok(text) => Held::Text(text.into()),
            Err(_) => Held::NoText,
        },
        _ => Held::NoText,
    }
}

fn joined(values: impl Iterator<Item = String>) -> Held {
    let mut text = String::new();
    for (at, value) in values.enumerate() {
        if at > 0 {
            text.push('\\');
        }
        text.push_str(&value);
    }
    Held::Text(text)
}
