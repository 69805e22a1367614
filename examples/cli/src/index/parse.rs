//! `mic index parse`.

use std::process::ExitCode;

use clap::Args;
use mic_index::{ExamTime, IndexCode, UnitCheck};
use mic_platform::problem::Problem;
use serde::Serialize;

use super::faults;
use super::input;
use super::out::Out;

/// Codes from the command line, or line by line from standard input.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
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

#[derive(Serialize)]
struct Good<'a> {
    input_line: u64,
    ok: bool,
    printed: &'a str,
    compact: &'a str,
    packed: &'a str,
    person: &'a str,
    exam_time: String,
    site: Option<&'a str>,
    device: Option<&'a str>,
    unit: &'a str,
    unit_check: &'static str,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Problem> {
    let parser = faults::parser(arguments.require_check);
    let typed = !input::is_stdin(&arguments.codes);
    let mut out = Out::new();
    let mut bad = false;
    input::each(&arguments.codes, |line, text| {
        match parser.parse_bytes(text) {
            Ok(code) => show(&mut out, line, &code, arguments.json),
            Err(_) => {
                bad = true;
                let diagnosis = parser.diagnose(text);
                if arguments.json {
                    return faults::json(&mut out, line, &diagnosis);
                }
                out.flush()?;
                faults::complain(line, text, &diagnosis, typed);
                Ok(())
            }
        }
    })?;
    out.flush()?;
    Ok(ExitCode::from(u8::from(bad)))
}

fn show(out: &mut Out, line: u64, code: &IndexCode, json: bool) -> Result<(), Problem> {
    let (printed, compact) = (code.printed(), code.compact());
    let (person, site, device, unit) = (code.person(), code.site(), code.device(), code.unit());
    let check = unit.check();
    let (person_text, site_text) = (person.text(), site.text());
    let (device_text, unit_text) = (device.text(), unit.text());
    let mut packed = [0; 2 * mic_index::PACKED_LEN];
    hex::encode_to_slice(code.packed(), &mut packed)
        .map_err(|error| Problem::system("index.hex", error))?;
    let good = Good {
        input_line: line,
        ok: true,
        printed: printed.as_str(),
        compact: compact.as_str(),
        packed: str::from_utf8(&packed).unwrap_or_default(),
        person: person_text.as_str(),
        exam_time: rfc3339(code.exam_time()),
        site: site.is_assigned().then_some(site_text.as_str()),
        device: device.is_assigned().then_some(device_text.as_str()),
        unit: unit_text.as_str(),
        unit_check: if check.is_match() {
            "match"
        } else {
            "mismatch"
        },
    };
    if json {
        return out.json(&good);
    }
    let filler = "not assigned (zeros)";
    out.line(format_args!("printed   {}", good.printed))?;
    out.line(format_args!("packed    {}", good.packed))?;
    out.line(format_args!("person    人员管理码        {}", good.person))?;
    out.line(format_args!(
        "time      检查日期时间代码  {}",
        good.exam_time
    ))?;
    let site = good.site.unwrap_or(filler);
    out.line(format_args!("site      检查部位代码      {site}"))?;
    let device = good.device.unwrap_or(filler);
    out.line(format_args!("device    医用设备代码      {device}"))?;
    match check {
        UnitCheck::Mismatch { expected, .. } => out.line(format_args!(
            "unit      影像存储单位代码  {} (check character: expected {expected})",
            good.unit
        )),
        _ => out.line(format_args!("unit      影像存储单位代码  {}", good.unit)),
    }
}

/// Beijing time, to the second as RFC 3339 wants it.
pub(super) fn rfc3339(time: ExamTime) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:00+08:00",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute()
    )
}
