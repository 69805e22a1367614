//! The order (`mic-l`): a court, a supervisor or another body with the power of law has an institution look at a
//! person's exams without consent (PIPL article 13; CST-140 to CST-146). Its own role signs it, never a consent
//! authority and never from a patient's code; it names the instrument it stands on by digest, the ground and the
//! article of law; a node serves under it only when its policy says so, and every receipt says that it did.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    checker::{Checker, valid},
    claims::{
        binding::{
            GrantId, HiddenRecord, InstrumentDigest, Opening, OpeningDigest, SubjectCommitment,
            order_digest,
        },
        fields, label, mic,
        outer::{Outer, outer_claims},
        person::closed_list,
        purpose::Rights,
        scope::Scope,
    },
    code::{ArticleCode, DepartmentCode, DoctorCode, InstitutionCode, IssuerCode},
    denial::{Denial, Reason},
    guard::ReplayGuard,
    issue::IssueError,
    key::{KeyId, KeyRecord},
    limits::ORDER_LIFE_S_MAX,
    permit::{Held, Permit, Presented, Under, Use, recheck},
    proof::{Action, Place, ProofDraft},
    signer::AsyncRawVerify,
    status::{StatusRef, StatusSource},
    terms::Terms,
    token::{Live, Signed, sealed},
};

mod draft;

pub use self::draft::OrderDraft;

closed_list! {
    /// On what ground of law a body orders access without consent. Which article carries it is for counsel.
    ///
    /// ```
    /// use mic_consent::StatutoryGround;
    /// assert_eq!(StatutoryGround::Judicial.chinese(), "司法机关依法调取");
    /// ```
    StatutoryGround {
        /// A court, procuratorate or the police take evidence.
        Judicial = 1,
        /// A public-health emergency (PIPL article 13, item 4).
        PublicHealth = 2,
        /// Supervision of the medical-security funds.
        FundSupervision = 3,
        /// Another statutory duty (PIPL article 13, item 3).
        StatutoryDuty = 4,
    }
}

impl StatutoryGround {
    /// The Chinese text for screens and receipts.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Judicial => "司法机关依法调取",
            Self::PublicHealth => "应对突发公共卫生事件",
            Self::FundSupervision => "医疗保障基金监督检查",
            Self::StatutoryDuty => "履行法定职责",
        }
    }
}

/// The type of an order token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {}

/// What an order says; read from [`Signed`] on. One order is about one person: an instrument that names many
/// gives many.
///
/// ```
/// fn banner(order: &mic_consent::OrderClaims) -> String {
///     format!("依法调阅：{}，{}", order.ground().chinese(), order.article())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderClaims {
    outer: Outer,
    subject: SubjectCommitment,
    id: GrantId,
    holder: KeyId,
    organisation: InstitutionCode,
    rights: Rights,
    scope: Scope,
    status: StatusRef,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    opening: OpeningDigest,
    instrument: InstrumentDigest,
    ground: StatutoryGround,
    article: ArticleCode,
}

/// What an order can give at most: to see and to keep as evidence, not to compute with or to pass on.
const RIGHTS: u8 =
    Rights::LIST.bits() | Rights::VIEW.bits() | Rights::REPORT.bits() | Rights::KEEP.bits();

impl OrderClaims {
    /// The body that ordered it.
    #[must_use]
    pub const fn issuer(&self) -> &IssuerCode {
        &self.outer.origin.issuer
    }

    /// The person, hidden.
    #[must_use]
    pub const fn subject(&self) -> &SubjectCommitment {
        &self.subject
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &GrantId {
        &self.id
    }

    /// The institution's key, which alone can use it.
    #[must_use]
    pub const fn holder(&self) -> KeyId {
        self.holder
    }

    /// The institution that carries it out.
    #[must_use]
    pub const fn organisation(&self) -> &InstitutionCode {
        &self.organisation
    }

    /// Its place in the status lists of the body: an order is lifted there.
    #[must_use]
    pub const fn status(&self) -> StatusRef {
        self.status
    }

    /// The digest of the opening that every use must show.
    #[must_use]
    pub const fn opening(&self) -> &OpeningDigest {
        &self.opening
    }

    /// The instrument it stands on, by digest.
    #[must_use]
    pub const fn instrument(&self) -> &InstrumentDigest {
        &self.instrument
    }

    /// The ground of law.
    #[must_use]
    pub const fn ground(&self) -> StatutoryGround {
        self.ground
    }

    /// The article of law, as the body states it.
    #[must_use]
    pub const fn article(&self) -> &ArticleCode {
        &self.article
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
            department: self.department.as_ref(),
            doctor: self.doctor.as_ref(),
            studies: None,
        }
    }

    fn check(&self) -> Result<(), Reason> {
        self.outer.check(ORDER_LIFE_S_MAX)?;
        fields::check_rights(self.rights, &self.scope)?;
        match self.rights.bits() & !RIGHTS {
            0 => Ok(()),
            _ => Err(Reason::OrderRights),
        }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        private
            .key(mic::ORGANISATION)
            .text(self.organisation.as_str());
        private.key(mic::RIGHTS).uint(self.rights.bits().into());
        private.key(mic::SCOPE).raw(&self.scope.encode());
        fields::write_status(&mut private, self.status);
        fields::write_operator(&mut private, self.department.as_ref(), self.doctor.as_ref());
        private.key(mic::OPENING).bytes(self.opening.as_bytes());
        private
            .key(mic::INSTRUMENT)
            .bytes(self.instrument.as_bytes());
        private.key(mic::GROUND).uint(self.ground.number().into());
        private.key(mic::ARTICLE).text(self.article.as_str());

        let mut claims = self.outer.write(Some(&self.subject))?;
        claims.key(label::CTI).bytes(self.id.as_bytes());
        fields::write_holder(&mut claims, self.holder);
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

outer_claims!(OrderClaims);

impl sealed::Rules for OrderClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let issuer = fields::issuer(claims.need(label::ISS, Reason::MissingClaim)?)?;
        let subject = fields::subject(&mut claims)?;
        let outer = Outer::read_behind(issuer, &mut claims, false)?;
        let id = fields::fixed(&mut claims, label::CTI).map(GrantId::from_bytes)?;
        let holder = fields::holder(&mut claims)?;

        let mut private = fields::private_map(&mut claims)?;
        let organisation =
            fields::institution(private.need(mic::ORGANISATION, Reason::MissingClaim)?)?;
        let rights = fields::rights(&mut private)?;
        let scope = fields::scope(&mut private)?;
        let status = fields::status(&mut private)?;
        let (department, doctor) = fields::operator(&mut private)?;
        let opening = fields::fixed(&mut private, mic::OPENING).map(OpeningDigest::from_bytes)?;
        let (instrument, ground) = fields::instrument(&mut private)?;
        let article = fields::article(private.need(mic::ARTICLE, Reason::MissingClaim)?)?;
        fields::end(claims, private)?;

        let claims = Self {
            outer,
            subject,
            id,
            holder,
            organisation,
            rights,
            scope,
            status,
            department,
            doctor,
            opening,
            instrument,
            ground,
            article,
        };
        claims.check().map_err(fields::broken)?;
        Ok(claims)
    }

    /// CST-143: nobody orders for itself, and a key of one province for that province alone.
    fn issuer_rules(&self, record: &KeyRecord) -> Result<(), Denial> {
        if *self.issuer() == IssuerCode::from(self.organisation) {
            return Err(Reason::SelfGranted.into());
        }
        match record.province() {
            Some(province) if !self.scope.is_confined_to(province) => {
                Err(Reason::OutsideProvince.into())
            }
            _ => Ok(()),
        }
    }
}

impl Signed<Order> {
    /// Checks realm, time and status, and that the node takes orders at all: steps 9 to 12, after steps 5 and 8
    /// once more (CST-144, CST-145).
    ///
    /// # Errors
    /// A key that is no longer trusted; another realm or time; a node that takes no orders; an order that was
    /// lifted, or of unknown status.
    pub fn live(
        self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        status: &dyn StatusSource,
    ) -> Result<Live<Order>, Denial> {
        self.still_trusted(checker)?;
        checker.audience_and_time(self.claims(), ORDER_LIFE_S_MAX, now)?;
        accepted(checker)?;
        valid(status.status(&self.key_id(), self.claims().status(), now))?;
        Ok(self.into_live(now, checker.policy().skew_s()))
    }
}

fn accepted(checker: &Checker<'_>) -> Result<(), Denial> {
    if checker.policy().takes_orders() {
        Ok(())
    } else {
        Err(Reason::OrderNotAccepted.into())
    }
}

impl Live<Order> {
    /// Decides on one action, as [`Live::permit`] does for a grant. The permit says that it stands on an order.
    ///
    /// # Errors
    /// As for a grant.
    pub fn permit<'a>(
        &'a self,
        checker: &Checker<'_>,
        now: DateTime<Utc>,
        presented: Presented<'a>,
        wanted: &Use<'_>,
        guard: &mut dyn ReplayGuard,
    ) -> Result<Permit<'a>, Denial> {
        Under::Order(self).permit(checker, now, presented, wanted, guard)
    }

    /// [`permit`](Self::permit) with the proof's signature checked by a module that is waited for, as for a
    /// grant.
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
        Under::Order(self)
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
        recheck(checker, self.claims(), ORDER_LIFE_S_MAX, checked_at, now)?;
        accepted(checker)?;
        checker.still_valid(&self.key_id(), self.claims().status(), now)?;
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
            digest: order_digest(self.suite(), self.encoded().payload())
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
