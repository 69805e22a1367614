//! From the bytes of a file to the facts of its instance.

use core::ops::Range;
use core::str::FromStr;

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

use super::charset::CharacterSets;
use super::facts::{Geometry, InstanceFacts, PixelFacts, Technique};
use super::finding::HeaderFinding;
use super::layout::{Layout, uid_text};
use super::walk::{DataSet, Element, Stop, inner, is_pixels, items};
use super::{Header, INFLATED_HEADER_BYTES_MAX, NotTaken, ReadOptions, UidName, object};

/// The longest UID (PS3.5 9.1).
const UID_CHARS_MAX: usize = 64;

/// Reads the facts of the instance in a file.
///
/// # Errors
/// [`NotTaken`] when the bytes are no DICOM file, are a directory, or do not hold the identifiers
/// of study, series and instance.
pub fn read(bytes: &[u8], options: &ReadOptions) -> Result<InstanceFacts, NotTaken> {
    let layout = Layout::find(bytes, INFLATED_HEADER_BYTES_MAX)?;
    let reading = Reading::new(&layout, options);
    reading.facts(&layout)
}

/// Reads the facts of the instance in a file, and its whole header as an object.
///
/// # Errors
/// As [`read`].
pub fn read_header(bytes: &[u8], options: &ReadOptions) -> Result<Header, NotTaken> {
    let layout = Layout::find(bytes, INFLATED_HEADER_BYTES_MAX)?;
    let reading = Reading::new(&layout, options);
    // Before the facts, so that their findings count the texts of the sequences as well.
    let object = object::build(&reading.set, &reading.charset, options);
    let facts = reading.facts(&layout)?;
    Ok(Header { facts, object })
}

/// A data set walked, with the character sets of its texts.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) set: DataSet<'a>,
    charset: CharacterSets,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(layout: &'a Layout<'_>, options: &ReadOptions) -> Self {
        let set = DataSet::walk(&layout.data, layout.encoding, 0);
        let declared = set
            .get(tags::SPECIFIC_CHARACTER_SET)
            .map(|element| element.value);
        let charset = CharacterSets::new(declared, options.undeclared);
        Self { set, charset }
    }

    pub(crate) fn facts(&self, layout: &Layout<'_>) -> Result<InstanceFacts, NotTaken> {
        let mut findings = layout.findings.clone();
        self.refuse_directory(layout)?;
        let sop_instance_uid = self.instance_uid(layout, &mut findings)?;
        let mut facts = InstanceFacts {
            study_uid: self.uid(tags::STUDY_INSTANCE_UID, UidName::Study, layout)?,
            series_uid: self.uid(tags::SERIES_INSTANCE_UID, UidName::Series, layout)?,
            sop_instance_uid,
            sop_class_uid: self.uid_opt(tags::SOP_CLASS_UID).or_else(|| {
                let class = layout.meta.get(tags::MEDIA_STORAGE_SOP_CLASS_UID)?;
                Some(uid_text(class.value)).filter(|uid| is_uid(uid))
            }),
            transfer_syntax_uid: layout.transfer_syntax.clone(),
            frame_of_reference_uid: self.uid_opt(tags::FRAME_OF_REFERENCE_UID),
            modality: self.text(tags::MODALITY),
            patient_id: self.text(tags::PATIENT_ID),
            patient_name: self.text(tags::PATIENT_NAME),
            institution_name: self.text(tags::INSTITUTION_NAME),
            department_name: self.text(tags::INSTITUTIONAL_DEPARTMENT_NAME),
            study_description: self.text(tags::STUDY_DESCRIPTION),
            series_description: self.text(tags::SERIES_DESCRIPTION),
            protocol_name: self.text(tags::PROTOCOL_NAME),
            body_part: self.text(tags::BODY_PART_EXAMINED),
            accession_number: self.text(tags::ACCESSION_NUMBER),
            study_id: self.text(tags::STUDY_ID),
            study_date: self.text(tags::STUDY_DATE),
            study_time: self.text(tags::STUDY_TIME),
            series_date: self.text(tags::SERIES_DATE),
            series_time: self.text(tags::SERIES_TIME),
            acquisition_date: self.text(tags::ACQUISITION_DATE),
            acquisition_time: self.text(tags::ACQUISITION_TIME),
            acquisition_date_time: self.text(tags::ACQUISITION_DATE_TIME),
            content_date: self.text(tags::CONTENT_DATE),
            content_time: self.text(tags::CONTENT_TIME),
            timezone_offset: self.text(tags::TIMEZONE_OFFSET_FROM_UTC),
            series_number: self.number(tags::SERIES_NUMBER),
            instance_number: self.number(tags::INSTANCE_NUMBER),
            image_type: self.texts(tags::IMAGE_TYPE),
            geometry: self.geometry(),
            pixels: self.pixels(layout),
            technique: self.technique(),
            findings: Vec::new(),
        };
        findings.extend(self.findings(layout));
        facts.findings = findings;
        Ok(facts)
    }

    fn refuse_directory(&self, layout: &Layout<'_>) -> Result<(), NotTaken> {
        let class = layout
            .meta
            .get(tags::MEDIA_STORAGE_SOP_CLASS_UID)
            .map(|element| uid_text(element.value));
        let is_directory = class.as_deref() == Some(uids::MEDIA_STORAGE_DIRECTORY_STORAGE)
            || self.set.get(tags::DIRECTORY_RECORD_SEQUENCE).is_some();
        if is_directory && self.set.get(tags::STUDY_INSTANCE_UID).is_none() {
            return Err(NotTaken::Directory);
        }
        Ok(())
    }

    fn instance_uid(
        &self,
        layout: &Layout<'_>,
        findings: &mut Vec<HeaderFinding>,
    ) -> Result<String, NotTaken> {
        let in_meta = layout
            .meta
            .get(tags::MEDIA_STORAGE_SOP_INSTANCE_UID)
            .map(|element| uid_text(element.value))
            .filter(|uid| is_uid(uid));
        match self.uid(tags::SOP_INSTANCE_UID, UidName::Instance, layout) {
            Ok(uid) => {
                if in_meta.is_some_and(|other| other != uid) {
                    findings.push(HeaderFinding::InstanceUidsDiffer);
                }
                Ok(uid)
            }
            Err(reason) => {
                let uid = in_meta.ok_or(reason)?;
                findings.push(HeaderFinding::InstanceUidFromMeta);
                Ok(uid)
            }
        }
    }

    fn uid(&self, tag: Tag, name: UidName, layout: &Layout<'_>) -> Result<String, NotTaken> {
        let text = self.set.get(tag).map(|element| uid_text(element.value));
        let Some(uid) = text.filter(|uid| !uid.is_empty()) else {
            let offset = layout.data_at.unwrap_or(0);
            return Err(match self.set.stop {
                Some(Stop::Cut { at, .. }) => NotTaken::Cut {
                    at: at.saturating_add(offset),
                    missing: name,
                },
                Some(stop) => NotTaken::Unreadable {
                    at: stop.at().saturating_add(offset),
                    missing: name,
                },
                None => NotTaken::UidAbsent(name),
            });
        };
        if is_uid(&uid) {
            Ok(uid)
        } else {
            Err(NotTaken::UidInvalid(name))
        }
    }

    fn uid_opt(&self, tag: Tag) -> Option<String> {
        let uid = uid_text(self.set.get(tag)?.value);
        is_uid(&uid).then_some(uid)
    }

    /// The decoded text of a value, all its parts; `None` when absent or empty.
    pub(crate) fn text(&self, tag: Tag) -> Option<String> {
        let element = self.set.get(tag)?;
        if element.undefined {
            return None;
        }
        let text = self.charset.decode(element.value);
        let text = text.trim_matches([' ', '\0']);
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn texts(&self, tag: Tag) -> Vec<String> {
        self.text(tag)
            .map(|text| {
                text.split('\\')
                    .map(|part| part.trim().to_owned())
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The first number of a text value.
    fn number<T: FromStr>(&self, tag: Tag) -> Option<T> {
        numbers(self.find(tag)?.value).next()?
    }

    fn float(&self, tag: Tag) -> Option<f64> {
        self.number(tag).filter(|value: &f64| value.is_finite())
    }

    fn floats<const N: usize>(&self, tag: Tag) -> Option<[f64; N]> {
        let values: Option<Vec<f64>> = numbers(self.find(tag)?.value).collect();
        let values: [f64; N] = values?.try_into().ok()?;
        values
            .iter()
            .all(|value| value.is_finite())
            .then_some(values)
    }

    /// An element of the data set or, in enhanced objects, of the functional groups that all
    /// frames share, or else of those of the first frame (PS3.3 C.7.6.16).
    fn find(&self, tag: Tag) -> Option<Element<'a>> {
        if let Some(element) = self.set.get(tag) {
            return Some(*element);
        }
        [
            tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
            tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        ]
        .into_iter()
        .find_map(|groups| {
            let groups = self.set.get(groups)?;
            let encoding = inner(groups.vr, self.set.encoding);
            let item = items(groups.value, encoding).next()?;
            let group = DataSet::walk(item, encoding, 1);
            group.elements.iter().find_map(|macro_sequence| {
                let encoding = inner(macro_sequence.vr, encoding);
                let item = items(macro_sequence.value, encoding).next()?;
                DataSet::walk(item, encoding, 2).get(tag).copied()
            })
        })
    }

    /// A binary number of two bytes.
    pub(crate) fn short(&self, tag: Tag) -> Option<u16> {
        let bytes: [u8; 2] = self.set.get(tag)?.value.get(..2)?.try_into().ok()?;
        Some(if self.set.encoding.is_big() {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn geometry(&self) -> Geometry {
        Geometry {
            position: self.floats(tags::IMAGE_POSITION_PATIENT),
            orientation: self.floats(tags::IMAGE_ORIENTATION_PATIENT),
            slice_location: self.float(tags::SLICE_LOCATION),
            pixel_spacing: self
                .floats(tags::PIXEL_SPACING)
                .or_else(|| self.floats(tags::IMAGER_PIXEL_SPACING)),
            slice_thickness: self.float(tags::SLICE_THICKNESS),
            spacing_between_slices: self.float(tags::SPACING_BETWEEN_SLICES),
            gantry_tilt: self.float(tags::GANTRY_DETECTOR_TILT),
        }
    }

    fn pixels(&self, layout: &Layout<'_>) -> Option<PixelFacts> {
        let bits_allocated = self.short(tags::BITS_ALLOCATED).unwrap_or(0);
        let bits_stored = self.short(tags::BITS_STORED).unwrap_or(bits_allocated);
        let pair = |first, second| self.float(first).zip(self.float(second));
        Some(PixelFacts {
            rows: self.short(tags::ROWS)?,
            columns: self.short(tags::COLUMNS)?,
            frames: self.number(tags::NUMBER_OF_FRAMES).unwrap_or(1),
            samples: self.short(tags::SAMPLES_PER_PIXEL).unwrap_or(1),
            bits_allocated,
            bits_stored,
            high_bit: self
                .short(tags::HIGH_BIT)
                .unwrap_or_else(|| bits_stored.saturating_sub(1)),
            signed: self.short(tags::PIXEL_REPRESENTATION) == Some(1),
            planar: self.short(tags::PLANAR_CONFIGURATION) == Some(1),
            photometric: self.text(tags::PHOTOMETRIC_INTERPRETATION),
            rescale: pair(tags::RESCALE_SLOPE, tags::RESCALE_INTERCEPT),
            window: pair(tags::WINDOW_CENTER, tags::WINDOW_WIDTH),
            native_bytes: self.native_bytes(layout),
            present: self.pixel_element().is_some(),
        })
    }

    /// The element that holds the pixels.
    pub(crate) fn pixel_element(&self) -> Option<&Element<'a>> {
        self.set
            .elements
            .iter()
            .find(|element| is_pixels(element.tag))
    }

    fn native_bytes(&self, layout: &Layout<'_>) -> Option<Range<u64>> {
        let element = self.pixel_element()?;
        let is_cut =
            matches!(self.set.stop, Some(Stop::Cut { tag: Some(tag), .. }) if tag == element.tag);
        if element.undefined || is_cut {
            return None;
        }
        let begin = layout.data_at?.checked_add(element.value_at)?;
        let end = begin.checked_add(element.value.len())?;
        Some(u64::try_from(begin).ok()?..u64::try_from(end).ok()?)
    }

    fn technique(&self) -> Technique {
        Technique {
            manufacturer: self.text(tags::MANUFACTURER),
            model: self.text(tags::MANUFACTURER_MODEL_NAME),
            kvp: self.float(tags::KVP),
            tube_current_ma: self.float(tags::X_RAY_TUBE_CURRENT),
            exposure_time_ms: self.float(tags::EXPOSURE_TIME),
            exposure_mas: self.float(tags::EXPOSURE),
            kernel: self.text(tags::CONVOLUTION_KERNEL),
            reconstruction_diameter: self.float(tags::RECONSTRUCTION_DIAMETER),
            field_strength: self.float(tags::MAGNETIC_FIELD_STRENGTH),
            repetition_time_ms: self.float(tags::REPETITION_TIME),
            echo_time_ms: self.float(tags::ECHO_TIME),
            inversion_time_ms: self.float(tags::INVERSION_TIME),
            flip_angle: self.float(tags::FLIP_ANGLE),
            sequence_name: self.text(tags::SEQUENCE_NAME),
        }
    }

    fn findings(&self, layout: &Layout<'_>) -> Vec<HeaderFinding> {
        let offset = layout.data_at.unwrap_or(0);
        let mut findings = Vec::new();
        if let Some((at, tag)) = self.set.bad_vr {
            let at = at.saturating_add(offset);
            findings.push(HeaderFinding::BadVr { at, tag });
        }
        if self.set.disordered > 0 {
            findings.push(HeaderFinding::Disordered {
                count: self.set.disordered,
            });
        }
        let in_part =
            |finding: &HeaderFinding| matches!(finding, HeaderFinding::InflatedInPart { .. });
        if let Some(stop) = self.set.stop
            && !layout.findings.iter().any(in_part)
        {
            let at = stop.at().saturating_add(offset);
            findings.push(match stop {
                Stop::Cut { tag, .. } => HeaderFinding::Cut { at, tag },
                Stop::NotAnItem { .. } => HeaderFinding::NotAnItem { at },
                Stop::TooDeep { .. } => HeaderFinding::TooDeep { at },
                Stop::TooMany { .. } => HeaderFinding::TooMany { at },
            });
        }
        findings.extend(self.charset.findings());
        findings
    }
}

/// The numbers of a DS or IS value.
fn numbers<T: FromStr>(value: &[u8]) -> impl Iterator<Item = Option<T>> {
    value.split(|byte| *byte == b'\\').map(|part| {
        let text = core::str::from_utf8(part).ok()?;
        text.trim_matches([' ', '\0']).parse().ok()
    })
}

/// 1 to 64 digits and full stops. Components with leading zeros, which the standard forbids, exist
/// and name their instance as well as others.
fn is_uid(text: &str) -> bool {
    (1..=UID_CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.bytes().any(|byte| byte.is_ascii_digit())
}
