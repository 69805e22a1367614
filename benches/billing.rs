//! Billing: events to judged visits and to lines. Money beside a decimal type is in `billing_money.rs`.

use std::rc::Rc;

use mic_benches::{Group, billing, run, size};
use mic_billing::{Book, Event, Fen, Links, Moment, Sweep, VisitState, assess, desired};

fn main() -> anyhow::Result<()> {
    run(vec![visits()?]);
    Ok(())
}

/// Events sorted by visit, as an export has them: folded, judged, and with their lines.
fn visits() -> anyhow::Result<Group> {
    let events: Rc<[Event]> = billing::events(size(2_000, 50))?.into();
    let book = Rc::new(billing::shenzhen()?);
    let known_at: Moment = "2026-01-31T00:00:00+08:00".parse()?;
    let states: Vec<VisitState> = by_visit(&events)
        .map(VisitState::of)
        .collect::<Result<_, _>>()?;
    // Every exam that was never indexed is five yuan less; the states are judged by their own events here.
    let missed = events
        .iter()
        .filter(|event| event.kind().name() == "performed")
        .filter(|event| {
            !events.iter().any(|other| {
                other.visit() == event.visit()
                    && other.kind().exam() == event.kind().exam()
                    && other.kind().name() == "index_accepted"
            })
        })
        .count();
    let total = Fen::new(-500).times(i64::try_from(missed)?)?;
    let facts: usize = states.iter().map(|state| state.events().count()).sum();
    let judged: usize = states
        .iter()
        .map(|state| assess(state, &book, known_at).exams().len())
        .sum();

    let (count, folded, assessed) = (events.len() as u64, Rc::clone(&events), Rc::clone(&events));
    let (first_book, second_book) = (Rc::clone(&book), Rc::clone(&book));
    let swept = Rc::clone(&events);
    Ok(
        Group::new("billing: events of one export, visit by visit", "event")
            .with(
                "mic-billing `Sweep`, links, fold, assess, lines, total",
                count,
                &Some(total),
                move || sweep(&swept, &book, known_at),
            )
            .with(
                "mic-billing, fold, assess, lines, total",
                count,
                &Some(total),
                move || {
                    by_visit(&events).try_fold(Fen::ZERO, |sum, visit| {
                        let lines =
                            desired(&[assess(&VisitState::of(visit).ok()?, &first_book, known_at)])
                                .ok()?;
                        sum.plus(Fen::sum(lines.iter().map(mic_billing::Line::amount)).ok()?)
                            .ok()
                    })
                },
            )
            .with(
                "mic-billing, fold and assess",
                count,
                &Some(judged),
                move || {
                    by_visit(&assessed).try_fold(0, |sum, visit| {
                        Some(
                            sum + assess(&VisitState::of(visit).ok()?, &second_book, known_at)
                                .exams()
                                .len(),
                        )
                    })
                },
            )
            .with("mic-billing, fold", count, &Some(facts), move || {
                by_visit(&folded).try_fold(0, |sum, visit| {
                    Some(sum + VisitState::of(visit).ok()?.events().count())
                })
            }),
    )
}

/// The total of a pass: how often each of the book's few outcomes came, and only then money.
fn sweep(events: &[Event], book: &Book, known_at: Moment) -> Option<Fen> {
    let mut sweep = Sweep::new(book, known_at, Links::of(events, known_at)).ok()?;
    let mut counts = vec![0_i64; sweep.terms().len()];
    for visit in by_visit(events) {
        for place in sweep.visit(visit).ok()?.terms() {
            *counts.get_mut(place)? += 1;
        }
    }
    let amounts = sweep.terms().iter().map(|terms| terms.amount);
    let sums: Option<Vec<Fen>> = amounts
        .zip(counts)
        .map(|(amount, count)| amount.times(count).ok())
        .collect();
    let linked = sweep.linked().ok()?;
    Fen::sum(
        sums?
            .into_iter()
            .chain(linked.iter().map(mic_billing::Line::amount)),
    )
    .ok()
}

fn by_visit(events: &[Event]) -> impl Iterator<Item = &[Event]> {
    events.chunk_by(|a, b| a.visit() == b.visit())
}
