//! Threads that decode chunks beside the one that drives the receiver.

use std::sync::mpsc::Sender;

use super::control::Message;
use crate::receiver::{DecodeJob, Decoded};
use alloc::vec::Vec;

#[cfg(feature = "coding")]
mod threads {
    use alloc::string::String;
    use alloc::vec::Vec;
    use std::sync::mpsc::{Sender, channel};
    use std::thread::{self, JoinHandle};

    use super::super::control::Message;
    use crate::coding::Decoder;
    use crate::receiver::DecodeJob;

    /// Most threads of one pull: four cores decode more than ten gigabit lines bring.
    pub(super) const THREADS_MAX: usize = 4;

    #[derive(Debug)]
    pub(super) struct Worker {
        jobs: Sender<(DecodeJob, Vec<u8>)>,
        handle: JoinHandle<()>,
    }

    impl Worker {
        pub(super) fn start(results: Sender<Message>) -> Option<Self> {
            // Bounded by the windows of the connections, whose chunks are owed until they are decoded.
            let (jobs, inbox) = channel::<(DecodeJob, Vec<u8>)>();
            let work = move || {
                let mut decoder = Decoder::new();
                while let Ok((job, buffer)) = inbox.recv() {
                    let decoded = job.run(&mut decoder, buffer);
                    if results.send(Message::Decoded(decoded)).is_err() {
                        return;
                    }
                }
            };
            let named = thread::Builder::new().name(String::from("mic-transfer-decode"));
            let handle = named.spawn(work).ok()?;
            Some(Self { jobs, handle })
        }

        /// Gives the job back where the thread has ended.
        pub(super) fn give(&self, job: DecodeJob, buffer: Vec<u8>) -> Option<(DecodeJob, Vec<u8>)> {
            self.jobs.send((job, buffer)).err().map(|unsent| unsent.0)
        }

        pub(super) fn end(self) {
            drop(self.jobs);
            let _ = self.handle.join();
        }
    }
}

/// One thread for each connection that brings coded chunks, within the cores there are.
#[derive(Debug, Default)]
pub(super) struct DecodeThreads {
    #[cfg(feature = "coding")]
    workers: Vec<threads::Worker>,
    #[cfg(feature = "coding")]
    most: usize,
}

impl DecodeThreads {
    /// Decodes a job elsewhere, to be told by a message; or gives the result where no thread could be made.
    #[cfg(feature = "coding")]
    pub(super) fn give(
        &mut self,
        job: DecodeJob,
        buffer: Vec<u8>,
        results: &Sender<Message>,
    ) -> Option<Decoded> {
        if self.most == 0 {
            let cores = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
            self.most = cores.clamp(1, threads::THREADS_MAX);
        }
        let at = job.connection() as usize % self.most;
        while self.workers.len() <= at {
            match threads::Worker::start(results.clone()) {
                Some(worker) => self.workers.push(worker),
                None => break,
            }
        }
        let unsent = match self.workers.get(at) {
            Some(worker) => worker.give(job, buffer)?,
            None => (job, buffer),
        };
        let (job, buffer) = unsent;
        Some(job.run(&mut crate::coding::Decoder::new(), buffer))
    }

    /// Without the feature nothing coded is taken, so that nothing comes.
    #[cfg(not(feature = "coding"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn give(
        &mut self,
        job: DecodeJob,
        _: Vec<u8>,
        _: &Sender<Message>,
    ) -> Option<Decoded> {
        Some(job.finish(None))
    }

    /// Waits for the threads; whoever takes their results must be gone.
    pub(super) fn end(&mut self) {
        #[cfg(feature = "coding")]
        for worker in self.workers.drain(..) {
            worker.end();
        }
    }
}
