//! The state machine of one upload.

use chrono::{DateTime, TimeDelta, Utc};

use super::event::{Applied, FailureClass, ReasonCode, TransitionError, UploadEvent};
use super::policy::RetryPolicy;

/// Where an upload stands; from the beginning to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a summary without one of them would not add up"
)]
pub enum UploadState {
    /// To be sent: for the first time, or released by a person.
    Pending,
    /// Sent, without an answer yet.
    Sent,
    /// Failed, and to be sent again when due.
    Retryable,
    /// Failed; a person has to look.
    NeedsPerson,
    /// Failed for good.
    Permanent,
    /// The platform has it.
    Accepted,
}

impl UploadState {
    /// All states in their order.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Sent,
        Self::Retryable,
        Self::NeedsPerson,
        Self::Permanent,
        Self::Accepted,
    ];

    /// The stable name for programs: `pending`, `sent`, `retryable`, `needs_person`, `permanent`,
    /// `accepted`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Retryable => "retryable",
            Self::NeedsPerson => "needs_person",
            Self::Permanent => "permanent",
            Self::Accepted => "accepted",
        }
    }

    /// Whether it ends here: accepted, or failed for good.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Accepted | Self::Permanent)
    }
}

/// One upload: its state, its attempts, its times.
///
/// Times are kept to the millisecond. A clock that runs back does no harm: what is later stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Upload {
    state: State,
    /// At least one, unless pending.
    attempts: u32,
    created: DateTime<Utc>,
    /// Not before `created`.
    changed: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    Pending,
    Sent,
    Accepted,
    Failed(Failure),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Failure {
    class: FailureClass,
    reason: ReasonCode,
    /// `None` for a retryable one whose attempts are used up, and for all others.
    retry: Option<DateTime<Utc>>,
}

impl Upload {
    /// An upload that waits for its first attempt.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        let at = to_millisecond(at);
        Self {
            state: State::Pending,
            attempts: 0,
            created: at,
            changed: at,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> UploadState {
        match &self.state {
            State::Pending => UploadState::Pending,
            State::Sent => UploadState::Sent,
            State::Accepted => UploadState::Accepted,
            State::Failed(failure) => match failure.class {
                FailureClass::Retryable if failure.retry.is_some() => UploadState::Retryable,
                FailureClass::Retryable | FailureClass::NeedsPerson => UploadState::NeedsPerson,
                FailureClass::Permanent => UploadState::Permanent,
            },
        }
    }

    /// Attempts so far.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// When the upload became due for the first time.
    #[must_use]
    pub const fn created(&self) -> DateTime<Utc> {
        self.created
    }

    /// When its state changed for the last time.
    #[must_use]
    pub const fn changed(&self) -> DateTime<Utc> {
        self.changed
    }

    /// Why it failed, while it stands as failed. A retryable class that needs a person has used up
    /// its attempts.
    #[must_use]
    pub const fn failure(&self) -> Option<(FailureClass, ReasonCode)> {
        match &self.state {
            State::Failed(failure) => Some((failure.class, failure.reason)),
            State::Pending | State::Sent | State::Accepted => None,
        }
    }

    /// When it may be sent next; `None` where that is not a question of time.
    #[must_use]
    pub const fn due(&self) -> Option<DateTime<Utc>> {
        match &self.state {
            State::Pending => Some(self.created),
            State::Failed(failure) => failure.retry,
            State::Sent | State::Accepted => None,
        }
    }

    /// How long ago it became due for the first time; zero if that is yet to come.
    #[must_use]
    pub fn age(&self, now: DateTime<Utc>) -> TimeDelta {
        now.signed_duration_since(self.created)
            .max(TimeDelta::zero())
    }

    /// The number of the attempt that may go out now: what a sender asks before it sends.
    ///
    /// ```
    /// use chrono::{DateTime, TimeDelta, Utc};
    /// use mic_index::ledger::{Backoff, TransitionError, Upload, UploadEvent};
    ///
    /// let now: DateTime<Utc> = DateTime::UNIX_EPOCH;
    /// let mut upload = Upload::new(now);
    /// let attempt = upload.next_attempt(now)?;
    /// upload.apply(&UploadEvent::Sent { attempt }, now, &Backoff::default())?;
    /// assert_eq!(upload.next_attempt(now), Err(TransitionError::Unanswered { attempt: 1 }));
    /// # Ok::<(), TransitionError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unanswered`](TransitionError::Unanswered), [`NotDue`](TransitionError::NotDue) or
    /// [`Closed`](TransitionError::Closed), if nothing may go out (`IDX-102`).
    pub fn next_attempt(&self, now: DateTime<Utc>) -> Result<u32, TransitionError> {
        let (state, last) = (self.state(), self.attempts);
        match (state, self.due()) {
            (UploadState::Sent, _) => Err(TransitionError::Unanswered { attempt: last }),
            (UploadState::Retryable, Some(due)) if now < due => {
                Err(TransitionError::NotDue { due })
            }
            (UploadState::Pending | UploadState::Retryable, _) => {
                last.checked_add(1).ok_or(TransitionError::Closed { state })
            }
            _ => Err(TransitionError::Closed { state }),
        }
    }

    /// Applies an event. What was sent was sent: whether it should have been is asked of
    /// [`next_attempt`](Self::next_attempt) before, so that a journal gives the same attempts and verdicts
    /// under any policy (`IDX-101`). The policy is asked only when an attempt fails in a retryable way.
    ///
    /// # Errors
    ///
    /// [`TransitionError`] if the event cannot have happened; the upload stays as it is.
    pub fn apply(
        &mut self,
        event: &UploadEvent,
        at: DateTime<Utc>,
        policy: &impl RetryPolicy,
    ) -> Result<Applied, TransitionError> {
        let (last, found) = (self.attempts, event.attempt());
        let next = matches!(event, UploadEvent::Sent { .. }) && last.checked_add(1) == Some(found);
        let accepted = self.state == State::Accepted;
        if found == 0 || (found > last && !next && !accepted) {
            return Err(TransitionError::UnknownAttempt { last, found });
        }
        let at = to_millisecond(at);
        let applied = match *event {
            UploadEvent::Accepted { .. } if accepted => Applied::Repeated,
            // The end, whatever is told of later attempts (IDX-103).
            UploadEvent::Sent { .. } if accepted && found > last => Applied::Stale,
            UploadEvent::Sent { .. } if next => {
                self.attempts = found;
                self.state = State::Sent;
                Applied::Changed
            }
            UploadEvent::Sent { .. } if found == last => Applied::Repeated,
            UploadEvent::Sent { .. } => Applied::Stale,
            UploadEvent::Accepted { .. } => {
                // Of any attempt: the platform has the record (IDX-103).
                self.state = State::Accepted;
                Applied::Changed
            }
            UploadEvent::Failed { class, reason, .. } if found == last => {
                self.fail(class, reason, at, policy)
            }
            UploadEvent::Released { .. } if found == last => self.release()?,
            UploadEvent::Failed { .. } | UploadEvent::Released { .. } => Applied::Stale,
        };
        if applied == Applied::Changed {
            self.changed = self.changed.max(at);
        }
        Ok(applied)
    }

    fn fail(
        &mut self,
        class: FailureClass,
        reason: ReasonCode,
        at: DateTime<Utc>,
        policy: &impl RetryPolicy,
    ) -> Applied {
        match self.state {
            State::Sent => {}
            // A graver verdict on the same attempt replaces a lighter one (IDX-104).
            State::Failed(before) if class > before.class => {}
            State::Failed(before) if (class, reason) == (before.class, before.reason) => {
                return Applied::Repeated;
            }
            State::Failed(_) | State::Pending | State::Accepted => return Applied::Stale,
        }
        let delay = (class == FailureClass::Retryable)
            .then(|| policy.delay(self.attempts))
            .flatten();
        // A time that chrono cannot hold is never reached: a person has to look.
        let retry = delay.and_then(|wait| at.checked_add_signed(wait.max(TimeDelta::zero())));
        self.state = State::Failed(Failure {
            class,
            reason,
            retry: retry.map(to_millisecond),
        });
        Applied::Changed
    }

    fn release(&mut self) -> Result<Applied, TransitionError> {
        match self.state() {
            UploadState::Retryable | UploadState::NeedsPerson => {
                self.state = State::Pending;
                Ok(Applied::Changed)
            }
            UploadState::Pending => Ok(Applied::Repeated),
            UploadState::Accepted => Ok(Applied::Stale),
            state @ (UploadState::Sent | UploadState::Permanent) => {
                Err(TransitionError::NotHeld { state })
            }
        }
    }

    /// All there is to keep, for stores.
    #[must_use]
    pub const fn to_parts(&self) -> UploadParts {
        UploadParts {
            state: self.state(),
            attempts: self.attempts,
            created: self.created,
            changed: self.changed,
            failure: self.failure(),
            retry: match self.state {
                State::Failed(failure) => failure.retry,
                State::Pending | State::Sent | State::Accepted => None,
            },
        }
    }

    /// An upload from what a store kept.
    ///
    /// # Errors
    ///
    /// [`RestoreError`] if the parts are none of an upload.
    pub fn from_parts(parts: UploadParts) -> Result<Self, RestoreError> {
        let state = match (parts.state, parts.failure, parts.retry) {
            (UploadState::Pending, None, None) => State::Pending,
            (UploadState::Sent, None, None) => State::Sent,
            (UploadState::Accepted, None, None) => State::Accepted,
            (_, Some((class, reason)), retry) => State::Failed(Failure {
                class,
                reason,
                retry: retry.map(to_millisecond),
            }),
            _ => return Err(RestoreError::Failure),
        };
        let upload = Self {
            state,
            attempts: parts.attempts,
            created: to_millisecond(parts.created),
            changed: to_millisecond(parts.changed),
        };
        let retry_of_another = match state {
            State::Failed(failure) => {
                failure.class != FailureClass::Retryable && failure.retry.is_some()
            }
            State::Pending | State::Sent | State::Accepted => false,
        };
        if upload.state() != parts.state || retry_of_another {
            return Err(RestoreError::Failure);
        }
        if upload.attempts == 0 && state != State::Pending {
            return Err(RestoreError::Attempts);
        }
        if upload.changed < upload.created {
            return Err(RestoreError::Times);
        }
        Ok(upload)
    }
}

/// An upload taken apart, for stores; see [`Upload::to_parts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a store has to name every column"
)]
pub struct UploadParts {
    /// Where it stands.
    pub state: UploadState,
    /// Attempts so far; at least one unless pending.
    pub attempts: u32,
    /// When it became due for the first time.
    pub created: DateTime<Utc>,
    /// When its state changed for the last time; not before `created`.
    pub changed: DateTime<Utc>,
    /// Why it failed; there exactly if it stands as failed.
    pub failure: Option<(FailureClass, ReasonCode)>,
    /// When it may be sent again; there exactly if it is retryable.
    pub retry: Option<DateTime<Utc>>,
}

/// Parts that are none of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// State, failure and time of the next attempt contradict each other.
    #[error("expected failure and next attempt to fit the state")]
    Failure,
    /// Not pending, and never sent.
    #[error("expected at least one attempt")]
    Attempts,
    /// Changed before it was created.
    #[error("expected a change not before the creation")]
    Times,
    /// A number of milliseconds that names no time.
    #[error("expected a time that can be named")]
    Range,
}

/// Cuts off what is finer than a millisecond, as exchange forms do.
fn to_millisecond(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}
