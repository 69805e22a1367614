//! Questions to packages of PyPI. The interpreter is `python3`, or what `MIC_PYTHON` names. Where a package is
//! missing the test says so and proves nothing.
#![expect(
    clippy::print_stderr,
    reason = "a test that cannot be set up should say why"
)]

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::Value as Json;

fn python() -> Command {
    Command::new(std::env::var_os("MIC_PYTHON").unwrap_or_else(|| "python3".into()))
}

/// What the script answers; `None` where its package is not installed.
pub(crate) fn ask(package: &str, script: &str, question: &Json) -> Option<Json> {
    let import = python().args(["-c", &format!("import {package}")]).output();
    if !import.is_ok_and(|output| output.status.success()) {
        assert!(
            std::env::var_os("MIC_PEERS").is_none(),
            "MIC_PEERS asks for every peer, and this one is missing"
        );
        eprintln!("SKIPPED: no python3 with `{package}` on this machine; nothing was compared");
        return None;
    }
    let mut process = python()
        .arg(format!(
            "{}/tests/python/{script}",
            env!("CARGO_MANIFEST_DIR")
        ))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(question.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{script} failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
