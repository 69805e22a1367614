//! Policies of several layers and versions: a nation, a province that begins on some day, maybe a
//! city and a contract, each with versions that are told in time, late or for days gone by.

use alloc::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use mic_billing::{Book, FilmRule, Layer, Modality, Moment};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{reference::Terms, strategies::hour};

/// Facts by their names in a book.
pub(crate) type Facts = BTreeMap<&'static str, Value>;

/// One version of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) from: NaiveDate,
    pub(crate) to: Option<NaiveDate>,
    pub(crate) known: Moment,
    pub(crate) facts: Facts,
}

/// Layers from the nation down, each with its place in the order of levels.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) layers: Vec<(usize, Vec<Version>)>,
}

const LEVELS: [(&str, &str); 4] = [
    ("nation", "100000"),
    ("province", "990000"),
    ("city", "990100"),
    ("contract", "990100"),
];
/// The place of the nation, whose facts alone put no region in force.
pub(crate) const NATION: usize = 0;

impl Plan {
    /// One version of one province, in force on all days.
    pub(crate) fn of(terms: &Terms) -> Self {
        let modalities: Vec<&str> = terms.modalities.iter().map(|m| m.name()).collect();
        let facts = Facts::from([
            ("charge_model", terms.model.name().into()),
            ("price", terms.price.into()),
            ("counting_unit", terms.counting_unit.name().into()),
            ("deduction_unit", terms.deduction_unit.name().into()),
            ("trigger", terms.trigger.name().into()),
            ("completeness", terms.completeness.name().into()),
            ("grace_hours", terms.grace_hours.into()),
            ("late_cure_days", terms.late_cure_days.into()),
            ("date_basis", terms.date_basis.name().into()),
            ("modalities", modalities.into()),
            ("fund_share", 700_000.into()),
            (
                "payee_shares",
                json!({ "hospital": 333_333, "platform": 333_333, "storage_vendor": 333_334 }),
            ),
            ("outpatient_years", 15.into()),
            ("inpatient_years", 30.into()),
        ]);
        let version = Version {
            from: day(-9_000),
            to: None,
            known: hour(-200_000),
            facts,
        };
        Self {
            layers: vec![(1, vec![version])],
        }
    }

    /// The layers as a book.
    pub(crate) fn book(&self) -> Book {
        let layers = self.layers.iter().map(|(level, versions)| {
            serde_json::from_value::<Layer>(layer(*level, versions)).unwrap()
        });
        Book::load(layers).unwrap_or_else(|errors| panic!("{errors} {self:?}"))
    }

    /// Whether some version counts what spans visits.
    pub(crate) fn counts_person_days(&self) -> bool {
        let versions = self.layers.iter().flat_map(|(_, versions)| versions);
        versions
            .flat_map(|version| version.facts.values())
            .any(|value| value == "person_day")
    }
}

fn layer(level: usize, versions: &[Version]) -> Value {
    let (name, region) = LEVELS[level];
    let versions: Vec<Value> = versions
        .iter()
        .enumerate()
        .map(|(at, version)| {
            let mut facts: serde_json::Map<String, Value> = version
                .facts
                .iter()
                .map(|(name, value)| {
                    // About half of the facts have a document.
                    let fact = if (at + name.len()) % 2 == 0 {
                        json!({ "value": value, "verified": true, "document": "paper" })
                    } else {
                        json!({ "value": value, "verified": false })
                    };
                    ((*name).to_owned(), fact)
                })
                .collect();
            facts.insert("id".to_owned(), format!("v{at}").into());
            facts.insert("from".to_owned(), version.from.to_string().into());
            if let Some(to) = version.to {
                facts.insert("to".to_owned(), to.to_string().into());
            }
            facts.insert("known_from".to_owned(), version.known.to_string().into());
            facts.insert("verified".to_owned(), false.into());
            facts.into()
        })
        .collect();
    json!({
        "format": "mic-billing-book/1", "id": name, "name": "made up", "level": name,
        "region": region, "fictional": true, "version": versions,
        "document": [{ "id": "paper", "title": format!("made-up paper of the {name}") }],
    })
}

/// A day of the random fortnight.
fn day(offset: i64) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2025, 12, 1).unwrap();
    let days = Days::new(offset.unsigned_abs());
    if offset < 0 {
        first.checked_sub_days(days).unwrap()
    } else {
        first.checked_add_days(days).unwrap()
    }
}

type Fact = BoxedStrategy<Option<(&'static str, Value)>>;

/// A fact that is stated in so many cases of a hundred.
fn fact<V: Into<Value> + core::fmt::Debug + 'static>(
    percent: u32,
    name: &'static str,
    value: impl Strategy<Value = V> + 'static,
) -> Fact {
    (0_u32..100, value.prop_map(Into::into))
        .prop_map(move |(dice, value): (u32, Value)| (dice < percent).then_some((name, value)))
        .boxed()
}

/// What every policy needs, stated in so many cases of a hundred.
fn needed(percent: u32, person_days: bool) -> Vec<Fact> {
    let unit = move || {
        let mut units = vec!["encounter", "exam", "study", "modality"];
        if person_days {
            units.extend(["person_day", "person_day"]);
        }
        select(units)
    };
    let modalities = vec(
        select(vec!["xray", "ct", "mr", "ultrasound", "angiography"]),
        2..5,
    );
    let modalities = modalities.prop_map(|names| {
        let names: BTreeSet<&str> = names.into_iter().collect();
        names.into_iter().collect::<Vec<_>>()
    });
    vec![
        fact(percent, "price", 1_i64..2_000),
        fact(percent, "counting_unit", unit()),
        fact(percent, "deduction_unit", unit()),
        fact(
            percent,
            "trigger",
            select(vec!["index_accepted", "pixels_stored", "both"]),
        ),
        fact(percent, "completeness", select(vec!["all", "any"])),
        fact(percent, "grace_hours", 0_i64..120),
        fact(percent, "late_cure_days", 0_i64..4),
        fact(
            percent,
            "date_basis",
            select(vec!["fee_occurred", "performed", "reported"]),
        ),
        fact(percent, "modalities", modalities),
    ]
}

/// Who pays and receives, and the price of the exam itself: no policy needs it.
fn optional(percent: u32) -> Vec<Fact> {
    let fund =
        prop_oneof![4 => 0_u32..=1_000_000, 1 => Just(0), 1 => Just(1_000_000), 2 => Just(500_000)];
    vec![
        fact(percent, "fund_share", fund),
        fact(percent, "payee_shares", payee_shares()),
        fact(percent, "position_share", 0_u32..=1_000_000),
        fact(percent, "positions_max", 1_u32..6),
        fact(percent, "xray_cap", 0_i64..20_000),
        fact(percent, "film", select(vec!["agreed", "excluded", "free"])),
    ]
}

/// Some of the parties that serve, a million parts in all; ties and zeros among them.
fn payee_shares() -> impl Strategy<Value = Value> {
    let parties = [
        "hospital",
        "platform",
        "storage_vendor",
        "transfer_operator",
    ];
    let cuts = vec(
        prop_oneof![0_u32..=1_000_000, Just(333_333), Just(666_666)],
        3,
    );
    (cuts, Just(parties).prop_shuffle(), 1_usize..=4).prop_map(|(mut cuts, parties, count)| {
        cuts.truncate(count - 1);
        cuts.sort_unstable();
        cuts.push(1_000_000);
        let mut before = 0;
        let mut shares = serde_json::Map::new();
        for (party, cut) in parties.into_iter().zip(cuts) {
            shares.insert(party.to_owned(), (cut - before).into());
            before = cut;
        }
        shares.into()
    })
}

fn facts(of: Vec<Fact>) -> BoxedStrategy<Facts> {
    of.prop_map(|facts| facts.into_iter().flatten().collect())
        .boxed()
}

/// The versions of a layer: the first holds on from its day; the others, each known later than the
/// one before, hold over it for some days or for good.
fn versions(
    first: BoxedStrategy<Facts>,
    further: BoxedStrategy<Facts>,
    days: core::ops::Range<i64>,
    hours: core::ops::Range<i64>,
) -> BoxedStrategy<Vec<Version>> {
    let opening = (first, days.clone(), hours.clone());
    let later = (further, days, option::of(1_i64..8), 1_i64..150);
    (opening, vec(later, 0..3))
        .prop_map(|((facts, from, known), later)| {
            let mut known_hour = known;
            let mut versions = vec![Version {
                from: day(from),
                to: None,
                known: hour(known),
                facts,
            }];
            for (facts, start, days, after) in later {
                known_hour += after;
                // One that begins before the first must reach it, or a gap opens.
                let to = days.map(|days| start + days).filter(|to| *to >= from);
                versions.push(Version {
                    from: day(start),
                    to: to.map(day),
                    known: hour(known_hour),
                    facts,
                });
            }
            versions
        })
        .boxed()
}

/// A contract's facts; its price is bounded when the prices are known.
fn contract() -> BoxedStrategy<Facts> {
    let mut of = vec![
        fact(100, "contract_price", 0_i64..20_000_000),
        fact(
            100,
            "surplus_to",
            select(vec!["hospital", "fund", "fund", "payer"]),
        ),
        fact(
            100,
            "transfer_basis",
            select(vec!["per_visit", "pool_by_count", "pool_by_bytes"]),
        ),
        fact(50, "payee_shares", payee_shares()),
    ];
    of.extend(needed(10, false));
    facts(of)
}

/// A policy of one to four layers.
pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![3 => plan_of(false), 1 => plan_of(true)]
}

fn plan_of(person_days: bool) -> BoxedStrategy<Plan> {
    let with = |mut facts: Vec<Fact>, more: Vec<Fact>| {
        facts.extend(more);
        facts
    };
    let model = |percent| {
        let models = vec!["embedded_deduction", "separate_item", "fund_direct"];
        fact(percent, "charge_model", select(models))
    };
    let years = vec![
        fact(100, "outpatient_years", Just(15)),
        fact(100, "inpatient_years", Just(30)),
    ];
    let national = with(with(needed(100, person_days), optional(30)), years);
    let nation = versions(
        facts(national),
        facts(with(needed(100, person_days), optional(30))),
        -9_000..-8_000,
        -200_000..-190_000,
    );
    let some = move || with(needed(35, person_days), optional(40));
    let province = versions(
        facts(with(some(), vec![model(100)])),
        facts(with(some(), vec![model(100)])),
        -8..4,
        -250..40,
    );
    let city = versions(
        facts(with(some(), vec![model(30)])),
        facts(with(some(), vec![model(30)])),
        0..8,
        0..60,
    );
    let bought = (
        contract(),
        0_i64..6,
        option::weighted(0.7, 2_i64..9),
        0_i64..60,
    );
    (nation, province, option::of(city), option::of(bought))
        .prop_map(|(nation, province, city, bought)| {
            // What lies below begins and is known no earlier than the province, whose facts it needs.
            let from = province.iter().map(|version| version.from).min().unwrap();
            let known = province[0].known;
            let lower = |version: Version| {
                let days = version.from.signed_duration_since(day(0)).num_days();
                let days = Days::new(u64::try_from(days).unwrap());
                let length = version.to.map(|to| to.signed_duration_since(version.from));
                let start = province[0].from.max(from) + days;
                let since = version.known.unix_seconds() - hour(0).unix_seconds();
                let after = (known.unix_seconds() - hour(0).unix_seconds() + since) / 3_600;
                Version {
                    from: start,
                    to: length.map(|length| start + length),
                    known: hour(after),
                    facts: version.facts,
                }
            };
            let mut layers = vec![(NATION, nation), (1, province.clone())];
            if let Some(city) = city {
                layers.push((2, city.into_iter().map(lower).collect()));
            }
            if let Some((facts, start, days, since)) = bought {
                let prices = layers.iter().flat_map(|(_, versions)| versions);
                let prices = prices.filter_map(|version| version.facts.get("price"));
                let own = facts.get("price");
                let least = prices.chain(own).map(|fen| fen.as_i64().unwrap()).min();
                let mut facts = facts;
                let wanted = facts["contract_price"].as_i64().unwrap();
                let bounded = wanted % (least.unwrap() * 10_000 + 1);
                facts.insert("contract_price", bounded.into());
                let version = Version {
                    from: day(start),
                    to: days.map(|days| day(start + days)),
                    known: hour(since),
                    facts,
                };
                layers.push((3, vec![lower(version)]));
            }
            Plan { layers }
        })
        .boxed()
}

/// An examination whose price is asked: of a day, a kind, the price of one position, positions.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) day: NaiveDate,
    pub(crate) modality: Modality,
    pub(crate) one: i64,
    pub(crate) positions: u32,
}

pub(crate) fn asked() -> impl Strategy<Value = Vec<Asked>> {
    let kinds = vec![
        Modality::XRay,
        Modality::XRay,
        Modality::Ct,
        Modality::Angiography,
    ];
    let one = (-6_i64..18, select(kinds), 0_i64..30_000, 1_u32..8);
    vec(one, 0..3).prop_map(|asked| {
        let each = asked
            .into_iter()
            .map(|(at, modality, one, positions)| Asked {
                day: day(at),
                modality,
                one,
                positions,
            });
        each.collect()
    })
}

/// Whether film may be charged beside an exam that needs it, by whether the patient agreed.
pub(crate) fn film(rule: Option<FilmRule>) -> [bool; 2] {
    match rule {
        Some(FilmRule::Free) => [true, true],
        Some(FilmRule::Agreed) => [false, true],
        _ => [false, false],
    }
}
