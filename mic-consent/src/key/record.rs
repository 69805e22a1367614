//! What an operator knows and trusts about a key.

use core::{fmt, ops::BitOr};

use chrono::{DateTime, Utc};

use super::{KeyId, PublicKey};
use crate::{
    claims::time::Moment,
    code::{InstitutionCode, IssuerCode, Province},
    suite::Suite,
};

/// Why a key, a record or a set of them is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are not a point of the curve.
    #[error("expected a point on the curve")]
    NotOnCurve,
    /// The point has small order and would accept signatures over anything.
    #[error("expected a point of large order")]
    SmallOrder,
    /// The point is not written in its one canonical form.
    #[error("expected the canonical form of the point")]
    NotCanonical,
    /// The secret number is outside its range.
    #[error("expected a secret number in the range of the suite")]
    SecretOutOfRange,
    /// The public key has the wrong length.
    #[error("expected a public key of {expected} bytes, found {found}")]
    Length {
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The distinguishing id is too long.
    #[error("expected a distinguishing id of at most 128 bytes, found {found}")]
    DistidTooLong {
        /// Bytes found.
        found: usize,
    },
    /// Only SM2 keys have a distinguishing id.
    #[error("expected no distinguishing id for a key of this suite")]
    DistidNotOfSuite,
    /// The suite was switched off when this program was built.
    #[error("the suite {suite} is not part of this build")]
    SuiteNotBuilt {
        /// The suite.
        suite: Suite,
    },
    /// The end of the validity is not after its beginning.
    #[error("expected a validity that ends after it begins")]
    EmptyValidity,
    /// No role is given.
    #[error("expected at least one role")]
    NoRole,
    /// One key may not both ask and grant: a hospital must not be able to consent for its patients.
    #[error("expected a key that does not both request and grant")]
    RolesConflict,
    /// A root signs key sets and nothing else. Who takes emergency access does not grant, say what is withdrawn,
    /// log or review; who logs does not review.
    #[error("expected a root alone, and no key that judges or records what it does itself")]
    RoleAlone,
    /// The roots do not fit together.
    #[error("expected roots of one owner and one suite, and a threshold from 1 to their number")]
    Roots,
    /// A requesting or emergency key belongs to an institution with a code of 12 characters.
    #[error("expected an institution code of 12 characters as the owner of a requesting key")]
    RequesterNotInstitution,
    /// The owner's code names another province than the record.
    #[error("expected an owner of province {expected}, found one of {found}")]
    ForeignProvince {
        /// The record's province.
        expected: Province,
        /// The province in the owner's code.
        found: Province,
    },
    /// Two different keys, or two records of one key, have this id.
    #[error("expected each key id once, found {key_id} again")]
    Collision {
        /// The id.
        key_id: KeyId,
    },
    /// The record states another id than its key has.
    #[error("expected key id {expected}, found {found} in the record")]
    KeyIdMismatch {
        /// The id worked out from the key.
        expected: KeyId,
        /// The id in the record.
        found: KeyId,
    },
    /// There is no key of this id in the set.
    #[error("expected a key of the set, found {key_id}")]
    NotInSet {
        /// The id.
        key_id: KeyId,
    },
    /// The tables of keys would take more memory than allowed.
    #[error("expected tables of at most {most} bytes in all")]
    TablesFull {
        /// The limit.
        most: usize,
    },
    /// There are too many keys.
    #[error("expected at most {most} keys in one set")]
    TooManyKeys {
        /// The limit.
        most: usize,
    },
    /// Too many organisations are suspended.
    #[error("expected at most {most} suspended organisations in one set")]
    TooManySuspended {
        /// The limit.
        most: usize,
    },
}

/// What a key may sign.
///
/// ```
/// use mic_consent::Role;
/// assert_eq!(Role::from_name("grant"), Some(Role::Grant));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// A hospital: requests and proofs of use.
    Request,
    /// A consent authority: grants.
    Grant,
    /// Status lists.
    Status,
    /// A hospital's emergency role: access without consent.
    Emergency,
    /// Receipts and checkpoints of the access log.
    Log,
    /// The platform's root: key sets.
    Root,
    /// A reviewer: verdicts on emergency access.
    Review,
    /// A body with the power of law: orders of access without consent.
    Order,
}

impl Role {
    /// All roles.
    pub const ALL: &'static [Self] = &[
        Self::Request,
        Self::Grant,
        Self::Status,
        Self::Emergency,
        Self::Log,
        Self::Root,
        Self::Review,
        Self::Order,
    ];

    /// The name in key records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Grant => "grant",
            Self::Status => "status",
            Self::Emergency => "emergency",
            Self::Log => "log",
            Self::Root => "root",
            Self::Review => "review",
            Self::Order => "order",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Grant => 2,
            Self::Status => 4,
            Self::Emergency => 8,
            Self::Log => 16,
            Self::Root => 32,
            Self::Review => 64,
            Self::Order => 128,
        }
    }
}

/// A set of roles.
///
/// ```
/// use mic_consent::{Role, Roles};
/// let roles = Roles::from(Role::Grant) | Role::Status.into();
/// assert!(roles.contains(Role::Status) && !roles.contains(Role::Request));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// Whether `role` is among them.
    #[must_use]
    pub const fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// The roles in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL
            .iter()
            .copied()
            .filter(move |role| self.contains(*role))
    }
}

impl Roles {
    /// The bits in a key set.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        match u8::try_from(bits) {
            Ok(bits @ 1..) => Some(Self(bits)),
            _ => None,
        }
    }
}

impl From<Role> for Roles {
    fn from(role: Role) -> Self {
        Self(role.bit())
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

impl BitOr for Roles {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The time in which a key may issue: from the first second, up to but without the last.
///
/// ```
/// use mic_consent::KeyValidity;
/// let day = |text: &str| chrono::DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
/// assert!(KeyValidity::new(day("2026-01-01T00:00:00Z")?, day("2027-01-01T00:00:00Z")?).is_ok());
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyValidity {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    /// The first whole seconds from these moments on, as times in tokens are compared with them.
    from_s: i64,
    until_s: i64,
}

impl KeyValidity {
    /// From `from` (included) to `until` (not included).
    ///
    /// # Errors
    /// `until` is not after `from`.
    pub fn new(from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Self, KeyError> {
        if until > from {
            let whole = |time: DateTime<Utc>| match time.timestamp_subsec_nanos() {
                0 => time.timestamp(),
                _ => time.timestamp() + 1,
            };
            Ok(Self {
                from,
                until,
                from_s: whole(from),
                until_s: whole(until),
            })
        } else {
            Err(KeyError::EmptyValidity)
        }
    }

    /// The first moment.
    #[must_use]
    pub const fn from(&self) -> DateTime<Utc> {
        self.from
    }

    /// The first moment after the end.
    #[must_use]
    pub const fn until(&self) -> DateTime<Utc> {
        self.until
    }

    /// Whether the key may issue at `time`.
    #[must_use]
    pub fn contains(&self, time: DateTime<Utc>) -> bool {
        self.from <= time && time < self.until
    }

    /// [`contains`](Self::contains) of a time in a token.
    pub(crate) fn has(&self, time: Moment) -> bool {
        (self.from_s..self.until_s).contains(&time.get())
    }
}

/// Whether a key may still be believed (CST-25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// It signs.
    Active,
    /// It signs no more; what it issued before `since` stays good.
    VerifyOnly {
        /// First moment at which it no longer signed.
        since: DateTime<Utc>,
    },
    /// Its owner is suspended: nothing it signed is accepted until this is lifted.
    Suspended,
    /// It was withdrawn for good.
    Revoked,
    /// Others may have it since then. Without a receipt that proves the age of a token, all are refused.
    Compromised {
        /// Earliest moment at which others may have had it.
        since: DateTime<Utc>,
    },
}

/// A public key with what its operator vouches for: owner, roles, province, validity, state.
///
/// A record is configuration that somebody decided to trust. With the feature `serde` it can be written and
/// read, for trust files that nodes exchange.
///
/// ```
/// use mic_consent::{Ed25519SigningKey, IssuerCode, KeyRecord, KeyValidity, Province, Role};
///
/// let key = Ed25519SigningKey::from_secret_bytes(&[1; 32])?; // a test key
/// let day = |text: &str| chrono::DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
/// let validity = KeyValidity::new(day("2026-01-01T00:00:00Z")?, day("2027-01-01T00:00:00Z")?)?;
/// let record = KeyRecord::new(
///     key.public_key().clone(), IssuerCode::new("H61010200001")?, Role::Request, validity,
/// )?.with_province(Province::new(61)?)?;
/// assert!(record.roles().contains(Role::Request));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    key: PublicKey,
    organisation: IssuerCode,
    roles: Roles,
    province: Option<Province>,
    validity: KeyValidity,
    state: KeyState,
}

impl KeyRecord {
    /// An active record without a province, that is, of national reach.
    ///
    /// # Errors
    /// No role; roles that one key may not have together ([`KeyError::RolesConflict`],
    /// [`KeyError::RoleAlone`]); a requesting key whose owner is no institution.
    pub fn new(
        key: PublicKey,
        organisation: IssuerCode,
        roles: impl Into<Roles>,
        validity: KeyValidity,
    ) -> Result<Self, KeyError> {
        let roles = roles.into();
        if roles.0 == 0 {
            return Err(KeyError::NoRole);
        }
        if roles.contains(Role::Request) && roles.contains(Role::Grant) {
            return Err(KeyError::RolesConflict);
        }
        let alone = [Role::Root, Role::Order]
            .into_iter()
            .all(|role| !roles.contains(role) || roles == role.into());
        let both = |one: Role, other: Role| roles.contains(one) && roles.contains(other);
        let apart = [Role::Grant, Role::Status, Role::Log, Role::Review]
            .iter()
            .all(|role| !both(Role::Emergency, *role))
            && !both(Role::Log, Role::Review);
        if !alone || !apart {
            return Err(KeyError::RoleAlone);
        }
        if (roles.contains(Role::Request) || roles.contains(Role::Emergency))
            && InstitutionCode::new(organisation.as_str()).is_err()
        {
            return Err(KeyError::RequesterNotInstitution);
        }
        Ok(Self {
            key,
            organisation,
            roles,
            province: None,
            validity,
            state: KeyState::Active,
        })
    }

    /// Confines the key to one province: a granting key may then open only archives of that province, a
    /// hospital's code must name it (CST-26).
    ///
    /// # Errors
    /// The owner's code names another province.
    pub fn with_province(mut self, province: Province) -> Result<Self, KeyError> {
        if let Some(found) = self
            .organisation
            .province()
            .filter(|found| *found != province)
        {
            return Err(KeyError::ForeignProvince {
                expected: province,
                found,
            });
        }
        self.province = Some(province);
        Ok(self)
    }

    /// The same record in another state.
    #[must_use]
    pub const fn with_state(mut self, state: KeyState) -> Self {
        self.state = state;
        self
    }

    /// The key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The id of the key.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key.key_id()
    }

    /// Whose key it is.
    #[must_use]
    pub const fn organisation(&self) -> &IssuerCode {
        &self.organisation
    }

    /// What it may sign.
    #[must_use]
    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// The province it is confined to.
    #[must_use]
    pub const fn province(&self) -> Option<Province> {
        self.province
    }

    /// When it may issue.
    #[must_use]
    pub const fn validity(&self) -> &KeyValidity {
        &self.validity
    }

    /// Its state.
    #[must_use]
    pub const fn state(&self) -> KeyState {
        self.state
    }
}
