//! The upload ledger: every vector, and laws over any events in any order.
#![expect(
    clippy::unwrap_used,
    reason = "a vector that lacks a field is a broken vector"
)]

mod common;

use chrono::{DateTime, TimeDelta, Utc};
use common::EXAMPLE;
use mic_index::RecordKey;
use mic_index::ledger::{
    Applied, Backoff, FailureClass, Ledger, LedgerError, ReasonCode, ReasonCodeError, RestoreError,
    RetryPolicy, Summary, TransitionError, Upload, UploadEvent, UploadParts, UploadState,
    age_bounds_default,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn minute(at: i64) -> DateTime<Utc> {
    START + TimeDelta::minutes(at)
}

fn policy() -> Backoff {
    Backoff::new(TimeDelta::minutes(1), TimeDelta::minutes(4), 3).unwrap()
}

fn class(name: &str) -> FailureClass {
    match name {
        "retryable" => FailureClass::Retryable,
        "needs_person" => FailureClass::NeedsPerson,
        name => {
            assert_eq!(name, "permanent");
            FailureClass::Permanent
        }
    }
}

fn event(of: &Value) -> UploadEvent {
    let attempt = u32::try_from(of["attempt"].as_u64().unwrap()).unwrap();
    match of["event"].as_str().unwrap() {
        "sent" => UploadEvent::Sent { attempt },
        "accepted" => UploadEvent::Accepted { attempt },
        "released" => UploadEvent::Released { attempt },
        name => {
            assert_eq!(name, "failed");
            UploadEvent::Failed {
                attempt,
                class: class(of["class"].as_str().unwrap()),
                reason: of["reason"].as_str().unwrap().parse().unwrap(),
            }
        }
    }
}

fn minutes(at: DateTime<Utc>) -> i64 {
    (at - START).num_minutes()
}

/// `IDX-100` to `IDX-104`: attempts by number (`IDX-100`), what is refused (`IDX-102`), the graver verdict
/// (`IDX-104`).
#[test]
fn every_vector() {
    let root: Value = serde_json::from_str(include_str!("../vectors/ledger.json")).unwrap();
    for case in root["cases"].as_array().unwrap() {
        let mut upload = Upload::new(START);
        let mut found = json!({});
        let mut results = Vec::new();
        for of in case["input"].as_array().unwrap() {
            assert!(
                found.get("error").is_none(),
                "{}: events after an error",
                case["id"]
            );
            let before = upload;
            let at = minute(of["at"].as_i64().unwrap());
            let answer = if of["event"] == "ask" {
                upload.next_attempt(at).map(|attempt| json!(attempt))
            } else {
                let applied = upload.apply(&event(of), at, &policy());
                applied.map(|applied| match applied {
                    Applied::Changed => json!("changed"),
                    Applied::Repeated => json!("repeated"),
                    Applied::Stale => json!("stale"),
                })
            };
            match answer {
                Ok(answer) => results.push(answer),
                Err(error) => {
                    assert_eq!(upload, before);
                    found = match error {
                        TransitionError::UnknownAttempt { last, found } => {
                            json!({ "error": "unknown_attempt", "last": last, "found": found })
                        }
                        TransitionError::Unanswered { .. } => json!({ "error": "unanswered" }),
                        TransitionError::NotDue { due } => {
                            json!({ "error": "not_due", "at": minutes(due) })
                        }
                        TransitionError::Closed { .. } => json!({ "error": "closed" }),
                        TransitionError::NotHeld { .. } => json!({ "error": "not_held" }),
                        _ => json!({}),
                    };
                }
            }
        }
        found["results"] = json!(results);
        found["state"] = json!(upload.state().name());
        found["attempts"] = json!(upload.attempts());
        found["due"] = json!(upload.due().map(minutes));
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

fn key(uid: u32) -> RecordKey {
    RecordKey::new(
        EXAMPLE.parse().unwrap(),
        format!("1.{uid}").parse().unwrap(),
    )
}

#[test]
fn a_ledger_says_what_is_due_unanswered_and_old() {
    let mut ledger = Ledger::new();
    assert!(ledger.is_empty());
    assert!(ledger.add(key(2), minute(0)) && ledger.add(key(1), minute(5)));
    assert!(!ledger.add(key(2), minute(9)));
    let due = |ledger: &Ledger, at| ledger.due(minute(at)).collect::<Vec<_>>();
    assert_eq!(due(&ledger, 4), [key(2)]);
    assert_eq!(due(&ledger, 5), [key(1), key(2)]);

    let sent = UploadEvent::Sent { attempt: 1 };
    ledger.apply(&key(1), &sent, minute(6), &policy()).unwrap();
    assert_eq!(due(&ledger, 9), [key(2)]);
    let late = |ledger: &Ledger, at| {
        ledger
            .unanswered(minute(at), TimeDelta::minutes(3))
            .collect::<Vec<_>>()
    };
    assert_eq!(late(&ledger, 8), []);
    assert_eq!(late(&ledger, 9), [key(1)]);
    assert_eq!(
        ledger.apply(&key(3), &sent, minute(6), &policy()),
        Err(LedgerError::Unknown)
    );

    let summary = ledger.summary(minute(3 * 24 * 60), &age_bounds_default());
    assert_eq!(summary.count(UploadState::Sent), 1);
    assert_eq!(summary.total(), 2);
    assert_eq!(ledger.remove(&key(1)).unwrap().state(), UploadState::Sent);
    assert_eq!(ledger.len(), 1);
}

/// What a hospital found after it had changed its waits between writing the journal and reading it.
#[test]
fn ok_an_acceptance_survives_a_longer_wait() {
    let timeout = UploadEvent::Failed {
        attempt: 1,
        class: FailureClass::Retryable,
        reason: "timeout".parse().unwrap(),
    };
    let longer = Backoff::new(TimeDelta::minutes(5), TimeDelta::hours(1), 12).unwrap();
    let mut ledger = Ledger::new();
    ledger.add(key(1), minute(0));
    for (event, at) in [
        (UploadEvent::Sent { attempt: 1 }, 0),
        (timeout, 1),
        (UploadEvent::Sent { attempt: 2 }, 3),
        (UploadEvent::Accepted { attempt: 2 }, 4),
    ] {
        let applied = ledger.apply(&key(1), &event, minute(at), &longer);
        assert_eq!(applied, Ok(Applied::Changed), "{event:?}");
    }
    assert_eq!(ledger.due(minute(10_000)).count(), 0);
}

#[test]
fn the_default_waits_are_twenty_hours_and_a_half() {
    let waits = (1..).map_while(|attempts| Backoff::default().delay(attempts));
    assert_eq!(waits.map(|wait| wait.num_minutes()).sum::<i64>(), 1231);
}

#[test]
fn err_what_is_no_reason() {
    let long = "x".repeat(33);
    for (text, error) in [
        ("", ReasonCodeError::Length { found: 0 }),
        (long.as_str(), ReasonCodeError::Length { found: 33 }),
        ("no answer", ReasonCodeError::Character { at: 2 }),
        ("超时", ReasonCodeError::Character { at: 0 }),
    ] {
        assert_eq!(text.parse::<ReasonCode>(), Err(error), "{text}");
    }
    assert_eq!(
        long[..32].parse::<ReasonCode>().unwrap().as_str(),
        &long[..32]
    );
}

/// `IDX-105`.
#[test]
fn err_parts_that_are_no_upload() {
    let good = UploadParts {
        state: UploadState::Retryable,
        attempts: 1,
        created: minute(0),
        changed: minute(1),
        failure: Some((FailureClass::Retryable, "timeout".parse().unwrap())),
        retry: Some(minute(2)),
    };
    assert_eq!(Upload::from_parts(good).unwrap().to_parts(), good);
    let permanent = Some((FailureClass::Permanent, "x".parse().unwrap()));
    for (parts, error) in [
        (
            UploadParts {
                failure: None,
                ..good
            },
            RestoreError::Failure,
        ),
        (
            UploadParts {
                retry: None,
                ..good
            },
            RestoreError::Failure,
        ),
        (
            UploadParts {
                failure: permanent,
                ..good
            },
            RestoreError::Failure,
        ),
        (
            UploadParts {
                failure: permanent,
                state: UploadState::Permanent,
                ..good
            },
            RestoreError::Failure,
        ),
        (
            UploadParts {
                state: UploadState::Sent,
                ..good
            },
            RestoreError::Failure,
        ),
        (
            UploadParts {
                attempts: 0,
                ..good
            },
            RestoreError::Attempts,
        ),
        (
            UploadParts {
                changed: minute(-1),
                ..good
            },
            RestoreError::Times,
        ),
    ] {
        assert_eq!(Upload::from_parts(parts), Err(error), "{parts:?}");
    }
}

fn events() -> impl Strategy<Value = Vec<(UploadEvent, i64)>> {
    let class = prop_oneof![
        3 => Just(FailureClass::Retryable),
        1 => Just(FailureClass::NeedsPerson),
        1 => Just(FailureClass::Permanent),
    ];
    let one =
        (0..4_u8, 0..5_u32, class, 0..2_u8).prop_map(|(kind, attempt, class, reason)| match kind {
            0 => UploadEvent::Sent { attempt },
            1 => UploadEvent::Accepted { attempt },
            2 => UploadEvent::Released { attempt },
            _ => UploadEvent::Failed {
                attempt,
                class,
                reason: format!("r{reason}").parse().unwrap(),
            },
        });
    vec((one, 0..30_i64), 0..24)
}

proptest! {
    #[test]
    fn what_was_applied_once_changes_nothing_again(events in events()) {
        let mut upload = Upload::new(START);
        let mut taken = Vec::new();
        for (event, at) in events {
            let before = upload;
            match upload.apply(&event, minute(at), &policy()) {
                Ok(applied) => {
                    taken.push((event, at));
                    prop_assert_eq!(applied == Applied::Changed, before.state() != upload.state()
                        || before.attempts() != upload.attempts()
                        || before.failure() != upload.failure());
                }
                Err(error) => {
                    prop_assert_eq!(upload, before);
                    prop_assert!(!error.to_string().is_empty());
                }
            }
            // What may go out is what is next, and only then.
            if let Ok(attempt) = before.next_attempt(minute(at)) {
                prop_assert_eq!(attempt, before.attempts() + 1);
                prop_assert!(before.due().is_some_and(|due| due <= minute(at)) || before.state() == UploadState::Pending);
            }
            // IDX-101: the whole journal again, at other times.
            let mut again = upload;
            for (event, at) in &taken {
                let applied = again.apply(event, minute(at + 7), &policy());
                prop_assert!(matches!(applied, Ok(Applied::Repeated | Applied::Stale)), "{event:?} {applied:?}");
            }
            prop_assert_eq!(again, upload);
            prop_assert_eq!(Upload::from_parts(upload.to_parts()), Ok(upload));
            // IDX-103: acceptance is final.
            if before.state() == UploadState::Accepted {
                prop_assert_eq!(upload, before);
            }
            prop_assert!(upload.changed() >= upload.created());
            prop_assert_eq!(upload.due().is_some(), matches!(upload.state(), UploadState::Pending | UploadState::Retryable));
        }
    }

    /// `IDX-101`: a journal says the same under another policy, another random share, or none.
    #[test]
    fn a_journal_gives_the_same_under_any_policy(
        events in events(), waits in vec(prop::option::of(0..40_i64), 8),
    ) {
        let other = |attempts: u32| {
            let wait = waits.get(attempts as usize).copied().flatten();
            wait.map(TimeDelta::minutes)
        };
        let (mut written, mut replayed) = (Upload::new(START), Upload::new(START));
        for (event, at) in events {
            let first = written.apply(&event, minute(at), &policy());
            let again = replayed.apply(&event, minute(at), &other);
            prop_assert_eq!(first.ok(), again.ok(), "{:?}", event);
            prop_assert_eq!(written.attempts(), replayed.attempts());
            prop_assert_eq!(written.failure(), replayed.failure());
            prop_assert_eq!(written.changed(), replayed.changed());
            // Only whether and when a retryable failure is retried is the policy's.
            match written.failure() {
                Some((FailureClass::Retryable, _)) => {}
                _ => prop_assert_eq!(written, replayed),
            }
        }
    }

    #[test]
    fn of_two_answers_to_an_attempt_the_order_does_not_matter(
        a in 0..4_usize, b in 0..4_usize,
    ) {
        let answer = |which: usize| match which {
            0 => UploadEvent::Accepted { attempt: 1 },
            n => UploadEvent::Failed {
                attempt: 1,
                class: [FailureClass::Retryable, FailureClass::NeedsPerson, FailureClass::Permanent][n - 1],
                reason: "r".parse().unwrap(),
            },
        };
        let after = |first: usize, second: usize| {
            let mut upload = Upload::new(START);
            for event in [UploadEvent::Sent { attempt: 1 }, answer(first), answer(second)] {
                upload.apply(&event, minute(1), &policy()).unwrap();
            }
            upload
        };
        prop_assert_eq!(after(a, b), after(b, a));
    }

    #[test]
    fn waits_never_shrink_and_end(attempts in 1..100_u32, first in 1..1000_i64, longest in 0..1000_i64) {
        let policy = Backoff::new(TimeDelta::seconds(first), TimeDelta::seconds(first + longest), 50).unwrap();
        let (now, next) = (policy.delay(attempts), policy.delay(attempts + 1));
        prop_assert_eq!(now.is_some(), attempts < 50);
        prop_assert!(next.is_none() || now <= next);
        prop_assert!(now <= Some(TimeDelta::seconds(first + longest)));
    }

    #[test]
    fn a_summary_counts_every_upload_once(ages in vec(-5..50_i64, 0..40), bounds in vec(-3..40_i64, 0..5)) {
        let now = minute(10_000);
        let bounds: Vec<TimeDelta> = bounds.into_iter().map(TimeDelta::minutes).collect();
        let mut summary = Summary::new(now, &bounds);
        for age in &ages {
            summary.add(&Upload::new(now - TimeDelta::minutes(*age)));
        }
        prop_assert_eq!(summary.total(), ages.len() as u64);
        for bucket in summary.buckets(UploadState::Pending) {
            let inside = |age: &&i64| {
                let age = TimeDelta::minutes((**age).max(0));
                bucket.from().is_none_or(|from| from <= age) && bucket.until().is_none_or(|until| age < until)
            };
            prop_assert_eq!(bucket.count(), ages.iter().filter(inside).count() as u64);
        }
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_ledger_is_kept_and_read_again() {
    let mut ledger = Ledger::new();
    for uid in 1..4 {
        ledger.add(key(uid), minute(0));
    }
    let reason = "timeout".parse().unwrap();
    for (uid, event) in [
        (1, UploadEvent::Sent { attempt: 1 }),
        (2, UploadEvent::Sent { attempt: 1 }),
        (
            2,
            UploadEvent::Failed {
                attempt: 1,
                class: FailureClass::Retryable,
                reason,
            },
        ),
    ] {
        ledger
            .apply(&key(uid), &event, minute(1), &policy())
            .unwrap();
    }
    let json = serde_json::to_value(&ledger).unwrap();
    assert_eq!(
        json[1]["upload"],
        json!({
            "state": "retryable", "attempts": 1, "created_unix_ms": 0, "changed_unix_ms": 60_000,
            "failure": { "class": "retryable", "reason": "timeout" }, "retry_unix_ms": 120_000,
        })
    );
    assert_eq!(
        serde_json::from_value::<Ledger>(json.clone()).unwrap(),
        ledger
    );
    let mut cbor = Vec::new();
    ciborium::into_writer(&ledger, &mut cbor).unwrap();
    assert_eq!(
        ciborium::from_reader::<Ledger, _>(&cbor[..]).unwrap(),
        ledger
    );

    let refused = |change: fn(&mut Value)| {
        let mut json = json.clone();
        change(&mut json);
        serde_json::from_value::<Ledger>(json)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(|json| json[1] = json[0].clone()),
        "expected keys in ascending order"
    );
    assert_eq!(
        refused(|json| json[1]["upload"]["state"] = json!("sent")),
        "expected failure and next attempt to fit the state"
    );
    assert_eq!(
        refused(|json| json[1]["upload"]["failure"]["class"] = json!("bad")),
        "expected retryable, needs_person or permanent"
    );
    assert_eq!(
        refused(|json| json[0]["upload"]["attempts"] = json!(0)),
        "expected at least one attempt"
    );
    assert_eq!(
        refused(|json| json[0]["upload"]["changed_unix_ms"] = json!(i64::MAX)),
        "expected a time that can be named"
    );
}
