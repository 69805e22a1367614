//! The proof of use (`mic-p`): the hospital's key says that it uses this grant, here, now, for one action.
//! A stolen grant is worth nothing without that key.

use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};

use crate::{
    cbor::{read::MapReader, write::MapWriter},
    claims::{
        binding::{GrantId, HiddenRecord, Opening, ProofId},
        fields, label, mic,
        outer::{Outer, outer_claims},
        time,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, IssuerCode, Province},
    denial::{Denial, Reason},
    encoded::Encoded,
    grant::Grant,
    issue::{IssueError, seal, seal_async},
    key::{KeyId, KeyRecord},
    limits::PROOF_LIFE_S,
    permit::Held,
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
    outer: Outer,
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

    /// It lives no longer than its 60 seconds (CST-52).
    fn check(&self) -> Result<(), Reason> {
        self.outer.check(PROOF_LIFE_S)
    }

    fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        fields::write_operator(&mut private, self.department(), self.doctor());
        fields::write_place(&mut private, &self.place);
        write_action(&mut private, &self.action);
        private.key(mic::GRANT).bytes(self.grant.as_bytes());
        private.key(mic::DIGEST).bytes(&self.digest);
        write_record(&mut private, &self.action);

        let mut claims = self.outer.write(None)?;
        claims.key(label::CTI).bytes(self.id.as_bytes());
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

/// The numbers of the actions.
const LIST: u64 = 1;
const OPEN: u64 = 2;

/// Whether the action is to open a record, which stands further behind.
pub(crate) fn action(private: &mut MapReader<'_>) -> Result<bool, Denial> {
    fields::listed(private, mic::ACTION, |number| match number {
        LIST => Some(false),
        OPEN => Some(true),
        _ => None,
    })
}

pub(crate) fn write_action(private: &mut MapWriter, action: &Action) {
    private.key(mic::ACTION).uint(match action {
        Action::ListExams => LIST,
        Action::OpenRecord(_) => OPEN,
    });
}

pub(crate) fn write_record(private: &mut MapWriter, action: &Action) {
    if let Action::OpenRecord(record) = action {
        private.key(mic::RECORD).bytes(record.as_bytes());
    }
}

outer_claims!(ProofClaims);

impl sealed::Rules for ProofClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let organisation = fields::institution(claims.need(label::ISS, Reason::MissingClaim)?)?;
        let outer = Outer::read_behind(organisation.into(), &mut claims, false)?;
        let id = fields::fixed(&mut claims, label::CTI).map(ProofId::from_bytes)?;

        let mut private = fields::private_map(&mut claims)?;
        let (department, doctor) = fields::operator(&mut private)?;
        let place = fields::place(&mut private)?;
        let opens = action(&mut private)?;
        let grant = fields::fixed(&mut private, mic::GRANT).map(GrantId::from_bytes)?;
        let digest = fields::fixed(&mut private, mic::DIGEST)?;
        let action = if opens {
            Action::OpenRecord(HiddenRecord::from_bytes(fields::fixed(
                &mut private,
                mic::RECORD,
            )?))
        } else {
            Action::ListExams
        };
        fields::end(claims, private)?;

        let claims = Self {
            organisation,
            outer,
            id,
            department,
            doctor,
            place,
            action,
            grant,
            digest,
        };
        claims.check().map_err(fields::broken)?;
        Ok(claims)
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        Ok(())
    }
}

/// A proof of use being made by the hospital that holds a live grant, a narrowed one or an emergency access.
///
/// It carries the department and doctor that the grant names, unless others are set.
pub struct ProofDraft<'a> {
    held: Result<Held<'a>, Denial>,
    place: Place,
    action: Action,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
}

impl<'a> ProofDraft<'a> {
    /// To see the list of exams at `place`.
    #[must_use]
    pub fn list(grant: &'a Live<Grant>, place: Place) -> Self {
        Self::of(grant.held(), place, Action::ListExams)
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
        Ok(Self::of(grant.held(), place, Action::OpenRecord(record)))
    }

    pub(crate) fn of(held: Result<Held<'a>, Denial>, place: Place, action: Action) -> Self {
        let terms = held.as_ref().ok().map(|held| held.terms);
        Self {
            held,
            place,
            action,
            department: terms.and_then(|terms| terms.department).copied(),
            doctor: terms.and_then(|terms| terms.doctor).copied(),
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
        let held = self.held.map_err(|denial| denial.reason())?;
        if key_id != held.holder {
            return Err(IssueError::NotTheGrantee);
        }
        let claims = ProofClaims {
            organisation: *held.organisation,
            outer: Outer::new(
                (*held.organisation).into(),
                *held.realm,
                time::whole_second(now)?,
                PROOF_LIFE_S,
            )?,
            id,
            department: self.department,
            doctor: self.doctor,
            place: self.place,
            action: self.action,
            grant: *held.id,
            digest: held.digest,
        };
        claims.check()?;
        Ok(claims.encode()?)
    }
}

impl fmt::Debug for ProofDraft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofDraft")
            .field("place", &self.place)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}
