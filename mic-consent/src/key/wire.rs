//! A key record inside a key set (CST-112).

use alloc::vec::Vec;

use super::{KeyId, KeyRecord, KeyState, KeyValidity, PublicKey, Roles, set::state_number};
use crate::{
    cbor::{
        read::{self, Reader},
        write::MapWriter,
    },
    claims::{fields, time},
    code::Province,
    denial::{Denial, Reason},
    key::KeyError,
    suite::Suite,
};

const KID: i64 = 1;
const ALG: i64 = 2;
const KEY: i64 = 3;
const DISTID: i64 = 4;
const ROLES: i64 = 5;
const OWNER: i64 = 6;
const PROVINCE: i64 = 7;
const FROM: i64 = 8;
const UNTIL: i64 = 9;
const STATE: i64 = 10;
const SINCE: i64 = 11;

/// Bytes of the longest public key: x and y of a point.
const KEY_BYTES_MAX: usize = 64;
/// Bytes of a distinguishing id.
const DISTID_BYTES_MAX: usize = 128;

pub(super) fn write_record(record: &KeyRecord) -> Result<Vec<u8>, Reason> {
    let key = record.public_key();
    let mut map = MapWriter::new();
    map.key(KID).bytes(key.key_id().as_bytes());
    map.key(ALG).int(key.suite().cose_algorithm());
    map.key(KEY).bytes(key.as_bytes());
    if let Some(distid) = key.distid() {
        map.key(DISTID).bytes(distid.as_bytes());
    }
    map.key(ROLES).uint(record.roles().bits().into());
    map.key(OWNER).text(record.organisation().as_str());
    if let Some(province) = record.province() {
        map.key(PROVINCE).uint(province.get().into());
    }
    map.key(FROM).uint(time::seconds(record.validity().from())?);
    map.key(UNTIL)
        .uint(time::seconds(record.validity().until())?);
    if let Some((state, since)) = state_number(record.state()) {
        map.key(STATE).uint(state);
        if let Some(since) = since {
            map.key(SINCE).uint(time::seconds(since)?);
        }
    }
    Ok(map.finish())
}

/// The record and the id it states; no record when its suite is not part of this build.
pub(super) fn read_record(reader: &mut Reader<'_>) -> Result<(KeyId, Option<KeyRecord>), Denial> {
    let start = *reader;
    let bad = |_: KeyError| start.denial(Reason::BadKeyRecord);
    let mut map = reader.map()?;
    let key_id = fields::fixed(&mut map, KID).map(KeyId::from_bytes)?;
    let suite = map
        .need(ALG, Reason::MissingClaim)?
        .take_as(read::int, |number| {
            Suite::from_cose_algorithm(number).ok_or(Reason::UnknownAlgorithm)
        })?;
    let key = map
        .need(KEY, Reason::MissingClaim)?
        .take(read::bytes(0, KEY_BYTES_MAX))?;
    let distid = match map.find(DISTID) {
        Some(value) => Some(value.take_as(read::bytes(0, DISTID_BYTES_MAX), |bytes| {
            core::str::from_utf8(bytes).map_err(|_| Reason::BadCode)
        })?),
        None => None,
    };
    let roles = fields::listed(&mut map, ROLES, Roles::from_bits)?;
    let owner = fields::issuer(map.need(OWNER, Reason::MissingClaim)?)?;
    let province = match map.find(PROVINCE) {
        Some(value) => Some(value.take_as(read::uint, |number| {
            u8::try_from(number)
                .ok()
                .and_then(|number| Province::new(number).ok())
                .ok_or(Reason::UnknownListValue)
        })?),
        None => None,
    };
    let from = fields::moment(&mut map, FROM)?;
    let until = fields::moment(&mut map, UNTIL)?;
    let state = match map.find(STATE) {
        None => KeyState::Active,
        Some(value) => {
            let number = value.take(read::uint)?;
            match number {
                2 => KeyState::VerifyOnly {
                    since: fields::moment(&mut map, SINCE)?,
                },
                3 => KeyState::Suspended,
                4 => KeyState::Revoked,
                5 => KeyState::Compromised {
                    since: fields::moment(&mut map, SINCE)?,
                },
                _ => return Err(start.denial(Reason::UnknownListValue)),
            }
        }
    };
    *reader = map.finish(Reason::UnexpectedKey)?;

    let public = match PublicKey::from_parts(suite, key, distid) {
        Err(KeyError::SuiteNotBuilt { .. }) => return Ok((key_id, None)),
        other => other.map_err(bad)?,
    };
    // The id is that of the key, and an SM2 key says its distinguishing id: one way to say each thing.
    if public.key_id() != key_id || public.distid() != distid {
        return Err(start.denial(Reason::BadKeyRecord));
    }
    let validity = KeyValidity::new(from, until).map_err(bad)?;
    let mut record = KeyRecord::new(public, owner, roles, validity).map_err(bad)?;
    if let Some(province) = province {
        record = record.with_province(province).map_err(bad)?;
    }
    Ok((key_id, Some(record.with_state(state))))
}
