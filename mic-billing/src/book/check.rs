//! What must hold of layers before they are put together.

use alloc::{collections::BTreeSet, string::ToString, vec::Vec};

use chrono::NaiveDate;

use super::{
    error::{BookError, BookErrorKind, BookErrors},
    layer::{CitedRef, FORMAT, Layer, Unknown, Version, fact_path, version_path},
};
use crate::{
    civil::Moment,
    money::Ppm,
    policy::{Level, Party},
};

/// The highest price of one unit, in fen: a thousand yuan. Above it a book holds yuan for fen.
const PRICE_FEN_MAX: i64 = 100_000;
/// Six decimals of a yuan against two.
const MICRO_YUAN_PER_FEN: i64 = 10_000;
/// The most positions of one examination; the price texts count three.
const POSITIONS_MAX: i64 = 100;
/// Facts of a procurement: no tariff of a region states them.
const CONTRACT_FACTS: [&str; 6] = [
    "vendor",
    "contract_price",
    "surplus_to",
    "transfer_basis",
    "volume_share",
    "unearned",
];
/// The longest grace and the longest late cure: a year. Longer ones never end in practice.
const GRACE_HOURS_MAX: i64 = 366 * 24;
const CURE_DAYS_MAX: i64 = 366;
/// Most versions of a layer: a change every quarter for sixteen years. Putting layers together takes
/// time with the cube of it, so a hostile file must not choose it.
const VERSIONS_MAX: usize = 64;
/// 医疗机构管理条例实施细则 art. 53: no real layer goes below, with the national layer or without.
const OUTPATIENT_YEARS_MIN: u32 = 15;
const INPATIENT_YEARS_MIN: u32 = 30;
/// The longest retention: two centuries, so that a typing error can't reach past the calendar.
const YEARS_MAX: i64 = 200;

/// Checks the layers, uppermost first.
pub(super) fn layers(layers: &[Layer]) -> Result<(), BookErrors> {
    let mut errors = Vec::new();
    for layer in layers {
        let found = layer.versions.len();
        if found > VERSIONS_MAX {
            let kind = BookErrorKind::TooManyVersions {
                max: VERSIONS_MAX,
                found,
            };
            return Err(BookError::at(layer, "version", kind).into());
        }
        one(layer, &mut errors);
    }
    together(layers, &mut errors);
    BookErrors::collect(errors)
}

/// How the layers fit one another.
fn together(layers: &[Layer], errors: &mut Vec<BookError>) {
    for (upper, lower) in layers.iter().zip(layers.iter().skip(1)) {
        if upper.level == lower.level {
            errors.push(BookError::at(
                lower,
                "level",
                BookErrorKind::LevelTwice { level: lower.level },
            ));
        }
    }
    let mut ids = BTreeSet::new();
    for layer in layers {
        // Versions are cited by the layer's id.
        if !ids.insert(&layer.id) {
            let kind = BookErrorKind::IdTwice {
                id: layer.id.clone(),
            };
            errors.push(BookError::at(layer, "id", kind));
        }
    }
    for (at, lower) in layers.iter().enumerate() {
        let above = layers.iter().take(at);
        let regions =
            above.filter(|upper| upper.level > Level::Nation && upper.level < lower.level);
        for upper in regions.filter(|upper| !lower.region.starts_with(within(&upper.region))) {
            let kind = BookErrorKind::OtherProvince {
                province: upper.region.clone(),
            };
            errors.push(BookError::at(lower, "region", kind));
        }
    }
    match layers.last() {
        None => errors.push(BookError::of_text("", None, BookErrorKind::Empty)),
        Some(last) if last.level == Level::Nation => {
            errors.push(BookError::at(last, "", BookErrorKind::NationAlone));
        }
        Some(_) => {}
    }
}

/// The digits of a region that all places in it share: `44` of 440000, `4403` of 440300.
fn within(region: &str) -> &str {
    let mut digits = region;
    while let Some(shorter) = digits
        .strip_suffix("00")
        .filter(|shorter| !shorter.is_empty())
    {
        digits = shorter;
    }
    digits
}

/// What holds of one layer alone.
fn one(layer: &Layer, errors: &mut Vec<BookError>) {
    if layer.format != FORMAT {
        errors.push(BookError::at(layer, "format", BookErrorKind::Format));
    }
    if layer.region.len() != 6 || !layer.region.bytes().all(|byte| byte.is_ascii_digit()) {
        errors.push(BookError::at(layer, "region", BookErrorKind::RegionForm));
    }
    unknown(layer, "", &layer.unknown, errors);
    let mut ids = BTreeSet::new();
    for (at, document) in layer.documents.iter().enumerate() {
        let path = alloc::format!("document[{at}]");
        unknown(layer, &path, &document.unknown, errors);
        if !ids.insert(&document.id) {
            let kind = BookErrorKind::IdTwice {
                id: document.id.clone(),
            };
            errors.push(BookError::at(layer, path, kind));
        }
    }
    let mut ids = BTreeSet::new();
    for (at, version) in layer.versions.iter().enumerate() {
        if !ids.insert(&version.id) {
            let kind = BookErrorKind::IdTwice {
                id: version.id.clone(),
            };
            errors.push(BookError::at(layer, version_path(at), kind));
        }
        one_version(layer, at, version, errors);
    }
    if layer.versions.is_empty() {
        errors.push(BookError::at(layer, "version", BookErrorKind::NoVersion));
    }
    ranges(layer, errors);
}

fn one_version(layer: &Layer, at: usize, version: &Version, errors: &mut Vec<BookError>) {
    unknown(layer, &version_path(at), &version.unknown, errors);
    if version.to.is_some_and(|to| to <= version.from) {
        let kind = BookErrorKind::EmptyRange { from: version.from };
        errors.push(BookError::at(layer, fact_path(at, "to"), kind));
    }
    if layer.level == Level::Nation && version.charge_model.is_some() {
        errors.push(BookError::at(
            layer,
            fact_path(at, "charge_model"),
            BookErrorKind::NationalModel,
        ));
    }
    let days = CitedRef {
        document: version.document.as_deref(),
        clause: version.clause.as_deref(),
        verified: version.verified,
        note: None,
        unknown: &version.unknown,
    };
    cited(layer, &version_path(at), days, errors);
    for (name, fact) in version.citations() {
        let path = fact_path(at, name);
        cited(layer, &path, fact, errors);
        unknown(layer, &path, fact.unknown, errors);
    }
    if layer.level != Level::Contract {
        for (name, _) in version
            .citations()
            .iter()
            .filter(|(name, _)| CONTRACT_FACTS.contains(name))
        {
            let path = fact_path(at, name);
            errors.push(BookError::at(layer, path, BookErrorKind::OnlyInContract));
        }
    }
    let bounds = [
        (
            "contract_price",
            version
                .contract_price
                .as_ref()
                .map(|f| f.value.micro_yuan()),
            0,
            PRICE_FEN_MAX.saturating_mul(MICRO_YUAN_PER_FEN),
        ),
        (
            "positions_max",
            version.positions_max.as_ref().map(|f| i64::from(f.value)),
            1,
            POSITIONS_MAX,
        ),
        (
            "xray_cap",
            version.xray_cap.as_ref().map(|f| f.value.get()),
            0,
            PRICE_FEN_MAX,
        ),
        (
            "price",
            version.price.as_ref().map(|fact| fact.value.get()),
            0,
            PRICE_FEN_MAX,
        ),
        (
            "grace_hours",
            version.grace_hours.as_ref().map(|f| i64::from(f.value)),
            0,
            GRACE_HOURS_MAX,
        ),
        (
            "late_cure_days",
            version.late_cure_days.as_ref().map(|f| i64::from(f.value)),
            0,
            CURE_DAYS_MAX,
        ),
        (
            "outpatient_years",
            version
                .outpatient_years
                .as_ref()
                .map(|f| i64::from(f.value)),
            1,
            YEARS_MAX,
        ),
        (
            "inpatient_years",
            version.inpatient_years.as_ref().map(|f| i64::from(f.value)),
            1,
            YEARS_MAX,
        ),
    ];
    for (name, found, min, max) in bounds {
        if let Some(found) = found.filter(|found| !(min..=max).contains(found)) {
            let kind = BookErrorKind::OutOfBounds { min, max, found };
            errors.push(BookError::at(layer, fact_path(at, name), kind));
        }
    }
    if !layer.fictional {
        legal_floor(layer, at, version, errors);
    }
    if version
        .modalities
        .as_ref()
        .is_some_and(|list| list.value.is_empty())
    {
        errors.push(BookError::at(
            layer,
            fact_path(at, "modalities"),
            BookErrorKind::EmptyList,
        ));
    }
    if let Some(shares) = &version.payee_shares {
        let path = fact_path(at, "payee_shares");
        let found_ppm = shares
            .value
            .values()
            .map(|share| u64::from(share.get()))
            .sum();
        if found_ppm != u64::from(Ppm::WHOLE.get()) {
            errors.push(BookError::at(
                layer,
                path.clone(),
                BookErrorKind::SharesSum { found_ppm },
            ));
        }
        for party in shares
            .value
            .keys()
            .filter(|party| **party <= Party::Patient)
        {
            errors.push(BookError::at(
                layer,
                path.clone(),
                BookErrorKind::PayeeParty { party: *party },
            ));
        }
    }
}

/// T-04: the law's own years, whatever the layers above say.
fn legal_floor(layer: &Layer, at: usize, version: &Version, errors: &mut Vec<BookError>) {
    let years = [
        (
            "outpatient_years",
            &version.outpatient_years,
            OUTPATIENT_YEARS_MIN,
        ),
        (
            "inpatient_years",
            &version.inpatient_years,
            INPATIENT_YEARS_MIN,
        ),
    ];
    for (name, stated, floor) in years {
        let low = stated
            .as_ref()
            .filter(|fact| (1..floor).contains(&fact.value));
        if let Some(found) = low.map(|fact| fact.value) {
            let kind = BookErrorKind::RetentionBelowLaw { floor, found };
            errors.push(BookError::at(layer, fact_path(at, name), kind));
        }
    }
}

/// T-05: a verified fact has a document, and the document is listed.
fn cited(layer: &Layer, path: &str, fact: CitedRef<'_>, errors: &mut Vec<BookError>) {
    match fact.document {
        None if fact.verified => errors.push(BookError::at(layer, path, BookErrorKind::Uncited)),
        Some(id) if layer.document(id).is_none() => {
            let kind = BookErrorKind::UnknownDocument {
                document: id.to_string(),
            };
            errors.push(BookError::at(layer, path, kind));
        }
        _ => {}
    }
}

fn unknown(layer: &Layer, path: &str, fields: &Unknown, errors: &mut Vec<BookError>) {
    for field in fields.keys() {
        let path = if path.is_empty() {
            field.clone()
        } else {
            alloc::format!("{path}.{field}")
        };
        let kind = BookErrorKind::UnknownField {
            field: field.clone(),
        };
        errors.push(BookError::at(layer, path, kind));
    }
}

/// T-06, at every moment of knowledge: no overlap among versions known from one moment, no gap
/// among those known so far.
fn ranges(layer: &Layer, errors: &mut Vec<BookError>) {
    let mut order: Vec<(usize, &Version)> = layer.versions.iter().enumerate().collect();
    order.sort_by_key(|(_, version)| (version.known_from, version.from));
    for ((_, earlier), (at, later)) in order.iter().zip(order.iter().skip(1)) {
        let overlaps = earlier.to.is_none_or(|to| later.from < to);
        if earlier.known_from == later.known_from && overlaps {
            let kind = BookErrorKind::Overlap {
                other: earlier.id.clone(),
                from: later.from,
            };
            errors.push(BookError::at(layer, fact_path(*at, "from"), kind));
        }
    }
    let moments: BTreeSet<Moment> = layer
        .versions
        .iter()
        .map(|version| version.known_from)
        .collect();
    let mut seen = BTreeSet::new();
    for moment in moments {
        let mut known: Vec<(usize, &Version)> = order
            .iter()
            .copied()
            .filter(|(_, version)| version.known_from <= moment)
            .collect();
        known.sort_by_key(|(_, version)| version.from);
        let mut covered: Option<Option<NaiveDate>> = None;
        for (at, version) in known {
            if let Some(Some(end)) = covered {
                if version.from > end && seen.insert((at, end)) {
                    let kind = BookErrorKind::Gap {
                        from: end,
                        to: version.from,
                    };
                    errors.push(BookError::at(layer, fact_path(at, "from"), kind));
                }
            }
            covered = Some(match covered {
                None => version.to,
                Some(None) => None,
                Some(Some(end)) => version.to.map(|to| to.max(end)),
            });
        }
    }
}
