//! Headers of DICOM files, read as they come from hospitals.
//!
//! An instance is stored bit for bit, so all that must be readable of it are three identifiers;
//! everything else is a help to the catalogue and the viewer. This reader therefore takes files
//! that a strict one refuses (no meta group, a wrong transfer syntax, a bad value representation,
//! a cut end) and says what was odd as a [`HeaderFinding`]. What is not taken has a [`NotTaken`]
//! reason. Pixels are not decoded.
//!
//! There is one walk for all files, good and bad: nothing is allocated by a length the file
//! claims, the depth of sequences is bounded, and work is linear in the size of the file.
//!
//! ```
//! use mic_platform::dicom::{self, NotTaken, ReadOptions};
//! use mic_platform::phantom::Phantom;
//!
//! let file = Phantom::new(7, 3).slice(1);
//! let facts = dicom::read(&file, &ReadOptions::default())?;
//! assert_eq!(facts.modality.as_deref(), Some("CT"));
//! assert_eq!(facts.patient_name.as_deref(), Some("测试^患者"));
//! assert_eq!(facts.instance_number, Some(2));
//!
//! let text = dicom::read(b"minutes of a meeting", &ReadOptions::default());
//! assert_eq!(text, Err(NotTaken::NotDicom));
//! # Ok::<(), NotTaken>(())
//! ```

mod charset;
mod element;
mod facts;
mod finding;
mod layout;
mod not_taken;
mod object;
mod read;
mod stored;
mod walk;

pub use dicom_object::InMemDicomObject;

pub use self::facts::{Geometry, InstanceFacts, PixelFacts, Technique};
pub use self::finding::HeaderFinding;
pub use self::not_taken::{NotTaken, UidName};
pub use self::read::{read, read_header};
pub(crate) use self::stored::{Palette, Stored};
pub(crate) use self::walk::items;

/// Bytes a deflated data set may inflate to. Deflate reaches a thousandfold; the largest whole
/// data sets of the clinic (tomosynthesis, whole-slide images) stay below this.
pub const INFLATED_BYTES_MAX: u64 = 1 << 30;

/// Bytes inflated when only the header is wanted.
pub const INFLATED_HEADER_BYTES_MAX: u64 = 1 << 26;

/// How a header is read. The default repairs nothing that is not certain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// What is done with bytes beyond ASCII that no declared character set explains.
    pub undeclared: Undeclared,
}

impl ReadOptions {
    /// Sets what is done with text of no declared character set; a setting of the sending
    /// institution, never of the whole platform.
    ///
    /// ```
    /// use mic_platform::dicom::{ReadOptions, Undeclared};
    ///
    /// let options = ReadOptions::default().undeclared(Undeclared::Gb18030);
    /// assert_eq!(options.undeclared, Undeclared::Gb18030);
    /// ```
    #[must_use]
    pub fn undeclared(self, undeclared: Undeclared) -> Self {
        Self { undeclared }
    }
}

/// What is done with bytes beyond ASCII where no character set is declared, or only Latin-1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Undeclared {
    /// Nothing is guessed: such text is read as Latin-1, one character per byte, and a finding
    /// says so. The original can be had back from it.
    #[default]
    Strict,
    /// The sender is known to write GBK or UTF-8 without declaring it, or under the name of
    /// Latin-1: text that is valid UTF-8 is read as that, other text that is valid GB18030 and all
    /// Chinese as that. The same would turn a German "Äneas" into Chinese.
    Gb18030,
}

/// A header whole: the facts of the instance, and its data set.
///
/// The object holds every element but the pixels, sequences included, with all texts decoded; it
/// feeds what works on `dicom-core` elements, such as the exam draft of `mic-index`.
#[derive(Clone)]
#[non_exhaustive]
pub struct Header {
    /// What the platform uses of the header.
    pub facts: InstanceFacts,
    /// The elements, texts as UTF-8 (`SpecificCharacterSet` says so).
    pub object: InMemDicomObject,
}

impl core::fmt::Debug for Header {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The object is full of personal data.
        f.debug_struct("Header")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}
