//! The elements this reader looks at (PS3.6).

use dicom_core::Tag;

pub(super) const META_GROUP_LENGTH: Tag = Tag(0x0002, 0x0000);
pub(super) const META_CLASS: Tag = Tag(0x0002, 0x0002);
pub(super) const META_INSTANCE: Tag = Tag(0x0002, 0x0003);
pub(super) const TRANSFER_SYNTAX: Tag = Tag(0x0002, 0x0010);
pub(super) const DIRECTORY_RECORDS: Tag = Tag(0x0004, 0x1220);
pub(super) const CLASS: Tag = Tag(0x0008, 0x0016);
pub(super) const INSTANCE: Tag = Tag(0x0008, 0x0018);
pub(super) const STUDY: Tag = Tag(0x0020, 0x000D);
pub(super) const SERIES: Tag = Tag(0x0020, 0x000E);
pub(super) const INSTANCE_NUMBER: Tag = Tag(0x0020, 0x0013);
pub(super) const POSITION: Tag = Tag(0x0020, 0x0032);
pub(super) const ORIENTATION: Tag = Tag(0x0020, 0x0037);
pub(super) const SAMPLES: Tag = Tag(0x0028, 0x0002);
pub(super) const PHOTOMETRIC: Tag = Tag(0x0028, 0x0004);
pub(super) const PLANAR: Tag = Tag(0x0028, 0x0006);
pub(super) const FRAMES: Tag = Tag(0x0028, 0x0008);
pub(super) const ROWS: Tag = Tag(0x0028, 0x0010);
pub(super) const COLUMNS: Tag = Tag(0x0028, 0x0011);
pub(super) const BITS_ALLOCATED: Tag = Tag(0x0028, 0x0100);
pub(super) const BITS_STORED: Tag = Tag(0x0028, 0x0101);
pub(super) const HIGH_BIT: Tag = Tag(0x0028, 0x0102);
pub(super) const REPRESENTATION: Tag = Tag(0x0028, 0x0103);

pub(super) const REFERENCED_SOP_SEQUENCE: Tag = Tag(0x0008, 0x1199);
pub(super) const REFERENCED_SOP_INSTANCE_UID: Tag = Tag(0x0008, 0x1155);
const CONTENT: Tag = Tag(0x0040, 0xA730);

/// PixelData, and the two of floating point numbers.
pub(super) const PIXELS: [Tag; 3] = [
    Tag(0x7FE0, 0x0008),
    Tag(0x7FE0, 0x0009),
    Tag(0x7FE0, 0x0010),
];

/// Where a key object keeps what it points at: the content tree.
pub(super) const ROOTS_OF_REFERENCES: [Tag; 1] = [CONTENT];

pub(super) const LABELS: [Tag; 21] = [
    META_GROUP_LENGTH,
    META_CLASS,
    META_INSTANCE,
    TRANSFER_SYNTAX,
    CLASS,
    INSTANCE,
    STUDY,
    SERIES,
    INSTANCE_NUMBER,
    POSITION,
    ORIENTATION,
    SAMPLES,
    PHOTOMETRIC,
    PLANAR,
    FRAMES,
    ROWS,
    COLUMNS,
    BITS_ALLOCATED,
    BITS_STORED,
    HIGH_BIT,
    REPRESENTATION,
];

/// Whether only directories of media have it.
pub(super) fn is_directory(tag: Tag) -> bool {
    tag == DIRECTORY_RECORDS
}

/// Sequences between the content tree and the references, for encodings that do not write what is one.
pub(super) fn leads_to_references(tag: Tag) -> bool {
    tag == CONTENT || tag == REFERENCED_SOP_SEQUENCE
}
