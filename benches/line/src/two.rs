//! One study from two archives, each behind a line of its own: what both give together, and what is left of it when
//! one is killed at one half.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::check;
use crate::lab::{Lab, Side};
use crate::measure::{Place, Run};
use crate::peers::{Carrier, Client, Coding, Delivered, archive, manner, words};
use crate::study::Study;

/// A run that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(2);

/// Who gives, and what becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Givers {
    /// The first archive alone.
    One,
    /// Both.
    Both,
    /// Both; the second is killed when half of the study has come.
    BothUntilHalf,
}

impl Givers {
    /// All ways, in the table's order.
    pub const ALL: [Self; 3] = [Self::One, Self::Both, Self::BothUntilHalf];

    fn what(self) -> &'static str {
        match self {
            Self::One => "one archive",
            Self::Both => "two archives",
            Self::BothUntilHalf => "two archives, one killed at one half",
        }
    }
}

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FromTwo {
    /// Each line.
    pub scenario: String,
    /// The study.
    pub study: String,
    /// Who gave.
    pub givers: Givers,
    /// Bytes of the study.
    pub bytes: u64,
    /// From the start of the client to its end.
    pub wall_s: f64,
    /// From the kill to the end, where there was one.
    pub after_kill_s: Option<f64>,
    /// Bytes of IP packets towards the hospital on each line.
    pub line_bytes: [u64; 2],
    /// "equal", or what is wrong.
    pub verdict: String,
}

impl FromTwo {
    /// A row of the table.
    pub fn row(&self) -> String {
        let rate = self.bytes as f64 / self.wall_s / 1e6;
        let share = |line: usize| self.line_bytes[line] as f64 / self.bytes as f64;
        let after = self
            .after_kill_s
            .map_or_else(String::new, |seconds| format!("{seconds:.2}"));
        format!(
            "| {} | {rate:.1} | {:.2} | {after} | {:.3} | {:.3} | {} |",
            self.givers.what(),
            self.wall_s,
            share(0),
            share(1),
            self.verdict
        )
    }
}

/// The head of the table.
pub const HEAD: &str = "| from | MB/s | s | s after the kill | first line's bytes / study | second's | bytes |\n\
                        |---|--:|--:|--:|--:|--:|---|";

/// Pulls once over TLS, four connections to each archive.
pub fn pull(
    givers: Givers,
    lab: &mut Lab,
    study: &Study,
    place: &Place,
) -> anyhow::Result<FromTwo> {
    let scenario = lab.scenario().to_string();
    let mut run = Run::new(lab, study, place, None)?;
    let (carrier, coding) = (Carrier::Tls, Coding::Off);
    let source = run.source();
    let mut at = vec![archive(&mut run, Side::Archive, &source, carrier, coding)?];
    if givers != Givers::One {
        at.push(archive(
            &mut run,
            Side::SecondArchive,
            &source,
            carrier,
            coding,
        )?);
    }
    let store = run.target().join("store");
    let mut client = run.own(&["peer", "mic-pull"])?;
    client.extend(manner(&run, carrier, coding)?);
    client.extend(words(&["4", study.uid(), &store.to_string_lossy()]));
    client.extend(at);
    let start = [run.lab().count_on(0)?, run.lab().count_on(1)?];
    let carried = move |run: &mut Run<'_>| -> anyhow::Result<[u64; 2]> {
        let now = [run.lab().count_on(0)?, run.lab().count_on(1)?];
        Ok([0, 1].map(|line| now[line].down.bytes - start[line].down.bytes))
    };
    let started = Instant::now();
    let mut child = run
        .command(&Client::new(Side::Hospital, client))
        .stdout(std::process::Stdio::null())
        .spawn()
        .context("start the client")?;
    let mut killed = None;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > TIMEOUT {
            child.kill()?;
        }
        if givers == Givers::BothUntilHalf
            && killed.is_none()
            && carried(&mut run)?.iter().sum::<u64>() >= study.bytes() / 2
        {
            run.kill_server(1)?;
            killed = Some(Instant::now());
        }
        std::thread::sleep(POLL);
    };
    let ended = Instant::now();
    let verdict = if status.success() {
        match check::compare(study.files(), &Delivered::Store(store)) {
            Ok(()) => "equal".into(),
            Err(error) => format!("wrong: {error:#}"),
        }
    } else {
        format!("failed: {status}")
    };
    Ok(FromTwo {
        scenario,
        study: study.name().into(),
        givers,
        bytes: study.bytes(),
        wall_s: (ended - started).as_secs_f64(),
        after_kill_s: killed.map(|killed| (ended - killed).as_secs_f64()),
        line_bytes: carried(&mut run)?,
        verdict,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_a_row_tells_rates_and_shares() {
        let row = FromTwo {
            scenario: "s".into(),
            study: "ct".into(),
            givers: Givers::BothUntilHalf,
            bytes: 100_000_000,
            wall_s: 2.0,
            after_kill_s: Some(0.75),
            line_bytes: [80_000_000, 24_000_000],
            verdict: "equal".into(),
        };
        assert_eq!(
            row.row(),
            "| two archives, one killed at one half | 50.0 | 2.00 | 0.75 | 0.800 | 0.240 | equal |"
        );
    }
}
