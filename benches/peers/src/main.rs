//! Our crates beside peers that are too heavy for the main workspace.
//!
//! `cargo run --release -- consent` prints one table for each job: every contestant on the same facts in one
//! process, in turns, medians of CPU time. Answers are checked before anything is timed.

use std::process::ExitCode;

mod sm2;
mod tokens;

fn main() -> anyhow::Result<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        Some("consent") => {
            let groups = vec![
                tokens::sm2()?,
                tokens::ed25519()?,
                tokens::es256()?,
                sm2::bare()?,
            ];
            mic_benches::race(groups, mic_benches::ROUNDS);
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("usage: peers consent");
            Ok(ExitCode::from(2))
        }
    }
}
