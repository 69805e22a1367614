//! What a `kill -9` at one half costs: bytes over the line in both tries, over the study's, and whether every byte is
//! right at the end.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::check;
use crate::lab::Lab;
use crate::measure::{Place, Run};
use crate::peers::{Peer, Plan};
use crate::study::Study;

/// A try that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Between the kill and the second try: what is on its way arrives.
const PAUSE: Duration = Duration::from_secs(1);

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
pub enum Victim {
    /// The client: it is started again as it was.
    Client,
    /// The server: it is started again as it was; so is the client, where it has given up.
    Server,
}

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Killed {
    /// The line.
    pub scenario: String,
    /// The study.
    pub study: String,
    /// The contestant.
    pub peer: String,
    /// Who was killed.
    pub victim: Victim,
    /// Bytes of the study.
    pub bytes: u64,
    /// Bytes of IP packets towards the hospital until the kill.
    pub first_bytes: u64,
    /// In all, what was on its way at the kill included.
    pub line_bytes: u64,
    /// "equal", or what is wrong.
    pub verdict: String,
}

/// Kills at one half, starts again, compares.
pub fn kill(
    peer: &dyn Peer,
    victim: Victim,
    lab: &mut Lab,
    study: &Study,
    place: &Place,
) -> anyhow::Result<Killed> {
    let scenario = lab.scenario().to_string();
    let mut run = Run::new(lab, study, place, None)?;
    let plan = peer.start(&mut run)?;
    let start = run.lab().count()?;
    let carried = move |run: &mut Run<'_>| -> anyhow::Result<u64> {
        Ok(run.lab().count()?.down.bytes - start.down.bytes)
    };
    let mut clients = start_all(&run, &plan)?;
    let until = Instant::now() + TIMEOUT;
    while carried(&mut run)? < study.bytes() / 2 {
        anyhow::ensure!(Instant::now() < until, "half of the study did not come");
        anyhow::ensure!(
            clients[0].try_wait()?.is_none(),
            "the client ended before one half"
        );
        thread::sleep(Duration::from_millis(2));
    }
    match victim {
        Victim::Client => clients.iter_mut().try_for_each(std::process::Child::kill)?,
        Victim::Server => run.kill_servers()?,
    }
    let first_bytes = carried(&mut run)?;
    if victim == Victim::Server {
        run.start_servers_again()?;
    } else {
        thread::sleep(PAUSE);
        clients
            .iter_mut()
            .try_for_each(|child| child.wait().map(drop))?;
        clients = start_all(&run, &plan)?;
    }
    let mut tries = 0;
    loop {
        let statuses = clients
            .iter_mut()
            .map(|child| wait(child, until))
            .collect::<anyhow::Result<Vec<_>>>()?;
        if statuses.iter().all(|well| *well) {
            break;
        }
        tries += 1;
        anyhow::ensure!(tries < 4, "the client does not come to its end");
        clients = start_all(&run, &plan)?;
    }
    let verdict = match check::compare(study.files(), &plan.delivered) {
        Ok(()) => "equal".into(),
        Err(error) => format!("wrong: {error:#}"),
    };
    Ok(Killed {
        scenario,
        study: study.name().into(),
        peer: peer.name(),
        victim,
        bytes: study.bytes(),
        first_bytes,
        line_bytes: carried(&mut run)?,
        verdict,
    })
}

fn start_all(run: &Run<'_>, plan: &Plan) -> anyhow::Result<Vec<std::process::Child>> {
    plan.clients
        .iter()
        .map(|client| {
            run.command(client)
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .context("start a client")
        })
        .collect()
}

fn wait(child: &mut std::process::Child, until: Instant) -> anyhow::Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            anyhow::bail!("the second try took too long");
        }
        thread::sleep(Duration::from_millis(5));
    }
}
