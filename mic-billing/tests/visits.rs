//! Many visits at once: the bound of one visit, and retention with the person's other visits.

#![cfg(feature = "toml")]
#![expect(clippy::unwrap_used, reason = "a test")]

extern crate alloc;

use alloc::collections::BTreeSet;

use mic_billing::{
    Book, CareSetting, EncounterId, Event, EventKind, ExamLineId, FoldError, InstitutionCode,
    Modality, Moment, PersonRef, RetentionError, Source, VISIT_FACTS_MAX, VisitKey, VisitState,
    Visits, books,
};

/// A made-up person.
fn person(number: u8) -> PersonRef {
    PersonRef::new([number; 16])
}

fn visit(institution: &str, encounter: &str) -> VisitKey {
    VisitKey::new(
        InstitutionCode::new(institution).unwrap(),
        EncounterId::new(encounter).unwrap(),
    )
}

fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

fn event(visit: VisitKey, whose: u8, kind: EventKind, occurred: &str) -> Event {
    let at = moment(occurred);
    Event::new(visit, person(whose), Source::Hospital, kind, at, at)
}

const HERE: &str = "H44030500001";
const ELSEWHERE: &str = "H44030500002";
const DAY: &str = "2025-12-01T11:00:00+08:00";
const NOW: &str = "2027-01-01T00:00:00+08:00";

/// A visit with `count` exams numbered from `first`.
fn exams(visits: &mut Visits, visit: VisitKey, first: usize, count: usize) {
    for number in first..first + count {
        let exam = ExamLineId::new(&format!("F{number}")).unwrap();
        let modality = Modality::Ct;
        let kind = EventKind::Performed { exam, modality };
        visits.fold(&event(visit, 1, kind, DAY)).unwrap();
    }
}

fn facts(state: &VisitState) -> usize {
    state.events().count()
}

/// BIL-8: linked visits past the bound stay apart, and no fact is in two of them.
#[test]
fn ok_linked_visits_past_the_bound_share_no_fact() {
    let (one, two) = (visit(HERE, "E1"), visit(HERE, "E2"));
    let mut visits = Visits::new();
    exams(&mut visits, one, 0, VISIT_FACTS_MAX - 10);
    exams(&mut visits, two, 0, 20);
    let to = two.encounter;
    let link = event(one, 1, EventKind::Linked { to }, DAY);
    visits.fold(&link).unwrap();

    let resolved = visits.resolved(moment(NOW));
    let sizes: Vec<usize> = resolved.iter().map(facts).collect();
    assert_eq!(sizes, [VISIT_FACTS_MAX - 9, 20]);
    let members: Vec<Vec<EncounterId>> = resolved
        .iter()
        .map(|state| state.encounters().collect())
        .collect();
    assert_eq!(members, [[one.encounter], [two.encounter]]);
    let exams: BTreeSet<_> = resolved
        .iter()
        .flat_map(VisitState::events)
        .map(|event| (event.visit(), format!("{:?}", event.kind())))
        .collect();
    assert_eq!(exams.len(), sizes.iter().sum::<usize>());
}

/// BIL-8: a union past the bound changes nothing, one that just fits is made, and facts that both
/// hold count once.
#[test]
fn err_a_union_past_the_bound_changes_nothing() {
    let (one, two) = (visit(HERE, "E1"), visit(HERE, "E2"));
    let state = |visit, first, count| {
        let mut visits = Visits::new();
        exams(&mut visits, visit, first, count);
        visits.resolved(moment(NOW)).remove(0)
    };
    let large = state(one, 0, VISIT_FACTS_MAX - 10);
    let mut joined = large.clone();
    assert_eq!(
        joined.merge(&state(two, 0, 11)),
        Err(FoldError::TooManyFacts)
    );
    assert_eq!(joined, large);
    joined.merge(&state(two, 0, 10)).unwrap();
    assert_eq!(facts(&joined), VISIT_FACTS_MAX);
    // Full, and yet what it holds already may come again.
    joined.merge(&large).unwrap();
    assert_eq!(facts(&joined), VISIT_FACTS_MAX);
}

fn registered(setting: CareSetting) -> EventKind {
    EventKind::Registered { setting }
}

fn kept(visits: &Visits) -> Vec<(String, Result<String, RetentionError>)> {
    let book = Book::load([books::national().unwrap(), books::shenzhen().unwrap()]).unwrap();
    let now = moment(NOW);
    let all = visits.retention(&book, now);
    let roots: Vec<VisitKey> = visits
        .resolved(now)
        .iter()
        .map(|state| state.root(now))
        .collect();
    let keys: Vec<VisitKey> = all.iter().map(|(visit, _)| *visit).collect();
    assert_eq!(keys, roots, "one for each visit, in the same order");
    all.into_iter()
        .map(|(visit, kept)| {
            let key = visit.encounter.as_str().to_owned();
            (key, kept.map(|kept| kept.first_disposable.to_string()))
        })
        .collect()
}

/// K-02: from the person's last visit to the institution; other persons and institutions don't
/// count.
#[test]
fn ok_each_visit_is_kept_from_the_last_one_of_the_person_there() {
    let clinic = || registered(CareSetting::Outpatient);
    let mut visits = Visits::new();
    for (institution, encounter, whose, day) in [
        (HERE, "E1", 1, "2024-03-01T09:00:00+08:00"),
        (HERE, "E2", 1, "2026-05-20T09:00:00+08:00"),
        (HERE, "E3", 2, "2026-08-01T09:00:00+08:00"),
        (ELSEWHERE, "E4", 1, "2025-01-10T09:00:00+08:00"),
        // Not known yet.
        (HERE, "E5", 1, "2027-02-01T09:00:00+08:00"),
    ] {
        let visit = visit(institution, encounter);
        visits.fold(&event(visit, whose, clinic(), day)).unwrap();
    }
    let day = |text: &str| Ok(text.to_owned());
    assert_eq!(
        kept(&visits),
        [
            ("E1".to_owned(), day("2041-05-21")),
            ("E2".to_owned(), day("2041-05-21")),
            ("E3".to_owned(), day("2041-08-02")),
            ("E5".to_owned(), Err(RetentionError::NoContact)),
            ("E4".to_owned(), day("2040-01-11")),
        ]
    );
}

/// K-02: a stay that is open, or a visit that names two persons, leaves the others there without
/// a day.
#[test]
fn err_no_day_while_a_stay_is_open_or_a_person_contradicted() {
    let clinic = || registered(CareSetting::Outpatient);
    let day = "2025-03-01T09:00:00+08:00";
    let mut visits = Visits::new();
    let add = |visits: &mut Visits, encounter, whose, kind| {
        visits
            .fold(&event(visit(HERE, encounter), whose, kind, day))
            .unwrap();
    };
    add(&mut visits, "E1", 1, clinic());
    add(&mut visits, "E2", 2, clinic());
    add(&mut visits, "S1", 1, registered(CareSetting::Inpatient));
    let open = || Err(RetentionError::OpenStay { open: 1 });
    assert_eq!(
        kept(&visits),
        [
            ("E1".to_owned(), open()),
            ("E2".to_owned(), Ok("2040-03-02".to_owned())),
            ("S1".to_owned(), open()),
        ]
    );
    add(&mut visits, "S1", 1, EventKind::Discharged);
    add(&mut visits, "E3", 1, clinic());
    add(&mut visits, "E3", 2, clinic());
    for (visit, kept) in kept(&visits) {
        assert_eq!(kept, Err(RetentionError::OtherPerson), "{visit}");
    }
}
