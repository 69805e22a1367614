//! Taking turns: every round runs every contestant once, so that what disturbs the machine disturbs all.

use std::fmt::Write as _;
use std::time::Duration;

use cpu_time::ProcessTime;

use crate::group::{Contestant, Group};

/// Rounds of a measured race: the median of 31 ratios is calm on a busy machine.
pub const ROUNDS: usize = 31;

/// A run shorter than this is repeated within its turn, so that the clock's grain does not matter.
const TURN_MIN: Duration = Duration::from_millis(2);

/// Runs the race and writes its table in Markdown.
///
/// CPU time is that of the whole process, all its threads and the kernel's work for it included.
pub fn race(group: Group, rounds: usize) -> String {
    let (title, unit) = (group.title().to_owned(), group.unit());
    let mut lanes: Vec<Lane> = group
        .into_contestants()
        .into_iter()
        .map(Lane::new)
        .collect();
    for round in 0..rounds {
        let count = lanes.len();
        // Each round begins with another contestant: nobody always follows the same one.
        for step in 0..count {
            if let Some(lane) = lanes.get_mut((round + step) % count) {
                lane.turn();
            }
        }
    }
    let ours = lanes
        .first()
        .map(|lane| lane.nanos.clone())
        .unwrap_or_default();

    let mut table = format!(
        "\n### {title}\n\n| contestant | ns/{unit} | MB/s | its time / ours | spread | aim | |\n|---|--:|--:|--:|--:|--:|---|\n"
    );
    for lane in &lanes {
        let ratios: Vec<f64> = lane
            .nanos
            .iter()
            .zip(&ours)
            .map(|(its, our)| its / our)
            .collect();
        let (nanos, ratio) = (median(&lane.nanos), median(&ratios));
        let rate = match lane.contestant.bytes() {
            0 => String::new(),
            bytes => format!(
                "{:.0}",
                bytes as f64 * 1e3 / (nanos * lane.contestant.units() as f64)
            ),
        };
        let (aim, verdict) = match lane.contestant.goal() {
            Some(goal) if ratio >= goal => (format!("≥ {goal:.2}"), "reached"),
            Some(goal) => (format!("≥ {goal:.2}"), "**missed**"),
            None => (String::new(), ""),
        };
        let name = lane.contestant.name();
        let spread = spread(&ratios);
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {name} | {nanos:.1} | {rate} | {ratio:.2} | {:.0} % | {aim} | {verdict} |",
            spread * 100.0
        );
    }
    table
}

/// A contestant and the nanoseconds a unit took in each round.
struct Lane {
    contestant: Contestant,
    runs: u32,
    nanos: Vec<f64>,
}

impl Lane {
    /// Warms up, and finds how many runs fill a turn.
    fn new(mut contestant: Contestant) -> Self {
        contestant.run();
        let started = ProcessTime::now();
        contestant.run();
        let once = started.elapsed().max(Duration::from_nanos(100));
        let runs = TURN_MIN.as_nanos().div_ceil(once.as_nanos());
        Self {
            contestant,
            runs: u32::try_from(runs).unwrap_or(u32::MAX).max(1),
            nanos: Vec::new(),
        }
    }

    fn turn(&mut self) {
        let started = ProcessTime::now();
        for _ in 0..self.runs {
            self.contestant.run();
        }
        let units = self.contestant.units() as f64 * f64::from(self.runs);
        self.nanos.push(started.elapsed().as_nanos() as f64 / units);
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Half the distance between the quartiles, as a part of the median.
fn spread(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |part: usize| {
        sorted
            .get(sorted.len() * part / 4)
            .copied()
            .unwrap_or(f64::NAN)
    };
    (at(3) - at(1)) / 2.0 / median(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_every_contestant_has_a_row() {
        let group = Group::new("sums", "number")
            .with("ours", 1_000, &499_500_u64, || (0..1_000_u64).sum())
            .bytes(8_000)
            .with("slow", 1_000, &499_500_u64, || {
                (0..1_000_u64).map(std::hint::black_box).sum()
            })
            .goal(1e9);
        let table = race(group, 3);
        assert_eq!(table.lines().count(), 7, "{table}");
        assert!(
            table.contains("| ours | ") && table.contains("**missed**"),
            "{table}"
        );
    }

    #[test]
    #[should_panic(expected = "sums: wrong")]
    fn err_a_wrong_answer_is_not_timed() {
        let _ = Group::new("sums", "number").with("wrong", 1, &1_u8, || 2);
    }

    #[test]
    fn ok_medians_and_spreads() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(spread(&[1.0, 1.0, 1.0]), 0.0);
    }
}
