//! Rows as lines of JSON, their medians, and the tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// One run of one contestant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The line.
    pub scenario: String,
    /// The study.
    pub study: String,
    /// The contestant.
    pub peer: String,
    /// The round, from 0.
    pub round: usize,
    /// Instances of the study.
    pub instances: usize,
    /// Bytes of the study.
    pub bytes: u64,
    /// "equal" where what arrived was compared and is the same; otherwise what went wrong.
    pub verdict: String,
    /// From the start of the clients to the end of the last.
    pub wall_s: f64,
    /// All processes of the contestant, the kernel's work for them included.
    pub cpu_s: f64,
    /// Until the first instance was complete at the hospital.
    pub first_s: Option<f64>,
    /// Bytes of IP packets that arrived from the archive's side and from the hospital's.
    pub line_bytes: [u64; 2],
    /// CPU time of the emulator.
    pub emulator_cpu_s: f64,
    /// The machine's load average of the last minute, before the run.
    pub load: f64,
    /// What arrived in each bin, for the picture.
    #[serde(skip)]
    pub bins: Vec<u64>,
}

impl Row {
    /// Whether its bytes are right: only then it has a rate.
    pub fn is_right(&self) -> bool {
        self.verdict == "equal"
    }

    /// 10^6 bytes of the study a second.
    pub fn mb_s(&self) -> f64 {
        self.bytes as f64 / self.wall_s / 1e6
    }

    /// CPU seconds for 10^9 bytes of the study.
    pub fn cpu_s_per_gb(&self) -> f64 {
        self.cpu_s / self.bytes as f64 * 1e9
    }
}

/// Reads rows; lines of other kinds are passed over.
pub fn read(path: &Path) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for line in BufReader::new(std::fs::File::open(path)?).lines() {
        rows.extend(serde_json::from_str::<Row>(&line?).ok());
    }
    Ok(rows)
}

/// The middle one; of an even count the mean of the two.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle)?;
    if values.len() % 2 == 1 {
        Some(*upper)
    } else {
        Some((values.get(middle - 1)? + upper) / 2.0)
    }
}

/// One table for each line and study, contestants in the order of `names` with what they are.
pub fn tables(rows: &[Row], names: &[(String, String)], reference: &str, ours: &str) -> String {
    let mut groups: BTreeMap<(String, String), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups
            .entry((row.scenario.clone(), row.study.clone()))
            .or_default()
            .push(row);
    }
    let mut text = String::new();
    for ((scenario, study), rows) in groups {
        // Writing to a string cannot fail.
        let _ = table(&mut text, &scenario, &study, &rows, names, reference, ours);
    }
    text
}

fn table(
    text: &mut String,
    scenario: &str,
    study: &str,
    rows: &[&Row],
    names: &[(String, String)],
    reference: &str,
    ours: &str,
) -> std::fmt::Result {
    let of = |name: &str, value: &dyn Fn(&Row) -> Option<f64>| {
        let right = rows.iter().filter(|row| row.peer == name && row.is_right());
        median(right.filter_map(|row| value(row)).collect())
    };
    let rate = |name: &str| of(name, &|row| Some(row.mb_s()));
    let cpu = |name: &str| of(name, &|row| Some(row.cpu_s_per_gb()));
    let (bytes, instances) = rows
        .first()
        .map_or((0, 0), |row| (row.bytes, row.instances));
    writeln!(
        text,
        "\n### {scenario}, {study}: {instances} instances, {:.0} MB\n",
        bytes as f64 / 1e6
    )?;
    writeln!(
        text,
        "| contestant | MB/s | of {reference} | {ours} / it | CPU s/GB | of {ours}'s | first image s | line bytes / study | runs | bytes |"
    )?;
    writeln!(text, "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|")?;
    for (name, what) in names
        .iter()
        .filter(|(name, _)| rows.iter().any(|row| row.peer == *name))
    {
        let runs = rows.iter().filter(|row| row.peer == *name).count();
        let wrong = rows.iter().find(|row| row.peer == *name && !row.is_right());
        if let Some(row) = wrong {
            // No number for who has not delivered.
            writeln!(
                text,
                "| {what} | | | | | | | | {runs} | **{}** |",
                row.verdict.replace(['|', '\n'], " ")
            )?;
            continue;
        }
        let share = |a: Option<f64>, b: Option<f64>| cell(a.zip(b).map(|(a, b)| a / b), 2);
        writeln!(
            text,
            "| {what} | {} | {} | {} | {} | {} | {} | {} | {runs} | equal |",
            cell(rate(name), 1),
            share(rate(name), rate(reference)),
            share(rate(ours), rate(name)),
            cell(cpu(name), 2),
            share(cpu(name), cpu(ours)),
            cell(of(name, &|row| row.first_s), 3),
            cell(
                of(name, &|row| (row.line_bytes[0] > 0).then(
                    || (row.line_bytes[0] + row.line_bytes[1]) as f64 / row.bytes as f64
                )),
                3
            ),
        )?;
    }
    let load = median(rows.iter().map(|row| row.load).collect());
    let right = rows.iter().filter(|row| row.is_right());
    let emulator = median(right.map(|row| row.emulator_cpu_s / row.wall_s).collect());
    writeln!(
        text,
        "\nLoad average {} before the runs; the emulator took {} of a core.",
        cell(load, 1),
        cell(emulator, 2)
    )
}

fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(peer: &str, wall_s: f64, verdict: &str) -> Row {
        Row {
            scenario: "s".into(),
            study: "ct".into(),
            peer: peer.into(),
            round: 0,
            instances: 2,
            bytes: 10_000_000,
            verdict: verdict.into(),
            wall_s,
            cpu_s: 0.02,
            first_s: Some(0.1),
            line_bytes: [10_100_000, 100_000],
            emulator_cpu_s: wall_s / 4.0,
            load: 1.0,
            bins: Vec::new(),
        }
    }

    #[test]
    fn ok_medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn ok_a_wrong_contestant_has_no_number() {
        let names = ["ref", "own", "bad"].map(|name| (name.to_owned(), name.to_owned()));
        let rows = [
            row("ref", 0.1, "equal"),
            row("own", 0.2, "equal"),
            row("bad", 0.001, "equal"),
            row("bad", 0.1, "1 of 2"),
        ];
        let table = tables(&rows, &names, "ref", "own");
        assert!(
            table
                .contains("| own | 50.0 | 0.50 | 1.00 | 2.00 | 1.00 | 0.100 | 1.020 | 1 | equal |"),
            "{table}"
        );
        assert!(
            table.contains("| bad | | | | | | | | 2 | **1 of 2** |"),
            "{table}"
        );
    }
}
