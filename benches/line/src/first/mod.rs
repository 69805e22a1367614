//! The first image: on a connection that stands and has been idle, and from nothing.

mod side;

use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::lab::{Lab, Side};
use crate::measure::{Place, Run};
use crate::peers::{Carrier, Client, Coding, manner, nginx, words};
use crate::rows::median;
use crate::study::Study;

pub use side::{Asked, get, pull, serve, serve_image};

const PORT: u16 = 15_030;
/// The setting that a hospital's administrator may change.
const AFTER_IDLE: &str = "net.ipv4.tcp_slow_start_after_idle";

/// Whether a connection is there before the image is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum Start {
    /// It has carried studies before and has been idle since.
    Warm,
    /// Dialled for it, certificates and greeting included.
    Cold,
}

/// Who brings the image.
#[derive(Debug, Clone, Copy)]
enum Contestant {
    /// A byte answered by the image.
    Plain,
    /// nginx, one GET.
    Http,
    /// A pull over so many connections.
    Mic(Carrier, u32),
}

impl Contestant {
    fn name(self) -> String {
        match self {
            Self::Plain => "a byte asked, an image answered over plain TCP".into(),
            Self::Http => "one plain HTTP GET (nginx)".into(),
            Self::Mic(carrier, connections) => {
                let over = if carrier == Carrier::Tls {
                    "TLS 1.3, both certificates"
                } else {
                    "TCP"
                };
                format!("**mic-transfer, {over}, {connections} connections**")
            }
        }
    }
}

/// The first is what others are compared with.
const WARM: [Contestant; 5] = [
    Contestant::Plain,
    Contestant::Mic(Carrier::Tcp, 1),
    Contestant::Mic(Carrier::Tcp, 4),
    Contestant::Mic(Carrier::Tls, 1),
    Contestant::Mic(Carrier::Tls, 4),
];
const COLD: [Contestant; 4] = [
    Contestant::Http,
    Contestant::Mic(Carrier::Tcp, 1),
    Contestant::Mic(Carrier::Tls, 1),
    Contestant::Mic(Carrier::Tls, 4),
];

/// What the images of one contestant took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Images {
    /// The line.
    pub scenario: String,
    /// Whether connections begin slowly again after a rest.
    pub slow_after_idle: bool,
    /// Whether the connection stood.
    pub start: Start,
    /// Who.
    pub contestant: String,
    /// Bytes of the image.
    pub bytes: u64,
    /// Of a byte there and back, the shortest of several; where it was measured.
    pub rtt_ms: Option<f64>,
    /// The image's time on the wire, by the line's rate.
    pub wire_ms: f64,
    /// Each image.
    pub ms: Vec<f64>,
}

/// Measures all contestants; the table.
pub fn measure(
    lab: &mut Lab,
    study: &Study,
    place: &Place,
    asked: Asked,
    mut told: impl FnMut(&Images) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let rate = lab.scenario().payload_mb_s().context("a line is needed")?;
    let scenario = lab.scenario().to_string();
    // BBR does not look at the setting.
    let settings: &[bool] = if lab.scenario().congestion() == "bbr" {
        &[true]
    } else {
        &[true, false]
    };
    let mut table = String::from(
        "| line | slow start after idle | connection | contestant | median ms | least | most | (median - RTT) / wire | / the first row's | images |\n\
         |---|---|---|---|--:|--:|--:|--:|--:|--:|\n",
    );
    for (slow_after_idle, start) in settings
        .iter()
        .flat_map(|slow| [(*slow, Start::Warm), (*slow, Start::Cold)])
    {
        if start == Start::Cold && !slow_after_idle {
            continue;
        }
        lab.set(&format!("{AFTER_IDLE}={}", u8::from(slow_after_idle)))?;
        let (mut reference, mut rtt) = (None, None);
        let contestants = if start == Start::Warm {
            &WARM[..]
        } else {
            &COLD[..]
        };
        for contestant in contestants {
            let image = study.files().first().context("no files")?;
            let bytes = std::fs::metadata(image)?.len();
            let said = images(*contestant, start, lab, study, place, asked)?;
            let images = Images {
                scenario: scenario.clone(),
                slow_after_idle,
                start,
                contestant: contestant.name(),
                bytes,
                rtt_ms: said.rtt_ms,
                wire_ms: bytes as f64 / rate / 1e3,
                ms: said.ms,
            };
            told(&images)?;
            rtt = images.rtt_ms.or(rtt);
            let middle = median(images.ms.clone()).context("no image came")?;
            let first = *reference.get_or_insert(middle);
            let wires = rtt.map_or_else(String::new, |rtt| {
                format!("{:.2}", (middle - rtt) / images.wire_ms)
            });
            let (least, most) = images
                .ms
                .iter()
                .fold((f64::MAX, 0.0_f64), |(least, most), ms| {
                    (least.min(*ms), most.max(*ms))
                });
            let slow = if slow_after_idle {
                "on (default)"
            } else {
                "off"
            };
            table += &format!(
                "| {scenario} | {slow} | {start:?} | {} | {middle:.1} | {least:.1} | {most:.1} | {wires} | {:.2} | {} |\n",
                images.contestant,
                middle / first,
                images.ms.len()
            );
        }
        if let Some(rtt) = rtt {
            let bytes = std::fs::metadata(&study.files()[0])?.len();
            table += &format!(
                "| | | {start:?} | RTT {rtt:.2} ms, wire time {:.2} ms for {bytes} bytes | | | | | | |\n",
                bytes as f64 / rate / 1e3
            );
        }
    }
    lab.set(&format!("{AFTER_IDLE}=1"))?;
    Ok(table)
}

struct Said {
    rtt_ms: Option<f64>,
    ms: Vec<f64>,
}

fn images(
    contestant: Contestant,
    start: Start,
    lab: &mut Lab,
    study: &Study,
    place: &Place,
    asked: Asked,
) -> anyhow::Result<Said> {
    let mut run = Run::new(lab, study, place, None)?;
    let at = format!("{}:{PORT}", run.address(Side::Archive));
    let source = run.source();
    let image = study.files()[0].to_string_lossy().into_owned();
    let store = run.target().join("store");
    let mut client = match contestant {
        Contestant::Plain => {
            let server = run.own(&["peer", "image-serve", &at, &image])?;
            run.serve_ready(Side::Archive, &server)?;
            run.own(&["peer", "image-get", &at, &image])?
        }
        Contestant::Http => {
            let url = nginx(&mut run, Path::new(&source), false)?;
            let name = study.files()[0].file_name().unwrap_or_default();
            let url = format!("{url}{}", name.to_string_lossy());
            run.own(&["peer", "image-get", &url, &image])?
        }
        Contestant::Mic(carrier, connections) => {
            let said = manner(&run, carrier, Coding::Off)?;
            let mut server = run.own(&["peer", "first-serve"])?;
            server.extend(said.clone());
            server.extend(words(&[&at, &source]));
            run.serve_ready(Side::Archive, &server)?;
            let mut client = run.own(&["peer", "first-pull"])?;
            client.extend(said);
            let connections = connections.to_string();
            client.extend(words(&[
                &connections,
                &at,
                &source,
                &store.to_string_lossy(),
            ]));
            client
        }
    };
    client.extend(asked.words(start));
    let output = run
        .command(&Client::new(Side::Hospital, client))
        .stderr(std::process::Stdio::inherit())
        .output()?;
    anyhow::ensure!(output.status.success(), "the client failed");
    let (mut rtt_ms, mut ms) = (None, Vec::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match line.split_once(' ') {
            Some(("rtt", number)) => rtt_ms = Some(number.parse()?),
            Some(("ms", number)) => ms.push(number.parse()?),
            _ => anyhow::bail!("the client said '{line}'"),
        }
    }
    Ok(Said { rtt_ms, ms })
}
