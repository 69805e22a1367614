//! `mic index repair`.

use std::process::ExitCode;

use clap::Args;
use mic_index::{Change, ChangeKind, normalise};
use mic_platform::problem::Problem;
use serde::Serialize;

use super::faults::{self, FaultRow, character};
use super::input;
use super::out::Out;

/// Texts that should be codes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Texts; `-` reads lines from standard input.
    #[arg(required = true)]
    codes: Vec<String>,
    /// Print the text with the changes made, if that makes it a legal code. Proposals are never applied:
    /// in a person code nothing can confirm them, and another digit is another person.
    #[arg(long)]
    apply: bool,
    /// Take a wrong check character of the storage unit code for an error.
    #[arg(long)]
    require_check: bool,
    /// One line of JSON per text.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    input_line: u64,
    /// Legal as it was.
    ok: bool,
    /// Legal once the changes are made.
    repaired: bool,
    changes: Vec<ChangeRow>,
    /// What is wrong after the changes, with offsets in the changed text.
    faults: Vec<FaultRow>,
    /// With `--apply`, where it is legal.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

#[derive(Serialize)]
struct ChangeRow {
    offset: usize,
    from: char,
    to: Option<char>,
    kind: &'static str,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Problem> {
    let parser = faults::parser(arguments.require_check);
    let mut out = Out::new();
    let mut bad = false;
    input::each(&arguments.codes, |line, bytes| {
        // What is no UTF-8 has no characters to repair; the replacement character is told as a fault.
        let given = String::from_utf8_lossy(bytes);
        let (text, changes) = normalise(&given);
        let diagnosis = parser.diagnose(&text);
        let legal = diagnosis.is_clean();
        bad |= !legal;
        if arguments.json {
            return out.json(&Row {
                input_line: line,
                ok: legal && changes.is_empty(),
                repaired: legal && !changes.is_empty(),
                changes: changes.iter().map(change_row).collect(),
                faults: diagnosis.faults().iter().map(FaultRow::of).collect(),
                text: (arguments.apply && legal).then_some(&text),
            });
        }
        // Beside the repaired texts, what is told goes to standard error.
        let mut say = |said: String| {
            if arguments.apply {
                eprintln!("{said}");
                Ok(())
            } else {
                out.line(format_args!("{said}"))
            }
        };
        if legal && changes.is_empty() {
            say(format!("code {line}: legal as it is"))?;
        }
        for change in &changes {
            say(format!(
                "code {line}: byte {}: {}",
                change.offset(),
                told(change)
            ))?;
        }
        for fault in diagnosis.faults() {
            say(format!("code {line}: still wrong: {}", fault.error()))?;
            for proposal in fault.proposals() {
                let to = proposal.to().map_or("nothing".into(), character);
                say(format!(
                    "code {line}:   proposal at byte {}: {} to {to} ({})",
                    proposal.offset(),
                    character(proposal.from()),
                    proposal.confidence().name().replace('_', " "),
                ))?;
            }
        }
        if legal && !changes.is_empty() && !arguments.apply {
            say(format!(
                "code {line}: legal with these changes; --apply prints it"
            ))?;
        }
        if arguments.apply {
            // A line for each text, empty where there is nothing to print.
            let text = if legal { text.as_str() } else { "" };
            out.line(format_args!("{text}"))?;
        }
        Ok(())
    })?;
    out.flush()?;
    Ok(ExitCode::from(u8::from(bad)))
}

fn told(change: &Change) -> String {
    let (from, kind) = (character(change.from()), kind(*change).replace('_', " "));
    match change.to() {
        Some(to) => format!("{from} to {} ({kind})", character(to)),
        None => format!("{from} left out ({kind})"),
    }
}

fn change_row(change: &Change) -> ChangeRow {
    ChangeRow {
        offset: change.offset(),
        from: change.from(),
        to: change.to(),
        kind: kind(*change),
    }
}

fn kind(change: Change) -> &'static str {
    match change.kind() {
        ChangeKind::Blank => "blank",
        ChangeKind::Invisible => "invisible",
        ChangeKind::Dash => "dash",
        ChangeKind::FullWidth => "full_width",
        ChangeKind::LowerCase => "lower_case",
        ChangeKind::LookAlike => "look_alike",
        _ => "other",
    }
}
