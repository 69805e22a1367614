//! One registration: the patient before the doctor, from the request to the list.

use chrono::{DateTime, Utc};
use mic_consent::{
    Checker, Grant, IssuerCode, KeyId, Live, Place, ProofDraft, ProofId, Purpose, QrPicture, Realm,
    RequestDraft, RequestNonce, Rights, Scope, Status, StatusRef, StatusSource,
};
use mic_index::PersonCode;

use super::Hospital;
use super::pull::StudyOrder;
use crate::consent;
use crate::node::Role;
use crate::problem::Problem;
use crate::time;
use crate::trust::Trust;
use crate::wire::{Asked, Collect, Collected, Exam, Listed, Presented};

/// How long the workstation shows a request: the library's default.
const REQUEST_LIFE_S: i64 = 120;
/// Pixels a module in the QR picture.
const QR_SCALE: u32 = 6;

/// What the front-end machine knows of one patient's visit; in memory only.
pub(super) struct Registration {
    person: PersonCode,
    asked: Option<(RequestNonce, String)>,
    grant: Option<Collected>,
    listed: Vec<Listed>,
}

impl core::fmt::Debug for Registration {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Registration")
            .field("asked", &self.asked.is_some())
            .field("granted", &self.grant.is_some())
            .field("listed", &self.listed.len())
            .finish_non_exhaustive()
    }
}

impl Registration {
    /// Registers a patient under a random identifier.
    pub(super) fn new(person: &str) -> Result<(String, Self), Problem> {
        let registration = Self {
            person: person
                .parse()
                .map_err(|e| Problem::data("registration.person", e))?,
            asked: None,
            grant: None,
            listed: Vec::new(),
        };
        Ok((hex::encode(consent::random::<16>()?), registration))
    }

    /// Makes and signs the request that the workstation shows.
    pub(super) fn ask(&mut self, trust: &Trust) -> Result<Asked, Problem> {
        let fault = |e: &dyn core::fmt::Display| Problem::system("consent.request", e);
        let realm = Realm::new(consent::REALM).map_err(|e| fault(&e))?;
        let hospital = mic_consent::InstitutionCode::new(trust.own().organisation().as_str())
            .map_err(|e| fault(&e))?;
        let nonce = RequestNonce::from_bytes(consent::random()?);
        let now = time::now();
        let rights = Rights::LIST | Rights::VIEW;
        let request = RequestDraft::new(realm, hospital, Purpose::Treatment, rights, Scope::all())
            .sign(trust.key().signer(), nonce, now.to_utc())
            .map_err(|e| fault(&e))?;
        let text = request.to_text();
        let picture = QrPicture::from_text(&text).map_err(|e| fault(&e))?;
        let life = chrono::Duration::seconds(REQUEST_LIFE_S);
        self.asked = Some((nonce, text.clone()));
        self.grant = None;
        self.listed.clear();
        Ok(Asked {
            text,
            version: u8::try_from(picture.version()).unwrap_or(u8::MAX),
            expires: now + life,
        })
    }

    /// The picture of the request.
    pub(super) fn qr(&self) -> Result<Vec<u8>, Problem> {
        let (_, text) = self.asked()?;
        QrPicture::from_text(text)
            .and_then(|picture| picture.png(QR_SCALE, QrPicture::QUIET_ZONE))
            .map_err(|e| Problem::system("consent.qr", e))
    }

    /// Fetches the grant by the back channel and checks that it answers our request for our key.
    pub(super) fn collect(&mut self, hospital: &Hospital) -> Result<(), Problem> {
        let (nonce, _) = self.asked()?;
        let nonce = *nonce;
        let collected: Collected = hospital.authority.post(
            "/v1/grants",
            &Collect {
                nonce: hex::encode(nonce.as_bytes()),
            },
        )?;
        let key = hospital.context.trust.key().signer().key_id();
        live(hospital, &collected.grant)?
            .answers(&nonce, &key)
            .map_err(|denial| consent::problem(&denial))?;
        self.grant = Some(collected);
        Ok(())
    }

    /// Gets the list of exams from the nation.
    pub(super) fn list(&mut self, hospital: &Hospital) -> Result<Vec<Listed>, Problem> {
        let grant = self.granted()?;
        let live = live(hospital, &grant.grant)?;
        let nation = organisation(&hospital.context.trust, Role::Nation)?;
        let proof = ProofDraft::list(&live, Place::nation(nation));
        let presented = self.present(hospital, grant, &proof)?;
        self.listed = hospital.nation.post("/v1/exams", &presented)?;
        Ok(self.listed.clone())
    }

    /// The wanted exams, all of which must be on the list.
    pub(super) fn exams(&self, studies: &[String]) -> Result<Vec<Exam>, Problem> {
        let exams = studies
            .iter()
            .map(|study| Ok(self.listed(study)?.exam.clone()));
        exams.collect()
    }

    /// What a pull needs for each wanted study: where it is, and the authorisation to show there.
    pub(super) fn orders(
        &self,
        hospital: &Hospital,
        studies: &[String],
    ) -> Result<Vec<StudyOrder>, Problem> {
        let grant = self.granted()?;
        let live = live(hospital, &grant.grant)?;
        let opening = consent::opening(grant.salt.reveal())?;
        studies
            .iter()
            .map(|study| {
                let listed = self.listed(study)?;
                let place = consent::province_place(&listed.exam.keeper)?;
                let key = consent::record_key(&listed.exam.code, study);
                let proof = ProofDraft::open(&live, place, &key, &opening)
                    .map_err(|e| Problem::system("consent.proof", e))?;
                Ok(StudyOrder {
                    door: listed.transfer.clone().ok_or_else(|| {
                        Problem::system("pull.door", "the province that keeps the study is closed")
                    })?,
                    authorisation: serde_json::to_vec(&self.present(hospital, grant, &proof)?)?,
                    exam: listed.exam.clone(),
                })
            })
            .collect()
    }

    /// Whether the grant opens this study now.
    pub(super) fn may_open(&self, hospital: &Hospital, study: &str) -> Result<(), Problem> {
        let grant = self.granted()?;
        let live = live(hospital, &grant.grant)?;
        self.listed(study)?;
        if live.claims().rights().contains(Rights::VIEW) {
            return Ok(());
        }
        Err(Problem::denied(
            "consent.rights",
            "the grant does not include viewing",
        ))
    }

    fn present(
        &self,
        hospital: &Hospital,
        grant: &Collected,
        proof: &ProofDraft<'_>,
    ) -> Result<Presented, Problem> {
        let id = ProofId::from_bytes(consent::random()?);
        let proof = proof
            .sign(
                hospital.context.trust.key().signer(),
                id,
                time::now().to_utc(),
            )
            .map_err(|e| Problem::system("consent.proof", e))?;
        Ok(Presented {
            grant: grant.grant.clone(),
            proof: proof.to_text(),
            salt: grant.salt.clone(),
            person: self.person.text().as_str().into(),
        })
    }

    fn asked(&self) -> Result<&(RequestNonce, String), Problem> {
        self.asked
            .as_ref()
            .ok_or_else(|| Problem::usage("consent.not_asked", "no request was made yet"))
    }

    fn granted(&self) -> Result<&Collected, Problem> {
        self.grant
            .as_ref()
            .ok_or_else(|| Problem::denied("consent.none", "the patient has not consented"))
    }

    fn listed(&self, study: &str) -> Result<&Listed, Problem> {
        self.listed
            .iter()
            .find(|listed| listed.exam.study == study)
            .ok_or_else(|| Problem::denied("consent.not_listed", "the study is not on the list"))
    }
}

fn live(hospital: &Hospital, grant: &str) -> Result<Live<Grant>, Problem> {
    let policy = consent::policy()?;
    let checker = Checker::new(hospital.context.trust.ring(), &policy);
    consent::live(grant, &checker, time::now().to_utc(), hospital)
}

impl StatusSource for Hospital {
    fn status(&self, issuer: &KeyId, place: StatusRef, now: DateTime<Utc>) -> Status {
        self.withdrawn
            .status(&self.context.trust, issuer, place, now)
    }
}

fn organisation(trust: &Trust, role: Role) -> Result<IssuerCode, Problem> {
    trust
        .organisation(role)
        .ok_or_else(|| Problem::usage("trust.file", format!("the trust file names no {role}")))
}
