//! A made-up study in memory, both sides of a transfer in one loop, and what the benches over loopback share.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use mic_transfer::adapter::tcp::{AllowAll, ServeConfig, serve_connection};
use mic_transfer::receiver::{Priority, Receiver, ReceiverConfig, ReceiverEvent, ReceiverOutput};
use mic_transfer::sender::{Sender, SenderConfig, SenderEvent, SenderOutput};
use mic_transfer::source::Source;
use mic_transfer::storage::MemoryStorage;
use mic_transfer::store::{Action, Outcome, Store, StoreConfig, StoreOp, StoreResult};
use mic_transfer::tree::{Leaves, TreeBuilder};
use mic_transfer::wire::Packet;
use mic_transfer::{
    Auth, Digest, Instance, Manifest, ManifestBuilder, RangeSet, SignedManifest, Uid,
};

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
    let (mut store, _) = Store::open(MemoryStorage::new(), StoreConfig::default())?;
    let mut receiving = Receiving::new(|operation, now| store.execute(operation, now))?;
    exchange(study, &mut receiving, |_| {})?;
    drop(receiving);
    anyhow::ensure!(store.complete().len() == 1, "the study is not listed");
    Ok(study.bytes())
}

/// The same between the cores alone: what a store would keep is counted and dropped.
///
/// # Errors
///
/// The study did not arrive.
pub fn cores(study: &MadeStudy) -> anyhow::Result<u64> {
    let mut sink = Sink::default();
    exchange(
        study,
        &mut Receiving::new(|operation, _| sink.take(operation))?,
        |_| {},
    )?;
    Ok(sink.bytes)
}

/// What a source sends in a session, packet by packet.
///
/// # Errors
///
/// The study did not arrive.
pub fn recorded(study: &MadeStudy) -> anyhow::Result<Vec<Vec<u8>>> {
    let (mut sink, mut packets) = (Sink::default(), Vec::new());
    let mut receiving = Receiving::new(|operation, _| sink.take(operation))?;
    exchange(study, &mut receiving, |packet| {
        packets.push(packet.to_vec());
    })?;
    Ok(packets)
}

/// Lets a receiver alone take the packets of [`recorded`]: the bytes it verified and gave out to be kept.
///
/// # Errors
///
/// The study did not arrive.
pub fn replayed(packets: &[Vec<u8>]) -> anyhow::Result<u64> {
    let mut sink = Sink::default();
    let mut receiving = Receiving::new(|operation, _| sink.take(operation))?;
    receiving.drain(|_| {})?;
    for packet in packets {
        receiving.core.handle_bytes(LINE, packet, Duration::ZERO);
        receiving.drain(|_| {})?;
    }
    anyhow::ensure!(receiving.core.is_idle(), "the receiver waits for more");
    drop(receiving);
    Ok(sink.bytes)
}

/// A store that keeps nothing.
#[derive(Default)]
struct Sink {
    bytes: u64,
}

impl Sink {
    fn take(&mut self, operation: StoreOp) -> StoreResult {
        let outcome = match operation.action {
            Action::Open(_) => Outcome::Opened {
                have: RangeSet::new(),
                leaves: Vec::new(),
                pieces: Vec::new(),
                complete: false,
                fetched: 0,
                receipt: None,
                sm3: false,
            },
            Action::Write { chunk, bytes } => {
                self.bytes += bytes.len() as u64;
                Outcome::Written {
                    chunk,
                    buffer: bytes,
                }
            }
            Action::Commit => Outcome::Committed {
                fetched: self.bytes,
                sm3: false,
            },
            _ => Outcome::Noted,
        };
        StoreResult::new(operation.slot, operation.root, Ok(outcome))
    }
}

/// A receiver that pulls the study into whatever `keep` is.
struct Receiving<K> {
    core: Receiver,
    keep: K,
    now: Duration,
    deadline: Option<Duration>,
}

impl<K: FnMut(StoreOp, Duration) -> StoreResult> Receiving<K> {
    fn new(keep: K) -> anyhow::Result<Self> {
        let now = Duration::ZERO;
        let mut core = Receiver::new(ReceiverConfig::default());
        core.connect(LINE, Auth::none(), now);
        let slot = core.pull(Uid::new(STUDY)?, Auth::none(), Priority::Waiting, None, now);
        anyhow::ensure!(slot.is_some(), "no slot");
        Ok(Self {
            core,
            keep,
            now,
            deadline: None,
        })
    }

    /// Lets it do all it can; `send` takes what is for the source.
    fn drain(&mut self, mut send: impl FnMut(&Packet)) -> anyhow::Result<()> {
        loop {
            match self.core.poll_output() {
                ReceiverOutput::Send(_, packet) => send(&packet),
                ReceiverOutput::Store(operation) => {
                    let result = (self.keep)(operation, self.now);
                    self.core.handle_storage(result, self.now);
                }
                ReceiverOutput::Event(ReceiverEvent::Offered { slot, .. }) => {
                    self.core.accept(slot);
                }
                ReceiverOutput::Event(ReceiverEvent::Durable { slot, .. }) => {
                    let time = crate::consent::now()?;
                    self.core
                        .issue_receipt(slot, time, None, |_| anyhow::Ok(None))?;
                }
                ReceiverOutput::Event(ReceiverEvent::Failed { error, .. }) => {
                    return Err(error.into());
                }
                ReceiverOutput::Wait(deadline) => {
                    self.deadline = deadline;
                    return Ok(());
                }
                _ => {}
            }
        }
    }
}

/// Both sides in turn until the receiver has all; `sent` sees what the source sends.
fn exchange<K: FnMut(StoreOp, Duration) -> StoreResult>(
    study: &MadeStudy,
    receiving: &mut Receiving<K>,
    mut sent: impl FnMut(&Packet),
) -> anyhow::Result<()> {
    let mut sender = Sender::new(SenderConfig::default(), receiving.now);
    let mut spare = Vec::new();
    while !receiving.core.is_idle() {
        let now = receiving.now;
        receiving.drain(|packet| {
            packet
                .parts()
                .iter()
                .for_each(|part| sender.handle_bytes(part, now));
        })?;
        let mut busy = false;
        while let Some(packet) = answer(&mut sender, study, &mut spare)? {
            busy = true;
            sent(&packet);
            packet
                .parts()
                .iter()
                .for_each(|part| receiving.core.handle_bytes(LINE, part, now));
            spare.push(packet.into_body());
        }
        if !busy && !receiving.core.is_idle() {
            receiving.now = receiving.deadline.unwrap_or(now).max(now);
            receiving.core.handle_time(receiving.now);
        }
    }
    Ok(())
}

/// The next packet of the source, as long as it has one; `spare` holds buffers that have been sent.
fn answer(
    sender: &mut Sender,
    study: &MadeStudy,
    spare: &mut Vec<Vec<u8>>,
) -> anyhow::Result<Option<Packet>> {
    loop {
        match sender.poll_output() {
            SenderOutput::Send(packet) => return Ok(Some(packet)),
            SenderOutput::Read {
                instance,
                offset,
                length,
                ..
            } => {
                let (start, length) = (usize::try_from(offset)?, usize::try_from(length)?);
                let file = study.files.get(usize::try_from(instance)?);
                let bytes = file.and_then(|file| file.get(start..start + length));
                let mut buffer = spare.pop().unwrap_or_default();
                buffer.clear();
                sender.handle_read(bytes.map(|bytes| {
                    buffer.extend_from_slice(bytes);
                    buffer
                }));
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
            SenderOutput::Wait(_) => return Ok(None),
            _ => {}
        }
    }
}

/// Gives a source's studies to whoever connects over loopback, as long as the process lives.
///
/// # Errors
///
/// No address to listen on.
pub fn serve(source: impl Source + Clone + Send + 'static) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let config = ServeConfig::default();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (source, config) = (source.clone(), config.clone());
            thread::spawn(move || serve_connection(stream, &source, &AllowAll, config));
        }
    });
    Ok(address)
}

/// A plain loop over user memory: what a program does that looks at its bytes. The bytes it moved.
///
/// # Errors
///
/// What the two ends say.
pub fn pump(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<u64> {
    const COPY_BYTES: usize = 256 * 1024;
    let mut buffer = vec![0; COPY_BYTES];
    let mut copied = 0;
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(copied);
        }
        to.write_all(buffer.get(..count).unwrap_or(&[]))?;
        copied += count as u64;
    }
}
