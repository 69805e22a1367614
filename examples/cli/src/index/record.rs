//! `mic index record`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{ContentArrangement, Table};
use mic_index::dicom::ExamDraft;
use mic_index::{
    ExamRecord, ExamType, InstitutionCode, PersonCode, RecordOutcome, StorageUnitCode,
};
use mic_platform::problem::Problem;
use mic_platform::scene::Folder;
use serde::Serialize;

use super::header;
use super::out::Out;
use super::parse::rfc3339;
use super::study::{FindingRow, Study};

/// DICOM files, and what no header says.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// DICOM files or folders of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The person management code (人员管理码): files of several patients are refused.
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
    item_code: Option<String>,
    item_name: Option<String>,
    started_at: Option<String>,
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

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Problem> {
    let known = Known {
        person: read("person", arguments.person.as_deref())?,
        unit: read("unit", arguments.unit.as_deref())?,
        institution: read("institution", arguments.institution.as_deref())?,
    };
    let mut studies = BTreeMap::<String, Study>::new();
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
    if known.person.is_some() {
        refuse_several(&studies)?;
    }
    let rows: Vec<_> = studies
        .into_iter()
        .map(|(uid, study)| row(uid, &study, &known))
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
    let header = header::read(file)?;
    let uid = header.facts.study_uid.clone();
    studies.entry(uid).or_default().add(header);
    Ok(())
}

/// A person's code goes to nobody else: the files say themselves that they are of several patients.
fn refuse_several(studies: &BTreeMap<String, Study>) -> Result<(), Problem> {
    let patients: BTreeSet<_> = studies.values().flat_map(Study::patients).collect();
    if patients.len() < 2 {
        return Ok(());
    }
    let whose = if patients.contains(&None) {
        " (studies without one counted as one)"
    } else {
        ""
    };
    let detail = format!(
        "--person: the files are of {} patients by PatientID (0010,0020){whose}; expected those of one",
        patients.len()
    );
    Err(Problem::usage("index.person", detail))
}

fn row(study_instance_uid: String, study: &Study, known: &Known) -> Row {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let lead = study.lead();
    let exam_time = lead.and_then(ExamDraft::exam_time);
    let source = lead.and_then(ExamDraft::time_source);
    let mut builder =
        ExamRecord::builder().counts(count(study.series_count()), count(study.image_count()));
    if let Some(time) = exam_time {
        builder = builder.exam_time(time);
    }
    if let Some(uid) = study.uid() {
        builder = builder.study_instance_uid(uid);
    }
    if let Some(number) = study.accession_number() {
        builder = builder.accession_number(number);
    }
    if let Some(kind) = study.exam_type() {
        builder = builder.exam_type(kind);
    }
    if let Some(item) = study.item() {
        builder = builder.item(item.clone());
    }
    let started_at = lead.and_then(ExamDraft::started_at);
    if let Some(start) = started_at {
        builder = builder.started_at(start);
    }
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
        Err(error) => (None, Some(error.to_string())),
    };
    let code = known
        .person
        .zip(known.unit)
        .and_then(|(person, unit)| lead?.index_code(person, unit));
    Row {
        study_instance_uid,
        modality: study.modality(),
        exam_type: study.exam_type().map(ExamType::code),
        exam_time: exam_time.map(rfc3339),
        time_source: source.map(|source| source.attribute().keyword()),
        zone_stated: source.map(|source| source.zone_stated()),
        accession_number: study.accession_number().map(str::to_owned),
        institution_name: study.institution_name().map(str::to_owned),
        item_code: study.item().and_then(|item| Some(item.code()?.to_string())),
        item_name: study.item().and_then(|item| Some(item.name()?.to_string())),
        started_at: started_at.map(|start| start.to_string()),
        series_count: study.series_count(),
        image_count: study.image_count(),
        other_times: study.other_times(),
        carried_code: study.carried_code().map(|code| code.to_string()),
        code: code.map(|code| code.to_string()),
        lacks,
        record,
        findings: study.findings(),
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
