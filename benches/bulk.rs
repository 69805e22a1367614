//! Index codes by the file: bulk reading beside parsing the same lines from memory.
//!
//! "Bulk" reads a file from disk (the page cache), finds its lines, and keeps number and place of each. "From
//! memory" is what every reader has to do at least: the crate's own parsers on lines that are strings already,
//! each of its own, known to be lines of this format; no file, no search for line ends, no numbers, no reasons.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;

use mic_benches::bulk::{self, fold, fold_record};
use mic_benches::{Group, run, size};
use mic_index::bulk::{Ingest, Line, Options};
use mic_index::{ExamRecord, IndexCode, StudyInstanceUid};
use tempfile::NamedTempFile;

fn main() -> anyhow::Result<()> {
    let count = size(200_000, 200);
    run(vec![
        lines(count)?,
        csv(count)?,
        records(count)?,
        ndjson(count)?,
    ]);
    Ok(())
}

/// A code a line.
fn lines(count: usize) -> anyhow::Result<Group> {
    let file: Rc<str> = bulk::lines(count)?.into();
    let lines: Rc<[String]> = file.lines().map(String::from).collect();
    let expected: u64 = lines
        .iter()
        .map(|line| Ok(fold(&line.parse()?, None)))
        .sum::<anyhow::Result<u64>>()?;
    let bytes = file.len();
    let on_disk = on_disk(&file)?;
    let ours = move || read(on_disk.path(), |row| fold(&row.code(), None));
    let memory = move || {
        lines
            .iter()
            .filter_map(|line| Some(fold(&IndexCode::parse(line).ok()?, None)))
            .sum::<u64>()
    };
    let split = move || {
        file.lines()
            .filter_map(|line| Some(fold(&IndexCode::parse(line).ok()?, None)))
            .sum::<u64>()
    };
    Ok(Group::new("index: bulk file of lines to codes", "line")
        .with("mic-index, bulk reader", count as u64, &expected, ours)
        .bytes(bytes)
        .with(
            "the same lines from memory, each a String",
            count as u64,
            &expected,
            memory,
        )
        .bytes(bytes)
        .goal(1.0 / 1.5)
        .with(
            "the whole file in memory, `str::lines`",
            count as u64,
            &expected,
            split,
        )
        .bytes(bytes))
}

/// Code and StudyInstanceUID.
fn csv(count: usize) -> anyhow::Result<Group> {
    let file: Rc<str> = bulk::csv(count)?.into();
    let lines: Rc<[String]> = file.lines().skip(1).map(String::from).collect();
    let pair = |line: &str| {
        let (code, uid) = line.split_once(',')?;
        let uid: StudyInstanceUid = uid.parse().ok()?;
        Some(fold(&IndexCode::parse(code).ok()?, Some(&uid)))
    };
    let expected: Option<u64> = lines.iter().map(|line| pair(line)).sum();
    let expected = expected.ok_or_else(|| anyhow::anyhow!("a line that is none"))?;
    let bytes = file.len();
    let on_disk = on_disk(&file)?;
    let ours = move || {
        read(on_disk.path(), |row| {
            fold(&row.code(), row.study_instance_uid().as_ref())
        })
    };
    let memory = move || lines.iter().filter_map(|line| pair(line)).sum::<u64>();
    let peer = move || {
        let mut reader = ::csv::Reader::from_reader(file.as_bytes());
        let mut record = ::csv::ByteRecord::new();
        let mut sum = 0_u64;
        while reader.read_byte_record(&mut record).unwrap_or(false) {
            let (Some(code), Some(uid)) = (record.get(0), record.get(1)) else {
                continue;
            };
            let uid = std::str::from_utf8(uid)
                .ok()
                .and_then(|uid| uid.parse().ok());
            if let Ok(code) = IndexCode::parse_bytes(code) {
                sum = sum.wrapping_add(fold(&code, uid.as_ref()));
            }
        }
        sum
    };
    Ok(Group::new("index: bulk CSV to codes and studies", "line")
        .with("mic-index, bulk reader", count as u64, &expected, ours)
        .bytes(bytes)
        .with(
            "the same lines from memory, split at the comma",
            count as u64,
            &expected,
            memory,
        )
        .bytes(bytes)
        .goal(1.0 / 1.5)
        .with("csv crate, then our parsers", count as u64, &expected, peer)
        .bytes(bytes))
}

/// Whole records in CSV.
fn records(count: usize) -> anyhow::Result<Group> {
    let file = bulk::csv_records(count)?;
    let lines = file.lines().skip(1).map(String::from).collect();
    let record = |line: &str| bulk::record_of(line).map(|record| fold_record(&record));
    beside_memory(
        "index: bulk CSV to records",
        "the same lines from memory, split at the commas",
        file,
        lines,
        record,
    )
}

/// Whole records in NDJSON.
fn ndjson(count: usize) -> anyhow::Result<Group> {
    let file = bulk::ndjson(count)?;
    let lines = file.lines().map(String::from).collect();
    let record = |line: &str| Some(fold_record(&serde_json::from_str::<ExamRecord>(line).ok()?));
    beside_memory(
        "index: bulk NDJSON to records",
        "the same lines from memory, serde_json",
        file,
        lines,
        record,
    )
}

/// A file to records by the bulk reader, beside the same lines read by `record`, whose sum is the answer.
fn beside_memory(
    name: &'static str,
    peer: &'static str,
    file: String,
    lines: Vec<String>,
    record: impl Fn(&str) -> Option<u64> + 'static,
) -> anyhow::Result<Group> {
    let count = lines.len() as u64;
    let expected: Option<u64> = lines.iter().map(|line| record(line)).sum();
    let expected = expected.ok_or_else(|| anyhow::anyhow!("a line that is no record"))?;
    let (bytes, on_disk) = (file.len(), on_disk(&file)?);
    let ours = move || {
        read(on_disk.path(), |row| {
            row.to_record().map_or(0, |record| fold_record(&record))
        })
    };
    let memory = move || lines.iter().filter_map(|line| record(line)).sum::<u64>();
    Ok(Group::new(name, "line")
        .with("mic-index, bulk reader", count, &expected, ours)
        .bytes(bytes)
        .with(peer, count, &expected, memory)
        .bytes(bytes)
        .goal(1.0 / 1.5))
}

fn on_disk(text: &str) -> anyhow::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

fn read(file: &Path, mut each: impl FnMut(&mic_index::bulk::Row) -> u64) -> u64 {
    // A file that cannot be read has another sum.
    let Ok(file) = File::open(file) else { return 0 };
    let mut ingest = Ingest::new(file, Options::new());
    let mut sum = 0_u64;
    let ended = ingest.run(
        |_| std::ops::ControlFlow::Continue(()),
        |line| {
            if let Line::Row(row) = line {
                sum = sum.wrapping_add(each(row));
            }
            Ok(())
        },
    );
    ended.map_or(0, |_| sum)
}
