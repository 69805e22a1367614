//! The reference platform: the roles of the imaging cloud as one program.

pub mod dicom;
pub mod phantom;
pub mod picture;
