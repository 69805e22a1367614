//! Any bytes are an event or an error; an event is written and read as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_billing::Event;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(event) = serde_json::from_slice::<Event>(bytes) {
        let text = serde_json::to_string(&event).expect("an event is written");
        assert_eq!(
            serde_json::from_str::<Event>(&text).expect("and read"),
            event
        );
    }
});
