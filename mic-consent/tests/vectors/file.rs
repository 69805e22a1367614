//! Vector files: where they lie, their head, and writing or comparing them.

use std::{fs, path::PathBuf};

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use crate::{common::raw::parts, keys::keys_json};

pub(crate) fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "vectors", name]
        .iter()
        .collect()
}

/// Compares with the file, or writes it when asked to.
pub(crate) fn settle(name: &str, made: &Json) {
    let text = format!("{}\n", serde_json::to_string_pretty(made).unwrap());
    if std::env::var_os("MIC_CONSENT_WRITE_VECTORS").is_some() {
        fs::write(path(name), &text).unwrap();
    }
    let file = fs::read_to_string(path(name)).unwrap();
    assert!(
        file == text,
        "{name} differs from what the seeds give: write it anew and look at the difference"
    );
}

/// The accepted tokens are the seeds of the fuzz targets.
pub(crate) fn write_seeds(made: &Json) {
    if std::env::var_os("MIC_CONSENT_WRITE_VECTORS").is_none() {
        return;
    }
    let write = |target: &str, id: &str, bytes: &[u8]| {
        let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus", target]
            .iter()
            .collect();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(id), bytes).unwrap();
    };
    for case in made["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if let Some(text) = case["input"]["text"].as_str() {
            write("qr_text", id, text.as_bytes());
        } else {
            let token = hex::decode(case["input"]["token"].as_str().unwrap()).unwrap();
            write("decode", id, &token);
            write("verify", id, &token);
            write("claims", id, &parts(&token).1);
        }
    }
}

pub(crate) fn read(name: &str) -> Json {
    serde_json::from_str(&fs::read_to_string(path(name)).unwrap()).unwrap()
}

pub(crate) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

pub(crate) fn file(what: &str, cases: Vec<Json>) -> Json {
    json!({
        "spec": "mic-consent token",
        "version": 1,
        "what": what,
        "note": "test keys and made-up people; secrets are published on purpose",
        "realm": "mic.cn",
        "skew_s": 60,
        "keys": keys_json(),
        "cases": cases,
    })
}
