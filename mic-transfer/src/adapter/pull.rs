//! Taking studies in: one receiver, one store, lines to any number of sources.
//!
//! The loop runs on the calling thread, beside the store's disk; lines read on threads or tasks of
//! their own and hold a bounded number of buffers.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};
use std::time::Instant as Clock;

mod control;
mod decode;
mod report;
mod run;
mod sources;

pub(super) use control::Message;
pub use control::PullControl;
pub use report::{PullError, PullReport, SourceReport, StudyOutcome, StudyReport};

use super::line::Dial;
use super::tcp::TcpDial;
use crate::adapter::disk::DiskStore;
use crate::error::SessionError;
use crate::manifest::SignatureRefused;
use crate::receiver::{Priority, Progress, Receiver, ReceiverConfig};
use crate::sign::{SignFailed, Signature};
use crate::{Auth, Digest, SignedHead, SignedManifest, Uid};
use control::Command;
use run::Run;
use sources::Sources;

/// What happens while studies are pulled.
#[non_exhaustive]
#[derive(Debug)]
pub enum PullEvent<'a> {
    /// A manifest arrived and is accepted; what is here already and what will come.
    Planned(&'a Uid, Progress),
    /// A first image is whole, ahead of the manifest and of the store; asked for by
    /// [`Pull::verify_first_with`].
    First {
        /// The study.
        study: &'a Uid,
        /// Its place in the manifest.
        instance: u32,
        /// Its digest.
        digest: Digest,
        /// The whole file.
        bytes: &'a [u8],
    },
    /// An instance is whole and can be read from the store.
    Instance {
        /// The study.
        study: &'a Uid,
        /// Its place in the manifest.
        instance: u32,
        /// Its digest.
        digest: Digest,
    },
    /// A chunk more.
    Progress(&'a Uid, Progress),
    /// The study is complete and its receipt kept.
    Complete(&'a Uid, Progress),
    /// The study is complete, but its receipt could not be signed or kept; the next pull issues it.
    Unreceipted(&'a Uid, &'a SessionError),
    /// The study ended without being complete.
    Failed(&'a Uid, &'a SessionError),
    /// A connection was lost and will be made again.
    Reconnecting(&'a SessionError),
    /// A source is asked no more: it was lost too often, turned this side away, or gave what does not
    /// fit its digests while others have the study too.
    SourceLost(&'a str, &'a SessionError),
}

type Verify<'a> = dyn Fn(&SignedManifest) -> Result<(), SignatureRefused> + Send + 'a;
type VerifyFirst<'a> = dyn Fn(&SignedHead) -> Result<(), SignatureRefused> + Send + 'a;
type Sign<'a> = dyn Fn(&[u8]) -> Result<Option<Signature>, SignFailed> + Send + 'a;

/// Pulls studies from one source or several into a store.
///
/// See the [crate's front page](crate) for a whole example. Calling it again after a cut, a kill or
/// an error resumes; pulling what is complete moves no chunk.
pub struct Pull<'a> {
    sources: Vec<Arc<dyn Dial>>,
    auth: Auth,
    studies: Vec<(Uid, Auth, Priority)>,
    connections: Option<u32>,
    reconnects: u32,
    config: ReceiverConfig,
    verify: Box<Verify<'a>>,
    verify_first: Box<VerifyFirst<'a>>,
    sign: Box<Sign<'a>>,
    previous_receipt: Option<Digest>,
    channel: (Sender<Message>, Inbox<Message>),
    commands: Arc<Mutex<Vec<Command>>>,
}

impl core::fmt::Debug for Pull<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Pull")
            .field("sources", &self.names())
            .finish_non_exhaustive()
    }
}

impl<'a> Pull<'a> {
    /// From the source at this TCP address, accepting any manifest and signing
    /// no receipt.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self::over(TcpDial::new(address))
    }

    /// The same over lines of another kind.
    #[must_use]
    pub fn over(dial: impl Dial + 'static) -> Self {
        Self {
            sources: Vec::from([Arc::new(dial) as Arc<dyn Dial>]),
            auth: Auth::none(),
            studies: Vec::new(),
            connections: None,
            reconnects: 3,
            config: ReceiverConfig::default(),
            verify: Box::new(|_| Ok(())),
            // Nothing is shown ahead unless the application says how a head is judged.
            verify_first: Box::new(|_| Err(SignatureRefused::Missing)),
            sign: Box::new(|_| Ok(None)),
            previous_receipt: None,
            channel: channel(),
            commands: Arc::default(),
        }
    }

    /// A further source of the same studies: its connections take chunks from the same queue. One that
    /// is lost leaves its part to the others.
    #[must_use]
    pub fn and(mut self, dial: impl Dial + 'static) -> Self {
        self.sources.push(Arc::new(dial));
        self
    }

    /// What is shown when connecting.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Adds a study with what is shown for it.
    #[must_use]
    pub fn study(self, study: Uid, auth: Auth) -> Self {
        self.study_with(study, auth, Priority::Waiting)
    }

    /// Adds a study of a priority.
    #[must_use]
    pub fn study_with(mut self, study: Uid, auth: Auth, priority: Priority) -> Self {
        self.studies.push((study, auth, priority));
        self
    }

    /// Connections to each source, 1 to 16; all take the next chunk from the same queue. Where nothing is said, the
    /// round trip of the first decides: 1 below 5 ms, 4 below 20 ms, 8 beyond; 1 on the own machine and over lines
    /// that do not tell it ([`Connection::round_trip`](super::line::Connection::round_trip)). A short line that loses
    /// packets wants 4; what is shown for a study is shown on each of them, so that an authorisation for one
    /// presentation wants 1.
    #[must_use]
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = Some(connections.clamp(1, 16));
        self
    }

    /// New connections after losses before a source is given up, for each that it is to have; 3 if not said.
    #[must_use]
    pub const fn reconnects(mut self, reconnects: u32) -> Self {
        self.reconnects = reconnects;
        self
    }

    /// Limits and timers.
    #[must_use]
    pub const fn config(mut self, config: ReceiverConfig) -> Self {
        self.config = config;
        self
    }

    /// Judges manifests, by [`SignedManifest::check`] as a rule.
    #[must_use]
    pub fn verify_with(
        mut self,
        verify: impl Fn(&SignedManifest) -> Result<(), SignatureRefused> + Send + 'a,
    ) -> Self {
        self.verify = Box::new(verify);
        self
    }

    /// Judges the heads of manifests, by [`SignedHead::check`] as a rule, and shows first images of
    /// those it accepts before the manifest is whole ([`PullEvent::First`]).
    #[must_use]
    pub fn verify_first_with(
        mut self,
        verify: impl Fn(&SignedHead) -> Result<(), SignatureRefused> + Send + 'a,
    ) -> Self {
        self.verify_first = Box::new(verify);
        self
    }

    /// Signs receipts.
    #[must_use]
    pub fn sign_with(
        mut self,
        sign: impl Fn(&[u8]) -> Result<Option<Signature>, SignFailed> + Send + 'a,
    ) -> Self {
        self.sign = Box::new(sign);
        self
    }

    /// Chains the first receipt to the one issued before.
    #[must_use]
    pub const fn after_receipt(mut self, previous: Digest) -> Self {
        self.previous_receipt = Some(previous);
        self
    }

    /// Steers the pull, from another thread or from within its events.
    #[must_use]
    pub fn control(&self) -> PullControl {
        PullControl {
            commands: Arc::clone(&self.commands),
            wake: self.channel.0.clone(),
        }
    }

    /// Pulls until every study is complete or has failed.
    ///
    /// # Errors
    /// [`PullError`] only where no connection could be made at all; what became of each study is in
    /// the report.
    pub fn run(
        self,
        store: &DiskStore,
        on_event: impl FnMut(PullEvent<'_>),
    ) -> Result<PullReport, PullError> {
        self.drive(store, on_event, false)
    }

    /// Keeps the connections to the source standing and pulls whatever [`PullControl::pull`] asks for,
    /// until [`PullControl::close`]: a study then costs no set-up, and its first image one round trip.
    /// A connection that is lost or can't be made is dialled again, after 100 ms at first and 60 s at
    /// last. Runs on the calling thread; what became of each study is told by events.
    ///
    /// ```no_run
    /// # use mic_transfer::{Auth, Uid, adapter::{disk::DiskStore, tcp::Pull}, receiver::Priority};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = DiskStore::open("cache")?;
    /// let group = Pull::new("10.0.0.5:7070".parse()?).connections(4);
    /// let control = group.control();
    /// std::thread::spawn(move || control.pull(Uid::new("1.2.3").unwrap(), Auth::none(), Priority::Waiting));
    /// group.stand(&store, |event| println!("{event:?}"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn stand(self, store: &DiskStore, on_event: impl FnMut(PullEvent<'_>)) {
        // A standing group does not fail to connect: it dials again.
        let _ = self.drive(store, on_event, true);
    }

    /// [`Pull::run`] for async callers: it runs on a thread of the runtime's that may block.
    ///
    /// # Errors
    /// As [`Pull::run`].
    #[cfg(feature = "tokio")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
    pub async fn run_async(
        self,
        store: &DiskStore,
        on_event: impl FnMut(PullEvent<'_>) + Send + 'static,
    ) -> Result<PullReport, PullError>
    where
        'a: 'static,
    {
        let (store, names) = (store.clone(), self.names());
        let running = tokio::task::spawn_blocking(move || self.run(&store, on_event));
        // The thread ends early only if an event's own code panicked or the runtime is going.
        let ended = PullError::new(&names, &std::io::ErrorKind::Interrupted.into());
        running.await.unwrap_or(Err(ended))
    }

    fn names(&self) -> Vec<alloc::string::String> {
        self.sources.iter().map(Dial::name).collect()
    }

    fn drive(
        mut self,
        store: &DiskStore,
        on_event: impl FnMut(PullEvent<'_>),
        standing: bool,
    ) -> Result<PullReport, PullError> {
        let started = Clock::now();
        let sources = core::mem::take(&mut self.sources);
        let reconnects = (!standing).then_some(self.reconnects);
        let run = Run {
            clock: started,
            receiver: Receiver::new(self.config),
            lines: BTreeMap::new(),
            next_line: 0,
            owners: BTreeMap::new(),
            sources: Sources::new(sources, self.connections, reconnects, &self.channel.0),
            slots: BTreeMap::new(),
            waiting: VecDeque::new(),
            unstarted: Vec::new(),
            ended: BTreeMap::new(),
            previous: self.previous_receipt,
            sent: 0,
            received: 0,
            standing,
            decoding: decode::DecodeThreads::default(),
            pull: self,
            store,
            on_event,
        };
        run.through()
    }
}
