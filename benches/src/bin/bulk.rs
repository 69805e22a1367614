//! Bulk files of any size: time, memory and disk of a whole run, as a process of its own.
//!
//! ```sh
//! cargo build --release -p mic-benches --bin bulk
//! target/release/bulk make lines 10000000 > codes.txt
//! target/release/bulk make csv 10000000 > studies.csv
//! target/release/bulk read studies.csv                 # no search: memory stays flat
//! target/release/bulk read studies.csv 64 /var/tmp     # search in 64 MiB, the rest to /var/tmp
//! ```

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::{Context, bail};
use cpu_time::ProcessTime;
use mic_benches::{Seed, bulk, index};
use mic_index::bulk::{Folder, Ingest, Line, Options, Search};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", kind, count] => make(kind, count.parse()?),
        ["read", file] => read(file, None),
        ["read", file, mebibytes, folder] => read(file, Some((mebibytes.parse()?, folder))),
        _ => bail!("usage: bulk make lines|csv COUNT | bulk read FILE [MEBIBYTES FOLDER]"),
    }
}

/// Lines of which one in fifty is a duplicate, one in a hundred collides and one in a thousand is wrong.
fn make(kind: &str, count: usize) -> anyhow::Result<()> {
    let studies = match kind {
        "lines" => false,
        "csv" => true,
        _ => bail!("expected lines or csv"),
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    if studies {
        writeln!(out, "code,study_instance_uid")?;
    }
    let mut seed = Seed::new(7);
    let mut study = Seed::new(8);
    let (mut codes, mut earlier) = (index::Codes::new(), Vec::new());
    for number in 0..count {
        let (mut code, mut uid) = (codes.next_code()?, bulk::study(&mut study));
        match earlier.get(seed.below(1_000_000) as usize % 10_000) {
            Some((old_code, old_uid)) if number % 50 == 7 => {
                code = *old_code;
                uid = String::clone(old_uid);
            }
            Some((old_code, _)) if number % 100 == 11 => code = *old_code,
            _ => {}
        }
        if earlier.len() < 10_000 {
            earlier.push((code, uid.clone()));
        }
        let mut line = code.to_string();
        if number % 1000 == 13 {
            line.replace_range(31..33, "13");
        }
        if studies {
            line = format!("{line},{uid}");
        }
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(())
}

fn read(file: &str, search: Option<(usize, &str)>) -> anyhow::Result<()> {
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let mut ingest = Ingest::new(File::open(file)?, Options::new());
    let mut search =
        search.map(|(mebibytes, folder)| Search::new(mebibytes << 20, Folder::new(folder)));
    let mut failed = None;
    let mut packed = 0_u64;
    ingest.run(
        |_| ControlFlow::Continue(()),
        |line| {
            if let Line::Row(row) = line {
                packed ^= u64::from(row.code().packed()[39]);
                if let Some(search) = &mut search {
                    failed = failed.or(search.add(row).err());
                }
            }
            Ok(())
        },
    )?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let (lines, read) = (ingest.tally().lines(), cpu.elapsed());
    println!(
        "read      {lines} lines, {} rejected, {} bytes, {:.1} s CPU, {:.1} s on the wall, {:.0} ns a line (sum {packed})",
        ingest.tally().rejected(),
        ingest.progress().text_bytes(),
        read.as_secs_f64(),
        wall.elapsed().as_secs_f64(),
        read.as_nanos() as f64 / lines as f64,
    );
    if let Some(search) = search {
        let spilled = search.spilled_bytes();
        let mut findings = search.finish()?;
        while findings.next_finding()?.is_some() {}
        let counts = ingest.tally().with(findings.found());
        anyhow::ensure!(counts.adds_up(), "the outcomes do not add up");
        println!(
            "outcomes  {} accepted + {} duplicates + {} collided + {} rejected = {}",
            counts.accepted(),
            counts.duplicates(),
            counts.collided(),
            counts.rejected(),
            counts.lines(),
        );
        println!(
            "searched  {:.1} s CPU, {:.1} s on the wall in all; {} bytes of runs before the last",
            cpu.elapsed().as_secs_f64(),
            wall.elapsed().as_secs_f64(),
            spilled,
        );
    }
    println!(
        "memory    {} KiB at its peak",
        peak().context("/proc/self/status")?
    );
    Ok(())
}

/// The most memory the process had, in KiB (Linux).
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
