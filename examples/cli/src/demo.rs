//! `mic demo`: the whole scene.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use mic_platform::problem::Problem;
use mic_platform::scene::{self, Lang, Options};

use crate::output::{self, say};

/// A patient from Yan'an is seen in Beijing: her exams are taken in, indexed, consented to, listed,
/// pulled, proven, drawn and billed by four processes on loopback.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Folder of DICOM files, any names and depth; without it a made head CT is used.
    #[arg(long, value_name = "DIR")]
    studies: Option<PathBuf>,
    /// Where the nodes keep their state; a second run finds what the first one brought.
    #[arg(long, value_name = "DIR", default_value = "mic-demo")]
    state: PathBuf,
    /// Where the pictures go; by default `pictures` below the state.
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
    /// Slices of the made head CT.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u16).range(1..=2000))]
    slices: u16,
    /// Seed of the made head CT.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
    /// The reader's language; by default that of the environment (LANG).
    #[arg(long)]
    lang: Option<LangArgument>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LangArgument {
    En,
    Zh,
}

pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Problem> {
    let lang = match arguments.lang {
        Some(LangArgument::En) => Lang::En,
        Some(LangArgument::Zh) => Lang::Zh,
        None => Lang::of_environment(),
    };
    let options = Options {
        program: std::env::current_exe()?,
        pictures: arguments
            .pictures
            .unwrap_or_else(|| arguments.state.join("pictures")),
        state: arguments.state,
        studies: arguments.studies,
        slices: arguments.slices,
        seed: arguments.seed,
        lang,
        talk: !arguments.json,
    };
    let report = scene::play(&options)?;
    if arguments.json {
        output::json(&report)?;
    } else {
        let width = if std::io::stdout().is_terminal() {
            None
        } else {
            Some(110)
        };
        say!("{}", report.to_text(lang, width))?;
    }
    Ok(ExitCode::from(report.exit_code()))
}
