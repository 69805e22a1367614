//! The two hosts: network namespaces made and removed here, and the line between them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::Context;

use crate::emulator::Count;
use crate::line::Counters;
use crate::scenario::Scenario;

/// One end of a line: a device in a host's namespace, with an address (RFC 2544: for benchmarks).
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// The host.
    pub namespace: &'static str,
    /// Its address on this line.
    pub address: &'static str,
    /// The device.
    pub device: &'static str,
}

const fn end(namespace: &'static str, address: &'static str, device: &'static str) -> End {
    End {
        namespace,
        address,
        device,
    }
}

/// From the archive to the hospital, and from a second archive to the same hospital.
pub const LINES: [[End; 2]; 2] = [
    [
        end("mic-line-a", "198.18.0.1", "micline0"),
        end("mic-line-b", "198.18.0.2", "micline1"),
    ],
    [
        end("mic-line-c", "198.18.1.1", "micline2"),
        end("mic-line-b", "198.18.1.2", "micline3"),
    ],
];
/// All hosts.
const NAMESPACES: [&str; 3] = ["mic-line-a", "mic-line-b", "mic-line-c"];

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
    /// Where it is as well, on a line of its own.
    SecondArchive,
    /// Where it goes.
    Hospital,
}

/// Both hosts and their line, until dropped.
#[derive(Debug)]
pub struct Lab {
    scenario: Scenario,
    /// One for each line.
    emulators: Vec<Emulator>,
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
        Self::make_lines(scenario, 1)
    }

    /// The same with a second archive, whose line to the hospital is as the first one's.
    pub fn make_two(scenario: Scenario) -> anyhow::Result<Self> {
        Self::make_lines(scenario, 2)
    }

    fn make_lines(scenario: Scenario, lines: usize) -> anyhow::Result<Self> {
        let mut lab = Self {
            scenario,
            emulators: Vec::new(),
            made: Vec::new(),
        };
        let lines = if lab.scenario.line().is_some() {
            lines
        } else {
            0
        };
        for name in &NAMESPACES[..lines + 1] {
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
        for line in 0..lines {
            lab.emulators.push(Emulator::start(&lab.scenario, line)?);
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
        let name = self.end(side).namespace;
        [
            "nsenter".into(),
            format!("--net=/run/netns/{name}"),
            "--".into(),
        ]
    }

    /// The address of a host.
    pub fn address(&self, side: Side) -> &'static str {
        if self.emulators.is_empty() {
            return "127.0.0.1";
        }
        self.end(side).address
    }

    fn end(&self, side: Side) -> End {
        match side {
            Side::Hospital if !self.emulators.is_empty() => LINES[0][1],
            Side::SecondArchive => LINES[1][0],
            _ => LINES[0][0],
        }
    }

    /// What was carried so far, on all lines.
    pub fn count(&mut self) -> anyhow::Result<Count> {
        if self.emulators.is_empty() {
            return self.count_loopback();
        }
        let mut all = Count::default();
        for line in 0..self.emulators.len() {
            all += self.count_on(line)?;
        }
        Ok(all)
    }

    /// What one line carried so far.
    pub fn count_on(&mut self, line: usize) -> anyhow::Result<Count> {
        let emulator = self.emulators.get_mut(line).context("no such line")?;
        Ok(serde_json::from_str(&emulator.ask("count")?)?)
    }

    /// Bytes that arrived at the hospital's side of the first line in each bin since the last time; empty on loopback.
    pub fn bins(&mut self) -> anyhow::Result<Vec<u64>> {
        match self.emulators.first_mut() {
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
    fn start(scenario: &Scenario, number: usize) -> anyhow::Result<Self> {
        let line = scenario.line().context("no line to emulate")?;
        let own = std::env::current_exe()?;
        // Real-time: what else runs must not add to the line's delays.
        let mut child = Command::new("chrt")
            .args(["-f", "50"])
            .arg(own)
            .args([
                "emulate",
                &number.to_string(),
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
        self.emulators.clear();
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
