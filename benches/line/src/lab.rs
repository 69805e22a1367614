//! The two hosts: network namespaces made and removed here, and the line between them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::Context;

use crate::emulator::Count;
use crate::line::Counters;
use crate::scenario::Scenario;

/// The archive's host and the hospital's.
pub const NAMESPACES: [&str; 2] = ["mic-line-a", "mic-line-b"];
/// Their addresses (RFC 2544: for benchmarks).
pub const ADDRESSES: [&str; 2] = ["198.18.0.1", "198.18.0.2"];
/// The devices are called so with the number of the end.
pub const DEVICE: &str = "micline";

/// Buffers as a stock kernel has them, so that a host's own settings do not count.
const SETTINGS: [&str; 6] = [
    "net.ipv4.tcp_wmem=4096 16384 4194304",
    "net.ipv4.tcp_rmem=4096 131072 33554432",
    "net.ipv4.tcp_no_metrics_save=1",
    "net.ipv4.tcp_slow_start_after_idle=1",
    "net.ipv6.conf.all.disable_ipv6=1",
    "net.ipv6.conf.default.disable_ipv6=1",
];

/// Whose host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where the study is.
    Archive,
    /// Where it goes.
    Hospital,
}

/// Both hosts and their line, until dropped.
#[derive(Debug)]
pub struct Lab {
    scenario: Scenario,
    emulator: Option<Emulator>,
    made: Vec<&'static str>,
}

#[derive(Debug)]
struct Emulator {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Lab {
    /// Makes the namespaces, and starts the line where the scenario has one.
    pub fn make(scenario: Scenario) -> anyhow::Result<Self> {
        let mut lab = Self {
            scenario,
            emulator: None,
            made: Vec::new(),
        };
        let wanted = if lab.scenario.line().is_some() { 2 } else { 1 };
        for name in &NAMESPACES[..wanted] {
            // What a killed run has left.
            let _ = Command::new("ip")
                .args(["netns", "del", name])
                .stderr(Stdio::null())
                .status();
            run("ip", &["netns", "add", name])?;
            lab.made.push(name);
            run("ip", &["-n", name, "link", "set", "lo", "up"])?;
            let congestion = format!(
                "net.ipv4.tcp_congestion_control={}",
                lab.scenario.congestion()
            );
            for setting in SETTINGS.into_iter().chain([congestion.as_str()]) {
                lab.set_in(name, setting)?;
            }
        }
        if lab.scenario.line().is_some() {
            lab.emulator = Some(Emulator::start(&lab.scenario)?);
        }
        Ok(lab)
    }

    /// Changes a setting of the kernel's network on both hosts.
    pub fn set(&self, setting: &str) -> anyhow::Result<()> {
        self.made
            .iter()
            .try_for_each(|name| self.set_in(name, setting))
    }

    fn set_in(&self, name: &str, setting: &str) -> anyhow::Result<()> {
        let within = ["netns", "exec", name, "sysctl"];
        run("ip", &[&within[..], &["-qw", setting]].concat()).with_context(|| {
            let allowed = [
                &within[..],
                &["-n", "net.ipv4.tcp_allowed_congestion_control"],
            ]
            .concat();
            let allowed = Command::new("ip").args(allowed).output();
            let allowed = allowed.map(|output| output.stdout).unwrap_or_default();
            let allowed = String::from_utf8_lossy(&allowed).trim().to_owned();
            format!(
                "the kernel refuses {setting}; of congestion controls it allows {allowed}: \
                 name one as the last part of a line, as in 1000:2:0:bbr"
            )
        })
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The words before a command that make it run on a host.
    pub fn place(&self, side: Side) -> [String; 3] {
        let name = match side {
            Side::Hospital if self.emulator.is_some() => NAMESPACES[1],
            _ => NAMESPACES[0],
        };
        [
            "nsenter".into(),
            format!("--net=/run/netns/{name}"),
            "--".into(),
        ]
    }

    /// The address of a host.
    pub fn address(&self, side: Side) -> &'static str {
        match (self.emulator.is_some(), side) {
            (false, _) => "127.0.0.1",
            (true, Side::Archive) => ADDRESSES[0],
            (true, Side::Hospital) => ADDRESSES[1],
        }
    }

    /// What was carried so far.
    pub fn count(&mut self) -> anyhow::Result<Count> {
        match &mut self.emulator {
            Some(emulator) => Ok(serde_json::from_str(&emulator.ask("count")?)?),
            None => self.count_loopback(),
        }
    }

    /// Bytes that arrived at the hospital's side in each bin since the last time; empty on loopback.
    pub fn bins(&mut self) -> anyhow::Result<Vec<u64>> {
        match &mut self.emulator {
            Some(emulator) => Ok(serde_json::from_str(&emulator.ask("bins")?)?),
            None => Ok(Vec::new()),
        }
    }

    fn count_loopback(&self) -> anyhow::Result<Count> {
        let place = self.place(Side::Archive);
        let output = Command::new(&place[0])
            .args(&place[1..])
            .args(["cat", "/proc/net/dev"])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("lo:"));
        let bytes = line
            .and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or(0);
        Ok(Count {
            down: Counters {
                bytes,
                ..Counters::default()
            },
            ..Count::default()
        })
    }
}

impl Emulator {
    fn start(scenario: &Scenario) -> anyhow::Result<Self> {
        let line = scenario.line().context("no line to emulate")?;
        let own = std::env::current_exe()?;
        // Real-time: what else runs must not add to the line's delays.
        let mut child = Command::new("chrt")
            .args(["-f", "50"])
            .arg(own)
            .args([
                "emulate",
                &line.bits_per_s.to_string(),
                &line.delay_ns.to_string(),
            ])
            .args([
                line.queue_bytes.to_string(),
                line.loss_ppm.to_string(),
                line.seed.to_string(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start the emulator (chrt of util-linux)")?;
        let output = BufReader::new(child.stdout.take().context("the emulator has no output")?);
        let mut emulator = Self { child, output };
        let ready = emulator.read()?;
        anyhow::ensure!(ready == "ready", "the emulator did not start");
        Ok(emulator)
    }

    fn ask(&mut self, command: &str) -> anyhow::Result<String> {
        let input = self
            .child
            .stdin
            .as_mut()
            .context("the emulator has no input")?;
        writeln!(input, "{command}")?;
        input.flush()?;
        self.read()
    }

    fn read(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "the emulator has ended");
        Ok(line.trim().to_owned())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.emulator = None;
        for name in &self.made {
            let _ = run("ip", &["netns", "del", name]);
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("run {program}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(
        output.status.success(),
        "{program} {}: {}",
        arguments.join(" "),
        text.trim()
    );
    Ok(())
}
