//! Canonical manifests and every way to miss one.

use mic_transfer::{Digest, Manifest, ManifestFaultKind, PixelRange, Sm3Digest};
use serde_json::json;

use crate::shared::{case, instance, manifest, settle, unhex};

fn kind_name(kind: ManifestFaultKind) -> &'static str {
    match kind {
        ManifestFaultKind::TooLong => "too_long",
        ManifestFaultKind::Magic => "magic",
        ManifestFaultKind::Cut => "cut",
        ManifestFaultKind::Body => "body",
        ManifestFaultKind::First => "first",
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
    let national = manifest(vec![
        instance(1, b"file").with_sm3(Sm3Digest::from_bytes([7; 32])),
        instance(2, b"other file"),
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
        (
            "sm3",
            "an sm3 digest beside blake3, not of these bytes",
            &national,
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
    // Offsets in `one`: magic 0, study 5, instances 9, bytes 13, bytes of the body 21, digest of the
    // body 25, first images 57, image 59; series table 107, class table 115, syntax table 143, instance
    // 165 (series 165, class 167, syntax 169, flags 171, identifier 172, length 180, digest 188).
    assert_eq!(one.encoded_head().len(), 107);
    let with = |at: usize, value: &[u8]| {
        let mut changed = bytes.clone();
        changed[at..at + value.len()].copy_from_slice(value);
        changed
    };
    let sealed = |mut bytes: Vec<u8>| {
        let body = bytes.split_off(107);
        bytes[21..25].copy_from_slice(&(body.len() as u32).to_le_bytes());
        bytes[25..57].copy_from_slice(Digest::of(&body).as_bytes());
        [bytes, body].concat()
    };
    let inside = |at: usize, value: &[u8]| sealed(with(at, value));
    let twice = sealed([&with(9, &[2]), &bytes[165..]].concat());
    let two_series = |more: &[u8]| {
        sealed(
            [
                &bytes[..107],
                &[2, 0],
                &bytes[109..115],
                more,
                &bytes[115..],
            ]
            .concat(),
        )
    };
    let end = bytes.len();
    let mut crowded = with(57, &[65, 0]);
    crowded.truncate(59);
    for number in 0..65_u32 {
        crowded.extend_from_slice(&number.to_le_bytes());
        crowded.extend_from_slice(&bytes[63..107]);
    }
    let wrong: Vec<(&str, &str, Vec<u8>, &str, usize)> = vec![
        ("letters", "not a manifest", with(0, b"X"), "magic", 0),
        ("version", "version 2", with(4, &[2]), "magic", 0),
        ("empty", "no bytes", Vec::new(), "magic", 0),
        (
            "cut",
            "the last byte is missing",
            bytes[..end - 1].to_vec(),
            "cut",
            end - 1,
        ),
        (
            "cut-head",
            "the end within a first image",
            bytes[..80].to_vec(),
            "cut",
            59,
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
            with(9, &[0]),
            "instance_count",
            9,
        ),
        (
            "count-huge",
            "four thousand million instances",
            with(9, &[0xFF; 4]),
            "instance_count",
            9,
        ),
        (
            "count-more",
            "one instance more than there are",
            with(9, &[2]),
            "cut",
            end,
        ),
        ("total", "another sum of bytes", with(13, &[5]), "first", 0),
        ("body", "a bit of an instance", with(190, &[0]), "body", 107),
        (
            "body-huge",
            "a body of 4 GiB",
            with(21, &[0xFF; 4]),
            "too_long",
            9,
        ),
        ("first-crowd", "65 first images", crowded, "first", 59),
        (
            "first-beyond",
            "a first image that is no instance",
            with(59, &[1]),
            "first",
            59,
        ),
        (
            "first-empty",
            "a first image of no bytes",
            with(67, &[0]),
            "first",
            59,
        ),
        (
            "first-digest",
            "the digest of another file",
            with(75, &[0]),
            "first",
            0,
        ),
        (
            "label-number",
            "a series that is not in the table",
            inside(165, &[1]),
            "label_number",
            165,
        ),
        (
            "label-repeated",
            "a series twice in the table",
            two_series(&bytes[109..115]),
            "repeated_label",
            115,
        ),
        (
            "label-unused",
            "a series that no instance is of",
            two_series(&[3, b'9', b'.', b'9']),
            "unused_label",
            end + 4,
        ),
        ("flags", "an unknown flag", inside(171, &[16]), "flags", 171),
        (
            "length-zero",
            "an empty file",
            inside(180, &[0]),
            "instance",
            165,
        ),
        (
            "length-huge",
            "longer than 16 GiB",
            inside(180, &[0xFF; 8]),
            "instance",
            165,
        ),
        ("duplicate", "the same bytes twice", twice, "duplicate", end),
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
