//! What the platform uses of a header.

use core::ops::Range;

use super::finding::HeaderFinding;

/// The facts of one instance. Texts are decoded and trimmed, otherwise as the file has them: a
/// date of `***` stays that, because judging it is the work of the index.
///
/// `Debug` shows identifiers of the images only, nothing of the patient.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct InstanceFacts {
    /// StudyInstanceUID (0020,000D): 1 to 64 digits and full stops.
    pub study_uid: String,
    /// SeriesInstanceUID (0020,000E), likewise.
    pub series_uid: String,
    /// SOPInstanceUID (0008,0018), likewise.
    pub sop_instance_uid: String,
    /// SOPClassUID (0008,0016), or that of the meta group.
    pub sop_class_uid: Option<String>,
    /// The transfer syntax the meta group names; the plain one the bytes show when it names none.
    pub transfer_syntax_uid: String,
    /// FrameOfReferenceUID (0020,0052).
    pub frame_of_reference_uid: Option<String>,

    /// Modality (0008,0060).
    pub modality: Option<String>,
    /// PatientID (0010,0020).
    pub patient_id: Option<String>,
    /// PatientName (0010,0010), all component groups, as `family^given=…`.
    pub patient_name: Option<String>,
    /// InstitutionName (0008,0080).
    pub institution_name: Option<String>,
    /// InstitutionalDepartmentName (0008,1040).
    pub department_name: Option<String>,
    /// StudyDescription (0008,1030).
    pub study_description: Option<String>,
    /// SeriesDescription (0008,103E).
    pub series_description: Option<String>,
    /// ProtocolName (0018,1030).
    pub protocol_name: Option<String>,
    /// BodyPartExamined (0018,0015).
    pub body_part: Option<String>,
    /// AccessionNumber (0008,0050).
    pub accession_number: Option<String>,
    /// StudyID (0020,0010).
    pub study_id: Option<String>,

    /// StudyDate (0008,0020), as written.
    pub study_date: Option<String>,
    /// StudyTime (0008,0030), as written.
    pub study_time: Option<String>,
    /// SeriesDate (0008,0021), as written.
    pub series_date: Option<String>,
    /// SeriesTime (0008,0031), as written.
    pub series_time: Option<String>,
    /// AcquisitionDate (0008,0022), as written.
    pub acquisition_date: Option<String>,
    /// AcquisitionTime (0008,0032), as written.
    pub acquisition_time: Option<String>,
    /// AcquisitionDateTime (0008,002A), as written.
    pub acquisition_date_time: Option<String>,
    /// ContentDate (0008,0023), as written.
    pub content_date: Option<String>,
    /// ContentTime (0008,0033), as written.
    pub content_time: Option<String>,
    /// TimezoneOffsetFromUTC (0008,0201), as written.
    pub timezone_offset: Option<String>,

    /// SeriesNumber (0020,0011).
    pub series_number: Option<i64>,
    /// InstanceNumber (0020,0013).
    pub instance_number: Option<i64>,
    /// ImageType (0008,0008), its values.
    pub image_type: Vec<String>,

    /// Where the image lies in the patient.
    pub geometry: Geometry,
    /// How the pixels are written; `None` without Rows and Columns.
    pub pixels: Option<PixelFacts>,
    /// How the image was made.
    pub technique: Technique,

    /// What was odd about the header.
    pub findings: Vec<HeaderFinding>,
}

/// Where the image lies in the patient. Of an enhanced multi-frame object: its first frame.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Geometry {
    /// ImagePositionPatient (0020,0032) in mm.
    pub position: Option<[f64; 3]>,
    /// ImageOrientationPatient (0020,0037): the cosines of rows, then of columns.
    pub orientation: Option<[f64; 6]>,
    /// SliceLocation (0020,1041) in mm.
    pub slice_location: Option<f64>,
    /// PixelSpacing (0028,0030) in mm: between rows, between columns.
    pub pixel_spacing: Option<[f64; 2]>,
    /// SliceThickness (0018,0050) in mm.
    pub slice_thickness: Option<f64>,
    /// SpacingBetweenSlices (0018,0088) in mm.
    pub spacing_between_slices: Option<f64>,
    /// GantryDetectorTilt (0018,1120) in degrees.
    pub gantry_tilt: Option<f64>,
}

/// How the pixels are written.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct PixelFacts {
    /// Rows (0028,0010).
    pub rows: u16,
    /// Columns (0028,0011).
    pub columns: u16,
    /// NumberOfFrames (0028,0008), 1 when absent.
    pub frames: u32,
    /// SamplesPerPixel (0028,0002), 1 when absent.
    pub samples: u16,
    /// BitsAllocated (0028,0100).
    pub bits_allocated: u16,
    /// BitsStored (0028,0101), as allocated when absent.
    pub bits_stored: u16,
    /// HighBit (0028,0102), one less than stored when absent.
    pub high_bit: u16,
    /// PixelRepresentation (0028,0103) is 1.
    pub signed: bool,
    /// PlanarConfiguration (0028,0006) is 1.
    pub planar: bool,
    /// PhotometricInterpretation (0028,0004).
    pub photometric: Option<String>,
    /// RescaleSlope (0028,1053) and RescaleIntercept (0028,1052).
    pub rescale: Option<(f64, f64)>,
    /// The first WindowCenter (0028,1050) and WindowWidth (0028,1051).
    pub window: Option<(f64, f64)>,
    /// The bytes of the pixel values in the file, when they are native (neither compressed nor in
    /// a deflated data set) and all there.
    pub native_bytes: Option<Range<u64>>,
    /// There is an element with pixels, whole or cut.
    pub present: bool,
}

/// How the image was made: what a viewer shows in its corner.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Technique {
    /// Manufacturer (0008,0070).
    pub manufacturer: Option<String>,
    /// ManufacturerModelName (0008,1090).
    pub model: Option<String>,
    /// KVP (0018,0060) in kV.
    pub kvp: Option<f64>,
    /// XRayTubeCurrent (0018,1151) in mA.
    pub tube_current_ma: Option<f64>,
    /// ExposureTime (0018,1150) in ms.
    pub exposure_time_ms: Option<f64>,
    /// Exposure (0018,1152) in mAs.
    pub exposure_mas: Option<f64>,
    /// ConvolutionKernel (0018,1210).
    pub kernel: Option<String>,
    /// ReconstructionDiameter (0018,1100) in mm.
    pub reconstruction_diameter: Option<f64>,
    /// MagneticFieldStrength (0018,0087) in tesla.
    pub field_strength: Option<f64>,
    /// RepetitionTime (0018,0080) in ms.
    pub repetition_time_ms: Option<f64>,
    /// EchoTime (0018,0081) in ms.
    pub echo_time_ms: Option<f64>,
    /// InversionTime (0018,0082) in ms.
    pub inversion_time_ms: Option<f64>,
    /// FlipAngle (0018,1314) in degrees.
    pub flip_angle: Option<f64>,
    /// SequenceName (0018,0024).
    pub sequence_name: Option<String>,
}

impl core::fmt::Debug for InstanceFacts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("InstanceFacts")
            .field("study_uid", &self.study_uid)
            .field("series_uid", &self.series_uid)
            .field("sop_instance_uid", &self.sop_instance_uid)
            .field("modality", &self.modality)
            .field("pixels", &self.pixels)
            .field("findings", &self.findings)
            .finish_non_exhaustive()
    }
}
