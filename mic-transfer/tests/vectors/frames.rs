//! Frames, byte by byte.

use mic_transfer::wire::{
    Codec, Codecs, Frame, FrameFaultKind, FrameReader, Offer, PREFACE, Report, Request, Session,
    encode,
};
use mic_transfer::{Auth, Digest, ErrorCode, Receipt, Run, Signature};
use serde_json::{Value, json};

use crate::shared::{case, framed, raw, settle, uid, unhex};

fn good_frames() -> Vec<(&'static str, Frame)> {
    let run = |first, count| Run::new(first, count).unwrap();
    let signature = Signature::new("test", b"key".to_vec(), vec![1, 2, 3]).unwrap();
    let root = Digest::of(b"root");
    let at = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let receipt = Receipt::new(root, 2, 1000, 600, at);
    let mut request = Request::new(uid("1.2.3"), Auth::new(b"grant".to_vec()).unwrap());
    request.known = Some(root);
    let mut early = Request::new(uid("1.2.3"), Auth::none());
    early.early = 1 << 20;
    let mut report = Report::new(ErrorCode::StudyRefused);
    report.reason = Some(77);
    vec![
        (
            "hello",
            Frame::Hello(Session::new(Auth::new(b"site".to_vec()).unwrap())),
        ),
        ("request", Frame::Request { slot: 0, request }),
        (
            "request-early",
            Frame::Request {
                slot: 0,
                request: early,
            },
        ),
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
            "data-coded",
            Frame::Coded {
                slot: 0,
                chunk: 3,
                codec: Codec::Samples,
                bytes: b"residuals".to_vec(),
            },
        ),
        (
            "data-rest",
            Frame::Rest {
                slot: 0,
                chunk: 3,
                bytes: b"header".to_vec(),
            },
        ),
        (
            "data-rest-empty",
            Frame::Rest {
                slot: 0,
                chunk: 4,
                bytes: Vec::new(),
            },
        ),
        (
            "held",
            Frame::Held {
                slot: 0,
                instance: 2,
                runs: vec![run(0, 3), run(5, 1)],
            },
        ),
        (
            "held-none",
            Frame::Held {
                slot: 0,
                instance: 2,
                runs: Vec::new(),
            },
        ),
        (
            "hello-held",
            Frame::Hello(Session::new(Auth::none()).with_held_runs(8192)),
        ),
        (
            "hello-codecs",
            Frame::Hello(
                Session::new(Auth::none())
                    .with_codecs(Codecs::raw().with(Codec::Zstd).with(Codec::Samples)),
            ),
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

/// XFR-21, XFR-22.
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
    let mut rest_damaged = raw(6, 8, 0, 3, 0, 3, b"header");
    *rest_damaged.last_mut().unwrap() ^= 1;
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
            "a codec of a later version",
            raw(1, 8, 0, 4, 0, 0, &[0]),
            "coding",
            8,
        ),
        (
            "codec-of-control",
            "only chunks are coded",
            raw(0, 14, 0, 1, 0xFFFF, 0, &[]),
            "coding",
            8,
        ),
        (
            "hello-codecs-falling",
            "codecs rise",
            framed(1, 0xFFFF, 0, &[hello.clone(), field(17, &[2, 1])].concat()),
            "body",
            8,
        ),
        (
            "hello-codecs-raw",
            "raw is not named",
            framed(1, 0xFFFF, 0, &[hello.clone(), field(17, &[0, 1])].concat()),
            "body",
            8,
        ),
        (
            "hello-codecs-none",
            "no codec has one form: no field",
            framed(1, 0xFFFF, 0, &[hello.clone(), field(17, &[])].concat()),
            "body",
            8,
        ),
        (
            "hello-held-none",
            "a side that keeps no runs has one form: no field",
            framed(1, 0xFFFF, 0, &[hello.clone(), field(18, &[0; 4])].concat()),
            "body",
            8,
        ),
        (
            "held-touching",
            "runs that touch are one run",
            framed(15, 0, 1, &want(&[[0, 1], [1, 1]])),
            "body",
            8,
        ),
        (
            "held-cut",
            "half a run",
            framed(15, 0, 1, &[0; 4]),
            "body",
            8,
        ),
        (
            "held-no-slot",
            "HELD needs a slot",
            framed(15, 0xFFFF, 1, &want(&[[0, 1]])),
            "body",
            8,
        ),
        (
            "held-long",
            "32 KiB and a byte",
            raw(32_769, 15, 0, 0, 0, 0, &[]),
            "too_long",
            8,
        ),
        (
            "data-rest-damaged",
            "one bit of what is outside held pieces: the CRC is over it",
            rest_damaged,
            "crc",
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
            "request-early-zero",
            "no credit has one form: no field",
            framed(
                2,
                0,
                0,
                &[field(3, &[]), field(4, b"1.2"), field(16, &[0; 4])].concat(),
            ),
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
