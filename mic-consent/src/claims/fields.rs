//! Fields that several types of claims have, each written and read in one way.

use chrono::{DateTime, Utc};

use super::{
    VERSION, label, mic,
    time::{self, Moment},
};
use crate::{
    cbor::{
        read::{self, MapReader, Reader},
        write::MapWriter,
    },
    claims::{
        binding::{InstrumentDigest, SubjectCommitment},
        purpose::{Purpose, Rights},
        scope::{Scope, ScopeKind},
    },
    code::{ArticleCode, DepartmentCode, DoctorCode, InstitutionCode, IssuerCode, Province, Realm},
    denial::{Denial, Reason, Step},
    key::KeyId,
    limits::STUDIES_MAX,
    order::StatutoryGround,
    proof::Place,
    status::StatusRef,
};

/// The place of the national index in the token.
const NATION: u64 = 0;

/// Begins the map of claims of a payload, which begins at `start` of the token.
#[inline(always)]
pub(crate) fn claims(payload: &[u8], start: usize) -> Result<MapReader<'_>, Denial> {
    Reader::new(payload, start, Step::Claims).map()
}

/// Begins the private map and checks its version.
#[inline(always)]
pub(crate) fn private_map<'a>(claims: &mut MapReader<'a>) -> Result<MapReader<'a>, Denial> {
    let mut private = claims.need(label::MIC, Reason::MissingClaim)?.map()?;
    private
        .need(mic::VERSION, Reason::MissingClaim)?
        .take_as(read::uint, |version| {
            if version == VERSION {
                Ok(())
            } else {
                Err(Reason::UnsupportedVersion)
            }
        })?;
    Ok(private)
}

/// A private map with its version.
pub(crate) fn write_private() -> MapWriter {
    let mut private = MapWriter::new();
    private.key(mic::VERSION).uint(VERSION);
    private
}

/// Ends the private map and the claims around it; nothing may follow.
#[inline(always)]
pub(crate) fn end<'a>(mut claims: MapReader<'a>, private: MapReader<'a>) -> Result<(), Denial> {
    claims.continue_from(private.finish(Reason::UnexpectedKey)?);
    claims.finish(Reason::UnexpectedKey)?.end()
}

/// A rule between claims that is broken.
pub(crate) fn broken(reason: Reason) -> Denial {
    Denial::new(reason).in_step(Step::Claims)
}

#[inline(always)]
pub(crate) fn institution(value: &mut Reader<'_>) -> Result<InstitutionCode, Denial> {
    value.take_as(read::text(InstitutionCode::CHARS_MAX), |text| {
        InstitutionCode::from_ascii(text).map_err(|_| Reason::BadCode)
    })
}

#[inline(always)]
pub(crate) fn issuer(value: &mut Reader<'_>) -> Result<IssuerCode, Denial> {
    value.take_as(read::text(IssuerCode::CHARS_MAX), |text| {
        IssuerCode::from_ascii(text).map_err(|_| Reason::BadCode)
    })
}

#[inline(always)]
pub(crate) fn realm(claims: &mut MapReader<'_>) -> Result<Realm, Denial> {
    claims
        .need(label::AUD, Reason::MissingClaim)?
        .take_as(read::text(Realm::CHARS_MAX), |text| {
            Realm::from_ascii(text).map_err(|_| Reason::BadCode)
        })
}

pub(crate) fn moment(map: &mut MapReader<'_>, key: i64) -> Result<DateTime<Utc>, Denial> {
    map.need(key, Reason::MissingClaim)?
        .take_as(read::uint, time::moment)
}

/// One of the times that every check compares.
#[inline(always)]
pub(crate) fn second(map: &mut MapReader<'_>, key: i64) -> Result<Moment, Denial> {
    map.need(key, Reason::MissingClaim)?
        .take_as(read::uint, Moment::new)
}

/// A byte string of exactly `N` bytes.
#[inline(always)]
pub(crate) fn fixed<const N: usize>(map: &mut MapReader<'_>, key: i64) -> Result<[u8; N], Denial> {
    map.need(key, Reason::MissingClaim)?.take(read::array_of)
}

/// A value of a closed list.
#[inline(always)]
pub(crate) fn listed<T>(
    map: &mut MapReader<'_>,
    key: i64,
    value: impl FnOnce(u64) -> Option<T>,
) -> Result<T, Denial> {
    map.need(key, Reason::MissingClaim)?
        .take_as(read::uint, |number| {
            value(number).ok_or(Reason::UnknownListValue)
        })
}

/// A number below 2^32.
pub(crate) fn number(map: &mut MapReader<'_>, key: i64) -> Result<u32, Denial> {
    map.need(key, Reason::MissingClaim)?
        .take_as(read::uint, small)
}

fn small(number: u64) -> Result<u32, Reason> {
    u32::try_from(number).map_err(|_| Reason::TooMany)
}

#[inline(always)]
pub(crate) fn subject(claims: &mut MapReader<'_>) -> Result<SubjectCommitment, Denial> {
    fixed(claims, label::SUB).map(SubjectCommitment::from_bytes)
}

/// The key that alone can use the token.
#[inline(always)]
pub(crate) fn holder(claims: &mut MapReader<'_>) -> Result<KeyId, Denial> {
    let mut confirmation = claims.need(label::CNF, Reason::MissingClaim)?.map()?;
    let holder = fixed(&mut confirmation, label::CNF_KID).map(KeyId::from_bytes)?;
    claims.continue_from(confirmation.finish(Reason::UnexpectedKey)?);
    Ok(holder)
}

pub(crate) fn write_holder(claims: &mut MapWriter, holder: KeyId) {
    let mut confirmation = MapWriter::new();
    confirmation.key(label::CNF_KID).bytes(holder.as_bytes());
    claims.key(label::CNF).raw(&confirmation.finish());
}

#[inline(always)]
pub(crate) fn purpose(private: &mut MapReader<'_>) -> Result<Purpose, Denial> {
    purpose_number(private.need(mic::PURPOSE, Reason::MissingClaim)?)
}

#[inline(always)]
pub(crate) fn purpose_number(value: &mut Reader<'_>) -> Result<Purpose, Denial> {
    value.take_as(read::uint, |number| {
        Purpose::from_number(number).ok_or(Reason::UnknownPurpose)
    })
}

#[inline(always)]
pub(crate) fn rights(private: &mut MapReader<'_>) -> Result<Rights, Denial> {
    private
        .need(mic::RIGHTS, Reason::MissingClaim)?
        .take_as(read::uint, Rights::from_bits)
}

pub(crate) fn scope(private: &mut MapReader<'_>) -> Result<Scope, Denial> {
    Scope::decode(private.need(mic::SCOPE, Reason::MissingClaim)?)
}

/// A list alone gives the right to the list alone, and only it (CST-42).
pub(crate) fn check_rights(rights: Rights, scope: &Scope) -> Result<(), Reason> {
    match scope.kind() {
        ScopeKind::ListOnly if rights != Rights::LIST => Err(Reason::ScopeInconsistent),
        _ => Ok(()),
    }
}

#[inline(always)]
pub(crate) fn status(private: &mut MapReader<'_>) -> Result<StatusRef, Denial> {
    let place = private.need(mic::STATUS, Reason::MissingClaim)?;
    place.take(read::array(2, 2))?;
    Ok(StatusRef::new(
        place.take_as(read::uint, small)?,
        place.take_as(read::uint, small)?,
    ))
}

pub(crate) fn write_status(private: &mut MapWriter, status: StatusRef) {
    private
        .key(mic::STATUS)
        .array(2)
        .uint(status.list().into())
        .uint(status.index().into());
}

#[inline(always)]
pub(crate) fn studies(private: &mut MapReader<'_>) -> Result<Option<u16>, Denial> {
    match private.find(mic::STUDIES) {
        Some(value) => value
            .take_as(read::uint, |count| {
                u16::try_from(count)
                    .ok()
                    .filter(|count| (1..=STUDIES_MAX).contains(count))
                    .ok_or(Reason::TooMany)
            })
            .map(Some),
        None => Ok(None),
    }
}

/// Department and doctor, where the type may leave them out.
#[inline(always)]
pub(crate) fn operator(
    map: &mut MapReader<'_>,
) -> Result<(Option<DepartmentCode>, Option<DoctorCode>), Denial> {
    let unit = match map.find(mic::DEPARTMENT) {
        Some(value) => Some(department(value)?),
        None => None,
    };
    let person = match map.find(mic::DOCTOR) {
        Some(value) => Some(doctor(value)?),
        None => None,
    };
    Ok((unit, person))
}

#[inline(always)]
pub(crate) fn department(value: &mut Reader<'_>) -> Result<DepartmentCode, Denial> {
    value.take_as(read::text(DepartmentCode::CHARS_MAX), |text| {
        DepartmentCode::from_ascii(text).map_err(|_| Reason::BadCode)
    })
}

#[inline(always)]
pub(crate) fn doctor(value: &mut Reader<'_>) -> Result<DoctorCode, Denial> {
    value.take_as(read::text(DoctorCode::CHARS_MAX), |text| {
        DoctorCode::from_ascii(text).map_err(|_| Reason::BadCode)
    })
}

pub(crate) fn article(value: &mut Reader<'_>) -> Result<ArticleCode, Denial> {
    value.take_as(read::text(ArticleCode::CHARS_MAX), |text| {
        ArticleCode::from_ascii(text).map_err(|_| Reason::BadCode)
    })
}

/// The instrument and the ground of an order.
pub(crate) fn instrument(
    map: &mut MapReader<'_>,
) -> Result<(InstrumentDigest, StatutoryGround), Denial> {
    let instrument = fixed(map, mic::INSTRUMENT).map(InstrumentDigest::from_bytes)?;
    let ground = listed(map, mic::GROUND, StatutoryGround::from_number)?;
    Ok((instrument, ground))
}

pub(crate) fn write_operator(
    map: &mut MapWriter,
    department: Option<&DepartmentCode>,
    doctor: Option<&DoctorCode>,
) {
    if let Some(department) = department {
        map.key(mic::DEPARTMENT).text(department.as_str());
    }
    if let Some(doctor) = doctor {
        map.key(mic::DOCTOR).text(doctor.as_str());
    }
}

/// A node and the province it is in.
pub(crate) fn place(private: &mut MapReader<'_>) -> Result<Place, Denial> {
    let node = issuer(private.need(mic::NODE, Reason::MissingClaim)?)?;
    place_behind(node, private)
}

/// The same where it may be left out.
pub(crate) fn place_if_any(private: &mut MapReader<'_>) -> Result<Option<Place>, Denial> {
    match private.find(mic::NODE) {
        Some(value) => {
            let node = issuer(value)?;
            place_behind(node, private).map(Some)
        }
        None => Ok(None),
    }
}

fn place_behind(node: IssuerCode, private: &mut MapReader<'_>) -> Result<Place, Denial> {
    let province = private.need(mic::PLACE, Reason::MissingClaim)?.take_as(
        read::uint,
        |number| match number {
            NATION => Ok(None),
            number => u8::try_from(number)
                .ok()
                .and_then(|number| Province::new(number).ok())
                .map(Some)
                .ok_or(Reason::UnknownListValue),
        },
    )?;
    Ok(match province {
        Some(province) => Place::province(province, node),
        None => Place::nation(node),
    })
}

pub(crate) fn write_place(private: &mut MapWriter, place: &Place) {
    private.key(mic::NODE).text(place.node().as_str());
    private.key(mic::PLACE).uint(
        place
            .in_province()
            .map_or(NATION, |province| province.get().into()),
    );
}
