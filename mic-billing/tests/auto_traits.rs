//! Everything public can be sent, shared and moved freely; errors can be compared and cloned.

use mic_billing::{
    Accounts, AllocateError, Assessment, Book, BookError, BookErrors, Closed, DisposalError,
    DisposalList, Entry, Event, EventError, Explanation, FoldError, Layer, LedgerError, Line,
    LineError, Moment, MoneyError, Policy, PoolError, RecomputeError, Retention, RetentionError,
    Statement, StatementError, SweepError, TextError, VisitState, Visits,
};

const fn is_free<
    T: Send + Sync + Unpin + core::panic::UnwindSafe + core::panic::RefUnwindSafe + 'static,
>() {
}
const fn is_error<T: core::error::Error + Clone + PartialEq + Send + Sync + 'static>() {}

#[test]
fn ok_types_are_send_sync_and_static() {
    is_free::<(
        Accounts,
        Assessment,
        Closed,
        DisposalList,
        Statement,
        Book,
        Entry,
        Event,
        Explanation,
        Layer,
        Line,
        Moment,
        Policy,
        Retention,
        Visits,
    )>();
    is_free::<VisitState>();
}

#[test]
fn ok_errors_are_errors_that_can_be_compared() {
    is_error::<AllocateError>();
    is_error::<BookError>();
    is_error::<BookErrors>();
    is_error::<EventError>();
    is_error::<FoldError>();
    is_error::<LedgerError>();
    is_error::<LineError>();
    is_error::<MoneyError>();
    is_error::<DisposalError>();
    is_error::<PoolError>();
    is_error::<StatementError>();
    is_error::<SweepError>();
    #[cfg(feature = "read")]
    is_error::<mic_billing::ReadError>();
    is_error::<RecomputeError>();
    is_error::<RetentionError>();
    is_error::<TextError>();
}
