//! Whole sessions from the other side: what a receiver answers to a source's bytes.

use core::time::Duration;

use mic_transfer::receiver::{Priority, Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput};
use mic_transfer::storage::MemoryStorage;
use mic_transfer::wire::{Codecs, Frame, FrameReader, PREFACE, Report, encode};
use mic_transfer::{Auth, Digest, ErrorCode};
use serde_json::{Value, json};

use crate::common::{MadeStudy, World, bytes_of, frames_of, open, receipt_time};
use crate::shared::{framed, hex, settle, unhex};

/// What a receiver made of a source's bytes.
struct Outcome {
    up: Vec<u8>,
    /// How the connection ended, where it did by a fault.
    fault: Option<ErrorCode>,
    /// How the study ended, where it did without being complete.
    failed: Option<ErrorCode>,
    is_complete: bool,
}

/// A receiver that knows nothing yet asks for `study` on one connection, takes whatever is offered, and hears
/// `down`, frame by frame.
fn receiver_answers(study: &MadeStudy, down: &[u8]) -> Outcome {
    let mut config = ReceiverConfig::default();
    (config.early_bytes, config.codecs) = (0, Codecs::raw());
    let now = Duration::ZERO;
    let mut receiver = Receiver::new(config);
    let mut store = open(MemoryStorage::new());
    receiver.connect(0, Auth::none(), now);
    let asked = receiver.pull(
        study.uid().clone(),
        Auth::none(),
        Priority::Waiting,
        None,
        now,
    );
    assert!(asked.is_some());
    let mut outcome = Outcome {
        up: Vec::new(),
        fault: None,
        failed: None,
        is_complete: false,
    };
    let mut left = down;
    for portion in core::iter::once(0).chain(portions(down)) {
        let (part, after) = left.split_at(portion.min(left.len()));
        left = after;
        receiver.handle_bytes(0, part, now);
        loop {
            match receiver.poll_output() {
                ReceiverOutput::Wait(_) => break,
                ReceiverOutput::Send(_, packet) => outcome.up.extend_from_slice(&packet.to_vec()),
                ReceiverOutput::Store(operation) => {
                    receiver.handle_storage(store.execute(operation, now), now);
                }
                ReceiverOutput::Event(ReceiverEvent::Offered { slot, .. }) => receiver.accept(slot),
                ReceiverOutput::Event(ReceiverEvent::Durable { slot, .. }) => {
                    let issued: Result<(), ()> =
                        receiver.issue_receipt(slot, receipt_time(), None, |_| Ok(None));
                    issued.unwrap();
                }
                ReceiverOutput::Event(ReceiverEvent::Complete { .. }) => outcome.is_complete = true,
                ReceiverOutput::Event(ReceiverEvent::Disconnected(_, Some(error))) => {
                    outcome.fault.get_or_insert(error.code());
                }
                ReceiverOutput::Event(ReceiverEvent::Failed { error, .. }) => {
                    outcome.failed.get_or_insert(error.code());
                }
                _ => {}
            }
        }
    }
    assert_eq!(outcome.is_complete, !store.complete().is_empty());
    outcome
}

/// The preface, each frame, and whatever is no frame.
fn portions(bytes: &[u8]) -> Vec<usize> {
    let (mut reader, mut rest) = (FrameReader::new(), bytes);
    let mut list = vec![PREFACE.len()];
    while let Ok(Some(frame)) = reader.next(&mut rest) {
        list.push(encode(&frame).len());
    }
    list.push(bytes.len());
    list
}

/// Bytes as pieces of hexadecimal and how often each stands there: files of zeros are short to tell.
fn pieces(bytes: &[u8]) -> Value {
    const WORTH: usize = 64;
    let (mut list, mut plain) = (Vec::new(), Vec::new());
    for run in bytes.chunk_by(|a, b| a == b) {
        if run.len() < WORTH {
            plain.extend_from_slice(run);
            continue;
        }
        if !plain.is_empty() {
            list.push(json!([hex(&core::mem::take(&mut plain)), 1]));
        }
        list.push(json!([hex(&run[..1]), run.len()]));
    }
    if !plain.is_empty() {
        list.push(json!([hex(&plain), 1]));
    }
    Value::Array(list)
}

fn unpieces(value: &Value) -> Vec<u8> {
    let pieces = value.as_array().unwrap().iter();
    let bytes =
        pieces.flat_map(|piece| unhex(&piece[0]).repeat(piece[1].as_u64().unwrap() as usize));
    bytes.collect()
}

/// A study of one small file and one of two chunks, and what a source says when it is pulled.
fn recorded() -> (MadeStudy, Vec<Frame>) {
    let study = MadeStudy::of_files("1.2", &[vec![1; 40], vec![0; 262_145]]);
    let mut world = World::new(0, core::slice::from_ref(&study), MemoryStorage::new());
    world.connect();
    world.pull_all();
    assert!(world.run());
    let frames = frames_of(&world.record_down);
    (study, frames)
}

/// The session with something else in it, what the receiver says of it, and in words.
fn wrong_sessions(frames: &[Frame]) -> Vec<(&'static str, &'static str, Vec<u8>, ErrorCode)> {
    let at = |name: &str| {
        frames
            .iter()
            .position(|frame| frame.name() == name)
            .unwrap()
    };
    let without = |name: &str| {
        let mut list = frames.to_vec();
        list.remove(at(name));
        bytes_of(&list)
    };
    let with = |name: &str, change: &dyn Fn(&mut Frame)| {
        let mut list = frames.to_vec();
        change(&mut list[at(name)]);
        bytes_of(&list)
    };
    let twice = |name: &str| {
        let mut list = frames.to_vec();
        list.insert(at(name), frames[at(name)].clone());
        bytes_of(&list)
    };
    let mut damaged = bytes_of(frames);
    damaged[PREFACE.len() + 5] ^= 1;
    let mut version = bytes_of(frames);
    version[6] = 2;
    let before = |name: &str, bytes: &[u8]| [&bytes_of(&frames[..at(name)]), bytes].concat();
    vec![
        (
            "version-2",
            "another major version",
            version,
            ErrorCode::Version,
        ),
        (
            "damaged",
            "a bit of the first header",
            damaged,
            ErrorCode::DamagedFrame,
        ),
        (
            "unknown-kind",
            "a kind below 128 that nobody knows (XFR-22)",
            before("OFFER", &framed(32, 0, 0, &[])[PREFACE.len()..]),
            ErrorCode::BadFrame,
        ),
        (
            "no-hello",
            "an offer before the greeting",
            without("HELLO"),
            ErrorCode::OutOfOrder,
        ),
        (
            "other-slot",
            "an offer for a number that was not given",
            with("OFFER", &|frame| {
                if let Frame::Offer { slot, .. } = frame {
                    *slot = 9;
                }
            }),
            ErrorCode::OutOfOrder,
        ),
        (
            "offer-twice",
            "a second offer",
            twice("OFFER"),
            ErrorCode::OutOfOrder,
        ),
        (
            "no-offer",
            "a manifest of no offer",
            without("OFFER"),
            ErrorCode::OutOfOrder,
        ),
        (
            "other-manifest",
            "a manifest that is not the one offered",
            with("OFFER", &|frame| {
                if let Frame::Offer { offer, .. } = frame {
                    offer.root = Digest::of(b"another");
                }
            }),
            ErrorCode::WrongManifest,
        ),
        (
            "leaves-wrong",
            "leaves that do not merge into the digest",
            with("LEAVES", &|frame| {
                if let Frame::Leaves { values, .. } = frame {
                    values[0][0] ^= 1;
                }
            }),
            ErrorCode::WrongLeaves,
        ),
        (
            "no-leaves",
            "a chunk whose leaf is not known (XFR-28)",
            without("LEAVES"),
            ErrorCode::OutOfOrder,
        ),
        (
            "chunk-wrong",
            "a byte of a chunk",
            with("DATA", &|frame| {
                if let Frame::Data { bytes, .. } = frame {
                    bytes[7] ^= 1;
                }
            }),
            ErrorCode::WrongChunk,
        ),
        (
            "chunk-twice",
            "a chunk that came already (XFR-27)",
            twice("DATA"),
            ErrorCode::NotRequested,
        ),
        (
            "chunk-beyond",
            "a chunk that the study has not",
            with("DATA", &|frame| {
                if let Frame::Data { chunk, .. } = frame {
                    *chunk = 3;
                }
            }),
            ErrorCode::NotRequested,
        ),
        (
            "countersign-other",
            "an answer to another receipt (XFR-42)",
            with("COUNTERSIGN", &|frame| {
                if let Frame::Countersign { receipt, .. } = frame {
                    *receipt = Digest::of(b"another");
                }
            }),
            ErrorCode::OutOfOrder,
        ),
        (
            "countersign-early",
            "an answer before there is a receipt",
            [
                bytes_of(&frames[..at("LEAVES")]),
                encode(&frames[at("COUNTERSIGN")]).to_vec(),
            ]
            .concat(),
            ErrorCode::OutOfOrder,
        ),
    ]
}

#[test]
fn ok_receiver_sessions() {
    let (study, frames) = recorded();
    let session = bytes_of(&frames);
    let answer = receiver_answers(&study, &session);
    assert!(answer.is_complete && answer.fault.is_none());
    let offer = frames
        .iter()
        .position(|frame| frame.name() == "OFFER")
        .unwrap();
    let refused = Frame::Error {
        slot: 0,
        report: Report::new(ErrorCode::StudyRefused),
    };
    let refusal = [bytes_of(&frames[..offer]), encode(&refused).to_vec()].concat();
    let later = framed(144, 0, 0, b"news");
    let mut passed_over = bytes_of(&frames[..=offer]);
    passed_over.extend_from_slice(&later[PREFACE.len()..]);
    passed_over.extend(
        frames[offer + 1..]
            .iter()
            .flat_map(|frame| encode(frame).to_vec()),
    );
    let whole = json!({ "ok": { "answer": pieces(&answer.up), "complete": true } });
    let case = |id: &str, note: &str, input: &[u8], expect: Value| json!({ "id": id, "note": note, "study": "1.2", "input": pieces(input), "expect": expect });
    let mut cases = vec![
        case(
            "pull",
            "a whole study, to the countersigned receipt",
            &session,
            whole.clone(),
        ),
        case(
            "passed-over",
            "a kind from 128 on changes nothing (XFR-22)",
            &passed_over,
            whole,
        ),
        case(
            "refused",
            "the study is not granted: it ends, the connection stands",
            &refusal,
            json!({ "ok": { "study": ErrorCode::StudyRefused.number(), "complete": false } }),
        ),
    ];
    for (id, note, input, code) in wrong_sessions(&frames) {
        let answered = id.starts_with("countersign-other");
        let expect = json!({ "err": { "code": code.number(), "complete": answered } });
        cases.push(case(id, note, &input, expect));
    }
    let title = "what a receiver answers to a source's bytes; pieces are bytes and how often they stand there";
    for case in settle("receivers", title, cases) {
        let found = receiver_answers(&study, &unpieces(&case["input"]));
        let expect = &case["expect"];
        let told = match (found.fault, found.failed) {
            (Some(code), _) => {
                json!({ "err": { "code": code.number(), "complete": found.is_complete } })
            }
            (None, Some(code)) => json!({ "ok": { "study": code.number(), "complete": false } }),
            (None, None) => {
                json!({ "ok": { "answer": pieces(&found.up), "complete": found.is_complete } })
            }
        };
        assert_eq!(&told, expect, "{}", case["id"]);
    }
}
