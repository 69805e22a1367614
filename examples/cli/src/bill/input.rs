//! Events from files and standard input, in CSV, NDJSON or JSON.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mic_billing::{Book, Event, EventReader, Moment, Visits};
use mic_platform::problem::Problem;

use super::books;

/// Most faults of a file that are told one by one.
const FAULTS_TOLD_MAX: usize = 20;

/// Events and the book to judge them by.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// Events; `-` reads standard input.
    events: PathBuf,
    /// How the events are written; by default by the file's ending, else NDJSON.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The policy book: layers joined by `+`, shipped ones by name, others as files.
    #[arg(long, default_value = "shenzhen")]
    book: String,
    /// Judge by what was known at this moment (RFC 3339); by default all that the events tell.
    #[arg(long)]
    at: Option<Moment>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Ndjson,
    Json,
}

/// What the commands work on.
pub(super) struct Read {
    pub(super) visits: Visits,
    pub(super) book: Book,
    pub(super) known_at: Moment,
}

impl Input {
    pub(super) fn read(&self) -> Result<Read, Problem> {
        let book = books::load(&self.book)?;
        let (visits, last) = visits(&self.events, self.format)?;
        let known_at = self
            .at
            .or(last)
            .ok_or_else(|| Problem::data("bill.events", "expected at least one event"))?;
        Ok(Read {
            visits,
            book,
            known_at,
        })
    }
}

/// The visits of a file, and when the last of its events was known.
fn visits(path: &PathBuf, format: Option<Format>) -> Result<(Visits, Option<Moment>), Problem> {
    let source: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let file = File::open(path).map_err(|error| {
            Problem::usage("bill.events", format!("{}: {error}", path.display()))
        })?;
        Box::new(BufReader::new(file))
    };
    let ending = path.extension().and_then(|end| end.to_str());
    let format = format.unwrap_or(match ending {
        Some("csv") => Format::Csv,
        Some("json") => Format::Json,
        _ => Format::Ndjson,
    });
    let reader = match format {
        Format::Csv => EventReader::csv(source),
        Format::Ndjson => EventReader::ndjson(source),
        Format::Json => EventReader::json(source),
    };
    let (mut visits, mut last, mut faults) = (Visits::new(), None, Vec::new());
    for (number, event) in (1_u64..).zip(reader) {
        match event {
            Ok(event) => {
                let event: Event = event;
                last = last.max(Some(event.known()));
                if let Err(error) = visits.fold(&event) {
                    faults.push(format!("event {number}: {error}"));
                }
            }
            Err(error) => faults.push(error.to_string()),
        }
    }
    if faults.is_empty() {
        return Ok((visits, last));
    }
    let count = faults.len();
    faults.truncate(FAULTS_TOLD_MAX);
    let told = faults.join("; ");
    let more = if count > faults.len() {
        format!("; and {} more", count - faults.len())
    } else {
        String::new()
    };
    Err(Problem::data("bill.event", format!("{told}{more}")))
}
