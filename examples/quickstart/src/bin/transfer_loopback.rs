//! A study from one side to the other in memory: the two sides are pure state machines, and this file
//! is their socket, their disk and their clock.
//!
//! Type `cargo run -p mic-quickstart --bin transfer_loopback`. It prints:
//!
//! ```text
//! root      18bcd1ad38a5d0b06a51220aa4fbaeec1495f87a539f3caa1d348574182701da
//! offered   4 instances
//! readable  instance 2
//! readable  instance 0
//! readable  instance 1
//! readable  instance 3
//! receipt   81ec964b81d4a32e7c51e215de967c2a524e26e0d72af8b832b1a4f63490f25d
//! identical 4 of 4
//! study     3000000 bytes; line 3001453 down, 414 up
//! ```
//!
//! The middle slice comes first, so that there is something to see. The images are made of numbers.
//! `resume_after_cut` does the same over TCP with the ready adapter.

use std::time::Duration;

use anyhow::Context as _;
use mic_transfer::receiver::{Priority, Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput};
use mic_transfer::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use mic_transfer::storage::MemoryStorage;
use mic_transfer::store::{Store, StoreConfig};
use mic_transfer::tree::TreeBuilder;
use mic_transfer::wire::Codecs;
use mic_transfer::{Auth, Digest, Instance, ManifestBuilder, SignedManifest, Uid};

/// The one connection of this example.
const LINE: u32 = 0;

fn main() -> anyhow::Result<()> {
    // What the source has: four made-up slices and the manifest that names them.
    let slices: Vec<Vec<u8>> = (1..=4_u32)
        .map(|n| (0..300_000 * n).map(|at| (at * n / 7) as u8).collect())
        .collect();
    let study = Uid::new("1.2.826.0.1.3680043.10.1.1")?;
    let mut builder = ManifestBuilder::new(study.clone());
    for (number, slice) in slices.iter().enumerate() {
        builder.push(Instance::new(
            Uid::new("1.2.840.10008.5.1.4.1.1.2")?, // CT image
            Uid::new(&format!("1.2.826.0.1.3680043.10.1.1.1.{number}"))?,
            Uid::new("1.2.826.0.1.3680043.10.1.1.1")?,
            Uid::new("1.2.840.10008.1.2.1")?, // explicit VR, little endian
            slice.len() as u64,
            Digest::of(slice),
        )?)?;
    }
    let signed = SignedManifest::new(builder.build()?, None);
    println!("root      {}", signed.manifest().root());

    let mut now = Duration::ZERO;
    let mut sender = Sender::new(SenderConfig::default(), now);
    let mut config = ReceiverConfig::default();
    // What is printed is the same whether or not chunks could be coded.
    config.codecs = Codecs::raw();
    let mut receiver = Receiver::new(config);
    let (mut store, _) = Store::open(MemoryStorage::new(), StoreConfig::default())?;
    receiver.connect(LINE, Auth::none(), now);
    receiver
        .pull(study, Auth::none(), Priority::Waiting, None, now)
        .context("too many studies")?;

    // After every call that may change something, drain both sides until they wait.
    let (mut down, mut up) = (0, 0);
    while !receiver.is_idle() {
        let deadline = loop {
            match receiver.poll_output() {
                ReceiverOutput::Send(_, packet) => {
                    up += packet.len();
                    sender.handle_bytes(&packet.to_vec(), now);
                }
                ReceiverOutput::Store(operation) => {
                    receiver.handle_storage(store.execute(operation, now), now);
                }
                ReceiverOutput::Event(event) => decide(&mut receiver, event)?,
                ReceiverOutput::Wait(deadline) => break deadline,
                _ => {}
            }
        };
        let mut idle = true;
        loop {
            match sender.poll_output() {
                SenderOutput::Send(packet) => {
                    down += packet.len();
                    receiver.handle_bytes(LINE, &packet.to_vec(), now);
                }
                SenderOutput::Read {
                    instance,
                    offset,
                    length,
                    ..
                } => {
                    let (start, length) = (offset as usize, length as usize);
                    let slice = slices.get(instance as usize);
                    sender.handle_read(
                        slice.and_then(|slice| Some(slice.get(start..start + length)?.to_vec())),
                    );
                }
                SenderOutput::Leaves { instance, .. } => {
                    let mut tree = TreeBuilder::new();
                    tree.update(slices.get(instance as usize).context("no such instance")?);
                    sender.handle_leaves(Some(tree.finish().1));
                }
                SenderOutput::Event(SenderEvent::AuthorizeSession { .. }) => {
                    sender.accept_session();
                }
                SenderOutput::Event(SenderEvent::AuthorizeStudy { slot, .. }) => {
                    sender.offer(slot, signed.clone());
                }
                SenderOutput::Event(SenderEvent::Receipt { slot, receipt, .. }) => {
                    sender.countersign(slot, &receipt, None);
                }
                SenderOutput::Wait(_) => break,
                _ => {}
            }
            idle = false;
        }
        if idle {
            // Nothing is under way: time passes until somebody wants to act.
            now = deadline
                .into_iter()
                .chain(store.deadline())
                .min()
                .unwrap_or(now)
                .max(now);
            store.handle_time(now)?;
            receiver.handle_time(now);
        }
    }

    // Byte for byte, out of the receiver's store.
    let mut same = 0;
    for (instance, slice) in signed.manifest().instances().iter().zip(&slices) {
        let mut bytes = vec![0; slice.len()];
        store.read_instance(instance.digest(), 0, &mut bytes)?;
        same += usize::from(bytes == *slice);
    }
    println!("identical {same} of {}", slices.len());
    println!(
        "study     {} bytes; line {down} down, {up} up",
        signed.manifest().bytes_total()
    );
    Ok(())
}

/// The application's part: judge the manifest, sign the receipt, show what can be shown.
fn decide(receiver: &mut Receiver, event: ReceiverEvent) -> anyhow::Result<()> {
    match event {
        ReceiverEvent::Offered { slot, signed } => {
            println!(
                "offered   {} instances",
                signed.manifest().instances().len()
            );
            receiver.accept(slot);
        }
        ReceiverEvent::Instance { instance, .. } => println!("readable  instance {instance}"),
        ReceiverEvent::Durable { slot, .. } => {
            let at = "2026-11-18T09:06:40Z".parse()?;
            receiver.issue_receipt(slot, at, None, |_message| anyhow::Ok(None))?;
        }
        ReceiverEvent::Complete { receipt, .. } => println!("receipt   {}", receipt.digest()),
        ReceiverEvent::Failed { error, .. } => return Err(error.into()),
        _ => {}
    }
    Ok(())
}
