//! When to try again: an argument of the ledger, never its own idea (`IDX-105`).

use chrono::TimeDelta;

/// How long to wait before another attempt.
///
/// Any `Fn(u32) -> Option<TimeDelta>` is one, for instance to add a random share to [`Backoff`] so
/// that ten thousand records do not come back in the same second.
pub trait RetryPolicy {
    /// The wait after the given number of attempts; `None` if a person has to look instead.
    fn delay(&self, attempts: u32) -> Option<TimeDelta>;
}

impl<F: Fn(u32) -> Option<TimeDelta>> RetryPolicy for F {
    fn delay(&self, attempts: u32) -> Option<TimeDelta> {
        self(attempts)
    }
}

/// Waits that double from a first one up to a longest one.
///
/// ```
/// use chrono::TimeDelta;
/// use mic_index::ledger::{Backoff, BackoffError, RetryPolicy};
///
/// let policy = Backoff::new(TimeDelta::minutes(1), TimeDelta::minutes(5), 4)?;
/// let minutes = |attempts| policy.delay(attempts).map(|wait| wait.num_minutes());
/// assert_eq!([1, 2, 3, 4].map(minutes), [Some(1), Some(2), Some(4), None]);
/// assert_eq!(
///     Backoff::new(TimeDelta::zero(), TimeDelta::minutes(5), 4),
///     Err(BackoffError::First)
/// );
/// # Ok::<(), BackoffError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backoff {
    first: TimeDelta,
    longest: TimeDelta,
    attempts_max: u32,
}

impl Backoff {
    /// A policy from its first and longest wait and the number of attempts.
    ///
    /// # Errors
    ///
    /// [`BackoffError`] names the argument that makes no sense.
    pub fn new(
        first: TimeDelta,
        longest: TimeDelta,
        attempts_max: u32,
    ) -> Result<Self, BackoffError> {
        if first <= TimeDelta::zero() {
            return Err(BackoffError::First);
        }
        if longest < first {
            return Err(BackoffError::Longest);
        }
        if attempts_max == 0 {
            return Err(BackoffError::Attempts);
        }
        Ok(Self {
            first,
            longest,
            attempts_max,
        })
    }
}

impl Default for Backoff {
    /// One minute, doubling up to six hours, twelve attempts: twenty hours and a half of waiting in
    /// all, so that a platform that is down over night is outwaited.
    fn default() -> Self {
        Self {
            first: TimeDelta::minutes(1),
            longest: TimeDelta::hours(6),
            attempts_max: 12,
        }
    }
}

impl RetryPolicy for Backoff {
    fn delay(&self, attempts: u32) -> Option<TimeDelta> {
        if attempts >= self.attempts_max {
            return None;
        }
        // Doubled more often than a time can hold is the longest wait, too.
        let factor = 1_i32
            .checked_shl(attempts.saturating_sub(1))
            .filter(|f| *f > 0);
        let doubled = factor.and_then(|factor| self.first.checked_mul(factor));
        Some(doubled.map_or(self.longest, |wait| wait.min(self.longest)))
    }
}

/// An argument of [`Backoff::new`] that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BackoffError {
    /// The first wait is zero or negative.
    #[error("expected a first wait above zero")]
    First,
    /// The longest wait is shorter than the first.
    #[error("expected a longest wait not below the first")]
    Longest,
    /// No attempt at all.
    #[error("expected at least one attempt")]
    Attempts,
}
