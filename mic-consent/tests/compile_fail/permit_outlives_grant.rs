use chrono::{DateTime, Utc};
use mic_consent::{Checker, Grant, Live, MemoryGuard, Permit, Presented, Use};

fn keep<'a>(
    grant: Live<Grant>,
    checker: &Checker<'_>,
    now: DateTime<Utc>,
    presented: Presented<'a>,
    wanted: &Use<'_>,
    guard: &mut MemoryGuard,
) -> Option<Permit<'a>> {
    grant.permit(checker, now, presented, wanted, guard).ok()
}

fn main() {}
