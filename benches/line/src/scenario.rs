//! Lines by name, and how any other one is written.

use std::fmt;
use std::str::FromStr;

use anyhow::Context;

use crate::line::LineConfig;

/// What a queue before the line holds.
const QUEUE_BYTES: u64 = 4_000_000;
const SEED: u64 = 0x11e;

/// The lines that the tables are about.
pub const NAMED: [(&str, &str, &str); 11] = [
    (
        "loopback",
        "loop:cubic",
        "no line: both sides in one namespace",
    ),
    ("1g-2ms", "1000:2:0:cubic", "1 Gbit/s, 2 ms round trip"),
    ("1g-10ms", "1000:10:0:cubic", "1 Gbit/s, 10 ms"),
    ("1g-30ms", "1000:30:0:cubic", "1 Gbit/s, 30 ms"),
    (
        "1g-2ms-loss",
        "1000:2:0.1:cubic",
        "1 Gbit/s, 2 ms, one segment of a thousand lost",
    ),
    (
        "1g-30ms-loss",
        "1000:30:0.1:cubic",
        "1 Gbit/s, 30 ms, one segment of a thousand lost, CUBIC",
    ),
    ("1g-30ms-loss-bbr", "1000:30:0.1:bbr", "the same under BBR"),
    ("1g-30ms-bbr", "1000:30:0:bbr", "1 Gbit/s, 30 ms, BBR"),
    ("300m-10ms", "300:10:0:cubic", "300 Mbit/s, 10 ms"),
    ("100m-10ms", "100:10:0:cubic", "100 Mbit/s, 10 ms"),
    (
        "400m-10ms",
        "400:10:0:cubic",
        "400 Mbit/s, 10 ms: where sides are killed",
    ),
];

/// A line, or none, and the congestion control of both hosts.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    name: String,
    line: Option<LineConfig>,
    congestion: String,
}

impl Scenario {
    /// The line between the hosts; none on loopback.
    pub fn line(&self) -> Option<LineConfig> {
        self.line
    }

    /// The kernel's name of the congestion control.
    pub fn congestion(&self) -> &str {
        &self.congestion
    }

    /// The most payload that one second of the line carries: full segments of 1448 bytes.
    pub fn payload_mb_s(&self) -> Option<f64> {
        self.line
            .map(|line| line.bits_per_s as f64 / 8e6 * 1448.0 / 1538.0)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for Scenario {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let known = NAMED.iter().find(|(name, ..)| *name == text);
        let spec = known.map_or(text, |(_, spec, _)| spec);
        let parts: Vec<&str> = spec.split(':').collect();
        let (line, congestion) = match parts[..] {
            ["loop", congestion] => (None, congestion),
            [rate, trip, loss, congestion] => {
                let number = |text: &str| {
                    text.parse::<f64>()
                        .with_context(|| format!("{spec}: '{text}' is no number"))
                };
                let (rate, trip, loss) = (number(rate)?, number(trip)?, number(loss)?);
                anyhow::ensure!(
                    rate > 0.0 && trip >= 0.0 && (0.0..100.0).contains(&loss),
                    "{spec}: out of range"
                );
                let line = LineConfig {
                    bits_per_s: (rate * 1e6) as u64,
                    delay_ns: (trip * 1e6 / 2.0) as u64,
                    queue_bytes: QUEUE_BYTES,
                    loss_ppm: (loss * 1e4).round() as u32,
                    seed: SEED,
                };
                (Some(line), congestion)
            }
            _ => anyhow::bail!(
                "expected a name of `list` or MBIT:RTT_MS:LOSS_PERCENT:CONGESTION, found '{text}'"
            ),
        };
        Ok(Self {
            name: text.to_owned(),
            line,
            congestion: congestion.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_every_named_line_is_one() -> anyhow::Result<()> {
        for (name, ..) in NAMED {
            assert_eq!(name.parse::<Scenario>()?.to_string(), name);
        }
        let line: Scenario = "1000:30:0.1:bbr".parse()?;
        assert_eq!(
            line.line().map(|line| (line.delay_ns, line.loss_ppm)),
            Some((15_000_000, 1000))
        );
        assert!(
            line.payload_mb_s()
                .is_some_and(|rate| (rate - 117.7).abs() < 0.05)
        );
        Ok(())
    }

    #[test]
    fn err_what_is_no_line() {
        for text in [
            "",
            "1g",
            "0:1:0:cubic",
            "1000:x:0:cubic",
            "1000:1:100:cubic",
        ] {
            assert!(text.parse::<Scenario>().is_err(), "{text}");
        }
    }
}
