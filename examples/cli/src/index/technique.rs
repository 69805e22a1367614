//! `mic index technique`.

use std::process::ExitCode;

use clap::Args;
use mic_index::technique::{self, Lookup, Technique};
use mic_index::{ExamType, IndexCode};
use mic_platform::problem::Problem;
use serde::Serialize;

use super::out::Out;

/// Techniques to look up.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Codes such as `B020ZYZZZ`, index codes, or Chinese names; of a name a part will do.
    #[arg(required = true)]
    queries: Vec<String>,
    /// One line of JSON per query.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    query: u64,
    /// `known`, `unknown`, `ambiguous`; `part_of_name` where names only hold the text.
    answer: &'static str,
    techniques: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    code: &'static str,
    name: &'static str,
    exam_type: Option<u8>,
    /// Whether the code has the nine characters of a site code.
    whole: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Problem> {
    let mut out = Out::new();
    let mut unknown = false;
    for (number, query) in (1..).zip(&arguments.queries) {
        let (answer, rows) = look_up(query.trim());
        unknown |= rows.is_empty();
        if arguments.json {
            out.json(&Answer {
                query: number,
                answer,
                techniques: rows.into_iter().map(row).collect(),
            })?;
            continue;
        }
        match answer {
            "unknown" => {
                out.flush()?;
                eprintln!("query {number}: unknown in the table; a code may be legal all the same");
            }
            "ambiguous" => out.line(format_args!("one code or name, {} meanings:", rows.len()))?,
            _ => {}
        }
        for technique in rows {
            let kind = technique.exam_type().map_or("-", ExamType::chinese_name);
            let damaged = technique.site().map_or(" (damaged in the table)", |_| "");
            let (code, name) = (technique.code(), technique.name());
            out.line(format_args!("{code:<9}  {name}  {kind}{damaged}"))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::from(u8::from(unknown)))
}

fn look_up(query: &str) -> (&'static str, Vec<Technique>) {
    let lookup = match query.parse::<IndexCode>() {
        Ok(code) => code.site().technique().unwrap_or(Lookup::Unknown),
        Err(_) => match technique::by_code(query) {
            Lookup::Unknown => technique::by_name(query),
            found => found,
        },
    };
    let rows: Vec<_> = lookup.techniques().collect();
    if rows.is_empty() && !query.is_ascii() {
        let rows: Vec<_> = technique::all()
            .filter(|row| row.name().contains(query))
            .collect();
        if !rows.is_empty() {
            return ("part_of_name", rows);
        }
    }
    (lookup.name(), rows)
}

fn row(technique: Technique) -> Row {
    Row {
        code: technique.code(),
        name: technique.name(),
        exam_type: technique.exam_type().map(ExamType::code),
        whole: technique.site().is_some(),
    }
}
