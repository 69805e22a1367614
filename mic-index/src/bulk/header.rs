//! Which column of a CSV file holds what.

use alloc::vec::Vec;

use super::csv::Fields;
use super::error::BulkError;
use super::options::{Column, Header, Options};
use crate::code::IndexCode;

/// A field of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The index code.
    Code,
    /// The StudyInstanceUID.
    StudyInstanceUid,
    /// The institution that made the exam (定点医药机构编码).
    Institution,
    /// The accession number.
    AccessionNumber,
    /// The exam type, 1 to 5.
    ExamType,
    /// The parts examined that are stated beside the code; in CSV joined by `|`.
    Parts,
    /// The number of series.
    SeriesCount,
    /// The number of images.
    ImageCount,
    /// The code of the exam item (检查项目).
    ItemCode,
    /// The name of the exam item.
    ItemName,
    /// When the exam was ordered.
    OrderedAt,
    /// The exam time with its second; in the minute of the code.
    StartedAt,
    /// When the exam ended.
    EndedAt,
    /// When the report was signed.
    ReportedAt,
    /// The key of the record this one takes the place of; in NDJSON alone.
    Supersedes,
}

impl Field {
    /// The fields a CSV file can have.
    pub const COLUMNS: [Self; 14] = [
        Self::Code,
        Self::StudyInstanceUid,
        Self::Institution,
        Self::AccessionNumber,
        Self::ExamType,
        Self::Parts,
        Self::SeriesCount,
        Self::ImageCount,
        Self::ItemCode,
        Self::ItemName,
        Self::OrderedAt,
        Self::StartedAt,
        Self::EndedAt,
        Self::ReportedAt,
    ];

    /// The name of the field, in NDJSON and as a column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::StudyInstanceUid => "study_instance_uid",
            Self::Institution => "institution",
            Self::AccessionNumber => "accession_number",
            Self::ExamType => "exam_type",
            Self::Parts => "parts",
            Self::SeriesCount => "series_count",
            Self::ImageCount => "image_count",
            Self::ItemCode => "item_code",
            Self::ItemName => "item_name",
            Self::OrderedAt => "ordered_at",
            Self::StartedAt => "started_at",
            Self::EndedAt => "ended_at",
            Self::ReportedAt => "reported_at",
            Self::Supersedes => "supersedes",
        }
    }

    /// The field of a name in NDJSON.
    #[inline]
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "code" => Self::Code,
            "study_instance_uid" => Self::StudyInstanceUid,
            "institution" => Self::Institution,
            "accession_number" => Self::AccessionNumber,
            "exam_type" => Self::ExamType,
            "parts" => Self::Parts,
            "series_count" => Self::SeriesCount,
            "image_count" => Self::ImageCount,
            "item_code" => Self::ItemCode,
            "item_name" => Self::ItemName,
            "ordered_at" => Self::OrderedAt,
            "started_at" => Self::StartedAt,
            "ended_at" => Self::EndedAt,
            "reported_at" => Self::ReportedAt,
            "supersedes" => Self::Supersedes,
            _ => return None,
        })
    }

    /// The names a header may have for the field (`IDX-57`), [`name`](Self::name) first.
    #[must_use]
    pub const fn column_names(self) -> &'static [&'static str] {
        match self {
            Self::Code => &[
                "code",
                "index_code",
                "index",
                "mic_index",
                "医保影像云索引",
                "影像云索引",
                "影像索引",
                "索引编码",
                "索引码",
                "索引",
            ],
            Self::StudyInstanceUid => &[
                "study_instance_uid",
                "studyinstanceuid",
                "study_uid",
                "studyuid",
                "0020000d",
                "(0020,000d)",
                "检查实例uid",
            ],
            Self::Institution => &[
                "institution",
                "institution_code",
                "fixmedins_code",
                "定点医药机构编码",
                "医疗机构编码",
            ],
            Self::AccessionNumber => &[
                "accession_number",
                "accessionnumber",
                "accession_no",
                "acession_no",
            ],
            Self::ExamType => &["exam_type", "examtype", "imgexamtype", "检查类型"],
            Self::Parts => &["parts"],
            Self::SeriesCount => &["series_count", "seriescount", "序列数"],
            Self::ImageCount => &["image_count", "imagecount", "图像数", "影像数"],
            Self::ItemCode => &[
                "item_code",
                "exam_item_code",
                "检查项目编码",
                "检查项目代码",
            ],
            Self::ItemName => &["item_name", "exam_item_name", "检查项目名称", "检查项目"],
            Self::OrderedAt => &["ordered_at", "order_time", "申请时间", "开单时间"],
            Self::StartedAt => &["started_at", "检查开始时间"],
            Self::EndedAt => &["ended_at", "检查结束时间"],
            Self::ReportedAt => &["reported_at", "rpt_date", "报告时间", "报告日期"],
            Self::Supersedes => &["supersedes"],
        }
    }

    fn is_named(self, name: &[u8]) -> bool {
        let name = name.trim_ascii();
        self.column_names()
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    }
}

/// Which place holds which field, and how many places there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    /// By place, up to the last that is read.
    pub(super) at: Vec<Option<Field>>,
    /// Fields of every row.
    pub(super) count: usize,
}

/// What the first row turned out to be.
pub(super) struct FirstRow {
    pub(super) columns: Columns,
    /// It is the header, and no data.
    pub(super) is_header: bool,
}

impl Columns {
    pub(super) fn of(first: &Fields<'_>, options: &Options) -> Result<FirstRow, BulkError> {
        let is_header = match options.header {
            Header::Names => true,
            Header::Absent => false,
            Header::Detect => detect(first, options),
        };
        let mut at = Vec::new();
        for field in Field::COLUMNS {
            let asked = options.columns.iter().find(|(set, _)| *set == field);
            let place = match asked {
                Some((_, Column::At(place))) if *place < first.len() => Some(*place),
                Some((_, Column::Named(name))) if is_header => only(first, field, |found| {
                    found
                        .trim_ascii()
                        .eq_ignore_ascii_case(name.as_bytes().trim_ascii())
                })?,
                Some(_) => None,
                None if is_header => only(first, field, |found| field.is_named(found))?,
                None => by_place(field, first.len(), options),
            };
            match place {
                Some(place) => set(&mut at, place, field)?,
                None if asked.is_some() || field == Field::Code => {
                    return Err(BulkError::NoColumn { field });
                }
                None => {}
            }
        }
        let count = first.len();
        let columns = Self { at, count };
        Ok(FirstRow { columns, is_header })
    }
}

/// Without a header the first field is the code and the second the StudyInstanceUID, unless the
/// caller said otherwise about any.
fn by_place(field: Field, count: usize, options: &Options) -> Option<usize> {
    match field {
        Field::Code if options.columns.is_empty() => Some(0),
        Field::StudyInstanceUid if options.columns.is_empty() && count > 1 => Some(1),
        _ => None,
    }
}

fn detect(first: &Fields<'_>, options: &Options) -> bool {
    let asked = |name: &[u8]| {
        options.columns.iter().any(|(_, column)| match column {
            Column::Named(asked) => name
                .trim_ascii()
                .eq_ignore_ascii_case(asked.as_bytes().trim_ascii()),
            Column::At(_) => false,
        })
    };
    let known = |name: &[u8]| Field::COLUMNS.iter().any(|field| field.is_named(name));
    first.iter().any(|field| known(field) || asked(field))
        && !first
            .iter()
            .any(|field| IndexCode::try_parse(field).is_some())
}

fn only(
    first: &Fields<'_>,
    field: Field,
    is: impl Fn(&[u8]) -> bool,
) -> Result<Option<usize>, BulkError> {
    let mut places = (0..).zip(first.iter()).filter(|(_, name)| is(name));
    let place = places.next().map(|(place, _)| place);
    match places.next() {
        None => Ok(place),
        Some(_) => Err(BulkError::TwoColumns { field }),
    }
}

fn set(at: &mut Vec<Option<Field>>, place: usize, field: Field) -> Result<(), BulkError> {
    if at.len() <= place {
        at.resize(place + 1, None);
    }
    match at.get_mut(place) {
        Some(slot @ None) => {
            *slot = Some(field);
            Ok(())
        }
        // One column asked for as two fields.
        _ => Err(BulkError::TwoColumns { field }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_a_field_is_found_by_its_name() {
        for field in Field::COLUMNS.into_iter().chain([Field::Supersedes]) {
            assert_eq!(Field::of_name(field.name()), Some(field));
        }
        assert_eq!(Field::of_name("Code"), None);
    }
}
