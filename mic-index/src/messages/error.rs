//! What is wrong with a message: every field at once, and never its value (`IDX-115`).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Characters of a message at most: what the platform declares for its `input` and `output` (`IDX-116`).
pub const MESSAGE_LEN_MAX: usize = 40_000;

/// Why a text is no message, or a message cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Longer than the platform takes.
    #[error("expected at most {MESSAGE_LEN_MAX} characters, found {found}")]
    TooLong {
        /// Characters found.
        found: usize,
    },
    /// No JSON, or no object where one is expected.
    #[error("expected a json object, found something else at line {line}, column {column}")]
    Syntax {
        /// Line, from one.
        line: usize,
        /// Column in bytes, from one; zero at the beginning of a line.
        column: usize,
    },
    /// Fields are missing or wrong: all of them, at least one.
    #[error("{}", List(.0))]
    Fields(Vec<FieldFault>),
}

impl MessageError {
    /// The faults of single fields; none if the text could not be taken apart.
    #[must_use]
    pub fn faults(&self) -> &[FieldFault] {
        match self {
            Self::Fields(faults) => faults,
            Self::TooLong { .. } | Self::Syntax { .. } => &[],
        }
    }
}

struct List<'a>(&'a [FieldFault]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

/// One field that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct FieldFault {
    path: String,
    kind: FieldFaultKind,
}

impl FieldFault {
    pub(super) const fn new(path: String, kind: FieldFaultKind) -> Self {
        Self { path, kind }
    }

    /// The field by its name on the wire, within its nodes: `imageinfo[1].study_uid`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> FieldFaultKind {
        self.kind
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FieldFaultKind {
    /// Not there, `null`, or empty.
    #[error("missing")]
    Missing,
    /// There for a second time.
    #[error("expected once, found again")]
    Twice,
    /// Something else than this.
    #[error("expected {0}")]
    Expected(&'static str),
}

impl FieldFaultKind {
    /// The stable name for programs: `missing`, `twice`, `expected`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Twice => "twice",
            Self::Expected(_) => "expected",
        }
    }
}
