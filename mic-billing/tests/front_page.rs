//! The scene the crate exists for: one visit with two exams, one proven in time and one never,
//! under a deduction and under a separate item, and how long the images stay.

#![cfg(feature = "toml")]
#![expect(clippy::unwrap_used, reason = "a test")]

use mic_billing::{
    Book, Event, Fen, Lang, LineKind, Moment, VisitState, assess, books, delta, desired, retention,
};

fn events() -> Vec<Event> {
    let event = |rest: &str, at: &str| -> Event {
        let text = format!(
            r#"{{"institution":"H44030500001","encounter":"E1","person":"000102030405060708090a0b0c0d0e0f",
                "source":"hospital","occurred":"{at}","known":"{at}",{rest}}}"#
        );
        serde_json::from_str(&text).unwrap()
    };
    vec![
        event(
            r#""kind":"registered","setting":"outpatient""#,
            "2025-12-01T08:30:00+08:00",
        ),
        event(
            r#""kind":"performed","exam":"F1","modality":"ct""#,
            "2025-12-01T09:20:00+08:00",
        ),
        event(
            r#""kind":"performed","exam":"F2","modality":"xray""#,
            "2025-12-01T09:40:00+08:00",
        ),
        event(
            r#""kind":"index_accepted","exam":"F1","receipt":"R-1""#,
            "2025-12-01T11:00:00+08:00",
        ),
    ]
}

#[test]
fn ok_the_two_signs_of_five_yuan() {
    let state = VisitState::of(&events()).unwrap();
    let now: Moment = "2025-12-10T00:00:00+08:00".parse().unwrap();

    let shenzhen = Book::load([books::national().unwrap(), books::shenzhen().unwrap()]).unwrap();
    let lines = desired(&[assess(&state, &shenzhen, now)]).unwrap();
    let amounts: Vec<_> = lines
        .iter()
        .map(|line| (line.kind(), line.amount()))
        .collect();
    assert_eq!(
        amounts,
        [
            (LineKind::Included, Fen::ZERO),
            (LineKind::Deduction, Fen::new(-500))
        ]
    );
    for line in &lines {
        println!("{}\n{}\n", line.explain(Lang::Zh), line.explain(Lang::En));
        assert_eq!(line.why().recompute(&shenzhen), Ok(line.amount()));
    }
    let entries = delta(&lines, &[]).unwrap();
    assert_eq!(delta(&lines, &entries), Ok(vec![]));

    let separate = Book::load([
        books::national().unwrap(),
        books::fictional_separate_item().unwrap(),
    ])
    .unwrap();
    let lines = desired(&[assess(&state, &separate, now)]).unwrap();
    println!("{}\n", lines[0].explain(Lang::Zh));
    assert_eq!((lines.len(), lines[0].amount()), (1, Fen::new(500)));

    let kept = retention(&state, [], &shenzhen, now).unwrap();
    assert_eq!(kept.first_disposable.to_string(), "2040-12-02");
}
