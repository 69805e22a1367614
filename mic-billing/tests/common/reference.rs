//! A second engine, slow and obvious: part 3 of the specification sentence by sentence, with lists
//! and loops, no state, no lattice, no book. It is the oracle of the fast one.

use alloc::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use mic_billing::{
    CareSetting, ChargeModel, Completeness, CountingUnit, DateBasis, Event, EventKind, Modality,
    Moment, Party, Payer, SurplusTo, Trigger,
};
use serde_json::Value;

use super::plans::{Asked, Facts, NATION, Plan, Version, film};

/// A policy as plain fields; it holds on every day.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) model: ChargeModel,
    pub(crate) price: i64,
    pub(crate) counting_unit: CountingUnit,
    pub(crate) deduction_unit: CountingUnit,
    pub(crate) trigger: Trigger,
    pub(crate) completeness: Completeness,
    pub(crate) grace_hours: i64,
    pub(crate) late_cure_days: i64,
    pub(crate) date_basis: DateBasis,
    pub(crate) modalities: Vec<Modality>,
}

/// Unit, kind and fen of every line.
pub(crate) type Answer = BTreeMap<String, (&'static str, i64)>;

/// What a line is in money, each side in words: the parties that have a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Money {
    pub(crate) kind: String,
    pub(crate) fen: i64,
    pub(crate) payers: String,
    pub(crate) payees: String,
    /// The visit date, and the counting units served; a pass tells neither.
    pub(crate) day: String,
    pub(crate) counted: String,
}

/// Every line by its unit.
pub(crate) type Lines = BTreeMap<String, Money>;

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Served,
    Failed,
    Open,
}

/// The lines under one policy, in short.
pub(crate) fn lines(events: &[Event], terms: &Terms, known_at: Moment) -> Answer {
    let short = |money: Money| {
        let kind = ["included", "deduction", "service"];
        let kind = kind.into_iter().find(|kind| *kind == money.kind);
        (kind.expect("a kind of line"), money.fen)
    };
    lines_under(events, &Plan::of(terms), known_at)
        .into_iter()
        .map(|(unit, money)| (unit, short(money)))
        .collect()
}

/// The price of an examination; whether film may be charged where it is needed and the patient did
/// not agree, or did.
pub(crate) type ExamPrice = (i64, [bool; 2]);

/// What is known of a unit.
struct Unit {
    policy: Policy,
    day: NaiveDate,
    insured: bool,
    fates: Vec<Fate>,
    served: BTreeSet<String>,
}

/// The lines under policies that change.
pub(crate) fn lines_under(events: &[Event], plan: &Plan, known_at: Moment) -> Lines {
    let known: Vec<&Event> = events
        .iter()
        .filter(|event| event.known() <= known_at)
        .collect();
    let mut units: BTreeMap<String, Unit> = BTreeMap::new();
    for group in groups(&known) {
        let own: Vec<&Event> = known
            .iter()
            .copied()
            .filter(|event| group.contains(&place(event)))
            .collect();
        visit(&own, plan, known_at, &mut units);
    }
    units
        .into_iter()
        .filter_map(|(name, unit)| {
            let money = money(&name, &unit)?;
            Some((name, money))
        })
        .collect()
}

fn money(name: &str, unit: &Unit) -> Option<Money> {
    let policy = &unit.policy;
    let has = |fate: Fate| unit.fates.contains(&fate);
    let fate = match policy.completeness {
        Completeness::All if has(Fate::Failed) => Fate::Failed,
        Completeness::All if has(Fate::Open) => Fate::Open,
        Completeness::All => Fate::Served,
        _ if has(Fate::Served) => Fate::Served,
        _ if has(Fate::Open) => Fate::Open,
        _ => Fate::Failed,
    };
    let embedded = policy.model == ChargeModel::EmbeddedDeduction;
    // S-03: half a fen up, once.
    let bought = policy
        .contract
        .map(|(micro, to)| ((micro + 5_000) / 10_000, to));
    let (kind, fen) = match (embedded, fate) {
        (true, Fate::Served) => ("included", 0),
        (true, Fate::Failed) => ("deduction", -policy.price),
        (false, Fate::Served) => match bought {
            Some((price, SurplusTo::Payer)) => ("service", price),
            _ => ("service", policy.price),
        },
        _ => return None,
    };
    let whole = |party| vec![(party, 1_000_000)];
    let payers = match (policy.model, policy.fund_share) {
        _ if !unit.insured => whole(Party::Patient),
        (ChargeModel::FundDirect, _) => whole(Party::Fund),
        (_, Some(fund)) => vec![(Party::Fund, fund), (Party::Patient, 1_000_000 - fund)],
        _ => whole(Party::ExamPayer),
    };
    let payers = dealt(fen, &payers);
    let receivers = match (kind, policy.model) {
        ("service", _) if !policy.payee_shares.is_empty() => policy.payee_shares.clone(),
        ("service", ChargeModel::FundDirect) => whole(Party::StorageVendor),
        _ => whole(Party::Hospital),
    };
    let payees = match bought {
        Some((price, to)) if kind == "service" => {
            let mut payees = dealt(price, &receivers);
            let surplus = fen - price;
            let undivided = payers.contains_key(&Party::ExamPayer);
            let paid = payers.get(&Party::Fund).copied().unwrap_or(0);
            let back = match to {
                SurplusTo::Fund if undivided => surplus,
                SurplusTo::Fund => surplus.min(paid),
                _ => 0,
            };
            *payees.entry(Party::Fund).or_default() += back;
            *payees.entry(Party::Hospital).or_default() += surplus - back;
            payees
        }
        _ => dealt(fen, &receivers),
    };
    let counted = match kind {
        "service" => BTreeSet::from([name.to_owned()]),
        "included" => unit.served.clone(),
        _ => BTreeSet::new(),
    };
    Some(Money {
        kind: kind.to_owned(),
        fen,
        payers: in_words(payers),
        payees: in_words(payees),
        day: unit.day.to_string(),
        counted: counted.into_iter().collect::<Vec<_>>().join(" "),
    })
}

/// The parties with a part, in the order of part 6.
pub(crate) fn in_words(shares: impl IntoIterator<Item = (Party, i64)>) -> String {
    let shares: BTreeMap<Party, i64> = shares.into_iter().filter(|(_, fen)| *fen != 0).collect();
    let words = shares.iter().map(|(party, fen)| format!("{party}={fen}"));
    words.collect::<Vec<_>>().join(" ")
}

/// S-06: each its exact part cut to whole fen; then one fen after the other to whoever lacks most.
fn dealt(fen: i64, parties: &[(Party, i64)]) -> BTreeMap<Party, i64> {
    let exact = |weight: i64| fen.abs() * weight;
    let mut parts: BTreeMap<Party, i64> = parties
        .iter()
        .map(|(party, weight)| (*party, exact(*weight) / 1_000_000))
        .collect();
    while parts.values().sum::<i64>() < fen.abs() {
        let lacks = |party: &Party| {
            let weight = parties.iter().find(|(other, _)| other == party);
            exact(weight.expect("a party").1) - parts[party] * 1_000_000
        };
        let most = parts.keys().map(lacks).max().expect("a party");
        let first = *parts
            .keys()
            .find(|party| lacks(party) == most)
            .expect("one");
        *parts.entry(first).or_default() += 1;
    }
    parts
        .into_iter()
        .map(|(party, part)| (party, part * fen.signum()))
        .collect()
}

/// What a vendor is owed (B-02).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) units: u64,
    pub(crate) fen: i64,
    /// What of it is no line's.
    pub(crate) rounding: i64,
    /// Who gets which part, by the shares of the first day.
    pub(crate) parts: String,
}

/// What is owed for all visits of the contract's term; none where nothing was counted under it.
pub(crate) fn owed(events: &[Event], plan: &Plan, known_at: Moment) -> Option<Owed> {
    let mut served: Vec<String> = Vec::new();
    let mut days: Vec<NaiveDate> = Vec::new();
    for money in lines_under(events, plan, known_at).into_values() {
        let day: NaiveDate = money.day.parse().expect("a day");
        if policy(plan, day, known_at)?.contract.is_none() {
            continue;
        }
        days.push(day);
        for unit in money.counted.split(' ').filter(|unit| !unit.is_empty()) {
            if !served.iter().any(|other| other == unit) {
                served.push(unit.to_owned());
            }
        }
    }
    let policy = policy(plan, days.into_iter().min()?, known_at)?;
    let (micro, _) = policy.contract?;
    let whole = |micro: i64| (micro + 5_000) / 10_000;
    let each: i64 = served.iter().map(|_| micro).sum();
    let lines: i64 = served.iter().map(|_| whole(micro)).sum();
    let mut receivers = policy.payee_shares;
    if receivers.is_empty() {
        receivers = vec![(Party::StorageVendor, 1_000_000)];
    }
    Some(Owed {
        units: served.len() as u64,
        fen: whole(each),
        rounding: whole(each) - lines,
        parts: in_words(dealt(whole(each), &receivers)),
    })
}

/// How long a visit is kept (K-01 to K-07).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) last: NaiveDate,
    /// Every clock that ends on that day: its name, first day and years.
    pub(crate) clocks: BTreeSet<(&'static str, NaiveDate, i64)>,
    pub(crate) holds: Vec<String>,
}

/// Why no day can be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Untold {
    Persons,
    OpenStays(usize),
    NoPolicy(NaiveDate),
    NoContact,
}

/// K-05: the same day of a later year, found by leafing through that year's days.
fn end_of(base: NaiveDate, years: i64) -> NaiveDate {
    let year = i64::from(base.year()) + years;
    let mut day = NaiveDate::from_ymd_opt(i32::try_from(year).expect("a year"), 1, 1);
    while let Some(here) = day {
        if (here.month(), here.day()) >= (base.month(), base.day()) {
            return here;
        }
        day = here.succ_opt();
    }
    base
}

/// How long every visit known is kept, by the visit it is charged under.
pub(crate) fn kept(
    events: &[Event],
    plan: &Plan,
    known_at: Moment,
) -> BTreeMap<String, Result<Kept, Untold>> {
    let known: Vec<&Event> = events.iter().filter(|e| e.known() <= known_at).collect();
    let groups = groups(&known);
    let of = |group: &BTreeSet<(String, String)>| -> Vec<&Event> {
        let own = known.iter().filter(|e| group.contains(&place(e)));
        own.copied().collect()
    };
    let mut answers = BTreeMap::new();
    for group in &groups {
        let own = of(group);
        let institution = own[0].visit().institution;
        let persons = |events: &[&Event]| -> BTreeSet<[u8; 16]> {
            events.iter().map(|e| e.person().to_bytes()).collect()
        };
        let whose = persons(&own);
        // The person's visits there, with all that is told of them.
        let all: Vec<&Event> = groups
            .iter()
            .map(of)
            .filter(|other| other[0].visit().institution == institution)
            .filter(|other| !persons(other).is_disjoint(&whose))
            .flatten()
            .collect();
        let answer = if persons(&all).len() == 1 {
            kept_one(&own, &all, plan, known_at)
        } else {
            Err(Untold::Persons)
        };
        answers.insert(format!("{institution}/{}", root(&own)), answer);
    }
    answers
}

fn is_setting(event: &Event) -> Option<CareSetting> {
    match event.kind() {
        EventKind::Registered { setting } => Some(*setting),
        _ => None,
    }
}

/// V-07: the stay with the smallest id, or the smallest id.
fn root(own: &[&Event]) -> String {
    let stays = own
        .iter()
        .filter(|e| is_setting(e) == Some(CareSetting::Inpatient));
    let stay = stays.map(|e| e.visit().encounter.to_string()).min();
    stay.or_else(|| own.iter().map(|e| e.visit().encounter.to_string()).min())
        .expect("a visit has events")
}

fn kept_one(own: &[&Event], all: &[&Event], plan: &Plan, known_at: Moment) -> Result<Kept, Untold> {
    let day = |event: &&&Event| event.occurred().date();
    let encounter = |event: &Event| event.visit().encounter.to_string();
    let stays: BTreeSet<String> = all
        .iter()
        .filter(|e| is_setting(e) == Some(CareSetting::Inpatient))
        .map(|e| encounter(e))
        .collect();
    let mut open = 0;
    for stay in &stays {
        let of_it = || all.iter().filter(|e| encounter(e) == *stay);
        let left = of_it().filter(|e| *e.kind() == EventKind::Discharged);
        let left = left.map(|e| day(&e)).max();
        let there = of_it()
            .filter(|e| is_setting(e).is_some() || matches!(e.kind(), EventKind::Performed { .. }));
        let there = there.map(|e| day(&e)).max();
        if left.is_none() || there > left {
            open += 1;
        }
    }
    if open > 0 {
        return Err(Untold::OpenStays(open));
    }
    let contacts: Vec<&&Event> = all
        .iter()
        .filter(|e| {
            matches!(
                e.kind(),
                EventKind::Registered { .. }
                    | EventKind::ExamOrdered { .. }
                    | EventKind::Performed { .. }
                    | EventKind::FeeLine { .. }
                    | EventKind::Discharged
            )
        })
        .collect();
    let visits: Vec<NaiveDate> = contacts.iter().map(|e| e.occurred().date()).collect();
    // The days that start a stay's years: each discharge, and each contact of a stay.
    let discharges: Vec<NaiveDate> = contacts
        .iter()
        .filter(|e| *e.kind() == EventKind::Discharged || stays.contains(&encounter(e)))
        .map(|e| e.occurred().date())
        .collect();
    let told: Vec<CareSetting> = own.iter().filter_map(|e| is_setting(e)).collect();
    let mut clocks: Vec<(&str, NaiveDate, i64)> = Vec::new();
    let mut run = |name: &'static str, days: &[NaiveDate], years: &dyn Fn(i64, i64) -> i64| {
        for base in days {
            let (facts, _) = facts(plan, *base, known_at);
            let number = |name: &str| facts.get(name).and_then(Value::as_i64);
            match (number("outpatient_years"), number("inpatient_years")) {
                (Some(clinic), Some(stay)) => clocks.push((name, *base, years(clinic, stay))),
                _ if days.iter().max() == Some(base) => return Err(Untold::NoPolicy(*base)),
                _ => {}
            }
        }
        Ok(())
    };
    if told.is_empty() {
        run("last_visit", &visits, &i64::max)?;
    } else {
        run("last_visit", &visits, &|clinic, _| clinic)?;
    }
    if told.contains(&CareSetting::Inpatient) {
        run("last_discharge", &discharges, &|_, stay| stay)?;
    }
    let ends = clocks.iter().map(|(_, base, years)| end_of(*base, *years));
    let last = ends.max().ok_or(Untold::NoContact)?;
    let to_the_end = |(_, base, years): &(&str, NaiveDate, i64)| end_of(*base, *years) == last;
    Ok(Kept {
        last,
        clocks: clocks.into_iter().filter(to_the_end).collect(),
        holds: holds(own),
    })
}

/// K-07: placed, and not released at a later time than it was last placed at.
fn holds(own: &[&Event]) -> Vec<String> {
    let mut holds: Vec<String> = Vec::new();
    for event in own {
        let EventKind::HoldPlaced { hold } = event.kind() else {
            continue;
        };
        let last = own.iter().filter(|e| e.kind() == event.kind());
        let last = last.map(|e| e.occurred()).max();
        let released = own.iter().any(|other| {
            matches!(other.kind(), EventKind::HoldReleased { hold: other } if other == hold)
                && Some(other.occurred()) > last
        });
        if !released && !holds.contains(&hold.to_string()) {
            holds.push(hold.to_string());
        }
    }
    holds.sort();
    holds
}

/// The price of an examination, position by position, and film.
pub(crate) fn exam_price(asked: &Asked, plan: &Plan, known_at: Moment) -> ExamPrice {
    let (facts, _) = facts(plan, asked.day, known_at);
    let number = |name: &str| facts.get(name).and_then(Value::as_i64);
    let share = number("position_share").unwrap_or(1_000_000);
    let mut parts = 0;
    for position in 2..=i64::from(asked.positions) {
        if number("positions_max").is_none_or(|max| position <= max) {
            parts += asked.one * share;
        }
    }
    let further = (parts + 500_000) / 1_000_000;
    let sum = asked.one + further;
    let capped = match number("xray_cap") {
        Some(cap) if asked.modality == Modality::XRay && cap < sum => cap,
        _ => sum,
    };
    let rule = facts.get("film").map(read);
    (capped, film(rule))
}

/// What the layers state of a day, from the nation down; and whether a region is in force.
fn facts(plan: &Plan, day: NaiveDate, known_at: Moment) -> (Facts, bool) {
    let (mut stated, mut region) = (Facts::new(), false);
    for (level, versions) in &plan.layers {
        let mut last: Option<&Version> = None;
        for version in versions {
            let holds = version.from <= day && version.to.is_none_or(|to| day < to);
            let newer = last.is_none_or(|last| last.known < version.known);
            if version.known <= known_at && holds && newer {
                last = Some(version);
            }
        }
        if let Some(version) = last {
            region |= *level != NATION;
            for (name, value) in &version.facts {
                stated.insert(*name, value.clone());
            }
        }
    }
    (stated, region)
}

/// The policy of a day, read from the facts.
struct Policy {
    model: ChargeModel,
    price: i64,
    counting_unit: CountingUnit,
    deduction_unit: CountingUnit,
    trigger: Trigger,
    completeness: Completeness,
    grace_hours: i64,
    late_cure_days: i64,
    date_basis: DateBasis,
    modalities: Vec<Modality>,
    fund_share: Option<i64>,
    payee_shares: Vec<(Party, i64)>,
    contract: Option<(i64, SurplusTo)>,
}

fn read<T: for<'de> serde::Deserialize<'de>>(value: &Value) -> T {
    T::deserialize(value).expect("a value of its fact")
}

fn policy(plan: &Plan, day: NaiveDate, known_at: Moment) -> Option<Policy> {
    let (facts, region) = facts(plan, day, known_at);
    if !region {
        return None;
    }
    let shares: BTreeMap<Party, i64> = facts.get("payee_shares").map(read).unwrap_or_default();
    let contract = facts.get("contract_price").map(read::<i64>);
    Some(Policy {
        model: read(&facts["charge_model"]),
        price: read(&facts["price"]),
        counting_unit: read(&facts["counting_unit"]),
        deduction_unit: read(&facts["deduction_unit"]),
        trigger: read(&facts["trigger"]),
        completeness: read(&facts["completeness"]),
        grace_hours: read(&facts["grace_hours"]),
        late_cure_days: read(&facts["late_cure_days"]),
        date_basis: read(&facts["date_basis"]),
        modalities: read(&facts["modalities"]),
        fund_share: facts.get("fund_share").map(read),
        payee_shares: shares.into_iter().collect(),
        contract: contract.map(|micro| (micro, read(&facts["surplus_to"]))),
    })
}

/// Institution and encounter of an event.
fn place(event: &Event) -> (String, String) {
    (
        event.visit().institution.to_string(),
        event.visit().encounter.to_string(),
    )
}

/// Encounters that are one 人次: grown by links until nothing is added.
fn groups(known: &[&Event]) -> Vec<BTreeSet<(String, String)>> {
    let places: BTreeSet<(String, String)> = known.iter().map(|event| place(event)).collect();
    let mut groups: Vec<BTreeSet<(String, String)>> =
        places.iter().map(|p| BTreeSet::from([p.clone()])).collect();
    for event in known {
        if let EventKind::Linked { to } = event.kind() {
            let here = place(event);
            let there = (here.0.clone(), to.to_string());
            if places.contains(&there) {
                let (joined, mut rest): (Vec<_>, Vec<_>) = groups
                    .into_iter()
                    .partition(|group| group.contains(&here) || group.contains(&there));
                rest.push(joined.into_iter().flatten().collect());
                groups = rest;
            }
        }
    }
    groups
}

/// The word known last; of words known at one moment the earliest time.
fn last_word(events: &[&&Event]) -> Option<Moment> {
    // The same word heard twice was known when it was first heard.
    let times: BTreeSet<(Moment, String, String)> = events
        .iter()
        .map(|e| {
            (
                e.occurred(),
                format!("{:?}", e.kind()),
                format!("{:?}{:?}", e.source(), e.person().to_bytes()),
            )
        })
        .collect();
    let mut words: Vec<(Moment, Moment)> = times
        .into_iter()
        .map(|word| {
            let heard = events
                .iter()
                .filter(|e| {
                    (
                        e.occurred(),
                        format!("{:?}", e.kind()),
                        format!("{:?}{:?}", e.source(), e.person().to_bytes()),
                    ) == word
                })
                .map(|e| e.known())
                .min();
            (heard.expect("a word was heard"), word.0)
        })
        .collect();
    words.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    words.first().map(|word| word.1)
}

struct Exam {
    name: String,
    modality: Option<Modality>,
    since: Option<Moment>,
    fee: Option<Moment>,
    performed: Option<Moment>,
    reported: Option<Moment>,
    live: bool,
    index: Vec<(Option<String>, Moment)>,
    stored: Vec<(Option<String>, Moment)>,
}

fn exam(own: &[&Event], encounter: &str, line: &str) -> Exam {
    let of = |test: fn(&EventKind) -> bool| -> Vec<&&Event> {
        own.iter()
            .filter(|e| e.visit().encounter.as_str() == encounter)
            .filter(|e| e.kind().exam().is_some_and(|exam| exam.as_str() == line))
            .filter(|e| test(e.kind()))
            .collect()
    };
    let performed = last_word(&of(|k| matches!(k, EventKind::Performed { .. })));
    let fee = last_word(&of(|k| matches!(k, EventKind::FeeLine { .. })));
    let reported = last_word(&of(|k| matches!(k, EventKind::Reported { .. })));
    let cancelled = of(|k| matches!(k, EventKind::Cancelled { .. }))
        .iter()
        .map(|e| e.occurred())
        .min();
    let refunded = !of(|k| matches!(k, EventKind::Refunded { .. })).is_empty();
    let undone = refunded
        || match (cancelled, performed) {
            (Some(cancelled), Some(performed)) => cancelled < performed,
            (Some(_), None) => true,
            (None, _) => false,
        };
    let earliest = [fee, performed, reported].into_iter().flatten().min();
    let proofs = |test: fn(&EventKind) -> bool| -> Vec<(Option<String>, Moment)> {
        of(test)
            .iter()
            .map(|e| {
                let study = match e.kind() {
                    EventKind::IndexAccepted { study, .. }
                    | EventKind::PixelsStored { study, .. } => *study,
                    _ => None,
                };
                (study.map(|study| study.to_string()), e.occurred())
            })
            .collect()
    };
    Exam {
        name: format!("{encounter}/{line}"),
        modality: kind_of_exam(
            &of(|k| matches!(k, EventKind::Performed { .. })),
            &of(|k| matches!(k, EventKind::ExamOrdered { .. })),
        ),
        since: performed.or(fee).or(earliest),
        fee,
        performed,
        reported,
        live: (performed.is_some() || fee.is_some()) && !undone,
        index: proofs(|k| matches!(k, EventKind::IndexAccepted { .. })),
        stored: proofs(|k| matches!(k, EventKind::PixelsStored { .. })),
    }
}

/// Performed outweighs ordered; then the word known last; then the later name.
fn kind_of_exam(performed: &[&&Event], ordered: &[&&Event]) -> Option<Modality> {
    for words in [performed, ordered] {
        let mut heard: BTreeMap<String, (Moment, Modality)> = BTreeMap::new();
        for event in words {
            let (EventKind::Performed { modality, .. } | EventKind::ExamOrdered { modality, .. }) =
                event.kind()
            else {
                continue;
            };
            let word = format!(
                "{:?}{:?}{:?}{:?}",
                event.occurred(),
                event.kind(),
                event.source(),
                event.person().to_bytes()
            );
            let entry = heard.entry(word).or_insert((event.known(), *modality));
            entry.0 = entry.0.min(event.known());
        }
        if let Some(best) = heard.into_values().max() {
            return Some(best.1);
        }
    }
    None
}

/// V-06: the earliest date of a live exam.
fn visit_date(exams: &[Exam], basis: DateBasis) -> Option<NaiveDate> {
    let dates = exams.iter().filter(|exam| exam.live).filter_map(|exam| {
        let wanted = match basis {
            DateBasis::FeeOccurred => exam.fee,
            DateBasis::Performed => exam.performed,
            _ => exam.reported,
        };
        let others = [exam.fee, exam.performed, exam.reported];
        wanted.or(others.into_iter().flatten().min())
    });
    dates.min().map(Moment::date)
}

fn is_same_word(a: &Event, b: &Event) -> bool {
    let word = |event: &Event| {
        (
            event.visit(),
            event.person(),
            event.source(),
            event.occurred(),
        )
    };
    word(a) == word(b) && a.kind() == b.kind()
}

/// Whether the insurance settled a visit, by the word known last; of two at once, the patient paid.
fn is_insured(own: &[&Event]) -> bool {
    let said = |wanted: Payer| {
        let words = own.iter().filter_map(|event| match event.kind() {
            EventKind::Settled { payer } if *payer == wanted => {
                // The same word heard twice was known when it was first heard.
                let same = own.iter().filter(|other| is_same_word(event, other));
                same.map(|other| other.known()).min()
            }
            _ => None,
        });
        words.max()
    };
    said(Payer::SelfPaid).is_none_or(|patient| said(Payer::Insured) > Some(patient))
}

fn visit(own: &[&Event], plan: &Plan, known_at: Moment, units: &mut BTreeMap<String, Unit>) {
    let persons: BTreeSet<[u8; 16]> = own.iter().map(|event| event.person().to_bytes()).collect();
    if persons.len() != 1 {
        return;
    }
    let institution = own[0].visit().institution;
    let stays = own.iter().filter(|e| {
        matches!(
            e.kind(),
            EventKind::Registered {
                setting: CareSetting::Inpatient
            }
        )
    });
    let stay = stays.map(|e| e.visit().encounter.to_string()).min();
    let root = stay
        .or_else(|| own.iter().map(|e| e.visit().encounter.to_string()).min())
        .expect("a visit has events");
    let names: BTreeSet<(String, String)> = own
        .iter()
        .filter_map(|e| {
            Some((
                e.visit().encounter.to_string(),
                e.kind().exam()?.to_string(),
            ))
        })
        .collect();
    let exams: Vec<Exam> = names
        .iter()
        .map(|(encounter, line)| exam(own, encounter, line))
        .collect();
    // The policy of the fee's date tells the basis, the basis the date, the date the policy.
    let Some(first) = visit_date(&exams, DateBasis::FeeOccurred) else {
        return;
    };
    let basis = policy(plan, first, known_at).map(|policy| policy.date_basis);
    let Some(date) = visit_date(&exams, basis.unwrap_or(DateBasis::FeeOccurred)) else {
        return;
    };
    let policy_of_date = || policy(plan, date, known_at);
    let Some(terms) = policy_of_date() else {
        return;
    };
    let insured = is_insured(own);
    let embedded = terms.model == ChargeModel::EmbeddedDeduction;
    let unit = if embedded {
        terms.deduction_unit
    } else {
        terms.counting_unit
    };
    for exam in exams.iter().filter(|exam| exam.live) {
        if exam
            .modality
            .is_some_and(|modality| !terms.modalities.contains(&modality))
        {
            continue;
        }
        let mut studies: BTreeSet<Option<String>> = exam
            .index
            .iter()
            .chain(&exam.stored)
            .map(|(study, _)| study.clone())
            .filter(Option::is_some)
            .collect();
        if unit != CountingUnit::Study || studies.is_empty() {
            studies = BTreeSet::from([None]);
        }
        for study in studies {
            let name_of = |unit: CountingUnit| match unit {
                CountingUnit::Encounter => format!("{institution}/encounter/{root}"),
                CountingUnit::PersonDay => {
                    format!("{institution}/person-day/{}/{date}", own[0].person())
                }
                CountingUnit::Exam => format!("{institution}/exam/{}", exam.name),
                CountingUnit::Study => format!(
                    "{institution}/study/{}/{}",
                    exam.name,
                    study.as_deref().unwrap_or("-")
                ),
                _ => format!(
                    "{institution}/modality/{root}/{}",
                    exam.modality.map_or("-", Modality::name)
                ),
            };
            let fate = fate(exam, study.as_deref(), &terms, known_at);
            let held = units.entry(name_of(unit)).or_insert_with(|| Unit {
                policy: policy_of_date().expect("a policy"),
                day: date,
                insured,
                fates: Vec::new(),
                served: BTreeSet::new(),
            });
            held.insured |= insured;
            held.fates.push(fate);
            if fate == Fate::Served {
                held.served.insert(name_of(terms.counting_unit));
            }
        }
    }
}

fn fate(exam: &Exam, study: Option<&str>, terms: &Policy, known_at: Moment) -> Fate {
    if exam.modality.is_none() {
        return Fate::Open;
    }
    let proof = |list: &[(Option<String>, Moment)]| {
        list.iter()
            .filter(|(of, _)| study.is_none() || of.is_none() || of.as_deref() == study)
            .map(|(_, at)| at.unix_seconds())
            .min()
    };
    let (index, stored) = (proof(&exam.index), proof(&exam.stored));
    let at = match terms.trigger {
        Trigger::IndexAccepted => index,
        Trigger::PixelsStored => stored,
        _ => match (index, stored) {
            (Some(index), Some(stored)) => Some(index.max(stored)),
            _ => None,
        },
    };
    let deadline =
        exam.since.expect("a live exam has a time").unix_seconds() + terms.grace_hours * 3600;
    match at {
        Some(at) if at <= deadline + terms.late_cure_days * 86_400 => Fate::Served,
        Some(_) => Fate::Failed,
        None if known_at.unix_seconds() <= deadline => Fate::Open,
        None => Fate::Failed,
    }
}
