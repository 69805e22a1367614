//! Records and their keys as maps. Read through the builder, so that no record comes in unchecked.

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::discreet;
use crate::code::IndexCode;
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::record::{ExamRecord, RecordKey, RecordOutcome};
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFields {
    code: IndexCode,
    study_instance_uid: StudyInstanceUid,
}

#[derive(serde::Serialize, serde::Deserialize)]
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

impl Serialize for ExamRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RecordFields {
            code: self.code(),
            study_instance_uid: self.study_instance_uid(),
            institution: self.institution(),
            accession_number: self.accession_number().map(String::from),
            exam_type: self.exam_type(),
            parts: self.stated_parts().to_vec(),
            series_count: self.series_count(),
            image_count: self.image_count(),
            supersedes: self.supersedes(),
        }
        .serialize(serializer)
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
