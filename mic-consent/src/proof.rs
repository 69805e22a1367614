//! The proof of use (`mic-p`): the hospital's key says that it uses this grant, here, now, for one action.
//! A stolen grant is worth nothing without that key.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    cbor::{
        read::{self, Reader},
        write::MapWriter,
    },
    claims::{
        VERSION,
        binding::{GrantId, HiddenRecord, Opening, ProofId},
        label, mic, time,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, IssuerCode, Province, Realm},
    denial::{Denial, Reason, Step},
    encoded::Encoded,
    grant::Grant,
    issue::{IssueError, seal, seal_async},
    key::{KeyId, KeyRecord},
    limits::PROOF_LIFE_S,
    request,
    signer::{AsyncSigner, Signer},
    token::{Live, TokenType, sealed},
};

/// The type of a proof token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {}

/// Where a grant is used: the national index or a province, and the node there.
///
/// ```
/// use mic_consent::{IssuerCode, Place, Province};
/// let archive = Place::province(Province::new(61)?, IssuerCode::new("ARCHIVE61")?);
/// assert_eq!(archive.in_province().map(|province| province.get()), Some(61));
/// assert_eq!(Place::nation(IssuerCode::new("INDEX00")?).in_province(), None);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    province: Option<Province>,
    node: IssuerCode,
}

impl Place {
    /// A node of the national index.
    #[must_use]
    pub const fn nation(node: IssuerCode) -> Self {
        Self {
            province: None,
            node,
        }
    }

    /// A node of a province: an archive.
    #[must_use]
    pub const fn province(province: Province, node: IssuerCode) -> Self {
        Self {
            province: Some(province),
            node,
        }
    }

    /// The province, when it is not the nation.
    #[must_use]
    pub const fn in_province(&self) -> Option<Province> {
        self.province
    }

    /// The node.
    #[must_use]
    pub const fn node(&self) -> &IssuerCode {
        &self.node
    }
}

/// One action.
///
/// ```
/// use mic_consent::{Action, HiddenRecord};
/// assert_ne!(Action::ListExams, Action::OpenRecord(HiddenRecord::from_bytes([0; 32])));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// See the list of exams.
    ListExams,
    /// Open one record's images.
    OpenRecord(HiddenRecord),
}

/// What a proof says.
///
/// ```
/// fn log(proof: &mic_consent::ProofClaims) -> String {
///     format!("{} at {} under grant {}", proof.organisation(), proof.place().node(), proof.grant())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofClaims {
    organisation: InstitutionCode,
    issuer: IssuerCode,
    realm: Realm,
    expires_at: DateTime<Utc>,
    issued_at: DateTime<Utc>,
    id: ProofId,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    place: Place,
    action: Action,
    grant: GrantId,
    digest: [u8; 32],
}

impl ProofClaims {
    /// The hospital.
    #[must_use]
    pub const fn organisation(&self) -> &InstitutionCode {
        &self.organisation
    }

    /// When it was issued.
    #[must_use]
    pub const fn issued_at(&self) -> DateTime<Utc> {
        self.issued_at
    }

    /// When it ends (not included).
    #[must_use]
    pub const fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &ProofId {
        &self.id
    }

    /// The department that acts.
    #[must_use]
    pub const fn department(&self) -> Option<&DepartmentCode> {
        self.department.as_ref()
    }

    /// The doctor who acts.
    #[must_use]
    pub const fn doctor(&self) -> Option<&DoctorCode> {
        self.doctor.as_ref()
    }

    /// Where it is used.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// What it is used for.
    #[must_use]
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// The grant it uses.
    #[must_use]
    pub const fn grant(&self) -> &GrantId {
        &self.grant
    }

    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    fn check(&self) -> Result<(), Reason> {
        match time::between(self.issued_at, self.expires_at) {
            ..=0 => Err(Reason::TimeOrder),
            life if life > i64::from(PROOF_LIFE_S) => Err(Reason::LifeTooLong),
            _ => Ok(()),
        }
    }

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = MapWriter::new();
        private.key(mic::VERSION).uint(VERSION);
        request::write_operator(&mut private, self.department(), self.doctor());
        private.key(mic::NODE).text(self.place.node.as_str());
        private.key(mic::PLACE).uint(
            self.place
                .province
                .map_or(NATION, |province| province.get().into()),
        );
        let (action, record) = match &self.action {
            Action::ListExams => (LIST, None),
            Action::OpenRecord(record) => (OPEN, Some(record)),
        };
        private.key(mic::ACTION).uint(action);
        private.key(mic::GRANT).bytes(self.grant.as_bytes());
        private.key(mic::DIGEST).bytes(&self.digest);
        if let Some(record) = record {
            private.key(mic::RECORD).bytes(record.as_bytes());
        }

        let mut claims = MapWriter::new();
        claims.key(label::ISS).text(self.organisation.as_str());
        claims.key(label::AUD).text(self.realm.as_str());
        claims.key(label::EXP).uint(time::seconds(self.expires_at)?);
        claims.key(label::IAT).uint(time::seconds(self.issued_at)?);
        claims.key(label::CTI).bytes(self.id.as_bytes());
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

/// The place of the national index in the token.
const NATION: u64 = 0;
/// The numbers of the actions.
const LIST: u64 = 1;
const OPEN: u64 = 2;

impl sealed::Common for ProofClaims {
    fn issuer(&self) -> &IssuerCode {
        &self.issuer
    }

    fn realm(&self) -> &Realm {
        &self.realm
    }

    fn issued_at(&self) -> DateTime<Utc> {
        self.issued_at
    }

    fn valid_from(&self) -> DateTime<Utc> {
        self.issued_at
    }

    fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }
}

impl sealed::Rules for ProofClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = Reader::new(payload, start, Step::Claims).map()?;
        let organisation = request::institution(claims.need(label::ISS, Reason::MissingClaim)?)?;
        let realm = request::realm(&mut claims)?;
        let expires_at = request::moment(&mut claims, label::EXP)?;
        let issued_at = request::moment(&mut claims, label::IAT)?;
        let id = claims
            .need(label::CTI, Reason::MissingClaim)?
            .take(read::array_of)
            .map(ProofId::from_bytes)?;

        let mut private = request::private_map(&mut claims)?;
        let (department, doctor) = request::operator(&mut private)?;
        let node = request::issuer(private.need(mic::NODE, Reason::MissingClaim)?)?;
        let province =
            private
                .need(mic::PLACE, Reason::MissingClaim)?
                .take_as(read::uint, |number| match number {
                    NATION => Ok(None),
                    number => u8::try_from(number)
                        .ok()
                        .and_then(|number| Province::new(number).ok())
                        .map(Some)
                        .ok_or(Reason::UnknownListValue),
                })?;
        let opens =
            private
                .need(mic::ACTION, Reason::MissingClaim)?
                .take_as(read::uint, |number| match number {
                    LIST => Ok(false),
                    OPEN => Ok(true),
                    _ => Err(Reason::UnknownListValue),
                })?;
        let grant = private
            .need(mic::GRANT, Reason::MissingClaim)?
            .take(read::array_of)
            .map(GrantId::from_bytes)?;
        let digest = private
            .need(mic::DIGEST, Reason::MissingClaim)?
            .take(read::array_of)?;
        let action = if opens {
            let record = private
                .need(mic::RECORD, Reason::MissingClaim)?
                .take(read::array_of)?;
            Action::OpenRecord(HiddenRecord::from_bytes(record))
        } else {
            Action::ListExams
        };
        claims.continue_from(private.finish(Reason::UnexpectedKey)?);
        claims.finish(Reason::UnexpectedKey)?.end()?;

        let place = Place { province, node };
        let issuer = organisation.into();
        let claims = Self {
            organisation,
            issuer,
            realm,
            expires_at,
            issued_at,
            id,
            department,
            doctor,
            place,
            action,
            grant,
            digest,
        };
        claims
            .check()
            .map_err(|reason| Denial::new(reason).in_step(Step::Claims))?;
        Ok(claims)
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        Ok(())
    }
}

/// A proof of use being made by the hospital that holds a live grant.
///
/// It carries the department and doctor that the grant names, unless others are set.
#[derive(Debug)]
pub struct ProofDraft<'a> {
    grant: &'a Live<Grant>,
    place: Place,
    action: Action,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
}

impl<'a> ProofDraft<'a> {
    /// To see the list of exams at `place`.
    #[must_use]
    pub fn list(grant: &'a Live<Grant>, place: Place) -> Self {
        Self::new(grant, place, Action::ListExams)
    }

    /// To open a record at `place`, by the caller's record key (index code and StudyInstanceUID as one byte
    /// string) and the grant's opening.
    ///
    /// # Errors
    /// The record key is empty or longer than 256 bytes.
    pub fn open(
        grant: &'a Live<Grant>,
        place: Place,
        record_key: &[u8],
        opening: &Opening,
    ) -> Result<Self, IssueError> {
        let record = HiddenRecord::new(grant.suite(), opening, record_key)?;
        Ok(Self::new(grant, place, Action::OpenRecord(record)))
    }

    fn new(grant: &'a Live<Grant>, place: Place, action: Action) -> Self {
        let claims = grant.claims();
        let (department, doctor) = (claims.department().copied(), claims.doctor().copied());
        Self {
            grant,
            place,
            action,
            department,
            doctor,
        }
    }

    /// The department that acts.
    #[must_use]
    pub const fn with_department(mut self, department: DepartmentCode) -> Self {
        self.department = Some(department);
        self
    }

    /// The doctor who acts.
    #[must_use]
    pub const fn with_doctor(mut self, doctor: DoctorCode) -> Self {
        self.doctor = Some(doctor);
        self
    }

    /// Signs it with the key that the grant names. `id` is 16 fresh random bytes. It lives 60 seconds.
    ///
    /// # Errors
    /// Another key than the grant names; a failing signer.
    pub fn sign(
        &self,
        signer: &dyn Signer,
        id: ProofId,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(signer.key_id(), id, now)?;
        seal(TokenType::Proof, &payload, signer)
    }

    /// The same with a signer that is waited for.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_async(
        &self,
        signer: &impl AsyncSigner,
        id: ProofId,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(signer.key_id(), id, now)?;
        seal_async(TokenType::Proof, &payload, signer).await
    }

    fn payload(
        &self,
        key_id: KeyId,
        id: ProofId,
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, IssueError> {
        let grant = self.grant.claims();
        if key_id != grant.holder() {
            return Err(IssueError::NotTheGrantee);
        }
        let issued_at = time::whole_second(now)?;
        let claims = ProofClaims {
            organisation: *grant.organisation(),
            issuer: (*grant.organisation()).into(),
            realm: *grant.realm(),
            expires_at: request::later(issued_at, PROOF_LIFE_S)?,
            issued_at,
            id,
            department: self.department,
            doctor: self.doctor,
            place: self.place,
            action: self.action,
            grant: *grant.id(),
            digest: self.grant.digest()?,
        };
        claims.check()?;
        Ok(claims.encode()?)
    }
}
