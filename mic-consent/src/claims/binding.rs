//! Ids and salted commitments: how a token is about a person and records without naming them (CST-35 to
//! CST-38).

use core::fmt;

use zeroize::Zeroize;

use crate::{limits::KEY_BYTES_MAX, suite::Suite};

macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Takes the bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::hex::write(f, &self.0)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

pub(crate) use fixed_bytes;

fixed_bytes! {
    /// The id of a grant (cti): 16 random bytes from the caller; the key for status, replay and receipts.
    ///
    /// ```
    /// assert_eq!(mic_consent::GrantId::from_bytes([0; 16]).to_string().len(), 32);
    /// ```
    GrantId, 16
}

fixed_bytes! {
    /// The nonce of a request: 16 random bytes from the caller. A grant repeats it.
    ///
    /// ```
    /// assert_eq!(mic_consent::RequestNonce::from_bytes([9; 16]).as_bytes(), &[9; 16]);
    /// ```
    RequestNonce, 16
}

fixed_bytes! {
    /// The id of a proof of use: 16 random bytes from the caller, accepted once by each node.
    ///
    /// ```
    /// assert_eq!(mic_consent::ProofId::from_bytes([9; 16]).as_bytes(), &[9; 16]);
    /// ```
    ProofId, 16
}

fixed_bytes! {
    /// The handle of an offer: 16 random bytes from the authority, taken once.
    ///
    /// ```
    /// assert_eq!(mic_consent::OfferId::from_bytes([9; 16]).as_bytes(), &[9; 16]);
    /// ```
    OfferId, 16
}

fixed_bytes! {
    /// The salted commitment to the patient in a grant.
    ///
    /// ```
    /// use mic_consent::{Opening, SubjectCommitment, Suite};
    /// let person = b"made-up person code";
    /// let one = SubjectCommitment::new(Suite::Sm2Sm3, &Opening::from_bytes([1; 32]), person);
    /// let two = SubjectCommitment::new(Suite::Sm2Sm3, &Opening::from_bytes([2; 32]), person);
    /// assert_ne!(one, two); // two grants of one person cannot be linked
    /// ```
    SubjectCommitment, 16
}

fixed_bytes! {
    /// The digest of an opening in an emergency access or an order, whose opening the asking side draws itself:
    /// all 32 bytes, so that nobody finds two openings with one digest.
    ///
    /// ```
    /// use mic_consent::{Opening, OpeningDigest, Suite};
    /// let one = OpeningDigest::new(Suite::Sm2Sm3, &Opening::from_bytes([1; 32]));
    /// assert_ne!(one, OpeningDigest::new(Suite::Sm2Sm3, &Opening::from_bytes([2; 32])));
    /// ```
    OpeningDigest, 32
}

fixed_bytes! {
    /// The salted commitment to one exam record in a scope. Ten bytes: the salt is drawn after the patient
    /// chose, so an attacker needs a second preimage, 2^80 work, not a collision.
    ///
    /// ```
    /// use mic_consent::{Opening, RecordCommitment, Suite};
    /// let opening = Opening::from_bytes([1; 32]);
    /// assert!(RecordCommitment::new(Suite::Sm2Sm3, &opening, b"code and study UID").is_ok());
    /// ```
    RecordCommitment, 10
}

fixed_bytes! {
    /// The salted commitment to a guardian.
    ///
    /// ```
    /// assert_eq!(mic_consent::GuardianCommitment::from_bytes([0; 8]).as_bytes().len(), 8);
    /// ```
    GuardianCommitment, 8
}

fixed_bytes! {
    /// The hidden name of a record in a proof of use and in receipts: the whole 32 bytes of its commitment.
    ///
    /// ```
    /// use mic_consent::{HiddenRecord, Opening, Suite};
    /// let opening = Opening::from_bytes([1; 32]);
    /// assert!(HiddenRecord::new(Suite::Sm2Sm3, &opening, b"code and study UID").is_ok());
    /// ```
    HiddenRecord, 32
}

fixed_bytes! {
    /// The digest of the instrument that an order stands on: a subpoena, a decision, a notice of inspection.
    ///
    /// ```
    /// use mic_consent::{InstrumentDigest, Suite};
    /// let one = InstrumentDigest::new(Suite::Sm2Sm3, "（虚构）0001号", b"the document");
    /// assert_ne!(one, InstrumentDigest::new(Suite::Sm2Sm3, "（虚构）0002号", b"the document"));
    /// ```
    InstrumentDigest, 32
}

fixed_bytes! {
    /// The hash of the exact notice (告知书) that the person saw, in the suite's hash, cut to 16 bytes.
    ///
    /// ```
    /// use mic_consent::{NoticeHash, Suite};
    /// let shown = NoticeHash::new(Suite::Sm2Sm3, "zh-CN", "告知书全文（虚构）").unwrap();
    /// assert_ne!(Some(shown), NoticeHash::new(Suite::Sm2Sm3, "zh-CN", "另一份").ok());
    /// ```
    NoticeHash, 16
}

/// Why nothing could be committed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The caller's bytes are empty or too long.
    #[error("expected 1 to 256 bytes of a person or record key, found {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// The suite was switched off when this program was built.
    #[error("the suite {suite} is not part of this build")]
    SuiteNotBuilt {
        /// The suite.
        suite: Suite,
    },
}

/// The two salts that open a grant's commitments: 16 bytes for persons, 16 for records. The authority draws
/// them, the hospital gets them by the back channel and shows them to the nodes; they are in no QR code.
///
/// The commitment to the patient is made with both, so the authority's signature binds both: whoever presents
/// another salt for the records has another patient (CST-35).
///
/// `Debug` does not show them; they are wiped on drop.
///
/// ```
/// use mic_consent::Opening;
/// let opening = Opening::from_bytes([3; 32]); // random bytes in earnest
/// assert_eq!(format!("{opening:?}"), "Opening(..)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    subject_salt: [u8; 16],
    record_salt: [u8; 16],
}

impl Opening {
    /// Takes both salts: 32 random bytes from the caller.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut opening = Self {
            subject_salt: [0; 16],
            record_salt: [0; 16],
        };
        let salts = opening
            .subject_salt
            .iter_mut()
            .chain(&mut opening.record_salt);
        for (to, from) in salts.zip(bytes) {
            *to = from;
        }
        opening
    }

    /// Both salts, for the back channel.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (to, from) in bytes
            .iter_mut()
            .zip(self.subject_salt.iter().chain(&self.record_salt))
        {
            *to = *from;
        }
        bytes
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.subject_salt.zeroize();
        self.record_salt.zeroize();
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening(..)")
    }
}

const OPENING_LABEL: &[u8] = b"mic-consent/1/opn";
const SUBJECT_LABEL: &[u8] = b"mic-consent/1/sub";
const RECORD_LABEL: &[u8] = b"mic-consent/1/rec";
const GUARDIAN_LABEL: &[u8] = b"mic-consent/1/grd";
const NOTICE_LABEL: &[u8] = b"mic-consent/1/ntc";
const GRANT_LABEL: &[u8] = b"mic-consent/1/gra";
const NARROWED_LABEL: &[u8] = b"mic-consent/1/nar";
const EMERGENCY_LABEL: &[u8] = b"mic-consent/1/emg";
const ORDER_LABEL: &[u8] = b"mic-consent/1/ord";
const INSTRUMENT_LABEL: &[u8] = b"mic-consent/1/ins";
const KEY_SET_LABEL: &[u8] = b"mic-consent/1/set";

impl SubjectCommitment {
    /// Commits to the caller's person bytes, such as the person management code (人员管理码), and to both salts.
    ///
    /// # Errors
    /// The bytes are empty or longer than 256; the suite is not built in.
    pub fn new(suite: Suite, opening: &Opening, person: &[u8]) -> Result<Self, CommitError> {
        // The salt of the records as well: it hides what a receipt names, and must be one for all nodes.
        let Opening {
            subject_salt,
            record_salt,
        } = opening;
        let parts: [&[u8]; 4] = [SUBJECT_LABEL, subject_salt, record_salt, person];
        commit(suite, person, &parts).map(|hash| Self(cut(hash)))
    }
}

impl OpeningDigest {
    /// The digest of both salts.
    ///
    /// # Errors
    /// The suite is not built in.
    pub fn new(suite: Suite, opening: &Opening) -> Result<Self, CommitError> {
        suite
            .hash(&[OPENING_LABEL, &opening.subject_salt, &opening.record_salt])
            .map(Self)
            .ok_or(CommitError::SuiteNotBuilt { suite })
    }
}

impl GuardianCommitment {
    /// Commits to the guardian's person bytes.
    ///
    /// # Errors
    /// The bytes are empty or longer than 256; the suite is not built in.
    pub fn new(suite: Suite, opening: &Opening, person: &[u8]) -> Result<Self, CommitError> {
        let parts: [&[u8]; 3] = [GUARDIAN_LABEL, &opening.subject_salt, person];
        commit(suite, person, &parts).map(|hash| Self(cut(hash)))
    }
}

impl RecordCommitment {
    /// Commits to the caller's record key: index code and StudyInstanceUID as one byte string, so that a
    /// study that collides with another in its code is not opened along.
    ///
    /// # Errors
    /// The bytes are empty or longer than 256; the suite is not built in.
    pub fn new(suite: Suite, opening: &Opening, record_key: &[u8]) -> Result<Self, CommitError> {
        HiddenRecord::new(suite, opening, record_key).map(|hidden| hidden.commitment())
    }
}

impl HiddenRecord {
    /// Hides the caller's record key (CST-36).
    ///
    /// # Errors
    /// The bytes are empty or longer than 256; the suite is not built in.
    pub fn new(suite: Suite, opening: &Opening, record_key: &[u8]) -> Result<Self, CommitError> {
        let parts: [&[u8]; 3] = [RECORD_LABEL, &opening.record_salt, record_key];
        commit(suite, record_key, &parts).map(Self)
    }

    /// The commitment to the same record in a scope.
    #[must_use]
    pub fn commitment(&self) -> RecordCommitment {
        RecordCommitment(cut(self.0))
    }
}

impl NoticeHash {
    /// Hashes the language tag and the exact text of a notice.
    ///
    /// # Errors
    /// The suite is not built in.
    pub fn new(suite: Suite, language: &str, notice: &str) -> Result<Self, CommitError> {
        // The length keeps language and text apart.
        let length = (language.len() as u64).to_be_bytes();
        suite
            .hash(&[
                NOTICE_LABEL,
                &length,
                language.as_bytes(),
                notice.as_bytes(),
            ])
            .map(|hash| Self(cut(hash)))
            .ok_or(CommitError::SuiteNotBuilt { suite })
    }
}

impl InstrumentDigest {
    /// Hashes the number and the whole document of an instrument. The document keeps a number that can be guessed
    /// from being tried (CST-141).
    ///
    /// # Errors
    /// The suite is not built in.
    pub fn new(suite: Suite, number: &str, document: &[u8]) -> Result<Self, CommitError> {
        let length = (number.len() as u64).to_be_bytes();
        suite
            .hash(&[INSTRUMENT_LABEL, &length, number.as_bytes(), document])
            .map(Self)
            .ok_or(CommitError::SuiteNotBuilt { suite })
    }
}

/// The digest of a grant's claims that a proof of use names (CST-37). It covers the payload and not the signature, so
/// that another valid signature over the same claims is the same grant.
pub(crate) fn grant_digest(suite: Suite, payload: &[u8]) -> Option<[u8; 32]> {
    suite.hash(&[GRANT_LABEL, payload])
}

/// The digest of a narrowed grant's claims, which its proofs and further narrowings name.
pub(crate) fn narrowed_digest(suite: Suite, payload: &[u8]) -> Option<[u8; 32]> {
    suite.hash(&[NARROWED_LABEL, payload])
}

/// The digest of an emergency access's claims, which its proofs name (CST-103).
pub(crate) fn emergency_digest(suite: Suite, payload: &[u8]) -> Option<[u8; 32]> {
    suite.hash(&[EMERGENCY_LABEL, payload])
}

/// The digest of an order's claims, which its proofs name (CST-142).
pub(crate) fn order_digest(suite: Suite, payload: &[u8]) -> Option<[u8; 32]> {
    suite.hash(&[ORDER_LABEL, payload])
}

/// The digest of a key set's claims, which the next set names.
pub(crate) fn key_set_digest(suite: Suite, payload: &[u8]) -> Option<[u8; 32]> {
    suite.hash(&[KEY_SET_LABEL, payload])
}

/// Hashes `parts`, of which the caller's `key` is the last. What stands before it has one length for each label,
/// so the parts cannot run into each other.
fn commit(suite: Suite, key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], CommitError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(CommitError::Length { found: key.len() });
    }
    suite
        .hash(parts)
        .ok_or(CommitError::SuiteNotBuilt { suite })
}

fn cut<const N: usize>(hash: [u8; 32]) -> [u8; N] {
    let mut short = [0; N];
    for (to, from) in short.iter_mut().zip(hash) {
        *to = from;
    }
    short
}
