//! What ends the reading of a file as a whole; a bad line does not.

use std::io;

use super::archive::Compression;
use super::header::Field;

/// Why a file cannot be read on.
///
/// ```
/// use mic_index::bulk::{BulkError, Ingest, Options};
///
/// let workbook = b"PK\x03\x04...";
/// let error = Ingest::new(&workbook[..], Options::new()).next_line().unwrap_err();
/// assert_eq!(error, BulkError::Encoding { found: "a zip archive or Excel workbook" });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BulkError {
    /// The input cannot be read. The system is at fault.
    #[error("input: reading failed after byte {at}: {kind}")]
    Read {
        /// Bytes of the input (compressed, where it is) read before.
        at: u64,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// The archive ends too early. The lines before that were read.
    #[error("{compression} archive: expected more, the input ends at byte {at}")]
    Truncated {
        /// The kind of archive.
        compression: Compression,
        /// Bytes of the archive that are there.
        at: u64,
    },
    /// The archive is damaged, needs too large a window, or something else follows it.
    #[error(
        "{compression} archive: damaged, needs a larger window or ends in something else near byte {at}"
    )]
    Damaged {
        /// The kind of archive.
        compression: Compression,
        /// Bytes of the archive read until then; the damage is not after them.
        at: u64,
    },
    /// The input is an archive, and the feature that reads it is not compiled in.
    #[error(
        "expected text, found a {compression} archive, which this program reads only with feature `{compression}`"
    )]
    NotCompiledIn {
        /// The kind of archive.
        compression: Compression,
    },
    /// The archive gives more than the caller allows.
    #[error("archive: expected at most {max} bytes of text, found more")]
    TooLarge {
        /// What the caller allows.
        max: u64,
    },
    /// The input is no text in UTF-8 or ASCII.
    #[error("expected text in UTF-8, found {found}")]
    Encoding {
        /// What its first bytes say it is.
        found: &'static str,
    },
    /// The first row of a CSV file, which says what the columns are, cannot be split into fields: it has a
    /// quotation mark too many or is too long. Repair it, or say that there is no header and which
    /// columns are which.
    #[error("header: expected a first row of fields, found {found}")]
    FirstRow {
        /// What is wrong with it.
        found: &'static str,
    },
    /// The header has no column for the code, or not the one the caller named.
    #[error("header: expected a column for {}, found none", field.name())]
    NoColumn {
        /// The field looked for.
        field: Field,
    },
    /// Two columns of the header are for one field.
    #[error("header: expected one column for {}, found two", field.name())]
    TwoColumns {
        /// The field.
        field: Field,
    },
    /// The spill folder cannot be used. The system is at fault.
    #[error("spill folder: {kind}")]
    Spill {
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// The caller stopped the merging of a search ([`Search::finish_with`](super::Search::finish_with)).
    #[error("stopped while rows were merged")]
    Stopped,
    /// The caller's own function failed, such as the one that writes rejects.
    #[error("output: {kind}")]
    Visitor {
        /// What it says.
        kind: io::ErrorKind,
    },
}

impl BulkError {
    pub(super) fn spill(error: io::Error) -> Self {
        Self::Spill { kind: error.kind() }
    }

    /// The stable name for programs: `read`, `truncated`, `damaged`, `not_compiled_in`, `too_large`,
    /// `encoding`, `first_row`, `no_column`, `two_columns`, `spill`, `stopped`,
    /// `output`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::Truncated { .. } => "truncated",
            Self::Damaged { .. } => "damaged",
            Self::NotCompiledIn { .. } => "not_compiled_in",
            Self::TooLarge { .. } => "too_large",
            Self::Encoding { .. } => "encoding",
            Self::FirstRow { .. } => "first_row",
            Self::NoColumn { .. } => "no_column",
            Self::TwoColumns { .. } => "two_columns",
            Self::Spill { .. } => "spill",
            Self::Stopped => "stopped",
            Self::Visitor { .. } => "output",
        }
    }

    /// Whether the data are at fault, and not the machine or the caller.
    #[must_use]
    pub const fn is_data(&self) -> bool {
        !matches!(
            self,
            Self::Read { .. }
                | Self::Spill { .. }
                | Self::Stopped
                | Self::Visitor { .. }
                | Self::NotCompiledIn { .. }
        )
    }
}
