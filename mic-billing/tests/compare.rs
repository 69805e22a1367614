//! `distinguish` finds a planted difference of every fact without being given a visit, and what it
//! calls the same no random stream tells apart.

#![cfg(feature = "toml")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test")]

extern crate alloc;

mod common;

use common::{
    reference::Terms,
    strategies::{book, events, moment, terms},
    visits,
};
use mic_billing::{
    Book, Comparison, Lang, Layer, Line, Says, Witness, books, distinguish, retention,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn fact(value: Value) -> Value {
    json!({ "value": value, "verified": false })
}

/// A region that states every fact of a charge and of exam prices, below the nation.
fn region(model: &str) -> Value {
    json!({
        "format": "mic-billing-book/1", "id": "region", "name": "made up", "level": "province",
        "region": "990000", "fictional": true,
        "version": [{
            "id": "1", "from": "2026-01-01", "known_from": "2025-12-01T00:00:00+08:00", "verified": false,
            "charge_model": fact(model.into()), "price": fact(500.into()),
            "counting_unit": fact("encounter".into()), "deduction_unit": fact("encounter".into()),
            "trigger": fact("both".into()), "completeness": fact("all".into()),
            "grace_hours": fact(72.into()), "late_cure_days": fact(2.into()),
            "date_basis": fact("fee_occurred".into()), "modalities": fact(json!(["ct", "mr", "xray"])),
            "fund_share": fact(700_000.into()),
            "payee_shares": fact(json!({ "hospital": 200_000, "storage_vendor": 800_000 })),
            "position_share": fact(500_000.into()), "positions_max": fact(3.into()),
            "xray_cap": fact(5_000.into()), "film": fact("agreed".into()),
            "outpatient_years": fact(15.into()), "inpatient_years": fact(30.into()),
        }],
    })
}

fn contract() -> Value {
    json!({
        "format": "mic-billing-book/1", "id": "contract", "name": "made up", "level": "contract",
        "region": "990000", "fictional": true,
        "version": [{
            "id": "1", "from": "2026-01-01", "known_from": "2025-12-01T00:00:00+08:00", "verified": false,
            "vendor": fact("a made-up store".into()), "contract_price": fact(3_250_000.into()),
            "surplus_to": fact("hospital".into()), "transfer_basis": fact("per_visit".into()),
            "volume_share": fact(500_000.into()), "unearned": fact("kept".into()),
        }],
    })
}

fn load(layers: [Value; 2]) -> Book {
    let layers = layers.map(|layer| serde_json::from_value::<Layer>(layer).unwrap());
    Book::load([books::national().unwrap()].into_iter().chain(layers)).unwrap()
}

/// Whether what the witness says is what the two books say, asked anew, and differs.
#[track_caller]
fn is_true(witness: &Witness, first: &Book, second: &Book) {
    assert_ne!(witness.first, witness.second);
    assert_ne!(
        witness.first.explain(Lang::Zh),
        witness.second.explain(Lang::Zh)
    );
    assert_ne!(
        witness.first.explain(Lang::En),
        witness.second.explain(Lang::En)
    );
    for (says, book) in [(&witness.first, first), (&witness.second, second)] {
        let made = visits(&witness.events);
        let lines: Vec<Line> = made.desired(book, witness.known_at).unwrap();
        let policy = book.policy(witness.day, witness.known_at);
        match says {
            Says::Lines(said) => {
                assert_eq!(said, &lines);
                for line in said {
                    assert_eq!(line.recompute(book).as_ref(), Ok(line));
                }
            }
            Says::Contract(terms) => {
                let contract = policy.charge().and_then(|charge| charge.contract.as_ref());
                let owed = contract.map(|contract| contract.owed(&lines).unwrap());
                assert_eq!(terms.as_ref().map(|terms| terms.owed), owed);
            }
            Says::Kept(kept) => {
                let state = &made.resolved(witness.known_at)[0];
                assert_eq!(**kept, retention(state, [], book, witness.known_at));
            }
            Says::Price { case, amount } => {
                let price = policy
                    .exams()
                    .unwrap()
                    .price(case.one, case.modality, case.positions);
                assert_eq!(price.unwrap().amount, *amount);
            }
            Says::Film {
                needed,
                agreed,
                allowed,
            } => {
                let rules = policy.exams().cloned().unwrap_or_default();
                assert_eq!(rules.film_may_be_charged(*needed, *agreed), *allowed);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Fact, other value, and the model under which it counts; `null` leaves the fact away.
fn plants() -> Vec<(usize, &'static str, Value, &'static str)> {
    const EMBEDDED: &str = "embedded_deduction";
    const ITEM: &str = "separate_item";
    const FUND: &str = "fund_direct";
    let mut plants = vec![
        (0, "charge_model", json!(ITEM), EMBEDDED),
        (0, "charge_model", json!(FUND), EMBEDDED),
        (0, "charge_model", json!(FUND), ITEM),
        (0, "fund_share", json!(600_000), ITEM),
        (0, "fund_share", json!(690_000), EMBEDDED),
        (0, "fund_share", Value::Null, ITEM),
        (
            0,
            "payee_shares",
            json!({ "hospital": 205_000, "storage_vendor": 795_000 }),
            ITEM,
        ),
        (
            0,
            "payee_shares",
            json!({ "hospital": 200_000, "platform": 800_000 }),
            FUND,
        ),
        (0, "payee_shares", Value::Null, ITEM),
        (1, "surplus_to", json!("fund"), ITEM),
        (1, "surplus_to", json!("payer"), ITEM),
        (1, "surplus_to", json!("fund"), FUND),
        (1, "contract_price", json!(3_260_000), ITEM),
        (1, "contract_price", json!(3_260_000), EMBEDDED),
        (1, "contract_price", json!(3_260_000), FUND),
    ];
    for model in [EMBEDDED, ITEM, FUND] {
        plants.extend([
            (0, "price", json!(501), model),
            (0, "price", json!(400), model),
            (0, "completeness", json!("any"), model),
            (0, "grace_hours", json!(73), model),
            (0, "grace_hours", json!(71), model),
            (0, "grace_hours", json!(0), model),
            (0, "late_cure_days", json!(3), model),
            (0, "late_cure_days", json!(0), model),
            (0, "trigger", json!("index_accepted"), model),
            (0, "trigger", json!("pixels_stored"), model),
            (0, "date_basis", json!("performed"), model),
            (0, "date_basis", json!("reported"), model),
            (0, "modalities", json!(["ct", "mr"]), model),
            (0, "modalities", json!(["ct", "mr", "xray", "ecg"]), model),
            (0, "modalities", json!(["mammography"]), model),
            (0, "from", json!("2026-01-02"), model),
            (0, "from", json!("2025-12-31"), model),
            (0, "to", json!("2026-06-01"), model),
            (0, "known_from", json!("2026-02-01T00:00:00+08:00"), model),
            (1, "to", json!("2026-06-01"), model),
            (1, "vendor", json!("another made-up store"), model),
            (1, "transfer_basis", json!("pool_by_bytes"), model),
            (1, "volume_share", json!(500_001), model),
            (1, "volume_share", Value::Null, model),
            (1, "unearned", json!("by_time"), model),
            (0, "position_share", json!(500_001), model),
            (0, "position_share", Value::Null, model),
            (0, "positions_max", json!(4), model),
            (0, "positions_max", json!(2), model),
            (0, "xray_cap", json!(5_001), model),
            (0, "xray_cap", Value::Null, model),
            (0, "film", json!("free"), model),
            (0, "film", json!("excluded"), model),
            (0, "outpatient_years", json!(16), model),
            (0, "inpatient_years", json!(31), model),
        ]);
        let unit = if model == EMBEDDED {
            "deduction_unit"
        } else {
            "counting_unit"
        };
        for other in ["person_day", "exam", "study", "modality"] {
            plants.push((0, unit, json!(other), model));
        }
    }
    for other in ["person_day", "exam", "study", "modality"] {
        // Under a deduction, what the contract counts.
        plants.push((0, "counting_unit", json!(other), EMBEDDED));
    }
    plants
}

#[test]
fn ok_a_planted_difference_of_every_fact_is_found() {
    let mut found = alloc::collections::BTreeSet::new();
    for (layer, name, value, model) in plants() {
        let base = [region(model), contract()];
        let mut other = base.clone();
        // A contract's days lie within the tariff's.
        if layer == 0 && ["from", "to", "known_from"].contains(&name) {
            other[1]["version"][0][name] = value.clone();
        }
        let version = other[layer]["version"][0].as_object_mut().unwrap();
        match (name, value) {
            (_, Value::Null) => drop(version.remove(name)),
            ("from" | "to" | "known_from", value) => drop(version.insert(name.into(), value)),
            (_, value) => drop(version.insert(name.into(), fact(value))),
        }
        let (first, second) = (load(base), load(other.clone()));
        for (a, b) in [(&first, &second), (&second, &first)] {
            let Comparison::Differ(witness) = distinguish(a, b).unwrap() else {
                panic!(
                    "{model}: {name} {}: nothing found",
                    other[layer]["version"][0][name]
                );
            };
            is_true(&witness, a, b);
        }
        found.insert(name);
    }
    // Every fact a book may state is among them.
    let text = std::fs::read_to_string(common::root().join("spec/book.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let facts = schema["properties"]["version"]["items"]["properties"]
        .as_object()
        .unwrap();
    let facts = facts
        .iter()
        .filter(|(_, fact)| fact["properties"]["value"].is_object());
    // A fact of one value can't be stated otherwise.
    let facts = facts.filter(|(_, fact)| {
        let words = fact["properties"]["value"]["enum"].as_array();
        words.is_none_or(|words| words.len() > 1)
    });
    let missing: Vec<&String> = facts
        .map(|(name, _)| name)
        .filter(|name| !found.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "never planted: {missing:?}");
}

/// Two visits of one person on one day: one visit alone would not show it.
#[test]
fn ok_a_person_day_is_told_by_two_visits() {
    let base = [region("separate_item"), contract()];
    let mut other = base.clone();
    other[0]["version"][0]["counting_unit"] = fact("person_day".into());
    let (first, second) = (load(base), load(other));
    let Comparison::Differ(witness) = distinguish(&first, &second).unwrap() else {
        panic!("nothing found");
    };
    let encounters: alloc::collections::BTreeSet<_> = witness
        .events
        .iter()
        .map(mic_billing::Event::visit)
        .collect();
    assert_eq!(encounters.len(), 2, "{witness:?}");
    is_true(&witness, &first, &second);
}

#[test]
fn ok_notes_and_documents_are_no_difference() {
    let base = [region("separate_item"), contract()];
    let mut other = base.clone();
    other[0]["version"][0]["note"] = "another note".into();
    other[0]["version"][0]["price"]["note"] = "another note".into();
    other[0]["version"][0]["id"] = "another".into();
    assert_eq!(
        distinguish(&load(base), &load(other)).unwrap(),
        Comparison::Same
    );
}

/// A share that rounds away in five yuan moves no fen: it is named, and not called the same.
#[test]
fn ok_a_difference_that_rounds_away_is_named() {
    let base = [region("separate_item"), contract()];
    let mut other = base.clone();
    other[0]["version"][0]["fund_share"] = fact(700_001.into());
    let found = distinguish(&load(base), &load(other)).unwrap();
    assert_eq!(
        found,
        Comparison::Untold {
            facts: vec!["fund_share".to_owned()]
        }
    );
}

/// The shipped books that can be compared, each with each.
#[test]
fn ok_shipped_regions_differ_and_agree_with_themselves() {
    let load = |id: &str| Book::load([books::national().unwrap(), common::shipped(id)]).unwrap();
    for one in ["guangdong", "shenzhen", "fictional-separate-item"] {
        for two in ["guangdong", "shenzhen", "fictional-separate-item"] {
            let (first, second) = (load(one), load(two));
            match distinguish(&first, &second).unwrap() {
                Comparison::Differ(witness) => is_true(&witness, &first, &second),
                found => assert_eq!((one, found), (two, Comparison::Same)),
            }
        }
    }
}

fn changed(terms: &Terms, which: usize, other: &Terms) -> Terms {
    let mut changed = terms.clone();
    match which {
        0 => changed.model = other.model,
        1 => changed.price = other.price,
        2 => changed.counting_unit = other.counting_unit,
        3 => changed.deduction_unit = other.deduction_unit,
        4 => changed.trigger = other.trigger,
        5 => changed.completeness = other.completeness,
        6 => changed.grace_hours = other.grace_hours,
        7 => changed.late_cure_days = other.late_cure_days,
        _ => changed.date_basis = other.date_basis,
    }
    changed
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// One random fact changed: what is found is true, and where nothing is found no random stream
    /// moves other money.
    #[test]
    fn ok_nothing_found_is_nothing_there(one in terms(), other in terms(), which in 0_usize..9, streams in prop::collection::vec((events(), moment()), 24)) {
        let two = changed(&one, which, &other);
        let (first, second) = (book(&one), book(&two));
        match distinguish(&first, &second).unwrap() {
            Comparison::Differ(witness) => is_true(&witness, &first, &second),
            found => for (events, at) in streams {
                let visits = visits(&events);
                let money = |book: &Book| -> Vec<_> {
                    let lines = visits.desired(book, at).unwrap();
                    lines.iter().map(|line| (line.unit(), line.kind(), line.amount(), line.payers().to_vec(), line.payees().to_vec())).collect()
                };
                prop_assert_eq!(money(&first), money(&second), "{:?}", found);
            },
        }
    }
}
