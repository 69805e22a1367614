//! Any sequence of operations against a receiver with a store in memory: no panic, nothing readable
//! that is not right, nothing complete that is not whole, no more owed than the window and a click.
#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use mic_transfer::receiver::{Priority, Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput};
use mic_transfer::storage::{CrashStyle, MemoryStorage};
use mic_transfer::store::Store;
use mic_transfer::wire::{Frame, Offer, PREFACE, Session, encode};
use mic_transfer::{Auth, Digest, Instance, Manifest, ManifestBuilder, Uid};

fn study() -> (Manifest, Vec<Vec<u8>>) {
    let uid = |text: &str| Uid::new(text).expect("a literal");
    let files: Vec<Vec<u8>> = (1..5_u8)
        .map(|at| vec![at; 100 * usize::from(at)])
        .collect();
    let mut builder = ManifestBuilder::new(uid("1.2"));
    for (at, file) in files.iter().enumerate() {
        let name = uid(&format!("1.2.{at}"));
        let (length, digest) = (file.len() as u64, Digest::of(file));
        let made = Instance::new(uid("1.3"), name, uid("1.4"), uid("1.5"), length, digest);
        builder.push(made.expect("small")).expect("distinct");
    }
    (builder.build().expect("four"), files)
}

fuzz_target!(|bytes: &[u8]| {
    let (manifest, files) = study();
    let (mut store, _) = Store::open(MemoryStorage::new(), Default::default()).expect("empty");
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
        let (operation, value) = (pair[0] % 16, pair[1]);
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
            1 => sent(Frame::Hello(Session::new(Auth::none()))),
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
    for study in store.complete() {
        let verified = store.verify(study.root()).expect("complete");
        assert!(verified.wrong.is_empty() && verified.right == 4);
    }
});
