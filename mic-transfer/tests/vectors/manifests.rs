//! Canonical manifests and every way to miss one.

use mic_transfer::{Digest, Instance, Manifest, ManifestFaultKind, Pieces, PixelRange, Sm3Digest};
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
        ManifestFaultKind::Pieces(_) => "pieces",
        ManifestFaultKind::PieceForm => "piece_form",
        ManifestFaultKind::Duplicate => "duplicate",
        ManifestFaultKind::Instance(_) => "instance",
        ManifestFaultKind::Rule(_) => "rule",
        ManifestFaultKind::Trailing => "trailing",
        other => panic!("{other:?}"),
    }
}

/// A file of 20,000 bytes whose pixels begin at 100, with pieces at these places behind that.
fn with_pieces(ranges: &[(u64, u64)]) -> Manifest {
    let bytes: Vec<u8> = (0..20_000_u32).map(|at| (at * 31 % 251) as u8).collect();
    let pieces = ranges.iter().map(|(offset, length)| {
        let range = PixelRange::new(100 + offset, *length).unwrap();
        let bytes = &bytes[range.offset() as usize..range.end() as usize];
        (range, Digest::of(bytes))
    });
    let pixels = PixelRange::new(100, 19_900).unwrap();
    let instance: Instance = instance(1, &bytes).with_pixels(pixels).unwrap();
    let pieces = Pieces::new(pieces).unwrap();
    manifest(vec![instance.with_pieces(pieces).unwrap()])
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
    let even = with_pieces(&[(0, 8000), (8000, 8000)]);
    let listed = with_pieces(&[(8, 8000), (8016, 9000)]);
    let whole = with_pieces(&[(0, 19_900)]);
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
        ("pieces-one", "the pixels are one piece", &whole),
        ("pieces-even", "two frames of one length", &even),
        (
            "pieces-listed",
            "two frames with eight bytes before each",
            &listed,
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
        ("flags", "an unknown flag", inside(171, &[32]), "flags", 171),
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
    // Offsets in a manifest with pieces: flags 171, pixels 220, count of pieces 236, form 240; of the even form
    // skip 241, length 249, digests 257; of the listed form 241 and 245 for the first piece, 249 and 253 for
    // the second, digests 257.
    let of = |manifest: &Manifest, at: usize, value: &[u8]| {
        let mut changed = manifest.encoded().to_vec();
        changed[at..at + value.len()].copy_from_slice(value);
        sealed(changed)
    };
    // What touches and is alike, in the form for what does not: skip and length of each.
    let long_form = [0_u32, 8000, 0, 8000].map(u32::to_le_bytes).concat();
    let listed_even = {
        let (head, digests) = (&even.encoded()[..240], &even.encoded()[257..]);
        sealed([head, &[1], &long_form, digests].concat())
    };
    let mut wrong = wrong;
    wrong.extend([
        (
            "pieces-alone",
            "pieces without a range of pixel data",
            of(&even, 171, &[16]),
            "flags",
            171,
        ),
        (
            "pieces-none",
            "no pieces",
            of(&even, 236, &[0]),
            "pieces",
            236,
        ),
        (
            "pieces-many",
            "four thousand million pieces",
            of(&even, 236, &[0xFF; 4]),
            "pieces",
            236,
        ),
        (
            "pieces-cut",
            "three pieces announced, two there",
            of(&even, 236, &[3]),
            "cut",
            257,
        ),
        (
            "pieces-form",
            "a form that is not known",
            of(&even, 240, &[2]),
            "piece_form",
            240,
        ),
        (
            "pieces-other-form",
            "pieces that touch and are alike, listed one by one",
            listed_even,
            "piece_form",
            240,
        ),
        (
            "pieces-short",
            "a piece of 4095 bytes",
            of(&even, 249, &4095_u64.to_le_bytes()),
            "pieces",
            236,
        ),
        (
            "pieces-beyond",
            "the second piece passes the pixel data",
            of(&even, 249, &9951_u64.to_le_bytes()),
            "instance",
            165,
        ),
        (
            "pieces-far",
            "pieces that pass 2^64",
            of(&even, 241, &[0xFF; 8]),
            "pieces",
            236,
        ),
        (
            "pieces-empty",
            "a piece of no bytes",
            of(&listed, 245, &[0; 4]),
            "pieces",
            236,
        ),
        (
            "pieces-listed-beyond",
            "the last piece passes the pixel data",
            of(&listed, 253, &20_000_u32.to_le_bytes()),
            "instance",
            165,
        ),
    ]);
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
