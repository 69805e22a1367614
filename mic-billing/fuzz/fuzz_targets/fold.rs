//! Any list of events, folded forwards, backwards and twice, gives one state, one set of lines that
//! recompute, and a journal that needs nothing more.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mic_billing::{Book, Event, Visits, books, delta};

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
        let journal = delta(&lines, &[]).expect("a fresh journal");
        assert_eq!(delta(&lines, &journal), Ok(Vec::new()));
    }
});
