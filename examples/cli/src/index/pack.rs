//! `mic index pack` and `mic index unpack`.

use std::process::ExitCode;

use clap::Args;
use mic_index::IndexCode;
use mic_platform::problem::Problem;

use super::faults;
use super::input;
use super::out::Out;

/// Codes to pack.
#[derive(Debug, Args)]
pub(crate) struct PackArguments {
    /// Printed (82) or compact (78) codes; `-` reads lines from standard input.
    #[arg(required = true)]
    codes: Vec<String>,
    /// Take a wrong check character of the storage unit code for an error.
    #[arg(long)]
    require_check: bool,
}

/// Packed forms to unpack.
#[derive(Debug, Args)]
pub(crate) struct UnpackArguments {
    /// 80 hexadecimal digits each; `-` reads lines from standard input.
    #[arg(required = true)]
    packed: Vec<String>,
}

/// Prints the packed forms; a bad code leaves an empty line, so that lines stay beside lines.
pub(super) fn pack(arguments: &PackArguments) -> Result<ExitCode, Problem> {
    let parser = faults::parser(arguments.require_check);
    let typed = !input::is_stdin(&arguments.codes);
    let mut out = Out::new();
    let mut bad = false;
    input::each(&arguments.codes, |line, text| {
        match parser.parse_bytes(text) {
            Ok(code) => out.line(format_args!("{}", hex::encode(code.packed()))),
            Err(_) => {
                bad = true;
                out.line(format_args!(""))?;
                out.flush()?;
                faults::complain(line, text, &parser.diagnose(text), typed);
                Ok(())
            }
        }
    })?;
    out.flush()?;
    Ok(ExitCode::from(u8::from(bad)))
}

pub(super) fn unpack(arguments: &UnpackArguments) -> Result<ExitCode, Problem> {
    let mut out = Out::new();
    let mut bad = false;
    input::each(&arguments.packed, |line, text| {
        let code = hex::decode(text.trim_ascii())
            .map_err(|_| "expected 80 hexadecimal digits".to_owned())
            .and_then(|bytes| IndexCode::try_from_slice(&bytes).map_err(|e| e.to_string()));
        match code {
            Ok(code) => out.line(format_args!("{code}")),
            Err(reason) => {
                bad = true;
                out.line(format_args!(""))?;
                out.flush()?;
                eprintln!("packed {line}: {reason}");
                Ok(())
            }
        }
    })?;
    out.flush()?;
    Ok(ExitCode::from(u8::from(bad)))
}
