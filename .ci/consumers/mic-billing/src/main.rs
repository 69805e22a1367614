//! One visit with two exams under the Shenzhen book: one index arrived, the other never did.
//!
//! Person, institution and receipt are made up.

use std::error::Error;

use mic_billing::{Book, Event, Fen, Lang, Moment, VisitState, assess, books, desired, retention};

const EVENTS: &str = r#"[
    {"kind": "registered", "setting": "outpatient", "at": "08:30"},
    {"kind": "performed", "exam": "F1", "modality": "ct", "at": "09:20"},
    {"kind": "performed", "exam": "F2", "modality": "xray", "at": "09:40"},
    {"kind": "index_accepted", "exam": "F1", "receipt": "R-1", "at": "11:00"}
]"#;

fn event(mut row: serde_json::Value) -> Result<Event, Box<dyn Error>> {
    let fields = row.as_object_mut().ok_or("an event is an object")?;
    let at = fields.remove("at").ok_or("an event has a time")?;
    let moment = format!(
        "2025-12-01T{}:00+08:00",
        at.as_str().ok_or("a time is text")?
    );
    for (field, value) in [
        ("institution", "H44030500001"),
        ("encounter", "E1"),
        ("person", "000102030405060708090a0b0c0d0e0f"),
        ("source", "hospital"),
        ("occurred", moment.as_str()),
        ("known", moment.as_str()),
    ] {
        fields.insert(field.to_owned(), value.into());
    }
    Ok(serde_json::from_value(row)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(EVENTS)?;
    let events = rows.into_iter().map(event).collect::<Result<Vec<_>, _>>()?;
    let visit = VisitState::of(&events)?;
    let book = Book::load([books::national()?, books::shenzhen()?])?;
    let now: Moment = "2025-12-10T00:00:00+08:00".parse()?;

    let lines = desired(&[assess(&visit, &book, now)])?;
    for line in &lines {
        println!("{}", line.explain(Lang::En));
    }
    assert_eq!(lines.last().map(|line| line.amount()), Some(Fen::new(-500)));
    println!(
        "kept until the day before {}",
        retention(&visit, [], &book, now)?.first_disposable
    );

    let alone = Book::load([books::national()?]);
    println!(
        "refused: {}",
        alone.err().ok_or("a national layer alone was taken")?
    );
    Ok(())
}
