//! The attributes a draft is made of.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::carry::{CODE_ELEMENT, CODE_GROUP};

/// A DICOM attribute the draft reads (PS3.6).
///
/// ```
/// use mic_index::dicom::Attribute;
///
/// assert_eq!(Attribute::StudyDate.tag(), (0x0008, 0x0020));
/// assert_eq!(Attribute::StudyDate.to_string(), "StudyDate (0008,0020)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Attribute {
    /// (0020,000D) UI
    StudyInstanceUid,
    /// (0008,0050) SH
    AccessionNumber,
    /// (0010,0020) LO
    PatientId,
    /// (0008,0060) CS
    Modality,
    /// (0008,0061) CS, several values
    ModalitiesInStudy,
    /// (0008,0080) LO
    InstitutionName,
    /// (0008,0020) DA
    StudyDate,
    /// (0008,0030) TM
    StudyTime,
    /// (0008,0021) DA
    SeriesDate,
    /// (0008,0031) TM
    SeriesTime,
    /// (0008,002A) DT
    AcquisitionDateTime,
    /// (0008,0022) DA
    AcquisitionDate,
    /// (0008,0032) TM
    AcquisitionTime,
    /// (0008,0023) DA
    ContentDate,
    /// (0008,0033) TM
    ContentTime,
    /// (0008,0201) SH
    TimezoneOffsetFromUtc,
    /// (0032,1064) SQ, of code sequence items: the exam item that was ordered
    RequestedProcedureCodeSequence,
    /// (0008,1032) SQ, of code sequence items: the exam item that was done
    ProcedureCodeSequence,
    /// (0032,1060) LO
    RequestedProcedureDescription,
    /// (0008,1030) LO
    StudyDescription,
    /// (0009,xx01) UT, private: the code a header carries (`IDX-70`)
    IndexCode,
}

impl Attribute {
    /// All attributes the draft reads.
    pub const ALL: [Self; 21] = [
        Self::StudyInstanceUid,
        Self::AccessionNumber,
        Self::PatientId,
        Self::Modality,
        Self::ModalitiesInStudy,
        Self::InstitutionName,
        Self::StudyDate,
        Self::StudyTime,
        Self::SeriesDate,
        Self::SeriesTime,
        Self::AcquisitionDateTime,
        Self::AcquisitionDate,
        Self::AcquisitionTime,
        Self::ContentDate,
        Self::ContentTime,
        Self::TimezoneOffsetFromUtc,
        Self::RequestedProcedureCodeSequence,
        Self::ProcedureCodeSequence,
        Self::RequestedProcedureDescription,
        Self::StudyDescription,
        Self::IndexCode,
    ];

    /// Group and element; of the private element in the first block there is, though its creator may
    /// have reserved another one (see [`CODE_CREATOR`](super::CODE_CREATOR)).
    #[must_use]
    pub const fn tag(self) -> (u16, u16) {
        match self {
            Self::StudyInstanceUid => (0x0020, 0x000d),
            Self::AccessionNumber => (0x0008, 0x0050),
            Self::PatientId => (0x0010, 0x0020),
            Self::Modality => (0x0008, 0x0060),
            Self::ModalitiesInStudy => (0x0008, 0x0061),
            Self::InstitutionName => (0x0008, 0x0080),
            Self::StudyDate => (0x0008, 0x0020),
            Self::StudyTime => (0x0008, 0x0030),
            Self::SeriesDate => (0x0008, 0x0021),
            Self::SeriesTime => (0x0008, 0x0031),
            Self::AcquisitionDateTime => (0x0008, 0x002a),
            Self::AcquisitionDate => (0x0008, 0x0022),
            Self::AcquisitionTime => (0x0008, 0x0032),
            Self::ContentDate => (0x0008, 0x0023),
            Self::ContentTime => (0x0008, 0x0033),
            Self::TimezoneOffsetFromUtc => (0x0008, 0x0201),
            Self::RequestedProcedureCodeSequence => (0x0032, 0x1064),
            Self::ProcedureCodeSequence => (0x0008, 0x1032),
            Self::RequestedProcedureDescription => (0x0032, 0x1060),
            Self::StudyDescription => (0x0008, 0x1030),
            Self::IndexCode => (CODE_GROUP, 0x1000 | CODE_ELEMENT as u16),
        }
    }

    /// The attribute of a tag, where the draft reads it; never the private one, whose meaning depends
    /// on the creator of its block.
    #[must_use]
    pub fn from_tag(group: u16, element: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| {
            attribute.tag() == (group, element) && !matches!(attribute, Self::IndexCode)
        })
    }

    /// The keyword of PS3.6.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::StudyInstanceUid => "StudyInstanceUID",
            Self::AccessionNumber => "AccessionNumber",
            Self::PatientId => "PatientID",
            Self::Modality => "Modality",
            Self::ModalitiesInStudy => "ModalitiesInStudy",
            Self::InstitutionName => "InstitutionName",
            Self::StudyDate => "StudyDate",
            Self::StudyTime => "StudyTime",
            Self::SeriesDate => "SeriesDate",
            Self::SeriesTime => "SeriesTime",
            Self::AcquisitionDateTime => "AcquisitionDateTime",
            Self::AcquisitionDate => "AcquisitionDate",
            Self::AcquisitionTime => "AcquisitionTime",
            Self::ContentDate => "ContentDate",
            Self::ContentTime => "ContentTime",
            Self::TimezoneOffsetFromUtc => "TimezoneOffsetFromUTC",
            Self::RequestedProcedureCodeSequence => "RequestedProcedureCodeSequence",
            Self::ProcedureCodeSequence => "ProcedureCodeSequence",
            Self::RequestedProcedureDescription => "RequestedProcedureDescription",
            Self::StudyDescription => "StudyDescription",
            Self::IndexCode => "IndexCode",
        }
    }

    /// Whether its value is a sequence of codes, for [`HeaderText::with_code`].
    #[must_use]
    pub const fn is_code_sequence(self) -> bool {
        matches!(
            self,
            Self::RequestedProcedureCodeSequence | Self::ProcedureCodeSequence
        )
    }

    /// Characters the value representation allows, where it is a free text.
    pub(crate) const fn len_max(self) -> usize {
        match self {
            Self::AccessionNumber => 16,
            _ => 64,
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::IndexCode {
            return write!(f, "IndexCode ({CODE_GROUP:04X},xx{CODE_ELEMENT:02X})");
        }
        let (group, element) = self.tag();
        write!(f, "{} ({group:04X},{element:04X})", self.keyword())
    }
}

/// The texts of a header, from any DICOM toolkit.
///
/// Values are given as the file holds them, decoded to text; padding, several values behind
/// backslashes and nonsense are the draft's business.
///
/// ```
/// use mic_index::dicom::{Attribute, ExamDraft, HeaderText};
///
/// let header = HeaderText::new()
///     .with(Attribute::StudyInstanceUid, "1.2.840.1.2.3\0")
///     .with(Attribute::StudyDate, "20241122")
///     .with(Attribute::StudyTime, "143059.5")
///     .with(Attribute::Modality, "CT");
/// let draft = ExamDraft::from_text(&header);
/// assert_eq!(draft.exam_time().unwrap().to_string(), "202411221430");
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HeaderText {
    values: [Held; Attribute::ALL.len()],
    undeclared: bool,
}

/// What a header holds of one attribute.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) enum Held {
    #[default]
    Absent,
    /// Present with a value that is no text, such as a sequence.
    NoText,
    Text(String),
    /// The items of a sequence of codes.
    Codes(Vec<CodeText>),
}

/// CodeValue (0008,0100), LongCodeValue (0008,0119) or URNCodeValue (0008,0120), and CodeMeaning (0008,0104).
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct CodeText {
    pub(crate) value: Option<String>,
    pub(crate) meaning: Option<String>,
}

impl HeaderText {
    /// A header without any attribute.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The header with an attribute set to a text; the last setting counts.
    #[must_use]
    pub fn with(mut self, attribute: Attribute, value: impl Into<String>) -> Self {
        self.set(attribute, Held::Text(value.into()));
        self
    }

    /// The header with one item more in a sequence of codes
    /// ([`is_code_sequence`](Attribute::is_code_sequence)), or with the first one: CodeValue (0008,0100) or its
    /// longer relatives, and CodeMeaning (0008,0104). Of other attributes it is told that they are no text.
    ///
    /// ```
    /// use mic_index::dicom::{Attribute, ExamDraft, HeaderText};
    ///
    /// let header = HeaderText::new().with_code(
    ///     Attribute::RequestedProcedureCodeSequence,
    ///     Some("002305000010000"),
    ///     Some("颅脑CT平扫"),
    /// );
    /// let draft = ExamDraft::from_text(&header);
    /// assert_eq!(draft.item().unwrap().name().unwrap().as_str(), "颅脑CT平扫");
    /// ```
    #[must_use]
    pub fn with_code(
        mut self,
        attribute: Attribute,
        value: Option<&str>,
        meaning: Option<&str>,
    ) -> Self {
        let code = CodeText {
            value: value.map(String::from),
            meaning: meaning.map(String::from),
        };
        let mut codes = match self.get(attribute) {
            Held::Codes(codes) => codes.clone(),
            _ => Vec::new(),
        };
        codes.push(code);
        self.set(attribute, Held::Codes(codes));
        self
    }

    /// The header with a sequence of codes that has no items.
    #[must_use]
    pub fn with_no_codes(mut self, attribute: Attribute) -> Self {
        self.set(attribute, Held::Codes(Vec::new()));
        self
    }

    /// The header with an attribute that is there, but with no text: a sequence, say.
    #[must_use]
    pub fn with_no_text(mut self, attribute: Attribute) -> Self {
        self.set(attribute, Held::NoText);
        self
    }

    /// The header of a data set without SpecificCharacterSet (0008,0005), or with one that has no character beyond
    /// ASCII. Texts with such characters have a finding then: whoever decoded them had to guess.
    ///
    /// ```
    /// use mic_index::dicom::{Attribute, ExamDraft, FindingKind, HeaderText};
    ///
    /// let header = HeaderText::new()
    ///     .with(Attribute::InstitutionName, "\u{cd}\u{b7}\u{b2}\u{bf}") // GBK read as Latin-1
    ///     .with_no_character_set();
    /// let draft = ExamDraft::from_text(&header);
    /// let told = |kind| draft.findings().iter().any(|f| f.kind() == kind);
    /// assert!(told(FindingKind::UndeclaredCharacters));
    /// ```
    #[must_use]
    pub const fn with_no_character_set(mut self) -> Self {
        self.undeclared = true;
        self
    }

    /// Whether no character beyond ASCII is declared.
    pub(crate) const fn undeclared(&self) -> bool {
        self.undeclared
    }

    pub(crate) fn set(&mut self, attribute: Attribute, held: Held) {
        for (known, slot) in Attribute::ALL.into_iter().zip(&mut self.values) {
            if known == attribute {
                *slot = held;
                return;
            }
        }
    }

    pub(crate) fn get(&self, attribute: Attribute) -> &Held {
        Attribute::ALL
            .into_iter()
            .zip(&self.values)
            .find_map(|(known, held)| (known == attribute).then_some(held))
            .unwrap_or(&Held::Absent)
    }
}

impl fmt::Debug for HeaderText {
    /// Names the attributes that are there; values may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = Attribute::ALL
            .into_iter()
            .filter(|attribute| *self.get(*attribute) != Held::Absent)
            .map(Attribute::keyword);
        f.debug_set().entries(there).finish()
    }
}
