//! Columns of SQLite (feature `rusqlite`).
//!
//! | type | written as | read from |
//! |---|---|---|
//! | [`IndexCode`] | BLOB, the forty packed bytes | that, or TEXT in either form |
//! | the parts, UIDs, institution codes, moments (which sort as times), texts of exam items | TEXT | TEXT |
//! | [`ExamType`] | INTEGER, 1 to 5 | INTEGER |
//!
//! Declare columns as in the table above, or without a type. A column declared `STRING`, `NUMERIC`, `INTEGER`
//! or with another name that SQLite takes for a number turns digits into numbers when they are written: a
//! person code becomes a floating-point number with its last digits lost, a filler becomes a zero. SQLite
//! tells no error then; reading does, as none of the types of text is read from a number.
//!
//! SQLite compares BLOBs byte by byte, so `ORDER BY` and `BETWEEN` follow the order of codes
//! (`IDX-35`), and an index on the column finds all exams of a person as one range
//! ([`PersonCode::codes`]). TEXT is read for tables that have it, but a column should hold one of the
//! two: SQLite sorts all TEXT before any BLOB and finds neither by the other.

use alloc::boxed::Box;
use core::error::Error;
use core::str::FromStr;

use rusqlite::Result;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};

use crate::code::IndexCode;
use crate::device::DeviceCode;
use crate::exam_item::{ItemCode, ItemName};
use crate::exam_type::ExamType;
use crate::institution::InstitutionCode;
use crate::moment::Moment;
use crate::person::PersonCode;
use crate::site::SiteCode;
use crate::study_uid::StudyInstanceUid;
use crate::time::ExamTime;
use crate::unit::StorageUnitCode;

impl ToSql for IndexCode {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.packed())))
    }
}

impl FromSql for IndexCode {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(bytes) => Self::try_from_slice(bytes).map_err(other),
            ValueRef::Text(text) => Self::parse_bytes(text).map_err(other),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

macro_rules! text_columns {
    ($($type:ty),* $(,)?) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Owned(Value::Text(alloc::string::ToString::to_string(self))))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Self::from_str(value.as_str()?).map_err(other)
            }
        }
    )*};
}

text_columns!(
    PersonCode,
    ExamTime,
    SiteCode,
    DeviceCode,
    StorageUnitCode,
    StudyInstanceUid,
    InstitutionCode,
    Moment,
    ItemCode,
    ItemName,
);

impl ToSql for ExamType {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Integer(self.code().into())))
    }
}

impl FromSql for ExamType {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let code = u8::column_result(value).map_err(|_| FromSqlError::InvalidType)?;
        Self::try_from(code).map_err(other)
    }
}

/// Errors of the crate, which never repeat a value.
fn other(error: impl Error + Send + Sync + 'static) -> FromSqlError {
    FromSqlError::Other(Box::new(error))
}
