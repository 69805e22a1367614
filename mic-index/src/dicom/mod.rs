//! From a DICOM header to the draft of an exam.
//!
//! [`ExamDraft`] reads what real headers hold: empty elements, `***`, dates in the old form,
//! times of two digits, several zones. What it cannot use it names in a list of [`Finding`]s and
//! goes on. With feature `dicom` it takes the elements of any dicom-rs reader
//! ([`ExamDraft::from_elements`]); without it, the texts of any other toolkit ([`HeaderText`]).

mod attribute;
mod draft;
#[cfg(feature = "dicom")]
mod elements;
mod finding;
mod stamp;

pub use attribute::{Attribute, HeaderText};
pub use draft::{ExamDraft, TimeSource};
pub use finding::{Finding, FindingKind};
