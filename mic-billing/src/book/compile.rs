//! From layers to the policy of each day at each moment of knowledge.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    sync::Arc,
    vec,
    vec::Vec,
};

use core::{mem::size_of, num::NonZeroU32};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    Epoch,
    error::{BookError, BookErrorKind, BookErrors},
    layer::{Effective, Layer, Version, fact_path, version_path},
};
use crate::{
    civil::Moment,
    contract::Contract,
    event::Modality,
    exam_price::ExamRules,
    money::{Fen, Ppm},
    policy::{ChargeModel, Completeness, CountingUnit, DateBasis, Level, Party, Trigger},
    rounding::Rounding,
};

/// What holds on one day, as known at one moment: a charge where a region has one, a retention
/// duty where the nation or a region states one.
///
/// ```
/// # use mic_billing::{Book, books};
/// # let book = Book::load([books::national()?, books::shenzhen()?])?;
/// let long_ago = chrono::NaiveDate::from_ymd_opt(2015, 6, 1).unwrap();
/// let policy = book.policy(long_ago, "2026-01-01T00:00:00+08:00".parse()?);
/// assert!(policy.charge().is_none(), "history is kept and never charged (C-10)");
/// assert_eq!(policy.retention().unwrap().outpatient_years, 15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    charge: Option<ChargePolicy>,
    retention: Option<RetentionPolicy>,
    exams: Option<ExamRules>,
}

impl Policy {
    /// Bytes of the texts it cites.
    fn grounds_bytes(&self) -> usize {
        let parts = [
            self.charge.as_ref().map(|part| &part.grounds),
            self.retention.as_ref().map(|part| &part.grounds),
            self.exams.as_ref().map(|part| &part.grounds),
        ];
        parts
            .into_iter()
            .flatten()
            .map(|grounds| grounds.bytes())
            .sum()
    }

    /// How visits of the day are charged; none where no region's policy holds.
    #[must_use]
    pub const fn charge(&self) -> Option<&ChargePolicy> {
        self.charge.as_ref()
    }

    /// What the price texts say of exams themselves; none where they say nothing.
    #[must_use]
    pub const fn exams(&self) -> Option<&ExamRules> {
        self.exams.as_ref()
    }

    /// How long images are kept.
    #[must_use]
    pub const fn retention(&self) -> Option<&RetentionPolicy> {
        self.retention.as_ref()
    }
}

/// How visits of a day are charged. Read from [`Policy::charge`], see there.
///
/// ```
/// # use mic_billing::{Book, CountingUnit, Fen, books};
/// # let book = Book::load([books::national()?, books::shenzhen()?])?;
/// # let day = chrono::NaiveDate::from_ymd_opt(2025, 12, 1).unwrap();
/// # let policy = book.policy(day, "2026-01-01T00:00:00+08:00".parse()?);
/// let charge = policy.charge().unwrap();
/// assert_eq!((charge.price, charge.deduction_unit), (Fen::new(500), CountingUnit::Exam));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChargePolicy {
    /// The sign of the price.
    pub model: ChargeModel,
    /// The price of one unit.
    pub price: Fen,
    /// What is charged once.
    pub counting_unit: CountingUnit,
    /// What a deduction is made for once.
    pub deduction_unit: CountingUnit,
    /// What proves the service.
    pub trigger: Trigger,
    /// When a unit of several exams is provided.
    pub completeness: Completeness,
    /// Hours from the exam in which the proof may come.
    pub grace_hours: u32,
    /// Days after the deadline in which a late proof still counts; zero for never.
    pub late_cure_days: u32,
    /// Which date of an exam counts.
    pub date_basis: DateBasis,
    /// The kinds of exam the price covers.
    pub modalities: Vec<Modality>,
    /// The fund's part of what is paid; none if the book doesn't divide it.
    pub fund_share: Option<Ppm>,
    /// Who receives which part of a charge; empty if the book doesn't divide it.
    pub payee_shares: Vec<(Party, Ppm)>,
    /// The contract in force, if one is.
    pub contract: Option<Contract>,
    /// What all this stands on.
    pub grounds: Arc<Grounds>,
}

/// How long images are kept. Read from [`Policy::retention`], see there.
///
/// ```
/// # use mic_billing::{Book, books};
/// # let book = Book::load([books::national()?, books::shenzhen()?])?;
/// # let day = chrono::NaiveDate::from_ymd_opt(2025, 12, 1).unwrap();
/// # let policy = book.policy(day, "2026-01-01T00:00:00+08:00".parse()?);
/// assert_eq!(policy.retention().unwrap().inpatient_years, 30);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetentionPolicy {
    /// Years from the last visit, for clinic and emergency.
    pub outpatient_years: u32,
    /// Years from the last discharge, for stays and for records of unknown setting.
    pub inpatient_years: u32,
    /// What this stands on.
    pub grounds: Arc<Grounds>,
}

/// What a policy stands on: the versions in force and the document behind each fact.
///
/// ```
/// # use mic_billing::{Book, books};
/// # let book = Book::load([books::national()?, books::shenzhen()?])?;
/// # let day = chrono::NaiveDate::from_ymd_opt(2025, 12, 1).unwrap();
/// # let policy = book.policy(day, "2026-01-01T00:00:00+08:00".parse()?);
/// let grounds = &policy.charge().unwrap().grounds;
/// let model = grounds.citations.iter().find(|c| c.fact == "charge_model").unwrap();
/// assert_eq!((model.layer.as_str(), model.verified), ("shenzhen", true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Grounds {
    /// The versions in force, uppermost layer first.
    pub versions: Vec<VersionRef>,
    /// The document behind each fact.
    pub citations: Vec<Citation>,
}

impl Grounds {
    fn bytes(&self) -> usize {
        let len = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let versions = self.versions.iter().map(|version| {
            size_of::<VersionRef>()
                .saturating_add(version.layer.len())
                .saturating_add(version.version.len())
                .saturating_add(len(&version.document))
                .saturating_add(len(&version.note))
        });
        let citations = self.citations.iter().map(|citation| {
            size_of::<Citation>()
                .saturating_add(citation.value.len())
                .saturating_add(len(&citation.document))
                .saturating_add(len(&citation.clause))
                .saturating_add(len(&citation.url))
                .saturating_add(len(&citation.note))
        });
        versions.chain(citations).fold(0, usize::saturating_add)
    }
}

/// A version of a layer by name, with the days it holds and the moment it was known.
///
/// ```
/// # let json = r#"{"layer":"shenzhen","version":"2025-19","from":"2025-12-01","known_from":"2025-09-29T00:00:00+08:00"}"#;
/// let version: mic_billing::VersionRef = serde_json::from_str(json)?;
/// assert_eq!(version.to_string(), "shenzhen/2025-19");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VersionRef {
    /// The layer's id.
    pub layer: String,
    /// The version's id.
    pub version: String,
    /// The first day it holds.
    #[serde(with = "crate::serial::date")]
    pub from: NaiveDate,
    /// Since when it is known.
    pub known_from: Moment,
    /// Whether the layer is made up.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub fictional: bool,
    /// Whether its days are an assumption: no document was verified to state them.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub assumed: bool,
    /// The document of the version: its number where it has one, or its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// What the author of the book remarks on the days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl core::fmt::Display for VersionRef {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.layer, self.version)
    }
}

/// The document behind one fact.
///
/// ```
/// # let json = r#"{"fact":"price","value":"500","layer":"shenzhen","version":"1","document":"深医保〔2025〕19号","verified":true}"#;
/// let citation: mic_billing::Citation = serde_json::from_str(json)?;
/// assert_eq!(citation.document.as_deref(), Some("深医保〔2025〕19号"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Citation {
    /// The fact's name in the book.
    pub fact: String,
    /// Its value as one text: a name, a number of the book's unit, or several joined by commas.
    pub value: String,
    /// The layer that states it.
    pub layer: String,
    /// The version that states it.
    pub version: String,
    /// The document: its number where it has one, or its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The place in the document, or what it says there in the words of the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Where the document can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the document says so; otherwise it is an assumption.
    pub verified: bool,
    /// What the author of the book remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Facts of retention.
const RETENTION_FACTS: [&str; 3] = ["outpatient_years", "inpatient_years", "retention_clock"];
/// Facts of exam prices; all that are of neither are facts of the charge.
const EXAM_FACTS: [&str; 4] = ["position_share", "positions_max", "xray_cap", "film"];

/// The policy of every day at every moment of knowledge.
pub(super) fn epochs(layers: &[Layer]) -> Result<Vec<Epoch>, BookErrors> {
    let all = || layers.iter().flat_map(|layer| &layer.versions);
    let moments: BTreeSet<Moment> = all().map(|version| version.known_from).collect();
    let days: BTreeSet<NaiveDate> = all()
        .flat_map(|version| [Some(version.from), version.to])
        .flatten()
        .collect();
    let mut errors: Vec<BookError> = Vec::new();
    let mut policies = Policies {
        layers,
        held: BTreeMap::new(),
        bytes: 0,
    };
    let mut epochs = Vec::with_capacity(moments.len());
    for known_from in moments {
        let mut epoch = Epoch {
            known_from,
            days: Vec::with_capacity(days.len()),
        };
        for day in &days {
            let in_force: Vec<InForce<'_>> = layers
                .iter()
                .enumerate()
                .filter_map(|(at, layer)| {
                    version_of(layer, *day, known_from).map(|(v, version)| InForce {
                        at,
                        layer,
                        v,
                        version,
                    })
                })
                .collect();
            match policies.of(&in_force, *day) {
                Ok(policy) => epoch.days.push((*day, policy)),
                Err(found) => found.into_iter().for_each(|error| note(&mut errors, error)),
            }
        }
        epochs.push(epoch);
    }
    BookErrors::collect(errors)?;
    Ok(epochs)
}

/// Each fault once, on the first day that shows it.
fn note(errors: &mut Vec<BookError>, error: BookError) {
    let is_known = |known: &BookError| {
        known.layer() == error.layer()
            && known.path() == error.path()
            && known.kind().is_like(error.kind())
    };
    if !errors.iter().any(is_known) {
        errors.push(error);
    }
}

/// Most bytes of documents and notes that the policies of a book may hold together. Real books are
/// far below it; a hostile one of long clauses ends with an error, not with the machine's memory.
const GROUNDS_BYTES_MAX: usize = 64 << 20;

/// The policies made so far: days on which the same versions hold share one.
struct Policies<'a> {
    layers: &'a [Layer],
    held: BTreeMap<Vec<(usize, usize)>, Arc<Policy>>,
    bytes: usize,
}

impl Policies<'_> {
    fn of(
        &mut self,
        in_force: &[InForce<'_>],
        day: NaiveDate,
    ) -> Result<Arc<Policy>, Vec<BookError>> {
        let key: Vec<(usize, usize)> = in_force.iter().map(|found| (found.at, found.v)).collect();
        if let Some(held) = self.held.get(&key) {
            return Ok(Arc::clone(held));
        }
        let made = Arc::new(policy(self.layers, in_force, day)?);
        self.bytes = self.bytes.saturating_add(made.grounds_bytes());
        if self.bytes > GROUNDS_BYTES_MAX {
            let kind = BookErrorKind::TooLarge {
                max: GROUNDS_BYTES_MAX,
            };
            return Err(vec![BookError::of_text("", None, kind)]);
        }
        self.held.insert(key, Arc::clone(&made));
        Ok(made)
    }
}

/// A version in force and its place.
struct InForce<'a> {
    at: usize,
    layer: &'a Layer,
    v: usize,
    version: &'a Version,
}

/// T-02: of the versions that hold on the day, the one known last.
fn version_of(layer: &Layer, day: NaiveDate, known_at: Moment) -> Option<(usize, &Version)> {
    layer
        .versions
        .iter()
        .enumerate()
        .filter(|(_, version)| version.known_from <= known_at)
        .filter(|(_, version)| version.from <= day && version.to.is_none_or(|to| day < to))
        .max_by_key(|(_, version)| version.known_from)
}

fn policy(
    layers: &[Layer],
    in_force: &[InForce<'_>],
    day: NaiveDate,
) -> Result<Policy, Vec<BookError>> {
    let mut effective = Effective::default();
    let mut faults = Vec::new();
    for found in in_force {
        faults.extend(floor(&effective, found));
        effective.lay(found.version, found.at, found.v);
    }
    let region = in_force
        .iter()
        .rfind(|found| found.layer.level > Level::Nation);
    let charge = match region.map(|region| charge(layers, in_force, &effective, region, day)) {
        Some(Err(found)) => {
            faults.extend(found);
            None
        }
        Some(Ok(charge)) => Some(charge),
        None => None,
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Policy {
        charge,
        retention: retention(layers, in_force, &effective),
        exams: exams(layers, in_force, &effective),
    })
}

/// T-04: no layer keeps images for less time than the layers above it.
fn floor(upper: &Effective, lower: &InForce<'_>) -> Vec<BookError> {
    let pairs = [
        (
            "outpatient_years",
            &upper.outpatient_years,
            &lower.version.outpatient_years,
        ),
        (
            "inpatient_years",
            &upper.inpatient_years,
            &lower.version.inpatient_years,
        ),
    ];
    let mut faults = Vec::new();
    for (name, above, here) in pairs {
        let stated = above.as_ref().zip(here.as_ref());
        if let Some((above, here)) = stated.filter(|(above, here)| here.value < above.value) {
            let kind = BookErrorKind::RetentionLowered {
                floor: above.value,
                found: here.value,
            };
            faults.push(BookError::at(lower.layer, fact_path(lower.v, name), kind));
        }
    }
    faults
}

fn charge(
    layers: &[Layer],
    in_force: &[InForce<'_>],
    effective: &Effective,
    region: &InForce<'_>,
    from: NaiveDate,
) -> Result<ChargePolicy, Vec<BookError>> {
    let path = version_path(region.v);
    let mut faults: Vec<BookError> = effective
        .missing()
        .into_iter()
        .map(|fact| {
            let kind = match fact {
                "charge_model" => BookErrorKind::MissingModel,
                _ => BookErrorKind::MissingFact { fact, from },
            };
            BookError::at(region.layer, path.clone(), kind)
        })
        .collect();
    macro_rules! need {
        ($field:ident) => {
            match &effective.$field {
                Some(found) => found.value.clone(),
                None => return Err(faults),
            }
        };
    }
    let contract_price = effective
        .contract_price
        .as_ref()
        .zip(effective.price.as_ref());
    if let Some((contract, price)) = contract_price {
        // Who would pay the difference is a thing no rule says.
        let per_unit = contract.value.total(1, Rounding::HalfUp);
        if per_unit.is_ok_and(|per_unit| per_unit > price.value) {
            let kind = BookErrorKind::ContractAbovePrice { price: price.value };
            let stated = layers.get(contract.layer).unwrap_or(region.layer);
            let path = fact_path(contract.version, "contract_price");
            faults.push(BookError::at(stated, path, kind));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let model = need!(charge_model);
    let price: Fen = need!(price);
    let contract = match &effective.contract_price {
        None => None,
        Some(found) => Some(Contract {
            vendor: effective.vendor.as_ref().map(|found| found.value.clone()),
            price: found.value,
            surplus_to: need!(surplus_to),
            transfer_basis: need!(transfer_basis),
            volume_share: effective.volume_share.as_ref().map(|found| found.value),
            unearned: effective.unearned.as_ref().map(|found| found.value),
        }),
    };
    Ok(ChargePolicy {
        model,
        price,
        counting_unit: need!(counting_unit),
        deduction_unit: need!(deduction_unit),
        trigger: need!(trigger),
        completeness: need!(completeness),
        grace_hours: need!(grace_hours),
        late_cure_days: need!(late_cure_days),
        date_basis: need!(date_basis),
        modalities: need!(modalities),
        fund_share: effective.fund_share.as_ref().map(|found| found.value),
        payee_shares: effective
            .payee_shares
            .as_ref()
            .map(|found| {
                found
                    .value
                    .iter()
                    .map(|(party, share)| (*party, *share))
                    .collect()
            })
            .unwrap_or_default(),
        contract,
        grounds: grounds(layers, in_force, effective, |fact| {
            !RETENTION_FACTS.contains(&fact) && !EXAM_FACTS.contains(&fact)
        }),
    })
}

fn exams(layers: &[Layer], in_force: &[InForce<'_>], effective: &Effective) -> Option<ExamRules> {
    let rules = ExamRules {
        position_share: effective.position_share.as_ref().map(|found| found.value),
        positions_max: effective
            .positions_max
            .as_ref()
            .and_then(|found| NonZeroU32::new(found.value)),
        xray_cap: effective.xray_cap.as_ref().map(|found| found.value),
        film: effective.film.as_ref().map(|found| found.value),
        grounds: grounds(layers, in_force, effective, |fact| {
            EXAM_FACTS.contains(&fact)
        }),
    };
    Some(rules).filter(|rules| !rules.grounds.citations.is_empty())
}

fn retention(
    layers: &[Layer],
    in_force: &[InForce<'_>],
    effective: &Effective,
) -> Option<RetentionPolicy> {
    Some(RetentionPolicy {
        outpatient_years: effective.outpatient_years.as_ref()?.value,
        inpatient_years: effective.inpatient_years.as_ref()?.value,
        grounds: grounds(layers, in_force, effective, |fact| {
            RETENTION_FACTS.contains(&fact)
        }),
    })
}

fn grounds(
    layers: &[Layer],
    in_force: &[InForce<'_>],
    effective: &Effective,
    wanted: impl Fn(&str) -> bool,
) -> Arc<Grounds> {
    let origins: Vec<(&'static str, usize, usize)> = effective
        .origins()
        .into_iter()
        .filter(|(fact, ..)| wanted(fact))
        .collect();
    let versions = in_force
        .iter()
        .filter(|found| origins.iter().any(|(_, layer, _)| *layer == found.at))
        .map(|found| VersionRef {
            layer: found.layer.id.clone(),
            version: found.version.id.clone(),
            from: found.version.from,
            known_from: found.version.known_from,
            fictional: found.layer.fictional,
            assumed: !found.version.verified,
            document: found
                .version
                .document
                .as_deref()
                .and_then(|id| found.layer.document(id))
                .map(|document| document.number.as_ref().unwrap_or(&document.title).clone()),
            note: found.version.note.clone(),
        })
        .collect();
    let citations = origins
        .into_iter()
        .filter_map(|(fact, layer, version)| citation(layers.get(layer)?, version, fact))
        .collect();
    Arc::new(Grounds {
        versions,
        citations,
    })
}

fn citation(layer: &Layer, version: usize, fact: &'static str) -> Option<Citation> {
    let version = layer.versions.get(version)?;
    let (_, cited) = version
        .citations()
        .into_iter()
        .find(|(name, _)| *name == fact)?;
    let document = cited.document.and_then(|id| layer.document(id));
    Some(Citation {
        fact: fact.to_string(),
        value: version.value_of(fact)?,
        layer: layer.id.clone(),
        version: version.id.clone(),
        document: document
            .map(|document| document.number.as_ref().unwrap_or(&document.title).clone()),
        clause: cited.clause.map(ToString::to_string),
        url: document.and_then(|document| document.url.clone()),
        verified: cited.verified,
        note: cited.note.map(ToString::to_string),
    })
}
