//! The key set (`mic-k`): the platform's roots say which keys are to be trusted, for what and until when
//! (CST-110 to CST-117).

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::{
    KeyRecord, KeyRing, KeyState,
    wire::{read_record, write_record},
};
use crate::{
    cbor::{read, write::Writer},
    checker::Checker,
    claims::{
        fields, label, mic,
        outer::{Outer, outer_claims},
        time,
    },
    code::{IssuerCode, Realm},
    denial::{Denial, Reason},
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    limits::{KEY_SET_LIFE_S_MAX, KEYS_MAX, SUSPENDED_MAX},
    signer::{AsyncSigner, Signer},
    token::{Live, Signed, TokenType, sealed},
};

/// The type of a key set's token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySet {}

/// What a key set says; read from [`Signed`] on. It takes effect through [`TrustedKeys`](crate::TrustedKeys),
/// when enough roots have signed it.
///
/// ```
/// fn line(set: &mic_consent::KeySetClaims) -> String {
///     format!("version {}: {} keys", set.version(), set.keys().len())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySetClaims {
    outer: Outer,
    version: u32,
    previous: Option<[u8; 32]>,
    keys: KeyRing,
    unusable: usize,
}

impl KeySetClaims {
    /// The owner of the roots.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerCode {
        &self.outer.origin.issuer
    }

    /// The version, which only goes up.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The digest of the set before; none in the first.
    #[must_use]
    pub const fn previous(&self) -> Option<&[u8; 32]> {
        self.previous.as_ref()
    }

    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// How many of its keys belong to suites that this build does not have. Nothing they sign is accepted.
    #[must_use]
    pub const fn unusable(&self) -> usize {
        self.unusable
    }

    fn check(&self) -> Result<(), Reason> {
        self.outer.check(KEY_SET_LIFE_S_MAX)
    }
}

outer_claims!(KeySetClaims);

impl sealed::Rules for KeySetClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let outer = Outer::read(&mut claims)?;
        let mut private = fields::private_map(&mut claims)?;
        let version = fields::number(&mut private, mic::SERIAL)?;
        let previous = match private.find(mic::PREVIOUS) {
            Some(value) => Some(value.take(read::array_of)?),
            None => None,
        };
        let list = private.need(mic::KEYS, Reason::MissingClaim)?;
        let count = list.take(read::array(0, KEYS_MAX))?;
        let (mut keys, mut unusable, mut last) = (KeyRing::new(), 0, None);
        for _ in 0..count {
            let here = *list;
            let (key_id, record) = read_record(list)?;
            // In order, so that no id occurs twice (CST-24).
            if last.is_some_and(|last| last >= key_id) {
                return Err(here.denial(Reason::ListOrder));
            }
            last = Some(key_id);
            match record {
                Some(record) => keys
                    .insert(record)
                    .map_err(|_| here.denial(Reason::BadKeyRecord))?,
                None => unusable += 1,
            }
        }
        if let Some(list) = private.find(mic::BARRED) {
            let count = list.take(read::array(1, SUSPENDED_MAX))?;
            let mut last = None;
            for _ in 0..count {
                let here = *list;
                let organisation = fields::issuer(list)?;
                if last.is_some_and(|last| last >= organisation) {
                    return Err(here.denial(Reason::ListOrder));
                }
                last = Some(organisation);
                keys.suspend(organisation)
                    .map_err(|_| here.denial(Reason::TooMany))?;
            }
        }
        fields::end(claims, private)?;
        let claims = Self {
            outer,
            version,
            previous,
            keys,
            unusable,
        };
        claims.check().map_err(fields::broken)?;
        Ok(claims)
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        Ok(())
    }
}

/// A key set being made. Each root signs the same draft at the same stated moment; the documents differ in
/// header and signature alone.
///
/// ```
/// use mic_consent::*;
///
/// let root = Sm2SigningKey::from_secret_bytes(&[4; 32])?; // test keys
/// let hospital = Sm2SigningKey::from_secret_bytes(&[1; 32])?;
/// let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap();
/// let year = KeyValidity::new(now, now + chrono::TimeDelta::days(365))?;
/// let keys = KeyRing::from_records([KeyRecord::new(
///     hospital.public_key().clone(), IssuerCode::new("H11010500001")?, Role::Request, year,
/// )?])?;
/// let set = KeySetDraft::first(Realm::new("mic.cn")?, IssuerCode::new("ROOT00")?, keys).sign(&root, now)?;
/// assert_eq!(set.token_type(), TokenType::KeySet);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeySetDraft {
    realm: Realm,
    issuer: IssuerCode,
    version: u32,
    previous: Option<[u8; 32]>,
    keys: KeyRing,
    life_s: u32,
}

/// A month.
const LIFE_S: u32 = 2_592_000;

impl KeySetDraft {
    /// The first set, version 1, for 30 days.
    #[must_use]
    pub const fn first(realm: Realm, issuer: IssuerCode, keys: KeyRing) -> Self {
        Self {
            realm,
            issuer,
            version: 1,
            previous: None,
            keys,
            life_s: LIFE_S,
        }
    }

    /// The set after `older`, for 30 days.
    ///
    /// # Errors
    /// The suite is not built in.
    pub fn after(older: &Live<KeySet>, keys: KeyRing) -> Result<Self, Denial> {
        let claims = older.claims();
        Ok(Self {
            realm: *claims.realm(),
            issuer: *claims.issuer(),
            version: claims.version.saturating_add(1),
            previous: Some(digest(older)?),
            keys,
            life_s: LIFE_S,
        })
    }

    /// It lives this many seconds: at most 90 days.
    #[must_use]
    pub const fn with_life_s(mut self, life_s: u32) -> Self {
        self.life_s = life_s;
        self
    }

    /// Signs it with one root. All roots state the same `issued_at`.
    ///
    /// # Errors
    /// A life out of range; a set that is too large; a failing signer.
    pub fn sign(
        &self,
        signer: &dyn Signer,
        issued_at: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(issued_at)?;
        seal(TokenType::KeySet, &payload, signer)
    }

    /// The same with a signer that is waited for. The claims are settled before the wait.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_async(
        &self,
        signer: &impl AsyncSigner,
        issued_at: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(issued_at)?;
        seal_async(TokenType::KeySet, &payload, signer).await
    }

    fn payload(&self, issued_at: DateTime<Utc>) -> Result<Vec<u8>, IssueError> {
        let issued_at = time::whole_second(issued_at)?;
        let outer = Outer::new(self.issuer, self.realm, issued_at, self.life_s)?;
        outer.check(KEY_SET_LIFE_S_MAX)?;
        let mut list = Writer::new();
        list.array(self.keys.len());
        for record in self.keys.iter() {
            list.raw(&write_record(record)?);
        }
        let mut private = fields::write_private();
        private.key(mic::SERIAL).uint(self.version.into());
        if let Some(previous) = &self.previous {
            private.key(mic::PREVIOUS).bytes(previous);
        }
        private.key(mic::KEYS).raw(&list.into_bytes());
        let suspended: Vec<_> = self.keys.suspended().collect();
        if !suspended.is_empty() {
            let mut list = Writer::new();
            list.array(suspended.len());
            for organisation in suspended {
                list.text(organisation.as_str());
            }
            private.key(mic::BARRED).raw(&list.into_bytes());
        }
        let mut claims = outer.write(None)?;
        claims.key(label::MIC).raw(&private.finish());
        let payload: Vec<u8> = claims.finish();
        Ok(payload)
    }
}

/// The digest of a set, which the next one names.
pub(super) fn digest(set: &Live<KeySet>) -> Result<[u8; 32], Denial> {
    crate::claims::binding::key_set_digest(set.suite(), set.encoded().payload())
        .ok_or_else(|| Reason::SuiteNotAccepted.into())
}

impl Signed<KeySet> {
    /// Checks realm and time: steps 9 and 10, after steps 5 and 8 once more.
    ///
    /// # Errors
    /// A root that is no longer trusted; another realm; not yet or no longer valid.
    pub fn live(self, checker: &Checker<'_>, now: DateTime<Utc>) -> Result<Live<KeySet>, Denial> {
        self.still_trusted(checker)?;
        checker.audience_and_time(self.claims(), KEY_SET_LIFE_S_MAX, now)?;
        Ok(self.into_live(now, checker.policy().skew_s()))
    }
}

/// States other than active, by number.
pub(super) const fn state_number(state: KeyState) -> Option<(u64, Option<DateTime<Utc>>)> {
    match state {
        KeyState::Active => None,
        KeyState::VerifyOnly { since } => Some((2, Some(since))),
        KeyState::Suspended => Some((3, None)),
        KeyState::Revoked => Some((4, None)),
        KeyState::Compromised { since } => Some((5, Some(since))),
    }
}
