//! Where a header carries an index code.

/// Who reserves the private block (PS3.5, 7.8.1): the value of (0009,00xx), `xx` being the block.
///
/// The code itself is (0009,xx01) with VR UT and the printed form as its one value (`IDX-70`). With
/// another toolkit than dicom-rs, write and read just that:
///
/// | tag | VR | value |
/// |---|---|---|
/// | (0009,0010) | LO | `MIC INDEX CODE` |
/// | (0009,1001) | UT | the printed form, 82 characters |
///
/// Block `10` may belong to somebody else; any from `10` to `FF` will do.
///
/// ```
/// use mic_index::dicom::{Attribute, CODE_CREATOR, ExamDraft, HeaderText};
///
/// assert_eq!(CODE_CREATOR, "MIC INDEX CODE");
/// let text = "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";
/// let header = HeaderText::new().with(Attribute::IndexCode, text);
/// assert_eq!(ExamDraft::from_text(&header).carried_code(), Some(text.parse()?));
/// # Ok::<(), mic_index::ParseError>(())
/// ```
pub const CODE_CREATOR: &str = "MIC INDEX CODE";

/// The private group of the block: the first after the identifying group 0008, so that readers of
/// headers come past it before they stop.
pub const CODE_GROUP: u16 = 0x0009;

/// The element of the code within its block.
pub const CODE_ELEMENT: u8 = 0x01;
