//! `mic index`: parse, pack and unpack index codes.

use std::io::BufRead;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use mic_index::{CheckPolicy, Fault, IndexCode, ParseErrorKind, Parser, UnitCheck};
use mic_platform::problem::Problem;
use serde::Serialize;

use crate::output::{self, say};

/// What to do with index codes.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check codes and take them apart.
    Parse(Codes),
    /// Print the 40-byte packed form of codes, in hexadecimal.
    Pack(Codes),
    /// Print the code of a 40-byte packed form given in hexadecimal.
    Unpack {
        /// 80 hexadecimal digits.
        packed: String,
    },
}

/// Codes from the command line, or line by line from standard input.
#[derive(Debug, Args)]
pub(crate) struct Codes {
    /// Printed (82) or compact (78) codes; `-` reads lines from standard input.
    #[arg(required = true)]
    codes: Vec<String>,
    /// Take a wrong check character of the storage unit code for an error.
    #[arg(long)]
    require_check: bool,
    /// One line of JSON per code.
    #[arg(long)]
    json: bool,
}

impl Codes {
    fn reads_stdin(&self) -> bool {
        self.codes == ["-"]
    }
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Problem> {
    match command {
        Command::Parse(codes) => each(&codes, show),
        Command::Pack(codes) => each(&codes, |_, code, _| {
            say!("{}", hex::encode(code.packed()))?;
            Ok(())
        }),
        Command::Unpack { packed } => {
            let bytes = hex::decode(packed.trim()).map_err(|e| Problem::data("index.hex", e))?;
            let code =
                IndexCode::try_from_slice(&bytes).map_err(|e| Problem::data("index.packed", e))?;
            say!("{code}")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Applies `show` to each good code and tells each bad one; code 1 if there was a bad one.
fn each(
    codes: &Codes,
    show: impl Fn(u64, &IndexCode, bool) -> Result<(), Problem>,
) -> Result<ExitCode, Problem> {
    let policy = if codes.require_check {
        CheckPolicy::Require
    } else {
        CheckPolicy::Report
    };
    let parser = Parser::new().check(policy);
    let mut bad = false;
    let mut one = |line: u64, text: &str| match parser.parse(text) {
        Ok(code) => show(line, &code, codes.json),
        Err(_) => {
            bad = true;
            complain(line, text, parser, codes)
        }
    };
    if codes.reads_stdin() {
        for (line, text) in (1..).zip(std::io::stdin().lock().lines()) {
            one(line, text?.trim_end_matches('\r'))?;
        }
    } else {
        for (line, text) in (1..).zip(&codes.codes) {
            one(line, text)?;
        }
    }
    Ok(ExitCode::from(u8::from(bad)))
}

#[derive(Debug, Serialize)]
struct Good<'a> {
    input_line: u64,
    ok: bool,
    printed: &'a str,
    compact: &'a str,
    packed: String,
    person: String,
    exam_time: String,
    site: Option<String>,
    device: Option<String>,
    unit: String,
    unit_check: &'static str,
}

#[derive(Debug, Serialize)]
struct Bad {
    input_line: u64,
    ok: bool,
    faults: Vec<FaultRow>,
}

#[derive(Debug, Serialize)]
struct FaultRow {
    part: &'static str,
    start: usize,
    end: usize,
    kind: &'static str,
    expected: String,
    message: String,
    proposals: Vec<ProposalRow>,
}

#[derive(Debug, Serialize)]
struct ProposalRow {
    offset: usize,
    from: char,
    to: Option<char>,
}

fn show(line: u64, code: &IndexCode, json: bool) -> Result<(), Problem> {
    let (printed, compact) = (code.printed(), code.compact());
    let check = code.unit().check();
    let assigned = |yes: bool, text: String| yes.then_some(text);
    let good = Good {
        input_line: line,
        ok: true,
        printed: printed.as_str(),
        compact: compact.as_str(),
        packed: hex::encode(code.packed()),
        person: code.person().text().as_str().to_owned(),
        exam_time: code.exam_time().to_chrono().to_rfc3339(),
        site: assigned(code.site().is_assigned(), code.site().to_string()),
        device: assigned(code.device().is_assigned(), code.device().to_string()),
        unit: code.unit().to_string(),
        unit_check: if check.is_match() {
            "match"
        } else {
            "mismatch"
        },
    };
    if json {
        return output::json_line(&good);
    }
    let filler = || "not assigned (zeros)".to_owned();
    say!("printed   {}", good.printed)?;
    say!("packed    {}", good.packed)?;
    say!("person    人员管理码        {}", good.person)?;
    say!("time      检查日期时间代码  {}", good.exam_time)?;
    say!(
        "site      检查部位代码      {}",
        good.site.unwrap_or_else(filler)
    )?;
    say!(
        "device    医用设备代码      {}",
        good.device.unwrap_or_else(filler)
    )?;
    match check {
        UnitCheck::Mismatch { expected, .. } => say!(
            "unit      影像存储单位代码  {} (check character: expected {expected})",
            good.unit
        )?,
        _ => say!("unit      影像存储单位代码  {}", good.unit)?,
    }
    Ok(())
}

/// Everything that is wrong with a code, at once. The code itself is shown again only to a person who
/// typed it: what comes by standard input may end in a log.
fn complain(line: u64, text: &str, parser: Parser, codes: &Codes) -> Result<(), Problem> {
    let diagnosis = parser.diagnose(text);
    if codes.json {
        let faults = diagnosis.faults().iter().map(row).collect();
        return output::json_line(&Bad {
            input_line: line,
            ok: false,
            faults,
        });
    }
    for fault in diagnosis.faults() {
        eprintln!("code {line}: {}", fault.error());
    }
    if !codes.reads_stdin() {
        eprintln!("{}", diagnosis.picture(text));
    }
    Ok(())
}

fn row(fault: &Fault) -> FaultRow {
    let proposals = fault.proposals().iter().map(|proposal| ProposalRow {
        offset: proposal.offset(),
        from: proposal.from(),
        to: proposal.to(),
    });
    FaultRow {
        part: fault.part().name(),
        start: fault.span().start,
        end: fault.span().end,
        kind: fault.kind().name(),
        expected: expected(&fault.kind()),
        message: fault.kind().to_string(),
        proposals: proposals.collect(),
    }
}

/// The expected half of the message, for programs that show it apart.
fn expected(kind: &ParseErrorKind) -> String {
    let text = kind.to_string();
    let text = text.strip_prefix("expected ").unwrap_or(&text);
    text.split(", found").next().unwrap_or(text).to_owned()
}
