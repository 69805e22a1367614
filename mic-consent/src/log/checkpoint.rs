//! The checkpoint (`mic-h`): the signed head of a log, and the witness that saw it only grow (CST-128 to
//! CST-131).

use alloc::{collections::BTreeMap, vec::Vec};

use chrono::{DateTime, Utc};

use super::{ConsistencyProof, LogRoot, MerkleLog};
use crate::{
    claims::{
        fields, label, mic,
        outer::{Origin, record_claims},
        time::Moment,
    },
    code::{IssuerCode, Realm},
    denial::{Denial, Reason},
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyRecord,
    limits::LOG_HASHES_MAX,
    signer::{AsyncSigner, Signer},
    suite::Suite,
    token::{Live, TokenType, sealed},
};

/// The type of a checkpoint token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checkpoint {}

/// What a checkpoint says: whose log, how large, which root. Signed by the log's owner it is the head; signed by
/// another organisation it says that this one saw the same.
///
/// ```
/// fn line(head: &mic_consent::CheckpointClaims) -> String {
///     format!("{} has {} entries, root {}", head.log(), head.size(), head.root())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointClaims {
    origin: Origin,
    log: IssuerCode,
    size: u64,
    root: LogRoot,
}

impl CheckpointClaims {
    /// The owner of the log.
    #[must_use]
    pub const fn log(&self) -> &IssuerCode {
        &self.log
    }

    /// How many entries it has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Its root.
    #[must_use]
    pub const fn root(&self) -> &LogRoot {
        &self.root
    }

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        private.key(mic::NODE).text(self.log.as_str());
        private.key(mic::SIZE).uint(self.size);
        private.key(mic::ROOT).bytes(self.root.as_bytes());
        let mut claims = self.origin.write()?;
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

record_claims!(CheckpointClaims);

impl sealed::Rules for CheckpointClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let origin = Origin::read(&mut claims)?;
        let mut private = fields::private_map(&mut claims)?;
        let log = fields::issuer(private.need(mic::NODE, Reason::MissingClaim)?)?;
        let size = private.need(mic::SIZE, Reason::MissingClaim)?.take_as(
            crate::cbor::read::uint,
            |size| {
                if size <= 1 << LOG_HASHES_MAX {
                    Ok(size)
                } else {
                    Err(Reason::TooMany)
                }
            },
        )?;
        let root = fields::fixed(&mut private, mic::ROOT).map(LogRoot::from_bytes)?;
        fields::end(claims, private)?;
        Ok(Self {
            origin,
            log,
            size,
            root,
        })
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        Ok(())
    }
}

/// A checkpoint being made.
///
/// ```
/// use mic_consent::*;
///
/// let key = Sm2SigningKey::from_secret_bytes(&[7; 32])?; // a test key
/// let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let mut log = MerkleLog::new(Suite::Sm2Sm3)?;
/// log.append(b"a receipt's payload")?;
/// let archive = IssuerCode::new("ARCHIVE61")?;
/// let head = CheckpointDraft::head_of(&log, archive, Realm::new("mic.cn")?).sign(&key, archive, now)?;
/// assert_eq!(head.token_type(), TokenType::Checkpoint);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CheckpointDraft {
    realm: Realm,
    log: IssuerCode,
    size: u64,
    root: LogRoot,
    /// The suite whose hash made the root.
    suite: Suite,
}

impl CheckpointDraft {
    /// The head of `log`, which belongs to `owner`.
    #[must_use]
    pub fn head_of(log: &MerkleLog, owner: IssuerCode, realm: Realm) -> Self {
        Self {
            realm,
            log: owner,
            size: log.len(),
            root: log.root(),
            suite: log.suite(),
        }
    }

    /// Signs it with a log key, `issuer` being its owner: the log's own, or the witness.
    ///
    /// # Errors
    /// A signer of another suite than the log's hash; a failing signer.
    pub fn sign(
        &self,
        signer: &dyn Signer,
        issuer: IssuerCode,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(signer.suite(), issuer, now)?;
        seal(TokenType::Checkpoint, &payload, signer)
    }

    /// The same with a signer that is waited for. The claims are settled before the wait.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_async(
        &self,
        signer: &impl AsyncSigner,
        issuer: IssuerCode,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(signer.suite(), issuer, now)?;
        seal_async(TokenType::Checkpoint, &payload, signer).await
    }

    fn payload(
        &self,
        suite: Suite,
        issuer: IssuerCode,
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, IssueError> {
        if suite != self.suite {
            return Err(IssueError::OtherSuite {
                expected: self.suite,
                found: suite,
            });
        }
        let claims = CheckpointClaims {
            origin: Origin {
                issuer,
                realm: self.realm,
                issued_at: Moment::of(now)?,
            },
            log: self.log,
            size: self.size,
            root: self.root,
        };
        Ok(claims.encode()?)
    }
}

/// What a witness has seen of other organisations' logs. It countersigns a head only when the log merely grew:
/// so a log cannot show one history to the insurer and another to the patient.
///
/// ```
/// # use mic_consent::*;
/// # fn scene(head: &Live<Checkpoint>, grew: &ConsistencyProof, key: &dyn Signer, now: chrono::DateTime<chrono::Utc>)
/// #     -> Result<(), Box<dyn core::error::Error>> {
/// let mut witness = Witness::new();
/// let agreed = witness.agree(head, Some(grew))?; // a proof is not needed for the first head
/// let countersigned = agreed.sign(key, IssuerCode::new("INSURER61")?, now)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Witness {
    seen: BTreeMap<IssuerCode, (Suite, u64, LogRoot)>,
}

impl Witness {
    /// Has seen nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            seen: BTreeMap::new(),
        }
    }

    /// Has seen this head of a log, kept from before. The largest of one log counts.
    ///
    /// A witness that is given none of its heads after a restart agrees to any: keep them.
    ///
    /// # Errors
    /// A head that its owner did not sign ([`Reason::OtherLog`]); one of the size of another that was seen, with
    /// another root or in another suite ([`Reason::LogRewritten`]).
    pub fn with_seen(mut self, head: &Live<Checkpoint>) -> Result<Self, Denial> {
        let claims = head.claims();
        if claims.issuer() != claims.log() {
            return Err(Reason::OtherLog.into());
        }
        let new = (head.suite(), claims.size, claims.root);
        let seen = self.seen.entry(claims.log).or_insert(new);
        if seen.0 != new.0 || (seen.1 == new.1 && seen.2 != new.2) {
            return Err(Reason::LogRewritten.into());
        }
        if new.1 > seen.1 {
            *seen = new;
        }
        Ok(self)
    }

    /// Agrees to a head, remembers it, and gives what is to be countersigned.
    ///
    /// # Errors
    /// A head that its owner did not sign ([`Reason::OtherLog`]); one that is smaller than one seen
    /// ([`Reason::OlderThanSeen`]); one that is not shown to continue it ([`Reason::LogRewritten`]).
    pub fn agree(
        &mut self,
        head: &Live<Checkpoint>,
        grew: Option<&ConsistencyProof>,
    ) -> Result<CheckpointDraft, Denial> {
        let claims = head.claims();
        // The head is what the log's owner signed (CST-129).
        if claims.issuer() != claims.log() {
            return Err(Reason::OtherLog.into());
        }
        let suite = head.suite();
        if let Some((seen_suite, size, root)) = self.seen.get(&claims.log) {
            if claims.size < *size {
                return Err(Reason::OlderThanSeen.into());
            }
            if suite != *seen_suite {
                return Err(Reason::LogRewritten.into());
            }
            if claims.size == *size {
                if claims.root != *root {
                    return Err(Reason::LogRewritten.into());
                }
            } else {
                let grew = grew.ok_or(Reason::LogRewritten)?;
                if (grew.older(), grew.newer()) != (*size, claims.size) {
                    return Err(Reason::LogProofShape.into());
                }
                grew.verify(suite, root, &claims.root)?;
            }
        }
        self.seen
            .insert(claims.log, (suite, claims.size, claims.root));
        Ok(CheckpointDraft {
            realm: *claims.realm(),
            log: claims.log,
            size: claims.size,
            root: claims.root,
            suite,
        })
    }
}

/// Whether `witness` says the same as `head`, being signed by another organisation (CST-131).
///
/// # Errors
/// It does not.
///
/// ```
/// use mic_consent::{Checkpoint, Live, witnessed};
/// fn believed(head: &Live<Checkpoint>, witness: &Live<Checkpoint>) -> bool {
///     witnessed(head, witness).is_ok()
/// }
/// ```
pub fn witnessed(head: &Live<Checkpoint>, witness: &Live<Checkpoint>) -> Result<(), Denial> {
    let (own, other) = (head.claims(), witness.claims());
    let same = (own.log, own.size, own.root) == (other.log, other.size, other.root)
        && head.suite() == witness.suite();
    let apart = own.issuer() == own.log() && other.issuer() != own.issuer();
    if same && apart && head.key_id() != witness.key_id() {
        Ok(())
    } else {
        Err(Reason::NotWitnessed.into())
    }
}
