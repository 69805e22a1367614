//! `mic bill`: charges, deductions and retention from visit events.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use mic_billing::{Assessment, Book, Event, Lang, Moment, Visits, books};
use mic_platform::problem::Problem;
use serde::Serialize;

use crate::output::{self, say};

/// What to do with visit events.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the lines a policy book asks for, each with its explanation.
    Lines(Input),
    /// Print how long each visit's images must be kept.
    Keep(Input),
}

/// Events and the book to judge them by.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// Events as NDJSON, one a line; `-` reads standard input.
    events: PathBuf,
    /// The policy book of the region.
    #[arg(long, value_enum, default_value_t = BookName::Shenzhen)]
    book: BookName,
    /// Judge by what was known at this moment (RFC 3339); by default all that the events tell.
    #[arg(long)]
    at: Option<Moment>,
    /// The language of the explanations.
    #[arg(long, value_enum, default_value_t = Words::Zh)]
    lang: Words,
    /// One line of JSON for each result.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BookName {
    Shenzhen,
    Guangdong,
    FictionalSeparateItem,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Words {
    Zh,
    En,
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Problem> {
    match command {
        Command::Lines(input) => lines(&input),
        Command::Keep(input) => keep(&input),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn lines(input: &Input) -> Result<(), Problem> {
    let (visits, known) = read(input)?;
    let book = load(input.book)?;
    let assessed = visits.assess(&book, known);
    let lines = mic_billing::desired(&assessed).map_err(|e| Problem::data("bill.lines", e))?;
    if input.json {
        return lines.iter().try_for_each(output::json_line);
    }
    for assessment in &assessed {
        about(assessment)?;
    }
    if lines.is_empty() {
        say!("nothing is to be charged or deducted")?;
    }
    let lang = match input.lang {
        Words::Zh => Lang::Zh,
        Words::En => Lang::En,
    };
    for line in &lines {
        say!(
            "\n{} {} {} 元",
            line.unit(),
            line.kind().name(),
            line.amount()
        )?;
        say!("{}", line.explain(lang))?;
    }
    Ok(())
}

/// Every visit is spoken of, also where nothing is to be paid.
fn about(assessment: &Assessment) -> Result<(), Problem> {
    let exams = assessment.exams();
    let served = exams
        .iter()
        .filter(|exam| exam.standing.is_served())
        .count();
    say!(
        "{}: {}, {served} of {} exams provided",
        assessment.visit(),
        assessment.reason().code(),
        exams.len()
    )?;
    Ok(())
}

#[derive(Serialize)]
struct Row {
    visit: String,
    years: Option<u32>,
    first_disposable: Option<String>,
    not_yet: Option<String>,
}

fn keep(input: &Input) -> Result<(), Problem> {
    let (visits, known) = read(input)?;
    let book = load(input.book)?;
    for (visit, kept) in visits.retention(&book, known) {
        let row = Row {
            visit: visit.to_string(),
            years: kept.as_ref().ok().map(|kept| kept.years),
            first_disposable: kept
                .as_ref()
                .ok()
                .map(|kept| kept.first_disposable.to_string()),
            not_yet: kept.as_ref().err().map(ToString::to_string),
        };
        match (input.json, kept) {
            (true, _) => output::json_line(&row)?,
            (false, Ok(kept)) => say!(
                "{}: {} years from {}; may be destroyed from {} on",
                row.visit,
                kept.years,
                kept.base,
                kept.first_disposable
            )?,
            (false, Err(reason)) => say!("{}: kept; {reason}", row.visit)?,
        }
    }
    Ok(())
}

fn read(input: &Input) -> Result<(Visits, Moment), Problem> {
    let mut text = String::new();
    if input.events.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(&input.events).map_err(|e| {
            Problem::usage("bill.events", format!("{}: {e}", input.events.display()))
        })?;
    }
    let mut visits = Visits::new();
    let mut known = BTreeSet::new();
    for (number, line) in (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let at = |e: &dyn core::fmt::Display| {
            Problem::data("bill.event", e).at(format_args!("line {number}"))
        };
        let event: Event = serde_json::from_str(line).map_err(|e| at(&e))?;
        known.insert(event.known());
        visits.fold(&event).map_err(|e| at(&e))?;
    }
    let last = known.last().copied();
    let known = input
        .at
        .or(last)
        .ok_or_else(|| Problem::data("bill.events", "expected at least one event"))?;
    Ok((visits, known))
}

fn load(name: BookName) -> Result<Book, Problem> {
    let odd = |e: &dyn core::fmt::Display| Problem::system("bill.book", e);
    let region = match name {
        BookName::Shenzhen => books::shenzhen(),
        BookName::Guangdong => books::guangdong(),
        BookName::FictionalSeparateItem => books::fictional_separate_item(),
    };
    let layers = [books::national(), region]
        .into_iter()
        .collect::<Result<Vec<_>, _>>();
    Book::load(layers.map_err(|e| odd(&e))?).map_err(|e| odd(&e))
}
