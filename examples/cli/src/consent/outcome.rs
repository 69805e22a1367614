//! How a command of `mic consent` ends: the same few words for people and for programs.

use std::process::ExitCode;

use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use mic_consent::{Denial, IssueError, Reason};
use mic_platform::problem::{Fault, Problem};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::output::{self, say};

/// Why a command did not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A token was refused: the data are at fault.
    Denied(Denial),
    /// Everything else.
    Other(Problem),
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Denied(reason.into())
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Other(problem)
    }
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Rule { reason } => Self::Denied(reason.into()),
            other => Self::Other(Problem::data("consent.issue", other)),
        }
    }
}

/// What a command has to say when its work is done.
#[derive(Debug)]
pub(crate) struct Done {
    ok: bool,
    text: Option<String>,
    rows: Vec<(&'static str, String)>,
    notes: Vec<String>,
    table: Option<Table>,
    json: Map<String, Value>,
}

impl Done {
    pub(crate) fn new() -> Self {
        Self {
            ok: true,
            text: None,
            rows: Vec::new(),
            notes: Vec::new(),
            table: None,
            json: Map::new(),
        }
    }

    /// The data are at fault, and what follows says how.
    pub(crate) fn at_fault(mut self) -> Self {
        self.ok = false;
        self
    }

    /// The result itself, printed as it is so that the next command can read it.
    pub(crate) fn text(mut self, text: String) -> Self {
        self.text = Some(text);
        self
    }

    /// One fact, for people and for programs.
    pub(crate) fn row(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let shown = match &value {
            Value::String(text) => text.clone(),
            Value::Null => "-".into(),
            other => other.to_string(),
        };
        self.rows.push((name, shown));
        self.json.insert(name.replace(' ', "_"), value);
        self
    }

    /// One fact for programs alone.
    pub(crate) fn json(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        self.json.insert(name.into(), value);
        self
    }

    /// A sentence for people alone.
    pub(crate) fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// A table for people alone.
    pub(crate) fn table(mut self, header: &[&str], rows: Vec<Vec<String>>) -> Self {
        let mut table = Table::new();
        table.load_style(UTF8_BORDERS_ONLY);
        table.set_header(header);
        table.add_rows(rows);
        self.table = Some(table);
        self
    }

    fn print(self) -> Result<(), Problem> {
        if let Some(text) = self.text {
            say!("{text}")?;
        }
        let width = self.rows.iter().map(|(name, _)| name.len()).max();
        for (name, value) in &self.rows {
            say!("{name:width$}  {value}", width = width.unwrap_or(0))?;
        }
        if let Some(table) = self.table {
            say!("{table}")?;
        }
        for note in self.notes {
            say!("{note}")?;
        }
        Ok(())
    }
}

/// Prints how it ended and gives the exit code: 0 done, 1 the data are at fault, 2 wrong use or failure.
pub(crate) fn end(ended: Result<Done, Failure>, as_json: bool) -> Result<ExitCode, Problem> {
    match ended {
        Ok(done) if as_json => {
            let ok = done.ok;
            let mut line = verdict(ok);
            line.extend(done.json);
            if let Some(text) = done.text {
                line.insert("token".into(), text.into());
            }
            output::json_line(&line)?;
            Ok(ExitCode::from(u8::from(!ok)))
        }
        Ok(done) => {
            let ok = done.ok;
            done.print()?;
            Ok(ExitCode::from(u8::from(!ok)))
        }
        Err(Failure::Denied(denial)) => {
            if as_json {
                output::json_line(&denied(&denial))?;
            } else {
                eprintln!("mic: {}", told(&denial));
            }
            Ok(ExitCode::from(1))
        }
        Err(Failure::Other(problem)) if as_json => {
            output::json_line(&other(&problem))?;
            Ok(ExitCode::from(problem.fault.exit_code()))
        }
        Err(Failure::Other(problem)) => Err(problem),
    }
}

/// The five keys that every answer has.
fn verdict(ok: bool) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("ok".into(), ok.into());
    for name in ["step", "code", "class", "reason"] {
        line.insert(name.into(), Value::Null);
    }
    line
}

/// A denial for programs.
pub(crate) fn denied(denial: &Denial) -> Value {
    json!({
        "ok": false,
        "step": denial.step().number(),
        "code": denial.number(),
        "class": format!("{:?}", denial.class()),
        "reason": denial.reason().name(),
        "fault": format!("{:?}", denial.fault()),
        "at": denial.at(),
        "message": denial.english(),
        "message_zh": denial.chinese(),
        "public": denial.class().english(),
        "public_zh": denial.class().chinese(),
    })
}

/// A denial for people.
pub(crate) fn told(denial: &Denial) -> String {
    let at = denial.at().map(|at| format!(", at {at}"));
    format!(
        "{} (number {}, step {}): {}{}; to the public: {}",
        denial.reason().name(),
        denial.number(),
        denial.step().number(),
        denial.english(),
        at.unwrap_or_default(),
        denial.class().english(),
    )
}

fn other(problem: &Problem) -> Value {
    let class = match problem.fault {
        Fault::Data | Fault::Denied => "Data",
        Fault::Use => "Use",
        Fault::System => "System",
    };
    json!({
        "ok": false,
        "step": null,
        "code": null,
        "class": class,
        "reason": problem.code,
        "message": problem.detail,
    })
}
