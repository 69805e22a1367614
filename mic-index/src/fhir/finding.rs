//! What a mapping could not carry, or found wrong.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// Something about an element that its owner should know; never its value.
///
/// ```
/// use mic_index::fhir::{FindingKind, ImagingStudy, Mapper, Release};
///
/// let json = r#"{"resourceType": "ImagingStudy", "status": "cancelled", "numberOfSeries": 1}"#;
/// let study: ImagingStudy = serde_json::from_str(json)?;
/// let (_, findings) = Mapper::new(Release::R4).read(&study);
/// assert_eq!(findings[0].to_string(), "status: a study that is not to be used");
/// assert_eq!(findings[1].kind(), FindingKind::NoCode);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    element: Cow<'static, str>,
    kind: FindingKind,
}

impl Finding {
    pub(super) const fn new(element: &'static str, kind: FindingKind) -> Self {
        Self {
            element: Cow::Borrowed(element),
            kind,
        }
    }

    /// An element that was read past. Names of FHIR are letters; others are not repeated.
    pub(super) fn not_read(name: &str) -> Self {
        let plain = name.len() <= NAME_LEN_MAX
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let element = if plain { name } else { "an unknown element" };
        Self {
            element: Cow::Owned(String::from(element)),
            kind: FindingKind::NotRead,
        }
    }

    /// The element's name in FHIR; for [`FindingKind::NotCarried`], the field of the record.
    #[must_use]
    pub fn element(&self) -> &str {
        &self.element
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> FindingKind {
        self.kind
    }
}

/// The longest element of ImagingStudy has 18 characters; room for extensions of names.
const NAME_LEN_MAX: usize = 40;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.element, self.kind)
    }
}

/// What is wrong with an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FindingKind {
    /// The record's field has no element in this release, or none for its value.
    #[error("has no place in FHIR")]
    NotCarried,
    /// The exam type has several modalities and none was stated; `modality` is left out.
    #[error("an exam type of several modalities, none of them stated")]
    ModalityNotStated,
    /// A stated modality belongs to another exam type, or to none; written all the same.
    #[error("a modality of another exam type")]
    ModalityOfAnotherType,
    /// Written as it is, though FHIR's `oid` has no leading zeros and starts with 0, 1 or 2.
    #[error("a uid that is no oid")]
    NotOid,
    /// A count of 2^31 or more, which `unsignedInt` cannot hold; left out.
    #[error("a count of 2147483648 or more")]
    CountTooLarge,
    /// The resource is of another type; nothing was read.
    #[error("not an ImagingStudy")]
    OtherResource,
    /// `cancelled` or `entered-in-error`: the study is read, but no record should come of it.
    #[error("a study that is not to be used")]
    NotToBeUsed,
    /// No identifier under the system of index codes.
    #[error("no index code")]
    NoCode,
    /// The identifier is no index code.
    #[error("not an index code")]
    NotCode,
    /// Several index codes that differ; none was read.
    #[error("several index codes that differ")]
    SeveralCodes,
    /// No StudyInstanceUID.
    #[error("no study instance uid")]
    NoUid,
    /// Not `urn:oid:` and a UID.
    #[error("not a study instance uid")]
    NotUid,
    /// Several StudyInstanceUIDs that differ; none was read.
    #[error("several study instance uids that differ")]
    SeveralUids,
    /// Several accession numbers that differ; the first was read.
    #[error("several accession numbers that differ")]
    SeveralAccessionNumbers,
    /// Not a `dateTime` with a time and an offset from UTC.
    #[error("not a date and time with an offset from utc")]
    NotInstant,
    /// Another minute than that of the index code, which is read.
    #[error("another minute than that of the index code")]
    OtherMinute,
    /// The subject's person code is another than that of the index code, which is read.
    #[error("another person than that of the index code")]
    OtherPerson,
    /// The subject's identifier is no person code.
    #[error("not a person code")]
    NotPerson,
    /// No institution code where one is looked for.
    #[error("no institution code")]
    NoInstitution,
    /// The identifier is no institution code.
    #[error("not an institution code")]
    NotInstitution,
    /// A modality of none of the five exam types.
    #[error("a modality without an exam type")]
    NoExamType,
    /// Modalities of several exam types; none was read.
    #[error("modalities of several exam types")]
    SeveralExamTypes,
    /// The form of the other release; read.
    #[error("the form of another release")]
    OtherRelease,
    /// A technique code that is no exam-site code.
    #[error("not an exam-site code")]
    NotSite,
    /// Several exam items; the first was read.
    #[error("several exam items")]
    SeveralItems,
    /// A code or text that is no exam item: too long, with control characters, or a blank at an end.
    #[error("not an exam item")]
    NotItem,
    /// An element a record has no use for; read past.
    #[error("not read")]
    NotRead,
}

impl FindingKind {
    /// The stable name for programs, such as `several_codes`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotCarried => "not_carried",
            Self::ModalityNotStated => "modality_not_stated",
            Self::ModalityOfAnotherType => "modality_of_another_type",
            Self::NotOid => "not_oid",
            Self::CountTooLarge => "count_too_large",
            Self::OtherResource => "other_resource",
            Self::NotToBeUsed => "not_to_be_used",
            Self::NoCode => "no_code",
            Self::NotCode => "not_code",
            Self::SeveralCodes => "several_codes",
            Self::NoUid => "no_uid",
            Self::NotUid => "not_uid",
            Self::SeveralUids => "several_uids",
            Self::SeveralAccessionNumbers => "several_accession_numbers",
            Self::NotInstant => "not_instant",
            Self::OtherMinute => "other_minute",
            Self::OtherPerson => "other_person",
            Self::NotPerson => "not_person",
            Self::NoInstitution => "no_institution",
            Self::NotInstitution => "not_institution",
            Self::NoExamType => "no_exam_type",
            Self::SeveralExamTypes => "several_exam_types",
            Self::OtherRelease => "other_release",
            Self::NotSite => "not_site",
            Self::SeveralItems => "several_items",
            Self::NotItem => "not_item",
            Self::NotRead => "not_read",
        }
    }
}
