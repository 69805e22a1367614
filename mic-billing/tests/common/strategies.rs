//! Random events and policies, made close together so that they meet: few visits, few exams, a
//! fortnight of hours.

use mic_billing::{
    Book, CareSetting, ChargeModel, Completeness, CountingUnit, DateBasis, EncounterId, Event,
    EventKind, ExamLineId, Fen, HoldId, InstitutionCode, Modality, Moment, Payer, PersonRef,
    ReceiptId, Source, StudyUid, Trigger, VisitKey,
};
use proptest::{prelude::*, sample::select};

use super::{plans::Plan, reference::Terms};

/// Hour 0 of the random fortnight.
const START: i64 = 1_764_547_200; // 2025-12-01T08:00:00+08:00
/// Hours of it.
const HOURS: i64 = 14 * 24;

pub(crate) fn hour(hour: i64) -> Moment {
    second(START + hour * 3_600)
}

/// A moment by its Unix seconds.
pub(crate) fn second(unix: i64) -> Moment {
    chrono::DateTime::from_timestamp(unix, 0)
        .unwrap()
        .try_into()
        .unwrap()
}

pub(crate) fn moment() -> impl Strategy<Value = Moment> {
    (0..HOURS).prop_map(hour)
}

/// Mostly a moment at which much is known.
pub(crate) fn late_moment() -> impl Strategy<Value = Moment> {
    (HOURS / 3..HOURS + 120).prop_map(hour)
}

pub(crate) fn person(n: u8) -> PersonRef {
    PersonRef::new([n; 16])
}

fn study() -> impl Strategy<Value = Option<StudyUid>> {
    select(vec![None, None, Some("1.2.1"), Some("1.2.2")])
        .prop_map(|uid| uid.map(|uid| StudyUid::new(uid).unwrap()))
}

fn modality() -> impl Strategy<Value = Modality> {
    select(vec![
        Modality::Ct,
        Modality::Ct,
        Modality::Mr,
        Modality::XRay,
        Modality::Ultrasound,
    ])
}

pub(crate) fn kind() -> impl Strategy<Value = EventKind> {
    let exam = || select(vec!["F1", "F2", "F3"]).prop_map(|id| ExamLineId::new(id).unwrap());
    let receipt = select(vec!["R1", "R2"]).prop_map(|id| ReceiptId::new(id).unwrap());
    let encounter =
        select(vec!["E1", "E2", "S1", "E9"]).prop_map(|id| EncounterId::new(id).unwrap());
    let hold = || select(vec!["H1", "H2"]).prop_map(|id| HoldId::new(id).unwrap());
    let setting = select(vec![
        CareSetting::Outpatient,
        CareSetting::Emergency,
        CareSetting::Inpatient,
    ]);
    prop_oneof![
        1 => setting.prop_map(|setting| EventKind::Registered { setting }),
        2 => (exam(), modality()).prop_map(|(exam, modality)| EventKind::ExamOrdered { exam, modality }),
        6 => (exam(), modality()).prop_map(|(exam, modality)| EventKind::Performed { exam, modality }),
        2 => exam().prop_map(|exam| EventKind::FeeLine { exam, amount: Fen::new(20_000) }),
        1 => exam().prop_map(|exam| EventKind::Reported { exam }),
        1 => exam().prop_map(|exam| EventKind::Cancelled { exam }),
        1 => exam().prop_map(|exam| EventKind::Refunded { exam }),
        3 => (exam(), study()).prop_map(|(exam, study)| EventKind::PixelsStored { exam, study }),
        4 => (exam(), study(), receipt).prop_map(|(exam, study, receipt)| EventKind::IndexAccepted { exam, study, receipt }),
        1 => exam().prop_map(|exam| EventKind::IndexRejected { exam }),
        1 => encounter.prop_map(|to| EventKind::Linked { to }),
        1 => Just(EventKind::Discharged),
        1 => select(vec![Payer::Insured, Payer::SelfPaid]).prop_map(|payer| EventKind::Settled { payer }),
        1 => hold().prop_map(|hold| EventKind::HoldPlaced { hold }),
        1 => hold().prop_map(|hold| EventKind::HoldReleased { hold }),
    ]
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let institution = select(vec![
        "H44030500001",
        "H44030500001",
        "H44030500001",
        "H44030500002",
    ]);
    let encounter = select(vec!["E1", "E1", "E2", "S1"]);
    // A second person is rare, so that most visits have one.
    let whose = prop_oneof![40 => Just(1_u8), 1 => Just(2_u8)];
    let source = select(vec![Source::Hospital, Source::Platform]);
    (
        institution,
        encounter,
        whose,
        source,
        kind(),
        0..HOURS,
        0_i64..120,
    )
        .prop_filter_map(
            "a visit is not linked to itself",
            |(institution, encounter, whose, source, kind, occurred, later)| {
                let visit = VisitKey::new(
                    InstitutionCode::new(institution).unwrap(),
                    EncounterId::new(encounter).unwrap(),
                );
                if matches!(kind, EventKind::Linked { to } if to == visit.encounter) {
                    return None;
                }
                Some(Event::new(
                    visit,
                    person(whose),
                    source,
                    kind,
                    hour(occurred),
                    hour(occurred + later),
                ))
            },
        )
}

/// One exam as it mostly goes: performed, stored and indexed soon, late or never.
fn story() -> impl Strategy<Value = Vec<Event>> {
    let visit = (
        select(vec!["H44030500001", "H44030500001", "H44030500002"]),
        select(vec!["E1", "E1", "E2", "S1"]),
    );
    let exam = select(vec!["F1", "F2", "F3"]);
    let payer = select(vec![
        None,
        None,
        None,
        Some(Payer::Insured),
        Some(Payer::SelfPaid),
    ]);
    let proof = || prop_oneof![5 => (0_i64..48).prop_map(Some), 1 => (0_i64..200).prop_map(Some), 1 => Just(None)];
    (
        visit,
        exam,
        modality(),
        0_i64..200,
        proof(),
        proof(),
        (0_i64..30, payer),
    )
        .prop_map(
            |((institution, encounter), exam, modality, start, stored, index, (later, payer))| {
                let visit = VisitKey::new(
                    InstitutionCode::new(institution).unwrap(),
                    EncounterId::new(encounter).unwrap(),
                );
                let exam = ExamLineId::new(exam).unwrap();
                let receipt = ReceiptId::new("R0").unwrap();
                let event = |kind: EventKind, at: i64| {
                    Event::new(
                        visit,
                        person(1),
                        Source::Hospital,
                        kind,
                        hour(start + at),
                        hour(start + at + later),
                    )
                };
                let performed = event(EventKind::Performed { exam, modality }, 0);
                let stored =
                    stored.map(|at| event(EventKind::PixelsStored { exam, study: None }, at));
                let index = index.map(|at| {
                    event(
                        EventKind::IndexAccepted {
                            exam,
                            study: None,
                            receipt,
                        },
                        at,
                    )
                });
                let settled = payer.map(|payer| event(EventKind::Settled { payer }, 1));
                [Some(performed), stored, index, settled]
                    .into_iter()
                    .flatten()
                    .collect()
            },
        )
}

/// The same word told again at another time, and another time told for the same thing.
fn retold(event: &Event, known: i64, occurred: Option<i64>) -> Event {
    let occurred = occurred.map_or_else(|| event.occurred(), hour);
    Event::new(
        event.visit(),
        event.person(),
        event.source(),
        event.kind().clone(),
        occurred,
        hour(known).max(occurred),
    )
}

/// Some stories, some noise, and some of both told again or contradicted.
pub(crate) fn events() -> impl Strategy<Value = Vec<Event>> {
    let again = (
        any::<prop::sample::Index>(),
        0..HOURS,
        prop_oneof![Just(None), (0..HOURS).prop_map(Some)],
    );
    (
        prop::collection::vec(story(), 1..6),
        prop::collection::vec(event(), 0..6),
        prop::collection::vec(again, 0..4),
    )
        .prop_map(|(stories, noise, again)| {
            let told: Vec<Event> = stories.into_iter().flatten().chain(noise).collect();
            let more: Vec<Event> = again
                .into_iter()
                .filter(|_| !told.is_empty())
                .flat_map(|(which, known, occurred)| {
                    let event = which.get(&told);
                    // Twice with one known time, so that ties are met too.
                    [
                        retold(event, known, occurred),
                        retold(event, known, occurred.map(|at| at / 2)),
                    ]
                })
                .collect();
            told.into_iter().chain(more).collect()
        })
}

pub(crate) fn terms() -> impl Strategy<Value = Terms> {
    let unit = || {
        select(vec![
            CountingUnit::Encounter,
            CountingUnit::PersonDay,
            CountingUnit::Exam,
            CountingUnit::Study,
            CountingUnit::Modality,
        ])
    };
    (
        select(vec![
            ChargeModel::EmbeddedDeduction,
            ChargeModel::SeparateItem,
            ChargeModel::FundDirect,
        ]),
        (1_i64..2000, unit(), unit()),
        select(vec![
            Trigger::IndexAccepted,
            Trigger::PixelsStored,
            Trigger::Both,
        ]),
        select(vec![Completeness::All, Completeness::Any]),
        (0_i64..120, 0_i64..4),
        select(vec![
            DateBasis::FeeOccurred,
            DateBasis::Performed,
            DateBasis::Reported,
        ]),
    )
        .prop_map(
            |(
                model,
                (price, counting_unit, deduction_unit),
                trigger,
                completeness,
                (grace_hours, late_cure_days),
                date_basis,
            )| Terms {
                model,
                price,
                counting_unit,
                deduction_unit,
                trigger,
                completeness,
                grace_hours,
                late_cure_days,
                date_basis,
                modalities: vec![Modality::XRay, Modality::Ct, Modality::Mr],
            },
        )
}

/// The terms as a book: one made-up region, in force on all days.
pub(crate) fn book(terms: &Terms) -> Book {
    Plan::of(terms).book()
}

/// The terms with other years of retention, clinic and stay, before a day and from it on.
pub(crate) fn book_of_two(terms: &Terms, years: [(u32, u32); 2], from: &str) -> Book {
    plan_of_two(terms, years, from).book()
}

/// The same as a plan.
pub(crate) fn plan_of_two(terms: &Terms, years: [(u32, u32); 2], from: &str) -> Plan {
    let mut plan = Plan::of(terms);
    let versions = &mut plan.layers[0].1;
    let mut second = versions[0].clone();
    for (version, (outpatient, inpatient)) in [&mut versions[0], &mut second].into_iter().zip(years)
    {
        version.facts.insert("outpatient_years", outpatient.into());
        version.facts.insert("inpatient_years", inpatient.into());
    }
    second.from = from.parse().unwrap();
    versions[0].to = Some(second.from);
    versions.push(second);
    plan
}

/// One person's visits to one hospital over forty years: a clinic visit `E1`, another `E2`, a stay
/// `S1` with its discharge, links between them, fees and holds. All settings are told.
pub(crate) fn decades() -> impl Strategy<Value = Vec<Event>> {
    const YEARS: i64 = 40 * 365;
    let of = |encounter: &'static str, kind: EventKind, day: i64| {
        let visit = VisitKey::new(
            InstitutionCode::new("H44030500001").unwrap(),
            EncounterId::new(encounter).unwrap(),
        );
        let at = hour(day * 24);
        Event::new(visit, person(1), Source::Hospital, kind, at, at)
    };
    let clinic = EventKind::Registered {
        setting: CareSetting::Outpatient,
    };
    let stay = EventKind::Registered {
        setting: CareSetting::Inpatient,
    };
    let exam = ExamLineId::new("F1").unwrap();
    let link = EventKind::Linked {
        to: EncounterId::new("S1").unwrap(),
    };
    let more = (select(vec!["E1", "E2", "S1"]), kind(), 0..YEARS).prop_filter_map(
        "a visit is not linked to itself",
        move |(encounter, kind, day)| {
            let itself = matches!(kind, EventKind::Linked { to } if to.as_str() == encounter);
            (!itself).then(|| of(encounter, kind, day))
        },
    );
    (
        (0..YEARS, prop::option::of(0..YEARS)),
        prop::option::of((0..YEARS, 0_i64..400, any::<bool>())),
        prop::collection::vec(more, 0..3),
    )
        .prop_map(move |((first, second), stayed, more)| {
            let mut events = vec![of("E1", clinic.clone(), first)];
            events.extend(second.map(|day| of("E2", clinic.clone(), day)));
            if let Some((day, days, linked)) = stayed {
                let amount = Fen::new(20_000);
                events.push(of("S1", stay.clone(), day));
                events.push(of("S1", EventKind::FeeLine { exam, amount }, day));
                events.push(of("S1", EventKind::Discharged, day + days));
                if linked {
                    events.push(of("E1", link.clone(), day));
                }
            }
            events.extend(more);
            events
        })
}
