//! The vectors in `vectors/`, run one by one. Other languages read the same files.
//!
//! `MIC_WRITE=1 cargo test -p mic-transfer --all-features --test vectors` writes them after a wanted
//! change; what is expected of each case stands here, by hand.

#![cfg(feature = "serde")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test's way to fail")]

mod common;

use common::{MadeStudy, World};
use mic_transfer::journal::{self, Record};
use mic_transfer::receiver::ReceiverEvent;
use mic_transfer::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use mic_transfer::storage::MemoryStorage;
use mic_transfer::wire::{
    Frame, FrameFaultKind, FrameReader, Offer, PREFACE, Report, Request, Session, encode,
};
use mic_transfer::{
    Auth, Digest, ErrorCode, Instance, Manifest, ManifestBuilder, ManifestFaultKind, PixelRange,
    Receipt, Run, Signature, SignedManifest, Uid,
};
use serde_json::{Value, json};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|d| u8::from_str_radix(core::str::from_utf8(d).unwrap(), 16).unwrap())
        .collect()
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |state: u32, byte| {
        (0..8).fold(state ^ u32::from(*byte), |state, _| {
            (state >> 1) ^ (0x82F6_3B78 & (state & 1).wrapping_neg())
        })
    })
}

/// A frame by hand, with a right CRC.
fn raw(length: u32, kind: u8, flags: u8, codec: u8, slot: u16, word: u32, body: &[u8]) -> Vec<u8> {
    let mut head = length.to_le_bytes()[..3].to_vec();
    head.extend_from_slice(&[kind, flags, codec]);
    head.extend_from_slice(&slot.to_le_bytes());
    head.extend_from_slice(&word.to_le_bytes());
    let checked = if kind == 8 {
        head.clone()
    } else {
        [&head[..], body].concat()
    };
    head.extend_from_slice(&crc32c(&checked).to_le_bytes());
    [&PREFACE[..], &head, body].concat()
}

fn framed(kind: u8, slot: u16, word: u32, body: &[u8]) -> Vec<u8> {
    raw(body.len() as u32, kind, 0, 0, slot, word, body)
}

fn uid(text: &str) -> Uid {
    Uid::new(text).unwrap()
}

/// Checks the file against the cases, or writes it.
fn settle(name: &str, title: &str, cases: Vec<Value>) -> Vec<Value> {
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

fn case(id: &str, note: &str, input: &[u8], expect: Value) -> Value {
    json!({ "id": id, "note": note, "input": hex(input), "expect": expect })
}

fn good_frames() -> Vec<(&'static str, Frame)> {
    let run = |first, count| Run::new(first, count).unwrap();
    let signature = Signature::new("test", b"key".to_vec(), vec![1, 2, 3]).unwrap();
    let root = Digest::of(b"root");
    let at = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let receipt = Receipt::new(root, 2, 1000, 600, at);
    let mut request = Request::new(uid("1.2.3"), Auth::new(b"grant".to_vec()).unwrap());
    request.known = Some(root);
    let mut report = Report::new(ErrorCode::StudyRefused);
    report.reason = Some(77);
    vec![
        (
            "hello",
            Frame::Hello(Session::new(Auth::new(b"site".to_vec()).unwrap())),
        ),
        ("request", Frame::Request { slot: 0, request }),
        (
            "offer",
            Frame::Offer {
                slot: 0,
                offer: Offer::new(root, 99, Some(signature.clone())),
            },
        ),
        (
            "manifest",
            Frame::Manifest {
                slot: 0,
                offset: 0,
                bytes: b"MICM".to_vec(),
            },
        ),
        (
            "want",
            Frame::Want {
                slot: 0,
                class: 1,
                runs: vec![run(0, 3), run(5, 1)],
            },
        ),
        (
            "rank",
            Frame::Rank {
                slot: 0,
                class: 0,
                runs: vec![run(5, 1)],
            },
        ),
        (
            "leaves",
            Frame::Leaves {
                slot: 0,
                instance: 1,
                values: vec![[1; 32], [2; 32]],
            },
        ),
        (
            "data",
            Frame::Data {
                slot: 0,
                chunk: 3,
                bytes: b"pixels".to_vec(),
            },
        ),
        (
            "commit",
            Frame::Commit {
                slot: 0,
                root,
                fetched: 600,
                held: 400,
            },
        ),
        (
            "receipt",
            Frame::Receipt {
                slot: 0,
                receipt: receipt.clone(),
                signature: Some(signature),
            },
        ),
        (
            "countersign",
            Frame::Countersign {
                slot: 0,
                receipt: receipt.digest(),
                signature: None,
            },
        ),
        ("cancel", Frame::Cancel { slot: 0 }),
        ("error", Frame::Error { slot: 0, report }),
        ("bye", Frame::Bye),
    ]
}

#[test]
fn ok_frames() {
    let mut cases: Vec<Value> = good_frames()
        .into_iter()
        .map(|(id, frame)| {
            let bytes = [&PREFACE[..], &encode(&frame).to_vec()].concat();
            case(
                id,
                "preface and one frame",
                &bytes,
                json!({ "ok": { "frame": frame.name() } }),
            )
        })
        .collect();
    cases.push(case(
        "skippable",
        "a frame of a later version is passed over",
        &framed(0x90, 0, 0, b"news"),
        json!({ "ok": { "frame": "SKIPPED" } }),
    ));
    let want = |runs: &[[u32; 2]]| {
        let numbers = runs.iter().flatten();
        numbers
            .flat_map(|number| number.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let field = |tag: u16, value: &[u8]| {
        [
            &tag.to_le_bytes()[..],
            &(value.len() as u16).to_le_bytes(),
            value,
        ]
        .concat()
    };
    let mut damaged = framed(5, 0, 1, &want(&[[0, 1]]));
    *damaged.last_mut().unwrap() ^= 1;
    let mut version = framed(14, 0xFFFF, 0, &[]);
    version[6] = 2;
    let hello = [field(1, &[1, 0]), field(2, &[1, 0, 0, 0]), field(3, &[])].concat();
    let wrong: Vec<(&str, &str, Vec<u8>, &str, u64)> = vec![
        (
            "letters",
            "another protocol",
            b"GET / HTTP/1.1\r\n".to_vec(),
            "preface",
            0,
        ),
        (
            "text-line-end",
            "a line end was changed on the way",
            b"MICX\n\n\x01\x00".to_vec(),
            "preface",
            0,
        ),
        ("version-2", "another major version", version, "version", 0),
        ("damaged-body", "one bit of a WANT", damaged, "crc", 8),
        (
            "unknown-kind",
            "kinds below 128 must be known",
            framed(0x20, 0, 0, &[]),
            "kind",
            8,
        ),
        (
            "kind-zero",
            "no frame has kind 0",
            framed(0, 0, 0, &[]),
            "kind",
            8,
        ),
        (
            "data-too-long",
            "a chunk of 256 KiB and a byte",
            raw(262_145, 8, 0, 0, 0, 0, &[]),
            "too_long",
            8,
        ),
        (
            "cancel-with-body",
            "CANCEL has no body",
            raw(1, 12, 0, 0, 0, 0, &[0]),
            "too_long",
            8,
        ),
        (
            "control-too-long",
            "32 KiB and a byte",
            raw(32_769, 2, 0, 0, 0, 0, &[]),
            "too_long",
            8,
        ),
        (
            "flags",
            "no flag is defined",
            raw(1, 8, 1, 0, 0, 0, &[0]),
            "coding",
            8,
        ),
        (
            "codec",
            "raw is the only codec of this version",
            raw(1, 8, 0, 1, 0, 0, &[0]),
            "coding",
            8,
        ),
        (
            "data-empty",
            "a chunk has at least a byte",
            framed(8, 0, 0, &[]),
            "body",
            8,
        ),
        (
            "want-empty",
            "at least one run",
            framed(5, 0, 1, &[]),
            "body",
            8,
        ),
        (
            "want-falling",
            "runs rise",
            framed(5, 0, 1, &want(&[[5, 1], [0, 1]])),
            "body",
            8,
        ),
        (
            "want-touching",
            "runs that touch are one run",
            framed(5, 0, 1, &want(&[[0, 1], [1, 1]])),
            "body",
            8,
        ),
        (
            "want-zero",
            "a run has at least one chunk",
            framed(5, 0, 1, &want(&[[0, 0]])),
            "body",
            8,
        ),
        (
            "want-cut",
            "half a run",
            framed(5, 0, 1, &[0; 4]),
            "body",
            8,
        ),
        (
            "want-class-6",
            "classes are 0 to 5",
            framed(5, 0, 6, &want(&[[0, 1]])),
            "body",
            8,
        ),
        (
            "leaves-one",
            "one chunk has no leaf list",
            framed(7, 0, 0, &[0; 32]),
            "body",
            8,
        ),
        (
            "request-no-slot",
            "REQUEST needs a slot",
            framed(2, 0xFFFF, 0, &[field(3, &[]), field(4, b"1.2")].concat()),
            "body",
            8,
        ),
        (
            "hello-no-slots",
            "a side that allows no study",
            framed(
                1,
                0xFFFF,
                0,
                &[field(1, &[0; 2]), field(2, &[1, 0, 0, 0]), field(3, &[])].concat(),
            ),
            "body",
            8,
        ),
        (
            "hello-no-runs",
            "a side that allows no runs",
            framed(
                1,
                0xFFFF,
                0,
                &[field(1, &[1, 0]), field(2, &[0; 4]), field(3, &[])].concat(),
            ),
            "body",
            8,
        ),
        (
            "hello-in-slot",
            "HELLO concerns the connection",
            framed(1, 3, 0, &hello),
            "body",
            8,
        ),
        (
            "hello-order",
            "tags rise",
            framed(
                1,
                0xFFFF,
                0,
                &[field(2, &[1, 0, 0, 0]), field(1, &[1, 0]), field(3, &[])].concat(),
            ),
            "body",
            8,
        ),
        (
            "hello-critical",
            "an unknown tag from 0x8000 on",
            framed(1, 0xFFFF, 0, &[hello, field(0x8001, &[])].concat()),
            "body",
            8,
        ),
        (
            "request-uid",
            "a blank in an identifier",
            framed(2, 0, 0, &[field(3, &[]), field(4, b"1 2")].concat()),
            "body",
            8,
        ),
        (
            "error-control",
            "a line end in the text",
            framed(13, 0, 25, &field(15, b"a\nb")),
            "body",
            8,
        ),
        (
            "signature-half",
            "a suite without a signature",
            framed(11, 0, 0, &[field(7, b"test"), field(13, &[0; 32])].concat()),
            "body",
            8,
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
    for case in settle("frames", "preface and frames", cases) {
        let (bytes, mut reader) = (unhex(&case["input"]), FrameReader::new());
        let mut rest = &bytes[..];
        let found = match reader.next(&mut rest) {
            Ok(Some(frame)) => {
                if !matches!(frame, Frame::Skipped { .. }) {
                    assert_eq!([&PREFACE[..], &encode(&frame).to_vec()].concat(), bytes);
                }
                json!({ "ok": { "frame": frame.name() } })
            }
            Ok(None) => json!("more bytes"),
            Err(fault) => {
                let kind = match fault.kind() {
                    FrameFaultKind::Preface => "preface",
                    FrameFaultKind::Version { .. } => "version",
                    FrameFaultKind::Kind { .. } => "kind",
                    FrameFaultKind::TooLong { .. } => "too_long",
                    FrameFaultKind::Crc => "crc",
                    FrameFaultKind::Coding => "coding",
                    FrameFaultKind::Body { .. } => "body",
                    other => panic!("{other:?}"),
                };
                json!({ "err": { "kind": kind, "at": fault.at() } })
            }
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

fn instance(number: u32, bytes: &[u8]) -> Instance {
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

fn manifest(instances: Vec<Instance>) -> Manifest {
    let mut builder = ManifestBuilder::new(uid("1.2"));
    for instance in instances {
        builder.push(instance).unwrap();
    }
    builder.build().unwrap()
}

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

#[test]
fn ok_journals() {
    let signed = SignedManifest::new(
        manifest(vec![instance(1, b"file"), instance(2, b"two")]),
        None,
    );
    let run = |first, count| Run::new(first, count).unwrap();
    let of = |records: &[Record]| {
        let numbered = (0_u32..).zip(records);
        numbered
            .flat_map(|(number, record)| journal::encode(number, record))
            .collect::<Vec<u8>>()
    };
    let open = Record::Open(signed);
    let whole = [
        open.clone(),
        Record::Have(run(0, 1)),
        Record::Mark,
        Record::Have(run(1, 1)),
    ];
    let good = of(&whole);
    let complete = [&whole[..], &[Record::Mark, Record::Commit]].concat();
    let (first, second) = (of(&whole[..1]).len(), of(&whole[..2]).len());
    let third = of(&whole[..3]).len();
    let mut damaged = good.clone();
    damaged[second - 1] ^= 1;
    let skipped = [of(&whole[..1]), journal::encode(2, &Record::Mark)].concat();
    let early = of(&[
        open.clone(),
        Record::Have(run(0, 1)),
        Record::Mark,
        Record::Commit,
    ]);
    let beyond = of(&[open.clone(), Record::Have(run(0, 3))]);
    let lost = of(&[&whole[..], &[Record::Lost(run(0, 2)), Record::Mark]].concat());
    let expect = |cut: bool, valid: usize, marked: u64, unmarked: u64, complete: bool| {
        let says = json!({
            "valid_bytes": valid, "marked": marked, "unmarked": unmarked, "complete": complete,
        });
        if cut {
            json!({ "err": says })
        } else {
            json!({ "ok": says })
        }
    };
    let cases = vec![
        case(
            "marked",
            "one chunk synced, one not",
            &good,
            expect(false, good.len(), 1, 1, false),
        ),
        case(
            "complete",
            "committed",
            &of(&complete),
            expect(false, of(&complete).len(), 2, 0, true),
        ),
        case(
            "lost",
            "found wrong after a crash",
            &lost,
            expect(false, lost.len(), 0, 0, false),
        ),
        case(
            "torn",
            "the last record is cut",
            &good[..good.len() - 1],
            expect(true, third, 1, 0, false),
        ),
        case(
            "damaged",
            "a bit of the second record",
            &damaged,
            expect(true, first, 0, 0, false),
        ),
        case(
            "skipped",
            "a sequence number is missing",
            &skipped,
            expect(true, first, 0, 0, false),
        ),
        case(
            "early",
            "a commit with a chunk missing",
            &early,
            expect(true, third, 1, 0, false),
        ),
        case(
            "beyond",
            "a chunk that the study has not",
            &beyond,
            expect(true, first, 0, 0, false),
        ),
        case(
            "no-open",
            "the study is missing",
            &of(&[Record::Mark]),
            expect(true, 0, 0, 0, false),
        ),
    ];
    for case in settle("journals", "journals and what is believed of them", cases) {
        let bytes = unhex(&case["input"]);
        let replay = journal::replay(&bytes);
        let cut = replay.valid_bytes() < bytes.len() as u64;
        let valid = replay.valid_bytes() as usize;
        let (marked, unmarked) = (replay.marked().len(), replay.unmarked().len());
        let found = expect(cut, valid, marked, unmarked, replay.is_committed());
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}

/// What a source answers to these bytes, and the code of the error it ends with.
fn source_answers(study: &MadeStudy, up: &[u8]) -> (Vec<u8>, Option<ErrorCode>) {
    let now = core::time::Duration::ZERO;
    let mut sender = Sender::new(SenderConfig::default(), now);
    let (mut down, mut code) = (Vec::new(), None);
    let mut reader = FrameReader::new();
    let mut rest = up;
    let mut portions = vec![up.len().min(PREFACE.len())];
    while let Ok(Some(frame)) = reader.next(&mut rest) {
        portions.push(encode(&frame).len());
    }
    portions.push(up.len());
    let mut left = up;
    for portion in portions {
        let (part, after) = left.split_at(portion.min(left.len()));
        left = after;
        sender.handle_bytes(part, now);
        loop {
            match sender.poll_output() {
                SenderOutput::Wait(_) => break,
                SenderOutput::Send(packet) => down.extend_from_slice(&packet.to_vec()),
                SenderOutput::Read {
                    instance,
                    offset,
                    length,
                    ..
                } => {
                    let range = offset as usize..offset as usize + length as usize;
                    sender.handle_read(Some(study.files[instance as usize][range].to_vec()));
                }
                SenderOutput::Event(SenderEvent::AuthorizeSession { .. }) => {
                    sender.accept_session();
                }
                SenderOutput::Event(SenderEvent::AuthorizeStudy {
                    slot, study: asked, ..
                }) => {
                    if asked == *study.uid() {
                        sender.offer(slot, study.signed.clone());
                    } else {
                        sender.refuse(slot, ErrorCode::StudyUnknown, None);
                    }
                }
                SenderOutput::Event(SenderEvent::Receipt { slot, receipt, .. }) => {
                    sender.countersign(slot, &receipt, None);
                }
                SenderOutput::Close(error) => code = error.map(|error| error.code()),
                other => panic!("{other:?}"),
            }
        }
    }
    (down, code)
}

#[test]
fn ok_sessions() {
    let study = MadeStudy::new("1.2", 3, &[40, 90]);
    let mut world = World::new(0, core::slice::from_ref(&study), MemoryStorage::new());
    world.connect();
    world.pull_all();
    assert!(world.run());
    assert!(
        world
            .events
            .iter()
            .any(|event| matches!(event, ReceiverEvent::Complete { .. }))
    );
    let (up, down) = (world.record_up.clone(), world.record_down.clone());
    let mut frames = Vec::new();
    let (mut reader, mut rest) = (FrameReader::new(), &up[..]);
    while let Some(frame) = reader.next(&mut rest).unwrap() {
        frames.push(frame);
    }
    let bytes_of = |frames: &[Frame]| {
        let list = frames.iter().map(|frame| encode(frame).to_vec());
        [vec![PREFACE.to_vec()], list.collect()].concat().concat()
    };
    let at = |name: &str| {
        frames
            .iter()
            .position(|frame| frame.name() == name)
            .unwrap()
    };
    let without = |name: &str| {
        let mut list = frames.clone();
        list.remove(at(name));
        bytes_of(&list)
    };
    let with = |name: &str, frame: Frame| {
        let mut list = frames.clone();
        list[at(name)] = frame;
        bytes_of(&list)
    };
    let run = |first, count| Run::new(first, count).unwrap();
    let beyond = Frame::Want {
        slot: 0,
        class: 3,
        runs: vec![run(0, 3)],
    };
    let other = Frame::Commit {
        slot: 0,
        root: Digest::of(b"x"),
        fetched: 0,
        held: 0,
    };
    let mut twice = frames.clone();
    twice.insert(at("REQUEST"), frames[at("REQUEST")].clone());
    let mut damaged = up.clone();
    damaged[30] ^= 4;
    let err = |code: ErrorCode| json!({ "err": { "code": code.number() } });
    let cases = vec![
        case(
            "pull",
            "a whole study, from greeting to countersigned receipt",
            &up,
            json!({ "ok": { "answer": hex(&down) } }),
        ),
        case(
            "no-hello",
            "a study is asked for before the greeting",
            &without("HELLO"),
            err(ErrorCode::OutOfOrder),
        ),
        case(
            "no-request",
            "chunks of a study that was not asked for",
            &without("REQUEST"),
            err(ErrorCode::OutOfOrder),
        ),
        case(
            "no-commit",
            "a receipt before the commit",
            &without("COMMIT"),
            err(ErrorCode::OutOfOrder),
        ),
        case(
            "beyond",
            "a chunk that the study has not",
            &with("WANT", beyond),
            err(ErrorCode::LimitExceeded),
        ),
        case(
            "other-root",
            "the commit of another study",
            &with("COMMIT", other),
            err(ErrorCode::WrongManifest),
        ),
        case(
            "twice",
            "the same slot again",
            &bytes_of(&twice),
            err(ErrorCode::OutOfOrder),
        ),
        case(
            "damaged",
            "a bit of the greeting",
            &damaged,
            err(ErrorCode::DamagedFrame),
        ),
    ];
    let study_json = json!({ "manifest": hex(study.signed.manifest().encoded()),
        "files": study.files.iter().map(|file| hex(file)).collect::<Vec<_>>() });
    let cases = cases.into_iter().map(|mut case| {
        case["study"] = study_json.clone();
        case
    });
    for case in settle(
        "sessions",
        "what a source answers to a receiver's bytes",
        cases.collect(),
    ) {
        let (answer, code) = source_answers(&study, &unhex(&case["input"]));
        let found = match code {
            Some(code) => json!({ "err": { "code": code.number() } }),
            None => json!({ "ok": { "answer": hex(&answer) } }),
        };
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}
