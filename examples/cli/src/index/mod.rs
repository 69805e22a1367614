//! `mic index`: the 78-character index code for the shell.

use std::process::ExitCode;

use clap::Subcommand;
use mic_platform::problem::Problem;

mod explain;
mod faults;
mod header;
mod ingest;
mod input;
mod out;
mod pack;
mod parse;
mod record;
mod repair;
mod spill;
mod study;
mod technique;

/// What to do with index codes.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check codes and take them apart.
    Parse(parse::Arguments),
    /// Say what each part of a code means, or show where it is wrong.
    Explain(explain::Arguments),
    /// Show what would make a wrong code legal; changes nothing unless asked to.
    Repair(repair::Arguments),
    /// Print the 40-byte packed form of codes, in hexadecimal.
    Pack(pack::PackArguments),
    /// Print the codes of 40-byte packed forms given in hexadecimal.
    Unpack(pack::UnpackArguments),
    /// Show what DICOM files contribute to index records, study by study.
    Record(record::Arguments),
    /// Read a bulk file: every line is accepted, a duplicate, collided or rejected.
    Ingest(ingest::Arguments),
    /// Look an exam technique up in the table of WS/T 364.8, by code or by Chinese name.
    Technique(technique::Arguments),
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Problem> {
    match command {
        Command::Parse(arguments) => parse::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Repair(arguments) => repair::run(&arguments),
        Command::Pack(arguments) => pack::pack(&arguments),
        Command::Unpack(arguments) => pack::unpack(&arguments),
        Command::Record(arguments) => record::run(&arguments),
        Command::Ingest(arguments) => ingest::run(&arguments),
        Command::Technique(arguments) => technique::run(&arguments),
    }
}
