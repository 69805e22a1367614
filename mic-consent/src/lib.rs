//! Patient consent by QR code for cross-province imaging (医保影像云扫码授权): signed requests and grants,
//! checked offline by whoever holds the trusted keys.
//!
//! A hospital signs a *request* and shows it as a QR code; the patient scans it; a consent authority signs a
//! *grant*; the hospital *proves* each use; the national index and the archives check all of it without
//! asking anybody, and get a [`Permit`] for exactly one action.
//!
//! It is **not** a certified commercial-cryptography module (商用密码产品), and using it does not pass a
//! cryptography assessment: where one is required, put a certified module behind [`Signer`] and
//! [`RawVerify`]. It is no policy language, no identity service, and no store.
//!
//! ```
//! use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
//! use mic_consent::*;
//!
//! // A node's copy of one status list: whose it is, its number, how long it is good, what was withdrawn.
//! struct StatusList { issuer: KeyId, list: u32, good_until: DateTime<Utc>, withdrawn: Vec<u32> }
//! impl StatusSource for StatusList {
//!     fn status(&self, issuer: &KeyId, place: StatusRef, now: DateTime<Utc>) -> Status {
//!         if *issuer != self.issuer || place.list() != self.list || now >= self.good_until {
//!             Status::Unknown // refused
//!         } else if self.withdrawn.contains(&place.index()) {
//!             Status::Withdrawn
//!         } else {
//!             Status::Valid
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
//! let realm = Realm::new("mic.cn")?;
//! let (hospital, authority) = (InstitutionCode::new("H11010500001")?, IssuerCode::new("CONSENT01")?);
//! let hospital_key = Sm2SigningKey::from_secret_bytes(&[1; 32])?; // test keys
//! let authority_key = Sm2SigningKey::from_secret_bytes(&[2; 32])?;
//! let year = KeyValidity::new(now - TimeDelta::days(1), now + TimeDelta::days(365))?;
//! let keys = KeyRing::from_records([
//!     KeyRecord::new(hospital_key.public_key().clone(), hospital.into(), Role::Request, year)?,
//!     KeyRecord::new(authority_key.public_key().clone(), authority, Role::Grant, year)?,
//! ])?;
//! let policy = Policy::new(realm, AcceptedSuites::GmOnly);
//! let checker = Checker::new(&keys, &policy);
//!
//! // The hospital asks; the random bytes are the caller's.
//! let nonce = RequestNonce::from_bytes([11; 16]);
//! let rights = Rights::LIST | Rights::VIEW;
//! let asked = RequestDraft::new(realm, hospital, Purpose::Treatment, rights, Scope::all())
//!     .sign(&hospital_key, nonce, now)?;
//! let qr_text = asked.to_text(); // MICQ1:...
//!
//! // The patient scans and agrees; the consent authority grants.
//! let request = Encoded::from_text(&qr_text)?.untrusted::<Request>()?.verify(&checker)?.live(&checker, now)?;
//! let opening = Opening::from_bytes([12; 32]);
//! let granted = GrantDraft::answering(&request)
//!     .with_issuer(authority)
//!     .with_subject(b"made-up person code", &opening)
//!     .with_status(StatusRef::new(1, 70_001))
//!     .with_notice(NoticeHash::new(Suite::Sm2Sm3, "zh-CN", "告知书全文（虚构）")?)
//!     .with_person_check(PersonCheck::Face)
//!     .with_separate_consent(SeparateConsent::needed(rights, PatientBand::Adult))
//!     .sign(&authority_key, GrantId::from_bytes([13; 16]), now)?;
//!
//! // The hospital checks it against its request and proves that it uses it, here and now.
//! let good_until = now + TimeDelta::minutes(5);
//! let statuses = StatusList { issuer: authority_key.key_id(), list: 1, good_until, withdrawn: vec![4] };
//! let checker = checker.with_status(&statuses); // looked at before each permit
//! let grant = granted.untrusted::<Grant>()?.verify(&checker)?.live(&checker, now, &statuses)?;
//! grant.answers(&nonce, &hospital_key.key_id())?;
//! let archive = Place::province(Province::new(61)?, IssuerCode::new("ARCHIVE61")?);
//! let record = b"index code / StudyInstanceUID";
//! let proof = ProofDraft::open(&grant, archive, record, &opening)?
//!     .sign(&hospital_key, ProofId::from_bytes([14; 16]), now)?;
//!
//! // The archive, holding grant, proof and opening, decides on one action.
//! let facts = RecordFacts::new(NaiveDate::from_ymd_opt(2026, 3, 9).unwrap(), Province::new(61)?);
//! let wanted = Use::open(&archive, b"made-up person code", record, facts);
//! let mut guard = MemoryGuard::with_capacity(100_000);
//! let permit = grant.permit(&checker, now, Presented::new(&proof, &opening), &wanted, &mut guard)?;
//! assert!(permit.opens(record));
//! drop(permit);
//!
//! // The same proof again is refused.
//! let again = grant.permit(&checker, now, Presented::new(&proof, &opening), &wanted, &mut guard);
//! assert_eq!(again.unwrap_err().reason(), Reason::ProofReplayed);
//! # Ok(())
//! # }
//! ```
//!
//! # The types to know
//!
//! | type | what it is | what it allows |
//! |---|---|---|
//! | [`Encoded`] | text or bytes in their one canonical form | to be passed on, to be drawn |
//! | [`Untrusted`] | a token of a known type | nothing; its claims cannot be read |
//! | [`Signed`] | signed by a trusted key in the right role | its claims can be read |
//! | [`Live`] | for this realm, in time, not withdrawn | grants to be made, proofs to be made |
//! | [`Permit`] | leave for exactly one action | to serve what it names |
//!
//! Around the grant: [`Offer`] and [`Refusal`]; [`NarrowedGrant`]; [`Withdrawal`], [`StatusList`],
//! [`StatusBook`] and [`KeptBook`]; [`Emergency`] and [`Review`]; [`Order`]; [`KeySet`] and [`TrustedKeys`]; [`Receipt`], [`MerkleLog`],
//! [`Checkpoint`] and [`Witness`]; [`LogAudit`] and [`Reconciliation`].
//!
//! Each arrow consumes the value before it and gives the next or a [`Denial`]. The keys are a [`KeyRing`] of
//! [`KeyRecord`]s, the demands a [`Policy`] without default; both together are a [`Checker`].
//!
//! # The contract
//!
//! - Time, randomness and storage are arguments. Ids, nonces and salts must be fresh random bytes of the
//!   caller; nothing here draws them.
//! - A key belongs to one [`Suite`]; the header of a token never chooses the algorithm, it must agree.
//! - Every grant has a place in a status list. Without a fresh answer from the [`StatusSource`] it is refused.
//! - A proof is accepted once by each [`ReplayGuard`]. Nodes that are offline cannot share one.
//! - Person and record keys are bytes of the caller and enter a token only as salted commitments; codes of
//!   organisations are all the text there is. `Debug` and errors show no person, record or secret.
//! - Everything that is read is bounded ([`limits`]); nothing is allocated for a token beyond its own bytes
//!   until its signature is checked (a status list or key set is copied once).
//! - A withdrawal acts with the next permit when the checker has a source of status
//!   ([`Checker::with_status`]); without one, when the look at the status has aged. A
//!   [`KeptBook`] remembers what was heard over a restart. `DESIGN.md` lists the known limits.
//!
//! # Errors
//!
//! Checking gives a [`Denial`]: a stable number, a fine [`Reason`] for the log, a coarse [`PublicClass`] for
//! the screen, the [`Step`] that failed, whose [`Fault`] it is, in English and Chinese. Making gives an
//! [`IssueError`], keys a [`KeyError`].
//!
//! # Features
//!
//! | feature | adds | pulls in |
//! |---|---|---|
//! | `std` (default) | the standard library in dependencies | |
//! | `gm` (default) | SM2 with SM3 | `sm2`, `sm3` |
//! | `ed25519` (default) | Ed25519 with SHA-256 | `ed25519-dalek`, `curve25519-dalek` |
//! | `es256` (default) | P-256 with SHA-256 (ESP256) | `p256` |
//! | `qr` (default) | [`QrPicture`]: PNG, SVG, terminal | `std`, `fast_qr`, `png` |
//! | `serde` | the exchange form of [`KeyRecord`]; tokens never deserialise | `serde` |
//! | `fhir` | `fhir`: export as FHIR `Consent` and `AuditEvent`, R4 and R5 | `serde` |
//!
//! Without `std` and `qr` the crate is `no_std` and needs `alloc`.
//!
//! # MSRV
//!
//! Rust 1.85; with `gm` or `es256` 1.87, which the arithmetic under `sm2` and `p256` asks for.
//!
//! # Specification and vectors
//!
//! `spec/token.md` (bytes, signing input, numbered steps and requirements), `spec/objects.md`,
//! `spec/fhir.md`, `spec/denials.md`, `spec/threats.md`, `spec/law.md`, `spec/token.cddl`, `spec/objects.cddl`, `spec/qr.abnf`; `vectors/*.json` can be run from any language. The requirements are cited as `CST-n`.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod base45;
mod cbor;
mod checker;
mod claims;
mod code;
mod cose;
mod denial;
mod emergency;
mod encoded;
#[cfg(feature = "fhir")]
pub mod fhir;
mod grant;
mod guard;
mod hex;
mod issue;
mod key;
pub mod limits;
mod log;
#[cfg(doctest)]
mod misuse;
mod narrow;
mod offer;
mod once;
mod order;
mod permit;
mod proof;
#[cfg(feature = "qr")]
mod qr;
mod reconcile;
mod refusal;
mod request;
mod signer;
mod status;
mod suite;
mod terms;
mod token;
mod withdrawal;

#[cfg(feature = "ed25519")]
pub use crate::key::Ed25519SigningKey;
#[cfg(feature = "es256")]
pub use crate::key::Es256SigningKey;
#[cfg(feature = "gm")]
pub use crate::key::{DEFAULT_DISTID, Sm2SigningKey};
#[cfg(feature = "qr")]
pub use crate::qr::{QrError, QrPicture};
pub use crate::{
    checker::{AcceptedSuites, Checker, Policy},
    claims::{
        binding::{
            CommitError, GrantId, GuardianCommitment, HiddenRecord, InstrumentDigest, NoticeHash,
            OfferId, Opening, OpeningDigest, ProofId, RecordCommitment, RequestNonce,
            SubjectCommitment,
        },
        person::{Guardian, GuardianEvidence, PatientBand, PersonCheck, Relation, SeparateConsent},
        purpose::{Purpose, Rights},
        scope::{ExamType, RecordFacts, Scope, ScopeError, ScopeFilter, ScopeKind},
    },
    code::{
        ArticleCode, BodyPart, CodeError, DepartmentCode, DoctorCode, InstitutionCode, IssuerCode,
        Modality, Province, ProvinceError, Realm,
    },
    denial::{Denial, Fault, PublicClass, Reason, Step},
    emergency::{Emergency, EmergencyClaims, EmergencyDraft, EmergencyReason, StaffRole},
    encoded::Encoded,
    grant::{Grant, GrantClaims, GrantDraft},
    guard::{
        Admission, GUARD_RECORD_BYTES, GuardStore, GuardStoreError, KeptGuard, MemoryGuard,
        ReplayGuard,
    },
    issue::IssueError,
    key::{
        BaseTables, KeyError, KeyId, KeyRecord, KeyRing, KeySet, KeySetClaims, KeySetDraft,
        KeySetMark, KeyState, KeyValidity, PreparedKey, PublicKey, Role, Roles, TrustedKeys,
    },
    log::{
        Checkpoint, CheckpointClaims, CheckpointDraft, ConsistencyProof, InclusionProof, LogAudit,
        LogGap, LogRoot, MerkleLog, Receipt, ReceiptClaims, ReceiptDraft, Review, ReviewClaims,
        ReviewDraft, Verdict, Witness, witnessed,
    },
    narrow::{NarrowDraft, Narrowed, NarrowedClaims, NarrowedGrant},
    offer::{Offer, OfferClaims, OfferDraft},
    order::{Order, OrderClaims, OrderDraft, StatutoryGround},
    permit::{Basis, Permit, Presented, Use},
    proof::{Action, Place, Proof, ProofClaims, ProofDraft},
    reconcile::{Finding, FindingKind, Reconciliation, ReconciliationReport, ScopeCount},
    refusal::{Refusal, RefusalClaims, RefusalDraft, RefusalReason},
    request::{Request, RequestClaims, RequestDraft},
    signer::{AsyncRawVerify, AsyncSigner, BadSignature, RawVerify, SignError, Signature, Signer},
    status::{
        BOOK_RECORD_BYTES, BookStore, BookStoreError, KeptBook, KnownStatus, Status, StatusBook,
        StatusList, StatusListClaims, StatusListDraft, StatusMark, StatusRef, StatusSource,
    },
    suite::Suite,
    terms::Terms,
    token::{Live, Signed, TokenKind, TokenType, Untrusted},
    withdrawal::{Effect, Withdrawal, WithdrawalClaims, WithdrawalDraft},
};

/// The README's code, run as a test.
#[cfg(all(doctest, feature = "gm", feature = "qr"))]
#[doc = include_str!("../README.md")]
mod readme {}
