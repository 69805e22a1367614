//! The labels of one file.

use alloc::vec::Vec;

use super::{Finding, PixelLayout, Pixels};
use crate::Uid;

/// The labels of one instance, and what was odd about its file.
///
/// Identifiers, shapes and places only: nothing of the patient is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub(super) study: Uid,
    pub(super) series: Uid,
    pub(super) class: Uid,
    pub(super) instance: Uid,
    pub(super) transfer_syntax: Uid,
    pub(super) instance_number: Option<i64>,
    pub(super) position: Option<[i64; 3]>,
    pub(super) orientation: Option<[i64; 6]>,
    pub(super) shape: Shape,
    pub(super) pixels: Option<Pixels>,
    pub(super) references: Vec<Uid>,
    pub(super) findings: Vec<Finding>,
}

/// The shape of an image as its header gives it, checked against nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) rows: Option<u16>,
    pub(super) columns: Option<u16>,
    pub(super) samples: Option<u16>,
    pub(super) bits_allocated: Option<u16>,
    pub(super) bits_stored: Option<u16>,
    pub(super) high_bit: Option<u16>,
    pub(super) representation: Option<u16>,
    pub(super) planar: Option<u16>,
    pub(super) frames: Option<u32>,
}

impl Header {
    /// StudyInstanceUID (0020,000D).
    #[must_use]
    pub const fn study(&self) -> &Uid {
        &self.study
    }

    /// SeriesInstanceUID (0020,000E).
    #[must_use]
    pub const fn series(&self) -> &Uid {
        &self.series
    }

    /// SOPClassUID (0008,0016), of the meta group where the data set has none.
    #[must_use]
    pub const fn sop_class(&self) -> &Uid {
        &self.class
    }

    /// SOPInstanceUID (0008,0018), of the meta group where the data set has none.
    #[must_use]
    pub const fn sop_instance(&self) -> &Uid {
        &self.instance
    }

    /// TransferSyntaxUID (0002,0010) as the file says it; where it says none, that of the encoding found.
    #[must_use]
    pub const fn transfer_syntax(&self) -> &Uid {
        &self.transfer_syntax
    }

    /// InstanceNumber (0020,0013).
    #[must_use]
    pub const fn instance_number(&self) -> Option<i64> {
        self.instance_number
    }

    /// ImagePositionPatient (0020,0032), nanometres.
    #[must_use]
    pub const fn position_nm(&self) -> Option<[i64; 3]> {
        self.position
    }

    /// ImageOrientationPatient (0020,0037): the cosines of row and column, in millionths.
    #[must_use]
    pub const fn orientation_millionths(&self) -> Option<[i64; 6]> {
        self.orientation
    }

    /// Where the image lies along the normal of its plane, nanometres: slices of one orientation lie in the
    /// order of this number. `None` without position and orientation.
    #[must_use]
    pub fn slice_nm(&self) -> Option<i64> {
        let [rx, ry, rz, cx, cy, cz] = self.orientation?.map(i128::from);
        let [x, y, z] = self.position?.map(i128::from);
        // Products of two cosines are in millionths of millionths; those of any real file fit by far.
        let cross =
            |a: i128, b: i128, c: i128, d: i128| a.checked_mul(b)?.checked_sub(c.checked_mul(d)?);
        let along = cross(ry, cz, rz, cy)?
            .checked_mul(x)?
            .checked_add(cross(rz, cx, rx, cz)?.checked_mul(y)?)?
            .checked_add(cross(rx, cy, ry, cx)?.checked_mul(z)?)?;
        i64::try_from(along / 1_000_000_000_000).ok()
    }

    /// Rows (0028,0010).
    #[must_use]
    pub const fn rows(&self) -> Option<u16> {
        self.shape.rows
    }

    /// Columns (0028,0011).
    #[must_use]
    pub const fn columns(&self) -> Option<u16> {
        self.shape.columns
    }

    /// SamplesPerPixel (0028,0002).
    #[must_use]
    pub const fn samples(&self) -> Option<u16> {
        self.shape.samples
    }

    /// BitsAllocated (0028,0100).
    #[must_use]
    pub const fn bits_allocated(&self) -> Option<u16> {
        self.shape.bits_allocated
    }

    /// BitsStored (0028,0101).
    #[must_use]
    pub const fn bits_stored(&self) -> Option<u16> {
        self.shape.bits_stored
    }

    /// HighBit (0028,0102).
    #[must_use]
    pub const fn high_bit(&self) -> Option<u16> {
        self.shape.high_bit
    }

    /// PixelRepresentation (0028,0103): 0 unsigned, 1 two's complement.
    #[must_use]
    pub const fn pixel_representation(&self) -> Option<u16> {
        self.shape.representation
    }

    /// PlanarConfiguration (0028,0006): 0 by pixel, 1 by plane.
    #[must_use]
    pub const fn planar_configuration(&self) -> Option<u16> {
        self.shape.planar
    }

    /// NumberOfFrames (0028,0008).
    #[must_use]
    pub const fn frames(&self) -> Option<u32> {
        self.shape.frames
    }

    /// Where the pixels lie; `None` without any, and in a deflated data set, whose pixels have no place in the
    /// file.
    #[must_use]
    pub const fn pixels(&self) -> Option<&Pixels> {
        self.pixels.as_ref()
    }

    /// The layout of native pixels, where the header gives one that fits.
    #[must_use]
    pub const fn layout(&self) -> Option<&PixelLayout> {
        match &self.pixels {
            Some(Pixels::Native {
                layout: Some(layout),
                ..
            }) => Some(layout),
            _ => None,
        }
    }

    /// The instances that a key object (Key Object Selection Document, PS3.3 A.35.4) points at; empty for
    /// other classes.
    #[must_use]
    pub fn references(&self) -> &[Uid] {
        &self.references
    }

    /// What was odd about the file.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}
