//! What each wrong token must be refused for, written by hand from the specification, so that the vectors don't
//! take it from the implementation they are to test.

use mic_consent::{Reason, Suite};

/// Each reason with the cases it is expected of.
#[rustfmt::skip]
pub(crate) const EXPECTED: &[(Reason, &[&str])] = &[
    // Steps 1 and 2.
    (Reason::TextTooLong, &["text-too-long"]),
    (Reason::TokenTooLong, &["structure-too-long"]),
    (Reason::UnknownPrefix, &[
        "text-empty", "text-prefix-lower", "text-prefix-unknown", "text-blank-before", "text-non-ascii",
    ]),
    (Reason::NotBase45, &["text-lower", "text-line-feed"]),
    (Reason::Base45Length, &["text-length"]),
    (Reason::Base45Overflow, &["text-overflow-pair", "text-overflow-triple"]),
    // Step 3, and the same faults inside header and claims.
    (Reason::Truncated, &["structure-empty", "structure-truncated", "claims-empty"]),
    (Reason::TrailingBytes, &["structure-trailing", "claims-trailing"]),
    (Reason::WrongItem, &[
        "structure-untagged", "structure-other-tag", "structure-unprotected-array", "structure-no-payload",
        "structure-text-payload", "header-alg-text", "header-typ-number", "header-text-key", "claims-exp-float",
        "claims-exp-nan", "claims-exp-text", "claims-exp-negative", "claims-exp-null", "claims-exp-tagged",
        "claims-array", "claims-nested",
    ]),
    (Reason::NotShortest, &[
        "structure-long-tag", "structure-long-array", "structure-unprotected-long", "structure-long-payload",
        "claims-long-key",
    ]),
    (Reason::Indefinite, &[
        "structure-indefinite-array", "structure-unprotected-indefinite", "structure-chunked-payload",
        "claims-indefinite",
    ]),
    (Reason::ReservedForm, &["structure-reserved"]),
    (Reason::TooMany, &[
        "structure-five", "structure-huge-array", "structure-4-gib", "structure-16-eib", "structure-signature-65",
        "structure-header-long", "claims-iss-long", "claims-status-large", "claims-studies-0",
        "claims-studies-many", "claims-doctor-long", "claims-huge-map", "scope-modality-many", "scope-record-many",
    ]),
    (Reason::BadLength, &[
        "structure-three", "claims-sub-15", "claims-cti-17", "claims-notice-32", "claims-status-one",
        "scope-days-one", "scope-modality-none", "scope-record-short",
    ]),
    (Reason::UnprotectedHeader, &["structure-unprotected-entry"]),
    (Reason::SignatureLength, &["structure-signature-63", "structure-signature-empty"]),
    (Reason::DuplicateKey, &["header-duplicate", "claims-duplicate"]),
    (Reason::KeyOrder, &["scope-key-order"]),
    (Reason::UnexpectedKey, &["claims-unknown-cnf", "scope-unknown"]),
    (Reason::ListOrder, &["scope-modality-order", "scope-modality-twice", "scope-record-order"]),
    // Step 4.
    (Reason::HeaderKeys, &[
        "header-empty", "header-no-alg", "header-no-kid", "header-no-typ", "header-order", "header-order-behind",
        "header-crit", "header-more",
    ]),
    (Reason::UnknownAlgorithm, &[
        "header-alg-eddsa", "header-alg-es256", "header-alg-hmac", "header-alg-zero",
    ]),
    (Reason::KeyIdLength, &["header-kid-7"]),
    (Reason::OtherType, &[
        "header-typ-unknown", "header-mic-q-as-mic-g", "header-mic-g-as-mic-q", "header-mic-p-as-mic-g",
        "header-mic-g-as-mic-p", "header-mic-p-as-mic-q", "header-mic-q-as-mic-p",
    ]),
    (Reason::PrefixMismatch, &["text-prefix-other-type"]),
    // Steps 5 and 6.
    (Reason::SuiteNotAccepted, &["key-suite", "key-suite-gm"]),
    (Reason::UnknownKey, &["key-unknown"]),
    (Reason::AlgorithmNotOfKey, &["header-alg-other-suite"]),
    (Reason::RoleMissing, &["key-role"]),
    (Reason::KeySuspended, &["key-suspended"]),
    (Reason::KeyRevoked, &["key-revoked"]),
    (Reason::KeyCompromised, &["key-compromised"]),
    (Reason::BadSignature, &[
        "signature-bit", "signature-claim", "signature-r-zero", "signature-s-zero", "signature-r-order",
        "signature-s-order", "signature-swapped", "signature-no-aad", "signature-other-aad",
        "signature-empty-distid", "signature-s-plus-order", "signature-r-identity",
    ]),
    // Step 7.
    (Reason::MissingClaim, &[
        "claims-no-iss", "claims-no-sub", "claims-no-aud", "claims-no-exp", "claims-no-iat", "claims-no-cti",
        "claims-no-cnf", "claims-no-nonce", "claims-no-mic", "claims-no-mic-ver", "claims-no-mic-org",
        "claims-no-mic-purpose", "claims-no-mic-rights", "claims-no-mic-scope", "claims-no-mic-notice",
        "claims-no-mic-status", "claims-no-mic-check",
        // Another key stands where a needed one belongs: the needed one is what is missed (CST-11).
        "claims-unknown", "claims-order", "claims-order-late",
    ]),
    (Reason::UnsupportedVersion, &["claims-version"]),
    (Reason::UnknownPurpose, &["claims-purpose-0", "claims-purpose-8"]),
    (Reason::UnknownRight, &["claims-rights-0", "claims-rights-64"]),
    (Reason::ScopeInconsistent, &[
        "scope-all-filtered", "scope-list-view", "scope-chosen-none", "scope-filter-records", "scope-filter-none",
        "request-chosen",
    ]),
    (Reason::BadCode, &[
        "claims-iss-chinese", "claims-iss-lower", "claims-org-short", "scope-modality-short",
    ]),
    (Reason::BadDate, &[
        "claims-exp-year-10000", "claims-exp-max", "scope-days-reversed", "scope-days-late",
    ]),
    (Reason::UnknownListValue, &[
        "claims-separate-unknown", "claims-band-adult", "claims-band-unknown", "claims-guardian-relation",
        "claims-check", "scope-kind", "scope-province",
    ]),
    (Reason::SeparateConsentMissing, &[
        "claims-no-mic-separate", "claims-separate-sensitive", "claims-separate-hand-over",
        "claims-separate-keep", "claims-minor-box",
        // The unknown key 9 stands where "separate" belongs.
        "claims-unknown-mic",
    ]),
    (Reason::GuardianMissing, &["claims-incapacity-alone", "claims-child-alone"]),
    (Reason::GuardianForbidden, &["claims-adult-guardian"]),
    (Reason::TimeOrder, &[
        "claims-exp-before-iat", "claims-exp-iat", "claims-nbf-iat", "claims-nbf-before", "claims-nbf-exp",
    ]),
    (Reason::LifeTooLong, &["claims-life", "request-life", "request-period"]),
    // Steps 8 to 12.
    (Reason::IssuerNotKeyOwner, &["issuer-other", "request-other-owner"]),
    (Reason::OutsideProvince, &[
        "issuer-province-everywhere", "issuer-province-two", "issuer-province-other",
    ]),
    (Reason::KeyNotValidAtIssue, &["issuer-key-too-young"]),
    (Reason::KeyRetired, &["key-retired"]),
    (Reason::WrongRealm, &["audience-realm"]),
    (Reason::NotYetValid, &["time-not-yet"]),
    (Reason::Expired, &["time-expired", "time-long-expired", "time-request-expired"]),
    (Reason::IssuedInFuture, &["time-issued-in-future"]),
    (Reason::Withdrawn, &["status-withdrawn"]),
    (Reason::Suspended, &["status-suspended"]),
    (Reason::StatusUnknown, &["status-unknown"]),
];

/// Offsets in SM2 that follow from the form alone: the character after the prefix of six; the tag at byte 0, the array at
/// 1, the protected header at 2 with its content of 24 bytes at 4, the unprotected one at 28, the payload at 29.
#[rustfmt::skip]
pub(crate) const PLACES: &[(usize, &[&str])] = &[
    (0, &[
        "text-empty", "text-prefix-lower", "text-prefix-unknown", "text-blank-before", "structure-empty",
        "structure-untagged", "structure-other-tag", "structure-long-tag",
    ]),
    (1, &[
        "structure-indefinite-array", "structure-three", "structure-five", "structure-long-array",
        "structure-huge-array", "structure-reserved",
    ]),
    (2, &["structure-header-long"]),
    (4, &["header-empty", "header-no-alg"]),
    (6, &["text-lower", "text-overflow-pair", "text-overflow-triple"]),
    (28, &[
        "structure-unprotected-entry", "structure-unprotected-indefinite", "structure-unprotected-long",
        "structure-unprotected-array",
    ]),
    (29, &[
        "structure-long-payload", "structure-chunked-payload", "structure-no-payload", "structure-text-payload",
        "structure-4-gib", "structure-16-eib",
    ]),
];

/// Whether the case is made in the suite.
pub(crate) fn is_in(suite: Suite, id: &str) -> bool {
    match id {
        "key-suite-gm" | "signature-empty-distid" => suite == Suite::Sm2Sm3,
        "signature-s-plus-order" | "signature-r-identity" => suite == Suite::Ed25519,
        _ => true,
    }
}

/// The offset in the suite: the algorithm's number takes five bytes in SM2 and one in the others, and the length of
/// the shorter header one byte instead of two.
pub(crate) const fn place_in(suite: Suite, at: usize) -> usize {
    match (suite, at) {
        (Suite::Sm2Sm3, _) | (_, 0..=27) => at,
        (_, 28..) => at - 5,
    }
}
