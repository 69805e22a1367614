//! Records and their keys as maps. Read through the builder, so that no record comes in unchecked.

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::discreet;
use crate::code::IndexCode;
use crate::exam_item::{ExamItem, ItemCode, ItemName};
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::moment::Moment;
use crate::record::{ExamRecord, RecordKey, RecordOutcome};
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFields {
    code: IndexCode,
    study_instance_uid: StudyInstanceUid,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordFields {
    code: IndexCode,
    study_instance_uid: StudyInstanceUid,
    institution: InstitutionCode,
    #[serde(default, deserialize_with = "accession_number")]
    accession_number: Option<String>,
    #[serde(default)]
    exam_type: Option<ExamType>,
    #[serde(default, deserialize_with = "parts")]
    parts: Vec<SiteCode>,
    #[serde(deserialize_with = "count")]
    series_count: u32,
    #[serde(deserialize_with = "count")]
    image_count: u32,
    #[serde(default)]
    supersedes: Option<RecordKey>,
    #[serde(default)]
    item_code: Option<ItemCode>,
    #[serde(default)]
    item_name: Option<ItemName>,
    #[serde(default)]
    ordered_at: Option<Moment>,
    #[serde(default)]
    started_at: Option<Moment>,
    #[serde(default)]
    ended_at: Option<Moment>,
    #[serde(default)]
    reported_at: Option<Moment>,
}

fn accession_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let instead = format_args!("expected an accession number as text, found another value");
    discreet(Option::deserialize(from), instead)
}

fn parts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SiteCode>, D::Error> {
    let instead = format_args!("expected a list of parts as text, found another value");
    discreet(Vec::deserialize(from), instead)
}

fn count<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let instead = format_args!("expected a count of 32 bits, found another value");
    discreet(u32::deserialize(from), instead)
}

impl Serialize for RecordKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (code, study_instance_uid) = (self.code(), self.study_instance_uid());
        KeyFields {
            code,
            study_instance_uid,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RecordKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let KeyFields {
            code,
            study_instance_uid,
        } = {
            let instead = format_args!("expected a record key, found a field that cannot be read");
            discreet(KeyFields::deserialize(deserializer), instead)?
        };
        Ok(Self::new(code, study_instance_uid))
    }
}

/// Fields every written record has, and those that are written where there is something to say
/// (`IDX-85`). Formats that know fields by their place get all.
const FIELDS_ALWAYS: usize = 9;
const FIELDS_MORE: usize = 6;

impl Serialize for ExamRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let item = self.item();
        let code = item.and_then(ExamItem::code).map(ItemCode::as_str);
        let name = item.and_then(ExamItem::name).map(ItemName::as_str);
        let times = [
            ("ordered_at", self.ordered_at()),
            ("started_at", self.started_at()),
            ("ended_at", self.ended_at()),
            ("reported_at", self.reported_at()),
        ];
        let all = !serializer.is_human_readable();
        let more = if all {
            FIELDS_MORE
        } else {
            let texts = usize::from(code.is_some()) + usize::from(name.is_some());
            texts + times.iter().filter(|(_, time)| time.is_some()).count()
        };
        let mut map = serializer.serialize_struct("ExamRecord", FIELDS_ALWAYS + more)?;
        map.serialize_field("code", &self.code())?;
        map.serialize_field("study_instance_uid", &self.study_instance_uid())?;
        map.serialize_field("institution", &self.institution())?;
        map.serialize_field("accession_number", &self.accession_number())?;
        map.serialize_field("exam_type", &self.exam_type())?;
        map.serialize_field("parts", self.stated_parts())?;
        map.serialize_field("series_count", &self.series_count())?;
        map.serialize_field("image_count", &self.image_count())?;
        map.serialize_field("supersedes", &self.supersedes())?;
        for (field, text) in [("item_code", code), ("item_name", name)] {
            if all || text.is_some() {
                map.serialize_field(field, &text)?;
            } else {
                map.skip_field(field)?;
            }
        }
        for (field, time) in times {
            if all || time.is_some() {
                map.serialize_field(field, &time)?;
            } else {
                map.skip_field(field)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ExamRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let instead = format_args!("expected an exam record, found a field that cannot be read");
        let fields = discreet(RecordFields::deserialize(deserializer), instead)?;
        let mut builder = Self::builder()
            .code(fields.code)
            .study_instance_uid(fields.study_instance_uid)
            .institution(fields.institution)
            .counts(fields.series_count, fields.image_count);
        if let Some(number) = fields.accession_number {
            builder = builder.accession_number(number);
        }
        if let Some(exam_type) = fields.exam_type {
            builder = builder.exam_type(exam_type);
        }
        for part in fields.parts {
            builder = builder.part(part);
        }
        if let Some(earlier) = fields.supersedes {
            builder = builder.supersedes(earlier);
        }
        if let Some(item) = ExamItem::new(fields.item_code, fields.item_name) {
            builder = builder.item(item);
        }
        if let Some(moment) = fields.ordered_at {
            builder = builder.ordered_at(moment);
        }
        if let Some(moment) = fields.started_at {
            builder = builder.started_at(moment);
        }
        if let Some(moment) = fields.ended_at {
            builder = builder.ended_at(moment);
        }
        if let Some(moment) = fields.reported_at {
            builder = builder.reported_at(moment);
        }
        match builder.build() {
            Ok(RecordOutcome::Record(record)) => Ok(record),
            Ok(RecordOutcome::NotIndexable(not)) => Err(de::Error::custom(not)),
            Err(error) => Err(de::Error::custom(error)),
        }
    }
}

impl Serialize for ExamType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

impl<'de> Deserialize<'de> for ExamType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let instead = format_args!("expected an exam type from 1 to 5, found another value");
        let number = discreet(u8::deserialize(deserializer), instead)?;
        Self::try_from(number).map_err(de::Error::custom)
    }
}
