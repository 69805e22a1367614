//! `mic bill compare`.

use std::process::ExitCode;

use clap::Args;
use mic_billing::{Comparison, Lang, Witness, distinguish};
use mic_platform::problem::Problem;
use serde_json::json;

use super::{Words, books};
use crate::output::{self, say};

/// Two books.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// A book: layers joined by `+`, shipped ones by name, others as files.
    first: String,
    /// Another one.
    second: String,
    /// The language of the explanations.
    #[arg(long, value_enum, default_value = "zh")]
    lang: Words,
    /// One JSON document.
    #[arg(long)]
    json: bool,
    /// End with 1 where the books differ.
    #[arg(long)]
    expect_same: bool,
}

impl Compare {
    pub(super) fn run(&self) -> Result<ExitCode, Problem> {
        let (first, second) = (books::load(&self.first)?, books::load(&self.second)?);
        let found =
            distinguish(&first, &second).map_err(|error| Problem::data("bill.compare", error))?;
        let lang = Lang::from(self.lang);
        match &found {
            Comparison::Differ(witness) if self.json => output::json(&json!({
                "found": "differ", "day": witness.day.to_string(), "known_at": witness.known_at,
                "events": witness.events,
                "first": witness.first.explain(lang), "second": witness.second.explain(lang),
            }))?,
            Comparison::Differ(witness) => self.tell(witness, lang)?,
            Comparison::Untold { facts } if self.json => {
                output::json(&json!({ "found": "untold", "facts": facts }))?
            }
            Comparison::Untold { facts } => {
                say!(
                    "no made visit tells the books apart, though these facts differ: {}",
                    facts.join(", ")
                )?;
            }
            _ if self.json => output::json(&json!({ "found": "same" }))?,
            _ => say!("the books say the same of every visit")?,
        }
        let differ = matches!(found, Comparison::Differ(_));
        Ok(ExitCode::from(u8::from(self.expect_same && differ)))
    }

    fn tell(&self, witness: &Witness, lang: Lang) -> Result<(), Problem> {
        say!(
            "the books differ on {}, as known at {}",
            witness.day,
            witness.known_at
        )?;
        for event in &witness.events {
            say!("  {}", serde_json::to_string(event)?)?;
        }
        for (name, says) in [
            (&self.first, &witness.first),
            (&self.second, &witness.second),
        ] {
            say!("{name}:\n{}", says.explain(lang))?;
        }
        Ok(())
    }
}
