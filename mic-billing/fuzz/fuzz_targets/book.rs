//! Any text, read as TOML and as JSON, is a layer or an error. One that loads above the nation survives
//! JSON, answers on four days from the first to the last of the calendar, and keeps images no shorter
//! than the law.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_billing::{Book, Layer, books};

fuzz_target!(|text: &str| {
    // One text is hardly both, but each reader gets every text.
    let read = [Layer::from_toml(text), Layer::from_json(text)];
    read.into_iter().flatten().for_each(check);
    // With lines or without, JSON is one layer.
    assert_eq!(Layer::from_json(text).ok(), serde_json::from_str(text).ok());
});

fn check(layer: Layer) {
    let json = serde_json::to_string_pretty(&layer).expect("a layer is written");
    assert_eq!(
        Layer::from_json(&json).ok(),
        serde_json::from_str(&json).ok()
    );
    if let Ok(book) = Book::load([books::national().expect("shipped"), layer]) {
        let again: Layer = serde_json::from_str(&json).expect("a layer that loads is read again");
        assert_eq!(again, book.layers()[1]);
        let moment = "2026-01-01T00:00:00+08:00".parse().expect("a moment");
        for day in ["1900-01-01", "2025-09-29", "2026-01-01", "9999-12-31"] {
            let policy = book.policy(day.parse().expect("a day"), moment);
            if let Some(kept) = policy.retention() {
                assert!(
                    kept.outpatient_years >= 15 && kept.inpatient_years >= 30,
                    "T-04"
                );
            }
        }
    }
}
