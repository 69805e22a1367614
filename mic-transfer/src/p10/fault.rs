//! Why a file is no instance of a study, and what was odd about one that is.

use std::io;

use dicom_core::Tag;

/// Why no labels could be read from a file: a kind for programs, a text for people. It holds no value of the
/// file, so a list of them can be shown and logged.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnInstance {
    /// The reader failed.
    #[error("could not read the file: {0}")]
    Io(io::ErrorKind),
    /// No bytes at all.
    #[error("expected a DICOM file, found no bytes")]
    Empty,
    /// Neither the letters `DICM` nor elements of a data set.
    #[error("expected the letters DICM at byte 128 or a data set at byte 0, found neither")]
    NotDicom,
    /// A DICOMDIR: it lists a medium and belongs to no study.
    #[error("expected an instance of a study, found a directory of a medium (DICOMDIR)")]
    Directory,
    /// The file ends, or can't be walked on, before a label that every instance has.
    #[error("expected {missing}, found that the file can be read up to byte {at} only")]
    Cut {
        /// Offset up to which the data set could be walked, in the inflated data set if it was deflated.
        at: u64,
        /// What was not reached.
        missing: Label,
    },
    /// The whole data set is there and does not have the label.
    #[error("expected {0}, found a whole data set without it")]
    Absent(Label),
    /// The label is no identifier: 1 to 64 visible ASCII characters.
    #[error("expected {0} of 1 to 64 visible ASCII characters, found other bytes")]
    Invalid(Label),
}

/// The labels no instance can be listed without.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Label {
    /// (0020,000D).
    #[error("StudyInstanceUID (0020,000D)")]
    Study,
    /// (0020,000E).
    #[error("SeriesInstanceUID (0020,000E)")]
    Series,
    /// (0008,0016), or (0002,0002) where the data set has none.
    #[error("SOPClassUID (0008,0016)")]
    Class,
    /// (0008,0018), or (0002,0003) where the data set has none.
    #[error("SOPInstanceUID (0008,0018)")]
    Instance,
}

/// One oddity of a file that is an instance all the same: it is carried byte for byte.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// No 128 bytes and `DICM` at the beginning.
    #[error("the file has no preamble")]
    PreambleMissing,
    /// No elements of group 0002; the encoding was sniffed.
    #[error("the file has no meta group")]
    MetaGroupMissing,
    /// (0002,0000) is not the length of the group.
    #[error("the meta group says it has {declared} bytes and has {found}")]
    MetaGroupLengthWrong {
        /// The length that (0002,0000) gives.
        declared: u32,
        /// The bytes up to the first element of another group.
        found: u64,
    },
    /// A meta group without (0002,0010); the encoding was sniffed.
    #[error("the meta group names no transfer syntax")]
    TransferSyntaxMissing,
    /// The data set is written in another encoding than the meta group says.
    #[error("the data set is not written in the transfer syntax the meta group names")]
    TransferSyntaxContradicted,
    /// The data set is deflated: pixels have no range in the file.
    #[error("the data set is deflated")]
    Deflated,
    /// The deflated stream has a fault, or is longer than [`super::INFLATED_BYTES_MAX`].
    #[error("the deflated data set ends early, after {inflated} bytes of its content")]
    DeflateCut {
        /// Bytes that came out.
        inflated: u64,
    },
    /// The SOP Instance UID was taken from the meta group.
    #[error("the data set has no SOPInstanceUID; the one of the meta group was taken")]
    InstanceFromMeta,
    /// (0002,0003) and (0008,0018) differ; the data set's was taken.
    #[error("the meta group and the data set give different SOPInstanceUIDs")]
    InstancesDiffer,
    /// The SOP Class UID was taken from the meta group.
    #[error("the data set has no SOPClassUID; the one of the meta group was taken")]
    ClassFromMeta,
    /// The file ends inside an element.
    #[error("the file ends inside {0}")]
    Cut(Tag),
    /// The file ends inside the header of an element.
    #[error("the file ends inside the header of an element at byte {0}")]
    CutHeader(u64),
    /// What stands where an item must is none; nothing behind it was read.
    #[error("expected an item at byte {0}")]
    NotAnItem(u64),
    /// An element passes the end of the item or sequence around it; nothing behind it was read.
    #[error("the element at byte {0} passes the end of what holds it")]
    PassesParent(u64),
    /// Deeper than [`super::DEPTH_MAX`]; nothing behind it was read.
    #[error("sequences nest too deep at byte {0}")]
    TooDeep(u64),
    /// More than [`super::ELEMENTS_MAX`]; nothing behind it was read.
    #[error("too many elements, from byte {0} on")]
    TooMany(u64),
    /// Two bytes that are no value representation; the first such element is told.
    #[error("no value representation at byte {0}")]
    BadVr(u64),
    /// Elements do not rise by tag, or one comes twice (the first is taken); the first such is told.
    #[error("the element at byte {0} is out of order")]
    Disordered(u64),
    /// The value of native pixels is shorter than rows, columns, samples, bits and frames ask for.
    #[error("expected {expected} bytes of pixels, found {found}")]
    PixelsShort {
        /// What the shape asks for.
        expected: u64,
        /// What the value has.
        found: u64,
    },
    /// The value of native pixels is longer than its frames, by more than a byte of padding.
    #[error("expected {expected} bytes of pixels, found {found}")]
    PixelsLong {
        /// What the shape asks for.
        expected: u64,
        /// What the value has.
        found: u64,
    },
    /// Pixels are in fragments where the transfer syntax says native, or the other way round.
    #[error("pixels are not held in the way the transfer syntax names")]
    PixelsContradicted,
    /// Frames of encapsulated pixels can't be told apart: no offset table, and other than one fragment a frame.
    #[error("the fragments do not say which frame they belong to")]
    FramesUnknown,
    /// More than [`super::FRAGMENTS_MAX`] fragments; those behind were not counted.
    #[error("too many fragments")]
    TooManyFragments,
    /// More than [`super::REFERENCES_MAX`] references; those behind were not kept.
    #[error("too many references")]
    TooManyReferences,
}
