//! Logs: receipts in them, heads, witnesses, and proofs.

use mic_consent::*;
use serde_json::{Value as Json, json};

use super::{Cases, SUITES, accept::token, bytes, signer, suite_named};
use crate::common::*;

/// Entries of the vectors' log: "entry 0", "entry 1", ...
pub(super) fn log(suite: Suite, entries: u64) -> MerkleLog {
    let mut log = MerkleLog::new(suite).unwrap();
    for n in 0..entries {
        log.append(format!("entry {n}").as_bytes()).unwrap();
    }
    log
}

fn suite_of(input: &Json) -> Suite {
    suite_named(input["suite"].as_str().unwrap())
}

fn root(input: &Json, key: &str) -> LogRoot {
    LogRoot::from_bytes(bytes(input, key).try_into().unwrap())
}

pub(super) fn run(kind: &str, input: &Json) -> Option<Result<Json, Denial>> {
    match kind {
        "inclusion" => Some(inclusion(input)),
        "consistency" => Some(consistency(input)),
        _ => None,
    }
}

fn inclusion(input: &Json) -> Result<Json, Denial> {
    let proof = InclusionProof::from_bytes(&bytes(input, "proof"))?;
    let entry = input["entry"].as_str().unwrap().as_bytes();
    proof.verify(suite_of(input), entry, &root(input, "root"))?;
    Ok(json!({ "size": proof.size(), "index": proof.index(), "hashes": proof.hashes() }))
}

fn consistency(input: &Json) -> Result<Json, Denial> {
    let proof = ConsistencyProof::from_bytes(&bytes(input, "proof"))?;
    proof.verify(
        suite_of(input),
        &root(input, "older"),
        &root(input, "newer"),
    )?;
    Ok(json!({ "older": proof.older(), "newer": proof.newer(), "hashes": proof.hashes() }))
}

fn included(suite: Suite, index: u64, size: u64) -> Json {
    let log = log(suite, size);
    json!({
        "type": "inclusion",
        "suite": suite.name(),
        "entry": format!("entry {index}"),
        "root": log.root().to_string(),
        "proof": hex::encode(log.inclusion(index, size).unwrap().to_bytes()),
    })
}

fn grown(suite: Suite, older: u64, newer: u64) -> Json {
    let log = log(suite, newer);
    json!({
        "type": "consistency",
        "suite": suite.name(),
        "older": log.root_at(older).unwrap().to_string(),
        "newer": log.root().to_string(),
        "proof": hex::encode(log.consistency(older, newer).unwrap().to_bytes()),
    })
}

pub(super) fn head(suite: Suite, by: &str, issuer: &str) -> Encoded {
    let owner = *archive().node();
    CheckpointDraft::head_of(&log(suite, 7), owner, realm())
        .sign(
            signer(suite, by).as_ref(),
            IssuerCode::new(issuer).unwrap(),
            now(),
        )
        .unwrap()
}

pub(super) fn right(cases: &mut Cases) {
    for suite in SUITES {
        let name = suite.name().to_lowercase();
        let own = head(suite, "archive", "ARCHIVE61");
        cases.push(
            &format!("{name}-checkpoint"),
            "the head of a log of seven",
            token("mic-h", &own),
            None,
        );
        let witness = head(suite, "insurer", "INSURER61");
        cases.push(
            &format!("{name}-witness"),
            "the same, countersigned",
            token("mic-h", &witness),
            None,
        );
        for (index, size) in [(0, 1), (0, 2), (3, 7), (6, 7), (4, 8), (100, 1000)] {
            let id = format!("{name}-inclusion-{index}-{size}");
            cases.push(
                &id,
                "an entry and the path to the root",
                included(suite, index, size),
                None,
            );
        }
        for (older, newer) in [(0, 5), (1, 1), (1, 2), (3, 7), (4, 7), (6, 8), (777, 1000)] {
            let id = format!("{name}-consistency-{older}-{newer}");
            cases.push(
                &id,
                "a log that only grew",
                grown(suite, older, newer),
                None,
            );
        }
    }
}

pub(super) fn wrong(cases: &mut Cases, suite: Suite) {
    let good = included(suite, 3, 7);
    let mut push = |id: &str, note: &str, base: &Json, change: &[(&str, Json)], reason| {
        let mut input = base.clone();
        for (key, value) in change {
            input[*key] = value.clone();
        }
        cases.push(id, note, input, Some(reason));
    };
    let proof = |index, size| {
        json!(hex::encode(
            log(suite, 8).inclusion(index, size).unwrap().to_bytes()
        ))
    };
    let text = good["proof"].as_str().unwrap().to_owned();
    let edit =
        |from: usize, to: usize, new: &str| json!(format!("{}{new}{}", &text[..from], &text[to..]));
    push(
        "inclusion-entry",
        "another entry",
        &good,
        &[("entry", json!("entry 4"))],
        Reason::NotInLog,
    );
    push(
        "inclusion-index",
        "the path of another entry",
        &good,
        &[("proof", proof(2, 7))],
        Reason::NotInLog,
    );
    push(
        "inclusion-root",
        "another root",
        &good,
        &[("root", json!("00".repeat(32)))],
        Reason::NotInLog,
    );
    push(
        "inclusion-size",
        "the path in a larger log",
        &good,
        &[("proof", proof(3, 8))],
        Reason::NotInLog,
    );
    push(
        "inclusion-beyond",
        "an index beyond the size",
        &good,
        &[("proof", edit(4, 6, "07"))],
        Reason::LogProofShape,
    );
    push(
        "inclusion-short",
        "a size that asks for fewer hashes",
        &good,
        &[("proof", edit(2, 4, "04"))],
        Reason::LogProofShape,
    );
    push(
        "inclusion-long",
        "a size that asks for more hashes",
        &good,
        &[("proof", edit(2, 4, "17"))],
        Reason::LogProofShape,
    );
    push(
        "inclusion-trailing",
        "a byte after the proof",
        &good,
        &[("proof", json!(format!("{text}00")))],
        Reason::TrailingBytes,
    );
    push(
        "inclusion-cut",
        "a proof that is cut",
        &good,
        &[("proof", json!(text[..text.len() - 2]))],
        Reason::Truncated,
    );
    push(
        "inclusion-huge",
        "a size of 2^63",
        &good,
        &[("proof", json!("831b80000000000000000080"))],
        Reason::TooMany,
    );
    push(
        "inclusion-size-beyond",
        "a size of one more than 2^40",
        &good,
        &[("proof", json!("831b00000100000000010080"))],
        Reason::TooMany,
    );
    push(
        "inclusion-leaf-as-node",
        "a node taken for an entry",
        &included(suite, 0, 2),
        &[("proof", json!("83010080"))],
        Reason::NotInLog,
    );

    let grew = grown(suite, 3, 7);
    push(
        "consistency-older",
        "another older root",
        &grew,
        &[("older", json!(log(suite, 4).root().to_string()))],
        Reason::LogRewritten,
    );
    push(
        "consistency-newer",
        "another newer root",
        &grew,
        &[("newer", json!(log(suite, 8).root().to_string()))],
        Reason::LogRewritten,
    );
    push(
        "consistency-shrunk",
        "a log that shrinks",
        &grew,
        &[("proof", json!("83070380"))],
        Reason::LogProofShape,
    );
    push(
        "consistency-empty-path",
        "no hashes where some are needed",
        &grew,
        &[("proof", json!("83030780"))],
        Reason::LogProofShape,
    );
    let same = grown(suite, 1, 1);
    push(
        "consistency-same-size",
        "one size, two roots",
        &same,
        &[("newer", json!("00".repeat(32)))],
        Reason::LogRewritten,
    );
    let from_nothing = grown(suite, 0, 5);
    push(
        "consistency-nothing",
        "a log that was not empty",
        &from_nothing,
        &[("older", json!("00".repeat(32)))],
        Reason::LogRewritten,
    );
    let long = format!("830101815820{}", "00".repeat(32));
    push(
        "consistency-too-long",
        "hashes where none are needed",
        &same,
        &[("proof", json!(long))],
        Reason::LogProofShape,
    );
}
