//! `mic bill run` and `mic bill explain`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use mic_billing::{Assessment, Fen, Lang, Line, Period, desired};
use mic_platform::problem::Problem;
use serde_json::json;

use super::Words;
use super::input::Input;
use crate::output::{self, say};

/// Lines and months.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    input: Input,
    /// One line of JSON for each line of the bill.
    #[arg(long)]
    json: bool,
}

impl Run {
    pub(super) fn run(&self) -> Result<ExitCode, Problem> {
        let read = self.input.read()?;
        let assessed = read.visits.assess(&read.book, read.known_at);
        let lines = judged(&assessed)?;
        if self.json {
            lines.iter().try_for_each(output::json_line)?;
            return Ok(ExitCode::SUCCESS);
        }
        reasons(&assessed)?;
        if lines.is_empty() {
            say!("nothing is to be charged or deducted")?;
            return Ok(ExitCode::SUCCESS);
        }
        say!("{}", table(&lines))?;
        months(&lines)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn judged(assessed: &[Assessment]) -> Result<Vec<Line>, Problem> {
    desired(assessed).map_err(|error| Problem::data("bill.lines", error))
}

/// How many visits came how far: also those that nothing is paid for are spoken of.
fn reasons(assessed: &[Assessment]) -> Result<(), Problem> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for assessment in assessed {
        *counts.entry(assessment.reason().code()).or_default() += 1;
    }
    let told: Vec<String> = counts
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    say!("{} visits: {}", assessed.len(), told.join(", "))
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["unit", "visit date", "line", "yuan"]);
    for line in lines {
        table.add_row([
            line.unit().to_string(),
            line.why().visit_date.to_string(),
            line.kind().name().to_owned(),
            line.amount().to_string(),
        ]);
    }
    if let Some(amounts) = table.column_mut(3) {
        amounts.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What each institution's months come to.
fn months(lines: &[Line]) -> Result<(), Problem> {
    let mut months: BTreeMap<(String, Period), Vec<&Line>> = BTreeMap::new();
    for line in lines {
        let key = (
            line.unit().institution.to_string(),
            Period::of(line.why().visit_date),
        );
        months.entry(key).or_default().push(line);
    }
    for ((institution, month), lines) in months {
        let total = Fen::sum(lines.iter().map(|line| line.amount()))
            .map_err(|error| Problem::data("bill.lines", error))?;
        say!("{institution} {month}: {} lines, {total} yuan", lines.len())?;
    }
    Ok(())
}

/// Lines in words.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    input: Input,
    /// The line of this unit alone, as `run` prints it.
    #[arg(long)]
    unit: Option<String>,
    /// The language; both where none is named.
    #[arg(long, value_enum)]
    lang: Option<Words>,
    /// One line of JSON for each line: unit, amount, both explanations, and whether it recomputes.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) fn run(&self) -> Result<ExitCode, Problem> {
        let read = self.input.read()?;
        let mut lines = judged(&read.visits.assess(&read.book, read.known_at))?;
        if let Some(unit) = &self.unit {
            lines.retain(|line| line.unit().to_string() == *unit);
            if lines.is_empty() {
                return Err(Problem::data("bill.unit", "expected the unit of a line"));
            }
        }
        for line in &lines {
            // What is printed holds under the book, or it is not printed.
            let again = line
                .recompute(&read.book)
                .map_err(|error| Problem::system("bill.recompute", error))?;
            if again != *line {
                return Err(Problem::system(
                    "bill.recompute",
                    "expected the same line again",
                ));
            }
            if self.json {
                output::json_line(&json!({
                    "unit": line.unit().to_string(), "kind": line.kind().name(), "amount_fen": line.amount(),
                    "zh": line.explain(Lang::Zh), "en": line.explain(Lang::En),
                }))?;
                continue;
            }
            say!(
                "{} {} {} yuan",
                line.unit(),
                line.kind().name(),
                line.amount()
            )?;
            match self.lang {
                Some(words) => say!("{}", line.explain(words.into()))?,
                None => say!("{}\n{}", line.explain(Lang::Zh), line.explain(Lang::En))?,
            }
        }
        if lines.is_empty() && !self.json {
            say!("nothing is to be charged or deducted")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
