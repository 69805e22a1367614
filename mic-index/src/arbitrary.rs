//! Values from a fuzzer's bytes (feature `arbitrary`).
//!
//! Only legal values come out: codes, parts and records a strict reader accepts. What is rare in random
//! bytes and matters is made likely: filler, the first and last minute, the greatest parts, check
//! characters that fit.

use alloc::string::String;
use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::alphabet::CREDIT_ALPHABET;
use crate::calendar::MINUTES;
use crate::code::IndexCode;
use crate::device::DeviceCode;
use crate::exam_item::{ExamItem, ITEM_CODE_LEN_MAX, ITEM_NAME_LEN_MAX, ItemCode, ItemName};
use crate::exam_type::ExamType;
use crate::institution::{INSTITUTION_LEN, InstitutionCode};
use crate::moment::Moment;
use crate::part::UNIT_LEN;
use crate::person::PersonCode;
use crate::record::{ExamRecord, RecordKey, RecordOutcome};
use crate::site::SiteCode;
use crate::study_uid::{STUDY_UID_LEN_MAX, StudyInstanceUid};
use crate::time::ExamTime;
use crate::unit::{StorageUnitCode, UnitCheck};

/// The least or the greatest of a range one time in eight each, else anything between.
fn edges_often(u: &mut Unstructured<'_>, last: u64) -> Result<u64> {
    Ok(match u.int_in_range(0..=7)? {
        0 => 0,
        1 => last,
        _ => u.int_in_range(0..=last)?,
    })
}

impl<'a> Arbitrary<'a> for PersonCode {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let hi = edges_often(u, 10_u64.pow(10) - 1)?;
        let lo = edges_often(u, 10_u64.pow(16) - 1)?;
        // Zeros are no person (IDX-10).
        Ok(Self::from_halves(hi, if hi == 0 { lo.max(1) } else { lo }))
    }
}

impl<'a> Arbitrary<'a> for ExamTime {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let minutes = edges_often(u, u64::from(MINUTES - 1))?;
        let time = u32::try_from(minutes).ok().and_then(Self::from_minutes);
        Ok(time.unwrap_or(Self::MAX))
    }
}

impl<'a> Arbitrary<'a> for SiteCode {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        edges_often(u, 36_u64.pow(9) - 1).map(Self::from_value)
    }
}

impl<'a> Arbitrary<'a> for DeviceCode {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.ratio(1, 4)? {
            return Ok(Self::FILLER);
        }
        let hi = edges_often(u, 36_u64.pow(5) - 1)?;
        Ok(Self::from_halves(hi, edges_often(u, 36_u64.pow(8) - 1)?))
    }
}

impl<'a> Arbitrary<'a> for StorageUnitCode {
    /// The check character fits every second time.
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut text = [b'0'; UNIT_LEN];
        for place in &mut text {
            *place = *u.choose(CREDIT_ALPHABET)?;
        }
        let unit = parsed(&text)?;
        match unit.check() {
            UnitCheck::Mismatch { expected, .. } if u.arbitrary()? => {
                if let Some(last) = text.last_mut() {
                    *last = u8::try_from(expected).unwrap_or(*last);
                }
                parsed(&text)
            }
            _ => Ok(unit),
        }
    }
}

/// Zeros are no unit: the bytes that would give them are refused.
fn parsed(unit: &[u8]) -> Result<StorageUnitCode> {
    crate::grammar::parse_unit(unit).map_err(|_| arbitrary::Error::IncorrectFormat)
}

impl<'a> Arbitrary<'a> for IndexCode {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (person, time) = (u.arbitrary()?, u.arbitrary()?);
        let (site, device, unit) = (u.arbitrary()?, u.arbitrary()?, u.arbitrary()?);
        Ok(Self::new(person, time, site, device, unit))
    }
}

impl<'a> Arbitrary<'a> for StudyInstanceUid {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut text = String::new();
        let len = u.int_in_range(1..=STUDY_UID_LEN_MAX)?;
        while text.len() < len {
            let dot = !text.is_empty() && !text.ends_with('.') && text.len() + 1 < len;
            if dot && u.ratio(1, 3)? {
                text.push('.');
            } else {
                text.push(char::from(b'0' + u.int_in_range(0..=9)?));
            }
        }
        text.parse().map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for InstitutionCode {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut text = String::from(*u.choose(&["H", "P", "A", "Z"])?);
        while text.len() < INSTITUTION_LEN {
            text.push(char::from(b'0' + u.int_in_range(0..=9)?));
        }
        text.parse().map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for ExamType {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let code: u8 = u.int_in_range(1..=5)?;
        Self::try_from(code).map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for Moment {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let minute = u.arbitrary()?;
        let second = u.int_in_range(0..=59)?;
        Self::new(minute, second).map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

/// Any text that may stand in an item, at most `max` characters.
fn item_text(u: &mut Unstructured<'_>, max: usize) -> Result<String> {
    let text: String = u.arbitrary()?;
    let plain = text.chars().filter(|c| !c.is_control());
    let text: String = plain.take(max).collect();
    let text = text.trim();
    Ok(String::from(if text.is_empty() { "CT" } else { text }))
}

impl<'a> Arbitrary<'a> for ItemCode {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let text = item_text(u, ITEM_CODE_LEN_MAX)?;
        Self::try_from(text).map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for ItemName {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let text = item_text(u, ITEM_NAME_LEN_MAX)?;
        Self::try_from(text).map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for RecordKey {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new(u.arbitrary()?, u.arbitrary()?))
    }
}

impl<'a> Arbitrary<'a> for ExamRecord {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let key: RecordKey = u.arbitrary()?;
        let mut builder = Self::builder()
            .code(key.code())
            .study_instance_uid(key.study_instance_uid())
            .institution(u.arbitrary()?)
            .counts(u.int_in_range(1..=u32::MAX)?, u.int_in_range(1..=u32::MAX)?);
        if let Some(number) = u.arbitrary::<Option<String>>()? {
            builder = builder.accession_number(number);
        }
        for part in u.arbitrary::<Vec<SiteCode>>()? {
            builder = builder.part(part);
        }
        if let Some(exam_type) = u.arbitrary()? {
            builder = builder.exam_type(exam_type);
        }
        for _ in 0..u.int_in_range(0..=3)? {
            builder = builder.part(u.arbitrary()?);
        }
        if let Some(earlier) = u.arbitrary::<Option<RecordKey>>()? {
            builder = builder.supersedes(earlier);
        }
        if let Some(item) = ExamItem::new(u.arbitrary()?, u.arbitrary()?) {
            builder = builder.item(item);
        }
        if u.arbitrary()? {
            let second = u.int_in_range(0..=59)?;
            if let Ok(start) = Moment::new(key.code().exam_time(), second) {
                builder = builder.started_at(start);
            }
        }
        if let Some(moment) = u.arbitrary()? {
            builder = builder.ordered_at(moment);
        }
        if let Some(moment) = u.arbitrary()? {
            builder = builder.ended_at(moment);
        }
        if let Some(moment) = u.arbitrary()? {
            builder = builder.reported_at(moment);
        }
        match builder.build() {
            Ok(RecordOutcome::Record(record)) => Ok(record),
            _ => Err(arbitrary::Error::IncorrectFormat),
        }
    }
}
