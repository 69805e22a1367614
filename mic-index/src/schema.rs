//! JSON Schema of the exchange forms (feature `schemars`).
//!
//! A pattern says all that a regular expression can: classes, lengths, the fields of the stamp, the
//! length of the months. What it cannot say is left to the reader: that a year without a leap day has
//! no 29 February (`IDX-6`), that a check character fits (`IDX-12`).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::code::IndexCode;
use crate::device::DeviceCode;
use crate::exam_item::{ITEM_CODE_LEN_MAX, ITEM_NAME_LEN_MAX, ItemCode, ItemName};
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::moment::{MOMENT_LEN, Moment};
use crate::part::{COMPACT_LEN, PRINTED_LEN};
use crate::person::PersonCode;
use crate::record::{ExamRecord, RecordKey};
use crate::site::SiteCode;
use crate::study_uid::{STUDY_UID_LEN_MAX, StudyInstanceUid};
use crate::time::ExamTime;
use crate::unit::StorageUnitCode;

const PERSON: &str = "[0-9]{26}";
/// Years 1900 to 2154, months with 31, 30 and 29 days, minutes of the day.
const EXAM_TIME: &str = "(?:19[0-9]{2}|20[0-9]{2}|21[0-4][0-9]|215[0-4])\
    (?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)\
    |02(?:0[1-9]|[12][0-9]))(?:[01][0-9]|2[0-3])[0-5][0-9]";
const SITE: &str = "[0-9A-Z]{9}";
const DEVICE: &str = "[0-9A-Z]{13}";
const UNIT: &str = "[0-9A-HJ-NP-RTUW-Y]{18}";
const STUDY_UID: &str = r"[0-9]+(?:\.[0-9]+)*";
const INSTITUTION: &str = "[A-Z][0-9]{11}";

/// The parts of a code, `gap` between them.
fn code(gap: &str) -> String {
    [PERSON, EXAM_TIME, SITE, DEVICE, UNIT].join(gap)
}

impl JsonSchema for IndexCode {
    fn schema_name() -> Cow<'static, str> {
        "IndexCode".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::IndexCode").into()
    }

    /// The printed form where it is written; the compact one as well where it is read (`IDX-1`).
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let printed = code("-");
        let (pattern, shortest) = if generator.contract().is_serialize() {
            (format!("^{printed}$"), PRINTED_LEN)
        } else {
            (format!("^(?:{printed}|{})$", code("")), COMPACT_LEN)
        };
        json_schema!({
            "type": "string",
            "description": "Index code of the medical-insurance imaging cloud (医保影像云索引): person, \
                exam time in Beijing time, site, device, storage unit. Personal data.",
            "minLength": shortest,
            "maxLength": PRINTED_LEN,
            "pattern": pattern,
            "not": { "pattern": "^0{26}|0{18}$" },
        })
    }
}

macro_rules! text {
    ($($type:ty: $name:literal, $pattern:expr, $description:literal $(, not $not:literal)?;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn schema_id() -> Cow<'static, str> {
                concat!(module_path!(), "::", $name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "description": $description,
                    "pattern": format!("^{}$", $pattern),
                    $("not": { "pattern": $not },)?
                })
            }
        }
    )*};
}

text! {
    PersonCode: "PersonCode", PERSON,
        "Person management code (人员管理码), not all zeros. Personal data.", not "^0*$";
    ExamTime: "ExamTime", EXAM_TIME,
        "Exam time (检查日期时间代码), YYYYMMDDhhmm in Beijing time, years 1900 to 2154.";
    SiteCode: "SiteCode", SITE,
        "Exam-site code (检查部位代码); zeros where none is given.";
    DeviceCode: "DeviceCode", DEVICE,
        "Device code (医用设备代码); zeros where none is given.";
    StorageUnitCode: "StorageUnitCode", UNIT,
        "Storage unit (影像存储单位代码), a 统一社会信用代码 whose check character need not fit, not all \
            zeros.", not "^0*$";
    InstitutionCode: "InstitutionCode", INSTITUTION,
        "Designated medical institution (定点医药机构编码).";
}

impl JsonSchema for StudyInstanceUid {
    fn schema_name() -> Cow<'static, str> {
        "StudyInstanceUid".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::StudyInstanceUid").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "StudyInstanceUID (0020,000D); leading zeros of components are kept.",
            "maxLength": STUDY_UID_LEN_MAX,
            "pattern": format!("^{STUDY_UID}$"),
        })
    }
}

/// The date, the clock, and what of it is free: the letter between, a fraction, the offset.
const DATE: &str = "(?:19[0-9]{2}|20[0-9]{2}|21[0-4][0-9]|215[0-5]|1899)-\
    (?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)\
    |02-(?:0[1-9]|[12][0-9]))";
const CLOCK: &str = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]";
const OFFSET: &str = "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::Moment").into()
    }

    /// The one form that is written, or all that are read (`IDX-82`).
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (pattern, longest) = if generator.contract().is_serialize() {
            (format!(r"^{DATE}T{CLOCK}\+08:00$"), MOMENT_LEN)
        } else {
            let free = format!(r"^{DATE}[T ]{CLOCK}(?:\.[0-9]{{1,9}})?{OFFSET}?$");
            (free, MOMENT_LEN + FRACTION_LEN_MAX)
        };
        json_schema!({
            "type": "string",
            "description": "A time to the second, years 1900 to 2154 in Beijing; without an offset Beijing time.",
            "maxLength": longest,
            "pattern": pattern,
        })
    }
}

/// A point and nine digits.
const FRACTION_LEN_MAX: usize = 10;

/// Neither a control character nor, at an end, a blank; what else counts as blank is the reader's.
fn item_text(description: &str, max: usize) -> Schema {
    json_schema!({
        "type": "string",
        "description": description,
        "minLength": 1,
        "maxLength": max,
        "not": { "pattern": r"^\s|\s$|[\u0000-\u001f\u007f-\u009f]" },
    })
}

impl JsonSchema for ItemCode {
    fn schema_name() -> Cow<'static, str> {
        "ItemCode".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::ItemCode").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        item_text("Code of the exam item (检查项目).", ITEM_CODE_LEN_MAX)
    }
}

impl JsonSchema for ItemName {
    fn schema_name() -> Cow<'static, str> {
        "ItemName".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::ItemName").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        item_text("Name of the exam item (检查项目).", ITEM_NAME_LEN_MAX)
    }
}

impl JsonSchema for ExamType {
    fn schema_name() -> Cow<'static, str> {
        "ExamType".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::ExamType").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Exam type (检查类型): 1 X-ray, 2 CT, 3 MRI, 4 ultrasound, 5 nuclear medicine.",
            "enum": [1, 2, 3, 4, 5],
        })
    }
}

impl JsonSchema for RecordKey {
    fn schema_name() -> Cow<'static, str> {
        "RecordKey".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::RecordKey").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "The key of a record: the code alone is not unique.",
            "properties": {
                "code": generator.subschema_for::<IndexCode>(),
                "study_instance_uid": generator.subschema_for::<StudyInstanceUid>(),
            },
            "required": ["code", "study_instance_uid"],
            "additionalProperties": false,
        })
    }
}

impl JsonSchema for ExamRecord {
    fn schema_name() -> Cow<'static, str> {
        "ExamRecord".into()
    }

    fn schema_id() -> Cow<'static, str> {
        concat!(module_path!(), "::ExamRecord").into()
    }

    /// Written records have every field but the exam item and the times where there are none; read ones may
    /// leave out those that may be null.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let count = |of: &str| {
            json_schema!({
                "type": "integer",
                "description": format!("Number of {of} of the study."),
                "minimum": 1,
                "maximum": u32::MAX,
            })
        };
        let mut required = alloc::vec![
            "code",
            "study_instance_uid",
            "institution",
            "series_count",
            "image_count",
        ];
        if generator.contract().is_serialize() {
            required.extend(["accession_number", "exam_type", "parts", "supersedes"]);
        }
        json_schema!({
            "type": "object",
            "description": "What the index holds of one exam. supersedes is never the record's own key, \
                started_at always in the minute of the code.",
            "properties": {
                "code": generator.subschema_for::<IndexCode>(),
                "study_instance_uid": generator.subschema_for::<StudyInstanceUid>(),
                "institution": generator.subschema_for::<InstitutionCode>(),
                "accession_number": { "type": ["string", "null"] },
                "exam_type": generator.subschema_for::<Option<ExamType>>(),
                "parts": {
                    "description": "Parts examined, beside the site of the code.",
                    "type": "array",
                    "items": generator.subschema_for::<SiteCode>(),
                },
                "series_count": count("series"),
                "image_count": count("images"),
                "supersedes": generator.subschema_for::<Option<RecordKey>>(),
                "item_code": generator.subschema_for::<Option<ItemCode>>(),
                "item_name": generator.subschema_for::<Option<ItemName>>(),
                "ordered_at": generator.subschema_for::<Option<Moment>>(),
                "started_at": generator.subschema_for::<Option<Moment>>(),
                "ended_at": generator.subschema_for::<Option<Moment>>(),
                "reported_at": generator.subschema_for::<Option<Moment>>(),
            },
            "required": required,
            "additionalProperties": false,
        })
    }
}
