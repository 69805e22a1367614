//! Patient consent by QR code for cross-province imaging.
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
mod encoded;
mod grant;
mod guard;
mod hex;
mod issue;
mod key;
pub mod limits;
mod permit;
mod proof;
#[cfg(feature = "qr")]
mod qr;
mod request;
mod signer;
mod status;
mod suite;
mod token;

#[cfg(feature = "ed25519")]
pub use crate::key::Ed25519SigningKey;
#[cfg(feature = "gm")]
pub use crate::key::{DEFAULT_DISTID, Sm2SigningKey};
#[cfg(feature = "qr")]
pub use crate::qr::{QrError, QrPicture};
pub use crate::{
    checker::{AcceptedSuites, Checker, Policy},
    claims::{
        binding::{
            CommitError, GrantId, GuardianCommitment, HiddenRecord, NoticeHash, Opening, ProofId,
            RecordCommitment, RequestNonce, SubjectCommitment,
        },
        person::{Guardian, GuardianEvidence, PatientBand, PersonCheck, Relation, SeparateConsent},
        purpose::{Purpose, Rights},
        scope::{ExamType, RecordFacts, Scope, ScopeError, ScopeFilter, ScopeKind},
    },
    code::{
        BodyPart, CodeError, DepartmentCode, DoctorCode, InstitutionCode, IssuerCode, Modality,
        Province, ProvinceError, Realm,
    },
    denial::{Denial, Fault, PublicClass, Reason, Step},
    encoded::Encoded,
    grant::{Grant, GrantClaims, GrantDraft},
    guard::{Admission, MemoryGuard, ReplayGuard},
    issue::IssueError,
    key::{KeyError, KeyId, KeyRecord, KeyRing, KeyState, KeyValidity, PublicKey, Role, Roles},
    permit::{Permit, Presented, Use},
    proof::{Action, Place, Proof, ProofClaims, ProofDraft},
    request::{Request, RequestClaims, RequestDraft},
    signer::{BadSignature, RawVerify, SignError, Signature, Signer},
    status::{Status, StatusRef, StatusSource},
    suite::Suite,
    token::{Live, Signed, TokenKind, TokenType, Untrusted},
};
