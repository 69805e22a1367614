//! The upload ledger (上传台账): what became of each record that the platform has to get.
//!
//! A pure state machine per record key. Nothing here sends anything or looks at a clock: the caller
//! reports events with their time, and asks what is due. Events may come twice, late or in another
//! order; what was applied once changes nothing the second time (`IDX-101`), so a ledger can be fed
//! from a journal that is replayed after a crash. Waits need not be in the journal: attempts, verdicts and
//! acceptances come out the same under another policy or another random share, only the times of
//! retries are those of the policy in force. Whether to send is asked before: [`Upload::next_attempt`].
//!
//! ```text
//!              sent                    accepted (of any attempt)
//!  pending ───────────▶ sent ───────────────────────────────▶ accepted
//!     ▲                 │  ▲
//!     │          failed │  │ sent (asked for when due)
//!     │                 ▼  │
//!     │  released   ┌─ retryable ──── attempts used up ──▶ needs a person
//!     └─────────────┤                                            │
//!     └──────────── released ◀───────────────────────────────────┘
//!                                  permanent: the end, unless acceptance arrives late
//! ```
//!
//! ```
//! use chrono::{DateTime, TimeDelta, Utc};
//! use mic_index::ledger::{Applied, Backoff, FailureClass, Ledger, UploadEvent, UploadState};
//! use mic_index::{RecordKey, index_code};
//!
//! let code = index_code!(
//!     "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
//! );
//! let key = RecordKey::new(code, "1.2.840.1".parse()?);
//! let start: DateTime<Utc> = DateTime::UNIX_EPOCH;
//! let after = |minutes| start + TimeDelta::minutes(minutes);
//! let policy = Backoff::default();
//!
//! let mut ledger = Ledger::new();
//! ledger.add(key, start);
//! assert_eq!(ledger.due(start).collect::<Vec<_>>(), [key]);
//!
//! ledger.apply(&key, &UploadEvent::Sent { attempt: 1 }, after(1), &policy)?;
//! let lost = UploadEvent::Failed {
//!     attempt: 1,
//!     class: FailureClass::Retryable,
//!     reason: "timeout".parse()?,
//! };
//! ledger.apply(&key, &lost, after(2), &policy)?;
//! assert_eq!(ledger.due(after(2)).count(), 0); // not before its time
//! assert_eq!(ledger.due(after(3)).count(), 1);
//!
//! // The platform had it after all, and says so late. That is the end of it.
//! ledger.apply(&key, &UploadEvent::Accepted { attempt: 1 }, after(4), &policy)?;
//! assert_eq!(ledger.apply(&key, &lost, after(5), &policy)?, Applied::Stale);
//! assert_eq!(ledger.get(&key).map(|upload| upload.state()), Some(UploadState::Accepted));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod book;
mod event;
mod policy;
mod summary;
mod upload;

pub use book::{Ledger, LedgerError};
pub use event::{
    Applied, FailureClass, REASON_LEN_MAX, ReasonCode, ReasonCodeError, TransitionError,
    UploadEvent,
};
pub use policy::{Backoff, BackoffError, RetryPolicy};
pub use summary::{AgeBucket, Summary, age_bounds_default};
pub use upload::{RestoreError, Upload, UploadParts, UploadState};
