//! Steering a pull while it runs.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use crate::adapter::line::{Connection, Portion};
use crate::receiver::{ConnectionId, Priority};
use crate::shape::Shape;
use crate::{Auth, Digest, Uid};

/// What wakes a pull. Bytes are bounded by the buffers of their lines.
pub(in crate::adapter) enum Message {
    /// Bytes of a line, or how it ended.
    Bytes(ConnectionId, Result<Portion, io::ErrorKind>),
    /// A chunk was decoded.
    #[cfg(feature = "coding")]
    Decoded(crate::receiver::Decoded),
    /// A command is waiting.
    Wake,
    /// A connection to the source of this number was made, or not.
    Dialled(usize, io::Result<Box<dyn Connection>>),
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
    pub(super) wake: Sender<Message>,
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
        let _ = self.wake.send(Message::Wake);
    }
}
