//! What can be wrong with policy, where, and in which file.

use alloc::{string::String, vec::Vec};
use core::fmt;

use chrono::NaiveDate;

use super::layer::Layer;
use crate::{
    money::Fen,
    policy::{Level, Party},
};

/// One fault of a layer.
///
/// ```
/// use mic_billing::{BookErrorKind, Layer};
///
/// let error = Layer::from_toml("format = 1").unwrap_err();
/// assert_eq!(error.line(), Some(1));
/// assert!(matches!(error.kind(), BookErrorKind::Syntax { .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookError {
    layer: String,
    path: String,
    line: Option<u32>,
    kind: BookErrorKind,
}

impl BookError {
    /// A fault at a path of a layer; the line is looked up there, or at what the path lies in.
    pub(crate) fn at(layer: &Layer, path: impl Into<String>, kind: BookErrorKind) -> Self {
        let path = path.into();
        let mut place: &str = &path;
        let line = loop {
            if let Some(line) = layer.lines.get(place) {
                break Some(*line);
            }
            match place.rfind(['.', '[']).and_then(|end| place.get(..end)) {
                Some(outer) => place = outer,
                None => break None,
            }
        };
        Self {
            layer: layer.id.clone(),
            path,
            line,
            kind,
        }
    }

    pub(crate) fn of_text(
        layer: impl Into<String>,
        line: Option<u32>,
        kind: BookErrorKind,
    ) -> Self {
        Self {
            layer: layer.into(),
            path: String::new(),
            line,
            kind,
        }
    }

    /// The id of the layer at fault; empty if it could not be read.
    #[must_use]
    pub fn layer(&self) -> &str {
        &self.layer
    }

    /// Where in the layer: `version[1].price`; empty for the layer as a whole.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The line of the file, where it is known.
    #[must_use]
    pub const fn line(&self) -> Option<u32> {
        self.line
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> &BookErrorKind {
        &self.kind
    }
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = if self.layer.is_empty() {
            "?"
        } else {
            &self.layer
        };
        write!(f, "book {layer}")?;
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl core::error::Error for BookError {}

/// The faults of a book.
///
/// ```
/// use mic_billing::{BookErrorKind, books};
/// # use mic_billing::Book;
///
/// let errors = Book::load([books::shenzhen()?, books::shenzhen()?]).unwrap_err();
/// assert!(errors.iter().any(|e| matches!(e.kind(), BookErrorKind::LevelTwice { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookErrors {
    first: BookError,
    more: Vec<BookError>,
}

impl BookErrors {
    /// All of them as one error, or none.
    pub(crate) fn collect(errors: Vec<BookError>) -> Result<(), Self> {
        let mut errors = errors.into_iter();
        match errors.next() {
            Some(first) => Err(Self {
                first,
                more: errors.collect(),
            }),
            None => Ok(()),
        }
    }

    /// The first one.
    #[must_use]
    pub const fn first(&self) -> &BookError {
        &self.first
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &BookError> {
        core::iter::once(&self.first).chain(&self.more)
    }
}

impl From<BookError> for BookErrors {
    fn from(first: BookError) -> Self {
        Self {
            first,
            more: Vec::new(),
        }
    }
}

impl fmt::Display for BookErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.first, f)?;
        self.more
            .iter()
            .try_for_each(|error| write!(f, "; {error}"))
    }
}

impl core::error::Error for BookErrors {}

/// What is wrong with a book.
///
/// ```
/// use mic_billing::BookErrorKind;
///
/// let kind = BookErrorKind::SharesSum { found_ppm: 999_999 };
/// assert_eq!(kind.to_string(), "expected shares of 1000000 parts per million in all, found 999999");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookErrorKind {
    /// The text is not TOML, or a value is of the wrong type.
    #[error("{message}")]
    Syntax {
        /// What the reader says.
        message: String,
    },
    /// Another format than this crate reads.
    #[error("expected the format mic-billing-book/1")]
    Format,
    /// A field nobody knows.
    #[error("expected only known fields, found {field:?}")]
    UnknownField {
        /// Its name.
        field: String,
    },
    /// No layers at all.
    #[error("expected at least one layer")]
    Empty,
    /// The national layer without a region: it has no charge model and can't have one.
    #[error("expected a province, a city or a contract beside the nation")]
    NationAlone,
    /// Two layers of one level.
    #[error("expected one layer of the level {level}")]
    LevelTwice {
        /// The level.
        level: Level,
    },
    /// A region that is not six digits.
    #[error("expected a region of six digits")]
    RegionForm,
    /// A layer whose region lies outside a region above it.
    #[error("expected a region within {province}")]
    OtherProvince {
        /// The region of the upper layer.
        province: String,
    },
    /// A layer without versions.
    #[error("expected at least one version")]
    NoVersion,
    /// More versions than a layer may have.
    #[error("expected at most {max} versions, found {found}")]
    TooManyVersions {
        /// The most.
        max: usize,
        /// How many there are.
        found: usize,
    },
    /// Two layers, versions or documents with one id.
    #[error("expected the id {id:?} once")]
    IdTwice {
        /// The id.
        id: String,
    },
    /// A version that ends before it begins.
    #[error("expected an end after {from}")]
    EmptyRange {
        /// Its first day.
        from: NaiveDate,
    },
    /// Two versions known from one moment that hold on one day (T-06).
    #[error("expected no overlap with version {other:?} from {from}")]
    Overlap {
        /// The other version.
        other: String,
        /// The first day both hold.
        from: NaiveDate,
    },
    /// Days between versions on which none holds (T-06).
    #[error("expected a version from {from} to {to}")]
    Gap {
        /// The first day without.
        from: NaiveDate,
        /// The first day with one again.
        to: NaiveDate,
    },
    /// A model for the whole nation: regions differ, so none is assumed.
    #[error("expected no charge model in the national layer")]
    NationalModel,
    /// A region that doesn't say what its charge is.
    #[error("expected a charge model; none is assumed for a region")]
    MissingModel,
    /// A fact no layer states.
    #[error("expected the fact {fact} here or in a layer above, from {from}")]
    MissingFact {
        /// The fact.
        fact: &'static str,
        /// The first day it is missing.
        from: NaiveDate,
    },
    /// A fact with no document that claims to be verified (T-05).
    #[error("expected a document for a verified fact")]
    Uncited,
    /// A document that the layer doesn't list.
    #[error("expected a document of this layer, found {document:?}")]
    UnknownDocument {
        /// The id cited.
        document: String,
    },
    /// Shares that are not the whole (S-02).
    #[error("expected shares of 1000000 parts per million in all, found {found_ppm}")]
    SharesSum {
        /// Their sum.
        found_ppm: u64,
    },
    /// A share for a party that can't be paid.
    #[error("expected parties that provide the service, found {party}")]
    PayeeParty {
        /// The party.
        party: Party,
    },
    /// A lower layer that shortens retention (T-04).
    #[error("expected at least {floor} years of an upper layer, found {found}")]
    RetentionLowered {
        /// The years of the upper layer.
        floor: u32,
        /// The years found.
        found: u32,
    },
    /// A layer that is not made up and keeps images for less time than the law (T-04).
    #[error("expected at least {floor} years by law, found {found}")]
    RetentionBelowLaw {
        /// The years of the law.
        floor: u32,
        /// The years found.
        found: u32,
    },
    /// A number out of bounds.
    #[error("expected {min} to {max}, found {found}")]
    OutOfBounds {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
        /// What stands there.
        found: i64,
    },
    /// A fact of a procurement in a layer that is no contract.
    #[error("expected this fact in a layer of the level contract")]
    OnlyInContract,
    /// A contract that costs more than the tariff.
    #[error("expected a contract price of at most the price {price}")]
    ContractAbovePrice {
        /// The price of a unit.
        price: Fen,
    },
    /// Documents and notes of more bytes than the policies of a book may hold.
    #[error("expected a book whose policies cite at most {max} bytes")]
    TooLarge {
        /// The most.
        max: usize,
    },
    /// An empty list where something must be listed.
    #[error("expected at least one entry")]
    EmptyList,
}

impl BookErrorKind {
    /// Whether both are one fault, on whichever day it shows.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MissingFact { fact: one, .. }, Self::MissingFact { fact: two, .. }) => {
                one == two
            }
            _ => core::mem::discriminant(self) == core::mem::discriminant(other),
        }
    }
}
