//! A made-up hospital, authority and patient, with keys in one suite.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mic_consent::{
    AcceptedSuites, BadSignature, Checker, Denial, Ed25519SigningKey, Encoded, Es256SigningKey,
    Grant, GrantDraft, GrantId, InstitutionCode, IssuerCode, KeyId, KeyRecord, KeyRing,
    KeyValidity, Live, Modality, NoticeHash, Opening, PersonCheck, Policy, PublicKey, Purpose,
    RawVerify, Realm, Request, RequestDraft, RequestNonce, Rights, Role, Scope, ScopeFilter,
    SeparateConsent, Signature, Signed, Signer, Sm2SigningKey, Status, StatusList, StatusListDraft,
    StatusRef, StatusSource, Suite,
};

/// The secret of the authority's key, made up, so that a peer can sign with the same one.
pub const AUTHORITY_SECRET: [u8; 32] = [0x22; 32];

/// The clock of the benches.
///
/// # Errors
///
/// None.
pub fn now() -> anyhow::Result<DateTime<Utc>> {
    Ok("2026-11-18T09:06:40Z".parse()?)
}

/// Everything a node needs, and grants to check.
pub struct Scene {
    ring: KeyRing,
    policy: Policy,
    now: DateTime<Utc>,
    grants: Vec<Vec<u8>>,
}

impl Scene {
    /// So many different grants of filtered scope, signed in a suite.
    ///
    /// # Errors
    ///
    /// A draft that the crate refuses.
    pub fn new(suite: Suite, count: u8) -> anyhow::Result<Self> {
        let now = now()?;
        let realm = Realm::new("mic.cn")?;
        let hospital = InstitutionCode::new("H11010500001")?;
        let authority = IssuerCode::new("CONSENT01")?;
        let (hospital_key, hospital_public) = key(suite, [0x21; 32])?;
        let (authority_key, authority_public) = key(suite, AUTHORITY_SECRET)?;
        let validity = KeyValidity::new(now - TimeDelta::days(1), now + TimeDelta::days(365))?;
        let ring = KeyRing::from_records([
            KeyRecord::new(hospital_public, hospital.into(), Role::Request, validity)?,
            KeyRecord::new(authority_public, authority, Role::Grant, validity)?,
        ])?;
        let policy = Policy::new(realm, AcceptedSuites::Both);

        let day =
            |year| NaiveDate::from_ymd_opt(year, 11, 18).ok_or_else(|| anyhow::anyhow!("day"));
        let filter = ScopeFilter::new()
            .with_days(day(2024)?, day(2026)?)?
            .with_modalities([Modality::new("CT")?, Modality::new("MR")?])?;
        let asked = RequestDraft::new(
            realm,
            hospital,
            Purpose::Treatment,
            Rights::LIST | Rights::VIEW,
            Scope::filtered(filter)?,
        )
        .sign(
            hospital_key.as_ref(),
            RequestNonce::from_bytes([0x11; 16]),
            now,
        )?;
        let mut grants = Vec::new();
        for number in 0..count {
            let checker = Checker::new(&ring, &policy);
            let asked = Encoded::from_bytes(asked.as_bytes())?.untrusted::<Request>()?;
            let asked = asked.verify(&checker)?.live(&checker, now)?;
            let grant = GrantDraft::answering(&asked)
                .with_issuer(authority)
                .with_subject(b"MADE-UP-PERSON-0001", &Opening::from_bytes([0x5a; 32]))
                .with_status(StatusRef::new(3, u32::from(number)))
                .with_notice(NoticeHash::new(suite, "zh-CN", "告知书（虚构）")?)
                .with_person_check(PersonCheck::Face)
                .with_separate_consent(SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER)
                .sign(
                    authority_key.as_ref(),
                    GrantId::from_bytes([number; 16]),
                    now,
                )?;
            grants.push(grant.as_bytes().to_vec());
        }
        Ok(Self {
            ring,
            policy,
            now,
            grants,
        })
    }

    /// The same scene with a table for the authority's key, as a node would have it.
    #[must_use]
    pub fn with_tables(mut self) -> Self {
        self.ring.prepare_role(Role::Grant);
        self
    }

    /// A grant whose signature is checked, to be checked again without it.
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn signed(&self, grant: &[u8]) -> Result<Signed<Grant>, Denial> {
        Encoded::from_bytes(grant)?
            .untrusted::<Grant>()?
            .verify(&Checker::new(&self.ring, &self.policy))
    }

    /// The check of a grant that is known: key, realm, clock and status as of now. The grant comes back.
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn check_again(&self, grant: Signed<Grant>) -> Result<Signed<Grant>, Denial> {
        let checker = Checker::new(&self.ring, &self.policy);
        Ok(grant
            .live(&checker, self.now, &NoneWithdrawn)?
            .into_signed())
    }

    /// The grants as they travel.
    #[must_use]
    pub fn grants(&self) -> &[Vec<u8>] {
        &self.grants
    }

    /// Checks a grant wholly: decoding, signature, claims, issuer, realm, clock, status.
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn check(&self, grant: &[u8]) -> Result<Live<Grant>, Denial> {
        self.check_with(Checker::new(&self.ring, &self.policy), grant)
    }

    /// All of it but the signature, which is taken as good: what decoding and checks cost.
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn check_unsigned(&self, grant: &[u8]) -> Result<Live<Grant>, Denial> {
        self.check_with(
            Checker::new(&self.ring, &self.policy).with_module(&Believer),
            grant,
        )
    }

    fn check_with(&self, checker: Checker<'_>, grant: &[u8]) -> Result<Live<Grant>, Denial> {
        Encoded::from_bytes(grant)?
            .untrusted::<Grant>()?
            .verify(&checker)?
            .live(&checker, self.now, &NoneWithdrawn)
    }

    /// How many of the grants pass.
    #[must_use]
    pub fn passing(&self) -> usize {
        self.grants
            .iter()
            .filter(|grant| self.check(grant).is_ok())
            .count()
    }
}

/// The status list of a million grants of which these are withdrawn, signed and checked.
///
/// # Errors
///
/// A list that the crate refuses.
pub fn status_list(withdrawn: impl IntoIterator<Item = u32>) -> anyhow::Result<Live<StatusList>> {
    let now = now()?;
    let (realm, authority) = (Realm::new("mic.cn")?, IssuerCode::new("CONSENT01")?);
    let (key, public) = key(Suite::Ed25519, AUTHORITY_SECRET)?;
    let validity = KeyValidity::new(now - TimeDelta::days(1), now + TimeDelta::days(365))?;
    let record = KeyRecord::new(public, authority, Role::Status, validity)?;
    let ring = KeyRing::from_records([record])?;
    let policy = Policy::new(realm, AcceptedSuites::Both);
    let checker = Checker::new(&ring, &policy);
    let list = StatusListDraft::new(realm, authority, 3, GRANTS).with_withdrawn(withdrawn);
    let list = list.sign(key.as_ref(), now)?;
    let list = Encoded::document_from_bytes(list.as_bytes())?.untrusted::<StatusList>()?;
    Ok(list.verify(&checker)?.live(&checker, now)?)
}

/// Places in the status list.
pub const GRANTS: u32 = 1_000_000;

/// A signing key and its public half.
///
/// # Errors
///
/// A secret out of range, or a suite without software keys.
pub fn key(suite: Suite, secret: [u8; 32]) -> anyhow::Result<(Box<dyn Signer>, PublicKey)> {
    match suite {
        Suite::Sm2Sm3 => {
            let key = Sm2SigningKey::from_secret_bytes(&secret)?;
            let public = key.public_key().clone();
            Ok((Box::new(key), public))
        }
        Suite::Ed25519 => {
            let key = Ed25519SigningKey::from_secret_bytes(&secret)?;
            let public = key.public_key().clone();
            Ok((Box::new(key), public))
        }
        Suite::Esp256 => {
            let key = Es256SigningKey::from_secret_bytes(&secret)?;
            let public = key.public_key().clone();
            Ok((Box::new(key), public))
        }
        other => anyhow::bail!("no software key for {other}"),
    }
}

struct NoneWithdrawn;

impl StatusSource for NoneWithdrawn {
    fn status(&self, _issuer: &KeyId, _place: StatusRef, _now: DateTime<Utc>) -> Status {
        Status::Valid
    }
}

/// Stands in for the signature to measure everything else. Never outside a bench.
struct Believer;

impl RawVerify for Believer {
    fn verify(
        &self,
        _key: &PublicKey,
        _message: &[u8],
        _signature: &Signature,
    ) -> Result<(), BadSignature> {
        Ok(())
    }
}
