//! How a node comes to its keys: pinned roots, and the newest key set that enough of them signed (CST-113 to
//! CST-117).

use alloc::{collections::BTreeSet, vec::Vec};

use chrono::{DateTime, Utc};

use super::{KeyError, KeyRecord, KeyRing, KeySet, KeySetClaims, Role, set::digest};
use crate::{
    claims::time::between,
    denial::{Denial, Reason},
    limits::TABLE_BYTES_MAX,
    token::Live,
};

/// Pinned roots and the newest key set adopted under them.
///
/// ```
/// use mic_consent::*;
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// # let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// # let year = KeyValidity::new(now, now + chrono::TimeDelta::days(365))?;
/// # let (realm, owner) = (Realm::new("mic.cn")?, IssuerCode::new("ROOT00")?);
/// # let policy = Policy::new(realm, AcceptedSuites::GmOnly);
/// # let [one, two, three] = [[4; 32], [5; 32], [6; 32]].map(|secret| Sm2SigningKey::from_secret_bytes(&secret));
/// # let (one, two, three) = (one?, two?, three?); // test keys
/// # let root = |key: &Sm2SigningKey| KeyRecord::new(key.public_key().clone(), owner, Role::Root, year);
/// let roots = KeyRing::from_records([root(&one)?, root(&two)?, root(&three)?])?;
/// let mut trusted = TrustedKeys::new(roots, 2)?; // two of three
///
/// let draft = KeySetDraft::first(realm, owner, KeyRing::new());
/// let (by_one, by_three) = (draft.sign(&one, now)?, draft.sign(&three, now)?);
/// let checked = |set: &Encoded, trusted: &TrustedKeys| -> Result<Live<KeySet>, Denial> {
///     let checker = Checker::new(trusted.roots(), &policy);
///     Encoded::document_from_bytes(set.as_bytes())?.untrusted::<KeySet>()?.verify(&checker)?.live(&checker, now)
/// };
/// let sets = [checked(&by_one, &trusted)?, checked(&by_three, &trusted)?];
/// assert_eq!(trusted.adopt(&sets[..1]).unwrap_err().reason(), Reason::TooFewRoots);
/// trusted.adopt(&sets)?;
/// assert_eq!(trusted.version(), Some(1));
/// assert!(trusted.keys(now).is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TrustedKeys {
    roots: KeyRing,
    threshold: usize,
    floor: Option<KeySetMark>,
    /// Roles whose keys get their tables, in this set and in those to come.
    prepared: Vec<Role>,
    table_bytes_max: usize,
    current: Option<Adopted>,
}

/// Version and content of a key set that a node held, 36 bytes to keep over a restart.
///
/// ```
/// use mic_consent::KeySetMark;
/// let mark = KeySetMark::from_bytes([7; 36]);
/// assert_eq!(mark.to_bytes(), Some([7; 36]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySetMark {
    version: u32,
    digest: Option<[u8; 32]>,
}

impl KeySetMark {
    /// Takes what [`to_bytes`](Self::to_bytes) gave.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 36]) -> Self {
        let [a, b, c, d, rest @ ..] = bytes;
        Self {
            version: u32::from_be_bytes([a, b, c, d]),
            digest: Some(rest),
        }
    }

    /// The version, big endian, and the digest of the set; none for a bare version.
    #[must_use]
    pub fn to_bytes(&self) -> Option<[u8; 36]> {
        let digest = self.digest?;
        let mut bytes = [0; 36];
        let all = self.version.to_be_bytes().into_iter().chain(digest);
        for (to, from) in bytes.iter_mut().zip(all) {
            *to = from;
        }
        Some(bytes)
    }

    /// The version.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    fn admits(&self, claims: &KeySetClaims, digest: &[u8; 32]) -> Result<(), Reason> {
        if claims.version() < self.version {
            return Err(Reason::OlderThanSeen);
        }
        let Some(seen) = &self.digest else {
            return Ok(());
        };
        if claims.version() == self.version && digest != seen {
            return Err(Reason::ForkedVersion);
        }
        if claims.version() == self.version.saturating_add(1) && claims.previous() != Some(seen) {
            return Err(Reason::OtherPredecessor);
        }
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct Adopted {
    version: u32,
    digest: [u8; 32],
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    skew_s: i64,
    keys: KeyRing,
}

impl TrustedKeys {
    /// Trusts sets that `threshold` of these roots have signed.
    ///
    /// # Errors
    /// A key that is no root, roots of two owners or suites, a threshold of nought or beyond the roots.
    pub fn new(roots: KeyRing, threshold: usize) -> Result<Self, KeyError> {
        let alike = |one: &KeyRecord, other: &KeyRecord| {
            one.organisation() == other.organisation()
                && one.public_key().suite() == other.public_key().suite()
        };
        let fit = roots.iter().all(|record| {
            record.roles().contains(Role::Root)
                && roots
                    .iter()
                    .next()
                    .is_some_and(|first| alike(record, first))
        });
        if !fit || !(1..=roots.len()).contains(&threshold) {
            return Err(KeyError::Roots);
        }
        Ok(Self {
            roots,
            threshold,
            floor: None,
            prepared: Vec::new(),
            table_bytes_max: TABLE_BYTES_MAX,
            current: None,
        })
    }

    /// Refuses sets older than `version`, which was seen before the last restart. [`with_mark`](Self::with_mark)
    /// refuses another content of that version as well.
    #[must_use]
    pub const fn with_floor(mut self, version: u32) -> Self {
        self.floor = Some(KeySetMark {
            version,
            digest: None,
        });
        self
    }

    /// Refuses what does not follow the set with this mark, which was held before the last restart: an older
    /// version, another content of the same one, and a next one that does not name it (CST-114 to CST-116).
    #[must_use]
    pub const fn with_mark(mut self, mark: KeySetMark) -> Self {
        self.floor = Some(mark);
        self
    }

    /// Another bound on the memory of all tables of a set, in bytes, as [`KeyRing::with_table_bytes_max`]. It
    /// counts from the next call of [`prepare_role`](Self::prepare_role) and the next set on.
    #[must_use]
    pub const fn with_table_bytes_max(mut self, bytes: usize) -> Self {
        self.table_bytes_max = bytes;
        self
    }

    /// Prepares the keys of a role, as [`KeyRing::prepare_role`] does: those of the set held, and those of each
    /// set adopted from now on, so that an update does not slow a node down. Returns how many of the set held
    /// are prepared now. [`Role::Grant`] is the one that pays.
    ///
    /// Adopting a set then takes some 2 ms longer for each such key, and both sets are in memory meanwhile.
    ///
    /// ```
    /// use mic_consent::{Role, TrustedKeys};
    /// fn at_start(trusted: &mut TrustedKeys) {
    ///     trusted.prepare_role(Role::Grant); // before the first set is there
    /// }
    /// ```
    pub fn prepare_role(&mut self, role: Role) -> usize {
        if !self.prepared.contains(&role) {
            self.prepared.push(role);
        }
        let most = self.table_bytes_max;
        self.current.as_mut().map_or(0, |current| {
            current.keys.set_table_bytes_max(most);
            current.keys.prepare_role(role)
        })
    }

    /// The roots, to check key sets with and nothing else.
    #[must_use]
    pub const fn roots(&self) -> &KeyRing {
        &self.roots
    }

    /// Adopts the set that these documents state together, each signed by another root.
    ///
    /// # Errors
    /// Too few roots, or documents that differ ([`Reason::TooFewRoots`]); an older version than seen; another
    /// content of the version held; a set that does not name the one held before as its predecessor.
    pub fn adopt(&mut self, sets: &[Live<KeySet>]) -> Result<(), Denial> {
        let first = sets.first().ok_or(Reason::TooFewRoots)?;
        let signers: BTreeSet<_> = sets
            .iter()
            .filter(|set| {
                set.encoded().payload() == first.encoded().payload()
                    && set.is_signed_by(&self.roots)
            })
            .map(Live::key_id)
            .collect();
        if signers.len() < self.threshold {
            return Err(Reason::TooFewRoots.into());
        }
        let claims = first.claims();
        let own = digest(first)?;
        // Never back (CST-114), one content for one version (CST-115), in a row (CST-116).
        if let (Some(floor), None) = (&self.floor, &self.current) {
            floor.admits(claims, &own)?;
        }
        if let Some(current) = &self.current {
            if claims.version() < current.version || claims.issued_at() < current.issued_at {
                return Err(Reason::OlderThanSeen.into());
            }
            if claims.version() == current.version {
                return match own == current.digest {
                    true => Ok(()),
                    false => Err(Reason::ForkedVersion.into()),
                };
            }
            // A node that was away may have missed sets; the next one it must follow.
            if claims.version() == current.version.saturating_add(1)
                && claims.previous() != Some(&current.digest)
            {
                return Err(Reason::OtherPredecessor.into());
            }
        }
        let mut keys = claims.keys().clone();
        keys.set_table_bytes_max(self.table_bytes_max);
        for role in &self.prepared {
            keys.prepare_role(*role);
        }
        self.current = Some(Adopted {
            version: claims.version(),
            digest: own,
            issued_at: claims.issued_at(),
            expires_at: claims.expires_at(),
            skew_s: first.skew_s().into(),
            keys,
        });
        Ok(())
    }

    /// The version adopted, for the node to keep over a restart.
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        self.current.as_ref().map(|current| current.version)
    }

    /// Version and content adopted, for the node to keep over a restart and give to [`with_mark`](Self::with_mark).
    #[must_use]
    pub fn mark(&self) -> Option<KeySetMark> {
        self.current.as_ref().map(|current| KeySetMark {
            version: current.version,
            digest: Some(current.digest),
        })
    }

    /// The keys to check tokens with; none when no set was adopted, the newest is over, or the clock is before
    /// its issue.
    #[must_use]
    pub fn keys(&self, now: DateTime<Utc>) -> Option<&KeyRing> {
        let current = self.current.as_ref()?;
        let in_time = between(current.expires_at, now) < current.skew_s
            && between(now, current.issued_at) <= current.skew_s;
        in_time.then_some(&current.keys)
    }
}
