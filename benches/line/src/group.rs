//! CPU time of everything a contestant runs, by a control group of its own (version 2, or `cpuacct` of version 1).

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;

/// A control group; processes enter it by [`Group::enter`] and all that they start stays in it.
#[derive(Debug)]
pub struct Group {
    folder: PathBuf,
    unified: bool,
}

impl Group {
    /// Makes the group.
    pub fn make(name: &str) -> anyhow::Result<Self> {
        let root = PathBuf::from("/sys/fs/cgroup");
        let unified = root.join("cgroup.controllers").exists();
        let folder = if unified {
            root.join(name)
        } else {
            root.join("cpuacct").join(name)
        };
        fs::create_dir_all(&folder)
            .with_context(|| format!("make the control group {}", folder.display()))?;
        Ok(Self { folder, unified })
    }

    /// A shell's words that put the shell into the group, before what it executes.
    pub fn enter(&self) -> String {
        format!("echo $$ > {}", self.folder.join("cgroup.procs").display())
    }

    /// Seconds of CPU used so far.
    pub fn cpu_s(&self) -> anyhow::Result<f64> {
        if self.unified {
            let text = fs::read_to_string(self.folder.join("cpu.stat"))?;
            let usage = text
                .lines()
                .find_map(|line| line.strip_prefix("usage_usec "));
            return Ok(usage
                .context("cpu.stat has no usage_usec")?
                .trim()
                .parse::<f64>()?
                / 1e6);
        }
        Ok(fs::read_to_string(self.folder.join("cpuacct.usage"))?
            .trim()
            .parse::<f64>()?
            / 1e9)
    }

    /// Ends what is still in the group: what forked away from a server.
    pub fn end_all(&self) -> anyhow::Result<()> {
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            let members = fs::read_to_string(self.folder.join("cgroup.procs"))?;
            if members.trim().is_empty() {
                return Ok(());
            }
            for pid in members
                .lines()
                .filter_map(|line| line.trim().parse::<i32>().ok())
            {
                if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                    // It may have ended by itself.
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        anyhow::bail!("processes in {} do not end", self.folder.display())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.end_all();
        let _ = fs::remove_dir(&self.folder);
    }
}
