//! Emergency access (`mic-e`): a hospital's emergency role takes access without consent, because life or health
//! is at stake and nobody can be asked (PIPL article 13; CST-100 to CST-106). It says who acts, why, and who
//! will review it; every permit under it is flagged, every receipt says so, and an access without a review is
//! a finding of the reconciliation.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    checker::Checker,
    claims::{
        binding::{
            GrantId, HiddenRecord, Opening, OpeningDigest, SubjectCommitment, emergency_digest,
        },
        fields, label, mic,
        outer::{Outer, outer_claims},
        person::closed_list,
        purpose::Rights,
        scope::Scope,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, IssuerCode},
    denial::{Denial, Reason},
    guard::ReplayGuard,
    issue::IssueError,
    key::{KeyId, KeyRecord},
    limits::EMERGENCY_LIFE_S_MAX,
    permit::{Held, Permit, Presented, Under, Use, recheck},
    proof::{Action, Place, ProofDraft},
    signer::AsyncRawVerify,
    terms::Terms,
    token::{Live, Signed, sealed},
};

mod draft;

pub use self::draft::EmergencyDraft;

closed_list! {
    /// Why nobody could be asked.
    ///
    /// ```
    /// use mic_consent::EmergencyReason;
    /// assert_eq!(EmergencyReason::LifeAtRisk.chinese(), "生命垂危");
    /// ```
    EmergencyReason {
        /// Life is at risk, and asking would take too long.
        LifeAtRisk = 1,
        /// The person cannot answer and no guardian is there.
        CannotAnswer = 2,
        /// An accident or outbreak with many injured.
        ManyInjured = 3,
    }
}

impl EmergencyReason {
    /// The Chinese text for screens and receipts.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::LifeAtRisk => "生命垂危",
            Self::CannotAnswer => "患者无法表达意愿且监护人不在场",
            Self::ManyInjured => "群体伤亡或突发公共卫生事件",
        }
    }
}

closed_list! {
    /// What the person who acts is at the hospital.
    ///
    /// ```
    /// assert_eq!(mic_consent::StaffRole::Attending.number(), 1);
    /// ```
    StaffRole {
        /// The attending doctor (主治医师).
        Attending = 1,
        /// The chief on duty (总值班).
        ChiefOnDuty = 2,
        /// The head of the emergency department (急诊科主任).
        HeadOfEmergency = 3,
    }
}

/// The type of an emergency token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Emergency {}

/// What an emergency access says; read from [`Signed`] on.
///
/// ```
/// fn banner(emergency: &mic_consent::EmergencyClaims) -> String {
///     format!("紧急调阅：{}", emergency.reason().chinese())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyClaims {
    organisation: InstitutionCode,
    outer: Outer,
    subject: SubjectCommitment,
    id: GrantId,
    holder: KeyId,
    rights: Rights,
    scope: Scope,
    department: DepartmentCode,
    doctor: DoctorCode,
    reason: EmergencyReason,
    reviewer: DoctorCode,
    staff: StaffRole,
    opening: OpeningDigest,
    reviewing: IssuerCode,
}

/// What an emergency access can give at most: nothing that outlasts the emergency.
const RIGHTS: u8 = Rights::LIST.bits() | Rights::VIEW.bits() | Rights::REPORT.bits();

impl EmergencyClaims {
    /// The hospital.
    #[must_use]
    pub const fn organisation(&self) -> &InstitutionCode {
        &self.organisation
    }

    /// The patient, hidden.
    #[must_use]
    pub const fn subject(&self) -> &SubjectCommitment {
        &self.subject
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &GrantId {
        &self.id
    }

    /// The hospital's key, which alone can use it.
    #[must_use]
    pub const fn holder(&self) -> KeyId {
        self.holder
    }

    /// The department that acts.
    #[must_use]
    pub const fn department(&self) -> &DepartmentCode {
        &self.department
    }

    /// The doctor who acts.
    #[must_use]
    pub const fn doctor(&self) -> &DoctorCode {
        &self.doctor
    }

    /// Why nobody could be asked.
    #[must_use]
    pub const fn reason(&self) -> EmergencyReason {
        self.reason
    }

    /// Who will review it.
    #[must_use]
    pub const fn reviewer(&self) -> &DoctorCode {
        &self.reviewer
    }

    /// The organisation whose key signs the review.
    #[must_use]
    pub const fn reviewing(&self) -> &IssuerCode {
        &self.reviewing
    }

    /// What the doctor is at the hospital.
    #[must_use]
    pub const fn staff_role(&self) -> StaffRole {
        self.staff
    }

    /// The digest of the opening that every use must show (CST-103).
    #[must_use]
    pub const fn opening(&self) -> &OpeningDigest {
        &self.opening
    }

    /// What it allows.
    #[must_use]
    pub const fn terms(&self) -> Terms<'_> {
        Terms {
            rights: self.rights,
            scope: &self.scope,
            valid_from: self.outer.valid_from.date_time(),
            expires_at: self.expires_at(),
            place: None,
            department: Some(&self.department),
            doctor: Some(&self.doctor),
            studies: None,
        }
    }

    fn check(&self) -> Result<(), Reason> {
        self.outer.check(EMERGENCY_LIFE_S_MAX)?;
        fields::check_rights(self.rights, &self.scope)?;
        if self.rights.bits() & !RIGHTS != 0 {
            return Err(Reason::EmergencyRights);
        }
        if self.reviewer == self.doctor {
            return Err(Reason::ReviewerSelf);
        }
        Ok(())
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        private.key(mic::RIGHTS).uint(self.rights.bits().into());
        private.key(mic::SCOPE).raw(&self.scope.encode());
        fields::write_operator(&mut private, Some(&self.department), Some(&self.doctor));
        private.key(mic::REASON).uint(self.reason.number().into());
        private.key(mic::REVIEWER).text(self.reviewer.as_str());
        private.key(mic::STAFF).uint(self.staff.number().into());
        private.key(mic::OPENING).bytes(self.opening.as_bytes());
        private.key(mic::REVIEWING).text(self.reviewing.as_str());

        let mut claims = self.outer.write(Some(&self.subject))?;
        claims.key(label::CTI).bytes(self.id.as_bytes());
        fields::write_holder(&mut claims, self.holder);
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

outer_claims!(EmergencyClaims);

impl sealed::Rules for EmergencyClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let organisation = fields::institution(claims.need(label::ISS, Reason::MissingClaim)?)?;
        let subject = fields::subject(&mut claims)?;
        let outer = Outer::read_behind(organisation.into(), &mut claims, false)?;
        let id = fields::fixed(&mut claims, label::CTI).map(GrantId::from_bytes)?;
        let holder = fields::holder(&mut claims)?;

        let mut private = fields::private_map(&mut claims)?;
        let rights = fields::rights(&mut private)?;
        let scope = fields::scope(&mut private)?;
        let department = private.need(mic::DEPARTMENT, Reason::MissingClaim)?;
        let department = fields::department(department)?;
        let doctor = fields::doctor(private.need(mic::DOCTOR, Reason::MissingClaim)?)?;
        let reason = fields::listed(&mut private, mic::REASON, EmergencyReason::from_number)?;
        let reviewer = fields::doctor(private.need(mic::REVIEWER, Reason::MissingClaim)?)?;
        let staff = fields::listed(&mut private, mic::STAFF, StaffRole::from_number)?;
        let opening = fields::fixed(&mut private, mic::OPENING).map(OpeningDigest::from_bytes)?;
        let reviewing = fields::issuer(private.need(mic::REVIEWING, Reason::MissingClaim)?)?;
        fields::end(claims, private)?;

        let claims = Self {
            organisation,
            outer,
            subject,
            id,
            holder,
            rights,
            scope,
            department,
            doctor,
            reason,
            reviewer,
            staff,
            opening,
            reviewing,
        };
        claims.check().map_err(fields::broken)?;
        Ok(claims)
    }

    fn issuer_rules(&self, _: &KeyRecord) -> Result<(), Denial> {
        // A record's province and its owner's code were compared when it was made.
        Ok(())
    }
}

impl Signed<Emergency> {
    /// Checks realm and time, and that the node takes emergency access at all: steps 9 to 11, after steps 5
    /// and 8 once more.
    ///
    /// # Errors
    /// A key that is no longer trusted; another realm or time; a node without emergency access.
    pub fn live(
        self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
    ) -> Result<Live<Emergency>, Denial> {
        self.still_trusted(checker)?;
        checker.audience_and_time(self.claims(), EMERGENCY_LIFE_S_MAX, now)?;
        accepted(checker)?;
        Ok(self.into_live(now, checker.policy().skew_s()))
    }
}

fn accepted(checker: &Checker<'_>) -> Result<(), Denial> {
    if checker.policy().emergency_access() {
        Ok(())
    } else {
        Err(Reason::EmergencyNotAccepted.into())
    }
}

impl Live<Emergency> {
    /// Decides on one action, as [`Live::permit`] does for a grant. The permit says that it stands on an
    /// emergency.
    ///
    /// # Errors
    /// As for a grant, but for the status, which an emergency has not.
    pub fn permit<'a>(
        &'a self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        presented: Presented<'a>,
        wanted: &Use<'_>,
        guard: &mut dyn ReplayGuard,
    ) -> Result<Permit<'a>, Denial> {
        Under::Emergency(self).permit(checker, now, presented, wanted, guard)
    }

    /// [`permit`](Self::permit) with the proof's signature checked by a module that is waited for. What is held is
    /// checked before the wait and once more behind it, so a withdrawal heard meanwhile counts; `now` is that of
    /// the call. Nothing is remembered in the guard when the future is dropped before its end.
    ///
    /// # Errors
    /// As [`permit`](Self::permit).
    pub async fn permit_async<'a>(
        &'a self,
        checker: &Checker<'_>,
        module: &impl AsyncRawVerify,
        now: DateTime<Utc>,
        presented: Presented<'a>,
        wanted: &Use<'_>,
        guard: &mut (dyn ReplayGuard + Send),
    ) -> Result<Permit<'a>, Denial> {
        Under::Emergency(self)
            .permit_async(checker, module, now, presented, wanted, guard)
            .await
    }

    pub(crate) fn held_at(
        &self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
    ) -> Result<Held<'_>, Denial> {
        self.still_trusted(checker)?;
        let checked_at = self.checked_at();
        recheck(
            checker,
            self.claims(),
            EMERGENCY_LIFE_S_MAX,
            checked_at,
            now,
        )?;
        accepted(checker)?;
        self.held()
    }

    /// A proof of use to see the list of exams at `place`.
    #[must_use]
    pub fn prove_list(&self, place: Place) -> ProofDraft<'_> {
        ProofDraft::of(self.held(), place, Action::ListExams)
    }

    /// A proof of use to open a record at `place`.
    ///
    /// # Errors
    /// The record key is empty or longer than 256 bytes.
    pub fn prove_open(
        &self,
        place: Place,
        record_key: &[u8],
        opening: &Opening,
    ) -> Result<ProofDraft<'_>, IssueError> {
        let record = HiddenRecord::new(self.suite(), opening, record_key)?;
        Ok(ProofDraft::of(
            self.held(),
            place,
            Action::OpenRecord(record),
        ))
    }

    fn held(&self) -> Result<Held<'_>, Denial> {
        let claims = self.claims();
        Ok(Held {
            suite: self.suite(),
            realm: claims.realm(),
            issuer: self.key_id(),
            id: claims.id(),
            digest: emergency_digest(self.suite(), self.encoded().payload())
                .ok_or(Reason::SuiteNotAccepted)?,
            holder: claims.holder(),
            organisation: claims.organisation(),
            subject: claims.subject(),
            opening: Some(claims.opening()),
            terms: claims.terms(),
            counted_until: claims.expires_at(),
        })
    }
}
