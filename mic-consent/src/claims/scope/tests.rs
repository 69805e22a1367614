//! CST-44 by its meaning: one scope is within another exactly when no record shows the contrary, over every pair of
//! a small lattice and every record of a world in which each condition can fail.

use alloc::vec;

use super::*;
use crate::{claims::binding::Opening, suite::Suite};

fn day(number: u16) -> NaiveDate {
    Day::new(number.into()).unwrap().date()
}

fn modality(name: &str) -> Modality {
    Modality::new(name).unwrap()
}

fn province(number: u8) -> Province {
    Province::new(number).unwrap()
}

fn part(name: &str) -> BodyPart {
    BodyPart::new(name).unwrap()
}

fn record(name: u8) -> HiddenRecord {
    HiddenRecord::new(Suite::Ed25519, &Opening::from_bytes([7; 32]), &[name]).unwrap()
}

fn chosen(names: &[u8]) -> Vec<RecordCommitment> {
    names
        .iter()
        .map(|name| record(*name).commitment())
        .collect()
}

/// Filters over every condition, two of them at a time.
fn filters() -> Vec<ScopeFilter> {
    let base = ScopeFilter::new;
    let one = [
        base().with_days(day(20_000), day(20_000)),
        base().with_days(day(20_000), day(20_001)),
        base().with_days(day(20_001), day(20_001)),
        base().with_modalities([modality("CT")]),
        base().with_modalities([modality("CT"), modality("MR")]),
        base().with_provinces([province(61)]),
        base().with_provinces([province(11), province(61)]),
        base().with_body_parts([part("000000001")]),
        base().with_body_parts([part("000000001"), part("000000002")]),
        base().with_exam_types([ExamType(1)]),
        base().with_exam_types([ExamType(1), ExamType(2)]),
    ]
    .map(Result::unwrap);
    let mut all = vec![base()];
    for a in &one {
        for b in &one {
            all.push(ScopeFilter {
                days: a.days.or(b.days),
                modalities: a.modalities.clone().or_else(|| b.modalities.clone()),
                provinces: a.provinces.clone().or_else(|| b.provinces.clone()),
                body_parts: a.body_parts.clone().or_else(|| b.body_parts.clone()),
                exam_types: a.exam_types.clone().or_else(|| b.exam_types.clone()),
            });
        }
    }
    let mut different: Vec<ScopeFilter> = Vec::new();
    for filter in all {
        if !different.contains(&filter) {
            different.push(filter);
        }
    }
    different
}

fn scopes() -> Vec<Scope> {
    let mut all = vec![Scope::all()];
    for filter in filters() {
        all.push(Scope::list_only(filter.clone()));
        all.extend(Scope::filtered(filter.clone()));
        for names in [&[1][..], &[2], &[1, 2]] {
            all.push(Scope::chosen(chosen(names), filter.clone()).unwrap());
        }
    }
    all
}

/// Every record: three values of each fact, of which the filters know two at most, and facts that are not known.
fn world() -> Vec<(HiddenRecord, RecordFacts)> {
    let mut all = Vec::new();
    for name in 1..=3 {
        for days in 0..3 {
            for number in [11, 61, 62] {
                for modality in [None, Some("CT"), Some("MR"), Some("US")] {
                    for part in [
                        None,
                        Some("000000001"),
                        Some("000000002"),
                        Some("000000003"),
                    ] {
                        for kind in [None, Some(1), Some(2), Some(3)] {
                            let facts = RecordFacts {
                                day: day(20_000 + days),
                                province: province(number),
                                modality: modality.map(self::modality),
                                body_part: part.map(self::part),
                                exam_type: kind.map(ExamType),
                            };
                            all.push((record(name), facts));
                        }
                    }
                }
            }
        }
    }
    all
}

/// What a scope lists and opens of the world, a bit each.
fn shown(scope: &Scope, world: &[(HiddenRecord, RecordFacts)]) -> Vec<u64> {
    let each = world
        .iter()
        .flat_map(|(record, facts)| [scope.lists(record, facts), scope.opens(record, facts)]);
    let bits: Vec<bool> = each.collect();
    let word = |bits: &[bool]| bits.iter().fold(0, |word, bit| word << 1 | u64::from(*bit));
    bits.chunks(64).map(word).collect()
}

#[test]
fn ok_within_means_that_nothing_more_is_shown() {
    let (scopes, world) = (scopes(), world());
    let shown: Vec<Vec<u64>> = scopes.iter().map(|scope| shown(scope, &world)).collect();
    let (mut within, mut beyond) = (0, 0);
    for (a, of_a) in scopes.iter().zip(&shown) {
        for (b, of_b) in scopes.iter().zip(&shown) {
            let nothing_more = of_a.iter().zip(of_b).all(|(a, b)| a & !b == 0);
            assert_eq!(a.is_within(b), nothing_more, "{a:?} within {b:?}");
            *if nothing_more {
                &mut within
            } else {
                &mut beyond
            } += 1;
        }
    }
    assert!(
        within > scopes.len() && beyond > within,
        "{within} {beyond}"
    );
}
