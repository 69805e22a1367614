//! What was drawn, what was not, and why.

use super::canvas::Canvas;
use super::codec::CodecFault;
use super::frame::Instance;
use super::raster::Raster;
use super::survey::{Series, Survey};
use super::{ReadInstance, tone};
use crate::dicom::NotTaken;

/// A picture with its report.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Picture {
    /// The PNG file.
    pub png: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// What is on it and what is not.
    pub report: PictureReport,
}

impl Picture {
    pub(super) fn new(canvas: &Canvas, report: PictureReport) -> Result<Self, PictureError> {
        let (png, width, height) = canvas.png()?;
        Ok(Self {
            png,
            width,
            height,
            report,
        })
    }
}

/// Counts that add up: `instances` are those with pixels, `without_pixels` and `not_read`; the
/// `frames` of those with pixels are `drawn`, `not_drawn` and `left_out`.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct PictureReport {
    /// Instances the study has.
    pub instances: usize,
    /// Structured reports and the like: nothing to draw, nothing wrong.
    pub without_pixels: usize,
    /// Instances whose header could not be read, with the reason.
    pub not_read: Vec<NotDrawn>,
    /// Series with pixels.
    pub series: usize,
    /// Frames of all instances with pixels.
    pub frames: u64,
    /// Frames on the picture.
    pub drawn: u64,
    /// Frames that were to be on the picture and could not be drawn.
    pub not_drawn: Vec<NotDrawn>,
    /// Frames not chosen for the picture.
    pub left_out: u64,
}

/// An instance or frame that could not be drawn.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NotDrawn {
    /// The number of the instance, as given to the closure.
    pub instance: usize,
    /// Its SOP Instance UID, if it was read.
    pub sop_instance_uid: Option<String>,
    /// The frame, from 0.
    pub frame: u32,
    /// Why.
    pub reason: Reason,
}

/// Why a frame is not on the picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The closure gave an error.
    #[error("the instance could not be read: {0}")]
    Io(std::io::ErrorKind),
    /// The bytes are no instance.
    #[error("{0}")]
    NotTaken(NotTaken),
    /// The frame is larger than the limits.
    #[error("{rows} rows and {columns} columns are more than is drawn, or none")]
    Size {
        /// Rows.
        rows: u16,
        /// Columns.
        columns: u16,
    },
    /// The pixels are written in a way that is not drawn.
    #[error("{bits} bits and {samples} samples for each pixel are not drawn")]
    Layout {
        /// Bits allocated.
        bits: u16,
        /// Samples per pixel.
        samples: u16,
    },
    /// The bytes of the frame are not all there.
    #[error("the pixel data ends before the frame does")]
    Cut,
    /// The palette is missing or cut.
    #[error("the colour palette cannot be read")]
    Palette,
    /// The transfer syntax has no decoder here.
    #[error("no decoder for transfer syntax {0}")]
    NoDecoder(String),
    /// The decoder refused the frame.
    #[error("the compressed frame cannot be decoded")]
    Undecodable,
    /// The compressed frame has another size than the header says.
    #[error("the compressed frame has another size than the header says")]
    OtherSize,
}

impl From<CodecFault> for Reason {
    fn from(fault: CodecFault) -> Self {
        match fault {
            CodecFault::NoDecoder(uid) => Self::NoDecoder(uid),
            CodecFault::Undecodable => Self::Undecodable,
            CodecFault::OtherSize => Self::OtherSize,
            CodecFault::Cut => Self::Cut,
        }
    }
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// No instance has pixels that can be drawn.
    #[error(
        "nothing to draw: {} of {} instances have no pixels, {} could not be read, {} frames could not be drawn",
        .0.without_pixels, .0.instances, .0.not_read.len(), .0.not_drawn.len()
    )]
    NothingToDraw(PictureReport),
    /// The PNG could not be written.
    #[error("the picture could not be encoded as PNG")]
    Png,
}

/// The report in the making.
#[derive(Debug)]
pub(super) struct Counted {
    report: PictureReport,
}

impl Counted {
    pub(super) fn new(survey: &Survey) -> Self {
        let frames = survey.series.iter().map(|series| series.frames).sum();
        let report = PictureReport {
            instances: survey.instances,
            without_pixels: survey.without_pixels,
            not_read: survey.not_read.clone(),
            series: survey.series.len(),
            frames,
            ..PictureReport::default()
        };
        Self { report }
    }

    /// Draws the frame at a position of a series, or notes why not.
    pub(super) fn draw(
        &mut self,
        series: &Series,
        position: u64,
        read: &ReadInstance<'_>,
    ) -> Option<Raster> {
        let (shot, frame) = series.at(position)?;
        let drawn =
            Instance::open(shot.instance, read).and_then(|instance| tone::raster(&instance, frame));
        match drawn {
            Ok(raster) => {
                self.report.drawn = self.report.drawn.saturating_add(1);
                Some(raster)
            }
            Err(reason) => {
                self.report.not_drawn.push(NotDrawn {
                    instance: shot.instance,
                    sop_instance_uid: Some(shot.sop_instance_uid.clone()),
                    frame,
                    reason,
                });
                None
            }
        }
    }

    pub(super) fn done(mut self) -> PictureReport {
        let not_drawn = u64::try_from(self.report.not_drawn.len()).unwrap_or(u64::MAX);
        self.report.left_out = self
            .report
            .frames
            .saturating_sub(self.report.drawn)
            .saturating_sub(not_drawn);
        self.report
    }
}
