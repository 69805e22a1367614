//! The checker: trusted keys and a policy, and the steps that all types share.

use chrono::{DateTime, Utc};

use crate::{
    claims::time::Moment,
    code::Realm,
    denial::{Denial, Reason},
    encoded::Encoded,
    grant::Grant,
    key::{KeyId, KeyRecord, KeyRing, KeyState, PublicKey, Role},
    limits::{
        GRANT_LIFE_S_MAX, REQUEST_LIFE_S_MAX, SKEW_S, SKEW_S_MAX, STATUS_CHECK_S,
        STATUS_LIST_AGE_S, STATUS_LIST_LIFE_S_MAX,
    },
    request::Request,
    signer::{BadSignature, RawVerify, Signature},
    status::{Status, StatusRef, StatusSource},
    suite::Suite,
    token::{
        Live, Signed,
        sealed::{Ends, Said},
    },
};

/// Which suites a node accepts. There is no default: accepting both must be written down.
///
/// ```
/// use mic_consent::{AcceptedSuites, Suite};
/// assert!(!AcceptedSuites::GmOnly.accept(Suite::Ed25519));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcceptedSuites {
    /// SM2 with SM3 alone (国密).
    GmOnly,
    /// International suites alone.
    InternationalOnly,
    /// All.
    Both,
}

impl AcceptedSuites {
    /// Whether a token in this suite is looked at.
    #[must_use]
    pub const fn accept(self, suite: Suite) -> bool {
        match self {
            Self::GmOnly => matches!(suite, Suite::Sm2Sm3),
            Self::InternationalOnly => matches!(suite, Suite::Ed25519 | Suite::Esp256),
            Self::Both => true,
        }
    }
}

/// What a node demands. It has no default; the realm and the suites are always named.
///
/// ```
/// use mic_consent::{AcceptedSuites, Policy, Realm};
/// let policy = Policy::new(Realm::new("mic.cn")?, AcceptedSuites::GmOnly).with_grant_life_s(3600);
/// assert_eq!(policy.skew_s(), 60);
/// assert_eq!(policy.grant_life_s(), 3600);
/// # Ok::<(), mic_consent::CodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    realm: Realm,
    suites: AcceptedSuites,
    skew_s: u32,
    grant_life_s: u32,
    status_check_s: u32,
    status_list_age_s: u32,
    emergency: bool,
    orders: bool,
}

impl Policy {
    /// The policy for a realm: clocks may differ by 60 seconds, grants may live a day, a look at the status
    /// list is good for 60 seconds.
    #[must_use]
    pub const fn new(realm: Realm, suites: AcceptedSuites) -> Self {
        Self {
            realm,
            suites,
            skew_s: SKEW_S,
            grant_life_s: GRANT_LIFE_S_MAX,
            status_check_s: STATUS_CHECK_S,
            status_list_age_s: STATUS_LIST_AGE_S,
            emergency: false,
            orders: false,
        }
    }

    /// Clocks may differ by this many seconds, at most 300.
    #[must_use]
    pub const fn with_skew_s(mut self, skew_s: u32) -> Self {
        self.skew_s = if skew_s > SKEW_S_MAX {
            SKEW_S_MAX
        } else {
            skew_s
        };
        self
    }

    /// Grants may live this many seconds, at most a day.
    #[must_use]
    pub const fn with_grant_life_s(mut self, grant_life_s: u32) -> Self {
        self.grant_life_s = if grant_life_s > GRANT_LIFE_S_MAX {
            GRANT_LIFE_S_MAX
        } else {
            grant_life_s
        };
        self
    }

    /// A look at the status list is good for this many seconds, at most an hour.
    #[must_use]
    pub const fn with_status_check_s(mut self, status_check_s: u32) -> Self {
        self.status_check_s = if status_check_s > STATUS_CHECK_S_MAX {
            STATUS_CHECK_S_MAX
        } else {
            status_check_s
        };
        self
    }

    /// A status list is believed for this many seconds after its issue, at most a week and never beyond its
    /// own end; unless told otherwise an hour (CST-93).
    #[must_use]
    pub const fn with_status_list_age_s(mut self, status_list_age_s: u32) -> Self {
        self.status_list_age_s = if status_list_age_s > STATUS_LIST_LIFE_S_MAX {
            STATUS_LIST_LIFE_S_MAX
        } else {
            status_list_age_s
        };
        self
    }

    /// This node serves in emergencies as well, without consent (CST-104). Unless told so it does not.
    #[must_use]
    pub const fn with_emergency_access(mut self) -> Self {
        self.emergency = true;
        self
    }

    /// This node serves under orders of bodies with the power of law as well, without consent (CST-144). Unless
    /// told so it does not.
    #[must_use]
    pub const fn with_orders(mut self) -> Self {
        self.orders = true;
        self
    }

    /// The realm.
    #[must_use]
    pub const fn realm(&self) -> &Realm {
        &self.realm
    }

    /// The suites.
    #[must_use]
    pub const fn suites(&self) -> AcceptedSuites {
        self.suites
    }

    /// Seconds by which clocks may differ.
    #[must_use]
    pub const fn skew_s(&self) -> u32 {
        self.skew_s
    }

    /// Seconds a grant may live.
    #[must_use]
    pub const fn grant_life_s(&self) -> u32 {
        self.grant_life_s
    }

    /// Seconds for which one look at the status list is good.
    #[must_use]
    pub const fn status_check_s(&self) -> u32 {
        self.status_check_s
    }

    /// Seconds after its issue for which a status list is believed.
    #[must_use]
    pub const fn status_list_age_s(&self) -> u32 {
        self.status_list_age_s
    }

    /// Whether emergency access is served.
    #[must_use]
    pub const fn emergency_access(&self) -> bool {
        self.emergency
    }

    /// Whether orders are served.
    #[must_use]
    pub const fn takes_orders(&self) -> bool {
        self.orders
    }
}

/// Withdrawal must take effect within the consultation.
const STATUS_CHECK_S_MAX: u32 = 3_600;

/// Trusted keys and a policy together.
///
/// ```
/// use mic_consent::{AcceptedSuites, Checker, KeyRing, Policy, Realm};
/// let keys = KeyRing::new();
/// let policy = Policy::new(Realm::new("mic.cn")?, AcceptedSuites::GmOnly);
/// let checker = Checker::new(&keys, &policy);
/// # Ok::<(), mic_consent::CodeError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Checker<'a> {
    keys: &'a KeyRing,
    policy: &'a Policy,
    module: Option<&'a (dyn RawVerify + Sync)>,
    status: Option<&'a (dyn StatusSource + Sync)>,
}

impl<'a> Checker<'a> {
    /// Checks signatures with the built-in software.
    #[must_use]
    pub const fn new(keys: &'a KeyRing, policy: &'a Policy) -> Self {
        Self {
            keys,
            policy,
            module: None,
            status: None,
        }
    }

    /// Checks signatures with `module` instead.
    #[must_use]
    pub const fn with_module(mut self, module: &'a (dyn RawVerify + Sync)) -> Self {
        self.module = Some(module);
        self
    }

    /// Looks at the status of a grant again before each permit, so that a withdrawal takes effect at once and
    /// not only when the last look has aged (CST-63).
    #[must_use]
    pub const fn with_status(mut self, status: &'a (dyn StatusSource + Sync)) -> Self {
        self.status = Some(status);
        self
    }

    /// The trusted keys.
    #[must_use]
    pub const fn keys(&self) -> &'a KeyRing {
        self.keys
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// Step 5: the record of the key that a token names, if it may still be believed in this role (CST-25).
    pub(crate) fn record(&self, token: &Encoded, role: Role) -> Result<&'a KeyRecord, Denial> {
        match self.record_or_since(token, role)? {
            (record, None) => Ok(record),
            (_, Some(_)) => Err(Reason::KeyCompromised.into()),
        }
    }

    /// The same, but a key that was compromised is given with the moment since when.
    pub(crate) fn record_or_since(
        &self,
        token: &Encoded,
        role: Role,
    ) -> Result<(&'a KeyRecord, Option<DateTime<Utc>>), Denial> {
        if !self.policy.suites.accept(token.suite()) {
            return Err(Reason::SuiteNotAccepted.into());
        }
        let record = self.keys.get(&token.key_id()).ok_or(Reason::UnknownKey)?;
        if record.public_key().suite() != token.suite() {
            return Err(Reason::AlgorithmNotOfKey.into());
        }
        if !record.roles().contains(role) {
            return Err(Reason::RoleMissing.into());
        }
        if self.keys.is_suspended(record.organisation()) {
            return Err(Reason::OrganisationSuspended.into());
        }
        match record.state() {
            KeyState::Active | KeyState::VerifyOnly { .. } => Ok((record, None)),
            KeyState::Suspended => Err(Reason::KeySuspended.into()),
            KeyState::Revoked => Err(Reason::KeyRevoked.into()),
            KeyState::Compromised { since } => Ok((record, Some(since))),
        }
    }

    pub(crate) fn check(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        match self.module {
            Some(module) => module.verify(key, message, signature),
            None => self.keys.check(key, message, signature),
        }
    }

    /// Steps 9 and 10 (CST-58 to CST-61).
    pub(crate) fn audience_and_time(
        &self,
        claims: &impl Ends,
        life_s: u32,
        now: DateTime<Utc>,
    ) -> Result<(), Denial> {
        let outer = claims.outer();
        if outer.origin.realm != self.policy.realm {
            return Err(Reason::WrongRealm.into());
        }
        let now = Moment::of(now)?;
        let skew = i64::from(self.policy.skew_s);
        if outer.origin.issued_at.until(outer.expires_at) > i64::from(life_s) {
            // CST-59: the node may want it shorter than the specification does.
            return Err(Reason::LifeOverPolicy.into());
        }
        if now.until(outer.origin.issued_at) > skew {
            return Err(Reason::IssuedInFuture.into());
        }
        if now.until(outer.valid_from) > skew {
            return Err(Reason::NotYetValid.into());
        }
        if outer.expires_at.until(now) >= skew {
            return Err(Reason::Expired.into());
        }
        Ok(())
    }

    /// Steps 9 and 10 for records that do not end.
    pub(crate) fn record_in_realm(
        &self,
        claims: &impl Said,
        now: DateTime<Utc>,
    ) -> Result<(), Denial> {
        let origin = claims.origin();
        if origin.realm != self.policy.realm {
            return Err(Reason::WrongRealm.into());
        }
        if Moment::of(now)?.until(origin.issued_at) > i64::from(self.policy.skew_s) {
            return Err(Reason::IssuedInFuture.into());
        }
        Ok(())
    }

    /// Step 12 with the status source of this checker, where it has one.
    pub(crate) fn still_valid(
        &self,
        issuer: &KeyId,
        place: StatusRef,
        now: DateTime<Utc>,
    ) -> Result<(), Denial> {
        match self.status {
            Some(source) => valid(source.status(issuer, place, now)),
            None => Ok(()),
        }
    }
}

impl core::fmt::Debug for Checker<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Checker")
            .field("keys", &self.keys.len())
            .field("policy", self.policy)
            .field("module", &self.module.is_some())
            .finish()
    }
}

impl Signed<Request> {
    /// Checks realm and time: steps 9 and 10, after steps 5 and 8 once more with what `checker` knows by now.
    ///
    /// # Errors
    /// A key that is no longer trusted; another realm; not yet or no longer valid.
    pub fn live(self, checker: &Checker<'_>, now: DateTime<Utc>) -> Result<Live<Request>, Denial> {
        self.still_trusted(checker)?;
        checker.audience_and_time(self.claims(), REQUEST_LIFE_S_MAX, now)?;
        Ok(self.into_live(now, checker.policy.skew_s))
    }
}

impl Signed<Grant> {
    /// Checks realm, time and status: steps 9, 10 and 12, after steps 5 and 8 once more with what `checker`
    /// knows by now.
    ///
    /// # Errors
    /// A key that is no longer trusted; another realm; not yet or no longer valid; withdrawn, suspended, or of unknown status.
    pub fn live(
        self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        status: &dyn StatusSource,
    ) -> Result<Live<Grant>, Denial> {
        self.still_trusted(checker)?;
        checker.audience_and_time(self.claims(), checker.policy.grant_life_s, now)?;
        valid(status.status(&self.key_id(), self.claims().status(), now))?;
        Ok(self.into_live(now, checker.policy.skew_s))
    }
}

/// Step 12.
pub(crate) fn valid(status: Status) -> Result<(), Denial> {
    match status {
        Status::Valid => Ok(()),
        Status::Withdrawn => Err(Reason::Withdrawn.into()),
        Status::Suspended => Err(Reason::Suspended.into()),
        Status::Unknown => Err(Reason::StatusUnknown.into()),
    }
}
