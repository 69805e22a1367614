//! Why a file is not taken in as an instance.

/// The reason a file was passed over: a kind for programs and a text for people. No reason holds
/// personal data, so that a list of them can be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotTaken {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Neither the letters `DICM` nor elements of a data set.
    #[error("not a DICOM file: expected the letters DICM at byte 128 or a data set at byte 0")]
    NotDicom,
    /// A DICOMDIR.
    #[error("a directory of a medium (DICOMDIR), not an instance of a study")]
    Directory,
    /// The file ends before the identifiers.
    #[error("cut at byte {at}, before {missing}")]
    Cut {
        /// Offset at which the bytes end.
        at: usize,
        /// The identifier that was not reached.
        missing: UidName,
    },
    /// Reading had to end before the identifiers.
    #[error("unreadable from byte {at} on, before {missing}")]
    Unreadable {
        /// Offset from which nothing could be read.
        at: usize,
        /// The identifier that was not reached.
        missing: UidName,
    },
    /// The whole data set is there and has no such identifier.
    #[error("{0} is absent")]
    UidAbsent(UidName),
    /// The identifier is no UID.
    #[error("{0} is no UID: expected 1 to 64 digits and full stops")]
    UidInvalid(UidName),
}

/// The identifiers an instance cannot be filed without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UidName {
    /// (0020,000D).
    Study,
    /// (0020,000E).
    Series,
    /// (0008,0018).
    Instance,
}

impl core::fmt::Display for UidName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Study => "StudyInstanceUID (0020,000D)",
            Self::Series => "SeriesInstanceUID (0020,000E)",
            Self::Instance => "SOPInstanceUID (0008,0018)",
        })
    }
}
