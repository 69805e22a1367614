//! What the tests share: reading vectors, loading the books they name.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

pub(crate) mod plans;
pub(crate) mod reference;
pub(crate) mod sql;
pub(crate) mod strategies;

use std::{fs, path::PathBuf};

use mic_billing::{Book, Event, Layer, Line, Share, Visits, books};
use serde_json::Value;

/// The crate's folder.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The cases of a vector file.
#[track_caller]
pub(crate) fn cases(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join("vectors").join(format!("{name}.json"))).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&file["spec"], &file["version"]),
        (&"pricing.md".into(), &1.into())
    );
    file["cases"].as_array().unwrap().clone()
}

/// Every vector file's name.
pub(crate) fn vector_files() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("vectors"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    names.sort();
    names
}

/// A shipped layer by its id.
#[track_caller]
pub(crate) fn shipped(id: &str) -> Layer {
    match id {
        "nation" => books::national(),
        "guangdong" => books::guangdong(),
        "shenzhen" => books::shenzhen(),
        "fictional-separate-item" => books::fictional_separate_item(),
        other => panic!("no shipped book {other}"),
    }
    .unwrap()
}

/// The book a case names: shipped layers, layers written out, or both.
#[track_caller]
pub(crate) fn book(spec: &Value) -> Book {
    let named = spec["shipped"].as_array().into_iter().flatten();
    let written = spec["layers"].as_array().into_iter().flatten();
    let layers: Vec<Layer> = named
        .map(|id| shipped(id.as_str().unwrap()))
        .chain(written.map(|layer| serde_json::from_value(layer.clone()).unwrap()))
        .collect();
    Book::load(layers).unwrap()
}

/// The events of a case.
#[track_caller]
pub(crate) fn events(list: &Value) -> Vec<Event> {
    serde_json::from_value(list.clone()).unwrap()
}

/// Folds events.
#[track_caller]
pub(crate) fn visits<'a>(events: impl IntoIterator<Item = &'a Event>) -> Visits {
    let mut visits = Visits::new();
    events
        .into_iter()
        .for_each(|event| visits.fold(event).unwrap());
    visits
}

/// Shares in the reference engine's words.
pub(crate) fn words(shares: &[Share]) -> String {
    reference::in_words(shares.iter().map(|share| (share.party, share.amount.get())))
}

/// A line in the reference engine's words.
pub(crate) fn money(line: &Line) -> reference::Money {
    let mut counted: Vec<String> = line.counted().iter().map(ToString::to_string).collect();
    counted.sort_unstable();
    reference::Money {
        kind: line.kind().name().to_owned(),
        fen: line.amount().get(),
        payers: words(line.payers()),
        payees: words(line.payees()),
        day: line.why().visit_date.to_string(),
        counted: counted.join(" "),
    }
}
