//! The parts of FHIR that a record needs, as serde structures.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::serde::discreet;

/// `ImagingStudy`, as far as a record fills it.
///
/// Other elements of the resource are read past and named by [`others`](Self::others); they are not
/// written. So keep what was received, and write studies of your own: this is no editor. Errors of
/// reading never repeat a value, and `Debug` shows neither values nor names of unknown elements
/// (`IDX-28`).
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct ImagingStudy {
    /// Always `ImagingStudy`; checked by [`Mapper::read`](super::Mapper::read).
    pub resource_type: String,
    /// The id on the server, which a record does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Index code, StudyInstanceUID, in R4 the accession number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifier: Vec<Identifier>,
    /// `registered`, `available`, `cancelled`, `entered-in-error` or `unknown`.
    #[serde(default)]
    pub status: String,
    /// Modalities of the series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modality: Vec<Modality>,
    /// The patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Reference>,
    /// A `dateTime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// Requests; in R5 with the accession number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub based_on: Vec<Reference>,
    /// An `unsignedInt`, below 2^31.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_of_series: Option<u32>,
    /// An `unsignedInt`, below 2^31.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_of_instances: Option<u32>,
    /// What was done, in R4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub procedure_code: Vec<CodeableConcept>,
    /// What was done, in R5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub procedure: Vec<CodeableReference>,
    /// The institution, as a logical reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Reference>,
    #[serde(flatten, skip_serializing)]
    pub(super) others: BTreeMap<String, IgnoredAny>,
}

impl fmt::Debug for ImagingStudy {
    /// Shows what is there and how often, and no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImagingStudy")
            .field("identifier", &self.identifier)
            .field("modality", &self.modality.len())
            .field("subject", &self.subject)
            .field("started", &self.started.is_some())
            .field("based_on", &self.based_on)
            .field("number_of_series", &self.number_of_series)
            .field("number_of_instances", &self.number_of_instances)
            .field("procedure_code", &self.procedure_code.len())
            .field("procedure", &self.procedure.len())
            .field("location", &self.location)
            .field("others", &self.others.len())
            .finish_non_exhaustive()
    }
}

impl ImagingStudy {
    /// The type of the resource.
    pub const RESOURCE_TYPE: &'static str = "ImagingStudy";

    pub(super) fn empty() -> Self {
        Self {
            resource_type: Self::RESOURCE_TYPE.to_owned(),
            ..Self::default()
        }
    }

    /// The names of elements that were read past.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        self.others.keys().map(String::as_str)
    }
}

/// `Identifier`: a value and the system it is unique in.
///
/// ```
/// use mic_index::fhir::{Identifier, Systems};
/// use mic_index::index_code;
///
/// let code = index_code!(
///     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
/// );
/// let systems = Systems { code: "https://example.org/index-code".into(), ..Systems::default() };
/// let identifier = Identifier::of_code(code, &systems);
/// assert_eq!(identifier.index_code(&systems), Some(Ok(code)));
/// // A value is personal data.
/// assert!(!format!("{identifier:?}").contains("708463177"));
/// ```
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Identifier {
    /// `official` for what a record writes.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// What kind of identifier, such as `ACSN`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<CodeableConcept>,
    /// An absolute URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl fmt::Debug for Identifier {
    /// Shows the system and no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identifier")
            .field("kind", &self.kind)
            .field("system", &self.system)
            .finish_non_exhaustive()
    }
}

/// `Reference`, by URL or by identifier.
///
/// A URL may name a patient, or search for one by a number; `Debug` shows none.
///
/// ```
/// use mic_index::fhir::Reference;
///
/// let json = r#"{"reference": "Patient?identifier=17", "type": "Patient"}"#;
/// let patient: Reference = serde_json::from_str(json)?;
/// assert_eq!(patient.reference.as_deref(), Some("Patient?identifier=17"));
/// assert!(!format!("{patient:?}").contains("17"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Reference {
    /// `Patient/17`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The type of the resource referred to.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Who or what is meant, where the resource itself is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
}

impl fmt::Debug for Reference {
    /// Shows the forms that are there; of the type and the URL nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reference")
            .field("reference", &self.reference.is_some())
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}

/// `Coding`: a code and the system it belongs to.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Coding {
    /// An absolute URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The code in words; a free text, which `Debug` does not show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}

impl fmt::Debug for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coding")
            .field("system", &self.system)
            .field("code", &self.code)
            .field("display", &self.display.is_some())
            .finish()
    }
}

/// `CodeableConcept`: codings that mean the same.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct CodeableConcept {
    /// The codings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coding: Vec<Coding>,
    /// The concept in words; a free text, which `Debug` does not show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl CodeableConcept {
    /// The codings under a system.
    pub(super) fn of_system<'a>(&'a self, system: &'a str) -> impl Iterator<Item = &'a Coding> {
        let codings = self.coding.iter();
        codings.filter(move |coding| coding.system.as_deref() == Some(system))
    }
}

impl fmt::Debug for CodeableConcept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeableConcept")
            .field("coding", &self.coding)
            .field("text", &self.text.is_some())
            .finish()
    }
}

/// `CodeableReference` of R5: a concept or a reference.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct CodeableReference {
    /// The concept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<CodeableConcept>,
}

/// A modality: the one element whose type differs between the releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(clippy::exhaustive_enums, reason = "R4 and R5 have these two forms")]
pub enum Modality {
    /// R4.
    Coding(Coding),
    /// R5.
    Concept(CodeableConcept),
}

impl Modality {
    /// The codings of either form.
    #[must_use]
    pub fn codings(&self) -> &[Coding] {
        match self {
            Self::Coding(coding) => core::slice::from_ref(coding),
            Self::Concept(concept) => &concept.coding,
        }
    }
}

impl<'de> Deserialize<'de> for Modality {
    /// An object with `coding` or `text` is a concept, any other a coding.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Either {
            #[serde(default)]
            coding: Option<Vec<Coding>>,
            #[serde(default)]
            text: Option<String>,
            #[serde(default)]
            system: Option<String>,
            #[serde(default)]
            code: Option<String>,
            #[serde(default)]
            display: Option<String>,
        }
        let Either {
            coding,
            text,
            system,
            code,
            display,
        } = {
            let instead = format_args!("expected a modality, found another value");
            discreet(Either::deserialize(deserializer), instead)?
        };
        Ok(match (coding, text) {
            (None, None) => Self::Coding(Coding {
                system,
                code,
                display,
            }),
            (coding, text) => Self::Concept(CodeableConcept {
                coding: coding.unwrap_or_default(),
                text,
            }),
        })
    }
}

macro_rules! discreetly {
    ($($type:ty => $expected:literal),* $(,)?) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // The derived function; the trait's is this one.
                <$type>::serialize(self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let instead = format_args!(concat!("expected ", $expected, ", found another value"));
                discreet(<$type>::deserialize(deserializer), instead)
            }
        }
    )*};
}

discreetly!(
    ImagingStudy => "an ImagingStudy",
    Identifier => "an identifier",
    Reference => "a reference",
    Coding => "a coding",
    CodeableConcept => "a concept",
    CodeableReference => "a concept or reference",
);
