//! Cases as they stand in the files, and small studies to make them from.

use mic_transfer::wire::PREFACE;
use mic_transfer::{Digest, Instance, Manifest, ManifestBuilder, Uid};
use serde_json::{Value, json};

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|d| u8::from_str_radix(core::str::from_utf8(d).unwrap(), 16).unwrap())
        .collect()
}

pub fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |state: u32, byte| {
        (0..8).fold(state ^ u32::from(*byte), |state, _| {
            (state >> 1) ^ (0x82F6_3B78 & (state & 1).wrapping_neg())
        })
    })
}

/// A frame by hand, with a right CRC.
pub fn raw(
    length: u32,
    kind: u8,
    flags: u8,
    codec: u8,
    slot: u16,
    word: u32,
    body: &[u8],
) -> Vec<u8> {
    let mut head = length.to_le_bytes()[..3].to_vec();
    head.extend_from_slice(&[kind, flags, codec]);
    head.extend_from_slice(&slot.to_le_bytes());
    head.extend_from_slice(&word.to_le_bytes());
    let checked = if kind == 8 && codec != 3 {
        head.clone()
    } else {
        [&head[..], body].concat()
    };
    head.extend_from_slice(&crc32c(&checked).to_le_bytes());
    [&PREFACE[..], &head, body].concat()
}

pub fn framed(kind: u8, slot: u16, word: u32, body: &[u8]) -> Vec<u8> {
    raw(body.len() as u32, kind, 0, 0, slot, word, body)
}

pub fn uid(text: &str) -> Uid {
    Uid::new(text).unwrap()
}

/// Checks the file against the cases, or writes it.
pub fn settle(name: &str, title: &str, cases: Vec<Value>) -> Vec<Value> {
    let wrong = cases
        .iter()
        .filter(|case| case["expect"].get("err").is_some())
        .count();
    assert!(
        wrong * 2 >= cases.len(),
        "{name}: {wrong} of {} are wrong on purpose",
        cases.len()
    );
    let value = json!({ "spec": "mic-transfer", "version": 1, "title": title, "cases": cases });
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("MIC_WRITE").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&value).unwrap() + "\n").unwrap();
    }
    let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(file, value, "{name} has drifted");
    file["cases"].as_array().unwrap().clone()
}

pub fn case(id: &str, note: &str, input: &[u8], expect: Value) -> Value {
    json!({ "id": id, "note": note, "input": hex(input), "expect": expect })
}

pub fn instance(number: u32, bytes: &[u8]) -> Instance {
    Instance::new(
        uid("1.2.840.10008.5.1.4.1.1.2"),
        uid(&format!("1.2.3.{number}")),
        uid("1.2.3"),
        uid("1.2.840.10008.1.2.1"),
        bytes.len() as u64,
        Digest::of(bytes),
    )
    .unwrap()
}

pub fn manifest(instances: Vec<Instance>) -> Manifest {
    let mut builder = ManifestBuilder::new(uid("1.2"));
    for instance in instances {
        builder.push(instance).unwrap();
    }
    builder.build().unwrap()
}
