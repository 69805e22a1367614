//! Any text is a layer or a located error; a layer that loads above the nation answers on every
//! boundary day without panicking, and survives JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_billing::{Book, Layer, books};

fuzz_target!(|text: &str| {
    let Ok(layer) = Layer::from_toml(text) else {
        return;
    };
    let json = serde_json::to_string_pretty(&layer).expect("a layer is written");
    // With lines or without, JSON is one layer.
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
});
