//! `mic index record`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{ContentArrangement, Table};
use mic_index::dicom::{ExamDraft, Finding};
use mic_index::{
    ExamRecord, InstitutionCode, PersonCode, RecordError, RecordOutcome, StorageUnitCode,
};
use mic_platform::dicom::{self, ReadOptions};
use mic_platform::problem::Problem;
use mic_platform::scene::Folder;
use serde::Serialize;

use super::out::Out;
use super::parse::rfc3339;

/// DICOM files, and what no header says.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// DICOM files or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The person management code (人员管理码): all files must be of this person.
    #[arg(long)]
    person: Option<String>,
    /// The storage unit code (影像存储单位代码).
    #[arg(long)]
    unit: Option<String>,
    /// The code of the institution that made the exams (定点医药机构编码).
    #[arg(long)]
    institution: Option<String>,
    /// One line of JSON per study.
    #[arg(long)]
    json: bool,
}

/// What the caller knows beside the headers.
struct Known {
    person: Option<PersonCode>,
    unit: Option<StorageUnitCode>,
    institution: Option<InstitutionCode>,
}

/// What the files of a study say.
struct Study {
    draft: ExamDraft,
    /// By exam time: files that disagree about it.
    other_times: u64,
    series: BTreeSet<String>,
    instances: BTreeSet<String>,
}

#[derive(Serialize)]
struct Row {
    study_instance_uid: String,
    modality: Option<String>,
    exam_type: Option<u8>,
    exam_time: Option<String>,
    time_source: Option<&'static str>,
    zone_stated: Option<bool>,
    accession_number: Option<String>,
    institution_name: Option<String>,
    series_count: usize,
    image_count: usize,
    /// Files whose own exam time is another than the one taken.
    other_times: u64,
    carried_code: Option<String>,
    code: Option<String>,
    /// The fields a record lacks yet, or why there can be none.
    lacks: Option<String>,
    record: Option<ExamRecord>,
    findings: Vec<FindingRow>,
}

#[derive(Serialize)]
struct FindingRow {
    attribute: &'static str,
    kind: &'static str,
    used: Option<&'static str>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Problem> {
    let known = Known {
        person: read("person", arguments.person.as_deref())?,
        unit: read("unit", arguments.unit.as_deref())?,
        institution: read("institution", arguments.institution.as_deref())?,
    };
    let mut studies = BTreeMap::new();
    let mut passed_over = 0_u64;
    for path in &arguments.paths {
        let files = if path.is_dir() {
            let found = Folder::walk(path)?;
            for (path, reason) in found.passed_over {
                passed_over += 1;
                eprintln!("passed over: {}: {reason}", path.display());
            }
            found.files
        } else {
            vec![path.clone()]
        };
        for file in files {
            if let Err(reason) = take(&mut studies, &file) {
                passed_over += 1;
                eprintln!("passed over: {}: {reason}", file.display());
            }
        }
    }
    let rows: Vec<_> = studies
        .into_iter()
        .map(|(uid, study)| row(uid, study, &known))
        .collect();
    let mut out = Out::new();
    if arguments.json {
        for row in &rows {
            out.json(row)?;
        }
    } else if !rows.is_empty() {
        out.line(format_args!("{}", table(&rows)))?;
        for row in &rows {
            for finding in &row.findings {
                out.line(format_args!(
                    "{}: {} {}, {}",
                    row.study_instance_uid,
                    finding.attribute,
                    finding.kind.replace('_', " "),
                    finding
                        .used
                        .map_or("nothing used".to_owned(), |used| format!("used {used}")),
                ))?;
            }
            if let Some(lacks) = &row.lacks {
                out.line(format_args!("{}: {lacks}", row.study_instance_uid))?;
            }
        }
    }
    out.flush()?;
    if rows.is_empty() {
        eprintln!("mic: no DICOM file among {passed_over}");
    }
    Ok(ExitCode::from(u8::from(rows.is_empty())))
}

fn read<T>(name: &str, text: Option<&str>) -> Result<Option<T>, Problem>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.map(str::parse)
        .transpose()
        .map_err(|error| Problem::usage(format!("index.{name}"), format!("--{name}: {error}")))
}

fn take(studies: &mut BTreeMap<String, Study>, file: &Path) -> Result<(), String> {
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let header = dicom::read_header(&bytes, &ReadOptions::default()).map_err(|e| e.to_string())?;
    let draft = ExamDraft::from_elements(&header.object);
    let facts = header.facts;
    let study = studies.entry(facts.study_uid).or_insert_with(|| Study {
        draft: draft.clone(),
        other_times: 0,
        series: BTreeSet::new(),
        instances: BTreeSet::new(),
    });
    // The study begins with its earliest image, whichever file comes first.
    match (study.draft.exam_time(), draft.exam_time()) {
        (None, Some(_)) => study.draft = draft,
        (Some(taken), Some(time)) if time != taken => {
            study.other_times += 1;
            if time < taken {
                study.draft = draft;
            }
        }
        _ => {}
    }
    study.series.insert(facts.series_uid);
    study.instances.insert(facts.sop_instance_uid);
    Ok(())
}

fn row(study_instance_uid: String, study: Study, known: &Known) -> Row {
    let draft = &study.draft;
    let count = |set: &BTreeSet<String>| u32::try_from(set.len()).unwrap_or(u32::MAX);
    let mut builder = ExamRecord::builder()
        .draft(draft)
        .counts(count(&study.series), count(&study.instances));
    if let Some(person) = known.person {
        builder = builder.person(person);
    }
    if let Some(unit) = known.unit {
        builder = builder.unit(unit);
    }
    if let Some(institution) = known.institution {
        builder = builder.institution(institution);
    }
    let (record, lacks) = match builder.build() {
        Ok(RecordOutcome::Record(record)) => (Some(record), None),
        Ok(RecordOutcome::NotIndexable(not)) => (None, Some(not.to_string())),
        Err(error @ RecordError::Missing(_)) => (None, Some(error.to_string())),
        Err(error) => (None, Some(error.to_string())),
    };
    let code = known
        .person
        .zip(known.unit)
        .and_then(|(person, unit)| draft.index_code(person, unit));
    Row {
        study_instance_uid,
        modality: draft.modality().map(str::to_owned),
        exam_type: draft.exam_type().map(|kind| kind.code()),
        exam_time: draft.exam_time().map(rfc3339),
        time_source: draft
            .time_source()
            .map(|source| source.attribute().keyword()),
        zone_stated: draft.time_source().map(|source| source.zone_stated()),
        accession_number: draft.accession_number().map(str::to_owned),
        institution_name: draft.institution_name().map(str::to_owned),
        series_count: study.series.len(),
        image_count: study.instances.len(),
        other_times: study.other_times,
        carried_code: draft.carried_code().map(|code| code.to_string()),
        code: code.map(|code| code.to_string()),
        lacks,
        record,
        findings: draft.findings().iter().map(finding).collect(),
    }
}

fn finding(finding: &Finding) -> FindingRow {
    FindingRow {
        attribute: finding.attribute().keyword(),
        kind: finding.kind().name(),
        used: finding.used().map(|attribute| attribute.keyword()),
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header([
            "study",
            "type",
            "exam time",
            "series",
            "images",
            "findings",
            "code",
        ]);
    for row in rows {
        let dash = || "-".to_owned();
        table.add_row([
            row.study_instance_uid.clone(),
            row.modality.clone().unwrap_or_else(dash),
            row.exam_time.clone().unwrap_or_else(dash),
            row.series_count.to_string(),
            row.image_count.to_string(),
            row.findings.len().to_string(),
            row.code.clone().unwrap_or_else(dash),
        ]);
    }
    table
}
