//! Two TUN devices in two network namespaces, and the line between them: the process `line emulate`.
//!
//! It says "ready", then obeys lines on its standard input: "count" prints what it carried and its own CPU time as
//! JSON, "bins" what arrived at the second end in each 10 ms since the last time. It ends with its input, and the
//! devices with it.

use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::os::fd::AsFd;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};
use tun_rs::{DeviceBuilder, SyncDevice};

use crate::lab::{End, LINES};
use crate::line::{Counters, Direction, LineConfig};

const MTU: u16 = 1500;
/// Packets that wait in a device while the emulator is not scheduled.
const DEVICE_QUEUE: u32 = 20_000;
/// The largest packet with its virtio header.
const PACKET_BYTES: usize = 65_536 + 64;
/// Smaller packets (acknowledgements) are copied out of the buffer that they were read into.
const SMALL_BYTES: usize = 4096;
/// Packets taken from one end before the other has its turn.
const BATCH: usize = 32;
/// Width of a bin.
pub const BIN: Duration = Duration::from_millis(10);

/// The answer to "count".
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Count {
    /// From the first end to the second: the archive's side to the hospital's.
    pub down: Counters,
    /// The other way.
    pub up: Counters,
    /// CPU time of the emulator; what the kernel does for packets that arrive is in it.
    pub cpu_s: f64,
    /// Packets that a device refused.
    pub refused: u64,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        for (own, other) in [(&mut self.down, other.down), (&mut self.up, other.up)] {
            own.segments += other.segments;
            own.bytes += other.bytes;
            own.lost += other.lost;
            own.dropped += other.dropped;
        }
        self.cpu_s += other.cpu_s;
        self.refused += other.refused;
    }
}

/// Runs the line of this number until the input ends.
pub fn emulate(number: usize, config: LineConfig) -> anyhow::Result<()> {
    let [first, second] = *LINES.get(number).context("no such line")?;
    let devices = [open(first, second)?, open(second, first)?];
    let second = LineConfig {
        seed: config.seed ^ u64::MAX,
        ..config
    };
    let mut line = Line {
        devices,
        directions: [Direction::new(config), Direction::new(second)],
        spare: Vec::new(),
        clock: Instant::now(),
        bins: Vec::new(),
        bins_from: 0,
        refused: 0,
    };
    let input = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    println!("ready");
    let mut commands = Commands {
        input,
        unread: Vec::new(),
    };
    loop {
        line.take(0)?;
        line.take(1)?;
        let next = line.deliver();
        let now = line.now();
        let left = next.map_or(Duration::from_millis(100), |due| {
            Duration::from_nanos(due.saturating_sub(now))
        });
        let timeout = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let [first, second] = &line.devices;
        let mut fds = [
            PollFd::new(first, PollFlags::IN),
            PollFd::new(second, PollFlags::IN),
            PollFd::new(&commands.input, PollFlags::IN),
        ];
        poll(&mut fds, Some(&timeout))?;
        if !fds[2].revents().is_empty() && !commands.obey(&mut line)? {
            return Ok(());
        }
    }
}

struct Line {
    devices: [SyncDevice; 2],
    directions: [Direction; 2],
    spare: Vec<Vec<u8>>,
    clock: Instant,
    bins: Vec<u64>,
    bins_from: u64,
    refused: u64,
}

impl Line {
    fn now(&self) -> u64 {
        self.clock.elapsed().as_nanos() as u64
    }

    /// Takes what an end has sent.
    fn take(&mut self, end: usize) -> anyhow::Result<()> {
        for _ in 0..BATCH {
            let mut buffer = self.spare.pop().unwrap_or_default();
            buffer.resize(PACKET_BYTES, 0);
            match self.devices[end].recv(&mut buffer) {
                Ok(length) if length < SMALL_BYTES => {
                    let packet = buffer[..length].to_vec();
                    self.spare.push(buffer);
                    let now = self.now();
                    self.directions[end].take(now, packet);
                }
                Ok(length) => {
                    buffer.truncate(length);
                    let now = self.now();
                    self.directions[end].take(now, buffer);
                }
                Err(error) => {
                    self.spare.push(buffer);
                    return if error.kind() == std::io::ErrorKind::WouldBlock {
                        Ok(())
                    } else {
                        Err(error.into())
                    };
                }
            }
        }
        Ok(())
    }

    /// Delivers what has arrived; says when the next will.
    fn deliver(&mut self) -> Option<u64> {
        for end in [0, 1] {
            let now = self.now();
            while let Some(packet) = self.directions[end].arrived(now) {
                if self.devices[1 - end].send(&packet).is_err() {
                    self.refused += 1;
                }
                if end == 0 {
                    let bin = (now - self.bins_from) / BIN.as_nanos() as u64;
                    self.bins.resize(self.bins.len().max(bin as usize + 1), 0);
                    self.bins[bin as usize] += packet.len() as u64;
                }
                if packet.capacity() >= PACKET_BYTES {
                    self.spare.push(packet);
                }
            }
        }
        self.directions
            .iter()
            .filter_map(Direction::next_arrival)
            .min()
    }
}

struct Commands {
    input: File,
    unread: Vec<u8>,
}

impl Commands {
    /// Whether to go on.
    fn obey(&mut self, line: &mut Line) -> anyhow::Result<bool> {
        let mut buffer = [0; 256];
        let read = self.input.read(&mut buffer)?;
        self.unread.extend_from_slice(&buffer[..read]);
        let Some(end) = self.unread.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(read > 0);
        };
        let commands: Vec<u8> = self.unread.drain(..=end).collect();
        for command in commands.lines() {
            let answer = match command?.as_str() {
                "bins" => {
                    line.bins_from = line.now();
                    serde_json::to_string(&std::mem::take(&mut line.bins))?
                }
                _ => serde_json::to_string(&Count {
                    down: line.directions[0].counters(),
                    up: line.directions[1].counters(),
                    cpu_s: cpu_s(),
                    refused: line.refused,
                })?,
            };
            println!("{answer}");
            std::io::stdout().flush()?;
        }
        Ok(read > 0)
    }
}

/// CPU time of this process.
fn cpu_s() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Makes the device of an end, moves it into its namespace and gives it its address. The device goes on working
/// there by the descriptor it was made with.
fn open(own: End, other: End) -> anyhow::Result<SyncDevice> {
    let (name, namespace) = (own.device, own.namespace);
    let device = DeviceBuilder::new()
        .name(name)
        .offload(true)
        .enable(false)
        .tx_queue_len(DEVICE_QUEUE)
        .build_sync()
        .with_context(|| format!("make the TUN device {name} (needs root and /dev/net/tun)"))?;
    device.set_nonblocking(true)?;
    anyhow::ensure!(
        device.tcp_gso(),
        "the device {name} takes no packets of several segments"
    );
    ip(&["link", "set", name, "netns", namespace])?;
    ip(&[
        "-n",
        namespace,
        "addr",
        "add",
        own.address,
        "peer",
        other.address,
        "dev",
        name,
    ])?;
    let (mtu, queue) = (MTU.to_string(), DEVICE_QUEUE.to_string());
    ip(&[
        "-n",
        namespace,
        "link",
        "set",
        name,
        "mtu",
        &mtu,
        "txqueuelen",
        &queue,
        "up",
    ])?;
    Ok(device)
}

fn ip(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("ip")
        .args(arguments)
        .status()
        .context("run ip (iproute2)")?;
    anyhow::ensure!(status.success(), "ip {} failed", arguments.join(" "));
    Ok(())
}
