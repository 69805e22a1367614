//! `mic bill`: charges, deductions and retention from visit events, and the books behind them.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use mic_billing::Lang;
use mic_platform::problem::Problem;

mod books;
mod compare;
mod input;
mod keep;
mod lines;

/// What to do with visit events and policy books.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge events by a book: a table of the lines and what each month comes to.
    #[command(alias = "lines")]
    Run(lines::Run),
    /// Explain the lines in words: rule, document, both times, arithmetic.
    Explain(lines::Explain),
    /// Find a visit on which two books differ, made for it or among events.
    Compare(compare::Compare),
    /// Check a book: every fault with its layer, place and line, or what the book says.
    Check(books::Check),
    /// Print how long each visit's images must be kept.
    #[command(alias = "keep")]
    Retention(keep::Retention),
}

/// The language of explanations.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Words {
    Zh,
    En,
}

impl From<Words> for Lang {
    fn from(words: Words) -> Self {
        match words {
            Words::Zh => Self::Zh,
            Words::En => Self::En,
        }
    }
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Problem> {
    match command {
        Command::Run(arguments) => arguments.run(),
        Command::Explain(arguments) => arguments.run(),
        Command::Compare(arguments) => arguments.run(),
        Command::Check(arguments) => arguments.run(),
        Command::Retention(arguments) => arguments.run(),
    }
}
