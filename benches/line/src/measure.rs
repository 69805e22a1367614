//! One run: servers started, clients timed, bytes counted and compared, everything ended.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::check;
use crate::group::Group;
use crate::lab::{Lab, Side};
use crate::peers::{Client, First, Peer, Plan};
use crate::rows::Row;
use crate::study::Study;

/// A run that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(200);
const READY_TIMEOUT: Duration = Duration::from_secs(60);
const GROUP: &str = "mic-line";

/// The folder of everything that a run makes; on tmpfs unless told otherwise.
#[derive(Debug, Clone)]
pub struct Place(PathBuf);

impl Place {
    /// A folder of ours; made if absent.
    pub fn new(folder: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// A folder in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

#[derive(Debug)]
struct Server {
    command: Client,
    child: Child,
    /// Its port, or none where it says "ready".
    port: Option<u16>,
}

/// One run on its way.
#[derive(Debug)]
pub struct Run<'a> {
    lab: &'a mut Lab,
    study: &'a Study,
    place: &'a Place,
    target: PathBuf,
    state: PathBuf,
    group: Group,
    servers: Vec<Server>,
}

impl<'a> Run<'a> {
    /// Empty folders and a group of its own. `target` is where the study goes.
    pub fn new(
        lab: &'a mut Lab,
        study: &'a Study,
        place: &'a Place,
        target: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let target = target.map_or_else(
            || place.join("target"),
            |folder| folder.join("mic-line-target"),
        );
        let state = place.join("state");
        for folder in [&target, &state] {
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
            fs::create_dir_all(folder)?;
        }
        let group = Group::make(GROUP)?;
        group.end_all()?;
        Ok(Self {
            lab,
            study,
            place,
            target,
            state,
            group,
            servers: Vec::new(),
        })
    }

    /// The study that travels.
    pub fn study(&self) -> &'a Study {
        self.study
    }

    /// Its folder.
    pub fn source(&self) -> String {
        self.study.folder().to_string_lossy().into_owned()
    }

    /// Where it goes.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// For what servers need.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The lab.
    pub fn lab(&mut self) -> &mut Lab {
        self.lab
    }

    /// The address of a host.
    pub fn address(&self, side: Side) -> &'static str {
        self.lab.address(side)
    }

    /// A command of this program.
    pub fn own(&self, arguments: &[&str]) -> anyhow::Result<Vec<String>> {
        let own = std::env::current_exe()?.to_string_lossy().into_owned();
        Ok([own.as_str()]
            .iter()
            .chain(arguments)
            .map(|word| (*word).to_owned())
            .collect())
    }

    /// What the kernel's congestion control is.
    pub fn congestion(&self) -> &str {
        self.lab.scenario().congestion()
    }

    /// A side's key and its certificate, made once.
    pub fn certificate(&self, name: &str) -> anyhow::Result<(PathBuf, PathBuf)> {
        let (key, certificate) = (
            self.place.join(&format!("{name}.key.pem")),
            self.place.join(&format!("{name}.certificate.pem")),
        );
        if !certificate.exists() {
            let status = Command::new("openssl")
                .args([
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                    "-days",
                    "30",
                ])
                .args([
                    "-subj",
                    &format!("/CN={name}"),
                    "-addext",
                    "subjectAltName=IP:198.18.0.1,IP:127.0.0.1",
                    "-keyout",
                ])
                .args([&key, Path::new("-out"), &certificate])
                .stderr(Stdio::null())
                .status()?;
            anyhow::ensure!(status.success(), "openssl made no certificate");
        }
        Ok((key, certificate))
    }

    /// Starts a server and waits until it says "ready".
    pub fn serve_ready(&mut self, side: Side, words: &[String]) -> anyhow::Result<()> {
        let command = Client::new(side, words.to_vec());
        let child = self.start_server(&command, None)?;
        self.servers.push(Server {
            command,
            child,
            port: None,
        });
        Ok(())
    }

    /// Starts a server and waits until its port is open.
    pub fn serve_port(&mut self, command: Client, port: u16) -> anyhow::Result<()> {
        let child = self.start_server(&command, Some(port))?;
        self.servers.push(Server {
            command,
            child,
            port: Some(port),
        });
        Ok(())
    }

    /// `kill -9` of all servers.
    pub fn kill_servers(&mut self) -> anyhow::Result<()> {
        for server in &mut self.servers {
            server.child.kill()?;
            server.child.wait()?;
        }
        Ok(())
    }

    /// `kill -9` of the server that was started as this one, from 0.
    pub fn kill_server(&mut self, number: usize) -> anyhow::Result<()> {
        let server = self.servers.get_mut(number).context("no such server")?;
        server.child.kill()?;
        server.child.wait()?;
        Ok(())
    }

    /// Starts the servers as they were started.
    pub fn start_servers_again(&mut self) -> anyhow::Result<()> {
        let mut servers = std::mem::take(&mut self.servers);
        for server in &mut servers {
            server.child = self.start_server(&server.command, server.port)?;
        }
        self.servers = servers;
        Ok(())
    }

    fn start_server(&self, command: &Client, port: Option<u16>) -> anyhow::Result<Child> {
        let name = command.words.join(" ");
        let Some(port) = port else {
            let mut child = self.command(command).stdout(Stdio::piped()).spawn()?;
            let mut line = String::new();
            BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
            if line.trim() != "ready" {
                let _ = child.kill();
                let _ = child.wait();
                anyhow::bail!("{name} did not start: {line}");
            }
            return Ok(child);
        };
        let log = fs::File::create(self.state.join(format!("server-{port}.log")))?;
        let mut child = self
            .command(command)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let until = Instant::now() + READY_TIMEOUT;
        let probe = format!("exec 3<>/dev/tcp/{}/{port}", self.address(command.side));
        while Instant::now() < until {
            let place = self.lab.place(command.side);
            let mut probing = Command::new(&place[0]);
            probing
                .args(&place[1..])
                .args(["bash", "-c", &probe])
                .stderr(Stdio::null());
            if probing.status()?.success() {
                return Ok(child);
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = child.kill();
        let _ = child.wait();
        anyhow::bail!("{name} opened no port {port}")
    }

    /// Runs a command on a host to its end; not timed.
    pub fn do_on(&self, side: Side, words: &[String]) -> anyhow::Result<String> {
        let place = self.lab.place(side);
        let output = Command::new(&place[0])
            .args(&place[1..])
            .args(words)
            .output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(
            output.status.success(),
            "{}: {}",
            words.first().cloned().unwrap_or_default(),
            error.trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What an address answers.
    pub fn get(&self, side: Side, url: &str) -> anyhow::Result<String> {
        self.do_on(side, &crate::peers::words(&["curl", "-sS", "--fail", url]))
    }

    /// A command in this run's group on its host.
    pub fn command(&self, client: &Client) -> Command {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            &format!("{} && exec \"$@\"", self.group.enter()),
            "sh",
        ]);
        command
            .args(self.lab.place(client.side))
            .args(&client.words);
        command
            .envs(client.variables.iter().copied())
            .stdin(Stdio::null());
        command
    }

    /// CPU time of the group so far.
    pub fn cpu_s(&self) -> anyhow::Result<f64> {
        self.group.cpu_s()
    }

    /// Runs the plan's clients to their end.
    pub fn time(&mut self, plan: &Plan) -> anyhow::Result<Times> {
        let (count, cpu) = (self.lab.count()?, self.cpu_s()?);
        self.lab.bins()?;
        let started = Instant::now();
        let ended = AtomicBool::new(false);
        let (told, tells) = channel();
        let (wall, first, failure) = thread::scope(|scope| -> anyhow::Result<_> {
            if let First::File { folder, bytes } = &plan.first {
                let (told, ended) = (told.clone(), &ended);
                scope.spawn(move || {
                    watch(folder, *bytes, ended).then(|| told.send(started.elapsed()))
                });
            }
            let mut clients = Vec::new();
            for client in &plan.clients {
                let log =
                    fs::File::create(self.state.join(format!("client-{}.log", clients.len())))?;
                let mut child = self
                    .command(client)
                    .stdout(Stdio::piped())
                    .stderr(log)
                    .spawn()?;
                let output = child.stdout.take().context("no output")?;
                let told = matches!(plan.first, First::Told).then(|| told.clone());
                scope.spawn(move || {
                    for line in BufReader::new(output).lines().map_while(Result::ok) {
                        if line == "first" {
                            told.as_ref().map(|told| told.send(started.elapsed()));
                        }
                    }
                });
                clients.push(child);
            }
            let failure = self.wait(&mut clients, started);
            let failure = failure.or_else(|| self.wait_until(plan, started));
            let wall = started.elapsed();
            ended.store(true, Ordering::Relaxed);
            Ok((wall, first_of(&tells), failure))
        })?;
        drop(told);
        let (count_after, cpu_after) = (self.lab.count()?, self.cpu_s()?);
        Ok(Times {
            wall,
            first: first.or_else(|| first_of(&tells)),
            cpu_s: cpu_after - cpu,
            line_bytes: [
                count_after.down.bytes - count.down.bytes,
                count_after.up.bytes - count.up.bytes,
            ],
            emulator_cpu_s: count_after.cpu_s - count.cpu_s,
            bins: self.lab.bins()?,
            failure,
        })
    }

    fn wait(&self, clients: &mut [Child], started: Instant) -> Option<String> {
        let mut failure = None;
        for (index, child) in clients.iter_mut().enumerate() {
            let status = loop {
                match child.try_wait() {
                    Ok(None) if started.elapsed() < TIMEOUT => {
                        thread::sleep(Duration::from_micros(500))
                    }
                    Ok(None) => {
                        let _ = child.kill();
                        let _ = child.wait();
                        break Err("timed out".to_owned());
                    }
                    Ok(Some(status)) => break Ok(status),
                    Err(error) => break Err(error.to_string()),
                }
            };
            let log = self.state.join(format!("client-{index}.log"));
            failure = failure.or(match status {
                Ok(status) if status.success() => None,
                Ok(status) => Some(format!("{}: {}", ended_by(status), tail(&log))),
                Err(error) => Some(error),
            });
        }
        failure
    }

    fn wait_until(&self, plan: &Plan, started: Instant) -> Option<String> {
        let (url, wanted) = plan.until.as_ref()?;
        loop {
            let answer = self.get(Side::Hospital, url).ok();
            let answer =
                answer.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
            let count = answer
                .and_then(|value| value["CountInstances"].as_u64())
                .unwrap_or(0);
            if count >= *wanted as u64 {
                return None;
            }
            if started.elapsed() > TIMEOUT {
                return Some(format!("only {count} instances"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let _ = self.group.end_all();
        for server in &mut self.servers {
            let _ = server.child.wait();
        }
        let _ = fs::remove_dir_all(&self.target);
        let _ = fs::remove_dir_all(&self.state);
    }
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Times {
    /// Until the last client had ended.
    pub wall: Duration,
    /// Until the first instance was complete.
    pub first: Option<Duration>,
    /// Of all processes in the group.
    pub cpu_s: f64,
    /// From the archive's side, from the hospital's.
    pub line_bytes: [u64; 2],
    /// CPU time of the emulator.
    pub emulator_cpu_s: f64,
    /// What arrived in each bin.
    pub bins: Vec<u64>,
    /// What a client said when it failed.
    pub failure: Option<String>,
}

/// Measures one run of one contestant.
pub fn measure(
    peer: &dyn Peer,
    lab: &mut Lab,
    study: &Study,
    place: &Place,
    target: Option<&Path>,
    round: usize,
) -> anyhow::Result<Row> {
    let load = load();
    let scenario = lab.scenario().to_string();
    let mut row = Row {
        scenario,
        study: study.name().to_owned(),
        peer: peer.name(),
        round,
        instances: study.files().len(),
        bytes: study.bytes(),
        verdict: String::new(),
        wall_s: 0.0,
        cpu_s: 0.0,
        first_s: None,
        line_bytes: [0; 2],
        emulator_cpu_s: 0.0,
        load,
        bins: Vec::new(),
    };
    let missing = peer.needs().into_iter().find(|program| !is_there(program));
    if let Some(missing) = missing {
        row.verdict = format!("not installed: {}", missing.display());
        return Ok(row);
    }
    let mut run = Run::new(lab, study, place, target)?;
    let times = match peer
        .start(&mut run)
        .and_then(|plan| Ok((run.time(&plan)?, plan)))
    {
        Err(error) => {
            row.verdict = format!("failed: {error:#}");
            return Ok(row);
        }
        Ok((times, plan)) => {
            row.verdict = match &times.failure {
                Some(failure) => format!("failed: {failure}"),
                None => match check::compare(study.files(), &plan.delivered) {
                    Ok(()) => "equal".into(),
                    Err(error) => format!("wrong: {error:#}"),
                },
            };
            times
        }
    };
    row.wall_s = times.wall.as_secs_f64();
    row.cpu_s = times.cpu_s;
    row.first_s = times.first.map(|first| first.as_secs_f64());
    row.line_bytes = times.line_bytes;
    row.bins = times.bins;
    row.emulator_cpu_s = times.emulator_cpu_s;
    Ok(row)
}

/// The load average of the last minute.
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or(f64::NAN)
}

fn first_of(tells: &Receiver<Duration>) -> Option<Duration> {
    tells.try_recv().ok()
}

/// Waits until a file of so many bytes is there; whether it came before the end.
fn watch(folder: &Path, bytes: u64, ended: &AtomicBool) -> bool {
    while !ended.load(Ordering::Relaxed) {
        if has_file(folder, bytes) {
            return true;
        }
        thread::sleep(Duration::from_millis(1));
    }
    false
}

fn has_file(folder: &Path, bytes: u64) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries
        .filter_map(Result::ok)
        .any(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => has_file(&entry.path(), bytes),
            Ok(metadata) => metadata.len() >= bytes,
            Err(_) => false,
        })
}

fn is_there(program: &Path) -> bool {
    if program.is_absolute() {
        return program.exists();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

fn ended_by(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        _ => "ended".into(),
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let from = text.len().saturating_sub(300);
    text.get(from..)
        .unwrap_or_default()
        .trim()
        .replace('\n', "; ")
}
