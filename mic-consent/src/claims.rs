//! The vocabulary of the claims: purposes, rights, scopes, persons, commitments.

pub(crate) mod binding;
pub(crate) mod fields;
#[expect(
    unnameable_types,
    reason = "the claims hold them, the sealed traits show them, for this crate alone"
)]
pub(crate) mod outer;
pub(crate) mod person;
pub(crate) mod purpose;
pub(crate) mod scope;
pub(crate) mod time;

/// Registered claim numbers (RFC 8392, RFC 8747, RFC 9711) and the private map.
pub(crate) mod label {
    pub(crate) const ISS: i64 = 1;
    pub(crate) const SUB: i64 = 2;
    pub(crate) const AUD: i64 = 3;
    pub(crate) const EXP: i64 = 4;
    pub(crate) const NBF: i64 = 5;
    pub(crate) const IAT: i64 = 6;
    pub(crate) const CTI: i64 = 7;
    pub(crate) const CNF: i64 = 8;
    pub(crate) const NONCE: i64 = 10;
    pub(crate) const MIC: i64 = -65537;
    /// The key id inside `cnf`.
    pub(crate) const CNF_KID: i64 = 3;
}

/// Keys of the private map; one table for all types of token, 9 and 11 are kept free.
pub(crate) mod mic {
    pub(crate) const VERSION: i64 = 1;
    pub(crate) const ORGANISATION: i64 = 2;
    pub(crate) const PURPOSE: i64 = 3;
    pub(crate) const RIGHTS: i64 = 4;
    pub(crate) const SCOPE: i64 = 5;
    pub(crate) const NOTICE: i64 = 6;
    pub(crate) const STATUS: i64 = 7;
    pub(crate) const GUARDIAN: i64 = 8;
    pub(crate) const SEPARATE: i64 = 10;
    pub(crate) const STUDIES: i64 = 12;
    pub(crate) const DEPARTMENT: i64 = 13;
    pub(crate) const DOCTOR: i64 = 14;
    pub(crate) const BAND: i64 = 15;
    pub(crate) const CHECK: i64 = 16;
    pub(crate) const PERIOD: i64 = 17;
    pub(crate) const NODE: i64 = 18;
    pub(crate) const PLACE: i64 = 19;
    pub(crate) const ACTION: i64 = 20;
    pub(crate) const GRANT: i64 = 21;
    pub(crate) const DIGEST: i64 = 22;
    pub(crate) const RECORD: i64 = 23;
    pub(crate) const OFFER: i64 = 24;
    pub(crate) const REASON: i64 = 25;
    pub(crate) const REVIEWER: i64 = 26;
    pub(crate) const STAFF: i64 = 27;
    pub(crate) const EFFECT: i64 = 28;
    pub(crate) const SERIAL: i64 = 29;
    pub(crate) const PLACES: i64 = 30;
    pub(crate) const WITHDRAWN: i64 = 31;
    pub(crate) const SUSPENDED: i64 = 32;
    pub(crate) const PREVIOUS: i64 = 33;
    pub(crate) const KEYS: i64 = 34;
    pub(crate) const SIZE: i64 = 35;
    pub(crate) const ROOT: i64 = 36;
    pub(crate) const VERDICT: i64 = 37;
    pub(crate) const LIST: i64 = 38;
    pub(crate) const PROOF: i64 = 39;
    pub(crate) const OPENING: i64 = 40;
    pub(crate) const INSTRUMENT: i64 = 41;
    pub(crate) const GROUND: i64 = 42;
    pub(crate) const ARTICLE: i64 = 43;
    pub(crate) const REVIEWING: i64 = 44;
    pub(crate) const BARRED: i64 = 45;
}

/// The one version of the claims.
pub(crate) const VERSION: u64 = 1;
