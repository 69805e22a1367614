//! The laws of the engine on random events, policies and moments, and its agreement with the slow
//! reference engine. `PROPTEST_CASES=100000` runs more of them.

#![cfg(feature = "toml")]
#![expect(clippy::unwrap_used, reason = "a test")]

extern crate alloc;

mod common;

use alloc::collections::BTreeSet;

use common::{
    plans::{Plan, plan},
    reference::{self, Terms, Untold},
    strategies::{
        book, book_of_two, decades, event, events, hour, late_moment, moment, person, plan_of_two,
        second, terms,
    },
    visits,
};
use mic_billing::{
    Book, ChargeModel, Completeness, CountingUnit, Entry, Event, EventKind, Fen, Line, LineKind,
    Moment, Party, Retention, RetentionError, VisitState, Visits, allocate, delta, desired,
    retention, years_later,
};
use proptest::{prelude::*, test_runner::TestCaseError};

fn money(lines: &[Line]) -> i64 {
    Fen::sum(lines.iter().map(Line::amount)).unwrap().get()
}

/// How long an encounter is kept, with all others of the events.
fn kept(
    encounter: &str,
    events: &[Event],
    book: &Book,
    at: Moment,
) -> Option<Result<Retention, RetentionError>> {
    let all = visits(events).resolved(at);
    let visit = all
        .iter()
        .find(|state| state.encounters().any(|id| id.as_str() == encounter))?;
    Some(retention(visit, &all, book, at))
}

/// The events with all that is told of one exam some hours later, or earlier.
fn moved(events: &[Event], which: prop::sample::Index, hours: i64) -> Vec<Event> {
    let exams: Vec<&Event> = events
        .iter()
        .filter(|event| event.kind().exam().is_some())
        .collect();
    if exams.is_empty() {
        return events.to_vec();
    }
    let chosen = which.get(&exams);
    let is_of = |event: &Event| {
        event.visit() == chosen.visit() && event.kind().exam() == chosen.kind().exam()
    };
    let later = |moment: Moment| second(moment.unix_seconds() + hours * 3_600);
    let each = events.iter().map(|event| {
        if !is_of(event) {
            return event.clone();
        }
        Event::new(
            event.visit(),
            event.person(),
            event.source(),
            event.kind().clone(),
            later(event.occurred()),
            later(event.known()),
        )
    });
    each.collect()
}

fn agree_on_retention(
    events: &[Event],
    plan: &Plan,
    at: Moment,
) -> Result<[usize; 2], TestCaseError> {
    let expected = reference::kept(events, plan, at);
    let mut reached = [0, 0];
    for (visit, found) in visits(events).retention(&plan.book(), at) {
        let Some(expected) = expected.get(&visit.to_string()) else {
            prop_assert_eq!(
                found,
                Err(RetentionError::NoContact),
                "nothing known of {}",
                visit
            );
            continue;
        };
        match (&found, expected) {
            (Ok(found), Ok(expected)) => {
                prop_assert_eq!(found.last_kept, expected.last, "{} {:?}", visit, expected);
                prop_assert_eq!(Some(found.first_disposable), expected.last.succ_opt());
                let clock = (found.clock.name(), found.base, i64::from(found.years));
                prop_assert!(expected.clocks.contains(&clock), "{clock:?} {expected:?}");
                let holds: Vec<String> = found.holds.iter().map(ToString::to_string).collect();
                prop_assert_eq!(&holds, &expected.holds);
                prop_assert_eq!(
                    found.is_disposable(found.first_disposable),
                    holds.is_empty()
                );
            }
            (Err(found), Err(expected)) => {
                let same = match found {
                    RetentionError::OtherPerson => *expected == Untold::Persons,
                    RetentionError::OpenStay { open } => *expected == Untold::OpenStays(*open),
                    RetentionError::NoPolicy { base } => *expected == Untold::NoPolicy(*base),
                    RetentionError::NoContact => *expected == Untold::NoContact,
                    _ => false,
                };
                prop_assert!(same, "{visit}: {found} {expected:?}");
            }
            _ => prop_assert!(false, "{visit}: {found:?} {expected:?}"),
        }
        reached[usize::from(found.is_err())] += 1;
    }
    prop_assert!(reached[0] + reached[1] >= expected.len(), "a visit less");
    Ok(reached)
}

/// The events of leap years, moved to the 29 February of theirs.
fn on_leap_days(events: &[Event]) -> Vec<Event> {
    use chrono::{Datelike, NaiveDate};
    let each = events.iter().map(|event| {
        let day = NaiveDate::from_ymd_opt(event.occurred().date().year(), 2, 29);
        let Some(day) = day else { return event.clone() };
        let at = format!("{day}T12:00:00+08:00").parse().unwrap();
        Event::new(
            event.visit(),
            event.person(),
            event.source(),
            event.kind().clone(),
            at,
            at,
        )
    });
    each.collect()
}

/// What is owed for the lines of a contract's term, in the reference engine's form.
fn owed(events: &[Event], book: &Book, at: Moment) -> Option<reference::Owed> {
    let mut lines = visits(events).desired(book, at).unwrap();
    let contract = |line: &Line| {
        let policy = book.policy(line.why().visit_date, at);
        policy.charge().unwrap().contract.clone()
    };
    lines.retain(|line| contract(line).is_some());
    let first = lines.iter().min_by_key(|line| line.why().visit_date)?;
    let owed = contract(first)?.owed(&lines).unwrap();
    let policy = book.policy(first.why().visit_date, at);
    let parts = policy.charge().unwrap().owed_parts(&owed).unwrap();
    Some(reference::Owed {
        units: owed.units,
        fen: owed.amount.get(),
        rounding: owed.rounding.get(),
        parts: reference::in_words(parts.iter().map(|part| (part.party, part.amount.get()))),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    /// The oracle: the same units, kinds and amounts as the reference engine.
    #[test]
    fn agrees_with_the_reference_engine(events in events(), terms in terms(), at in moment()) {
        let lines = visits(&events).desired(&book(&terms), at).unwrap();
        let found: reference::Answer =
            lines.iter().map(|line| (line.unit().to_string(), (line.kind().name(), line.amount().get()))).collect();
        prop_assert_eq!(found.len(), lines.len(), "I-07: one line of a unit");
        prop_assert_eq!(found, reference::lines(&events, &terms, at));
    }

    /// I-01: shares add up, on both sides, in every line.
    #[test]
    fn i01_shares_add_up(events in events(), plan in plan(), at in moment()) {
        for line in visits(&events).desired(&plan.book(), at).unwrap() {
            prop_assert_eq!(Fen::sum(line.payers().iter().map(|share| share.amount)).unwrap(), line.amount());
            prop_assert_eq!(Fen::sum(line.payees().iter().map(|share| share.amount)).unwrap(), line.amount());
        }
    }

    /// I-02, I-05, I-09: entries balance, the difference of what is posted is nothing, a mirror is
    /// exact and unique, and the journal comes to the desired sum.
    #[test]
    fn i02_i05_i09_journals(events in events(), plan in plan(), moments in prop::collection::btree_set(moment(), 1..5)) {
        let book = plan.book();
        let visits = visits(&events);
        let mut journal: Vec<Entry> = Vec::new();
        for at in moments {
            let lines = visits.desired(&book, at).unwrap();
            let entries = delta(&lines, &journal).unwrap();
            prop_assert_eq!(&delta(&lines, &journal).unwrap(), &entries, "the same call, the same entries");
            journal.extend(entries);
            prop_assert_eq!(delta(&lines, &journal).unwrap(), vec![]);
            let total = Fen::sum(journal.iter().map(Entry::amount)).unwrap();
            prop_assert_eq!(total.get(), money(&lines));
        }
        let ids: BTreeSet<_> = journal.iter().map(Entry::id).collect();
        prop_assert_eq!(ids.len(), journal.len());
        for entry in &journal {
            prop_assert_eq!(Fen::sum(entry.postings().iter().map(|side| side.amount)).unwrap(), Fen::ZERO);
            if let Some(original) = entry.reverses() {
                let mirrored: Vec<&Entry> = journal.iter().filter(|other| other.id() == original).collect();
                prop_assert_eq!(mirrored.len(), 1);
                prop_assert_eq!(mirrored[0].amount().plus(entry.amount()).unwrap(), Fen::ZERO);
                // Party by party, not in sum alone.
                let sides = |entry: &Entry, sign: i64| {
                    let sides = entry.postings().iter().map(|side| (side.party, side.amount.get() * sign));
                    let mut sides: Vec<_> = sides.collect();
                    sides.sort_unstable();
                    sides
                };
                prop_assert_eq!(sides(entry, 1), sides(mirrored[0], -1));
            }
            let text = serde_json::to_string(entry).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Entry>(&text).unwrap(), entry, "I-18");
        }
        let shuffled: Vec<Entry> = journal.iter().rev().chain(&journal).cloned().collect();
        let last = visits.desired(&book, hour(10_000)).unwrap();
        prop_assert_eq!(delta(&last, &shuffled), delta(&last, &journal), "order and doubles of the journal");
    }

    /// I-03, I-04: order and doubles of events change neither state nor lines.
    #[test]
    fn i03_i04_order_and_doubles(events in events(), seed in any::<prop::sample::Index>(), plan in plan(), at in moment()) {
        let mut shuffled: Vec<Event> = events.iter().rev().chain(&events).cloned().collect();
        let turn = seed.index(shuffled.len().max(1));
        if !shuffled.is_empty() {
            shuffled.rotate_left(turn);
        }
        prop_assert_eq!(visits(&shuffled), visits(&events));
        let book = plan.book();
        prop_assert_eq!(visits(&shuffled).desired(&book, at), visits(&events).desired(&book, at));
    }

    /// The state is a join-semilattice, and survives serde (I-18).
    #[test]
    fn merge_is_commutative_associative_idempotent(a in events(), b in events(), c in events()) {
        let (a, b, c) = (visits(&a), visits(&b), visits(&c));
        let join = |x: &Visits, y: &Visits| { let mut x = x.clone(); x.merge(y).unwrap(); x };
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        prop_assert_eq!(join(&a, &a), a.clone());
        for state in a.resolved(hour(10_000)) {
            let text = serde_json::to_string(&state).unwrap();
            prop_assert_eq!(serde_json::from_str::<VisitState>(&text).unwrap(), state);
        }
    }

    /// I-06: shards by institution give together the lines of the whole.
    #[test]
    fn i06_shards(events in events(), plan in plan(), at in moment()) {
        let book = plan.book();
        let mut parts: Vec<Line> = Vec::new();
        for institution in ["H44030500001", "H44030500002"] {
            let shard = events.iter().filter(|event| event.visit().institution.as_str() == institution);
            parts.extend(visits(shard).desired(&book, at).unwrap());
        }
        prop_assert_eq!(parts, visits(&events).desired(&book, at).unwrap());
    }

    /// I-08: what a unit comes to under each model.
    #[test]
    fn i08_models(events in events(), terms in terms(), at in moment()) {
        for line in visits(&events).desired(&book(&terms), at).unwrap() {
            let (fen, price) = (line.amount().get(), terms.price);
            match terms.model {
                ChargeModel::EmbeddedDeduction => prop_assert!(fen == 0 || fen == -price),
                ChargeModel::SeparateItem => prop_assert_eq!(fen, price),
                _ => {
                    prop_assert_eq!(fen, price);
                    let payer = if line.why().payer == mic_billing::Payer::SelfPaid { Party::Patient } else { Party::Fund };
                    prop_assert!(line.payers().iter().all(|share| share.party == payer), "patient side 0, C-12");
                }
            }
        }
    }

    /// The order in which judged visits are given changes nothing, the payer of a person-day
    /// included.
    #[test]
    fn i03_order_of_assessments(events in events(), plan in plan(), at in moment(), turn in 0_usize..4) {
        let assessments = visits(&events).assess(&plan.book(), at);
        let mut turned: Vec<_> = assessments.iter().rev().cloned().collect();
        if !turned.is_empty() {
            let turn = turn % turned.len();
            turned.rotate_left(turn);
        }
        prop_assert_eq!(desired(&turned), desired(&assessments));
    }

    /// I-10: one more provided exam in a charged unit, on its own day and under the same policy,
    /// changes no amount.
    #[test]
    fn i10_a_provided_exam_more(events in events(), terms in terms(), person_day in any::<bool>(), fund in any::<bool>()) {
        let model = if fund { ChargeModel::FundDirect } else { ChargeModel::SeparateItem };
        let counting_unit = if person_day { CountingUnit::PersonDay } else { CountingUnit::Encounter };
        let terms = Terms { model, counting_unit, ..terms };
        let (book, at) = (book(&terms), hour(10_000));
        let before = visits(&events).desired(&book, at).unwrap();
        let Some(line) = before.first() else { return Ok(()) };
        let encounter = line.why().exams[0].exam.encounter;
        let visit = mic_billing::VisitKey::new(line.unit().institution, encounter);
        let whose = events.iter().find(|event| event.visit() == visit).unwrap().person();
        let exam = mic_billing::ExamLineId::new("X9").unwrap();
        let receipt = mic_billing::ReceiptId::new("R9").unwrap();
        let noon = format!("{}T12:00:00+08:00", line.why().visit_date).parse().unwrap();
        let mut more = events.clone();
        for kind in [
            EventKind::Performed { exam, modality: mic_billing::Modality::Ct },
            EventKind::PixelsStored { exam, study: None },
            EventKind::IndexAccepted { exam, study: None, receipt },
        ] {
            more.push(Event::new(visit, whose, mic_billing::Source::Hospital, kind, noon, noon));
        }
        let after = visits(&more).desired(&book, at).unwrap();
        let show = |lines: &[Line]| lines.iter().map(|l| (l.unit(), l.kind(), l.amount())).collect::<Vec<_>>();
        prop_assert_eq!(show(&before), show(&after));
    }

    /// I-11, I-12: with the setting known, another event moves the end later or opens a stay, and
    /// nothing is disposable before the end or under a hold. Over decades, and over a change of the
    /// years in either direction.
    #[test]
    fn i11_i12_retention_never_earlier(
        events in decades(), hidden in any::<prop::sample::Index>(), terms in terms(),
        years in [(15_u32..45, 15_u32..45), (15_u32..45, 15_u32..45)],
    ) {
        let at = hour(60 * 366 * 24);
        let book = book_of_two(&terms, years, "2045-12-01");
        let of = |events: &[Event]| kept("E1", events, &book, at);
        // Any one of the events is the one that comes last.
        let mut before = events.clone();
        before.remove(hidden.index(events.len()));
        if let (Some(Ok(before)), Some(after)) = (of(&before), of(&events)) {
            prop_assert!(!before.is_disposable(before.last_kept));
            prop_assert_eq!(before.is_disposable(before.first_disposable), before.holds.is_empty());
            match after {
                Ok(after) if before.setting.is_some() => {
                    prop_assert!(after.first_disposable >= before.first_disposable, "{before:?} {after:?}");
                }
                Ok(_) => {}
                Err(error) => prop_assert!(matches!(error, RetentionError::OpenStay { .. }), "{error}"),
            }
        }
    }

    /// The oracle of retention: the same last day, by a clock that the reference engine has as well,
    /// the same holds, and the same reason where no day is told. Over decades, two policies, moments
    /// on the way, and days before the first policy.
    #[test]
    fn retention_agrees_with_the_reference_engine(
        mut events in decades(), more in events(), both in any::<bool>(), second in prop::option::weighted(0.1, any::<prop::sample::Index>()),
        terms in terms(), years in [(15_u32..45, 15_u32..45), (15_u32..45, 15_u32..45)],
        leap in prop::bool::weighted(0.3), from in 0_usize..3, day in prop_oneof![1 => 0_i64..40 * 366, 2 => Just(60 * 366)],
    ) {
        if both {
            events.extend(more);
        }
        if leap {
            events = on_leap_days(&events);
        }
        if let Some(second) = second {
            // A visit that names another person too.
            let event = second.get(&events).clone();
            events.push(Event::new(event.visit(), person(2), event.source(), event.kind().clone(), event.occurred(), event.known()));
        }
        let mut plan = plan_of_two(&terms, years, ["2026-06-01", "2045-12-01", "2060-12-01"][from]);
        if from == 2 {
            // Nothing is stated before a day within the decades.
            plan.layers[0].1[0].from = "2035-01-01".parse().unwrap();
        }
        let at = hour(day * 24);
        agree_on_retention(&events, &plan, at)?;
    }

    /// What a vendor is owed: units, the price rounded once, what is no line's, and the parts.
    #[test]
    fn owed_agrees_with_the_reference_engine(events in events(), plan in plan(), at in late_moment()) {
        prop_assert_eq!(owed(&events, &plan.book(), at), reference::owed(&events, &plan, at));
    }

    /// I-13: allocation.
    #[test]
    fn i13_allocation(fen in any::<i32>(), weights in prop::collection::vec(0_u64..1_000_000, 1..20), turn in 0_usize..20) {
        let parties: Vec<(usize, u64)> = weights.into_iter().enumerate().collect();
        let total: u64 = parties.iter().map(|(_, weight)| weight).sum();
        prop_assume!(total > 0);
        let amount = Fen::new(i64::from(fen));
        let shares = allocate(amount, &parties).unwrap();
        prop_assert_eq!(Fen::sum(shares.iter().map(|(_, share)| *share)).unwrap(), amount);
        for ((party, weight), (same, share)) in parties.iter().zip(&shares) {
            prop_assert_eq!(party, same);
            let exact = i128::from(fen) * i128::from(*weight);
            prop_assert!((i128::from(share.get()) * i128::from(total) - exact).abs() < i128::from(total), "within a fen");
            if *weight == 0 { prop_assert!(share.is_zero()); }
        }
        let mut turned = parties.clone();
        turned.rotate_left(turn % parties.len());
        let mut again = allocate(amount, &turned).unwrap();
        again.sort_unstable();
        let mut sorted = shares.clone();
        sorted.sort_unstable();
        prop_assert_eq!(again, sorted);
        let mirror = allocate(amount.negate().unwrap(), &parties).unwrap();
        prop_assert!(mirror.iter().zip(&shares).all(|(a, b)| a.1.plus(b.1) == Ok(Fen::ZERO)));
    }

    /// I-13 with amounts and weights of all 64 bits, against whole numbers of 128: each has its exact
    /// part cut to whole fen, and the fen left go to the largest rests, equal ones by the party.
    #[test]
    fn i13_allocation_of_large_numbers(fen in any::<i64>(), weights in prop::collection::vec(prop_oneof![3 => any::<u64>(), 1 => 0_u64..3], 1..20)) {
        let parties: Vec<(usize, u64)> = weights.into_iter().enumerate().collect();
        let total: i128 = parties.iter().map(|(_, weight)| i128::from(*weight)).sum();
        prop_assume!(total > 0);
        let magnitude = i128::from(fen).abs();
        let mut expected: Vec<i128> = parties.iter().map(|(_, weight)| magnitude * i128::from(*weight) / total).collect();
        let mut by_rest: Vec<usize> = (0..parties.len()).collect();
        by_rest.sort_by_key(|at| (-(magnitude * i128::from(parties[*at].1) % total), *at));
        let left = usize::try_from(magnitude - expected.iter().sum::<i128>()).unwrap();
        by_rest.into_iter().take(left).for_each(|at| expected[at] += 1);
        let shares = allocate(Fen::new(fen), &parties).unwrap();
        let found: Vec<i128> = shares.iter().map(|(_, share)| i128::from(share.get()).abs()).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(Fen::sum(shares.iter().map(|(_, share)| *share)), Ok(Fen::new(fen)));
        prop_assert!(shares.iter().all(|(_, share)| share.is_zero() || share.get().signum() == fen.signum()));
    }

    /// I-15: facts known later change nothing.
    #[test]
    fn i15_only_what_is_known(events in events(), plan in plan(), at in moment()) {
        let book = plan.book();
        let known: Vec<Event> = events.iter().filter(|event| event.known() <= at).cloned().collect();
        prop_assert_eq!(visits(&known).desired(&book, at), visits(&events).desired(&book, at));
    }

    /// I-16: an exam that moves over midnight, with all that is told of it, changes neither the number
    /// of an encounter's charges nor their amounts.
    #[test]
    fn i16_midnight(events in events(), which in any::<prop::sample::Index>(), hours in -24_i64..=24, terms in terms()) {
        prop_assume!(![terms.counting_unit, terms.deduction_unit].contains(&CountingUnit::PersonDay));
        let (book, at) = (book(&terms), hour(10_000));
        let moved = moved(&events, which, hours);
        let show = |events: &[Event]| {
            let lines = visits(events).desired(&book, at).unwrap();
            lines.iter().map(|line| (line.unit(), line.kind(), line.amount())).collect::<Vec<_>>()
        };
        prop_assert_eq!(show(&events), show(&moved));
    }

    /// I-16: it moves the end of the retention by its own day at most (two days where the end falls
    /// on the end of a February), and never back.
    #[test]
    fn i16_midnight_and_retention(events in decades(), which in any::<prop::sample::Index>(), hours in 0_i64..=24, terms in terms()) {
        let (book, at) = (book(&terms), hour(60 * 366 * 24));
        let before = kept("E1", &events, &book, at);
        let after = kept("E1", &moved(&events, which, hours), &book, at);
        match (before, after) {
            (Some(Ok(before)), Some(Ok(after))) => {
                let days = after.first_disposable.signed_duration_since(before.first_disposable).num_days();
                prop_assert!((0..=2).contains(&days), "{before:?} {after:?}");
            }
            // An exam after the discharge: the stay was not over.
            (Some(Ok(_)), Some(Err(error))) => prop_assert!(matches!(error, RetentionError::OpenStay { .. }), "{error}"),
            _ => {}
        }
    }

    /// I-17: two linked visits of one person come to at most one charge.
    #[test]
    fn i17_linked(events in events(), terms in terms()) {
        let terms = Terms { model: ChargeModel::SeparateItem, counting_unit: CountingUnit::Encounter, ..terms };
        let at = hour(10_000);
        let mut own: Vec<Event> = events.into_iter()
            .filter(|event| event.person() == person(1) && event.visit().institution.as_str() == "H44030500001").collect();
        let Some(first) = own.first().cloned() else { return Ok(()) };
        for (from, to) in [("E1", "E2"), ("E2", "S1")] {
            let visit = mic_billing::VisitKey::new(first.visit().institution, mic_billing::EncounterId::new(from).unwrap());
            let kind = EventKind::Linked { to: mic_billing::EncounterId::new(to).unwrap() };
            own.push(Event::new(visit, person(1), first.source(), kind, first.occurred(), first.known()));
        }
        let lines = visits(&own).desired(&book(&terms), at).unwrap();
        let roots: BTreeSet<_> = visits(&own).resolved(at).iter().map(|state| state.root(at)).collect();
        prop_assert!(lines.len() <= roots.len());
        prop_assert!(money(&lines) <= terms.price * i64::try_from(roots.len()).unwrap());
        let linked = roots.iter().filter(|root| ["E1", "E2"].contains(&root.encounter.as_str())).count();
        prop_assert!(linked <= 1, "E1 and E2 are one");
    }

    /// I-17: what was posted for two visits before their link was known comes, with what is appended
    /// afterwards, to the money of one.
    #[test]
    fn i17_a_late_link_nets_to_one(events in events(), terms in terms()) {
        let terms = Terms {
            model: ChargeModel::SeparateItem, counting_unit: CountingUnit::Encounter,
            completeness: Completeness::Any, ..terms
        };
        let book = book(&terms);
        let mut own: Vec<Event> = events.into_iter()
            .filter(|event| event.person() == person(1) && event.visit().institution.as_str() == "H44030500001")
            .filter(|event| ["E1", "S1"].contains(&event.visit().encounter.as_str()))
            .filter(|event| event.kind().name() != "linked").collect();
        let Some(clinic) = own.iter().find(|event| event.visit().encounter.as_str() == "E1").cloned() else { return Ok(()) };
        let apart = visits(&own).desired(&book, hour(4_000)).unwrap();
        let mut journal = delta(&apart, &[]).unwrap();
        let link = EventKind::Linked { to: mic_billing::EncounterId::new("S1").unwrap() };
        own.push(Event::new(clinic.visit(), person(1), clinic.source(), link, clinic.occurred(), hour(5_000)));
        let one = visits(&own).desired(&book, hour(6_000)).unwrap();
        journal.extend(delta(&one, &journal).unwrap());
        let net = Fen::sum(journal.iter().map(Entry::amount)).unwrap().get();
        let stays = own.iter().any(|event| event.visit().encounter.as_str() == "S1");
        prop_assert!(!stays || one.len() <= 1);
        prop_assert_eq!(net, money(&one));
        prop_assert_eq!(net, if apart.is_empty() { 0 } else { terms.price });
    }

    /// I-17: a clinic visit linked with a stay is kept as the stay is.
    #[test]
    fn i17_linked_is_kept_as_the_stay(events in decades(), terms in terms(), years in (15_u32..45, 15_u32..45)) {
        let at = hour(60 * 366 * 24);
        let book = book_of_two(&terms, [years, years], "2045-12-01");
        let mut events: Vec<Event> = events.into_iter().filter(|event| event.kind().name() != "linked").collect();
        let stay = kept("S1", &events, &book, at);
        let is_stay = |event: &Event| event.visit().encounter.as_str() == "S1"
            && matches!(event.kind(), EventKind::Registered { setting: mic_billing::CareSetting::Inpatient });
        prop_assume!(events.iter().any(is_stay));
        let clinic = events.iter().find(|event| event.visit().encounter.as_str() == "E1").unwrap().clone();
        let link = EventKind::Linked { to: mic_billing::EncounterId::new("S1").unwrap() };
        events.push(Event::new(clinic.visit(), person(1), clinic.source(), link, clinic.occurred(), clinic.known()));
        let linked = kept("E1", &events, &book, at);
        let show = |kept: Option<Result<Retention, RetentionError>>| {
            kept.unwrap().map(|kept| (kept.setting, kept.clock, kept.base, kept.years, kept.last_kept, kept.first_disposable))
        };
        prop_assert_eq!(show(linked), show(stay));
    }

    /// I-18, I-19: a line survives serde, and its explanation alone recomputes it.
    #[test]
    fn i18_i19_explanations(events in events(), plan in plan(), at in moment()) {
        let book = plan.book();
        for line in visits(&events).desired(&book, at).unwrap() {
            let text = serde_json::to_string(line.why()).unwrap();
            let why: mic_billing::Explanation = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(why.recompute(&book), Ok(line.amount()));
            prop_assert_eq!(line.recompute(&book), Ok(line.clone()));
            for lang in [mic_billing::Lang::Zh, mic_billing::Lang::En] {
                let words = line.explain(lang);
                prop_assert!(line.why().rules.iter().all(|rule| words.contains(rule.id())));
                prop_assert!(words.contains(&line.amount().to_string()));
                prop_assert!(words.contains(&line.why().visit_date.to_string()));
                let known = line.why().known_at.to_chrono().format("%Y-%m-%d %H:%M:%S").to_string();
                prop_assert!(words.contains(&known), "{known}: {words}");
                let grounds = &line.why().grounds;
                prop_assert!(grounds.versions.iter().all(|version| words.contains(&version.to_string())), "{words}");
                for citation in grounds.citations.iter().filter(|citation| citation.verified) {
                    let document = citation.document.as_deref().unwrap();
                    prop_assert!(words.contains(document), "{document}: {words}");
                }
            }
        }
    }

    /// I-21: near the edge of the range every operation is exact or an error.
    #[test]
    fn i21_no_wrap(a in any::<i64>(), b in any::<i64>()) {
        let exact = |fen: i128| i64::try_from(fen).ok();
        let (x, y) = (Fen::new(a), Fen::new(b));
        prop_assert_eq!(x.plus(y).ok().map(Fen::get), exact(i128::from(a) + i128::from(b)));
        prop_assert_eq!(x.minus(y).ok().map(Fen::get), exact(i128::from(a) - i128::from(b)));
        prop_assert_eq!(x.times(b).ok().map(Fen::get), exact(i128::from(a) * i128::from(b)));
        prop_assert_eq!(x.negate().ok().map(Fen::get), exact(-i128::from(a)));
        prop_assert_eq!(x.to_string().parse(), Ok(x));
    }

    /// A part is the exact one rounded once, in a word and beyond it.
    #[test]
    fn ok_a_part_is_rounded_once(fen in prop_oneof![any::<i64>(), -2_000_000_i64..2_000_000], ppm in 0_u32..=1_000_000) {
        let share = mic_billing::Ppm::new(ppm).unwrap();
        let product = i128::from(fen) * i128::from(ppm);
        let (whole, rest) = (product / 1_000_000, (product % 1_000_000).abs() * 2);
        for (rounding, away) in [
            (mic_billing::Rounding::HalfUp, rest >= 1_000_000),
            (mic_billing::Rounding::HalfEven, rest > 1_000_000 || (rest == 1_000_000 && whole % 2 != 0)),
            (mic_billing::Rounding::Down, false),
        ] {
            let exact = whole + if away { product.signum() } else { 0 };
            prop_assert_eq!(i128::from(Fen::new(fen).part(share, rounding).unwrap().get()), exact);
        }
    }

    /// Each event survives serde (I-18).
    #[test]
    fn i18_events(event in event()) {
        let text = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}

/// K-05, K-06: against chrono's own months over every start day of a century and both terms.
#[test]
fn ok_years_agree_with_chrono_on_every_day_of_a_century() {
    use chrono::{Datelike, Months, NaiveDate};
    let mut day = NaiveDate::from_ymd_opt(1950, 1, 1).unwrap();
    let mut leaps = 0;
    while day.year() < 2061 {
        for years in [15, 30] {
            // chrono ends a leap day's year on 28 February, the rule on 1 March.
            let theirs = day.checked_add_months(Months::new(12 * years)).unwrap();
            let ours = years_later(day, years).unwrap();
            if (day.month(), day.day()) == (2, 29) && theirs.day() == 28 {
                leaps += 1;
                assert_eq!(Some(ours), theirs.succ_opt());
            } else {
                assert_eq!(ours, theirs);
            }
        }
        day = day.succ_opt().unwrap();
    }
    assert!(leaps > 40);
}

/// The oracles of retention and of what is owed are asked something: days and reasons, ends of
/// either clock and of February, holds; contracts, parts and rests of a fen.
#[test]
fn ok_random_streams_reach_retention_and_contracts() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut told, mut untold, mut held, mut of_stays) = (0, 0, 0, 0);
    let (mut served, mut rests, mut parts) = (0, 0, 0);
    for _ in 0..400 {
        let years = [(15_u32..45, 15_u32..45), (15_u32..45, 15_u32..45)];
        let (past, terms, years) = (decades(), terms(), years)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let plan = plan_of_two(&terms, years, "2045-12-01");
        let reached = agree_on_retention(&past, &plan, hour(60 * 366 * 24)).unwrap();
        (told, untold) = (told + reached[0], untold + reached[1]);
        for kept in reference::kept(&past, &plan, hour(60 * 366 * 24)).into_values() {
            let Ok(kept) = kept else { continue };
            held += usize::from(!kept.holds.is_empty());
            let mut clocks = kept.clocks.iter();
            of_stays += usize::from(clocks.any(|(clock, ..)| *clock == "last_discharge"));
        }
        let (events, plan, at) = (events(), common::plans::plan(), late_moment())
            .new_tree(&mut runner)
            .unwrap()
            .current();
        if let Some(owed) = reference::owed(&events, &plan, at) {
            served += usize::from(owed.units > 0);
            rests += usize::from(owed.rounding != 0);
            parts += usize::from(owed.parts.contains(' '));
        }
    }
    assert!(
        told > 400 && untold > 15 && held > 5 && of_stays > 30,
        "{told} {untold} {held} {of_stays}"
    );
    assert!(
        served > 40 && rests > 3 && parts > 20,
        "{served} {rests} {parts}"
    );
}

/// The words of a line are held to the documents of the book; random books have some.
#[test]
fn ok_random_books_verify_some_facts() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut verified, mut assumed) = (0, 0);
    for _ in 0..200 {
        let (events, plan, at) = (events(), plan(), moment())
            .new_tree(&mut runner)
            .unwrap()
            .current();
        for line in visits(&events).desired(&plan.book(), at).unwrap() {
            let citations = &line.why().grounds.citations;
            verified += citations.iter().filter(|fact| fact.verified).count();
            assumed += citations.iter().filter(|fact| !fact.verified).count();
        }
    }
    assert!(verified > 300 && assumed > 300, "{verified} {assumed}");
}

/// The laws would hold of streams that never charge anything; these do all there is to do.
#[test]
fn ok_random_streams_reach_every_kind_of_line() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut included, mut deducted, mut served, mut none) = (0, 0, 0, 0);
    for _ in 0..400 {
        let sample = (events(), terms(), moment())
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let lines = visits(&sample.0)
            .desired(&book(&sample.1), sample.2)
            .unwrap();
        let has = |kind: LineKind| usize::from(lines.iter().any(|line| line.kind() == kind));
        included += has(LineKind::Included);
        deducted += has(LineKind::Deduction);
        served += has(LineKind::Service);
        none += usize::from(lines.is_empty());
    }
    assert!(
        included > 30 && deducted > 30 && served > 60 && none > 30,
        "{included} {deducted} {served} {none}"
    );
    assert_eq!(desired(&[]).unwrap(), vec![]);
}
