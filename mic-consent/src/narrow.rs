//! The narrowed grant (`mic-n`): the holder of a grant cuts it down, without asking anybody, to a study, a
//! node, a shorter time, and hands it to another key of its own house (CST-80 to CST-86).

use alloc::vec::Vec;

use crate::{
    claims::{
        binding::GrantId,
        fields, label, mic,
        outer::{Outer, outer_claims},
        purpose::Rights,
        scope::Scope,
    },
    code::{DepartmentCode, DoctorCode, InstitutionCode},
    denial::{Denial, Reason},
    key::{KeyId, KeyRecord},
    limits::{GRANT_LIFE_S_MAX, STUDIES_MAX},
    proof::Place,
    terms::Terms,
    token::sealed,
};

mod chain;
mod draft;

pub use self::{chain::NarrowedGrant, draft::NarrowDraft};

/// The type of a narrowed grant's token; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Narrowed {}

/// What one narrowing says (CST-81); read from [`Signed`](crate::Signed) on. It says nothing without the grant that it
/// narrows: see [`NarrowedGrant`].
///
/// ```
/// fn line(link: &mic_consent::NarrowedClaims) -> String {
///     format!("{} until {} for key {}", link.terms().rights(), link.expires_at(), link.holder())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarrowedClaims {
    organisation: InstitutionCode,
    outer: Outer,
    holder: KeyId,
    rights: Rights,
    scope: Scope,
    studies: Option<u16>,
    department: Option<DepartmentCode>,
    doctor: Option<DoctorCode>,
    place: Option<Place>,
    grant: GrantId,
    digest: [u8; 32],
}

impl NarrowedClaims {
    /// The hospital that holds the grant.
    #[must_use]
    pub const fn organisation(&self) -> &InstitutionCode {
        &self.organisation
    }

    /// The key that alone can use it from here on.
    #[must_use]
    pub const fn holder(&self) -> KeyId {
        self.holder
    }

    /// The grant it narrows.
    #[must_use]
    pub const fn grant(&self) -> &GrantId {
        &self.grant
    }

    /// What it leaves.
    #[must_use]
    pub const fn terms(&self) -> Terms<'_> {
        Terms {
            rights: self.rights,
            scope: &self.scope,
            valid_from: self.outer.valid_from.date_time(),
            expires_at: self.expires_at(),
            place: self.place.as_ref(),
            department: self.department.as_ref(),
            doctor: self.doctor.as_ref(),
            studies: self.studies,
        }
    }

    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    fn check(&self) -> Result<(), Reason> {
        self.outer.check(GRANT_LIFE_S_MAX)?;
        if self
            .studies
            .is_some_and(|studies| !(1..=STUDIES_MAX).contains(&studies))
        {
            return Err(Reason::TooMany);
        }
        fields::check_rights(self.rights, &self.scope)
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, Reason> {
        let mut private = fields::write_private();
        private.key(mic::RIGHTS).uint(self.rights.bits().into());
        private.key(mic::SCOPE).raw(&self.scope.encode());
        if let Some(studies) = self.studies {
            private.key(mic::STUDIES).uint(studies.into());
        }
        fields::write_operator(&mut private, self.department.as_ref(), self.doctor.as_ref());
        if let Some(place) = &self.place {
            fields::write_place(&mut private, place);
        }
        private.key(mic::GRANT).bytes(self.grant.as_bytes());
        private.key(mic::DIGEST).bytes(&self.digest);

        let mut claims = self.outer.write(None)?;
        fields::write_holder(&mut claims, self.holder);
        claims.key(label::MIC).raw(&private.finish());
        Ok(claims.finish())
    }
}

outer_claims!(NarrowedClaims);

impl sealed::Rules for NarrowedClaims {
    fn decode(payload: &[u8], start: usize) -> Result<Self, Denial> {
        let mut claims = fields::claims(payload, start)?;
        let organisation = fields::institution(claims.need(label::ISS, Reason::MissingClaim)?)?;
        let outer = Outer::read_behind(organisation.into(), &mut claims, false)?;
        let holder = fields::holder(&mut claims)?;

        let mut private = fields::private_map(&mut claims)?;
        let rights = fields::rights(&mut private)?;
        let scope = fields::scope(&mut private)?;
        let studies = fields::studies(&mut private)?;
        let (department, doctor) = fields::operator(&mut private)?;
        let place = fields::place_if_any(&mut private)?;
        let grant = fields::fixed(&mut private, mic::GRANT).map(GrantId::from_bytes)?;
        let digest = fields::fixed(&mut private, mic::DIGEST)?;
        fields::end(claims, private)?;

        let claims = Self {
            organisation,
            outer,
            holder,
            rights,
            scope,
            studies,
            department,
            doctor,
            place,
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
