//! The exchange form of key records: a flat object with hexadecimal keys and RFC 3339 times.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{KeyError, KeyId, KeyRecord, KeyState, KeyValidity, PublicKey, Role, Roles};
use crate::{
    code::{IssuerCode, Province},
    hex,
    suite::Suite,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    key_id: String,
    suite: String,
    public_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distid: Option<String>,
    organisation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    province: Option<u8>,
    roles: Vec<String>,
    valid_from: String,
    valid_until: String,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

impl Serialize for KeyRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (state, since) = match self.state() {
            KeyState::Active => ("active", None),
            KeyState::VerifyOnly { since } => ("verify-only", Some(since)),
            KeyState::Suspended => ("suspended", None),
            KeyState::Revoked => ("revoked", None),
            KeyState::Compromised { since } => ("compromised", Some(since)),
        };
        Form {
            key_id: self.key_id().to_string(),
            suite: self.public_key().suite().to_string(),
            public_key: hex::encode(self.public_key().as_bytes()),
            distid: self.public_key().distid().map(Into::into),
            organisation: self.organisation().to_string(),
            province: self.province().map(Province::get),
            roles: self.roles().iter().map(|role| role.name().into()).collect(),
            valid_from: time_text(self.validity().from()),
            valid_until: time_text(self.validity().until()),
            state: state.into(),
            since: since.map(time_text),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KeyRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(deserializer)?;
        let suite = Suite::from_name(&form.suite)
            .ok_or_else(|| D::Error::custom("expected the suite SM2-SM3, Ed25519 or ESP256"))?;
        let bytes = hex::decode(&form.public_key)
            .ok_or_else(|| D::Error::custom("expected a public key in hexadecimal"))?;
        let key = PublicKey::from_parts(suite, &bytes, form.distid.as_deref())
            .map_err(D::Error::custom)?;
        let found = hex::decode(&form.key_id)
            .and_then(|bytes| bytes.try_into().ok())
            .map(KeyId::from_bytes)
            .ok_or_else(|| D::Error::custom("expected a key id of 16 hexadecimal digits"))?;
        if found != key.key_id() {
            return Err(D::Error::custom(KeyError::KeyIdMismatch {
                expected: key.key_id(),
                found,
            }));
        }
        let roles = form
            .roles
            .iter()
            .map(|name| {
                Role::from_name(name).ok_or_else(|| D::Error::custom("expected a known role"))
            })
            .collect::<Result<Roles, _>>()?;
        let organisation = IssuerCode::new(&form.organisation).map_err(D::Error::custom)?;
        let validity = KeyValidity::new(time(&form.valid_from)?, time(&form.valid_until)?)
            .map_err(D::Error::custom)?;
        let since = form.since.as_deref().map(time).transpose()?;
        let state = match (form.state.as_str(), since) {
            ("active", None) => KeyState::Active,
            ("verify-only", Some(since)) => KeyState::VerifyOnly { since },
            ("suspended", None) => KeyState::Suspended,
            ("revoked", None) => KeyState::Revoked,
            ("compromised", Some(since)) => KeyState::Compromised { since },
            _ => {
                return Err(D::Error::custom(
                    "expected a known state, with since for verify-only and compromised alone",
                ));
            }
        };
        let record = Self::new(key, organisation, roles, validity)
            .map_err(D::Error::custom)?
            .with_state(state);
        match form.province {
            None => Ok(record),
            Some(number) => {
                let province = Province::new(number).map_err(D::Error::custom)?;
                record.with_province(province).map_err(D::Error::custom)
            }
        }
    }
}

fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn time<E: serde::de::Error>(text: &str) -> Result<DateTime<Utc>, E> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| E::custom("expected a time as in RFC 3339"))
}
