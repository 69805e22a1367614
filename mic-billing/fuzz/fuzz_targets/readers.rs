//! Any bytes in any of the three formats are events and errors: errors have ascending lines, what is
//! read is written and read again as itself, and serde reads each NDJSON line alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_billing::{Event, EventReader, ReadError};

fuzz_target!(|bytes: &[u8]| {
    let (Some(format), Some(bytes)) = (bytes.first(), bytes.get(1..)) else {
        return;
    };
    let found: Vec<Result<Event, ReadError>> = match format % 3 {
        0 => EventReader::csv(bytes).collect(),
        1 => EventReader::ndjson(bytes).collect(),
        _ => EventReader::json(bytes).collect(),
    };
    let lines: Vec<u64> = found
        .iter()
        .filter_map(|event| event.as_ref().err())
        .map(ReadError::line)
        .collect();
    assert!(lines.is_sorted());
    let events: Vec<Event> = found.into_iter().filter_map(Result::ok).collect();
    let text = serde_json::to_vec(&events).expect("events are written");
    let again: Vec<Event> = EventReader::json(text.as_slice())
        .map(|event| event.expect("and read"))
        .collect();
    assert_eq!(again, events);
    if let (1, Ok(text)) = (format % 3, core::str::from_utf8(bytes)) {
        let theirs: Vec<Event> = text
            .split('\n')
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        assert!(
            events.iter().all(|event| theirs.contains(event)),
            "nothing that serde doesn't read"
        );
    }
});
