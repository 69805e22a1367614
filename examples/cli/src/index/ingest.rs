//! `mic index ingest`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use mic_index::bulk::{
    BulkError, Column, Field, Finding, Format, Found, Header, Ingest, Line, Options, RejectFormat,
    RejectWriter, Search, Spill,
};
use mic_index::{CheckPolicy, Collision};
use mic_platform::problem::Problem;
use serde::Serialize;

use super::out::Out;
use super::spill::Place;

/// Lines between two looks at the progress bar.
const LINES_PER_LOOK: u64 = 4096;

/// A bulk file and what to do with it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Lines of codes, CSV or NDJSON; plain, gzip or zstd. `-` reads standard input.
    file: PathBuf,
    /// The format; found out from the first line if not given.
    #[arg(long)]
    format: Option<FormatName>,
    /// The CSV column of the code: its name, or its number from 1 on.
    #[arg(long, value_name = "COLUMN")]
    code_column: Option<String>,
    /// The CSV column of the StudyInstanceUID: its name, or its number from 1 on.
    #[arg(long, value_name = "COLUMN")]
    study_column: Option<String>,
    /// The byte between CSV fields; `tab` for a tabulator.
    #[arg(long, default_value = ",")]
    delimiter: String,
    /// The first CSV row is data, whatever it looks like.
    #[arg(long)]
    no_header: bool,
    /// Take a wrong check character of the storage unit code for an error.
    #[arg(long)]
    require_check: bool,
    /// Reject lines that do not have all fields of a record.
    #[arg(long)]
    complete: bool,
    /// Write down what was rejected: line, bytes, field, kind, what was expected. CSV, or NDJSON if the name
    /// ends so. Nothing of the lines themselves. A new file.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Write the rejected lines themselves, under the header if there is one, to repair and read them
    /// again. PERSONAL DATA; a new file, for its owner alone.
    #[arg(long, value_name = "FILE")]
    rejected_lines: Option<PathBuf>,
    /// Write down duplicates and collisions by line number, as NDJSON. Codes are left out. A new
    /// file.
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
    /// Do not look for duplicates and collisions: every legal line counts as accepted, and nothing is kept
    /// of it.
    #[arg(long, conflicts_with_all = ["findings", "memory", "spill"])]
    no_search: bool,
    /// Memory for the search, such as 256M or 2G.
    #[arg(long, default_value = "48M", value_parser = bytes)]
    memory: usize,
    /// Where the search puts what does not fit in memory: personal data for as long as it runs. The
    /// folder of FILE if not given, or one for temporary files that is not in memory.
    #[arg(long, value_name = "DIR")]
    spill: Option<PathBuf>,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// No progress bar.
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    Lines,
    Csv,
    Ndjson,
}

#[derive(Serialize)]
struct Summary {
    lines: u64,
    accepted: u64,
    duplicates: u64,
    collided: u64,
    rejected: u64,
    /// Whether duplicates and collisions were looked for.
    searched: bool,
    /// Duplicates whose other fields differ from the first line's.
    differing: u64,
    /// Codes that stand for several studies.
    shared_codes: u64,
    /// Lines with nothing on them, not counted among the lines.
    empty: u64,
    format: Option<&'static str>,
    header: bool,
    /// What each CSV column was taken for.
    columns: Vec<Option<&'static str>>,
    input_bytes: u64,
    text_bytes: u64,
    spilled_bytes: u64,
    /// The folder they went to.
    spilled_to: Option<String>,
    /// Rejected lines too long to be kept with the others.
    lines_not_kept: u64,
}

/// The file of the rejected lines.
struct Kept<'a> {
    path: &'a Path,
    out: BufWriter<File>,
    begun: bool,
    /// Lines that were too long.
    left_out: u64,
}

impl<'a> Kept<'a> {
    fn create(path: &'a Path) -> Result<Self, Problem> {
        Ok(Self {
            path,
            out: create("--rejected-lines", path, true)?,
            begun: false,
            left_out: 0,
        })
    }

    fn write(&mut self, header: Option<&[u8]>, line: &[u8]) -> io::Result<()> {
        if line.is_empty() {
            self.left_out += 1;
            return Ok(());
        }
        if !self.begun {
            self.begun = true;
            if let Some(header) = header {
                self.out.write_all(header)?;
                self.out.write_all(b"\n")?;
            }
        }
        self.out.write_all(line)?;
        self.out.write_all(b"\n")
    }

    fn finish(&mut self) -> io::Result<()> {
        let lines = match self.left_out {
            0 => return self.out.flush(),
            1 => "1 rejected line was too long to be kept and is".to_owned(),
            count => format!("{count} rejected lines were too long to be kept and are"),
        };
        eprintln!("mic: {}: {lines} not in it", self.path.display());
        self.out.flush()
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Problem> {
    let options = options(arguments)?;
    let (input, size) = open(&arguments.file)?;
    refuse_existing(arguments)?;
    let mut rejects = arguments
        .rejects
        .as_deref()
        .map(reject_writer)
        .transpose()?;
    let mut kept = arguments
        .rejected_lines
        .as_deref()
        .map(Kept::create)
        .transpose()?;
    let mut findings_out = arguments
        .findings
        .as_deref()
        .map(|path| create("--findings", path, false))
        .transpose()?;
    let place = Place::new(arguments.spill.as_deref(), &arguments.file);
    let spilled_to = place.chosen();
    let mut search = (!arguments.no_search).then(|| Search::new(arguments.memory, place));
    let mut ingest = Ingest::new(input, options);

    let bar = bar(size, arguments.quiet || arguments.json);
    let mut raw = Vec::new();
    for number in 0_u64.. {
        let line = match ingest.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => return Err(fail(error, &ingest, arguments)),
        };
        match line {
            Line::Row(row) => {
                if let Some(Err(error)) = search.as_mut().map(|search| search.add(row)) {
                    return Err(fail(error, &ingest, arguments));
                }
            }
            Line::Rejected(rejection) => {
                if let Some(rejects) = &mut rejects {
                    rejects.write(&rejection)?;
                }
                if let Some(kept) = &mut kept {
                    raw.clear();
                    raw.extend_from_slice(rejection.raw());
                    kept.write(ingest.reader().header_line(), &raw)?;
                }
            }
        }
        if number % LINES_PER_LOOK == 0 {
            let progress = ingest.progress();
            bar.set_position(progress.input_bytes());
            bar.set_message(format!("{} lines", progress.lines()));
        }
    }
    bar.finish_and_clear();
    if let Some(rejects) = &mut rejects {
        rejects.get_mut().flush()?;
    }
    if let Some(kept) = &mut kept {
        kept.finish()?;
    }

    let searched = search.is_some();
    let spilled_bytes = search.as_ref().map_or(0, Search::spilled_bytes);
    let mut found = None;
    if let Some(search) = search {
        let told = |error| fail(error, &ingest, arguments);
        let rows = ingest.tally().lines() - ingest.tally().rejected();
        let spinner = spinner(arguments.quiet || arguments.json);
        found = Some(compare(
            search,
            rows,
            &spinner,
            findings_out.as_mut(),
            told,
        )?);
    }
    if let Some(out) = &mut findings_out {
        out.flush()?;
    }
    let counts = ingest.tally().with(found.unwrap_or_default());
    if searched && !counts.adds_up() {
        let detail = "the outcomes do not add up to the lines";
        return Err(Problem::system("index.bulk.law", detail));
    }
    let summary = Summary {
        lines: counts.lines(),
        accepted: if searched {
            counts.accepted()
        } else {
            counts.lines() - counts.rejected()
        },
        duplicates: counts.duplicates(),
        collided: counts.collided(),
        rejected: counts.rejected(),
        searched,
        differing: counts.found().differing(),
        shared_codes: counts.found().shared_codes(),
        empty: counts.tally().empty(),
        format: ingest.reader().format().map(Format::name),
        header: ingest.reader().has_header(),
        columns: ingest
            .reader()
            .columns()
            .map(|of| of.map(Field::name))
            .collect(),
        input_bytes: ingest.progress().input_bytes(),
        text_bytes: ingest.progress().text_bytes(),
        spilled_bytes,
        spilled_to: spilled_to
            .borrow()
            .as_ref()
            .map(|folder| folder.display().to_string()),
        lines_not_kept: kept.as_ref().map_or(0, |kept| kept.left_out),
    };
    let mut out = Out::new();
    if arguments.json {
        out.json(&summary)?;
    } else {
        out.line(format_args!("{}", table(&summary)))?;
        if !searched {
            out.line(format_args!(
                "duplicates and collisions were not looked for"
            ))?;
        }
        if let Some(folder) = &summary.spilled_to {
            out.line(format_args!("spilled {spilled_bytes} bytes to {folder}"))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::from(u8::from(summary.rejected > 0)))
}

/// The second half: rows are merged and compared, as long as that may take.
fn compare<S: Spill>(
    search: Search<S>,
    rows: u64,
    spinner: &ProgressBar,
    mut out: Option<&mut BufWriter<File>>,
    told: impl Fn(BulkError) -> Problem,
) -> Result<Found, Problem> {
    spinner.set_message("sorting");
    let merged = search.finish_with(|merged| {
        spinner.set_message(format!("merging: {merged} rows"));
        ControlFlow::Continue(())
    });
    let mut findings = merged.map_err(&told)?;
    let mut failed = None;
    let ended = findings.run(
        |found| {
            spinner.set_message(format!("comparing: {} of {rows} rows", found.rows()));
            ControlFlow::Continue(())
        },
        |finding| {
            let Some(out) = &mut out else { return Ok(()) };
            write_finding(out, &finding).map_err(|problem| {
                failed = Some(problem);
                io::ErrorKind::Other.into()
            })
        },
    );
    spinner.finish_and_clear();
    if let Some(problem) = failed {
        return Err(problem);
    }
    ended.map_err(told)?;
    Ok(findings.found())
}

fn options(arguments: &Arguments) -> Result<Options, Problem> {
    let mut options = Options::new();
    options = match arguments.format {
        Some(FormatName::Lines) => options.format(Format::Lines),
        Some(FormatName::Csv) => options.format(Format::Csv),
        Some(FormatName::Ndjson) => options.format(Format::Ndjson),
        None => options,
    };
    options = match arguments.delimiter.as_bytes() {
        b"tab" => options.delimiter(b'\t'),
        [delimiter] if !matches!(delimiter, b'"' | b'\r' | b'\n') => options.delimiter(*delimiter),
        _ => {
            let detail = "--delimiter: expected one byte or `tab`";
            return Err(Problem::usage("index.delimiter", detail));
        }
    };
    for (field, column) in [
        (Field::Code, &arguments.code_column),
        (Field::StudyInstanceUid, &arguments.study_column),
    ] {
        let Some(column) = column else { continue };
        let column = match column
            .parse::<usize>()
            .ok()
            .and_then(|at| at.checked_sub(1))
        {
            Some(at) => Column::At(at),
            None => Column::Named(column.clone()),
        };
        options = options.column(field, column);
    }
    if arguments.no_header {
        options = options.header(Header::Absent);
    }
    if arguments.require_check {
        options = options.check(CheckPolicy::Require);
    }
    Ok(options.require_complete(arguments.complete))
}

/// The input, and its size where it has one.
fn open(file: &Path) -> Result<(Box<dyn Read>, Option<u64>), Problem> {
    if file == Path::new("-") {
        return Ok((Box::new(io::stdin().lock()), None));
    }
    let opened =
        File::open(file).map_err(|error| Problem::usage("index.file", error).at(file.display()))?;
    let about = opened.metadata()?;
    Ok((Box::new(opened), about.is_file().then_some(about.len())))
}

/// Outputs are new files: what is there already may be the input. A device or a pipe has nothing to
/// lose. All are looked at before the first is made, so that a mistake leaves no empty files behind.
fn refuse_existing(arguments: &Arguments) -> Result<(), Problem> {
    for (option, path) in [
        ("--rejects", &arguments.rejects),
        ("--findings", &arguments.findings),
        ("--rejected-lines", &arguments.rejected_lines),
    ] {
        if let Some(path) = path
            && path.is_file()
        {
            return Err(existing(option, path));
        }
    }
    Ok(())
}

fn existing(option: &str, path: &Path) -> Problem {
    let detail = format!("{option}: is there already; expected a new file");
    Problem::usage("index.output", detail).at(path.display())
}

/// A new file; a `private` one is for its owner alone, for which it must be new in any case: the rights
/// of a file that is there would stay as they are.
fn create(option: &str, path: &Path, private: bool) -> Result<BufWriter<File>, Problem> {
    let mut options = OpenOptions::new();
    options.write(true);
    let device = path
        .metadata()
        .is_ok_and(|about| !about.is_file() && !about.is_dir());
    if private || !device {
        options.create_new(true);
    }
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => existing(option, path),
        _ => Problem::usage("index.output", format!("{option}: {error}")).at(path.display()),
    })?;
    Ok(BufWriter::new(file))
}

fn reject_writer(path: &Path) -> Result<RejectWriter<BufWriter<File>>, Problem> {
    let ndjson = path
        .extension()
        .is_some_and(|end| end == "ndjson" || end == "jsonl" || end == "json");
    let format = if ndjson {
        RejectFormat::Ndjson
    } else {
        RejectFormat::Csv
    };
    Ok(RejectWriter::new(
        create("--rejects", path, false)?,
        format,
    )?)
}

#[derive(Serialize)]
#[serde(tag = "finding", rename_all = "lowercase")]
enum FindingRow {
    Duplicate {
        line: u64,
        first: u64,
        differs: bool,
    },
    Collision {
        first: u64,
        studies: Vec<StudyRow>,
        omitted: u64,
    },
}

#[derive(Serialize)]
struct StudyRow {
    study_instance_uid: Option<String>,
    line: u64,
    lines: u64,
}

fn write_finding(out: &mut impl Write, finding: &Finding) -> Result<(), Problem> {
    let row = match finding {
        Finding::Duplicate(again) => FindingRow::Duplicate {
            line: again.line(),
            first: again.first(),
            differs: again.differs(),
        },
        Finding::Collision(shared) => collision(shared),
        _ => return Ok(()),
    };
    serde_json::to_writer(&mut *out, &row)?;
    out.write_all(b"\n")?;
    Ok(())
}

fn collision(shared: &Collision) -> FindingRow {
    let studies = shared.studies().iter().map(|study| StudyRow {
        study_instance_uid: study.study_instance_uid().map(|uid| uid.to_string()),
        line: study.line(),
        lines: study.lines(),
    });
    FindingRow::Collision {
        first: shared.first_line(),
        studies: studies.collect(),
        omitted: shared.omitted(),
    }
}

fn fail<R: Read>(error: BulkError, ingest: &Ingest<R>, arguments: &Arguments) -> Problem {
    let lines = ingest.tally().lines();
    let code = format!("index.bulk.{}", error.name());
    let detail = format!("{error} (after {lines} lines)");
    let problem = if error.is_data() {
        Problem::data(code, detail)
    } else {
        Problem::system(code, detail)
    };
    problem.at(arguments.file.display())
}

fn table(summary: &Summary) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_header(["outcome", "lines", ""]);
    let differing = match summary.differing {
        0 => String::new(),
        count => format!("{count} of them with other fields that differ"),
    };
    let shared = match summary.shared_codes {
        0 => String::new(),
        count => format!("of {count} codes that stand for several studies"),
    };
    for (name, count, note) in [
        ("accepted", summary.accepted, String::new()),
        ("duplicates", summary.duplicates, differing),
        ("collided", summary.collided, shared),
        ("rejected", summary.rejected, String::new()),
        ("all", summary.lines, String::new()),
    ] {
        table.add_row([name.to_owned(), count.to_string(), note]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn bar(size: Option<u64>, silent: bool) -> ProgressBar {
    let target = if silent {
        ProgressDrawTarget::hidden()
    } else {
        // Draws nothing where standard error is no terminal.
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(size, target).with_finish(ProgressFinish::AndClear);
    let template = match size {
        Some(_) => "[{bar:32}] {bytes:>11}/{total_bytes} {bytes_per_sec:>12} ETA {eta} {msg}",
        None => "{spinner} {bytes:>11} {bytes_per_sec:>12} {msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// What shows that the second half goes on; it turns by itself while rows are sorted.
fn spinner(silent: bool) -> ProgressBar {
    if silent {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_finish(ProgressFinish::AndClear);
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// A number of bytes with K, M or G behind it for powers of 1024.
fn bytes(text: &str) -> Result<usize, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits
        .parse::<usize>()
        .ok()
        .and_then(|count| count.checked_mul(1 << shift))
        .ok_or_else(|| "expected a number of bytes such as 256M".to_owned())
}
