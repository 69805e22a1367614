//! The memory of hostile peers: whatever they send, the receiver and the source hold so many MiB and
//! no more. One test a process, as the allocator counts all of it.

#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test's ways to fail and to speak"
)]
use core::time::Duration;
use mic_transfer::limits::{CHUNK_BYTES, HELD_RUNS_MAX, QUEUED_RUNS_MAX, RUNS_MAX};
use mic_transfer::receiver::{Priority, Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput};
use mic_transfer::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use mic_transfer::wire::{Frame, Offer, PREFACE, Request, Session, encode};
use mic_transfer::{
    Auth, Digest, Instance, Manifest, ManifestBuilder, Pieces, PixelRange, Run, SignedManifest, Uid,
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const MIB: usize = 1024 * 1024;

/// The most MiB held at once in `work`, beyond what was held before.
fn most(work: impl FnOnce()) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    work();
    (ALLOCATOR.peak_usage() - before).div_ceil(MIB)
}

fn uid(text: &str) -> Uid {
    Uid::new(text).unwrap()
}

fn study(name: &str, count: u32, length: u64) -> Manifest {
    let mut builder = ManifestBuilder::new(uid(name));
    for number in 0..count {
        let digest = Digest::of(format!("{name} {number}").as_bytes());
        let own = uid(&format!("{name}.{number}.{}", "7".repeat(40)));
        let made = Instance::new(uid("1.3"), own, uid("1.4"), uid("1.5"), length, digest);
        builder.push(made.unwrap().with_rank(number)).unwrap();
    }
    builder.build().unwrap()
}

fn hello() -> Vec<u8> {
    let hello = Frame::Hello(Session::new(Auth::none()));
    [&PREFACE[..], &encode(&hello).to_vec()].concat()
}

/// Sixty-four studies are asked for, and the source offers manifests without end: of hundreds of
/// megabytes together, whole and cut short, with chunks by the million.
fn source_of_giants() -> usize {
    let now = Duration::ZERO;
    let many = study("1.2.0", 60_000, 1);
    let large = study("1.2.0", 10_000, 16 << 30);
    assert!(many.encoded().len() > 5 * MIB);
    most(move || {
        let mut receiver = Receiver::new(ReceiverConfig::default());
        receiver.connect(0, Auth::none(), now);
        receiver.handle_bytes(0, &hello(), now);
        let (mut failed, mut offered) = (0, 0);
        for slot in 0..64_u16 {
            receiver.pull(uid("1.2.0"), Auth::none(), Priority::Waiting, None, now);
            let manifest = if slot % 2 == 0 { &many } else { &large };
            let length = manifest.encoded().len();
            let offer = Offer::new(*manifest.root(), length as u32, None);
            let mut frames = vec![Frame::Offer { slot, offer }];
            let head = manifest.encoded_head().len();
            let mut parts = vec![(0, &manifest.encoded()[..head])];
            let body = manifest.encoded()[head..].chunks(64 * 1024);
            parts.extend(
                body.enumerate()
                    .map(|(at, part)| (head + at * 64 * 1024, part)),
            );
            if slot % 3 == 0 {
                parts.pop();
            }
            for (offset, bytes) in parts {
                let (offset, bytes) = (offset as u32, bytes.to_vec());
                frames.push(Frame::Manifest {
                    slot,
                    offset,
                    bytes,
                });
            }
            for frame in frames {
                receiver.handle_bytes(0, &encode(&frame).to_vec(), now);
                loop {
                    match receiver.poll_output() {
                        ReceiverOutput::Wait(_) => break,
                        ReceiverOutput::Event(ReceiverEvent::Offered { slot, .. }) => {
                            offered += 1;
                            receiver.accept(slot);
                        }
                        ReceiverOutput::Event(ReceiverEvent::Failed { .. }) => failed += 1,
                        _ => {}
                    }
                }
            }
        }
        assert!(failed > 40 && offered > 0, "{failed} {offered}");
        assert_eq!(
            receiver.connections(),
            1,
            "an honest source may be large, too"
        );
    })
}

/// A source that sends first images it was given no credit for, and leaves of everything.
fn source_that_sends_unasked() -> usize {
    let now = Duration::ZERO;
    let manifest = study("1.2.0", 500, 1 << 30);
    most(move || {
        let mut receiver = Receiver::new(ReceiverConfig::default());
        for line in 0..16_u32 {
            receiver.connect(line, Auth::none(), now);
            receiver.handle_bytes(line, &hello(), now);
            receiver.pull(uid("1.2.0"), Auth::none(), Priority::Waiting, None, now);
            let length = manifest.encoded().len() as u32;
            let offer = Offer::new(*manifest.root(), length, None);
            receiver.handle_bytes(
                line,
                &encode(&Frame::Offer { slot: 0, offer }).to_vec(),
                now,
            );
            let bytes = manifest.encoded_head().to_vec();
            let head = Frame::Manifest {
                slot: 0,
                offset: 0,
                bytes,
            };
            receiver.handle_bytes(line, &encode(&head).to_vec(), now);
            for number in 0..400_u32 {
                let bytes = vec![1; CHUNK_BYTES];
                let data = Frame::Data {
                    slot: 0,
                    chunk: number,
                    bytes,
                };
                receiver.handle_bytes(line, &encode(&data).to_vec(), now);
                let values = vec![[number as u8; 32]; 4096];
                let leaves = Frame::Leaves {
                    slot: 0,
                    instance: number,
                    values,
                };
                receiver.handle_bytes(line, &encode(&leaves).to_vec(), now);
                while !matches!(receiver.poll_output(), ReceiverOutput::Wait(_)) {}
            }
        }
    })
}

/// A source to which a receiver has opened 64 studies, and whose bytes it does not read.
fn opened(manifest: &Manifest) -> Sender {
    let now = Duration::ZERO;
    let mut sender = Sender::new(SenderConfig::default(), now);
    let drain = |sender: &mut Sender| {
        for _ in 0..4096 {
            match sender.poll_output() {
                SenderOutput::Event(SenderEvent::AuthorizeSession { .. }) => {
                    sender.accept_session();
                }
                SenderOutput::Event(SenderEvent::AuthorizeStudy { slot, .. }) => {
                    sender.offer(slot, SignedManifest::new(manifest.clone(), None));
                }
                // The socket of this receiver is full.
                SenderOutput::Read { .. } | SenderOutput::Wait(_) => return,
                _ => {}
            }
        }
    };
    sender.handle_bytes(&hello(), now);
    drain(&mut sender);
    for slot in 0..64 {
        let request = Request::new(uid("1.2.0"), Auth::none());
        let request = encode(&Frame::Request { slot, request });
        sender.handle_bytes(&request.to_vec(), now);
        drain(&mut sender);
    }
    sender
}

/// A receiver that wants and ranks the most scattered runs of the most studies, over and over.
fn receiver_of_runs() -> usize {
    let now = Duration::ZERO;
    let manifest = study("1.2.0", 60_000, 1);
    most(move || {
        let mut sender = opened(&manifest);
        let scattered = |shift: u32| -> Vec<Run> {
            let runs = (0..RUNS_MAX as u32).filter_map(|at| Run::new(at * 8 + shift, 3));
            runs.collect()
        };
        for round in 0..200_u32 {
            let (slot, class, runs) = ((round % 64) as u16, round % 6, scattered(round % 5));
            let frame = if round % 3 == 0 {
                Frame::Want { slot, class, runs }
            } else {
                Frame::Rank { slot, class, runs }
            };
            sender.handle_bytes(&encode(&frame).to_vec(), now);
        }
        assert!(sender.is_closed(), "{QUEUED_RUNS_MAX} runs were passed");
    })
}

/// A receiver that names the most scattered runs of held pieces of everything.
fn receiver_that_holds_all() -> usize {
    let now = Duration::ZERO;
    let mut builder = ManifestBuilder::new(uid("1.2.0"));
    for number in 0..12_u32 {
        let own = uid(&format!("1.2.0.{number}"));
        let length = 10_000 * 4096;
        let digest = Digest::of(&number.to_le_bytes());
        let made = Instance::new(uid("1.3"), own, uid("1.4"), uid("1.5"), length, digest);
        let pieces = (0..10_000_u64).map(|at| {
            let range = PixelRange::new(at * 4096, 4096).unwrap();
            (range, Digest::of(&at.to_le_bytes()))
        });
        let pixels = PixelRange::new(0, length).unwrap();
        let made = made.unwrap().with_pixels(pixels).unwrap();
        let made = made.with_pieces(Pieces::new(pieces).unwrap());
        builder.push(made.unwrap()).unwrap();
    }
    let manifest = builder.build().unwrap();
    most(move || {
        let mut sender = opened(&manifest);
        let runs: Vec<Run> = (0..RUNS_MAX as u32)
            .filter_map(|at| Run::new(at * 2, 1))
            .collect();
        let mut told = 0;
        for round in 0..200_u32 {
            let held = Frame::Held {
                slot: (round % 64) as u16,
                instance: round % 12,
                runs: runs.clone(),
            };
            sender.handle_bytes(&encode(&held).to_vec(), now);
            told += u32::from(!sender.is_closed());
        }
        assert_eq!(told, (HELD_RUNS_MAX / RUNS_MAX) as u32);
    })
}

/// XFR-7, XFR-66: whatever is said, memory keeps to the limits; a study beyond them fails and the connection stands.
#[test]
fn ok_hostile_peers_are_held_to_a_few_mebibytes() {
    for (name, work, cap) in [
        (
            "a source of giant manifests",
            source_of_giants as fn() -> usize,
            320,
        ),
        ("a source that sends unasked", source_that_sends_unasked, 64),
        ("a receiver of scattered runs", receiver_of_runs, 32),
        ("a receiver that holds all", receiver_that_holds_all, 16),
    ] {
        let found = work();
        eprintln!("{name}: {found} MiB at most, {cap} allowed");
        assert!(found <= cap, "{name}: {found} MiB");
    }
}
