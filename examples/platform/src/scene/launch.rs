//! Starting and stopping the four nodes as processes of their own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::cast;
use crate::node::{Ready, Role};
use crate::problem::Problem;

/// How long a node may take to stop by itself before it is killed.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// A node that runs as a process of its own; stopped when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    /// What it said when it was ready.
    pub ready: Ready,
}

impl Process {
    /// Starts `program node ROLE --state STATE --peer …` and waits until its doors are open.
    ///
    /// # Errors
    ///
    /// The program cannot be started, or it ends before it is ready.
    pub fn start(
        program: &Path,
        role: Role,
        state: &Path,
        peers: &BTreeMap<Role, String>,
    ) -> Result<Self, Problem> {
        let mut command = Command::new(program);
        command.args(["node", role.name(), "--state"]).arg(state);
        if role == Role::Province {
            command.args(["--storage-unit", cast::SHAANXI_STORAGE_UNIT]);
        }
        for (peer, url) in peers {
            command.arg("--peer").arg(format!("{peer}={url}"));
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| Problem::from(e).at(format!("starting the {role}")))?;
        let stdin = child.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            // What cannot be read is no ready line either; the child is ended below.
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        let Ok(ready) = serde_json::from_str(&line) else {
            let _ = child.kill();
            let status = child.wait()?;
            return Err(Problem::system(
                "scene.start",
                format!("the {role} ended before its doors were open ({status})"),
            ));
        };
        Ok(Self {
            child,
            stdin,
            ready,
        })
    }

    /// The address of its HTTP door.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.ready.http)
    }

    fn stop(&mut self) {
        drop(self.stdin.take());
        let asked = Instant::now();
        while asked.elapsed() < STOP_TIME_MAX {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The four nodes of a scene.
#[derive(Debug)]
pub struct Cloud {
    nodes: BTreeMap<Role, Process>,
}

impl Cloud {
    /// Starts the four nodes, each after those it talks to, with their state below `state`.
    ///
    /// # Errors
    ///
    /// As [`Process::start`].
    pub fn start(program: &Path, state: &Path) -> Result<Self, Problem> {
        let mut nodes = BTreeMap::new();
        let mut urls = BTreeMap::new();
        for role in Role::ALL {
            let process = Process::start(program, role, &state.join(role.name()), &urls)?;
            urls.insert(role, process.url());
            nodes.insert(role, process);
        }
        Ok(Self { nodes })
    }

    /// The node with this role.
    ///
    /// # Errors
    ///
    /// None in a cloud that was started whole; a system fault otherwise.
    pub fn node(&self, role: Role) -> Result<&Process, Problem> {
        self.nodes
            .get(&role)
            .ok_or_else(|| Problem::system("scene.node", format!("the {role} is not running")))
    }

    /// What each node said when it was ready.
    pub fn ready(&self) -> impl Iterator<Item = &Ready> {
        self.nodes.values().map(|process| &process.ready)
    }
}
