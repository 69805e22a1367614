//! Canonical manifests and every way to miss one.

use mic_transfer::{Manifest, ManifestFaultKind, PixelRange};
use serde_json::json;

use crate::shared::{case, instance, manifest, settle, unhex};

fn kind_name(kind: ManifestFaultKind) -> &'static str {
    match kind {
        ManifestFaultKind::TooLong => "too_long",
        ManifestFaultKind::Magic => "magic",
        ManifestFaultKind::Cut => "cut",
        ManifestFaultKind::Uid(_) => "uid",
        ManifestFaultKind::RepeatedLabel => "repeated_label",
        ManifestFaultKind::UnusedLabel => "unused_label",
        ManifestFaultKind::LabelNumber => "label_number",
        ManifestFaultKind::InstanceCount { .. } => "instance_count",
        ManifestFaultKind::Flags => "flags",
        ManifestFaultKind::PixelRange => "pixel_range",
        ManifestFaultKind::Duplicate => "duplicate",
        ManifestFaultKind::Instance(_) => "instance",
        ManifestFaultKind::Rule(_) => "rule",
        ManifestFaultKind::Trailing => "trailing",
        other => panic!("{other:?}"),
    }
}

#[test]
fn ok_manifests() {
    let one = manifest(vec![instance(1, b"file")]);
    let pixels = PixelRange::new(1, 3).unwrap();
    let full = instance(1, b"file")
        .with_rank(9)
        .with_key_image(true)
        .with_pixels(pixels)
        .unwrap();
    let hinted = manifest(vec![full, instance(2, b"other file")]);
    // The same SOP Instance UID in two encodings: both are carried.
    let variants = manifest(vec![
        instance(1, b"raw pixels"),
        instance(1, b"coded pixels"),
    ]);
    let mut cases = Vec::new();
    for (id, note, good) in [
        ("one", "one instance", &one),
        ("hints", "rank, key image, range of pixel data", &hinted),
        (
            "variants",
            "one SOP Instance UID in two encodings",
            &variants,
        ),
    ] {
        let expect = json!({ "ok": {
            "root": good.root().to_string(),
            "bytes": good.bytes_total().to_string(),
            "json": serde_json::to_value(good).unwrap(),
        }});
        cases.push(case(id, note, good.encoded(), expect));
    }
    let bytes = one.encoded().to_vec();
    // Offsets in `one`: magic 0, study 5, series table 9, class table 17, syntax table 45, count 67,
    // instance 71 (series 71, class 73, syntax 75, flags 77, identifier 78, length 86, digest 94).
    let with = |at: usize, value: &[u8]| {
        let mut changed = bytes.clone();
        changed[at..at + value.len()].copy_from_slice(value);
        changed
    };
    let twice = [&with(67, &[2]), &bytes[71..]].concat();
    let repeated = [
        &bytes[..9],
        &[2, 0],
        &bytes[11..17],
        &bytes[11..17],
        &bytes[17..],
    ]
    .concat();
    let unused = [
        &bytes[..9],
        &[2, 0],
        &bytes[11..17],
        &[3, b'9', b'.', b'9'],
        &bytes[17..],
    ]
    .concat();
    let end = bytes.len();
    let wrong: Vec<(&str, &str, Vec<u8>, &str, usize)> = vec![
        ("letters", "not a manifest", with(0, b"X"), "magic", 0),
        ("version", "version 2", with(4, &[2]), "magic", 0),
        ("empty", "no bytes", Vec::new(), "magic", 0),
        (
            "cut",
            "the last byte is missing",
            bytes[..end - 1].to_vec(),
            "cut",
            94,
        ),
        (
            "trailing",
            "a byte too many",
            [&bytes[..], &[0]].concat(),
            "trailing",
            end,
        ),
        (
            "uid-empty",
            "an identifier of no characters",
            with(5, &[0]),
            "uid",
            5,
        ),
        (
            "uid-blank",
            "a blank in an identifier",
            with(7, b" "),
            "uid",
            5,
        ),
        (
            "count-zero",
            "no instances",
            with(67, &[0]),
            "instance_count",
            67,
        ),
        (
            "count-huge",
            "four thousand million instances",
            with(67, &[0xFF; 4]),
            "instance_count",
            67,
        ),
        (
            "label-number",
            "a series that is not in the table",
            with(71, &[1]),
            "label_number",
            71,
        ),
        (
            "label-repeated",
            "a series twice in the table",
            repeated,
            "repeated_label",
            17,
        ),
        (
            "label-unused",
            "a series that no instance is of",
            unused,
            "unused_label",
            end + 4,
        ),
        ("flags", "an unknown flag", with(77, &[8]), "flags", 77),
        (
            "length-zero",
            "an empty file",
            with(86, &[0]),
            "instance",
            71,
        ),
        (
            "length-huge",
            "longer than 16 GiB",
            with(86, &[0xFF; 8]),
            "instance",
            71,
        ),
        (
            "duplicate",
            "the same bytes twice",
            twice,
            "duplicate",
            71 + (end - 71),
        ),
    ];
    for (id, note, bytes, kind, at) in wrong {
        cases.push(case(
            id,
            note,
            &bytes,
            json!({ "err": { "kind": kind, "at": at } }),
        ));
    }
    for case in settle("manifests", "canonical manifests", cases) {
        let found = match Manifest::decode(&unhex(&case["input"])) {
            Ok(good) => {
                assert_eq!(good.encoded(), unhex(&case["input"]));
                let json = case["expect"]["ok"]["json"].clone();
                assert_eq!(serde_json::from_value::<Manifest>(json).unwrap(), good);
                json!({ "ok": {
                    "root": good.root().to_string(),
                    "bytes": good.bytes_total().to_string(),
                    "json": serde_json::to_value(&good).unwrap(),
                }})
            }
            Err(fault) => json!({ "err": { "kind": kind_name(fault.kind()), "at": fault.at() } }),
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}
