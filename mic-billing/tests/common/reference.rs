//! A second engine, slow and obvious: part 3 of the specification sentence by sentence, with lists
//! and loops, no state, no lattice, no book. It is the oracle of the fast one.

use alloc::collections::{BTreeMap, BTreeSet};

use mic_billing::{
    CareSetting, ChargeModel, Completeness, CountingUnit, DateBasis, Event, EventKind, Modality,
    Moment, Trigger,
};

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

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Served,
    Failed,
    Open,
}

pub(crate) fn lines(events: &[Event], terms: &Terms, known_at: Moment) -> Answer {
    let known: Vec<&Event> = events
        .iter()
        .filter(|event| event.known() <= known_at)
        .collect();
    let mut units: BTreeMap<String, Vec<Fate>> = BTreeMap::new();
    for group in groups(&known) {
        let own: Vec<&Event> = known
            .iter()
            .copied()
            .filter(|event| group.contains(&place(event)))
            .collect();
        visit(&own, terms, known_at, &mut units);
    }
    let mut answer = Answer::new();
    for (unit, fates) in units {
        let has = |fate: Fate| fates.contains(&fate);
        let fate = match terms.completeness {
            Completeness::All if has(Fate::Failed) => Fate::Failed,
            Completeness::All if has(Fate::Open) => Fate::Open,
            Completeness::All => Fate::Served,
            _ if has(Fate::Served) => Fate::Served,
            _ if has(Fate::Open) => Fate::Open,
            _ => Fate::Failed,
        };
        let line = match (terms.model, fate) {
            (ChargeModel::EmbeddedDeduction, Fate::Served) => ("included", 0),
            (ChargeModel::EmbeddedDeduction, Fate::Failed) => ("deduction", -terms.price),
            (_, Fate::Served) => ("service", terms.price),
            _ => continue,
        };
        answer.insert(unit, line);
    }
    answer
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
    dated: Option<Moment>,
    live: bool,
    index: Vec<(Option<String>, Moment)>,
    stored: Vec<(Option<String>, Moment)>,
}

fn exam(own: &[&Event], encounter: &str, line: &str, terms: &Terms) -> Exam {
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
    let wanted = match terms.date_basis {
        DateBasis::FeeOccurred => fee,
        DateBasis::Performed => performed,
        _ => reported,
    };
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
        dated: wanted.or(earliest),
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

fn visit(own: &[&Event], terms: &Terms, known_at: Moment, units: &mut BTreeMap<String, Vec<Fate>>) {
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
        .map(|(encounter, line)| exam(own, encounter, line, terms))
        .collect();
    let Some(date) = exams
        .iter()
        .filter(|exam| exam.live)
        .filter_map(|exam| exam.dated)
        .min()
    else {
        return;
    };
    let unit = if terms.model == ChargeModel::EmbeddedDeduction {
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
            let name = match unit {
                CountingUnit::Encounter => format!("{institution}/encounter/{root}"),
                CountingUnit::PersonDay => format!(
                    "{institution}/person-day/{}/{}",
                    own[0].person(),
                    date.date()
                ),
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
            units
                .entry(name)
                .or_default()
                .push(fate(exam, study.as_deref(), terms, known_at));
        }
    }
}

fn fate(exam: &Exam, study: Option<&str>, terms: &Terms, known_at: Moment) -> Fate {
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
