//! The province's transfer door: whole studies, chunk by chunk, each against a grant and a proof.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mic_transfer::adapter::tcp::{Authorizer, Refusal, ServeConfig, serve_connection};
use mic_transfer::source::{Source, Unreadable};
use mic_transfer::{Manifest, Receipt, Signature, SignedManifest, Uid};

use super::{Province, lock, store};
use crate::node::Role;
use crate::problem::Problem;
use crate::wire::{Hello, Presented, SignedDocument};

/// Connections served at the same time; more are turned away at once.
const CONNECTIONS_MAX: usize = 64;
/// The wait after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Opens the door on a thread of its own; every connection gets one too.
pub(super) fn open(province: &Arc<Province>, listen: SocketAddr) -> Result<SocketAddr, Problem> {
    let listener = TcpListener::bind(listen)
        .map_err(|e| Problem::from(e).at(format!("transfer door {listen}")))?;
    let address = listener.local_addr()?;
    let province = Arc::clone(province);
    let busy = Arc::new(AtomicUsize::new(0));
    let config = ServeConfig::default();
    std::thread::Builder::new()
        .name("transfer-door".to_owned())
        .spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else {
                    // No descriptor left, most likely: give the others time to end.
                    std::thread::sleep(ACCEPT_PAUSE);
                    continue;
                };
                let place = Place::take(&busy);
                if place.number >= CONNECTIONS_MAX {
                    continue;
                }
                let (province, config) = (Arc::clone(&province), config.clone());
                // Where no thread can be had, the connection is dropped and the door stays open.
                let _ = std::thread::Builder::new().spawn(move || {
                    serve(&province, stream, config);
                    drop(place);
                });
            }
        })?;
    Ok(address)
}

/// One of the connections that are served now; given back when dropped, also by a panic.
struct Place {
    busy: Arc<AtomicUsize>,
    number: usize,
}

impl Place {
    fn take(busy: &Arc<AtomicUsize>) -> Self {
        Self {
            number: busy.fetch_add(1, Ordering::AcqRel),
            busy: Arc::clone(busy),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

fn serve(province: &Province, stream: TcpStream, config: ServeConfig) {
    // What became of the connection is in the receiver's report and in the receipts kept here.
    let _ = serve_connection(stream, &Archive(province), &Gate(province), config);
}

/// The province's files as a source.
struct Archive<'a>(&'a Province);

impl Source for Archive<'_> {
    fn manifest(&self, study: &Uid) -> Option<SignedManifest> {
        let sealed = lock(&self.0.store).ok()?.study(study.as_str()).ok()??;
        Some(sealed.signed)
    }

    fn read(
        &self,
        manifest: &Manifest,
        instance: u32,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), Unreadable> {
        let listed = manifest
            .instances()
            .get(instance as usize)
            .ok_or(Unreadable)?;
        let path = store::file(&self.0.files, listed.digest().as_bytes());
        let read = || {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(into)
        };
        read().map_err(|_| Unreadable)
    }
}

/// The check before every study.
struct Gate<'a>(&'a Province);

impl Gate<'_> {
    fn hello(&self, auth: &[u8]) -> Result<(), Problem> {
        let hello: SignedDocument = serde_json::from_slice(auth)?;
        let trust = &self.0.context.trust;
        let said: Hello = hello.open(trust, Role::Hospital)?;
        said.check(&trust.own().organisation().to_string())
    }

    fn open(&self, study: &Uid, auth: &[u8]) -> Result<(), Problem> {
        let presented: Presented = serde_json::from_slice(auth)?;
        let sealed = lock(&self.0.store)?.study(study.as_str())?;
        let sealed = sealed.ok_or_else(|| Problem::usage("study.unknown", "not kept here"))?;
        self.0.consent.open(&presented, &sealed.exam, |_, _| Ok(()))
    }

    fn keep(&self, receipt: &Receipt, signature: &Signature) -> Result<Signature, Problem> {
        let trust = &self.0.context.trust;
        let key = hex::encode(signature.key_id());
        trust.verify(&key, &receipt.message(), signature.bytes())?;
        trust.caller(&key)?.must_be(Role::Hospital)?;
        lock(&self.0.store)?.keep_receipt(receipt, signature.key_id())?;
        trust
            .key()
            .transfer_signature(&receipt.message())
            .map_err(|e| Problem::system("receipt.sign", e))
    }
}

impl Authorizer for Gate<'_> {
    fn session(&self, auth: &[u8]) -> Result<(), Refusal> {
        self.hello(auth).map_err(|problem| refusal(&problem))
    }

    fn study(&self, study: &Uid, auth: &[u8]) -> Result<(), Refusal> {
        self.open(study, auth).map_err(|problem| refusal(&problem))
    }

    fn receipt(&self, receipt: &Receipt, signature: Option<&Signature>) -> Option<Signature> {
        self.keep(receipt, signature?).ok()
    }
}

/// A consent denial travels as its stable number, so that the other side can say which step failed.
fn refusal(problem: &Problem) -> Refusal {
    match problem.number {
        Some(number) => Refusal::because(number),
        None => Refusal::default(),
    }
}
