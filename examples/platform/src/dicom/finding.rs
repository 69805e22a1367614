//! What was odd about a header that was read all the same.

use dicom_core::Tag;

/// One oddity of a header. None of them keeps an instance out: it is stored bit for bit as it came,
/// and whoever looks at the catalogue sees what was noticed. No finding holds personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderFinding {
    /// No 128 bytes and `DICM` at the begin.
    #[error("the file has no preamble")]
    PreambleMissing,
    /// No elements of group 0002.
    #[error("the file has no meta group; its encoding was sniffed")]
    MetaGroupMissing,
    /// (0002,0000) is not the length of the group.
    #[error("the meta group says it has {declared} bytes and has {found}")]
    MetaGroupLengthWrong {
        /// The length that (0002,0000) gives.
        declared: u32,
        /// The bytes up to the first element of another group.
        found: usize,
    },
    /// A meta group without (0002,0010).
    #[error("the meta group names no transfer syntax; the encoding was sniffed")]
    TransferSyntaxMissing,
    /// The data set is written in another encoding than declared.
    #[error("the data set is not written in the transfer syntax the meta group names")]
    TransferSyntaxContradicted,
    /// The deflated stream has a fault.
    #[error("the deflated data set has a fault after {inflated} bytes of its content")]
    DeflateFault {
        /// Bytes that came out before the fault.
        inflated: usize,
    },
    /// The deflated data set was inflated up to a limit.
    #[error("only the first {bytes} bytes of the deflated data set were read")]
    InflatedInPart {
        /// The limit.
        bytes: u64,
    },
    /// The SOP Instance UID was taken from the meta group.
    #[error("the data set has no SOP Instance UID; the one of the meta group was taken")]
    InstanceUidFromMeta,
    /// (0002,0003) and (0008,0018) differ.
    #[error("the meta group and the data set give different SOP Instance UIDs")]
    InstanceUidsDiffer,
    /// The file ends early.
    #[error("the data set is cut at byte {at}, inside {}", tag.map_or_else(|| "an element header".to_owned(), |tag| tag.to_string()))]
    Cut {
        /// Offset at which the bytes end.
        at: usize,
        /// The element that is cut, when its header was whole.
        tag: Option<Tag>,
    },
    /// A sequence holds something that is no item.
    #[error("expected an item at byte {at}; the elements after it were not read")]
    NotAnItem {
        /// Offset of what is no item.
        at: usize,
    },
    /// Sequences nest too deep.
    #[error("sequences nest too deep at byte {at}; the elements after it were not read")]
    TooDeep {
        /// Offset of the sequence.
        at: usize,
    },
    /// The data set has too many elements.
    #[error("too many elements; those from byte {at} on were not read")]
    TooMany {
        /// Offset of the first element that was not read.
        at: usize,
    },
    /// Two bytes that are no value representation.
    #[error("no value representation at byte {at}, in {tag}")]
    BadVr {
        /// Offset of the element.
        at: usize,
        /// The element.
        tag: Tag,
    },
    /// Elements out of order, repeated ones among them.
    #[error("{count} elements do not come in the order of their tags")]
    Disordered {
        /// How many.
        count: usize,
    },
    /// Text with bytes beyond ASCII and no character set that allows them.
    #[error("{texts} texts have characters that no declared character set allows")]
    CharacterSetNotDeclared {
        /// How many texts.
        texts: usize,
    },
    /// Text was read with another character set than the declared one.
    #[error("{texts} texts were read as {read_as}, which is not declared")]
    CharacterSetRepaired {
        /// The set that was used.
        read_as: &'static str,
        /// How many texts.
        texts: usize,
    },
    /// The declared character set is not known.
    #[error("the declared character set is not known; its texts were read as Latin-1")]
    CharacterSetUnknown,
    /// Bytes that the declared set does not have.
    #[error("{texts} texts hold bytes their character set does not have")]
    TextUndecodable {
        /// How many texts.
        texts: usize,
    },
}
