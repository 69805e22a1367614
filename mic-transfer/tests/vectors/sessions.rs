//! Whole sessions: what a source answers to a receiver's bytes.

use mic_transfer::receiver::ReceiverEvent;
use mic_transfer::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use mic_transfer::storage::MemoryStorage;
use mic_transfer::wire::{Frame, FrameReader, PREFACE, encode};
use mic_transfer::{Digest, ErrorCode, Run};
use serde_json::json;

use crate::common::{MadeStudy, World, bytes_of, frames_of};
use crate::shared::{case, hex, settle, unhex};

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

/// XFR-42 and the order of frames, as a source sees it.
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
    let frames = frames_of(&up);
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
    let mut cases = vec![
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
    let mut eager = World::new(0, core::slice::from_ref(&study), MemoryStorage::new());
    eager.early(1 << 20);
    eager.connect();
    eager.pull_all();
    assert!(eager.run());
    cases.push(case(
        "early",
        "first images ahead of the rest of the manifest: nothing is left to be wanted",
        &eager.record_up,
        json!({ "ok": { "answer": hex(&eager.record_down) } }),
    ));
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
