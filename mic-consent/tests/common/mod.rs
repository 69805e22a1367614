//! A small world for the tests: keys, a realm, a clock, one request and its grant. All of it is made up.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot be set up should fail"
)]

pub(crate) mod raw;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mic_consent::*;

/// The moment of the tests: 2026-11-18T09:06:40Z.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_794_992_800, 0).unwrap()
}

pub(crate) fn after(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

pub(crate) fn hospital_code() -> InstitutionCode {
    InstitutionCode::new("H11010500001").unwrap()
}

pub(crate) fn authority_code() -> IssuerCode {
    IssuerCode::new("CONSENT01").unwrap()
}

pub(crate) fn realm() -> Realm {
    Realm::new("mic.cn").unwrap()
}

pub(crate) const PERSON: &[u8] = b"TEST-PERSON-0001";
pub(crate) const RECORD: &[u8] = b"TEST-INDEX-CODE-0001/1.2.826.0.1.3680043.10.1.1";
pub(crate) const OTHER_RECORD: &[u8] = b"TEST-INDEX-CODE-0001/1.2.826.0.1.3680043.10.1.2";

pub(crate) fn opening() -> Opening {
    Opening::from_bytes([0x5a; 32])
}

pub(crate) fn nonce() -> RequestNonce {
    RequestNonce::from_bytes([0x11; 16])
}

pub(crate) fn validity() -> KeyValidity {
    KeyValidity::new(after(-86_400), after(365 * 86_400)).unwrap()
}

/// Test keys of one suite.
pub(crate) struct Keys {
    pub(crate) hospital: Box<dyn Signer>,
    pub(crate) authority: Box<dyn Signer>,
    pub(crate) hospital_key: PublicKey,
    pub(crate) authority_key: PublicKey,
}

pub(crate) fn keys(suite: Suite) -> Keys {
    match suite {
        Suite::Sm2Sm3 => {
            let hospital = Sm2SigningKey::from_secret_bytes(&[0x21; 32]).unwrap();
            let authority = Sm2SigningKey::from_secret_bytes(&[0x22; 32]).unwrap();
            let (hospital_key, authority_key) = (
                hospital.public_key().clone(),
                authority.public_key().clone(),
            );
            Keys {
                hospital: Box::new(hospital),
                authority: Box::new(authority),
                hospital_key,
                authority_key,
            }
        }
        Suite::Ed25519 => {
            let hospital = Ed25519SigningKey::from_secret_bytes(&[0x31; 32]).unwrap();
            let authority = Ed25519SigningKey::from_secret_bytes(&[0x32; 32]).unwrap();
            let (hospital_key, authority_key) = (
                hospital.public_key().clone(),
                authority.public_key().clone(),
            );
            Keys {
                hospital: Box::new(hospital),
                authority: Box::new(authority),
                hospital_key,
                authority_key,
            }
        }
        Suite::Esp256 => {
            let hospital = Es256SigningKey::from_secret_bytes(&[0x41; 32]).unwrap();
            let authority = Es256SigningKey::from_secret_bytes(&[0x42; 32]).unwrap();
            let (hospital_key, authority_key) = (
                hospital.public_key().clone(),
                authority.public_key().clone(),
            );
            Keys {
                hospital: Box::new(hospital),
                authority: Box::new(authority),
                hospital_key,
                authority_key,
            }
        }
        other => panic!("no test keys for {other}"),
    }
}

impl Keys {
    pub(crate) fn hospital_record(&self) -> KeyRecord {
        KeyRecord::new(
            self.hospital_key.clone(),
            hospital_code().into(),
            Role::Request,
            validity(),
        )
        .unwrap()
    }

    pub(crate) fn authority_record(&self) -> KeyRecord {
        KeyRecord::new(
            self.authority_key.clone(),
            authority_code(),
            Role::Grant,
            validity(),
        )
        .unwrap()
    }

    pub(crate) fn ring(&self) -> KeyRing {
        KeyRing::from_records([self.hospital_record(), self.authority_record()]).unwrap()
    }
}

pub(crate) fn policy() -> Policy {
    Policy::new(realm(), AcceptedSuites::Both)
}

/// Says the same of every grant.
pub(crate) struct Always(pub(crate) Status);

impl StatusSource for Always {
    fn status(&self, _: &KeyId, _: StatusRef, _: DateTime<Utc>) -> Status {
        self.0
    }
}

pub(crate) fn ct_scope() -> Scope {
    let first = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
    let last = NaiveDate::from_ymd_opt(2026, 11, 18).unwrap();
    let filter = ScopeFilter::new().with_days(first, last).unwrap();
    let filter = filter
        .with_modalities([Modality::new("CT").unwrap(), Modality::new("MR").unwrap()])
        .unwrap();
    Scope::filtered(filter).unwrap()
}

pub(crate) fn facts() -> RecordFacts {
    let day = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
    RecordFacts::new(day, Province::new(61).unwrap()).with_modality(Modality::new("CT").unwrap())
}

pub(crate) fn request_draft(scope: Scope) -> RequestDraft {
    RequestDraft::new(
        realm(),
        hospital_code(),
        Purpose::Treatment,
        Rights::LIST | Rights::VIEW,
        scope,
    )
}

pub(crate) fn request(keys: &Keys, scope: Scope) -> Encoded {
    request_draft(scope)
        .sign(keys.hospital.as_ref(), nonce(), now())
        .unwrap()
}

pub(crate) fn live_request(keys: &Keys, scope: Scope) -> Live<Request> {
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    request(keys, scope)
        .untrusted::<Request>()
        .unwrap()
        .verify(&checker)
        .unwrap()
        .live(&checker, now())
        .unwrap()
}

pub(crate) fn notice(suite: Suite) -> NoticeHash {
    NoticeHash::new(suite, "zh-CN", "告知书（测试用，虚构）").unwrap()
}

pub(crate) fn grant_draft(keys: &Keys, scope: Scope) -> GrantDraft {
    GrantDraft::answering(&live_request(keys, scope))
        .with_issuer(authority_code())
        .with_subject(PERSON, &opening())
        .with_status(StatusRef::new(3, 70_001))
        .with_notice(notice(keys.authority.suite()))
        .with_person_check(PersonCheck::Face)
        .with_separate_consent(SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER)
}

pub(crate) fn grant(keys: &Keys, scope: Scope) -> Encoded {
    grant_draft(keys, scope)
        .sign(
            keys.authority.as_ref(),
            GrantId::from_bytes([0x77; 16]),
            now(),
        )
        .unwrap()
}

pub(crate) fn live_grant(keys: &Keys, token: Encoded) -> Live<Grant> {
    let (ring, policy) = (keys.ring(), policy());
    let checker = Checker::new(&ring, &policy);
    let signed = token
        .untrusted::<Grant>()
        .unwrap()
        .verify(&checker)
        .unwrap();
    signed
        .live(&checker, now(), &Always(Status::Valid))
        .unwrap()
}

pub(crate) fn archive() -> Place {
    Place::province(
        Province::new(61).unwrap(),
        IssuerCode::new("ARCHIVE61").unwrap(),
    )
}

pub(crate) fn index() -> Place {
    Place::nation(IssuerCode::new("INDEX00").unwrap())
}
