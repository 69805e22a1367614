//! Steering a pull while it runs.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::io;
use std::net::TcpStream;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};

use crate::receiver::{ConnectionId, Priority};
use crate::shape::Shape;
use crate::{Auth, Digest, Uid};

#[derive(Debug)]
pub(super) enum Message {
    Bytes(ConnectionId, Result<Vec<u8>, io::ErrorKind>),
    /// A chunk was decoded.
    #[cfg(feature = "coding")]
    Decoded(crate::receiver::Decoded),
    /// A command is waiting.
    Wake,
    /// A connection of a standing group was made, or not.
    Dialled(Result<TcpStream, io::ErrorKind>),
}

#[derive(Debug, Clone)]
pub(super) enum Command {
    Cancel,
    Click(Digest),
    Pause(Option<Uid>),
    Resume(Option<Uid>),
    Shape(Shape),
    Pull(Uid, Auth, Priority),
    Close,
}

/// Steers a pull, from another thread or from within its events.
#[derive(Debug, Clone)]
pub struct PullControl {
    pub(super) commands: Arc<Mutex<Vec<Command>>>,
    pub(super) wake: SyncSender<Message>,
}

impl PullControl {
    /// Gives every study up; what is verified stays.
    pub fn cancel(&self) {
        self.give(Command::Cancel);
    }

    /// The doctor wants this image now.
    pub fn click(&self, instance: Digest) {
        self.give(Command::Click(instance));
    }

    /// Asks for no more of this study, or of any, clicks excepted.
    pub fn pause(&self, study: Option<Uid>) {
        self.give(Command::Pause(study));
    }

    /// Asks for it again.
    pub fn resume(&self, study: Option<Uid>) {
        self.give(Command::Resume(study));
    }

    /// Limits the rates of classes from now on.
    pub fn shape(&self, shape: Shape) {
        self.give(Command::Shape(shape));
    }

    /// Asks for a study more; on a standing group at any time, on a pull while it runs.
    pub fn pull(&self, study: Uid, auth: Auth, priority: Priority) {
        self.give(Command::Pull(study, auth, priority));
    }

    /// Ends a standing group when its studies have ended.
    pub fn close(&self) {
        self.give(Command::Close);
    }

    fn give(&self, command: Command) {
        self.commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(command);
        // A full channel wakes the pull by itself; waiting here could be waiting for oneself.
        let _ = self.wake.try_send(Message::Wake);
    }
}
