//! The receipt (`mic-r`): a node says what it served, to whom, under what. It is an entry of the node's log and
//! kept for years (CST-120 to CST-123).

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::{
    cbor::read::{self, MapReader},
    claims::{
        binding::{GrantId, HiddenRecord, InstrumentDigest, ProofId},
        fields, label, mic,
        outer::{Origin, record_claims},
        purpose::{Purpose, Rights},
        time::Moment,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode, IssuerCode, Realm},
    denial::{Denial, Reason},
    emergency::EmergencyReason,
    encoded::Encoded,
    issue::{IssueError, seal, seal_async},
    key::KeyRecord,
    order::StatutoryGround,
    permit::{Basis, Permit},
    proof::{Action, Place, action, write_action, write_record},
    signer::{AsyncSigner, Signer},
    token::{TokenType, sealed},
};

/// The type of a receipt token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Receipt {}

/// What a receipt says: ids, codes of organisations and staff, the record under the grant's salt. Nobody finds
/// the patient by it but who has the opening and the index.
///
/// ```
/// fn line(receipt: &mic_consent::ReceiptClaims) -> String {
///     format!("{} {} under {}", receipt.issued_at(), receipt.organisation(), receipt.grant())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptClaims {
    origin: Origin,
    organisation: InstitutionCode,
    purpose: Option<Purpose>,
    rights: Rights,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    place: Place,
    action: Action,
    grant: GrantId,
    digest: [u8; 32],
    emergency: Option<(EmergencyReason, DoctorCode)>,
    proof: ProofId,
    order: Option<(InstrumentDigest, StatutoryGround)>,
}

impl ReceiptClaims {
    /// The hospital that was served.
    #[must_use]
    pub const fn organisation(&self) -> &InstitutionCode {
        &self.organisation
    }

    /// The purpose of the grant; none for an emergency or an order.
    #[must_use]
    pub const fn purpose(&self) -> Option<Purpose> {
        self.purpose
    }

    /// What might be done with what was served.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        self.rights
    }

    /// The department that acted.
    #[must_use]
    pub const fn department(&self) -> Option<&DepartmentCode> {
        self.department.as_ref()
    }

    /// The doctor who acted.
    #[must_use]
    pub const fn doctor(&self) -> Option<&DoctorCode> {
        self.doctor.as_ref()
    }

    /// Where it was served.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// What was served.
    #[must_use]
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// The grant, emergency access or order.
    #[must_use]
    pub const fn grant(&self) -> &GrantId {
        &self.grant
    }

    /// What it stood on.
    #[must_use]
    pub const fn basis(&self) -> Basis {
        match (&self.emergency, &self.order) {
            (Some(_), _) => Basis::Emergency,
            (None, Some(_)) => Basis::Statute,
            (None, None) => Basis::Consent,
        }
    }

    /// For an emergency: why, and who will review it.
    #[must_use]
    pub const fn emergency(&self) -> Option<&(EmergencyReason, DoctorCode)> {
        self.emergency.as_ref()
    }

    /// For an order: the instrument by its digest, and the ground of law.
    #[must_use]
    pub const fn order(&self) -> Option<&(InstrumentDigest, StatutoryGround)> {
        self.order.as_ref()
    }

    /// The digest of what it was served under: the grant, its last narrowing, the emergency access or the order.
    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The proof of use.
    #[must_use]
    pub const fn proof(&self) -> &ProofId {
        &self.proof
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        private
            .key(mic::ORGANISATION)
            .text(self.organisation.as_str());
        if let Some(purpose) = self.purpose {
            private.key(mic::PURPOSE).uint(purpose.number().into());
        }
        private.key(mic::RIGHTS).uint(self.rights.bits().into());
        fields::write_operator(&mut private, self.department(), self.doctor());
        fields::write_place(&mut private, &self.place);
        write_action(&mut private, &self.action);
        private.key(mic::GRANT).bytes(self.grant.as_bytes());
        private.key(mic::DIGEST).bytes(&self.digest);
        write_record(&mut private, &self.action);
        if let Some((reason, reviewer)) = &self.emergency {
            private.key(mic::REASON).uint(reason.number().into());
            private.key(mic::REVIEWER).text(reviewer.as_str());
        }
        private.key(mic::PROOF).bytes(self.proof.as_bytes());
        if let Some((instrument, ground)) = &self.order {
            private.key(mic::INSTRUMENT).bytes(instrument.as_bytes());
            private.key(mic::GROUND).uint(ground.number().into());
        }
        let mut claims = self.origin.write()?;
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

record_claims!(ReceiptClaims);

impl sealed::Rules for ReceiptClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let origin = Origin::read(&mut claims)?;
        let mut private = fields::private_map(&mut claims)?;
        let organisation =
            fields::institution(private.need(mic::ORGANISATION, Reason::MissingClaim)?)?;
        // Consent has a purpose, an emergency a reason, an order an instrument; never two of them.
        let purpose = match private.find(mic::PURPOSE) {
            Some(value) => Some(fields::purpose_number(value)?),
            None => None,
        };
        let rights = fields::rights(&mut private)?;
        let (department, doctor) = fields::operator(&mut private)?;
        let place = fields::place(&mut private)?;
        let opens = action(&mut private)?;
        let grant = fields::fixed(&mut private, mic::GRANT).map(GrantId::from_bytes)?;
        let digest = fields::fixed(&mut private, mic::DIGEST)?;
        let action = match opens {
            true => Action::OpenRecord(HiddenRecord::from_bytes(fields::fixed(
                &mut private,
                mic::RECORD,
            )?)),
            false => Action::ListExams,
        };
        let emergency = match purpose {
            Some(_) => None,
            None => emergency(&mut private)?,
        };
        let proof = fields::fixed(&mut private, mic::PROOF).map(ProofId::from_bytes)?;
        let order = match (purpose, &emergency) {
            (None, None) => Some(fields::instrument(&mut private)?),
            _ => None,
        };
        fields::end(claims, private)?;
        Ok(Self {
            origin,
            organisation,
            purpose,
            rights,
            department,
            doctor,
            place,
            action,
            grant,
            digest,
            emergency,
            proof,
            order,
        })
    }

    /// CST-120: a node speaks for itself, and a key of one province for places of that province.
    fn issuer_rules(&self, record: &KeyRecord) -> Result<(), Denial> {
        if self.place.node() != record.organisation() {
            return Err(Reason::OtherNode.into());
        }
        let province = record.province();
        if province.is_some() && self.place.in_province() != province {
            return Err(Reason::OutsideProvince.into());
        }
        Ok(())
    }
}

/// Reason and reviewer of an emergency, where the next claim is the reason.
fn emergency(private: &mut MapReader<'_>) -> Result<Option<(EmergencyReason, DoctorCode)>, Denial> {
    let Some(value) = private.find(mic::REASON) else {
        return Ok(None);
    };
    let reason = value.take_as(read::uint, |number| {
        EmergencyReason::from_number(number).ok_or(Reason::UnknownListValue)
    })?;
    let reviewer = private.need(mic::REVIEWER, Reason::MissingClaim)?;
    Ok(Some((reason, fields::doctor(reviewer)?)))
}

/// A receipt being made by the node that served.
///
/// ```
/// use mic_consent::{IssuerCode, Permit, Signer};
/// fn serve(
///     permit: Permit<'_>, log_key: &dyn Signer, now: chrono::DateTime<chrono::Utc>,
/// ) -> Result<mic_consent::Encoded, Box<dyn core::error::Error>> {
///     // ... the images ...
///     Ok(permit.served().sign(log_key, IssuerCode::new("ARCHIVE61")?, now)?)
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "what was served is not in the log before its receipt is signed"]
pub struct ReceiptDraft {
    realm: Realm,
    claims: Facts,
}

#[derive(Debug, Clone)]
struct Facts {
    organisation: InstitutionCode,
    purpose: Option<Purpose>,
    rights: Rights,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    place: Place,
    action: Action,
    grant: GrantId,
    digest: [u8; 32],
    emergency: Option<(EmergencyReason, DoctorCode)>,
    proof: ProofId,
    order: Option<(InstrumentDigest, StatutoryGround)>,
}

impl Permit<'_> {
    /// Uses the permit up (CST-122): what it names was served. Gives the receipt.
    pub fn served(self) -> ReceiptDraft {
        let proof = self.proof();
        ReceiptDraft {
            realm: *self.held.realm,
            claims: Facts {
                organisation: *proof.organisation(),
                purpose: self.grant().map(|grant| grant.claims().purpose()),
                rights: self.rights(),
                department: proof.department().copied(),
                doctor: proof.doctor().copied(),
                place: *proof.place(),
                action: *proof.action(),
                grant: *self.id(),
                emergency: self.emergency().map(|emergency| {
                    let claims = emergency.claims();
                    (claims.reason(), *claims.reviewer())
                }),
                proof: *proof.id(),
                digest: self.held.digest,
                order: self.order().map(|order| {
                    let claims = order.claims();
                    (*claims.instrument(), claims.ground())
                }),
            },
        }
    }
}

impl ReceiptDraft {
    /// Signs it with the log key of the node, `issuer` being that key's owner.
    ///
    /// # Errors
    /// An issuer that is not the node that served ([`Reason::OtherNode`]); a failing signer.
    pub fn sign(
        &self,
        signer: &dyn Signer,
        issuer: IssuerCode,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(issuer, now)?;
        seal(TokenType::Receipt, &payload, signer)
    }

    /// The same with a signer that is waited for. The claims are settled before the wait.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_async(
        &self,
        signer: &impl AsyncSigner,
        issuer: IssuerCode,
        now: DateTime<Utc>,
    ) -> Result<Encoded, IssueError> {
        let payload = self.payload(issuer, now)?;
        seal_async(TokenType::Receipt, &payload, signer).await
    }

    fn payload(&self, issuer: IssuerCode, now: DateTime<Utc>) -> Result<Vec<u8>, IssueError> {
        let facts = &self.claims;
        if *facts.place.node() != issuer {
            return Err(Reason::OtherNode.into());
        }
        let claims = ReceiptClaims {
            origin: Origin {
                issuer,
                realm: self.realm,
                issued_at: Moment::of(now)?,
            },
            organisation: facts.organisation,
            purpose: facts.purpose,
            rights: facts.rights,
            department: facts.department,
            doctor: facts.doctor,
            place: facts.place,
            action: facts.action,
            grant: facts.grant,
            digest: facts.digest,
            emergency: facts.emergency,
            proof: facts.proof,
            order: facts.order,
        };
        Ok(claims.encode()?)
    }
}
