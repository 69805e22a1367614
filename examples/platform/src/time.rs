//! Beijing time, which all of the platform's public times are in.

use chrono::{DateTime, FixedOffset, Utc};

/// UTC+8; China has one time zone and no summer time.
pub const BEIJING: FixedOffset = match FixedOffset::east_opt(8 * 3600) {
    Some(offset) => offset,
    None => panic!("eight hours are a valid offset"),
};

/// The machine's clock, in Beijing time.
#[must_use]
pub fn now() -> DateTime<FixedOffset> {
    Utc::now().with_timezone(&BEIJING)
}
