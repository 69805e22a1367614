//! A made-up study in memory, and both sides of a transfer in one loop.

use std::time::Duration;

use mic_transfer::receiver::{Priority, Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput};
use mic_transfer::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use mic_transfer::storage::MemoryStorage;
use mic_transfer::store::{Store, StoreConfig};
use mic_transfer::tree::{Leaves, TreeBuilder};
use mic_transfer::{Auth, Digest, Instance, Manifest, ManifestBuilder, SignedManifest, Uid};

use crate::Seed;

const STUDY: &str = "1.2.826.0.1.3680043.10.1.3";
const LINE: u32 = 0;

/// A study of noise: files, and what the source knows of them.
pub struct MadeStudy {
    /// Its manifest, unsigned.
    pub signed: SignedManifest,
    /// The files.
    pub files: Vec<Vec<u8>>,
    /// Their leaves, as an archive keeps them.
    pub leaves: Vec<Leaves>,
}

impl MadeStudy {
    /// So many files of so many bytes.
    ///
    /// # Errors
    ///
    /// What a manifest refuses.
    pub fn new(files: usize, bytes: usize) -> anyhow::Result<Self> {
        let mut seed = Seed::new(0x7a45);
        let files: Vec<Vec<u8>> = (0..files).map(|_| seed.bytes(bytes)).collect();
        let (digests, leaves): (Vec<Digest>, Vec<Leaves>) = files
            .iter()
            .map(|file| {
                let mut tree = TreeBuilder::new();
                tree.update(file);
                tree.finish()
            })
            .unzip();
        let lengths = files.iter().map(|file| file.len() as u64);
        let manifest = manifest(digests.into_iter().zip(lengths))?;
        Ok(Self {
            signed: SignedManifest::new(manifest, None),
            files,
            leaves,
        })
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.signed.manifest().bytes_total()
    }
}

/// The manifest of a CT study with these digests and lengths.
///
/// # Errors
///
/// What a manifest refuses.
pub fn manifest(instances: impl Iterator<Item = (Digest, u64)>) -> anyhow::Result<Manifest> {
    let mut builder = ManifestBuilder::new(Uid::new(STUDY)?);
    for (number, (digest, length)) in instances.enumerate() {
        builder.push(Instance::new(
            Uid::new("1.2.840.10008.5.1.4.1.1.2")?,
            Uid::new(&format!("{STUDY}.1.{number}"))?,
            Uid::new(&format!("{STUDY}.1"))?,
            Uid::new("1.2.840.10008.1.2.1")?,
            length,
            digest,
        )?)?;
    }
    Ok(builder.build()?)
}

/// Moves a study from a sender to a receiver and its store in memory, frames and checks included. The bytes that
/// are verified and stored at the end.
///
/// # Errors
///
/// The study did not arrive.
pub fn session(study: &MadeStudy) -> anyhow::Result<u64> {
    let mut now = Duration::ZERO;
    let mut sender = Sender::new(SenderConfig::default(), now);
    let mut receiver = Receiver::new(ReceiverConfig::default());
    let (mut store, _) = Store::open(MemoryStorage::new(), StoreConfig::default())?;
    receiver.connect(LINE, Auth::none(), now);
    let slot = receiver.pull(Uid::new(STUDY)?, Auth::none(), Priority::Waiting, None, now);
    anyhow::ensure!(slot.is_some(), "no slot");
    while !receiver.is_idle() {
        let deadline = loop {
            match receiver.poll_output() {
                ReceiverOutput::Send(_, packet) => {
                    packet
                        .parts()
                        .iter()
                        .for_each(|part| sender.handle_bytes(part, now));
                }
                ReceiverOutput::Store(operation) => {
                    receiver.handle_storage(store.execute(operation, now), now);
                }
                ReceiverOutput::Event(ReceiverEvent::Offered { slot, .. }) => receiver.accept(slot),
                ReceiverOutput::Event(ReceiverEvent::Durable { slot, .. }) => {
                    receiver
                        .issue_receipt(slot, crate::consent::now()?, None, |_| anyhow::Ok(None))?;
                }
                ReceiverOutput::Event(ReceiverEvent::Failed { error, .. }) => {
                    return Err(error.into());
                }
                ReceiverOutput::Wait(deadline) => break deadline,
                _ => {}
            }
        };
        if !drain(&mut sender, &mut receiver, study, now)? {
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
    anyhow::ensure!(store.complete().len() == 1, "the study is not listed");
    Ok(study.bytes())
}

/// Lets the source do all it can; whether there was anything.
fn drain(
    sender: &mut Sender,
    receiver: &mut Receiver,
    study: &MadeStudy,
    now: Duration,
) -> anyhow::Result<bool> {
    let mut busy = false;
    loop {
        match sender.poll_output() {
            SenderOutput::Send(packet) => {
                packet
                    .parts()
                    .iter()
                    .for_each(|part| receiver.handle_bytes(LINE, part, now));
            }
            SenderOutput::Read {
                instance,
                offset,
                length,
                ..
            } => {
                let (start, length) = (usize::try_from(offset)?, usize::try_from(length)?);
                let file = study.files.get(usize::try_from(instance)?);
                sender.handle_read(
                    file.and_then(|file| Some(file.get(start..start + length)?.to_vec())),
                );
            }
            SenderOutput::Leaves { instance, .. } => {
                sender.handle_leaves(study.leaves.get(usize::try_from(instance)?).cloned());
            }
            SenderOutput::Event(SenderEvent::AuthorizeSession { .. }) => sender.accept_session(),
            SenderOutput::Event(SenderEvent::AuthorizeStudy { slot, .. }) => {
                sender.offer(slot, study.signed.clone());
            }
            SenderOutput::Event(SenderEvent::Receipt { slot, receipt, .. }) => {
                sender.countersign(slot, &receipt, None);
            }
            SenderOutput::Wait(_) => return Ok(busy),
            _ => {}
        }
        busy = true;
    }
}
