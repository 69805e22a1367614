//! From a DICOM header to the draft of an exam.
//!
//! [`ExamDraft`] reads what real headers hold: empty elements, `***`, dates in the old form,
//! times of two digits, several zones. What it cannot use it names in a list of [`Finding`]s and
//! goes on. With feature `dicom` it takes the elements of any dicom-rs reader
//! ([`ExamDraft::from_elements`]); without it, the texts of any other toolkit ([`HeaderText`]).
//!
//! The way back is a private element that carries the code: [`CODE_CREATOR`] says where it lies,
//! and `CodeBlock` (feature `dicom`) gives the elements for any writer.

mod attribute;
#[cfg(feature = "dicom")]
mod block;
mod carry;
mod draft;
#[cfg(feature = "dicom")]
mod elements;
mod finding;
mod stamp;

pub use attribute::{Attribute, HeaderText};
#[cfg(feature = "dicom")]
pub use block::{CodeBlock, NoFreeBlock};
pub use carry::{CODE_CREATOR, CODE_ELEMENT, CODE_GROUP};
pub use draft::{ExamDraft, TimeSource};
pub use finding::{Finding, FindingKind};
