//! Any sequence of operations against a receiver with a store in memory: no panic, nothing readable
//! that is not right, nothing complete that is not whole, no more owed than the window and a click.
#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use mic_transfer::receiver::{Priority, Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput};
use mic_transfer::storage::{CrashStyle, MemoryStorage, Storage};
use mic_transfer::store::{Action, Store, StoreOp};
use mic_transfer::wire::{Frame, Offer, PREFACE, Session, encode};
use mic_transfer::{
    Auth, Digest, Instance, Manifest, ManifestBuilder, PieceHasher, PixelRange, SignedManifest, Uid,
};

/// Bytes of the header before the pixels of the last file, and of the pixels.
const HEADER: usize = 300;
const PIXELS: usize = 9000;

/// Three files without pixels and one with two frames.
fn study(name: &str, header: u8) -> (Manifest, Vec<Vec<u8>>) {
    let uid = |text: &str| Uid::new(text).expect("a literal");
    let mut files: Vec<Vec<u8>> = (1..4_u8)
        .map(|at| vec![at ^ header; 100 * usize::from(at)])
        .collect();
    files.push([vec![header; HEADER], vec![5; PIXELS]].concat());
    let mut builder = ManifestBuilder::new(uid(name));
    for (at, file) in files.iter().enumerate() {
        let name = uid(&format!("1.2.{at}"));
        let (length, digest) = (file.len() as u64, Digest::of(file));
        let made = Instance::new(uid("1.3"), name, uid("1.4"), uid("1.5"), length, digest);
        let mut made = made.expect("small");
        if at == 3 {
            let range = |at: usize, of: usize| {
                PixelRange::new((HEADER + at) as u64, of as u64).expect("not empty")
            };
            let pixels = range(0, PIXELS);
            let frames = [range(0, PIXELS / 2), range(PIXELS / 2, PIXELS / 2)];
            let mut pieces = PieceHasher::new(pixels, &frames);
            pieces.update(file);
            let pieces = pieces.finish().expect("the file is whole");
            made = made.with_pixels(pixels).expect("within the file");
            made = made.with_pieces(pieces).expect("within the pixels");
        }
        builder.push(made).expect("distinct");
    }
    (builder.build().expect("four"), files)
}

/// A store with a study whose pixels are those of the one that is pulled.
fn holding(manifest: &Manifest, files: &[Vec<u8>]) -> Store<MemoryStorage> {
    let (mut store, _) = Store::open(MemoryStorage::new(), Default::default()).expect("empty");
    let root = *manifest.root();
    let open = Action::Open(SignedManifest::new(manifest.clone(), None));
    let writes = (0..).zip(files).map(|(chunk, bytes)| Action::Write {
        chunk,
        bytes: bytes.clone(),
    });
    for action in [open].into_iter().chain(writes).chain([Action::Commit]) {
        let result = store.execute(StoreOp::new(0, root, action), Duration::ZERO);
        assert!(result.outcome.is_ok());
    }
    store
}

fuzz_target!(|bytes: &[u8]| {
    let (manifest, files) = study("1.2", 0);
    let (held, held_files) = study("1.9", 64);
    let mut store = holding(&held, &held_files);
    let mut receiver = Receiver::new(ReceiverConfig::default());
    let (mut now, mut line) = (Duration::ZERO, 0);
    let _ = receiver.pull(
        manifest.study().clone(),
        Auth::none(),
        Priority::Waiting,
        None,
        now,
    );
    for pair in bytes.chunks_exact(2) {
        let (operation, value) = (pair[0] % 19, pair[1]);
        let chunk = u32::from(value % 6);
        let file = files
            .get(chunk as usize)
            .cloned()
            .unwrap_or_else(|| vec![9; 50]);
        let sent = |frame: Frame| encode(&frame).to_vec();
        let part = match operation {
            0 => {
                line += 1;
                receiver.connect(line, Auth::none(), now);
                PREFACE.to_vec()
            }
            1 => {
                let runs = u32::from(value % 4);
                sent(Frame::Hello(
                    Session::new(Auth::none()).with_held_runs(runs),
                ))
            }
            2 => {
                let length = manifest.encoded().len() as u32;
                sent(Frame::Offer {
                    slot: 0,
                    offer: Offer::new(*manifest.root(), length, None),
                })
            }
            3 => sent(Frame::Offer {
                slot: 0,
                offer: Offer::new(*manifest.root(), 0, None),
            }),
            4 => {
                let head = manifest.encoded_head();
                let body = &manifest.encoded()[head.len()..];
                let part = |offset: usize, bytes: &[u8]| {
                    sent(Frame::Manifest {
                        slot: 0,
                        offset: offset as u32,
                        bytes: bytes.to_vec(),
                    })
                };
                let head = (part(0, head), part(head.len(), body));
                // The head alone leaves room for first images.
                if value % 2 == 0 {
                    head.0
                } else {
                    [head.0, head.1].concat()
                }
            }
            5..=8 => sent(Frame::Data {
                slot: 0,
                chunk,
                bytes: file,
            }),
            9 => sent(Frame::Data {
                slot: 0,
                chunk,
                bytes: vec![value; 100],
            }),
            10 => vec![value; 16],
            11 => {
                receiver.handle_disconnect(line, now);
                Vec::new()
            }
            12 => {
                now += Duration::from_secs(u64::from(value));
                receiver.handle_time(now);
                Vec::new()
            }
            13 => {
                receiver.click(0, chunk, now);
                Vec::new()
            }
            // What lies outside the pieces, rightly and not.
            15 => sent(Frame::Rest {
                slot: 0,
                chunk: 3,
                bytes: vec![value & 1; HEADER],
            }),
            16 => sent(Frame::Rest {
                slot: 0,
                chunk,
                bytes: vec![0; usize::from(value)],
            }),
            17 => {
                // The study that is held goes, or its disk wears out.
                if value % 2 == 0 {
                    let _ = store.remove(held.root());
                } else {
                    let path = format!("complete/{}/pack", held.root());
                    if let Ok(pack) = store.storage_mut().open(&path, false) {
                        let at = 600 + u64::from(value) * 30;
                        let _ = store.storage_mut().write_at(pack, at, &[9]);
                        store.storage_mut().close(pack);
                    }
                }
                Vec::new()
            }
            14 => {
                store.storage_mut().stop_after(u64::from(value));
                Vec::new()
            }
            _ => {
                let mut storage = store.into_storage();
                storage.crash(CrashStyle::Tear(u64::from(value) + 1));
                store = Store::open(storage, Default::default())
                    .expect("a disk that works")
                    .0;
                receiver = Receiver::new(ReceiverConfig::default());
                let known = store
                    .known(manifest.study())
                    .last()
                    .map(|signed| (*signed).clone());
                let uid = manifest.study().clone();
                let _ = receiver.pull(uid, Auth::none(), Priority::Waiting, known, now);
                Vec::new()
            }
        };
        receiver.handle_bytes(line, &part, now);
        loop {
            match receiver.poll_output() {
                ReceiverOutput::Wait(_) => break,
                ReceiverOutput::Store(operation) => {
                    let result = store.execute(operation, now);
                    receiver.handle_storage(result, now);
                }
                ReceiverOutput::Event(ReceiverEvent::Offered { slot, .. }) => receiver.accept(slot),
                _ => {}
            }
        }
        assert!(receiver.owed_bytes(line) <= 2 * ReceiverConfig::default().window_bytes + 262_144);
    }
    let mut storage = store.into_storage();
    storage.crash(CrashStyle::Kill);
    let (mut store, _) = Store::open(storage, Default::default()).expect("a disk that works");
    for (instance, file) in manifest.instances().iter().zip(&files) {
        let mut found = vec![0; file.len()];
        if store
            .read_instance(instance.digest(), 0, &mut found)
            .is_ok()
        {
            assert_eq!(found, *file);
        }
    }
    let complete = store.complete();
    let pulled = complete.iter().filter(|study| study.root() != held.root());
    for study in pulled {
        let verified = store.verify(study.root()).expect("complete");
        assert!(verified.wrong.is_empty() && verified.right == 4);
    }
});
