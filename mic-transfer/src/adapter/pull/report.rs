//! What pulls come to.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use std::io;

use crate::Uid;
use crate::error::SessionError;
use crate::receipt::Receipt;
use crate::receiver::Progress;

/// What a pull came to.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullReport {
    /// Each study, in the order asked for.
    pub studies: Vec<StudyReport>,
    /// Bytes received, frames included.
    pub received: u64,
    /// Bytes sent, frames included.
    pub sent: u64,
    /// Connections made again.
    pub reconnects: u32,
    /// Each source, in the order named.
    pub sources: Vec<SourceReport>,
    /// Time taken.
    pub elapsed: Duration,
}

impl PullReport {
    /// Whether every study is complete and its receipt kept.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.studies
            .iter()
            .all(|study| matches!(study.outcome, StudyOutcome::Complete(_)))
    }

    /// Bytes of chunks that came over the line in this pull.
    #[must_use]
    pub fn fetched(&self) -> u64 {
        self.studies
            .iter()
            .filter_map(|study| study.progress)
            .map(|p| p.bytes_fetched)
            .sum()
    }

    /// Bytes that were here before.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.studies
            .iter()
            .filter_map(|study| study.progress)
            .map(|p| p.bytes_held)
            .sum()
    }
}

/// What became of one study.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyReport {
    /// The study.
    pub study: Uid,
    /// What became of it.
    pub outcome: StudyOutcome,
    /// How far it came: bytes fetched and held, instances.
    pub progress: Option<Progress>,
}

/// How a study ended.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StudyOutcome {
    /// It is complete, durable and listed.
    Complete(Receipt),
    /// It is complete, durable and listed, but its receipt could not be signed or kept and was not
    /// sent: pulling the study again moves no chunk and issues it.
    Unreceipted(SessionError),
    /// It is not complete; what is verified is resumed from.
    Failed(SessionError),
}

/// What one source gave.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReport {
    /// Its address.
    pub name: String,
    /// Connections that were made to it.
    pub connections: u32,
    /// Bytes received from it, frames included.
    pub received: u64,
    /// What last ended a connection to it before its time; `None` where nothing did.
    pub error: Option<SessionError>,
}

/// No connection could be made.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not connect to {}: {detail}", source_names.join(", "))]
pub struct PullError {
    /// The sources.
    pub source_names: Vec<String>,
    /// What the operating system says of the last one tried.
    pub kind: io::ErrorKind,
    /// The same for people.
    pub detail: String,
}

impl PullError {
    pub(super) fn new(names: &[String], error: &io::Error) -> Self {
        Self {
            source_names: names.to_vec(),
            kind: error.kind(),
            detail: error.to_string(),
        }
    }
}
