//! Any events: what was taken once changes nothing again, acceptance is final, a kept upload is read, and another
//! policy gives the same attempts and verdicts (IDX-101).
#![no_main]

use arbitrary::Unstructured;
use chrono::{DateTime, TimeDelta};
use libfuzzer_sys::fuzz_target;
use mic_index::ledger::{Applied, Backoff, FailureClass, Upload, UploadEvent, UploadState};

fuzz_target!(|bytes: &[u8]| {
    let mut u = Unstructured::new(bytes);
    let policy = Backoff::default();
    let mut upload = Upload::new(DateTime::UNIX_EPOCH);
    // Waits of no kind: the third attempt is the last, the second waits for days.
    let other = |attempts: u32| (attempts < 3).then(|| TimeDelta::days(i64::from(attempts)));
    let mut replayed = upload;
    let mut taken = Vec::new();
    while let Ok((kind, attempt, seconds)) = u.arbitrary::<(u8, u8, u16)>() {
        if u.is_empty() && kind == 0 || taken.len() == 64 {
            break;
        }
        let attempt = u32::from(attempt % 16);
        let event = match kind % 6 {
            0 => UploadEvent::Sent { attempt },
            1 => UploadEvent::Accepted { attempt },
            2 => UploadEvent::Released { attempt },
            class => UploadEvent::Failed {
                attempt,
                class: FailureClass::ALL[usize::from(class) - 3],
                reason: if seconds % 2 == 0 { "a" } else { "b" }.parse().unwrap(),
            },
        };
        let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::from(seconds) * 30);
        let before = upload;
        let result = upload.apply(&event, at, &policy);
        assert_eq!(replayed.apply(&event, at, &other).ok(), result.ok());
        assert_eq!(replayed.attempts(), upload.attempts());
        assert_eq!(replayed.failure(), upload.failure());
        assert_eq!(replayed.changed(), upload.changed());
        match result {
            Ok(_) => taken.push((event, at)),
            Err(_) => assert_eq!(upload, before),
        }
        assert!(before.state() != UploadState::Accepted || upload == before);
        assert_eq!(Upload::from_parts(upload.to_parts()), Ok(upload));
        let json = serde_json::to_string(&upload).unwrap();
        assert_eq!(serde_json::from_str::<Upload>(&json).unwrap(), upload);
        let mut again = upload;
        for (event, at) in &taken {
            let applied = again.apply(event, *at + TimeDelta::days(99), &policy);
            assert!(matches!(applied, Ok(Applied::Repeated | Applied::Stale)));
        }
        assert_eq!(again, upload);
    }
});
