//! Headers as dicom-rs holds them (feature `dicom`).

use alloc::string::String;

use dicom_core::value::{DicomDate, DicomDateTime, DicomTime};
use dicom_core::{DataElement, PrimitiveValue};

use super::attribute::{Attribute, HeaderText, Held};
use super::block::Carried;
use super::carry::CODE_GROUP;
use super::draft::ExamDraft;

impl ExamDraft {
    /// A draft from the elements of a data set.
    ///
    /// Takes whatever yields element references of dicom-core, such as `object.iter()` of
    /// dicom-object; only the top level is read, and of an element that occurs twice the first.
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
        let mut header = Self::new();
        let mut carried = Carried::default();
        for element in elements {
            let tag = element.header().tag;
            if tag.group() == CODE_GROUP {
                carried.note(element);
                continue;
            }
            let Some(attribute) = Attribute::from_tag(tag.group(), tag.element()) else {
                continue;
            };
            if *header.get(attribute) == Held::Absent {
                header.set(
                    attribute,
                    element.value().primitive().map_or(Held::NoText, held),
                );
            }
        }
        header.set(Attribute::IndexCode, carried.held());
        header
    }
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
