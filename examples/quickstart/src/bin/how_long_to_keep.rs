//! How long images must be kept: 15 years from the last visit, 30 from the last discharge, and the
//! 29 February that has no corresponding day.
//!
//! Type `cargo run -p mic-quickstart --bin how_long_to_keep`. It prints:
//!
//! ```text
//! clinic      15 years from 2028-02-29: last day 2043-03-01, disposable from 2043-03-02
//! came again  15 years from 2031-06-30: last day 2046-06-30, disposable from 2046-07-01
//! stay        30 years from 2028-02-29: last day 2058-03-01, disposable from 2058-03-02
//! legal hold  30 years from 2026-05-09: last day 2056-05-09, disposable from 2056-05-10, but for the hold CASE-7
//! in bed      kept: expected a discharge of every stay, found 1 open
//! ```
//!
//! Patient and hospital are made up.

use mic_billing::{
    Book, CareSetting, EncounterId, Event, EventKind, HoldId, InstitutionCode, Moment, PersonRef,
    Retention, Source, VisitKey, VisitState, books, retention,
};

fn main() -> anyhow::Result<()> {
    let book = Book::load([books::national()?, books::shenzhen()?])?;
    let known_at: Moment = "2035-01-01T00:00:00+08:00".parse()?;
    let out = EventKind::Registered {
        setting: CareSetting::Outpatient,
    };
    let admitted = EventKind::Registered {
        setting: CareSetting::Inpatient,
    };

    let leap = visit("1", [(out.clone(), "2028-02-29")])?;
    show("clinic", &retention(&leap, [], &book, known_at)?);

    // Each return moves the end later, and nothing moves it earlier.
    let later = visit("2", [(out, "2031-06-30")])?;
    show("came again", &retention(&leap, [&later], &book, known_at)?);

    let stay = visit(
        "3",
        [
            (admitted.clone(), "2028-02-20"),
            (EventKind::Discharged, "2028-02-29"),
        ],
    )?;
    show("stay", &retention(&stay, [], &book, known_at)?);

    let hold = EventKind::HoldPlaced {
        hold: HoldId::new("CASE-7")?,
    };
    let held = visit(
        "4",
        [
            (admitted.clone(), "2026-05-01"),
            (EventKind::Discharged, "2026-05-09"),
            (hold, "2027-01-04"),
        ],
    )?;
    show("legal hold", &retention(&held, [], &book, known_at)?);

    // What cannot be told is an error; the images are kept meanwhile.
    let open = visit("5", [(admitted, "2034-12-20")])?;
    if let Err(error) = retention(&open, [], &book, known_at) {
        println!("in bed      kept: {error}");
    }
    Ok(())
}

fn visit<const N: usize>(
    number: &str,
    events: [(EventKind, &str); N],
) -> anyhow::Result<VisitState> {
    let key = VisitKey::new(
        InstitutionCode::new("H44030500001")?,
        EncounterId::new(number)?,
    );
    let mut state = VisitState::new(key);
    for (kind, day) in events {
        let at: Moment = format!("{day}T10:00:00+08:00").parse()?;
        state.fold(&Event::new(
            key,
            PersonRef::new([7; 16]),
            Source::Hospital,
            kind,
            at,
            at,
        ))?;
    }
    Ok(state)
}

fn show(name: &str, kept: &Retention) {
    let (years, base) = (kept.years, kept.base);
    let (last, disposable) = (kept.last_kept, kept.first_disposable);
    print!("{name:<11} {years} years from {base}: last day {last}, disposable from {disposable}");
    match kept.holds.first() {
        Some(hold) => println!(", but for the hold {hold}"),
        None => println!(),
    }
}
