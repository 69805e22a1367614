//! One file of policy as it is written: every fact with the document it stands on.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use core::{fmt, ops::Deref};

use chrono::NaiveDate;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

use super::plain::Plain as _;
use crate::{
    civil::Moment,
    event::Modality,
    money::{Fen, Ppm, UnitPrice},
    policy::{
        ChargeModel, Completeness, CountingUnit, DateBasis, FilmRule, Level, Party, RetentionClock,
        SurplusTo, TransferBasis, Trigger, Unearned,
    },
    serial,
};

/// The format this crate reads.
pub(crate) const FORMAT: &str = "mic-billing-book/1";

/// The largest file read: a national book with every province's versions is far below it.
#[cfg(any(feature = "toml", feature = "read"))]
pub(crate) const FILE_BYTES_MAX: usize = 1 << 20;

/// Fields nobody knows, kept by name so that loading can refuse them by name.
pub(crate) type Unknown = BTreeMap<String, IgnoredAny>;

/// One layer of policy, not yet checked against others: read it from TOML with
/// `Layer::from_toml`, from JSON with `Layer::from_json` or serde, then give it to [`Book::load`](crate::Book::load).
///
/// ```
/// use mic_billing::{Layer, Level, books};
///
/// let layer = books::shenzhen()?;
/// assert_eq!((layer.id(), layer.level()), ("shenzhen", Level::City));
/// let json = serde_json::to_string(&layer)?;
/// assert_eq!(serde_json::from_str::<Layer>(&json)?, layer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Layer {
    pub(crate) format: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) level: Level,
    pub(crate) region: String,
    #[serde(default)]
    pub(crate) fictional: bool,
    #[serde(default, rename = "document")]
    pub(crate) documents: Vec<Document>,
    #[serde(default, rename = "version")]
    pub(crate) versions: Vec<Version>,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
    /// Lines of the source by path; empty where serde read it.
    #[serde(skip)]
    pub(crate) lines: BTreeMap<String, u32>,
}

impl Layer {
    /// The short name that explanations cite.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its place among the layers.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// The region by GB/T 2260, six digits.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether it is made up, for demonstrations.
    #[must_use]
    pub const fn is_fictional(&self) -> bool {
        self.fictional
    }

    pub(crate) fn document(&self, id: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.id == id)
    }
}

impl PartialEq for Layer {
    /// By content; where it was read from doesn't matter.
    fn eq(&self, other: &Self) -> bool {
        self.format == other.format
            && self.id == other.id
            && self.name == other.name
            && self.level == other.level
            && self.region == other.region
            && self.fictional == other.fictional
            && self.documents == other.documents
            && self.versions == other.versions
            && self.unknown == other.unknown
    }
}

/// A public document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "serial::date_or_none"
    )]
    pub(crate) date: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

/// A value and what it stands on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cited<T> {
    pub(crate) value: T,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) clause: Option<String>,
    /// Whether the cited document says so. Required: nothing is verified by silence (T-05).
    pub(crate) verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    #[serde(flatten, skip_serializing)]
    pub(crate) unknown: Unknown,
}

/// A citation without its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CitedRef<'a> {
    pub(crate) document: Option<&'a str>,
    pub(crate) clause: Option<&'a str>,
    pub(crate) verified: bool,
    pub(crate) note: Option<&'a str>,
    pub(crate) unknown: &'a Unknown,
}

impl<T> Cited<T> {
    fn citation(&self) -> CitedRef<'_> {
        CitedRef {
            document: self.document.as_deref(),
            clause: self.clause.as_deref(),
            verified: self.verified,
            note: self.note.as_deref(),
            unknown: &self.unknown,
        }
    }
}

/// Shares by party, each party once: of two shares for one party a map would keep the last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Shares(BTreeMap<Party, Ppm>);

impl Deref for Shares {
    type Target = BTreeMap<Party, Ppm>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Shares {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(SharesVisitor)
    }
}

struct SharesVisitor;

impl<'de> Visitor<'de> for SharesVisitor {
    type Value = Shares;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of parties and parts per million")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shares, A::Error> {
        let mut shares = BTreeMap::new();
        while let Some((party, share)) = map.next_entry::<Party, Ppm>()? {
            if shares.insert(party, share).is_some() {
                return Err(A::Error::custom(format_args!("expected {party} once")));
            }
        }
        Ok(Shares(shares))
    }
}

/// A fact of the effective policy and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) layer: usize,
    pub(crate) version: usize,
}

/// Facts of every day in force.
const NEEDED: [&str; 10] = [
    "charge_model",
    "price",
    "counting_unit",
    "deduction_unit",
    "trigger",
    "completeness",
    "grace_hours",
    "late_cure_days",
    "date_basis",
    "modalities",
];
/// And where a contract has a price.
const CONTRACT_NEEDED: [&str; 2] = ["surplus_to", "transfer_basis"];

/// Defines the facts a version may state, once.
macro_rules! facts {
    ($($(#[$doc:meta])* $field:ident: $ty:ty,)*) => {
        /// What a layer says for a range of days, from the moment it was known.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub(crate) struct Version {
            pub(crate) id: String,
            #[serde(with = "serial::date")]
            pub(crate) from: NaiveDate,
            #[serde(default, skip_serializing_if = "Option::is_none", with = "serial::date_or_none")]
            pub(crate) to: Option<NaiveDate>,
            pub(crate) known_from: Moment,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) document: Option<String>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) clause: Option<String>,
            /// Whether the document states the days.
            pub(crate) verified: bool,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) note: Option<String>,
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub(crate) $field: Option<Cited<$ty>>,)*
            #[serde(flatten, skip_serializing)]
            pub(crate) unknown: Unknown,
        }

        impl Version {
            /// A fact's value as one text, if it states that fact.
            pub(super) fn value_of(&self, fact: &str) -> Option<String> {
                $(if fact == stringify!($field) {
                    return self.$field.as_ref().map(|stated| stated.value.plain());
                })*
                None
            }

            /// The facts it states: name and citation.
            pub(crate) fn citations(&self) -> Vec<(&'static str, CitedRef<'_>)> {
                let mut found = Vec::new();
                $(if let Some(fact) = &self.$field { found.push((stringify!($field), fact.citation())); })*
                found
            }
        }

        /// The name of a fact, if it is one.
        pub(crate) fn fact_named(name: &str) -> Option<&'static str> {
            [$(stringify!($field)),*].into_iter().find(|fact| *fact == name)
        }

        /// What all layers say together: each fact from the lowest layer that states it.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Effective {
            $(pub(crate) $field: Option<Found<$ty>>,)*
        }

        impl Effective {
            /// Facts a charge can't do without that no layer states (BIL-15).
            pub(crate) fn missing(&self) -> Vec<&'static str> {
                let with_a_contract = self.contract_price.is_some();
                let needed = |fact: &str| {
                    NEEDED.contains(&fact) || (with_a_contract && CONTRACT_NEEDED.contains(&fact))
                };
                let mut found = Vec::new();
                $(if self.$field.is_none() && needed(stringify!($field)) {
                    found.push(stringify!($field));
                })*
                found
            }

            /// Lays a lower layer's version over what the upper ones said (T-04).
            pub(crate) fn lay(&mut self, stated: &Version, layer: usize, version: usize) {
                $(if let Some(fact) = &stated.$field {
                    self.$field = Some(Found { value: fact.value.clone(), layer, version });
                })*
            }

            /// Where each fact came from: name, layer, version.
            pub(crate) fn origins(&self) -> Vec<(&'static str, usize, usize)> {
                let mut found = Vec::new();
                $(if let Some(fact) = &self.$field { found.push((stringify!($field), fact.layer, fact.version)); })*
                found
            }
        }
    };
}

facts! {
    /// B-05, B-06, B-07.
    charge_model: ChargeModel,
    /// B-01, in fen.
    price: Fen,
    /// V-01, V-03.
    counting_unit: CountingUnit,
    /// V-04.
    deduction_unit: CountingUnit,
    /// C-01.
    trigger: Trigger,
    /// C-02.
    completeness: Completeness,
    /// C-03, hours.
    grace_hours: u32,
    /// C-05, days.
    late_cure_days: u32,
    /// V-06.
    date_basis: DateBasis,
    /// V-05.
    modalities: Vec<Modality>,
    /// S-01, parts per million.
    fund_share: Ppm,
    /// S-02, parts per million by party.
    payee_shares: Shares,
    /// T-07: who won.
    vendor: String,
    /// S-03, micro-yuan.
    contract_price: UnitPrice,
    /// S-03.
    surplus_to: SurplusTo,
    /// S-04.
    transfer_basis: TransferBasis,
    /// T-07, parts per million.
    volume_share: Ppm,
    /// K-09.
    unearned: Unearned,
    /// B-10, parts per million.
    position_share: Ppm,
    /// B-10.
    positions_max: u32,
    /// B-11, in fen.
    xray_cap: Fen,
    /// B-09.
    film: FilmRule,
    /// K-01, years.
    outpatient_years: u32,
    /// K-01, years.
    inpatient_years: u32,
    /// K-02.
    retention_clock: RetentionClock,
}

/// The path of a version.
pub(crate) fn version_path(version: usize) -> String {
    alloc::format!("version[{version}]")
}

/// The path of a field of a version.
pub(crate) fn fact_path(version: usize, field: &str) -> String {
    let mut path = version_path(version);
    path.push('.');
    path.push_str(field);
    path
}
