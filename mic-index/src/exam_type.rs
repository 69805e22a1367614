//! The exam type of the imaging cloud (检查类型), one to five.

use core::fmt;

/// Exam type (检查类型), as the transactions 4801–4804 number it.
///
/// ```
/// use mic_index::ExamType;
///
/// assert_eq!(ExamType::from_modality("DX"), Some(ExamType::XRay));
/// assert_eq!(ExamType::from_modality("SR"), None); // a report is no exam of its own
/// assert_eq!(ExamType::from_code(2), Some(ExamType::Ct));
/// assert_eq!(ExamType::Mri.chinese_name(), "核磁共振");
/// assert!(ExamType::Ultrasound.modalities().contains(&"US"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum ExamType {
    /// `1`, conventional X-ray (X线).
    XRay = 1,
    /// `2`, computed tomography (CT).
    Ct = 2,
    /// `3`, magnetic resonance (核磁共振).
    Mri = 3,
    /// `4`, ultrasound (超声).
    Ultrasound = 4,
    /// `5`, nuclear medicine (核医学, ECT), PET included.
    NuclearMedicine = 5,
}

impl ExamType {
    /// All types in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::XRay,
        Self::Ct,
        Self::Mri,
        Self::Ultrasound,
        Self::NuclearMedicine,
    ];

    /// The number, 1 to 5.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The type of a number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::XRay),
            2 => Some(Self::Ct),
            3 => Some(Self::Mri),
            4 => Some(Self::Ultrasound),
            5 => Some(Self::NuclearMedicine),
            _ => None,
        }
    }

    /// The type of a DICOM modality (0008,0060), at most one.
    ///
    /// `None` for what is no exam by itself (reports, segmentations, presentation states, plans)
    /// and for exams the five types leave out, such as endoscopy or slide microscopy (`IDX-49`).
    #[must_use]
    pub fn from_modality(modality: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.modalities().contains(&modality))
    }

    /// The DICOM modalities of the type (PS3.3 C.7.3.1.1.1), the retired terms among them (`IDX-49`).
    #[must_use]
    pub const fn modalities(self) -> &'static [&'static str] {
        match self {
            Self::XRay => &[
                "CR", "DX", "MG", "RF", "XA", "PX", "IO", "RG", "BMD", "CF", "DF", "DS", "VF",
            ],
            Self::Ct => &["CT"],
            Self::Mri => &["MR", "MA", "MS"],
            Self::Ultrasound => &["US", "IVUS", "BDUS", "CD", "DD", "EC"],
            Self::NuclearMedicine => &["NM", "PT", "ST"],
        }
    }

    /// The name used on Chinese screens.
    #[must_use]
    pub const fn chinese_name(self) -> &'static str {
        match self {
            Self::XRay => "X线",
            Self::Ct => "CT",
            Self::Mri => "核磁共振",
            Self::Ultrasound => "超声",
            Self::NuclearMedicine => "核医学",
        }
    }
}

impl fmt::Display for ExamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::XRay => "X-ray",
            Self::Ct => "CT",
            Self::Mri => "MRI",
            Self::Ultrasound => "ultrasound",
            Self::NuclearMedicine => "nuclear medicine",
        })
    }
}

impl From<ExamType> for u8 {
    fn from(kind: ExamType) -> Self {
        kind.code()
    }
}

impl TryFrom<u8> for ExamType {
    type Error = ExamTypeError;

    fn try_from(code: u8) -> Result<Self, ExamTypeError> {
        Self::from_code(code).ok_or(ExamTypeError { found: code })
    }
}

/// A number that is no exam type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("expected an exam type from 1 to 5, found {found}")]
pub struct ExamTypeError {
    found: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modality_belongs_to_one_type_at_most() {
        for kind in ExamType::ALL {
            assert_eq!(ExamType::from_code(kind.code()), Some(kind));
            for modality in kind.modalities() {
                let types = ExamType::ALL
                    .iter()
                    .filter(|other| other.modalities().contains(modality));
                assert_eq!(types.count(), 1, "{modality}");
            }
        }
    }
}
