//! The three sides and their seven combinations.

use core::fmt;

/// One of the three lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the report has three sides")]
pub enum Side {
    /// The exams the hospital has made.
    Exams,
    /// The records the platform has accepted.
    Index,
    /// The studies an archive holds.
    Images,
}

impl Side {
    /// The three sides.
    pub const ALL: [Self; 3] = [Self::Exams, Self::Index, Self::Images];

    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Exams => "exam",
            Self::Index => "index",
            Self::Images => "images",
        })
    }
}

/// Where a study is: one, two or all three of the sides (`IDX-107`).
///
/// | sides | usual meaning |
/// |---|---|
/// | exam, index, images | all is well |
/// | exam, index | indexed without images: nobody can open it |
/// | exam, images | not indexed: to be uploaded, or the price is cut |
/// | exam | neither: perhaps cancelled, or lost between the machine and the archive |
/// | index, images | not in the hospital's list: a late or deleted exam, another code, or another hospital's |
/// | index | an index entry that leads nowhere |
/// | images | stored and nobody's: a wrong StudyInstanceUID, a test, another hospital's |
///
/// ```
/// use mic_index::gaps::{Side, Sides};
///
/// assert!(Sides::EXAM_INDEX.contains(Side::Index));
/// assert!(!Sides::EXAM_INDEX.contains(Side::Images));
/// assert_eq!(Sides::COMBINATIONS.len(), 7);
/// assert_eq!(Sides::EXAM_IMAGES.name(), "exam_images");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sides {
    /// Bits of [`Side`], 1 to 7.
    bits: u8,
}

impl Sides {
    /// All three.
    pub const ALL: Self = Self { bits: 0b111 };
    /// In the hospital's list and in the index.
    pub const EXAM_INDEX: Self = Self { bits: 0b011 };
    /// In the hospital's list and in the archive.
    pub const EXAM_IMAGES: Self = Self { bits: 0b101 };
    /// In the hospital's list alone.
    pub const EXAM: Self = Self { bits: 0b001 };
    /// In the index and in the archive.
    pub const INDEX_IMAGES: Self = Self { bits: 0b110 };
    /// In the index alone.
    pub const INDEX: Self = Self { bits: 0b010 };
    /// In the archive alone.
    pub const IMAGES: Self = Self { bits: 0b100 };

    /// The seven combinations, the complete one first.
    pub const COMBINATIONS: [Self; 7] = [
        Self::ALL,
        Self::EXAM_INDEX,
        Self::EXAM_IMAGES,
        Self::EXAM,
        Self::INDEX_IMAGES,
        Self::INDEX,
        Self::IMAGES,
    ];

    /// From bits of which at least one is set.
    pub(super) const fn from_bits(bits: u8) -> Self {
        Self { bits: bits & 0b111 }
    }

    pub(super) const fn bits(self) -> u8 {
        self.bits
    }

    /// Whether the study is on that side.
    #[must_use]
    pub const fn contains(self, side: Side) -> bool {
        self.bits & side.bit() != 0
    }

    /// The stable name for programs: `exam_index_images`, `exam_index`, `exam_images`, `exam`,
    /// `index_images`, `index`, `images`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.bits {
            0b111 => "exam_index_images",
            0b011 => "exam_index",
            0b101 => "exam_images",
            0b001 => "exam",
            0b110 => "index_images",
            0b010 => "index",
            _ => "images",
        }
    }
}

impl fmt::Display for Sides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for side in Side::ALL {
            if self.contains(side) {
                write!(f, "{separator}{side}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}
