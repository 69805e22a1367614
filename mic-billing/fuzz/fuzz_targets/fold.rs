//! Any list of events, folded forwards, backwards and twice, gives one state, one set of lines that
//! recompute and that a sorted pass finds as well, and a journal that needs nothing more.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mic_billing::{Book, Event, Fen, Line, Links, Sweep, Visits, books, delta};

static BOOKS: LazyLock<[Book; 2]> = LazyLock::new(|| {
    let load = |region| Book::load([books::national().expect("shipped"), region]).expect("loads");
    [
        load(books::shenzhen().expect("shipped")),
        load(books::fictional_separate_item().expect("shipped")),
    ]
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(events) = serde_json::from_slice::<Vec<Event>>(bytes) else {
        return;
    };
    let fold = |events: &mut dyn Iterator<Item = &Event>| {
        let mut visits = Visits::new();
        events.for_each(|event| visits.fold(event).expect("within the bounds"));
        visits
    };
    let visits = fold(&mut events.iter());
    assert_eq!(visits, fold(&mut events.iter().rev().chain(&events)));
    let Some(known_at) = events.iter().map(Event::known).max() else {
        return;
    };
    for book in BOOKS.iter() {
        let lines = visits.desired(book, known_at).expect("five yuan fit");
        for line in &lines {
            assert_eq!(line.why().recompute(book), Ok(line.amount()));
        }
        // The pass over sorted visits comes to the same money.
        let mut sorted = events.clone();
        sorted.sort_by_key(Event::visit);
        let mut sweep = Sweep::new(book, known_at, Links::of(&events, known_at)).expect("by visit");
        let mut amounts = Vec::new();
        for visit in sorted.chunk_by(|a, b| a.visit() == b.visit()) {
            let judged = sweep.visit(visit).expect("sorted");
            amounts.extend(judged.lines().map(|line| line.terms.amount));
        }
        amounts.extend(sweep.linked().expect("fits").iter().map(Line::amount));
        assert_eq!(amounts.len(), lines.len());
        assert_eq!(Fen::sum(amounts), Fen::sum(lines.iter().map(Line::amount)));
        let journal = delta(&lines, &[]).expect("a fresh journal");
        assert_eq!(delta(&lines, &journal), Ok(Vec::new()));
    }
});
