//! `mic index explain`.

use std::process::ExitCode;

use clap::Args;
use mic_index::technique::Lookup;
use mic_index::{IndexCode, Part, SiteCode};
use mic_platform::problem::Problem;

use super::faults::{self, character};
use super::input;
use super::out::Out;
use super::parse::rfc3339;

/// Codes to explain.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Texts that are or should be codes; `-` reads lines from standard input.
    #[arg(required = true)]
    codes: Vec<String>,
    /// Take a wrong check character of the storage unit code for an error.
    #[arg(long)]
    require_check: bool,
}

/// A picture of each code: its parts with their meaning, or its faults with what might repair them.
/// Who asks for a picture sees the code, wherever it came from.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Problem> {
    let parser = faults::parser(arguments.require_check);
    let mut out = Out::new();
    let mut bad = false;
    input::each(&arguments.codes, |line, text| {
        if line > 1 {
            out.line(format_args!(""))?;
        }
        if let Ok(code) = parser.parse_bytes(text) {
            return explain(&mut out, &code);
        }
        bad = true;
        let diagnosis = parser.diagnose(text);
        out.line(format_args!(
            "{}",
            diagnosis.picture(text).to_string().trim_end()
        ))?;
        for fault in diagnosis.faults() {
            for proposal in fault.proposals() {
                let to = proposal.to().map_or("nothing".into(), character);
                out.line(format_args!(
                    "proposal: byte {}: {} to {to} ({})",
                    proposal.offset(),
                    character(proposal.from()),
                    proposal.confidence().name().replace('_', " "),
                ))?;
            }
        }
        Ok(())
    })?;
    out.flush()?;
    Ok(ExitCode::from(u8::from(bad)))
}

fn explain(out: &mut Out, code: &IndexCode) -> Result<(), Problem> {
    out.line(format_args!("{code}"))?;
    let unit = code.unit();
    for part in Part::ALL {
        let range = part.printed_range();
        let meaning = match part {
            Part::Person => "given by the national insurance platform".to_owned(),
            Part::ExamTime => rfc3339(code.exam_time()),
            Part::Site => site(code.site()),
            Part::Device if code.device().is_assigned() => code.device().to_string(),
            Part::Device => "not given".to_owned(),
            _ => unit.to_string(),
        };
        out.line(format_args!(
            "{:start$}{:^<len$} {} {}: {meaning}",
            "",
            "",
            part,
            part.chinese_name(),
            start = range.start,
            len = range.len(),
        ))?;
    }
    let department = unit.department().map(|of| of.chinese_name());
    let category = unit.category().map(|of| of.chinese_name());
    let division = unit.division();
    let province = division.and_then(|of| of.province());
    out.line(format_args!(
        "unit: {} {}, {} {}",
        department.unwrap_or("unknown department"),
        category.unwrap_or("unknown category"),
        division.map_or("unknown division".to_owned(), |of| of
            .text()
            .as_str()
            .to_owned()),
        province.map_or("", |of| of.chinese_name()),
    ))?;
    for finding in unit.findings() {
        out.line(format_args!("unit: {finding}"))?;
    }
    Ok(())
}

fn site(site: SiteCode) -> String {
    let code = site.to_string();
    match site.technique() {
        None => "not given".to_owned(),
        Some(Lookup::Unknown) => format!("{code}, not in the table of techniques"),
        Some(found) => {
            let names: Vec<_> = found.techniques().map(|row| row.name()).collect();
            format!("{code}, {}", names.join(" or "))
        }
    }
}
