//! The transition tables, as they stand in the specification.
//!
//! `MIC_WRITE=1 cargo test -p mic-transfer --test states` writes the snapshot after a wanted change.

#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use mic_transfer::receiver::{StudyInput, StudyState};
use mic_transfer::sender::{SourceInput, SourceState};

fn table<S: Copy, I: Copy + core::fmt::Debug>(
    title: &str,
    states: &[S],
    inputs: &[I],
    name: impl Fn(S) -> &'static str,
    next: impl Fn(S, I) -> Option<S>,
) -> String {
    let mut text = format!("{title}\n");
    for state in states {
        for input in inputs {
            let to = next(*state, *input).map_or("fault", &name);
            text.push_str(&format!(
                "{:<10} {:<15} {to}\n",
                name(*state),
                format!("{input:?}")
            ));
        }
    }
    text
}

#[test]
fn ok_every_state_and_input_is_as_snapshotted() {
    let source = table(
        "source",
        &SourceState::ALL,
        &SourceInput::ALL,
        SourceState::name,
        SourceState::next,
    );
    let receiver = table(
        "receiver",
        &StudyState::ALL,
        &StudyInput::ALL,
        StudyState::name,
        StudyState::next,
    );
    let found = format!("{source}\n{receiver}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/states.txt");
    if std::env::var_os("MIC_WRITE").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(path).unwrap());
}

/// The drawings of the specification are those of the code.
#[test]
fn ok_the_specification_shows_the_drawings_of_the_code() {
    let root = env!("CARGO_MANIFEST_DIR");
    let spec = std::fs::read_to_string(format!("{root}/spec/transfer.md")).unwrap();
    for file in ["sender", "receiver"] {
        let code = std::fs::read_to_string(format!("{root}/src/{file}/state.rs")).unwrap();
        let drawing = code.split("/// ```").nth(1).unwrap();
        let lines = drawing
            .lines()
            .skip(1)
            .filter_map(|line| line.strip_prefix("///"));
        for line in lines.map(str::trim_end).filter(|line| !line.is_empty()) {
            let line = line.strip_prefix(' ').unwrap_or(line);
            assert!(spec.contains(line), "{file}: {line}");
        }
    }
}

/// No state is a trap: from every state that is not over, some input leads to one that is.
#[test]
fn ok_every_state_can_end() {
    for state in StudyState::ALL {
        let mut reached = vec![state];
        let mut at = 0;
        while let Some(here) = reached.get(at).copied() {
            for next in StudyInput::ALL.iter().filter_map(|input| here.next(*input)) {
                if !reached.contains(&next) {
                    reached.push(next);
                }
            }
            at += 1;
        }
        assert!(reached.iter().any(|state| state.is_over()), "{state:?}");
        // Durable is durable.
        if state >= StudyState::Committed && state <= StudyState::Receipted {
            assert!(
                !reached.contains(&StudyState::Failed) && !reached.contains(&StudyState::Cancelled)
            );
        }
    }
}
