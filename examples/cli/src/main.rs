//! `mic`: the imaging cloud on the command line.
//!
//! `mic demo` plays the whole scene; `mic node` runs one of its four roles; `mic index`,
//! `mic consent`, `mic transfer` and `mic bill` are the four libraries for the shell.
//!
//! Exit codes: 0 done, 1 the data are at fault, 2 wrong use or failure.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mic_platform::problem::Problem;

mod bill;
mod consent;
mod demo;
mod index;
mod node;
mod output;
mod transfer;

/// The medical-insurance imaging cloud (医保影像云) on the command line.
#[derive(Debug, Parser)]
#[command(name = "mic", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play the cross-province scene with four processes on this machine.
    Demo(demo::Arguments),
    /// Run one node: hospital, province, nation or authority.
    Node(node::Arguments),
    /// The 78-character national index code (医保影像云索引).
    #[command(subcommand)]
    Index(index::Command),
    /// Consent requests and grants (扫码授权).
    #[command(subcommand)]
    Consent(consent::Command),
    /// Study manifests and transfers.
    #[command(subcommand)]
    Transfer(transfer::Command),
    /// Charges, deductions and retention (云影像5元/人次).
    #[command(subcommand)]
    Bill(bill::Command),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let done = match arguments.command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Node(arguments) => node::run(arguments),
        Command::Index(command) => index::run(command),
        Command::Consent(command) => consent::run(command),
        Command::Transfer(command) => transfer::run(command),
        Command::Bill(command) => bill::run(command),
    };
    match done {
        Ok(code) => code,
        Err(problem) => complain(&problem),
    }
}

fn complain(problem: &Problem) -> ExitCode {
    eprintln!("mic: {} [{}]", problem.detail, problem.code);
    ExitCode::from(problem.fault.exit_code())
}
