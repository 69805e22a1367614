use chrono::{DateTime, Utc};
use mic_consent::{Checker, Request, Signed};

fn twice(request: Signed<Request>, checker: &Checker<'_>, now: DateTime<Utc>) {
    let _ = request.live(checker, now);
    let _ = request.live(checker, now);
}

fn main() {}
