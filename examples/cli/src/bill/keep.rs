//! `mic bill retention`.

use std::process::ExitCode;

use clap::Args;
use mic_platform::problem::Problem;
use serde_json::json;

use super::input::Input;
use crate::output::{self, say};

/// How long images are kept.
#[derive(Debug, Args)]
pub(crate) struct Retention {
    #[command(flatten)]
    input: Input,
    /// One line of JSON for each visit.
    #[arg(long)]
    json: bool,
}

impl Retention {
    pub(super) fn run(&self) -> Result<ExitCode, Problem> {
        let read = self.input.read()?;
        for (visit, kept) in read.visits.retention(&read.book, read.known_at) {
            match kept {
                Ok(kept) if self.json => output::json_line(&json!({
                    "visit": visit.to_string(), "clock": kept.clock.name(), "base": kept.base.to_string(),
                    "years": kept.years, "first_disposable": kept.first_disposable.to_string(),
                    "holds": kept.holds,
                }))?,
                Ok(kept) => {
                    let held = match kept.holds.len() {
                        0 => String::new(),
                        open => format!("; {open} legal holds block it"),
                    };
                    say!(
                        "{visit}: {} years from {}; may be destroyed from {} on{held}",
                        kept.years,
                        kept.base,
                        kept.first_disposable
                    )?;
                }
                Err(reason) if self.json => output::json_line(&json!({
                    "visit": visit.to_string(), "not_yet": reason.to_string(),
                }))?,
                Err(reason) => say!("{visit}: kept; {reason}")?,
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
