//! Whole studies over an emulated line: mic-transfer beside the peers that hospitals have, bytes compared.
//!
//! `line list` names what there is; `line run` measures, as root; `line table` prints. See `benches/README.md`.

mod check;
mod emulator;
mod first;
mod group;
mod kill;
mod lab;
mod line;
mod measure;
mod peers;
mod plot;
mod rows;
mod scenario;
mod study;
mod two;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::lab::Lab;
use crate::line::LineConfig;
use crate::measure::Place;
use crate::peers::Peer;
use crate::scenario::Scenario;
use crate::study::{Kind, Study};

/// The reference of the tables.
const REFERENCE: &str = "tcp-1";

#[derive(Debug, Parser)]
#[command(about = "Whole studies over an emulated line, side by side")]
struct Arguments {
    /// Where studies and what servers need are kept; on tmpfs, so that no disk is measured.
    #[arg(long, global = true, default_value = "/dev/shm/mic-line")]
    place: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Names the lines, the studies and the contestants.
    List,
    /// Makes studies and says what they are.
    Study {
        /// Which.
        #[arg(required = true)]
        kinds: Vec<Kind>,
    },
    /// Measures contestants in turns, one line of JSON a run. Needs root.
    Run {
        /// Lines: names of `list` or MBIT:RTT_MS:LOSS_PERCENT:CONGESTION.
        #[arg(long, value_delimiter = ',', required = true)]
        scenario: Vec<Scenario>,
        /// Contestants, or "all".
        #[arg(long, value_delimiter = ',', required = true)]
        peer: Vec<String>,
        /// The study.
        #[arg(long, default_value = "ct")]
        study: Kind,
        /// Only so many of its images.
        #[arg(long)]
        images: Option<usize>,
        /// How often each contestant has its turn.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Rows are added to this file.
        #[arg(long)]
        out: Option<PathBuf>,
        /// The hospital's store lies in this folder instead: a disk.
        #[arg(long)]
        target: Option<PathBuf>,
        /// A picture of the first round's rates over time, as SVG.
        #[arg(long)]
        plot: Option<PathBuf>,
    },
    /// Kills a side at one half and counts what the whole costs. Needs root.
    Kill {
        /// The line.
        #[arg(long, default_value = "400m-10ms")]
        scenario: Scenario,
        /// Contestants.
        #[arg(long, value_delimiter = ',', required = true)]
        peer: Vec<String>,
        /// Who is killed.
        #[arg(long, default_value = "client")]
        victim: kill::Victim,
        /// The study.
        #[arg(long, default_value = "ct")]
        study: Kind,
        /// Rows are added to this file.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Times the first image, on a connection that stands and from nothing; prints a table. Needs root.
    First {
        /// Lines.
        #[arg(long, value_delimiter = ',', default_value = "1000:30:0:bbr")]
        scenario: Vec<Scenario>,
        #[command(flatten)]
        asked: first::Asked,
        /// Rows are added to this file.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Pulls a study from two archives, each behind such a line; prints a table. Needs root.
    Two {
        /// Each line.
        #[arg(long, default_value = "500:10:0:bbr")]
        scenario: Scenario,
        /// The study.
        #[arg(long, default_value = "ct")]
        study: Kind,
        /// How often each way has its turn.
        #[arg(long, default_value_t = 1)]
        rounds: usize,
        /// Rows are added to this file.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Prints tables of rows in Markdown.
    Table {
        /// Files of rows.
        #[arg(required = true)]
        rows: Vec<PathBuf>,
        /// The contestant that others are divided by.
        #[arg(long, default_value = "mic-4")]
        ours: String,
        /// What the line can do.
        #[arg(long, default_value = REFERENCE)]
        reference: String,
    },
    /// The line itself; started by `run`.
    #[command(hide = true)]
    Emulate {
        number: usize,
        bits_per_s: u64,
        delay_ns: u64,
        queue_bytes: u64,
        loss_ppm: u32,
        seed: u64,
    },
    /// Sides of contestants that are programs of this bench; started by `run`.
    #[command(hide = true)]
    Peer {
        #[command(subcommand)]
        side: SideCommand,
    },
}

#[derive(Debug, Subcommand)]
enum SideCommand {
    RawServe {
        at: String,
        folder: PathBuf,
        connections: usize,
    },
    RawGet {
        at: String,
        folder: PathBuf,
        connections: usize,
    },
    MicServe {
        #[command(flatten)]
        manner: peers::Manner,
        at: SocketAddr,
        folder: PathBuf,
        rest: PathBuf,
    },
    MicPull {
        #[command(flatten)]
        manner: peers::Manner,
        connections: u32,
        study: String,
        store: PathBuf,
        #[arg(required = true)]
        from: Vec<SocketAddr>,
    },
    FirstServe {
        #[command(flatten)]
        manner: peers::Manner,
        at: SocketAddr,
        folder: PathBuf,
    },
    FirstPull {
        #[command(flatten)]
        manner: peers::Manner,
        connections: u32,
        at: SocketAddr,
        folder: PathBuf,
        store: PathBuf,
        #[command(flatten)]
        asked: first::Asked,
        #[arg(long)]
        start: first::Start,
    },
    ImageServe {
        at: SocketAddr,
        image: PathBuf,
    },
    ImageGet {
        from: String,
        image: PathBuf,
        #[command(flatten)]
        asked: first::Asked,
        #[arg(long)]
        start: first::Start,
    },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Command::List => list(),
        Command::Study { kinds } => {
            let place = Place::new(arguments.place)?;
            for kind in kinds {
                let study = Study::make(kind, None, &place)?;
                println!(
                    "{}: {} images, {} bytes, {}",
                    study.name(),
                    study.files().len(),
                    study.bytes(),
                    study.folder().display()
                );
            }
            Ok(())
        }
        Command::Run {
            scenario,
            peer,
            study,
            images,
            rounds,
            out,
            target,
            plot,
        } => {
            let place = Place::new(arguments.place)?;
            let study = Study::make(study, images, &place)?;
            let peers = chosen(&peer)?;
            let mut out = appended(out)?;
            let mut series = Vec::new();
            for scenario in scenario {
                let mut lab = Lab::make(scenario)?;
                for round in 0..rounds {
                    // Each round begins with another contestant: nobody always follows the same one.
                    for step in 0..peers.len() {
                        let peer = &peers[(round + step) % peers.len()];
                        let row = measure::measure(
                            &**peer,
                            &mut lab,
                            &study,
                            &place,
                            target.as_deref(),
                            round,
                        )?;
                        tell(&row, out.as_mut())?;
                        if round == 0 {
                            series.push((row.peer, row.bins));
                        }
                    }
                }
                if let Some(path) = &plot {
                    let title = format!("{} over {}", study.name(), lab.scenario());
                    std::fs::write(path, plot::svg(&title, &std::mem::take(&mut series)))?;
                }
            }
            Ok(())
        }
        Command::Kill {
            scenario,
            peer,
            victim,
            study,
            out,
        } => {
            let place = Place::new(arguments.place)?;
            let study = Study::make(study, None, &place)?;
            let mut out = appended(out)?;
            let mut lab = Lab::make(scenario)?;
            for peer in chosen(&peer)? {
                match kill::kill(&*peer, victim, &mut lab, &study, &place) {
                    Ok(row) => {
                        let ratio = row.line_bytes as f64 / row.bytes as f64;
                        println!(
                            "{:20} {victim:?} killed: line bytes / study {ratio:.4}, {}",
                            row.peer, row.verdict
                        );
                        add(out.as_mut(), &row)?;
                    }
                    Err(error) => println!("{:20} {victim:?} killed: {error:#}", peer.name()),
                }
            }
            Ok(())
        }
        Command::First {
            scenario,
            asked,
            out,
        } => {
            let place = Place::new(arguments.place)?;
            let study = Study::make(Kind::Ct, None, &place)?;
            let mut out = appended(out)?;
            for scenario in scenario {
                let mut lab = Lab::make(scenario)?;
                let table = first::measure(&mut lab, &study, &place, asked, |images| {
                    add(out.as_mut(), images)
                })?;
                println!("{table}\nLoad average {:.1} at the end.\n", measure::load());
            }
            Ok(())
        }
        Command::Two {
            scenario,
            study,
            rounds,
            out,
        } => {
            let place = Place::new(arguments.place)?;
            let study = Study::make(study, None, &place)?;
            let mut out = appended(out)?;
            let mut lab = Lab::make_two(scenario)?;
            println!("{}", two::HEAD);
            for _ in 0..rounds {
                for givers in two::Givers::ALL {
                    let row = two::pull(givers, &mut lab, &study, &place)?;
                    println!("{}", row.row());
                    add(out.as_mut(), &row)?;
                }
            }
            Ok(())
        }
        Command::Table {
            rows,
            ours,
            reference,
        } => {
            let rows = rows
                .iter()
                .map(|path| rows::read(path))
                .collect::<anyhow::Result<Vec<_>>>()?
                .concat();
            let names: Vec<(String, String)> = peers::all()
                .iter()
                .map(|peer| (peer.name(), peer.what()))
                .collect();
            print!("{}", rows::tables(&rows, &names, &reference, &ours));
            Ok(())
        }
        Command::Emulate {
            number,
            bits_per_s,
            delay_ns,
            queue_bytes,
            loss_ppm,
            seed,
        } => {
            let config = LineConfig {
                bits_per_s,
                delay_ns,
                queue_bytes,
                loss_ppm,
                seed,
            };
            emulator::emulate(number, config)
        }
        Command::Peer { side } => match side {
            SideCommand::RawServe {
                at,
                folder,
                connections,
            } => peers::raw_serve(&at, &folder, connections),
            SideCommand::RawGet {
                at,
                folder,
                connections,
            } => peers::raw_get(&at, &folder, connections),
            SideCommand::MicServe {
                manner,
                at,
                folder,
                rest,
            } => peers::mic_serve(&manner, at, &folder, &rest),
            SideCommand::MicPull {
                manner,
                connections,
                study,
                store,
                from,
            } => peers::mic_pull(&manner, connections, &study, &store, &from),
            SideCommand::FirstServe { manner, at, folder } => first::serve(&manner, at, &folder),
            SideCommand::FirstPull {
                manner,
                connections,
                at,
                folder,
                store,
                asked,
                start,
            } => first::pull(&manner, connections, at, &folder, &store, asked, start),
            SideCommand::ImageServe { at, image } => first::serve_image(at, &image),
            SideCommand::ImageGet {
                from,
                image,
                asked,
                start,
            } => first::get(&from, &image, asked, start),
        },
    }
}

fn list() -> anyhow::Result<()> {
    println!("lines:");
    for (name, spec, what) in scenario::NAMED {
        println!("  {name:18} {spec:20} {what}");
    }
    println!("studies:");
    for kind in <Kind as clap::ValueEnum>::value_variants() {
        println!("  {}", kind.name());
    }
    println!("contestants:");
    for peer in peers::all() {
        println!("  {:20} {}", peer.name(), peer.what());
    }
    Ok(())
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Box<dyn Peer>>> {
    if names == ["all"] {
        return Ok(peers::all());
    }
    names
        .iter()
        .map(|name| {
            let known = peers::all().into_iter().find(|peer| peer.name() == *name);
            known.with_context(|| format!("no contestant '{name}'; `line list` names them"))
        })
        .collect()
}

fn appended(path: Option<PathBuf>) -> anyhow::Result<Option<File>> {
    let opened = path.map(|path| OpenOptions::new().create(true).append(true).open(path));
    Ok(opened.transpose()?)
}

fn add(out: Option<&mut File>, row: &impl serde::Serialize) -> anyhow::Result<()> {
    if let Some(out) = out {
        writeln!(out, "{}", serde_json::to_string(row)?)?;
    }
    Ok(())
}

fn tell(row: &rows::Row, out: Option<&mut File>) -> anyhow::Result<()> {
    add(out, row)?;
    if row.is_right() {
        eprintln!(
            "{:18} {:20} {:7.1} MB/s  {:5.2} CPU s/GB  first {}  emulator {:.2}",
            row.scenario,
            row.peer,
            row.mb_s(),
            row.cpu_s_per_gb(),
            row.first_s
                .map_or("-".into(), |first| format!("{first:.3} s")),
            row.emulator_cpu_s / row.wall_s,
        );
    } else {
        eprintln!("{:18} {:20} {}", row.scenario, row.peer, row.verdict);
    }
    Ok(())
}
