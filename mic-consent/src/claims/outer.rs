//! What all claims share: who says it, for which realm, when, and until when (CST-30, CST-56 to CST-60).

use chrono::{DateTime, Utc};

use super::{fields, label, time::Moment};
use crate::{
    cbor::{
        read::{self, MapReader},
        write::MapWriter,
    },
    claims::binding::SubjectCommitment,
    code::{IssuerCode, Realm},
    denial::{Denial, Reason},
};

/// Who says it, for which realm, when. Records that are kept for years, such as receipts, have no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub(crate) issuer: IssuerCode,
    pub(crate) realm: Realm,
    pub(crate) issued_at: Moment,
}

/// The outer claims of everything that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outer {
    pub(crate) origin: Origin,
    pub(crate) valid_from: Moment,
    pub(crate) expires_at: Moment,
}

impl Origin {
    /// Begins the map of claims: iss, aud and iat; the caller goes on behind iat.
    pub(crate) fn write(&self) -> Result<MapWriter, Reason> {
        let mut claims = MapWriter::new();
        claims.key(label::ISS).text(self.issuer.as_str());
        claims.key(label::AUD).text(self.realm.as_str());
        claims.key(label::IAT).uint(self.issued_at.seconds());
        Ok(claims)
    }

    /// Reads iss, aud and iat.
    pub(crate) fn read(claims: &mut MapReader<'_>) -> Result<Self, Denial> {
        Ok(Self {
            issuer: fields::issuer(claims.need(label::ISS, Reason::MissingClaim)?)?,
            realm: fields::realm(claims)?,
            issued_at: fields::second(claims, label::IAT)?,
        })
    }
}

impl Outer {
    /// Valid from the moment of issue on.
    pub(crate) fn new(
        issuer: IssuerCode,
        realm: Realm,
        issued_at: DateTime<Utc>,
        life_s: u32,
    ) -> Result<Self, Reason> {
        let issued_at = Moment::of(issued_at)?;
        Ok(Self {
            origin: Origin {
                issuer,
                realm,
                issued_at,
            },
            valid_from: issued_at,
            expires_at: issued_at.later(life_s)?,
        })
    }

    /// Begins the map of claims: iss, sub, aud, exp, nbf and iat; the caller goes on behind iat.
    pub(crate) fn write(&self, subject: Option<&SubjectCommitment>) -> Result<MapWriter, Reason> {
        let mut claims = MapWriter::new();
        claims.key(label::ISS).text(self.origin.issuer.as_str());
        if let Some(subject) = subject {
            claims.key(label::SUB).bytes(subject.as_bytes());
        }
        claims.key(label::AUD).text(self.origin.realm.as_str());
        claims.key(label::EXP).uint(self.expires_at.seconds());
        // Left out when it begins at once: one way to say it, and nine characters less in the QR code.
        if self.valid_from != self.origin.issued_at {
            claims.key(label::NBF).uint(self.valid_from.seconds());
        }
        claims.key(label::IAT).uint(self.origin.issued_at.seconds());
        Ok(claims)
    }

    /// Reads iss, aud, exp and iat of a type that begins when it is issued.
    pub(crate) fn read(claims: &mut MapReader<'_>) -> Result<Self, Denial> {
        let issuer = fields::issuer(claims.need(label::ISS, Reason::MissingClaim)?)?;
        Self::read_behind(issuer, claims, false)
    }

    /// Reads aud, exp, nbf where the type has it, and iat.
    pub(crate) fn read_behind(
        issuer: IssuerCode,
        claims: &mut MapReader<'_>,
        may_begin_later: bool,
    ) -> Result<Self, Denial> {
        let realm = fields::realm(claims)?;
        let expires_at = fields::second(claims, label::EXP)?;
        let begins_at = match may_begin_later {
            true => match claims.find(label::NBF) {
                Some(value) => Some(value.take_as(read::uint, Moment::new)?),
                None => None,
            },
            false => None,
        };
        let issued_at = fields::second(claims, label::IAT)?;
        if begins_at == Some(issued_at) {
            return Err(fields::broken(Reason::TimeOrder));
        }
        Ok(Self {
            origin: Origin {
                issuer,
                realm,
                issued_at,
            },
            valid_from: begins_at.unwrap_or(issued_at),
            expires_at,
        })
    }

    /// Issue, start and end in this order, and a life of at most `life_s` seconds.
    pub(crate) fn check(&self, life_s: u32) -> Result<(), Reason> {
        if self.origin.issued_at > self.valid_from || self.valid_from >= self.expires_at {
            return Err(Reason::TimeOrder);
        }
        if self.origin.issued_at.until(self.expires_at) > i64::from(life_s) {
            return Err(Reason::LifeTooLong);
        }
        Ok(())
    }
}

/// The accessors that the claims of everything that ends have, over a field `outer`.
macro_rules! outer_claims {
    ($claims:ty) => {
        impl $claims {
            /// The realm.
            #[must_use]
            pub const fn realm(&self) -> &$crate::code::Realm {
                &self.outer.origin.realm
            }

            /// When it was issued.
            #[must_use]
            pub const fn issued_at(&self) -> chrono::DateTime<chrono::Utc> {
                self.outer.origin.issued_at.date_time()
            }

            /// When it ends (not included).
            #[must_use]
            pub const fn expires_at(&self) -> chrono::DateTime<chrono::Utc> {
                self.outer.expires_at.date_time()
            }
        }

        impl $crate::token::sealed::Said for $claims {
            fn origin(&self) -> &$crate::claims::outer::Origin {
                &self.outer.origin
            }
        }

        impl $crate::token::sealed::Ends for $claims {
            fn outer(&self) -> &$crate::claims::outer::Outer {
                &self.outer
            }
        }
    };
}

/// The accessors of claims that do not end, over a field `origin`.
macro_rules! record_claims {
    ($claims:ty) => {
        impl $claims {
            /// Who signed it.
            #[must_use]
            pub const fn issuer(&self) -> &$crate::code::IssuerCode {
                &self.origin.issuer
            }

            /// The realm.
            #[must_use]
            pub const fn realm(&self) -> &$crate::code::Realm {
                &self.origin.realm
            }

            /// When it was issued.
            #[must_use]
            pub const fn issued_at(&self) -> chrono::DateTime<chrono::Utc> {
                self.origin.issued_at.date_time()
            }
        }

        impl $crate::token::sealed::Said for $claims {
            fn origin(&self) -> &$crate::claims::outer::Origin {
                &self.origin
            }
        }
    };
}

pub(crate) use {outer_claims, record_claims};
